//! The loops that see every sample, compiled once per instruction set and chosen at run time.
#![allow(unsafe_code)] // The dispatch of `multiversion` calls what the processor was asked for first.

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

/// Samples that [`rotate`] turns by one table.
pub const ROTATED: usize = 64;
/// Largest magnitude of a sample that is believed; anything else (infinite and not-a-number too) counts as zero.
const BELIEVED: f32 = 1e15;

/// Turns `source` into `target` by `table` within blocks and by `base`, advanced by `advance`, between them.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn rotate(
    source: &[Complex32],
    target: &mut [Complex32],
    table: &[Complex32; ROTATED],
    base: Complex64,
    advance: Complex64,
) {
    let mut base = base;
    for (source, target) in source.chunks(ROTATED).zip(target.chunks_mut(ROTATED)) {
        let (br, bi) = (base.re as f32, base.im as f32);
        for ((x, y), t) in source.iter().zip(target.iter_mut()).zip(table) {
            let (tr, ti) = (t.re * br - t.im * bi, t.re * bi + t.im * br);
            let re = if x.re.abs() < BELIEVED { x.re } else { 0.0 };
            let im = if x.im.abs() < BELIEVED { x.im } else { 0.0 };
            *y = Complex32::new(re * tr - im * ti, re * ti + im * tr);
        }
        base *= advance;
    }
}

/// Taps that [`filter`] takes at a time.
pub const LANES: usize = 8;

/// Convolution with real taps, kept every `step` samples: `out[k]` sees `samples[k·step..]`. Every tap stands twice
/// in `doubled`, once for each part of a complex sample, so that no lane has to be moved; a number of taps that is no
/// multiple of [`LANES`] costs more than the next one that is.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn filter(samples: &[Complex32], doubled: &[f32], step: usize, out: &mut [Complex32]) {
    let taps = doubled.len() / 2;
    for (k, y) in out.iter_mut().enumerate() {
        let window = samples.get(k * step..).unwrap_or(&[]);
        let window = &window[..taps.min(window.len())];
        let mut sums = [0f32; 2 * LANES];
        let blocks = window.chunks_exact(LANES);
        let rest = blocks.remainder();
        for (x, h) in blocks.zip(doubled.chunks_exact(2 * LANES)) {
            for i in 0..LANES {
                sums[2 * i] += x[i].re * h[2 * i];
                sums[2 * i + 1] += x[i].im * h[2 * i + 1];
            }
        }
        let (mut re, mut im) = (0f32, 0f32);
        for (x, h) in rest.iter().zip(doubled[2 * (window.len() - rest.len())..].chunks_exact(2)) {
            re += x.re * h[0];
            im += x.im * h[1];
        }
        for pair in sums.chunks_exact(2) {
            re += pair[0];
            im += pair[1];
        }
        *y = Complex32::new(re, im);
    }
}

/// Phase advance from each sample to the next, radians: `out[n]` is between `x[n]` and `x[n+1]`.
///
/// Arc tangent by Abramowitz and Stegun 4.4.47 (error below 1e-5 rad, far below what noise does).
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn phase_steps(x: &[Complex32], out: &mut [f32]) {
    use std::f32::consts::{FRAC_PI_2, PI};
    for ((a, b), y) in x.iter().zip(&x[1.min(x.len())..]).zip(out.iter_mut()) {
        let (re, im) = (a.re * b.re + a.im * b.im, a.re * b.im - a.im * b.re);
        let (abs_re, abs_im) = (re.abs(), im.abs());
        let (small, large) = (abs_re.min(abs_im), abs_re.max(abs_im));
        let t = small / (large + 1e-30);
        let s = t * t;
        let first = t * ((((0.020_835_1 * s - 0.085_133) * s + 0.180_141) * s - 0.330_299_5) * s + 0.999_866);
        let octant = if abs_im > abs_re { FRAC_PI_2 - first } else { first };
        let half = if re < 0.0 { PI - octant } else { octant };
        *y = if im < 0.0 { -half } else { half };
    }
}

/// Products of `x` with the conjugate of `later`, element by element.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn conjugate_products(x: &[Complex32], later: &[Complex32], out: &mut [Complex32]) {
    for ((a, b), y) in x.iter().zip(later).zip(out.iter_mut()) {
        *y = Complex32::new(a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im);
    }
}

/// Σ x and Σ x².
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn moments(x: &[f32]) -> (f64, f64) {
    const LANES: usize = 8;
    let (mut sums, mut squares) = ([0f64; LANES], [0f64; LANES]);
    let blocks = x.chunks_exact(LANES);
    let rest = blocks.remainder();
    for block in blocks {
        for i in 0..LANES {
            let value = f64::from(block[i]);
            sums[i] += value;
            squares[i] += value * value;
        }
    }
    for (i, value) in rest.iter().enumerate() {
        let value = f64::from(*value);
        sums[i] += value;
        squares[i] += value * value;
    }
    (sums.iter().sum(), squares.iter().sum())
}

/// Power of each sample.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn powers(x: &[Complex32], out: &mut [f32]) {
    for (a, y) in x.iter().zip(out.iter_mut()) {
        *y = a.re * a.re + a.im * a.im;
    }
}

/// Σ a·b over complex numbers whose parts lie apart, not conjugated.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn dot(a_re: &[f32], a_im: &[f32], b_re: &[f32], b_im: &[f32]) -> Complex32 {
    const LANES: usize = 8;
    let n = a_re.len().min(a_im.len()).min(b_re.len()).min(b_im.len());
    let (a_re, a_im, b_re, b_im) = (&a_re[..n], &a_im[..n], &b_re[..n], &b_im[..n]);
    let (mut re, mut im) = ([0f32; LANES], [0f32; LANES]);
    let whole = n / LANES * LANES;
    for k in (0..whole).step_by(LANES) {
        let (ar, ai) = (&a_re[k..k + LANES], &a_im[k..k + LANES]);
        let (br, bi) = (&b_re[k..k + LANES], &b_im[k..k + LANES]);
        for i in 0..LANES {
            re[i] += ar[i] * br[i] - ai[i] * bi[i];
            im[i] += ar[i] * bi[i] + ai[i] * br[i];
        }
    }
    let mut sum = Complex32::new(re.iter().sum(), im.iter().sum());
    for k in whole..n {
        sum += Complex32::new(a_re[k], a_im[k]) * Complex32::new(b_re[k], b_im[k]);
    }
    sum
}
