//! Segments of successive looks joined into bursts.
//!
//! A segment belongs to an open burst when they share spectrum and most of the segment's power lies within the
//! burst. A segment that overlaps an open burst but brings its power from elsewhere is another emission over it;
//! a small remnant inside a wide burst that has gone is another one too. The first looks of a burst are not
//! trusted for its width: an abrupt edge inside a frame splatters. A look at a narrow emission holds few
//! independent values and its power varies like theirs, whatever the emission does: how long one is waited for,
//! and what counts as another's power, follow from their number.

use super::segments::{Segment, excess};
use super::threshold::Cells;

/// Most bursts open at once; further ones are counted and dropped.
pub const MOST_OPEN: usize = 256;

/// Share (one in so many) of the way to a narrower look that a burst's bins follow it.
const NARROWING: usize = 8;

/// Share of its mean power that keeps a burst on, once it is.
const KEPT_SHARE: f64 = 0.3;

/// Share of a segment's power that must lie within an open burst for it to be the same emission.
const INSIDE_SHARE: f32 = 0.3;

/// A power this many times another's is not the same emission, when both are known from many values.
const OVERPOWERS: f64 = 6.0;

/// Independent values that a strong emission is waited for: three in a row below [`KEPT_SHARE`] of their mean are
/// its end in 98 of 100 cases even when the power varies like noise's.
const FADE_CELLS: f64 = 3.0;

/// The same for a weak emission, to which the noise adds: one look in some hundred of six values is missed.
const FLICKER_CELLS: f64 = 16.0;

/// Mean ratio to the background from which the shortest look that saw a burst sees all of it.
const STRONG: f64 = 10.0;

/// Share of a burst's power that the shorter looks may miss.
const MISSED_SHARE: f64 = 0.5;

/// Most looks that a weak emission is waited for longer than a strong one.
const MOST_FLICKER: f64 = 3.0;

/// What moves over this many times its width sweeps.
const SWEEPS: f64 = 5.0;

/// Keyed or chirped in frequency, it moves over so many at least.
const SHIFTS: f64 = 1.5;

/// It is a line, with its skirts no wider than this: three times the main lobe of the window.
const LINE_BINS: f64 = 10.0;

/// In at least so many looks.
const FEWEST_OF_A_SWEEP: u32 = 16;

/// Slabs that a burst may stay unseen under a stronger one.
const MOST_COVERED: u32 = 64;

/// A burst that is still on, or was a moment ago. Times count slabs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Open {
    /// First slab it was seen in.
    pub from: u64,
    /// Slab after the last it was seen in.
    pub until: u64,
    /// Length of the looks that see it, slabs.
    pub look: u32,
    /// Bins it held lately: widened at once, narrowed slowly, so that a carrier that swings or sweeps stays one.
    pub lo: usize,
    /// Bin after the last.
    pub hi: usize,
    /// Bins it held before the present look.
    before: (usize, usize),
    /// First slab of the look that saw it last.
    seen_in: u64,
    /// Slabs that it was covered by something stronger.
    pub covered: u32,
    /// Segments of looks that were it.
    pub hits: u32,
    /// Independent values in the shortest look that sees it.
    cells: f64,
    /// Sum over looks of power over the background times slabs.
    pub energy: f64,
    /// The same for the mirror of its bins about the middle of the span, without subtraction.
    pub mirror: f64,
    /// Background in its bins times slabs.
    pub background: f64,
    /// Energy-weighted sums of the extents.
    lo_moment: f64,
    hi_moment: f64,
    /// Energy-weighted sum of the squares of twice the middle.
    square_moment: f64,
    /// Was on when observation began.
    pub cut_start: bool,
}

impl Open {
    fn new(segment: &Segment, look: &Look<'_>) -> Self {
        let mut open = Self {
            from: look.from,
            until: look.from,
            look: look.slabs,
            lo: segment.lo,
            hi: segment.hi,
            before: (segment.lo, segment.hi),
            seen_in: look.from,
            covered: 0,
            hits: 0,
            cells: f64::INFINITY,
            energy: 0.0,
            mirror: 0.0,
            background: 0.0,
            lo_moment: 0.0,
            hi_moment: 0.0,
            square_moment: 0.0,
            cut_start: look.at_start,
        };
        open.see(segment, look);
        open
    }

