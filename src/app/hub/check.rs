//! The quiet-room check: begun when the room is armed ahead of a meeting, or when somebody asks.

use super::{Answer, Room};
use crate::clock;
use crate::guard::{Check, GONE_S, Verdict};
use crate::pipeline::EmitterReport;
use crate::policy::Location;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A band has so long to be looked at, seconds, whatever the plan says: at least a sweep of one that is small, at most
/// two minutes, since somebody waits.
pub(super) const WAIT_S: (f64, f64) = (10.0, 120.0);
/// A check that somebody asked for goes on for so long, seconds: devices are being carried out.
const ASKED_S: f64 = 600.0;
/// Devices that are named.
const NAMED_MAX: usize = 20;

/// A check.
pub(super) struct Checking {
    since_s: f64,
    /// What it said last stays from here on.
    until_s: f64,
    check: Check,
    /// When the verdict came.
    at: Timestamp,
}

impl Room {
    /// Begins a check that goes on until `until_s`.
    pub(super) fn begin_check(&mut self, since_s: f64, until_s: f64) {
        let check = Check { verdict: Verdict::Pending, reasons: Vec::new() };
        self.check = Some(Checking { since_s, until_s, check, at: clock::utc() });
        self.keep_check(since_s);
    }

    /// Somebody asks whether the room is quiet.
    pub(super) fn ask_check(&mut self) -> Answer<Value> {
        let now_s = clock::monotonic_s();
        self.begin_check(now_s, now_s + ASKED_S);
        self.publish();
        Ok(self.check_json())
    }

    /// Looks again.
    pub(super) fn keep_check(&mut self, now_s: f64) {
        let Some(checking) = &self.check else { return };
        if now_s > checking.until_s {
            return;
        }
        // `fresh_s` is twice a round; endless while nothing was looked at.
        let due_s = checking.since_s + self.fresh_s.clamp(WAIT_S.0, WAIT_S.1);
        let check = self.guard.check(checking.since_s, due_s, now_s, self.devices(now_s));
        let new = check.verdict != checking.check.verdict;
        if let Some(checking) = &mut self.check {
            checking.check = check;
        }
        if new {
            if let Some(checking) = &mut self.check {
                checking.at = clock::utc();
            }
            self.record("check", self.check_json().to_string(), None, None);
        }
    }

    /// Devices that were heard a moment ago and are not of the room's surroundings, in words.
    fn devices(&self, now_s: f64) -> Vec<String> {
        let there = |report: &&EmitterReport| {
            let lately = self.heard_s.get(&report.id).is_some_and(|heard_s| now_s - heard_s < GONE_S);
            lately && report.device.is_device() && is_of_the_room(report)
        };
        self.emitters.values().filter(there).take(NAMED_MAX).map(words).collect()
    }

    /// For the state; null before the first.
    pub(super) fn check_json(&self) -> Value {
        self.check.as_ref().map_or(Value::Null, |checking| {
            let check = &checking.check;
            json!({ "verdict": check.verdict.as_str(), "reasons": check.reasons, "at": checking.at })
        })
    }
}

/// Neither of its surroundings nor outside: what an alert is raised of, were it banned.
pub(super) fn is_of_the_room(report: &EmitterReport) -> bool {
    !report.ambient && report.location != Some(Location::Outside)
}

fn words(report: &EmitterReport) -> String {
    let at = report.center_hz.map_or(String::new(), |hz| format!(" at {:.3} MHz", hz / 1e6));
    format!("a {} ({}) was heard{at}", report.device.as_str().replace('-', " "), report.signal.as_str())
}
