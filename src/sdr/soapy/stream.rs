//! A stream of whichever sample type the receiver has.

use super::super::receiver::{Read, ReceiverError};
use super::open::words;
use crate::iq::{SampleFormat, Samples};
use num_complex::Complex;
use soapysdr::{Device, Error, ErrorCode, RxStream};
use std::time::Duration;

/// SoapySDR tells the type of samples by the type of the stream.
enum Typed {
    Cu8(RxStream<Complex<u8>>),
    Ci8(RxStream<Complex<i8>>),
    Ci16(RxStream<Complex<i16>>),
    Cf32(RxStream<Complex<f32>>),
}

/// Applies `$body` to the stream inside, whatever its type.
macro_rules! each {
    ($stream:expr, $s:ident => $body:expr) => {
        match $stream {
            Typed::Cu8($s) => $body,
            Typed::Ci8($s) => $body,
            Typed::Ci16($s) => $body,
            Typed::Cf32($s) => $body,
        }
    };
}

/// A stream, and the time that its driver tells.
pub struct Stream {
    typed: Typed,
    active: bool,
    /// The latest time told; the driver tells none as long as it is zero or stands still.
    told_ns: i64,
    moving: bool,
}

impl Stream {
    /// Sets up a stream of `format` with the driver's own `arguments`.
    pub fn new(device: &Device, format: SampleFormat, arguments: &str) -> Result<Self, Error> {
        let channels = [super::CHANNEL];
        let typed = match format {
            SampleFormat::Cu8 => Typed::Cu8(device.rx_stream_args(&channels, arguments)?),
            SampleFormat::Ci8 => Typed::Ci8(device.rx_stream_args(&channels, arguments)?),
            SampleFormat::Ci16 => Typed::Ci16(device.rx_stream_args(&channels, arguments)?),
            SampleFormat::Cf32 => Typed::Cf32(device.rx_stream_args(&channels, arguments)?),
        };
        Ok(Self { typed, active: false, told_ns: 0, moving: false })
    }

    /// Samples that the driver hands over at once.
    pub fn transfer(&self) -> Result<usize, Error> {
        each!(&self.typed, stream => stream.mtu())
    }

    pub fn activate(&mut self) -> Result<(), ReceiverError> {
        self.active = true;
        each!(&mut self.typed, stream => stream.activate(None)).map_err(|error| refused("to start", &error))
    }

    pub fn deactivate(&mut self) -> Result<(), ReceiverError> {
        if !std::mem::take(&mut self.active) {
            return Ok(());
        }
        (self.told_ns, self.moving) = (0, false);
        each!(&mut self.typed, stream => stream.deactivate(None)).map_err(|error| refused("to stop", &error))
    }

    pub fn read(&mut self, samples: &mut Samples, most: usize, timeout: Duration) -> Read {
        let timeout_us = i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX);
        let result = match (&mut self.typed, samples) {
            (Typed::Cu8(stream), Samples::Cu8(samples)) => append(stream, samples, most, timeout_us),
            (Typed::Ci8(stream), Samples::Ci8(samples)) => append(stream, samples, most, timeout_us),
            (Typed::Ci16(stream), Samples::Ci16(samples)) => append(stream, samples, most, timeout_us),
            (Typed::Cf32(stream), Samples::Cf32(samples)) => append(stream, samples, most, timeout_us),
            _ => return Read::Failed("the buffer has another format than the stream".into()),
        };
        match result {
            Ok(0) => Read::Nothing,
            Ok(count) => {
                let told_ns = each!(&self.typed, stream => stream.time_ns());
                self.moving = told_ns != 0 && told_ns != self.told_ns;
                self.told_ns = told_ns;
                Read::Samples(count)
            }
            Err(error) => match error.code {
                ErrorCode::Timeout => Read::Nothing,
                ErrorCode::Overflow => Read::Overflow,
                _ => Read::Failed(words(&error)),
            },
        }
    }

    /// Time of the first sample of the latest read, if the driver tells one: SoapySDR's flag for it is not handed
    /// through, but a driver that tells no time leaves it as it was.
    pub fn time_ns(&self) -> Option<i64> {
        self.moving.then_some(self.told_ns)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Closing an active stream hangs in some drivers; that stopping it fails changes nothing any more.
        let _ = self.deactivate();
    }
}

fn refused(what: &str, error: &Error) -> ReceiverError {
    ReceiverError::Refused { what: what.into(), why: words(error) }
}

/// Reads into the spare room of `samples`.
fn append<T>(
    stream: &mut RxStream<Complex<T>>,
    samples: &mut Vec<[T; 2]>,
    most: usize,
    timeout_us: i64,
) -> Result<usize, Error>
where
    T: bytemuck::Pod + Default,
    Complex<T>: soapysdr::StreamSample + bytemuck::Pod,
{
    let held = samples.len();
    samples.resize(held + most, [T::default(); 2]);
    let room: &mut [Complex<T>] = bytemuck::cast_slice_mut(&mut samples[held..]);
    let result = stream.read(&mut [room], timeout_us);
    let count = *result.as_ref().unwrap_or(&0);
    // A driver that claims more than it was given room for has given what there was room for.
    samples.truncate(held + count.min(most));
    result.map(|count| count.min(most))
}
