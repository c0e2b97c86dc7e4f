//! Transients: what is heard only when something that is interference goes on or off is part of it.

use crate::track::Emitter;

/// A transient lies within this time of the edge, seconds.
const EDGE_S: f64 = 0.6e-3;
/// It lasts less, seconds.
const LONGEST_S: f64 = 0.5e-3;
/// Edges that it was heard at, at least: a tenth of the time lies near an edge of an oven, so three bursts of anything
/// else do so once in a thousand cases.
const COUNT_MIN: usize = 3;

/// Whether `emitter` was heard at the edges of `source` only.
pub fn is_transient(emitter: &Emitter, source: &Emitter) -> bool {
    let at_edge = |start_s: f64, end_s: f64| {
        source.looks.iter().any(|look| {
            let near = |edge_s: f64| start_s - EDGE_S < edge_s && edge_s < end_s + EDGE_S;
            near(look.start_s) || near(look.end_s)
        })
    };
    emitter.serial != source.serial
        && emitter.place.absolute == source.place.absolute
        && emitter.level_dbfs < source.level_dbfs
        && emitter.on.longest_s() < LONGEST_S
        && emitter.looks.iter().count() >= COUNT_MIN
        && emitter.looks.iter().all(|look| at_edge(look.start_s, look.end_s))
}
