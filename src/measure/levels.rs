//! Whether the instantaneous frequency takes 2 or 4 levels at the symbol instants.
//!
//! Instants come from the phase of the symbol-rate line. Pulses are shaped differently and the receiver's part of
//! the shaping is not known, so a few receive filters are tried and the one with the cleanest levels is believed:
//! none (GFSK), one symbol's mean (C4FM, TIA-102.BAAA 9.4), root raised cosine with α = 0.2 (ETSI TS 102 361-1
//! 10.2, ETSI TS 102 658, NXDN).

use num_complex::Complex64;
use std::f64::consts::{FRAC_PI_4, PI, TAU};

/// Symbols looked at, at most.
const SYMBOLS: usize = 400;
/// Fewest symbols that levels can be told from.
const FEWEST: usize = 24;
/// Rms distance from the nearest level over half of the spacing that still counts as levels; without levels it is
/// 1/√3 = 0.58.
const CLEAR: f64 = 0.42;
/// Smallest share of the symbols that each level must have (equal shares would be 0.5 and 0.25).
const SHARE: [f64; 2] = [0.12, 0.08];
/// Points per symbol of the root-raised-cosine table.
const SHAPE_POINTS: usize = 16;
/// Half length of that table, symbols.
const SHAPE_REACH: usize = 4;
/// Roll-off of DMR, dPMR and NXDN.
const ROLL_OFF: f64 = 0.2;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// 2 or 4; 0 for none.
    pub count: u8,
    /// Rms distance from the levels over half of their spacing.
    pub error: f64,
    /// Outermost level about the middle, in the unit of the input.
    pub outermost: f64,
    /// Middle of the levels.
    pub middle: f64,
}

/// Looks for levels.
pub struct Slicer {
    shape: Vec<f64>,
    symbols: Vec<f64>,
    best: Vec<f64>,
}

impl Slicer {
    /// With its table and memory.
    pub fn new() -> Self {
        let count = 2 * SHAPE_REACH * SHAPE_POINTS + 1;
        let shape = (0..count)
            .map(|i| root_raised_cosine((i as f64 - (count / 2) as f64) / SHAPE_POINTS as f64, ROLL_OFF))
            .collect();
        Self { shape, symbols: Vec::with_capacity(SYMBOLS), best: Vec::with_capacity(SYMBOLS) }
    }

    /// Levels of `frequency` with `period` samples a symbol. `None` if there are too few symbols.
    pub fn levels(&mut self, frequency: &[f32], period: f64) -> Option<Levels> {
        if period.is_nan()
            || period < 1.5
            || frequency.len() as f64 / period < (FEWEST + 2 * SHAPE_REACH) as f64
        {
            return None;
        }
        let middle = transition_phase(frequency, period) + period / 2.0;
        let mut found: Option<Levels> = None;
        for filter in [Filter::Point, Filter::Mean, Filter::RootRaisedCosine] {
            self.sample(frequency, period, middle, filter);
            for count in [2u8, 4] {
                let fit = fit(&self.symbols, count);
                let better = found.is_none_or(|best| match (best.count, fit.count) {
                    (0, 0) => fit.error < best.error,
                    (0, _) => true,
                    (_, 0) => false,
                    // Four levels always lie closer to two coarse ones than to none: fewer levels win ties.
                    (a, b) if a != b => fit.error < 0.8 * best.error,
                    _ => fit.error < best.error,
                });
                if better {
                    found = Some(fit);
                    self.best.clone_from(&self.symbols);
                }
            }
        }
        found.map(|levels| Levels { outermost: self.outermost(levels), ..levels })
    }

    /// Two levels: of runs only, which intersymbol interference leaves alone. Four: as fitted.
    fn outermost(&self, levels: Levels) -> f64 {
        if levels.count != 2 {
            return levels.outermost;
        }
        let side = |x: f64| x > levels.middle;
        let (mut sum, mut count) = (0.0, 0usize);
        for three in self.best.windows(3) {
            if side(three[0]) == side(three[1]) && side(three[1]) == side(three[2]) {
                sum += (three[1] - levels.middle).abs();
                count += 1;
            }
        }
        if count >= 8 { sum / count as f64 } else { levels.outermost }
    }

    fn sample(&mut self, frequency: &[f32], period: f64, middle: f64, filter: Filter) {
        self.symbols.clear();
        let reach = SHAPE_REACH as f64 * period;
        let mut at = middle.rem_euclid(period);
        while at < reach {
            at += period;
        }
        while at + reach + 1.0 < frequency.len() as f64 && self.symbols.len() < SYMBOLS {
            let value = match filter {
                Filter::Point => mean(frequency, at, period / 4.0),
                Filter::Mean => mean(frequency, at, period),
                Filter::RootRaisedCosine => self.shaped(frequency, at, period),
            };
            self.symbols.push(value);
            at += period;
        }
    }

