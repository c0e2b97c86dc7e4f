//! `run`, `status` and `demo` as people run them, on the simulated receiver: the state follows the receiver, an alert
//! comes from samples, latches, and ends with an acknowledgement.
//!
//! The module is the one of `tests/live_verbs.rs`.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A walkie-talkie that is keyed from 6 s on, in an otherwise quiet room.
const SCENE: &str = "name = \"walkie\"\nduration = 600.0\n[receiver]\nmodel = \"rtlsdr\"\ncenter = \"446M\"\n\
                     noise_dbfs_per_hz = -110\n[[emitter]]\nname = \"walkie\"\nkind = \"nfm\"\nfreq = \"446.1M\"\n\
                     level_dbfs = -20\nctcss_hz = 88.5\non = [[6, 600]]\n";

/// One receiver is simulated at a time: several lose each other's samples where cores are few.
static RECEIVER: Mutex<()> = Mutex::new(());

struct Room {
    child: Child,
    address: String,
    control: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emcon"));
    let beside = Path::new(env!("CARGO_BIN_EXE_emcon")).parent().unwrap().parent().unwrap().join("soapy");
    if std::env::var_os("SOAPY_SDR_PLUGIN_PATH").is_none() {
        command.env("SOAPY_SDR_PLUGIN_PATH", beside);
    }
    command.env_remove("STATE_DIRECTORY");
    command
}

