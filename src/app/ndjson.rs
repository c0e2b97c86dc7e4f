//! What the pipeline says, one JSON object a line: names, order and types that programs rely on.
//!
//! Numbers are finite always and rounded to what can be meant (nanoseconds, tenths of hertz, hundredths of
//! decibels), so that a line is short and the same input gives the same bytes.

use super::report::{RecordingReport, Sink, Summary};
use crate::alert::{AlertPhase, AlertReport, ResolvedBecause, Severity};
use crate::pipeline::{EmitterReport, Health, HealthReason, HealthState, Output, Phase};
use crate::policy::Location;
use serde::Serialize;
use std::io::{self, Write};

/// Writes the events of one or several recordings.
pub struct Ndjson<W> {
    to: W,
    /// Whether events carry the number of their recording.
    several: bool,
    /// The recording's place on the command line.
    number: u32,
    /// Date of its first sample, if it has one.
    epoch: Option<jiff::Timestamp>,
}

impl<W: Write> Sink for Ndjson<W> {
    fn recording(&mut self, report: &RecordingReport) -> io::Result<()> {
        self.number = report.number;
        self.epoch = report.epoch;
        self.recording_line(report)
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        match output {
            Output::Emitter(phase, report) => self.emitter(*phase, report),
            Output::Alert(report) => self.alert(report),
            Output::Health(health) => self.health(health),
        }
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.line(&SummaryLine {
            event: "summary",
            input: self.input(),
            duration_s: s(summary.duration_s),
            samples: summary.samples,
            lost_samples: summary.lost_samples,
            emitters: summary.emitters,
            alerts: summary.alerts,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<W: Write> Ndjson<W> {
    /// Writes to `to`; events carry the number of their recording if there are `several`.
    pub fn new(to: W, several: bool) -> Self {
        Self { to, several, number: 0, epoch: None }
    }

    /// The same; second 0 is `epoch`.
    pub fn from_epoch(self, epoch: jiff::Timestamp) -> Self {
        Self { epoch: Some(epoch), ..self }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.to
    }

    fn input(&self) -> Option<u32> {
        self.several.then_some(self.number)
    }

    fn recording_line(&mut self, report: &RecordingReport) -> io::Result<()> {
        let center_hz = match report.centers_hz.as_slice() {
            [] => CenterHz::Unknown,
            [one] => CenterHz::One(hz(*one)),
            several => CenterHz::Several(several.iter().copied().map(hz).collect()),
        };
        self.line(&RecordingLine {
            event: "recording",
            input: self.input(),
            path: &report.path,
            datatype: &report.datatype,
            sample_rate_hz: hz(report.sample_rate_hz),
            center_hz,
            duration_s: report.duration_s.map(s),
            segments: report.segments,
            utc: self.utc(0.0),
        })
    }

    fn emitter(&mut self, phase: Phase, report: &EmitterReport) -> io::Result<()> {
        self.line(&EmitterLine {
            event: "emitter",
            input: self.input(),
            phase: match phase {
                Phase::Opened => "opened",
                Phase::Updated => "updated",
                Phase::Closed => "closed",
            },
            id: format!("e{}", report.id),
            signal: report.signal.as_str(),
            device: report.device.as_str(),
            confidence: rounded(report.confidence.clamp(0.0, 1.0), 1e3),
            center_hz: report.center_hz.map(hz),
            offset_hz: hz(report.offset_hz),
            bandwidth_hz: hz(report.bandwidth_hz),
            channels_hz: report.channels_hz.iter().copied().map(hz).collect(),
            first_s: s(report.first_s),
            last_s: s(report.last_s),
            bursts: report.bursts,
            airtime_s: s(report.airtime_s),
            power_dbfs: db(report.power_dbfs),
            snr_db: db(report.snr_db.min(SNR_MAX_DB)),
            ambient: report.ambient,
            location: report.location.map(Location::as_str),
            banned: report.banned,
            reasons: &report.reasons,
            merged_into: report.merged_into.map(|id| format!("e{id}")),
            utc: self.utc(report.at_s),
        })
    }

    fn alert(&mut self, report: &AlertReport) -> io::Result<()> {
        self.line(&AlertLine {
            event: "alert",
            input: self.input(),
            phase: alert_word(report.phase),
            id: format!("a{}", report.id),
            emitter: format!("e{}", report.emitter),
            device: report.device.as_str(),
            signal: report.signal.as_str(),
            at_s: s(report.at_s),
            severity: severity_word(report.severity),
            reasons: &report.reasons,
            reason: report.because.map(because_word),
            utc: self.utc(report.at_s),
        })
    }

    fn health(&mut self, health: &Health) -> io::Result<()> {
        self.line(&HealthLine {
            event: "health",
            input: self.input(),
            state: state_word(health.state),
            at_s: s(health.at_s),
            reason: reason_word(health.reason),
            utc: self.utc(health.at_s),
        })
    }

    /// Writes one object.
    pub(super) fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, line)?;
        self.to.write_all(b"\n")
    }

    /// Date of a time on the axis, if it has one.
    pub(super) fn utc(&self, at_s: f64) -> Option<String> {
        let after = jiff::SignedDuration::try_from_secs_f64(s(at_s)).ok()?;
        let at = self.epoch?.checked_add(after).ok()?;
        Some(format!("{at:.6}"))
    }
}

/// A ratio of more than this says nothing more (the replay contract).
const SNR_MAX_DB: f64 = 100.0;
/// What an infinite or undefined level is written as, dB: below every receiver, above no signal.
const LEVEL_MIN_DB: f64 = -300.0;

/// The word for where an alert is in its life.
pub fn alert_word(phase: AlertPhase) -> &'static str {
    match phase {
        AlertPhase::Raised => "raised",
        AlertPhase::Updated => "updated",
        AlertPhase::Resolved => "resolved",
    }
}

/// The word for a severity.
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// The word for a cause of resolution.
pub fn because_word(because: ResolvedBecause) -> &'static str {
    match because {
        ResolvedBecause::Silent => "silent",
        ResolvedBecause::Reclassified => "reclassified",
        ResolvedBecause::Merged => "merged",
    }
}

