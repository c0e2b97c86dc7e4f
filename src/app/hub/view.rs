//! What the room holds as JSON: the state, an alert, an emitter, a meeting.

use super::super::ndjson::Ndjson;
use super::super::report::Sink;
use crate::guard::{Guard, LEASE_S};
use crate::pipeline::{EmitterReport, Output, Phase};
use crate::store::{AlertRecord, Meeting};
use crate::sweep::BandCoverage;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// All that the state is made of.
pub struct StateJson<'a> {
    pub guard: &'a Guard,
    pub now_s: f64,
    pub meeting: Option<&'a Meeting>,
    pub coverage: &'a [BandCoverage],
    pub fresh_s: f64,
    pub alerts: &'a BTreeMap<String, AlertRecord>,
    pub schedule: Value,
    pub check: Value,
}

/// The room's state.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = State)]
pub struct Document<'a> {
    /// `standby`, `arming`, `armed` or `ended`.
    mode: &'static str,
    /// The worst that holds: `alert`, `tamper`, `blind`, `degraded`, `arming`, `clear` or `standby`.
    state: &'static str,
    /// All that holds, worst first.
    conditions: Vec<Condition>,
    /// For how long CLEAR may be believed; 0 where the state is another.
    lease_ms: u64,
    /// For how long the rest may be believed.
    valid_ms: u64,
    /// The one that is on.
    #[schema(value_type = Option<Meeting>)]
    meeting: Option<&'a Meeting>,
    /// Of each band.
    #[schema(value_type = Vec<Band>)]
    coverage: Vec<Band<'a>>,
    /// Those that nobody acknowledged.
    #[schema(value_type = Vec<AlertRecord>)]
    alerts: Vec<&'a AlertRecord>,
    /// What calendars ask for.
    #[schema(value_type = Object)]
    schedule: &'a Value,
    /// The quiet-room check; null before the first.
    #[schema(value_type = Option<Object>)]
    check: &'a Value,
    /// Now.
    #[schema(value_type = String, format = DateTime)]
    utc: Timestamp,
    /// Of emcon.
    version: &'static str,
}

/// Something that holds.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Condition {
    /// What it makes of the room.
    state: &'static str,
    /// In words.
    reason: String,
    /// Time since it began, seconds.
    since_s: f64,
}

/// How well a band is looked at.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Band<'a> {
    /// Its name.
    band: &'a str,
    /// Its lower end.
    low_hz: f64,
    /// Its upper end.
    high_hz: f64,
    /// The level of the meeting asks for it.
    required: bool,
    /// It was looked at lately enough.
    fresh: bool,
    /// Since it was looked at last, seconds; none before.
    age_s: Option<f64>,
    /// Time that it was looked at for, seconds.
    observed_s: f64,
    /// Samples that were lost in it.
    lost: u64,
    /// Longest time without a look, seconds.
    longest_gap_s: f64,
    /// Probability of intercept achieved, 0..1.
    intercept: f64,
}

impl StateJson<'_> {
    /// The text.
    pub fn text(&self) -> String {
        let thousandths = |value: f64| (value * 1e3).round() / 1e3;
        let condition = |c: crate::guard::Condition| Condition {
            state: c.state.as_str(),
            reason: c.reason,
            since_s: thousandths((self.now_s - c.since_s).max(0.0)),
        };
        let fresh_s = self.fresh_s;
        fn of(band: &BandCoverage, fresh_s: f64, rounded: impl Fn(f64) -> f64) -> Band<'_> {
            Band {
                band: &band.band,
                low_hz: band.low_hz,
                high_hz: band.high_hz,
                required: true,
                fresh: band.age_s.is_some_and(|age_s| age_s <= fresh_s),
                age_s: band.age_s.map(&rounded),
                observed_s: rounded(band.observed_s),
                lost: band.lost_samples,
                longest_gap_s: rounded(band.longest_gap_s),
                intercept: rounded(band.intercept),
            }
        }
        json(&Document {
            mode: self.guard.mode().as_str(),
            state: self.guard.state(self.now_s).as_str(),
            conditions: self.guard.conditions(self.now_s).into_iter().map(condition).collect(),
            lease_ms: (self.guard.lease_s(self.now_s) * 1e3) as u64,
            valid_ms: (LEASE_S * 1e3) as u64,
            meeting: self.meeting,
            coverage: self.coverage.iter().map(|band| of(band, fresh_s, thousandths)).collect(),
            alerts: self.alerts.values().collect(),
            schedule: &self.schedule,
            check: &self.check,
            utc: crate::clock::utc(),
            version: env!("CARGO_PKG_VERSION"),
        })
    }
}

/// `value` as text. What has no text (nothing here) is an empty object.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".into())
}

/// A meeting, and why it is told.
pub fn meeting(record: &Meeting, because: &[String]) -> String {
    #[derive(Serialize)]
    struct Because<'a> {
        #[serde(flatten)]
        record: &'a Meeting,
        because: &'a [String],
    }
    json(&Because { record, because })
}

/// An alert with where it is in its life.
pub fn alert(phase: &'static str, record: &AlertRecord) -> String {
    #[derive(Serialize)]
    struct Phased<'a> {
        phase: &'static str,
        #[serde(flatten)]
        record: &'a AlertRecord,
    }
    json(&Phased { phase, record })
}

/// An emitter as replay tells of it, and the meeting.
pub fn emitter(phase: Phase, report: &EmitterReport, epoch: Timestamp, meeting: Option<&Meeting>) -> String {
    let mut line = Ndjson::new(Vec::new(), false).from_epoch(epoch);
    // Writing to memory cannot fail.
    let _ = line.output(&Output::Emitter(phase, report.clone()));
    let mut value: Value = serde_json::from_slice(&line.into_inner()).unwrap_or_default();
    value["meeting"] = meeting.map(|meeting| meeting.id.as_str()).into();
    value.to_string()
}
