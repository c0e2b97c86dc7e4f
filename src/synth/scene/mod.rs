//! A scene: what is in the air, and the receiver that listens, as checked values.
//!
//! The file format is TOML, documented with a full example in `docs/scenes.md`. Unknown keys are errors, and every
//! error names its key: a typo that is silently ignored would test something else than what was meant.

mod quantity;
mod raw;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use thiserror::Error;

use self::raw::{Format, Model, RawEmitter, RawImpairments, RawReceiver, RawScene, RawSegment};
use super::kinds;
use super::{WaveParams, Waveform};
use crate::iq::SampleFormat;

/// Longest scene, seconds: a day.
const LONGEST_S: f64 = 86_400.0;
/// Highest sample rate, hertz.
const FASTEST_HZ: f64 = 1e9;
/// Noise of a receiver set up with sense, dBFS over its whole span: its standard deviation is about one step of
/// 8 bits on each rail, so that quantisation adds a quarter of a decibel.
const NOISE_DBFS: f64 = -38.0;

/// No level, and no change of one, is farther from 0 dB: single precision ends at 385 dB.
const MOST_DB: f64 = 300.0;
/// Most samples that are dropped at once: a second at the highest rate.
const MOST_DROPPED: u64 = FASTEST_HZ as u64;

/// A scene that can be rendered.
#[derive(Clone)]
pub struct Scene {
    /// What it shows, in words.
    pub name: String,
    /// Everything random follows from it.
    pub seed: u64,
    /// Scene time covered by the segments, seconds.
    pub duration_s: f64,
    /// UTC of scene time 0, if the recording is to carry dates.
    pub datetime: Option<jiff::Timestamp>,
    /// The receiver.
    pub receiver: Receiver,
    /// Its faults.
    pub impairments: Impairments,
    /// Stretches of constant tuning, in order; at least one.
    pub segments: Vec<SceneSegment>,
    /// What is in the air: ambient first.
    pub emitters: Vec<SceneEmitter>,
}

/// What the receiver is.
#[derive(Debug, Clone, PartialEq)]
pub struct Receiver {
    /// Nominal sample rate, hertz.
    pub rate_hz: f64,
    /// Sample format of its output.
    pub format: SampleFormat,
    /// Noise density, dBFS in 1 Hz.
    pub noise_dbfs_per_hz: f64,
}

/// A stretch of constant tuning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SceneSegment {
    /// Nominal centre, hertz.
    pub center_hz: f64,
    /// Scene time of its first sample, seconds.
    pub start_s: f64,
    /// Length, seconds.
    pub duration_s: f64,
}

/// What a receiver adds and breaks. All `None`, zero or empty: nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Impairments {
    /// Constant offset at the span's middle, dBFS.
    pub dc_dbfs: Option<f64>,
    /// Mirror image, dB below each signal (negative).
    pub iq_image_dbc: Option<f64>,
    /// Fraction of the half span where the response is 3 dB down.
    pub rolloff: Option<f64>,
    /// Error of its clock, parts per million: it tunes and samples too fast by that much.
    pub ppm: f64,
    /// Lines of constant level.
    pub spurs: Vec<Spur>,
    /// A clock whose every harmonic is a line.
    pub clock: Option<Spur>,
    /// Changes of gain that stay.
    pub gain_steps: Vec<GainStep>,
    /// Drift of the gain, dB a second.
    pub gain_drift_db_per_s: f64,
    /// Resolution of the converter, if coarser than the format.
    pub adc_bits: Option<u32>,
    /// Samples lost without a trace.
    pub drops: Vec<Loss>,
    /// Times during which the last sample before them repeats.
    pub stuck: Vec<[f64; 2]>,
    /// Times during which every sample is exactly zero.
    pub zeros: Vec<[f64; 2]>,
    /// Times during which every sample is not a number.
    pub nan: Vec<[f64; 2]>,
}

