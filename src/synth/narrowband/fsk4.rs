//! Four-level frequency shift keying: the modulation of digital walkie-talkies, continuous or in bursts.

use std::f64::consts::TAU;

use num_complex::Complex32;

use super::pulse::{Pulse, REACH};
use crate::synth::Rng;

/// Symbols to a carrier.
#[derive(Debug, Clone)]
pub struct Modulator {
    /// Symbols a second.
    pub symbol_rate: f64,
    /// Deviation of symbol 1, hertz; symbol 3 has three times as much.
    pub unit_hz: f64,
    /// Shape of a symbol's frequency.
    pub pulse: Pulse,
}

impl Modulator {
    /// Rate of its samples, hertz.
    pub fn rate_hz(&self) -> f64 {
        self.symbol_rate * self.pulse.sps as f64
    }

    /// IQ of `middle`, with the symbols before and after it that overlap. All symbols before `before` add up to
    /// zero with it, as do those of `middle`; the phase at the beginning follows from that alone, so that pieces
    /// join.
    pub fn continuous(&self, before: &[i8], middle: &[i8], after: &[i8]) -> Vec<Complex32> {
        let row: Vec<i8> = before.iter().chain(middle).chain(after).copied().collect();
        let sps = self.pulse.sps;
        let first = before.len() * sps;
        let tap_sum: f64 = self.pulse.taps.iter().sum();
        // Phase gained by the end of the sample before the first: the past's symbols are through, save for the
        // tails of those near.
        let mut gained = 0.0;
        for (k, symbol) in row.iter().enumerate() {
            let passed = (first + REACH * sps) as i64 - (k * sps) as i64;
            let passed = passed.clamp(0, self.pulse.taps.len() as i64) as usize;
            let share: f64 = self.pulse.taps[..passed].iter().sum();
            gained += f64::from(*symbol) * if k < before.len() { share - tap_sum } else { share };
        }
        self.modulate(&row, first, middle.len() * sps, gained)
    }

    /// IQ of a burst of `symbols` with `extra` samples of carrier before and after.
    pub fn burst(&self, symbols: &[i8], extra: usize) -> Vec<Complex32> {
        let sps = self.pulse.sps;
        let silent = REACH + extra.div_ceil(sps) + 1;
        let row: Vec<i8> = [vec![0; silent], symbols.to_vec(), vec![0; silent]].concat();
        self.modulate(&row, silent * sps - extra, symbols.len() * sps + 2 * extra, 0.0)
    }

    /// Samples `first` and on of a row of symbols, whose first is centred half a symbol after sample 0, beginning
    /// with the phase that `gained` units of frequency times samples give.
    fn modulate(&self, row: &[i8], first: usize, len: usize, gained: f64) -> Vec<Complex32> {
        let sps = self.pulse.sps;
        let step = TAU * self.unit_hz / self.rate_hz();
        let mut phase = (gained * step).rem_euclid(TAU);
        (first..first + len)
            .map(|n| {
                let last = (n / sps + REACH).min(row.len() - 1);
                let earliest = (n / sps).saturating_sub(REACH);
                let mut level = 0.0;
                for (k, symbol) in row.iter().enumerate().take(last + 1).skip(earliest) {
                    if let Some(tap) =
                        (n + REACH * sps).checked_sub(k * sps).and_then(|i| self.pulse.taps.get(i))
                    {
                        level += f64::from(*symbol) * tap;
                    }
                }
                phase = (phase + step * level) % TAU;
                Complex32::from_polar(1.0, phase as f32)
            })
            .collect()
    }
}

/// `n` random symbols.
pub fn random(rng: &mut Rng, n: usize) -> Vec<i8> {
    (0..n).map(|_| [-3, -1, 1, 3][rng.below(4) as usize]).collect()
}

/// Changes the signs of some of `payload` so that together with `fixed` it adds up to zero, as far as it can.
pub fn balance(rng: &mut Rng, fixed: &[i8], payload: &mut [i8]) {
    let sum = |symbols: &[i8]| symbols.iter().map(|s| i32::from(*s)).sum::<i32>();
    let mut rest = sum(fixed) + sum(payload);
    // Each turn moves the sum by 2 or 6; a hundred times the symbols is far more than is ever needed.
    for _ in 0..100 * payload.len() {
        if rest == 0 {
            break;
        }
        let symbol = &mut payload[rng.below(payload.len() as u64) as usize];
        let moved = rest - 2 * i32::from(*symbol);
        if moved.abs() < rest.abs() {
            *symbol = -*symbol;
            rest = moved;
        }
    }
}

/// Symbols of a hexadecimal word, two bits each: 01 is +3, 00 is +1, 10 is -1, 11 is -3, the mapping that DMR
/// (ETSI TS 102 361-1, 10.2.2), dPMR (TS 102 658), NXDN and P25 (TIA-102.BAAA) share.
pub fn symbols(word: u64, bits: u32) -> Vec<i8> {
    (0..bits / 2).rev().map(|i| [1, 3, -1, -3][(word >> (2 * i) & 3) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_blocks_add_up_to_zero() {
        let mut rng = Rng::new(8);
        for n in [132, 144, 192, 864] {
            let fixed = symbols(0x5575_F5FF_77FF, 48);
            let mut payload = random(&mut rng, n - fixed.len());
            balance(&mut rng, &fixed, &mut payload);
            let sum: i32 = fixed.iter().chain(&payload).map(|s| i32::from(*s)).sum();
            assert_eq!(sum, 0, "{n} symbols");
        }
    }

    /// Oracle: an endless row of symbol 3 has three units of deviation. Tolerance 1 Hz.
    #[test]
    fn a_row_of_the_highest_symbol_is_a_line() {
        let pulse = Pulse::root_raised_cosine(10, 0.2);
        let modulator = Modulator { symbol_rate: 4800.0, unit_hz: 648.0, pulse };
        let iq = modulator.burst(&[3; 60], 0);
        let turn = (iq[400] * iq[300].conj()).arg();
        let expected = (TAU * 1944.0 * 100.0 / 48e3).rem_euclid(TAU);
        let expected = if expected > std::f64::consts::PI { expected - TAU } else { expected };
        assert!((f64::from(turn) - expected).abs() < TAU * 100.0 / 48e3, "{turn} {expected}");
    }

    /// Oracle: the same symbols in one piece. Tolerance 1e-4 of full scale.
    #[test]
    fn pieces_join_without_a_seam() {
        let modulator =
            Modulator { symbol_rate: 4800.0, unit_hz: 648.0, pulse: Pulse::root_raised_cosine(10, 0.2) };
        let mut rng = Rng::new(2);
        let mut block = || {
            let mut symbols = random(&mut rng, 144);
            balance(&mut rng.clone(), &[], &mut symbols);
            rng.next_u64();
            symbols
        };
        let [a, b, c, d] = [block(), block(), block(), block()];
        let apart = [modulator.continuous(&a, &b, &c), modulator.continuous(&b, &c, &d)].concat();
        let joined = modulator.continuous(&a, &[b, c].concat(), &d);
        assert_eq!(apart.len(), joined.len());
        for (n, (x, y)) in apart.iter().zip(&joined).enumerate() {
            assert!((x - y).norm() < 1e-4, "sample {n}");
        }
    }
}
