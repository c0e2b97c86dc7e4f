//! Whether the receiver may have made an emission itself: images, splatter, the shoulders of its passband.

use crate::detect::{Detector, MOST_UNTOLD, Open, Steady};
use crate::measure::Ghost;

/// An image is at least this much weaker than what it mirrors: cheap quadrature receivers reject 25 to 45 dB.
const IMAGE_RATIO: f64 = 100.0;

/// Splatter is at least this much weaker than what splatters (a Kaiser window and 8 bits leave less).
const SPLATTER_RATIO: f64 = 100.0;

/// Leakage into the next channel is at least this much weaker: 3GPP TS 36.101 6.6.2.3 demands 30 dB, the shoulders
/// of simple transmitters in the first bins beside the channel reach half of that.
const LEAKAGE_RATIO: f64 = 30.0;

/// A transmitter's noise and intermodulation are at least this much below it, in density and in power, and
/// within so many of its widths: 3GPP TS 36.101 6.6.2.3 and ETSI EN 300 113 7.5 allow no more beside the channel
/// than a hundredth to a millionth of the power.
const SKIRT_RATIO: f64 = 100.0;
/// See [`SKIRT_RATIO`].
const SKIRT_WIDTHS: usize = 3;

/// Slabs that the splatter of an edge lasts at most: it falls into one frame, and frames overlap.
const SPLATTER_SLABS: u64 = 3;

/// Slabs by which the edges of a burst and of its splatter may differ.
const EDGE_SLABS: u64 = 2;

/// A piece of spectrum this much weaker than a burst over the same bins and times is a piece of that burst.
const FRAGMENT_RATIO: f64 = 4.0;

/// A piece of a sweeping line is as strong as it, to within this ratio either way.
const PIECE_RATIO: f64 = 2.5;

/// What is this much weaker than something that is on meanwhile is beyond the dynamic range of an 8-bit receiver
/// (SFDR about 50 dB) and of any transmitter's mask: phase noise, regrowth, harmonics of the converter.
const SHADOW_RATIO: f64 = 3e4;

/// A carrier stands out by this ratio against both sides; a shoulder of the passband does not.
const PROMINENCE: f32 = 2.0;

/// Bins beside an emission that its prominence is judged by.
const BESIDE: usize = 4;

/// What stands at the tuning is the receiver's offset while it stays within this ratio of what stood there at
/// first.
const DC_RATIO: f32 = 4.0;

/// Bins from the edge of the span within which an emission reaches over it.
const EDGE_BINS: usize = 2;

/// Slabs that a jump of a carrier's phase (a lost sample, a restarted oscillator) splatters over, at most.
const JUMP_SLABS: u64 = 8;

/// The carrier that jumps is at least this much stronger than the splatter.
const JUMP_RATIO: f64 = 3.0;

/// Noise that comes up when gain recovers is at least this much weaker than the carrier that held it down.
const RECOVERY_RATIO: f64 = 1000.0;

/// Bursts that ended lately.
#[derive(Debug)]
pub struct Neighbours {
    ended: Vec<Open>,
    next: usize,
    /// The strongest carrier that fell lately.
    fallen: Option<Steady>,
    recovery_slabs: u64,
}

/// How many are remembered.
const REMEMBERED: usize = 64;

impl Neighbours {
    /// None yet; automatic gain recovers within `recovery_slabs`.
    pub fn new(recovery_slabs: u64) -> Self {
        Self { ended: Vec::with_capacity(REMEMBERED), next: 0, fallen: None, recovery_slabs }
    }

    /// Remembers a carrier that fell, unless a stronger one fell just before.
    pub fn remember_fallen(&mut self, carrier: &Steady) {
        let over = |c: &Steady| c.excess > carrier.excess && carrier.until < c.until + self.recovery_slabs;
        if !self.fallen.as_ref().is_some_and(over) {
            self.fallen = Some(*carrier);
        }
    }

    /// Whether what began at slab `from` with `mean` power is the noise that comes up when the receiver's gain
    /// recovers from a carrier.
    fn is_recovery(&self, from: u64, mean: f64) -> bool {
        self.fallen.as_ref().is_some_and(|c| {
            let after = c.until <= from + EDGE_SLABS && from < c.until + self.recovery_slabs;
            after && mean * RECOVERY_RATIO < f64::from(c.excess)
        })
    }

    /// Remembers a burst that ended.
    pub fn remember(&mut self, burst: &Open) {
        if self.ended.len() < REMEMBERED {
            self.ended.push(*burst);
        } else {
            self.ended[self.next] = *burst;
            self.next = (self.next + 1) % REMEMBERED;
        }
    }

