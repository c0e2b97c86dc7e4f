//! The record of one emission that the front hands to the back.

use super::Features;
use serde::{Deserialize, Serialize};

/// How thoroughly an emission was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Depth {
    /// From the spectrogram alone: times, centre and bandwidth are good to a bin and a frame, `features` empty.
    Light,
    /// From the samples.
    Full,
}

/// One maximal on-time of something, as seen in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Burst {
    /// Segment it was seen in.
    pub segment: u32,
    /// Start and end on the recording's axis, seconds.
    pub start_s: f64,
    /// See `start_s`.
    pub end_s: f64,
    /// Centre relative to the tuning, hertz.
    pub offset_hz: f64,
    /// 99 % occupied bandwidth (ITU-R SM.328: 0.5 % of the power left out on each side), hertz.
    pub bandwidth_hz: f64,
    /// Mean power over the on-time, noise subtracted, dBFS.
    pub power_dbfs: f32,
    /// Mean power over the local noise in `bandwidth_hz`, dB.
    pub snr_db: f32,
    /// How it was measured.
    pub depth: Depth,
    /// Began before the segment's first sample or the end of a gap: `start_s` is a lower bound of its length.
    pub cut_start: bool,
    /// Still on at the segment's last sample or when a gap began.
    pub cut_end: bool,
    /// Touches the edge of the usable span: bandwidth and centre are of the visible part.
    pub at_edge: bool,
    /// The receiver clipped meanwhile: features are doubtful.
    pub clipped: bool,
    /// Its spectrum lies on the mirror of a stronger simultaneous emission, or other signs that the receiver
    /// made it. See [`Ghost`].
    pub ghost: Ghost,
    /// From the samples.
    pub features: Features,
}

/// Why an emission may be the receiver's own making.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ghost {
    /// No sign of it.
    #[default]
    None,
    /// Mirror of a simultaneous emission about the tuning, 20 dB weaker or more.
    Image,
    /// At the tuning itself.
    Dc,
    /// Splatter: coincides with an edge of a far stronger burst, or with clipping.
    Splatter,
    /// A shoulder of the receiver's own passband.
    Rolloff,
}

/// A carrier that stays: reported when it has been on for long enough to be one, then now and then, then at its
/// end. `burst.start_s` is its onset, `burst.end_s` the last moment that it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Carrier {
    /// Distinguishes carriers of one segment; the same in every report of it.
    pub number: u32,
    /// Whether this is the last report.
    pub ended: bool,
    /// State so far.
    pub burst: Burst,
}
