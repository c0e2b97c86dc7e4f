//! The schedule in the room's thread: what calendars ask for is done, told and recorded here; what to do is decided in
//! `calendar::schedule`.

use super::check::WAIT_S;
use super::{Answer, AskError, MINUTES_MAX, Room, view};
use crate::calendar::schedule::{Change, Closed, Facts, Now, Running, schedule};
use crate::calendar::source::SOURCES_MAX;
use crate::calendar::{AFTER, Occurrence};
use crate::clock;
use crate::guard::{Mode, State};
use crate::policy::Level;
use crate::store::Meeting;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The schedule is looked at this often, seconds: a meeting's end is kept to within a second.
const EACH_S: f64 = 0.25;
/// The room is quiet when nothing was open, heard or unseen for so long, seconds: two of the longest silences of a device
/// that is there (`guard::GONE_S`).
pub(super) const QUIET_S: f64 = 60.0;
/// A calendar that could not be read for so long is a fault.
const STALE: SignedDuration = SignedDuration::from_hours(24);
/// Without a meeting, the clock as it was before it was set is believed beside the new one for so long, seconds.
const CARRIED_S: f64 = 3600.0;
/// 2026-01-01, before which this was not written: an earlier clock was never set. Seconds since 1970.
const WRITTEN_S: i64 = 1_767_225_600;
/// What was ended before its time and is remembered: a year of two a day.
const CLOSED_MAX: usize = 730;

/// What is known of a calendar: all of it, each time.
#[derive(Debug, Clone, Default)]
pub struct CalendarNews {
    /// Its name.
    pub name: String,
    /// When it was read without a fault last.
    pub read: Option<Timestamp>,
    /// Why it cannot be read now.
    pub error: Option<String>,
    /// What it says, as read last.
    pub occurrences: Vec<Occurrence>,
    /// What is wrong with single events.
    pub faults: Vec<String>,
    /// Faults beyond those.
    pub more_faults: usize,
}

/// What the room knows of its schedule.
pub(super) struct Agenda {
    calendars: BTreeMap<String, CalendarNews>,
    /// Of all calendars.
    occurrences: Vec<Occurrence>,
    heard: BTreeSet<String>,
    /// Always there while a meeting is on.
    pub(super) running: Option<Running>,
    /// When the part that somebody began by hand ends.
    pub(super) manual_ends: Option<Timestamp>,
    closed: Vec<Closed>,
    /// The wall's clock at a monotonic second.
    anchor: (Timestamp, f64),
    /// When the wall's clock was set, monotonic seconds.
    stepped_s: Option<f64>,
    /// When the room was not quiet last, monotonic seconds.
    pub(super) uneasy_s: f64,
    due_s: f64,
}

/// What must outlive the process.
#[derive(Serialize, Deserialize)]
struct Kept {
    meeting: Option<String>,
    running: Option<Running>,
    manual_ends: Option<Timestamp>,
    closed: Vec<Closed>,
}

impl Agenda {
    /// As kept, with `meeting` on.
    pub(super) fn of(kept: Option<String>, meeting: Option<&Meeting>) -> Self {
        let kept = kept.and_then(|text| match serde_json::from_str::<Kept>(&text) {
            Ok(kept) => Some(kept),
            Err(error) => {
                tracing::warn!("what the schedule kept cannot be read: {error}");
                None
            }
        });
        let (meeting_kept, running, manual_ends, closed) =
            kept.map_or((None, None, None, Vec::new()), |k| (k.meeting, k.running, k.manual_ends, k.closed));
        let same = meeting.is_some_and(|m| meeting_kept.as_ref() == Some(&m.id));
        let (running, manual_ends) = match meeting {
            Some(_) if same && running.is_some() => (running, manual_ends),
            // What is not known to be a calendar's was begun by hand.
            Some(meeting) => (Some(by_hand(&meeting.level)), meeting.ends),
            None => (None, None),
        };
        let now_s = clock::monotonic_s();
        Self {
            calendars: BTreeMap::new(),
            occurrences: Vec::new(),
            heard: BTreeSet::new(),
            running,
            manual_ends,
            closed,
            anchor: (clock::utc(), now_s),
            stepped_s: None,
            uneasy_s: now_s,
            due_s: 0.0,
        }
    }

