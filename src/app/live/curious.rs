//! What is worth a second look: what was heard and not named yet.

use crate::classify::Signal;
use crate::pipeline::{Back, Output, Phase};
use crate::sweep::{Suspicion, Want};
use std::collections::HashMap;

/// A look that names most: two frames of every time-division system and ten of the fastest.
const STARE_S: f64 = 0.25;

/// Time that something stays of interest, seconds: a walkie-talkie's shortest over.
const FRESH_S: f64 = 2.0;

/// Time between two looks at one thing, seconds, and most of them: what was looked at thrice and has no name has none.
const AGAIN_S: f64 = 3.0;
const MOST: u32 = 3;

/// Time between two rounds, seconds.
const ROUND_S: f64 = 0.05;

/// Things remembered.
const HELD: usize = 1024;

/// Remembers what was asked for.
#[derive(Debug, Default)]
pub struct Curious {
    /// By the emitter's number: times asked, and when last.
    asked: HashMap<u64, (u32, f64)>,
    /// Emitters told of without a name: number, place, when they were last heard.
    unnamed: HashMap<u32, (f64, f64, f64)>,
    round_s: f64,
}

impl Curious {
    /// Takes note of what the back said.
    pub fn heard(&mut self, output: &Output) {
        let Output::Emitter(phase, report) = output else { return };
        let unnamed = report.signal == Signal::Unknown && *phase != Phase::Closed && !report.ambient;
        match (unnamed, report.center_hz) {
            (true, Some(center_hz)) if self.unnamed.len() < HELD => {
                self.unnamed.insert(report.id, (center_hz, report.bandwidth_hz, report.last_s));
            }
            _ => {
                self.unnamed.remove(&report.id);
            }
        }
    }

    /// What to look at closer, at `now_s` on the back's axis.
    pub fn about(&mut self, back: &Back, now_s: f64) -> Vec<Suspicion> {
        if now_s - self.round_s < ROUND_S {
            return Vec::new();
        }
        self.round_s = now_s;
        let mut out = Vec::new();
        let untold = back
            .untold()
            .map(|(serial, center_hz, bandwidth_hz, last_s)| (serial << 1, center_hz, bandwidth_hz, last_s));
        let unnamed = self.unnamed.iter().map(|(id, (center_hz, bandwidth_hz, last_s))| {
            (u64::from(*id) << 1 | 1, *center_hz, *bandwidth_hz, *last_s)
        });
        for (key, center_hz, bandwidth_hz, last_s) in untold.chain(unnamed) {
            if now_s - last_s > FRESH_S {
                continue;
            }
            let (times, at_s) = self.asked.get(&key).copied().unwrap_or((0, f64::NEG_INFINITY));
            if times >= MOST || now_s - at_s < AGAIN_S || self.asked.len() >= HELD {
                continue;
            }
            self.asked.insert(key, (times + 1, now_s));
            out.push(Suspicion {
                low_hz: center_hz - bandwidth_hz / 2.0,
                high_hz: center_hz + bandwidth_hz / 2.0,
                want: Want::Stare { seconds: STARE_S },
                until_s: now_s + FRESH_S,
            });
        }
        if self.asked.len() >= HELD {
            self.asked.retain(|_, (_, at_s)| now_s - *at_s < 60.0);
        }
        out
    }
}
