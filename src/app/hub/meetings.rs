//! Meetings: begun, extended and ended by somebody, or by their time.

use super::schedule::{by_hand, in_force};
use super::{Answer, AskError, MINUTES_MAX, Room, short, view};
use crate::calendar::schedule::rank;
use crate::clock;
use crate::policy::Level;
use crate::store::Meeting;
use jiff::SignedDuration;

impl Room {
    pub(super) fn begin(&mut self, title: String, level: String, minutes: Option<u32>) -> Answer<Meeting> {
        let by_calendar = self.agenda.running.as_ref().is_some_and(|running| running.manual.is_none());
        if let Some(meeting) = self.meeting.as_ref().filter(|_| !by_calendar) {
            return Err(AskError::MeetingOn(meeting.title.clone()));
        }
        let Some(named) = Level::named(&level) else {
            return Err(AskError::Level(level));
        };
        short("the title", &title)?;
        if minutes.is_some_and(|minutes| !(1..=MINUTES_MAX).contains(&minutes)) {
            return Err(AskError::Minutes);
        }
        let started = clock::utc();
        let ends = minutes
            .and_then(|minutes| started.checked_add(SignedDuration::from_mins(i64::from(minutes))).ok());
        if let Some(running) = self.agenda.running.as_mut().filter(|_| self.meeting.is_some()) {
            // What the calendar began goes on under somebody's hand, at the stricter level.
            if rank(named) < rank(in_force(running)) {
                running.level.clone_from(&level);
            }
            running.manual = Some(level);
            self.agenda.manual_ends = ends;
            if let Some(meeting) = self.meeting.as_mut().filter(|_| !title.is_empty()) {
                meeting.title = title;
            }
            self.follow();
            self.set_end(clock::monotonic_s());
            self.tell_level();
            self.told_of_meeting(&["somebody began it by hand".into()]);
        } else {
            let id = format!("m{:x}", started.as_millisecond());
            let meeting = Meeting { id, title, level, started, ends, ended: None };
            self.store.begin_meeting(&meeting)?;
            self.agenda.running = Some(by_hand(&meeting.level));
            self.agenda.manual_ends = ends;
            self.meeting = Some(meeting.clone());
            self.record("meeting", view::json(&meeting), None, None);
            self.arm();
        }
        self.keep();
        self.publish();
        self.meeting.clone().ok_or(AskError::NoMeeting)
    }

    /// The guard and the judging side learn of the meeting that is on.
    pub(super) fn arm(&mut self) {
        let now_s = clock::monotonic_s();
        self.guard.begin(now_s);
        self.agenda.uneasy_s = now_s;
        self.set_end(now_s);
        self.tell_level();
    }

    /// When the part that somebody began by hand ends. From here on the clock on the wall may be set as anybody likes.
    pub(super) fn set_end(&mut self, now_s: f64) {
        let left = self.agenda.manual_ends.map(|ends| ends.duration_since(clock::utc()));
        self.end_s = left.map(|left| now_s + left.as_secs_f64());
    }

    /// The judging side learns of the level in force.
    pub(super) fn tell_level(&mut self) {
        let level =
            self.agenda.running.as_ref().filter(|_| self.meeting.is_some()).map_or(Level::Open, in_force);
        self.judge.put(self.policies.of(level).clone());
    }

    /// Somebody ends the meeting.
    pub(super) fn end(&mut self) -> Answer<Meeting> {
        let ended = self.finish(&["somebody ended it".into()])?;
        self.close();
        Ok(ended)
    }

    /// The meeting is over.
    pub(super) fn finish(&mut self, because: &[String]) -> Answer<Meeting> {
        let mut meeting = self.meeting.clone().ok_or(AskError::NoMeeting)?;
        meeting.ended = Some(clock::utc());
        self.store.begin_meeting(&meeting)?;
        self.record("meeting", view::meeting(&meeting, because), None, None);
        self.meeting = None;
        self.end_s = None;
        self.acknowledged.clear();
        self.guard.end();
        self.judge.put(self.policies.of(Level::Open).clone());
        self.publish();
        Ok(meeting)
    }

    /// Ends what somebody began by hand and whose time is over.
    pub(super) fn overdue(&mut self) {
        if !self.manual_is_over() {
            return;
        }
        // Tried again in a while if it cannot be recorded.
        self.end_s = Some(clock::monotonic_s() + 60.0);
        match self.finish(&["its time is over".into()]) {
            Ok(_) => self.close(),
            Err(error) => tracing::error!("cannot end the meeting: {error}"),
        }
    }
}