    /// The longest part of slabs `[from, until)` in which nothing as strong as `excess` lay over bins `[lo, hi)`.
    pub fn uncovered(&self, steady: &Steady, (from, until): (u64, u64), detector: &Detector) -> (u64, u64) {
        let mut covers = [(0u64, 0u64); REMEMBERED + MOST_UNTOLD];
        let mut count = 0;
        for burst in self.ended.iter().chain(detector.untold()) {
            let (lo, hi) = burst.extents();
            let over = lo < steady.hi && steady.lo < hi && 2.0 * burst.mean() > f64::from(steady.excess);
            if over && burst.from < until && from < burst.until && count < covers.len() {
                covers[count] = (burst.from.saturating_sub(JUMP_SLABS), burst.until + JUMP_SLABS);
                count += 1;
            }
        }
        covers[..count].sort_unstable();
        let (mut best, mut start) = ((from, from), from);
        for &(covered_from, covered_until) in covers[..count].iter().chain(&[(until, until)]) {
            if covered_from.saturating_sub(start) > best.1 - best.0 {
                best = (start, covered_from);
            }
            start = start.max(covered_until + 1);
        }
        best
    }

    /// Whether a burst is the receiver's own.
    pub fn ghost_of(&self, burst: &Open, detector: &Detector, bins: usize, clipped_share: f64) -> Ghost {
        let (lo, hi) = burst.extents();
        let across_dc = lo <= bins / 2 && bins / 2 < hi;
        if !across_dc && burst.energy > 0.0 && burst.mirror > IMAGE_RATIO * burst.energy {
            return Ghost::Image;
        }
        if self.is_recovery(burst.from, burst.mean()) {
            return Ghost::Splatter;
        }
        if at_dc(lo, hi, bins) && burst.mean() < f64::from(DC_RATIO * detector.dc_excess()) {
            return Ghost::Dc;
        }
        let mean = burst.mean();
        let steady = detector.carriers().iter().map(|c| f64::from(c.excess)).fold(0.0, f64::max);
        let jump = 10 * (hi - lo) >= 8 * bins
            && burst.until - burst.from <= JUMP_SLABS
            && steady > JUMP_RATIO * mean;
        if jump {
            return Ghost::Splatter;
        }
        let mut others = self.ended.iter().chain(detector.untold());
        let shadows = |other: &Open| {
            // Longer looks know their edges less well.
            let slack = EDGE_SLABS + if burst.look > other.look { u64::from(burst.look) } else { 0 };
            let within = other.from <= burst.from + slack && burst.until <= other.until + slack;
            let edge = other.from.abs_diff(burst.from) <= slack || other.until.abs_diff(burst.until) <= slack;
            let ratio = other.mean() / mean;
            // The converter's own noise is another while something strong drives it through its steps, and when it ends.
            let brief = burst.until - burst.from <= SPLATTER_SLABS;
            let recovering = ratio > RECOVERY_RATIO && burst.until - burst.from <= self.recovery_slabs;
            let after = other.until.abs_diff(burst.from) <= EDGE_SLABS && (brief || recovering);
            let (from, to) = other.extents();
            let skirts = within && in_skirts((lo, hi, mean), (from, to, other.mean()));
            let regrown = ratio > SPLATTER_RATIO && ((within && (edge || clipped_share > 1e-4)) || after);
            let inside = 2 * to.min(hi).saturating_sub(from.max(lo)) >= hi - lo;
            let fragment = within && inside && ratio > FRAGMENT_RATIO;
            // Where a line that moves turns, jumps, or passes the receiver's offset, pieces of it come loose: within its
            // range, as strong, and gone when it goes on from there.
            let in_range = other.range().is_some_and(|(from, to)| from <= lo + 1 && hi <= to + 1);
            let alike = ratio < PIECE_RATIO && ratio * PIECE_RATIO > 1.0;
            let shorter = burst.until - burst.from < (other.until - other.from) / 2;
            let goes_on =
                other.until.abs_diff(burst.until) <= slack && other.lo <= hi + 1 && lo <= other.hi + 1;
            let loose = in_range && alike && shorter && goes_on;
            // A transmitter's own leakage into the channels beside it.
            let beside = lo <= to + (to - from) && from <= hi + (to - from);
            let leaked = within && edge && beside && ratio > LEAKAGE_RATIO;
            // What reaches over one edge of the span comes in again at the other.
            let wrapped = within && edge && ratio > 1.0 && wraps((lo, hi), (from, to), bins);
            regrown || skirts || leaked || wrapped || fragment || loose || (ratio > SHADOW_RATIO && within)
        };
        let covering = |c: &Steady| {
            let inside = 2 * c.hi.min(hi).saturating_sub(c.lo.max(lo)) >= hi - lo;
            let beside = in_skirts((lo, hi, mean), (c.lo, c.hi, f64::from(c.excess)));
            c.from <= burst.from + EDGE_SLABS && (beside || inside && mean < 2.0 * f64::from(c.excess))
        };
        if detector.carriers().iter().any(covering) {
            return Ghost::Splatter;
        }
        let carried = steady > f64::from(SHADOW_RATIO as f32) * mean;
        if carried || others.any(shadows) {
            return Ghost::Splatter;
        }
        Ghost::None
    }

