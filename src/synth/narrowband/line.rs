//! An unmodulated carrier: a forgotten transmitter, an unkeyed beacon, a test.

use num_complex::Complex32;
use serde::Deserialize;

use super::boxed;
use super::chunks::Chunks;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

/// Native rate, hertz: enough for ramps of a millisecond.
const RATE_HZ: f64 = 20e3;

/// A carrier has no parameters of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {}

struct Carrier {
    chunks: Chunks,
}

pub fn build(params: &WaveParams) -> Result<Box<dyn Waveform>, String> {
    let Params {} = params.parse()?;
    boxed(Carrier { chunks: Chunks::new(RATE_HZ) })
}

impl Waveform for Carrier {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        self.chunks.shots(from_s, to_s, out);
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        self.chunks.iq(shot.key, vec![Complex32::ONE; self.chunks.len as usize])
    }

    fn longest_s(&self) -> f64 {
        self.chunks.duration_s()
    }

    fn span_hz(&self) -> f64 {
        10e3
    }

    fn continuous(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "cw"
    }

    fn device(&self) -> &'static str {
        "interference"
    }
}
