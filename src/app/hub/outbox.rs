//! Who is told beside those who listen: contacts, through the outbox of the records.
//!
//! What is worth a message is recorded together with one delivery for each contact, then handed to the contacts' tasks. What
//! became of it comes back and is recorded too. Without a disk messages go all the same.

use super::{Ask, Room};
use crate::clock;
use crate::config::Severity;
use crate::notify::{Contacts, Message, Noted, Outcome, WAITING_MAX, Weight};
use crate::policy::Level;
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write;
use tokio::sync::mpsc;

/// Outcomes that are recorded between two turns of the room: each may wait for the disk.
const OUTCOMES_AT_ONCE: usize = 32;
/// What signs of life say is made anew this often, seconds: more often than any is sent.
const BEAT_S: f64 = 1.0;
/// Alerts whose severity is remembered, to know what gets worse: as many as are open at a time.
const SEVERITIES_MAX: usize = super::OPEN_MAX;
/// Most deliveries of an alert that are told of.
const DELIVERIES_MAX: usize = 1000;

/// The room's side of the contacts.
pub(super) struct Outbox {
    contacts: Contacts,
    outcomes: Option<mpsc::Receiver<Outcome>>,
    /// Of the meeting that is on, or was.
    level: Option<Level>,
    severities: BTreeMap<String, Severity>,
    /// Messages that could not be recorded.
    unrecorded: i64,
    meeting: bool,
    beat_s: f64,
}

/// What is to be told to whom.
pub(super) struct Wanted {
    worse: bool,
    severity: Severity,
    /// The alert that it is of.
    pub about: Option<String>,
    /// Whom.
    pub names: Vec<String>,
}

impl Wanted {
    /// Names of those who want to be told.
    pub fn names(wanted: Option<&Self>) -> Vec<&str> {
        wanted.into_iter().flat_map(|wanted| &wanted.names).map(String::as_str).collect()
    }
}

impl Outbox {
    /// For `contacts`; what waits for them in `store` goes at once.
    pub fn new(
        contacts: Contacts,
        outcomes: Option<mpsc::Receiver<Outcome>>,
        store: &Store,
    ) -> Result<Self, StoreError> {
        for contact in contacts.all() {
            for (delivery, entry) in store.waiting(&contact.name, WAITING_MAX)? {
                let (number, kind, data) = (entry.number, entry.kind.as_str(), entry.data.as_str());
                let message = Message::of(&Noted { number, recorded: true, kind, at: entry.at, data });
                if let Some(message) = message {
                    contacts.tell(&contact.name, Message { delivery: Some(delivery), ..message });
                }
            }
        }
        let (severities, unrecorded) = (BTreeMap::new(), 0);
        Ok(Self { contacts, outcomes, level: None, severities, unrecorded, meeting: false, beat_s: 0.0 })
    }

    /// Who is to be told of an entry, in a meeting of `level`.
    pub fn wanted(&mut self, kind: &str, data: &str, at: Timestamp, level: Option<Level>) -> Option<Wanted> {
        self.level = level.or(self.level);
        if self.contacts.is_empty() {
            return None;
        }
        let message = Message::of(&Noted { number: 0, recorded: false, kind, at, data })?;
        let about = message.kind.starts_with("alert.").then(|| message.episode.clone());
        let before = about.as_ref().and_then(|alert| self.severities.get(alert).copied());
        let level = self.level;
        let wants = self.contacts.all().filter(|contact| message.is_for(contact, level));
        let names = wants.map(|contact| contact.name.clone()).collect();
        let worse = before.is_some_and(|before| before < message.severity);
        Some(Wanted { worse, severity: message.severity, about, names })
    }

