//! Correlation of the signal with itself after a fixed time: prefixes, preambles and codes that repeat.
//!
//! Under noise the squared magnitude of a correlation coefficient over N independent values is exponential with
//! mean 1/N, which gives every threshold here. N is the time used times the effective bandwidth, not the number of
//! samples. Lags that are no whole number of samples are reached by a fractional-delay filter.

use super::Lag;
use super::hot;
use num_complex::{Complex32, Complex64};
use std::f64::consts::{PI, TAU};

/// Probability that noise exceeds a threshold, all positions searched together.
const FALSE_ALARM: f64 = 1e-3;
/// Parts that a folding period is cut into.
const PHASES: usize = 128;
/// Taps of the fractional-delay filter.
const TAPS: usize = 16;
/// Symbols, at least, that a prefix must come back in: of fewer, any regular pulses have some.
const FEWEST_SYMBOLS: f64 = 4.0;
/// Below so many independent values a coefficient says nothing.
const FEWEST: f64 = 6.0;
/// Longest stretch of samples correlated.
pub const LONGEST: usize = 16384;

/// One stretch of samples and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// The samples, from the start of the burst on.
    pub samples: &'a [Complex32],
    /// Their rate.
    pub rate_hz: f64,
    /// Bandwidth of white noise with as many independent values, hertz.
    pub effective_hz: f64,
}

/// A correlation with the angle of its coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Magnitude and threshold.
    pub lag: Lag,
    /// Angle of Σ x(t)·x*(t+τ), radians.
    pub angle: f64,
}

/// Correlates; keeps its memory.
pub struct Correlator {
    later: Vec<Complex32>,
    products: Vec<Complex32>,
    sums: Vec<Complex64>,
    powers: Vec<f64>,
}

impl Correlator {
    /// With memory for the longest stretch.
    pub fn new() -> Self {
        Self {
            later: Vec::with_capacity(LONGEST),
            products: Vec::with_capacity(LONGEST),
            sums: Vec::with_capacity(LONGEST + 1),
            powers: Vec::with_capacity(LONGEST + 1),
        }
    }

    /// Products over `lag_s` of `stretch` into `products`; how many.
    fn multiply(&mut self, stretch: &Stretch, lag_s: f64) -> usize {
        let x = &stretch.samples[..stretch.samples.len().min(LONGEST)];
        let lag = lag_s * stretch.rate_hz;
        let whole = lag.round();
        let fraction = lag - whole;
        let whole = whole as usize;
        if whole + TAPS >= x.len() {
            return 0;
        }
        let n = if fraction.abs() < 0.02 {
            self.later.clear();
            self.later.extend_from_slice(&x[whole..]);
            self.later.len()
        } else {
            // later[i] = x(i + whole + fraction), from TAPS samples around.
            let mut taps = [0f32; 2 * TAPS];
            let half = (TAPS / 2) as f64;
            for (k, pair) in taps.chunks_exact_mut(2).enumerate() {
                let u = k as f64 - (half - 1.0) - fraction.rem_euclid(1.0);
                let window = 0.5 + 0.5 * (PI * u / half).cos();
                let sinc = if u.abs() < 1e-9 { 1.0 } else { (PI * u).sin() / (PI * u) };
                pair.fill((sinc * window) as f32);
            }
            let base = whole as i64 + fraction.floor() as i64 - (TAPS as i64 / 2 - 1);
            if base < 0 {
                return 0;
            }
            let skip = base as usize;
            let n = x.len().saturating_sub(skip + TAPS - 1);
            self.later.clear();
            self.later.resize(n, Complex32::default());
            hot::filter(&x[skip..], &taps, 1, &mut self.later);
            n
        };
        self.products.clear();
        self.products.resize(n, Complex32::default());
        hot::conjugate_products(&x[..n], &self.later, &mut self.products);
        n
    }

    /// Cyclic prefix of `prefix_s` that comes again `lag_s` later, symbol after symbol every `period_s`.
    pub fn prefix(&mut self, stretch: &Stretch, lag_s: f64, periods: &[(f64, f64)]) -> Option<Correlation> {
        let n = self.multiply(stretch, lag_s);
        let mut best: Option<Correlation> = None;
        for &(period_s, prefix_s) in periods {
            if let Some(found) = self.fold(stretch, n, period_s, prefix_s, periods.len())
                && best.is_none_or(|b| found.lag.value / found.lag.threshold > b.lag.value / b.lag.threshold)
            {
                best = Some(found);
            }
        }
        best
    }

    fn fold(
        &mut self,
        stretch: &Stretch,
        n: usize,
        period_s: f64,
        prefix_s: f64,
        tried: usize,
    ) -> Option<Correlation> {
        let period = period_s * stretch.rate_hz;
        if (n as f64) < FEWEST_SYMBOLS * period {
            return None;
        }
        let independent = n as f64 / stretch.rate_hz * stretch.effective_hz;
        let share = prefix_s / period_s;
        let inside = independent * share;
        if inside < FEWEST {
            return None;
        }
        let mut sums = [Complex64::default(); PHASES];
        let mut powers = [0f64; PHASES];
        // Phase as a 32-bit fraction of the period: wraps by itself.
        let step = ((1.0 / period) * 4_294_967_296.0) as u32;
        let mut phase = 0u32;
        for i in 0..n {
            let at = (phase >> 25) as usize;
            let product = self.products[i];
            sums[at] += Complex64::new(f64::from(product.re), f64::from(product.im));
            powers[at] += 0.5 * f64::from(stretch.samples[i].norm_sqr() + self.later[i].norm_sqr());
            phase = phase.wrapping_add(step);
        }
        let width = ((share * PHASES as f64).round() as usize).clamp(1, PHASES / 2);
        let total: Complex64 = sums.iter().sum();
        let total_power: f64 = powers.iter().sum();
        let (mut window, mut power) = (Complex64::default(), 0.0);
        for k in 0..width {
            window += sums[k];
            power += powers[k];
        }
        let (mut value, mut angle) = (0.0, 0.0);
        for k in 0..PHASES {
            let rest = (total - window) / (total_power - power).max(f64::MIN_POSITIVE);
            let difference = window / power.max(f64::MIN_POSITIVE) - rest;
            if difference.norm() > value && power > 0.0 {
                (value, angle) = (difference.norm(), difference.arg());
            }
            window += sums[(k + width) % PHASES] - sums[k];
            power += powers[(k + width) % PHASES] - powers[k];
        }
        let searched = 2.0 / share * tried as f64;
        let variance = 1.0 / inside + 1.0 / (independent - inside);
        Some(correlation(value, angle, searched, variance))
    }

