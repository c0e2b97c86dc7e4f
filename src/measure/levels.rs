//! Whether the instantaneous frequency takes 2 or 4 levels at the symbol instants.
//!
//! All phases of the symbol are tried: keyed frequency takes levels at one of them and none half a symbol later,
//! while voice looks the same at all. Pulses are shaped differently and the receiver's part of the shaping is not
//! known, so a few receive filters are tried and the one with the cleanest levels is believed: half a symbol's
//! mean for two levels (GFSK), one symbol's mean (C4FM, TIA-102.BAAA 9.4) or a root raised cosine with α = 0.2
//! (ETSI TS 102 361-1 10.2, ETSI TS 102 658, NXDN) for four.

use super::plans::LONGEST;
use std::f64::consts::{FRAC_PI_4, PI};

/// Symbols looked at, at most.
const SYMBOLS: usize = 400;
/// Fewest symbols that levels can be told from.
const FEWEST: usize = 24;
/// Rms distance from the nearest of 2 and of 4 levels over half of their spacing that still counts as levels;
/// without levels it is 1/√3 = 0.58.
const CLEAR: [f64; 2] = [0.42, 0.35];
/// How much less clear the worst phase of the symbol has to be: halfway between two symbols, two levels pass through
/// their middle, four are spread evenly.
const CONTRAST: [f64; 2] = [0.25, 0.12];
/// Phases tried.
const PHASES: u32 = 8;
/// Symbols looked at for each.
const SEARCHED: usize = 96;
/// Smallest share of the symbols that each level must have (equal shares would be 0.5 and 0.25).
const SHARE: [f64; 2] = [0.12, 0.08];
/// Share of the symbols that differ from the one before, beyond which they are a tone: random ones do by half, Manchester
/// code by three quarters.
const ALTERNATING: f64 = 0.92;
/// Points per symbol of the root-raised-cosine table.
const SHAPE_POINTS: usize = 16;
/// Half length of that table, symbols.
const SHAPE_REACH: usize = 4;
/// No four-level system with such pulses is faster: NXDN and DMR have 4800 Bd (NXDN TS 1-A 3.4, ETSI TS 102 361-1 10.2).
const FASTEST_SHAPED_HZ: f64 = 10e3;
/// Roll-off of DMR, dPMR and NXDN.
const ROLL_OFF: f64 = 0.2;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// 2 or 4.
    pub count: u8,
    /// Rms distance from the levels over half of their spacing.
    pub error: f64,
    /// Outermost level about the middle, in the unit of the input.
    pub outermost: f64,
    /// Middle of the levels.
    pub middle: f64,
    /// Each level has its share of the symbols.
    populated: bool,
}

/// Looks for levels.
pub struct Slicer {
    shape: Vec<f64>,
    symbols: Vec<f64>,
    sums: Vec<f64>,
}

impl Slicer {
    /// With its table and memory.
    pub fn new() -> Self {
        let count = 2 * SHAPE_REACH * SHAPE_POINTS + 1;
        let shape = (0..count)
            .map(|i| root_raised_cosine((i as f64 - (count / 2) as f64) / SHAPE_POINTS as f64, ROLL_OFF))
            .collect();
        Self { shape, symbols: Vec::with_capacity(SYMBOLS), sums: Vec::with_capacity(LONGEST + 1) }
    }

    /// Levels of `frequency`, sampled at `rate_hz`, at `symbol_hz`, if it takes levels at one phase of the symbol and not
    /// at others. Only as many levels as one of `counts`.
    pub fn levels(
        &mut self,
        frequency: &[f32],
        rate_hz: f64,
        symbol_hz: f64,
        counts: &[u8],
    ) -> Option<Levels> {
        let period = rate_hz / symbol_hz;
        if period.is_nan()
            || period < 1.5
            || frequency.len() as f64 / period < (FEWEST + 2 * SHAPE_REACH) as f64
        {
            return None;
        }
        self.sum_up(frequency);
        let mut best: Option<Levels> = None;
        for (filter, count) in [(Filter::Half, 2), (Filter::Mean, 4), (Filter::RootRaisedCosine, 4)] {
            // Four levels never look like two, the other way round is not so sure.
            let too_fast = matches!(filter, Filter::RootRaisedCosine) && symbol_hz > FASTEST_SHAPED_HZ;
            if too_fast || !counts.contains(&count) || best.is_some_and(|best| best.count == 2) {
                continue;
            }
            let found = self.open_eye(frequency, period, filter, count);
            best = best.into_iter().chain(found).min_by(|a, b| a.error.total_cmp(&b.error));
        }
        best
    }

    /// Running sums of `frequency`.
    fn sum_up(&mut self, frequency: &[f32]) {
        self.sums.clear();
        self.sums.push(0.0);
        let mut sum = 0.0;
        for &value in frequency {
            sum += f64::from(value);
            self.sums.push(sum);
        }
    }

