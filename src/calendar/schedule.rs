//! What the calendar asks of the room now: one pure decision, taken several times a second.
//!
//! A meeting is what the room is armed for: occurrences of calendars that overlap or follow each other, and what somebody
//! began by hand, all in one, at the strictest level of those that are on.
//!
//! | a meeting's part | is | until |
//! |---|---|---|
//! | manual | on | its time is over, or somebody ends it |
//! | occurrence | on | both clocks have passed its end, wherever the calendar has moved that |
//! | occurrence | lost: cancelled, or moved away, while on | somebody ends it |
//! | occurrence | over | |
//!
//! With nothing on and nothing lost the meeting is held, and ends when the room is quiet. A person may end it at any time:
//! the occurrences that are on are closed then, and do not arm the room again.
//!
//! There are two clocks: the wall's, which people and networks set, and the same one as it was when the meeting began,
//! carried on by the monotonic clock. An occurrence is on if either says so: setting a clock disarms nothing.

use super::{Key, Occurrence};
use crate::policy::Level;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Occurrences that one meeting follows; of more at once only the level counts. A room has one meeting, seldom two.
pub const PARTS_MAX: usize = 64;

/// A difference between the clocks that is told.
pub const STEP: SignedDuration = SignedDuration::from_secs(2);

/// What time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// By the wall.
    pub wall: Timestamp,
    /// By the wall as it was, carried on.
    pub carried: Timestamp,
}

impl Now {
    fn either(&self, is: impl Fn(Timestamp) -> bool) -> bool {
        is(self.wall) || is(self.carried)
    }

    fn both(&self, is: impl Fn(Timestamp) -> bool) -> bool {
        is(self.wall) && is(self.carried)
    }

    /// How far the wall's clock was set, if so far that it is told.
    pub fn step(&self) -> Option<SignedDuration> {
        let step = self.wall.duration_since(self.carried);
        (step.abs() > STEP).then_some(step)
    }
}

/// What has become of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is on.
    On,
    /// Cancelled or moved away while it was on: a person must end it.
    Lost,
    /// It has ended.
    Over,
}

/// An occurrence that the meeting is held for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    pub key: Key,
    /// Its title.
    pub title: String,
    /// Armed from here on.
    pub arms: Timestamp,
    /// Begins.
    pub begins: Timestamp,
    /// Ends.
    pub ends: Timestamp,
    /// Its level, as [`Level::as_str`] says it.
    pub level: String,
    /// Whether it is on.
    pub standing: Standing,
}

/// The meeting that is on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Running {
    /// Level of what somebody began by hand, while that is on.
    pub manual: Option<String>,
    /// What calendars have in it.
    pub parts: Vec<Part>,
    /// Level in force.
    pub level: String,
}

/// An occurrence that somebody ended before its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// Which.
    pub key: Key,
    /// When it began, then.
    pub begins: Timestamp,
    /// When it was to end, then.
    pub ends: Timestamp,
}

impl Closed {
    /// Whether it is this one. The same event at quite another time is another meeting.
    pub fn is(&self, occurrence: &Occurrence) -> bool {
        self.key == occurrence.key && occurrence.begins < self.ends && self.begins < occurrence.ends
    }
}

/// What is known beside the time.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What calendars say.
    pub occurrences: &'a [Occurrence],
    /// Calendars that said something since the start: of the others nothing can be missing.
    pub heard: &'a BTreeSet<String>,
    /// What people ended before its time.
    pub closed: &'a [Closed],
    /// Nothing is open, banned or unseen.
    pub quiet: bool,
}

/// What changed, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The room is to be armed.
    Arms(String),
    /// Another occurrence is on too.
    Joins(String),
    /// An occurrence has another time.
    Moves(String),
    /// An occurrence was cancelled or moved away while on.
    Lost(String),
    /// All is over; the room is held until it is quiet.
    Holds,
    /// It is quiet.
    Ends,
}

impl Change {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Arms(title) => format!("the calendar has {title:?}"),
            Self::Joins(title) => format!("{title:?} is on too"),
            Self::Moves(title) => format!("{title:?} was moved or changed in the calendar"),
            Self::Lost(title) => {
                format!(
                    "{title:?} was cancelled or moved away in the calendar while on: somebody has to end it"
                )
            }
            Self::Holds => "its time is over: held until the room is quiet or somebody ends it".into(),
            Self::Ends => "its time is over and the room is quiet".into(),
        }
    }
}

/// Whether `occurrence` is on, and nobody closed it.
pub fn is_on(occurrence: &Occurrence, now: Now, closed: &[Closed]) -> bool {
    now.either(|at| occurrence.arms <= at && at < occurrence.ends)
        && !closed.iter().any(|closed| closed.is(occurrence))
}

