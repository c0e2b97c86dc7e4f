//! The order of dwells.

use super::confirm::{Budget, Held, Left, Queue, stare_s};
use super::ledger::{BandCoverage, Ledger};
use super::value::{Dwell, Look, Purpose, Suspicion};
use crate::plan::{DWELL_JITTER, Loop, PLACE_JITTER, Random, ReceiverPlan};

/// Share of clipped samples above which a look is repeated with less gain: a tenth of what the pipeline calls degraded,
/// and 20 us of a look of 20 ms. A burst's end at the edge of a look splatters as its middle does.
pub const CLIPPED_SHARE: f32 = 1e-3;

/// Superframes that the gain stays down for after the last overload: a transmitter near by comes again.
const GAIN_HOLD: u64 = 4;

/// Tunings that wait for another look with less gain.
const REPEATS_MAX: usize = 16;

/// What the centre is moved by for a ghost test, in the widths of what it must clear: no whole multiple, so that what is
/// made in the receiver does not fall on another such thing.
const SHIFT_WIDTHS: f64 = 1.37;

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
    /// What both centres see, hertz.
    seen_hz: [f64; 2],
    dwell_s: f64,
    visits: u16,
    dense: bool,
    /// Which centre is next.
    turn: bool,
    /// Whether its last visit gave way to confirming: not twice in a row.
    gave_way: bool,
    /// Where in its period a visit may lie at the earliest.
    phase: f64,
    gain_step: u8,
    /// Superframe in which the gain may go up a step.
    gain_until: u64,
}

/// Runs a plan on one receiver.
#[derive(Debug, Clone)]
pub struct Scheduler {
    places: Vec<Place>,
    visits: Vec<Visit>,
    at: usize,
    number: u64,
    superframe: u64,
    random: Random,
    ledger: Ledger,
    queue: Queue,
    budget: Budget,
    /// Tunings to look at again at once, with less gain.
    repeats: Vec<u32>,
    /// Time that confirming took and the dense loop has not yet given, seconds.
    owed_s: f64,
    usable_hz: f64,
    offset_hz: f64,
    settle_s: f64,
    gain_steps: u8,
}

impl Scheduler {
    /// A scheduler at the start of `plan`. The same seed and the same calls give the same dwells.
    pub fn new(plan: &ReceiverPlan, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let count = plan.tunings.len().max(1) as f64;
        // Phases are spread evenly, so that all parts of a superframe take as long.
        let places = plan.tunings.iter().enumerate().map(|(n, t)| Place {
            centers_hz: t.centers_hz,
            seen_hz: [t.low_hz, t.high_hz],
            dwell_s: t.dwell_s,
            visits: t.visits.max(1),
            dense: t.of == Loop::Dense,
            turn: false,
            gave_way: false,
            phase: (n as f64 / count + random.unit()).fract() * (1.0 - PLACE_JITTER),
            gain_step: 0,
            gain_until: 0,
        });
        let places: Vec<Place> = places.collect();
        let visits = (0u32..)
            .zip(&places)
            .flat_map(|(tuning, place)| (0..place.visits).map(move |nth| Visit { tuning, nth, place: 0.0 }));
        let visits: Vec<Visit> = visits.collect();
        Self {
            at: visits.len(),
            places,
            visits,
            number: 0,
            superframe: 0,
            random,
            ledger: Ledger::new(plan),
            queue: Queue::new(),
            budget: Budget::new(),
            repeats: Vec::with_capacity(REPEATS_MAX),
            owed_s: 0.0,
            usable_hz: plan.usable_hz,
            offset_hz: plan.offset_hz,
            settle_s: if plan.is_parked() { 0.0 } else { plan.settle_s },
            gain_steps: plan.gain_steps,
        }
    }

