//! What passes from capture to the pipeline: samples of one dwell, and what is missing before them.

use crate::iq::{IqBlock, SampleFormat, Samples};
use crate::sweep::{Dwell, Look};

/// Consecutive samples of one tuning.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The samples; `first` counts from the segment's first.
    pub iq: IqBlock,
    /// Number of the stretch of one tuning; a receiver that stays has one for ever.
    pub segment: u32,
    /// Time of the segment's first sample on the stream's axis, seconds.
    pub segment_start_s: f64,
    /// The dwell, if any sample belongs to one.
    pub dwell: Option<Dwell>,
    /// Samples that are missing right before these.
    pub lost_before: u64,
    /// What the dwell gave, if it ends with these samples.
    pub finished: Option<Look>,
    /// Whether the receiver is tuned elsewhere after these samples.
    pub ends_segment: bool,
    /// When the last of them was received, nanoseconds since the capture began.
    pub received_ns: u64,
}

impl Block {
    /// An empty block that holds `capacity` samples without allocating.
    pub fn with_capacity(format: SampleFormat, capacity: usize) -> Self {
        Self {
            iq: IqBlock { samples: Samples::with_capacity(format, capacity), first: 0 },
            segment: 0,
            segment_start_s: 0.0,
            dwell: None,
            lost_before: 0,
            finished: None,
            ends_segment: false,
            received_ns: 0,
        }
    }

    /// Forgets what it held, keeps the memory.
    pub fn clear(&mut self) {
        self.iq.samples.clear();
        (self.dwell, self.lost_before) = (None, 0);
        (self.finished, self.ends_segment) = (None, false);
    }
}
