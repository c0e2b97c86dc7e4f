//! What buildings emit without meaning to: combs of switching supplies, impulses of the mains.

use std::f64::consts::TAU;

use num_complex::Complex32;
use serde::Deserialize;

use super::boxed;
use super::chunks::Chunks;
use crate::synth::Rng;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SupplyParams {
    /// Of the switch.
    switching_hz: f64,
    /// Width of the part of the comb that is made.
    width_hz: f64,
    /// Excursion of the lines in the middle of the band, by ripple of the mains.
    jitter_hz: f64,
    mains_hz: f64,
}

impl Default for SupplyParams {
    fn default() -> Self {
        Self { switching_hz: 66e3, width_hz: 1.6e6, jitter_hz: 800.0, mains_hz: 50.0 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ImpulseParams {
    mains_hz: f64,
    width_hz: f64,
    /// Time constant of an impulse's decay.
    decay_us: f64,
}

impl Default for ImpulseParams {
    fn default() -> Self {
        Self { mains_hz: 50.0, width_hz: 20e6, decay_us: 8.0 }
    }
}

struct Supply {
    params: SupplyParams,
    chunks: Chunks,
    /// Amplitude and phase of each line, from the lowest.
    lines: Vec<Complex32>,
    turns: f64,
}

struct Impulses {
    params: ImpulseParams,
    seed: u64,
    phase_s: f64,
}

/// Harmonics of a switching supply about the emitter's frequency: a comb whose lines move together.
pub fn switching_supply(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let params: SupplyParams = params.parse()?;
    if !(10e3..=5e6).contains(&params.switching_hz) {
        return Err("switching_hz must lie between 10 kHz and 5 MHz".into());
    }
    if !(params.switching_hz..=64.0 * params.switching_hz).contains(&params.width_hz) {
        return Err("width_hz must lie between 1 and 64 times switching_hz".into());
    }
    if !(0.0..=0.2 * params.switching_hz).contains(&params.jitter_hz) {
        return Err("jitter_hz must lie between 0 and a fifth of switching_hz".into());
    }
    mains(params.mains_hz)?;
    let mut rng = Rng::keyed(&[seed, 0x5A95]);
    let count = (params.width_hz / params.switching_hz) as usize;
    let lines: Vec<Complex32> = (0..count)
        .map(|_| {
            let (sin, cos) = (TAU * rng.uniform()).sin_cos();
            let level = 10f64.powf(-0.5 * rng.uniform());
            Complex32::new((level * cos) as f32, (level * sin) as f32)
        })
        .collect();
    let power: f32 = lines.iter().map(|line| line.norm_sqr()).sum();
    let lines = lines.iter().map(|line| line / power.sqrt()).collect();
    let chunks = Chunks::new(1.4 * (params.width_hz + 2.0 * params.switching_hz));
    boxed(Supply { params, chunks, lines, turns: rng.uniform() })
}

/// Impulses at both crests of the mains: dimmers, brushes, bad contacts.
pub fn mains_impulses(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let params: ImpulseParams = params.parse()?;
    mains(params.mains_hz)?;
    if !(10e3..=100e6).contains(&params.width_hz) {
        return Err("width_hz must lie between 10 kHz and 100 MHz".into());
    }
    if !(1.0..=100.0).contains(&params.decay_us) {
        return Err("decay_us must lie between 1 and 100".into());
    }
    let phase_s = Rng::keyed(&[seed, 0x1395]).uniform() * 0.5 / params.mains_hz;
    boxed(Impulses { params, seed, phase_s })
}

fn mains(mains_hz: f64) -> Result<(), String> {
    if (40.0..=500.0).contains(&mains_hz) {
        Ok(())
    } else {
        Err("mains_hz must lie between 40 and 500".into())
    }
}

impl Waveform for Supply {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        self.chunks.shots(from_s, to_s, out);
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let first = self.chunks.first(shot.key);
        let ripple_hz = 2.0 * self.params.mains_hz;
        let middle = (self.lines.len() as f64 - 1.0) / 2.0;
        let samples = (first..first + self.chunks.len)
            .map(|n| {
                let at_s = n as f64 / self.chunks.rate_hz;
                let ripple = (TAU * (ripple_hz * at_s + self.turns).fract()).sin();
                // Far harmonics of one oscillator: all lines share the wander of the middle one.
                let common = self.params.jitter_hz / ripple_hz / TAU * ripple;
                let turns = self.params.switching_hz * at_s;
                let rotator = |turns: f64| {
                    let (sin, cos) = (TAU * turns.fract()).sin_cos();
                    Complex32::new(cos as f32, sin as f32)
                };
                let step = rotator(turns);
                // Horner's scheme: the sum of lines[k] step^k.
                let comb = self.lines.iter().rev().fold(Complex32::ZERO, |sum, line| sum * step + line);
                comb * rotator(common - middle * turns)
            })
            .collect();
        self.chunks.iq(shot.key, samples)
    }

    fn longest_s(&self) -> f64 {
        self.chunks.duration_s()
    }

    fn span_hz(&self) -> f64 {
        self.params.width_hz + 2.0 * self.params.switching_hz
    }

    fn continuous(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "unknown"
    }

    fn device(&self) -> &'static str {
        "interference"
    }
}

impl Impulses {
    fn duration_s(&self) -> f64 {
        3e-6 * self.params.decay_us
    }
}

impl Waveform for Impulses {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let period_s = 0.5 / self.params.mains_hz;
        let first = ((from_s - self.phase_s) / period_s).floor().max(0.0) as u64;
        for index in first.. {
            let mut rng = Rng::keyed(&[self.seed, 0x1396, index]);
            // Contacts strike within a few microseconds of the same phase of the mains.
            let start_s = self.phase_s + index as f64 * period_s + 5e-6 * rng.uniform();
            if start_s >= to_s {
                break;
            }
            if start_s >= from_s {
                out.push(Shot {
                    start_s,
                    duration_s: self.duration_s(),
                    offset_hz: 0.0,
                    level_db: (3.0 * (rng.uniform() - 0.5)) as f32,
                    key: index,
                    continues: false,
                });
            }
        }
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let rate_hz = 1.4 * self.params.width_hz;
        let mut rng = Rng::keyed(&[self.seed, 0x1397, shot.key]);
        let n = (self.duration_s() * rate_hz).ceil() as usize;
        let noise: Vec<Complex32> =
            (0..n + 64).map(|_| Complex32::new(rng.normal() as f32, rng.normal() as f32)).collect();
        // A low pass of 6 dB at 0.3 of the rate, whose stop band begins at the edge of the width.
        let taps: Vec<f32> = (-32..=32)
            .map(|k| {
                let t = f64::from(k);
                let sinc = if k == 0 {
                    0.6
                } else {
                    (0.6 * std::f64::consts::PI * t).sin() / (std::f64::consts::PI * t)
                };
                (sinc * (0.5 + 0.5 * (std::f64::consts::PI * t / 33.0).cos())) as f32
            })
            .collect();
        let mut samples: Vec<Complex32> = noise
            .windows(taps.len())
            .enumerate()
            .map(|(i, noise)| {
                let decay = (-(i as f64) / rate_hz / (1e-6 * self.params.decay_us)).exp() as f32;
                noise.iter().zip(&taps).map(|(x, tap)| x * *tap).sum::<Complex32>() * decay
            })
            .collect();
        let power = samples.iter().map(|s| s.norm_sqr()).sum::<f32>() / n as f32;
        samples.iter_mut().for_each(|sample| *sample /= power.sqrt());
        ShotIq { rate_hz, first_s: shot.start_s, samples }
    }

    fn longest_s(&self) -> f64 {
        self.duration_s()
    }

    fn span_hz(&self) -> f64 {
        self.params.width_hz
    }

    fn signal(&self) -> &'static str {
        "unknown"
    }

    fn device(&self) -> &'static str {
        "interference"
    }
}
