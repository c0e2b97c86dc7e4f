//! The emitters heard in a box, and how near each came to a name.

use super::Window;
use crate::classify::{Check, Outcome, Role, Tested};
use crate::track::Emitter;

/// Signatures told of in full: the nearest ones.
const NEAREST: usize = 3;

/// An emitter, told of or not, and its nearest signatures in words.
#[derive(Debug, Clone)]
pub(super) struct Suspect {
    /// See [`Emitter::serial`].
    pub serial: u64,
    /// A sentence a line.
    pub lines: Vec<String>,
}

/// Whether `emitter` was heard in `window`, as far as it is remembered.
pub(super) fn touches(emitter: &Emitter, window: &Window) -> bool {
    let times = window.overlaps_s(emitter.first_s, emitter.last_s);
    let on_channel = |hz: f64| window.overlaps_hz(hz, emitter.bandwidth_hz);
    times && (on_channel(emitter.place.hz) || emitter.channels.iter().any(|channel| on_channel(channel.hz)))
}

impl Suspect {
    pub(super) fn new(emitter: &Emitter, id: Option<u32>, checks: &[Check<'_>]) -> Self {
        let who = match id {
            Some(id) => format!("e{id}"),
            None => format!("suspect, not confirmed: {} emissions so far", emitter.count),
        };
        let mut lines = vec![format!("nearest signatures of {who}:")];
        for check in checks.iter().take(NEAREST) {
            lines.push(format!(
                "  {} ({}): {}",
                check.signature.name,
                check.signature.signal,
                verdict(check)
            ));
            if check.misplaced.is_none() {
                lines.extend(check.tests.iter().map(|tested| format!("    {}", limit(tested))));
            }
        }
        Self { serial: emitter.serial, lines }
    }
}

fn verdict(check: &Check<'_>) -> String {
    let weight = format!("{} independent features, weight {:.1}", check.groups, check.score);
    match check.miss() {
        None => format!("fits, {weight}"),
        Some(miss) if check.possible => format!("not enough for a name: {miss}"),
        Some(miss) => format!("missed: {miss}"),
    }
}

fn limit(tested: &Tested<'_>) -> String {
    let outcome = match (tested.test.role, tested.outcome) {
        (_, Outcome::Unmeasured) => "unknown",
        (Role::Against, Outcome::Within) => "speaks against",
        (Role::Against, Outcome::Outside) => "does not speak against",
        (_, Outcome::Within) => "passed",
        (_, Outcome::Outside) => "missed",
    };
    format!("{outcome}: {}", tested.sentence())
}
