//! In which phases of a period an emitter is on: what is gated by the mains, and whose turn it is in a time-division band.

use super::emitter::{Emitter, Look};

/// Base stations and telephones of a time-division band take turns in each half-frame, seconds (3GPP TS 36.211 4.2, TS
/// 38.211 4.3.1).
pub const HALF_FRAME_S: f64 = 5e-3;

/// Phases of a period that are told apart.
const PHASES: usize = 50;

/// The phases of `period_s` that `[start_s, end_s]` touches.
fn phases_of(start_s: f64, end_s: f64, period_s: f64) -> impl Iterator<Item = usize> {
    let steps = ((end_s - start_s) / period_s * PHASES as f64).ceil().min(PHASES as f64) as usize;
    let first = ((start_s / period_s).fract() * PHASES as f64) as usize;
    (0..steps.max(1)).map(move |step| (first + step) % PHASES)
}

impl Emitter {
    /// Share of the phases of `period_s` in which it was on, of the latest emissions: those of so few periods that nothing
    /// drifts against them, the mains least of all (1 %, EN 50160 4.2.1). `None` below two periods.
    pub fn phase_share(&self, period_s: f64) -> Option<f64> {
        let on = self.phases(period_s, 0.0)?;
        Some(on.iter().filter(|o| **o).count() as f64 / on.len() as f64)
    }

    /// In which phases of `period_s` it was on of late, for at least `least_s` at a time. Without such a least, `None` below
    /// two periods.
    fn phases(&self, period_s: f64, least_s: f64) -> Option<[bool; PHASES]> {
        const PERIODS: f64 = 20.0;
        let latest = self.looks.iter().last()?;
        let recent = |look: &&Look| {
            look.epoch == latest.epoch
                && latest.end_s - look.start_s < PERIODS * period_s
                && look.end_s - look.start_s >= least_s
        };
        let first = self.looks.iter().find(recent)?;
        if least_s == 0.0 && latest.end_s - first.start_s < 2.0 * period_s {
            return None;
        }
        let mut on = [false; PHASES];
        for look in self.looks.iter().filter(recent) {
            phases_of(look.start_s, look.end_s, period_s).for_each(|phase| on[phase] = true);
        }
        Some(on)
    }

    /// Whether this one was on of late at the phase of the half-frame that `at_s` has.
    pub(super) fn is_its_turn(&self, at_s: f64) -> bool {
        let mut phases = phases_of(at_s, at_s, HALF_FRAME_S);
        self.phases(HALF_FRAME_S, 0.0).is_some_and(|on| phases.all(|phase| on[phase]))
    }

    /// Whether `[start_s, end_s]`, of the same axis and time, lies in the longest pause that this one makes in each half
    /// frame, and this one takes most of the rest: then it is the other end's.
    pub(super) fn pauses_during(&self, start_s: f64, end_s: f64) -> bool {
        /// Least share of the phases that is taken, and of the pause, so that the pause is no chance.
        const TAKEN: f64 = 0.4;
        const PAUSE: usize = PHASES / 8;
        /// No telephone sends for longer at a time: two subframes and what is added for the special one (3GPP TS 36.211
        /// 4.2, configuration 1), seconds. What was taken for the base station's is left out by that.
        const UPLINK_S: f64 = 2.2e-3;
        let long = || self.phases(HALF_FRAME_S, UPLINK_S);
        let Some(on) = long().or_else(|| self.phases(HALF_FRAME_S, 0.0)) else { return false };
        let off = |phase: &usize| !on[phase % PHASES];
        let pause_at = |start: usize| (start..start + PHASES).take_while(off).count();
        let longest = (0..PHASES).map(|start| (start, pause_at(start))).max_by_key(|pause| pause.1);
        let Some((start, length)) = longest else { return false };
        let taken = on.iter().filter(|on| **on).count() as f64;
        let in_pause = |phase: usize| (phase + PHASES - start) % PHASES < length;
        length >= PAUSE
            && taken >= TAKEN * PHASES as f64
            && phases_of(start_s, end_s, HALF_FRAME_S).all(in_pause)
    }
}
