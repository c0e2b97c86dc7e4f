//! An emitter as the baseline compares it, and what it must stay within once it is known.

use crate::classify::{Device, Signal};
use crate::policy::Sighting;
use crate::track::{CARRIER_DRIFT, Emitter, Envelope, KEPT_DRIFT, Place};

/// What the baseline compares.
pub fn sighting(emitter: &Emitter, signal: Signal, device: Device) -> Sighting {
    let center_hz = emitter.center_hz();
    Sighting {
        signal,
        device,
        center_hz: emitter.place.absolute.then_some(center_hz),
        offset_hz: center_hz - emitter.tuning_hz,
        bandwidth_hz: emitter.typical_bandwidth_hz(),
        channels_hz: channels_hz(emitter),
        level_dbfs: emitter.levels.highest(),
        marks: emitter.marks.clone(),
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

/// What an emitter that was learned while it was watched must stay within.
pub fn learned_envelope(emitter: &Emitter) -> Envelope {
    Envelope {
        place: Place { hz: emitter.center_hz(), ..emitter.place },
        bandwidth_hz: emitter.typical_bandwidth_hz(),
        lowest_dbfs: emitter.levels.quantile(0.02),
        highest_dbfs: emitter.levels.highest(),
        hopper: emitter.hopper,
        marks: emitter.marks.clone(),
        drift: CARRIER_DRIFT,
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
        marks: known.marks.clone(),
        drift: KEPT_DRIFT,
    }
}
