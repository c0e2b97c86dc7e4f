//! What is measured on one burst or carrier from its own IQ, and the record that the front hands to the back.
//!
//! Everything handed on is owned, free of IQ, of fixed size, and survives encoding unchanged (`wire`), so that the
//! two halves of the pipeline can run in two processes.

mod burst;
mod channel;
mod chirp;
mod features;
mod hot;
mod lags;
mod levels;
mod lines;
mod measurer;
mod modulation;
mod occupied;
mod onset;
mod plans;
mod repetition;
#[cfg(test)]
mod tests;
mod tuner;

pub use burst::{Burst, Carrier, Depth, Ghost};
pub use features::{Features, Lag, Line, Pulses};
pub use measurer::Measurer;

/// What a detector says of an emission before it is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxHint {
    /// Index into the samples of the first that belongs to it, to within `slack`.
    pub start: usize,
    /// Index past the last, to within `slack`.
    pub end: usize,
    /// How far the true start and end may lie from `start` and `end`, samples (one frame of the detector).
    pub slack: usize,
    /// Lower edge relative to the tuning, hertz.
    pub lo_hz: f64,
    /// Upper edge relative to the tuning, hertz.
    pub hi_hz: f64,
    /// It began before the samples given: `start` is not refined.
    pub cut_start: bool,
    /// It lasts beyond the samples given: `end` is not refined.
    pub cut_end: bool,
    /// It moves through the band and is far narrower at any moment: the band is not refined.
    pub sweeps: bool,
}

/// What the samples say of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Start, samples from the first given: half-power crossing.
    pub start: f64,
    /// End likewise.
    pub end: f64,
    /// Centre relative to the tuning, hertz.
    pub offset_hz: f64,
    /// 99 % occupied bandwidth, noise-corrected, hertz.
    pub bandwidth_hz: f64,
    /// Mean power over the on-time, noise subtracted, linear (amplitude 1 is 1).
    pub power: f64,
    /// `power` over the noise in `bandwidth_hz`, a ratio.
    pub snr: f64,
    /// The rest.
    pub features: Features,
}
