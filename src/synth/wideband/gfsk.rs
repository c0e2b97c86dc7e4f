//! Packets of Gaussian frequency shift keying, as Bluetooth, DECT and their like send them.

use std::f64::consts::TAU;

use super::pulse::{Cpm, burst};
use crate::synth::{Rng, Shot, ShotIq};

/// Time in which a transmitter switches.
const RAMP_S: f64 = 2e-6;

/// A modulator of one symbol rate and index.
#[derive(Debug, Clone)]
pub struct Gfsk {
    symbol_rate: f64,
    rate_hz: f64,
    cpm: Cpm,
}

impl Gfsk {
    /// `sps` samples a symbol, BT 0.5, modulation index `h` (peak deviation over half the symbol rate).
    pub fn new(symbol_rate: f64, sps: usize, h: f64) -> Self {
        Self { symbol_rate, rate_hz: symbol_rate * sps as f64, cpm: Cpm::gaussian(sps, 0.5, h) }
    }

    /// A packet of `head`, then random bits to the shot's end.
    pub fn packet(&self, shot: &Shot, head: impl IntoIterator<Item = u64>, rng: &mut Rng) -> ShotIq {
        let count = (shot.duration_s * self.symbol_rate).round() as usize;
        let phase = rng.uniform() * TAU;
        let mut bits: Vec<u64> = head.into_iter().take(count).collect();
        bits.resize_with(count, || rng.next_u64() >> 63);
        let levels: Vec<f32> = bits.iter().map(|bit| if *bit == 1 { 1.0 } else { -1.0 }).collect();
        burst(shot, self.rate_hz, self.cpm.lead(), RAMP_S, self.cpm.modulate(&levels, phase))
    }
}

/// The lowest `count` bits of a word, lowest first.
pub fn bits(word: u64, count: usize) -> impl Iterator<Item = u64> {
    (0..count).map(move |i| word >> i & 1)
}

/// `count` alternating bits, beginning with `first`.
pub fn alternating(first: u64, count: usize) -> impl Iterator<Item = u64> {
    (0..count as u64).map(move |i| (first ^ i) & 1)
}
