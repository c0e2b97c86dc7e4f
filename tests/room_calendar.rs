//! What calendars do to a room, over its API: each test has a room and a server of its own.

#![allow(clippy::unwrap_used)]

use emcon::app::hub::{self, CalendarNews, Hub, Start};
use emcon::calendar::{Key, Occurrence};
use emcon::clock;
use emcon::policy::{Level, Policies, Policy};
use emcon::store::Store;
use emcon::web::{Server, serve};
use jiff::SignedDuration;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

struct Room {
    hub: Hub,
    server: Server,
    thread: JoinHandle<()>,
    _policies: crossbeam_channel::Receiver<Policy>,
}

impl Room {
    fn on(folder: &Path) -> Self {
        let store = Store::open(folder).unwrap();
        let (hub, policies, thread) =
            hub::start(store, Start::Standby, clock::utc(), Policies::default()).unwrap();
        let server = serve(hub.clone(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        Self { hub, server, thread, _policies: policies }
    }

    fn stop(self) {
        self.hub.stop();
        self.thread.join().unwrap();
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = body.len();
        let head = "Host: localhost\r\nX-Emcon: 1\r\nContent-Type: application/json";
        write!(stream, "{method} {path} HTTP/1.0\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// The state as soon as `is` holds of it.
    fn until(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut state = Value::Null;
        for _ in 0..400 {
            state = self.ask("GET", "/api/v1/state", "").1;
            if is(&state) {
                return state;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never {what}: {state}");
    }

    fn say(&self, occurrences: Vec<Occurrence>) {
        let news = CalendarNews {
            name: "room".into(),
            read: Some(clock::utc()),
            occurrences,
            ..CalendarNews::default()
        };
        assert!(self.hub.calendar(news));
    }
}

/// Began five minutes ago, ends in `minutes`.
fn meeting(uid: &str, minutes: i64, level: Level) -> Occurrence {
    let begins = clock::utc() - SignedDuration::from_mins(5);
    Occurrence {
        key: Key { calendar: "room".into(), uid: uid.into(), recurrence: None },
        arms: begins,
        begins,
        ends: clock::utc() + SignedDuration::from_mins(minutes),
        level,
        title: uid.to_uppercase(),
        wide: Vec::new(),
    }
}

fn no_meeting(state: &Value) -> bool {
    state["meeting"].is_null()
}

#[test]
fn a_meeting_of_the_calendar_arms_goes_on_after_a_restart_and_needs_a_person_when_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::on(folder.path());
    room.say(vec![meeting("a", 60, Level::Secret)]);
    let state = room.until("armed", |state| state["meeting"]["level"] == "secret");
    assert_eq!((&state["meeting"]["title"], &state["schedule"]["manual"]), (&"A".into(), &false.into()));
    assert_eq!(state["check"]["verdict"], "pending");
    room.say(vec![meeting("a", 60, Level::Secret), meeting("b", 10, Level::TopSecret)]);
    room.until("the stricter one", |state| state["meeting"]["level"] == "top-secret");
    room.stop();

    let room = Room::on(folder.path());
    // Before the calendar was heard of.
    let state = room.until("armed again", |state| state["meeting"]["level"] == "top-secret");
    assert_eq!(state["schedule"]["lost"], false);
    room.say(Vec::new());
    room.until("lost", |state| state["schedule"]["lost"] == true && !no_meeting(state));
    assert_eq!(room.ask("POST", "/api/v1/meetings/current/end", "").0, 200);
    room.until("ended", no_meeting);
    room.stop();

    // Ended by a person, whatever the calendar says again, and after another restart.
    let room = Room::on(folder.path());
    room.say(vec![meeting("a", 60, Level::Secret), meeting("c", -1, Level::Secret)]);
    let heard = |state: &Value| state["schedule"]["calendars"][0]["occurrences"] == 2;
    room.until("heard", heard);
    room.say(vec![meeting("a", 60, Level::Secret), meeting("d", 60, Level::Confidential)]);
    let state = room.until("another one", |state| !no_meeting(state));
    assert_eq!(state["meeting"]["title"], "D");
    room.stop();
}

#[test]
fn somebody_may_take_over_extend_and_end_what_the_calendar_began() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::on(folder.path());
    assert_eq!(room.ask("POST", "/api/v1/meeting/extend", r#"{"minutes":5}"#).0, 409);
    room.say(vec![meeting("a", 30, Level::Secret)]);
    let before = room.until("armed", |state| !no_meeting(state));
    let id = before["meeting"]["id"].clone();
    let ends = |value: &Value| value["ends"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (status, extended) = room.ask("POST", "/api/v1/meeting/extend", r#"{"minutes":15}"#);
    assert_eq!((status, &extended["id"]), (200, &id));
    assert_eq!(ends(&extended).duration_since(ends(&before["meeting"])), SignedDuration::from_mins(15));
    for body in [r#"{"minutes":0}"#, r#"{"minutes":1441}"#, r#"{"minutes":1430}"#] {
        assert_eq!(room.ask("POST", "/api/v1/meeting/extend", body).0, 422, "{body}");
    }
    assert_eq!(room.ask("POST", "/api/v1/meetings", r#"{"level":"open"}"#).0, 409, "it is somebody's now");
    assert_eq!(room.ask("POST", "/api/v1/meetings/current/end", "").0, 200);

    room.say(vec![meeting("b", 30, Level::Secret)]);
    room.until("the next", |state| state["meeting"]["title"] == "B");
    // By hand at a lesser level: the stricter holds.
    let (status, taken) = room.ask("POST", "/api/v1/meetings", r#"{"title":"mine","level":"open"}"#);
    assert_eq!((status, &taken["level"], &taken["title"]), (201, &"secret".into(), &"mine".into()));
    assert_eq!(room.ask("POST", "/api/v1/meeting/extend", r#"{"minutes":5}"#).0, 409, "it has no end");
    room.stop();
}

#[test]
fn participants_are_kept_bounded_and_go_with_the_meeting() {
    const PATH: &str = "/api/v1/meeting/participants";
    let folder = tempfile::tempdir().unwrap();
    let room = Room::on(folder.path());
    assert_eq!(room.ask("GET", PATH, "").0, 409);
    room.ask("POST", "/api/v1/meetings", r#"{"title":"x","level":"secret","minutes":60}"#);
    assert_eq!(room.ask("GET", PATH, ""), (200, serde_json::json!([])));
    let people = r#"[{"name":"张三","unit":"u","position":"p","device_deposited":true},{"name":"Li"}]"#;
    assert_eq!(room.ask("PUT", PATH, people).0, 200);
    let check = |body: &str, status: u16| assert_eq!(room.ask("PUT", PATH, body).0, status, "{body:.80}");
    check(r#"[{"name":" "}]"#, 422);
    check(r#"[{"nmae":"x"}]"#, 422);
    check(r#"{"name":"x"}"#, 422);
    check(&format!(r#"[{{"name":"{}"}}]"#, "x".repeat(201)), 422);
    let many = |count: usize| {
        format!("[{}]", vec![r#"{"name":"x","unit":"yyyyyyyyyyyyyyyyyyyy"}"#; count].join(","))
    };
    check(&many(501), 422);
    // What was refused changed nothing.
    let (_, kept) = room.ask("GET", PATH, "");
    assert_eq!((kept.as_array().unwrap().len(), &kept[0]["name"]), (2, &"张三".into()));
    check(&many(500), 200);
    // The record of the meeting may change, and keeps them.
    room.ask("POST", "/api/v1/meeting/extend", r#"{"minutes":5}"#);
    assert_eq!(room.ask("GET", PATH, "").1.as_array().unwrap().len(), 500);
    let id = room.until("on", |state| !no_meeting(state))["meeting"]["id"].as_str().unwrap().to_owned();
    room.ask("POST", "/api/v1/meetings/current/end", "");
    room.stop();
    let mut store = Store::open(folder.path()).unwrap();
    assert_eq!(store.participants(&id).unwrap().len(), 500);
    store.prune(clock::utc() + SignedDuration::from_hours(1)).unwrap();
    assert_eq!(store.participants(&id).unwrap(), []);
}

#[test]
fn a_check_of_a_room_that_sees_nothing_is_no_go_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::on(folder.path());
    let (status, check) = room.ask("POST", "/api/v1/meeting/check", "");
    assert_eq!((status, &check["verdict"]), (202, &"pending".into()));
    let reasons = check["reasons"].to_string();
    assert!(reasons.contains("nothing heard from the sensor"), "{reasons}");
}

#[test]
fn a_calendar_that_was_never_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::on(folder.path());
    let news =
        CalendarNews { name: "room".into(), error: Some("it says 401".into()), ..CalendarNews::default() };
    assert!(room.hub.calendar(news));
    let said = "calendar \"room\" was never read: it says 401";
    room.until("said", |state| {
        state["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["reason"] == said && c["state"] == "degraded")
    });
}
