//! A receiver that can be tuned: what the capturing loop needs of one, whoever drives it.

use crate::iq::{SampleFormat, Samples};
use std::time::Duration;

/// What a receiver is, as it says itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// SoapySDR's driver, as `hackrf`.
    pub driver: String,
    /// The hardware's name.
    pub hardware: String,
    /// Serial number, if it tells one.
    pub serial: Option<String>,
    /// Samples a second.
    pub rate_hz: f64,
    /// Format of its samples.
    pub format: SampleFormat,
    /// Where it can be tuned, hertz.
    pub tunable_hz: Vec<[f64; 2]>,
    /// Samples that the driver hands over at once.
    pub transfer: usize,
    /// Settings of its gain, one below the other; the first is for searching.
    pub gain_steps: usize,
}

/// What came of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// So many samples were appended.
    Samples(usize),
    /// None came in time.
    Nothing,
    /// The driver lost samples.
    Overflow,
    /// The driver failed in another way; the text is its own.
    Failed(String),
}

/// Why a receiver did not do as it was told.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReceiverError {
    /// The driver refused.
    #[error("the receiver refused {what}: {why}")]
    Refused {
        /// What it was told.
        what: String,
        /// What the driver says.
        why: String,
    },
    /// It cannot do that.
    #[error("{what} is outside of what the receiver can do: {range}")]
    OutOfRange {
        /// What was asked, with its unit.
        what: String,
        /// What there is.
        range: String,
    },
}

/// A receiver that streams.
pub trait Receiver: Send {
    /// What it is.
    fn facts(&self) -> &Facts;

    /// Sets its frequency, hertz. Samples that are on their way still belong to the one before.
    ///
    /// # Errors
    /// See [`ReceiverError`].
    fn tune(&mut self, center_hz: f64) -> Result<(), ReceiverError>;

    /// Sets its gain, `step` settings below the one for searching; the lowest there is if there are fewer.
    ///
    /// # Errors
    /// See [`ReceiverError`].
    fn set_gain_step(&mut self, step: usize) -> Result<(), ReceiverError>;

    /// Whether the gain is still what was set. `None` if the receiver does not tell.
    fn gain_holds(&mut self) -> Option<bool>;

    /// Appends at most `most` samples to `samples`, whose memory suffices and whose format is the receiver's.
    fn read(&mut self, samples: &mut Samples, most: usize, timeout: Duration) -> Read;

    /// The driver's time of the first sample that the latest read gave, nanoseconds, if it tells one.
    fn time_ns(&self) -> Option<i64>;

    /// Stops the stream and starts it again.
    ///
    /// # Errors
    /// See [`ReceiverError`].
    fn restart(&mut self) -> Result<(), ReceiverError>;
}
