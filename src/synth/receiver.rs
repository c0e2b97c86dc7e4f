//! What a receiver does to the air: noise, filter, lines of its own, gain, mirror image, offset, quantisation.
//!
//! In the order of the chain. Everything is a function of the sample's number, so that any cut gives the same.

use multiversion::multiversion;
use num_complex::Complex32;

use super::air::Tuned;
use super::gaussian;
use super::scene::{GainStep, Impairments, Spur};
use crate::iq::Samples;

/// Taps on either side of the middle of the channel filter.
const FILTER_REACH: usize = 16;
/// Order of the channel filter's roll-off: a Butterworth response of this order passes 3 dB at its corner.
const FILTER_ORDER: i32 = 8;
/// Samples that share one exact evaluation of a phase or a drift.
const GROUP: u64 = 64;

/// The analogue side of a receiver at one tuning.
pub struct Chain {
    tuned: Tuned,
    noise_key: u64,
    noise_amplitude: f32,
    filter: Option<Vec<f32>>,
    lines: Vec<Line>,
    gain_steps: Vec<GainStep>,
    drift_db_per_s: f64,
    image: Option<Complex32>,
    dc: Complex32,
    scratch: Vec<Complex32>,
}

/// A line at some place in the span.
struct Line {
    cycles_per_sample: f64,
    amplitude: f32,
}

impl Chain {
    /// A receiver tuned to `tuned`, with noise drawn from `noise_key`.
    pub fn new(tuned: Tuned, impairments: &Impairments, noise_dbfs_per_hz: f64, noise_key: u64) -> Self {
        let amplitude = |db: f64| 10f64.powf(db / 20.0);
        Self {
            tuned,
            noise_key,
            noise_amplitude: (amplitude(noise_dbfs_per_hz) * tuned.rate_hz.sqrt()) as f32,
            filter: impairments.rolloff.map(channel_filter),
            lines: lines(tuned, impairments),
            gain_steps: impairments.gain_steps.clone(),
            drift_db_per_s: impairments.gain_drift_db_per_s,
            // Phase errors make an image in quadrature, gain errors one in phase: some of both.
            image: impairments.iq_image_dbc.map(|db| Complex32::from_polar(amplitude(db) as f32, 1.0)),
            dc: impairments
                .dc_dbfs
                .map_or(Complex32::ZERO, |db| Complex32::from_polar(amplitude(db) as f32, 0.7)),
            scratch: Vec::new(),
        }
    }

    /// Receives samples `first` to `first + out.len()`. `air` adds what is on the air to a buffer whose first
    /// sample has the number given.
    pub fn receive(&mut self, first: u64, out: &mut [Complex32], mut air: impl FnMut(u64, &mut [Complex32])) {
        match &self.filter {
            None => {
                out.fill(Complex32::ZERO);
                gaussian::add(self.noise_key, first, self.noise_amplitude, out);
                air(first, out);
            }
            Some(taps) => {
                // Before the scene there is silence, and so the filter's tail reaches no further than sample 0.
                let lead = first.min(FILTER_REACH as u64) as usize;
                let missing = FILTER_REACH - lead;
                self.scratch.clear();
                self.scratch.resize(out.len() + 2 * FILTER_REACH, Complex32::ZERO);
                let filled = &mut self.scratch[missing..];
                gaussian::add(self.noise_key, first - lead as u64, self.noise_amplitude, filled);
                air(first - lead as u64, filled);
                convolve(bytemuck::cast_slice(&self.scratch), taps, bytemuck::cast_slice_mut(out));
            }
        }
        for line in &self.lines {
            line.add(first, out);
        }
        self.amplify(first, out);
        if let Some(image) = self.image {
            for sample in out.iter_mut() {
                *sample += image * sample.conj();
            }
        }
        if self.dc != Complex32::ZERO {
            out.iter_mut().for_each(|sample| *sample += self.dc);
        }
    }

    fn amplify(&self, first: u64, out: &mut [Complex32]) {
        if self.gain_steps.is_empty() && self.drift_db_per_s == 0.0 {
            return;
        }
        let rate_hz = self.tuned.rate_hz;
        let steps: Vec<(u64, f64)> = self
            .gain_steps
            .iter()
            .map(|step| ((step.at_s * rate_hz).ceil().max(0.0) as u64, step.db))
            .collect();
        let mut at = first;
        let mut rest = out;
        while !rest.is_empty() {
            let passed = steps.partition_point(|(from, _)| *from <= at);
            let stepped_db: f64 = steps[..passed].iter().map(|(_, db)| db).sum();
            let drifted_db = self.drift_db_per_s * (at - at % GROUP) as f64 / rate_hz;
            let next = steps.get(passed).map_or(u64::MAX, |(from, _)| *from);
            let n = (GROUP - at % GROUP).min(next - at).min(rest.len() as u64) as usize;
            let gain = 10f64.powf((stepped_db + drifted_db) / 20.0) as f32;
            let (head, tail) = rest.split_at_mut(n);
            head.iter_mut().for_each(|sample| *sample *= gain);
            rest = tail;
            at += n as u64;
        }
    }
}

