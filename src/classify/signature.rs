//! A signature: what must hold, and what speaks for or against, before an emitter bears a signal's name.
//!
//! Signatures are data (`config/signatures.toml`, read by `config::signatures`). A signal may have several, one
//! for each of its faces (a GSM handset's bursts, a GSM base station's carrier).

use super::words::words;
use super::{Device, Signal};
use crate::bandplan::Service;
use serde::{Deserialize, Serialize};

words! {
    /// What is measured on an emitter. All are medians over its latest emissions unless said otherwise.
    Feature {
        /// 99 % bandwidth, hertz.
        Bandwidth = "bandwidth",
        /// On-time of emissions seen from start to end, seconds.
        Duration = "duration",
        /// Longest uninterrupted on-time, whether seen to its ends or not, seconds.
        Longest = "longest",
        /// On-times seen.
        Bursts = "bursts",
        /// Sum of all on-times, seconds.
        Airtime = "airtime",
        /// Fraction of the time that it is on.
        Duty = "duty",
        /// Time between successive starts, seconds.
        Interval = "interval",
        /// Fraction of the phases of the period `at` (seconds) in which it was on.
        PhaseShare = "phase-share",
        /// How well starts keep the period `at` (seconds): 1 for ever, 0 for chance.
        Rhythm = "rhythm",
        /// Fraction of emissions followed by the next after a gap of `at` (seconds).
        Paired = "paired",
        /// Fraction of on-times that are multiples of `at` (seconds) to within a twentieth of it, the loss of one
        /// symbol in fourteen allowed.
        Multiple = "multiple",
        /// Channels of a hopper; 1 if it does not hop.
        Channels = "channels",
        /// Spread of levels, 10 % to 90 %, dB.
        LevelSpread = "level-spread",
        /// Power over the local noise, dB.
        Snr = "snr",
        /// Fraction of emissions that touch the edge of the span.
        AtEdge = "at-edge",
        /// Bandwidth over three bins of the detector, 0 below and 1 above: whether it has any width.
        Width = "width",
        /// Standard deviation over mean of the amplitude.
        EnvelopeCv = "envelope-cv",
        /// Peak over mean power, dB.
        Papr = "papr",
        /// Fraction of a burst that is on.
        OnFraction = "on-fraction",
        /// Pulses in a burst.
        Pulses = "pulses",
        /// Length of a pulse within a burst, seconds.
        PulseLength = "pulse-length",
        /// Half of the spread of the instantaneous frequency, hertz.
        Deviation = "deviation",
        /// Levels of the instantaneous frequency: 0 (none), 2 or 4.
        FskLevels = "fsk-levels",
        /// Distance from the levels over half of their spacing.
        LevelError = "level-error",
        /// Symbol rate at which the levels were found, symbols a second.
        LevelRate = "level-rate",
        /// Outermost level of the instantaneous frequency, hertz.
        LevelHz = "level",
        /// Modulation index.
        ModulationIndex = "modulation-index",
        /// Symbol rate from the instantaneous frequency, symbols a second.
        SymbolRate = "symbol-rate",
        /// Symbol rate from the envelope.
        EnvelopeRate = "envelope-rate",
        /// Symbol rate from the squared signal.
        SquareRate = "square-rate",
        /// Chip-rate line at 3.84 MHz over its surroundings, dB.
        Chip = "chip-3m84",
        /// Repetition after 0.8 µs.
        Lag0u8 = "lag-0u8",
        /// Repetition after 1 µs, symbol by symbol.
        Lag1u = "lag-1u",
        /// Cyclic prefix after 3.2 µs.
        Lag3u2 = "lag-3u2",
        /// Cyclic prefix after 12.8 µs.
        Lag12u8 = "lag-12u8",
        /// Repetition after 16 µs.
        Lag16u = "lag-16u",
        /// Cyclic prefix after 1/15 kHz.
        Lag66u7 = "lag-66u7",
        /// Cyclic prefix after 1/30 kHz.
        Lag33u3 = "lag-33u3",
        /// Spectral flatness.
        Flatness = "flatness",
        /// 6 dB over 99 % bandwidth.
        Shoulder = "shoulder",
        /// Slope of a chirp up or down, hertz a second.
        ChirpSlope = "chirp-slope",
        /// Fraction of the energy that a linear chirp explains.
        ChirpFit = "chirp-fit",
        /// Fraction of the power in one line.
        LineFraction = "line-fraction",
    }
}

