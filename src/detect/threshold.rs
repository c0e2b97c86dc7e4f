//! What a box of time-frequency cells must exceed to be more than noise.

use crate::spectrum::Correlation;

/// False-alarm probability per box looked at. At 20 MS/s some 4e7 boxes a second are looked at: one false burst
/// in about 40 minutes; an emitter takes three on one channel.
pub const FALSE_ALARM: f64 = 1e-11;

/// Least excess over the floor that counts, as a ratio, however many cells were averaged: 1.5 dB. Below it the
/// uncertainty of the floor itself decides (R. Tandra and A. Sahai, IEEE JSTSP 2(1), 2008).
pub const LEAST_EXCESS: f64 = 0.4;

/// Chance that noise beside an emission, marked with it by a wide box, counts as an emission of its own.
const BYSTANDER: f64 = 1e-7;

/// Quantile of the standard normal distribution (P. J. Acklam's bound of 1.2e-9 on the relative error is not
/// needed here: this is Abramowitz and Stegun 26.2.23 refined by one Newton step).
pub fn normal_quantile(upper_tail: f64) -> f64 {
    if upper_tail > 0.5 {
        return -normal_quantile(1.0 - upper_tail);
    }
    let t = (-2.0 * upper_tail.ln()).sqrt();
    let numerator = 2.515517 + 0.802853 * t + 0.010328 * t * t;
    let denominator = 1.0 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t;
    t - numerator / denominator
}

/// Upper quantile of the mean of `cells` independent exponential variables of mean 1: the gamma distribution by
/// the cube-root approximation (E. B. Wilson and M. M. Hilferty, PNAS 17, 1931), 0.6 dB above the exact value for
/// one cell at 1e-11 and closer for more.
pub fn mean_power_quantile(cells: f64, upper_tail: f64) -> f64 {
    let ninth = 1.0 / (9.0 * cells);
    let root = 1.0 - ninth + normal_quantile(upper_tail) * ninth.sqrt();
    root.max(0.0).powi(3)
}

/// Independent values in a box, by its width.
#[derive(Debug, Clone, Copy)]
pub struct Cells {
    one: f64,
    per_bin: f64,
}

impl Cells {
    /// For boxes as high as `frames` frames out of `bins` bins.
    pub fn new(correlation: &Correlation, bins: usize, frames: usize) -> Self {
        Self {
            one: correlation.independent_cells(1, frames),
            per_bin: correlation.independent_cells(bins, frames) / bins as f64,
        }
    }

    /// In a box of `width` bins, at least one.
    pub fn of(&self, width: usize) -> f64 {
        self.one + width.saturating_sub(1) as f64 * self.per_bin
    }

    /// What noise in a box of `width` bins exceeds its mean by no more than once in [`BYSTANDER`], as a ratio.
    pub fn excess_of_noise(&self, width: usize) -> f32 {
        (mean_power_quantile(self.of(width), BYSTANDER) - 1.0) as f32
    }
}

/// Thresholds on box sums, for boxes of 1, 2, 4, ... bins.
#[derive(Debug, Clone)]
pub struct Thresholds {
    /// Limit on the *sum* over the box of slab-mean powers normalised to the floor.
    pub sum: Vec<f32>,
}

impl Thresholds {
    /// For boxes as high as `frames` frames and as wide as 1, 2, 4, ... up to `bins` bins.
    pub fn new(correlation: &Correlation, bins: usize, frames: usize) -> Self {
        let widths = (0..).map(|level| 1usize << level).take_while(|w| *w <= bins);
        let sum = widths
            .map(|width| {
                let cells = correlation.independent_cells(width, frames);
                let limit = mean_power_quantile(cells, FALSE_ALARM).max(1.0 + LEAST_EXCESS);
                (limit * width as f64) as f32
            })
            .collect();
        Self { sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exact gamma quantiles (1/K times the inverse of the regularised incomplete gamma function), computed
    /// with 50 digits elsewhere: radio detection tables for K = 1, 4, 16, 64 at 1e-6, in dB.
    #[test]
    fn quantiles_lie_on_or_just_above_the_exact_ones() {
        for (cells, exact_db) in [(1.0, 11.40), (4.0, 7.27), (16.0, 4.25), (64.0, 2.33), (256.0, 1.22)] {
            let db = 10.0 * mean_power_quantile(cells, 1e-6).log10();
            assert!((-0.02..0.45).contains(&(db - exact_db)), "{cells}: {db} against {exact_db}");
        }
    }

    #[test]
    fn lower_quantiles_are_right_too() {
        // 25 % quantile of the mean of 4 and of 16 exponentials: 0.6338 and 0.8220.
        assert!((mean_power_quantile(4.0, 0.75) - 0.6338).abs() < 0.005);
        assert!((mean_power_quantile(16.0, 0.75) - 0.8220).abs() < 0.005);
    }
}
