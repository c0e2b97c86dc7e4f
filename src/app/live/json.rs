//! What goes on, one JSON object a line.

use super::super::ndjson::{Ndjson, state_word};
use super::super::report::Sink;
use super::{Condition, LiveSink};
use crate::pipeline::{HealthState, Output};
use crate::sweep::BandCoverage;
use crate::wire::{Counts, Hello};
use jiff::Timestamp;
use serde::Serialize;
use std::io::{self, Write};

/// Writes lines.
pub struct JsonLive<W> {
    lines: Ndjson<W>,
}

impl<W: Write> JsonLive<W> {
    /// Writes to `to`; second 0 is `epoch`.
    pub fn new(to: W, epoch: Timestamp) -> Self {
        Self { lines: Ndjson::new(to, false).from_epoch(epoch) }
    }
}

impl<W: Write> LiveSink for JsonLive<W> {
    fn open(&mut self, hello: &Hello, at_s: f64) -> io::Result<()> {
        let utc = self.lines.utc(at_s);
        self.lines.line(&SensorLine {
            event: "sensor",
            at_s,
            driver: &hello.driver,
            hardware: &hello.hardware,
            serial: hello.serial.as_deref(),
            sample_rate_hz: hello.rate_hz,
            settle_s: hello.settle_samples as f64 / hello.rate_hz,
            settle_measured: hello.settle_measured,
            real_time: hello.real_time,
            tunings: hello.plan.tunings.len(),
            superframe_s: hello.plan.superframe_s,
            looked_share: hello.plan.looked_share(),
            utc,
        })
    }

    fn output(&mut self, output: &Output, _now_s: f64) -> io::Result<()> {
        self.lines.output(output)
    }

    fn health(&mut self, conditions: &[Condition], at_s: f64) -> io::Result<()> {
        let worst = conditions.first();
        let utc = self.lines.utc(at_s);
        self.lines.line(&HealthLine {
            event: "health",
            state: state_word(worst.map_or(HealthState::Ok, |worst| worst.state)),
            at_s,
            reason: worst.map(|worst| worst.reason),
            conditions: conditions
                .iter()
                .map(|condition| ConditionLine {
                    state: state_word(condition.state),
                    reason: condition.reason,
                    tamper: condition.tamper,
                })
                .collect(),
            utc,
        })
    }

    fn coverage(&mut self, bands: &[BandCoverage], counts: &Counts, at_s: f64) -> io::Result<()> {
        let utc = self.lines.utc(at_s);
        self.lines.line(&CoverageLine { event: "coverage", at_s, bands, samples: counts, utc })
    }

    fn flush(&mut self) -> io::Result<()> {
        Sink::flush(&mut self.lines)
    }
}

#[derive(Serialize)]
struct SensorLine<'a> {
    event: &'static str,
    at_s: f64,
    driver: &'a str,
    hardware: &'a str,
    serial: Option<&'a str>,
    sample_rate_hz: f64,
    settle_s: f64,
    settle_measured: bool,
    real_time: bool,
    tunings: usize,
    superframe_s: f64,
    looked_share: f64,
    utc: Option<String>,
}

#[derive(Serialize)]
struct HealthLine {
    event: &'static str,
    state: &'static str,
    at_s: f64,
    reason: Option<&'static str>,
    conditions: Vec<ConditionLine>,
    utc: Option<String>,
}

#[derive(Serialize)]
struct ConditionLine {
    state: &'static str,
    reason: &'static str,
    tamper: bool,
}

#[derive(Serialize)]
struct CoverageLine<'a> {
    event: &'static str,
    at_s: f64,
    bands: &'a [BandCoverage],
    samples: &'a Counts,
    utc: Option<String>,
}
