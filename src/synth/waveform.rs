//! What every synthetic emitter offers: its shots in absolute time, and the IQ of each.
//!
//! Both are pure functions of the emitter's seed and of absolute time, so that a receiver that retunes and comes
//! back finds the same transmission going on.

use num_complex::Complex32;

/// One transmission: a burst, or a chunk of a continuous signal that joins its neighbours without a seam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shot {
    /// Start in scene time, seconds.
    pub start_s: f64,
    /// On-time, seconds.
    pub duration_s: f64,
    /// Centre relative to the emitter's frequency, hertz (a hop).
    pub offset_hz: f64,
    /// Power relative to the emitter's, dB (the far end of a link, power control).
    pub level_db: f32,
    /// What the content is drawn from.
    pub key: u64,
    /// Whether it continues the shot before it, so that the truth counts both as one on-time.
    pub continues: bool,
}

/// Complex baseband about the shot's centre, mean power 1 over its on-time.
#[derive(Debug, Clone, PartialEq)]
pub struct ShotIq {
    /// Its own sample rate, hertz: at least 1.25 times the bandwidth that matters.
    pub rate_hz: f64,
    /// Scene time of `samples[0]`, seconds: may lie before `Shot::start_s` (filter tails, ramps).
    pub first_s: f64,
    /// The samples.
    pub samples: Vec<Complex32>,
}

/// A synthetic emitter.
pub trait Waveform: Send + Sync {
    /// Appends the shots that start in `[from_s, to_s)`, in order of their start.
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>);

    /// The IQ of a shot.
    fn render(&self, shot: &Shot) -> ShotIq;

    /// Upper bound of the on-time of any shot, seconds.
    fn longest_s(&self) -> f64;

    /// Upper bound of the bandwidth about a shot's centre outside of which its power may be taken as nothing,
    /// hertz.
    fn span_hz(&self) -> f64;
}
