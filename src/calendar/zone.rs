//! From a time as written to the moments that it can mean.
//!
//! A zone is known by its name (IANA, Windows, and what Outlook, Lotus and Mozilla put around it), or by the definition
//! that the calendar carries (`VTIMEZONE`), or not at all: then every zone that exists is meant.

use super::rule::{Budget, dates};
use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarValue,
};
use chrono::{LocalResult, NaiveDateTime, TimeDelta, TimeZone};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

/// Zones there are: from UTC-12 (Baker Island) to UTC+14 (Line Islands), IANA tzdb.
const EAST: TimeDelta = TimeDelta::hours(14);
const WEST: TimeDelta = TimeDelta::hours(-12);

/// Changes of offset that a calendar's own zone may have in a window and the year before.
const ONSETS_MAX: usize = 512;
/// Zones that a calendar may define.
const ZONES_MAX: usize = 64;

/// What times without a zone are taken for: the first that is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DefaultZone {
    /// As configured.
    pub configured: Option<String>,
    /// The machine's.
    pub system: Option<String>,
}

/// Whether a zone of this name is known.
pub fn is_zone(name: &str) -> bool {
    known(name).is_some()
}

fn known(name: &str) -> Option<Tz> {
    Tz::from_str(name).ok().filter(|zone| !zone.is_floating())
}

/// A zone as far as it is known.
#[derive(Debug, Clone)]
pub enum Zone {
    /// By its name.
    Known(Tz),
    /// By the calendar's own definition.
    Own(Own),
    /// By both, which may differ.
    Both(Tz, Own),
    /// Not at all.
    Any,
}

/// The moments that a local time can mean, seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    pub earliest_s: i64,
    pub latest_s: i64,
}

impl Zone {
    /// What `local` can mean.
    pub fn moments(&self, local: NaiveDateTime) -> Moments {
        let one = |at_s| Moments { earliest_s: at_s, latest_s: at_s };
        match self {
            Self::Known(tz) => one(moment(*tz, local)),
            Self::Own(own) => one(own.moment(local)),
            Self::Both(tz, own) => {
                let (a, b) = (moment(*tz, local), own.moment(local));
                Moments { earliest_s: a.min(b), latest_s: a.max(b) }
            }
            Self::Any => Moments {
                earliest_s: (local - EAST).and_utc().timestamp(),
                latest_s: (local - WEST).and_utc().timestamp(),
            },
        }
    }
}

/// Of a time that comes twice the first is meant; one that is skipped is counted on from before the gap (RFC 5545,
/// 3.3.5).
fn moment(tz: Tz, local: NaiveDateTime) -> i64 {
    match tz.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.timestamp(),
        LocalResult::None => {
            // No gap is longer than a day (Samoa, 2011).
            let before = TimeDelta::days(1);
            match tz.from_local_datetime(&(local - before)) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => (at + before).timestamp(),
                LocalResult::None => local.and_utc().timestamp(),
            }
        }
    }
}

/// A zone that the calendar defines: from when on which offset holds.
#[derive(Debug, Clone)]
pub struct Own {
    /// By local time in the offset that held before.
    onsets: Arc<[Onset]>,
}

#[derive(Debug, Clone, Copy)]
struct Onset {
    local: NaiveDateTime,
    from_s: i64,
    to_s: i64,
}

impl Own {
    fn moment(&self, local: NaiveDateTime) -> i64 {
        local.and_utc().timestamp() - self.offset_s(local)
    }

    fn offset_s(&self, local: NaiveDateTime) -> i64 {
        let after = self.onsets.partition_point(|onset| onset.local <= local);
        match after.checked_sub(1).and_then(|at| self.onsets.get(at)) {
            // In the gap that it makes.
            Some(onset) if local < onset.local + TimeDelta::seconds(onset.to_s - onset.from_s) => {
                onset.from_s
            }
            Some(onset) => onset.to_s,
            None => self.onsets.first().map_or(0, |onset| onset.from_s),
        }
    }
}