/// An unmodulated line of the receiver's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spur {
    /// Radio frequency where it is seen, or the clock's fundamental, hertz.
    pub freq_hz: f64,
    /// Its level, dBFS.
    pub dbfs: f64,
}

/// A change of gain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GainStep {
    /// When, scene seconds.
    pub at_s: f64,
    /// By how much, dB.
    pub db: f64,
}

/// A loss of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// When, scene seconds.
    pub at_s: f64,
    /// How many.
    pub samples: u64,
}

/// A level, and what it refers to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    /// Mean power of a burst over the noise in the emitter's 99 % bandwidth, dB.
    SnrDb(f64),
    /// Mean power of a burst, amplitude 1 being 0 dBFS.
    Dbfs(f64),
}

/// Propagation beside a single clear path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fading {
    /// A second path.
    TwoRay {
        /// Later by, seconds.
        delay_s: f64,
        /// Its level relative to the first, dB.
        db: f64,
        /// Its phase relative to what delay alone gives, radians.
        phase: f64,
    },
    /// Many paths around a steady one (Rice 1948).
    Rician {
        /// Power of the steady path over that of the rest, dB.
        k_db: f64,
        /// Greatest Doppler shift, hertz.
        doppler_hz: f64,
    },
}

/// A transmitter in the scene.
#[derive(Clone)]
pub struct SceneEmitter {
    /// Its name, unique in the scene.
    pub name: String,
    /// The kind of waveform, as the file says.
    pub kind: String,
    /// Whether it belongs to the place rather than to the meeting.
    pub ambient: bool,
    /// Nominal frequency, hertz; shots are relative to it.
    pub freq_hz: f64,
    /// Error of its carrier, hertz.
    pub carrier_error_hz: f64,
    /// How strong.
    pub level: Level,
    /// On-times `[from, to)`, seconds, ascending and disjoint; empty means always.
    pub on: Vec<[f64; 2]>,
    /// Rise and fall of a continuous signal at the edges of its on-times, seconds.
    pub ramp_s: f64,
    /// Propagation.
    pub fading: Option<Fading>,
    /// What its content is drawn from.
    pub seed: u64,
    /// The waveform.
    pub waveform: Arc<dyn Waveform>,
}

/// Why a scene cannot be rendered.
#[derive(Debug, Error)]
pub enum SceneError {
    /// The text is no TOML, or a key is unknown, missing or of the wrong type.
    #[error("scene: {0}")]
    Syntax(String),
    /// A value does not do.
    #[error("scene: {key}: {fault}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong, and what would do.
        fault: String,
    },
    /// An emitter's kind does not exist.
    #[error("scene: {key}: no signal is called \"{kind}\"; kinds: {known}")]
    UnknownKind {
        /// The key.
        key: String,
        /// What was asked for.
        kind: String,
        /// What there is.
        known: String,
    },
}

impl SceneError {
    fn value(key: impl Into<String>, fault: impl Into<String>) -> Self {
        Self::Value { key: key.into(), fault: fault.into() }
    }
}

impl Scene {
    /// Reads and checks a scene. The error names the key at fault.
    pub fn from_toml(text: &str) -> Result<Self, SceneError> {
        let raw: RawScene = toml::from_str(text).map_err(|error| SceneError::Syntax(error.to_string()))?;
        let impairments = impairments(&raw.receiver, &raw.impairments)?;
        let receiver = receiver(&raw.receiver)?;
        if !impairments.nan.is_empty() && receiver.format != SampleFormat::Cf32 {
            return Err(SceneError::value("impairments.nan", "only format = \"cf32\" can hold it"));
        }
        let segments = segments(&raw)?;
        let last = segments.last().map_or(0.0, |s| s.start_s + s.duration_s);
        let mut emitters = Vec::new();
        let tables = raw.ambient.iter().map(|t| (true, t)).chain(raw.emitter.iter().map(|t| (false, t)));
        for (index, (ambient, table)) in tables.enumerate() {
            let number = if ambient { index } else { index - raw.ambient.len() };
            let key = format!("{}[{number}]", if ambient { "ambient" } else { "emitter" });
            emitters.push(emitter(&key, ambient, table, raw.seed, index as u64)?);
        }
        for (i, emitter) in emitters.iter().enumerate() {
            if emitters[..i].iter().any(|other| other.name == emitter.name) {
                return Err(SceneError::value("name", format!("\"{}\" is used twice", emitter.name)));
            }
        }
        let datetime = raw.datetime.as_deref().map(str::parse).transpose().map_err(|_| {
            SceneError::value("datetime", "must be a UTC time in quotes, such as \"2025-03-01T09:00:00Z\"")
        })?;
        Ok(Self {
            name: raw.name,
            seed: raw.seed,
            duration_s: last,
            datetime,
            receiver,
            impairments,
            segments,
            emitters,
        })
    }
}

