//! Scenes to IQ: a seeded stand-in for a room and a receiver.
//!
//! ```text
//! scene ─► waveform (shots, IQ) ─► timeline ─► air (resample, shift, sum) ─► receiver (noise, faults) ─► render
//! ```
//!
//! Everything is a function of the scene's seed and of absolute time, so that a receiver that retunes, or a test
//! that looks twice, finds the same world.

mod air;
mod fading;
mod gaussian;
mod kinds;
mod narrowband;
mod occupied;
mod output;
mod receiver;
mod render;
mod resample;
mod rng;
mod scene;
mod timeline;
mod truth;
mod waveform;
mod wideband;

pub use output::{SynthError, Written, write_recording};
pub use render::{Heard, Renderer, Stretch};
pub use rng::Rng;
pub use scene::{Scene, SceneEmitter, SceneError};
pub use truth::{Truth, TruthEmitter, TruthSegment};
pub use waveform::{Built, Shot, ShotIq, WaveParams, Waveform};
