//! The last stretch of raw samples, in the radio's own format, so that an emission can be measured from its own
//! IQ after it was detected.

use crate::iq::{SampleFormat, Samples, ToComplex};
use num_complex::{Complex32, Complex64};

use super::kernels;

/// A ring of samples addressed by their index in the stream.
#[derive(Debug)]
pub struct History {
    ring: Samples,
    capacity: usize,
    /// Index of the oldest sample held.
    first: u64,
    /// Index after the newest.
    end: u64,
}

/// Applies `$body` to the slice inside, whatever its type.
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

impl History {
    /// Room for `capacity` samples.
    pub fn new(format: SampleFormat, capacity: usize) -> Self {
        let mut ring = Samples::with_capacity(format, capacity);
        match &mut ring {
            Samples::Cu8(v) => v.resize(capacity, [0; 2]),
            Samples::Ci8(v) => v.resize(capacity, [0; 2]),
            Samples::Ci16(v) => v.resize(capacity, [0; 2]),
            Samples::Cf32(v) => v.resize(capacity, [0.0; 2]),
        }
        Self { ring, capacity, first: 0, end: 0 }
    }

    /// Most samples it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Index of the oldest sample held.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Index after the newest sample.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Forgets everything; the next sample has index `at`.
    pub fn restart(&mut self, at: u64) {
        self.first = at;
        self.end = at;
    }

    /// Appends `samples[from..to]`, overwriting the oldest. Non-finite floats become zero; returns how many.
    pub fn push(&mut self, samples: &Samples, from: usize, to: usize) -> usize {
        let capacity = self.capacity;
        let mut at = (self.end % capacity as u64) as usize;
        let mut next = from;
        let mut spoilt = 0;
        while next < to {
            let count = (to - next).min(capacity - at);
            match (&mut self.ring, samples) {
                (Samples::Cu8(r), Samples::Cu8(s)) => {
                    r[at..at + count].copy_from_slice(&s[next..next + count])
                }
                (Samples::Ci8(r), Samples::Ci8(s)) => {
                    r[at..at + count].copy_from_slice(&s[next..next + count])
                }
                (Samples::Ci16(r), Samples::Ci16(s)) => {
                    r[at..at + count].copy_from_slice(&s[next..next + count])
                }
                (Samples::Cf32(r), Samples::Cf32(s)) => {
                    for (o, x) in r[at..at + count].iter_mut().zip(&s[next..next + count]) {
                        // A magnitude whose square overflows would poison every sum that it enters.
                        let sound = x[0].abs() < LARGEST && x[1].abs() < LARGEST;
                        *o = if sound { *x } else { [0.0; 2] };
                        spoilt += usize::from(!sound);
                    }
                }
                // The format is fixed for a segment; a block of another is noise to it, and counts as spoilt.
                _ => spoilt += count,
            }
            next += count;
            at = (at + count) % capacity;
        }
        self.end += (to - from) as u64;
        self.first = self.first.max(self.end.saturating_sub(capacity as u64));
        spoilt
    }

    /// Writes samples `[start, start + out.len())` times `window` to `out`; what is not held counts as zero.
    pub fn windowed(&self, start: u64, window: &[f32], out: &mut [Complex32]) {
        let n = out.len();
        if start < self.first || start + n as u64 > self.end {
            self.copy(start, Complex32::default(), out);
            for (o, w) in out.iter_mut().zip(window) {
                *o *= *w;
            }
            return;
        }
        let at = (start % self.capacity as u64) as usize;
        let head = n.min(self.capacity - at);
        let (w1, w2) = window.split_at(head);
        let (o1, o2) = out.split_at_mut(head);
        match &self.ring {
            Samples::Cu8(r) => {
                kernels::window_cu8(&r[at..at + head], w1, o1);
                kernels::window_cu8(&r[..n - head], w2, o2);
            }
            Samples::Ci8(r) => {
                kernels::window_ci8(&r[at..at + head], w1, o1);
                kernels::window_ci8(&r[..n - head], w2, o2);
            }
            Samples::Ci16(r) => {
                kernels::window_ci16(&r[at..at + head], w1, o1);
                kernels::window_ci16(&r[..n - head], w2, o2);
            }
            Samples::Cf32(r) => {
                kernels::window_cf32(&r[at..at + head], w1, o1);
                kernels::window_cf32(&r[..n - head], w2, o2);
            }
        }
    }

    /// How many samples from `start` on are all the same.
    pub fn constant_from(&self, start: u64) -> u64 {
        if start < self.first || start >= self.end {
            return 0;
        }
        let index = |sample: u64| (sample % self.capacity as u64) as usize;
        each!(&self.ring, r => {
            let value = r[index(start)];
            (start..self.end).take_while(|sample| r[index(*sample)] == value).count() as u64
        })
    }

    /// Mean of samples `[start, end)`; zero when they are not all held.
    pub fn mean(&self, start: u64, end: u64) -> Complex32 {
        if start < self.first || end > self.end || end <= start {
            return Complex32::default();
        }
        let (at, count) = ((start % self.capacity as u64) as usize, (end - start) as usize);
        let head = count.min(self.capacity - at);
        let mut sum = Complex64::default();
        let mut add = |s: Complex32| sum += Complex64::new(f64::from(s.re), f64::from(s.im));
        each!(&self.ring, r => r[at..at + head].iter().chain(&r[..count - head]).for_each(|s| add(s.to_complex())));
        let mean = sum / count as f64;
        Complex32::new(mean.re as f32, mean.im as f32)
    }

    /// Writes samples `[start, start + out.len())` to `out`, without `offset`; what is not held counts as zero.
    pub fn copy(&self, start: u64, offset: Complex32, out: &mut [Complex32]) {
        let end = start + out.len() as u64;
        let (from, to) = (start.max(self.first).min(end), end.min(self.end).max(start));
        out[..(from - start) as usize].fill(Complex32::default());
        if to <= from {
            out.fill(Complex32::default());
            return;
        }
        out[(to - start) as usize..].fill(Complex32::default());
        let target = &mut out[(from - start) as usize..(to - start) as usize];
        let at = (from % self.capacity as u64) as usize;
        let head = target.len().min(self.capacity - at);
        let (o1, o2) = target.split_at_mut(head);
        match &self.ring {
            Samples::Cu8(r) => both(kernels::convert_cu8, r, at, offset, o1, o2),
            Samples::Ci8(r) => both(kernels::convert_ci8, r, at, offset, o1, o2),
            Samples::Ci16(r) => both(kernels::convert_ci16, r, at, offset, o1, o2),
            Samples::Cf32(r) => both(kernels::convert_cf32, r, at, offset, o1, o2),
        }
    }
}

/// Converts from `ring[at..]` into `first`, and from its beginning into `second`.
fn both<T>(
    convert: fn(&[T], Complex32, &mut [Complex32]),
    ring: &[T],
    at: usize,
    offset: Complex32,
    first: &mut [Complex32],
    second: &mut [Complex32],
) {
    convert(&ring[at..], offset, first);
    convert(ring, offset, second);
}

/// Largest sample magnitude taken as a number: its square, summed over any burst, stays within `f32`.
const LARGEST: f32 = 1e12;
