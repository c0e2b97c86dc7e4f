//! An event, its recurrences and its other versions, to occurrences.

use super::event::{Event, Length, Written};
use super::read::naive;
use super::rule::{Budget, Unexpanded, dates};
use super::zone::{Moments, Own, Zone, zone};
use super::{FAULTS_MAX, Fault, Key, Occurrence, Rules, USUAL, Window};
use calcard::icalendar::{ICalendarDuration, ICalendarFrequency, ICalendarRecurrenceRule};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What an event is read in.
pub struct Surroundings<'a> {
    pub calendar: &'a str,
    pub rules: &'a Rules,
    pub defined: BTreeMap<String, Own>,
    /// For times without a zone.
    pub default: Option<Zone>,
    pub default_name: String,
    pub window: Window,
}

/// All that has one `UID`.
#[derive(Debug, Default)]
pub struct Series {
    master: Option<Event>,
    versions: BTreeMap<Written, Event>,
}

/// One occurrence while they are sorted out, seconds since 1970.
struct Instance {
    local: NaiveDateTime,
    begins: Moments,
    ends_s: i64,
    /// It has a length of its own.
    length: Option<Length>,
}

impl Series {
    /// Adds an event. Of two masters, and of two versions of one occurrence, the later one holds (RFC 5546, 2.1.5).
    pub fn take(&mut self, event: Event) {
        let is_later = |old: &Event| (event.sequence, event.stamp) >= (old.sequence, old.stamp);
        let Some(of) = event.replaces.clone() else {
            if self.master.as_ref().is_none_or(is_later) {
                self.master = Some(event);
            }
            return;
        };
        if self.versions.get(&of).is_none_or(is_later) {
            self.versions.insert(of, event);
        }
    }

    /// Those in the window that are confidential and not cancelled.
    pub fn occurrences(
        &self,
        around: &Surroundings<'_>,
        budget: &mut Budget,
        faults: &mut Vec<Fault>,
    ) -> Vec<Occurrence> {
        let master_counts = self.master.as_ref().is_some_and(|master| master.confidential);
        // A version that says nothing of its class is as confidential as what it is a version of.
        let counts = |version: &Event| version.confidential || (master_counts && !version.says_class);
        if !master_counts && !self.versions.values().any(counts) {
            return Vec::new();
        }
        let mut out = Out { around, occurrences: Vec::new(), faults };
        let (mut instances, everything) = match &self.master {
            Some(master) => out.instances(master, budget, self.stretch(around)),
            None => (BTreeMap::new(), None),
        };
        let mut future: Vec<(i64, &Event, i64)> = Vec::new();
        let by_local = Locals::of(&instances);
        for (of, version) in &self.versions {
            let of_s = out.moments(of, &version.name()).earliest_s;
            let found = by_local.find(of, of_s);
            let key_s = found.unwrap_or(of_s);
            if version.and_future {
                let shift_s = version.start.as_ref().map_or(0, |s| (s.local - of.local).num_seconds());
                future.push((key_s, version, shift_s));
            }
            if let Some(at) = found {
                instances.remove(&at);
            }
            if !version.cancelled && counts(version) {
                out.one(version, Some(key_s));
            }
        }
        future.sort_by_key(|(from_s, ..)| *from_s);
        let Some(master) = self.master.as_ref() else { return out.occurrences };
        let recurs = !master.rules.is_empty() || !master.added.is_empty();
        for (key_s, instance) in &instances {
            let of = future.iter().rev().find(|(from_s, ..)| from_s <= key_s);
            let (event, shift_s) = of.map_or((master, 0), |(_, version, shift_s)| (*version, *shift_s));
            let confidential = if of.is_some() { counts(event) } else { master_counts };
            if master.cancelled || event.cancelled || !confidential {
                continue;
            }
            let key = recurs.then_some(*key_s);
            if of.is_some() {
                out.shifted(event, master, instance, shift_s, key);
            } else {
                out.push(event, instance.begins.earliest_s, instance.ends_s, key, Vec::new());
            }
        }
        if let Some(why) = everything.filter(|_| master_counts && !master.cancelled) {
            out.everything(master, why);
        }
        out.occurrences
    }

