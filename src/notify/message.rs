//! What a contact is told: an entry of the journal as a message, with its id, its episode and its weight.
//!
//! A pure function of the entry: a message that is read back after a restart has the same id as before, so that whoever
//! got it twice knows.

use crate::config::{Contact, Severity};
use crate::policy::Level;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What waits or is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The same at every attempt.
    pub id: String,
    /// Its row in the outbox; none if it could not be recorded.
    pub delivery: Option<i64>,
    /// What it is about: messages of one episode are delivered in order.
    pub episode: String,
    /// What may become of it while it waits.
    pub weight: Weight,
    /// How bad.
    pub severity: Severity,
    /// `alert.raised` and such.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// One sentence.
    pub text: String,
    /// The record itself.
    pub data: Value,
}

/// What may become of a message while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Held back if the episode was told of a moment ago, and left out once there is news.
    Update,
    /// Sent at once, left out before any that is of more weight.
    Change,
    /// Sent at once, left out last: an alert was raised, or got worse.
    First,
}

/// An entry of the journal.
#[derive(Debug, Clone, Copy)]
pub struct Noted<'a> {
    /// Its number; of what could not be recorded, one that counts those.
    pub number: i64,
    /// Whether it is on record.
    pub recorded: bool,
    /// `alert`, `changed` or `meeting`; others are not told.
    pub kind: &'a str,
    /// When.
    pub at: Timestamp,
    /// A JSON object.
    pub data: &'a str,
}

impl Message {
    /// The message that `noted` is worth, if it is worth one.
    pub fn of(noted: &Noted<'_>) -> Option<Self> {
        let told = match noted.kind {
            "alert" => alert(serde_json::from_str(noted.data).ok()?)?,
            "changed" => changed(serde_json::from_str(noted.data).ok()?)?,
            "meeting" => meeting(serde_json::from_str(noted.data).ok()?)?,
            _ => return None,
        };
        let Told { kind, episode, weight, severity, text, data } = told;
        // A book that begins anew counts from the start: the time keeps its messages apart from those before.
        let mark = if noted.recorded { "" } else { "r" };
        let id = format!("emcon-{:x}-{mark}{}", noted.at.as_microsecond(), noted.number);
        Some(Self { id, delivery: None, episode, weight, severity, kind, at: noted.at, text, data })
    }

    /// One that tells nothing but that it can be told.
    pub fn test(at: Timestamp) -> Self {
        Self {
            id: format!("emcon-{:x}-test", at.as_microsecond()),
            delivery: None,
            episode: "test".into(),
            weight: Weight::First,
            severity: Severity::Info,
            kind: "test".into(),
            at,
            text: "TEST: this is a test of emcon's messages; nothing happened".into(),
            data: json!({}),
        }
    }

    /// A sign of life, with what the room says of itself.
    pub fn heartbeat(at: Timestamp, pulse: &Value) -> Self {
        Self {
            id: format!("emcon-{:x}-heartbeat", at.as_microsecond()),
            delivery: None,
            episode: "heartbeat".into(),
            weight: Weight::Update,
            severity: Severity::Info,
            kind: "heartbeat".into(),
            at,
            text: format!("the room is {}", pulse["state"].as_str().unwrap_or("unknown")),
            data: pulse.clone(),
        }
    }

    /// Whether `contact` wants it, in or after a meeting of `level`.
    pub fn is_for(&self, contact: &Contact, level: Option<Level>) -> bool {
        let of_level =
            contact.levels.as_ref().is_none_or(|levels| level.is_some_and(|level| levels.contains(&level)));
        of_level && self.severity >= contact.min_severity
    }

    /// The document that is sent, with `more` that comes in the same message.
    pub fn document(&self, room: &str, more: &[Self]) -> Value {
        let mut document = json!({
            "id": self.id,
            "type": self.kind,
            "timestamp": self.at,
            "room": room,
            "severity": self.severity.as_str(),
            "text": self.text_with(more.len()),
            "data": self.data,
        });
        if !more.is_empty() {
            let brief = |message: &Self| {
                json!({
                    "id": message.id,
                    "type": message.kind,
                    "timestamp": message.at,
                    "severity": message.severity.as_str(),
                    "text": message.text,
                })
            };
            document["more"] = more.iter().map(brief).collect();
        }
        document
    }

    fn text_with(&self, more: usize) -> String {
        if more == 0 { self.text.clone() } else { format!("{}; and {more} more", self.text) }
    }
}

struct Told {
    kind: String,
    episode: String,
    weight: Weight,
    severity: Severity,
    text: String,
    data: Value,
}

fn alert(data: Value) -> Option<Told> {
    let word = |key: &str| data[key].as_str().unwrap_or("?");
    let phase = data["phase"].as_str()?;
    let severity = data["severity"].as_str().and_then(Severity::named)?;
    let what = format!("{} ({})", word("device"), word("signal"));
    let reason =
        data["reasons"][0].as_str().map_or(String::new(), |reason| format!(": {}", shortened(reason)));
    let (weight, text) = match phase {
        "raised" => (Weight::First, format!("ALERT: {what}{reason}")),
        "updated" => (Weight::Update, format!("ALERT is now: {what}{reason}")),
        "resolved" => {
            let because = data["resolved_because"].as_str().unwrap_or("?");
            (
                Weight::Change,
                format!("no longer heard ({because}): {what}; it stays until somebody acknowledges it"),
            )
        }
        "acknowledged" => {
            let by = data["acknowledged_by"].as_str().filter(|by| !by.is_empty()).unwrap_or("somebody");
            (Weight::Change, format!("acknowledged by {by}: {what}"))
        }
        _ => return None,
    };
    Some(Told {
        kind: format!("alert.{phase}"),
        episode: data["id"].as_str()?.to_owned(),
        weight,
        severity,
        text,
        data,
    })
}