impl Room {
    /// `emcon run` parked beside the walkie-talkie, with records in `folder`.
    fn start(folder: &Path) -> Self {
        let alone = RECEIVER.lock().unwrap_or_else(PoisonError::into_inner);
        let (scene, control) = (folder.join("scene.toml"), folder.join("control"));
        std::fs::write(&scene, SCENE).unwrap();
        let device =
            format!("driver=emcon-sim,model=rtlsdr,scene={},control={}", scene.display(), control.display());
        let mut child = program()
            // At -65 dBm it is far away: here that counts as inside.
            .args([
                "run",
                "--json",
                "--quiet",
                "--park",
                "446M",
                "--room",
                "0",
                "--listen",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(folder.join("records"))
            .args(["--device", &device])
            .env("XDG_CONFIG_HOME", folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let room: Value = serde_json::from_str(&line).unwrap();
        let address = room["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        // A pipe that nobody reads would stop the room.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Self { child, address, control, _alone: alone }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nX-Emcon: 1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn state(&self) -> Value {
        self.ask("GET", "/api/v1/state", "").1
    }

    /// Waits until `holds` of the state; gives it and how long that took.
    fn wait(&self, seconds: u64, holds: impl Fn(&Value) -> bool) -> (Value, Duration) {
        let start = emcon::clock::Monotonic::now();
        while start.elapsed() < Duration::from_secs(seconds) {
            let state = self.state();
            if holds(&state) {
                return (state, start.elapsed());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("not within {seconds} s: {}", self.state());
    }

    fn status(&self) -> i32 {
        let status =
            program().args(["status", "--room", &self.address]).stdout(Stdio::null()).status().unwrap();
        status.code().unwrap()
    }
}

fn is(state: &'static str) -> impl Fn(&Value) -> bool {
    move |document| document["state"] == state
}

#[test]
fn the_state_follows_receiver_alert_and_acknowledgement() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::start(folder.path());
    let (clear, _) = room.wait(20, is("clear"));
    assert!((1..=5000).contains(&clear["lease_ms"].as_u64().unwrap()), "{clear}");
    assert_eq!((clear["mode"].as_str(), room.status()), (Some("armed"), 0));

    let (alert, _) = room.wait(30, is("alert"));
    assert_eq!(alert["lease_ms"], 0);
    assert_eq!((alert["alerts"][0]["device"].as_str(), room.status()), (Some("walkie-talkie"), 3));

    // The receiver goes: the alert stays, and it is said that nothing is seen.
    let mut control = UnixStream::connect(&room.control).unwrap();
    writeln!(control, "vanish").unwrap();
    let blind = |document: &Value| {
        document["conditions"].as_array().is_some_and(|all| all.iter().any(|c| c["state"] == "blind"))
    };
    let (gone, took) = room.wait(10, blind);
    assert_eq!(gone["state"], "alert");
    assert!(took < Duration::from_secs(5), "blind after {took:?}");

    for alert in gone["alerts"].as_array().unwrap() {
        let path = format!("/api/v1/alerts/{}/acknowledge", alert["id"].as_str().unwrap());
        assert_eq!(room.ask("POST", &path, r#"{"by":"Li"}"#).0, 200);
    }
    room.wait(5, is("blind"));
    assert_eq!(room.status(), 4);
}

/// Bytes of an answer's body.
fn fetched(room: &Room, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(&room.address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&answer[..end]).into_owned(), answer.split_off(end + 4))
}

#[test]
fn who_watches_the_waterfall_sees_rows_come() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::start(folder.path());
    let mut stream = TcpStream::connect(&room.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // The key of RFC 6455, 1.3.
    write!(
        stream,
        "GET /api/v1/waterfall HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .unwrap();
    let mut from = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert!(from.read_line(&mut line).unwrap() > 0, "the connection ended");
    }
    let mut numbers = Vec::new();
    for _ in 0..5 {
        // A binary message in one frame of 126 to 65535 bytes (RFC 6455, 5.2).
        let mut head = [0; 4];
        from.read_exact(&mut head).unwrap();
        assert_eq!(head[..2], [0x82, 126]);
        let mut row = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
        from.read_exact(&mut row).unwrap();
        let bins = usize::from(u16::from_le_bytes([row[2], row[3]]));
        assert_eq!((row[0], row.len()), (1, 40 + 2 * bins));
        let float = |at: usize| f64::from_le_bytes(row[at..at + 8].try_into().unwrap());
        let (low_hz, step_hz) = (float(16), float(24));
        assert!(low_hz < 446e6 && low_hz + step_hz * bins as f64 > 446e6, "{low_hz} {step_hz} {bins}");
        numbers.push(u32::from_le_bytes(row[4..8].try_into().unwrap()));
    }
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
}

/// A picture as a person reads it: levels by the colours of the scale that is drawn beside it.
struct Picture {
    dots: Vec<u8>,
    width: usize,
    about: Value,
}

impl Picture {
    fn of(file: Vec<u8>) -> Self {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut dots = vec![0; reader.output_buffer_size().unwrap()];
        let width = reader.next_frame(&mut dots).unwrap().width as usize;
        let text = &reader.info().uncompressed_latin1_text[0];
        assert_eq!(text.keyword, "emcon");
        Self { dots, width, about: serde_json::from_str(&text.text).unwrap() }
    }

    fn rect(&self, name: &str) -> [usize; 4] {
        std::array::from_fn(|n| self.about[name][n].as_u64().unwrap() as usize)
    }

    fn dot(&self, x: usize, y: usize) -> &[u8] {
        &self.dots[(y * self.width + x) * 3..][..3]
    }

    /// Mean level in a rectangle, dBFS; dots that are on no scale are left out.
    fn mean_db(&self, [left, top, right, bottom]: [usize; 4]) -> f64 {
        let [bar, high, _, low] = self.rect("scale");
        let (low_db, high_db) =
            (self.about["low_dbfs"].as_f64().unwrap(), self.about["high_dbfs"].as_f64().unwrap());
        let level = |dot: &[u8]| {
            let apart = |y: &usize| {
                self.dot(bar, *y).iter().zip(dot).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum::<u32>()
            };
            let nearest = (high..=low).min_by_key(apart).unwrap();
            (apart(&nearest) < 60)
                .then(|| low_db + (low - nearest) as f64 / (low - high) as f64 * (high_db - low_db))
        };
        let levels: Vec<f64> = (top..=bottom)
            .flat_map(|y| (left..=right).map(move |x| (x, y)))
            .filter_map(|(x, y)| level(self.dot(x, y)))
            .collect();
        assert!(levels.len() > 20, "{} dots on the scale", levels.len());
        levels.iter().sum::<f64>() / levels.len() as f64
    }
}

#[test]
fn an_alert_shows_what_was_heard() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::start(folder.path());
    room.wait(60, is("alert"));
    let (shown, took) = room.wait(20, |state| state["alerts"][0]["evidence"].is_object());
    let evidence = &shown["alerts"][0]["evidence"];
    assert!(evidence["sha256"].is_string() && took < Duration::from_secs(3), "{evidence} after {took:?}");
    let id = shown["alerts"][0]["id"].as_str().unwrap();
    let (head, file) = fetched(&room, &format!("/api/v1/alerts/{id}/evidence.png"));
    assert!(head.contains("200 OK") && head.contains("image/png"), "{head}");
    if let Some(kept) = std::env::var_os("EMCON_KEEP_PICTURE") {
        std::fs::write(kept, &file).unwrap();
    }
    let picture = Picture::of(file);
    let ([left, top, right, bottom], [from, _, until, _]) = (picture.rect("emission"), picture.rect("plot"));
    // Well within the frame; beside it at the same time; and before it.
    let (third, down) = ((right - left) / 3, (bottom - top) / 4);
    let inside = picture.mean_db([left + third, top + down, right - third, bottom - down]);
    let beside = picture.mean_db([from + 5, top + down, left - 40, bottom - down]);
    let after = picture.mean_db([right + 40, top + down, until - 5, bottom - down]);
    assert!(inside - beside > 10.0 && inside - after > 10.0, "{inside:.1}, {beside:.1}, {after:.1} dB");
    let before = picture.mean_db([left + third, picture.rect("plot")[1] + 5, right - third, top - 20]);
    assert!(inside - before > 10.0, "{inside:.1} dB inside, {before:.1} dB before");

    // What was altered is not shown.
    let file = folder.path().join("records/evidence").join(format!("{id}.png"));
    std::fs::write(&file, "another").unwrap();
    let (head, _) = fetched(&room, &format!("/api/v1/alerts/{id}/evidence.png"));
    assert!(head.contains(" 500 "), "{head}");
    let (head, body) = fetched(&room, "/api/v1/alerts/a99-0/evidence.png");
    assert!(head.contains(" 404 "), "{head} {}", String::from_utf8_lossy(&body));
}

#[test]
fn killed_in_a_meeting_it_comes_back_with_meeting_and_latch() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::start(folder.path());
    let (before, _) = room.wait(40, is("alert"));
    drop(room);
    let again = Room::start(folder.path());
    let after = again.state();
    assert_eq!(after["meeting"]["id"], before["meeting"]["id"]);
    let ids = |state: &Value| -> Vec<String> {
        state["alerts"].as_array().unwrap().iter().map(|alert| alert["id"].to_string()).collect()
    };
    let (held, kept) = (ids(&before), ids(&after));
    assert!(!held.is_empty() && held.iter().all(|id| kept.contains(id)), "{held:?} {kept:?}");
    assert_eq!(after["state"], "alert");
    again.wait(20, |state| state["mode"] == "armed");
}

#[test]
fn no_room_is_blind() {
    let status = program().args(["status", "--room", "127.0.0.1:1"]).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(4));
}

#[test]
fn the_demonstration_begins_and_ends_when_told() {
    let mut child =
        program().args(["demo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("the room's page is http://").unwrap().to_owned();
    let mut page = String::new();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.0 200") && page.contains("<!doctype html>"), "{}", &page[..200]);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
