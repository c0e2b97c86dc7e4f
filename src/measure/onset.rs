//! When it is on: smoothed power against half of the median on-power.
//!
//! The smoothing is as short as noise and the signal's own fluctuation allow: the crossing of a boxcar of length L
//! over a step is uncertain by the relative fluctuation of the smoothed power times L.

use super::plans::LONGEST;
use super::{Pulses, hot};

/// Relative fluctuation of the smoothed power aimed at: a crossing of half is then 2.5 of them away.
const FLUCTUATION: f64 = 0.2;
/// Values looked at for a quantile.
const QUANTILE_VALUES: usize = 512;

/// Smoothed power of a channel and what counts as on.
pub struct Onset {
    smooth: Vec<f32>,
    sample: Vec<f32>,
    /// Power that counts as on.
    pub threshold: f32,
    /// Median smoothed power while on, noise included.
    pub on_power: f32,
    /// Samples averaged.
    pub length: usize,
}

/// What is known before: where to look, and how noisy it is.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Samples where it is about to start and end.
    pub start: f64,
    /// See `start`.
    pub end: f64,
    /// Uncertainty of both.
    pub slack: f64,
    /// Noise power a sample.
    pub noise: f64,
    /// Independent values a sample (bandwidth of the channel over its rate).
    pub independent: f64,
    /// Whether the start is to be looked for.
    pub find_start: bool,
    /// Whether the end is to be looked for.
    pub find_end: bool,
}

/// One edge to look for.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// About where, samples.
    pub near: f64,
    /// Whether it goes on there, or off.
    pub rising: bool,
    /// Uncertainty of `near`.
    pub slack: f64,
    /// Samples to smooth over at least.
    pub smoothed: f64,
}

impl Onset {
    /// With its memory.
    pub fn new() -> Self {
        Self {
            smooth: Vec::with_capacity(2 * LONGEST),
            sample: Vec::with_capacity(QUANTILE_VALUES),
            threshold: 0.0,
            on_power: 0.0,
            length: 1,
        }
    }

    /// Start and end in samples of `power`. What cannot be told stays as it was.
    pub fn find(&mut self, power: &[f32], search: &Search) -> (f64, f64) {
        let n = power.len();
        let index = |x: f64| x.clamp(0.0, n as f64) as usize;
        let inside = &power[index(search.start)..index(search.end).max(index(search.start))];
        if inside.len() < 4 {
            return (search.start, search.end);
        }
        self.choose_length(inside, search);
        self.smooth(power);
        let (a, b) = (index(search.start), index(search.end));
        let on = quantile(&mut self.sample, &self.smooth[a..b], 0.9, f32::NEG_INFINITY, QUANTILE_VALUES);
        let noise = search.noise as f32;
        let floor = noise + 0.25 * (on - noise);
        self.on_power = quantile(&mut self.sample, &self.smooth[a..b], 0.5, floor, QUANTILE_VALUES);
        self.threshold = noise + 0.5 * (self.on_power - noise);
        if self.on_power <= noise * 1.3 {
            return (search.start, search.end);
        }
        let start = if search.find_start {
            self.up(search.start, search.slack).unwrap_or(search.start)
        } else {
            search.start
        };
        let end = if search.find_end {
            self.down(search.end, search.slack).unwrap_or(search.end)
        } else {
            search.end
        };
        if end - start >= 1.0 { (start, end) } else { (search.start, search.end) }
    }

    /// One edge of a signal of power 1 in `noise`, in samples of `power`.
    pub fn find_edge(&mut self, power: &[f32], edge: &Edge, noise: f64, independent: f64) -> Option<f64> {
        // A constant envelope fluctuates by its noise only; what fluctuates by itself says so in `smoothed`.
        let relative = noise * noise + 2.0 * noise;
        let length =
            (relative / (FLUCTUATION * FLUCTUATION) / independent.clamp(0.01, 1.0)).max(edge.smoothed);
        self.length = (length.round() as usize).clamp(1, (power.len() / 8).max(1));
        self.threshold = (noise + 0.5) as f32;
        self.smooth(power);
        if edge.rising { self.up(edge.near, edge.slack) } else { self.down(edge.near, edge.slack) }
    }

    fn choose_length(&mut self, inside: &[f32], search: &Search) {
        let n = inside.len() as f64;
        let (sum, squares) = hot::moments(inside);
        let mean = (sum / n).max(f64::MIN_POSITIVE);
        // Variance of one value over the square of the signal's mean, at most that of keyed noise.
        let signal = (mean - search.noise).max(0.1 * mean);
        let relative = ((squares / n - mean * mean) / (signal * signal)).clamp(0.01, 2.0);
        let length = relative / (FLUCTUATION * FLUCTUATION) / search.independent.clamp(0.01, 1.0);
        self.length = (length.round() as usize).clamp(1, (inside.len() / 4).max(1));
    }

    /// Boxcar of `length` centred on each value, edges held.
    fn smooth(&mut self, power: &[f32]) {
        let (n, length) = (power.len(), self.length);
        self.smooth.clear();
        let half = length / 2;
        let mut sum: f64 = power.iter().take(length - half).map(|&p| f64::from(p)).sum();
        let mut count = length.min(length - half).min(n);
        let share = 1.0 / length as f64;
        for i in 0..n {
            // The sum covers i−half .. i+length−half, clipped to what there is.
            let mean = if count == length { sum * share } else { sum / count.max(1) as f64 };
            self.smooth.push(mean as f32);
            if i + length - half < n {
                sum += f64::from(power[i + length - half]);
                count += 1;
            }
            if i >= half {
                sum -= f64::from(power[i - half]);
                count -= 1;
            }
        }
    }

