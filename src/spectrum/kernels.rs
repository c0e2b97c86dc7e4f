//! The inner loops: convert and window, power, sums. Each is compiled for several instruction sets and chosen
//! at run time, so that one binary is fast everywhere.
#![allow(unsafe_code)] // what `multiversion` expands to; there is no other unsafe code in the package

use crate::iq::ToComplex;
use multiversion::multiversion;
use num_complex::Complex32;

/// Makes one conversion kernel for a sample type.
macro_rules! windowed {
    ($name:ident, $sample:ty) => {
        /// `out = samples * window`, as complex floats.
        #[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
        pub fn $name(samples: &[$sample], window: &[f32], out: &mut [Complex32]) {
            for ((o, s), w) in out.iter_mut().zip(samples).zip(window) {
                *o = s.to_complex() * *w;
            }
        }
    };
}

windowed!(window_cu8, [u8; 2]);
windowed!(window_ci8, [i8; 2]);
windowed!(window_ci16, [i16; 2]);
windowed!(window_cf32, [f32; 2]);

/// Makes one conversion for samples of one format.
macro_rules! converted {
    ($name:ident, $sample:ty) => {
        /// `out = samples - offset`, as complex floats.
        #[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
        pub fn $name(samples: &[$sample], offset: Complex32, out: &mut [Complex32]) {
            for (o, s) in out.iter_mut().zip(samples) {
                *o = s.to_complex() - offset;
            }
        }
    };
}

converted!(convert_cu8, [u8; 2]);
converted!(convert_ci8, [i8; 2]);
converted!(convert_ci16, [i16; 2]);
converted!(convert_cf32, [f32; 2]);

/// `sum += |spectrum|²`.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn accumulate_power(spectrum: &[Complex32], sum: &mut [f32]) {
    for (s, x) in sum.iter_mut().zip(spectrum) {
        *s += x.re * x.re + x.im * x.im;
    }
}

/// `out = a * b`.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn multiply(a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((o, x), y) in out.iter_mut().zip(a).zip(b) {
        *o = x * y;
    }
}

/// Sum of all values, in sixteen partial sums.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn sum(a: &[f32]) -> f32 {
    let mut partial = [0.0f32; 16];
    let chunks = a.chunks_exact(16);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (p, x) in partial.iter_mut().zip(chunk) {
            *p += x;
        }
    }
    partial.iter().sum::<f32>() + rest
}

/// `out = a * factor`.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn scale(a: &[f32], factor: f32, out: &mut [f32]) {
    for (o, x) in out.iter_mut().zip(a) {
        *o = x * factor;
    }
}

/// `sum += a`.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn add(a: &[f32], sum: &mut [f32]) {
    for (s, x) in sum.iter_mut().zip(a) {
        *s += x;
    }
}

/// `most = max(most, a)`.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn raise(a: &[f32], most: &mut [f32]) {
    for (m, x) in most.iter_mut().zip(a) {
        // As a comparison it is one instruction; NaN raises nothing.
        *m = if *x > *m { *x } else { *m };
    }
}

/// Whether any value exceeds `limit`.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn any_above(a: &[f32], limit: f32) -> bool {
    let mut hit = 0u32;
    for x in a {
        hit |= u32::from(*x > limit);
    }
    hit != 0
}

/// Turns sums over boxes of some width into sums over boxes twice as wide, in place: `a[i] += a[i + width]`.
/// The last `width` values are left as they are; only the first `a.len() - width` are meant after it. Returns
/// whether any of those exceeds `limit`.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn widen_in_place(a: &mut [f32], width: usize, limit: f32) -> bool {
    let n = a.len().saturating_sub(width);
    let mut hit = 0u32;
    let mut i = 0;
    // Lanes are read before they are written: `a[i + width]` lies ahead of what has been overwritten.
    while i + 8 <= n {
        let mut lane = [0f32; 8];
        for ((sum, x), y) in lane.iter_mut().zip(&a[i..i + 8]).zip(&a[i + width..i + width + 8]) {
            *sum = x + y;
        }
        for sum in &lane {
            hit |= u32::from(*sum > limit);
        }
        a[i..i + 8].copy_from_slice(&lane);
        i += 8;
    }
    while i < n {
        a[i] += a[i + width];
        hit |= u32::from(a[i] > limit);
        i += 1;
    }
    hit != 0
}

/// Makes one search for sums of so many neighbours.
macro_rules! neighbours {
    ($name:ident, $count:literal) => {
        /// Whether the sum of any so many neighbours exceeds `limit`.
        #[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
        pub fn $name(a: &[f32], limit: f32) -> bool {
            let Some(n) = (a.len() + 1).checked_sub($count) else { return false };
            let mut sums = [0f32; 16];
            let mut most = [f32::NEG_INFINITY; 16];
            let whole = n / 16 * 16;
            for i in (0..whole).step_by(16) {
                sums.copy_from_slice(&a[i..i + 16]);
                for d in 1..$count {
                    for (s, x) in sums.iter_mut().zip(&a[i + d..i + d + 16]) {
                        *s += x;
                    }
                }
                for (m, s) in most.iter_mut().zip(&sums) {
                    *m = if *s > *m { *s } else { *m };
                }
            }
            let rest = (whole..n).any(|i| a[i..i + $count].iter().sum::<f32>() > limit);
            rest || most.iter().any(|m| *m > limit)
        }
    };
}

neighbours!(any_pair_above, 2);
neighbours!(any_four_above, 4);

/// `out[i] = a[2 i] + a[2 i + 1]`, as many as fit.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn halve(a: &[f32], out: &mut [f32]) {
    for (o, pair) in out.iter_mut().zip(a.chunks_exact(2)) {
        *o = pair[0] + pair[1];
    }
}

/// Makes one counter of samples at a converter's rails for a sample type.
macro_rules! rails {
    ($name:ident, $sample:ty, $rail:expr) => {
        /// Samples of which a component is at a rail.
        #[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
        pub fn $name(samples: &[[$sample; 2]]) -> u64 {
            let rail: fn($sample) -> bool = $rail;
            let mut count = 0u64;
            for chunk in samples.chunks(128) {
                count += u64::from(chunk.iter().map(|s| u8::from(rail(s[0]) | rail(s[1]))).sum::<u8>());
            }
            count
        }
    };
}

rails!(rails_cu8, u8, |v| v == 0 || v == u8::MAX);
rails!(rails_ci8, i8, |v| v == i8::MIN || v == i8::MAX);
rails!(rails_ci16, i16, |v| v <= -i16::MAX || v == i16::MAX);
// The scale of floats is anyone's; a converter's rails at a full scale of 1 read exactly so.
rails!(rails_cf32, f32, |v| v.abs() == 1.0);
