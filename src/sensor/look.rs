//! The looking thread: blocks through the front half of the pipeline, its events to the writer.
//!
//! It never waits for the room: what the writer does not take is held up to a bound; beyond it events are dropped
//! and counted. The history of raw samples is kept here, where blocks go when they were looked at.

use super::evidence::Lender;
use super::likeness::{Likeness, Lines};
use super::plausible::{Implausible, Plausible};
use super::rows::Rows;
use super::shared::{Shared, add};
use super::write::{Outbox, Parcel};
use crate::clock::Monotonic;
use crate::iq::{Gap, Segment, Tuning};
use crate::pipeline::{Front, FrontEvent};
use crate::ring::{Block, Looker};
use crate::sweep;
use crate::wire::{FromSensor, frame};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Longest sleep of a thread that nobody wakes.
const NAP: Duration = Duration::from_millis(5);

/// Time between two reports of the counts.
const STATUS: Duration = Duration::from_millis(250);

/// Part of the span that two tunings are apart at least, to be compared: a line is then elsewhere.
const APART: f64 = 16.0;

/// Most bytes of events that wait for the writer: some seconds of the busiest band.
const HELD_MAX: usize = 1 << 20;

/// Rows of the waterfall are not made while so many bytes wait, which matter more.
const ROWS_HELD_MAX: usize = 64 << 10;

/// What is looked at.
pub struct Source {
    /// Samples a second.
    pub rate_hz: f64,
    /// By gain step: what levels are lower by than at the gain to search with, decibels.
    pub drops_db: Vec<f32>,
    /// Tunings of the plan.
    pub tunings: usize,
}

/// The thread's state.
pub struct Look<'a> {
    looker: Looker,
    shared: &'a Shared,
    outbox: Outbox,
    rate_hz: f64,
    /// By gain step: what levels are lower by than at the gain to search with, decibels.
    drops_db: Vec<f32>,
    /// The same in the segment.
    drop_db: f32,
    front: Front,
    plausible: Plausible,
    likeness: Likeness,
    scratch: Vec<f32>,
    segment: Option<u32>,
    /// The block before was not plausible.
    doubt: bool,
    events: Vec<FrontEvent>,
    /// What others of the process have to say.
    said: crossbeam_channel::Receiver<FromSensor>,
    lender: Lender,
    rows: Rows,
    status_due: Monotonic,
}

impl<'a> Look<'a> {
    /// Looks at what `looker` gets of `source`. Levels are told as at the gain to search with.
    pub fn new(
        looker: Looker,
        source: Source,
        shared: &'a Shared,
        outbox: Outbox,
        said: crossbeam_channel::Receiver<FromSensor>,
        lender: Lender,
    ) -> Self {
        let mut front = Front::new();
        front.sum_spectra();
        Self {
            looker,
            shared,
            outbox,
            rate_hz: source.rate_hz,
            drops_db: source.drops_db,
            drop_db: 0.0,
            front,
            plausible: Plausible::new(source.rate_hz),
            likeness: Likeness::default(),
            scratch: Vec::new(),
            segment: None,
            doubt: false,
            events: Vec::with_capacity(1024),
            said,
            lender,
            rows: Rows::new(source.tunings),
            status_due: Monotonic::now(),
        }
    }

    /// Looks until the end is wanted.
    pub fn run(&mut self) {
        while !self.shared.stopped() {
            match self.looker.take() {
                Some(block) => self.block(block),
                None => std::thread::park_timeout(NAP),
            }
            while let Ok(message) = self.said.try_recv() {
                frame(&message, &mut self.outbox.held);
            }
            self.lender.turn(self.looker.history());
            let now = Monotonic::now();
            if now >= self.status_due {
                self.status_due = now.plus(STATUS);
                let counts = self.shared.counts();
                frame(&FromSensor::Status(counts), &mut self.outbox.held);
            }
            self.send(None);
        }
        // What was open is reported as it is.
        self.front.finish(&mut self.events);
        self.encode();
        self.send(None);
    }

