//! Reference waveforms by the book, a few lines each, and seeded noise. Each has mean power 1 while it is on.

use num_complex::{Complex32, Complex64};
use rustfft::FftPlanner;
use std::f64::consts::{PI, TAU};

/// SplitMix64 (Steele, Lea and Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }
    /// Circular Gaussian of power 1.
    pub fn complex(&mut self) -> Complex64 {
        Complex64::new(self.normal(), self.normal()) * 0.5f64.sqrt()
    }
    pub fn sign(&mut self) -> f64 {
        if self.next() & 1 == 0 { 1.0 } else { -1.0 }
    }
    pub fn below(&mut self, n: u64) -> usize {
        (self.next() % n) as usize
    }
}

pub fn from_phase(frequency_hz: impl Iterator<Item = f64>, rate_hz: f64) -> Vec<Complex64> {
    let mut phase = 0.0;
    frequency_hz
        .map(|f| {
            phase += f / rate_hz;
            Complex64::cis(TAU * phase)
        })
        .collect()
}

/// Gaussian-filtered step response of one bit, `t` in bits from its middle.
fn gaussian_pulse(t: f64, bt: f64) -> f64 {
    let sigma = (2f64.ln()).sqrt() / (TAU * bt);
    let step = |x: f64| 0.5 * (1.0 + erf(x / sigma / 2f64.sqrt()));
    step(t + 0.5) - step(t - 0.5)
}

/// Abramowitz and Stegun 7.1.26.
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let poly =
        ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    (1.0 - poly * (-x * x).exp()) * x.signum()
}

/// GFSK with modulation index `h`.
pub fn gfsk(
    rate_hz: f64,
    bits_hz: f64,
    h: f64,
    bt: f64,
    duration_s: f64,
    random: &mut Random,
) -> Vec<Complex64> {
    let bits: Vec<f64> = (0..(duration_s * bits_hz) as usize + 8).map(|_| random.sign()).collect();
    let n = (duration_s * rate_hz) as usize;
    let frequency = (0..n).map(|i| {
        let t = i as f64 / rate_hz * bits_hz;
        let at = t as usize;
        let f: f64 =
            (at.saturating_sub(3)..at + 4).map(|k| bits[k] * gaussian_pulse(t - k as f64 - 0.5, bt)).sum();
        f * h * bits_hz / 2.0
    });
    from_phase(frequency, rate_hz)
}

pub fn root_raised_cosine(t: f64, alpha: f64) -> f64 {
    if t.abs() < 1e-9 {
        return 1.0 - alpha + 4.0 * alpha / PI;
    }
    let u = 4.0 * alpha * t;
    if (u.abs() - 1.0).abs() < 1e-6 {
        let a = PI / 4.0 / alpha;
        return alpha / 2f64.sqrt() * ((1.0 + 2.0 / PI) * a.sin() + (1.0 - 2.0 / PI) * a.cos());
    }
    ((PI * t * (1.0 - alpha)).sin() + u * (PI * t * (1.0 + alpha)).cos()) / (PI * t * (1.0 - u * u))
}

/// Symbols through a root-raised-cosine filter, real or complex.
fn shaped(symbols: &[Complex64], rate_hz: f64, symbols_hz: f64, alpha: f64, n: usize) -> Vec<Complex64> {
    (0..n)
        .map(|i| {
            let t = i as f64 / rate_hz * symbols_hz;
            let at = t as usize;
            (at.saturating_sub(7)..(at + 9).min(symbols.len()))
                .map(|k| symbols[k] * root_raised_cosine(t - k as f64, alpha))
                .sum()
        })
        .collect()
}

/// 4FSK of ETSI TS 102 361-1: levels at ±`outer` and ±`outer`/3, root raised cosine 0.2.
pub fn fsk4(
    rate_hz: f64,
    symbols_hz: f64,
    outer_hz: f64,
    duration_s: f64,
    random: &mut Random,
) -> Vec<Complex64> {
    let symbols: Vec<Complex64> = (0..(duration_s * symbols_hz) as usize + 10)
        .map(|_| Complex64::new([-1.0, -1.0 / 3.0, 1.0 / 3.0, 1.0][random.below(4)] * outer_hz, 0.0))
        .collect();
    let frequency = shaped(&symbols, rate_hz, symbols_hz, 0.2, (duration_s * rate_hz) as usize);
    from_phase(frequency.into_iter().map(|f| f.re), rate_hz)
}

