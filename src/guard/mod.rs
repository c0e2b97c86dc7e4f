//! What the room's guard says: mode, state, and the lease on CLEAR.
//!
//! Two axes. The mode is what people asked for (standby, arming, armed, ended); the state is what is known, the worst of
//! all that holds. CLEAR is a lease: it is given for [`LEASE_S`] at a time, and only while every required band has fresh
//! samples. An alert is latched until somebody acknowledges it, whatever becomes of its emitter or of the receiver.
//!
//! | mode | event | becomes |
//! |---|---|---|
//! | standby, ended | a meeting begins | arming |
//! | arming | every required band was looked at since, nothing is blind | armed |
//! | arming, armed | the meeting ends, alerts open | ended |
//! | arming, armed | the meeting ends, no alert open | standby |
//! | ended | the last alert is acknowledged | standby |
//!
//! | state, worst first | holds while |
//! |---|---|
//! | alert | an alert is not acknowledged |
//! | tamper | somebody may have had a hand in a condition |
//! | blind | the receiver is not to be trusted, nothing was heard from it, or no required band is fresh |
//! | degraded | it is to be trusted in part, a required band is not fresh, an acknowledged device was heard within [`GONE_S`], records cannot be kept, a calendar cannot be read, or a contact is not reached |
//! | arming | the mode is arming |
//! | clear | the mode is armed |
//! | standby | the mode is standby or ended |
//!
//! Time is monotonic seconds and enters as an argument.

mod check;
#[cfg(test)]
mod tests;

pub use check::{Check, Verdict};

use std::collections::{BTreeMap, BTreeSet};

/// How long CLEAR may be believed, seconds (`docs/room.md`, "State").
pub const LEASE_S: f64 = 5.0;
/// Nothing heard from the judging side for so long is blindness, seconds: it says something several times a second.
pub const SILENT_S: f64 = 2.0;

/// A device that was not heard for so long is gone, seconds: three rounds of a usual sweep.
pub const GONE_S: f64 = 30.0;

/// What people asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// No meeting.
    Standby,
    /// A meeting began; not all that it requires was looked at yet.
    Arming,
    /// A meeting is guarded.
    Armed,
    /// The meeting is over, its alerts are not all acknowledged.
    Ended,
}

impl Mode {
    /// As the API says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standby => "standby",
            Self::Arming => "arming",
            Self::Armed => "armed",
            Self::Ended => "ended",
        }
    }
}

/// What is known, by rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing is asked for.
    Standby,
    /// No emission detected in covered bands; a lease.
    Clear,
    /// Not everything was looked at yet.
    Arming,
    /// Part of what is required is not seen.
    Degraded,
    /// Nothing is seen.
    Blind,
    /// Somebody may have had a hand in it.
    Tamper,
    /// An alert waits for somebody.
    Alert,
}

impl State {
    /// As the API says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standby => "standby",
            Self::Clear => "clear",
            Self::Arming => "arming",
            Self::Degraded => "degraded",
            Self::Blind => "blind",
            Self::Tamper => "tamper",
            Self::Alert => "alert",
        }
    }
}

/// Something that is wrong with what is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// [`State::Degraded`], [`State::Blind`] or [`State::Tamper`].
    pub state: State,
    /// In words.
    pub reason: String,
    /// Since when, seconds.
    pub since_s: f64,
}

/// A band that the meeting's level requires, or may have.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// As in the plan.
    pub name: String,
    /// The level requires it.
    pub required: bool,
    /// When the part of it that waits longest was looked at last, seconds; `None` if some part never was.
    pub looked_s: Option<f64>,
    /// Older looks are stale, seconds.
    pub fresh_s: f64,
}

impl Band {
    /// Whether it was looked at lately enough.
    pub fn is_fresh(&self, now_s: f64) -> bool {
        self.looked_s.is_some_and(|looked_s| now_s - looked_s <= self.fresh_s)
    }
}

