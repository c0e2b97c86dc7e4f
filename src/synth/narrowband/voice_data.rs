//! Digital walkie-talkies and their base stations: DMR, dPMR, NXDN, P25.

use serde::Deserialize;

use super::boxed;
use super::fsk4::{Modulator, balance, random, symbols};
use super::pulse::{Pulse, raised_cosine};
use crate::synth::Rng;
use crate::synth::timeline::HALF_POWER;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

/// Power rises and falls outside of the burst within this (ETSI TS 102 361-1, figure 10.2: 1.5 ms), seconds.
const RAMP_S: f64 = 1e-3;
/// What of it is above half power: a burst is on from there to there.
const EDGE_S: f64 = (1.0 - HALF_POWER) * RAMP_S;
/// Symbols of a DMR burst: 27.5 ms at 4800 a second (TS 102 361-1, 4.2.2).
const DMR_BURST: usize = 132;
/// Symbols between two bursts of a base station, the common announcement channel (TS 102 361-1, 4.2.2).
const DMR_CACH: usize = 12;
/// Period of one of DMR's two slots, seconds (TS 102 361-1, 4.2.1).
const DMR_FRAME_S: f64 = 0.06;
/// DMR sync words (TS 102 361-1, table 9.2): voice and data of a mobile, voice of a base.
const DMR_MS_VOICE: u64 = 0x7F7D_5DD5_7DFD;
const DMR_MS_DATA: u64 = 0xD5D7_F77F_D757;
const DMR_BS_VOICE: u64 = 0x755F_D7DF_75F7;
/// Bursts of a DMR voice superframe, of which the first carries the sync word (TS 102 361-1, 5.1.2.1).
const DMR_SUPERFRAME: u64 = 6;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    #[default]
    Mobile,
    Base,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DmrParams {
    role: Role,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PlainParams {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NxdnParams {
    symbol_rate: u32,
}

impl Default for NxdnParams {
    fn default() -> Self {
        Self { symbol_rate: 2400 }
    }
}

/// A frame of a continuous carrier: a sync word and what follows.
#[derive(Debug, Clone)]
struct Frame {
    sync: Vec<i8>,
    len: usize,
}

struct Continuous {
    signal: &'static str,
    modulator: Modulator,
    frame: Frame,
    span_hz: f64,
    seed: u64,
}

struct DmrMobile {
    modulator: Modulator,
    seed: u64,
    /// The moment of the first slot, seconds.
    phase_s: f64,
    /// Beginnings of on-times, from which the voice superframes count.
    keyed_s: Vec<f64>,
}

/// DMR (ETSI TS 102 361-1, clause 10.2: 4800 symbols a second, root raised cosine 0.2, 1944 and 648 Hz).
pub fn dmr(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let DmrParams { role } = params.parse()?;
    let modulator =
        Modulator { symbol_rate: 4800.0, unit_hz: 648.0, pulse: Pulse::root_raised_cosine(10, 0.2) };
    if role == Role::Base {
        let frame = Frame { sync: symbols(DMR_BS_VOICE, 48), len: DMR_BURST + DMR_CACH };
        return boxed(Continuous { signal: "dmr", modulator, frame, span_hz: 20e3, seed });
    }
    let phase_s = DMR_FRAME_S * Rng::keyed(&[seed, 1]).uniform();
    boxed(DmrMobile { modulator, seed, phase_s, keyed_s: params.on.iter().map(|on| on[0]).collect() })
}

/// dPMR (ETSI TS 102 658: 2400 symbols a second, root raised cosine 0.2, 1050 and 350 Hz; frames of 80 ms whose
/// first carries sync word FS2).
pub fn dpmr(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let PlainParams {} = params.parse()?;
    let modulator =
        Modulator { symbol_rate: 2400.0, unit_hz: 350.0, pulse: Pulse::root_raised_cosine(20, 0.2) };
    let frame = Frame { sync: symbols(0x5F_F77D, 24), len: 192 };
    boxed(Continuous { signal: "dpmr", modulator, frame, span_hz: 10e3, seed })
}

/// NXDN (NXDN TS 1-A: 2400 symbols a second with 1050 and 350 Hz, or 4800 with 2400 and 800 Hz; root raised
/// cosine 0.2 times sin x/x, which the receiver undoes; frames of 192 symbols that begin with the word CDF59 of 20
/// bits).
pub fn nxdn(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let NxdnParams { symbol_rate } = params.parse()?;
    let (unit_hz, sps, span_hz) = match symbol_rate {
        2400 => (350.0, 20, 10e3),
        4800 => (800.0, 10, 20e3),
        _ => return Err("symbol_rate must be 2400 (6.25 kHz channels) or 4800 (12.5 kHz)".into()),
    };
    let pulse = Pulse::of_response(sps, 0.6, |f| {
        raised_cosine(f, 0.2).sqrt() / inverse_sinc(std::f64::consts::PI * f)
    });
    let modulator = Modulator { symbol_rate: f64::from(symbol_rate), unit_hz, pulse };
    let frame = Frame { sync: symbols(0xC_DF59, 20), len: 192 };
    boxed(Continuous { signal: "nxdn", modulator, frame, span_hz, seed })
}

/// P25 phase 1 (TIA-102.BAAA: C4FM, 4800 symbols a second, 1800 and 600 Hz; a raised cosine that ends at 2880 Hz
/// times x/sin x; logical data units of 180 ms that begin with a sync word of 48 bits).
pub fn p25(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let PlainParams {} = params.parse()?;
    let pulse =
        Pulse::of_response(10, 0.6, |f| raised_cosine(f, 0.2) * inverse_sinc(std::f64::consts::PI * f));
    let modulator = Modulator { symbol_rate: 4800.0, unit_hz: 600.0, pulse };
    let frame = Frame { sync: symbols(0x5575_F5FF_77FF, 48), len: 864 };
    boxed(Continuous { signal: "p25", modulator, frame, span_hz: 20e3, seed })
}

fn inverse_sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { x / x.sin() }
}

impl Continuous {
    fn frame(&self, index: u64) -> Vec<i8> {
        let mut rng = Rng::keyed(&[self.seed, 0xF4A3, index]);
        let mut payload = random(&mut rng, self.frame.len - self.frame.sync.len());
        balance(&mut rng, &self.frame.sync, &mut payload);
        [self.frame.sync.clone(), payload].concat()
    }

    fn frame_s(&self) -> f64 {
        self.frame.len as f64 / self.modulator.symbol_rate
    }
}

impl Waveform for Continuous {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let frame_s = self.frame_s();
        let start_s = |index: u64| (index * self.frame.len as u64) as f64 / self.modulator.symbol_rate;
        let mut index = (from_s.max(0.0) / frame_s).floor() as u64;
        if start_s(index) < from_s {
            index += 1;
        }
        while start_s(index) < to_s {
            out.push(Shot {
                start_s: start_s(index),
                duration_s: frame_s,
                offset_hz: 0.0,
                level_db: 0.0,
                key: index,
                continues: index > 0,
            });
            index += 1;
        }
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let before = if shot.key == 0 { Vec::new() } else { self.frame(shot.key - 1) };
        let samples = self.modulator.continuous(&before, &self.frame(shot.key), &self.frame(shot.key + 1));
        ShotIq { rate_hz: self.modulator.rate_hz(), first_s: shot.start_s, samples }
    }

    fn longest_s(&self) -> f64 {
        self.frame_s()
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
        "walkie-talkie"
    }
}

