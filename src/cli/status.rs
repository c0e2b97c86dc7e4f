//! `emcon status`: what the room on this machine says of itself.

use super::args::StatusArgs;
use super::complain;
use super::exit::Exit;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A room that does not answer for so long is not seen to guard: the length of its lease.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer, bytes.
const ANSWER_MAX: u64 = 16 << 20;

/// `emcon status`.
pub(super) fn run(args: &StatusArgs) -> Exit {
    let state = match ask(args.room) {
        Ok(state) => state,
        Err(error) => {
            complain(&format_args!(
                "no room answers at {}: {error}; is `emcon run` running there?",
                args.room
            ));
            return Exit::Blind;
        }
    };
    let word = |key: &str| state[key].as_str().unwrap_or("?").to_owned();
    if args.json {
        println!("{state}");
    } else {
        println!("{} ({})", word("state").to_uppercase(), word("mode"));
        for condition in state["conditions"].as_array().into_iter().flatten() {
            let since_s = condition["since_s"].as_f64().unwrap_or(0.0);
            println!(
                "  {}: {} for {since_s:.0} s",
                condition["state"].as_str().unwrap_or("?"),
                condition["reason"].as_str().unwrap_or("?")
            );
        }
        for alert in state["alerts"].as_array().into_iter().flatten() {
            let text = |key: &str| alert[key].as_str().unwrap_or("?");
            println!(
                "  alert {}: {} ({}) since {}",
                text("id"),
                text("device"),
                text("signal"),
                text("raised")
            );
        }
    }
    match word("state").as_str() {
        "clear" if state["lease_ms"].as_u64().is_some_and(|ms| ms > 0) => Exit::Ok,
        "alert" => Exit::Alert,
        "tamper" => Exit::Tamper,
        "degraded" => Exit::Degraded,
        "standby" | "arming" => Exit::Standby,
        _ => Exit::Blind,
    }
}

/// The state, asked for as HTTP/1.0: one request, one answer, then the end.
fn ask(room: SocketAddr) -> io::Result<Value> {
    let mut stream = TcpStream::connect_timeout(&room, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /api/v1/state HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", host(room))?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) =
        text.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("the answer is cut off"))?;
    if head.split(' ').nth(1) != Some("200") {
        return Err(io::Error::other(format!("it says {:?}", head.lines().next().unwrap_or(""))));
    }
    serde_json::from_str(body).map_err(|error| io::Error::other(format!("its answer is no state: {error}")))
}

fn host(room: SocketAddr) -> String {
    match room {
        SocketAddr::V4(address) => address.to_string(),
        SocketAddr::V6(address) => format!("[{}]:{}", address.ip(), address.port()),
    }
}
