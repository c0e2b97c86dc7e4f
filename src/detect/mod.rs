//! Bursts and carriers out of slabs of spectrum.
//!
//! Two detectors stand side by side. Bursts are found as a ratio to the background, at looks of 1, 4, 16, 64
//! and 256 slabs: short looks for strong bursts, long looks for weak steady ones. What stays longer than
//! [`Detector::new`]'s `carrier_slabs` is promoted to a carrier, becomes part of the background, and is watched
//! until it falls. The background is learned from the first rows and then follows; see [`floor`].

mod bursts;
mod carriers;
mod floor;
mod marks;
mod segments;
mod step;
mod threshold;

pub use bursts::Open;

pub use carriers::Steady;
pub use floor::MOST_ROWS;
pub use threshold::{FALSE_ALARM, mean_power_quantile, normal_quantile};

use crate::spectrum::{Correlation, Layout, kaiser, kernels};
use bursts::{Bursts, Look};
use carriers::Carriers;
use floor::Background;
use marks::Marker;
use segments::Segment;
use step::StepWatch;
use threshold::{Cells, Thresholds};

/// Slabs per look.
const LOOKS: [u32; 5] = [1, 4, 16, 64, 256];

/// Index in [`LOOKS`] of the block by which the background follows.
const BLOCK: usize = 2;

/// Most bursts that have not been told of.
pub const MOST_UNTOLD: usize = 2 * bursts::MOST_OPEN;

/// Slabs of the shortest and of the longest look that carriers are watched in.
const WATCHED: (u32, u32) = (LOOKS[BLOCK], LOOKS[LOOKS.len() - 1]);

/// Chance that the noise of a bin in a block is taken for a fall of the background. At 20 MS/s some 6e5 of them a second
/// are looked at, and one taken wrongly stands over its background for good: less than once in a hundred days.
const COLLAPSE_CHANCE: f64 = 1e-13;

/// Share of the floor below which nothing is received: no gain step is as deep (RTL-SDR 50 dB at once at most, in steps
/// of 1 to 3 dB).
const DEAD_SHARE: f32 = 0.01;

/// Something the detector noticed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noticed {
    /// A burst ended.
    Burst(Open),
    /// A burst stays and is a carrier now.
    CarrierOn(Steady),
    /// A carrier fell.
    CarrierOff(Steady),
    /// The whole floor moved by this ratio.
    FloorStep(f32),
}

/// One of the looks longer than a slab.
struct LongLook {
    thresholds: Thresholds,
    cells: Cells,
    /// Sums over the slabs so far: ratios with detections counted as noise, and powers.
    ratios: Vec<f32>,
    power: Vec<f32>,
    /// Of the powers, what detections put over the background.
    found: Vec<f32>,
    any_found: bool,
    seen: u32,
    from: u64,
}

/// The detector of one segment of stream.
pub struct Detector {
    background: Background,
    marker: Marker,
    bursts: Bursts,
    carriers: Carriers,
    steps: StepWatch,
    /// Bursts that ended in the last blocks, or since the whole span began to rise.
    withheld: Vec<Open>,
    short: Thresholds,
    short_cells: Cells,
    long: Vec<LongLook>,
    /// Slabs of the present block in which a bin was not quiet.
    missed: Vec<u16>,
    /// Bins in which a carrier stands.
    held: Vec<bool>,
    /// Mean power lately, per bin.
    recent: Vec<f32>,
    recent_known: bool,
    segments: Vec<Segment>,
    kept: Vec<Segment>,
    fallen: Vec<Steady>,
    ratios: Vec<f32>,
    mean: Vec<f32>,
    /// Mean power over a longer look, without what shorter ones found.
    rest: Vec<f32>,
    /// What passes for the power of a slab in which nothing was received.
    nothing: Vec<f32>,
    /// Sum of the floor over all bins.
    floor_sum: f32,
    carrier_slabs: u64,
    cells_per_slab: f64,
    /// Mean ratio over a block that noise does not fall to.
    collapsed: f32,
    next: u64,
    first: u64,
    /// First slab after the last gain step.
    stepped: u64,
    /// Slabs in a row in which nothing was received.
    dead_run: u64,
}

