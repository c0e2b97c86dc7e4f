//! Waveforms up to a few hundred kilohertz wide: voice radio, microphones, remote controls, and interference.

mod chunks;
mod line;

use super::waveform::{Built, WaveParams, Waveform};

/// Builds the waveform called `kind`; `None` if it is not one of these.
pub fn build(kind: &str, params: &WaveParams, seed: u64) -> Built {
    let _ = seed;
    Some(match kind {
        "cw" => line::build(params),
        _ => return None,
    })
}

/// A waveform behind its trait.
fn boxed(waveform: impl Waveform + 'static) -> Result<Box<dyn Waveform>, String> {
    Ok(Box::new(waveform))
}
