//! Conversions between linear power and decibels, the one place where they are written, and the range of frequencies.
//!
//! Linear power is used inside the pipeline; decibels appear at its doors only. Units stand last in names:
//! `_hz`, `_s`, `_db` (a ratio), `_dbfs` (power relative to a complex sinusoid of amplitude 1).

/// No radio frequency, and nothing measured in one, is higher, hertz (ITU-R V.431).
pub const HIGHEST_HZ: f64 = 3e12;

/// Decibels of a power ratio. Zero and negative ratios give negative infinity.
pub fn db(ratio: f64) -> f64 {
    if ratio > 0.0 { 10.0 * ratio.log10() } else { f64::NEG_INFINITY }
}

/// Power ratio of a value in decibels.
pub fn from_db(db: f64) -> f64 {
    10f64.powf(db / 10.0)
}