impl Detector {
    /// For slabs of `layout`; what stays on for `carrier_slabs` is a carrier.
    pub fn new(layout: &Layout, carrier_slabs: u64) -> Self {
        let bins = layout.bins;
        let correlation = Correlation::of(&kaiser(bins));
        let long = LOOKS[1..]
            .iter()
            .map(|slabs| LongLook {
                thresholds: Thresholds::new(&correlation, bins, layout.slab_frames * *slabs as usize),
                cells: Cells::new(&correlation, bins, layout.slab_frames * *slabs as usize),
                ratios: vec![0.0; bins],
                power: vec![0.0; bins],
                found: vec![0.0; bins],
                any_found: false,
                seen: 0,
                from: 0,
            })
            .collect();
        Self {
            background: Background::new(bins),
            marker: Marker::new(bins),
            bursts: Bursts::default(),
            carriers: Carriers::default(),
            steps: StepWatch::new(layout.slab_s() * f64::from(LOOKS[BLOCK]), LOOKS[BLOCK]),
            withheld: Vec::with_capacity(bursts::MOST_OPEN),
            short: Thresholds::new(&correlation, bins, layout.slab_frames),
            short_cells: Cells::new(&correlation, bins, layout.slab_frames),
            long,
            missed: vec![0; bins],
            held: vec![false; bins],
            recent: vec![0.0; bins],
            recent_known: false,
            segments: Vec::with_capacity(bins / 2),
            kept: Vec::with_capacity(bins / 2),
            fallen: Vec::with_capacity(carriers::MOST_CARRIERS),
            ratios: vec![1.0; bins],
            mean: vec![0.0; bins],
            rest: vec![0.0; bins],
            nothing: vec![0.0; bins],
            floor_sum: 0.0,
            carrier_slabs,
            cells_per_slab: correlation.independent_cells(1, layout.slab_frames),
            collapsed: {
                let cells = correlation.independent_cells(1, layout.slab_frames * LOOKS[BLOCK] as usize);
                mean_power_quantile(cells, 1.0 - COLLAPSE_CHANCE) as f32
            },
            next: 0,
            first: 0,
            stepped: 0,
            dead_run: 0,
        }
    }

    /// Learns floor and background from `rows` of slab powers and the power `offset` of their mean sample; no bin
    /// is believed to be below `least`. The next slab will be number `first`.
    pub fn learn(&mut self, rows: &[f32], least: f32, offset: f32, first: u64) {
        self.background.learn(rows, self.cells_per_slab, least, offset);
        self.carriers.stand(&self.background, first);
        self.floor_sum = kernels::sum(&self.background.floor);
        self.next = first;
        self.first = first;
    }

    /// Contiguous slabs begin again at number `first`; what was on has been flushed.
    pub fn begin_stretch(&mut self, first: u64) {
        self.next = first;
        self.first = first;
        self.clear_looks();
    }

    /// Longer looks begin anew.
    fn clear_looks(&mut self) {
        for look in &mut self.long {
            look.seen = 0;
            look.ratios.fill(0.0);
            look.power.fill(0.0);
            look.found.fill(0.0);
            look.any_found = false;
        }
        self.missed.fill(0);
    }

    /// What a single bin of a slab must exceed, as a ratio to the background.
    pub fn bin_threshold(&self) -> f32 {
        self.short.sum[0]
    }

    /// Floor per bin.
    pub fn floor(&self) -> &[f32] {
        &self.background.floor
    }

    /// What the receiver's offset put over the floor when that was learned, as [`Steady::excess`].
    pub fn dc_excess(&self) -> f32 {
        self.background.dc_excess
    }

    /// Carriers that are on.
    pub fn carriers(&self) -> &[Steady] {
        &self.carriers.on
    }

    /// Background per bin: floor, or the carrier that stands there.
    pub fn level(&self) -> &[f32] {
        &self.background.level
    }

    /// Bursts that have not been told of: those that are on, and those that just ended.
    pub fn untold(&self) -> impl Iterator<Item = &Open> {
        self.bursts.open.iter().chain(&self.withheld)
    }

