//! Lines: a plain carrier, a clock that drifts, a line that sweeps.

use std::f64::consts::TAU;

use num_complex::Complex32;
use serde::Deserialize;

use super::boxed;
use super::chunks::Chunks;
use crate::synth::Rng;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

/// Native rate of lines that stand still, hertz: enough for ramps of a millisecond.
const RATE_HZ: f64 = 20e3;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CarrierParams {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ClockParams {
    /// Greatest excursion of its slow wander, hertz.
    wander_hz: f64,
}

impl Default for ClockParams {
    /// Some parts in ten million of a few hundred megahertz: a crystal without compensation in moving air.
    fn default() -> Self {
        Self { wander_hz: 30.0 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SweptParams {
    /// Width of the sweep, hertz.
    sweep_hz: f64,
    /// There and back in, milliseconds.
    period_ms: f64,
}

impl Default for SweptParams {
    fn default() -> Self {
        Self { sweep_hz: 500e3, period_ms: 50.0 }
    }
}

/// How the frequency moves, as the phase it makes in turns.
enum Motion {
    Still,
    /// Sinusoids of (excursion, rate, phase): hertz, hertz, turns.
    Wander([(f64, f64, f64); 4]),
    /// A triangle.
    Sweep {
        sweep_hz: f64,
        period_s: f64,
    },
}

struct Line {
    chunks: Chunks,
    span_hz: f64,
    turns: f64,
    motion: Motion,
    signal: &'static str,
    device: &'static str,
}

/// An unmodulated carrier: interference if it has always been there, a transmitter if it comes and goes.
pub fn carrier(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let CarrierParams {} = params.parse()?;
    boxed(Line {
        chunks: Chunks::new(RATE_HZ),
        span_hz: 10e3,
        turns: Rng::new(seed).uniform(),
        motion: Motion::Still,
        signal: "cw",
        device: if params.on.is_empty() { "interference" } else { "other-wireless" },
    })
}

/// A harmonic of some clock nearby, which wanders a little.
pub fn clock(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let ClockParams { wander_hz } = params.parse()?;
    if !(0.0..=2e3).contains(&wander_hz) {
        return Err("wander_hz must lie between 0 and 2000".into());
    }
    let mut rng = Rng::keyed(&[seed, 0xC10C]);
    let wander = [0.11, 0.43, 1.9, 7.3]
        .map(|rate_hz: f64| (0.25 * wander_hz, rate_hz * (0.8 + 0.4 * rng.uniform()), rng.uniform()));
    boxed(Line {
        chunks: Chunks::new(RATE_HZ),
        span_hz: 10e3,
        turns: rng.uniform(),
        motion: Motion::Wander(wander),
        signal: "cw",
        device: "interference",
    })
}

/// A line swept to and fro: a spread clock, a ballast.
pub fn swept(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let SweptParams { sweep_hz, period_ms } = params.parse()?;
    if !(1e3..=50e6).contains(&sweep_hz) {
        return Err("sweep_hz must lie between 1 kHz and 50 MHz".into());
    }
    if !(0.01..=100e3).contains(&period_ms) {
        return Err("period_ms must lie between 0.01 and 100000".into());
    }
    let period_s = 1e-3 * period_ms;
    // Beyond the ends only the corners of the triangle.
    let span_hz = 1.1 * sweep_hz + 40.0 / period_s;
    boxed(Line {
        chunks: Chunks::new(1.4 * span_hz),
        span_hz,
        turns: Rng::new(seed).uniform(),
        motion: Motion::Sweep { sweep_hz, period_s },
        signal: "unknown",
        device: "interference",
    })
}

impl Motion {
    fn turns(&self, at_s: f64) -> f64 {
        match self {
            Self::Still => 0.0,
            Self::Wander(parts) => parts
                .iter()
                .map(|(hz, rate_hz, turns)| {
                    hz / rate_hz / TAU * (TAU * (rate_hz * at_s + turns).fract()).sin()
                })
                .sum(),
            Self::Sweep { sweep_hz, period_s } => {
                // From the lower end up in half a period and back; both halves' means are zero.
                let x = (at_s / period_s).fract();
                let up = |x: f64| sweep_hz * period_s * x * (2.0 * x - 1.0) * 0.5;
                if x < 0.5 { up(x) } else { -up(x - 0.5) }
            }
        }
    }
}

impl Waveform for Line {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        self.chunks.shots(from_s, to_s, out);
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let first = self.chunks.first(shot.key);
        let samples = (first..first + self.chunks.len)
            .map(|n| {
                let turns = self.turns + self.motion.turns(n as f64 / self.chunks.rate_hz);
                let (sin, cos) = (TAU * turns.fract()).sin_cos();
                Complex32::new(cos as f32, sin as f32)
            })
            .collect();
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
