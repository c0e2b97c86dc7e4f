//! Sub-audible signalling of walkie-talkies: a tone, or a code, under the voice.

use std::f64::consts::TAU;

/// Bits a second of digital squelch (TIA-603).
const DCS_BIT_RATE: f64 = 134.4;
/// Bits of a code word: Golay (23, 12).
const DCS_BITS: u64 = 23;
/// Generator of the Golay code, x^11 + x^9 + x^7 + x^6 + x^5 + x + 1 (Golay 1949).
const GOLAY: u32 = 0b1010_1110_0011;

/// Phase in radians that a tone of `freq_hz` and `deviation_hz` adds at `at_s`.
pub fn tone_phase(freq_hz: f64, deviation_hz: f64, at_s: f64) -> f64 {
    deviation_hz / freq_hz * (TAU * (freq_hz * at_s).fract()).sin()
}

/// A digital squelch code, repeated without end.
#[derive(Debug, Clone)]
pub struct Dcs {
    /// Sum of the levels of the bits before each bit, and of all at the end.
    sums: [f64; DCS_BITS as usize + 1],
}

impl Dcs {
    /// The code with these three octal digits as a number (0o023).
    pub fn new(code: u32) -> Self {
        let word = word(code);
        let mut sums = [0.0; DCS_BITS as usize + 1];
        for bit in 0..DCS_BITS as usize {
            // Least significant bit first; a one is the higher frequency.
            sums[bit + 1] = sums[bit] + if word >> bit & 1 == 1 { 1.0 } else { -1.0 };
        }
        Self { sums }
    }

    /// Phase in radians that the code adds at `at_s` with `deviation_hz`.
    pub fn phase(&self, deviation_hz: f64, at_s: f64) -> f64 {
        let position = at_s * DCS_BIT_RATE;
        let bit = position.floor();
        let words = (bit / DCS_BITS as f64).floor();
        let within = ((bit - words * DCS_BITS as f64) as usize).min(DCS_BITS as usize - 1);
        let (before, after) = (self.sums[within], self.sums[within + 1]);
        let levels = words * self.sums[DCS_BITS as usize] + before + (after - before) * (position - bit);
        TAU * deviation_hz / DCS_BIT_RATE * levels
    }
}

/// The 23 bits sent for a code: nine bits of code, the fixed bits 100, eleven of parity.
fn word(code: u32) -> u32 {
    let data = 0x800 | (code & 0x1FF);
    // The code word is a multiple of the generator, lowest power last sent: divide with the bits reversed.
    let mut rest = data.reverse_bits() >> 20 << 11;
    for bit in (11..23).rev() {
        if rest >> bit & 1 == 1 {
            rest ^= GOLAY << (bit - 11);
        }
    }
    (rest.reverse_bits() >> 21) << 12 | data
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Oracle: code words as lists of digital squelch codes print them (TIA-603 annex; 023 is 0x763813).
    #[test]
    fn code_words_are_the_published_ones() {
        assert_eq!(word(0o023), 0x76_3813);
        assert_eq!(word(0o025), 0x6B_7815);
    }

    /// Oracle: the bits' mean level times the deviation is the phase's mean slope. Tolerance 1e-6.
    #[test]
    fn phase_grows_by_the_bits_sent() {
        let dcs = Dcs::new(0o023);
        let word_s = 23.0 / DCS_BIT_RATE;
        let ones = f64::from(word(0o023).count_ones());
        let turns = (dcs.phase(500.0, 7.0 * word_s) - dcs.phase(500.0, 0.0)) / TAU;
        assert!((turns - 7.0 * word_s * 500.0 * (2.0 * ones - 23.0) / 23.0).abs() < 1e-6, "{turns}");
    }
}
