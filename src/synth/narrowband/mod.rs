//! Waveforms up to a few hundred kilohertz wide: voice radio, microphones, remote controls; and interference.

mod audio;
mod chunks;
mod fm;
mod fsk2;
mod fsk4;
mod interference;
mod line;
mod lora;
mod magnetron;
mod ook;
mod packets;
mod pulse;
mod squelch;
mod tetra;
#[cfg(test)]
mod tests;
mod voice_data;

use num_complex::Complex32;

use super::waveform::{Built, WaveParams, Waveform};

/// The kinds that [`build`] knows.
pub const NAMES: &[&str] = &[
    "nfm",
    "wfm",
    "fm-broadcast",
    "dmr",
    "dpmr",
    "nxdn",
    "p25",
    "tetra",
    "ook",
    "fsk",
    "lora",
    "cw",
    "clock-spur",
    "swept-line",
    "switching-supply",
    "mains-impulses",
    "microwave-oven",
];

/// Builds the waveform called `kind`; `None` if it is not one of these.
pub fn build(kind: &str, params: &WaveParams, seed: u64) -> Built {
    Some(match kind {
        "nfm" => fm::narrow(params, seed),
        "wfm" => fm::wide(params, seed),
        "fm-broadcast" => fm::broadcast(params, seed),
        "dmr" => voice_data::dmr(params, seed),
        "dpmr" => voice_data::dpmr(params, seed),
        "nxdn" => voice_data::nxdn(params, seed),
        "p25" => voice_data::p25(params, seed),
        "tetra" => tetra::build(params, seed),
        "ook" => ook::build(params, seed),
        "fsk" => fsk2::build(params, seed),
        "lora" => lora::build(params, seed),
        "cw" => line::carrier(params, seed),
        "clock-spur" => line::clock(params, seed),
        "swept-line" => line::swept(params, seed),
        "switching-supply" => interference::switching_supply(params, seed),
        "mains-impulses" => interference::mains_impulses(params, seed),
        "microwave-oven" => magnetron::build(params, seed),
        _ => return None,
    })
}

/// A waveform behind its trait.
fn boxed(waveform: impl Waveform + 'static) -> Result<Box<dyn Waveform>, String> {
    Ok(Box::new(waveform))
}

/// Lets the first and the last `n` samples rise and fall as a raised cosine.
fn ramp(samples: &mut [Complex32], n: usize) {
    let gain = |i: usize| {
        let x = std::f64::consts::FRAC_PI_2 * (i as f64 + 0.5) / n as f64;
        (x.sin() * x.sin()) as f32
    };
    let len = samples.len();
    for i in 0..n.min(len / 2) {
        samples[i] *= gain(i);
        samples[len - 1 - i] *= gain(i);
    }
}
