//! What a service manager is told: that the room is ready, its state in a line, and that it is alive.
//!
//! The watchdog is fed only if both the judging side and the room's thread went on since it was fed last: a process that
//! merely exists guards nothing. That a receiver is gone stops neither; the room says so itself.

use super::hub::Hub;
use crate::clock::Monotonic;
use sd_notify::NotifyState;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Time between two looks at the room: as often as it makes its state.
const LOOK: Duration = Duration::from_millis(250);

/// Part of the watchdog's time after which it is fed: two meals may be late.
const PART: u32 = 4;

/// Whether a service manager listens.
pub fn is_supervised() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| !socket.is_empty())
}

/// Tells it until `stop` is set.
pub fn supervise(hub: &Hub, stop: &AtomicBool) {
    let watchdog = sd_notify::watchdog_enabled();
    let state = hub.state();
    let mut pulse = Pulse::default();
    let (mut ready, mut status, mut fed) = (false, String::new(), Monotonic::now());
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
        let figures = hub.figures();
        let rounds = (figures.judged.load(Ordering::Relaxed), figures.turned.load(Ordering::Relaxed));
        if !ready && rounds.0 > 0 && rounds.1 > 0 {
            ready = true;
            tell(&NotifyState::Ready);
        }
        if let Some(watchdog) = watchdog
            && fed.elapsed() >= watchdog / PART
            && pulse.beats(rounds)
        {
            fed = Monotonic::now();
            tell(&NotifyState::Watchdog);
        }
        let stated = state.borrow().clone();
        let now = if stated.is_fresh() { line(&stated.text) } else { "the room's thread hangs".to_owned() };
        if now != status {
            tell(&NotifyState::Status(&now));
            status = now;
        }
    }
    tell(&NotifyState::Stopping);
}

fn tell(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!("cannot tell the service manager {state}: {error}");
    }
}

/// Whether both sides go on.
#[derive(Debug, Default)]
struct Pulse {
    /// Rounds of both when it was felt last.
    last: (u64, u64),
}

impl Pulse {
    fn beats(&mut self, rounds: (u64, u64)) -> bool {
        let both = rounds.0 != self.last.0 && rounds.1 != self.last.1;
        if both {
            self.last = rounds;
        }
        both
    }
}

/// The state `json` in a line: the state, the mode, why.
fn line(json: &str) -> String {
    let state: Value = serde_json::from_str(json).unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let why: Vec<String> = state["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|condition| word(&condition["reason"]))
        .collect();
    let head = format!("{} ({})", word(&state["state"]).to_uppercase(), word(&state["mode"]));
    if why.is_empty() { head } else { format!("{head}: {}", why.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_needs_both_sides() {
        let mut pulse = Pulse::default();
        for (rounds, beats) in [
            ((0, 0), false),
            ((1, 0), false),
            ((5, 0), false),
            ((5, 1), true),
            ((5, 1), false),
            ((5, 9), false),
            ((6, 9), true),
            // The room's thread stands still, then goes on.
            ((7, 9), false),
            ((8, 10), true),
        ] {
            assert_eq!(pulse.beats(rounds), beats, "{rounds:?}");
        }
    }

    #[test]
    fn the_line_says_state_mode_and_why() {
        let state = r#"{"mode":"armed","state":"alert","conditions":[{"reason":"one"},{"reason":"two"}]}"#;
        assert_eq!(line(state), "ALERT (armed): one; two");
        assert_eq!(line(r#"{"mode":"standby","state":"standby","conditions":[]}"#), "STANDBY (standby)");
        assert_eq!(line("nonsense"), "? (?)");
    }
}
