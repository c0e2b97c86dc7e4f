//! One recurrence rule expanded, in local time without a zone.
//!
//! `calcard` knows the grammar of rules. It counts from the first occurrence, gives up without a word when a limit is hit,
//! and compares `UNTIL` as if it were local; so it gets one rule at a time, without `UNTIL`, from a beginning that is
//! moved close to the window where the rule allows that, and what it gives is checked for being complete.

use calcard::common::{PartialDateTime, timezone::Tz};
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarFrequency,
    ICalendarProperty, ICalendarRecurrenceRule, ICalendarValue,
};
use chrono::{Datelike, Days, Months, NaiveDateTime, TimeDelta, Timelike};

/// Dates that a rule may give from its (moved) beginning to the end of the window: 27 years of every day.
const DATES_MAX: usize = 10_000;
/// As many are asked for at first: what a meeting of every day has in a window and about it. Of a rule by minutes or
/// seconds, which no meeting has, fewer: the way from one date to the next may be long.
const DATES_FIRST: usize = 32;
const DATES_FIRST_BRIEF: usize = 4;
/// Days that `calcard` looks through in the time that it takes for a date, by measurement; and hours, minutes or seconds
/// where a rule goes by those.
const DAYS_A_DATE: i64 = 150;
const STEPS_A_DATE: i64 = 5;
/// What `calcard` does at most before it gives up is worth so many dates.
const GIVING_UP: usize = 20_000;

/// What all rules of a calendar may cost together, in dates: some tens of milliseconds.
#[derive(Debug)]
pub struct Budget(usize);

impl Budget {
    /// A whole one.
    pub fn new() -> Self {
        Self(60_000)
    }

    fn spend(&mut self, dates: usize) -> Result<(), Unexpanded> {
        let enough = self.0 >= dates;
        // Spent for good: the next rule must not try again what this one could not pay.
        self.0 = self.0.saturating_sub(dates);
        if enough { Ok(()) } else { Err(Unexpanded::TooLarge) }
    }
}

/// Why a rule has no dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unexpanded {
    /// It says what no rule can.
    Bad(String),
    /// More than the budget allows.
    TooLarge,
}

/// All dates of `rule`, begun at `start`, from `from` to `until`; `UNTIL` is the caller's.
pub fn dates(
    rule: &ICalendarRecurrenceRule,
    start: NaiveDateTime,
    from: NaiveDateTime,
    until: NaiveDateTime,
    budget: &mut Budget,
) -> Result<Vec<NaiveDateTime>, Unexpanded> {
    if rule.interval == Some(0) {
        return Err(Unexpanded::Bad("INTERVAL is 0".into()));
    }
    if rule.rscale.is_some() {
        return Err(Unexpanded::Bad("another calendar than the Gregorian".into()));
    }
    let mut rule = rule.clone();
    rule.until = None;
    // Counting needs all that came before.
    let start = if rule.count.is_none() { nearer(&rule, start, from).unwrap_or(start) } else { start };
    if start > until {
        return Ok(Vec::new());
    }
    let brief = matches!(rule.freq, ICalendarFrequency::Secondly | ICalendarFrequency::Minutely);
    let mut limit = if brief { DATES_FIRST_BRIEF } else { DATES_FIRST };
    loop {
        budget.spend(limit)?;
        let dates = ask(&rule, start, limit)?;
        let last = dates.last().copied();
        budget.spend(way(rule.freq, start, last.unwrap_or(start)))?;
        let counted = rule.count.is_some_and(|count| dates.len() >= count as usize);
        if counted || last.is_some_and(|last| last > until) {
            return Ok(dates.into_iter().filter(|date| (from..=until).contains(date)).collect());
        }
        if dates.len() < limit {
            budget.spend(GIVING_UP)?;
            // By days, giving up takes centuries: there are no more. By seconds it takes a day.
            return if rule.freq < ICalendarFrequency::Hourly {
                Ok(dates.into_iter().filter(|date| (from..=until).contains(date)).collect())
            } else {
                Err(Unexpanded::TooLarge)
            };
        }
        if limit >= DATES_MAX {
            return Err(Unexpanded::TooLarge);
        }
        limit = (limit * 8).min(DATES_MAX);
    }
}

