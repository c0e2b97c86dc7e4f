//! The noise floor per bin, and the background that bursts are held against.
//!
//! Theory of operation. `floor` is what the receiver makes without any signal; `background` is what stands in a
//! bin right now: the floor, or the steady carrier that was promoted there. Bursts are detected as a ratio to
//! the background. Both are born from the first tenth of a second: per bin a low quantile over time (which
//! ignores bursts), then across the span bins far above the common level are taken for carriers and bridged.
//! Afterwards the background follows slowly, per bin, from slabs in which nothing was detected: it freezes under
//! a signal. It falls at once when a bin stays far below it.

use super::threshold::mean_power_quantile;
use crate::spectrum::kaiser;

/// Quantile over time that is taken as the floor under bursts: right as long as bursts are on for less than nine
/// tenths of the time.
const QUIET_QUANTILE: f64 = 0.1;

/// Slabs that a bin's floor rests on at least. One cell exceeds T times the mean of N others by the
/// chance (1 + T/N)^-N (F distribution with 2 and 2 N degrees of freedom): at the threshold for a known floor, 30.5,
/// 1.5e-11 for 64 values, about the false-alarm probability meant, and 4e-8 for 16. A slab may hold more than one
/// value, but a low quantile of few slabs stays uncertain.
const FEWEST_SLABS: usize = 64;

/// Independent values in a bin beside others: 1 over the noise bandwidth of the window in bins.
const VALUES_PER_BIN: f64 = 0.58;

/// Quantile across the middle of the span that is taken for the common level: five sixths of the bins may be
/// occupied.
const COMMON_QUANTILE: f64 = 0.15;

/// Bins this far above the common level (3 dB) are taken for carriers: no receiver's passband is that rough in
/// its middle.
const CARRIER_RATIO: f32 = 2.0;

/// What stands also does so by this ratio against the bins beside it; the slope of a passband does not.
const PROMINENCE: f32 = 2.0;

/// Bins beside something that it is held against.
const BESIDE: usize = 4;

/// Bins on each side of the middle into which the main lobe of the window spreads a line.
const DC_REACH: usize = 3;

/// An offset is known when it stands this far over the floor in its own bin, as a ratio.
const DC_STANDS: f32 = 0.1;

/// Blocks over which the background follows where a carrier stands, whose power breathes.
const FOLLOW_CARRIER_BLOCKS: u32 = 16;

/// Blocks over which the floor follows when it has just been learned, from as many values.
const FOLLOW_FIRST_BLOCKS: u32 = 16;

/// The same for good: eight times the longest look, so that a weak steady emission is seen before it has become
/// the floor. Where a slab is 50 µs that is 0.1 s, fast enough for a gain that drifts by a decibel a second.
const FOLLOW_BLOCKS: u32 = 128;

/// Floor and background, linear power per bin.
#[derive(Debug, Clone)]
pub struct Background {
    /// What stands in each bin when nothing new is on.
    pub level: Vec<f32>,
    /// The receiver alone.
    pub floor: Vec<f32>,
    /// 1 / `level`.
    pub inverse: Vec<f32>,
    /// No level is believed below it: quantisation noise.
    pub least: f32,
    /// Bins that something stood in from the start: first and the one after the last.
    pub stood: Vec<(usize, usize)>,
    /// What the receiver's own offset puts over the floor, summed over its bins.
    pub dc_excess: f32,
    /// Power of an offset of 1 in the bins about the middle.
    dc_lobe: [f32; 2 * DC_REACH + 1],
    /// Blocks that the floor rests on.
    rests_on: u32,
    scratch: Vec<f32>,
}

impl Background {
    /// For `bins` bins, unknown yet.
    pub fn new(bins: usize) -> Self {
        Self {
            level: vec![1.0; bins],
            floor: vec![1.0; bins],
            inverse: vec![1.0; bins],
            least: f32::MIN_POSITIVE,
            stood: Vec::with_capacity(bins / 2 + 1),
            dc_excess: 0.0,
            dc_lobe: dc_lobe(bins),
            rests_on: FOLLOW_FIRST_BLOCKS,
            scratch: Vec::with_capacity(bins.max(MOST_ROWS)),
        }
    }

