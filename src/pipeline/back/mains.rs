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

/// The band of ovens, hertz (ITU-R Radio Regulations 5.150: 2400 to 2500 MHz, and what drifts out of it).
const OVENS_HZ: [f64; 2] = [2.39e9, 2.51e9];
/// The line of an oven drifts over more, hertz: what is narrower and nobody's device is a comb's.
const OVEN_MIN_HZ: f64 = 300e3;
/// An oven is on for minutes; between two looks at its band passes less, seconds.
const COOKING_S: f64 = 5.0;
/// Pieces may come to light before the whole, seconds.
const EARLIER_S: f64 = 1.0;
/// The line of an oven itself, in another place, is as strong to within this, dB.
const LINE_DB: f64 = 3.0;
/// What a magnetron sends beside its line, and what a converter of 8 bits makes of it, is weaker by more, dB. It
/// resembles keying, and spread like a sequence what sweeps through the span.
const BESIDE_DB: f64 = 10.0;

/// Whether `emitter` cannot be told from what an oven that is on sends, which `source` is: of no name, or of one that its
/// sidebands may get (`doubtful`), no stronger than it, and not there before it.
pub fn is_under_oven(emitter: &Emitter, source: &Emitter, doubtful: bool) -> bool {
    let in_band =
        |other: &Emitter| other.place.absolute && (OVENS_HZ[0]..OVENS_HZ[1]).contains(&other.center_hz());
    let over_db = emitter.levels.highest() - source.levels.highest();
    let mut meanwhile = emitter.looks.iter().map(|look| look.start_s - source.last_s);
    emitter.serial != source.serial
        && in_band(source)
        && in_band(emitter)
        && source.on.longest_s() > HALF_S[0]
        && source.bandwidth_hz > OVEN_MIN_HZ
        && emitter.first_s > source.first_s - EARLIER_S
        && meanwhile.all(|after_s| after_s < COOKING_S)
        && over_db < if doubtful { -BESIDE_DB } else { LINE_DB }
}

/// Period of the mains by which `source` is gated.
fn mains_of(source: &Emitter) -> Option<f64> {
    // What was not looked at for long enough of late was named by what was seen before.
    let gated = |mains_s: &f64| source.phase_share(*mains_s).is_none_or(|share| share <= GATED_SHARE);
    MAINS_S.into_iter().find(gated)
}

/// Whether all that was heard of `emitter` keeps step with `source`.
pub fn keeps_step(emitter: &Emitter, source: &Emitter) -> bool {
    let weaker = emitter.level_dbfs < source.level_dbfs + 3.0;
    let heard = emitter.looks.iter().count() >= COUNT_MIN;
    let other = emitter.serial != source.serial && emitter.place.absolute == source.place.absolute;
    let Some(mains_s) = mains_of(source) else { return false };
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
