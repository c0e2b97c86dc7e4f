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
use std::time::Duration;

/// A walkie-talkie that is keyed from 6 s on, in an otherwise quiet room.
const SCENE: &str = "name = \"walkie\"\nduration = 600.0\n[receiver]\nmodel = \"rtlsdr\"\ncenter = \"446M\"\n\
                     noise_dbfs_per_hz = -110\n[[emitter]]\nname = \"walkie\"\nkind = \"nfm\"\nfreq = \"446.1M\"\n\
                     level_dbfs = -20\nctcss_hz = 88.5\non = [[6, 600]]\n";

struct Room {
    child: Child,
    address: String,
    control: PathBuf,
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
        Self { child, address, control }
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
