//! What goes on, to the room, and to whoever else is told.

use super::super::hub::Hub;
use super::{Condition, LiveSink};
use crate::guard::State;
use crate::pipeline::{HealthState, Output};
use crate::spectrum::{Row, Tile};
use crate::sweep::{BandCoverage, Scheduler};
use crate::wire::{Counts, EvidenceAsk, Hello};
use std::io;

/// Tells the room first: it records.
pub struct RoomLive<S> {
    hub: Hub,
    other: S,
}

impl<S: LiveSink> RoomLive<S> {
    /// Tells `hub`, then `other`.
    pub fn new(hub: Hub, other: S) -> Self {
        Self { hub, other }
    }
}

impl<S: LiveSink> LiveSink for RoomLive<S> {
    fn open(&mut self, hello: &Hello, at_s: f64) -> io::Result<()> {
        self.other.open(hello, at_s)
    }

    fn output(&mut self, output: &Output, now_s: f64) -> io::Result<()> {
        self.hub.output_at(output, now_s);
        self.other.output(output, now_s)
    }

    fn health(&mut self, conditions: &[Condition], at_s: f64) -> io::Result<()> {
        let state = |condition: &Condition| match condition.state {
            _ if condition.tamper => State::Tamper,
            HealthState::Blind => State::Blind,
            HealthState::Degraded | HealthState::Ok => State::Degraded,
        };
        self.hub.wrong(conditions.iter().map(|c| (state(c), c.reason.to_owned())).collect());
        self.other.health(conditions, at_s)
    }

    fn coverage(&mut self, bands: &[BandCoverage], counts: &Counts, at_s: f64) -> io::Result<()> {
        self.other.coverage(bands, counts, at_s)
    }

    fn watched(&mut self, looked: Option<(&Scheduler, f64)>, at_s: f64) -> io::Result<()> {
        match looked {
            Some((books, superframe_s)) => self.hub.looked(books.coverage(at_s), superframe_s),
            None => self.hub.alive(),
        }
        self.other.watched(looked, at_s)
    }

    fn wants_rows(&self) -> bool {
        self.hub.waterfall().is_watched() || self.other.wants_rows()
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.hub.waterfall().show(row);
        self.other.row(row)
    }

    fn evidence(&mut self, alert: u32, picture: Result<(EvidenceAsk, Tile), String>) -> io::Result<()> {
        self.hub.evidence(alert, picture.clone());
        self.other.evidence(alert, picture)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.other.flush()
    }
}

impl LiveSink for Box<dyn LiveSink + '_> {
    fn open(&mut self, hello: &Hello, at_s: f64) -> io::Result<()> {
        (**self).open(hello, at_s)
    }

    fn output(&mut self, output: &Output, now_s: f64) -> io::Result<()> {
        (**self).output(output, now_s)
    }

    fn health(&mut self, conditions: &[Condition], at_s: f64) -> io::Result<()> {
        (**self).health(conditions, at_s)
    }

    fn coverage(&mut self, bands: &[BandCoverage], counts: &Counts, at_s: f64) -> io::Result<()> {
        (**self).coverage(bands, counts, at_s)
    }

    fn watched(&mut self, looked: Option<(&Scheduler, f64)>, at_s: f64) -> io::Result<()> {
        (**self).watched(looked, at_s)
    }

    fn wants_rows(&self) -> bool {
        (**self).wants_rows()
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        (**self).row(row)
    }

    fn evidence(&mut self, alert: u32, picture: Result<(EvidenceAsk, Tile), String>) -> io::Result<()> {
        (**self).evidence(alert, picture)
    }

    fn flush(&mut self) -> io::Result<()> {
        (**self).flush()
    }
}