/// The zones that `calendar` defines, by name, good from `from` to `until`.
pub fn defined(
    calendar: &ICalendar,
    from: NaiveDateTime,
    until: NaiveDateTime,
    budget: &mut Budget,
) -> BTreeMap<String, Own> {
    let zones = calendar.components.iter().filter(|c| c.component_type == ICalendarComponentType::VTimezone);
    let named = |zone: &ICalendarComponent| {
        let name = zone.entries.iter().find(|entry| entry.name == ICalendarProperty::Tzid)?;
        let Some(ICalendarValue::Text(name)) = name.values.first() else { return None };
        Some((name.clone(), own(calendar, zone, from, until, budget)?))
    };
    zones.take(ZONES_MAX).filter_map(named).collect()
}

fn own(
    calendar: &ICalendar,
    zone: &ICalendarComponent,
    from: NaiveDateTime,
    until: NaiveDateTime,
    budget: &mut Budget,
) -> Option<Own> {
    let mut onsets = Vec::new();
    // What holds at the beginning of the window began within the two years before, or at its first onset.
    let since = from - TimeDelta::days(2 * 366);
    for id in &zone.component_ids {
        let part = calendar.components.get(*id as usize)?;
        if matches!(part.component_type, ICalendarComponentType::Standard | ICalendarComponentType::Daylight)
        {
            observance(part, since, until, budget, &mut onsets)?;
        }
    }
    onsets.sort_by_key(|onset| onset.local);
    onsets.truncate(ONSETS_MAX);
    (!onsets.is_empty()).then_some(Own { onsets: onsets.into() })
}

/// The onsets of one `STANDARD` or `DAYLIGHT`. `None` if it cannot be read: then the zone is not known at all.
fn observance(
    part: &ICalendarComponent,
    from: NaiveDateTime,
    until: NaiveDateTime,
    budget: &mut Budget,
    onsets: &mut Vec<Onset>,
) -> Option<()> {
    let value = |name: ICalendarProperty| {
        part.entries.iter().filter(move |entry| entry.name == name).flat_map(|entry| &entry.values)
    };
    let offset_s = |name| match value(name).next() {
        Some(ICalendarValue::PartialDateTime(offset)) => {
            let seconds = i64::from(offset.tz_hour?) * 3600
                + i64::from(offset.tz_minute.unwrap_or(0)) * 60
                + i64::from(offset.second.unwrap_or(0));
            Some(if offset.tz_minus { -seconds } else { seconds }).filter(|s| s.abs() <= 86_400)
        }
        _ => None,
    };
    let from_s = offset_s(ICalendarProperty::Tzoffsetfrom)?;
    let to_s = offset_s(ICalendarProperty::Tzoffsetto)?;
    let Some(ICalendarValue::PartialDateTime(start)) = value(ICalendarProperty::Dtstart).next() else {
        return None;
    };
    let start = start.to_date_time()?.date_time;
    let mut locals = vec![start];
    for rule in value(ICalendarProperty::Rrule) {
        let ICalendarValue::RecurrenceRule(rule) = rule else { return None };
        let ends_s = match &rule.until {
            Some(end) => {
                let end = end.to_date_time()?;
                // A local one, which RFC 5545 forbids, is taken for what it says.
                Some(end.date_time.and_utc().timestamp() - end.offset.map_or(from_s, |_| 0))
            }
            None => None,
        };
        let begun_s = |local: &NaiveDateTime| local.and_utc().timestamp() - from_s;
        let all = dates(rule, start, from, until, budget).ok()?;
        locals.extend(all.into_iter().filter(|local| ends_s.is_none_or(|ends_s| begun_s(local) <= ends_s)));
    }
    for date in value(ICalendarProperty::Rdate) {
        let ICalendarValue::PartialDateTime(date) = date else { continue };
        locals.push(date.to_date_time()?.date_time);
    }
    onsets.extend(locals.into_iter().take(ONSETS_MAX).map(|local| Onset { local, from_s, to_s }));
    Some(())
}

/// The zone called `name`.
pub fn zone(name: &str, defined: &BTreeMap<String, Own>) -> Zone {
    match (known(name), defined.get(name)) {
        (Some(tz), Some(own)) => Zone::Both(tz, own.clone()),
        (Some(tz), None) => Zone::Known(tz),
        (None, Some(own)) => Zone::Own(own.clone()),
        (None, None) => Zone::Any,
    }
}
