//! Scenes to IQ: a seeded stand-in for a room and a receiver.

mod rng;
mod waveform;

pub use rng::Rng;
pub use waveform::{Built, Shot, ShotIq, WaveParams, Waveform};