/// The guard of one room.
#[derive(Debug, Clone)]
pub struct Guard {
    mode: Mode,
    began_s: f64,
    open: BTreeSet<String>,
    conditions: Vec<Condition>,
    bands: Vec<Band>,
    /// When the judging side was heard last.
    heard_s: f64,
    /// When acknowledged devices were heard last, by alert.
    acknowledged: BTreeMap<String, f64>,
    /// What happens cannot be recorded.
    unrecorded_s: Option<f64>,
    /// What is wrong beside what is seen.
    beside: Vec<Condition>,
    /// Contacts that are not reached.
    unreached: Vec<Condition>,
}

impl Guard {
    /// In standby at `now_s`; with what was open before a restart still open.
    pub fn new(now_s: f64, open: impl IntoIterator<Item = String>) -> Self {
        let open: BTreeSet<String> = open.into_iter().collect();
        Self {
            mode: if open.is_empty() { Mode::Standby } else { Mode::Ended },
            began_s: now_s,
            open,
            conditions: Vec::new(),
            bands: Vec::new(),
            heard_s: f64::NEG_INFINITY,
            acknowledged: BTreeMap::new(),
            unrecorded_s: None,
            beside: Vec::new(),
            unreached: Vec::new(),
        }
    }

    /// What people asked for.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// A meeting begins.
    pub fn begin(&mut self, now_s: f64) {
        self.mode = Mode::Arming;
        self.began_s = now_s;
        self.tick(now_s);
    }

    /// The meeting is over.
    pub fn end(&mut self) {
        self.acknowledged.clear();
        if matches!(self.mode, Mode::Arming | Mode::Armed) {
            self.mode = Mode::Ended;
        }
        self.rest();
    }

    /// An alert was raised.
    pub fn raise(&mut self, alert: String) {
        self.acknowledged.remove(&alert);
        self.open.insert(alert);
    }

    /// Somebody acknowledged an alert. What resolves by itself stays open until then. Its device was heard at `last_s`, and
    /// keeps the room from being clear until it has been silent for a while.
    pub fn acknowledge(&mut self, alert: &str, last_s: f64) {
        if self.open.remove(alert) && self.mode != Mode::Ended {
            self.acknowledged.insert(alert.to_owned(), last_s);
        }
        self.rest();
    }

    /// The device of an acknowledged alert was heard again.
    pub fn sends(&mut self, alert: &str, now_s: f64) {
        if let Some(last_s) = self.acknowledged.get_mut(alert) {
            *last_s = last_s.max(now_s);
        }
    }

    /// Whether what happens can be recorded.
    pub fn recorded(&mut self, now_s: f64, is: bool) {
        self.unrecorded_s = if is { None } else { self.unrecorded_s.or(Some(now_s)) };
    }

    /// All contacts that are not reached: in words, and since when.
    pub fn unreached(&mut self, all: Vec<(String, f64)>) {
        let condition = |(reason, since_s)| Condition { state: State::Degraded, reason, since_s };
        self.unreached = all.into_iter().map(condition).collect();
    }

    /// Alerts that wait for somebody.
    pub fn open(&self) -> impl Iterator<Item = &str> {
        self.open.iter().map(String::as_str)
    }

    fn rest(&mut self) {
        if self.mode == Mode::Ended && self.open.is_empty() {
            self.mode = Mode::Standby;
        }
    }

    /// The judging side is there.
    pub fn heard(&mut self, now_s: f64) {
        self.heard_s = self.heard_s.max(now_s);
    }

    /// All that is wrong with what is seen; what was wrong before keeps its time.
    pub fn wrong(&mut self, now_s: f64, all: impl IntoIterator<Item = (State, String)>) {
        self.conditions = renewed(&self.conditions, now_s, all);
    }

    /// All that is wrong with the schedule, likewise.
    pub fn beside(&mut self, now_s: f64, all: impl IntoIterator<Item = (State, String)>) {
        self.beside = renewed(&self.beside, now_s, all);
    }

    /// What was looked at, and what must be.
    pub fn looked(&mut self, now_s: f64, bands: Vec<Band>) {
        self.bands = bands;
        self.tick(now_s);
    }