fn receiver(raw: &RawReceiver) -> Result<Receiver, SceneError> {
    let rate_hz = raw.rate.map_or(if raw.model == Model::RtlSdr { 2.4e6 } else { 20e6 }, |rate| rate.0);
    if !(1e3..=FASTEST_HZ).contains(&rate_hz) {
        return Err(SceneError::value("receiver.rate", format!("{rate_hz} Hz is not within 1 kHz to 1 GHz")));
    }
    let format = match (raw.format, raw.model) {
        (Some(Format::Cu8), _) | (None, Model::RtlSdr) => SampleFormat::Cu8,
        (Some(Format::Ci8), _) | (None, Model::HackRf) => SampleFormat::Ci8,
        (Some(Format::Ci16), _) => SampleFormat::Ci16,
        (Some(Format::Cf32), _) | (None, Model::Ideal) => SampleFormat::Cf32,
    };
    let span_db = 10.0 * rate_hz.log10();
    let noise_dbfs_per_hz = match (raw.noise_dbfs, raw.noise_dbfs_per_hz) {
        (Some(_), Some(_)) => {
            return Err(SceneError::value("receiver.noise_dbfs", "give it or noise_dbfs_per_hz, not both"));
        }
        (Some(total), None) => total - span_db,
        (None, Some(density)) => density,
        (None, None) => NOISE_DBFS - span_db,
    };
    if !(-400.0..=100.0).contains(&noise_dbfs_per_hz) {
        return Err(SceneError::value("receiver.noise_dbfs", "must lie between -300 and 100 dBFS"));
    }
    Ok(Receiver { rate_hz, format, noise_dbfs_per_hz })
}

