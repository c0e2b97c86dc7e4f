//! The register of who takes part in the meeting, and who left their devices outside.

use super::{Answer, AskError, Room, short};
use crate::store::Participant;
use serde_json::json;

/// Participants of a meeting: a large hall.
pub const PEOPLE_MAX: usize = 500;

impl Room {
    pub(super) fn people(&self) -> Answer<Vec<Participant>> {
        let meeting = self.meeting.as_ref().ok_or(AskError::NoMeeting)?;
        Ok(self.store.participants(&meeting.id)?)
    }

    pub(super) fn put_people(&mut self, people: Vec<Participant>) -> Answer<Vec<Participant>> {
        let meeting = self.meeting.clone().ok_or(AskError::NoMeeting)?;
        if people.len() > PEOPLE_MAX {
            return Err(AskError::Crowd(people.len()));
        }
        for (at, one) in people.iter().enumerate() {
            if one.name.trim().is_empty() {
                return Err(AskError::Nameless(at + 1));
            }
            short("a name", &one.name)?;
            short("a unit", &one.unit)?;
            short("a position", &one.position)?;
        }
        if !self.store.put_participants(&meeting.id, &people)? {
            // Begun while nothing could be recorded; now it can.
            self.store.begin_meeting(&meeting)?;
            self.store.put_participants(&meeting.id, &people)?;
        }
        // That they were put, not who they are: the journal outlives what is to be forgotten.
        let deposited = people.iter().filter(|one| one.device_deposited).count();
        let data = json!({ "participants": people.len(), "devices_deposited": deposited });
        self.record("participants", data.to_string(), None, None);
        Ok(people)
    }
}
