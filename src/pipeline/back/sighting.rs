//! An emitter as the baseline compares it, and what it must stay within once it is known.

use crate::classify::{Device, Signal};
use crate::measure::Features;
use crate::policy::Sighting;
use crate::track::{Emitter, Envelope, Kind, Place, median, quantile};

/// Fewest bursts that tell a carrier.
const CARRIER_BURSTS_MIN: usize = 4;
/// The centre of symbol levels wanders with the data by some percent of the deviation; offsets of frequency-shift
/// keyed bursts are not trusted beyond this fraction of the bandwidth.
const CARRIER_FLOOR: f64 = 4e-3;

/// What the baseline compares.
pub fn sighting(emitter: &Emitter, signal: Signal, device: Device) -> Sighting {
    let center_hz = emitter.center_hz();
    let (carrier_hz, carrier_sigma_hz, carrier_step_hz) = carrier(emitter);
    Sighting {
        signal,
        device,
        center_hz: emitter.place.absolute.then_some(center_hz),
        offset_hz: center_hz - emitter.tuning_hz,
        bandwidth_hz: emitter.typical_bandwidth_hz(),
        channels_hz: channels_hz(emitter),
        level_dbfs: emitter.levels.highest(),
        carrier_hz,
        carrier_sigma_hz,
        carrier_step_hz,
        period_s: emitter.period_s(),
        bursts: emitter.on.count(),
    }
}

/// Channel centres of a hopper, sorted; else none.
pub fn channels_hz(emitter: &Emitter) -> Vec<f64> {
    if !emitter.hopper {
        return Vec::new();
    }
    let mut channels: Vec<f64> = emitter.channels.iter().map(|channel| channel.hz).collect();
    channels.sort_by(f64::total_cmp);
    channels
}

/// Carrier, its standard deviation, and the step up to which it is known.
fn carrier(emitter: &Emitter) -> (Option<f64>, f64, Option<f64>) {
    let phased =
        |f: &Features| f.carrier_hz.zip(f.carrier_step_hz).map(|(c, s)| (f64::from(c), f64::from(s)));
    let mut found: Vec<(f64, f64)> = emitter.details.iter().filter_map(|d| phased(&d.features)).collect();
    let step_hz = found.last().map(|(_, step_hz)| *step_hz).filter(|step_hz| *step_hz > 0.0);
    if let Some(step_hz) = step_hz {
        found.retain(|(_, other_hz)| (other_hz - step_hz).abs() < 1.0);
        let anchor_hz = found.first().map_or(0.0, |(hz, _)| *hz);
        let unwrap = |hz: f64| {
            let apart_hz = hz - anchor_hz;
            anchor_hz + apart_hz - (apart_hz / step_hz).round() * step_hz
        };
        let values: Vec<f64> = found.iter().map(|(hz, _)| unwrap(*hz) + emitter.tuning_hz).collect();
        return spread(values, 0.0)
            .map_or((None, 0.0, None), |(hz, sigma_hz)| (Some(hz), sigma_hz, Some(step_hz)));
    }
    let two_levels = emitter.of_features(|f| f.fsk_levels.map(f64::from), 0.5) == Some(2.0);
    if emitter.hopper || emitter.kind != Kind::Constant || !two_levels {
        return (None, 0.0, None);
    }
    let values = emitter.looks.iter().filter(|look| look.exact).map(|look| look.hz).collect();
    let floor_hz = CARRIER_FLOOR * emitter.typical_bandwidth_hz();
    spread(values, floor_hz).map_or((None, 0.0, None), |(hz, sigma_hz)| (Some(hz), sigma_hz, None))
}

/// Median and standard deviation (from the median deviation, as for a normal distribution) of at least a few
/// values.
fn spread(mut values: Vec<f64>, floor: f64) -> Option<(f64, f64)> {
    if values.len() < CARRIER_BURSTS_MIN {
        return None;
    }
    let middle = median(&mut values)?;
    let mut apart: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let sigma = 1.4826 * quantile(&mut apart, 0.5)?;
    Some((middle, sigma.max(floor)))
}

/// What an emitter that was learned while it was watched must stay within.
pub fn learned_envelope(emitter: &Emitter) -> Envelope {
    Envelope {
        place: Place { hz: emitter.center_hz(), ..emitter.place },
        bandwidth_hz: emitter.typical_bandwidth_hz(),
        lowest_dbfs: emitter.levels.quantile(0.02),
        highest_dbfs: emitter.levels.highest(),
        hopper: emitter.hopper,
    }
}

/// The same for an entry of a baseline that was read.
pub fn known_envelope(known: &Sighting) -> Envelope {
    Envelope {
        place: Place { hz: known.center_hz.unwrap_or(known.offset_hz), absolute: known.center_hz.is_some() },
        bandwidth_hz: known.bandwidth_hz,
        lowest_dbfs: None,
        highest_dbfs: known.level_dbfs,
        hopper: !known.channels_hz.is_empty(),
    }
}
