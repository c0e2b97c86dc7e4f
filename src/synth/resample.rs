//! Waveforms at their own rate to the receiver's: a low-pass interpolator that can be asked for any instant.
//!
//! Windowed sinc after Kaiser (1974), tabulated over the fraction of a sample. Each output is a function of the
//! input and of its own instant only, so that rendering may be cut anywhere.

use multiversion::multiversion;
use num_complex::Complex32;

/// Attenuation that the stop band is designed for, dB. The receivers of interest have 8 bits (50 dB).
const STOP_BAND_DB: f64 = 70.0;
/// Positions a sample is divided into for a filter that passes everything up to half the rate. Taking the
/// nearest errs by at most 1/4096 of a sample: -69 dB at 0.4 of the rate.
const PHASES: f64 = 2048.0;
/// Taps are worked off in vectors of this many.
const LANES: usize = 4;
/// Receiver samples that share one exact evaluation of the carrier's phase.
const GROUP: u64 = 64;

/// A low-pass interpolation filter on a grid of input samples.
#[derive(Debug)]
pub struct Interpolator {
    taps: usize,
    phases: usize,
    /// `phases + 1` rows of `taps` coefficients, each twice (for the real and the imaginary part).
    table: Vec<f32>,
}

/// Samples with silence on either side, as [`Interpolator::at`] reads them.
#[derive(Debug)]
pub struct Padded {
    /// Interleaved real and imaginary parts.
    flat: Vec<f32>,
    lead: usize,
    len: usize,
}

impl Interpolator {
    /// Passes up to `pass` and stops from `stop` on, both in cycles a sample of the input (`0 < pass < stop`).
    pub fn low_pass(pass: f64, stop: f64) -> Self {
        let transition = (stop - pass).max(1e-4);
        // Length and shape parameter after Kaiser 1974 for the attenuation.
        let order = (STOP_BAND_DB - 7.95) / (2.285 * std::f64::consts::TAU * transition);
        let taps = (order.ceil() as usize + 1).next_multiple_of(LANES).max(LANES);
        let beta = 0.1102 * (STOP_BAND_DB - 8.7);
        let cutoff = 0.5 * (pass + stop);
        let phases = (PHASES * (2.0 * cutoff).min(1.0)).ceil().max(64.0) as usize;
        let half = taps as f64 / 2.0;
        let mut table = Vec::with_capacity((phases + 1) * taps * 2);
        for phase in 0..=phases {
            let fraction = phase as f64 / phases as f64;
            for tap in 0..taps {
                let t = fraction + half - 1.0 - tap as f64;
                let h = 2.0 * cutoff * sinc(2.0 * cutoff * t) * kaiser(t / half, beta);
                table.extend([h as f32; 2]);
            }
        }
        Self { taps, phases, table }
    }

    /// How far, in input samples, an input reaches into the output on either side.
    pub fn reach(&self) -> usize {
        self.taps / 2
    }

    /// Adds to `out`, whose first sample is number `first` of the receiver, what `input` looks like at its
    /// output.
    pub fn add(&self, input: &Padded, to: &Placement, first: u64, out: &mut [Complex32]) {
        let reach = self.reach() as f64;
        let begin = (to.first_s - reach / to.native_hz) * to.rate_hz;
        let end = (to.first_s + (input.len() as f64 + reach) / to.native_hz) * to.rate_hz;
        let from = (begin.floor().max(first as f64) as u64).max(first);
        let until = (end.ceil().max(0.0) as u64).min(first + out.len() as u64);
        let mut at = from;
        while at < until {
            let n = (GROUP - at % GROUP).min(until - at);
            let turns = to.shift_hz / to.rate_hz * (at - at % GROUP) as f64;
            let (sin, cos) = (std::f64::consts::TAU * turns.fract()).sin_cos();
            let start = Complex32::new(cos as f32, sin as f32) * to.amplitude;
            let offset = (at - first) as usize;
            add_group(self, input, to, start, at, &mut out[offset..offset + n as usize]);
            at += n;
        }
    }
}