    fn see(&mut self, segment: &Segment, look: &Look<'_>) {
        let slabs = f64::from(look.slabs);
        let energy = f64::from(segment.excess) * slabs;
        let bins = look.power.len();
        // A longer look is given what shorter ones did not find: they see it well enough when that is little.
        if self.ratio() < STRONG && f64::from(segment.excess) > MISSED_SHARE * self.mean() {
            self.look = self.look.max(look.slabs);
        }
        self.until = self.until.max(look.from + u64::from(look.slabs));
        self.cells = look.cells.of(look.bins_of(segment));
        self.hits += 1;
        self.energy += energy;
        let mirror: f32 = look.all[bins - segment.hi + 1..(bins - segment.lo + 1).min(bins)].iter().sum();
        self.mirror += f64::from(mirror) * slabs;
        self.background += f64::from(look.level[segment.lo..segment.hi].iter().sum::<f32>()) * slabs;
        self.lo_moment += segment.lo as f64 * energy;
        self.hi_moment += segment.hi as f64 * energy;
        self.square_moment += ((segment.lo + segment.hi) as f64).powi(2) * energy;
        let (lo, hi) = (segment.lo, segment.hi);
        if self.seen_in == look.from && self.hits > 1 {
            (self.lo, self.hi) = (self.lo.min(lo), self.hi.max(hi));
            return;
        }
        self.seen_in = look.from;
        self.before = (self.lo, self.hi);
        if self.hits == 2 && self.from + u64::from(look.slabs) <= look.from {
            // The first look's width was an edge's.
            (self.lo, self.hi) = (lo, hi);
        } else {
            self.lo = if lo <= self.lo { lo } else { self.lo + (lo - self.lo) / NARROWING };
            self.hi = if hi >= self.hi { hi } else { self.hi - (self.hi - hi) / NARROWING };
        }
    }

    /// Extents over its life, weighted by power: those of a look, or all that it swept over.
    pub fn extents(&self) -> (usize, usize) {
        if self.energy <= 0.0 {
            return (self.lo, self.hi);
        }
        self.widened(if self.sweeps() { self.swept() } else { 0.0 })
    }

    /// Bins that it moved over, if it is a line that moves at all.
    pub fn range(&self) -> Option<(usize, usize)> {
        self.moves(SHIFTS).then(|| self.widened(self.swept()))
    }

    /// Whether it is a line that moved far.
    pub fn sweeps(&self) -> bool {
        self.moves(SWEEPS)
    }

    /// Whether it is a line that moved over `widths` of its own.
    fn moves(&self, widths: f64) -> bool {
        let width = (self.hi_moment - self.lo_moment) / self.energy;
        self.hits >= FEWEST_OF_A_SWEEP && width < LINE_BINS && self.swept() > widths * width
    }

    /// Mean extents and `bins` more.
    fn widened(&self, bins: f64) -> (usize, usize) {
        let (lo, hi) = (self.lo_moment / self.energy, self.hi_moment / self.energy);
        let (lo, hi) = ((lo - bins / 2.0).max(0.0).round() as usize, (hi + bins / 2.0).round() as usize);
        (lo, hi.max(lo + 1))
    }

    /// Bins that its middle moved over, if it did so evenly: over W, the standard deviation is W/√12.
    fn swept(&self) -> f64 {
        let twice = (self.lo_moment + self.hi_moment) / self.energy;
        (self.square_moment / self.energy - twice * twice).max(0.0).sqrt() / 2.0 * 12f64.sqrt()
    }

    /// Mean power over the background per slab, summed over its bins.
    pub fn mean(&self) -> f64 {
        self.energy / (self.until - self.from).saturating_sub(u64::from(self.covered)).max(1) as f64
    }

    /// Mean ratio of its power to the background in its bins.
    pub fn ratio(&self) -> f64 {
        if self.background > 0.0 { self.energy / self.background } else { f64::INFINITY }
    }

    /// Whether it shares spectrum with `segment`, now or before the present look changed it.
    fn overlaps(&self, segment: &Segment) -> bool {
        self.lo.min(self.before.0) < segment.hi + 1 && segment.lo < self.hi.max(self.before.1) + 1
    }

    /// Slabs without a sight after which it has ended: strong wide ones at once, weak ones may flicker.
    fn patience(&self) -> u64 {
        let look = u64::from(self.look);
        if self.ratio() > STRONG {
            look - 1 + (FADE_CELLS / self.cells) as u64 * look
        } else {
            look + (FLICKER_CELLS / self.cells).min(MOST_FLICKER) as u64 * look
        }
    }

    /// What a look at it does not exceed by the chance of few values, as power over the background.
    fn most(&self) -> f64 {
        OVERPOWERS * (1.0 + FADE_CELLS / self.cells) * self.mean()
    }

