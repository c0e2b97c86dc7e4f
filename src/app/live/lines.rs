//! What goes on, for people: a line for each thing that they must know.

use super::super::ndjson::{because_word, severity_word, state_word};
use super::{Condition, LiveSink};
use crate::alert::AlertPhase;
use crate::pipeline::{HealthState, Output, Phase};
use crate::sweep::BandCoverage;
use crate::wire::{Counts, Hello};
use jiff::Timestamp;
use std::io::{self, Write};

/// Select Graphic Rendition parameters (ECMA-48 8.3.117).
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const GREEN: &str = "1;32";
const DIM: &str = "2";

/// Writes lines.
pub struct LinesLive<W> {
    to: W,
    epoch: Timestamp,
    color: bool,
    all: bool,
}

impl<W: Write> LinesLive<W> {
    /// Writes to `to`; second 0 is `epoch`. Emitters that raise no alert are told of if `all`.
    pub fn new(to: W, epoch: Timestamp, color: bool, all: bool) -> Self {
        Self { to, epoch, color, all }
    }

    fn line(&mut self, at_s: f64, style: &str, text: &str) -> io::Result<()> {
        let after = jiff::SignedDuration::try_from_secs_f64(at_s).unwrap_or_default();
        let at = self.epoch.checked_add(after).unwrap_or(self.epoch);
        let clock = at.strftime("%H:%M:%SZ");
        if self.color {
            writeln!(self.to, "{clock}  \x1b[{style}m{text}\x1b[0m")
        } else {
            writeln!(self.to, "{clock}  {text}")
        }
    }
}

impl<W: Write> LiveSink for LinesLive<W> {
    fn open(&mut self, hello: &Hello, at_s: f64) -> io::Result<()> {
        let settle_ms = 1e3 * hello.settle_samples as f64 / hello.rate_hz;
        let text = format!(
            "receiver {} {} at {} MS/s, settles in {settle_ms:.1} ms{}: {} tunings in {:.2} s, {:.0} % of the time looked at",
            hello.hardware,
            hello.serial.as_deref().unwrap_or(""),
            hello.rate_hz / 1e6,
            if hello.settle_measured { "" } else { " (not measured)" },
            hello.plan.tunings.len(),
            hello.plan.superframe_s,
            100.0 * hello.plan.looked_share(),
        );
        self.line(at_s, DIM, &text)
    }

    fn output(&mut self, output: &Output, _now_s: f64) -> io::Result<()> {
        match output {
            Output::Alert(alert) => {
                let (style, what) = match (alert.phase, alert.because) {
                    (AlertPhase::Raised, _) => (RED, format!("ALERT ({})", severity_word(alert.severity))),
                    (AlertPhase::Updated, _) => (YELLOW, "alert, now".to_owned()),
                    (AlertPhase::Resolved, because) => {
                        (DIM, format!("alert resolved ({})", because.map_or("", because_word)))
                    }
                };
                let text = format!(
                    "{what} a{}: {} ({}), e{}: {}",
                    alert.id,
                    alert.device.as_str(),
                    alert.signal.as_str(),
                    alert.emitter,
                    alert.reasons.join("; ")
                );
                self.line(alert.at_s, style, &text)
            }
            Output::Emitter(Phase::Opened, report) if self.all => {
                let place =
                    report.center_hz.map_or("somewhere".to_owned(), |hz| format!("{:.4} MHz", hz / 1e6));
                let text = format!(
                    "e{}: {} ({}) at {place}, {:.0} dB over the floor{}",
                    report.id,
                    report.device.as_str(),
                    report.signal.as_str(),
                    report.snr_db,
                    if report.ambient { ", ambient" } else { "" },
                );
                self.line(report.at_s, DIM, &text)
            }
            _ => Ok(()),
        }
    }

    fn health(&mut self, conditions: &[Condition], at_s: f64) -> io::Result<()> {
        let Some(worst) = conditions.first() else { return self.line(at_s, GREEN, "sees") };
        let style = if worst.state == HealthState::Blind { RED } else { YELLOW };
        let reasons: Vec<_> = conditions.iter().map(|condition| condition.reason).collect();
        let tamper = if conditions.iter().any(|condition| condition.tamper) { ", TAMPER" } else { "" };
        let text = format!("{}{tamper}: {}", state_word(worst.state).to_uppercase(), reasons.join("; "));
        self.line(at_s, style, &text)
    }

    fn coverage(&mut self, bands: &[BandCoverage], counts: &Counts, at_s: f64) -> io::Result<()> {
        if !self.all {
            return Ok(());
        }
        let fresh = bands.iter().filter(|band| band.age_s.is_some()).count();
        let oldest_s = bands.iter().filter_map(|band| band.age_s).fold(0.0, f64::max);
        let text = format!(
            "{fresh} of {} bands looked at, the oldest {oldest_s:.1} s ago; {} samples lost",
            bands.len(),
            counts.lost + counts.dropped
        );
        self.line(at_s, DIM, &text)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
