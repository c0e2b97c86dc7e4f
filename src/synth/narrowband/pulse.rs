//! Pulse shapes of digital radio, from the frequency responses that standards give.

use std::f64::consts::PI;

/// Reach of a pulse on either side, symbols.
pub const REACH: usize = 10;

/// A pulse sampled `sps` times a symbol, unit gain at frequency zero: an endless row of ones gives one.
#[derive(Debug, Clone)]
pub struct Pulse {
    /// Samples a symbol.
    pub sps: usize,
    /// Samples from `-REACH` to `REACH` symbols, both included.
    pub taps: Vec<f64>,
}

impl Pulse {
    /// By its response at frequencies in cycles a symbol; nothing lies beyond `highest`.
    pub fn of_response(sps: usize, highest: f64, response: impl Fn(f64) -> f64) -> Self {
        const POINTS: usize = 400;
        let reach = (REACH * sps) as i64;
        let mut taps: Vec<f64> = (-reach..=reach)
            .map(|n| {
                let t = n as f64 / sps as f64;
                let sum: f64 = (0..POINTS)
                    .map(|i| {
                        let f = (i as f64 + 0.5) / POINTS as f64 * highest;
                        response(f) * (2.0 * PI * f * t).cos()
                    })
                    .sum();
                // A gentle taper: cut off, the tails would ring outside the channel.
                sum * (0.5 * PI * n as f64 / (reach + 1) as f64).cos()
            })
            .collect();
        let gain = sps as f64 / taps.iter().sum::<f64>();
        taps.iter_mut().for_each(|tap| *tap *= gain);
        Self { sps, taps }
    }

    /// Root raised cosine of roll-off `alpha`.
    pub fn root_raised_cosine(sps: usize, alpha: f64) -> Self {
        Self::of_response(sps, 0.5 * (1.0 + alpha), |f| raised_cosine(f, alpha).sqrt())
    }
}

/// Response of a raised cosine of roll-off `alpha` at `f` cycles a symbol.
pub fn raised_cosine(f: f64, alpha: f64) -> f64 {
    let (from, to) = (0.5 * (1.0 - alpha), 0.5 * (1.0 + alpha));
    if f <= from {
        1.0
    } else if f >= to {
        0.0
    } else {
        0.5 + 0.5 * (PI * (f - from) / alpha).cos()
    }
}