    /// Carriers that are on.
    pub fn carriers_mut(&mut self) -> &mut [Steady] {
        &mut self.carriers.on
    }

    /// Number of the next slab.
    pub fn now(&self) -> u64 {
        self.next
    }

    /// First slab after the last gain step: what was received before is on another scale.
    pub fn stepped(&self) -> u64 {
        self.stepped
    }

    /// Bursts that were dropped because too many were open.
    pub fn dropped(&self) -> u64 {
        self.bursts.dropped
    }

    /// Mean power lately, per bin.
    pub fn recent(&self) -> &[f32] {
        &self.recent
    }

    /// Takes the next slab.
    pub fn slab(&mut self, power: &[f32], out: &mut Vec<Noticed>) {
        let now = self.next;
        // A converter that hangs delivers a constant: all in the middle.
        let middle = power.len() / 2;
        let constant: f32 = power[middle - 4..=middle + 4].iter().sum();
        if kernels::sum(power) - constant < DEAD_SHARE * self.floor_sum {
            return self.dead_slab(now, power, out);
        }
        self.dead_run = 0;
        kernels::multiply(power, &self.background.inverse, &mut self.ratios);
        if !self.bursts.open.is_empty() || self.marker.anything(&self.ratios, &self.short) {
            self.marker.mark(&self.ratios, &self.short);
            self.attribute(now, 1, self.short_cells, power);
            let first = &mut self.long[0];
            first.any_found = true;
            let level = &self.background.level;
            let mut next = 0;
            while let Some((lo, hi)) = marks::next_run(&self.marker.marks, next) {
                self.ratios[lo..hi].fill(1.0);
                self.missed[lo..hi].iter_mut().for_each(|missed| *missed += 1);
                let present = power[lo..hi].iter().zip(&level[lo..hi]);
                for (found, (power, level)) in first.found[lo..hi].iter_mut().zip(present) {
                    *found += power - level;
                }
                next = hi;
            }
        }
        self.next += 1;
        self.feed_long_looks(now, power, out);
        self.settle(out);
    }

    /// A slab in which the receiver delivered nothing: no measure of anything, it passes for the background.
    fn dead_slab(&mut self, now: u64, power: &[f32], out: &mut Vec<Noticed>) {
        self.dead_run += 1;
        // For as long, it is how the receiver is now: an antenna that is off, not a hiccup.
        let ratio = kernels::sum(power) / self.floor_sum;
        if self.dead_run >= self.carrier_slabs && self.background.holds(ratio) {
            self.next += 1;
            self.dead_run = 0;
            return self.step_to(ratio, self.carrier_slabs, out);
        }
        self.ratios.fill(1.0);
        for missed in &mut self.missed {
            *missed += 1;
        }
        self.next += 1;
        let mut nothing = std::mem::take(&mut self.nothing);
        nothing.copy_from_slice(&self.background.level);
        self.feed_long_looks(now, &nothing, out);
        self.nothing = nothing;
        self.settle(out);
    }

    /// The stream ends or breaks: everything that is on is reported as it is.
    pub fn flush(&mut self, out: &mut Vec<Noticed>) {
        out.extend(self.withheld.drain(..).map(Noticed::Burst));
        out.extend(self.bursts.open.drain(..).map(Noticed::Burst));
        for carrier in self.carriers.on.drain(..) {
            self.background.release(carrier.lo, carrier.hi);
            fell(carrier, out);
        }
    }

    /// Attributes what `marker` marked in a look.
    fn attribute(&mut self, from: u64, slabs: u32, cells: Cells, power: &[f32]) {
        self.background.bridge_dc(&mut self.marker.marks);
        segments::find(&self.marker.marks, power, &self.background.level, &mut self.segments);
        let at_start = from == self.first;
        self.kept.clear();
        for segment in &self.segments {
            let level: f32 = self.background.level[segment.lo..segment.hi].iter().sum();
            if segment.excess <= level * cells.excess_of_noise(segment.width()) {
                continue;
            }
            let look = Look { from, slabs, cells, power, all: &[], level: &[], at_start };
            if !self.carriers.absorbs(segment, &look, &mut self.background) {
                self.kept.push(*segment);
            }
        }
        let all = if slabs == 1 { power } else { &self.mean };
        let look = Look { from, slabs, cells, power, all, level: &self.background.level, at_start };
        self.bursts.attribute(&self.kept, &look);
        self.bursts.sustain(&look, &mut self.marker.marks);
    }

