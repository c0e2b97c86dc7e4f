//! Symbol-rate lines: a modulated signal has no line of its own, but a suitable nonlinear function of it has one at
//! the symbol rate, because symbols begin at regular instants (Gardner, "Exploitation of spectral redundancy in
//! cyclostationary signals", IEEE SP Magazine 1991).
//!
//! FSK: magnitude of the change of instantaneous frequency, large only between symbols. PSK and QAM: power. MSK:
//! the square, which is FSK with index 1 and has two lines a symbol rate apart.

use super::Line;
use super::plans::{LONGEST, Plans};
use num_complex::Complex32;
use std::f64::consts::TAU;

/// Bins on each side that a line is compared with.
const AROUND: usize = 24;
/// Bins on each side left out of the comparison: what the Hann window makes of a line.
const LEFT_OUT: usize = 3;
/// Probability that noise exceeds the threshold in a whole search.
const FALSE_ALARM: f64 = 1e-3;
/// Neighbouring bins correlate under the Hann window: this many count as one.
const BINS_PER_VALUE: f64 = 1.5;

/// Searches lines; keeps the spectra of the last nonlinear functions.
pub struct Lines {
    buffer: Vec<Complex32>,
    first: Vec<f32>,
    second: Vec<f32>,
    sums: Vec<f64>,
    bin_hz: f64,
}

impl Lines {
    /// With memory for the longest transform.
    pub fn new() -> Self {
        Self {
            buffer: Vec::with_capacity(LONGEST),
            first: Vec::with_capacity(LONGEST),
            second: Vec::with_capacity(LONGEST),
            sums: Vec::with_capacity(LONGEST + 1),
            bin_hz: 0.0,
        }
    }

    /// Spectra of two real functions of the same samples at once.
    pub fn transform_pair(
        &mut self,
        plans: &mut Plans,
        rate_hz: f64,
        first: impl Iterator<Item = f32> + Clone,
        second: impl Iterator<Item = f32> + Clone,
    ) {
        let n = self.fill(plans, rate_hz, first.zip(second).map(|(a, b)| Complex32::new(a, b)));
        let half = n / 2;
        self.first.clear();
        self.second.clear();
        for k in 0..half {
            let (a, b) = (self.buffer[k], self.buffer[(n - k) % n].conj());
            self.first.push((a + b).norm_sqr());
            self.second.push((a - b).norm_sqr());
        }
    }

    /// Strongest line of the first function between two rates.
    pub fn first(&mut self, from_hz: f64, to_hz: f64) -> Option<Line> {
        let values = std::mem::take(&mut self.first);
        let found = self.strongest(&values, from_hz, to_hz, 0.0);
        self.first = values;
        found
    }

    /// Strongest line of the second function between two rates.
    pub fn second(&mut self, from_hz: f64, to_hz: f64) -> Option<Line> {
        let values = std::mem::take(&mut self.second);
        let found = self.strongest(&values, from_hz, to_hz, 0.0);
        self.second = values;
        found
    }

    /// The pair of lines of the square `from_hz..to_hz` apart, and the carrier halfway between them.
    pub fn pair_of_square(
        &mut self,
        plans: &mut Plans,
        rate_hz: f64,
        x: &[Complex32],
        from_hz: f64,
        to_hz: f64,
    ) -> Option<(Line, f64)> {
        let n = self.fill(plans, rate_hz, x.iter().map(|x| x * x));
        self.first.clear();
        self.first.extend((0..n).map(|k| self.buffer[(k + n / 2) % n].norm_sqr()));
        let values = std::mem::take(&mut self.first);
        let middle = (n / 2) as f64 * self.bin_hz;
        let upper = self.strongest(&values, middle + from_hz / 2.0, middle + to_hz / 2.0, middle);
        let lower = self.strongest(&values, middle - to_hz / 2.0, middle - from_hz / 2.0, middle);
        self.first = values;
        let (upper, lower) = (upper?, lower?);
        let weaker = if upper.height_db < lower.height_db { upper } else { lower };
        let line = Line { rate_hz: upper.rate_hz - lower.rate_hz, ..weaker };
        Some((line, f64::from(upper.rate_hz + lower.rate_hz) / 4.0))
    }

    /// Windowed and mean-free transform of `values`; its length.
    fn fill(
        &mut self,
        plans: &mut Plans,
        rate_hz: f64,
        values: impl Iterator<Item = Complex32> + Clone,
    ) -> usize {
        let (mut sum, mut count) = (Complex32::default(), 0usize);
        for value in values.clone().take(LONGEST) {
            sum += value;
            count += 1;
        }
        let mean = sum / count.max(1) as f32;
        let n = plans.size_for(count);
        self.buffer.clear();
        let step = num_complex::Complex64::cis(TAU / count.max(1) as f64);
        let mut turn = num_complex::Complex64::new(1.0, 0.0);
        self.buffer.extend(values.take(LONGEST).map(|value| {
            let window = 0.5 - 0.5 * turn.re as f32;
            turn *= step;
            (value - mean) * window
        }));
        self.buffer.resize(n, Complex32::default());
        plans.forward(&mut self.buffer);
        self.bin_hz = rate_hz / n as f64;
        n
    }

    fn strongest(&mut self, values: &[f32], from_hz: f64, to_hz: f64, zero_hz: f64) -> Option<Line> {
        let bins = values.len();
        let from = ((from_hz / self.bin_hz).ceil().max(0.0) as usize).max(LEFT_OUT + 1);
        let to = ((to_hz / self.bin_hz).floor().max(0.0) as usize).min(bins.saturating_sub(LEFT_OUT + 2));
        if to < from || bins < 2 * LEFT_OUT + 8 {
            return None;
        }
        self.sums.clear();
        self.sums.push(0.0);
        let mut sum = 0.0;
        for &value in values {
            sum += f64::from(value);
            self.sums.push(sum);
        }
        let ratio = |k: usize| {
            let (a, b) = (k.saturating_sub(AROUND), (k + AROUND + 1).min(bins));
            let (c, d) = (k - LEFT_OUT, k + LEFT_OUT + 1);
            let around = self.sums[b] - self.sums[a] - (self.sums[d] - self.sums[c]);
            let count = (b - a - (d - c)) as f64;
            f64::from(values[k]) / (around / count).max(f64::MIN_POSITIVE)
        };
        let (mut best, mut height) = (from, 0.0);
        for k in from..=to {
            let r = ratio(k);
            if r > height {
                (best, height) = (k, r);
            }
        }
        let (a, b, c) = (values[best - 1].sqrt(), values[best].sqrt(), values[best + 1].sqrt());
        // Between-bin position of a Hann-windowed line from its amplitude in three bins.
        let shift = if 2.0 * b - a - c > 0.0 { f64::from(0.5 * (c - a) / (2.0 * b - a - c)) } else { 0.0 };
        let rate = (best as f64 + shift.clamp(-0.5, 0.5)) * self.bin_hz - zero_hz;
        // Cell-averaging threshold (Finn and Johnson 1968) for the independent values searched.
        let references = 2.0 * (AROUND - LEFT_OUT) as f64 / BINS_PER_VALUE;
        let searched = ((to - from + 1) as f64 / BINS_PER_VALUE).max(1.0);
        let threshold = references * ((searched / FALSE_ALARM).powf(1.0 / references) - 1.0);
        Some(Line {
            rate_hz: rate as f32,
            height_db: (10.0 * height.max(1e-6).log10()).min(200.0) as f32,
            threshold_db: (10.0 * threshold.log10()) as f32,
        })
    }
}
