//! Calendars to meetings: iCalendar text (RFC 5545) and the rules of the house in, occurrences over a window of time out.
//!
//! ```text
//! text ─► text (is it one?) ─► calcard ─► event ─► series: zone, rule ─► Occurrence ─► schedule: what to do now
//! ```
//!
//! Pure: no file, no network, no clock. One rule stands above the others: what cannot be read for certain is read the
//! widest way, and said. A zone that nobody knows may be any of those that exist, a rule that is too large to expand
//! holds all the time, an event without an end takes an hour. A room armed in vain is a nuisance; one that is not armed in
//! a confidential meeting is a leak.
//!
//! `calcard` reads the text and expands one rule at a time, without zones: its own expansion of a whole calendar lets all
//! rules share one limit, compares `UNTIL` in UTC with local times, and drops an override whose `SEQUENCE` is another.
//! `chrono` stays in here: what comes out is in `jiff`'s time.

mod event;
mod read;
mod rule;
pub mod schedule;
mod series;
pub mod source;
#[cfg(test)]
mod tests;
mod text;
mod zone;

pub use read::read;
pub use text::{Refused, SIZE_MAX};
pub use zone::{DefaultZone, is_zone};

use crate::policy::Level;
use jiff::{SignedDuration, Timestamp};

/// Meetings that are looked for before now and after it.
pub const BEFORE: SignedDuration = SignedDuration::from_hours(24);
/// See [`BEFORE`].
pub const AFTER: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Length of a meeting that states no end, or one before its beginning: the usual slot of a calendar.
pub const USUAL: SignedDuration = SignedDuration::from_hours(1);

/// Occurrences of one event in the window; more of them are one that lasts from the first to the last. A meeting each
/// five minutes of the window.
pub const OF_ONE_MAX: usize = 4096;
/// Occurrences of one calendar in the window, likewise.
pub const ALL_MAX: usize = 10_000;
/// Faults that are told of one calendar; what is beyond is counted.
pub const FAULTS_MAX: usize = 50;

/// Which events are confidential, and what that means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Values of `CLASS`, as `CONFIDENTIAL`; letter case does not matter. A value that is not of RFC 5545 counts as
    /// `PRIVATE` (3.8.1.3).
    pub classes: Vec<String>,
    /// Values of `CATEGORIES`; letter case does not matter.
    pub categories: Vec<String>,
    /// Words in `SUMMARY`, `DESCRIPTION` or `COMMENT`; letter case does not matter.
    pub keywords: Vec<String>,
    /// Level of a meeting that is confidential.
    pub level: Level,
    /// The room is armed so long before.
    pub ahead: SignedDuration,
}

/// The stretch of time that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From here.
    pub from: Timestamp,
    /// To here.
    pub until: Timestamp,
}

impl Window {
    /// The usual one, around `now`.
    pub fn around(now: Timestamp) -> Self {
        Self {
            from: now.checked_sub(BEFORE).unwrap_or(Timestamp::MIN),
            until: now.checked_add(AFTER).unwrap_or(Timestamp::MAX),
        }
    }
}

/// What an occurrence is known by, also when it moves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Key {
    /// The calendar.
    pub calendar: String,
    /// `UID` of the event.
    pub uid: String,
    /// Of one that recurs: when this one was to begin at first, UTC.
    pub recurrence: Option<Timestamp>,
}

/// A confidential meeting of the calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// What it is known by.
    pub key: Key,
    /// The room is to be armed from here on.
    pub arms: Timestamp,
    /// Begins, at the earliest that the text can mean.
    pub begins: Timestamp,
    /// Ends, at the latest that the text can mean.
    pub ends: Timestamp,
    /// What it is held at.
    pub level: Level,
    /// `SUMMARY`.
    pub title: String,
    /// Why its times are wider than what is written; empty if they are certain.
    pub wide: Vec<String>,
}

impl Occurrence {
    /// Whether its times are what the text says.
    pub fn is_certain(&self) -> bool {
        self.wide.is_empty()
    }
}

/// What is wrong with one event, and how it is read all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It has no beginning.
    #[error("{event}: no DTSTART that can be read: it cannot be guarded; correct it in the calendar")]
    NoStart {
        /// The event.
        event: String,
    },
    /// No end, or one before the beginning.
    #[error("{event}: {what}: guarded for an hour")]
    NoEnd {
        /// The event.
        event: String,
        /// What is there.
        what: &'static str,
    },
    /// Nobody knows the zone.
    #[error(
        "{event}: no zone is known as {zone:?}: guarded in every zone that there is, 26 hours longer; \
         use an IANA name in the calendar"
    )]
    UnknownZone {
        /// The event.
        event: String,
        /// As written.
        zone: String,
    },
    /// The calendar's own definition of a zone says otherwise than the zone of this name.
    #[error("{event}: the calendar has another {zone:?} than the one known by that name: guarded in both")]
    OtherZone {
        /// The event.
        event: String,
        /// Its name.
        zone: String,
    },
    /// A rule that cannot be read.
    #[error("{event}: RRULE cannot be read ({why}): guarded every day at its time")]
    BadRule {
        /// The event.
        event: String,
        /// What is wrong.
        why: String,
    },
    /// A rule that is too large.
    #[error("{event}: RRULE gives more than can be expanded: guarded all the time from then on")]
    TooLarge {
        /// The event.
        event: String,
    },
    /// A date that cannot be read.
    #[error("{event}: {property} {value:?} cannot be read and is passed over")]
    BadDate {
        /// The event.
        event: String,
        /// The property.
        property: &'static str,
        /// As written.
        value: String,
    },
    /// Times without a zone.
    #[error("{event}: its times have no zone: taken for those of {zone}")]
    Floating {
        /// The event.
        event: String,
        /// The zone that was taken.
        zone: String,
    },
    /// More occurrences than are kept.
    #[error("{event}: more occurrences than are kept: guarded from the first to the last")]
    TooMany {
        /// The event, or the calendar.
        event: String,
    },
}

/// What a calendar says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Confidential meetings in the window, by their beginning.
    pub occurrences: Vec<Occurrence>,
    /// What is wrong with them, the first [`FAULTS_MAX`].
    pub faults: Vec<Fault>,
    /// Faults beyond those.
    pub more_faults: usize,
    /// Events in the text, whatever they are.
    pub events: usize,
}