    /// Hands an entry over, with its number and deliveries if it was recorded.
    pub fn tell(
        &mut self,
        wanted: &Wanted,
        kind: &str,
        data: &str,
        at: Timestamp,
        on_record: Option<(i64, &[i64])>,
    ) {
        let number = on_record.map_or(self.unrecorded, |(number, _)| number);
        self.unrecorded += i64::from(on_record.is_none());
        let noted = Noted { number, recorded: on_record.is_some(), kind, at, data };
        let Some(mut message) = Message::of(&noted) else { return };
        if let Some(alert) = &wanted.about {
            self.severities.insert(alert.clone(), wanted.severity);
            if self.severities.len() > SEVERITIES_MAX {
                self.severities.pop_first();
            }
        }
        if wanted.worse {
            // Somebody knows of something lesser.
            message.weight = Weight::First;
        }
        for (n, name) in wanted.names.iter().enumerate() {
            let delivery = on_record.and_then(|(_, deliveries)| deliveries.get(n).copied());
            if !self.contacts.tell(name, Message { delivery, ..message.clone() }) {
                tracing::error!("too much waits for contact {name}: a message goes when emcon starts again");
            }
        }
    }
}

impl Room {
    /// Level of the meeting that is on.
    pub(super) fn level(&self) -> Option<Level> {
        let meeting = self.meeting.as_ref()?;
        // As in `arm`: a level that this version does not know is taken for one that bans.
        Some(Level::named(&meeting.level).unwrap_or(Level::Confidential))
    }

    /// Records what became of messages, and tells the contacts' tasks what they must know.
    pub(super) fn keep_contacts(&mut self, now_s: f64) {
        if self.outbox.contacts.is_empty() {
            return;
        }
        for _ in 0..OUTCOMES_AT_ONCE {
            let Some(Ok(outcome)) = self.outbox.outcomes.as_mut().map(mpsc::Receiver::try_recv) else {
                break;
            };
            let kept = match outcome {
                Outcome::Delivered(delivery, at) => self.store.delivered(delivery, at),
                Outcome::Failed { delivery, until, why } => self.store.postponed(delivery, until, &why),
                Outcome::LeftOut(delivery) => self.store.left_out(delivery),
            };
            if let Err(error) = kept {
                // It goes once more after a restart, with the same id.
                tracing::debug!("what became of a message is not recorded: {error}");
            }
        }
        let meeting = self.meeting.is_some();
        if meeting != self.outbox.meeting {
            self.outbox.meeting = meeting;
            self.outbox.contacts.meeting(meeting);
        }
        self.guard.unreached(self.outbox.contacts.troubles(now_s));
        if now_s >= self.outbox.beat_s {
            self.outbox.beat_s = now_s + BEAT_S;
            self.outbox.contacts.beat(self.pulse(now_s));
        }
    }

    /// What signs of life say: the state, and the head of the journal, which others can compare it with.
    fn pulse(&self, now_s: f64) -> serde_json::Value {
        let head = self.store.head().ok().map(|head| {
            let mut hash = String::with_capacity(2 * head.hash.len());
            for byte in head.hash {
                // Writing to a string cannot fail.
                let _ = write!(hash, "{byte:02x}");
            }
            serde_json::json!({ "number": head.number, "sha256": hash })
        });
        serde_json::json!({
            "mode": self.guard.mode().as_str(),
            "state": self.guard.state(now_s).as_str(),
            "lease_ms": (self.guard.lease_s(now_s) * 1e3) as u64,
            "open_alerts": self.guard.open().count(),
            "meeting": self.meeting.as_ref().map(|meeting| &meeting.id),
            "head": head,
            "utc": clock::utc(),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }

    /// Answers who was told of an alert.
    pub(super) fn deliveries(&self, alert: &str) -> super::Answer<Vec<crate::store::Delivery>> {
        match self.store.deliveries(alert, DELIVERIES_MAX)? {
            told if told.is_empty() && self.store.alert(alert)?.is_none() => {
                Err(super::AskError::UnknownAlert(alert.to_owned()))
            }
            told => Ok(told),
        }
    }
}

impl super::Hub {
    /// The contacts.
    pub fn contacts(&self) -> &Contacts {
        &self.contacts
    }

    /// Who was told what of an alert, and when.
    ///
    /// # Errors
    /// None of this name is on record.
    pub async fn deliveries(&self, alert: String) -> super::Answer<Vec<crate::store::Delivery>> {
        self.ask(|reply| Ask::Deliveries { alert, reply }).await
    }
}
