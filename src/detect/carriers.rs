//! Emissions that stay: once on for long enough they become part of the background, so that bursts over them are
//! still seen, and are watched until they fall.

use super::bursts::{Look, Open};
use super::floor::Background;
use super::segments::Segment;

/// Most carriers at once.
pub const MOST_CARRIERS: usize = 128;

/// A carrier has fallen when less than this share of its power is left in two looks: half of that is the
/// uncertainty of a look at a weak narrow one.
const FALLEN_SHARE: f32 = 0.25;

/// Standard deviation of a carrier's power in a look that can tell whether it fell, as a share of it: two and a half
/// lie between all of it and [`FALLEN_SHARE`], in each of two looks.
const KNOWN_BY: f64 = 0.3;

/// What is this many times stronger than a carrier in its bins is not its modulation.
const OVERPOWERS: f64 = 6.0;

/// All of a carrier's power may gather in a few bins for a moment, and few values of it vary by as much again.
const MODULATED: f32 = 2.0;

/// What comes up beside a carrier with at least this share of its power,
const ANOTHER_SHARE: f32 = 0.2;
/// while both together have so much of it, is another one: modulation moves power, it does not add any.
const TOGETHER: f32 = 1.2;

/// Bins between a line and what is its modulation, at most: sidebands begin beside it.
const BESIDE: usize = 1;

/// A line with its skirts is no wider, bins; what is wider varies as far beyond its edges.
const SKIRTED_BINS: usize = 24;

/// A carrier seen this early was there before: a faint one is not above every threshold at once.
const SETTLING_SLABS: u64 = 16;

/// Share of the way to the power of a block that a carrier follows until it is told of.
const SETTLING_SHARE: f32 = 0.25;

/// A steady emission.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steady {
    /// Counts carriers of a segment, from 0.
    pub number: u32,
    /// First slab it was seen in.
    pub from: u64,
    /// Slab after the last it was seen in.
    pub until: u64,
    /// Bins it holds, as widened by its own modulation.
    pub lo: usize,
    /// Bin after the last.
    pub hi: usize,
    /// Bins it held when it was promoted.
    born: (usize, usize),
    /// Bins that it held on average until then: the splatter of its beginning has gone.
    core: (usize, usize),
    /// Was on when observation began.
    pub cut_start: bool,
    /// Mean power over the floor, summed over its bins.
    pub excess: f32,
    /// Power in the mirror of its bins over its own.
    pub mirror_ratio: f64,
    /// Slab of the last report.
    pub reported: u64,
    /// It has been reported.
    pub told: bool,
    /// Looks in a row that did not see it.
    missed: u8,
}

impl Steady {
    /// Power over the floor of its own bins and those of `segment` together, over its own.
    fn together(&self, segment: &Segment, look: &Look<'_>, background: &Background) -> f32 {
        let (lo, hi) = (self.core.0.min(segment.lo), self.core.1.max(segment.hi));
        let (_, floor) = background.sums(lo, hi);
        (look.power[lo..hi].iter().sum::<f32>() - floor) / self.excess.max(f32::MIN_POSITIVE)
    }

    /// Whether `segment` is another one beside it: off its own bins, with more power than it can have lost there.
    fn has_beside(&self, segment: &Segment, together: f32) -> bool {
        let (lo, hi) = self.core;
        let apart = segment.lo >= hi || segment.hi <= lo;
        apart && segment.excess >= ANOTHER_SHARE * self.excess && together >= TOGETHER
    }

    /// Standard deviation of its power in `look`, as a share of it, over noise of the power `floor` in its bins: both
    /// vary like noise at worst.
    fn uncertainty(&self, floor: f32, look: &Look<'_>) -> f64 {
        let noise = f64::from(floor / self.excess.max(f32::MIN_POSITIVE));
        (1.0 + noise) / look.cells.of(self.hi - self.lo).sqrt()
    }
}

/// The carriers that are on.
#[derive(Debug)]
pub struct Carriers {
    /// Those that are on.
    pub on: Vec<Steady>,
    next_number: u32,
}

impl Default for Carriers {
    fn default() -> Self {
        Self { on: Vec::with_capacity(MOST_CARRIERS), next_number: 0 }
    }
}

impl Carriers {
    /// Takes what stood in the background from the start for carriers, not told of yet; observation begins with slab
    /// `first`.
    pub fn stand(&mut self, background: &Background, first: u64) {
        for &(lo, hi) in &background.stood {
            let (level, floor) = (&background.level, &background.floor);
            let excess = over_floor(background, lo, hi);
            if self.on.len() == MOST_CARRIERS || excess <= 0.0 {
                continue;
            }
            let bins = level.len();
            let mirrored = |bin: usize| (bins - bin).min(bins - 1);
            let mirror: f32 = (lo..hi).map(mirrored).map(|bin| level[bin] - floor[bin]).sum();
            self.on.push(Steady {
                number: self.next_number,
                from: first,
                until: first,
                lo,
                hi,
                born: (lo, hi),
                core: (lo, hi),
                cut_start: true,
                excess,
                mirror_ratio: f64::from(mirror / excess),
                reported: first,
                told: false,
                missed: 0,
            });
            self.next_number += 1;
        }
    }