fn impairments(receiver: &RawReceiver, raw: &RawImpairments) -> Result<Impairments, SceneError> {
    // Usual figures: both tuners show a line at their centre; the HackRF mixes to zero in analogue and so has an
    // image, the RTL2832 splits in digital; both run their converters from a clock of round megahertz.
    let (dc, image, rolloff, clock) = match receiver.model {
        Model::Ideal => (None, None, None, None),
        Model::HackRf => (Some(-40.0), Some(-35.0), Some(0.9), None),
        Model::RtlSdr => (Some(-50.0), Some(-45.0), Some(0.92), Some(28.8e6)),
    };
    let rolloff = raw.rolloff.or(rolloff);
    if rolloff.is_some_and(|fraction| !(0.1..=1.0).contains(&fraction)) {
        return Err(SceneError::value("impairments.rolloff", "a fraction of the half span, 0.1 to 1"));
    }
    let ppm = raw.ppm.unwrap_or(0.0);
    if !(-1000.0..=1000.0).contains(&ppm) {
        return Err(SceneError::value("impairments.ppm", "must lie between -1000 and 1000"));
    }
    let clock_hz = raw.clock.map(|hertz| hertz.0).or(clock);
    if clock_hz.is_some_and(|hertz| hertz <= 0.0) {
        return Err(SceneError::value("impairments.clock", "must be positive"));
    }
    if raw.adc_bits.is_some_and(|bits| !(1..=24).contains(&bits)) {
        return Err(SceneError::value("impairments.adc_bits", "must lie between 1 and 24"));
    }
    let levels = [raw.dc_dbfs, raw.iq_image_dbc, raw.clock_dbfs, Some(raw.gain_drift_db_per_s)];
    let steps = raw.gain_steps.iter().map(|step| step.db);
    let spurs = raw.spurs.iter().map(|spur| spur.dbfs);
    let possible = |db: f64| db.abs() <= MOST_DB;
    if !levels.into_iter().flatten().chain(steps).chain(spurs).all(possible) {
        return Err(SceneError::value("impairments", format!("a level must lie within {MOST_DB} dB of 0")));
    }
    if !raw.gain_steps.iter().all(|step| (0.0..=LONGEST_S).contains(&step.at)) {
        return Err(SceneError::value("impairments.gain_steps", "`at` must be a time of the scene"));
    }
    if raw.drops.iter().any(|drop| drop.samples > MOST_DROPPED) {
        return Err(SceneError::value(
            "impairments.drops",
            format!("at most {MOST_DROPPED} samples at once"),
        ));
    }
    let mut gain_steps: Vec<_> = raw.gain_steps.iter().map(|s| GainStep { at_s: s.at, db: s.db }).collect();
    gain_steps.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    let mut drops: Vec<_> = raw.drops.iter().map(|d| Loss { at_s: d.at, samples: d.samples }).collect();
    drops.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    for (key, times) in [("stuck", &raw.stuck), ("zeros", &raw.zeros), ("nan", &raw.nan)] {
        ascending(&format!("impairments.{key}"), times)?;
    }
    Ok(Impairments {
        dc_dbfs: raw.dc_dbfs.or(dc),
        iq_image_dbc: raw.iq_image_dbc.or(image),
        rolloff,
        ppm,
        spurs: raw.spurs.iter().map(|s| Spur { freq_hz: s.freq.0, dbfs: s.dbfs }).collect(),
        clock: clock_hz.map(|freq_hz| Spur { freq_hz, dbfs: raw.clock_dbfs.unwrap_or(-60.0) }),
        gain_steps,
        gain_drift_db_per_s: raw.gain_drift_db_per_s,
        adc_bits: raw.adc_bits,
        drops,
        stuck: raw.stuck.clone(),
        zeros: raw.zeros.clone(),
        nan: raw.nan.clone(),
    })
}

fn segments(raw: &RawScene) -> Result<Vec<SceneSegment>, SceneError> {
    let checked = |key: &str, seconds: f64| {
        let good = seconds > 0.0 && seconds <= LONGEST_S;
        if good {
            Ok(seconds)
        } else {
            Err(SceneError::value(key, "a positive number of seconds, up to a day"))
        }
    };
    if raw.segment.is_empty() {
        let Some(center) = raw.receiver.center else {
            return Err(SceneError::value("receiver.center", "is missing: where does the receiver listen?"));
        };
        let duration_s = checked("duration", raw.duration.unwrap_or(0.0))?;
        return Ok(vec![SceneSegment { center_hz: center.0, start_s: 0.0, duration_s }]);
    }
    if raw.duration.is_some() || raw.receiver.center.is_some() {
        return Err(SceneError::value("segment", "replaces duration and receiver.center: remove them"));
    }
    let mut next_s = 0.0;
    let mut segments = Vec::new();
    for (i, RawSegment { center, duration, start }) in raw.segment.iter().enumerate() {
        let start_s = start.unwrap_or(next_s);
        if !(next_s..=LONGEST_S).contains(&start_s) {
            let fault = format!("must not lie before the end of the segment before it ({next_s} s)");
            return Err(SceneError::value(format!("segment[{i}].start"), fault));
        }
        let duration_s = checked(&format!("segment[{i}].duration"), *duration)?;
        segments.push(SceneSegment { center_hz: center.0, start_s, duration_s });
        next_s = start_s + duration_s;
    }
    Ok(segments)
}

