//! What the sensor counted so far.

use serde::{Deserialize, Serialize};

/// Counts since the sensor began. Samples are the radio's: settling and loss included in `stream`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Samples that the radio made, as far as is known.
    pub stream: u64,
    /// Samples received.
    pub received: u64,
    /// Samples thrown away after a change of tuning.
    pub settled: u64,
    /// Samples that the driver lost.
    pub lost: u64,
    /// Samples that nobody received while the stream or the receiver was started again.
    pub unheard: u64,
    /// Samples that were received and not looked at, because looking was behind.
    pub dropped: u64,
    /// Times that the driver said it lost samples.
    pub overflows: u64,
    /// Reads that gave nothing in time.
    pub timeouts: u64,
    /// Reads that failed otherwise.
    pub failures: u64,
    /// Times that the driver's time went back.
    pub time_backs: u64,
    /// Restarts of the stream and of the receiver.
    pub restarts: u64,
    /// Blocks looked at.
    pub blocks: u64,
    /// Those among them that came before.
    pub repeated: u64,
    /// Those with a dead rail.
    pub dead_rail: u64,
    /// Those of one value.
    pub constant: u64,
    /// Bytes of events that were not handed on because the room did not read.
    pub shed: u64,
    /// The gain is not what was set.
    pub gain_moved: bool,
    /// Median and 99 % of the time from a dwell's end to its events being written, milliseconds; zero before the
    /// first.
    pub latency_ms: [f32; 2],
}
