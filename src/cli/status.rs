//! `emcon status`: what the room on this machine says of itself.

use super::args::StatusArgs;
use super::client::get;
use super::complain;
use super::exit::Exit;

/// `emcon status`.
pub(super) fn run(args: &StatusArgs) -> Exit {
    let state = match get(args.room, "/api/v1/state") {
        Ok(state) => state,
        Err(error) => {
            complain(&error);
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
