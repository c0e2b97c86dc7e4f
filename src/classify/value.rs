//! What is measured on an emitter, feature by feature.

use super::signature::Feature;
use crate::measure::{Features, Lag, Line};
use crate::track::{Emitter, Look, median};

/// A measured value, and whether it is more than noise would give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// In the unit of the feature.
    pub value: f64,
    /// Exceeds what noise gives, where that is known.
    pub stands: bool,
}

/// Loss of one symbol in fourteen: uplink subframes end early for the sounding reference signal (3GPP TS 36.211
/// 5.5.3.2).
const SOUNDING_LOSS: f64 = 1.0 / 14.0;
/// A multiple is one to within this fraction of the step.
const MULTIPLE_TOLERANCE: f64 = 0.05;
/// What times are good to, seconds: one sample at 2 MS/s and the rise of a filter.
const TIME_TOLERANCE_S: f64 = 4e-6;

/// The value of `feature` on `emitter`, if it can be told.
pub fn measure(emitter: &Emitter, resolution_hz: f64, feature: Feature, at: Option<f64>) -> Option<Value> {
    let plain = |value: f64| Some(Value { value, stands: true });
    let of = |get: fn(&Features) -> Option<f32>| {
        emitter.of_features(|f| get(f).map(f64::from), 0.5).and_then(plain)
    };
    match feature {
        // Speech pauses: a carrier is as wide as it was at its widest, and modulated if it ever was.
        Feature::Bandwidth => plain(emitter.widest_bandwidth_hz()),
        Feature::Duration => emitter.duration_s(0.5).and_then(plain),
        Feature::Longest => plain(emitter.on.longest_s()),
        Feature::Bursts => plain(emitter.on.count() as f64),
        Feature::Airtime => plain(emitter.on.airtime_s()),
        Feature::Duty => plain(emitter.duty()),
        Feature::Interval => interval_s(emitter).and_then(plain),
        Feature::Rhythm => emitter.rhythm(at?).and_then(plain),
        Feature::PhaseShare => emitter.phase_share(at?).and_then(plain),
        Feature::Paired => {
            // Ends and starts are each good to a frame at worst, to samples at best.
            emitter.paired(at?, TIME_TOLERANCE_S.max(0.03 * at?)).and_then(plain)
        }
        Feature::Multiple => multiple(emitter, at?).and_then(plain),
        Feature::Channels => plain(if emitter.hopper { emitter.channels.len() as f64 } else { 1.0 }),
        Feature::LevelSpread => plain(emitter.levels.quantile(0.9)? - emitter.levels.quantile(0.1)?),
        Feature::Snr => plain(emitter.typical_snr_db()),
        Feature::AtEdge => plain(emitter.at_edge as f64 / emitter.count.max(1) as f64),
        Feature::Width => plain(f64::from(u8::from(emitter.typical_bandwidth_hz() >= 3.0 * resolution_hz))),
        Feature::EnvelopeCv => of(|f| f.envelope_cv),
        Feature::Papr => of(|f| f.papr_db),
        Feature::OnFraction => of(|f| f.on_fraction),
        Feature::Pulses => of(|f| f.pulses.map(|p| f32::from(p.count))),
        Feature::PulseLength => of(|f| f.pulses.map(|p| p.on_s)),
        Feature::Deviation if emitter.is_continuous() => {
            emitter.of_features(|f| f.deviation_hz.map(f64::from), 1.0).and_then(plain)
        }
        Feature::Deviation => of(|f| f.deviation_hz),
        Feature::FskLevels => of(|f| f.fsk_levels.map(f32::from)),
        Feature::LevelError => of(|f| f.level_error),
        Feature::LevelRate => of(|f| f.symbol_rate_hz),
        Feature::LevelHz => of(|f| f.level_hz),
        Feature::ModulationIndex => of(|f| f.modulation_index),
        Feature::SymbolRate => rate(emitter, |f| f.symbol_line),
        Feature::EnvelopeRate => rate(emitter, |f| f.envelope_line),
        Feature::SquareRate => rate(emitter, |f| f.square_line),
        Feature::Chip => chip(emitter),
        Feature::Lag0u8 => lag(emitter, |f| f.lag_0u8),
        Feature::Lag1u => lag(emitter, |f| f.lag_1u),
        Feature::Lag3u2 => lag(emitter, |f| f.lag_3u2),
        Feature::Lag12u8 => lag(emitter, |f| f.lag_12u8),
        Feature::Lag16u => lag(emitter, |f| f.lag_16u),
        Feature::Lag66u7 => lag(emitter, |f| f.lag_66u7),
        Feature::Lag33u3 => lag(emitter, |f| f.lag_33u3),
        Feature::Flatness => of(|f| f.flatness),
        Feature::Shoulder => of(|f| f.shoulder),
        Feature::ChirpSlope => of(|f| f.chirp_hz_per_s.map(f32::abs)),
        Feature::ChirpFit => of(|f| f.chirp_fit),
        Feature::LineFraction => emitter.of_features(|f| f.line_fraction.map(f64::from), 0.0).and_then(plain),
    }
}

