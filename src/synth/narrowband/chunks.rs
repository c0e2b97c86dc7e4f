//! Continuous signals in pieces: which samples a chunk holds.

use crate::synth::waveform::{Shot, ShotIq};
use num_complex::Complex32;

/// A grid of chunks of equal length on a grid of samples, from scene time 0.
#[derive(Debug, Clone, Copy)]
pub struct Chunks {
    /// Native rate, hertz.
    pub rate_hz: f64,
    /// Samples in a chunk.
    pub len: u64,
}

impl Chunks {
    /// Chunks of about 20 ms.
    pub fn new(rate_hz: f64) -> Self {
        Self { rate_hz, len: (0.02 * rate_hz).ceil().max(1.0) as u64 }
    }

    /// Length of a chunk, seconds.
    pub fn duration_s(self) -> f64 {
        self.len as f64 / self.rate_hz
    }

    fn start_s(self, index: u64) -> f64 {
        (index * self.len) as f64 / self.rate_hz
    }

    /// Appends the chunks that start in `[from_s, to_s)`; `key` is their index.
    pub fn shots(self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let mut index = (from_s.max(0.0) / self.duration_s()).floor() as u64;
        if self.start_s(index) < from_s {
            index += 1;
        }
        while self.start_s(index) < to_s {
            out.push(Shot {
                start_s: self.start_s(index),
                duration_s: self.duration_s(),
                offset_hz: 0.0,
                level_db: 0.0,
                key: index,
                continues: index > 0,
            });
            index += 1;
        }
    }

    /// Number of the first sample of the chunk `key`.
    pub fn first(self, key: u64) -> u64 {
        key * self.len
    }

    /// IQ of the chunk `key` from its samples.
    pub fn iq(self, key: u64, samples: Vec<Complex32>) -> ShotIq {
        ShotIq { rate_hz: self.rate_hz, first_s: self.start_s(key), samples }
    }
}
