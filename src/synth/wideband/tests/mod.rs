//! The waveforms against the numbers of their standards, measured by means of their own.

mod probe;
mod contract;
mod cellular;
mod wlan;
mod personal;
mod broadcast;

use crate::synth::{WaveParams, Waveform};

/// The waveform of a kind with the keys of a scene's table.
fn make(kind: &str, freq_hz: f64, keys: &str) -> Box<dyn Waveform> {
    let table = keys.parse().unwrap();
    let params = WaveParams { freq_hz, on: Vec::new(), table };
    super::build(kind, &params, 7).unwrap().unwrap()
}

/// The error of building a kind.
fn refusal(kind: &str, keys: &str) -> String {
    let params = WaveParams { freq_hz: 2440e6, on: Vec::new(), table: keys.parse().unwrap() };
    super::build(kind, &params, 7).unwrap().err().unwrap()
}
