//! A microwave oven: a magnetron that oscillates for less than half of each period of the mains, its frequency
//! following the anode voltage (Kamerman and Erkocevic 1997; Rondeau et al. 2005; NTIA report 94-303-1).

use std::f64::consts::TAU;

use num_complex::Complex32;
use serde::Deserialize;

use super::boxed;
use crate::synth::Rng;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

/// Share of the mains period that the magnetron oscillates for (NTIA 94-303-1: 8 ms of 16.7, less at 50 Hz).
const ON: f64 = 0.42;
/// Share of the on-time that the power takes to rise and to fall.
const EDGE: f64 = 0.12;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    mains_hz: f64,
    /// From the lowest to the highest frequency within one on-time.
    sweep_hz: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { mains_hz: 50.0, sweep_hz: 8e6 }
    }
}

struct Magnetron {
    params: Params,
    seed: u64,
    phase_s: f64,
}

pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let params: Params = params.parse()?;
    if !(40.0..=70.0).contains(&params.mains_hz) {
        return Err("mains_hz must lie between 40 and 70".into());
    }
    if !(100e3..=40e6).contains(&params.sweep_hz) {
        return Err("sweep_hz must lie between 100 kHz and 40 MHz".into());
    }
    let phase_s = Rng::keyed(&[seed, 0x0EA7]).uniform() / params.mains_hz;
    boxed(Magnetron { params, seed, phase_s })
}

impl Magnetron {
    fn on_s(&self) -> f64 {
        ON / self.params.mains_hz
    }
}

impl Waveform for Magnetron {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let period_s = 1.0 / self.params.mains_hz;
        let first = ((from_s - self.phase_s) / period_s).floor().max(0.0) as u64;
        for index in first.. {
            let mut rng = Rng::keyed(&[self.seed, 0x0EA8, index]);
            let start_s = self.phase_s + index as f64 * period_s + 60e-6 * rng.uniform();
            if start_s >= to_s {
                break;
            }
            if start_s >= from_s {
                out.push(Shot {
                    start_s,
                    duration_s: self.on_s(),
                    // The load turns, and pulls the frequency.
                    offset_hz: 0.2 * self.params.sweep_hz * (TAU * 0.17 * start_s).sin(),
                    level_db: (1.5 * (rng.uniform() - 0.5)) as f32,
                    key: index,
                    continues: false,
                });
            }
        }
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let rate_hz = 1.4 * self.span_hz();
        let n = (shot.duration_s * rate_hz).round() as usize;
        let mut rng = Rng::keyed(&[self.seed, 0x0EA9, shot.key]);
        // Noise of the oscillation: its frequency jitters at tens to hundreds of kilohertz.
        let jitter: Vec<(f64, f64)> = (0..8).map(|_| (20e3 + 380e3 * rng.uniform(), rng.uniform())).collect();
        let mut phase = 0.0;
        let mut energy = 0.0;
        let mut samples: Vec<Complex32> = (0..n)
            .map(|i| {
                let x = i as f64 / n as f64;
                let at_s = i as f64 / rate_hz;
                // Half a sine of anode voltage: up, and back down.
                let pushed = (std::f64::consts::PI * x).sin() - 0.5;
                let noise: f64 =
                    jitter.iter().map(|(hz, turns)| (TAU * (hz * at_s + turns).fract()).sin()).sum();
                let freq_hz = self.params.sweep_hz * (pushed + 0.01 * noise);
                phase = (phase + TAU * freq_hz / rate_hz) % TAU;
                let edge = (x.min(1.0 - x) / EDGE).min(1.0);
                let amplitude = (std::f64::consts::FRAC_PI_2 * edge).sin();
                energy += amplitude * amplitude;
                Complex32::from_polar(amplitude as f32, phase as f32)
            })
            .collect();
        let gain = (n as f64 / energy).sqrt() as f32;
        samples.iter_mut().for_each(|sample| *sample *= gain);
        ShotIq { rate_hz, first_s: shot.start_s, samples }
    }

    fn longest_s(&self) -> f64 {
        self.on_s()
    }

    fn span_hz(&self) -> f64 {
        1.5 * self.params.sweep_hz
    }

    fn signal(&self) -> &'static str {
        "unknown"
    }

    fn device(&self) -> &'static str {
        "interference"
    }
}
