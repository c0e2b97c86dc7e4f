//! Symbols to samples: linear modulation, frequency modulation, and the ramps at a burst's ends.

use num_complex::Complex32;
use std::f64::consts::PI;

use crate::synth::{Shot, ShotIq};

/// A pulse for linear modulation, sampled `sps` times a symbol, of energy `sps`: independent symbols of mean power
/// 1 give a signal of mean power 1.
#[derive(Debug, Clone)]
pub struct Pulse {
    sps: usize,
    reach: usize,
    /// For each position within a symbol, its taps from the oldest symbol to the newest.
    phases: Vec<Vec<f32>>,
}

impl Pulse {
    /// `shape(t)` for `t` in symbols, nothing beyond `reach` symbols on either side.
    pub fn new(sps: usize, reach: usize, shape: impl Fn(f64) -> f64) -> Self {
        let half = (reach * sps) as i64;
        let raw: Vec<f64> = (-half..=half).map(|m| shape(m as f64 / sps as f64)).collect();
        let energy: f64 = raw.iter().map(|v| v * v).sum();
        let scale = (sps as f64 / energy).sqrt();
        let taps: Vec<f32> = raw.iter().map(|v| (v * scale) as f32).collect();
        let phase = |p: usize| taps[p..].iter().step_by(sps).rev().copied().collect();
        Self { sps, reach, phases: (0..sps).map(phase).collect() }
    }

    /// Root raised cosine of roll-off `alpha` (3GPP TS 25.101 section 6.8.1 writes it out).
    pub fn root_raised_cosine(sps: usize, reach: usize, alpha: f64) -> Self {
        Self::new(sps, reach, |t| {
            if t == 0.0 {
                return 1.0 - alpha + 4.0 * alpha / PI;
            }
            let fold = 4.0 * alpha * t;
            if (fold.abs() - 1.0).abs() < 1e-9 {
                let (sin, cos) = (PI / (4.0 * alpha)).sin_cos();
                return alpha / 2f64.sqrt() * ((1.0 + 2.0 / PI) * sin + (1.0 - 2.0 / PI) * cos);
            }
            let top = (PI * t * (1.0 - alpha)).sin() + fold * (PI * t * (1.0 + alpha)).cos();
            top / (PI * t * (1.0 - fold * fold))
        })
    }

    /// Half a period of a sine over two chips (IEEE 802.15.4-2020 section 12.2.6).
    pub fn half_sine(sps: usize) -> Self {
        Self::new(sps, 1, |t| (PI * (t + 1.0) / 2.0).sin())
    }

    /// Samples `from..to` of the stream whose symbol `k` peaks at sample `k * sps`.
    pub fn stream(&self, from: i64, to: i64, symbol: impl Fn(i64) -> Complex32) -> Vec<Complex32> {
        let (sps, half) = (self.sps as i64, (self.reach * self.sps) as i64);
        let first = (from - half).div_euclid(sps);
        let last = (to + half).div_euclid(sps);
        let symbols: Vec<Complex32> = (first..=last).map(symbol).collect();
        (from..to)
            .map(|n| {
                // The symbols whose peak lies within half a pulse: tap (n - k * sps) + half, newest first.
                let oldest = (n - half + sps - 1).div_euclid(sps);
                let phase = &self.phases[(n + half).rem_euclid(sps) as usize];
                let symbols = &symbols[(oldest - first) as usize..];
                symbols.iter().zip(phase).map(|(symbol, tap)| symbol * tap).sum()
            })
            .collect()
    }
}

/// Phase modulation of continuous phase: each symbol adds `h * pi` times its level through a frequency pulse.
#[derive(Debug, Clone)]
pub struct Cpm {
    sps: usize,
    h: f64,
    /// Frequency pulse, of sum 1, over `2 * reach` symbols.
    pulse: Vec<f64>,
    reach: usize,
}

impl Cpm {
    /// A rectangle of one symbol through a Gaussian filter whose 3 dB bandwidth is `bt` symbol rates (3GPP
    /// TS 45.004 section 2.5, Bluetooth Core vol. 2 part A section 3.1.1).
    pub fn gaussian(sps: usize, bt: f64, h: f64) -> Self {
        let reach = 3;
        let sigma = 2f64.ln().sqrt() / (2.0 * PI * bt);
        let gauss = |t: f64| (-t * t / (2.0 * sigma * sigma)).exp();
        let fine = 16;
        let half = (reach * sps) as i64;
        let mut pulse: Vec<f64> = (-half..half)
            .map(|m| {
                let t = (m as f64 + 0.5) / sps as f64;
                (0..fine).map(|i| gauss(t - 0.5 + (i as f64 + 0.5) / fine as f64)).sum()
            })
            .collect();
        let sum: f64 = pulse.iter().sum();
        pulse.iter_mut().for_each(|v| *v /= sum);
        Self { sps, h, pulse, reach }
    }