    /// Mean over `width` samples about sample `at`, ends counted by their share.
    fn mean(&self, at: f64, width: f64) -> f64 {
        let width = width.max(1.0);
        let last = self.sums.len() - 1;
        let sum = |x: f64| {
            let x = x.clamp(0.0, last as f64);
            let i = (x as usize).min(last.saturating_sub(1));
            self.sums[i] + (self.sums[(i + 1).min(last)] - self.sums[i]) * (x - i as f64)
        };
        (sum(at + 0.5 + width / 2.0) - sum(at + 0.5 - width / 2.0)) / width
    }

    /// The phase of the symbol at which `count` levels are clearest, if they are clear and some other phase is not.
    fn open_eye(&mut self, frequency: &[f32], period: f64, filter: Filter, count: u8) -> Option<Levels> {
        let (mut best, mut worst): (Option<(Levels, f64)>, f64) = (None, 0.0);
        for step in 0..PHASES {
            let middle = period * f64::from(step) / f64::from(PHASES);
            self.sample(frequency, period, middle, filter, SEARCHED);
            let found = fit(&self.symbols, count);
            worst = worst.max(found.error);
            if found.populated && best.is_none_or(|(best, _)| found.error < best.error) {
                best = Some((found, middle));
            }
        }
        let (coarse, middle) = best.filter(|(found, _)| {
            let kind = usize::from(count == 4);
            found.error < CLEAR[kind] && worst > found.error + CONTRAST[kind]
        })?;
        self.sample(frequency, period, middle, filter, SYMBOLS);
        let found = fit(&self.symbols, count);
        let found = if found.populated { found } else { coarse };
        if self.alternates(found) {
            return None;
        }
        Some(Levels { outermost: self.outermost(found), ..found })
    }

    /// Whether the symbols just go up and down: a tone, as a microphone's pilot in a pause, takes two levels too.
    fn alternates(&self, levels: Levels) -> bool {
        let side = |x: f64| x > levels.middle;
        let turns = self.symbols.windows(2).filter(|two| side(two[0]) != side(two[1])).count();
        turns as f64 > ALTERNATING * self.symbols.len().saturating_sub(1) as f64
    }

    /// Two levels: of runs only, which intersymbol interference leaves alone. Four: as fitted.
    fn outermost(&self, levels: Levels) -> f64 {
        if levels.count != 2 {
            return levels.outermost;
        }
        let side = |x: f64| x > levels.middle;
        let (mut sum, mut count) = (0.0, 0usize);
        for three in self.symbols.windows(3) {
            if side(three[0]) == side(three[1]) && side(three[1]) == side(three[2]) {
                sum += (three[1] - levels.middle).abs();
                count += 1;
            }
        }
        if count >= 8 { sum / count as f64 } else { levels.outermost }
    }

    fn sample(&mut self, frequency: &[f32], period: f64, middle: f64, filter: Filter, most: usize) {
        self.symbols.clear();
        let reach = SHAPE_REACH as f64 * period;
        let mut at = middle.rem_euclid(period);
        while at < reach {
            at += period;
        }
        while at + reach + 1.0 < frequency.len() as f64 && self.symbols.len() < most {
            let value = match filter {
                Filter::Half => self.mean(at, period / 2.0),
                Filter::Mean => self.mean(at, period),
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
            let weight = self.shape[((u + 0.5) as usize).min(self.shape.len() - 1)];
            sum += weight * f64::from(*value);
            weights += weight;
        }
        sum / if weights.abs() > 1e-9 { weights } else { 1.0 }
    }
}

#[derive(Clone, Copy)]
enum Filter {
    Half,
    Mean,
    RootRaisedCosine,
}

/// Fits `count` equidistant levels by alternating assignment and least squares.
fn fit(symbols: &[f64], count: u8) -> Levels {
    let n = symbols.len().max(1) as f64;
    let none = Levels { count, error: 1.0, outermost: 0.0, middle: 0.0, populated: false };
    let mut middle = symbols.iter().sum::<f64>() / n;
    let spread = (symbols.iter().map(|x| (x - middle).powi(2)).sum::<f64>() / n).sqrt();
    if !(spread > 0.0 && spread.is_finite()) {
        return none;
    }
    // Levels at odd multiples of `half`: ±1 or ±1, ±3. Equal shares have rms 1 or √5.
    let top = f64::from(count) - 1.0;
    let mut half = if count == 2 { spread } else { spread / 5f64.sqrt() };
    let nearest = |x: f64| if count == 4 && x.abs() > 2.0 { 3f64.copysign(x) } else { 1f64.copysign(x) };
    for _ in 0..8 {
        let before = (half, middle);
        let (mut s, mut sx, mut l, mut ll, mut lx) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let inverse = 1.0 / half;
        for &x in symbols {
            let level = nearest((x - middle) * inverse);
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
        if (half - before.0).abs() + (middle - before.1).abs() < 1e-3 * half {
            break;
        }
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
    Levels { count, error, outermost: top * half, middle, populated }
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
