//! A log daemon: RFC 5424 by datagrams (RFC 5426), by a stream with octet counting (RFC 6587, 3.4.1), or on its socket.
//!
//! Each message is JSON behind the mark `@cee:`, which log daemons take apart. Nobody confirms a log message: what was handed
//! to the network counts as delivered.

use super::address;
use super::message::Message;
use super::queue::Failure;
use crate::config::{Severity, SyslogAddress};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket, UnixDatagram};

/// Facility local0 (RFC 5424, 6.2.1): what a machine's administrator assigns.
const FACILITY: u8 = 16;
/// A connection must stand within this time.
const CONNECT: Duration = Duration::from_secs(5);

/// A contact that is a log daemon.
pub struct Log {
    to: SyslogAddress,
    room: Arc<str>,
    host: String,
    stream: Option<TcpStream>,
}

impl Log {
    /// See [`super::channel::Channel::new`].
    pub fn new(to: &SyslogAddress, room: &Arc<str>) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self { to: to.clone(), room: room.clone(), host: header_text(host.trim()), stream: None }
    }

    /// The stream is not gone on with.
    pub fn disconnect(&mut self) {
        self.stream = None;
    }

    /// See [`super::channel::Channel::send`].
    pub async fn send(&mut self, batch: &[Message]) -> Result<(), Failure> {
        let lines: Vec<String> = batch.iter().map(|message| line(message, &self.host, &self.room)).collect();
        let sent = match &self.to {
            SyslogAddress::Udp(address) => datagrams(address, &lines).await,
            SyslogAddress::Unix(path) => local(path, &lines).await,
            SyslogAddress::Tcp(address) => {
                let sent = stream(&mut self.stream, address, &lines).await;
                if sent.is_err() {
                    self.stream = None;
                }
                sent
            }
        };
        sent.map_err(|error| Failure::Unreached(error.to_string(), None))
    }
}

async fn resolved(address: &str) -> io::Result<Vec<std::net::SocketAddr>> {
    let (host, port) = address.rsplit_once(':').ok_or_else(|| io::Error::other("no port"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let all = address::resolve(host, port.parse().map_err(io::Error::other)?);
    tokio::time::timeout(CONNECT, all)
        .await
        .map_err(|_| io::Error::other("its name is not resolved in time"))?
}

async fn datagrams(address: &str, lines: &[String]) -> io::Result<()> {
    let to = resolved(address).await?;
    let own = if to[0].is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(to[0]).await?;
    for line in lines {
        socket.send(line.as_bytes()).await?;
    }
    Ok(())
}

async fn local(path: &std::path::Path, lines: &[String]) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let socket = UnixDatagram::unbound()?;
    socket.connect(path).map_err(named)?;
    for line in lines {
        socket.send(line.as_bytes()).await.map_err(named)?;
    }
    Ok(())
}

async fn stream(kept: &mut Option<TcpStream>, address: &str, lines: &[String]) -> io::Result<()> {
    // A daemon that went away said so; writing to it would not fail yet.
    let gone = |stream: &TcpStream| match stream.try_read(&mut [0; 64]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    };
    if kept.as_ref().is_none_or(gone) {
        let to = resolved(address).await?;
        let connecting = TcpStream::connect(&to[..]);
        let connected = tokio::time::timeout(CONNECT, connecting).await;
        *kept = Some(connected.map_err(|_| io::Error::other("no connection in time"))??);
    }
    let Some(stream) = kept else { return Ok(()) };
    let framed: String = lines.iter().map(|line| format!("{} {line}", line.len())).collect();
    stream.write_all(framed.as_bytes()).await?;
    stream.flush().await
}

/// One message (RFC 5424, 6).
fn line(message: &Message, host: &str, room: &str) -> String {
    let severity = match message.severity {
        Severity::Critical => 2,
        Severity::Warning => 4,
        Severity::Info => 6,
    };
    let mut body = json!({
        "id": message.id,
        "type": message.kind,
        "room": room,
        "severity": message.severity.as_str(),
        "text": message.text,
    });
    // The whole record could be too long for a datagram.
    for key in
        ["meeting", "emitter", "device", "signal", "center_hz", "power_dbfs", "state", "was", "level", "head"]
    {
        if let Some(value) = message.data.get(key).filter(|value| !value.is_null()) {
            body[key] = value.clone();
        }
    }
    if let Some(alert) =
        message.data.get("id").and_then(Value::as_str).filter(|_| message.kind.starts_with("alert."))
    {
        body["alert"] = alert.into();
    }
    let pri = FACILITY * 8 + severity;
    let pid = std::process::id();
    format!("<{pri}>1 {:.6} {host} emcon {pid} {} - @cee: {body}", message.at, header_text(&message.kind))
}

/// As a field of the header: visible characters of ASCII, or `-`; MSGID takes 32 of them (RFC 5424, 6).
fn header_text(text: &str) -> String {
    let field: String = text.chars().filter(char::is_ascii_graphic).take(32).collect();
    if field.is_empty() { "-".into() } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::message::Noted;

    #[test]
    fn a_line_as_rfc_5424_has_it() {
        let data = r#"{"phase":"raised","id":"a1-x","device":"mobile-phone","signal":"lte","severity":"critical","reasons":["a\nb"]}"#;
        let at = "2026-11-23T10:00:00.25Z".parse().unwrap();
        let message = Message::of(&Noted { number: 7, recorded: true, kind: "alert", at, data }).unwrap();
        let line = line(&message, "box", "Room 3");
        let start = format!(
            "<130>1 2026-11-23T10:00:00.250000Z box emcon {} alert.raised - @cee: ",
            std::process::id()
        );
        let body: Value = serde_json::from_str(line.strip_prefix(&start).unwrap()).unwrap();
        assert_eq!((body["alert"].as_str(), body["device"].as_str()), (Some("a1-x"), Some("mobile-phone")));
        assert!(!line.contains('\n'));
        assert_eq!(header_text("a b\u{e9}"), "ab");
        assert_eq!(header_text(""), "-");
    }
}