    /// How many samples [`Self::modulate`] puts before the first symbol's start, and after the last one's end.
    pub fn lead(&self) -> usize {
        self.reach * self.sps
    }

    /// Symbol levels (+1, -1) to samples of amplitude 1. Beyond its ends the frequency returns to the carrier.
    pub fn modulate(&self, levels: &[f32], phase: f64) -> Vec<Complex32> {
        let lead = self.lead();
        let mut step = vec![0f64; levels.len() * self.sps + 2 * lead];
        for (k, level) in levels.iter().enumerate() {
            // The pulse is centred on the middle of its symbol.
            let at = k * self.sps + lead + self.sps / 2 - lead;
            for (slot, tap) in step[at..].iter_mut().zip(&self.pulse) {
                *slot += f64::from(*level) * tap;
            }
        }
        let mut phase = phase;
        step.iter()
            .map(|step| {
                // Half of the step before the sample and half after: the sample sits in its middle.
                phase += PI * self.h * step / 2.0;
                let (sin, cos) = phase.sin_cos();
                phase += PI * self.h * step / 2.0;
                Complex32::new(cos as f32, sin as f32)
            })
            .collect()
    }
}

/// Amplitude of a switch-on that takes from -0.5 to 0.5, half the power at 0. Smooth, and its power and that of
/// its mirror image add to 1 (the Vorbis window), so that a burst's energy is that of its on-time.
pub fn switch(u: f64) -> f64 {
    let s = ((u + 0.5).clamp(0.0, 1.0) * PI / 2.0).sin();
    (s * s * PI / 2.0).sin()
}

/// A burst: `samples[lead]` falls on the shot's start, both ends of its on-time are switched within `ramp`
/// seconds, what lies outside is dropped.
pub fn burst(shot: &Shot, rate_hz: f64, lead: usize, ramp_s: f64, mut samples: Vec<Complex32>) -> ShotIq {
    for (n, sample) in samples.iter_mut().enumerate() {
        let t = (n as f64 - lead as f64) / rate_hz;
        if t < ramp_s || t > shot.duration_s - ramp_s {
            *sample *= (switch(t / ramp_s) * switch((shot.duration_s - t) / ramp_s)) as f32;
        }
    }
    let end = lead + ((shot.duration_s + ramp_s / 2.0) * rate_hz).ceil() as usize;
    samples.truncate(end);
    let skip = lead.saturating_sub((ramp_s / 2.0 * rate_hz).ceil() as usize);
    samples.drain(..skip.min(samples.len()));
    ShotIq { rate_hz, first_s: shot.start_s - (lead - skip) as f64 / rate_hz, samples }
}

/// The samples `[from, to)` of a grid from time 0 that lie within a shot's on-time.
pub fn grid(shot: &Shot, rate_hz: f64) -> (i64, i64) {
    // Starts are whole numbers of samples up to rounding: the half sample makes the rounding harmless.
    let at = |t: f64| (t * rate_hz).round() as i64;
    (at(shot.start_s), at(shot.start_s + shot.duration_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_raised_cosine_twice_has_no_intersymbol_interference() {
        let pulse = Pulse::root_raised_cosine(4, 16, 0.22);
        let one = |k: i64| if k == 0 { Complex32::ONE } else { Complex32::ZERO };
        let taps: Vec<f32> = pulse.stream(-64, 65, one).iter().map(|v| v.re).collect();
        let auto =
            |lag: usize| -> f32 { taps.iter().zip(&taps[lag * 4..]).map(|(a, b)| a * b).sum::<f32>() / 4.0 };
        assert!((auto(0) - 1.0).abs() < 1e-4);
        // Nyquist's criterion; what remains is the truncation at 16 symbols.
        assert!((1..6).all(|k| auto(k).abs() < 0.005));
    }

    #[test]
    fn a_run_of_ones_sits_at_the_deviation() {
        let cpm = Cpm::gaussian(8, 0.5, 0.5);
        let samples = cpm.modulate(&[1.0; 20], 0.0);
        let step = (samples[100] * samples[99].conj()).arg();
        // h * pi a symbol, an eighth of it a sample.
        assert!((f64::from(step) - PI * 0.5 / 8.0).abs() < 1e-5);
        assert!(samples.iter().all(|s| (s.norm() - 1.0).abs() < 1e-5));
    }

    #[test]
    fn opposite_switches_keep_the_power() {
        for i in -60..60 {
            let u = f64::from(i) / 100.0;
            assert!((switch(u).powi(2) + switch(-u).powi(2) - 1.0).abs() < 1e-12);
        }
    }
}
