//! Combs: many narrow lines at equal distances that come up together are the harmonics of one switching supply or
//! clock, not as many transmitters.

use crate::track::Emitter;

/// Fewest lines that make a comb. Six transmitters on a raster that start within [`TOGETHER_S`] are not met.
const TEETH_MIN: usize = 6;
/// Teeth start within this time of each other, seconds: faint ones are noticed in the longest look only.
const TOGETHER_S: f64 = 50e-3;
/// A tooth is narrower than this fraction of the distance to the next.
const NARROW: f64 = 0.25;
/// And than this, hertz: narrower than any microphone's sound (ETSI EN 300 422-1 8.3).
const TOOTH_HZ: f64 = 20e3;
/// Narrower than any voice channel in use (ETSI TS 102 658: 6.25 kHz, of which 4 kHz are filled), hertz.
pub const LINE_HZ: f64 = 3e3;
/// What stands around the receiver's offset for two teeth is as strong as two of its neighbours, to within this, dB.
const PAIR_DB: f64 = 10.0;
/// And no wider than so many distances.
const PAIR_STEPS: f64 = 2.5;
/// Bins that an unmodulated line takes up where it was not measured more closely.
const BINS: f64 = 5.5;
/// A tooth lies where it belongs to within this fraction of the distance: supplies are not stable.
const TOLERANCE: f64 = 0.05;
/// Levels of neighbouring harmonics differ by less, dB.
const LEVELS_DB: f64 = 25.0;
/// Teeth to either side that are counted.
const REACH: f64 = 48.0;
/// At least so many of the places between the outermost teeth are taken: some are too faint to be noticed.
const FILLED: f64 = 0.15;
/// At least so many of the lines that came up together are teeth.
const FITTING: f64 = 0.75;
/// The nearest tooth that was noticed may be the so manieth.
const NEAREST: u32 = 3;

/// Distance and number of the teeth of the comb that `emitter` is a tooth of, if it is; or two of it, with the
/// receiver's offset between them. Bandwidths are known to a few bins of `bin_hz`.
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
    let place = |other: &Emitter| Line {
        hz: other.place.hz,
        width_hz: other.bandwidth_hz,
        level_dbfs: other.level_dbfs,
    };
    let mut lines: Vec<Line> = all.filter(beside).map(place).collect();
    let own = place(emitter);
    if let Some(found) = teeth(&own, &mut lines, bin_hz) {
        return Some(found);
    }
    let around_offset = (emitter.center_hz() - emitter.tuning_hz).abs() < own.width_hz / 2.0;
    let nearest = lines.first().copied().filter(|_| around_offset)?;
    let (step_hz, count) = teeth(&nearest, &mut lines, bin_hz)?;
    let is_tooth = |edge_hz: f64| {
        let steps = (edge_hz - nearest.hz) / step_hz;
        (steps - steps.round()).abs() * step_hz < tolerance_hz(step_hz, own.width_hz, bin_hz)
    };
    let (below_hz, above_hz) = (own.hz - own.width_hz / 2.0, own.hz + own.width_hz / 2.0);
    let is_pair =
        own.width_hz < PAIR_STEPS * step_hz && (own.level_dbfs - nearest.level_dbfs).abs() < PAIR_DB;
    (is_pair && is_tooth(below_hz) && is_tooth(above_hz)).then_some((step_hz, count + 2))
}

/// Where something stands and how wide it is, hertz.
#[derive(Debug, Clone, Copy)]
struct Line {
    hz: f64,
    width_hz: f64,
    level_dbfs: f64,
}

/// How far from its place a tooth may lie.
fn tolerance_hz(step_hz: f64, width_hz: f64, bin_hz: f64) -> f64 {
    // What is as wide as that was not measured closely.
    let unmeasured = width_hz > 1.5 * bin_hz;
    (TOLERANCE * step_hz).max(if unmeasured { bin_hz / 2.0 } else { 0.0 })
}

/// Distance and number of the teeth of the comb of `own` and some of `lines`.
fn teeth(own: &Line, lines: &mut [Line], bin_hz: f64) -> Option<(f64, usize)> {
    if lines.len() + 1 < TEETH_MIN {
        return None;
    }
    let apart = |line: &Line| line.hz - own.hz;
    lines.sort_by(|a, b| apart(a).abs().total_cmp(&apart(b).abs()));
    // The distance is that to one of the nearest lines, or a part of it.
    let nearest = lines.iter().take(3).map(|line| apart(line).abs()).filter(|hz| *hz > 0.0);
    let mut steps_hz = nearest.flat_map(|hz| (1..=NEAREST).map(move |part| hz / f64::from(part)));
    steps_hz.find_map(|step_hz| {
        let narrow = |width_hz: f64| {
            (width_hz < NARROW * step_hz && width_hz < TOOTH_HZ.max(bin_hz))
                || (width_hz < BINS * bin_hz && step_hz > (BINS + 1.0) * bin_hz)
        };
        let placed = |line: &Line| {
            let steps = (apart(line) / step_hz).round();
            let fits = steps != 0.0
                && steps.abs() <= REACH
                && (apart(line) - steps * step_hz).abs() < tolerance_hz(step_hz, line.width_hz, bin_hz)
                && narrow(line.width_hz);
            fits.then_some(steps as i32)
        };
        let mut places: Vec<i32> = lines.iter().filter_map(placed).chain([0]).collect();
        let within = lines.iter().filter(|line| apart(line).abs() <= REACH * step_hz).count();
        if (places.len() as f64) < FITTING * within as f64 {
            return None;
        }
        places.sort_unstable();
        places.dedup();
        let extent = places.last()? - places.first()? + 1;
        let filled = places.len() as f64 >= FILLED * f64::from(extent);
        (narrow(own.width_hz) && filled && places.len() >= TEETH_MIN).then_some((step_hz, places.len()))
    })
}