    fn now(&self, now_s: f64) -> Now {
        let wall = clock::utc();
        let passed = SignedDuration::try_from_secs_f64((now_s - self.anchor.1).max(0.0)).unwrap_or_default();
        Now { wall, carried: self.anchor.0.checked_add(passed).unwrap_or(wall) }
    }
}

/// A meeting that somebody began.
pub(super) fn by_hand(level: &str) -> Running {
    Running { manual: Some(level.to_owned()), parts: Vec::new(), level: level.to_owned() }
}

impl Room {
    /// What a calendar says.
    pub(super) fn calendar(&mut self, news: CalendarNews) {
        let agenda = &mut self.agenda;
        if agenda.calendars.len() >= SOURCES_MAX && !agenda.calendars.contains_key(&news.name) {
            return;
        }
        if news.read.is_some() {
            agenda.heard.insert(news.name.clone());
        }
        agenda.calendars.insert(news.name.clone(), news);
        agenda.occurrences = agenda.calendars.values().flat_map(|c| c.occurrences.iter().cloned()).collect();
        agenda.due_s = 0.0;
    }

    /// Does what the schedule asks for; called often, acts four times a second.
    pub(super) fn keep_schedule(&mut self, now_s: f64) {
        if now_s < self.agenda.due_s {
            return;
        }
        self.agenda.due_s = now_s + EACH_S;
        self.keep_check(now_s);
        let now = self.agenda.now(now_s);
        self.keep_clock(now, now_s);
        self.guard.beside(now_s, self.agenda.wrong(now.wall));
        if !self.is_quiet_now(now_s) {
            self.agenda.uneasy_s = now_s;
        }
        let facts = Facts {
            occurrences: &self.agenda.occurrences,
            heard: &self.agenda.heard,
            closed: &self.agenda.closed,
            quiet: now_s - self.agenda.uneasy_s >= QUIET_S,
        };
        let (after, changes) = schedule(now, facts, self.agenda.running.as_ref());
        if after == self.agenda.running && changes.is_empty() {
            return;
        }
        self.change(after, &changes, now_s);
    }

    fn change(&mut self, after: Option<Running>, changes: &[Change], now_s: f64) {
        let because: Vec<String> = changes.iter().map(Change::words).collect();
        match (after, self.meeting.is_some()) {
            (None, _) => {
                match self.finish(&because) {
                    Ok(_) => self.close(),
                    Err(error) => {
                        // It stays armed, and is tried again.
                        tracing::error!("cannot end the meeting: {error}");
                        self.agenda.due_s = now_s + 10.0;
                    }
                }
            }
            (Some(running), false) => {
                let started = clock::utc();
                let title = title(&running);
                let meeting = Meeting {
                    id: format!("m{:x}", started.as_millisecond()),
                    title,
                    level: running.level.clone(),
                    started,
                    ends: running.ends(),
                    ended: None,
                };
                let begins_in_s = running.begins().map_or(0.0, |b| b.duration_since(started).as_secs_f64());
                self.agenda.running = Some(running);
                self.meeting = Some(meeting);
                // Armed whether or not it can be recorded.
                self.arm();
                self.told_of_meeting(&because);
                // One that began already is checked too.
                self.begin_check(now_s, now_s + begins_in_s.max(WAIT_S.1));
            }
            (Some(running), true) => {
                let level = running.level != self.agenda.running.as_ref().map_or("", |r| r.level.as_str());
                self.agenda.running = Some(running);
                self.follow();
                if level {
                    self.tell_level();
                }
                self.told_of_meeting(&because);
            }
        }
        self.keep();
    }

