//! Combs: many narrow lines at equal distances that come up together are the harmonics of one switching supply or
//! clock, not as many transmitters.

use crate::track::Emitter;

/// Fewest lines that make a comb. Six transmitters on a raster that start within [`TOGETHER_S`] are not met.
const TEETH_MIN: usize = 6;
/// Teeth start within this time of each other, seconds.
const TOGETHER_S: f64 = 20e-3;
/// A tooth is narrower than this fraction of the distance to the next.
const NARROW: f64 = 0.25;
/// Bins that an unmodulated line takes up where it was not measured more closely.
const BINS: f64 = 5.5;
/// A tooth lies where it belongs to within this fraction of the distance: supplies are not stable.
const TOLERANCE: f64 = 0.04;
/// Levels of neighbouring harmonics differ by less, dB.
const LEVELS_DB: f64 = 25.0;
/// Teeth to either side that are counted.
const REACH: f64 = 24.0;
/// At least so many of the places between the outermost teeth are taken.
const FILLED: f64 = 0.6;

/// Distance and number of the teeth of the comb that `emitter` is a tooth of, if it is. Bandwidths are known to a few
/// bins of `bin_hz`.
pub fn comb<'a>(
    emitter: &Emitter,
    bin_hz: f64,
    all: impl Iterator<Item = &'a Emitter>,
) -> Option<(f64, usize)> {
    let beside = |other: &&Emitter| {
        other.serial != emitter.serial
            && !other.hopper
            && other.place.absolute == emitter.place.absolute
            && (other.first_s - emitter.first_s).abs() < TOGETHER_S
            && (other.level_dbfs - emitter.level_dbfs).abs() < LEVELS_DB
    };
    let mut teeth: Vec<(f64, f64)> =
        all.filter(beside).map(|other| (other.place.hz - emitter.place.hz, other.bandwidth_hz)).collect();
    if teeth.len() + 1 < TEETH_MIN {
        return None;
    }
    teeth.sort_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
    // The distance is that to one of the nearest lines.
    teeth.iter().take(3).map(|tooth| tooth.0.abs()).find_map(|step_hz| {
        let narrow = |width_hz: f64| {
            width_hz < NARROW * step_hz || (width_hz < BINS * bin_hz && step_hz > (BINS + 1.0) * bin_hz)
        };
        let placed = |&(apart_hz, width_hz): &(f64, f64)| {
            let steps = (apart_hz / step_hz).round();
            let fits = steps != 0.0
                && steps.abs() <= REACH
                && (apart_hz - steps * step_hz).abs() < (TOLERANCE * step_hz).max(bin_hz / 2.0)
                && narrow(width_hz);
            fits.then_some(steps as i32)
        };
        let mut places: Vec<i32> = teeth.iter().filter_map(placed).chain([0]).collect();
        places.sort_unstable();
        places.dedup();
        let extent = places.last()? - places.first()? + 1;
        let filled = places.len() as f64 >= FILLED * f64::from(extent);
        (narrow(emitter.bandwidth_hz) && filled && places.len() >= TEETH_MIN)
            .then_some((step_hz, places.len()))
    })
}