    /// How far beyond the window dates matter: occurrences that last into it, or are moved into it with all that follow.
    fn stretch(&self, around: &Surroundings<'_>) -> TimeDelta {
        let length = |event: &Event| match (&event.start, &event.length) {
            (Some(start), Length::Until(end)) => (end.local - start.local).abs(),
            (_, Length::For(duration)) => duration.to_time_delta().unwrap_or_default().abs(),
            _ => TimeDelta::days(1),
        };
        let shift = |event: &Event| match (&event.start, &event.replaces) {
            (Some(start), Some(of)) if event.and_future => (start.local - of.local).abs(),
            _ => TimeDelta::zero(),
        };
        let ahead = TimeDelta::seconds(around.rules.ahead.as_secs().max(0));
        let each =
            self.master.iter().chain(self.versions.values()).map(|event| length(event) + shift(event)).max();
        // Beyond a century nothing is a meeting.
        (each.unwrap_or_default() + ahead + TimeDelta::days(2)).min(TimeDelta::days(36_500))
    }
}

/// Instances by when they begin, where by their clocks, and on which day.
struct Locals {
    moments: BTreeSet<i64>,
    times: BTreeMap<NaiveDateTime, i64>,
    days: BTreeMap<NaiveDate, i64>,
}

impl Locals {
    fn of(instances: &BTreeMap<i64, Instance>) -> Self {
        let each = || instances.iter().rev();
        Self {
            moments: instances.keys().copied().collect(),
            times: each().map(|(at_s, instance)| (instance.local, *at_s)).collect(),
            days: each().map(|(at_s, instance)| (instance.local.date(), *at_s)).collect(),
        }
    }

    /// The instance that a version replaces: at the same moment, or at the same local time, or of the same day where only
    /// a day is written.
    fn find(&self, of: &Written, of_s: i64) -> Option<i64> {
        if self.moments.contains(&of_s) {
            return Some(of_s);
        }
        let found = match (of.offset_s, of.is_date) {
            (Some(_), _) => None,
            (None, true) => self.days.get(&of.local.date()),
            (None, false) => self.times.get(&of.local),
        };
        found.copied()
    }
}

/// What comes out, and what is wrong.
struct Out<'a, 'b> {
    around: &'a Surroundings<'a>,
    occurrences: Vec<Occurrence>,
    faults: &'b mut Vec<Fault>,
}

