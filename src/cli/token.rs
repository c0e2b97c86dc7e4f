//! `emcon token`: who may ask for the room. Through the room that runs, else in its records.

use super::args::{Common, TokenArgs, TokenVerb};
use super::exit::Exit;
use super::room::{SOCKET, data_folder};
use super::{complain, output_failed};
use crate::app::hub::{AskError, Asks, issue, withdraw};
use crate::config;
use crate::store::{Store, TokenRecord};
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A room that does not answer for so long hangs.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer, bytes.
const ANSWER_MAX: u64 = 1 << 20;

/// Does it.
pub(super) fn run(args: &TokenArgs, common: &Common) -> Exit {
    match answer(args, common) {
        Ok(value) => print(args, &value),
        Err((why, exit)) => {
            complain(&why);
            exit
        }
    }
}

fn answer(args: &TokenArgs, common: &Common) -> Result<Value, (String, Exit)> {
    let config = config::load(common.config.as_deref()).map_err(|error| (error.to_string(), Exit::Config))?;
    let folder = data_folder(args.data.as_deref().or(config.room.data.as_deref())).ok_or_else(|| {
        let why = "no folder of records: name it with --data DIR, as `emcon run` was given";
        (why.to_owned(), Exit::Config)
    })?;
    match UnixStream::connect(folder.join(SOCKET)) {
        Ok(stream) => ask(stream, &args.what),
        // A socket that nobody listens at was left behind.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            write(&folder, &args.what)
        }
        Err(error) => {
            let why =
                format!("{}: {error}; run this as the owner of the folder", folder.join(SOCKET).display());
            Err((why, Exit::CannotCreate))
        }
    }
}

/// Asks the room that runs, as HTTP/1.0: one request, one answer, then the end.
fn ask(mut stream: UnixStream, what: &TokenVerb) -> Result<Value, (String, Exit)> {
    let (method, path, body) = match what {
        TokenVerb::New { name, role, days } => {
            let body = json!({ "name": name, "role": role, "days": days });
            ("POST", "/api/v1/tokens".to_owned(), body.to_string())
        }
        TokenVerb::List => ("GET", "/api/v1/tokens".to_owned(), String::new()),
        TokenVerb::Revoke { id } => ("DELETE", format!("/api/v1/tokens/{}", plain(id)?), String::new()),
    };
    let exchange = || -> io::Result<String> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nX-Emcon: 1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        let mut text = String::new();
        stream.take(ANSWER_MAX).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = exchange().map_err(|error| (format!("the room does not answer: {error}"), Exit::Io))?;
    let cut = || ("the room's answer is cut off; see the service's log".to_owned(), Exit::Io);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let value: Value = serde_json::from_str(body).map_err(|_| cut())?;
    match head.split(' ').nth(1) {
        Some("200" | "201") => Ok(value),
        _ => Err((value["detail"].as_str().unwrap_or("it refuses").to_owned(), Exit::BadData)),
    }
}

/// An id, as part of a path.
fn plain(id: &str) -> Result<&str, (String, Exit)> {
    let fits = !id.is_empty() && id.len() <= 32 && id.chars().all(|c| c.is_ascii_alphanumeric());
    let why = || (format!("{id:?} is no id of a token; `emcon token list` names them"), Exit::BadData);
    fits.then_some(id).ok_or_else(why)
}

/// Writes to the records of a room that does not run.
fn write(folder: &Path, what: &TokenVerb) -> Result<Value, (String, Exit)> {
    let mut store = Store::open(folder).map_err(|error| (error.to_string(), Exit::CannotCreate))?;
    let failed = |error: AskError| {
        let exit = if matches!(error, AskError::Access(_)) { Exit::BadData } else { Exit::Io };
        (error.to_string(), exit)
    };
    match what {
        TokenVerb::New { name, role, days } => {
            let asks = Asks { name: name.clone(), role: role.clone(), days: *days, by: "console".into() };
            let (record, secret, ..) = issue(&mut store, &asks).map_err(failed)?;
            let mut value = json!(record);
            value["token"] = secret.into();
            Ok(value)
        }
        TokenVerb::List => {
            let all = store.tokens().map_err(|error| failed(error.into()))?;
            let tokens: Vec<TokenRecord> =
                all.into_iter().map(|(record, _)| record).filter(|record| record.parent.is_none()).collect();
            Ok(json!(tokens))
        }
        TokenVerb::Revoke { id } => {
            withdraw(&mut store, plain(id)?, "console").map(|(record, ..)| json!(record)).map_err(failed)
        }
    }
}

fn print(args: &TokenArgs, value: &Value) -> Exit {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or("-").to_owned();
    let mut out = String::new();
    match &args.what {
        _ if args.json => out = format!("{value}\n"),
        TokenVerb::New { .. } => out = format!("{}\n", text(value, "token")),
        TokenVerb::Revoke { id } => out = format!("{id} is revoked\n"),
        TokenVerb::List => {
            for token in value.as_array().into_iter().flatten() {
                let life = if token["revoked"].is_string() { "revoked" } else { "holds" };
                let [id, role, expires, used, name] =
                    ["id", "role", "expires", "last_used", "name"].map(|key| text(token, key));
                out += &format!("{id}  {role:9}  {life:7}  expires {expires}  used {used}  {name}\n");
            }
        }
    }
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()) {
        return output_failed(&error);
    }
    if let (TokenVerb::New { .. }, false) = (&args.what, args.json) {
        eprintln!("emcon: this is {}; keep it: it is not shown again", text(value, "id"));
    }
    Exit::Ok
}
