//! A whole calendar: its events gathered by `UID`, each series expanded on its own.

use super::event::Event;
use super::rule::Budget;
use super::series::{Series, Surroundings};
use super::zone::{DefaultZone, defined, zone};
use super::{ALL_MAX, FAULTS_MAX, Fault, Key, OF_ONE_MAX, Occurrence, Reading, Refused, Rules, Window, text};
use calcard::icalendar::{
    ICalendar, ICalendarComponentType, ICalendarMethod, ICalendarProperty, ICalendarValue,
};
use calcard::{Entry, Parser};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The confidential meetings of the calendar called `name` in `window`.
///
/// # Errors
/// What is no whole calendar is refused. What is wrong with single events is among the faults of the reading.
pub fn read(
    name: &str,
    bytes: &[u8],
    rules: &Rules,
    default: &DefaultZone,
    window: Window,
) -> Result<Reading, Refused> {
    let text = text::checked(bytes)?;
    let mut parser = Parser::new(text);
    let mut all = Collected::default();
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) => all.calendar(name, &calendar, rules, default, window),
            Entry::Eof => break,
            Entry::TooManyComponents => return Err(Refused::TooManyComponents { line: 0 }),
            Entry::UnterminatedComponent(component) => {
                return Err(Refused::CutOff { component: component.into_owned() });
            }
            // What stands between calendars was refused already; what calcard cannot tell in them it passes over.
            _ => {}
        }
    }
    Ok(all.reading)
}

#[derive(Default)]
struct Collected {
    reading: Reading,
}

impl Collected {
    fn calendar(
        &mut self,
        name: &str,
        calendar: &ICalendar,
        rules: &Rules,
        default: &DefaultZone,
        window: Window,
    ) {
        // Zones differ by less than two days from UTC.
        let day = TimeDelta::days(2);
        let (from, until) = (naive(window.from) - day, naive(window.until) + day);
        let mut budget = Budget::new();
        let defined = defined(calendar, from, until, &mut budget);
        let header = |name: &str| {
            let root = calendar.components.first()?;
            let found = root.entries.iter().find(|e| e.name.as_str().eq_ignore_ascii_case(name))?;
            match found.values.first() {
                Some(ICalendarValue::Text(text)) => Some(text.clone()),
                _ => None,
            }
        };
        let default_name =
            default.configured.clone().or_else(|| header("X-WR-TIMEZONE")).or_else(|| default.system.clone());
        let around = Surroundings {
            default: default_name.as_deref().map(|name| zone(name, &defined)),
            default_name: default_name.unwrap_or_else(|| "any zone".into()),
            defined,
            window,
            rules,
            calendar: name,
        };
        let cancels = calendar.components.first().is_some_and(|root| {
            root.entries.iter().any(|entry| {
                entry.name == ICalendarProperty::Method
                    && matches!(entry.values.first(), Some(ICalendarValue::Method(ICalendarMethod::Cancel)))
            })
        });
        let mut series: BTreeMap<String, Series> = BTreeMap::new();
        for component in &calendar.components {
            if component.component_type == ICalendarComponentType::VEvent {
                self.reading.events += 1;
                let mut event = Event::of(component, rules);
                event.cancelled |= cancels;
                series.entry(event.uid.clone()).or_default().take(event);
            }
        }
        for series in series.values() {
            let mut faults = Vec::new();
            let occurrences = series.occurrences(&around, &mut budget, &mut faults);
            self.add(occurrences, faults);
        }
        self.bound(name);
        self.reading.occurrences.sort_by(|a, b| (a.begins, &a.key).cmp(&(b.begins, &b.key)));
    }

    fn add(&mut self, mut occurrences: Vec<Occurrence>, faults: Vec<Fault>) {
        for fault in faults {
            self.fault(fault);
        }
        if occurrences.len() > OF_ONE_MAX {
            let title = occurrences.first().map_or(String::new(), |first| first.title.clone());
            self.fault(Fault::TooMany { event: format!("{title:?}") });
            occurrences = whole(&occurrences).into_iter().collect();
        }
        self.reading.occurrences.extend(occurrences);
    }

    fn bound(&mut self, name: &str) {
        if self.reading.occurrences.len() > ALL_MAX {
            self.fault(Fault::TooMany { event: format!("calendar {name:?}") });
            self.reading.occurrences = whole(&self.reading.occurrences).into_iter().collect();
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.reading.faults.len() < FAULTS_MAX {
            self.reading.faults.push(fault);
        } else {
            self.reading.more_faults += 1;
        }
    }
}

/// One that lasts from the first to the last.
fn whole(all: &[Occurrence]) -> Option<Occurrence> {
    let first = all.first()?;
    let key = Key { recurrence: None, ..first.key.clone() };
    Some(Occurrence {
        key,
        arms: all.iter().map(|o| o.arms).min()?,
        begins: all.iter().map(|o| o.begins).min()?,
        ends: all.iter().map(|o| o.ends).max()?,
        wide: vec!["more occurrences than are kept: guarded from the first to the last".into()],
        ..first.clone()
    })
}

/// Without fractions of a second.
pub fn naive(at: Timestamp) -> NaiveDateTime {
    DateTime::from_timestamp(at.as_second(), 0).unwrap_or_default().naive_utc()
}
