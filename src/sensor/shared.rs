//! Counters that the sensor's threads share, and the histogram of its latency: atomics only.

use crate::clock::Monotonic;
use crate::wire::Counts;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts since the sensor began. Samples are the radio's: settling and loss included in `stream`.
#[derive(Debug)]
pub struct Shared {
    /// Zero of every time stamp.
    pub began: Monotonic,
    /// Samples that the radio made, as far as is known.
    pub stream: AtomicU64,
    /// Samples received.
    pub received: AtomicU64,
    /// Samples thrown away after a change of tuning.
    pub settled: AtomicU64,
    /// Samples that the driver lost.
    pub lost: AtomicU64,
    /// Samples that nobody received while the stream or the receiver was started again.
    pub unheard: AtomicU64,
    /// Samples that were received and not looked at, because looking was behind.
    pub dropped: AtomicU64,
    /// Times that the driver said it lost samples.
    pub overflows: AtomicU64,
    /// Reads that gave nothing in time.
    pub timeouts: AtomicU64,
    /// Reads that failed otherwise.
    pub failures: AtomicU64,
    /// Times that the driver's time went back.
    pub time_backs: AtomicU64,
    /// Restarts of the stream, and of the receiver.
    pub restarts: AtomicU64,
    /// Blocks looked at, those among them that came before, and those with a dead rail.
    pub blocks: AtomicU64,
    /// See `blocks`.
    pub repeated: AtomicU64,
    /// See `blocks`.
    pub dead_rail: AtomicU64,
    /// See `blocks`: all of one value.
    pub constant: AtomicU64,
    /// Events that were not handed on because the room did not read.
    pub shed: AtomicU64,
    /// Turns of the capturing loop: it is alive as long as this moves.
    pub turns: AtomicU64,
    /// Dwells in a row that heard what the one before heard, though tuned elsewhere.
    pub alike: AtomicU64,
    /// The gain is not what was set.
    pub gain_moved: AtomicBool,
    /// Number of the latest dwell that the room has judged, told for a patient source only.
    pub judged: AtomicU64,
    /// Whether anybody watches the waterfall.
    pub watched: AtomicBool,
    /// Whether a receiver is open and ought to stream.
    pub streaming: AtomicBool,
    /// The room or the process wants the end.
    pub stop: AtomicBool,
    /// From a dwell's end to its events being written.
    pub latency: Latency,
}

/// Adds to a counter that nothing is ordered by.
pub fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            began: Monotonic::now(),
            stream: AtomicU64::new(0),
            received: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            unheard: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            overflows: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            time_backs: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            blocks: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            dead_rail: AtomicU64::new(0),
            constant: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            alike: AtomicU64::new(0),
            turns: AtomicU64::new(0),
            gain_moved: AtomicBool::new(false),
            judged: AtomicU64::new(0),
            watched: AtomicBool::new(false),
            streaming: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            latency: Latency::default(),
        }
    }
}

impl Shared {
    /// Nanoseconds since the beginning.
    pub fn now_ns(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// Wants the end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The counts now.
    pub fn counts(&self) -> Counts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            stream: count(&self.stream),
            received: count(&self.received),
            settled: count(&self.settled),
            lost: count(&self.lost),
            unheard: count(&self.unheard),
            dropped: count(&self.dropped),
            overflows: count(&self.overflows),
            timeouts: count(&self.timeouts),
            failures: count(&self.failures),
            time_backs: count(&self.time_backs),
            restarts: count(&self.restarts),
            blocks: count(&self.blocks),
            repeated: count(&self.repeated),
            dead_rail: count(&self.dead_rail),
            constant: count(&self.constant),
            shed: count(&self.shed),
            alike: count(&self.alike),
            gain_moved: self.gain_moved.load(Ordering::Relaxed),
            latency_ms: [self.latency.quantile_ms(0.5), self.latency.quantile_ms(0.99)],
        }
    }

    /// Whether the end is wanted.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Buckets of the histogram: a sixth of an octave each, from 10 us to over 100 s.
const BUCKETS: usize = 144;

/// Upper edge of the first bucket, nanoseconds.
const FIRST_NS: f64 = 1e4;

/// Durations by their logarithm.
#[derive(Debug)]
pub struct Latency {
    buckets: [AtomicU64; BUCKETS],
}

impl Default for Latency {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS] }
    }
}

impl Latency {
    /// Counts one of `ns` nanoseconds.
    pub fn note(&self, ns: u64) {
        let bucket = ((ns as f64 / FIRST_NS).max(1.0).log2() * 6.0).ceil() as usize;
        add(&self.buckets[bucket.min(BUCKETS - 1)], 1);
    }

    /// The duration that a share `q` does not exceed, milliseconds, to a twelfth of an octave; 0 if none was counted.
    pub fn quantile_ms(&self, q: f64) -> f32 {
        let counts: [u64; BUCKETS] = std::array::from_fn(|n| self.buckets[n].load(Ordering::Relaxed));
        let all: u64 = counts.iter().sum();
        let mut left = (all as f64 * q).ceil() as u64;
        for (n, count) in counts.iter().enumerate() {
            if left > 0 && *count >= left {
                return (FIRST_NS * 2f64.powf(n as f64 / 6.0) / 1e6) as f32;
            }
            left = left.saturating_sub(*count);
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Oracle: sorting. Tolerance: a bucket, 12 %.
    #[test]
    fn quantiles_are_those_of_what_was_counted() {
        let latency = Latency::default();
        for n in 1..=1000u64 {
            latency.note(n * 100_000);
        }
        for (q, expected) in [(0.5, 50.0), (0.99, 99.0)] {
            let got = f64::from(latency.quantile_ms(q));
            assert!((got / expected).log2().abs() <= 1.0 / 6.0, "{q}: {got} ms");
        }
        assert_eq!(Latency::default().quantile_ms(0.5), 0.0);
    }
}
