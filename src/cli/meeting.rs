//! `emcon meeting`: what people do with meetings, from a terminal.

use super::client::{ClientError, get, send};
use super::exit::Exit;
use super::room_args::{MeetingAct, MeetingArgs};
use super::{complain, say};
use crate::recording::printable;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// A check is asked about this often, and at most so many times: longer than the room takes for a verdict.
const ASK_AGAIN: Duration = Duration::from_millis(500);
const ASKS_MAX: usize = 300;

/// `emcon meeting`.
pub(super) fn run(args: &MeetingArgs) -> Exit {
    let room = args.which.room;
    let done = match &args.act {
        MeetingAct::List { limit } => return list(room, *limit, args.which.json),
        MeetingAct::Check => return check(room, args.which.json),
        MeetingAct::Participants { set } => return participants(room, set.as_deref(), args.which.json),
        MeetingAct::Start { title, level, minutes } => {
            let body = json!({ "title": title, "level": level.as_str(), "minutes": minutes });
            send(room, "POST", "/api/v1/meetings", &body)
        }
        MeetingAct::End => send(room, "POST", "/api/v1/meetings/current/end", &json!({})),
        MeetingAct::Extend { minutes } => {
            send(room, "POST", "/api/v1/meeting/extend", &json!({ "minutes": minutes }))
        }
    };
    match done {
        Ok(meeting) if args.which.json => println!("{meeting}"),
        Ok(meeting) => println!("{}", line(&meeting)),
        Err(error) => return refused(&error),
    }
    Exit::Ok
}

/// What the room does not do.
pub(super) fn refused(error: &ClientError) -> Exit {
    complain(error);
    Exit::Unavailable
}

fn list(room: SocketAddr, limit: usize, as_json: bool) -> Exit {
    let both = get(room, &format!("/api/v1/meetings?limit={limit}"))
        .and_then(|meetings| Ok((meetings, get(room, "/api/v1/state")?)));
    let (meetings, state) = match both {
        Ok(both) => both,
        Err(error) => return refused(&error),
    };
    if as_json {
        println!("{}", json!({ "meetings": meetings, "schedule": state["schedule"] }));
        return Exit::Ok;
    }
    for meeting in meetings.as_array().into_iter().flatten() {
        println!("{}", line(meeting));
    }
    let schedule = &state["schedule"];
    if let Some(next) = schedule["next"].as_object() {
        let text = |key: &str| text(&next[key]);
        println!("next: {} to {}  {}  {:?}", text("begins"), text("ends"), text("level"), text("title"));
    }
    for calendar in schedule["calendars"].as_array().into_iter().flatten() {
        let age = calendar["age_s"].as_u64().map_or("never read".to_owned(), |s| format!("read {s} s ago"));
        say(&format_args!("calendar {}: {age}", text(&calendar["name"])));
        let faults = calendar["faults"].as_array().into_iter().flatten();
        for fault in faults.chain(std::iter::once(&calendar["error"]).filter(|error| error.is_string())) {
            say(&format_args!("  {}", text(fault)));
        }
    }
    Exit::Ok
}

fn line(meeting: &Value) -> String {
    let end = match (meeting["ended"].as_str(), meeting["ends"].as_str()) {
        (Some(ended), _) => format!("ended {}", printable(ended)),
        (None, Some(ends)) => format!("ends {}", printable(ends)),
        (None, None) => "until somebody ends it".into(),
    };
    let text = |key: &str| text(&meeting[key]);
    format!("{}  {}  {end}  {}  {:?}", text("id"), text("started"), text("level"), text("title"))
}

/// A text of the room, fit for a terminal.
pub(super) fn text(value: &Value) -> String {
    printable(value.as_str().unwrap_or("?")).to_string()
}

fn check(room: SocketAddr, as_json: bool) -> Exit {
    let mut check = match send(room, "POST", "/api/v1/meeting/check", &json!({})) {
        Ok(check) => check,
        Err(error) => return refused(&error),
    };
    for _ in 0..ASKS_MAX {
        if check["verdict"] != "pending" {
            break;
        }
        std::thread::sleep(ASK_AGAIN);
        match get(room, "/api/v1/state") {
            Ok(mut state) => check = state["check"].take(),
            Err(error) => return refused(&error),
        }
    }
    if as_json {
        println!("{check}");
    } else {
        println!("{}", text(&check["verdict"]));
        for reason in check["reasons"].as_array().into_iter().flatten() {
            println!("  {}", text(reason));
        }
    }
    if check["verdict"] == "go" { Exit::Ok } else { Exit::Alert }
}

fn participants(room: SocketAddr, set: Option<&Path>, as_json: bool) -> Exit {
    const PATH: &str = "/api/v1/meeting/participants";
    let answer = match set {
        None => get(room, PATH),
        Some(file) => {
            let text = match std::fs::read_to_string(file) {
                Ok(text) => text,
                Err(error) => {
                    complain(&format_args!("cannot read {}: {error}", file.display()));
                    return Exit::NoInput;
                }
            };
            match serde_json::from_str(&text) {
                Ok(people) => send(room, "PUT", PATH, &people),
                Err(error) => {
                    complain(&format_args!("{}: no JSON: {error}", file.display()));
                    return Exit::BadData;
                }
            }
        }
    };
    let people = match answer {
        Ok(people) => people,
        Err(error) => return refused(&error),
    };
    if as_json {
        println!("{people}");
        return Exit::Ok;
    }
    for one in people.as_array().into_iter().flatten() {
        let deposited = if one["device_deposited"] == true { "deposited" } else { "not deposited" };
        println!("{}\t{}\t{}\t{deposited}", text(&one["name"]), text(&one["unit"]), text(&one["position"]));
    }
    Exit::Ok
}
