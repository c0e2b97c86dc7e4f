//! Contacts over real sockets and processes: down and back, refused, gone, slow, and read back after a restart.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

mod servers;

use emcon::alert::{AlertPhase, AlertReport, Severity};
use emcon::app::hub::{self, Hub, Start};
use emcon::classify::{Device, Signal};
use emcon::clock::{self, Monotonic};
use emcon::config::{Contact, ContactChannel, SyslogAddress};
use emcon::notify::{self, Running};
use emcon::pipeline::Output;
use emcon::policy::Policies;
use emcon::store::Store;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is waited for comes within this time, also on a machine that is busy with other things.
const SOON: Duration = Duration::from_secs(60);

/// A request as it came.
#[derive(Debug, Clone)]
struct Request {
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut headers = Vec::new();
        loop {
            line.clear();
            lines.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        let mut request = Self { headers, body: String::new() };
        let mut body = vec![0; request.header("content-length").parse().unwrap()];
        lines.read_exact(&mut body).ok()?;
        request.body = String::from_utf8(body).unwrap();
        Some(request)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(header, _)| header == name).map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }
}

/// A web server that answers what it is told to. Dropped, nobody listens there.
struct Site {
    address: SocketAddr,
    requests: Receiver<Request>,
    answer: Arc<Mutex<String>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

impl Site {
    fn on(address: &str, answer: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        let answer = Arc::new(Mutex::new(answer.to_owned()));
        let stop = Arc::new(AtomicBool::new(false));
        let (its_answer, its_stop) = (answer.clone(), stop.clone());
        let thread = std::thread::spawn(move || serve(&listener, &sender, &its_answer, &its_stop));
        Self { address, requests, answer, stop, thread: Some(thread) }
    }

    fn new() -> Self {
        Self::on("127.0.0.1:0", OK)
    }

    fn next(&self) -> Request {
        self.requests.recv_timeout(SOON).unwrap()
    }