impl DmrMobile {
    /// A burst: 54 symbols, 24 of sync or embedded signalling, 54 symbols (TS 102 361-1, 4.2.2).
    fn burst(&self, index: u64, start_s: f64) -> Vec<i8> {
        let mut rng = Rng::keyed(&[self.seed, 0xD312, index]);
        let keyed = self.keyed_s.partition_point(|at| *at <= start_s);
        let since_s = start_s - keyed.checked_sub(1).map_or(0.0, |i| self.keyed_s[i]);
        let number = (since_s / DMR_FRAME_S) as u64;
        let middle = match number {
            // Two header bursts of data type come first (TS 102 361-1, 5.1.2.2).
            0 | 1 => symbols(DMR_MS_DATA, 48),
            n if (n - 2).is_multiple_of(DMR_SUPERFRAME) => symbols(DMR_MS_VOICE, 48),
            _ => random(&mut rng, 24),
        };
        let half = (DMR_BURST - 24) / 2;
        [random(&mut rng, half), middle, random(&mut rng, half)].concat()
    }
}

impl Waveform for DmrMobile {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let start_s = |index: u64| self.phase_s + index as f64 * DMR_FRAME_S;
        let mut index = ((from_s - self.phase_s) / DMR_FRAME_S).floor().max(0.0) as u64;
        while start_s(index) < to_s {
            if start_s(index) >= from_s {
                out.push(Shot {
                    start_s: start_s(index),
                    duration_s: DMR_BURST as f64 / self.modulator.symbol_rate + 2.0 * EDGE_S,
                    offset_hz: 0.0,
                    level_db: 0.0,
                    key: index,
                    continues: false,
                });
            }
            index += 1;
        }
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let rate_hz = self.modulator.rate_hz();
        let extra = (RAMP_S * rate_hz) as usize;
        let mut samples = self.modulator.burst(&self.burst(shot.key, shot.start_s), extra);
        super::ramp(&mut samples, extra);
        ShotIq { rate_hz, first_s: shot.start_s + EDGE_S - extra as f64 / rate_hz, samples }
    }

    fn longest_s(&self) -> f64 {
        DMR_BURST as f64 / self.modulator.symbol_rate + 2.0 * RAMP_S
    }

    fn span_hz(&self) -> f64 {
        20e3
    }

    fn signal(&self) -> &'static str {
        "dmr"
    }

    fn device(&self) -> &'static str {
        "walkie-talkie"
    }
}