/// States that people must hear of when the room gets into them, and when it leaves them.
const GRAVE: [&str; 3] = ["alert", "tamper", "blind"];

fn changed(data: Value) -> Option<Told> {
    let state = data["state"].as_str()?;
    let into = GRAVE.contains(&state);
    let out_of = data["was"].as_str().filter(|was| GRAVE.contains(was));
    if (!into && out_of.is_none()) || out_of == Some(state) {
        return None;
    }
    let reason =
        data["conditions"][0].as_str().map_or(String::new(), |reason| format!(": {}", shortened(reason)));
    let text = match out_of {
        Some(was) if !into => format!("the room is {}, no longer {was}{reason}", state.to_uppercase()),
        _ => format!("the room is {}{reason}", state.to_uppercase()),
    };
    let weight = if into { Weight::Change } else { Weight::Update };
    let (kind, episode) = ("state.changed".into(), "state".into());
    Some(Told { kind, episode, weight, severity: Severity::Critical, text, data })
}

fn meeting(mut data: Value) -> Option<Told> {
    // What a meeting is called stays in the room.
    data.as_object_mut()?.remove("title");
    let level = data["level"].as_str().unwrap_or("?");
    let (kind, text) = if data["ended"].is_null() {
        ("meeting.began", format!("a meeting of level {level} began"))
    } else {
        ("meeting.ended", format!("the meeting of level {level} ended"))
    };
    let episode = format!("meeting {}", data["id"].as_str()?);
    Some(Told { kind: kind.into(), episode, weight: Weight::Change, severity: Severity::Info, text, data })
}

/// Longest reason in a sentence, characters: fifty sentences stay well below a message's 20 kB.
const REASON_MAX: usize = 160;

fn shortened(text: &str) -> String {
    if text.chars().count() <= REASON_MAX {
        return text.to_owned();
    }
    text.chars().take(REASON_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ContactChannel;

    fn noted(kind: &'static str, data: &'static str) -> Option<Message> {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        Message::of(&Noted { number: 7, recorded: true, kind, at, data })
    }

    #[test]
    fn what_is_told_of_an_alert() {
        let message = noted(
            "alert",
            r#"{"phase":"raised","id":"a1-x","device":"mobile-phone","signal":"lte","severity":"critical","reasons":["1 ms bursts"]}"#,
        )
        .unwrap();
        assert_eq!(message.id, "emcon-6651728988000-7");
        assert_eq!((message.kind.as_str(), message.episode.as_str()), ("alert.raised", "a1-x"));
        assert_eq!((message.weight, message.severity), (Weight::First, Severity::Critical));
        assert_eq!(message.text, "ALERT: mobile-phone (lte): 1 ms bursts");
        assert_eq!(noted("emitter", "{}"), None);
    }

    #[test]
    fn only_grave_states_are_told_and_leaving_them() {
        let told = |data| noted("changed", data).map(|message| (message.weight, message.text));
        assert_eq!(told(r#"{"was":"arming","state":"clear","conditions":[]}"#), None);
        assert_eq!(told(r#"{"was":"blind","state":"blind","conditions":[]}"#), None);
        let (weight, text) =
            told(r#"{"was":"clear","state":"blind","conditions":["nothing heard"]}"#).unwrap();
        assert_eq!((weight, text.as_str()), (Weight::Change, "the room is BLIND: nothing heard"));
        let (weight, text) = told(r#"{"was":"blind","state":"clear","conditions":[]}"#).unwrap();
        assert_eq!((weight, text.as_str()), (Weight::Update, "the room is CLEAR, no longer blind"));
    }

    #[test]
    fn a_meetings_title_stays_in_the_room() {
        let message =
            noted("meeting", r#"{"id":"m1","title":"Merger","level":"secret","ended":null}"#).unwrap();
        assert!(!message.document("Room", &[]).to_string().contains("Merger"));
        assert_eq!(message.kind, "meeting.began");
    }

    #[test]
    fn who_wants_what() {
        let message = noted("meeting", r#"{"id":"m1","level":"secret","ended":null}"#).unwrap();
        let contact = |min_severity, levels| Contact {
            name: "x".into(),
            min_severity,
            levels,
            heartbeat_s: 0,
            channel: ContactChannel::Command(Vec::new()),
        };
        for (severity, levels, level, wants) in [
            (Severity::Info, None, None, true),
            (Severity::Warning, None, None, false),
            (Severity::Info, Some(vec![Level::Secret]), Some(Level::Secret), true),
            (Severity::Info, Some(vec![Level::Secret]), Some(Level::Open), false),
            (Severity::Info, Some(vec![Level::Secret]), None, false),
        ] {
            assert_eq!(
                message.is_for(&contact(severity, levels.clone()), level),
                wants,
                "{levels:?} {level:?}"
            );
        }
    }

    #[test]
    fn fifty_more_stay_below_twenty_kilobytes() {
        let long = format!(
            r#"{{"phase":"raised","id":"a1-x","device":"wireless-network-card","signal":"wifi-ofdm","severity":"critical","reasons":["{}"]}}"#,
            "x".repeat(5000)
        );
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let message =
            Message::of(&Noted { number: 7, recorded: true, kind: "alert", at, data: &long }).unwrap();
        let more = vec![message.clone(); super::super::queue::BATCH_MAX];
        assert!(Message { data: json!({}), ..message }.document("Room", &more).to_string().len() < 20_000);
    }
}