/// Where an input lies in the receiver's time and frequency.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Rate of the input, hertz.
    pub native_hz: f64,
    /// Scene time of its first sample, seconds.
    pub first_s: f64,
    /// Rate of the receiver, hertz; its sample 0 is at scene time 0.
    pub rate_hz: f64,
    /// Frequency of the receiver's span that the input's zero comes to, hertz.
    pub shift_hz: f64,
    /// Factor to multiply by.
    pub amplitude: Complex32,
    rotators: [Complex32; GROUP as usize],
}

impl Placement {
    /// See the fields.
    pub fn new(native_hz: f64, first_s: f64, rate_hz: f64, shift_hz: f64, amplitude: Complex32) -> Self {
        let rotators = std::array::from_fn(|i| {
            let turns = shift_hz / rate_hz * i as f64;
            let (sin, cos) = (std::f64::consts::TAU * turns.fract()).sin_cos();
            Complex32::new(cos as f32, sin as f32)
        });
        Self { native_hz, first_s, rate_hz, shift_hz, amplitude, rotators }
    }
}

/// One group, or a part of it: `start` is the rotator at the group's first sample, which lies on the absolute
/// grid so that every cut computes the same.
#[multiversion(targets("x86_64+avx2", "aarch64+neon"))]
fn add_group(
    filter: &Interpolator,
    input: &Padded,
    to: &Placement,
    start: Complex32,
    at: u64,
    out: &mut [Complex32],
) {
    let width = 2 * filter.taps;
    // Position of the receiver's sample 0 in the padded input, moved so that truncation finds the first tap.
    let interval = 1.0 / to.rate_hz;
    let origin = (input.lead + 1 - filter.reach()) as f64;
    let phases = filter.phases as f64;
    for (i, sample) in out.iter_mut().enumerate() {
        let n = at + i as u64;
        let position = (n as f64 * interval - to.first_s) * to.native_hz + origin;
        let floor = position as usize;
        let row = ((position - floor as f64) * phases + 0.5) as usize;
        let Some(x) = input.flat.get(2 * floor..2 * floor + width) else { continue };
        let Some(h) = filter.table.get(row * width..(row + 1) * width) else { continue };
        let mut sum = [0f32; 2 * LANES];
        for (x, h) in x.chunks_exact(2 * LANES).zip(h.chunks_exact(2 * LANES)) {
            for lane in 0..2 * LANES {
                sum[lane] += x[lane] * h[lane];
            }
        }
        let value = Complex32::new(sum[0] + sum[2] + sum[4] + sum[6], sum[1] + sum[3] + sum[5] + sum[7]);
        *sample += value * (start * to.rotators[(n % GROUP) as usize]);
    }
}

impl Padded {
    /// Pads `samples` for `interpolator`.
    pub fn new(samples: &[Complex32], interpolator: &Interpolator) -> Self {
        let lead = interpolator.taps + 1;
        let mut flat = vec![0.0; 2 * (samples.len() + 2 * lead)];
        for (pair, sample) in flat[2 * lead..].chunks_exact_mut(2).zip(samples) {
            pair[0] = sample.re;
            pair[1] = sample.im;
        }
        Self { flat, lead, len: samples.len() }
    }

    /// Number of samples without the padding.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Memory held, bytes.
    pub fn bytes(&self) -> usize {
        self.flat.len() * size_of::<f32>()
    }
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// Kaiser window at `x` in [-1, 1].
fn kaiser(x: f64, beta: f64) -> f64 {
    if x.abs() > 1.0 { 0.0 } else { bessel_i0(beta * (1.0 - x * x).sqrt()) / bessel_i0(beta) }
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let q = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..64 {
        term *= q / f64::from(k * k);
        sum += term;
        if term < 1e-12 * sum {
            break;
        }
    }
    sum
}