    /// Learns from `rows` (slab powers, row after row, at most [`MOST_ROWS`]), each the mean of `cells`
    /// independent values, and from `offset`, the power of the mean sample over the same time: it stands at the
    /// tuning and is the receiver's. No level is taken below `least`.
    pub fn learn(&mut self, rows: &[f32], cells: f64, least: f32, offset: f32) {
        let bins = self.level.len();
        let count = rows.len() / bins;
        // Of an amplitude whose scale nobody knows: whatever is 100 dB below the strongest cell is nothing.
        let strongest = rows.iter().copied().fold(0.0f32, f32::max);
        self.least = least.max(strongest * 1e-10).max(1e-30);
        if count == 0 {
            return;
        }
        // Of a short stretch, neighbouring bins share their values.
        let pool = pooled_bins(count).min(bins);
        let values = count * pool;
        let rank = ((values as f64 * QUIET_QUANTILE) as usize).min(values - 1);
        let bias = mean_power_quantile(cells, 1.0 - (rank as f64 + 0.5) / values as f64) as f32;
        // The quantile sits too high under frequent bursts: what lies below the 99 % point that it predicts is
        // averaged in its place (one step of forward consecutive mean excision).
        let cut = mean_power_quantile(cells, 0.01);
        let tail = cut + cells.powf(-0.75);
        let (cut, kept) = (cut as f32, ((1.0 - 0.01 * tail) / 0.99) as f32);
        for bin in 0..bins {
            self.scratch.clear();
            let lo = bin.saturating_sub(pool / 2).min(bins - pool);
            self.scratch.extend(rows.chunks_exact(bins).flat_map(|row| &row[lo..lo + pool]));
            let (_, quiet, _) = self.scratch.select_nth_unstable_by(rank, f32::total_cmp);
            let first = *quiet / bias.max(0.05);
            self.floor[bin] = (mean_below(&self.scratch, first * cut) / kept).max(self.least);
        }
        self.level.copy_from_slice(&self.floor);
        self.bridge_carriers();
        self.dc_excess = 0.0;
        self.raise_dc(offset);
        self.invert(0, bins);
        self.rests_on = FOLLOW_FIRST_BLOCKS;
    }

    /// Puts the receiver's offset into the background: what it holds of the bins is not the floor's.
    fn raise_dc(&mut self, offset: f32) {
        let first = self.floor.len() / 2 - DC_REACH;
        let last = first + 2 * DC_REACH;
        let beside = self.floor[first - 1].min(self.floor[last + 1]);
        if offset < DC_STANDS * beside {
            return;
        }
        for (at, lobe) in self.dc_lobe.iter().enumerate() {
            let bin = first + at;
            let own = (self.floor[bin] - offset * lobe).max(beside);
            self.floor[bin] = self.floor[bin].min(own);
            self.level[bin] = self.level[bin].max(self.floor[bin] + offset * lobe);
            self.dc_excess += offset * lobe;
        }
        let beyond = |&(lo, hi): &(usize, usize)| lo + 1 < first || hi > last + 2;
        self.stood.retain(beyond);
    }

    /// Replaces bins that stand far above the common level by what lies beside them.
    fn bridge_carriers(&mut self) {
        let bins = self.floor.len();
        self.stood.clear();
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.floor[bins / 10..bins - bins / 10]);
        let rank = (self.scratch.len() as f64 * COMMON_QUANTILE) as usize;
        let (_, common, _) = self.scratch.select_nth_unstable_by(rank, f32::total_cmp);
        let (common, limit) = (*common, *common * CARRIER_RATIO);
        let mut left = None;
        let mut bin = 0;
        while bin < bins {
            if self.floor[bin] <= limit {
                left = Some(self.floor[bin]);
                bin += 1;
                continue;
            }
            let end = (bin..bins).find(|i| self.floor[*i] <= limit).unwrap_or(bins);
            if !self.prominent(bin, end) {
                bin = end;
                continue;
            }
            self.stood.push((bin, end));
            let right = self.floor.get(end).copied();
            let (from, to) = (left.or(right).unwrap_or(common), right.or(left).unwrap_or(common));
            // Beside a carrier its own skirts still stand: never above the common level by more than a ripple.
            let (from, to) = (from.min(common * 1.2), to.min(common * 1.2));
            for (i, value) in self.floor[bin..end].iter_mut().enumerate() {
                let x = (i + 1) as f32 / (end - bin + 1) as f32;
                *value = from + (to - from) * x;
            }
            bin = end;
        }
    }

    /// Whether the floor in `[lo, hi)` stands out against what was learned beside it, or on the one side there is.
    fn prominent(&self, lo: usize, hi: usize) -> bool {
        let mean = |bins: std::ops::Range<usize>| {
            let count = bins.len();
            (count > 0).then(|| self.level[bins].iter().sum::<f32>() / count as f32)
        };
        let inside = mean(lo..hi).unwrap_or(0.0);
        let below = mean(lo.saturating_sub(BESIDE)..lo);
        let above = mean(hi..(hi + BESIDE).min(self.level.len()));
        [below, above].into_iter().flatten().all(|side| inside > PROMINENCE * side)
    }

    /// Joins what is marked on both sides of the receiver's offset, which hides what goes on in its bins.
    pub fn bridge_dc(&self, marks: &mut [bool]) {
        let first = marks.len() / 2 - DC_REACH;
        let last = first + 2 * DC_REACH;
        let beside = |bins: std::ops::RangeInclusive<usize>| marks[bins].iter().any(|m| *m);
        if self.dc_excess > 0.0 && beside(first - 1..=first) && beside(last..=last + 1) {
            marks[first..=last].fill(true);
        }
    }

    /// A block is over: what follows rests on one more.
    pub fn end_block(&mut self) {
        self.rests_on = (self.rests_on + 1).min(FOLLOW_BLOCKS);
    }

    /// Lets bin `bin` follow the mean over a block of slabs without detections (`ratio`, to the level). Below
    /// `collapsed` it is believed at once. In a bin that a carrier holds, the floor waits.
    pub fn follow(&mut self, bin: usize, ratio: f32, collapsed: f32, held: bool) {
        let is_floor = !held && self.level[bin] <= self.floor[bin];
        let blocks = if is_floor { self.rests_on } else { FOLLOW_CARRIER_BLOCKS };
        let step = if ratio < collapsed { ratio - 1.0 } else { (ratio - 1.0) / blocks as f32 };
        self.level[bin] = (self.level[bin] * (1.0 + step)).max(self.least);
        if is_floor {
            self.floor[bin] = self.level[bin];
        } else {
            // What a carrier leaves for a moment is a few values of noise: no measure of the floor.
            self.level[bin] = self.level[bin].max(self.floor[bin]);
        }
        self.inverse[bin] = 1.0 / self.level[bin];
    }

    /// Takes `level` as what stands in `bins[lo..hi]` from now on.
    pub fn set(&mut self, lo: usize, hi: usize, level: &[f32]) {
        for ((own, new), floor) in self.level[lo..hi].iter_mut().zip(&level[lo..hi]).zip(&self.floor[lo..hi])
        {
            *own = new.max(*floor);
        }
        self.invert(lo, hi);
    }

    /// Nothing but the floor stands in `[lo, hi)` any more.
    pub fn release(&mut self, lo: usize, hi: usize) {
        self.level[lo..hi].copy_from_slice(&self.floor[lo..hi]);
        self.invert(lo, hi);
    }

    /// Whether the floor times `ratio` is still more than the least that is believed.
    pub fn holds(&self, ratio: f32) -> bool {
        let above = self.floor.iter().filter(|floor| **floor * ratio > 2.0 * self.least).count();
        2 * above > self.floor.len()
    }

    /// Everything moved by `ratio`: a gain step.
    pub fn scale(&mut self, ratio: f32) {
        for (level, floor) in self.level.iter_mut().zip(&mut self.floor) {
            *level = (*level * ratio).max(self.least);
            *floor = (*floor * ratio).max(self.least);
        }
        self.invert(0, self.level.len());
        self.rests_on = FOLLOW_FIRST_BLOCKS;
    }

    /// Sum of `level` over the bins, and of `floor`.
    pub fn sums(&self, lo: usize, hi: usize) -> (f32, f32) {
        (self.level[lo..hi].iter().sum(), self.floor[lo..hi].iter().sum())
    }

    fn invert(&mut self, lo: usize, hi: usize) {
        for bin in lo..hi {
            self.inverse[bin] = 1.0 / self.level[bin];
        }
    }
}

