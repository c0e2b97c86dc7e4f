//! Where bursts were seen and what became of them, as far as a picture can show it.
//!
//! Bursts on one channel that follow each other within a picture's row are one box, so that the number of boxes
//! is bounded by what the eye can tell apart.

use crate::explain::attribute;
use crate::measure::{Burst, Carrier};
use crate::pipeline::{EmitterReport, FrontEvent, Output};
use std::collections::BTreeMap;

/// Boxes kept; more are not drawn.
const BOXES_MAX: usize = 4096;
/// Emitters kept for their names and colours.
const EMITTERS_MAX: usize = 1024;
/// Boxes looked at for one to grow: the most recent ones.
const RECENT: usize = 64;
/// Rows between two bursts of one box.
const GAP_ROWS: f64 = 4.0;
/// Levels this far apart are of two transmitters, dB.
const LEVEL_DB: f32 = 6.0;

/// Bursts in time and frequency.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// The first of them, stretched to the end of the last.
    pub burst: Burst,
    /// Middle of the span, hertz (0 if unknown).
    pub tuned_hz: f64,
    carrier: Option<u32>,
}

impl Seen {
    /// Lower and upper edge, hertz.
    pub fn edges_hz(&self) -> (f64, f64) {
        let center_hz = self.center_hz();
        (center_hz - self.burst.bandwidth_hz / 2.0, center_hz + self.burst.bandwidth_hz / 2.0)
    }

    fn center_hz(&self) -> f64 {
        self.tuned_hz + self.burst.offset_hz
    }

    fn continues(&self, earlier: &Self, gap_s: f64) -> bool {
        let (burst, before) = (&self.burst, &earlier.burst);
        let apart_hz = (self.center_hz() - earlier.center_hz()).abs();
        burst.segment == before.segment
            && self.carrier.is_none()
            && earlier.carrier.is_none()
            && burst.start_s - before.end_s <= gap_s
            && apart_hz <= before.bandwidth_hz.max(burst.bandwidth_hz) / 4.0
            && before.bandwidth_hz.max(burst.bandwidth_hz)
                <= 1.5 * before.bandwidth_hz.min(burst.bandwidth_hz)
            && (before.power_dbfs - burst.power_dbfs).abs() <= LEVEL_DB
    }
}

/// All boxes and emitters.
#[derive(Debug, Default)]
pub struct Boxes {
    tuned_hz: f64,
    seen: Vec<Seen>,
    emitters: BTreeMap<u32, EmitterReport>,
}

impl Boxes {
    /// Takes what the front says; rows of the picture last `row_s`.
    pub fn front(&mut self, event: &FrontEvent, row_s: f64) {
        match event {
            FrontEvent::Segment(segment) => self.tuned_hz = segment.center_hz.unwrap_or(0.0),
            FrontEvent::Burst(burst) => self.burst(burst, row_s),
            FrontEvent::Carrier(carrier) => self.carrier(carrier),
            FrontEvent::Observed(_) | FrontEvent::Health(_) => {}
        }
    }

    /// Takes what the back says.
    pub fn output(&mut self, output: &Output) {
        if let Output::Emitter(_, report) = output
            && (self.emitters.len() < EMITTERS_MAX || self.emitters.contains_key(&report.id))
        {
            self.emitters.insert(report.id, report.clone());
        }
    }

    /// Each box with the emitter that it went to.
    pub fn attributed(&self) -> impl Iterator<Item = (&Seen, Option<&EmitterReport>)> {
        self.seen.iter().map(|seen| (seen, attribute(&seen.burst, seen.center_hz(), self.emitters.values())))
    }

    fn burst(&mut self, burst: &Burst, row_s: f64) {
        let new = Seen { burst: *burst, tuned_hz: self.tuned_hz, carrier: None };
        let recent = self.seen.iter_mut().rev().take(RECENT);
        for earlier in recent {
            if new.continues(earlier, GAP_ROWS * row_s) {
                earlier.burst.start_s = earlier.burst.start_s.min(burst.start_s);
                earlier.burst.end_s = earlier.burst.end_s.max(burst.end_s);
                return;
            }
        }
        self.push(new);
    }

    fn carrier(&mut self, carrier: &Carrier) {
        let new = Seen { burst: carrier.burst, tuned_hz: self.tuned_hz, carrier: Some(carrier.number) };
        let same = |seen: &&mut Seen| seen.carrier == new.carrier && seen.burst.segment == new.burst.segment;
        match self.seen.iter_mut().rev().find(same) {
            Some(known) => *known = new,
            None => self.push(new),
        }
    }

    fn push(&mut self, seen: Seen) {
        if self.seen.len() < BOXES_MAX {
            self.seen.push(seen);
        }
    }
}
