//! What is shown of a contact: when it was reached last, why not since, what waits.

use super::task::utc;
use crate::clock;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A contact that is not reached for so long is told of, seconds (EN 50131-1, 8.8: a message reaches its destination within
/// ten seconds).
pub const PATIENCE_S: f64 = 10.0;

/// What is known of a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// What it is called.
    pub name: String,
    /// Its kind, in a word.
    pub kind: &'static str,
    /// Messages that wait.
    pub waiting: usize,
    /// Messages that arrived.
    pub delivered: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Messages that were left out, for later news or for want of room.
    pub left_out: u64,
    /// When it was reached last.
    pub last_success: Option<Timestamp>,
    /// When it was not reached last, and why.
    pub last_failure: Option<(Timestamp, String)>,
    /// Since when it has not been reached, monotonic seconds.
    pub failing_s: Option<f64>,
    /// Why it gets nothing more.
    pub gone: Option<String>,
}

impl Status {
    /// Of a contact that was not tried yet.
    pub fn new(name: String, kind: &'static str) -> Self {
        Self {
            name,
            kind,
            waiting: 0,
            delivered: 0,
            failures: 0,
            left_out: 0,
            last_success: None,
            last_failure: None,
            failing_s: None,
            gone: None,
        }
    }

    /// It was reached.
    pub(super) fn succeeded(&mut self) {
        self.last_success = Some(clock::utc());
        self.failing_s = None;
    }

    /// It was not.
    pub(super) fn failed(&mut self, why: &str, at: Timestamp, now_s: f64) {
        self.failures += 1;
        self.last_failure = Some((at, why.to_owned()));
        self.failing_s.get_or_insert(now_s);
    }

    /// What people must know at `now_s`, and since when it holds.
    pub fn trouble(&self, now_s: f64) -> Option<(String, f64)> {
        let since_s = self.failing_s?;
        let (_, why) = self.last_failure.as_ref()?;
        let is_long = now_s - since_s >= PATIENCE_S || self.gone.is_some();
        is_long.then(|| (format!("contact {} is not reached: {why}", self.name), since_s))
    }

    /// As the API shows it.
    pub fn json(&self) -> Value {
        let now_s = clock::monotonic_s();
        json!({
            "name": self.name,
            "kind": self.kind,
            "waiting": self.waiting,
            "delivered": self.delivered,
            "failures": self.failures,
            "left_out": self.left_out,
            "last_success": utc(self.last_success),
            "last_failure": self.last_failure.as_ref().map(|(at, why)| json!({ "utc": at, "reason": why })),
            "failing_s": self.failing_s.map(|since_s| ((now_s - since_s) * 10.0).round() / 10.0),
            "disabled": self.gone,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_after_ten_seconds_and_ends_with_success() {
        let mut status = Status::new("siem".into(), "webhook");
        assert_eq!(status.trouble(1e9), None);
        let at = Timestamp::UNIX_EPOCH;
        status.failed("refused", at, 100.0);
        status.failed("no route", at, 105.0);
        assert_eq!(status.trouble(109.9), None);
        assert_eq!(status.trouble(110.0), Some(("contact siem is not reached: no route".into(), 100.0)));
        status.succeeded();
        assert_eq!(status.trouble(200.0), None);
        status.gone = Some("410".into());
        status.failed("410", at, 300.0);
        assert!(status.trouble(300.0).is_some());
    }
}