    /// Time goes on.
    pub fn tick(&mut self, now_s: f64) {
        let since_begin =
            |band: &&Band| band.looked_s.is_some_and(|s| s >= self.began_s) && band.is_fresh(now_s);
        let (seen, required) = self.count(since_begin);
        let blind = self.conditions(now_s).iter().any(|c| c.state >= State::Blind);
        if self.mode == Mode::Arming && required > 0 && seen == required && !blind {
            self.mode = Mode::Armed;
        }
    }

    /// Required bands of which `is` holds, and all of them.
    fn count(&self, is: impl Fn(&&Band) -> bool) -> (usize, usize) {
        let required = || self.bands.iter().filter(|band| band.required);
        (required().filter(is).count(), required().count())
    }

    /// All that holds, worst first, what follows from time alone included.
    pub fn conditions(&self, now_s: f64) -> Vec<Condition> {
        let mut all = self.conditions.clone();
        all.extend(self.beside.iter().cloned());
        all.extend(self.unreached.iter().cloned());
        if now_s - self.heard_s > SILENT_S {
            let since_s = (self.heard_s + SILENT_S).max(self.began_s.min(now_s));
            all.push(Condition {
                state: State::Blind,
                reason: "nothing heard from the sensor".into(),
                since_s,
            });
        }
        if let Some(since_s) = self.unrecorded_s {
            all.push(Condition { state: State::Degraded, reason: "records cannot be kept".into(), since_s });
        }
        let still = self.acknowledged.values().filter(|last_s| now_s - **last_s < GONE_S).copied();
        if let Some(since_s) = still.reduce(f64::min) {
            all.push(Condition {
                state: State::Degraded,
                reason: "an acknowledged device was heard a moment ago".into(),
                since_s: since_s.min(now_s),
            });
        }
        if matches!(self.mode, Mode::Arming | Mode::Armed) {
            all.extend(self.stale(now_s));
        }
        all.sort_by(|a, b| b.state.cmp(&a.state).then(a.since_s.total_cmp(&b.since_s)));
        all
    }

    fn stale(&self, now_s: f64) -> Option<Condition> {
        let (fresh, required) = self.count(|band| band.is_fresh(now_s));
        if fresh == required && required > 0 || self.mode == Mode::Arming {
            return None;
        }
        let stale = || self.bands.iter().filter(|band| band.required && !band.is_fresh(now_s));
        let since_s = stale()
            .map(|band| band.looked_s.map_or(self.began_s, |looked_s| looked_s + band.fresh_s))
            .fold(now_s, f64::min);
        let names: Vec<&str> = stale().take(3).map(|band| band.name.as_str()).collect();
        let more = (required - fresh).saturating_sub(names.len());
        let and = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(Condition {
            state: if fresh == 0 { State::Blind } else { State::Degraded },
            reason: match required {
                0 => "no band is watched".into(),
                _ => format!(
                    "{} of {required} required bands not looked at lately: {}{and}",
                    required - fresh,
                    names.join(", ")
                ),
            },
            since_s,
        })
    }

    /// The state at `now_s`.
    pub fn state(&self, now_s: f64) -> State {
        if !self.open.is_empty() {
            return State::Alert;
        }
        if let Some(worst) = self.conditions(now_s).first() {
            return worst.state;
        }
        match self.mode {
            Mode::Standby | Mode::Ended => State::Standby,
            Mode::Arming => State::Arming,
            Mode::Armed => State::Clear,
        }
    }

    /// For how long CLEAR may be believed from `now_s` on, seconds; 0 if the state is another. What was last heard gives
    /// the lease, not the asking.
    pub fn lease_s(&self, now_s: f64) -> f64 {
        if self.state(now_s) != State::Clear {
            return 0.0;
        }
        (self.heard_s + LEASE_S - now_s).clamp(0.0, LEASE_S)
    }
}

/// Conditions as they are now; what was there before keeps its time.
fn renewed(
    before: &[Condition],
    now_s: f64,
    all: impl IntoIterator<Item = (State, String)>,
) -> Vec<Condition> {
    let since = |state: State, reason: &str| {
        before.iter().find(|c| c.state == state && c.reason == reason).map_or(now_s, |c| c.since_s)
    };
    all.into_iter()
        .map(|(state, reason)| Condition { state, since_s: since(state, &reason), reason })
        .collect()
}