/// The word for a state of health.
pub fn state_word(state: HealthState) -> &'static str {
    match state {
        HealthState::Ok => "ok",
        HealthState::Degraded => "degraded",
        HealthState::Blind => "blind",
    }
}

/// The words for what is wrong.
pub fn reason_word(reason: HealthReason) -> &'static str {
    match reason {
        HealthReason::Clipping => "clipping",
        HealthReason::StuckSamples => "stuck samples",
        HealthReason::NonFiniteSamples => "non-finite samples",
        HealthReason::Gap => "gap",
        HealthReason::FloorStep => "floor step",
    }
}

fn s(seconds: f64) -> f64 {
    rounded(seconds, 1e9)
}

fn hz(hertz: f64) -> f64 {
    rounded(hertz, 10.0)
}

fn db(decibels: f64) -> f64 {
    if decibels.is_nan() { LEVEL_MIN_DB } else { rounded(decibels.clamp(LEVEL_MIN_DB, -LEVEL_MIN_DB), 100.0) }
}

/// `value` to the nearest 1/`parts`, finite, and never a negative zero.
fn rounded(value: f64, parts: f64) -> f64 {
    let near = (value * parts).round() / parts;
    let near = if near.is_finite() { near } else { value };
    if near.is_finite() { near + 0.0 } else { 0.0 }
}

#[derive(Serialize)]
#[serde(untagged)]
enum CenterHz {
    Unknown,
    One(f64),
    Several(Vec<f64>),
}

#[derive(Serialize)]
struct RecordingLine<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<u32>,
    path: &'a str,
    datatype: &'a str,
    sample_rate_hz: f64,
    center_hz: CenterHz,
    duration_s: Option<f64>,
    segments: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    utc: Option<String>,
}

