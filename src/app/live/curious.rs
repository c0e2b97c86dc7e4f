//! What is worth a second look: what was heard and not named yet, the strongest first: it is the nearest.

use crate::classify::Signal;
use crate::pipeline::{Back, Output, Phase};
use crate::plan::CONFIRM_SHARE;
use crate::sweep::{Suspicion, Want};
use std::collections::HashMap;

/// A look that names most: two frames of every time-division system and ten of the fastest.
const STARE_S: f64 = 0.25;

/// Time that something stays of interest, seconds: a walkie-talkie's shortest over.
const FRESH_S: f64 = 2.0;

/// Time between two looks at one thing, seconds, and most of them: what was looked at thrice and has no name has none.
const AGAIN_S: f64 = 3.0;
const MOST: u32 = 3;

/// Time between two things that are asked for, seconds: as long as the share of time for confirming lasts. What waited
/// in line behind weaker ones would be gone.
const ROUND_S: f64 = STARE_S / CONFIRM_SHARE;

/// Things remembered, and for how long when there are more, seconds: at most fifty are asked for in a minute.
const HELD: usize = 1024;
const FORGET_S: f64 = 60.0;

/// Remembers what was asked for.
#[derive(Debug, Default)]
pub struct Curious {
    /// By the emitter's number: times asked, and when last.
    asked: HashMap<u64, (u32, f64)>,
    /// Emitters told of without a name, by number.
    unnamed: HashMap<u32, Place>,
    /// When something was asked for last.
    round_s: Option<f64>,
}

/// Where something was heard, when last, and how loud.
#[derive(Debug, Clone, Copy)]
struct Place {
    center_hz: f64,
    bandwidth_hz: f64,
    last_s: f64,
    level_dbfs: f64,
}

impl Curious {
    /// Takes note of what the back said.
    pub fn heard(&mut self, output: &Output) {
        let Output::Emitter(phase, report) = output else { return };
        // A carrier without modulation may be a microphone while nobody speaks.
        let nameless = matches!(report.signal, Signal::Unknown | Signal::Cw);
        let unnamed = nameless && *phase != Phase::Closed && !report.ambient;
        match (unnamed, report.center_hz) {
            (true, Some(center_hz)) if self.unnamed.len() < HELD => {
                let place = Place {
                    center_hz,
                    bandwidth_hz: report.bandwidth_hz,
                    last_s: report.last_s,
                    level_dbfs: report.power_dbfs,
                };
                self.unnamed.insert(report.id, place);
            }
            _ => {
                self.unnamed.remove(&report.id);
            }
        }
    }

    /// What to look at closer, at `now_s` on the back's axis.
    pub fn about(&mut self, back: &Back, now_s: f64) -> Option<Suspicion> {
        if self.round_s.is_some_and(|round_s| now_s - round_s < ROUND_S) {
            return None;
        }
        let untold = back.untold().map(|(serial, emitter)| {
            let place = Place {
                center_hz: emitter.center_hz(),
                bandwidth_hz: emitter.bandwidth_hz,
                last_s: emitter.last_s,
                level_dbfs: emitter.level_dbfs,
            };
            (serial << 1, place)
        });
        let unnamed = self.unnamed.iter().map(|(id, place)| (u64::from(*id) << 1 | 1, *place));
        let (key, place) = untold
            .chain(unnamed)
            .filter(|(key, place)| now_s - place.last_s <= FRESH_S && self.is_due(*key, now_s))
            .max_by(|a, b| a.1.level_dbfs.total_cmp(&b.1.level_dbfs).then(b.0.cmp(&a.0)))?;
        if self.asked.len() >= HELD {
            self.asked.retain(|_, (_, at_s)| now_s - *at_s < FORGET_S);
        }
        self.asked.entry(key).and_modify(|asked| *asked = (asked.0 + 1, now_s)).or_insert((1, now_s));
        self.round_s = Some(now_s);
        Some(Suspicion {
            low_hz: place.center_hz - place.bandwidth_hz / 2.0,
            high_hz: place.center_hz + place.bandwidth_hz / 2.0,
            want: Want::Stare { seconds: STARE_S },
            until_s: now_s + FRESH_S,
        })
    }

    /// Whether it was not asked for too often, or just now.
    fn is_due(&self, key: u64, now_s: f64) -> bool {
        self.asked.get(&key).is_none_or(|(times, at_s)| *times < MOST && now_s - at_s >= AGAIN_S)
    }
}
