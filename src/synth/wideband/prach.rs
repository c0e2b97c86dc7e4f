//! Random access preambles.

use num_complex::Complex32;

use super::numerology::RAMP_S;
use super::ofdm::{Ofdm, zadoff_chu};
use super::pulse::burst;
use crate::synth::{Rng, Shot, ShotIq};

/// A preamble format.
#[derive(Debug, Clone)]
pub struct Prach {
    tones: u64,
    repeats: usize,
    prefix: usize,
    rate_hz: f64,
    ofdm: Ofdm,
}

impl Prach {
    /// Format 0: 839 subcarriers at 1.25 kHz over 0.8 ms after a prefix of 3168 of 30 720 000 a second (3GPP
    /// TS 36.211 section 5.7.1, TS 38.211 table 6.3.3.1-1).
    pub fn format_0() -> Self {
        Self { tones: 839, repeats: 1, prefix: 198, rate_hz: 1.92e6, ofdm: Ofdm::new(1536) }
    }

    /// Format B4 at 30 kHz: 139 subcarriers, 12 repetitions, a prefix of 936 of 2048 (TS 38.211 table
    /// 6.3.3.1-2).
    pub fn format_b4() -> Self {
        Self { tones: 139, repeats: 12, prefix: 117, rate_hz: 7.68e6, ofdm: Ofdm::new(256) }
    }

    /// Sample rate, hertz.
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// On-time, seconds.
    pub fn duration_s(&self) -> f64 {
        (self.prefix + self.repeats * self.ofdm.size()) as f64 / self.rate_hz
    }

    /// A preamble of a root that follows from the shot's key.
    pub fn render(&self, shot: &Shot) -> ShotIq {
        let root = 1 + Rng::new(shot.key).below(self.tones - 1);
        let first = -(self.tones as i32 / 2);
        let tones = (0..self.tones).map(|n| (first + n as i32, zadoff_chu(root, n, self.tones)));
        let edge = (RAMP_S / 2.0 * self.rate_hz).ceil() as usize;
        let mut samples: Vec<Complex32> = Vec::new();
        let gain = 1.0 / (self.tones as f32).sqrt();
        let after = (self.repeats - 1) * self.ofdm.size() + edge;
        self.ofdm.symbol(tones, gain, self.prefix + edge, after, &mut samples);
        burst(shot, self.rate_hz, edge, RAMP_S, samples)
    }
}
