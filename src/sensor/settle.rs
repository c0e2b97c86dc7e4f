//! How many samples are stale after a change of setting, measured on the receiver itself.
//!
//! Drivers keep transfers in flight, and some a ring of buffers, and none says how much. A change of gain goes the
//! way that a change of frequency goes, and shows in the power of the noise: counted is from the change to the step.

use super::pace::{Backlog, had_to_wait};
use crate::clock::Monotonic;
use crate::iq::{Samples, ToComplex};
use crate::sdr::{Read, Receiver, ReceiverError};
use crate::units;
use std::time::Duration;

/// Changes of gain, up and down.
const TRIALS: usize = 6;

/// Samples whose mean power is one reading: the power of noise is then known to a quarter of a decibel (one sigma).
const READING: usize = 256;

/// Least step of power to be seen, decibels: ten sigma of a reading.
const STEP_DB: f64 = 3.0;

/// Most samples waited for, seconds: fifteen transfers of SoapyRTLSDR's default are 0.8 s.
const LONGEST_S: f64 = 1.0;

/// Samples that are read before each trial, so that nothing of the one before is left, in transfers.
const CALM_TRANSFERS: usize = 20;

/// A synthesiser needs this long to lock on a new frequency, which a change of gain does not show, seconds: a
/// millisecond covers the R820T's and the RFFC5072's (both some hundred microseconds).
const LOCK_S: f64 = 1e-3;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settle {
    /// Samples to discard after each change.
    pub samples: u64,
    /// Whether that was measured; a default otherwise.
    pub measured: bool,
    /// Samples that measuring took.
    pub read: u64,
}

/// Measures on `receiver`; takes `default` where its gain does not move its noise. Leaves the gain for searching. A
/// `patient` receiver makes its samples as they are read: nothing waits in it, however long a read takes.
///
/// # Errors
/// The receiver's, if it refuses a gain.
pub fn measure(receiver: &mut dyn Receiver, default: u64, patient: bool) -> Result<Settle, ReceiverError> {
    let facts = receiver.facts().clone();
    let unmeasured = Settle { samples: default, measured: false, read: 0 };
    if facts.gain_steps < 2 {
        return Ok(unmeasured);
    }
    let mut samples = Samples::with_capacity(facts.format, 2 * facts.transfer);
    let mut worst = None;
    let mut reader = Reader {
        backlog: Backlog::new(facts.rate_hz, facts.transfer),
        transfer: facts.transfer,
        rate_hz: facts.rate_hz,
        patient,
        position: 0,
    };
    let steps = [facts.gain_steps - 1, 0];
    receiver.set_gain_step(steps[1])?;
    for trial in 0..TRIALS {
        let Some(before_db) = reader.calm(receiver, &mut samples) else { break };
        receiver.set_gain_step(steps[trial % 2])?;
        let from = reader.backlog.produced(Monotonic::now(), reader.position);
        let step = reader.until_step(receiver, &mut samples, before_db);
        worst = worst.max(step.map(|step| step.saturating_sub(from)));
        // A noise that hides under the converter's own moves with no gain.
        if worst.is_none() {
            break;
        }
    }
    receiver.set_gain_step(0)?;
    // A change may fall anywhere within a transfer, of which the trials saw some places only.
    let margin = facts.transfer as u64 / 8 + (LOCK_S * facts.rate_hz) as u64;
    let read = reader.position;
    Ok(worst.map_or(Settle { read, ..unmeasured }, |stale| Settle {
        samples: stale + margin,
        measured: true,
        read,
    }))
}

/// Counts what it reads.
struct Reader {
    backlog: Backlog,
    transfer: usize,
    rate_hz: f64,
    patient: bool,
    position: u64,
}

impl Reader {
    /// Reads the next samples; `None` if none come.
    fn read(&mut self, receiver: &mut dyn Receiver, samples: &mut Samples) -> Option<usize> {
        loop {
            samples.clear();
            let before = Monotonic::now();
            match receiver.read(samples, self.transfer, Duration::from_millis(200)) {
                Read::Samples(count) => {
                    let now = Monotonic::now();
                    if !self.patient && had_to_wait(now.seconds_since(before), count, self.rate_hz) {
                        self.backlog.waited(now, self.position);
                    }
                    self.position += count as u64;
                    return Some(count);
                }
                Read::Overflow => {}
                Read::Nothing | Read::Failed(_) => return None,
            }
        }
    }

    /// Reads until nothing old is left; gives the mean power of the last read, decibels.
    fn calm(&mut self, receiver: &mut dyn Receiver, samples: &mut Samples) -> Option<f64> {
        let mut left = CALM_TRANSFERS * self.transfer;
        while left > 0 {
            left = left.saturating_sub(self.read(receiver, samples)?);
        }
        Some(units::db(power(samples, 0, samples.len())))
    }

    /// Reads until the power has left `before_db`; gives the position.
    fn until_step(
        &mut self,
        receiver: &mut dyn Receiver,
        samples: &mut Samples,
        before_db: f64,
    ) -> Option<u64> {
        let last = self.position + (self.rate_hz * LONGEST_S) as u64;
        while self.position < last {
            let begin = self.position;
            self.read(receiver, samples)?;
            let mut at = 0;
            while at < samples.len() {
                let end = (at + READING).min(samples.len());
                if (units::db(power(samples, at, end)) - before_db).abs() >= STEP_DB {
                    return Some(begin + end as u64);
                }
                at = end;
            }
        }
        None
    }
}

fn power(samples: &Samples, from: usize, to: usize) -> f64 {
    fn mean<T: ToComplex>(samples: &[T]) -> f64 {
        let sum: f64 = samples.iter().map(|sample| f64::from(sample.to_complex().norm_sqr())).sum();
        sum / samples.len().max(1) as f64
    }
    match samples {
        Samples::Cu8(s) => mean(&s[from..to]),
        Samples::Ci8(s) => mean(&s[from..to]),
        Samples::Ci16(s) => mean(&s[from..to]),
        Samples::Cf32(s) => mean(&s[from..to]),
    }
}
