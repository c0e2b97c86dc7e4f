//! Whether samples can be what a receiver hears: not the same block again, not one rail dead, not one value for ever.
//!
//! Noise never repeats: two equal blocks are a driver that hands out old buffers (as librtlsdr does after some
//! unplugs), unless a block holds so little that another may equal it by chance. A converter whose noise is a tenth of
//! its step gives one value for as long as nothing is on the air, and works: what proves that it is stuck is that
//! nothing changes for far longer than ever before, and that a rail is dead, that it stands while the other moves by
//! more than a step, again and again. Clipping and values that are no numbers are the pipeline's own business.

use crate::iq::{Samples, ToComplex};

/// Blocks back to which a block is compared: four times the deepest driver ring (15 transfers of 131072 samples) in blocks
/// of 16384.
const BLOCKS: usize = 512;

/// Different words of those that are hashed, from which two blocks are not equal by chance: the rarer ones are one in
/// a hundred each, so that thirty of them in the same places are less than 10^-50. A line without any noise has as few
/// as its period has samples: up to 15 where frequencies are multiples of 10 kHz, at 2.4 MS/s.
const TELLING: u32 = 32;

/// Samples of one value that are a stuck converter, seconds, where it never stood for as long: looking for two thirds of
/// the time it is told within a second.
const STUCK_S: f64 = 0.4;

/// How much longer than ever before it must stand, and for how long at most, seconds. Of the stretches of silence between
/// events that come by chance none in a hundred thousand is four times the longest of the ten before it.
const LONGER: u64 = 4;
/// See [`LONGER`].
const STUCK_MOST_S: f64 = 10.0;

/// Values that a rail takes within a block when it moves by more than a step. Noise that does has a standard deviation
/// of a seventh of a step or more: it goes over both edges of a step within some thousand samples.
const MOVING: usize = 3;

/// Power of the weaker rail over that of the stronger, below which it stands though it takes more than one value: 40 dB.
/// A receiver's imbalance is within 1 dB.
const DEAD_RAIL: f64 = 1e-4;

/// Blocks in which one rail moves by more than a step and the other stands, for that to be dead. With noise as that of
/// the moving rail it would stand in three of a hundred; what is left is a line that turns by less than a step.
const RAIL_BLOCKS: u32 = 64;

/// What is wrong with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Implausible {
    /// It is a block that came before.
    Repeated,
    /// One of the two rails does not move.
    DeadRail,
    /// Neither does, for too long.
    Constant,
}

/// Remembers blocks by their hash, and how the rails moved.
#[derive(Debug, Clone)]
pub struct Plausible {
    rate_hz: f64,
    hashes: [u64; BLOCKS],
    next: usize,
    /// The latest sample's bits, and how many there were of its value.
    value: [u32; 2],
    still: u64,
    /// The longest such stretch that ended.
    longest: u64,
    /// By rail: blocks in which it stood while the other moved, since it last moved.
    stood: [u32; 2],
}

impl Plausible {
    /// For samples at `rate_hz`.
    pub fn new(rate_hz: f64) -> Self {
        Self { rate_hz, hashes: [0; BLOCKS], next: 0, value: [0; 2], still: 0, longest: 0, stood: [0; 2] }
    }

    /// Looks at a block.
    pub fn look(&mut self, samples: &Samples) -> Option<Implausible> {
        match samples {
            Samples::Cu8(s) => self.block(s),
            Samples::Ci8(s) => self.block(s),
            Samples::Ci16(s) => self.block(s),
            Samples::Cf32(s) => self.block(s),
        }
    }

    fn block<T: ToComplex + bytemuck::NoUninit>(&mut self, samples: &[T]) -> Option<Implausible> {
        let first = bits(samples.first()?);
        let values = values(samples);
        if self.is_stuck(first, values == [1, 1], samples.len()) {
            return Some(Implausible::Constant);
        }
        let (hash, words) = hash(bytemuck::cast_slice(samples));
        let telling = words >= TELLING;
        if telling && self.hashes.contains(&hash) {
            return Some(Implausible::Repeated);
        }
        if telling {
            self.hashes[self.next] = hash;
            self.next = (self.next + 1) % BLOCKS;
        }
        self.has_dead_rail(samples, values).then_some(Implausible::DeadRail)
    }

