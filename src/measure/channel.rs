//! From raw samples to a channel: shift its centre to zero, filter, keep every D-th sample.
//!
//! One stage whatever D: a Nyquist low-pass of six output samples (Kaiser window, 50 dB), so that the cost a raw
//! sample is one rotation and six multiply-adds, all of them on contiguous memory.

use super::hot::{self, ROTATED};
use num_complex::{Complex32, Complex64};
use std::f64::consts::{PI, TAU};

/// Length of the filter in output samples.
const SPAN: usize = 6;
/// Kaiser's β for 50 dB (Kaiser 1974: 0.5842·(A−21)^0.4 + 0.07886·(A−21)).
const KAISER_BETA: f64 = 4.53;
/// Largest factor: more than that no emission is long enough for.
pub const MOST_STEP: usize = 8192;
/// Raw samples turned at a time, which stay in the second-level cache however long the burst is.
const CHUNK_SAMPLES: usize = 32768;
/// Output samples made at a time, at least.
const FEWEST_OUTPUTS: usize = 8;
/// Points of the prototype per output sample.
const PROTOTYPE_POINTS: usize = 256;
/// Points of the response table over half of the output rate.
const RESPONSE_POINTS: usize = 128;

/// Decimating channel filter for any factor.
pub struct Channelizer {
    prototype: Vec<f64>,
    /// Each tap twice, as [`hot::filter`] wants them.
    taps: Vec<f32>,
    taps_for: usize,
    rotated: Vec<Complex32>,
    /// (|H|², |H|² with all aliases) at i/RESPONSE_POINTS of half the output rate.
    response: Vec<(f64, f64)>,
}

/// Where the outputs of [`Channelizer::extract`] lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channel {
    /// Input sample that output 0 is centred on.
    pub first: f64,
    /// Input samples per output sample.
    pub step: usize,
}

impl Channelizer {
    /// Tables only; taps are made when a factor is first asked for.
    pub fn new() -> Self {
        let points = SPAN * PROTOTYPE_POINTS;
        let prototype: Vec<f64> = (0..=points)
            .map(|i| {
                let u = i as f64 / PROTOTYPE_POINTS as f64 - SPAN as f64 / 2.0;
                sinc(u) * kaiser(u / (SPAN as f64 / 2.0))
            })
            .collect();
        let magnitude = |f: f64| -> f64 {
            let sum: f64 = (0..=points)
                .step_by(8)
                .map(|i| {
                    let u = i as f64 / PROTOTYPE_POINTS as f64 - SPAN as f64 / 2.0;
                    prototype[i] * (TAU * f * u).cos()
                })
                .sum();
            (sum * 8.0 / PROTOTYPE_POINTS as f64).powi(2)
        };
        let at_zero = magnitude(0.0);
        let response = (0..=RESPONSE_POINTS)
            .map(|i| {
                let f = 0.5 * i as f64 / RESPONSE_POINTS as f64;
                let own = magnitude(f) / at_zero;
                let aliased: f64 = [-2.0, -1.0, 1.0, 2.0].iter().map(|k| magnitude(f + k) / at_zero).sum();
                (own, own + aliased)
            })
            .collect();
        let rotated = CHUNK_SAMPLES.max(FEWEST_OUTPUTS * MOST_STEP) + SPAN * MOST_STEP + hot::LANES;
        Self {
            prototype,
            taps: Vec::with_capacity(2 * (SPAN * MOST_STEP + hot::LANES)),
            taps_for: 0,
            rotated: Vec::with_capacity(rotated),
            response,
        }
    }

    /// Power response at `f` (fraction of the output rate, −0.5..0.5) and the same with aliases, which is what
    /// white noise sees. Both are 1 without decimation.
    pub fn response(&self, step: usize, f: f64) -> (f64, f64) {
        if step < 2 {
            return (1.0, 1.0);
        }
        let at = (f.abs() * 2.0 * RESPONSE_POINTS as f64).round() as usize;
        self.response[at.min(RESPONSE_POINTS)]
    }

    /// Channel around `shift` cycles a sample from `iq`, one output every `step` samples from index `from`
    /// (negative: before the first sample, where there is nothing) on, `count` outputs. `step` is [`MOST_STEP`] at most.
    pub fn extract(
        &mut self,
        iq: &[Complex32],
        from: i64,
        step: usize,
        shift: f64,
        count: usize,
        out: &mut Vec<Complex32>,
    ) -> Channel {
        out.clear();
        let step = step.clamp(1, MOST_STEP);
        if step == 1 {
            self.rotate(iq, from, count, shift);
            out.extend_from_slice(&self.rotated);
            return Channel { first: from as f64, step };
        }
        self.make_taps(step);
        let reach = SPAN / 2 * step;
        let chunk = (CHUNK_SAMPLES / step).max(FEWEST_OUTPUTS);
        let mut done = 0;
        while done < count {
            let n = chunk.min(count - done);
            let first = from + (done * step) as i64 - reach as i64;
            self.rotate_from(iq, first, (n - 1) * step + self.taps.len() / 2, shift, from);
            out.resize(done + n, Complex32::default());
            hot::filter(&self.rotated, &self.taps, step, &mut out[done..]);
            done += n;
        }
        Channel { first: from as f64 - 0.5, step }
    }

    fn rotate(&mut self, iq: &[Complex32], first: i64, n: usize, shift: f64) {
        self.rotate_from(iq, first, n, shift, first);
    }

    /// Fills `rotated` with `n` samples from index `first` on, turned by `-shift` about index `origin`.
    fn rotate_from(&mut self, iq: &[Complex32], first: i64, n: usize, shift: f64, origin: i64) {
        self.rotated.clear();
        self.rotated.resize(n, Complex32::default());
        let have_from = first.max(0);
        let have_to = (first + n as i64).min(iq.len() as i64);
        if have_to <= have_from {
            return;
        }
        let source = &iq[have_from as usize..have_to as usize];
        let target = &mut self.rotated[(have_from - first) as usize..(have_to - first) as usize];
        let turn = |samples: f64| Complex64::cis(-TAU * (shift * samples).rem_euclid(1.0));
        let mut table = [Complex32::default(); ROTATED];
        for (k, value) in table.iter_mut().enumerate() {
            let v = turn(k as f64);
            *value = Complex32::new(v.re as f32, v.im as f32);
        }
        hot::rotate(source, target, &table, turn((have_from - origin) as f64), turn(ROTATED as f64));
    }

    fn make_taps(&mut self, step: usize) {
        if self.taps_for == step {
            return;
        }
        self.taps_for = step;
        self.taps.clear();
        let count = SPAN * step;
        let mut sum = 0.0;
        for k in 0..count {
            let at = (k as f64 + 0.5) / step as f64 * PROTOTYPE_POINTS as f64;
            let i = (at as usize).min(self.prototype.len() - 2);
            let value = self.prototype[i] + (self.prototype[i + 1] - self.prototype[i]) * (at - i as f64);
            sum += value;
            self.taps.extend([value as f32; 2]);
        }
        for tap in &mut self.taps {
            *tap /= sum as f32;
        }
        self.taps.resize(2 * count.next_multiple_of(hot::LANES), 0.0);
    }
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Kaiser window at `x` of −1..1.
fn kaiser(x: f64) -> f64 {
    bessel_i0(KAISER_BETA * (1.0 - x * x).max(0.0).sqrt()) / bessel_i0(KAISER_BETA)
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..30 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}
