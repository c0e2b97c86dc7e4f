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

/// `sum += a`.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
pub fn add(a: &[f32], sum: &mut [f32]) {
    for (s, x) in sum.iter_mut().zip(a) {
        *s += x;
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
        for k in 0..8 {
            lane[k] = a[i + k] + a[i + k + width];
        }
        for k in 0..8 {
            hit |= u32::from(lane[k] > limit);
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
