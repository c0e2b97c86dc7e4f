//! Whether samples can be what a receiver hears: not the same block again, not one rail dead.
//!
//! Noise never repeats: two equal blocks are a driver that hands out old buffers (as librtlsdr does after some
//! unplugs). Clipping and values that are no numbers are the pipeline's own business.

use crate::iq::{Samples, ToComplex};

/// Blocks back to which a block is compared: four times the deepest driver ring (15 transfers of 131072 samples) in blocks
/// of 16384.
const BLOCKS: usize = 512;

/// Power of the weaker rail over that of the stronger, below which it is dead: 40 dB. A receiver's imbalance is
/// within 1 dB.
const DEAD_RAIL: f64 = 1e-4;

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Implausible {
    /// It is a block that came before.
    Repeated,
    /// One of the two rails does not move.
    DeadRail,
    /// Neither does: no converter that runs gives one value for a whole block.
    Constant,
}

/// Remembers blocks by their hash.
#[derive(Debug, Clone)]
pub struct Plausible {
    hashes: [u64; BLOCKS],
    next: usize,
}

impl Default for Plausible {
    fn default() -> Self {
        Self { hashes: [0; BLOCKS], next: 0 }
    }
}

impl Plausible {
    /// Looks at a block.
    pub fn look(&mut self, samples: &Samples) -> Option<Implausible> {
        let (hash, constant) = match samples {
            Samples::Cu8(s) => hash(bytemuck::cast_slice(s)),
            Samples::Ci8(s) => hash(bytemuck::cast_slice(s)),
            Samples::Ci16(s) => hash(bytemuck::cast_slice(s)),
            Samples::Cf32(s) => hash(bytemuck::cast_slice(s)),
        };
        if constant {
            return Some(Implausible::Constant);
        }
        if self.hashes.contains(&hash) {
            return Some(Implausible::Repeated);
        }
        self.hashes[self.next] = hash;
        self.next = (self.next + 1) % BLOCKS;
        let dead = match samples {
            Samples::Cu8(s) => dead_rail(s),
            Samples::Ci8(s) => dead_rail(s),
            Samples::Ci16(s) => dead_rail(s),
            Samples::Cf32(s) => dead_rail(s),
        };
        dead.then_some(Implausible::DeadRail)
    }
}

/// A hash of every eighth word (FNV-1a's step on 64-bit words, four lanes), never zero, and whether all words that
/// were taken are equal. At 2^64 values the chance of two noise blocks to collide within a day is 10^-9.
fn hash(bytes: &[u8]) -> (u64, bool) {
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    let mut lanes = [0xCBF2_9CE4_8422_2325u64; 4];
    let (mut first, mut constant) = (None, true);
    for (n, chunk) in bytes.chunks_exact(64).enumerate() {
        let mut word = [0; 8];
        word.copy_from_slice(&chunk[..8]);
        let word = u64::from_le_bytes(word);
        constant &= *first.get_or_insert(word) == word;
        let lane = &mut lanes[n % 4];
        *lane = (*lane ^ word).wrapping_mul(PRIME).rotate_left(29);
    }
    let mut hash = bytes.len() as u64;
    for lane in lanes {
        hash = (hash ^ lane).wrapping_mul(PRIME).rotate_left(31);
    }
    (hash | 1, constant)
}

/// Variances of both rails of every sixteenth sample.
fn dead_rail<T: ToComplex>(samples: &[T]) -> bool {
    let (mut sum, mut square, mut count) = ([0.0f64; 2], [0.0f64; 2], 0.0);
    for sample in samples.iter().step_by(16) {
        let value = sample.to_complex();
        for (rail, part) in [value.re, value.im].into_iter().enumerate() {
            sum[rail] += f64::from(part);
            square[rail] += f64::from(part) * f64::from(part);
        }
        count += 1.0;
    }
    if count < 16.0 {
        return false;
    }
    let variance = |rail: usize| square[rail] / count - (sum[rail] / count).powi(2);
    let (a, b) = (variance(0).max(0.0), variance(1).max(0.0));
    a.max(b) > 0.0 && a.min(b) < DEAD_RAIL * a.max(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::Rng;

    fn noise(seed: u64, scale: [i8; 2]) -> Samples {
        let mut rng = Rng::keyed(&[seed]);
        let part = |word: u64, scale: i8| (word % 13) as i8 * scale;
        let sample = |_| {
            let word = rng.next_u64();
            [part(word, scale[0]), part(word >> 20, scale[1])]
        };
        Samples::Ci8((0..4096).map(sample).collect())
    }

    #[test]
    fn noise_is_plausible_and_does_not_come_twice() {
        let mut plausible = Plausible::default();
        for seed in 0..2000 {
            assert_eq!(plausible.look(&noise(seed, [1, 1])), None);
        }
        for back in [0, 1, 31, 62, 500] {
            assert_eq!(
                plausible.look(&noise(1999 - back, [1, 1])),
                Some(Implausible::Repeated),
                "{back} back"
            );
        }
    }

    #[test]
    fn a_rail_that_does_not_move_is_dead() {
        let mut plausible = Plausible::default();
        assert_eq!(plausible.look(&noise(1, [1, 0])), Some(Implausible::DeadRail));
        assert_eq!(plausible.look(&noise(2, [0, 1])), Some(Implausible::DeadRail));
    }

    #[test]
    fn one_value_for_a_block_is_a_dead_converter() {
        let mut plausible = Plausible::default();
        for _ in 0..4 {
            assert_eq!(plausible.look(&noise(1, [0, 0])), Some(Implausible::Constant));
        }
    }
}