    /// The meeting on record says what is in force.
    pub(super) fn follow(&mut self) {
        let Some(running) = &self.agenda.running else { return };
        let ends = match (&running.manual, self.agenda.manual_ends) {
            (Some(_), None) => None,
            (Some(_), manual) => manual.max(running.ends()),
            (None, _) => running.ends(),
        };
        if let Some(meeting) = &mut self.meeting {
            meeting.level.clone_from(&running.level);
            // What is over keeps its end.
            meeting.ends = if running.is_needed() { ends } else { meeting.ends };
            if meeting.title.is_empty() {
                meeting.title = title(running);
            }
        }
    }

    /// Records and tells the meeting as it is now, and why it changed.
    pub(super) fn told_of_meeting(&mut self, because: &[String]) {
        let Some(meeting) = self.meeting.clone() else { return };
        self.record("meeting", view::meeting(&meeting, because), None, Some(&meeting));
    }

    /// Gives the meeting `minutes` more.
    pub(super) fn extend(&mut self, minutes: u32) -> Answer<Meeting> {
        let meeting = self.meeting.as_ref().ok_or(AskError::NoMeeting)?;
        if !(1..=MINUTES_MAX).contains(&minutes) {
            return Err(AskError::Minutes);
        }
        let running = self.agenda.running.as_ref().ok_or(AskError::NoMeeting)?;
        if running.manual.is_some() && self.agenda.manual_ends.is_none() {
            return Err(AskError::Endless);
        }
        let wall = clock::utc();
        let from = meeting.ends.map_or(wall, |ends| ends.max(wall));
        let more = |from: Timestamp, minutes: u32| {
            from.checked_add(SignedDuration::from_mins(i64::from(minutes))).map_err(|_| AskError::Minutes)
        };
        let ends = more(from, minutes)?;
        if ends > more(wall, MINUTES_MAX)? {
            return Err(AskError::Minutes);
        }
        let changed = Meeting { ends: Some(ends), ..meeting.clone() };
        // Not extended unless it is on record.
        self.store.begin_meeting(&changed)?;
        self.agenda.manual_ends = Some(ends);
        if let Some(running) = &mut self.agenda.running {
            running.manual.get_or_insert_with(|| running.level.clone());
        }
        self.meeting = Some(changed.clone());
        self.set_end(clock::monotonic_s());
        self.told_of_meeting(&[format!("extended by {minutes} minutes")]);
        self.keep();
        self.publish();
        Ok(changed)
    }

    /// The part that was begun by hand is over; whether the meeting is.
    pub(super) fn manual_is_over(&mut self) -> bool {
        self.agenda.manual_ends = None;
        self.end_s = None;
        let Some(running) = &mut self.agenda.running else { return true };
        running.manual = None;
        let over = running.parts.is_empty();
        if !over {
            // What calendars have in it goes on.
            self.agenda.due_s = 0.0;
            self.keep();
        }
        over
    }

    /// Somebody ended the meeting: what is on does not arm the room again.
    pub(super) fn close(&mut self) {
        let Some(running) = self.agenda.running.take() else { return };
        self.agenda.manual_ends = None;
        let now = clock::utc();
        self.agenda.closed.retain(|closed| closed.ends.checked_add(AFTER).is_ok_and(|until| until > now));
        self.agenda.closed.extend(running.closes());
        let many = self.agenda.closed.len().saturating_sub(CLOSED_MAX);
        self.agenda.closed.drain(..many);
        self.keep();
    }

    /// Keeps what must outlive the process. That it cannot is told where meetings are recorded.
    pub(super) fn keep(&mut self) {
        let kept = Kept {
            meeting: self.meeting.as_ref().map(|meeting| meeting.id.clone()),
            running: self.agenda.running.clone(),
            manual_ends: self.agenda.manual_ends,
            closed: self.agenda.closed.clone(),
        };
        if let Err(error) = self.store.put_schedule(&view::json(&kept)) {
            tracing::warn!("cannot keep the schedule: {error}");
        }
    }