/// π/4-DQPSK with root raised cosine (TETRA: 18 k, 0.35; ETSI EN 300 392-2 5.5).
pub fn dqpsk(
    rate_hz: f64,
    symbols_hz: f64,
    alpha: f64,
    duration_s: f64,
    random: &mut Random,
) -> Vec<Complex64> {
    let mut phase = 0.0;
    let symbols: Vec<Complex64> = (0..(duration_s * symbols_hz) as usize + 10)
        .map(|_| {
            phase += PI / 4.0 + PI / 2.0 * random.below(4) as f64;
            Complex64::cis(phase)
        })
        .collect();
    unit(shaped(&symbols, rate_hz, symbols_hz, alpha, (duration_s * rate_hz) as usize))
}

/// OFDM at `size`·`spacing_hz`: random QPSK on `carriers` around an unused zero, prefixes of `prefix` samples.
pub fn ofdm(
    size: usize,
    carriers: usize,
    prefix: &[usize],
    symbols: usize,
    random: &mut Random,
) -> Vec<Complex64> {
    let plan = FftPlanner::<f64>::new().plan_fft_inverse(size);
    let mut out = Vec::new();
    for s in 0..symbols {
        let mut bins = vec![Complex64::default(); size];
        for k in 1..=carriers / 2 {
            bins[k] = Complex64::cis(PI / 2.0 * random.below(4) as f64);
            bins[size - k] = Complex64::cis(PI / 2.0 * random.below(4) as f64);
        }
        plan.process(&mut bins);
        let prefix = prefix[s % prefix.len()];
        out.extend_from_slice(&bins[size - prefix..]);
        out.extend_from_slice(&bins);
    }
    unit(out)
}

/// IEEE 802.11 OFDM at 20 MS/s: short and long training (17.3.3), then data.
pub fn wifi(symbols: usize, random: &mut Random) -> Vec<Complex64> {
    let plan = FftPlanner::<f64>::new().plan_fft_inverse(64);
    let mut short = vec![Complex64::default(); 64];
    let signs = [
        (-24, 1.0),
        (-20, -1.0),
        (-16, 1.0),
        (-12, -1.0),
        (-8, -1.0),
        (-4, 1.0),
        (4, -1.0),
        (8, -1.0),
        (12, 1.0),
        (16, 1.0),
        (20, 1.0),
        (24, 1.0),
    ];
    for (k, sign) in signs {
        short[(k as i64).rem_euclid(64) as usize] = Complex64::new(sign, sign);
    }
    plan.process(&mut short);
    let mut long = vec![Complex64::default(); 64];
    for k in 1..=26 {
        long[k] = Complex64::new(random.sign(), 0.0);
        long[64 - k] = Complex64::new(random.sign(), 0.0);
    }
    plan.process(&mut long);
    let mut out: Vec<_> = unit((0..160).map(|i| short[i % 64]).collect());
    let training: Vec<_> = (0..160).map(|i| long[(i + 32) % 64]).collect();
    out.extend(unit(training));
    out.extend(ofdm(64, 52, &[16], symbols, random));
    out
}

/// Speech-like FM: 300 Hz to 3 kHz noise with pauses, peak deviation `deviation_hz`.
pub fn voice(rate_hz: f64, deviation_hz: f64, duration_s: f64, random: &mut Random) -> Vec<Complex64> {
    let tones: Vec<(f64, f64, f64)> = (0..40)
        .map(|_| (300.0 + 2700.0 * random.uniform().powi(2), TAU * random.uniform(), random.uniform()))
        .collect();
    let n = (duration_s * rate_hz) as usize;
    let frequency = (0..n).map(|i| {
        let t = i as f64 / rate_hz;
        let syllable = (0.5 + 0.5 * (TAU * 4.0 * t).sin()).powi(2);
        let sum: f64 = tones.iter().map(|(f, p, a)| a * (TAU * f * t + p).sin()).sum();
        (sum / 3.7 * syllable).clamp(-1.0, 1.0) * deviation_hz
    });
    from_phase(frequency, rate_hz)
}

/// LoRa: eight up-chirps, then random ones.
pub fn lora(
    rate_hz: f64,
    bandwidth_hz: f64,
    factor: u32,
    symbols: usize,
    random: &mut Random,
) -> Vec<Complex64> {
    let length = f64::from(1u32 << factor) / bandwidth_hz;
    let n = (symbols as f64 * length * rate_hz) as usize;
    let starts: Vec<f64> = (0..=symbols).map(|k| if k < 8 { 0.0 } else { random.uniform() }).collect();
    from_phase(
        (0..n).map(|i| {
            let t = i as f64 / rate_hz / length;
            ((t.fract() + starts[t as usize]).fract() - 0.5) * bandwidth_hz
        }),
        rate_hz,
    )
}

