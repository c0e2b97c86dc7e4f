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

/// Bins on each side whose mean is the local level.
const SMOOTHED: usize = 8;

/// Searches lines; keeps the spectra of the last nonlinear functions.
pub struct Lines {
    buffer: Vec<Complex32>,
    first: Vec<f32>,
    sums: Vec<f64>,
    re: Vec<f32>,
    im: Vec<f32>,
    reversed_re: Vec<f32>,
    reversed_im: Vec<f32>,
    bin_hz: f64,
}

impl Lines {
    /// With memory for the longest transform.
    pub fn new() -> Self {
        Self {
            buffer: Vec::with_capacity(LONGEST),
            first: Vec::with_capacity(LONGEST),
            sums: Vec::with_capacity(LONGEST + 1),
            re: Vec::with_capacity(LONGEST),
            im: Vec::with_capacity(LONGEST),
            reversed_re: Vec::with_capacity(LONGEST),
            reversed_im: Vec::with_capacity(LONGEST),
            bin_hz: 0.0,
        }
    }

    /// Spectrum of a real function, for [`Lines::strongest_real`].
    pub fn transform(&mut self, plans: &mut Plans, rate_hz: f64, values: &[f32]) {
        let n = self.fill(plans, rate_hz, values.iter().map(|&v| Complex32::new(v, 0.0)));
        self.first.clear();
        self.first.extend(self.buffer[..n / 2].iter().map(|b| b.norm_sqr()));
    }

    /// Strongest line of the function last transformed between two rates.
    pub fn strongest_real(&mut self, from_hz: f64, to_hz: f64) -> Option<Line> {
        let values = std::mem::take(&mut self.first);
        let found = self.strongest(&values, from_hz, to_hz, 0.0);
        self.first = values;
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

    /// Cyclic coherence of a real function, rate by rate: what stands symmetrically about half of a rate adds up at
    /// that rate if symbols come at it, whatever they are. Divided by the local level, so that nothing but the
    /// phases counts. Strongest line between two rates.
    pub fn cyclic(
        &mut self,
        plans: &mut Plans,
        rate_hz: f64,
        values: &[f32],
        (from_hz, to_hz): (f64, f64),
        reach: f64,
    ) -> Option<Line> {
        let n = self.fill_sine(plans, rate_hz, values);
        let half = n / 2;
        self.whiten(half);
        let last = ((to_hz / self.bin_hz) as usize + AROUND + 2).min(half);
        let first = ((from_hz / self.bin_hz) as usize).saturating_sub(AROUND + 2);
        self.first.clear();
        self.first.resize(last, 0.0);
        for k in first..last {
            // Pairs i + j = k with i ≤ j, no farther than `reach` of k from the middle.
            let least = k / 2 - ((reach * k as f64) as usize).min(k / 2);
            let (i, j) = (least, k - least);
            let count = (k / 2 + 1).saturating_sub(i);
            // Reversed copies turn j, j−1, … into a run.
            let from = half - 1 - j.min(half - 1);
            let count = count.min(half - from);
            let sum = super::hot::dot(
                &self.re[i..i + count],
                &self.im[i..i + count],
                &self.reversed_re[from..from + count],
                &self.reversed_im[from..from + count],
            );
            self.first[k] = sum.norm_sqr();
        }
        let values = std::mem::take(&mut self.first);
        let found = self.strongest(&values, from_hz, to_hz, 0.0).map(|line| self.fundamental(&values, line));
        self.first = values;
        found
    }

    /// Sharp transitions have lines at all multiples of the rate: the lowest of them that stands.
    fn fundamental(&mut self, values: &[f32], line: Line) -> Line {
        if !line.stands() {
            return line;
        }
        let lower = (2..=4).rev().find_map(|divisor| {
            let rate = f64::from(line.rate_hz) / f64::from(divisor);
            self.strongest(values, rate - self.bin_hz, rate + self.bin_hz, 0.0).filter(Line::stands)
        });
        // Two bins are searched where a whole range was: its threshold stays.
        lower.map_or(line, |lower| Line { threshold_db: line.threshold_db.min(lower.height_db), ..lower })
    }

    fn fill_sine(&mut self, plans: &mut Plans, rate_hz: f64, values: &[f32]) -> usize {
        let values = &values[..values.len().min(LONGEST)];
        let n = plans.size_for(values.len());
        let mean = values.iter().sum::<f32>() / values.len().max(1) as f32;
        let step = num_complex::Complex64::cis(TAU / 2.0 / values.len().max(1) as f64);
        let mut turn = num_complex::Complex64::new(1.0, 0.0);
        self.buffer.clear();
        for value in values {
            self.buffer.push(Complex32::new((value - mean) * turn.im as f32, 0.0));
            turn *= step;
        }
        self.buffer.resize(n, Complex32::default());
        plans.forward(&mut self.buffer);
        self.bin_hz = rate_hz / n as f64;
        n
    }

    /// The first `half` bins over the root of their neighbourhood's mean power, forwards and backwards.
    fn whiten(&mut self, half: usize) {
        self.sums.clear();
        self.sums.push(0.0);
        let mut sum = 0.0;
        for value in &self.buffer[..half] {
            sum += f64::from(value.norm_sqr());
            self.sums.push(sum);
        }
        for list in [&mut self.re, &mut self.im, &mut self.reversed_re, &mut self.reversed_im] {
            list.clear();
            list.resize(half, 0.0);
        }
        for k in 0..half {
            let (a, b) = (k.saturating_sub(SMOOTHED), (k + SMOOTHED + 1).min(half));
            let level = ((self.sums[b] - self.sums[a]) / (b - a) as f64).max(1e-30).sqrt();
            let value = self.buffer[k] * (1.0 / level) as f32;
            (self.re[k], self.im[k]) = (value.re, value.im);
            (self.reversed_re[half - 1 - k], self.reversed_im[half - 1 - k]) = (value.re, value.im);
        }
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