/// Power transfer of the window from a line in the middle bin to it and the [`DC_REACH`] bins on either side.
fn dc_lobe(bins: usize) -> [f32; 2 * DC_REACH + 1] {
    let window = kaiser(bins);
    let sum: f64 = window.iter().sum();
    std::array::from_fn(|at| {
        let turn = std::f64::consts::TAU * at.abs_diff(DC_REACH) as f64 / bins as f64;
        let (re, im) = window.iter().enumerate().fold((0.0, 0.0), |(re, im), (i, w)| {
            let (sin, cos) = (turn * i as f64).sin_cos();
            (re + w * cos, im + w * sin)
        });
        ((re * re + im * im) / (sum * sum)) as f32
    })
}

/// Bins whose values together are enough, of `slabs` slabs.
fn pooled_bins(slabs: usize) -> usize {
    if slabs >= FEWEST_SLABS {
        return 1;
    }
    (FEWEST_SLABS as f64 / (VALUES_PER_BIN * slabs as f64)).ceil() as usize
}

/// Mean of the values below `limit`.
fn mean_below(values: &[f32], limit: f32) -> f32 {
    let (sum, count) = values.iter().filter(|v| **v <= limit).fold((0.0, 0u32), |(s, n), v| (s + v, n + 1));
    if count == 0 { limit } else { sum / count as f32 }
}

/// Most rows that [`Background::learn`] is given: enough for a steady low quantile.
pub const MOST_ROWS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    /// A flat floor with a carrier over 10 % of the span and bursts for half of the time elsewhere is found
    /// within 1 dB everywhere.
    #[test]
    fn carriers_and_bursts_do_not_lift_the_floor() {
        let (bins, rows) = (128usize, 200usize);
        let mut state = 1u64;
        let mut exponential = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            -((state >> 11) as f64 / (1u64 << 53) as f64 + 1e-12).ln() as f32
        };
        let mut power = vec![0.0; bins * rows];
        for row in 0..rows {
            for bin in 0..bins {
                let signal = if (30..43).contains(&bin) || (bin >= 80 && row % 2 == 0) { 50.0 } else { 0.0 };
                let noise = (0..4).map(|_| exponential()).sum::<f32>() / 4.0;
                power[row * bins + bin] = noise * (1.0 + signal);
            }
        }
        let mut background = Background::new(bins);
        background.learn(&power, 4.0, 0.0, 0.0);
        for (bin, floor) in background.floor.iter().enumerate() {
            assert!((0.79..1.26).contains(floor), "bin {bin}: {floor}");
        }
    }
}
