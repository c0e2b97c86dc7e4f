//! What passes between the scheduler and those who listen.

use serde::{Deserialize, Serialize};

/// Why a dwell is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// It is the plan's turn.
    Sweep,
    /// A longer look at a suspicion.
    Confirm,
    /// The same with the centre moved: what moves along is made in the receiver.
    LoShift,
    /// The same with less gain: after overload, or because what falls by more than the gain did is made in the
    /// receiver.
    GainStep,
}

/// Where to listen next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Dwell {
    /// From 1, without holes.
    pub number: u64,
    /// Index into the plan's tunings.
    pub tuning: u32,
    /// Centre, hertz. The same as the dwell's before needs no settling.
    pub center_hz: f64,
    /// Looking time after settling, seconds.
    pub look_s: f64,
    /// Steps down from the search gain.
    pub gain_step: u8,
    /// Why.
    pub purpose: Purpose,
}

/// What a dwell really gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The dwell.
    pub dwell: Dwell,
    /// First good sample, stream time, seconds.
    pub from_s: f64,
    /// End of the last one.
    pub until_s: f64,
    /// Samples lost in between.
    pub lost_samples: u64,
    /// Share of the samples at the ends of the converter's range, 0 to 1.
    pub clipped_share: f32,
}

/// What would settle a suspicion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Want {
    /// That much more of it, to name it.
    Stare {
        /// Looking time in all.
        seconds: f64,
    },
    /// Whether it is made in the receiver: once with the centre moved, once with less gain.
    GhostTest,
}

/// Something that is worth a second look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Suspicion {
    /// Lower edge of what is suspected, hertz.
    pub low_hz: f64,
    /// Upper edge, hertz.
    pub high_hz: f64,
    /// What would settle it.
    pub want: Want,
    /// Stream time after which it is no longer of interest, seconds.
    pub until_s: f64,
}
