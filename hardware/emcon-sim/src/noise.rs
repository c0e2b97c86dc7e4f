//! Noise of the converter and of jammers: drawn once, then read from a place that the sample's number tells.
//!
//! The noise of a scene is the renderer's own and never repeats. This one lies on top of it, and must cost nothing.

use std::sync::OnceLock;

use emcon::synth::Rng;
use num_complex::Complex32;

/// Samples drawn: 1 MiB, which stays in a cache of the second level.
const DRAWN: usize = 1 << 17;

/// Adds noise of mean power `amplitude`² to `out`, whose first sample has number `first`. Cutting changes nothing.
pub fn add(key: u64, first: u64, amplitude: f32, out: &mut [Complex32]) {
    let bank = bank();
    let mut at = first;
    let mut rest = out;
    while !rest.is_empty() {
        let (turn, within) = (at / DRAWN as u64, (at % DRAWN as u64) as usize);
        // Each turn through the bank begins elsewhere, so that no period of it shows.
        let begin = Rng::keyed(&[key, turn]).below(DRAWN as u64) as usize;
        let from = (begin + within) % DRAWN;
        let n = (DRAWN - from).min(DRAWN - within).min(rest.len());
        let (head, tail) = rest.split_at_mut(n);
        for (sample, noise) in head.iter_mut().zip(&bank[from..from + n]) {
            *sample += noise * amplitude;
        }
        rest = tail;
        at += n as u64;
    }
}

/// Circular Gaussian samples of mean power 1.
fn bank() -> &'static [Complex32] {
    static BANK: OnceLock<Vec<Complex32>> = OnceLock::new();
    BANK.get_or_init(|| {
        let mut rng = Rng::new(0xADC);
        let mut rail = || (rng.normal() * std::f64::consts::FRAC_1_SQRT_2) as f32;
        (0..DRAWN).map(|_| Complex32::new(rail(), rail())).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Oracle: mean power by definition; tolerance 2 %, six standard deviations of 2^17 samples.
    #[test]
    fn noise_has_its_power_and_does_not_depend_on_cuts() {
        let mut whole = vec![Complex32::ZERO; 300_000];
        add(7, 1_000_003, 0.5, &mut whole);
        let power = whole.iter().map(|sample| sample.norm_sqr()).sum::<f32>() / whole.len() as f32;
        assert!((power - 0.25).abs() < 0.005, "{power}");
        let mut cut = vec![Complex32::ZERO; 300_000];
        let (head, tail) = cut.split_at_mut(77_777);
        add(7, 1_000_003, 0.5, head);
        add(7, 1_000_003 + 77_777, 0.5, tail);
        assert!(whole == cut);
    }
}
