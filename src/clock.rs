//! The one reader of the machine's clocks.
//!
//! Durations, deadlines and leases are counted on the monotonic clock, which nobody sets; the wall clock only dates
//! what people read.

use jiff::Timestamp;
use std::time::{Duration, Instant};

/// A moment of the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(Instant);

impl Monotonic {
    /// Now.
    #[allow(clippy::disallowed_methods)] // This is where it is read.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// Time since `earlier`, zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// Time since `earlier`, seconds.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.since(earlier).as_secs_f64()
    }

    /// Time that has passed since this moment.
    pub fn elapsed(self) -> Duration {
        Self::now().since(self)
    }

    /// The moment `after` later.
    pub fn plus(self, after: Duration) -> Self {
        Self(self.0 + after)
    }
}

/// The monotonic clock in seconds since this was asked for first.
pub fn monotonic_s() -> f64 {
    static START: std::sync::OnceLock<Monotonic> = std::sync::OnceLock::new();
    Monotonic::now().seconds_since(*START.get_or_init(Monotonic::now))
}

/// The wall clock, UTC.
pub fn utc() -> Timestamp {
    Timestamp::now()
}
