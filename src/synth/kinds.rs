//! Which waveform a kind's name stands for.

use super::narrowband;
use super::waveform::{Built, WaveParams};
use super::wideband;

/// Every kind that a scene may ask for.
pub fn names() -> Vec<&'static str> {
    [narrowband::NAMES, wideband::NAMES].concat()
}

/// Builds the waveform called `kind`; `None` if there is none.
pub fn build(kind: &str, params: &WaveParams, seed: u64) -> Built {
    narrowband::build(kind, params, seed).or_else(|| wideband::build(kind, params, seed))
}
