//! Suspicions that wait, and the share of time that confirming them may take.

use super::value::{Suspicion, Want};
use crate::plan::{CONFIRM_SHARE, CONFIRM_WINDOW_S};

/// Suspicions that wait at a time: a fifth of a minute's time holds no more stares than that.
const HELD_MAX: usize = 32;

/// Dwells for confirming within one window: more would be shorter than any look.
const SPENT_MAX: usize = 128;

/// Longest single stare, seconds: another tuning waits meanwhile.
const STARE_MAX_S: f64 = 1.0;

/// A suspicion, and how far it has come.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// As it was asked for.
    pub suspicion: Suspicion,
    /// The tuning that sees it.
    pub tuning: u32,
    /// What is left to do.
    pub left: Left,
}

/// What is left to do of a suspicion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Left {
    /// Seconds of staring.
    Stare(f64),
    /// The look with the centre moved, then the one with less gain.
    Shift,
    /// The look with less gain.
    Gain,
}

/// Those that wait, the first come first.
#[derive(Debug, Clone)]
pub struct Queue {
    held: Vec<Held>,
}

impl Queue {
    /// An empty one.
    pub fn new() -> Self {
        Self { held: Vec::with_capacity(HELD_MAX) }
    }

    /// Keeps `suspicion`, which `tuning` sees. One of the same box and kind that already waits is renewed; the
    /// latest is turned away when there is no room.
    pub fn put(&mut self, suspicion: &Suspicion, tuning: u32) -> bool {
        let left = match suspicion.want {
            Want::Stare { seconds } => Left::Stare(seconds),
            Want::GhostTest => Left::Shift,
        };
        let kind = |want: &Want| matches!(want, Want::GhostTest);
        let same = |held: &&mut Held| {
            held.tuning == tuning
                && kind(&held.suspicion.want) == kind(&suspicion.want)
                && held.suspicion.low_hz <= suspicion.high_hz
                && suspicion.low_hz <= held.suspicion.high_hz
        };
        if let Some(held) = self.held.iter_mut().find(same) {
            held.suspicion.until_s = held.suspicion.until_s.max(suspicion.until_s);
            return true;
        }
        let room = self.held.len() < HELD_MAX;
        if room {
            self.held.push(Held { suspicion: *suspicion, tuning, left });
        }
        room
    }

    /// The next one at `now_s`; those that nobody waits for any longer are forgotten.
    pub fn first(&mut self, now_s: f64) -> Option<Held> {
        self.held.retain(|held| held.suspicion.until_s > now_s);
        self.held.first().copied()
    }

    /// Takes the first one's next step off it, of which `look_s` were done, and lets the others go before it.
    pub fn advance(&mut self, look_s: f64) {
        if self.held.is_empty() {
            return;
        }
        let mut held = self.held.remove(0);
        held.left = match held.left {
            Left::Stare(left_s) if left_s > look_s => Left::Stare(left_s - look_s),
            Left::Shift => Left::Gain,
            Left::Stare(_) | Left::Gain => return,
        };
        self.held.push(held);
    }
}

/// How long a stare may be, of `wanted_s`.
pub fn stare_s(wanted_s: f64) -> f64 {
    wanted_s.min(STARE_MAX_S)
}

/// Time spent on confirming, within the last window.
#[derive(Debug, Clone)]
pub struct Budget {
    /// When each began and what it took, seconds; a ring.
    spent: Vec<(f64, f64)>,
    next: usize,
}

impl Budget {
    /// Nothing spent.
    pub fn new() -> Self {
        Self { spent: vec![(f64::NEG_INFINITY, 0.0); SPENT_MAX], next: 0 }
    }

    /// Time left at `now_s` for a dwell that begins then, seconds: any window that ends with it keeps to the share.
    pub fn left_s(&self, now_s: f64) -> f64 {
        // The ring must not forget what still counts.
        if self.spent[self.next].0 > now_s - CONFIRM_WINDOW_S {
            return 0.0;
        }
        // What began before the window but reaches into it counts as a whole.
        let within = self.spent.iter().filter(|(from_s, took_s)| from_s + took_s > now_s - CONFIRM_WINDOW_S);
        CONFIRM_SHARE * CONFIRM_WINDOW_S - within.map(|(_, took_s)| took_s).sum::<f64>()
    }

    /// Spends `took_s` from `now_s` on.
    pub fn spend(&mut self, now_s: f64, took_s: f64) {
        self.spent[self.next] = (now_s, took_s);
        self.next = (self.next + 1) % self.spent.len();
    }
}
