//! One `VEVENT` as far as a guard of rooms needs it, and whether it is confidential.

use super::{Fault, Rules};
use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendarClassification, ICalendarComponent, ICalendarDuration, ICalendarEntry, ICalendarParameterName,
    ICalendarPeriod, ICalendarProperty, ICalendarRecurrenceRule, ICalendarStatus, ICalendarValue,
};
use chrono::NaiveDateTime;

/// Longest title that is kept, characters: as long as a meeting's.
const TITLE_MAX: usize = 200;

/// A time as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    pub local: NaiveDateTime,
    /// Seconds east of Greenwich, of a time in UTC.
    pub offset_s: Option<i32>,
    pub zone: Option<String>,
    /// A date without a time.
    pub is_date: bool,
}

/// How long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Length {
    Until(Written),
    For(ICalendarDuration),
    Unknown,
}

/// A date that is added, and its own length if it has one.
pub type Added = (Written, Length);

/// An event as written.
#[derive(Debug, Clone)]
pub struct Event {
    pub uid: String,
    pub title: String,
    pub start: Option<Written>,
    pub length: Length,
    pub rules: Vec<Result<ICalendarRecurrenceRule, String>>,
    pub added: Vec<Added>,
    pub excluded: Vec<Written>,
    /// Of which occurrence it is another version.
    pub replaces: Option<Written>,
    /// And of those that follow.
    pub and_future: bool,
    pub cancelled: bool,
    pub sequence: i64,
    /// `DTSTAMP`, UTC as written.
    pub stamp: Option<NaiveDateTime>,
    pub confidential: bool,
    /// It says a `CLASS` of its own.
    pub says_class: bool,
    /// Values that could not be read: property and value.
    pub bad: Vec<(&'static str, String)>,
}

impl Event {
    /// Reads `component`.
    pub fn of(component: &ICalendarComponent, rules: &Rules) -> Self {
        let mut event = Self {
            uid: String::new(),
            title: String::new(),
            start: None,
            length: Length::Unknown,
            rules: Vec::new(),
            added: Vec::new(),
            excluded: Vec::new(),
            replaces: None,
            and_future: false,
            cancelled: false,
            sequence: 0,
            stamp: None,
            confidential: false,
            says_class: false,
            bad: Vec::new(),
        };
        for entry in &component.entries {
            event.take(entry, rules);
        }
        if event.uid.is_empty() {
            // Told apart by what it says: enough to follow it while it stays as it is.
            let start = event.start.as_ref().map_or(String::new(), |start| start.local.to_string());
            event.uid = format!("without UID: {} {start}", event.title);
        }
        event
    }

    /// What people know it by.
    pub fn name(&self) -> String {
        if self.title.is_empty() { format!("event {}", self.uid) } else { format!("{:?}", self.title) }
    }

