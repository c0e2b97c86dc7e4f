//! The quiet-room check: whether a meeting may begin, asked before it does.

use super::{Guard, State};

/// What the check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not everything was looked at yet.
    Pending,
    /// Everything was looked at, and no banned device was heard.
    Go,
    /// A device was heard, or not everything can be looked at.
    NoGo,
}

impl Verdict {
    /// As the API says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Go => "go",
            Self::NoGo => "no-go",
        }
    }
}

/// A verdict and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it says.
    pub verdict: Verdict,
    /// In words; empty for a go.
    pub reasons: Vec<String>,
}

impl Guard {
    /// Whether the room is quiet, checked since `since_s`: every required band looked at since then, nothing blind, and
    /// none of `devices` (in words) there. What is not looked at by `due_s` is a reason against.
    pub fn check(&self, since_s: f64, due_s: f64, now_s: f64, devices: Vec<String>) -> Check {
        let mut reasons = devices;
        let unseen = |looked_s: Option<f64>| looked_s.is_none_or(|looked_s| looked_s < since_s);
        let required = || self.bands.iter().filter(|band| band.required);
        let mut missing: Vec<String> = required()
            .filter(|band| unseen(band.looked_s) || !band.is_fresh(now_s))
            .map(|band| format!("{} was not looked at", band.name))
            .collect();
        if required().next().is_none() {
            missing.push("no band is watched".into());
        }
        let blind = self.conditions(now_s).into_iter().filter(|c| c.state >= State::Blind);
        missing.extend(blind.map(|condition| condition.reason));
        let waits = !missing.is_empty() && now_s < due_s;
        let verdict = match (reasons.is_empty(), missing.is_empty()) {
            (true, true) => Verdict::Go,
            (true, false) if waits => Verdict::Pending,
            _ => Verdict::NoGo,
        };
        reasons.extend(missing);
        Check { verdict, reasons }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Band;
    use super::*;

    fn guard(looked_s: &[Option<f64>], now_s: f64) -> Guard {
        let mut guard = Guard::new(0.0, []);
        guard.heard(now_s);
        let band = |(n, looked_s): (usize, &Option<f64>)| Band {
            name: format!("band {n}"),
            required: true,
            looked_s: *looked_s,
            fresh_s: 20.0,
        };
        guard.looked(now_s, looked_s.iter().enumerate().map(band).collect());
        guard
    }

    #[test]
    fn a_verdict_needs_eyes_and_silence() {
        let check = |looked_s: &[Option<f64>], now_s: f64, devices: &[&str], verdict, reasons: &[&str]| {
            let devices = devices.iter().map(|d| (*d).to_owned()).collect();
            let found = guard(looked_s, now_s).check(100.0, 120.0, now_s, devices);
            assert_eq!(
                (found.verdict, found.reasons),
                (verdict, reasons.iter().map(|r| (*r).into()).collect())
            );
        };
        check(&[Some(101.0), Some(102.0)], 105.0, &[], Verdict::Go, &[]);
        check(&[Some(101.0), Some(99.0)], 105.0, &[], Verdict::Pending, &["band 1 was not looked at"]);
        check(&[Some(101.0), None], 120.0, &[], Verdict::NoGo, &["band 1 was not looked at"]);
        // What was seen goes stale.
        check(&[Some(101.0)], 125.0, &[], Verdict::NoGo, &["band 0 was not looked at"]);
        check(&[Some(101.0)], 105.0, &["a phone"], Verdict::NoGo, &["a phone"]);
        check(&[None], 101.0, &["a phone"], Verdict::NoGo, &["a phone", "band 0 was not looked at"]);
        check(&[], 125.0, &[], Verdict::NoGo, &["no band is watched"]);
    }

    #[test]
    fn a_blind_room_is_no_go() {
        let mut guard = guard(&[Some(101.0)], 102.0);
        let devices = Vec::new;
        assert_eq!(guard.check(100.0, 120.0, 102.0, devices()).verdict, Verdict::Go);
        guard.wrong(103.0, [(State::Blind, "stuck samples".to_owned())]);
        assert_eq!(guard.check(100.0, 120.0, 103.0, devices()).verdict, Verdict::Pending);
        guard.heard(120.5);
        let check = guard.check(100.0, 120.0, 120.5, devices());
        assert_eq!((check.verdict, check.reasons), (Verdict::NoGo, vec!["stuck samples".into()]));
        // Nothing was heard of the sensor for longer than it is believed.
        guard.wrong(121.0, []);
        assert_eq!(guard.check(100.0, 120.0, 124.0, devices()).verdict, Verdict::NoGo);
    }
}
