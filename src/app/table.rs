//! What the pipeline says, for people: a table of emitters, the alerts with their reasons, and the verdict.
//!
//! Everything is told when a recording is over, in the order of the emitters; what is kept until then is bounded.

use super::ndjson::{because_word, reason_word, severity_word, state_word};
use super::report::{RecordingReport, Sink, Summary};
use crate::alert::{AlertPhase, AlertReport};
use crate::pipeline::{EmitterReport, Health, HealthState, Output, Phase};
use crate::recording::printable;
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
        let path = self.styled(BOLD, &printable(&recording.path));
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
    if hz < 1e3 {
        format!("{hz:.0} Hz")
    } else if hz < 1e6 {
        format!("{:.1} kHz", hz / 1e3)
    } else {
        format!("{:.2} MHz", hz / 1e6)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{ResolvedBecause, Severity};
    use crate::classify::{Device, Signal};
    use crate::pipeline::HealthReason;

    fn recording() -> RecordingReport {
        RecordingReport {
            number: 1,
            path: "room.sigmf-meta".to_owned(),
            datatype: "ci8".to_owned(),
            sample_rate_hz: 20e6,
            centers_hz: vec![1.89e9],
            duration_s: Some(90.0),
            segments: 1,
            epoch: None,
        }
    }

    fn emitter() -> EmitterReport {
        EmitterReport {
            id: 1,
            signal: Signal::Dect,
            device: Device::CordlessPhone,
            confidence: 0.9,
            center_hz: Some(1_888_704_012.3),
            offset_hz: -1_295_987.7,
            bandwidth_hz: 1.2e6,
            channels_hz: Vec::new(),
            first_s: 0.25,
            last_s: 20.5,
            bursts: 2025,
            airtime_s: 0.75,
            power_dbfs: -41.2,
            snr_db: 31.0,
            period_s: Some(0.01),
            ambient: false,
            location: None,
            banned: true,
            reasons: vec!["368 µs bursts every 10.00 ms".to_owned()],
            merged_into: None,
            at_s: 0.3,
        }
    }

    fn alert(phase: AlertPhase, at_s: f64) -> Output {
        Output::Alert(AlertReport {
            phase,
            id: 1,
            emitter: 1,
            device: Device::CordlessPhone,
            signal: Signal::Dect,
            at_s,
            severity: Severity::Critical,
            reasons: Vec::new(),
            because: (phase == AlertPhase::Resolved).then_some(ResolvedBecause::Silent),
        })
    }

    fn told(manner: Manner, outputs: &[Output], summary: Summary) -> String {
        let mut text = Vec::new();
        let mut table = Table::new(&mut text, manner);
        table.recording(&recording()).unwrap();
        for output in outputs {
            table.output(output).unwrap();
        }
        table.summary(&summary).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn emitters_alerts_and_the_verdict() {
        let merged = EmitterReport { id: 2, merged_into: Some(1), ..emitter() };
        let known =
            EmitterReport { id: 3, signal: Signal::Cw, ambient: true, bandwidth_hz: 20.0, ..emitter() };
        let outputs = [
            Output::Emitter(Phase::Opened, EmitterReport { bursts: 3, ..emitter() }),
            alert(AlertPhase::Raised, 0.3),
            Output::Emitter(Phase::Closed, merged),
            Output::Emitter(Phase::Closed, known),
            alert(AlertPhase::Resolved, 80.5),
            Output::Emitter(Phase::Closed, emitter()),
        ];
        let summary = Summary { duration_s: 90.0, samples: 1, emitters: 2, alerts: 1, ..Summary::default() };
        assert_eq!(
            told(Manner::default(), &outputs, summary),
            "room.sigmf-meta: 90.00 s of ci8 at 20 MS/s, at 1890 MHz\n\
             emitter  signal  device          sure        MHz     width  from s  until s  bursts   dBFS  SNR dB  standing\n\
             e1       dect    cordless-phone  90 %  1888.7040  1.20 MHz  0.2500  20.5000    2025  -41.2    31.0  BANNED\n\
             e3       cw      cordless-phone  90 %  1888.7040     20 Hz  0.2500  20.5000    2025  -41.2    31.0  ambient\n\
             alert a1, critical: cordless-phone (dect), e1, raised at 0.300 s, resolved at 80.500 s: silent\n    \
             368 µs bursts every 10.00 ms\n\
             1 episode\n"
        );
        let coloured = told(Manner { color: true, all_reasons: true }, &outputs, summary);
        assert!(coloured.contains("\x1b[1;31m1 episode\x1b[0m") && coloured.contains("e3:\n"), "{coloured}");
    }

    #[test]
    fn the_verdict_is_one_of_three_and_never_a_promise() {
        let verdict = |summary: Summary, health: &[Output]| {
            let text = told(Manner::default(), health, summary);
            assert!(!text.contains("safe") && !text.contains("clear"), "{text}");
            text.lines().last().unwrap().to_owned()
        };
        let quiet = Summary { duration_s: 90.0, samples: 1, ..Summary::default() };
        assert_eq!(verdict(quiet, &[]), "no emission detected in covered bands");
        assert_eq!(
            verdict(Summary { emitters: 2, ..quiet }, &[]),
            "no emission detected in covered bands beyond 2 emitters known or not banned"
        );
        assert_eq!(verdict(Summary { emitters: 2, alerts: 2, ..quiet }, &[]), "2 episodes");
        let blind = Summary { blind_s: 30.0, ..quiet };
        let health = Health { at_s: 60.0, state: HealthState::Blind, reason: HealthReason::StuckSamples };
        let text = told(Manner::default(), &[Output::Health(health)], blind);
        assert!(text.contains("blind from 60.000 s on: stuck samples\n"), "{text}");
        assert_eq!(verdict(blind, &[]), "not verifiable: blind for 30.00 s of 90.00 s");
        assert_eq!(verdict(Summary { alerts: 1, ..blind }, &[]), "1 episode; blind for 30.00 s of 90.00 s");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let many: Vec<Output> =
            (1..=2000).map(|id| Output::Emitter(Phase::Opened, EmitterReport { id, ..emitter() })).collect();
        let text = told(Manner::default(), &many, Summary { emitters: 2000, ..Summary::default() });
        assert!(text.contains("and 1500 more lines"), "{text}");
    }
}
