//! What the best detector could do: the radiometer (H. Urkowitz, "Energy detection of unknown deterministic
//! signals", Proc. IEEE 55, 1967), exactly.
//!
//! It sums the power of `n` = bandwidth × time independent complex samples, knows the noise, and knows where and when
//! to look; a real detector knows neither. The statistic is the mean of |x|² over the noise power, compared with a
//! ratio `g`.

/// Kind of signal, as the radiometer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistics {
    /// The energy in the box is fixed: constant envelope.
    Constant,
    /// Every sample is Gaussian: OFDM, noise.
    NoiseLike,
}

/// Natural logarithm of the gamma function, x > 0: Stirling's series with its arguments raised above 10, where five
/// terms are good to 1e-14 (Abramowitz and Stegun 6.1.41).
pub fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let series = (1.0 / 12.0 - z * (1.0 / 360.0 - z * (1.0 / 1260.0 - z * (1.0 / 1680.0 - z / 1188.0)))) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series
}

/// Regularised upper incomplete gamma function Q(a, x): series below x = a + 1 (Abramowitz and Stegun 6.5.29),
/// continued fraction above (6.5.31, evaluated by the method of Lentz, 1976).
pub fn gamma_q(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return (1.0 - scale * sum).clamp(0.0, 1.0);
    }
    let mut b = x + 1.0 - a;
    let mut c = f64::INFINITY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..100_000 {
        let an = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        fraction *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (scale * fraction).clamp(0.0, 1.0)
}

/// Generalised Marcum function Q_n(√(2a), √(2b)): the upper tail of a noncentral χ² of 2n degrees of freedom and
/// noncentrality 2a, at 2b. A Poisson mixture of central tails (Abramowitz and Stegun 26.4.25).
pub fn marcum_q(n: f64, a: f64, b: f64) -> f64 {
    // Beyond twelve standard deviations there is no weight left.
    let spread = 12.0 * (a.sqrt() + 1.0);
    let from = (a - spread).max(0.0).floor();
    let to = (a + spread).ceil();
    let mut ln_weight = if a > 0.0 { from * a.ln() - a - ln_gamma(from + 1.0) } else { 0.0 };
    let mut tail = gamma_q(n + from, b);
    let mut ln_step = (n + from) * b.ln() - b - ln_gamma(n + from + 1.0);
    let (mut sum, mut j) = (0.0, from);
    while j <= to {
        sum += ln_weight.exp() * tail;
        if a <= 0.0 {
            break;
        }
        // Q(n + j + 1, b) = Q(n + j, b) + b^(n+j) e^-b / Γ(n + j + 1)
        tail = (tail + ln_step.exp()).min(1.0);
        ln_step += (b / (n + j + 1.0)).ln();
        ln_weight += (a / (j + 1.0)).ln();
        j += 1.0;
    }
    sum.clamp(0.0, 1.0)
}

/// Threshold over the mean noise that noise exceeds with probability `false_alarm`.
pub fn threshold(n: f64, false_alarm: f64) -> f64 {
    bisect(0.0, 1.0 + 60.0 / n.sqrt() + 60.0 / n, |g| gamma_q(n, n * g) > false_alarm)
}

/// Probability that a signal `snr` (a ratio) over the noise exceeds `threshold`.
pub fn detection(n: f64, snr: f64, threshold: f64, statistics: Statistics) -> f64 {
    match statistics {
        Statistics::Constant => marcum_q(n, n * snr, n * threshold),
        Statistics::NoiseLike => gamma_q(n, n * threshold / (1.0 + snr)),
    }
}

/// Signal-to-noise ratio, dB, at which the radiometer detects with probability `wanted`.
pub fn snr_needed_db(n: f64, false_alarm: f64, wanted: f64, statistics: Statistics) -> f64 {
    let g = threshold(n, false_alarm);
    bisect(-40.0, 60.0, |db| detection(n, 10f64.powf(db / 10.0), g, statistics) < wanted)
}

/// Upper end of the 95 % confidence interval of a rate, per unit of `exposure`, after `count` events (F. Garwood,
/// Biometrika 28, 1936, one-sided): 3.0 / exposure after none.
pub fn rate_upper_95(count: u64, exposure: f64) -> f64 {
    let k = count as f64 + 1.0;
    bisect(0.0, k * 10.0 + 20.0, |mean| 1.0 - gamma_q(k, mean) < 0.95) / exposure
}

/// Wilson's 95 % interval of a proportion (E. B. Wilson, JASA 22, 1927).
pub fn proportion_95(hits: u64, of: u64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, z) = (of as f64, 1.959_964);
    let p = hits as f64 / n;
    let middle = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0))
}

/// Where `below` turns from true to false between `low` and `high`.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if below(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
