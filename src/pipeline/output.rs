//! What the back says: emitters, alerts and health, ready to be shown but free of any encoding.

use super::Health;
use crate::alert::AlertReport;
use crate::classify::{Device, Signal};
use crate::policy::Location;

/// One thing the back says.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// An emitter opened, changed or closed.
    Emitter(Phase, EmitterReport),
    /// An alert was raised, changed or resolved.
    Alert(AlertReport),
    /// The receiver's health changed.
    Health(Health),
}

/// Where an emitter is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// First report.
    Opened,
    /// Something about it changed.
    Updated,
    /// Last report.
    Closed,
}

/// All that is known of an emitter.
#[derive(Debug, Clone, PartialEq)]
pub struct EmitterReport {
    /// Number in order of opening, from 1.
    pub id: u32,
    /// Its signal.
    pub signal: Signal,
    /// Its device.
    pub device: Device,
    /// How sure, 0..1.
    pub confidence: f64,
    /// Centre, hertz; mean of the channels for a hopper; `None` if the tuning is unknown.
    pub center_hz: Option<f64>,
    /// Centre relative to the tuning it was last seen in, hertz.
    pub offset_hz: f64,
    /// 99 % bandwidth of one hop, hertz.
    pub bandwidth_hz: f64,
    /// Channel centres of a hopper (offsets if the tuning is unknown), hertz, sorted; else empty.
    pub channels_hz: Vec<f64>,
    /// Start of the first burst, seconds.
    pub first_s: f64,
    /// End of the last burst, seconds.
    pub last_s: f64,
    /// Maximal on-times; a continuous carrier counts 1.
    pub bursts: u64,
    /// Sum of the on-times, seconds.
    pub airtime_s: f64,
    /// Median over bursts of mean power, dBFS.
    pub power_dbfs: f64,
    /// Over the local floor in `bandwidth_hz`, at most 100 dB.
    pub snr_db: f64,
    /// Typical time between bursts where there is a cadence, seconds.
    pub period_s: Option<f64>,
    /// Known from the baseline.
    pub ambient: bool,
    /// Where it is, as far as its level tells; `None` where the receiver's noise is not known.
    pub location: Option<Location>,
    /// The level bans this device.
    pub banned: bool,
    /// Sentences: measured value against limit.
    pub reasons: Vec<String>,
    /// The emitter that this one proved to be part of.
    pub merged_into: Option<u32>,
    /// Time of the last sample that this report rests on, seconds.
    pub at_s: f64,
}
