//! Who may ask, over real sockets: tokens, sessions, set-up, guessing, TLS, and those who mean harm.

#![allow(clippy::unwrap_used)]

use emcon::app::hub::{self, Asks, Hub, Start};
use emcon::clock;
use emcon::policy::Policies;
use emcon::store::Store;
use emcon::web::{Doors, Server, Tls, serve_at};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

struct Room {
    hub: Hub,
    server: Server,
    folder: TempDir,
}

impl Room {
    /// A room on this machine that asks for tokens.
    fn new() -> Self {
        Self::at("127.0.0.1:0")
    }

    fn at(address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (hub, _levels, _) = hub::start(
            Store::open(folder.path()).unwrap(),
            Start::Standby,
            clock::utc(),
            Policies::default(),
        )
        .unwrap();
        let address: SocketAddr = address.parse().unwrap();
        let tls = (!address.ip().is_loopback())
            .then(|| Tls::self_signed(Some(folder.path()), &["localhost".to_owned()]).unwrap());
        let socket = Some(folder.path().join("emcon.sock"));
        let server = serve_at(hub.clone(), Doors { address, tls, tokens: true, hosts: Vec::new(), socket });
        Self { hub, server: server.unwrap(), folder }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.server.address.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// A token of this role, and its id.
    fn token(&self, role: &str) -> (String, String) {
        let body = json!({ "name": format!("the {role}"), "role": role }).to_string();
        let stream = UnixStream::connect(self.folder.path().join("emcon.sock")).unwrap();
        let (status, _, made) = exchange(stream, "POST", "/api/v1/tokens", "", &body);
        assert_eq!(status, 201, "{made}");
        (made["token"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
    }

    fn ask(&self, method: &str, path: &str, shown: &str, body: &str) -> (u16, String, Value) {
        exchange(self.connect(), method, path, shown, body)
    }

    fn as_bearer(&self, method: &str, path: &str, token: &str, body: &str) -> u16 {
        self.ask(method, path, &format!("Authorization: Bearer {token}\r\n"), body).0
    }
}

/// Status, head and body of an answer; `shown` are further lines of the head.
fn exchange(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    shown: &str,
    body: &str,
) -> (u16, String, Value) {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nX-Emcon: 1\r\n{shown}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // TLS may end without a word; the answer is whole by its head.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null))
}

const BEGIN: &str = r#"{"level":"secret"}"#;

#[test]
fn each_role_may_do_what_it_may_and_no_more() {
    let room = Room::new();
    let tokens = ["viewer", "organizer", "officer"].map(|role| room.token(role).0);
    for (method, path, body, expect) in [
        ("GET", "/api/v1/state", "", [200, 200, 200]),
        ("GET", "/metrics", "", [200, 200, 200]),
        // The second begins it, the third finds it on.
        ("POST", "/api/v1/meetings", BEGIN, [403, 201, 409]),
        ("POST", "/api/v1/meetings/current/end", "", [403, 200, 409]),
        ("POST", "/api/v1/alerts/none/acknowledge", "{}", [403, 404, 404]),
        ("GET", "/api/v1/tokens", "", [403, 403, 200]),
        ("POST", "/api/v1/tokens", r#"{"name":"x","role":"viewer"}"#, [403, 403, 201]),
        ("DELETE", "/api/v1/tokens/tnone", "", [403, 403, 404]),
    ] {
        let statuses = [0, 1, 2].map(|n| room.as_bearer(method, path, &tokens[n], body));
        assert_eq!(statuses, expect, "{method} {path}");
    }
    for path in ["/", "/setup", "/healthz"] {
        assert_eq!(room.ask("GET", path, "", "").0, 200, "{path}");
    }
    for path in ["/api/v1/state", "/api/v1/events", "/metrics", "/readyz", "/api/v1/openapi.json"] {
        assert_eq!(room.ask("GET", path, "", "").0, 401, "{path}");
    }
}

#[test]
fn what_is_kept_of_a_token_is_its_hash() {
    let room = Room::new();
    let (token, _) = room.token("viewer");
    let (_, _, list) = room.ask("GET", "/api/v1/tokens", &bearer(&room.token("officer").0), "");
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    for entry in std::fs::read_dir(room.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    assert!(!list.to_string().contains(&token));
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[test]
fn a_revoked_token_is_refused_and_its_streams_end_within_a_second() {
    let room = Room::new();
    let (token, id) = room.token("viewer");
    let (officer, _) = room.token("officer");
    let mut stream = room.connect();
    write!(
        stream,
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n",
        bearer(&token)
    )
    .unwrap();
    let mut lines = BufReader::new(stream);
    while !lines.buffer().windows(12).any(|window| window == b"event: state") {
        assert!(lines.fill_buf().is_ok_and(|bytes| !bytes.is_empty()));
        let length = lines.buffer().len();
        if !lines.buffer().windows(12).any(|window| window == b"event: state") {
            lines.consume(length);
        }
    }
    assert_eq!(room.as_bearer("DELETE", &format!("/api/v1/tokens/{id}"), &officer, ""), 200);
    let began = clock::Monotonic::now();
    assert_eq!(room.as_bearer("GET", "/api/v1/state", &token, ""), 401);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let took_s = began.elapsed().as_secs_f64();
    assert!(took_s < 1.0, "ended after {took_s} s");
    // A token that held once is no guess: its page may ask on.
    for _ in 0..30 {
        assert_eq!(room.as_bearer("GET", "/api/v1/state", &token, ""), 401);
    }
}

#[test]
fn a_session_is_a_cookie_that_ends_with_its_token() {
    let room = Room::new();
    let (token, id) = room.token("organizer");
    let (status, head, who) = room.ask("POST", "/api/v1/session", "", &json!({ "token": token }).to_string());
    assert_eq!((status, who["name"].as_str()), (200, Some("the organizer")));
    let set = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains(&token), "{set}");
    let cookie = format!("Cookie: {}\r\n", set.split(';').next().unwrap());
    let (status, _, who) = room.ask("GET", "/api/v1/session", &cookie, "");
    assert_eq!((status, who["role"].as_str()), (200, Some("organizer")));
    assert_eq!(room.ask("POST", "/api/v1/meetings", &cookie, BEGIN).0, 201);
    // A page elsewhere has the browser send the cookie along, and cannot help saying so.
    for foreign in ["Origin: http://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "Origin: null\r\n"] {
        let lines = format!("{cookie}{foreign}");
        assert_eq!(room.ask("POST", "/api/v1/meetings/current/end", &lines, "").0, 403, "{foreign}");
    }
    let officer = room.token("officer").0;
    assert_eq!(room.as_bearer("DELETE", &format!("/api/v1/tokens/{id}"), &officer, ""), 200);
    assert_eq!(room.ask("GET", "/api/v1/session", &cookie, "").0, 401);
}

#[test]
fn guesses_are_few_and_recorded_while_who_works_goes_on() {
    let room = Room::new();
    let (token, _) = room.token("viewer");
    assert_eq!(room.as_bearer("GET", "/api/v1/state", &token, ""), 200);
    let forged = |n: usize| format!("emcon_{n:043}");
    let statuses: Vec<u16> =
        (0..100).map(|n| room.as_bearer("GET", "/api/v1/state", &forged(n), "")).collect();
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    let waited = statuses.iter().filter(|status| **status == 429).count();
    assert!(looked_at <= 20 && looked_at + waited == 100, "{statuses:?}");
    // Right or wrong is not told while it waits, and who was known is known.
    assert_eq!(room.as_bearer("GET", "/api/v1/state", &room.token("viewer").0, ""), 429);
    assert_eq!(room.as_bearer("GET", "/api/v1/state", &token, ""), 200);
    let entries = Store::open(room.folder.path()).err();
    assert!(entries.is_some(), "the room has its records");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let journal = runtime.block_on(room.hub.after(0, 100)).unwrap();
    assert!(journal.iter().any(|entry| entry.kind == "access" && entry.data.contains("guesses refused")));
}

#[test]
fn a_set_up_code_makes_the_first_officer_once() {
    let room = Room::new();
    let code = room.hub.keys().open_setup().unwrap();
    assert!(!room.hub.keys().has_officer(clock::utc()));
    let set_up = |code: &str, name: &str| {
        room.ask("POST", "/api/v1/setup", "", &json!({ "code": code, "name": name }).to_string())
    };
    assert_eq!(set_up("0000-0000-0000-0000", "Li").0, 401);
    assert_eq!(set_up(&code, " ").0, 422);
    let (status, _, made) = set_up(&code.to_lowercase(), "Li");
    assert_eq!((status, made["role"].as_str()), (201, Some("officer")));
    assert_eq!(room.as_bearer("GET", "/api/v1/tokens", made["token"].as_str().unwrap(), ""), 200);
    assert_ne!(set_up(&code, "Wang").0, 201);
    // A new one neither, now that there is an officer.
    let code = room.hub.keys().open_setup().unwrap();
    assert!(!room.hub.keys().is_setup(&code));
    assert!(room.hub.keys().has_officer(clock::utc()));
}

#[test]
fn tokens_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let asks = Asks { name: "Li".into(), role: "officer".into(), days: Some(1), by: "console".into() };
    let mut store = Store::open(folder.path()).unwrap();
    let (record, secret, ..) = hub::issue(&mut store, &asks).unwrap();
    drop(store);
    let (hub, ..) =
        hub::start(Store::open(folder.path()).unwrap(), Start::Standby, clock::utc(), Policies::default())
            .unwrap();
    let (caller, holds) = hub.keys().find(&secret, clock::utc()).unwrap();
    assert_eq!((caller.id, holds), (record.id, true));
    // Its day is over.
    let later = clock::utc() + jiff::SignedDuration::from_hours(25);
    assert!(!hub.keys().find(&secret, later).unwrap().1);
    assert!(!hub.keys().has_officer(later));
}

#[test]
fn beyond_this_machine_it_is_tls_and_a_token_takes_part() {
    let room = Room::at("0.0.0.0:0");
    let (token, _) = room.token("viewer");
    let pem = std::fs::read(room.folder.path().join("tls/certificate.pem")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let ask = |shown: &str| {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = rustls::ClientConnection::new(config.clone(), name).unwrap();
        exchange(rustls::StreamOwned::new(connection, room.connect()), "GET", "/api/v1/state", shown, "").0
    };
    assert_eq!(ask(&bearer(&token)), 200);
    assert_eq!(ask(""), 401);
    // In the clear nothing is answered.
    let mut plain = room.connect();
    plain.write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn dribblers_and_giants_keep_nobody_waiting() {
    let room = Room::new();
    let (token, _) = room.token("viewer");
    let mut dribblers: Vec<TcpStream> = (0..500).map(|_| room.connect()).collect();
    let mut slowest_s = 0.0_f64;
    for round in 0..20 {
        for dribbler in &mut dribblers {
            // Those that are cut off have what they asked for.
            let _ = dribbler.write_all(if round == 0 { b"GET / HTTP/1.1\r\nX: " } else { b"x" });
        }
        let began = clock::Monotonic::now();
        assert_eq!(room.as_bearer("GET", "/api/v1/state", &token, ""), 200);
        slowest_s = slowest_s.max(began.elapsed().as_secs_f64());
    }
    println!("beside 500 dribblers the slowest of 20 answers took {slowest_s:.3} s");
    assert!(slowest_s < 1.0, "{slowest_s} s");
    // Each is cut off: what it reads ends.
    for dribbler in &mut dribblers {
        let _ = dribbler.read_to_end(&mut Vec::new());
    }
    for kib in [17, 100, 1000] {
        giant(&room, kib);
    }
    assert_eq!(room.as_bearer("GET", "/api/v1/state", &token, ""), 200);
}

fn giant(room: &Room, kib: usize) {
    let huge = format!("X-Huge: {}\r\n", "x".repeat(kib * 1024));
    let mut stream = room.connect();
    // It may be refused before it is all sent.
    let _ = write!(stream, "GET /healthz HTTP/1.0\r\nHost: localhost\r\n{huge}\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    // With much still to come the answer may be lost with the connection.
    let refused = answer.split(' ').nth(1) == Some("431") || (kib > 64 && answer.is_empty());
    assert!(refused, "{kib} KiB: {answer}");
}