    /// Whether enough power stands in its bins for it to be on.
    fn may_stand(&self, look: &Look<'_>) -> bool {
        f64::from(excess_in(look, self.lo, self.hi)) > KEPT_SHARE * self.mean()
    }

    /// Whether it may be on, unseen under something stronger: what was seen but once was perhaps its edge.
    fn may_be_under(&self, look: &Look<'_>) -> bool {
        self.hits > 1 && self.covered < MOST_COVERED && self.may_stand(look)
    }

    /// How likely it has the width of `segment`: 1 within a factor of two.
    fn likeness(&self, segment: &Segment) -> f32 {
        let (own, other) = ((self.hi - self.lo) as f32, segment.width() as f32);
        (2.0 * own.min(other) / own.max(other)).min(1.0)
    }
}

fn excess_in(look: &Look<'_>, lo: usize, hi: usize) -> f32 {
    excess(look.power, look.level, lo, hi)
}

/// One look at the spectrum: a slab or a block of slabs.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// First slab of it.
    pub from: u64,
    /// How many slabs.
    pub slabs: u32,
    /// Independent values in a box of it.
    pub cells: Cells,
    /// Mean power per bin, without what shorter looks found.
    pub power: &'a [f32],
    /// With it.
    pub all: &'a [f32],
    /// Background per bin.
    pub level: &'a [f32],
    /// Observation began with this look.
    pub at_start: bool,
}

impl Look<'_> {
    /// Number of bins that the power of `segment` is spread over: its square over the sum of squares.
    fn bins_of(&self, segment: &Segment) -> usize {
        let bins = segment.lo..segment.hi;
        let excess = self.power[bins.clone()].iter().zip(&self.level[bins]).map(|(p, l)| (p - l).max(0.0));
        let (sum, squares) = excess.fold((0.0, 0.0), |(sum, squares), e| (sum + e, squares + e * e));
        if squares > 0.0 { (sum * sum / squares).round().max(1.0) as usize } else { 1 }
    }
}

/// The bursts that are on.
#[derive(Debug)]
pub struct Bursts {
    /// Those that are on, in no order.
    pub open: Vec<Open>,
    /// Dropped because too many were open.
    pub dropped: u64,
    /// Bins and end of those that ended lately, so that a longer look does not report them again.
    ended: [(usize, usize, u64); 32],
    next_ended: usize,
}

impl Default for Bursts {
    fn default() -> Self {
        Self { open: Vec::with_capacity(MOST_OPEN), dropped: 0, ended: [(0, 0, 0); 32], next_ended: 0 }
    }
}

impl Bursts {
    /// Attributes the segments of a look.
    pub fn attribute(&mut self, segments: &[Segment], look: &Look<'_>) {
        for segment in segments {
            if look.slabs > 1 && self.just_ended(segment, look) {
                continue;
            }
            self.attribute_one(segment, look);
        }
    }

    fn just_ended(&self, segment: &Segment, look: &Look<'_>) -> bool {
        let middle = (segment.lo + segment.hi) / 2;
        self.ended.iter().any(|(lo, hi, until)| {
            *until + 1 >= look.from
                && *lo <= middle + 2
                && middle < *hi + 2
                && !self.open.iter().any(|o| o.overlaps(segment))
        })
    }

    fn attribute_one(&mut self, segment: &Segment, look: &Look<'_>) {
        let reach = u64::from(look.slabs);
        let near = |o: &Open| o.overlaps(segment) && o.until + o.patience().max(reach) >= look.from;
        let Some((owner, inside)) = self.owner(segment, look, near) else {
            return self.begin(segment, look);
        };
        let burst = &self.open[owner];
        // What a longer look has left of it are its skirts.
        let skirts = look.slabs > burst.look && burst.ratio() > STRONG;
        if skirts && f64::from(segment.excess) < KEPT_SHARE * burst.mean() {
            return;
        }
        // What it was waited for to come back as is no stronger than it was.
        if burst.until < look.from && f64::from(segment.excess) > OVERPOWERS * burst.mean() {
            return self.begin(segment, look);
        }
        let young = self.open.iter().filter(|o| near(o)).all(|o| o.hits < 2 && o.until >= look.from);
        let excess = f64::from(segment.excess);
        let another = inside < INSIDE_SHARE * segment.excess || excess > burst.most();
        // A longer look holds less of a burst that ended within it.
        let remnant = look.slabs == 1
            && 5 * segment.width() < 2 * (burst.hi - burst.lo)
            && excess < burst.mean() / OVERPOWERS;
        if young && another {
            return self.absorb_young(segment, look, near);
        }
        let end = look.from + reach;
        let (lo, hi) = if another || remnant {
            self.begin(segment, look);
            (segment.lo, segment.hi)
        } else {
            self.open[owner].see(segment, look);
            (self.open[owner].lo, self.open[owner].hi)
        };
        if remnant {
            return;
        }
        // The others are beside it, with a share of their own, or under it, unseen for the moment.
        let count = self.open.len();
        for (at, other) in self.open.iter_mut().enumerate() {
            let itself = if another { at + 1 == count } else { at == owner };
            if itself || !near(other) {
                continue;
            }
            let shared = other.hi.min(hi).saturating_sub(other.lo.max(lo));
            let (from, to) = (other.lo.max(segment.lo), other.hi.min(segment.hi));
            if 2 * shared < other.hi - other.lo && from < to {
                let own = Segment { lo: from, hi: to, excess: excess_in(look, from, to) };
                other.see(&own, look);
            } else if other.may_be_under(look) {
                other.covered += look.slabs;
                other.until = other.until.max(end);
            }
        }
    }