words! {
    /// Aspects of a signal that vary independently of each other: two must agree before a name is given.
    Group {
        /// How long it is on.
        Duration = "duration",
        /// How wide it is.
        Bandwidth = "bandwidth",
        /// When it is on.
        Timing = "timing",
        /// How it is modulated.
        Modulation = "modulation",
        /// What repeats within it.
        Structure = "structure",
        /// The shape of its spectrum.
        Spectrum = "spectrum",
        /// Where it goes.
        Hopping = "hopping",
    }
}

words! {
    /// What a test is for.
    Role {
        /// Without it the signature cannot apply. A gate with a weight is a proof at the same time.
        Gate = "gate",
        /// Speaks for it by its weight.
        Proof = "proof",
        /// Rules it out if measured within the limits.
        Against = "against",
    }
}

/// A limit on one feature.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// What is measured.
    pub feature: Feature,
    /// The parameter of the feature, where it has one.
    #[serde(default)]
    pub at: Option<f64>,
    /// At least.
    #[serde(default)]
    pub min: Option<f64>,
    /// At most.
    #[serde(default)]
    pub max: Option<f64>,
    /// What follows.
    pub role: Role,
    /// Which aspect it looks at.
    pub group: Group,
    /// How much it counts if it holds; gates and tests against count 0 unless they say otherwise.
    #[serde(default)]
    pub weight: f64,
    /// Standard and section, or paper, of the limits.
    pub source: String,
}

impl Test {
    /// Whether `value` lies within the limits.
    pub fn admits(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// A grid of channel centres.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raster {
    /// One centre, hertz.
    pub origin_hz: f64,
    /// Distance of neighbours, hertz.
    pub step_hz: f64,
    /// How far off a centre may be measured, hertz.
    pub tolerance_hz: f64,
}

/// Which device a signal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// A phone or a base station: by band plan, else by structure.
    Cellular,
    /// Interference if it stood from the first sample, another device if its onset or end was seen.
    Standing,
    /// Always the same.
    #[serde(untagged)]
    Device(Device),
}

/// Where and how a signal shows itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// For people, as "DECT call".
    pub name: String,
    /// The signal that it names.
    pub signal: Signal,
    /// The device that it means.
    pub means: Means,
    /// Bands that it may lie in, megahertz from and to; anywhere if there are none.
    #[serde(default)]
    pub bands_mhz: Vec<[f64; 2]>,
    /// An allocation to this service that it must lie in.
    #[serde(default, with = "service")]
    pub service: Option<Service>,
    /// Whether it may be recognised without knowing the frequency.
    #[serde(default = "yes")]
    pub anywhere: bool,
    /// The grid that it keeps.
    #[serde(default)]
    pub raster: Option<Raster>,
    /// The limits.
    #[serde(rename = "test")]
    pub tests: Vec<Test>,
}

fn yes() -> bool {
    true
}

/// Spelling of [`Service`] in the table.
mod service {
    use crate::bandplan::Service;
    use serde::{Deserialize, Deserializer, de::Error};

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Service>, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(Some(match word.as_str() {
            "cellular" => Service::Cellular,
            "ism" => Service::Ism,
            "srd" => Service::Srd,
            "land-mobile" => Service::LandMobile,
            "cordless" => Service::Cordless,
            "microphone" => Service::Microphone,
            "broadcast" => Service::Broadcast,
            "satellite" => Service::Satellite,
            "aeronautical" => Service::Aeronautical,
            "video" => Service::Video,
            _ => return Err(D::Error::custom(format!("unknown service {word:?}"))),
        }))
    }
}
