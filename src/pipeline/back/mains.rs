//! What keeps step with something that is interference by the mains: other parts of its half periods, and the
//! transients when it goes on and off.

use crate::track::{Emitter, Look};

/// Periods of the mains, seconds.
const MAINS_S: [f64; 2] = [20e-3, 1.0 / 60.0];
/// Where what is gated by the mains is on at most, as a fraction of the phases.
const GATED_SHARE: f64 = 0.64;
/// Phases differ by less from period to period, seconds.
const JITTER_S: f64 = 0.6e-3;
/// A transient lasts less, seconds.
const TRANSIENT_S: f64 = 0.5e-3;
/// A half period lasts at least this long and at most that long, seconds.
const HALF_S: [f64; 2] = [2.5e-3, 13e-3];
/// Emissions that kept step, at least: three transients of anything else lie at the edges once in a thousand cases.
const COUNT_MIN: usize = 3;

/// Whether all that was heard of `emitter` keeps step with `source`.
pub fn keeps_step(emitter: &Emitter, source: &Emitter) -> bool {
    let weaker = emitter.level_dbfs < source.level_dbfs + 3.0;
    let heard = emitter.looks.iter().count() >= COUNT_MIN;
    let other = emitter.serial != source.serial && emitter.place.absolute == source.place.absolute;
    let gated = |mains_s: &f64| source.phase_share(*mains_s).is_some_and(|share| share <= GATED_SHARE);
    let Some(mains_s) = MAINS_S.into_iter().find(gated) else { return false };
    let in_step = |look: &Look| {
        let lasts_s = look.end_s - look.start_s;
        source.looks.iter().filter(|own| own.epoch == look.epoch).any(|own| {
            let near = |a_s: f64, b_s: f64| {
                let turns = (a_s - b_s) / mains_s;
                (turns - turns.round()).abs() * mains_s < JITTER_S
            };
            let transient = lasts_s < TRANSIENT_S
                && [own.start_s, own.end_s].iter().any(|edge_s| near(look.start_s, *edge_s));
            let half = (HALF_S[0]..HALF_S[1]).contains(&lasts_s)
                && (near(look.start_s, own.start_s) || near(look.end_s, own.end_s));
            transient || half
        })
    };
    other && weaker && heard && emitter.looks.iter().all(in_step)
}