    /// The open burst near `segment` with most of its power and most of its width, and how much power that is.
    fn owner(
        &self,
        segment: &Segment,
        look: &Look<'_>,
        near: impl Fn(&Open) -> bool,
    ) -> Option<(usize, f32)> {
        let inside = |o: &Open| {
            let (lo, hi) = (
                o.lo.min(o.before.0).saturating_sub(1).max(segment.lo),
                (o.hi.max(o.before.1) + 1).min(segment.hi),
            );
            if lo < hi { excess_in(look, lo, hi) } else { 0.0 }
        };
        let candidates = self.open.iter().enumerate().filter(|(_, o)| near(o));
        let ranked = candidates.map(|(at, o)| (at, inside(o), inside(o) * o.likeness(segment)));
        ranked.max_by(|a, b| a.2.total_cmp(&b.2)).map(|(at, inside, _)| (at, inside))
    }

    /// What has only just begun was a piece of `segment`.
    fn absorb_young(&mut self, segment: &Segment, look: &Look<'_>, near: impl Fn(&Open) -> bool) {
        let from = self.open.iter().filter(|o| near(o)).map(|o| o.from).min().unwrap_or(look.from);
        let cut_start = self.open.iter().any(|o| near(o) && o.cut_start);
        self.open.retain(|o| !near(o));
        self.begin(segment, look);
        if let Some(burst) = self.open.last_mut() {
            burst.from = from;
            burst.cut_start = cut_start;
        }
    }

    /// Keeps bursts on that no segment was found for but whose power still stands, and marks their bins. A burst
    /// under another one that was seen is only waited for.
    pub fn sustain(&mut self, look: &Look<'_>, marks: &mut [bool]) {
        let end = look.from + u64::from(look.slabs);
        for at in 0..self.open.len() {
            let burst = self.open[at];
            if burst.look != look.slabs
                || burst.until >= end
                || burst.until + u64::from(look.slabs) < look.from
            {
                continue;
            }
            let (lo, hi) = (burst.lo, burst.hi);
            let over = |o: &Open| {
                o.until >= end && o.hits > 0 && 2 * o.hi.min(hi).saturating_sub(o.lo.max(lo)) >= hi - lo
            };
            let covered = self.open.iter().enumerate().any(|(i, o)| i != at && over(o));
            let burst = &mut self.open[at];
            if !burst.may_stand(look) {
                continue;
            }
            if !covered {
                burst.see(&Segment { lo, hi, excess: excess_in(look, lo, hi) }, look);
                marks[lo..hi].fill(true);
            } else if burst.may_be_under(look) {
                burst.covered += look.slabs;
                burst.until = end;
            }
        }
    }

    fn begin(&mut self, segment: &Segment, look: &Look<'_>) {
        if self.open.len() < MOST_OPEN {
            self.open.push(Open::new(segment, look));
        } else {
            self.dropped += 1;
        }
    }

    /// Takes out a burst that has ended by slab `now`, if there is one: call until there is none.
    pub fn take_ended(&mut self, now: u64) -> Option<Open> {
        let at = self.open.iter().position(|o| now > o.until + o.patience())?;
        let burst = self.open.swap_remove(at);
        self.ended[self.next_ended] = (burst.lo, burst.hi, burst.until);
        self.next_ended = (self.next_ended + 1) % self.ended.len();
        Some(burst)
    }

    /// Takes out a burst that has been on for `slabs` slabs or more, if there is one.
    pub fn take_long(&mut self, slabs: u64) -> Option<Open> {
        let at = self.open.iter().position(|o| o.until - o.from >= slabs)?;
        Some(self.open.swap_remove(at))
    }
}