/// What is to be on at `now`, and what changed. `None`: no meeting.
pub fn schedule(now: Now, facts: Facts<'_>, running: Option<&Running>) -> (Option<Running>, Vec<Change>) {
    let mut changes = Vec::new();
    let on: Vec<&Occurrence> = facts.occurrences.iter().filter(|o| is_on(o, now, facts.closed)).collect();
    let Some(before) = running else {
        let Some(first) = on.first() else { return (None, changes) };
        changes.push(Change::Arms(first.title.clone()));
        let mut parts: Vec<Part> = Vec::new();
        join(&on, &mut parts, &mut Vec::new());
        let level = level(&on, &parts, None).unwrap_or(first.level);
        return (Some(Running { manual: None, parts, level: level.as_str().into() }), changes);
    };
    let mut after = before.clone();
    for part in &mut after.parts {
        follow(part, now, facts, &mut changes);
    }
    join(&on, &mut after.parts, &mut changes);
    let level = level(&on, &after.parts, after.manual.as_deref());
    if let Some(level) = level {
        after.level = level.as_str().into();
    }
    if !on.is_empty() || after.is_needed() {
        return (Some(after), changes);
    }
    if facts.quiet {
        changes.push(Change::Ends);
        return (None, changes);
    }
    if before.is_needed() {
        changes.push(Change::Holds);
    }
    (Some(after), changes)
}

impl Running {
    /// Something in it is on, or a person must end it.
    pub fn is_needed(&self) -> bool {
        self.manual.is_some() || self.parts.iter().any(|part| part.standing != Standing::Over)
    }

    /// Something in it was lost.
    pub fn is_lost(&self) -> bool {
        self.parts.iter().any(|part| part.standing == Standing::Lost)
    }

    /// The occurrences that are closed when a person ends it.
    pub fn closes(&self) -> Vec<Closed> {
        let open = self.parts.iter().filter(|part| part.standing != Standing::Over);
        open.map(|p| Closed { key: p.key.clone(), begins: p.begins, ends: p.ends }).collect()
    }

    /// When the last occurrence of it ends.
    pub fn ends(&self) -> Option<Timestamp> {
        self.parts.iter().filter(|part| part.standing != Standing::Over).map(|part| part.ends).max()
    }

    /// When the first occurrence that is on begins.
    pub fn begins(&self) -> Option<Timestamp> {
        self.parts.iter().filter(|part| part.standing == Standing::On).map(|part| part.begins).min()
    }
}

/// Brings one part up to what the calendar says now.
fn follow(part: &mut Part, now: Now, facts: Facts<'_>, changes: &mut Vec<Change>) {
    let was = part.standing;
    match facts.occurrences.iter().find(|o| o.key == part.key) {
        Some(found) => {
            let changed = (part.begins, part.ends, part.level.as_str())
                != (found.begins, found.ends, found.level.as_str());
            let before = part.clone();
            *part = Part { standing: was, ..Part::of(found) };
            part.standing = if is_on(found, now, facts.closed) {
                Standing::On
            } else if was == Standing::On && now.either(|at| at < found.arms) {
                // What was is kept: it says what is to be ended.
                *part = before;
                Standing::Lost
            } else if was == Standing::Lost {
                *part = before;
                Standing::Lost
            } else {
                Standing::Over
            };
            if changed && part.standing == Standing::On {
                changes.push(Change::Moves(part.title.clone()));
            }
        }
        None if was != Standing::On => {}
        None if now.both(|at| part.ends <= at) => part.standing = Standing::Over,
        None if facts.heard.contains(&part.key.calendar) => part.standing = Standing::Lost,
        None => {}
    }
    if part.standing == Standing::Lost && was == Standing::On {
        changes.push(Change::Lost(part.title.clone()));
    }
}

/// Adds what is on and not in `parts` yet; what is over makes room.
fn join(on: &[&Occurrence], parts: &mut Vec<Part>, changes: &mut Vec<Change>) {
    for occurrence in on {
        if parts.iter().any(|part| part.key == occurrence.key) {
            continue;
        }
        if parts.len() >= PARTS_MAX {
            let Some(over) = parts.iter().position(|part| part.standing == Standing::Over) else { return };
            parts.remove(over);
        }
        changes.push(Change::Joins(occurrence.title.clone()));
        parts.push(Part::of(occurrence));
    }
}

impl Part {
    fn of(occurrence: &Occurrence) -> Self {
        Self {
            key: occurrence.key.clone(),
            title: occurrence.title.clone(),
            arms: occurrence.arms,
            begins: occurrence.begins,
            ends: occurrence.ends,
            level: occurrence.level.as_str().into(),
            standing: Standing::On,
        }
    }
}

/// The strictest of what is on; `None` if nothing is.
fn level(on: &[&Occurrence], parts: &[Part], manual: Option<&str>) -> Option<Level> {
    // A level that this version does not know is taken for one that bans.
    let named = |word: &str| Level::named(word).unwrap_or(Level::Confidential);
    let parts = parts.iter().filter(|part| part.standing != Standing::Over).map(|part| named(&part.level));
    let all = on.iter().map(|o| o.level).chain(parts).chain(manual.map(named));
    all.min_by_key(|level| rank(*level))
}

/// 0 is the strictest.
pub fn rank(level: Level) -> usize {
    Level::ALL.iter().position(|known| *known == level).unwrap_or(0)
}
