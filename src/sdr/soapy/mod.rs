//! Receivers that SoapySDR drives: found, opened by an argument string, streamed in their own sample format.
//!
//! The one module that knows SoapySDR. No return code of it is trusted to say that a device is gone (drivers give
//! endless timeouts instead): a timeout, an overflow and a failure are values, and who reads decides by the samples
//! that come.

mod find;
mod open;
mod stream;

pub use find::{Found, find, modules};
pub use open::{OpenError, OpenOptions};

use super::receiver::{Facts, Read, Receiver, ReceiverError};
use crate::iq::Samples;
use soapysdr::{Device, Direction};
use std::time::Duration;
use stream::Stream;

/// The only channel of the receivers meant here.
const CHANNEL: usize = 0;

/// Difference between the gain that was set and the one read back that is taken for rounding, dB: half of the
/// HackRF's finest step.
const SAME_GAIN_DB: f64 = 1.0;

/// An open receiver, streaming.
pub struct SoapyReceiver {
    device: Device,
    stream: Stream,
    facts: Facts,
    gains: Vec<open::Gain>,
    /// What the driver says the gain is, right after it was set.
    gain_db: Option<f64>,
}

impl SoapyReceiver {
    /// Opens the one receiver that `options` names, and starts its stream.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(options: &OpenOptions) -> Result<Self, OpenError> {
        let mut receiver = open::open(options)?;
        receiver.set_gain_step(0)?;
        receiver.stream.activate()?;
        Ok(receiver)
    }

    /// Elements of the gain that the device has, with their ranges, dB.
    pub fn gain_elements(&self) -> Vec<(String, f64, f64)> {
        let names = self.device.list_gains(Direction::Rx, CHANNEL).unwrap_or_default();
        let range = |name: &String| {
            let range = self.device.gain_element_range(Direction::Rx, CHANNEL, name.as_str()).ok()?;
            Some((name.clone(), range.minimum, range.maximum))
        };
        names.iter().filter_map(range).collect()
    }
}

impl Receiver for SoapyReceiver {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn tune(&mut self, center_hz: f64) -> Result<(), ReceiverError> {
        if !self.facts.tunable_hz.iter().any(|[low, high]| (*low..=*high).contains(&center_hz)) {
            return Err(ReceiverError::OutOfRange {
                what: format!("{:.6} MHz", center_hz / 1e6),
                range: open::megahertz(&self.facts.tunable_hz),
            });
        }
        self.device.set_frequency(Direction::Rx, CHANNEL, center_hz, ()).map_err(|error| {
            ReceiverError::Refused { what: format!("{:.6} MHz", center_hz / 1e6), why: open::words(&error) }
        })
    }

    fn set_gain_step(&mut self, step: usize) -> Result<(), ReceiverError> {
        let Some(gain) = self.gains.get(step).or(self.gains.last()) else { return Ok(()) };
        gain.apply(&self.device)?;
        self.gain_db = self.device.gain(Direction::Rx, CHANNEL).ok();
        Ok(())
    }

    fn gain_holds(&mut self) -> Option<bool> {
        let now_db = self.device.gain(Direction::Rx, CHANNEL).ok()?;
        Some((now_db - self.gain_db?).abs() <= SAME_GAIN_DB)
    }

    fn read(&mut self, samples: &mut Samples, most: usize, timeout: Duration) -> Read {
        self.stream.read(samples, most, timeout)
    }

    fn time_ns(&self) -> Option<i64> {
        self.stream.time_ns()
    }

    fn restart(&mut self) -> Result<(), ReceiverError> {
        self.stream.deactivate()?;
        self.stream.activate()
    }
}