impl Out<'_, '_> {
    fn fault(&mut self, fault: Fault) {
        // What one event can be wrong in is a handful; its lists may be long.
        if self.faults.len() < FAULTS_MAX && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// The zone of a time.
    fn zone(&mut self, at: &Written, event: &str) -> Zone {
        let found = match &at.zone {
            Some(name) => {
                let found = zone(name, &self.around.defined);
                if matches!(found, Zone::Any) {
                    self.fault(Fault::UnknownZone { event: event.into(), zone: name.clone() });
                }
                found
            }
            None => {
                if !at.is_date {
                    let zone = self.around.default_name.clone();
                    self.fault(Fault::Floating { event: event.into(), zone });
                }
                self.around.default.clone().unwrap_or(Zone::Any)
            }
        };
        if let Zone::Both(..) = found {
            let both = found.moments(at.local);
            if both.earliest_s != both.latest_s {
                let zone = at.zone.clone().unwrap_or_default();
                self.fault(Fault::OtherZone { event: event.into(), zone });
            }
        }
        found
    }

    fn moments(&mut self, at: &Written, event: &str) -> Moments {
        if let Some(offset_s) = at.offset_s {
            let at_s = at.local.and_utc().timestamp() - i64::from(offset_s);
            return Moments { earliest_s: at_s, latest_s: at_s };
        }
        self.zone(at, event).moments(at.local)
    }

    /// The end of an occurrence of `event` that begins at `local`.
    fn ends_s(
        &mut self,
        event: &Event,
        start: &Written,
        length: &Length,
        local: NaiveDateTime,
        begins: Moments,
    ) -> i64 {
        let name = event.name();
        let at = |local: NaiveDateTime| Written { local, ..start.clone() };
        let usual_s = begins.latest_s + USUAL.as_secs();
        match length {
            Length::Until(end) => {
                let first = self.moments(start, &name);
                let last = self.moments(end, &name);
                let exact_s = last.latest_s - first.latest_s;
                if exact_s <= 0 {
                    // One second of difference in zones must not turn a meeting into an hour.
                    if last.latest_s <= first.earliest_s {
                        self.fault(Fault::NoEnd { event: name, what: "its end is not after its beginning" });
                        return usual_s;
                    }
                    return last.latest_s;
                }
                // The same length on the clock on the wall, or the same time: RFC 5545, 3.8.5.3 means the latter, people
                // the former. The longer holds.
                let nominal = at(local + (end.local - start.local));
                let nominal_s = self.moments(&nominal, &name).latest_s;
                if end.zone == start.zone && end.offset_s == start.offset_s {
                    nominal_s.max(begins.latest_s + exact_s)
                } else {
                    begins.latest_s + exact_s
                }
            }
            Length::For(duration) => match spans(duration) {
                Some((days, rest)) => {
                    let nominal = at(local + days);
                    self.moments(&nominal, &name).latest_s + rest.num_seconds()
                }
                None => {
                    self.fault(Fault::NoEnd { event: name, what: "its DURATION is not one of a meeting" });
                    usual_s
                }
            },
            Length::Unknown if start.is_date => {
                let next = at(local + TimeDelta::days(1));
                self.moments(&next, &name).latest_s
            }
            Length::Unknown => {
                self.fault(Fault::NoEnd { event: name, what: "it has no end" });
                usual_s
            }
        }
    }

    /// All dates of `master` that may matter, by their beginning; and from when on everything is meant, if so.
    fn instances(
        &mut self,
        master: &Event,
        budget: &mut Budget,
        stretch: TimeDelta,
    ) -> (BTreeMap<i64, Instance>, Option<String>) {
        let mut all = BTreeMap::new();
        let name = master.name();
        for fault in master.faults().filter(|_| master.confidential).collect::<Vec<_>>() {
            self.fault(fault);
        }
        let Some(start) = &master.start else {
            if master.confidential {
                self.fault(Fault::NoStart { event: name });
            }
            return (all, None);
        };
        let mut everything = None;
        // DTSTART is always the first (RFC 5545, 3.8.5.3).
        let mut locals = BTreeSet::from([start.local]);
        let zone = (start.offset_s.is_none()).then(|| self.zone(start, &name));
        let (from, until) =
            (naive(self.around.window.from) - stretch, naive(self.around.window.until) + stretch);
        for rule in &master.rules {
            let rule = match rule {
                Ok(rule) => rule.clone(),
                Err(why) => {
                    self.fault(Fault::BadRule { event: name.clone(), why: format!("{why:?}") });
                    every_day()
                }
            };
            let found = match dates(&rule, start.local, from, until, budget) {
                Err(Unexpanded::Bad(why)) => {
                    self.fault(Fault::BadRule { event: name.clone(), why });
                    dates(&every_day(), start.local, from, until, budget)
                }
                found => found,
            };
            match found {
                Ok(found) => {
                    let last =
                        rule.until.as_ref().and_then(|until| until.to_date_time().map(|at| (at, until)));
                    locals.extend(found.into_iter().filter(|local| {
                        last.as_ref().is_none_or(|(last, written)| match (last.offset, &zone) {
                            _ if !written.has_time() => local.date() <= last.date_time.date(),
                            (Some(offset), Some(zone)) => {
                                let last_s = last.date_time.and_utc().timestamp()
                                    - i64::from(offset.local_minus_utc());
                                zone.moments(*local).earliest_s <= last_s
                            }
                            _ => *local <= last.date_time,
                        })
                    }));
                }
                Err(_) => {
                    self.fault(Fault::TooLarge { event: name.clone() });
                    everything = Some("its RRULE gives more than can be expanded".to_owned());
                }
            }
        }
        for local in locals {
            let at = Written { local, ..start.clone() };
            let begins = self.moments(&at, &name);
            let ends_s = self.ends_s(master, start, &master.length, local, begins);
            all.insert(begins.earliest_s, Instance { local, begins, ends_s, length: None });
        }
        for (at, length) in &master.added {
            let begins = self.moments(at, &name);
            let own = if *length == Length::Unknown { &master.length } else { length };
            // Of a DTEND the distance from DTSTART counts, of a period its own.
            let from = if *length == Length::Unknown { start } else { at };
            let ends_s = self.ends_s(master, from, own, at.local, begins);
            let length = (*length != Length::Unknown).then(|| length.clone());
            all.insert(begins.earliest_s, Instance { local: at.local, begins, ends_s, length });
        }
        for excluded in &master.excluded {
            let at_s = self.moments(excluded, &name).earliest_s;
            // A day takes away an occurrence of a day only, unless RFC 5545 is read otherwise: not to guard is not guessed.
            all.remove(&at_s);
        }
        (all, everything)
    }

    /// `event` as it stands, once.
    fn one(&mut self, event: &Event, key_s: Option<i64>) {
        let name = event.name();
        for fault in event.faults().collect::<Vec<_>>() {
            self.fault(fault);
        }
        // A version without a beginning keeps that of what it replaces.
        let Some(start) = event.start.as_ref().or(event.replaces.as_ref()) else { return };
        let begins = self.moments(start, &name);
        let ends_s = self.ends_s(event, start, &event.length, start.local, begins);
        self.push(event, begins.earliest_s, ends_s, key_s, Vec::new());
    }

    /// An occurrence of the master that a version for all that follow moves by `shift_s` and gives its length.
    fn shifted(&mut self, event: &Event, master: &Event, of: &Instance, shift_s: i64, key_s: Option<i64>) {
        let Some(start) = event.start.as_ref().or(master.start.as_ref()) else { return };
        let local = of.local + TimeDelta::seconds(shift_s);
        let at = Written { local, ..start.clone() };
        let begins = self.moments(&at, &event.name());
        let length = of.length.clone().unwrap_or_else(|| event.length.clone());
        let ends_s = self.ends_s(event, start, &length, local, begins);
        self.push(event, begins.earliest_s, ends_s, key_s, Vec::new());
    }

    /// All of the window from the beginning of `master` on.
    fn everything(&mut self, master: &Event, why: String) {
        let Some(start) = &master.start else { return };
        let begins_s = self.moments(start, &master.name()).earliest_s;
        let begins_s = begins_s.max(self.around.window.from.as_second());
        self.push(master, begins_s, self.around.window.until.as_second(), None, vec![why]);
    }

    fn push(&mut self, event: &Event, begins_s: i64, ends_s: i64, key_s: Option<i64>, mut wide: Vec<String>) {
        let name = event.name();
        wide.extend(self.faults.iter().filter(|fault| fault.widens(&name)).map(ToString::to_string));
        let at = |at_s: i64| Timestamp::from_second(at_s).ok();
        let (Some(begins), Some(ends)) = (at(begins_s), at(ends_s)) else { return };
        let arms = begins.checked_sub(self.around.rules.ahead).unwrap_or(begins);
        if ends <= self.around.window.from || arms >= self.around.window.until {
            return;
        }
        let calendar = self.around.calendar.to_owned();
        let key = Key { calendar, uid: event.uid.clone(), recurrence: key_s.and_then(at) };
        let title = event.title.clone();
        self.occurrences.push(Occurrence {
            key,
            arms,
            begins,
            ends,
            level: self.around.rules.level,
            title,
            wide,
        });
    }
}

impl Fault {
    /// Whether it makes the times of the event called `name` wider than written.
    fn widens(&self, name: &str) -> bool {
        match self {
            Self::NoEnd { event, .. }
            | Self::UnknownZone { event, .. }
            | Self::OtherZone { event, .. }
            | Self::BadRule { event, .. }
            | Self::TooLarge { event } => event == name,
            Self::NoStart { .. } | Self::BadDate { .. } | Self::Floating { .. } | Self::TooMany { .. } => {
                false
            }
        }
    }
}

fn every_day() -> ICalendarRecurrenceRule {
    ICalendarRecurrenceRule { freq: ICalendarFrequency::Daily, ..ICalendarRecurrenceRule::default() }
}

/// Whole days, which are as long as the day is, and the rest, which is exact (RFC 5545, 3.3.6). `None` unless positive.
fn spans(duration: &ICalendarDuration) -> Option<(TimeDelta, TimeDelta)> {
    // No meeting lasts a thousand years, and sums must not overflow.
    const DAYS_MAX: i64 = 366_000;
    let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
    let rest =
        i64::from(duration.hours) * 3600 + i64::from(duration.minutes) * 60 + i64::from(duration.seconds);
    let sensible = !duration.neg && days + rest > 0 && days <= DAYS_MAX && rest / 86_400 <= DAYS_MAX;
    sensible.then(|| (TimeDelta::days(days), TimeDelta::seconds(rest)))
}