    /// The next attempt at what `request` was one at.
    fn again(&self, request: &Request) -> Request {
        loop {
            let next = self.next();
            if next.header("webhook-id") == request.header("webhook-id") {
                return next;
            }
        }
    }
}

fn serve(listener: &TcpListener, requests: &Sender<Request>, answer: &Mutex<String>, stop: &AtomicBool) {
    for stream in listener.incoming() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut stream = stream.unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let Some(request) = Request::read(&stream) else { continue };
        let answer = answer.lock().unwrap().replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        // Counted before it is answered: who was answered was heard.
        let _ = requests.send(request);
        let _ = stream.write_all(answer.as_bytes());
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn contact(name: &str, channel: ContactChannel) -> Contact {
    Contact {
        name: name.into(),
        min_severity: emcon::config::Severity::Info,
        levels: None,
        heartbeat_s: 0,
        channel,
    }
}

fn webhook(name: &str, address: SocketAddr, secret: Option<&Path>) -> Contact {
    let channel = ContactChannel::Webhook {
        url: format!("http://{address}/hook"),
        secret_file: secret.map(Path::to_path_buf),
        template: None,
        content_type: "application/json".into(),
        error_field: None,
    };
    contact(name, channel)
}

/// A room that tells contacts.
struct Room {
    hub: Hub,
    thread: Option<std::thread::JoinHandle<()>>,
    _running: Running,
}

impl Room {
    fn on(store: Store, contacts: &[Contact]) -> Self {
        let (running, contacts, outcomes) = notify::start(contacts, "Room 3").unwrap();
        let (hub, _, thread) = hub::start_telling(
            store,
            Start::Standby,
            clock::utc(),
            Policies::default(),
            contacts,
            Some(outcomes),
        )
        .unwrap();
        Self { hub, thread: Some(thread), _running: running }
    }

    fn new(contacts: &[Contact]) -> Self {
        Self::on(Store::in_memory().unwrap(), contacts)
    }

    fn tell(&self, id: u32, phase: AlertPhase) {
        self.hub.output(&Output::Alert(AlertReport {
            phase,
            id,
            emitter: id,
            device: Device::MobilePhone,
            signal: Signal::Lte,
            at_s: 1.0,
            severity: Severity::Critical,
            reasons: vec!["1 ms bursts".into()],
            because: None,
        }));
    }

    fn status(&self, name: &str) -> Value {
        let all = self.hub.contacts().statuses();
        all.iter().find(|status| status.name == name).unwrap().json()
    }

    fn state(&self) -> Value {
        serde_json::from_str(&self.hub.state().borrow().text).unwrap()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.hub.stop();
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn wait_for(what: &str, is: impl Fn() -> bool) {
    let start = Monotonic::now();
    while !is() {
        assert!(start.elapsed() < SOON, "{what}: not within {SOON:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Alerts' messages up to the one of `last`, without those of states.
fn alerts(site: &Site, last: &str) -> Vec<Request> {
    let mut all = Vec::new();
    loop {
        let request = site.next();
        let document = request.json();
        let more = document["more"].as_array().cloned().unwrap_or_default();
        let is_last = request.body.contains(last);
        if request.kind().starts_with("alert.") || !more.is_empty() {
            all.push(request);
        }
        if is_last {
            return all;
        }
    }
}

#[test]
fn an_alert_goes_at_once_signed_and_who_was_told_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    let site = Site::new();
    let room = Room::new(&[webhook("siem", site.address, Some(&secret))]);
    room.tell(1, AlertPhase::Raised);
    let told = alerts(&site, "alert.raised");
    let document = told[0].json();
    assert_eq!(
        (document["room"].as_str(), document["severity"].as_str()),
        (Some("Room 3"), Some("critical"))
    );
    assert_eq!(document["data"]["device"], "mobile-phone");
    assert_eq!(document["id"], told[0].header("webhook-id"));
    assert!(told[0].header("webhook-signature").starts_with("v1,"));
    assert!(told[0].header("webhook-timestamp").parse::<i64>().is_ok());
    let id = document["data"]["id"].as_str().unwrap().to_owned();
    let deliveries = || block(room.hub.deliveries(id.clone())).unwrap();
    wait_for("the delivery on record", || deliveries().iter().any(|told| told.delivered.is_some()));
    let told = deliveries();
    assert_eq!((told.len(), told[0].contact.as_str(), told[0].phase.as_deref()), (1, "siem", Some("raised")));
    assert!(block(room.hub.deliveries("a9".into())).is_err());
}

#[test]
fn an_outage_loses_nothing_and_is_told_of() {
    let site = Site::new();
    let (address, other) = (site.address, Site::new());
    drop(site);
    let room = Room::new(&[webhook("down", address, None), webhook("up", other.address, None)]);
    block(room.hub.begin(String::new(), "secret".into(), None)).unwrap();
    for id in 1..=3 {
        room.tell(id, AlertPhase::Raised);
        room.tell(id, AlertPhase::Resolved);
    }
    // The other contact hears of it meanwhile.
    assert!(!alerts(&other, "alert.raised").is_empty());
    wait_for("a condition", || {
        let state = room.state();
        let conditions = state["conditions"].as_array().unwrap();
        conditions
            .iter()
            .any(|c| c["state"] == "degraded" && c["reason"].as_str().unwrap().contains("contact down"))
    });
    assert!(room.status("down")["last_failure"]["reason"].is_string());
    let site = Site::on(&address.to_string(), OK);
    // Episodes in the order of their raising and each in its own; in one message or several.
    let mut phases: Vec<(String, String)> = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    while phases.len() < 6 {
        let document = site.next().json();
        let more = document["more"].as_array().cloned().unwrap_or_default();
        for message in std::iter::once(&document).chain(&more) {
            assert!(ids.insert(message["id"].to_string()), "{message} came twice");
            if let Some(phase) = message["type"].as_str().unwrap().strip_prefix("alert.") {
                phases.push((phase.to_owned(), message["text"].to_string()));
            }
        }
    }
    let order: Vec<&str> = phases.iter().map(|(phase, _)| phase.as_str()).collect();
    assert_eq!(order, ["raised", "resolved", "raised", "resolved", "raised", "resolved"]);
    wait_for("the condition's end", || !room.state()["conditions"].to_string().contains("contact down"));
    assert_eq!(room.status("down")["waiting"], 0);
}

#[test]
fn attempts_carry_the_same_id_and_a_redirect_is_a_failure() {
    for answer in [
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n",
    ] {
        let site = Site::on("127.0.0.1:0", answer);
        let room = Room::new(&[webhook("siem", site.address, None)]);
        room.tell(1, AlertPhase::Raised);
        let first = site.next();
        assert_ne!(first.kind(), "heartbeat", "none was asked for");
        *site.answer.lock().unwrap() = OK.into();
        let again = site.again(&first);
        assert_eq!(first.json()["data"], again.json()["data"], "{answer}");
    }
}

#[test]
fn gone_means_no_more_until_the_next_start() {
    let site = Site::on("127.0.0.1:0", "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    let room = Room::new(&[webhook("siem", site.address, None)]);
    room.tell(1, AlertPhase::Raised);
    wait_for("being disabled", || room.status("siem")["disabled"].is_string());
    room.tell(2, AlertPhase::Raised);
    wait_for("the second to wait", || room.status("siem")["waiting"].as_u64() >= Some(2));
    assert_eq!(site.requests.try_iter().count(), 1);
    wait_for("the state to say so", || room.state()["conditions"].to_string().contains("410 Gone"));
}

#[test]
fn what_was_not_delivered_goes_after_a_restart_with_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::on("127.0.0.1:0", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    let contacts = [webhook("siem", site.address, None)];
    let room = Room::on(Store::open(folder.path()).unwrap(), &contacts);
    room.tell(1, AlertPhase::Raised);
    let before = site.next();
    // What the room is in the middle of recording is on record once the room ended.
    drop(room);
    *site.answer.lock().unwrap() = OK.into();
    while site.requests.try_recv().is_ok() {}
    let room = Room::on(Store::open(folder.path()).unwrap(), &contacts);
    site.again(&before);
    wait_for("an empty outbox", || room.status("siem")["waiting"] == 0);
}

#[test]
fn a_test_and_a_sign_of_life_go_too() {
    let site = Site::new();
    let hook = Contact { heartbeat_s: 1, ..webhook("siem", site.address, None) };
    let room = Room::new(&[hook]);
    let beat = loop {
        let request = site.next();
        if request.kind() == "heartbeat" {
            break request.json();
        }
    };
    assert_eq!(beat["data"]["head"]["sha256"].as_str().map(str::len), Some(64));
    assert!(beat["data"]["state"].is_string());
    block(room.hub.contacts().test("siem")).unwrap();
    assert!(block(room.hub.contacts().test("nobody")).unwrap_err().to_string().contains("nobody"));
    wait_for("the test", || site.requests.try_iter().any(|request| request.kind() == "test"));
}

#[test]
fn a_program_gets_the_document_and_one_that_hangs_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    let out = folder.path().join("out").display().to_string();
    let pid = folder.path().join("pid").display().to_string();
    let good = script("good", "cat > \"$1\"");
    let hangs = script("hangs", "sleep 1000 & echo $! > \"$1\"; wait");
    let fails = script("fails", "exit 7");
    let program = |name: &str, argv: &[&str]| {
        contact(name, ContactChannel::Command(argv.iter().map(|word| (*word).to_owned()).collect()))
    };
    let contacts =
        [program("good", &[&good, &out]), program("hangs", &[&hangs, &pid]), program("fails", &[&fails])];
    let results = notify::test(&contacts, "Room 3").unwrap();
    let reason = |n: usize| results[n].1.clone().err().unwrap_or_default();
    assert_eq!(results[0], ("good".into(), Ok(())));
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(document["type"], "test");
    assert!(reason(1).contains("killed"), "{}", reason(1));
    let pid = std::fs::read_to_string(pid).unwrap();
    let left = Path::new("/proc").join(pid.trim()).join("stat");
    wait_for("the program's children to be gone", || {
        std::fs::read_to_string(&left).map_or(true, |stat| stat.contains(") Z "))
    });
    assert!(reason(2).contains('7'), "{}", reason(2));
}

#[test]
fn log_daemons_get_lines_of_rfc_5424() {
    let folder = tempfile::tempdir().unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let path = folder.path().join("log");
    let unix = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let syslog = |name, address| contact(name, ContactChannel::Syslog(address));
    let contacts = [
        syslog("udp", SyslogAddress::Udp(udp.local_addr().unwrap().to_string())),
        syslog("tcp", SyslogAddress::Tcp(tcp.local_addr().unwrap().to_string())),
        syslog("unix", SyslogAddress::Unix(path)),
    ];
    let results = notify::test(&contacts, "Room 3").unwrap();
    assert!(results.iter().all(|(_, result)| result.is_ok()), "{results:?}");
    let mut datagram = [0; 4096];
    udp.set_read_timeout(Some(SOON)).unwrap();
    let length = udp.recv(&mut datagram).unwrap();
    let line = String::from_utf8(datagram[..length].to_vec()).unwrap();
    assert!(
        line.starts_with("<134>1 2") && line.contains(" emcon ") && line.contains("test - @cee: {"),
        "{line}"
    );
    unix.set_read_timeout(Some(SOON)).unwrap();
    assert!(unix.recv(&mut datagram).unwrap() > 0);
    let mut framed = String::new();
    tcp.accept().unwrap().0.read_to_string(&mut framed).unwrap();
    let (length, line) = framed.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), line.len());
}