    /// Makes a long burst a carrier, or a part of one that stands there already (`None`). `power` is the recent
    /// mean power per bin; observation began with slab `first`.
    pub fn promote(
        &mut self,
        burst: &Open,
        power: &[f32],
        background: &mut Background,
        first: u64,
    ) -> Option<Steady> {
        let (lo, hi) = (burst.lo, burst.hi);
        background.set(lo, hi, power);
        let core = burst.extents();
        let width = |(lo, hi): (usize, usize)| hi - lo;
        let shared = |c: &Steady| c.core.1.min(core.1).saturating_sub(c.core.0.max(core.0));
        let same = |c: &&mut Steady| 2 * shared(c) >= width(core).min(width(c.core));
        if let Some(carrier) = self.on.iter_mut().find(same) {
            let before = carrier.excess;
            if burst.mean() < OVERPOWERS * f64::from(before) {
                carrier.excess = over_floor(background, carrier.lo, carrier.hi);
            }
            let wider = hi - lo > 2 * (carrier.hi - carrier.lo);
            if !wider && burst.mean() < OVERPOWERS * f64::from(before) {
                return None;
            }
            // Something far wider or stronger came over it and stays: another one.
        }
        if self.on.len() == MOST_CARRIERS {
            return None;
        }
        let carrier = Steady {
            number: self.next_number,
            from: burst.from,
            until: burst.until,
            lo,
            hi,
            born: (lo, hi),
            core,
            cut_start: burst.cut_start || burst.from < first + SETTLING_SLABS,
            excess: over_floor(background, lo, hi),
            mirror_ratio: if burst.energy > 0.0 { burst.mirror / burst.energy } else { 0.0 },
            reported: burst.until,
            told: true,
            missed: 0,
        };
        self.next_number += 1;
        self.on.push(carrier);
        Some(carrier)
    }

    /// Whether `segment` is the modulation of a carrier, which it then joins.
    pub fn absorbs(&mut self, segment: &Segment, look: &Look<'_>, background: &mut Background) -> bool {
        let Some(carrier) = self.on.iter_mut().find(|c| {
            let margin = if c.hi - c.lo > SKIRTED_BINS { c.hi - c.lo } else { BESIDE };
            let near = segment.lo <= c.hi + margin && c.lo <= segment.hi + margin;
            near && segment.width() <= 3 * (c.hi - c.lo).max(2) && segment.excess < MODULATED * c.excess
        }) else {
            return false;
        };
        let together = carrier.together(segment, look, background);
        if carrier.has_beside(segment, together) {
            return false;
        }
        // What is not all its own must not become the background by the chance of a look.
        let reaches_out = segment.lo < carrier.lo || carrier.hi < segment.hi;
        if reaches_out && together >= TOGETHER {
            return true;
        }
        let widest = (carrier.born.1 - carrier.born.0).max(2);
        let lo = carrier.lo.min(segment.lo).max(carrier.born.0.saturating_sub(widest));
        let hi = carrier.hi.max(segment.hi).min(carrier.born.1 + widest);
        (carrier.lo, carrier.hi) = (lo, hi);
        for bin in segment.lo.max(lo)..segment.hi.min(hi) {
            background.level[bin] = background.level[bin].max(look.power[bin]);
            background.inverse[bin] = 1.0 / background.level[bin];
        }
        true
    }

    /// Everything moved by `ratio`: a gain step.
    pub fn scale(&mut self, ratio: f32) {
        for carrier in &mut self.on {
            carrier.excess *= ratio;
            carrier.missed = 0;
        }
    }

    /// Looks whether carriers still stand, each in the shortest of the looks (`shortest` to `longest` slabs, each four
    /// times the one before) that knows its power; those that fell are appended to `fallen` and the background is
    /// released.
    pub fn watch(
        &mut self,
        look: &Look<'_>,
        (shortest, longest): (u32, u32),
        background: &mut Background,
        fallen: &mut Vec<Steady>,
    ) {
        let until = look.from + u64::from(look.slabs);
        let mut at = 0;
        while at < self.on.len() {
            let carrier = &mut self.on[at];
            let (_, floor) = background.sums(carrier.lo, carrier.hi);
            let uncertainty = carrier.uncertainty(floor, look);
            let shorter_do = look.slabs > shortest && 2.0 * uncertainty <= KNOWN_BY;
            let longer_must = look.slabs < longest && uncertainty > KNOWN_BY;
            if shorter_do || longer_must {
                at += 1;
                continue;
            }
            let power: f32 = look.power[carrier.lo..carrier.hi].iter().sum();
            // What stood from the start is known from a low quantile, which misses what moves in its bins.
            if !carrier.told && power - floor > carrier.excess {
                carrier.excess += SETTLING_SHARE * (power - floor - carrier.excess);
            }
            carrier.missed =
                if power - floor < FALLEN_SHARE * carrier.excess { carrier.missed + 1 } else { 0 };
            if carrier.missed >= 2 {
                background.release(carrier.lo, carrier.hi);
                fallen.push(self.on.swap_remove(at));
            } else if carrier.missed == 1 {
                at += 1;
            } else {
                carrier.until = until;
                at += 1;
            }
        }
    }
}

fn over_floor(background: &Background, lo: usize, hi: usize) -> f32 {
    let (level, floor) = background.sums(lo, hi);
    (level - floor).max(0.0)
}
