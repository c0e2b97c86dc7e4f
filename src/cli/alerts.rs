//! `emcon alerts`: what is on record, and acknowledging it.

use super::client::{get, send};
use super::complain;
use super::exit::Exit;
use super::meeting::{refused, text};
use super::room_args::{AlertsAct, AlertsArgs};
use serde_json::{Value, json};

/// As many as the room gives at once.
const RECORDS_MAX: usize = 1000;

/// `emcon alerts`.
pub(super) fn run(args: &AlertsArgs) -> Exit {
    let room = args.which.room;
    let as_json = args.which.json;
    match &args.act {
        AlertsAct::List { open, meeting, limit } => {
            // Names of meetings are the room's; another text finds nothing, and must not become another question.
            let safe = |id: &str| id.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
            let of = meeting.as_deref().map_or(String::new(), |id| format!("&meeting={}", safe(id)));
            let wanted = if *open { RECORDS_MAX } else { *limit };
            let all = match get(room, &format!("/api/v1/alerts?limit={wanted}{of}")) {
                Ok(all) => all,
                Err(error) => return refused(&error),
            };
            let kept = all.as_array().into_iter().flatten().filter(|alert| !open || is_open(alert));
            let kept: Vec<&Value> = kept.take(*limit).collect();
            if as_json {
                println!("{}", json!(kept));
            } else {
                kept.iter().for_each(|alert| println!("{}", line(alert)));
            }
            Exit::Ok
        }
        AlertsAct::Show { id } => {
            let all = match get(room, &format!("/api/v1/alerts?limit={RECORDS_MAX}")) {
                Ok(all) => all,
                Err(error) => return refused(&error),
            };
            let Some(alert) = all.as_array().into_iter().flatten().find(|alert| alert["id"] == **id) else {
                complain(&format_args!("no alert {id:?} among the latest {RECORDS_MAX}"));
                return Exit::NoInput;
            };
            if as_json {
                println!("{alert}");
            } else {
                println!("{}", line(alert));
                for reason in alert["reasons"].as_array().into_iter().flatten() {
                    println!("  {}", text(reason));
                }
            }
            Exit::Ok
        }
        AlertsAct::Ack { id, by, note } => {
            let path = format!("/api/v1/alerts/{}/acknowledge", escaped(id));
            match send(room, "POST", &path, &json!({ "by": by, "note": note })) {
                Ok(alert) if as_json => println!("{alert}"),
                Ok(alert) => println!("{}", line(&alert)),
                Err(super::client::ClientError::Refused { status: 404, detail }) => {
                    complain(&detail);
                    return Exit::NoInput;
                }
                Err(error) => return refused(&error),
            }
            Exit::Ok
        }
    }
}

fn is_open(alert: &Value) -> bool {
    alert["acknowledged"].is_null()
}

fn line(alert: &Value) -> String {
    let word = |key: &str| text(&alert[key]);
    let at = alert["center_hz"].as_f64().map_or(String::new(), |hz| format!(" at {:.3} MHz", hz / 1e6));
    let state = match (alert["acknowledged"].as_str(), alert["resolved"].as_str()) {
        (Some(_), _) => format!("acknowledged by {:?}", alert["acknowledged_by"].as_str().unwrap_or("")),
        (None, Some(_)) => "resolved, not acknowledged".into(),
        (None, None) => "open".into(),
    };
    format!(
        "{}  {}  {}  {} ({}){at}  {state}",
        word("id"),
        word("raised"),
        word("severity"),
        word("device"),
        word("signal")
    )
}

/// A text as part of a path (RFC 3986, 2.1).
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
