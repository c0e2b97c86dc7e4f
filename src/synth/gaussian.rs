//! Receiver noise as a function of the sample's number: complex Gaussian, any stretch at any time, at the speed
//! of the memory it is written to.
//!
//! A generator with a state would have to be run from the beginning of the scene to reach a moment; here each
//! sample hashes its own number and transforms the two words it gets (Box and Muller 1958), in a loop that the
//! compiler turns into vector instructions. No table and no branch, hence no bend in the tails: 31 bits reach
//! 6.5 standard deviations.

use multiversion::multiversion;
use num_complex::Complex32;

use super::Rng;

/// Samples that share one set of keys. A power of two.
const KEYED: u64 = 1 << 16;

/// Keys of one stretch of [`KEYED`] samples.
#[derive(Clone, Copy)]
struct Keys {
    counter: u32,
    radius: u32,
    angle: u32,
}

/// Adds noise of `amplitude` (root of its mean power) to `out`, whose first sample is number `first` of the
/// stream `key`.
pub fn add(key: u64, first: u64, amplitude: f32, out: &mut [Complex32]) {
    let mut at = first;
    let mut rest = out;
    while !rest.is_empty() {
        let inside = at % KEYED;
        let n = rest.len().min((KEYED - inside) as usize);
        let (head, tail) = rest.split_at_mut(n);
        let mut rng = Rng::keyed(&[key, at / KEYED]);
        let (a, b) = (rng.next_u64(), rng.next_u64());
        let keys = Keys { counter: a as u32, radius: (a >> 32) as u32, angle: b as u32 };
        add_keyed(keys, inside as u32, amplitude, head);
        rest = tail;
        at += n as u64;
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.1", "aarch64+neon"))]
fn add_keyed(keys: Keys, first: u32, amplitude: f32, out: &mut [Complex32]) {
    let power = amplitude * amplitude;
    for (i, sample) in out.iter_mut().enumerate() {
        let counter = scramble((first + i as u32) ^ keys.counter);
        let (re, im) = normal_pair(
            scramble(counter ^ keys.radius),
            scramble(counter.rotate_left(16) ^ keys.angle),
            power,
        );
        sample.re += re;
        sample.im += im;
    }
}

/// A bijection of 32-bit words whose output bits each depend on all input bits (multiply and shift rounds, the
/// constants found by C. Wellons's search for low bias, "lowbias32", 2018).
#[inline(always)]
fn scramble(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// Two independent normal values whose squares add up to `power` on average.
#[inline(always)]
fn normal_pair(radius: u32, angle: u32, power: f32) -> (f32, f32) {
    let uniform = ((radius >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
    let r = (-power * ln(uniform)).max(0.0).sqrt();
    // 30 bits turn within a quarter about the real axis, the other two choose the quarter.
    let z = (((angle << 2) as i32) >> 2) as f32 * (std::f32::consts::FRAC_PI_4 / 536_870_912.0);
    let z2 = z * z;
    let sin = z * (1.0 + z2 * (-1.0 / 6.0 + z2 * (1.0 / 120.0 - z2 * (1.0 / 5040.0))));
    let cos = 1.0 + z2 * (-0.5 + z2 * (1.0 / 24.0 + z2 * (-1.0 / 720.0 + z2 * (1.0 / 40320.0))));
    let swap = angle & (1 << 30) != 0;
    let (a, b) = if swap { (sin, cos) } else { (cos, sin) };
    let sign = if angle & (1 << 31) != 0 { -r } else { r };
    (sign * a, sign * b)
}

/// Natural logarithm of a positive normal float, to 1e-7 of its value: ln(m 2^e) = e ln 2 + 2 artanh((m-1)/(m+1)).
#[inline(always)]
fn ln(x: f32) -> f32 {
    // Mantissa into [sqrt(1/2), sqrt(2)), where the series is shortest.
    let bits = x.to_bits() as i32 - 0x3F35_04F3;
    let exponent = bits >> 23;
    let m = f32::from_bits(((bits & 0x007F_FFFF) + 0x3F35_04F3) as u32);
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    exponent as f32 * std::f32::consts::LN_2
        + 2.0 * s * (1.0 + s2 * (1.0 / 3.0 + s2 * (1.0 / 5.0 + s2 * (1.0 / 7.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(key: u64, first: u64, n: usize) -> Vec<Complex32> {
        let mut out = vec![Complex32::ZERO; n];
        add(key, first, std::f32::consts::SQRT_2, &mut out);
        out
    }

    /// Oracle: the normal distribution; two-sided tail masses from tables of the error function. Tolerance:
    /// four standard deviations of the binomial count.
    #[test]
    fn tails_are_those_of_the_normal_distribution() {
        let tails = [
            (1.0, 0.317_310_5),
            (2.0, 0.045_500_3),
            (3.0, 2.699_796e-3),
            (4.0, 6.334_248e-5),
            (4.5, 6.795_346e-6),
            (5.0, 5.733_031e-7),
        ];
        let n = 20_000_000usize;
        let mut counts = [0u64; 6];
        let mut moments = [0f64; 4];
        for block in 0..20u64 {
            for sample in noise(5, block << 20, n / 20) {
                for value in [sample.re, sample.im] {
                    let x = f64::from(value);
                    for (moment, power) in moments.iter_mut().zip([x, x * x, x * x * x, x * x * x * x]) {
                        *moment += power;
                    }
                    for (count, (limit, _)) in counts.iter_mut().zip(tails) {
                        *count += u64::from(x.abs() > limit);
                    }
                }
            }
        }
        let total = 2.0 * n as f64;
        for (count, (limit, mass)) in counts.iter().zip(tails) {
            let expected = total * mass;
            let deviation = (*count as f64 - expected).abs() / expected.sqrt();
            assert!(deviation < 4.0, "beyond {limit} sigma: {count}, expected {expected:.1}");
        }
        let [mean, variance, skew, kurtosis] = moments.map(|m| m / total);
        assert!(mean.abs() < 4.0 / total.sqrt(), "mean {mean}");
        assert!((variance - 1.0).abs() < 4.0 * (2.0 / total).sqrt(), "variance {variance}");
        assert!(skew.abs() < 4.0 * (15.0 / total).sqrt(), "skewness {skew}");
        assert!((kurtosis - 3.0).abs() < 4.0 * (96.0 / total).sqrt(), "kurtosis {kurtosis}");
    }

    /// Oracle: white circular noise has no correlation at any lag, with its conjugate, or between streams.
    /// Tolerance: 5 standard deviations, `|r|` being Rayleigh with mean square 1/n.
    #[test]
    fn samples_are_independent() {
        let n = 1 << 18;
        let x = noise(9, 12_345, n + 70_000);
        let other = noise(10, 12_345, n);
        let correlation = |a: &[Complex32], b: &[Complex32], conjugate: bool| {
            let sum: num_complex::Complex64 = (0..n)
                .map(|i| {
                    let product = if conjugate { a[i] * b[i].conj() } else { a[i] * b[i] };
                    num_complex::Complex64::new(f64::from(product.re), f64::from(product.im))
                })
                .sum();
            sum.norm() / (2.0 * n as f64)
        };
        let limit = 5.0 / (n as f64).sqrt();
        for lag in [1, 2, 3, 4, 8, 16, 64, 255, 256, 1024, 4096, 32768, 65535, 65536, 65537] {
            let r = correlation(&x, &x[lag..], true);
            assert!(r < limit, "lag {lag}: {r}");
        }
        assert!(correlation(&x, &x, false) < limit, "in-phase and quadrature are not independent");
        assert!(correlation(&x, &other, true) < limit, "two streams are not independent");
    }

    /// Oracle: periodogram bins of white noise are exponential. The largest of all bins of many transforms is
    /// the most sensitive witness of a hidden period.
    #[test]
    fn no_line_stands_in_the_spectrum() {
        let n = 1 << 20;
        let mut x = noise(77, 1 << 40, n);
        rustfft::FftPlanner::new().plan_fft_forward(n).process(&mut x);
        let largest = x.iter().map(|c| f64::from(c.norm_sqr()) / (2.0 * n as f64)).fold(0.0, f64::max);
        // Maximum of n unit exponentials: ln n plus a Gumbel variable, above 7 once in a thousand.
        let expected = (n as f64).ln();
        assert!((expected - 2.5..expected + 7.0).contains(&largest), "{largest}, expected about {expected}");
    }

    #[test]
    fn any_cut_gives_the_same_samples() {
        let whole = noise(3, KEYED - 700, 3000);
        let mut parts = noise(3, KEYED - 700, 1);
        parts.extend(noise(3, KEYED - 699, 999));
        parts.extend(noise(3, KEYED + 300, 2000));
        assert_eq!(whole, parts);
    }
}