    /// Whether nothing has changed for too long, `len` samples more of which begin with `first`; `constant` if all are.
    fn is_stuck(&mut self, first: [u32; 2], constant: bool, len: usize) -> bool {
        let goes_on = first == self.value;
        let limit = self.limit();
        if !(constant && goes_on) {
            // What was no silence says nothing of how long those last.
            if self.still < limit {
                self.longest = self.longest.max(self.still);
            }
            self.still = 0;
        }
        if constant {
            self.value = first;
            self.still += len as u64;
        }
        self.still >= self.limit()
    }

    /// Samples of one value that are a stuck converter.
    fn limit(&self) -> u64 {
        let least = (STUCK_S * self.rate_hz) as u64;
        least.max((LONGER * self.longest).min((STUCK_MOST_S * self.rate_hz) as u64))
    }

    fn has_dead_rail<T: ToComplex>(&mut self, samples: &[T], values: [usize; 2]) -> bool {
        let powers = powers(samples);
        for rail in 0..2 {
            let (own, other) = (powers[rail], powers[1 - rail]);
            let faint = 0.0 < own && own < DEAD_RAIL * other;
            if values[rail] > 1 && !faint {
                self.stood[rail] = 0;
            } else if values[1 - rail] >= MOVING {
                self.stood[rail] = self.stood[rail].saturating_add(1);
            }
        }
        self.stood.iter().any(|blocks| *blocks >= RAIL_BLOCKS)
    }
}

fn bits<T: ToComplex>(sample: &T) -> [u32; 2] {
    let value = sample.to_complex();
    [value.re.to_bits(), value.im.to_bits()]
}

/// How many values each rail takes, no more than [`MOVING`] of them counted.
fn values<T: ToComplex>(samples: &[T]) -> [usize; 2] {
    let mut seen = [[0; MOVING]; 2];
    let mut count = [0; 2];
    for sample in samples {
        let part = bits(sample);
        for rail in 0..2 {
            if count[rail] < MOVING && !seen[rail][..count[rail]].contains(&part[rail]) {
                seen[rail][count[rail]] = part[rail];
                count[rail] += 1;
            }
        }
        if count == [MOVING; 2] {
            break;
        }
    }
    count
}

