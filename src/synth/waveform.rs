//! What every synthetic emitter offers: its shots in absolute time, and the IQ of each.
//!
//! Both are pure functions of the emitter's seed and of absolute time, so that a receiver that retunes and comes
//! back finds the same transmission going on. A waveform knows nothing of receivers, levels, noise or on-times:
//! the renderer gates it with the emitter's timeline (see [`Waveform::continuous`]), scales, shifts and
//! resamples it.

use num_complex::Complex32;
use serde::de::DeserializeOwned;

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
    /// What the content is drawn from. Shots of one emitter differ in `start_s` or in `key`.
    pub key: u64,
    /// Whether it continues the shot before it, so that the truth counts both as one on-time.
    pub continues: bool,
}

/// Complex baseband about the shot's centre, mean power 1 over its on-time.
#[derive(Debug, Clone, PartialEq)]
pub struct ShotIq {
    /// Its own sample rate, hertz: at least 1.25 times the bandwidth that matters.
    pub rate_hz: f64,
    /// Scene time of `samples[0]`, seconds: may lie before `Shot::start_s` (filter tails, ramps). Chunks of a
    /// continuous signal lie on one grid: `first_s * rate_hz` differs by whole numbers between them, and each
    /// holds exactly the samples of that grid within its on-time.
    pub first_s: f64,
    /// The samples.
    pub samples: Vec<Complex32>,
}

/// A synthetic emitter.
pub trait Waveform: Send + Sync {
    /// Appends the shots that start in `[from_s, to_s)`, in order of their start. Cutting an interval in two
    /// gives the same shots.
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>);

    /// The IQ of a shot.
    fn render(&self, shot: &Shot) -> ShotIq;

    /// Upper bound of the on-time of any shot, seconds, filter tails and ramps included.
    fn longest_s(&self) -> f64;

    /// Upper bound of the bandwidth about a shot's centre outside of which its power may be taken as nothing,
    /// hertz.
    fn span_hz(&self) -> f64;

    /// Whether the shots are chunks of one continuous signal, which the timeline cuts at its edges. Otherwise
    /// the timeline keeps whole the shots that start in an on-time.
    fn continuous(&self) -> bool {
        false
    }

    /// Whether the shots keep to [`WaveParams::on`] by themselves, as those of a message of many shots do that is
    /// sent to its end. The timeline then leaves them alone.
    fn keeps_on_times(&self) -> bool {
        false
    }

    /// What it is on the physical layer, as the truth file shall name it (`"ble"`, `"lte"`).
    fn signal(&self) -> &'static str;

    /// What it is to a policy, as the truth file shall name it (`"bluetooth-device"`, `"infrastructure"`).
    fn device(&self) -> &'static str;
}

/// What a scene says about one emitter, as far as its waveform needs to know.
#[derive(Debug, Clone, Default)]
pub struct WaveParams {
    /// The emitter's frequency, hertz. A hopper's shots are relative to it: `channel_hz - freq_hz`.
    pub freq_hz: f64,
    /// On-times `[from, to)`, seconds; empty means always. The renderer gates by them; a waveform needs them
    /// only where its structure counts from a beginning (a preamble at key-up).
    pub on: Vec<[f64; 2]>,
    /// The keys of the emitter's table that are its kind's own.
    pub table: toml::Table,
}

impl WaveParams {
    /// The kind's own keys as a checked type, which should deny unknown fields and default the rest. The error
    /// names the key.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, String> {
        T::deserialize(self.table.clone()).map_err(|error| error.message().to_owned())
    }
}

/// What building a waveform of some kind gives: `None` if the module does not know the kind, an error in words
/// that names the key at fault if it knows it and the parameters do not do.
pub type Built = Option<Result<Box<dyn Waveform>, String>>;