/// What it takes to get from `start` to `last`, in dates: few and far between they cost more than they are.
fn way(freq: ICalendarFrequency, start: NaiveDateTime, last: NaiveDateTime) -> usize {
    let passed_s = last.signed_duration_since(start).num_seconds().max(0);
    let dates = match freq {
        ICalendarFrequency::Secondly => passed_s / STEPS_A_DATE,
        ICalendarFrequency::Minutely => passed_s / 60 / STEPS_A_DATE,
        ICalendarFrequency::Hourly => passed_s / 3600 / STEPS_A_DATE,
        _ => passed_s / 86_400 / DAYS_A_DATE,
    };
    usize::try_from(dates).unwrap_or(usize::MAX)
}

/// A beginning that gives the same dates from `from` on: whole intervals later, and before `from`.
fn nearer(
    rule: &ICalendarRecurrenceRule,
    start: NaiveDateTime,
    from: NaiveDateTime,
) -> Option<NaiveDateTime> {
    let interval = i64::from(rule.interval.unwrap_or(1));
    let gap_s = from.signed_duration_since(start).num_seconds();
    // `count` units of `unit_s` seconds, in whole intervals.
    let whole = |unit_s: i64| (gap_s / (unit_s * interval) - 1).max(0) * interval;
    const DAY_S: i64 = 86_400;
    match rule.freq {
        ICalendarFrequency::Secondly => start.checked_add_signed(TimeDelta::try_seconds(whole(1))?),
        ICalendarFrequency::Minutely => start.checked_add_signed(TimeDelta::try_minutes(whole(60))?),
        ICalendarFrequency::Hourly => start.checked_add_signed(TimeDelta::try_hours(whole(3600))?),
        ICalendarFrequency::Daily => start.checked_add_days(Days::new(whole(DAY_S).try_into().ok()?)),
        ICalendarFrequency::Weekly => {
            start.checked_add_days(Days::new(u64::try_from(7 * whole(7 * DAY_S)).ok()?))
        }
        // Days that some months lack would be lost; of 28 there are always enough. A month has at most 31 days, a year
        // 366.
        ICalendarFrequency::Monthly if start.day() <= 28 => {
            start.checked_add_months(Months::new(whole(31 * DAY_S).try_into().ok()?))
        }
        ICalendarFrequency::Yearly if start.day() <= 28 => {
            start.checked_add_months(Months::new(u32::try_from(12 * whole(366 * DAY_S)).ok()?))
        }
        ICalendarFrequency::Monthly | ICalendarFrequency::Yearly => None,
    }
}

/// The first `limit` dates, as `calcard` gives them.
fn ask(
    rule: &ICalendarRecurrenceRule,
    start: NaiveDateTime,
    limit: usize,
) -> Result<Vec<NaiveDateTime>, Unexpanded> {
    let entry = |name, value| ICalendarEntry { name, params: Vec::new(), values: vec![value] };
    let event = ICalendarComponent {
        component_type: ICalendarComponentType::VEvent,
        entries: vec![
            entry(ICalendarProperty::Dtstart, ICalendarValue::PartialDateTime(Box::new(partial(start)?))),
            entry(ICalendarProperty::Rrule, ICalendarValue::RecurrenceRule(Box::new(rule.clone()))),
        ],
        component_ids: Vec::new(),
    };
    let whole = ICalendarComponent {
        component_type: ICalendarComponentType::VCalendar,
        entries: Vec::new(),
        component_ids: vec![1],
    };
    let expanded = ICalendar { components: vec![whole, event] }.expand_dates(Tz::Floating, limit);
    if let Some(error) = expanded.errors.first() {
        return Err(Unexpanded::Bad(format!("{:?}", error.error)));
    }
    Ok(expanded.events.into_iter().map(|event| event.start.naive_local()).collect())
}

fn partial(at: NaiveDateTime) -> Result<PartialDateTime, Unexpanded> {
    let year = u16::try_from(at.year()).map_err(|_| Unexpanded::Bad("a year beyond all calendars".into()))?;
    // Months, days and times fit.
    let small = |value: u32| Some(u8::try_from(value).unwrap_or(0));
    Ok(PartialDateTime {
        year: Some(year),
        month: small(at.month()),
        day: small(at.day()),
        hour: small(at.hour()),
        minute: small(at.minute()),
        second: small(at.second()),
        tz_hour: None,
        tz_minute: None,
        tz_minus: false,
    })
}