/// A hash of every eighth word (FNV-1a's step on 64-bit words, four lanes), never zero, and about how many different
/// ones there are, up to a thousand. At 2^64 values the chance of two noise blocks to collide within a day is 10^-9.
fn hash(bytes: &[u8]) -> (u64, u32) {
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    let mut lanes = [0xCBF2_9CE4_8422_2325u64; 4];
    // One bit of 1024 for each value: the upper bits of a multiplicative hash (Knuth, volume 3, 6.4).
    let mut kinds = [0u64; 16];
    for (n, chunk) in bytes.chunks_exact(64).enumerate() {
        let mut word = [0; 8];
        word.copy_from_slice(&chunk[..8]);
        let word = u64::from_le_bytes(word);
        let kind = (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize;
        kinds[kind / 64] |= 1 << (kind % 64);
        let lane = &mut lanes[n % 4];
        *lane = (*lane ^ word).wrapping_mul(PRIME).rotate_left(29);
    }
    let mut hash = bytes.len() as u64;
    for lane in lanes {
        hash = (hash ^ lane).wrapping_mul(PRIME).rotate_left(31);
    }
    (hash | 1, kinds.iter().map(|kinds| kinds.count_ones()).sum())
}

/// Variances of both rails of every sixteenth sample.
fn powers<T: ToComplex>(samples: &[T]) -> [f64; 2] {
    let (mut sum, mut square, mut count) = ([0.0f64; 2], [0.0f64; 2], 0.0);
    for sample in samples.iter().step_by(16) {
        let value = sample.to_complex();
        for (rail, part) in [value.re, value.im].into_iter().enumerate() {
            sum[rail] += f64::from(part);
            square[rail] += f64::from(part) * f64::from(part);
        }
        count += 1.0;
    }
    [0, 1].map(|rail| (square[rail] / count - (sum[rail] / count).powi(2)).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::Rng;
    use std::ops::Range;

    const RATE_HZ: f64 = 2.4e6;
    const BLOCK: usize = 4096;

    /// Noise of `steps` of the converter's by rail, round and about `middle` steps.
    fn noise(seed: u64, steps: [f64; 2], middle: f64) -> Samples {
        let mut rng = Rng::keyed(&[seed]);
        // Of nearly normal distribution: twelve uniform ones.
        let mut normal =
            || (0..12).map(|_| (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 6.0;
        let mut part = |steps: f64| (middle + steps * normal()).round() as i8;
        Samples::Ci8((0..BLOCK).map(|_| [part(steps[0]), part(steps[1])]).collect())
    }

    /// What is said of `blocks` blocks, and after how many samples first.
    fn told(plausible: &mut Plausible, blocks: Range<u64>, steps: [f64; 2]) -> Option<(f64, Implausible)> {
        let from = blocks.start;
        let mut found = blocks.filter_map(|seed| {
            let said = plausible.look(&noise(seed, steps, 0.0))?;
            Some(((seed + 1 - from) as f64 * BLOCK as f64 / RATE_HZ, said))
        });
        found.next()
    }

    #[test]
    fn noise_is_plausible_and_does_not_come_twice() {
        let mut plausible = Plausible::new(RATE_HZ);
        assert_eq!(told(&mut plausible, 0..1000, [2.0, 2.0]), None);
        for back in [0, 1, 31, 62, 500] {
            let said = plausible.look(&noise(999 - back, [2.0, 2.0], 0.0));
            assert_eq!(said, Some(Implausible::Repeated), "{back} back");
        }
    }

    /// Some seconds of noise that leaves none, few or most blocks without any change.
    #[test]
    fn a_receiver_that_hears_little_works() {
        for thousandths in [0.0, 70.0, 100.0, 120.0, 150.0, 200.0, 300.0, 500.0] {
            let steps = thousandths / 1e3;
            let mut plausible = Plausible::new(RATE_HZ);
            for seed in 0..1500 {
                // Every tenth block holds something, as one tuning in some does.
                let heard = if seed % 100 < 10 { 2.0 } else { steps };
                let said = plausible.look(&noise(seed, [heard, heard], 0.2));
                assert_eq!(said, None, "{thousandths} {seed}");
            }
        }
    }

    /// A line without noise, of a period that divides a block: the same samples again and again.
    #[test]
    fn a_pure_line_is_no_repetition() {
        let mut plausible = Plausible::new(RATE_HZ);
        let part = |n: usize, turn: f64| {
            (2.3 * (std::f64::consts::TAU * (0.3 * n as f64 + turn)).cos()).round() as i8
        };
        for block in 0..64 {
            let samples = (block * BLOCK..(block + 1) * BLOCK).map(|n| [part(n, 0.0), part(n, -0.25)]);
            assert_eq!(plausible.look(&Samples::Ci8(samples.collect())), None, "{block}");
        }
    }

    #[test]
    fn a_rail_that_does_not_move_is_dead() {
        for (steps, live) in [([0.4, 0.0], [0.4, 0.4]), ([0.0, 20.0], [20.0, 20.0])] {
            let mut plausible = Plausible::new(RATE_HZ);
            assert_eq!(told(&mut plausible, 0..200, live), None);
            let (after_s, said) = told(&mut plausible, 200..600, steps).unwrap();
            assert_eq!(said, Implausible::DeadRail);
            assert!(after_s < 0.5, "{after_s}");
            assert_eq!(told(&mut plausible, 600..700, live), None);
        }
    }

    #[test]
    fn one_value_for_most_of_a_second_is_a_dead_converter() {
        let mut plausible = Plausible::new(RATE_HZ);
        for round in 0..3 {
            let from = 10_000 * round;
            assert_eq!(told(&mut plausible, from..from + 300, [1.0, 1.0]), None);
            let (after_s, said) = told(&mut plausible, from + 300..from + 900, [0.0, 0.0]).unwrap();
            assert_eq!(said, Implausible::Constant);
            assert!((0.3..0.5).contains(&after_s), "{after_s}");
        }
    }

    #[test]
    fn a_receiver_that_was_silent_before_is_given_longer() {
        let mut plausible = Plausible::new(RATE_HZ);
        let blocks = |seconds: f64| (seconds * RATE_HZ / BLOCK as f64) as u64;
        assert_eq!(told(&mut plausible, 0..blocks(0.35), [0.0, 0.0]), None);
        assert_eq!(told(&mut plausible, 1000..1010, [1.0, 1.0]), None);
        assert_eq!(told(&mut plausible, 2000..2000 + blocks(1.3), [0.0, 0.0]), None);
        assert!(told(&mut plausible, 0..blocks(0.3), [0.0, 0.0]).is_some());
    }
}
