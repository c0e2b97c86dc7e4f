//! Flat fading as a function of absolute time.

use num_complex::{Complex32, Complex64};

use super::Rng;
use super::waveform::ShotIq;

/// Paths that the scattered part is made of. Eight already look Gaussian (Jakes 1974, section 1.7).
const PATHS: usize = 16;
/// Points a Doppler period is resolved into; between them the gain is interpolated.
const POINTS: f64 = 64.0;

/// A steady path and scattered ones of random Doppler shift and phase, mean power 1 in all (Rice 1948, Clarke
/// 1968).
pub struct Scatter {
    steady: f64,
    scattered: f64,
    paths: [(f64, f64); PATHS],
    step_s: f64,
}

impl Scatter {
    /// `k_db`: power of the steady path over the scattered, dB.
    pub fn new(seed: u64, k_db: f64, doppler_hz: f64) -> Self {
        let mut rng = Rng::keyed(&[seed, 0xFAD1_0000]);
        let k = 10f64.powf(k_db / 10.0);
        let paths = std::array::from_fn(|_| {
            (doppler_hz * (std::f64::consts::TAU * rng.uniform()).cos(), rng.uniform())
        });
        let step_s = if doppler_hz > 0.0 { 1.0 / (POINTS * doppler_hz) } else { 1.0 };
        Self {
            steady: (k / (1.0 + k)).sqrt(),
            scattered: (1.0 / (1.0 + k) / PATHS as f64).sqrt(),
            paths,
            step_s,
        }
    }

    /// Multiplies a shot by the gain.
    pub fn apply(&self, iq: &mut ShotIq) {
        let mut node = f64::NAN;
        let (mut before, mut after) = (Complex64::ZERO, Complex64::ZERO);
        for (i, sample) in iq.samples.iter_mut().enumerate() {
            let at = (iq.first_s + i as f64 / iq.rate_hz) / self.step_s;
            if at.floor() != node {
                node = at.floor();
                before = self.gain(node * self.step_s);
                after = self.gain((node + 1.0) * self.step_s);
            }
            let gain = before + (after - before) * (at - node);
            *sample *= Complex32::new(gain.re as f32, gain.im as f32);
        }
    }

    fn gain(&self, at_s: f64) -> Complex64 {
        let scattered: Complex64 = self
            .paths
            .iter()
            .map(|(doppler_hz, turns)| {
                Complex64::cis(std::f64::consts::TAU * (doppler_hz * at_s + turns).fract())
            })
            .sum();
        scattered * self.scattered + self.steady
    }
}
