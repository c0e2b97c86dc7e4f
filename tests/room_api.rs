//! The room over real sockets: each test has a room and a server of its own.

#![allow(clippy::unwrap_used)]

use emcon::alert::{AlertPhase, AlertReport, Severity};
use emcon::app::hub::{self, Hub, Start};
use emcon::classify::{Device, Signal};
use emcon::clock;
use emcon::pipeline::{EmitterReport, Output, Phase};
use emcon::policy::{Level, Policies, Policy};
use emcon::spectrum::Row;
use emcon::store::{Meeting, Store};
use emcon::web::{Server, serve};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

struct Room {
    hub: Hub,
    policies: crossbeam_channel::Receiver<Policy>,
    server: Server,
}

impl Room {
    fn new() -> Self {
        Self::on(Store::in_memory().unwrap())
    }

    fn on(store: Store) -> Self {
        let (hub, policies, _) =
            hub::start(store, Start::Standby, clock::utc(), Policies::default()).unwrap();
        let server = serve(hub.clone(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        Self { hub, policies, server }
    }

    fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Status and body of an answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let length = body.len();
        let mut stream = self.send(&format!(
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nX-Emcon: 1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn state(&self) -> Value {
        self.ask("GET", "/api/v1/state", "").1
    }

    fn listen(&self, last: Option<i64>) -> Listening {
        let last = last.map_or(String::new(), |number| format!("Last-Event-ID: {number}\r\n"));
        let stream = self.send(&format!("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{last}\r\n"));
        Listening { lines: BufReader::new(stream) }
    }

    fn raise(&self, id: u32) {
        self.tell(id, AlertPhase::Raised, Severity::Critical);
    }

    fn tell(&self, id: u32, phase: AlertPhase, severity: Severity) {
        self.hub.output(&Output::Alert(AlertReport {
            phase,
            id,
            emitter: id,
            device: Device::WalkieTalkie,
            signal: Signal::Nfm,
            at_s: 1.0,
            severity,
            reasons: vec!["<b>heard</b>".into()],
            because: None,
        }));
    }
}

/// A walkie-talkie, as the pipeline reports one.
fn emitter(id: u32) -> EmitterReport {
    EmitterReport {
        id,
        signal: Signal::Nfm,
        device: Device::WalkieTalkie,
        confidence: 0.9,
        center_hz: Some(446.00625e6),
        offset_hz: 0.0,
        bandwidth_hz: 11e3,
        channels_hz: Vec::new(),
        first_s: 0.5,
        last_s: 1.0,
        bursts: 1,
        airtime_s: 0.5,
        power_dbfs: -40.0,
        snr_db: 30.0,
        period_s: None,
        ambient: false,
        location: None,
        banned: true,
        reasons: Vec::new(),
        merged_into: None,
        at_s: 1.0,
    }
}

struct Listening {
    lines: BufReader<TcpStream>,
}

impl Listening {
    /// The next event that has a number and is of `kind`: its number and what it says.
    fn next(&mut self, kind: &str) -> (i64, Value) {
        let (mut number, mut its_kind, mut data) = (None, String::new(), String::new());
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the stream ended");
            let line = line.trim_end();
            if let Some(id) = line.strip_prefix("id: ") {
                number = Some(id.parse().unwrap());
            } else if let Some(kind) = line.strip_prefix("event: ") {
                its_kind = kind.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = text.to_owned();
            } else if line.is_empty() && !data.is_empty() {
                if let (Some(number), true) = (number, its_kind == kind) {
                    return (number, serde_json::from_str(&data).unwrap());
                }
                (number, data) = (None, String::new());
            }
        }
    }
}

#[test]
fn nothing_is_served_beyond_this_machine() {
    let room = Room::new();
    let error = serve(room.hub.clone(), "0.0.0.0:0".parse().unwrap()).err().unwrap().to_string();
    assert!(error.contains("TLS"), "{error}");
}

#[test]
fn a_room_that_heard_nothing_is_blind_without_a_lease() {
    let room = Room::new();
    let state = room.state();
    assert_eq!((state["state"].as_str(), state["lease_ms"].as_u64()), (Some("blind"), Some(0)));
}

#[test]
fn meetings_begin_and_end_once() {
    let room = Room::new();
    let (status, meeting) =
        room.ask("POST", "/api/v1/meetings", r#"{"title":"a <script>","level":"secret","minutes":30}"#);
    assert_eq!((status, meeting["level"].as_str()), (201, Some("secret")));
    assert_eq!(room.policies.recv_timeout(Duration::from_secs(5)), Ok(Level::Secret.into()));
    let state = room.state();
    assert_eq!(
        (state["mode"].as_str(), state["meeting"]["id"].as_str()),
        (Some("arming"), meeting["id"].as_str())
    );
    assert_eq!(room.ask("POST", "/api/v1/meetings", r#"{"level":"secret"}"#).0, 409);
    let (status, ended) = room.ask("POST", "/api/v1/meetings/current/end", "");
    assert_eq!((status, ended["ended"].is_string()), (200, true));
    assert_eq!(room.policies.recv_timeout(Duration::from_secs(5)), Ok(Level::Open.into()));
    assert_eq!(room.ask("POST", "/api/v1/meetings/current/end", "").0, 409);
    let (_, all) = room.ask("GET", "/api/v1/meetings", "");
    assert_eq!(all.as_array().map(Vec::len), Some(1));
}

#[test]
fn what_is_not_possible_is_refused_with_the_reason() {
    let room = Room::new();
    let long = format!(r#"{{"level":"secret","title":"{}"}}"#, "x".repeat(201));
    for (body, expect) in [
        (r#"{"level":"cosmic"}"#, 422),
        (r#"{"level":"secret","color":"red"}"#, 422),
        (r#"{"level":"secret","minutes":0}"#, 422),
        (r#"{"level":"secret","minutes":4294967295}"#, 422),
        (long.as_str(), 422),
        ("{", 400),
    ] {
        let (status, problem) = room.ask("POST", "/api/v1/meetings", body);
        assert_eq!(status, expect, "{body}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    }
    assert_eq!(room.ask("GET", "/api/v1/alerts?colour=red", "").0, 400);
    assert_eq!(room.ask("GET", "/api/v2", "").0, 404);
    assert_eq!(room.ask("POST", "/api/v1/alerts/none/acknowledge", "{}").0, 404);
    assert_eq!(room.ask("POST", "/api/v1/meetings", &"x".repeat(16 * 1024 + 1)).0, 413);
}

#[test]
fn an_alert_is_told_latched_and_acknowledged() {
    let room = Room::new();
    let mut listening = room.listen(None);
    // The stream is open once it says something.
    listening.lines.fill_buf().unwrap();
    room.raise(1);
    let (number, alert) = listening.next("alert");
    assert_eq!((alert["phase"].as_str(), alert["device"].as_str()), (Some("raised"), Some("walkie-talkie")));
    let state = room.state();
    assert_eq!((state["state"].as_str(), state["alerts"].as_array().map(Vec::len)), (Some("alert"), Some(1)));
    let id = alert["id"].as_str().unwrap();
    let path = format!("/api/v1/alerts/{id}/acknowledge");
    let (status, alert) = room.ask("POST", &path, r#"{"by":"Li","note":"mine"}"#);
    assert_eq!((status, alert["acknowledged_by"].as_str()), (200, Some("Li")));
    let (after, told) = listening.next("alert");
    assert_eq!((after > number, told["phase"].as_str()), (true, Some("acknowledged")));
    let state = room.state();
    assert_eq!(state["alerts"].as_array().map(Vec::len), Some(0));
    assert_ne!(state["state"], "alert");
    assert_eq!(room.ask("POST", &path, "{}").0, 404);
    // It gets worse only from a warning on; the same again latches nothing.
    room.tell(1, AlertPhase::Updated, Severity::Critical);
    listening.next("alert");
    assert_ne!(room.state()["state"], "alert");
}

#[test]
fn an_acknowledged_warning_that_becomes_critical_is_latched_again() {
    let room = Room::new();
    let mut listening = room.listen(None);
    listening.lines.fill_buf().unwrap();
    room.tell(1, AlertPhase::Raised, Severity::Warning);
    let (_, alert) = listening.next("alert");
    let path = format!("/api/v1/alerts/{}/acknowledge", alert["id"].as_str().unwrap());
    assert_eq!(room.ask("POST", &path, r#"{"by":"Li"}"#).0, 200);
    listening.next("alert");
    room.tell(1, AlertPhase::Updated, Severity::Critical);
    let (_, again) = listening.next("alert");
    assert_eq!((again["severity"].as_str(), again["acknowledged"].is_null()), (Some("critical"), true));
    let state = room.state();
    assert_eq!(
        (state["state"].as_str(), state["alerts"][0]["id"].as_str()),
        (Some("alert"), alert["id"].as_str())
    );
}

#[test]
fn a_meeting_that_ends_by_itself_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let ago = |minutes| clock::utc() - jiff::SignedDuration::from_mins(minutes);
    let meeting = Meeting {
        id: "m1".into(),
        title: "over while the power was off".into(),
        level: "secret".into(),
        started: ago(60),
        ends: Some(ago(1)),
        ended: None,
    };
    store.begin_meeting(&meeting).unwrap();
    let room = Room::on(store);
    for _ in 0..100 {
        if room.state()["mode"] == "standby" {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{}", room.state());
}

#[test]
fn what_was_missed_is_told_without_gaps_and_once() {
    let room = Room::new();
    let mut listening = room.listen(None);
    listening.lines.fill_buf().unwrap();
    room.raise(1);
    let (first, _) = listening.next("alert");
    drop(listening);
    for id in 2..=700 {
        room.raise(id);
    }
    let mut again = room.listen(Some(first));
    for id in 2..=700 {
        let (_, alert) = again.next("alert");
        assert_eq!(alert["emitter"], format!("e{id}"));
    }
    room.raise(701);
    assert_eq!(again.next("alert").1["emitter"], "e701");
}

#[test]
fn who_does_not_read_keeps_nobody_waiting() {
    let room = Room::new();
    let _stalled: Vec<Listening> = (0..20).map(|_| room.listen(Some(0))).collect();
    let mut reads = room.listen(Some(0));
    reads.lines.fill_buf().unwrap();
    for id in 1..=3000 {
        room.raise(id);
    }
    for id in 1..=3000 {
        assert_eq!(reads.next("alert").1["emitter"], format!("e{id}"));
    }
}

#[test]
fn a_flood_of_alerts_is_told_within_a_second_and_recorded_whole() {
    const MANY: u32 = 500;
    let folder = tempfile::tempdir().unwrap();
    let room = Room::on(Store::open(folder.path()).unwrap());
    let mut listening = room.listen(None);
    listening.lines.fill_buf().unwrap();
    // Reports enough to keep the room's thread busy for seconds, one commit for each, wait already.
    let report = emitter(1);
    for id in 1..=2000 {
        let report = EmitterReport { id: 10_000 + id, ..report.clone() };
        room.hub.output(&Output::Emitter(Phase::Opened, report));
    }
    let began = clock::Monotonic::now();
    for id in 1..=MANY {
        let report = EmitterReport { id, ..report.clone() };
        room.hub.output(&Output::Emitter(Phase::Opened, report));
        room.raise(id);
    }
    let mut slowest_s = 0.0_f64;
    for id in 1..=MANY {
        let (_, alert) = listening.next("alert");
        slowest_s = slowest_s.max(began.elapsed().as_secs_f64());
        assert_eq!(alert["emitter"], format!("e{id}"));
        // It overtook the report of its emitter, and knows it all the same.
        assert_eq!(alert["center_hz"].as_f64(), report.center_hz);
    }
    println!("{MANY} alerts at once: the last was told after {slowest_s:.3} s");
    assert!(slowest_s < 1.0, "the last was told after {slowest_s} s");
    assert_eq!(room.state()["alerts"].as_array().map(Vec::len), Some(MANY as usize));
    let (_, recorded) = room.ask("GET", "/api/v1/alerts?limit=1000", "");
    assert_eq!(recorded.as_array().map(Vec::len), Some(MANY as usize));
}

#[test]
fn a_restart_keeps_meeting_latch_and_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, _policies, thread) = hub::start(
        Store::open(folder.path()).unwrap(),
        Start::Meeting(Level::Secret),
        clock::utc(),
        Policies::default(),
    )
    .unwrap();
    let raised = Output::Alert(AlertReport {
        phase: AlertPhase::Raised,
        id: 1,
        emitter: 1,
        device: Device::MobilePhone,
        signal: Signal::Gsm,
        at_s: 1.0,
        severity: Severity::Critical,
        reasons: Vec::new(),
        because: None,
    });
    hub.output(&raised);
    hub.stop();
    thread.join().unwrap();
    let number = hub.figures().number.load(std::sync::atomic::Ordering::Relaxed);
    let room = Room::on(Store::open(folder.path()).unwrap());
    let state = room.state();
    assert_eq!((state["state"].as_str(), state["mode"].as_str()), (Some("alert"), Some("arming")));
    assert_eq!(state["meeting"]["level"], "secret");
    assert_eq!(room.policies.recv_timeout(Duration::from_secs(5)), Ok(Level::Secret.into()));
    let mut listening = room.listen(Some(number));
    listening.lines.fill_buf().unwrap();
    room.raise(2);
    assert!(listening.next("alert").0 > number);
}

/// Asks to watch the waterfall, with this in the request's head besides.
fn watch(room: &Room, head: &str) -> (String, BufReader<TcpStream>) {
    let stream = room.send(&format!(
        "GET /api/v1/waterfall HTTP/1.1\r\nHost: localhost\r\n{head}Connection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ));
    let mut from = BufReader::new(stream);
    let (mut status, mut line) = (String::new(), String::new());
    from.read_line(&mut status).unwrap();
    while line != "\r\n" {
        line.clear();
        assert!(from.read_line(&mut line).unwrap() > 0);
    }
    (status, from)
}

fn row(n: u8) -> Row {
    Row {
        from_s: 1.0,
        until_s: 2.0,
        center_hz: 446e6,
        span_hz: 2e6,
        origin_db: -120.0,
        mean: vec![n; 512],
        peak: vec![n; 512],
    }
}

#[test]
fn rows_are_sent_to_who_watches_and_to_no_foreign_page() {
    let room = Room::new();
    assert!(!room.hub.waterfall().is_watched());
    assert!(watch(&room, "Origin: https://example.org\r\n").0.contains("403"));
    assert_eq!(room.ask("GET", "/api/v1/waterfall", "").0 / 100, 4, "no WebSocket was asked for");
    let (status, mut from) = watch(&room, "Origin: http://localhost\r\n");
    // The answer to the key is the one of RFC 6455, 1.3; that it is right is the library's.
    assert!(status.contains("101") && room.hub.waterfall().is_watched(), "{status}");
    room.hub.waterfall().show(&row(7));
    let mut bytes = vec![0; 4 + 40 + 1024];
    from.read_exact(&mut bytes).unwrap();
    assert_eq!((&bytes[..4], &bytes[44..]), (&[0x82, 126, 0x04, 0x28][..], &[7; 1024][..]));
    let float = |at: usize| f64::from_le_bytes(bytes[4 + at..12 + at].try_into().unwrap());
    assert_eq!((float(16), float(24)), (445e6, 2e6 / 512.0));
    drop(from);
    let gone = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        !room.hub.waterfall().is_watched()
    });
    assert!(gone, "who left does not watch");
}

#[test]
fn who_does_not_read_misses_rows_and_keeps_nobody_waiting() {
    let room = Room::new();
    let (_, mut slow) = watch(&room, "");
    // Far more than buffers of sockets hold.
    let start = clock::monotonic_s();
    (0..40_000u32).for_each(|n| room.hub.waterfall().show(&row(n as u8)));
    assert!(clock::monotonic_s() - start < 10.0);
    let (mut last, mut missed) = (None, 0);
    let mut bytes = vec![0; 4 + 40 + 1024];
    while last != Some(39_999) {
        slow.read_exact(&mut bytes).unwrap();
        let number = u32::from_le_bytes(bytes[8..12].try_into().unwrap());
        missed += number - last.map_or(0, |last| last + 1);
        last = Some(number);
    }
    assert!(missed > 0, "all rows waited for it");
}

#[test]
fn so_many_may_watch_and_no_more() {
    let room = Room::new();
    let watching: Vec<_> = (0..16).map(|_| watch(&room, "")).collect();
    assert!(watching.iter().all(|(status, _)| status.contains("101")));
    assert!(watch(&room, "").0.contains("503"));
    assert_eq!(room.state()["state"], "blind", "the room answers");
}

#[test]
fn the_description_of_the_api_is_the_one_that_is_committed() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let now = emcon::web::openapi();
    if std::env::var_os("EMCON_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == now,
        "docs/openapi.json is another: EMCON_BLESS=1 cargo test --test room_api writes it"
    );
    let document: Value = serde_json::from_str(&now).unwrap();
    assert_eq!(document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    // All that is referred to is there.
    let refers = now.match_indices("\"#/components/schemas/").map(|(at, start)| {
        let name = &now[at + start.len()..];
        &name[..name.find('"').unwrap()]
    });
    for name in refers {
        assert!(document["components"]["schemas"][name].is_object(), "no schema {name}");
    }
    for path in ["/api/v1/state", "/api/v1/alerts/{id}/acknowledge", "/api/v1/tokens/{id}"] {
        assert!(document["paths"][path].is_object(), "no {path}");
    }
}
