//! Linear chirps: the product of a chirp with its own delayed conjugate is a tone at slope times delay, whatever
//! its phase and start. LoRa (Semtech AN1200.22) sweeps its bandwidth B in 2^SF/B; with a delay of 8/B a symbol
//! holds 8 periods of the tone and the jump back at the band's edge is a whole number of turns.

use super::plans::{LONGEST, Plans};
use num_complex::{Complex32, Complex64};
use std::f64::consts::TAU;

/// Delay times bandwidth.
const DELAY_TURNS: f64 = 8.0;
/// Share of the tone's frequency within which its power is counted: symbols are 8 periods long and jump in phase.
const NEIGHBOURHOOD: f64 = 0.25;

/// Looks for a chirp.
pub struct Dechirper {
    buffer: Vec<Complex32>,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chirp {
    /// Hertz a second.
    pub slope_hz_per_s: f64,
    /// Share of the energy explained.
    pub fit: f64,
}

impl Dechirper {
    /// With memory for the longest transform.
    pub fn new() -> Self {
        Self { buffer: Vec::with_capacity(LONGEST) }
    }

    /// The chirp in `x`, of `bandwidth_hz`. `None` if too short to tell.
    pub fn chirp(
        &mut self,
        plans: &mut Plans,
        x: &[Complex32],
        rate_hz: f64,
        bandwidth_hz: f64,
    ) -> Option<Chirp> {
        let delay = (DELAY_TURNS / bandwidth_hz * rate_hz).round() as usize;
        let x = &x[..x.len().min(LONGEST)];
        if delay == 0 || x.len() < 8 * delay {
            return None;
        }
        let count = x.len() - delay;
        let n = plans.size_for(count);
        self.buffer.clear();
        let step = Complex64::cis(TAU / count as f64);
        let mut turn = Complex64::new(1.0, 0.0);
        for (a, b) in x.iter().zip(&x[delay..]) {
            let product = b * a.conj();
            let window = 0.5 - 0.5 * turn.re as f32;
            turn *= step;
            self.buffer.push(product / (product.norm() + 1e-20) * window);
        }
        self.buffer.resize(n, Complex32::default());
        plans.forward(&mut self.buffer);
        self.peak(rate_hz / n as f64, n as f64 / count as f64, delay as f64 / rate_hz)
    }

    fn peak(&self, bin_hz: f64, padding: f64, delay_s: f64) -> Option<Chirp> {
        let n = self.buffer.len();
        let total: f64 = self.buffer.iter().map(|b| f64::from(b.norm_sqr())).sum();
        if total <= 0.0 || total.is_nan() {
            return None;
        }
        // Tones are at zero: leave out its main lobe, and what has fewer than six periods in all.
        let nearest = (6.0 * padding).ceil() as usize;
        let power = |k: i64| f64::from(self.buffer[k.rem_euclid(n as i64) as usize].norm_sqr());
        let (mut best, mut highest) = (0i64, 0.0);
        for k in nearest as i64..(n / 2) as i64 {
            for k in [k, -k] {
                // Symbols spread the tone by an eighth of its frequency: three bins are compared as one.
                let p = power(k - 1) + power(k) + power(k + 1);
                if p > highest {
                    (best, highest) = (k, p);
                }
            }
        }
        let reach = ((best.abs() as f64 * NEIGHBOURHOOD) as i64).max(2);
        let (mut sum, mut weighted) = (0.0, 0.0);
        for k in best - reach..=best + reach {
            sum += power(k);
            weighted += power(k) * k as f64;
        }
        let middle = if sum > 0.0 { weighted / sum } else { best as f64 };
        Some(Chirp { slope_hz_per_s: middle * bin_hz / delay_s, fit: (sum / total).min(1.0) })
    }
}