    /// The next dwell, asked for between two at stream time `now_s`: another look after overload first, then what
    /// confirms a suspicion, as long as that with the other keeps to its share; else whoever's turn it is.
    ///
    /// # Panics
    /// If the plan has no tuning.
    pub fn next(&mut self, now_s: f64) -> Dwell {
        let left_s = self.budget.left_s(now_s);
        let dwell = self.repeated().or_else(|| self.confirming(now_s, left_s));
        let mut dwell = match dwell {
            Some(dwell) => {
                let took_s = self.settle_s + dwell.look_s;
                self.budget.spend(now_s, took_s);
                self.owed_s += took_s;
                dwell
            }
            None => self.sweeping(),
        };
        self.number += 1;
        dwell.number = self.number;
        dwell
    }

    /// Asks for a closer look. Whether it is kept: not if no tuning sees all of it, or if too many wait.
    pub fn suspect(&mut self, suspicion: &Suspicion) -> bool {
        let seen = |place: &Place| {
            place.seen_hz[0] <= suspicion.low_hz
                && suspicion.low_hz < suspicion.high_hz
                && suspicion.high_hz <= place.seen_hz[1]
        };
        // Of several tunings that in whose middle half it is more likely to be.
        let away = |place: &Place| {
            (place.seen_hz[0] + place.seen_hz[1] - suspicion.low_hz - suspicion.high_hz).abs()
        };
        let best = (0u32..)
            .zip(&self.places)
            .filter(|(_, place)| seen(place))
            .min_by(|(_, a), (_, b)| away(a).total_cmp(&away(b)));
        match best.map(|(tuning, _)| tuning) {
            Some(tuning) => self.queue.put(suspicion, tuning),
            None => false,
        }
    }

    /// Takes down what a dwell gave.
    pub fn looked(&mut self, look: &Look) {
        self.ledger.note(look);
        let Some(place) = self.places.get_mut(look.dwell.tuning as usize) else { return };
        if look.clipped_share <= CLIPPED_SHARE {
            return;
        }
        place.gain_until = self.superframe + GAIN_HOLD;
        // A look at the gain that holds now says whether it must go down further; an earlier one does not.
        let lower = look.dwell.gain_step.saturating_add(1).min(self.gain_steps);
        if lower > place.gain_step {
            place.gain_step = lower;
            if self.repeats.len() < REPEATS_MAX && !self.repeats.contains(&look.dwell.tuning) {
                self.repeats.push(look.dwell.tuning);
            }
        }
    }

    /// What was looked at so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The books at `now_s`, band by band in the plan's order.
    pub fn coverage(&self, now_s: f64) -> Vec<BandCoverage> {
        self.ledger.coverage(now_s)
    }

    /// Another look at what overloaded the receiver. It waits for no share of the time: what is so strong is near, the
    /// look before told little of it, and a tuning asks for one for each step of its gain only.
    fn repeated(&mut self) -> Option<Dwell> {
        let tuning = *self.repeats.first()?;
        self.repeats.remove(0);
        let place = &self.places[tuning as usize];
        let center_hz = place.centers_hz[usize::from(!place.turn)];
        Some(self.dwell(tuning, center_hz, place.dwell_s, place.gain_step, Purpose::GainStep))
    }

    /// The next step of the first suspicion that waits, if `left_s` suffice.
    fn confirming(&mut self, now_s: f64, left_s: f64) -> Option<Dwell> {
        let held = self.queue.first(now_s)?;
        let place = &self.places[held.tuning as usize];
        let center_hz = self.clear_center(place, &held);
        let dwell = match held.left {
            Left::Stare(wanted_s) => {
                self.dwell(held.tuning, center_hz, stare_s(wanted_s), place.gain_step, Purpose::Confirm)
            }
            Left::Shift => {
                let center_hz = self.shifted_center(place, &held, center_hz);
                self.dwell(held.tuning, center_hz, place.dwell_s, place.gain_step, Purpose::LoShift)
            }
            Left::Gain => {
                let gain_step = place.gain_step.saturating_add(1).min(self.gain_steps);
                self.dwell(held.tuning, center_hz, place.dwell_s, gain_step, Purpose::GainStep)
            }
        };
        if self.settle_s + dwell.look_s > left_s {
            return None;
        }
        self.queue.advance(dwell.look_s);
        Some(dwell)
    }