    /// What is repeated after `lag_s` over `window_s` somewhere in the first `within_s`.
    pub fn preamble(
        &mut self,
        stretch: &Stretch,
        lag_s: f64,
        window_s: f64,
        within_s: f64,
    ) -> Option<Correlation> {
        let most = ((within_s + lag_s) * stretch.rate_hz) as usize + TAPS;
        let head = Stretch { samples: &stretch.samples[..most.min(stretch.samples.len())], ..*stretch };
        let n = self.multiply(&head, lag_s);
        let window = (window_s * stretch.rate_hz) as usize;
        let independent = window_s * stretch.effective_hz;
        if window < 4 || n < window || independent < FEWEST {
            return None;
        }
        self.accumulate(&head, n);
        let (mut value, mut angle) = (0.0, 0.0);
        for i in 0..=n - window {
            let sum = self.sums[i + window] - self.sums[i];
            let power = self.powers[i + window] - self.powers[i];
            let ratio = sum.norm() / power.max(f64::MIN_POSITIVE);
            if ratio > value {
                (value, angle) = (ratio, sum.arg());
            }
        }
        let searched = 1.0 + 2.0 * (n - window) as f64 / stretch.rate_hz * stretch.effective_hz / FEWEST;
        Some(correlation(value, angle, searched, 1.0 / independent))
    }

    /// A code that repeats every `lag_s` with a data phase on each: magnitude over one repetition, root mean
    /// square over the repetitions of the first `within_s`, what noise alone would give taken off.
    pub fn code(&mut self, stretch: &Stretch, lag_s: f64, within_s: f64) -> Option<Correlation> {
        let most = (within_s * stretch.rate_hz) as usize + TAPS;
        let head = Stretch { samples: &stretch.samples[..most.min(stretch.samples.len())], ..*stretch };
        let n = self.multiply(&head, lag_s);
        let window = lag_s * stretch.rate_hz;
        let repetitions = (n as f64 / window) as usize;
        let independent = lag_s * stretch.effective_hz;
        if repetitions < 12 || independent < FEWEST {
            return None;
        }
        let repetitions = repetitions - 1;
        self.accumulate(&head, n);
        let tried = 12;
        let mut best = 0.0f64;
        for phase in 0..tried {
            let begin = window * f64::from(phase) / f64::from(tried);
            let (mut squares, mut powers) = (0.0, 0.0);
            for k in 0..repetitions {
                let a = (begin + k as f64 * window) as usize;
                let b = (begin + (k + 1) as f64 * window) as usize;
                squares += (self.sums[b] - self.sums[a]).norm_sqr();
                powers += (self.powers[b] - self.powers[a]).powi(2);
            }
            best = best.max(squares / powers.max(f64::MIN_POSITIVE));
        }
        let noise = 1.0 / independent;
        let value = ((best - noise) / (1.0 - noise)).max(0.0).sqrt();
        // The mean of exponentials is nearly normal; 3.1 standard deviations and the positions tried.
        let deviations = (2.0 * (f64::from(tried) / FALSE_ALARM).ln()).sqrt();
        let threshold = (noise * deviations / (repetitions as f64).sqrt() / (1.0 - noise)).sqrt();
        Some(Correlation {
            lag: Lag { value: value.min(1.0) as f32, threshold: threshold.min(1.0) as f32 },
            angle: 0.0,
        })
    }

    /// Running sums of products and powers.
    fn accumulate(&mut self, stretch: &Stretch, n: usize) {
        self.sums.clear();
        self.powers.clear();
        let (mut sum, mut power) = (Complex64::default(), 0.0);
        self.sums.push(sum);
        self.powers.push(power);
        for i in 0..n {
            let product = self.products[i];
            sum += Complex64::new(f64::from(product.re), f64::from(product.im));
            power += 0.5 * f64::from(stretch.samples[i].norm_sqr() + self.later[i].norm_sqr());
            self.sums.push(sum);
            self.powers.push(power);
        }
    }
}

fn correlation(value: f64, angle: f64, searched: f64, variance: f64) -> Correlation {
    let threshold = ((searched.max(1.0) / FALSE_ALARM).ln() * variance).sqrt();
    Correlation { lag: Lag { value: value.min(1.0) as f32, threshold: threshold.min(1.0) as f32 }, angle }
}

/// Carrier that turns a repetition after `lag_s` by `angle`, hertz, in −1/(2τ)..1/(2τ).
pub fn carrier_hz(angle: f64, lag_s: f64) -> f64 {
    -angle / (TAU * lag_s)
}
