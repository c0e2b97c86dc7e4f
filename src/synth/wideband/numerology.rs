//! The grid of symbols that LTE and NR share: slots of 14 symbols with normal cyclic prefix (3GPP TS 36.211
//! sections 5.6 and 6.12, TS 38.211 section 5.3.1; LTE is the case of 15 kHz, where two LTE slots make one here).

use num_complex::Complex32;

use super::ofdm::Ofdm;
use super::pulse::burst;
use crate::synth::{Shot, ShotIq};

/// Symbols in a slot.
pub const SYMBOLS: usize = 14;
/// Subcarriers in a physical resource block (TS 36.211 table 6.2.3-1, TS 38.211 section 4.4.4.1).
pub const TONES: usize = 12;
/// A transmitter's switching time: the masks allow 20 us (TS 36.101 section 6.3.4.1) or 10 us (TS 38.101-1
/// section 6.3.3.2); half of it lies within the prefix.
pub const RAMP_S: f64 = 5e-6;

/// Subcarrier amplitudes by number.
pub type Tones = Vec<(i32, Complex32)>;

/// Subcarrier spacing `15 kHz * 2^mu`, sampled `size` times a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numerology {
    /// 0 for 15 kHz, 1 for 30 kHz.
    pub mu: u32,
    /// Transform size: a multiple of 128, so that prefixes are whole numbers of samples.
    pub size: usize,
}

impl Numerology {
    /// Subcarrier spacing, hertz.
    pub fn spacing_hz(self) -> f64 {
        15e3 * f64::from(1 << self.mu)
    }

    /// Sample rate, hertz.
    pub fn rate_hz(self) -> f64 {
        self.spacing_hz() * self.size as f64
    }

    /// Duration of a slot, seconds.
    pub fn slot_s(self) -> f64 {
        1e-3 / f64::from(1 << self.mu)
    }

    /// Samples of the prefix of a symbol of the slot: 144 of 2048, and 0.52 us more every half millisecond.
    pub fn prefix(self, symbol: usize) -> usize {
        let longer = symbol.is_multiple_of(7 << self.mu);
        (144 + if longer { 16 << self.mu } else { 0 }) * self.size / 2048
    }

    /// Samples from the slot's start to a symbol's prefix.
    pub fn start(self, symbol: usize) -> usize {
        (0..symbol).map(|l| self.prefix(l) + self.size).sum()
    }

    /// Seconds from the slot's start to a symbol's prefix.
    pub fn start_s(self, symbol: usize) -> f64 {
        self.start(symbol) as f64 / self.rate_hz()
    }

    /// Consecutive symbols from number `first` of a slot, as a burst with ramps.
    pub fn burst(self, ofdm: &Ofdm, shot: &Shot, first: usize, symbols: &[Tones], gain: f32) -> ShotIq {
        let edge = (RAMP_S / 2.0 * self.rate_hz()).ceil() as usize;
        let mut samples = Vec::with_capacity((self.size + self.prefix(0)) * symbols.len() + 2 * edge);
        for (i, tones) in symbols.iter().enumerate() {
            let before = self.prefix(first + i) + if i == 0 { edge } else { 0 };
            let after = if i + 1 == symbols.len() { edge } else { 0 };
            ofdm.symbol(tones.iter().copied(), gain, before, after, &mut samples);
        }
        burst(shot, self.rate_hz(), edge, RAMP_S, samples)
    }
}

/// Whether a transform over so many blocks is allowed: factors 2, 3 and 5 only (TS 36.211 section 5.3.3, TS 38.211
/// section 6.3.1.4).
pub fn allowed_blocks(blocks: usize) -> bool {
    let mut rest = blocks;
    for factor in [2, 3, 5] {
        while rest != 0 && rest.is_multiple_of(factor) {
            rest /= factor;
        }
    }
    rest == 1
}

/// A reference signal over `len` subcarriers: for 36 and more the Zadoff-Chu sequence of the largest prime below,
/// extended cyclically (TS 36.211 section 5.5.1.1); for fewer the first row of table 5.5.1.2-1, repeated.
pub fn reference(root: u64, len: usize) -> Vec<Complex32> {
    if len < 36 {
        const ROW: [i8; 12] = [-1, 1, 3, -3, 3, 3, 1, 1, 3, 1, -3, 3];
        let angle = |n: usize| f32::from(ROW[n % 12]) * std::f32::consts::FRAC_PI_4;
        return (0..len).map(|n| Complex32::from_polar(1.0, angle(n))).collect();
    }
    let prime = (2..=len as u64).rev().find(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    let prime = prime.unwrap_or(31);
    let root = 1 + root % (prime - 1);
    (0..len as u64).map(|n| super::ofdm::zadoff_chu(root, n % prime, prime)).collect()
}

/// Values on every `step`-th subcarrier, symmetric about the middle.
pub fn numbered(
    values: impl IntoIterator<Item = Complex32, IntoIter: ExactSizeIterator>,
    step: i32,
) -> Tones {
    let values = values.into_iter();
    let first = -(values.len() as i32 * step / 2);
    values.enumerate().map(|(n, value)| (first + n as i32 * step, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_whole() {
        for mu in [0, 1] {
            for size in [128, 256, 1024, 4096] {
                let n = Numerology { mu, size };
                assert_eq!(n.start(SYMBOLS) as f64, n.rate_hz() * n.slot_s(), "{mu} {size}");
            }
        }
        let lte = Numerology { mu: 0, size: 2048 };
        assert_eq!((lte.prefix(0), lte.prefix(1), lte.prefix(7)), (160, 144, 160));
    }

    #[test]
    fn transform_sizes_have_small_factors() {
        let allowed: Vec<usize> = (1..=12).filter(|m| allowed_blocks(*m)).collect();
        assert_eq!(allowed, [1, 2, 3, 4, 5, 6, 8, 9, 10, 12]);
    }
}
