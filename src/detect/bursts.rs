//! Segments of successive looks joined into bursts.
//!
//! A segment belongs to an open burst when they share spectrum and most of the segment's power lies within the
//! burst. A segment that overlaps an open burst but brings its power from elsewhere is another emission over it;
//! a small remnant inside a wide burst that has gone is another one too. The first looks of a burst are not
//! trusted for its width: an abrupt edge inside a frame splatters.

use super::segments::{Segment, excess};

/// Most bursts open at once; further ones are counted and dropped.
pub const MOST_OPEN: usize = 256;

/// A burst that is still on, or was a moment ago. Times count slabs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Open {
    /// First slab it was seen in.
    pub from: u64,
    /// Slab after the last it was seen in.
    pub until: u64,
    /// Length of the looks that see it, slabs.
    pub look: u32,
    /// Bins it holds at present.
    pub lo: usize,
    /// Bin after the last.
    pub hi: usize,
    /// Looks that saw it.
    pub hits: u32,
    /// Sum over looks of power over the background times slabs.
    pub energy: f64,
    /// The same for the mirror of its bins about the middle of the span, without subtraction.
    pub mirror: f64,
    /// Background in its bins times slabs.
    pub background: f64,
    /// Energy-weighted sums of the extents.
    lo_moment: f64,
    hi_moment: f64,
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
            hits: 0,
            energy: 0.0,
            mirror: 0.0,
            background: 0.0,
            lo_moment: 0.0,
            hi_moment: 0.0,
            cut_start: look.at_start,
        };
        open.see(segment, look);
        open
    }

    fn see(&mut self, segment: &Segment, look: &Look<'_>) {
        let slabs = f64::from(look.slabs);
        let energy = f64::from(segment.excess) * slabs;
        let bins = look.power.len();
        self.until = self.until.max(look.from + u64::from(look.slabs));
        self.look = self.look.max(look.slabs);
        self.hits += 1;
        self.energy += energy;
        let mirror: f32 = look.power[bins - segment.hi + 1..(bins - segment.lo + 1).min(bins)].iter().sum();
        self.mirror += f64::from(mirror) * slabs;
        self.background += f64::from(look.level[segment.lo..segment.hi].iter().sum::<f32>()) * slabs;
        self.lo_moment += segment.lo as f64 * energy;
        self.hi_moment += segment.hi as f64 * energy;
        self.lo = segment.lo;
        self.hi = segment.hi;
    }

    /// Extents over its life, weighted by power.
    pub fn extents(&self) -> (usize, usize) {
        if self.energy <= 0.0 {
            return (self.lo, self.hi);
        }
        let (lo, hi) = (self.lo_moment / self.energy, self.hi_moment / self.energy);
        (lo.round() as usize, (hi.round() as usize).max(lo.round() as usize + 1))
    }

    /// Mean power over the background per slab, summed over its bins.
    pub fn mean(&self) -> f64 {
        self.energy / (self.until - self.from).max(1) as f64
    }

    /// Mean ratio of its power to the background in its bins.
    pub fn ratio(&self) -> f64 {
        if self.background > 0.0 { self.energy / self.background } else { f64::INFINITY }
    }

    fn overlaps(&self, segment: &Segment) -> bool {
        self.lo < segment.hi + 1 && segment.lo < self.hi + 1
    }

    /// Slabs without a sight after which it has ended: strong ones at once, weak ones may flicker.
    fn patience(&self) -> u64 {
        if self.ratio() > 10.0 { u64::from(self.look) - 1 } else { u64::from(self.look) }
    }
}

/// One look at the spectrum: a slab or a block of slabs.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// First slab of it.
    pub from: u64,
    /// How many slabs.
    pub slabs: u32,
    /// Mean power per bin.
    pub power: &'a [f32],
    /// Background per bin.
    pub level: &'a [f32],
    /// Observation began with this look.
    pub at_start: bool,
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
            *until + 1 >= look.from && *lo <= middle + 2 && middle < *hi + 2 && !self.open.iter().any(|o| o.overlaps(segment))
        })
    }

    fn attribute_one(&mut self, segment: &Segment, look: &Look<'_>) {
        let near = |o: &Open| o.overlaps(segment) && o.until + o.patience().max(u64::from(look.slabs)) >= look.from;
        let count = self.open.iter().filter(|o| near(o)).count();
        if count == 0 {
            return self.begin(segment, look);
        }
        let inside: f32 = self
            .open
            .iter()
            .filter(|o| near(o))
            .map(|o| {
                let (lo, hi) = (o.lo.saturating_sub(1).max(segment.lo), (o.hi + 1).min(segment.hi));
                if lo < hi { excess(look.power, look.level, lo, hi) } else { 0.0 }
            })
            .sum();
        let young = self.open.iter().filter(|o| near(o)).all(|o| o.hits < 2);
        if count == 1 {
            if let Some(burst) = self.open.iter_mut().find(|o| near(o)) {
                let another = inside < 0.6 * segment.excess && segment.width() > 2 * (burst.hi - burst.lo);
                let remnant = 5 * segment.width() < 2 * (burst.hi - burst.lo)
                    && f64::from(segment.excess) < 0.25 * burst.mean();
                if young || !(another || remnant) {
                    return burst.see(segment, look);
                }
                if another {
                    burst.until = burst.until.max(look.from + u64::from(look.slabs));
                }
            }
            return self.begin(segment, look);
        }
        if inside >= 0.6 * segment.excess && !young {
            return self.share(segment, look, near);
        }
        let from = self.open.iter().filter(|o| near(o)).map(|o| o.from).min().unwrap_or(look.from);
        if young {
            // Pieces of one onset.
            let cut_start = self.open.iter().any(|o| near(o) && o.cut_start);
            self.open.retain(|o| !near(o));
            self.begin(segment, look);
            if let Some(burst) = self.open.last_mut() {
                burst.from = from;
                burst.cut_start = cut_start;
            }
            return;
        }
        let until = look.from + u64::from(look.slabs);
        self.open.iter_mut().filter(|o| near(o)).for_each(|o| o.until = o.until.max(until));
        self.begin(segment, look);
    }

    /// Several bursts grew together: each keeps what lies in its own bins.
    fn share(&mut self, segment: &Segment, look: &Look<'_>, near: impl Fn(&Open) -> bool) {
        for burst in self.open.iter_mut().filter(|o| near(o)) {
            let (lo, hi) = (burst.lo.max(segment.lo), burst.hi.min(segment.hi));
            if lo < hi {
                let own = Segment { lo, hi, excess: excess(look.power, look.level, lo, hi) };
                burst.see(&own, look);
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
        let (lo, hi) = burst.extents();
        self.ended[self.next_ended] = (lo, hi, burst.until);
        self.next_ended = (self.next_ended + 1) % self.ended.len();
        Some(burst)
    }

    /// Takes out a burst that has been on for `slabs` slabs or more, if there is one.
    pub fn take_long(&mut self, slabs: u64) -> Option<Open> {
        let at = self.open.iter().position(|o| o.until - o.from >= slabs)?;
        Some(self.open.swap_remove(at))
    }
}
