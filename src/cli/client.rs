//! A room on this machine, asked over its API: one request, one answer.

use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A room that does not answer for so long is not seen to guard: the length of its lease.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer, bytes.
const ANSWER_MAX: u64 = 16 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there.
    #[error("no room answers at {room}: {source}; is `emcon run` running there?")]
    NoRoom {
        /// Where.
        room: SocketAddr,
        /// Cause.
        source: io::Error,
    },
    /// It says no.
    #[error("{detail}")]
    Refused {
        /// As HTTP has it.
        status: u16,
        /// In words.
        detail: String,
    },
}

/// What is at `path`.
///
/// # Errors
/// No room answers, or it says no.
pub fn get(room: SocketAddr, path: &str) -> Result<Value, ClientError> {
    ask(room, "GET", path, None)
}

/// Asks for a change.
///
/// # Errors
/// No room answers, or it says no.
pub fn send(room: SocketAddr, method: &str, path: &str, body: &Value) -> Result<Value, ClientError> {
    ask(room, method, path, Some(body))
}

fn ask(room: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> Result<Value, ClientError> {
    let (status, answer) =
        exchange(room, method, path, body).map_err(|source| ClientError::NoRoom { room, source })?;
    let value: Result<Value, _> = serde_json::from_str(&answer);
    if (200..300).contains(&status) {
        return value.map_err(|error| ClientError::NoRoom {
            room,
            source: io::Error::other(format!("its answer is not understood: {error}")),
        });
    }
    let detail = value.ok().and_then(|problem| problem["detail"].as_str().map(str::to_owned));
    Err(ClientError::Refused { status, detail: detail.unwrap_or_else(|| format!("it says {status}")) })
}

/// HTTP/1.0: after the answer comes the end. Status and body.
fn exchange(room: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&room, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // An address with a port is written as a host is: `[::1]:7430`.
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {room}\r\nConnection: close\r\n")?;
    if let Some(body) = body {
        let body = body.to_string();
        let length = body.len();
        let kind = "Content-Type: application/json";
        write!(stream, "X-Emcon: 1\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{body}")?;
    } else {
        write!(stream, "\r\n")?;
    }
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) =
        text.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("the answer is cut off"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let line = || io::Error::other(format!("it says {:?}", head.lines().next().unwrap_or("")));
    Ok((status.ok_or_else(line)?, body.to_owned()))
}