    fn feed_long_looks(&mut self, now: u64, power: &[f32], out: &mut Vec<Noticed>) {
        // Each look feeds the next longer one when it is full.
        for index in 0..self.long.len() {
            let (done, rest) = self.long.split_at_mut(index);
            let look = &mut rest[0];
            if look.seen == 0 {
                look.from = now + 1 - u64::from(LOOKS[index]);
            }
            match done.last_mut() {
                None => {
                    kernels::add(&self.ratios, &mut look.ratios);
                    kernels::add(power, &mut look.power);
                }
                Some(shorter) => {
                    kernels::add(&shorter.ratios, &mut look.ratios);
                    kernels::add(&shorter.power, &mut look.power);
                    shorter.ratios.fill(0.0);
                    shorter.power.fill(0.0);
                    if std::mem::take(&mut shorter.any_found) {
                        kernels::add(&shorter.found, &mut look.found);
                        shorter.found.fill(0.0);
                        look.any_found = true;
                    }
                }
            }
            look.seen += 1;
            if look.seen < LOOKS[index + 1] / LOOKS[index] {
                return;
            }
            look.seen = 0;
            self.end_look(index, out);
            if self.stepped == self.next {
                return;
            }
        }
        if let Some(last) = self.long.last_mut() {
            last.ratios.fill(0.0);
            last.power.fill(0.0);
            last.found.fill(0.0);
            last.any_found = false;
        }
    }

    /// A longer look is full: searches it, and keeps the background.
    fn end_look(&mut self, index: usize, out: &mut Vec<Noticed>) {
        let slabs = LOOKS[index + 1];
        let share = 1.0 / slabs as f32;
        let look = &mut self.long[index];
        let (from, cells) = (look.from, look.cells);
        kernels::scale(&look.power, share, &mut self.mean);
        kernels::scale(&look.ratios, share, &mut self.ratios);
        if self.bursts.open.iter().any(|o| o.look == slabs)
            || self.marker.anything(&self.ratios, &look.thresholds)
        {
            self.marker.mark(&self.ratios, &look.thresholds);
            let mut rest = std::mem::take(&mut self.rest);
            for ((rest, mean), found) in rest.iter_mut().zip(&self.mean).zip(&self.long[index].found) {
                *rest = mean - found * share;
            }
            self.attribute(from, slabs, cells, &rest);
            self.rest = rest;
            // Counts as noise from here on, for the longer looks too.
            let (look, level) = (&mut self.long[index], &self.background.level);
            look.any_found = true;
            let mut next = 0;
            while let Some((lo, hi)) = marks::next_run(&self.marker.marks, next) {
                look.ratios[lo..hi].fill(slabs as f32);
                self.missed[lo..hi].fill(LOOKS[BLOCK] as u16);
                let present = look.power[lo..hi].iter().zip(&level[lo..hi]);
                for (found, (power, level)) in look.found[lo..hi].iter_mut().zip(present) {
                    *found = power - level * slabs as f32;
                }
                next = hi;
            }
        }
        if index + 1 >= BLOCK {
            let look = Look { from, slabs, cells, power: &self.mean, all: &[], level: &[], at_start: false };
            self.carriers.watch(&look, WATCHED, &mut self.background, &mut self.fallen);
            // Their ratios are still to the carrier.
            for carrier in &self.fallen {
                self.missed[carrier.lo..carrier.hi].fill(LOOKS[BLOCK] as u16);
            }
            for carrier in self.fallen.drain(..) {
                fell(carrier, out);
            }
            for carrier in &mut self.carriers.on {
                if !carrier.told && carrier.until >= carrier.from + self.carrier_slabs {
                    (carrier.told, carrier.reported) = (true, carrier.until);
                    out.push(Noticed::CarrierOn(*carrier));
                }
            }
        }
        if index + 1 == BLOCK {
            self.end_block(out);
        }
    }