    /// What could not be read in it, as faults.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        self.bad.iter().map(|(property, value)| Fault::BadDate {
            event: self.name(),
            property,
            value: value.chars().take(40).collect(),
        })
    }

    fn take(&mut self, entry: &ICalendarEntry, rules: &Rules) {
        match (&entry.name, entry.values.first()) {
            (ICalendarProperty::Uid, Some(ICalendarValue::Text(uid))) => self.uid = short(uid),
            (ICalendarProperty::Summary, Some(ICalendarValue::Text(title))) => {
                self.title = short(title);
                self.confidential |= mentions(title, &rules.keywords);
            }
            (
                ICalendarProperty::Description | ICalendarProperty::Comment,
                Some(ICalendarValue::Text(text)),
            ) => {
                self.confidential |= mentions(text, &rules.keywords);
            }
            (ICalendarProperty::Class, Some(class)) => {
                self.says_class = true;
                self.confidential |= is_class(class, &rules.classes);
            }
            (ICalendarProperty::Categories, _) => {
                let named = |value: &ICalendarValue| match value {
                    ICalendarValue::Text(text) => rules.categories.iter().any(|known| same(known, text)),
                    _ => false,
                };
                self.confidential |= entry.values.iter().any(named);
            }
            (ICalendarProperty::Status, Some(value)) => {
                self.cancelled = matches!(value, ICalendarValue::Status(ICalendarStatus::Cancelled));
            }
            (ICalendarProperty::Sequence, Some(ICalendarValue::Integer(sequence))) => {
                self.sequence = *sequence
            }
            (ICalendarProperty::Dtstamp, _) => {
                self.stamp = written(entry).into_iter().flatten().next().map(|stamp| stamp.local);
            }
            (ICalendarProperty::Dtstart, _) => self.start = self.first("DTSTART", entry),
            (ICalendarProperty::Dtend, _) => {
                if let Some(end) = self.first("DTEND", entry) {
                    self.length = Length::Until(end);
                }
            }
            (ICalendarProperty::Duration, Some(ICalendarValue::Duration(duration))) => {
                self.length = Length::For(duration.clone());
            }
            (ICalendarProperty::Duration, Some(other)) => self.bad.push(("DURATION", said(other))),
            (ICalendarProperty::Rrule, _) => self.rules.push(match entry.values.first() {
                Some(ICalendarValue::RecurrenceRule(rule)) => Ok((**rule).clone()),
                other => Err(other.map_or(String::new(), said)),
            }),
            (ICalendarProperty::RecurrenceId, _) => {
                self.replaces = self.first("RECURRENCE-ID", entry);
                self.and_future = entry.parameters(&ICalendarParameterName::Range).next().is_some();
            }
            (ICalendarProperty::Exdate, _) => {
                for date in written(entry) {
                    match date {
                        Ok(date) => self.excluded.push(date),
                        Err(value) => self.bad.push(("EXDATE", value)),
                    }
                }
            }
            (ICalendarProperty::Rdate, _) => self.add(entry),
            _ => {}
        }
    }

    fn first(&mut self, property: &'static str, entry: &ICalendarEntry) -> Option<Written> {
        match written(entry).into_iter().next()? {
            Ok(at) => Some(at),
            Err(value) => {
                self.bad.push((property, value));
                None
            }
        }
    }

    fn add(&mut self, entry: &ICalendarEntry) {
        let zone = entry.tz_id().map(str::to_owned);
        for value in &entry.values {
            let added = match value {
                ICalendarValue::PartialDateTime(date) => {
                    at(date, zone.clone()).map(|at| (at, Length::Unknown))
                }
                ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => at(start, zone.clone())
                    .zip(at(end, zone.clone()))
                    .map(|(start, end)| (start, Length::Until(end))),
                ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
                    at(start, zone.clone()).map(|start| (start, Length::For(duration.clone())))
                }
                _ => None,
            };
            match added {
                Some(added) => self.added.push(added),
                None => self.bad.push(("RDATE", said(value))),
            }
        }
    }
}

/// All times of a property; what cannot be read as it was written.
fn written(entry: &ICalendarEntry) -> Vec<Result<Written, String>> {
    let zone = entry.tz_id().map(str::to_owned);
    let read = |value: &ICalendarValue| match value {
        ICalendarValue::PartialDateTime(date) => at(date, zone.clone()).ok_or_else(|| said(value)),
        other => Err(said(other)),
    };
    entry.values.iter().map(read).collect()
}

fn at(date: &PartialDateTime, zone: Option<String>) -> Option<Written> {
    let read = date.to_date_time()?;
    Some(Written {
        local: read.date_time,
        offset_s: read.offset.map(|offset| offset.local_minus_utc()),
        zone,
        is_date: !date.has_time(),
    })
}

/// A value as people may find it again.
fn said(value: &ICalendarValue) -> String {
    match value {
        ICalendarValue::Text(text) => text.clone(),
        ICalendarValue::PartialDateTime(date) => {
            let part = |part: Option<u8>| part.map_or("??".to_owned(), |part| format!("{part:02}"));
            let year = date.year.map_or("????".to_owned(), |year| format!("{year:04}"));
            format!(
                "{year}{}{}T{}{}{}",
                part(date.month),
                part(date.day),
                part(date.hour),
                part(date.minute),
                part(date.second)
            )
        }
        _ => "of another kind".into(),
    }
}

/// RFC 5545, 3.8.1.3: what is not known is to be treated as `PRIVATE`.
fn is_class(class: &ICalendarValue, classes: &[String]) -> bool {
    let word = match class {
        ICalendarValue::Classification(ICalendarClassification::Public) => "PUBLIC",
        ICalendarValue::Classification(ICalendarClassification::Confidential) => "CONFIDENTIAL",
        ICalendarValue::Classification(ICalendarClassification::Private) => "PRIVATE",
        ICalendarValue::Text(text) if classes.iter().any(|known| same(known, text)) => return true,
        _ => "PRIVATE",
    };
    classes.iter().any(|known| same(known, word))
}

fn same(known: &str, found: &str) -> bool {
    known.trim().to_lowercase() == found.trim().to_lowercase()
}

fn mentions(text: &str, keywords: &[String]) -> bool {
    if keywords.is_empty() {
        return false;
    }
    let text = text.to_lowercase();
    keywords.iter().any(|word| text.contains(&word.to_lowercase()))
}

fn short(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(TITLE_MAX).collect()
}