/// IEEE 802.15.4 O-QPSK (12.2.4): symbols of 32 chips, half-sine pulses; the first eight symbols are zero.
pub fn oqpsk(rate_hz: f64, symbols: usize, random: &mut Random) -> Vec<Complex64> {
    const ZERO: u32 = 0b1101_1001_1100_0011_0101_0010_0010_1110;
    let mut chips = Vec::new();
    for s in 0..symbols {
        let symbol = if s < 8 { 0 } else { random.below(16) as u32 };
        let rotated = ZERO.rotate_right(4 * (symbol % 8));
        // Symbols 8 to 15 invert the odd chips.
        let word = if symbol >= 8 { rotated ^ 0x5555_5555 } else { rotated };
        chips.extend((0..32).map(|k| if word >> (31 - k) & 1 == 1 { 1.0 } else { -1.0 }));
    }
    let n = (chips.len() as f64 / 2e6 * rate_hz) as usize;
    (0..n)
        .map(|i| {
            let t = i as f64 / rate_hz * 2e6;
            let rail = |offset: usize| {
                let pair = ((t - offset as f64) / 2.0).floor();
                let index = pair * 2.0 + offset as f64;
                let chip = if index < 0.0 { 0.0 } else { chips.get(index as usize).copied().unwrap_or(0.0) };
                chip * (PI * (t - index) / 2.0).sin()
            };
            Complex64::new(rail(0), rail(1))
        })
        .collect()
}

/// IEEE 802.11 DSSS at 1 Mb/s (15.4): Barker sequence, DBPSK, 11 Mchip/s, lightly filtered.
pub fn barker(rate_hz: f64, duration_s: f64, random: &mut Random) -> Vec<Complex64> {
    const CODE: [f64; 11] = [1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0];
    let mut sign = 1.0;
    let mut chips = Vec::new();
    for _ in 0..(duration_s * 1e6) as usize + 2 {
        sign *= random.sign();
        chips.extend(CODE.iter().map(|c| Complex64::new(c * sign, 0.0)));
    }
    unit(shaped(&chips, rate_hz, 11e6, 0.5, (duration_s * rate_hz) as usize))
}

/// Scaled to mean power 1.
pub fn unit(mut x: Vec<Complex64>) -> Vec<Complex64> {
    let power = x.iter().map(|x| x.norm_sqr()).sum::<f64>() / x.len().max(1) as f64;
    x.iter_mut().for_each(|x| *x /= power.sqrt());
    x
}

/// `x` at another rate, by a windowed sinc of 32 samples.
pub fn resample(x: &[Complex64], from_hz: f64, to_hz: f64) -> Vec<Complex64> {
    let n = (x.len() as f64 * to_hz / from_hz) as usize;
    (0..n)
        .map(|i| {
            let t = i as f64 * from_hz / to_hz;
            let at = t.floor() as i64;
            (at - 15..=at + 16)
                .filter_map(|k| {
                    let u = t - k as f64;
                    let window = 0.5 + 0.5 * (PI * u / 16.5).cos();
                    let sinc = if u.abs() < 1e-9 { 1.0 } else { (PI * u).sin() / (PI * u) };
                    x.get(usize::try_from(k).ok()?).map(|x| x * sinc * window)
                })
                .sum()
        })
        .collect()
}

/// `signal` in noise of power 1 a hertz over the whole rate times `noise_per_hz`, `lead` samples in, shifted.
pub fn place(
    signal: &[Complex64],
    rate_hz: f64,
    offset_hz: f64,
    lead: usize,
    noise_per_hz: f64,
    random: &mut Random,
) -> Vec<Complex32> {
    let noise = (noise_per_hz * rate_hz).sqrt();
    (0..signal.len() + 2 * lead)
        .map(|i| {
            let mut x = random.complex() * noise;
            if let Some(s) = i.checked_sub(lead).and_then(|k| signal.get(k)) {
                x += s * Complex64::cis(TAU * (offset_hz / rate_hz * i as f64).fract());
            }
            Complex32::new(x.re as f32, x.im as f32)
        })
        .collect()
}