    /// Every block the background follows where it was quiet.
    fn end_block(&mut self, out: &mut Vec<Noticed>) {
        let weight = if self.recent_known { 0.25 } else { 1.0 };
        self.recent_known = true;
        for (recent, mean) in self.recent.iter_mut().zip(&self.mean) {
            *recent += (mean - *recent) * weight;
        }
        if let Some(ratio) = self.steps.block(&self.mean, &self.background) {
            self.step_to(ratio, self.steps.risen_slabs(ratio), out);
            return;
        }
        self.release(out);
        // In the sums of the block, what was not quiet stands as 1 a slab.
        let whole = LOOKS[BLOCK] as u16;
        self.held.fill(false);
        for carrier in &self.carriers.on {
            self.held[carrier.lo..carrier.hi].fill(true);
        }
        // What a longer look sees is not marked in every block.
        for burst in self.bursts.open.iter().filter(|burst| burst.look > LOOKS[BLOCK]) {
            self.missed[burst.lo..burst.hi].fill(whole);
        }
        let sums = &self.long[BLOCK - 1].ratios;
        for (bin, (missed, sum)) in self.missed.iter_mut().zip(sums).enumerate() {
            let quiet = whole - (*missed).min(whole);
            if quiet >= whole / 2 {
                let collapsed = if quiet == whole { self.collapsed } else { 0.0 };
                let ratio = (sum - f32::from(*missed)).max(0.0) / f32::from(quiet);
                self.background.follow(bin, ratio, collapsed, self.held[bin]);
            }
            *missed = 0;
        }
        self.background.end_block();
        self.floor_sum = kernels::sum(&self.background.floor);
    }

    /// Keeps a burst until it is known not to be the floor, rising.
    fn withhold(&mut self, burst: Open, out: &mut Vec<Noticed>) {
        if self.withheld.len() == self.withheld.capacity() {
            out.extend(self.withheld.drain(..).map(Noticed::Burst));
        }
        self.withheld.push(burst);
    }

    /// Lets go of the bursts that ended before the present block: a step within it shows in the next one only.
    fn release(&mut self, out: &mut Vec<Noticed>) {
        if self.steps.is_rising() {
            return;
        }
        let before = self.next.saturating_sub(u64::from(LOOKS[BLOCK]));
        self.withheld.retain(|burst| {
            let keep = burst.until > before;
            if !keep {
                out.push(Noticed::Burst(*burst));
            }
            keep
        });
    }

    /// The whole floor moved by `ratio`, over the last `slabs`.
    fn step_to(&mut self, ratio: f32, slabs: u64, out: &mut Vec<Noticed>) {
        self.background.scale(ratio);
        self.carriers.scale(ratio);
        self.floor_sum = kernels::sum(&self.background.floor);
        // What opened since it began was the floor.
        let began = self.next.saturating_sub(slabs);
        self.bursts.open.retain(|o| o.from < began);
        self.withheld.retain(|o| o.from < began);
        self.recent.iter_mut().for_each(|recent| *recent *= ratio);
        // What was summed so far is on another scale.
        self.clear_looks();
        self.stepped = self.next;
        out.push(Noticed::FloorStep(ratio));
    }

    /// Takes out what ended and what stayed.
    fn settle(&mut self, out: &mut Vec<Noticed>) {
        if self.bursts.open.is_empty() {
            return;
        }
        while let Some(burst) = self.bursts.take_ended(self.next) {
            self.withhold(burst, out);
        }
        while let Some(burst) = self.bursts.take_long(self.carrier_slabs) {
            // What moves on stands nowhere.
            if burst.sweeps() {
                self.withhold(burst, out);
            } else if let Some(carrier) =
                self.carriers.promote(&burst, &self.recent, &mut self.background, self.first)
            {
                out.push(Noticed::CarrierOn(carrier));
            }
        }
    }
}

/// Tells of a carrier's end, and of the carrier itself if it ended before that.
fn fell(carrier: Steady, out: &mut Vec<Noticed>) {
    if !carrier.told {
        out.push(Noticed::CarrierOn(carrier));
    }
    out.push(Noticed::CarrierOff(carrier));
}
