//! Analogue frequency modulation: walkie-talkies, wireless microphones and bugs, broadcast.

use std::f64::consts::TAU;

use num_complex::Complex32;
use serde::Deserialize;

use super::audio::{Content, Sound};
use super::boxed;
use super::chunks::Chunks;
use super::squelch::{Dcs, tone_phase};
use crate::synth::Rng;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

/// Deviation of sub-audible signalling relative to the channel's (TIA-603: 500 Hz of 2.5 kHz, tone or code).
const SUB_AUDIBLE: f64 = 0.2;
/// Share of the deviation that the stereo pilot takes (ITU-R BS.450: 8 to 10 %).
const PILOT: f64 = 0.09;
/// Shares of the deviation of sum and difference (BS.450: 90 % together); most of music is in the middle.
const SUM: f64 = 0.7;
const DIFFERENCE: f64 = 0.2;
/// Stereo pilot, hertz (BS.450).
const PILOT_HZ: f64 = 19e3;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NarrowParams {
    deviation_hz: f64,
    ctcss_hz: Option<f64>,
    /// Three octal digits.
    dcs: Option<String>,
    audio: Content,
}

impl Default for NarrowParams {
    /// 12.5 kHz channels (TIA-603, ETSI EN 300 086: 2.5 kHz).
    fn default() -> Self {
        Self { deviation_hz: 2500.0, ctcss_hz: None, dcs: None, audio: Content::Speech }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WideParams {
    deviation_hz: f64,
    audio: Content,
    pilot_hz: Option<f64>,
}

impl Default for WideParams {
    /// Wireless microphones within 200 kHz (ETSI EN 300 422: 45 to 75 kHz).
    fn default() -> Self {
        Self { deviation_hz: 50e3, audio: Content::Speech, pilot_hz: None }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BroadcastParams {
    audio: Content,
    stereo: bool,
}

impl Default for BroadcastParams {
    fn default() -> Self {
        Self { audio: Content::Music, stereo: true }
    }
}

/// A sound and the deviation that it gives.
type Part = (Sound, f64);

struct Fm {
    chunks: Chunks,
    span_hz: f64,
    sounds: Vec<Part>,
    tones: Vec<(f64, f64)>,
    dcs: Option<(Dcs, f64)>,
    /// Turns that the carrier is at by itself at time 0.
    turns: f64,
    signal: &'static str,
    device: &'static str,
}

/// A walkie-talkie.
pub fn narrow(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let NarrowParams { deviation_hz, ctcss_hz, dcs, audio } = params.parse()?;
    if !(500.0..=8e3).contains(&deviation_hz) {
        return Err("deviation_hz must lie between 500 and 8000".into());
    }
    if ctcss_hz.is_some_and(|hz| !(50.0..=300.0).contains(&hz)) {
        return Err("ctcss_hz must lie between 50 and 300".into());
    }
    let dcs = dcs.map(|code| u32::from_str_radix(&code, 8).ok().filter(|code| *code < 0o1000).ok_or(code));
    let dcs =
        dcs.transpose().map_err(|code| format!("dcs: \"{code}\" is not three octal digits, as \"023\""))?;
    let below_hz = SUB_AUDIBLE * deviation_hz;
    let signalled = ctcss_hz.is_some() || dcs.is_some();
    let voice_hz = if signalled { deviation_hz - below_hz } else { deviation_hz };
    // Voice radio passes 300 to 3000 Hz (TIA-603).
    let sound = Sound { content: audio, seed, band_hz: (300.0, 3000.0), subcarrier_hz: None };
    let span_hz = 2.0 * (deviation_hz + 3e3) * 1.8;
    boxed(Fm {
        chunks: Chunks::new((1.5 * span_hz).max(48e3)),
        span_hz,
        sounds: vec![(sound, voice_hz)],
        tones: ctcss_hz.iter().map(|hz| (*hz, below_hz)).collect(),
        dcs: dcs.map(|code| (Dcs::new(code), below_hz)),
        turns: Rng::keyed(&[seed, 1]).uniform(),
        signal: "nfm",
        device: "walkie-talkie",
    })
}

/// A wireless microphone or a bug.
pub fn wide(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let WideParams { deviation_hz, audio, pilot_hz } = params.parse()?;
    if !(8e3..=200e3).contains(&deviation_hz) {
        return Err("deviation_hz must lie between 8000 and 200000".into());
    }
    if pilot_hz.is_some_and(|hz| !(15e3..=100e3).contains(&hz)) {
        return Err("pilot_hz must lie between 15000 and 100000".into());
    }
    let sound = Sound { content: audio, seed, band_hz: (80.0, 12e3), subcarrier_hz: None };
    let highest_hz = pilot_hz.unwrap_or(0.0).max(12e3);
    let span_hz = 2.0 * (deviation_hz + highest_hz) * 1.3;
    boxed(Fm {
        chunks: Chunks::new(1.5 * span_hz),
        span_hz,
        sounds: vec![(sound, deviation_hz)],
        tones: pilot_hz.iter().map(|hz| (*hz, 0.1 * deviation_hz)).collect(),
        dcs: None,
        turns: Rng::keyed(&[seed, 1]).uniform(),
        signal: "wfm",
        device: "wireless-microphone",
    })
}

/// A broadcast station: sum, pilot, and difference on twice the pilot (ITU-R BS.450), 75 kHz deviation.
pub fn broadcast(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let BroadcastParams { audio, stereo } = params.parse()?;
    let deviation_hz = 75e3;
    let sound = |seed, subcarrier_hz| Sound { content: audio, seed, band_hz: (50.0, 15e3), subcarrier_hz };
    let mut sounds = vec![(sound(seed, None), if stereo { SUM } else { SUM + DIFFERENCE } * deviation_hz)];
    let mut tones = Vec::new();
    if stereo {
        let other = Rng::keyed(&[seed, 2]).next_u64();
        sounds.push((sound(other, Some(2.0 * PILOT_HZ)), DIFFERENCE * deviation_hz));
        tones.push((PILOT_HZ, PILOT * deviation_hz));
    }
    // Carson's rule gives 256 kHz; stations are 200 kHz apart and filtered.
    let span_hz = 280e3;
    boxed(Fm {
        chunks: Chunks::new(400e3),
        span_hz,
        sounds,
        tones,
        dcs: None,
        turns: Rng::keyed(&[seed, 1]).uniform(),
        signal: "fm-broadcast",
        device: "infrastructure",
    })
}

impl Waveform for Fm {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        self.chunks.shots(from_s, to_s, out);
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let first = self.chunks.first(shot.key);
        let rate_hz = self.chunks.rate_hz;
        let mut phase = vec![TAU * self.turns; self.chunks.len as usize];
        for (sound, deviation_hz) in &self.sounds {
            sound.add(*deviation_hz, rate_hz, first, &mut phase);
        }
        for (i, phase) in phase.iter_mut().enumerate() {
            let at_s = (first + i as u64) as f64 / rate_hz;
            for (freq_hz, deviation_hz) in &self.tones {
                *phase += tone_phase(*freq_hz, *deviation_hz, at_s);
            }
            if let Some((dcs, deviation_hz)) = &self.dcs {
                *phase += dcs.phase(*deviation_hz, at_s);
            }
        }
        let samples = phase.iter().map(|phase| Complex32::from_polar(1.0, (phase % TAU) as f32)).collect();
        self.chunks.iq(shot.key, samples)
    }

    fn longest_s(&self) -> f64 {
        self.chunks.duration_s()
    }

    fn span_hz(&self) -> f64 {
        self.span_hz
    }

    fn continuous(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        self.signal
    }

    fn device(&self) -> &'static str {
        self.device
    }
}