fn interval_s(emitter: &Emitter) -> Option<f64> {
    let mut distances: Vec<f64> = crate::track::distances(emitter.starts()).collect();
    median(&mut distances)
}

fn multiple(emitter: &Emitter, step_s: f64) -> Option<f64> {
    let fits = |look: &Look| {
        let on_s = look.end_s - look.start_s;
        let steps = (on_s / step_s + SOUNDING_LOSS).floor().max(1.0);
        let (short, long) = (
            steps * step_s * (1.0 - MULTIPLE_TOLERANCE) - SOUNDING_LOSS * 1e-3,
            steps * step_s * (1.0 + MULTIPLE_TOLERANCE),
        );
        f64::from(u8::from((short..=long).contains(&on_s)))
    };
    let whole = emitter.looks.iter().filter(|look| look.whole);
    let (sum, count) = whole.fold((0.0, 0usize), |(sum, count), look| (sum + fits(look), count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// Upper quartile over emissions of a lag, as many are too short to show it; it stands if that of its distance from what
/// noise gives does: noise would have to exceed its 1e-3 threshold in a quarter of them.
fn lag(emitter: &Emitter, get: fn(&Features) -> Option<Lag>) -> Option<Value> {
    let value = emitter.of_features(|f| get(f).map(|lag| f64::from(lag.value)), 0.75)?;
    let over = emitter.of_features(|f| get(f).map(|lag| f64::from(lag.value - lag.threshold)), 0.75)?;
    Some(Value { value, stands: over > 0.0 })
}

/// Median rate of the lines that stand; it stands if most do.
fn rate(emitter: &Emitter, get: fn(&Features) -> Option<Line>) -> Option<Value> {
    let standing = |f: &Features| get(f).filter(Line::stands).map(|line| f64::from(line.rate_hz));
    let measured = emitter.details.iter().filter(|d| get(&d.features).is_some()).count();
    let stand = emitter.details.iter().filter(|d| standing(&d.features).is_some()).count();
    if measured == 0 {
        return None;
    }
    match emitter.of_features(standing, 0.5) {
        Some(value) => Some(Value { value, stands: stand * 2 >= measured }),
        None => {
            let value = emitter.of_features(|f| get(f).map(|line| f64::from(line.rate_hz)), 0.5)?;
            Some(Value { value, stands: false })
        }
    }
}

fn chip(emitter: &Emitter) -> Option<Value> {
    let value = emitter.of_features(|f| f.chip_3m84.map(|line| f64::from(line.height_db)), 0.5)?;
    let threshold = emitter.of_features(|f| f.chip_3m84.map(|line| f64::from(line.threshold_db)), 0.5)?;
    Some(Value { value, stands: value > threshold })
}
