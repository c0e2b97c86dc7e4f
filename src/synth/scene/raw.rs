//! What a scene file may say, key by key. Unknown keys are refused; meaning is checked in `scene`.

use serde::Deserialize;

use super::quantity::Hertz;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawScene {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub seed: u64,
    pub duration: Option<f64>,
    pub datetime: Option<String>,
    pub receiver: RawReceiver,
    #[serde(default)]
    pub impairments: RawImpairments,
    #[serde(default)]
    pub segment: Vec<RawSegment>,
    #[serde(default)]
    pub ambient: Vec<toml::Table>,
    #[serde(default)]
    pub emitter: Vec<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawReceiver {
    #[serde(default)]
    pub model: Model,
    pub center: Option<Hertz>,
    pub rate: Option<Hertz>,
    pub format: Option<Format>,
    pub noise_dbfs: Option<f64>,
    pub noise_dbfs_per_hz: Option<f64>,
}

/// Receivers whose usual faults a scene may take over in one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    #[default]
    Ideal,
    HackRf,
    RtlSdr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Cu8,
    Ci8,
    Ci16,
    Cf32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawImpairments {
    pub dc_dbfs: Option<f64>,
    pub iq_image_dbc: Option<f64>,
    pub rolloff: Option<f64>,
    pub ppm: Option<f64>,
    pub clock: Option<Hertz>,
    pub clock_dbfs: Option<f64>,
    #[serde(default)]
    pub spurs: Vec<RawSpur>,
    #[serde(default)]
    pub gain_steps: Vec<RawGainStep>,
    #[serde(default)]
    pub gain_drift_db_per_s: f64,
    pub adc_bits: Option<u32>,
    #[serde(default)]
    pub drops: Vec<RawDrop>,
    #[serde(default)]
    pub stuck: Vec<[f64; 2]>,
    #[serde(default)]
    pub zeros: Vec<[f64; 2]>,
    #[serde(default)]
    pub nan: Vec<[f64; 2]>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSpur {
    pub freq: Hertz,
    pub dbfs: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGainStep {
    pub at: f64,
    pub db: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDrop {
    pub at: f64,
    pub samples: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSegment {
    pub center: Hertz,
    pub duration: f64,
    pub start: Option<f64>,
}

/// The keys that every emitter shares; all others are its kind's own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEmitter {
    pub name: Option<String>,
    pub kind: String,
    pub freq: Hertz,
    pub snr_db: Option<f64>,
    pub level_dbfs: Option<f64>,
    #[serde(default)]
    pub on: Vec<[f64; 2]>,
    pub ramp_s: Option<f64>,
    #[serde(default)]
    pub offset: Option<Hertz>,
    pub seed: Option<u64>,
    pub two_ray: Option<RawTwoRay>,
    pub rician: Option<RawRician>,
}

impl RawEmitter {
    /// Names of the fields above.
    pub const KEYS: [&'static str; 11] = [
        "name",
        "kind",
        "freq",
        "snr_db",
        "level_dbfs",
        "on",
        "ramp_s",
        "offset",
        "seed",
        "two_ray",
        "rician",
    ];
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTwoRay {
    pub delay_s: f64,
    pub db: f64,
    #[serde(default)]
    pub phase_deg: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRician {
    pub k_db: f64,
    pub doppler_hz: f64,
}