#[derive(Serialize)]
struct EmitterLine<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<u32>,
    phase: &'static str,
    id: String,
    signal: &'static str,
    device: &'static str,
    confidence: f64,
    center_hz: Option<f64>,
    offset_hz: f64,
    bandwidth_hz: f64,
    channels_hz: Vec<f64>,
    first_s: f64,
    last_s: f64,
    bursts: u64,
    airtime_s: f64,
    power_dbfs: f64,
    snr_db: f64,
    ambient: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'static str>,
    banned: bool,
    reasons: &'a [String],
    merged_into: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utc: Option<String>,
}

#[derive(Serialize)]
struct AlertLine<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<u32>,
    phase: &'static str,
    id: String,
    emitter: String,
    device: &'static str,
    signal: &'static str,
    at_s: f64,
    severity: &'static str,
    reasons: &'a [String],
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utc: Option<String>,
}

#[derive(Serialize)]
struct HealthLine {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<u32>,
    state: &'static str,
    at_s: f64,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    utc: Option<String>,
}

#[derive(Serialize)]
struct SummaryLine {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<u32>,
    duration_s: f64,
    samples: u64,
    lost_samples: u64,
    emitters: u64,
    alerts: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Device, Signal};

    fn emitter() -> EmitterReport {
        EmitterReport {
            id: 3,
            signal: Signal::Dect,
            device: Device::CordlessPhone,
            confidence: 0.87654,
            center_hz: Some(1_888_704_012.34),
            offset_hz: -295_987.66,
            bandwidth_hz: 1.2e6,
            channels_hz: Vec::new(),
            first_s: 0.25,
            last_s: 1.0 / 3.0,
            bursts: 9,
            airtime_s: 0.0033,
            power_dbfs: -41.237,
            snr_db: f64::INFINITY,
            period_s: Some(0.01),
            ambient: false,
            location: None,
            banned: true,
            reasons: vec!["368 µs bursts every 10.00 ms".to_owned()],
            merged_into: None,
            at_s: 0.3,
        }
    }

    /// A recording that numbers its events and has a date, or neither.
    fn report(dated: bool) -> RecordingReport {
        RecordingReport {
            number: 2,
            path: "a \"b\".wav".to_owned(),
            datatype: "ci16_le".to_owned(),
            sample_rate_hz: 48e3,
            centers_hz: Vec::new(),
            duration_s: None,
            segments: 1,
            epoch: dated.then(|| "2024-05-01T12:00:00Z".parse().unwrap()),
        }
    }

    /// The lines after the one of the recording.
    fn written(several: bool, dated: bool, outputs: &[Output]) -> String {
        let mut bytes = Vec::new();
        let mut to = Ndjson::new(&mut bytes, several);
        to.recording(&report(dated)).unwrap();
        for output in outputs {
            to.output(output).unwrap();
        }
        let text = String::from_utf8(bytes).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    }

    fn recording_line(several: bool, report: &RecordingReport) -> String {
        let mut bytes = Vec::new();
        Ndjson::new(&mut bytes, several).recording(report).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_recording_line() {
        assert_eq!(
            recording_line(false, &report(false)),
            "{\"event\":\"recording\",\"path\":\"a \\\"b\\\".wav\",\"datatype\":\"ci16_le\",\"sample_rate_hz\":48000.0,\
             \"center_hz\":null,\"duration_s\":null,\"segments\":1}\n"
        );
        let two = RecordingReport {
            centers_hz: vec![1e6, 2e6],
            duration_s: Some(2.5),
            segments: 2,
            ..report(true)
        };
        assert_eq!(
            recording_line(true, &two),
            "{\"event\":\"recording\",\"input\":2,\"path\":\"a \\\"b\\\".wav\",\"datatype\":\"ci16_le\",\
             \"sample_rate_hz\":48000.0,\"center_hz\":[1000000.0,2000000.0],\"duration_s\":2.5,\"segments\":2,\
             \"utc\":\"2024-05-01T12:00:00.000000Z\"}\n"
        );
        let one = RecordingReport { centers_hz: vec![1e6], ..report(false) };
        assert!(recording_line(false, &one).contains("\"center_hz\":1000000.0,"));
    }

    #[test]
    fn the_emitter_line() {
        assert_eq!(
            written(false, true, &[Output::Emitter(Phase::Opened, emitter())]),
            "{\"event\":\"emitter\",\"phase\":\"opened\",\"id\":\"e3\",\"signal\":\"dect\",\"device\":\"cordless-phone\",\
             \"confidence\":0.877,\"center_hz\":1888704012.3,\"offset_hz\":-295987.7,\"bandwidth_hz\":1200000.0,\
             \"channels_hz\":[],\"first_s\":0.25,\"last_s\":0.333333333,\"bursts\":9,\"airtime_s\":0.0033,\
             \"power_dbfs\":-41.24,\"snr_db\":100.0,\"ambient\":false,\"banned\":true,\
             \"reasons\":[\"368 µs bursts every 10.00 ms\"],\"merged_into\":null,\"utc\":\"2024-05-01T12:00:00.300000Z\"}\n"
        );
        let merged = EmitterReport { merged_into: Some(1), center_hz: None, ..emitter() };
        let line = written(true, false, &[Output::Emitter(Phase::Closed, merged)]);
        assert!(line.starts_with("{\"event\":\"emitter\",\"input\":2,\"phase\":\"closed\","), "{line}");
        assert!(line.contains("\"center_hz\":null") && line.ends_with("\"merged_into\":\"e1\"}\n"), "{line}");
    }

    #[test]
    fn the_alert_and_health_lines() {
        let alert = AlertReport {
            phase: AlertPhase::Resolved,
            id: 1,
            emitter: 3,
            device: Device::CordlessPhone,
            signal: Signal::Dect,
            at_s: 61.5,
            severity: Severity::Critical,
            reasons: Vec::new(),
            because: Some(ResolvedBecause::Silent),
        };
        let health = Health { at_s: 0.5, state: HealthState::Blind, reason: HealthReason::StuckSamples };
        assert_eq!(
            written(false, false, &[Output::Alert(alert), Output::Health(health)]),
            "{\"event\":\"alert\",\"phase\":\"resolved\",\"id\":\"a1\",\"emitter\":\"e3\",\"device\":\"cordless-phone\",\
             \"signal\":\"dect\",\"at_s\":61.5,\"severity\":\"critical\",\"reasons\":[],\"reason\":\"silent\"}\n\
             {\"event\":\"health\",\"state\":\"blind\",\"at_s\":0.5,\"reason\":\"stuck samples\"}\n"
        );
    }

    #[test]
    fn the_summary_line() {
        let mut bytes = Vec::new();
        let summary = Summary {
            duration_s: 2.0,
            samples: 96_000,
            lost_samples: 3,
            emitters: 1,
            alerts: 1,
            blind_s: 0.5,
        };
        Ndjson::new(&mut bytes, false).summary(&summary).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\"event\":\"summary\",\"duration_s\":2.0,\"samples\":96000,\"lost_samples\":3,\"emitters\":1,\"alerts\":1}\n"
        );
    }

    #[test]
    fn every_number_is_finite() {
        let odd = EmitterReport {
            confidence: f64::NAN,
            center_hz: Some(f64::NAN),
            offset_hz: -0.0,
            bandwidth_hz: 1e308,
            power_dbfs: f64::NEG_INFINITY,
            snr_db: f64::NAN,
            first_s: f64::INFINITY,
            ..emitter()
        };
        let line = written(false, true, &[Output::Emitter(Phase::Closed, odd)]);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        for field in
            ["confidence", "center_hz", "offset_hz", "bandwidth_hz", "power_dbfs", "snr_db", "first_s"]
        {
            assert!(value[field].is_f64(), "{field} in {line}");
        }
        assert!(line.contains("\"offset_hz\":0.0"), "{line}");
    }
}
