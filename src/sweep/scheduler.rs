//! The order of dwells.

use super::ledger::{BandCoverage, Ledger};
use super::value::{Dwell, Look, Purpose, Suspicion};
use crate::plan::{DWELL_JITTER, PLACE_JITTER, Random, ReceiverPlan};

/// One visit of a superframe.
#[derive(Debug, Clone, Copy)]
struct Visit {
    tuning: u32,
    /// Of the visits of this tuning in a superframe, from 0.
    nth: u16,
    /// Where in the superframe, 0 to 1: the order.
    place: f64,
}

/// What is known of one tuning.
#[derive(Debug, Clone)]
struct Place {
    centers_hz: [f64; 2],
    dwell_s: f64,
    visits: u16,
    /// Which centre is next.
    turn: bool,
    /// Where in its period a visit may lie at the earliest.
    phase: f64,
    gain_step: u8,
}

/// Runs a plan on one receiver.
#[derive(Debug, Clone)]
pub struct Scheduler {
    places: Vec<Place>,
    visits: Vec<Visit>,
    at: usize,
    number: u64,
    random: Random,
    ledger: Ledger,
}

impl Scheduler {
    /// A scheduler at the start of `plan`. The same seed and the same calls give the same dwells.
    pub fn new(plan: &ReceiverPlan, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let count = plan.tunings.len().max(1) as f64;
        // Phases are spread evenly, so that all parts of a superframe take as long.
        let places = plan.tunings.iter().enumerate().map(|(n, t)| Place {
            centers_hz: t.centers_hz,
            dwell_s: t.dwell_s,
            visits: t.visits.max(1),
            turn: false,
            phase: (n as f64 / count + random.unit()).fract() * (1.0 - PLACE_JITTER),
            gain_step: 0,
        });
        let places: Vec<Place> = places.collect();
        let visits = (0u32..)
            .zip(&places)
            .flat_map(|(tuning, place)| (0..place.visits).map(move |nth| Visit { tuning, nth, place: 0.0 }));
        let visits: Vec<Visit> = visits.collect();
        Self { at: visits.len(), places, visits, number: 0, random, ledger: Ledger::new(plan) }
    }

    /// The next dwell, asked for between two at stream time `now_s`.
    ///
    /// # Panics
    /// If the plan has no tuning.
    pub fn next(&mut self, _now_s: f64) -> Dwell {
        if self.at >= self.visits.len() {
            self.shuffle();
        }
        let visit = self.visits[self.at];
        self.at += 1;
        let jitter = self.random.between(1.0 - DWELL_JITTER, 1.0 + DWELL_JITTER);
        let place = &mut self.places[visit.tuning as usize];
        place.turn = !place.turn;
        self.number += 1;
        Dwell {
            number: self.number,
            tuning: visit.tuning,
            center_hz: place.centers_hz[usize::from(!place.turn)],
            look_s: place.dwell_s * jitter,
            gain_step: place.gain_step,
            purpose: Purpose::Sweep,
        }
    }

    /// Asks for a closer look. Whether it is kept: not if no tuning sees all of it, or if too many wait.
    pub fn suspect(&mut self, _suspicion: &Suspicion) -> bool {
        false
    }

    /// Takes down what a dwell gave.
    pub fn looked(&mut self, look: &Look) {
        self.ledger.note(look);
    }

    /// What was looked at so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The books at `now_s`, band by band in the plan's order.
    pub fn coverage(&self, now_s: f64) -> Vec<BandCoverage> {
        self.ledger.coverage(now_s)
    }

    /// Draws the order of the next superframe.
    fn shuffle(&mut self) {
        for visit in &mut self.visits {
            let place = &self.places[visit.tuning as usize];
            let drawn = place.phase + PLACE_JITTER * self.random.unit();
            visit.place = (f64::from(visit.nth) + drawn) / f64::from(place.visits);
        }
        self.visits.sort_unstable_by(|a, b| a.place.total_cmp(&b.place));
        self.at = 0;
    }
}
