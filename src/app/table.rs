//! What the pipeline says, for people: a table of emitters, the alerts with their reasons, and the verdict.
//!
//! Everything is told when a recording is over, in the order of the emitters; what is kept until then is bounded.

use super::ndjson::{because_word, reason_word, severity_word, state_word};
use super::report::{RecordingReport, Sink, Summary};
use crate::alert::{AlertPhase, AlertReport};
use crate::pipeline::{EmitterReport, Health, HealthState, Output, Phase};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Rows that someone may still read; more are counted.
const ROWS_MAX: usize = 500;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// Colours.
    pub color: bool,
    /// Reasons of all emitters, not only of those that raised an alert.
    pub all_reasons: bool,
}

/// Tells people of one recording after the other.
pub struct Table<W> {
    to: W,
    manner: Manner,
    recording: Option<RecordingReport>,
    emitters: BTreeMap<u32, EmitterReport>,
    /// By alert: how it was last reported.
    alerts: BTreeMap<u32, AlertReport>,
    /// When each alert was raised, seconds.
    raised_s: BTreeMap<u32, f64>,
    health: Vec<Health>,
    /// Rows left out.
    more: u64,
}

impl<W: Write> Sink for Table<W> {
    fn recording(&mut self, report: &RecordingReport) -> io::Result<()> {
        if self.recording.is_some() {
            writeln!(self.to)?;
        }
        self.emitters.clear();
        self.alerts.clear();
        self.raised_s.clear();
        self.health.clear();
        self.more = 0;
        self.recording = Some(report.clone());
        Ok(())
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        match output {
            Output::Emitter(phase, report) => {
                let room = self.emitters.len() < ROWS_MAX;
                if room || self.emitters.contains_key(&report.id) {
                    self.emitters.insert(report.id, report.clone());
                } else if *phase == Phase::Opened {
                    self.more += 1;
                }
            }
            Output::Alert(report) => {
                if report.phase == AlertPhase::Raised && self.alerts.len() < ROWS_MAX {
                    self.raised_s.insert(report.id, report.at_s);
                    self.alerts.insert(report.id, report.clone());
                } else if let Some(known) = self.alerts.get_mut(&report.id) {
                    known.clone_from(report);
                }
            }
            Output::Health(health) if self.health.len() < ROWS_MAX => self.health.push(*health),
            Output::Health(_) => self.more += 1,
        }
        Ok(())
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.head(summary)?;
        self.rows()?;
        self.alert_lines()?;
        self.health_lines()?;
        if self.more > 0 {
            writeln!(self.to, "and {} more lines; --json has them all", self.more)?;
        }
        let style = if summary.alerts > 0 {
            RED
        } else if summary.blind_s > 0.0 {
            YELLOW
        } else {
            GREEN
        };
        let verdict = self.verdict(summary);
        let verdict = self.styled(style, &verdict);
        writeln!(self.to, "{verdict}")
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Select Graphic Rendition parameters (ECMA-48 8.3.117).
const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "1;31";
const GREEN: &str = "1;32";
const YELLOW: &str = "1;33";

impl<W: Write> Table<W> {
    /// Tells `to` in a certain manner.
    pub fn new(to: W, manner: Manner) -> Self {
        Self {
            to,
            manner,
            recording: None,
            emitters: BTreeMap::new(),
            alerts: BTreeMap::new(),
            raised_s: BTreeMap::new(),
            health: Vec::new(),
            more: 0,
        }
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.manner.color { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn head(&mut self, summary: &Summary) -> io::Result<()> {
        let Some(recording) = &self.recording else { return Ok(()) };
        let tuned = match recording.centers_hz.as_slice() {
            [] => "frequency unknown".to_owned(),
            [one] => format!("at {} MHz", megahertz(*one)),
            several => format!("at {} frequencies", several.len()),
        };
        let segments = if recording.segments == 1 {
            String::new()
        } else {
            format!(", {} segments", recording.segments)
        };
        let path = self.styled(BOLD, &recording.path);
        let lost = if summary.lost_samples > 0 {
            format!(", {} samples lost", summary.lost_samples)
        } else {
            String::new()
        };
        writeln!(
            self.to,
            "{path}: {} of {} at {} MS/s, {tuned}{segments}{lost}",
            seconds(summary.duration_s),
            recording.datatype,
            megahertz(recording.sample_rate_hz),
        )
    }

    fn rows(&mut self) -> io::Result<()> {
        let shown: Vec<&EmitterReport> = self.emitters.values().filter(|e| e.merged_into.is_none()).collect();
        if shown.is_empty() {
            return Ok(());
        }
        let tuned = shown.iter().any(|e| e.center_hz.is_some());
        let header = [
            "emitter",
            "signal",
            "device",
            "sure",
            if tuned { "MHz" } else { "offset kHz" },
            "width",
            "from s",
            "until s",
            "bursts",
            "dBFS",
            "SNR dB",
            "standing",
        ];
        let rows: Vec<Vec<String>> = shown.iter().map(|e| row(e)).collect();
        let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let banned: Vec<bool> = shown.iter().map(|e| e.banned && !e.ambient).collect();
        let line = line(&header.map(str::to_owned), &widths);
        let line = self.styled(DIM, &line);
        writeln!(self.to, "{line}")?;
        for (row, banned) in rows.iter().zip(banned) {
            let text = self::line(row, &widths);
            let text = if banned { self.styled(RED, &text) } else { text };
            writeln!(self.to, "{text}")?;
        }
        if self.manner.all_reasons {
            for emitter in self.emitters.values().filter(|e| e.merged_into.is_none()) {
                writeln!(self.to, "e{}:", emitter.id)?;
                for reason in &emitter.reasons {
                    writeln!(self.to, "    {reason}")?;
                }
            }
        }
        Ok(())
    }

    fn alert_lines(&mut self) -> io::Result<()> {
        for alert in self.alerts.values() {
            let end = match alert.because {
                Some(because) => format!(", resolved at {:.3} s: {}", alert.at_s, because_word(because)),
                None => String::new(),
            };
            let word = format!("alert a{}, {}", alert.id, severity_word(alert.severity));
            let word = self.styled(RED, &word);
            let raised_s = self.raised_s.get(&alert.id).copied().unwrap_or(alert.at_s);
            writeln!(
                self.to,
                "{word}: {} ({}), e{}, raised at {raised_s:.3} s{end}",
                alert.device, alert.signal, alert.emitter
            )?;
            // The emitter's last reasons rest on more than those at the moment of the alert.
            let reasons =
                self.emitters.get(&alert.emitter).map_or(&alert.reasons, |emitter| &emitter.reasons);
            for reason in reasons {
                writeln!(self.to, "    {reason}")?;
            }
        }
        Ok(())
    }

    fn health_lines(&mut self) -> io::Result<()> {
        for health in &self.health {
            let over = if health.state == HealthState::Ok { " is over" } else { "" };
            let style = if health.state == HealthState::Ok { DIM } else { YELLOW };
            let word = self.styled(style, state_word(health.state));
            writeln!(self.to, "{word} from {:.3} s on: {}{over}", health.at_s, reason_word(health.reason))?;
        }
        Ok(())
    }

    /// The verdict in the words that reports use.
    fn verdict(&self, summary: &Summary) -> String {
        let blind = format!("blind for {} of {}", seconds(summary.blind_s), seconds(summary.duration_s));
        match (summary.alerts, summary.blind_s > 0.0) {
            (0, true) => format!("not verifiable: {blind}"),
            (0, false) if summary.emitters == 0 => "no emission detected in covered bands".to_owned(),
            (0, false) => format!(
                "no emission detected in covered bands beyond {} known or not banned",
                counted(summary.emitters, "emitter")
            ),
            (alerts, false) => counted(alerts, "episode"),
            (alerts, true) => format!("{}; {blind}", counted(alerts, "episode")),
        }
    }
}

/// Cells of an emitter, in the order of the header.
fn row(emitter: &EmitterReport) -> Vec<String> {
    let center = match emitter.center_hz {
        Some(center_hz) => format!("{:.4}", center_hz / 1e6),
        None => format!("{:+.2}", emitter.offset_hz / 1e3),
    };
    let hops = if emitter.channels_hz.is_empty() {
        String::new()
    } else {
        format!(" x{}", emitter.channels_hz.len())
    };
    let standing = match (emitter.ambient, emitter.banned) {
        (true, _) => "ambient",
        (false, true) => "BANNED",
        (false, false) => "allowed",
    };
    vec![
        format!("e{}", emitter.id),
        emitter.signal.to_string(),
        emitter.device.to_string(),
        format!("{:.0} %", emitter.confidence * 100.0),
        format!("{center}{hops}"),
        width(emitter.bandwidth_hz),
        format!("{:.4}", emitter.first_s),
        format!("{:.4}", emitter.last_s),
        emitter.bursts.to_string(),
        format!("{:.1}", emitter.power_dbfs),
        format!("{:.1}", emitter.snr_db),
        standing.to_owned(),
    ]
}

/// Words to the left, numbers to the right.
fn line(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let words = at < 3 || at + 1 == cells.len();
        let text = if words { format!("{cell:<width$}  ") } else { format!("{cell:>width$}  ") };
        line.push_str(&text);
    }
    line.trim_end().to_owned()
}

fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn megahertz(hz: f64) -> String {
    let text = format!("{:.6}", hz / 1e6);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn width(hz: f64) -> String {
    if hz < 1e6 { format!("{:.1} kHz", hz / 1e3) } else { format!("{:.2} MHz", hz / 1e6) }
}

/// A time span that people grasp.
pub fn seconds(s: f64) -> String {
    if s < 1e-3 {
        format!("{:.0} µs", s * 1e6)
    } else if s < 1.0 {
        format!("{:.1} ms", s * 1e3)
    } else if s < 120.0 {
        format!("{s:.2} s")
    } else {
        format!("{:.1} min", s / 60.0)
    }
}