    /// The next visit of the superframe. Those of the dense loop give way until what confirming took is paid back, but
    /// never twice in a row: confirming takes from bursts that come again, not from the tripwire.
    fn sweeping(&mut self) -> Dwell {
        loop {
            if self.at >= self.visits.len() {
                self.begin_superframe();
            }
            let tuning = self.visits[self.at].tuning;
            self.at += 1;
            let place = &mut self.places[tuning as usize];
            let cost_s = self.settle_s + place.dwell_s;
            if place.dense && !place.gave_way && self.owed_s >= cost_s {
                self.owed_s -= cost_s;
                place.gave_way = true;
                continue;
            }
            place.gave_way = false;
            place.turn = !place.turn;
            let jitter = self.random.between(1.0 - DWELL_JITTER, 1.0 + DWELL_JITTER);
            let place = &self.places[tuning as usize];
            let center_hz = place.centers_hz[usize::from(!place.turn)];
            return self.dwell(tuning, center_hz, place.dwell_s * jitter, place.gain_step, Purpose::Sweep);
        }
    }

    /// A dwell whose number is not yet given.
    fn dwell(&self, tuning: u32, center_hz: f64, look_s: f64, gain_step: u8, purpose: Purpose) -> Dwell {
        Dwell { number: 0, tuning, center_hz, look_s, gain_step, purpose }
    }

    /// That of the tuning's centres under whose offset what is suspected does not lie.
    fn clear_center(&self, place: &Place, held: &Held) -> f64 {
        let middle_hz = (held.suspicion.low_hz + held.suspicion.high_hz) / 2.0;
        let [first, second] = place.centers_hz;
        if (first - middle_hz).abs() >= (second - middle_hz).abs() { first } else { second }
    }

    /// A centre from which all that is made in the receiver is seen elsewhere. With the centre moved by d, the
    /// offset moves by d and an image by 2 d, while what is real stays: d must exceed the width of what is suspected,
    /// and of the offset. The lesser move is tried first, both ways; what is suspected must stay in what is used and
    /// off the offset. Where nothing fits, the centre that the tuning has besides `center_hz` must do.
    fn shifted_center(&self, place: &Place, held: &Held, center_hz: f64) -> f64 {
        let (low_hz, high_hz) = (held.suspicion.low_hz, held.suspicion.high_hz);
        let step_hz = SHIFT_WIDTHS * (high_hz - low_hz).max(self.offset_hz);
        let (half_hz, hidden_hz) = (self.usable_hz / 2.0, self.offset_hz / 2.0);
        let fits = |center: &f64| {
            let inside = center - half_hz <= low_hz && high_hz <= center + half_hz;
            inside && (high_hz <= center - hidden_hz || center + hidden_hz <= low_hz)
        };
        let moves = [step_hz, -step_hz, 2.0 * step_hz, -2.0 * step_hz];
        let other_hz =
            if place.centers_hz[0] == center_hz { place.centers_hz[1] } else { place.centers_hz[0] };
        moves.into_iter().map(|step| center_hz + step).find(fits).unwrap_or(other_hz)
    }

    /// Draws the order of the next superframe, and lets gains that were down for long enough go up a step.
    fn begin_superframe(&mut self) {
        self.superframe += 1;
        for place in &mut self.places {
            if place.gain_step > 0 && self.superframe > place.gain_until {
                place.gain_step -= 1;
                place.gain_until = self.superframe + GAIN_HOLD;
            }
        }
        for visit in &mut self.visits {
            let place = &self.places[visit.tuning as usize];
            let drawn = place.phase + PLACE_JITTER * self.random.unit();
            visit.place = (f64::from(visit.nth) + drawn) / f64::from(place.visits);
        }
        self.visits.sort_unstable_by(|a, b| a.place.total_cmp(&b.place));
        self.at = 0;
    }
}
