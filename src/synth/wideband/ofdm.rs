//! Subcarriers to samples.

use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::f32::consts::FRAC_1_SQRT_2;
use std::fmt;
use std::sync::Arc;

use crate::synth::Rng;

/// An inverse DFT of one size, whose output power is the sum of the subcarriers' powers.
#[derive(Clone)]
pub struct Ofdm {
    size: usize,
    fft: Arc<dyn Fft<f32>>,
    /// What lifts the subcarriers by half a spacing (3GPP TS 36.211 section 5.6), over one symbol; its sign changes
    /// from one period to the next. Empty: not lifted.
    lift: Vec<Complex32>,
}

impl fmt::Debug for Ofdm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ofdm")
            .field("size", &self.size)
            .field("half_shifted", &!self.lift.is_empty())
            .finish()
    }
}

impl Ofdm {
    /// Subcarriers at whole multiples of the spacing.
    pub fn new(size: usize) -> Self {
        Self { size, fft: FftPlanner::new().plan_fft_inverse(size), lift: Vec::new() }
    }

    /// Subcarriers at `k + 1/2` spacings.
    pub fn half_shifted(size: usize) -> Self {
        let angle = |n: usize| std::f32::consts::PI * n as f32 / size as f32;
        Self { lift: (0..size).map(|n| Complex32::from_polar(1.0, angle(n))).collect(), ..Self::new(size) }
    }

    /// The smallest power of two that leaves `tones` subcarriers a quarter of room, and is no less than `least`.
    pub fn size_for(tones: usize, least: usize) -> usize {
        (tones + tones / 4).next_power_of_two().max(least)
    }

    /// Size of the transform.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Appends one symbol: `before` samples of cyclic prefix, the symbol, `after` samples of cyclic suffix.
    /// `tones` are subcarrier numbers and amplitudes; the latter are scaled by `gain`.
    pub fn symbol(
        &self,
        tones: impl IntoIterator<Item = (i32, Complex32)>,
        gain: f32,
        before: usize,
        after: usize,
        out: &mut Vec<Complex32>,
    ) {
        let mut body = vec![Complex32::ZERO; self.size];
        for (k, value) in tones {
            body[k.rem_euclid(self.size as i32) as usize] += value * gain;
        }
        self.fft.process(&mut body);
        for (value, lift) in body.iter_mut().zip(&self.lift) {
            *value *= lift;
        }
        let size = self.size as i64;
        out.extend((-(before as i64)..size + after as i64).map(|n| {
            let value = body[n.rem_euclid(size) as usize];
            let odd = !self.lift.is_empty() && n.div_euclid(size) % 2 != 0;
            if odd { -value } else { value }
        }));
    }
}

/// Square constellations of mean power 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constellation {
    /// Two points on the real axis.
    Bpsk,
    /// Four.
    Qpsk,
    /// Sixteen.
    Qam16,
    /// Sixty-four.
    Qam64,
}

impl Constellation {
    /// A random point.
    pub fn draw(self, rng: &mut Rng) -> Complex32 {
        let word = rng.next_u64();
        // Mean power of the odd numbers up to L-1 on each rail is (L^2 - 1) / 3.
        let rail = |bits: u32, word: u64| {
            let levels = 1u64 << bits;
            let odd = 2.0 * ((word >> (64 - bits)) as f32) - (levels - 1) as f32;
            odd / ((2 * (levels * levels - 1)) as f32 / 3.0).sqrt()
        };
        match self {
            Self::Bpsk => Complex32::new(if word >> 63 == 0 { 1.0 } else { -1.0 }, 0.0),
            Self::Qpsk => Complex32::new(rail(1, word), rail(1, word << 8)),
            Self::Qam16 => Complex32::new(rail(2, word), rail(2, word << 8)),
            Self::Qam64 => Complex32::new(rail(3, word), rail(3, word << 8)),
        }
    }
}

/// A random point of QPSK at the odd multiples of 45 degrees.
pub fn qpsk(rng: &mut Rng) -> Complex32 {
    qpsk_of(rng.next_u64() >> 62)
}

/// The QPSK point of two bits.
pub fn qpsk_of(bits: u64) -> Complex32 {
    let rail = |bit: u64| if bit & 1 == 0 { FRAC_1_SQRT_2 } else { -FRAC_1_SQRT_2 };
    Complex32::new(rail(bits), rail(bits >> 1))
}

/// Value `n` of the Zadoff-Chu sequence of odd length `len` and root `root` (Chu, IEEE Trans. Inf. Theory 18(4),
/// 1972).
pub fn zadoff_chu(root: u64, n: u64, len: u64) -> Complex32 {
    // Reduced by whole turns before it becomes an angle.
    let turns = (root * n * (n + 1)) % (2 * len);
    Complex32::from_polar(1.0, -std::f32::consts::PI * turns as f32 / len as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constellations_have_mean_power_one() {
        let mut rng = Rng::new(3);
        for kind in [Constellation::Bpsk, Constellation::Qpsk, Constellation::Qam16, Constellation::Qam64] {
            let mean = (0..20_000).map(|_| kind.draw(&mut rng).norm_sqr()).sum::<f32>() / 20_000.0;
            // Standard error of 64-QAM's power (its variance is 0.38): 0.0044.
            assert!((mean - 1.0).abs() < 0.02, "{kind:?} {mean}");
        }
    }

    #[test]
    fn zadoff_chu_has_ideal_autocorrelation() {
        for lag in 1..10 {
            let sum: Complex32 =
                (0..139).map(|n| zadoff_chu(7, n, 139) * zadoff_chu(7, (n + lag) % 139, 139).conj()).sum();
            assert!(sum.norm() < 0.01);
        }
    }

    #[test]
    fn a_half_shifted_prefix_is_the_negative_of_the_tail() {
        let ofdm = Ofdm::half_shifted(64);
        let mut out = Vec::new();
        ofdm.symbol((-6..6).map(|k| (k, Complex32::ONE)), 1.0, 8, 0, &mut out);
        assert!((0..8).all(|n| (out[n] + out[n + 64]).norm() < 1e-3));
    }
}