    fn block(&mut self, block: Arc<Block>) {
        let good = block.iq.samples.is_empty() || self.content(&block);
        // What a fault leaves at its ends must not look like emissions: nothing of it is looked at, nor the block after
        // it, and the floor is learned anew.
        let trusted = good && !std::mem::replace(&mut self.doubt, !good);
        if trusted {
            if self.segment != Some(block.segment) {
                self.begin(&block);
            }
            if block.lost_before > 0 {
                self.front.gap(Gap { lost: block.lost_before }, &mut self.events);
            }
            self.front.step(&block.iq, &mut self.events);
        } else {
            self.front.finish(&mut self.events);
            self.segment = None;
        }
        if block.ends_segment {
            self.front.finish(&mut self.events);
        }
        let ended = block.finished.is_some().then_some(block.received_ns);
        self.encode();
        if let Some(look) = block.finished {
            self.compare(look.dwell.center_hz);
            let floor_dbfs_per_hz = self.front.floor_dbfs_per_hz().map_or(f32::NAN, |db| db as f32);
            frame(&FromSensor::Looked { look, floor_dbfs_per_hz }, &mut self.outbox.held);
            self.row(&look);
        }
        self.looker.keep(block);
        self.send(ended);
    }

    /// A line of the waterfall, if somebody watches and there is time for it.
    fn row(&mut self, look: &sweep::Look) {
        let watched = self.shared.watched.load(Ordering::Relaxed);
        self.front.watch(watched);
        if !watched || self.outbox.held.len() > ROWS_HELD_MAX {
            return;
        }
        let Some(heard) = self.front.watched() else { return };
        if self.rows.make(look, heard, self.rate_hz, self.drop_db) {
            let message = FromSensor::Row(std::mem::take(&mut self.rows.row));
            frame(&message, &mut self.outbox.held);
            if let FromSensor::Row(row) = message {
                self.rows.row = row;
            }
            self.front.forget_watched();
        }
    }

    /// Compares what the dwell heard with the one before, if the receiver was tuned elsewhere.
    fn compare(&mut self, center_hz: f64) {
        let Some(sum) = self.front.summed() else { return };
        let lines = Lines::of(sum, &mut self.scratch);
        let run = self.likeness.dwelt(center_hz, lines, self.rate_hz / APART);
        self.shared.alike.store(run, Ordering::Relaxed);
    }

    /// Counts what a receiver cannot hear; whether there was nothing like that.
    fn content(&mut self, block: &Block) -> bool {
        add(&self.shared.blocks, 1);
        let implausible = self.plausible.look(&block.iq.samples);
        match implausible {
            Some(Implausible::Repeated) => add(&self.shared.repeated, 1),
            Some(Implausible::DeadRail) => add(&self.shared.dead_rail, 1),
            Some(Implausible::Constant) => add(&self.shared.constant, 1),
            None => {}
        }
        implausible.is_none()
    }

    fn begin(&mut self, block: &Block) {
        self.front.finish(&mut self.events);
        self.encode();
        self.segment = Some(block.segment);
        let step = block.dwell.map_or(0, |dwell| usize::from(dwell.gain_step));
        self.drop_db = self.drops_db.get(step).copied().unwrap_or(0.0);
        let segment = Segment {
            index: block.segment,
            tuning: Tuning { rate_hz: self.rate_hz, center_hz: block.dwell.map(|dwell| dwell.center_hz) },
            start_s: block.segment_start_s + block.iq.first as f64 / self.rate_hz,
            shared_axis: true,
            format: block.iq.samples.format(),
        };
        self.front.begin(&segment, &mut self.events);
    }

    fn encode(&mut self) {
        for event in self.events.drain(..) {
            let before = self.outbox.held.len();
            frame(&FromSensor::Event(event.louder(self.drop_db)), &mut self.outbox.held);
            // Beginnings are never dropped: what follows could not be understood without them.
            if before > HELD_MAX && !matches!(event, FrontEvent::Segment(_) | FrontEvent::Health(_)) {
                add(&self.shared.shed, (self.outbox.held.len() - before) as u64);
                self.outbox.held.truncate(before);
            }
        }
    }

    fn send(&mut self, ended_ns: Option<u64>) {
        self.outbox.send(ended_ns.map(Parcel::ended));
    }
}
