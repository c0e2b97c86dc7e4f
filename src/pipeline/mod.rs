//! The pipeline: `Front` (samples to bursts and carriers) and `Back` (these to emitters and alerts).
//!
//! Live, replay, tests and benches all run these two; what passes between them is [`FrontEvent`].

mod back;
mod examine;
mod front;
mod ghosts;
mod health;
mod output;
mod watched;

pub use back::{Back, BackParams};
pub use front::{Front, Tap};
pub use health::{STUCK_S, WINDOW_S};
pub use output::{EmitterReport, Output, Phase};
pub use watched::Watched;

use crate::iq::Segment;
use crate::measure::{Burst, Carrier};
use serde::{Deserialize, Serialize};

/// What the front hands to the back: owned, free of IQ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum FrontEvent {
    /// A new stretch of stream.
    Segment(SegmentStart),
    /// An emission ended.
    Burst(Burst),
    /// An emission stays.
    Carrier(Carrier),
    /// Everything up to `until_s` in the segment's usable span has been looked at and reported.
    Observed(Observed),
    /// The receiver's health changed.
    Health(Health),
}

impl FrontEvent {
    /// The same on an axis whose zero is `by_s` earlier.
    pub fn later(mut self, by_s: f64) -> Self {
        match &mut self {
            Self::Segment(segment) => segment.start_s += by_s,
            Self::Burst(burst) | Self::Carrier(Carrier { burst, .. }) => {
                burst.start_s += by_s;
                burst.end_s += by_s;
            }
            Self::Observed(observed) => {
                observed.from_s += by_s;
                observed.until_s += by_s;
            }
            Self::Health(health) => health.at_s += by_s,
        }
        self
    }

    /// The same with levels `by_db` higher.
    pub fn louder(mut self, by_db: f32) -> Self {
        if let Self::Burst(burst) | Self::Carrier(Carrier { burst, .. }) = &mut self {
            burst.power_dbfs += by_db;
        }
        self
    }
}

/// [`Segment`] as the back needs it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SegmentStart {
    /// See [`Segment::index`].
    pub index: u32,
    /// Time of its first sample, seconds.
    pub start_s: f64,
    /// Complex samples a second.
    pub rate_hz: f64,
    /// Frequency of the middle, if known.
    pub center_hz: Option<f64>,
    /// See [`Segment::shared_axis`].
    pub shared_axis: bool,
    /// Width of one bin of the burst detector, hertz.
    pub bin_hz: f64,
    /// Time between its frames, seconds.
    pub hop_s: f64,
}

impl SegmentStart {
    /// Describes `segment` as seen with bins of `bin_hz` every `hop_s`.
    pub fn new(segment: &Segment, bin_hz: f64, hop_s: f64) -> Self {
        Self {
            index: segment.index,
            start_s: segment.start_s,
            rate_hz: segment.tuning.rate_hz,
            center_hz: segment.tuning.center_hz,
            shared_axis: segment.shared_axis,
            bin_hz,
            hop_s,
        }
    }
}

/// A stretch of time that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// From, seconds.
    pub from_s: f64,
    /// Until, seconds.
    pub until_s: f64,
}

/// What the samples say about the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// When it changed, seconds.
    pub at_s: f64,
    /// From now on.
    pub state: HealthState,
    /// Why; the last reason when it is over.
    pub reason: HealthReason,
}

/// How far the receiver can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HealthState {
    /// Sees.
    Ok,
    /// Sees, but not as it should.
    Degraded,
    /// Does not see.
    Blind,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthReason {
    /// Samples at the converter's rails.
    Clipping,
    /// A second of one value.
    StuckSamples,
    /// NaN or infinite samples.
    NonFiniteSamples,
    /// Samples lost.
    Gap,
    /// The whole floor moved at once: gain changed, antenna gone, or jamming.
    FloorStep,
}