    /// The wall's clock is followed while it runs; when it is set, that is told, and both are believed for a while.
    fn keep_clock(&mut self, now: Now, now_s: f64) {
        match (now.step(), self.agenda.stepped_s) {
            (None, _) => {
                self.agenda.anchor = (now.wall, now_s);
                self.agenda.stepped_s = None;
            }
            (Some(step), None) => {
                self.agenda.stepped_s = Some(now_s);
                let seconds = step.as_secs_f64();
                tracing::warn!("the clock was set by {seconds:+.1} s");
                self.record("clock", json!({ "step_s": seconds }).to_string(), None, None);
            }
            (Some(_), Some(since_s)) if self.meeting.is_none() && now_s - since_s > CARRIED_S => {
                self.agenda.anchor = (now.wall, now_s);
                self.agenda.stepped_s = None;
            }
            _ => {}
        }
    }

    fn is_quiet_now(&self, now_s: f64) -> bool {
        self.guard.open().next().is_none()
            && self.guard.mode() == Mode::Armed
            && self.guard.conditions(now_s).iter().all(|condition| condition.state < State::Blind)
    }

    /// The schedule for the state.
    pub(super) fn schedule_json(&self) -> serde_json::Value {
        let now = clock::utc();
        let agenda = &self.agenda;
        let calendar = |news: &CalendarNews| {
            json!({
                "name": news.name, "read": news.read,
                "age_s": news.read.map(|read| now.duration_since(read).as_secs().max(0)),
                "error": news.error, "faults": news.faults, "more_faults": news.more_faults,
                "occurrences": news.occurrences.len(),
            })
        };
        let next = agenda.occurrences.iter().filter(|o| o.arms > now).min_by_key(|o| o.arms);
        let next = next.map(|o| {
            json!({
                "title": o.title, "level": o.level.as_str(), "arms": o.arms, "begins": o.begins, "ends": o.ends,
                "certain": o.is_certain(), "wide": o.wide,
            })
        });
        let running = agenda.running.as_ref();
        json!({
            "calendars": agenda.calendars.values().map(calendar).collect::<Vec<_>>(),
            "manual": running.is_some_and(|running| running.manual.is_some()),
            "parts": running.map_or(&[][..], |running| &running.parts),
            "held": running.is_some_and(|running| !running.is_needed()),
            "lost": running.is_some_and(Running::is_lost),
            "next": next,
            "clock_was_set": agenda.stepped_s.is_some(),
        })
    }
}

impl Agenda {
    /// What is wrong with calendars at `now`.
    fn wrong(&self, now: Timestamp) -> Vec<(State, String)> {
        let stale = |news: &CalendarNews| {
            let why = news.error.as_deref().unwrap_or("it does not answer");
            match news.read {
                None => Some(format!("calendar {:?} was never read: {why}", news.name)),
                Some(read) => {
                    let age = now.duration_since(read);
                    // Whole days: what is told anew every minute is not read.
                    (age > STALE)
                        .then(|| format!("calendar {:?} is {} d old: {why}", news.name, age.as_hours() / 24))
                }
            }
        };
        let mut all: Vec<_> =
            self.calendars.values().filter_map(stale).map(|reason| (State::Degraded, reason)).collect();
        if now.as_second() < WRITTEN_S && !self.calendars.is_empty() {
            all.push((
                State::Degraded,
                "the clock is not set: no meeting of a calendar is known to be on".into(),
            ));
        }
        all
    }
}

/// What the meeting is called.
fn title(running: &Running) -> String {
    let titles: Vec<&str> = running.parts.iter().map(|part| part.title.as_str()).take(3).collect();
    titles.join(" + ").chars().take(super::TEXT_MAX).collect()
}

/// The level in force, of which one that this version does not know bans.
pub(super) fn in_force(running: &Running) -> Level {
    Level::named(&running.level).unwrap_or(Level::Confidential)
}
