//! A stretch of IQ stream in the radio's own format, and a hole in it.
//!
//! Samples stay as the radio made them (8-bit complex is 2 bytes a sample) until the window is applied:
//! converting early would cost four times the memory traffic.

use num_complex::Complex32;

/// How a complex sample is stored. Byte order is already the machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// Unsigned 8-bit, zero at 127.5 (RTL2832).
    Cu8,
    /// Signed 8-bit, full scale 128 (HackRF).
    Ci8,
    /// Signed 16-bit, full scale 32768.
    Ci16,
    /// 32-bit float, amplitude 1 is 0 dBFS.
    Cf32,
}

impl SampleFormat {
    /// Bytes of a complex sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::Cu8 | Self::Ci8 => 2,
            Self::Ci16 => 4,
            Self::Cf32 => 8,
        }
    }

    /// Variance that quantisation alone adds to a complex sample (amplitude 1 is full scale): two rails of
    /// LSB²/12 (Bennett 1948). Zero for floats, whose step is unknown.
    pub fn quantisation_power(self) -> f64 {
        let lsb = match self {
            Self::Cu8 | Self::Ci8 => 1.0 / 128.0,
            Self::Ci16 => 1.0 / 32768.0,
            Self::Cf32 => 0.0,
        };
        2.0 * lsb * lsb / 12.0
    }
}

/// Complex samples in one of the radio's formats, `[in-phase, quadrature]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// See [`SampleFormat::Cu8`].
    Cu8(Vec<[u8; 2]>),
    /// See [`SampleFormat::Ci8`].
    Ci8(Vec<[i8; 2]>),
    /// See [`SampleFormat::Ci16`].
    Ci16(Vec<[i16; 2]>),
    /// See [`SampleFormat::Cf32`].
    Cf32(Vec<[f32; 2]>),
}

/// Applies `$body` to the vector inside, whatever its type.
macro_rules! each {
    ($samples:expr, $v:ident => $body:expr) => {
        match $samples {
            Samples::Cu8($v) => $body,
            Samples::Ci8($v) => $body,
            Samples::Ci16($v) => $body,
            Samples::Cf32($v) => $body,
        }
    };
}

impl Samples {
    /// An empty buffer that holds `capacity` samples without allocating again.
    pub fn with_capacity(format: SampleFormat, capacity: usize) -> Self {
        match format {
            SampleFormat::Cu8 => Self::Cu8(Vec::with_capacity(capacity)),
            SampleFormat::Ci8 => Self::Ci8(Vec::with_capacity(capacity)),
            SampleFormat::Ci16 => Self::Ci16(Vec::with_capacity(capacity)),
            SampleFormat::Cf32 => Self::Cf32(Vec::with_capacity(capacity)),
        }
    }

    /// The format of every sample.
    pub fn format(&self) -> SampleFormat {
        match self {
            Self::Cu8(_) => SampleFormat::Cu8,
            Self::Ci8(_) => SampleFormat::Ci8,
            Self::Ci16(_) => SampleFormat::Ci16,
            Self::Cf32(_) => SampleFormat::Cf32,
        }
    }

    /// Number of complex samples.
    pub fn len(&self) -> usize {
        each!(self, v => v.len())
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the last `count` of `other`, which has the same format; nothing of another format.
    pub fn append_tail(&mut self, other: &Self, count: usize) {
        fn tail<T>(samples: &[T], count: usize) -> &[T] {
            &samples[samples.len().saturating_sub(count)..]
        }
        match (self, other) {
            (Self::Cu8(to), Self::Cu8(from)) => to.extend_from_slice(tail(from, count)),
            (Self::Ci8(to), Self::Ci8(from)) => to.extend_from_slice(tail(from, count)),
            (Self::Ci16(to), Self::Ci16(from)) => to.extend_from_slice(tail(from, count)),
            (Self::Cf32(to), Self::Cf32(from)) => to.extend_from_slice(tail(from, count)),
            _ => {}
        }
    }

    /// Appends those of `other`, which has the same format, that lie in `range`; nothing of another format.
    pub fn append_range(&mut self, other: &Self, range: std::ops::Range<usize>) {
        match (self, other) {
            (Self::Cu8(to), Self::Cu8(from)) => to.extend_from_slice(&from[range]),
            (Self::Ci8(to), Self::Ci8(from)) => to.extend_from_slice(&from[range]),
            (Self::Ci16(to), Self::Ci16(from)) => to.extend_from_slice(&from[range]),
            (Self::Cf32(to), Self::Cf32(from)) => to.extend_from_slice(&from[range]),
            _ => {}
        }
    }

    /// Forgets the last `count`.
    pub fn drop_tail(&mut self, count: usize) {
        let left = self.len().saturating_sub(count);
        each!(self, v => v.truncate(left));
    }

    /// Forgets the samples, keeps the memory.
    pub fn clear(&mut self) {
        each!(self, v => v.clear())
    }
}

/// A sample as a complex float, amplitude 1 at full scale.
pub trait ToComplex: Copy {
    /// The value, full scale 1.
    fn to_complex(self) -> Complex32;
}

impl ToComplex for [u8; 2] {
    fn to_complex(self) -> Complex32 {
        Complex32::new((f32::from(self[0]) - 127.5) / 128.0, (f32::from(self[1]) - 127.5) / 128.0)
    }
}

impl ToComplex for [i8; 2] {
    fn to_complex(self) -> Complex32 {
        Complex32::new(f32::from(self[0]) / 128.0, f32::from(self[1]) / 128.0)
    }
}

impl ToComplex for [i16; 2] {
    fn to_complex(self) -> Complex32 {
        Complex32::new(f32::from(self[0]) / 32768.0, f32::from(self[1]) / 32768.0)
    }
}

impl ToComplex for [f32; 2] {
    fn to_complex(self) -> Complex32 {
        Complex32::new(self[0], self[1])
    }
}

/// What the receiver is set to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// Complex samples a second.
    pub rate_hz: f64,
    /// Radio frequency at the middle of the span, if known.
    pub center_hz: Option<f64>,
}

/// Consecutive samples of one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct IqBlock {
    /// The samples.
    pub samples: Samples,
    /// Index of the first of them within its segment.
    pub first: u64,
}

/// The beginning of a stretch with one tuning. Nothing before it is contiguous with what follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Position in the recording or stream, from 0.
    pub index: u32,
    /// The tuning of all its samples.
    pub tuning: Tuning,
    /// Time of sample 0 on the recording's axis, seconds.
    pub start_s: f64,
    /// Whether `start_s` is on an axis shared with the segments before it. Without it, nothing may be folded
    /// in time across the border.
    pub shared_axis: bool,
    /// Format of the samples that follow.
    pub format: SampleFormat,
}

/// A hole: samples that the radio made and nobody received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// How many samples were lost.
    pub lost: u64,
}

/// What a stream of samples gives next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Received {
    /// A stretch with one tuning begins; the blocks that follow belong to it.
    Segment(Segment),
    /// The caller's block holds the next samples, at least one.
    Block,
    /// Samples were lost here.
    Gap(Gap),
    /// Nothing follows, now or later.
    End,
}
