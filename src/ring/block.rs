//! What passes from capture to the pipeline: samples of one dwell, and what is missing before them.

use crate::iq::{IqBlock, SampleFormat, Samples};

/// One stay at one tuning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dwelt {
    /// Number of the stay: it changes when samples before and after are not contiguous in tuning.
    pub number: u64,
    /// Index of the tuning in the plan.
    pub tuning: u32,
    /// Frequency of the middle, hertz.
    pub center_hz: f64,
    /// Steps below the search gain.
    pub gain_step: u8,
    /// Time of the dwell's first sample on the stream's axis, seconds.
    pub start_s: f64,
}

/// Consecutive samples of one dwell.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The samples; `first` counts from the dwell's first.
    pub iq: IqBlock,
    /// The dwell.
    pub dwelt: Dwelt,
    /// Samples of this dwell that are missing right before these.
    pub lost_before: u64,
    /// Whether the dwell ends with these samples.
    pub last: bool,
    /// When the last of them was received, nanoseconds of the capturing process's own monotonic axis.
    pub received_ns: u64,
}

impl Block {
    /// An empty block that holds `capacity` samples without allocating.
    pub fn with_capacity(format: SampleFormat, capacity: usize) -> Self {
        Self {
            iq: IqBlock { samples: Samples::with_capacity(format, capacity), first: 0 },
            dwelt: Dwelt { number: 0, tuning: 0, center_hz: 0.0, gain_step: 0, start_s: 0.0 },
            lost_before: 0,
            last: false,
            received_ns: 0,
        }
    }
}