fn emitter(
    key: &str,
    ambient: bool,
    table: &toml::Table,
    seed: u64,
    index: u64,
) -> Result<SceneEmitter, SceneError> {
    let (shared, own): (toml::Table, toml::Table) =
        table.clone().into_iter().partition(|(name, _)| RawEmitter::KEYS.contains(&name.as_str()));
    let raw: RawEmitter =
        shared.try_into().map_err(|error: toml::de::Error| SceneError::value(key, error.message()))?;
    let level = match (raw.snr_db, raw.level_dbfs) {
        (Some(snr), None) => Level::SnrDb(snr),
        (None, Some(level)) => Level::Dbfs(level),
        _ => return Err(SceneError::value(key, "give snr_db or level_dbfs")),
    };
    let (Level::SnrDb(decibels) | Level::Dbfs(decibels)) = level;
    if !(-200.0..=200.0).contains(&decibels) {
        return Err(SceneError::value(key, "snr_db or level_dbfs must lie between -200 and 200"));
    }
    ascending(&format!("{key}.on"), &raw.on)?;
    let seed = super::Rng::keyed(&[seed, raw.seed.unwrap_or(index + 1)]).next_u64();
    let params = WaveParams { freq_hz: raw.freq.0, on: raw.on.clone(), table: own };
    let waveform: Arc<dyn Waveform> = match kinds::build(&raw.kind, &params, seed) {
        Some(Ok(waveform)) => Arc::from(waveform),
        Some(Err(fault)) => return Err(SceneError::value(format!("{key} ({})", raw.kind), fault)),
        None => {
            let known = kinds::names().join(", ");
            return Err(SceneError::UnknownKind { key: format!("{key}.kind"), kind: raw.kind, known });
        }
    };
    // A ramp as slow as the signal itself keeps the splatter of keying within its bandwidth.
    let ramp_s = raw.ramp_s.unwrap_or(4.0 / waveform.span_hz());
    if !(0.0..=10.0).contains(&ramp_s) {
        return Err(SceneError::value(format!("{key}.ramp_s"), "must lie between 0 and 10 s"));
    }
    let fading = match (raw.two_ray, raw.rician) {
        (Some(_), Some(_)) => return Err(SceneError::value(key, "give two_ray or rician, not both")),
        (Some(ray), None) if (0.0..=1e-3).contains(&ray.delay_s) => {
            Some(Fading::TwoRay { delay_s: ray.delay_s, db: ray.db, phase: ray.phase_deg.to_radians() })
        }
        (Some(_), None) => {
            return Err(SceneError::value(format!("{key}.two_ray.delay_s"), "must lie between 0 and 1 ms"));
        }
        (None, Some(rician)) if (0.0..=1e4).contains(&rician.doppler_hz) => {
            Some(Fading::Rician { k_db: rician.k_db, doppler_hz: rician.doppler_hz })
        }
        (None, Some(_)) => {
            return Err(SceneError::value(
                format!("{key}.rician.doppler_hz"),
                "must lie between 0 and 10 kHz",
            ));
        }
        (None, None) => None,
    };
    Ok(SceneEmitter {
        name: raw.name.unwrap_or_else(|| format!("{} {}", raw.kind, index + 1)),
        kind: raw.kind,
        ambient,
        freq_hz: raw.freq.0,
        carrier_error_hz: raw.offset.map_or(0.0, |offset| offset.0),
        level,
        on: raw.on,
        ramp_s,
        fading,
        seed,
        waveform,
    })
}

/// Checks that times are finite, ascending and disjoint.
fn ascending(key: &str, times: &[[f64; 2]]) -> Result<(), SceneError> {
    let mut last = 0.0;
    for [from, to] in times {
        if !(*from >= last && *to > *from && *to <= 10.0 * LONGEST_S) {
            let fault = format!("[{from}, {to}] must be ascending pairs of seconds that do not overlap");
            return Err(SceneError::value(key, fault));
        }
        last = *to;
    }
    Ok(())
}