    fn shaped(&self, frequency: &[f32], at: f64, period: f64) -> f64 {
        let reach = SHAPE_REACH as f64 * period;
        let (from, to) = ((at - reach).ceil() as usize, (at + reach).floor() as usize);
        let (mut sum, mut weights) = (0.0, 0.0);
        for (i, value) in frequency.iter().enumerate().take(to + 1).skip(from) {
            let u = ((i as f64 - at) / period + SHAPE_REACH as f64) * SHAPE_POINTS as f64;
            let weight = self.shape[(u.round() as usize).min(self.shape.len() - 1)];
            sum += weight * f64::from(*value);
            weights += weight;
        }
        sum / if weights.abs() > 1e-9 { weights } else { 1.0 }
    }
}

#[derive(Clone, Copy)]
enum Filter {
    Point,
    Mean,
    RootRaisedCosine,
}

/// Where between 0 and `period` the changes of frequency are largest.
fn transition_phase(frequency: &[f32], period: f64) -> f64 {
    let step = Complex64::cis(-TAU / period);
    let (mut turn, mut sum) = (Complex64::new(1.0, 0.0), Complex64::default());
    for two in frequency.windows(2) {
        sum += turn * f64::from((two[1] - two[0]).abs());
        turn *= step;
    }
    // The difference of values i and i+1 lies at i + 1/2.
    0.5 - sum.arg() / TAU * period
}

/// Mean of `frequency` over `width` samples about `at`, ends counted by their share.
fn mean(frequency: &[f32], at: f64, width: f64) -> f64 {
    let width = width.max(1.0);
    let (lo, hi) = (at - width / 2.0 + 0.5, at + width / 2.0 + 0.5);
    let (mut sum, mut weights) = (0.0, 0.0);
    let (from, to) = (lo.floor().max(0.0) as usize, hi.ceil().max(0.0) as usize);
    for (i, value) in frequency.iter().enumerate().take(to).skip(from) {
        let weight = (hi.min(i as f64 + 1.0) - lo.max(i as f64)).max(0.0);
        sum += weight * f64::from(*value);
        weights += weight;
    }
    if weights > 0.0 { sum / weights } else { 0.0 }
}

/// Fits `count` equidistant levels by alternating assignment and least squares.
fn fit(symbols: &[f64], count: u8) -> Levels {
    let n = symbols.len().max(1) as f64;
    let none = Levels { count: 0, error: 1.0, outermost: 0.0, middle: 0.0 };
    let mut middle = symbols.iter().sum::<f64>() / n;
    let spread = (symbols.iter().map(|x| (x - middle).powi(2)).sum::<f64>() / n).sqrt();
    if !(spread > 0.0 && spread.is_finite()) {
        return none;
    }
    // Levels at odd multiples of `half`: ±1 or ±1, ±3. Equal shares have rms 1 or √5.
    let top = f64::from(count) - 1.0;
    let mut half = if count == 2 { spread } else { spread / 5f64.sqrt() };
    let nearest = |x: f64| ((x - 1.0) / 2.0).round().mul_add(2.0, 1.0).clamp(-top, top);
    for _ in 0..8 {
        let (mut s, mut sx, mut l, mut ll, mut lx) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &x in symbols {
            let level = nearest((x - middle) / half);
            s += 1.0;
            sx += x;
            l += level;
            ll += level * level;
            lx += level * x;
        }
        let det = s * ll - l * l;
        if det <= 1e-9 * s * s {
            return none;
        }
        half = ((s * lx - l * sx) / det).abs().max(1e-3 * spread);
        middle = (sx - half * l) / s;
    }
    let mut shares = [0usize; 4];
    let mut squares = 0.0;
    for &x in symbols {
        let u = (x - middle) / half;
        let level = nearest(u);
        squares += (u - level).powi(2);
        shares[(((level + top) / 2.0) as usize).min(3)] += 1;
    }
    let error = (squares / n).sqrt();
    let least = SHARE[usize::from(count == 4)] * n;
    let populated = shares[..usize::from(count)].iter().all(|&share| share as f64 >= least);
    let count = if populated && error < CLEAR { count } else { 0 };
    Levels { count, error, outermost: top * half, middle }
}

/// Impulse response of the root-raised-cosine filter, `t` in symbols (ETSI TS 102 361-1 10.2.1).
fn root_raised_cosine(t: f64, alpha: f64) -> f64 {
    if t.abs() < 1e-9 {
        return 1.0 - alpha + 4.0 * alpha / PI;
    }
    if (t.abs() - 1.0 / (4.0 * alpha)).abs() < 1e-9 {
        return alpha / 2f64.sqrt()
            * ((1.0 + 2.0 / PI) * (FRAC_PI_4 / alpha).sin() + (1.0 - 2.0 / PI) * (FRAC_PI_4 / alpha).cos());
    }
    let u = 4.0 * alpha * t;
    ((PI * t * (1.0 - alpha)).sin() + u * (PI * t * (1.0 + alpha)).cos()) / (PI * t * (1.0 - u * u))
}
