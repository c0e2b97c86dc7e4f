//! Meetings: begun, and ended by somebody or by their time.

use super::{Answer, AskError, MINUTES_MAX, Room, short, view};
use crate::clock;
use crate::policy::Level;
use crate::store::Meeting;
use jiff::SignedDuration;

impl Room {
    pub(super) fn begin(&mut self, title: String, level: String, minutes: Option<u32>) -> Answer<Meeting> {
        if let Some(meeting) = &self.meeting {
            return Err(AskError::MeetingOn(meeting.title.clone()));
        }
        if Level::named(&level).is_none() {
            return Err(AskError::Level(level));
        }
        short("the title", &title)?;
        if minutes.is_some_and(|minutes| !(1..=MINUTES_MAX).contains(&minutes)) {
            return Err(AskError::Minutes);
        }
        let started = clock::utc();
        let ends = minutes
            .and_then(|minutes| started.checked_add(SignedDuration::from_mins(i64::from(minutes))).ok());
        let id = format!("m{:x}", started.as_millisecond());
        let meeting = Meeting { id, title, level, started, ends, ended: None };
        self.store.begin_meeting(&meeting)?;
        self.meeting = Some(meeting.clone());
        self.record("meeting", view::json(&meeting), None, None);
        self.arm();
        self.publish();
        Ok(meeting)
    }

    /// The guard and the judging side learn of the meeting that is on.
    pub(super) fn arm(&mut self) {
        let now_s = clock::monotonic_s();
        self.guard.begin(now_s);
        // From here on the clock on the wall may be set as anybody likes.
        let left = self
            .meeting
            .as_ref()
            .and_then(|meeting| meeting.ends)
            .map(|ends| ends.duration_since(clock::utc()));
        self.end_s = left.map(|left| now_s + left.as_secs_f64());
        // A level that this version does not know is taken for one that bans.
        let level = |meeting: &Meeting| Level::named(&meeting.level).unwrap_or(Level::Confidential);
        self.levels.put(self.meeting.as_ref().map_or(Level::Open, level));
    }

    pub(super) fn end(&mut self) -> Answer<Meeting> {
        let mut meeting = self.meeting.clone().ok_or(AskError::NoMeeting)?;
        meeting.ended = Some(clock::utc());
        self.store.begin_meeting(&meeting)?;
        self.record("meeting", view::json(&meeting), None, None);
        self.meeting = None;
        self.end_s = None;
        self.acknowledged.clear();
        self.guard.end();
        self.levels.put(Level::Open);
        self.publish();
        Ok(meeting)
    }

    /// Ends a meeting whose time is over.
    pub(super) fn overdue(&mut self) {
        // Tried again in a while if it cannot be recorded.
        self.end_s = Some(clock::monotonic_s() + 60.0);
        if let Err(error) = self.end() {
            tracing::error!("cannot end the meeting: {error}");
        }
    }
}