impl Line {
    fn add(&self, first: u64, out: &mut [Complex32]) {
        let rotator = |turns: f64| {
            let (sin, cos) = (std::f64::consts::TAU * turns.fract()).sin_cos();
            Complex32::new(cos as f32, sin as f32)
        };
        let steps: Vec<Complex32> = (0..GROUP).map(|i| rotator(self.cycles_per_sample * i as f64)).collect();
        let mut start = Complex32::ZERO;
        let mut group = u64::MAX;
        for (at, sample) in (first..).zip(out.iter_mut()) {
            if at / GROUP != group {
                group = at / GROUP;
                start = rotator(self.cycles_per_sample * (group * GROUP) as f64) * self.amplitude;
            }
            *sample += start * steps[(at % GROUP) as usize];
        }
    }
}

/// The lines that fall within the span.
fn lines(tuned: Tuned, impairments: &Impairments) -> Vec<Line> {
    let half = tuned.rate_hz / 2.0;
    let mut seen = impairments.spurs.clone();
    if let Some(clock) = impairments.clock {
        let first = ((tuned.center_hz - half) / clock.freq_hz).ceil().max(1.0);
        let harmonics = (0..64).map(|k| (first + f64::from(k)) * clock.freq_hz);
        seen.extend(harmonics.map(|freq_hz| Spur { freq_hz, dbfs: clock.dbfs }));
    }
    seen.iter()
        .filter(|spur| (spur.freq_hz - tuned.center_hz).abs() < half)
        .map(|spur| Line {
            cycles_per_sample: (spur.freq_hz - tuned.center_hz) / tuned.rate_hz,
            amplitude: 10f64.powf(spur.dbfs / 20.0) as f32,
        })
        .collect()
}

/// Taps of a filter 3 dB down at `corner` of the half span, by sampling its response (Parks and Burrus 1987,
/// chapter 3) under a Hamming window.
fn channel_filter(corner: f64) -> Vec<f32> {
    let reach = FILTER_REACH as i32;
    let points = 512;
    let magnitude = |x: f64| (1.0 + (x / corner).powi(2 * FILTER_ORDER)).sqrt().recip();
    (-reach..=reach)
        .map(|tap| {
            let response: f64 = (0..points)
                .map(|i| {
                    let x = (f64::from(i) + 0.5) / f64::from(points);
                    magnitude(x) * (std::f64::consts::PI * x * f64::from(tap)).cos()
                })
                .sum();
            let window = 0.54 + 0.46 * (std::f64::consts::PI * f64::from(tap) / f64::from(reach + 1)).cos();
            (response / f64::from(points) * window) as f32
        })
        .collect()
}

/// `out[i]` is the sum of `taps[k] * input[i + k]`, on interleaved real and imaginary parts.
#[multiversion(targets("x86_64+avx2", "aarch64+neon"))]
fn convolve(input: &[f32], taps: &[f32], out: &mut [f32]) {
    const BLOCK: usize = 32;
    let mut chunks = out.chunks_exact_mut(BLOCK);
    let mut from = 0;
    for chunk in &mut chunks {
        let mut sum = [0f32; BLOCK];
        for (k, tap) in taps.iter().enumerate() {
            for (sum, x) in sum.iter_mut().zip(&input[from + 2 * k..from + 2 * k + BLOCK]) {
                *sum += tap * x;
            }
        }
        chunk.copy_from_slice(&sum);
        from += BLOCK;
    }
    for value in chunks.into_remainder() {
        *value = taps.iter().zip(input[from..].iter().step_by(2)).fold(0.0, |sum, (tap, x)| sum + tap * x);
        from += 1;
    }
}

/// Limits to full scale and rounds to `bits`, as a converter coarser than the format would.
pub fn convert(bits: u32, samples: &mut [Complex32]) {
    let steps = (1u32 << (bits - 1)) as f32;
    let rail = |x: f32| (x * steps).round().clamp(-steps, steps - 1.0) / steps;
    for sample in samples {
        *sample = Complex32::new(rail(sample.re), rail(sample.im));
    }
}

/// Appends `samples` to `out` in its own format, which must be `format`. Integers saturate at full scale.
pub fn quantise(samples: &[Complex32], out: &mut Samples) {
    match out {
        Samples::Cu8(v) => quantise_cu8(samples, v),
        Samples::Ci8(v) => quantise_ci8(samples, v),
        Samples::Ci16(v) => {
            let rail = |x: f32| (x * 32768.0).round() as i16;
            v.extend(samples.iter().map(|s| [rail(s.re), rail(s.im)]));
        }
        Samples::Cf32(v) => v.extend(samples.iter().map(|s| [s.re, s.im])),
    }
}

#[multiversion(targets("x86_64+avx2", "aarch64+neon"))]
fn quantise_cu8(samples: &[Complex32], out: &mut Vec<[u8; 2]>) {
    // Zero lies between 127 and 128; adding a half and truncating rounds.
    let rail = |x: f32| (x * 128.0 + 128.0).clamp(0.0, 255.0) as i32 as u8;
    out.extend(samples.iter().map(|s| [rail(s.re), rail(s.im)]));
}

#[multiversion(targets("x86_64+avx2", "aarch64+neon"))]
fn quantise_ci8(samples: &[Complex32], out: &mut Vec<[i8; 2]>) {
    let rail = |x: f32| ((x * 128.0 + 128.5).clamp(0.0, 255.0) as i32 - 128) as i8;
    out.extend(samples.iter().map(|s| [rail(s.re), rail(s.im)]));
}
