//! Which waveform a kind's name stands for.

use super::narrowband;
use super::waveform::{Built, WaveParams};

/// Every kind that a scene may ask for.
pub const NAMES: &[&str] = &["cw"];

/// Builds the waveform called `kind`; `None` if there is none.
pub fn build(kind: &str, params: &WaveParams, seed: u64) -> Built {
    narrowband::build(kind, params, seed)
}