    /// Earliest rise near the start; further back if it is on already.
    fn up(&self, start: f64, slack: f64) -> Option<f64> {
        let n = self.smooth.len();
        let reach = slack + self.length as f64;
        let from = (start - reach).max(0.0) as usize;
        let to = ((start + reach).max(0.0) as usize + 1).min(n);
        let crossing = |i: usize| {
            let (before, after) = (self.smooth[i - 1], self.smooth[i]);
            (before < self.threshold && after >= self.threshold)
                .then(|| i as f64 - f64::from((after - self.threshold) / (after - before)))
        };
        let lasting = |i: usize| {
            let end = (i + 2 * self.length).min(n);
            let above = self.smooth[i..end].iter().filter(|&&p| p >= self.threshold).count();
            2 * above >= end - i
        };
        (from.max(1)..to)
            .find_map(|i| crossing(i).filter(|_| lasting(i)))
            .or_else(|| (self.settled()..from.min(n)).rev().find_map(crossing))
            // The boxcar is centred half a sample late for even lengths.
            .map(|at| at + if self.length.is_multiple_of(2) { -0.5 } else { 0.0 } + 0.5)
    }

    /// Latest fall near the end; further on if it is still on.
    fn down(&self, end: f64, slack: f64) -> Option<f64> {
        let n = self.smooth.len();
        let reach = slack + self.length as f64;
        let from = ((end - reach).max(0.0) as usize).max(1);
        let to = ((end + reach).max(0.0) as usize + 1).min(n);
        let crossing = |i: usize| {
            let (before, after) = (self.smooth[i - 1], self.smooth[i]);
            (before >= self.threshold && after < self.threshold)
                .then(|| i as f64 - f64::from((self.threshold - after) / (before - after)))
        };
        let lasting = |i: usize| {
            let start = i.saturating_sub(2 * self.length);
            let above = self.smooth[start..i].iter().filter(|&&p| p >= self.threshold).count();
            2 * above >= i - start
        };
        (from..to)
            .rev()
            .find_map(|i| crossing(i).filter(|_| lasting(i)))
            .or_else(|| (to.max(1)..n.saturating_sub(self.settled())).find_map(crossing))
            .map(|at| at + if self.length.is_multiple_of(2) { -0.5 } else { 0.0 } + 0.5)
    }

    /// Samples from either end within which filters ring: an edge there is the window's own.
    fn settled(&self) -> usize {
        self.length + 8
    }

    /// Share of the time on, and the pulses, between `start` and `end` of the power last smoothed.
    pub fn pulses(&mut self, start: f64, end: f64, noise: f64, rate_hz: f64) -> Option<(f64, Pulses)> {
        let n = self.smooth.len();
        let (a, b) = (start.clamp(0.0, n as f64) as usize, end.clamp(0.0, n as f64).ceil() as usize);
        if b <= a + 4 {
            return None;
        }
        let low = noise as f32 + 0.25 * (self.on_power - noise as f32);
        let (mut on, mut off) = (Runs::default(), Runs::default());
        let (mut state, mut since, mut above) = (true, a, 0usize);
        for i in a..b {
            let level = self.smooth[i];
            above += usize::from(level >= self.threshold);
            let next = if state { level >= low } else { level >= self.threshold };
            if next != state {
                if state {
                    on.push(i - since)
                } else {
                    off.push(i - since)
                }
                (state, since) = (next, i);
            }
        }
        if state {
            on.push(b - since);
        }
        let seconds = |samples: f64| (samples / rate_hz) as f32;
        let pulses = Pulses {
            count: on.count.clamp(1, usize::from(u16::MAX)) as u16,
            on_s: seconds(on.quantile(0.5)),
            off_s: seconds(off.quantile(0.5)),
            shortest_s: seconds(on.quantile(0.1)),
        };
        Some((above as f64 / (b - a) as f64, pulses))
    }
}

/// Lengths of runs: all counted, the first ones kept.
struct Runs {
    count: usize,
    kept: [u32; 256],
}

impl Default for Runs {
    fn default() -> Self {
        Self { count: 0, kept: [0; 256] }
    }
}

impl Runs {
    fn push(&mut self, length: usize) {
        if let Some(slot) = self.kept.get_mut(self.count) {
            *slot = length.min(u32::MAX as usize) as u32;
        }
        self.count += 1;
    }

    fn quantile(&mut self, q: f64) -> f64 {
        let kept = &mut self.kept[..self.count.min(256)];
        kept.sort_unstable();
        kept.get((q * kept.len() as f64) as usize).map_or(0.0, |&length| f64::from(length))
    }
}

/// Quantile `q` of those of `values` above `floor` (all if none is), by a regular sample of at most `most`.
pub fn quantile(sample: &mut Vec<f32>, values: &[f32], q: f64, floor: f32, most: usize) -> f32 {
    let stride = values.len().div_ceil(most).max(1);
    sample.clear();
    sample.extend(values.iter().step_by(stride).copied().filter(|&v| v > floor));
    if sample.is_empty() {
        sample.extend(values.iter().step_by(stride));
    }
    if sample.is_empty() {
        return 0.0;
    }
    let at = ((q * sample.len() as f64) as usize).min(sample.len() - 1);
    *sample.select_nth_unstable_by(at, f32::total_cmp).1
}
