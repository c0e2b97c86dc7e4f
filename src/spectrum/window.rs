//! The analysis window and what it does to noise.

/// Shape parameter of the Kaiser window: side lobes from -63 dB downwards, 1.72 bins wide for noise (J. F. Kaiser
/// and R. W. Schafer, IEEE Trans. ASSP 28(1), 1980). A strong emitter in the room must not light up its
/// neighbours, and an 8-bit converter has little below that level. Wider windows (Blackman-Harris) look at the
/// samples between two half-overlapped frames with a tenth of the weight of the others, this one with a quarter.
const KAISER_BETA: f64 = 8.6;

/// Modified Bessel function of the first kind, order 0 (Abramowitz and Stegun 9.6.12), for |x| < 20.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..60 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

/// The periodic Kaiser window of `n` points.
pub fn kaiser(n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| {
            let x = 2.0 * i as f64 / n as f64 - 1.0;
            bessel_i0(KAISER_BETA * (1.0 - x * x).max(0.0).sqrt()) / bessel_i0(KAISER_BETA)
        })
        .collect()
}

/// Equivalent noise bandwidth in bins (Harris 1978, eq. 11).
pub fn noise_bandwidth_bins(window: &[f64]) -> f64 {
    let sum: f64 = window.iter().sum();
    let squares: f64 = window.iter().map(|w| w * w).sum();
    window.len() as f64 * squares / (sum * sum)
}

/// How far the power of white noise in a box of neighbouring bins and half-overlapped frames is correlated.
#[derive(Debug, Clone)]
pub struct Correlation {
    /// |ρ|² between bins `d` apart in the same frame.
    same: Vec<f64>,
    /// |ρ|² between bins `d` apart in frames half a window apart.
    next: Vec<f64>,
}

impl Correlation {
    /// Of `window`, up to the distance where nothing is left.
    pub fn of(window: &[f64]) -> Self {
        const REACH_BINS: usize = 8;
        let n = window.len();
        let squares: f64 = window.iter().map(|w| w * w).sum();
        let at = |shift: usize, bins: usize| {
            let (mut re, mut im) = (0.0, 0.0);
            for i in 0..n - shift {
                let product = window[i] * window[i + shift] / squares;
                let x = std::f64::consts::TAU * (bins * i) as f64 / n as f64;
                re += product * x.cos();
                im += product * x.sin();
            }
            re * re + im * im
        };
        Self {
            same: (0..REACH_BINS).map(|d| at(0, d)).collect(),
            next: (0..REACH_BINS).map(|d| at(n / 2, d)).collect(),
        }
    }

    /// Number of independent exponential variables whose mean has the variance of the mean over `bins` by
    /// `frames` cells of white noise: the shape of the gamma distribution that the mean follows closely.
    pub fn independent_cells(&self, bins: usize, frames: usize) -> f64 {
        let across = |row: &[f64]| {
            row.iter()
                .enumerate()
                .take(bins)
                .map(|(d, r)| if d == 0 { bins as f64 * r } else { 2.0 * (bins - d) as f64 * r })
                .sum::<f64>()
        };
        let variance = frames as f64 * across(&self.same) + 2.0 * (frames as f64 - 1.0) * across(&self.next);
        let cells = (bins * frames) as f64;
        cells * cells / variance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numerical evaluation of Kaiser's window at 8.6 elsewhere gives 1.72 bins.
    #[test]
    fn noise_bandwidth_is_that_of_the_table() {
        assert!((noise_bandwidth_bins(&kaiser(512)) - 1.72).abs() < 0.01);
    }

    /// One cell is one exponential; many frames of one bin are nearly independent (0.98 to 0.99);
    /// a wide box holds at most as many
    /// independent values as complex samples entered it (half its cells), less what the taper wastes.
    #[test]
    fn cells_are_counted_right_at_the_extremes() {
        let c = Correlation::of(&kaiser(256));
        assert!((c.independent_cells(1, 1) - 1.0).abs() < 1e-9);
        assert!((c.independent_cells(1, 100) / 100.0 - 0.985).abs() < 0.01);
        let wide = c.independent_cells(200, 100) / (200.0 * 100.0);
        assert!((0.38..0.5).contains(&wide), "{wide}");
    }
}