    /// Whether a carrier is the receiver's own.
    pub fn ghost_of_carrier(&self, carrier: &Steady, detector: &Detector, bins: usize) -> Ghost {
        let across_dc = carrier.lo <= bins / 2 && bins / 2 < carrier.hi;
        if !across_dc && carrier.mirror_ratio > IMAGE_RATIO {
            return Ghost::Image;
        }
        if self.is_recovery(carrier.from, f64::from(carrier.excess)) {
            return Ghost::Splatter;
        }
        if at_dc(carrier.lo, carrier.hi, bins) && carrier.excess < DC_RATIO * detector.dc_excess() {
            return Ghost::Dc;
        }
        // With an onset seen, it is no shoulder.
        let (lo, hi) = occupied(detector, carrier.lo, carrier.hi);
        let stands =
            prominent(detector.recent(), lo, hi) || prominent(detector.recent(), carrier.lo, carrier.hi);
        if carrier.cut_start && !stands {
            return Ghost::Rolloff;
        }
        let own = (carrier.lo, carrier.hi, f64::from(carrier.excess));
        let over = |c: &Steady| in_skirts(own, (c.lo, c.hi, f64::from(c.excess)));
        if detector.carriers().iter().any(over) {
            return Ghost::Splatter;
        }
        Ghost::None
    }
}

/// Whether the first (bins and power) lies near the second and so far below it that it is its noise.
fn in_skirts(one: (usize, usize, f64), other: (usize, usize, f64)) -> bool {
    let (own, width) = ((one.1 - one.0) as f64, other.1 - other.0);
    let near = one.0 <= other.1 + SKIRT_WIDTHS * width && other.0 <= one.1 + SKIRT_WIDTHS * width;
    let dense = other.2 * own > SKIRT_RATIO * one.2 * width as f64;
    near && dense && other.2 > SKIRT_RATIO * one.2
}

/// Whether the two touch opposite edges of the span.
fn wraps(one: (usize, usize), other: (usize, usize), bins: usize) -> bool {
    let low = |b: (usize, usize)| b.0 <= EDGE_BINS;
    let high = |b: (usize, usize)| b.1 + EDGE_BINS >= bins;
    (low(one) && high(other)) || (high(one) && low(other))
}

/// Whether `[lo, hi)` is no more than a line in the middle of the span.
fn at_dc(lo: usize, hi: usize, bins: usize) -> bool {
    hi - lo <= 9 && (lo + hi).abs_diff(bins + 1) <= 3
}

/// The bins of `[lo, hi)` that hold all but 3 % of the power over the floor: what is fainter beside it is its
/// skirts, or a neighbour's.
pub fn occupied(detector: &Detector, lo: usize, hi: usize) -> (usize, usize) {
    let excess = |bin: usize| (detector.recent()[bin] - detector.floor()[bin]).max(0.0);
    let edge = (lo..hi).map(excess).sum::<f32>() * 0.015;
    let (mut from, mut to) = (lo, hi);
    let mut left = 0.0;
    while from + 1 < to && left + excess(from) <= edge {
        left += excess(from);
        from += 1;
    }
    let mut right = 0.0;
    while to > from + 1 && right + excess(to - 1) <= edge {
        right += excess(to - 1);
        to -= 1;
    }
    (from, to)
}

/// Whether `[lo, hi)` stands out against both of its sides.
fn prominent(power: &[f32], lo: usize, hi: usize) -> bool {
    let mean = |from: usize, to: usize| power[from..to].iter().sum::<f32>() / (to - from).max(1) as f32;
    let inside = mean(lo, hi);
    let left = lo.saturating_sub(BESIDE);
    let right = (hi + BESIDE).min(power.len());
    if left == lo || right == hi {
        return false;
    }
    inside > PROMINENCE * mean(left, lo) && inside > PROMINENCE * mean(hi, right)
}
