//! Device arguments: what may be asked for, checked with a sentence for each mistake.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::adc::Model;

/// Samples of a transfer unless asked otherwise: 262144 bytes, as both modules have them.
const TRANSFER: u64 = 131_072;
/// Most samples of a transfer, and most transfers of a ring.
const MOST: u64 = 1 << 24;
/// Transfers that a ring holds unless asked otherwise, in both modules.
const BUFFERS: u64 = 15;

/// What the device was asked to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Args {
    /// Which radio.
    pub model: Model,
    /// What it hears.
    pub hears: Hears,
    /// In the place of the scene's own seed.
    pub seed: Option<u64>,
    /// Serial number.
    pub serial: String,
    /// Whether samples come at their rate; otherwise as fast as they are read.
    pub paced: bool,
    /// Samples after a change of setting that are still of the old one.
    pub settle: Settle,
    /// Where to listen for faults.
    pub control: Option<PathBuf>,
    /// How many devices of this serial number are attached.
    pub count: u64,
    /// Whether a recording begins again at its end.
    pub looped: bool,
    /// Samples of a transfer.
    pub transfer: u64,
    /// Transfers that the ring holds.
    pub buffers: u64,
    /// Unix time of scene time 0, seconds.
    pub epoch_s: Option<f64>,
}

/// Where samples come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hears {
    /// Nobody transmits.
    Quiet,
    /// A scene file.
    Scene(PathBuf),
    /// A recording.
    Recording(PathBuf),
}

/// How long the radio takes to settle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Settle {
    /// As many samples.
    Samples(u64),
    /// As much time.
    Seconds(f64),
}

/// Arguments as SoapySDR hands them over.
pub type Kwargs = BTreeMap<String, String>;

/// Keys of this module, with what each takes.
const KEYS: [(&str, &str); 13] = [
    ("model", "hackrf or rtlsdr"),
    ("scene", "a scene file"),
    ("recording", "a recording that emcon can read"),
    ("seed", "a whole number, 0 or more"),
    ("serial", "any text"),
    ("pace", "1 (samples come at their rate) or 0 (as fast as they are read)"),
    ("settle_samples", "a whole number of samples, 0 or more"),
    ("control", "a path for a socket"),
    ("count", "a whole number of devices, 0 or more"),
    ("loop", "1 (a recording begins again) or 0 (samples end with it)"),
    ("mtu", "a whole number of samples from 1 to 16777216"),
    ("buffers", "a whole number of transfers from 1 to 16777216"),
    ("epoch", "a Unix time in seconds"),
];

/// Keys that SoapySDR or the result of a search adds.
const ADDED: [&str; 8] =
    ["driver", "label", "device", "product", "manufacturer", "tuner", "version", "part_id"];

impl Args {
    /// Reads `kwargs`.
    ///
    /// # Errors
    /// A sentence with the key, the value, and what would do.
    pub fn new(kwargs: &Kwargs) -> Result<Self, String> {
        for key in kwargs.keys() {
            if !ADDED.contains(&key.as_str()) && !KEYS.iter().any(|(known, _)| known == key) {
                let known: Vec<_> = KEYS.iter().map(|(known, _)| *known).collect();
                return Err(format!("emcon-sim knows no argument {key:?}; it knows {}", known.join(", ")));
            }
        }
        let model = match kwargs.get("model").map(String::as_str) {
            None | Some("hackrf") => Model::HackRf,
            Some("rtlsdr") => Model::RtlSdr,
            Some(_) => return Err(wrong(kwargs, "model")),
        };
        let path = |key: &str| kwargs.get(key).map(PathBuf::from);
        let hears = match (path("scene"), path("recording")) {
            (None, None) => Hears::Quiet,
            (Some(scene), None) => Hears::Scene(scene),
            (None, Some(recording)) => Hears::Recording(recording),
            (Some(_), Some(_)) => {
                return Err("emcon-sim: scene= and recording= exclude each other; give one".to_owned());
            }
        };
        // Real defaults: the serial number that RTL-SDRs are sold with, and one as a HackRF reports it.
        let usual = if model == Model::RtlSdr { "00000001" } else { "0000000000000000a06063c82e4c0001" };
        let settle = match (number(kwargs, "settle_samples", 0..=u64::MAX)?, model) {
            (Some(samples), _) => Settle::Samples(samples),
            // In libhackrf transfers are in flight when the tuning changes; two of them is what the module shows.
            (None, Model::HackRf) => Settle::Samples(2 * TRANSFER),
            // A dongle's tuner takes about 10 ms; what is in flight beside it is the transfer that fills.
            (None, Model::RtlSdr) => Settle::Seconds(0.010),
        };
        let epoch_s = match kwargs.get("epoch").map(|text| text.parse::<f64>()) {
            None => None,
            Some(Ok(epoch)) if epoch.is_finite() => Some(epoch),
            Some(_) => return Err(wrong(kwargs, "epoch")),
        };
        Ok(Self {
            model,
            hears,
            seed: number(kwargs, "seed", 0..=u64::MAX)?,
            serial: kwargs.get("serial").cloned().unwrap_or_else(|| usual.to_owned()),
            paced: flag(kwargs, "pace")?,
            settle,
            control: path("control"),
            count: number(kwargs, "count", 0..=64)?.unwrap_or(1),
            looped: flag(kwargs, "loop")?,
            transfer: number(kwargs, "mtu", 1..=MOST)?.unwrap_or(TRANSFER),
            buffers: number(kwargs, "buffers", 1..=MOST)?.unwrap_or(BUFFERS),
            epoch_s,
        })
    }

    /// What a search for devices tells of device `index` that says it is `serial`.
    pub fn found(&self, kwargs: &Kwargs, index: u64, serial: &str) -> Kwargs {
        let mut found = kwargs.clone();
        let mut tell = |key: &str, value: String| found.insert(key.to_owned(), value);
        tell("serial", serial.to_owned());
        match self.model {
            Model::HackRf => {
                tell("model", "hackrf".to_owned());
                tell("device", "HackRF One".to_owned());
                tell("label", format!("HackRF One #{index} {} (simulated)", serial.trim_start_matches('0')));
            }
            Model::RtlSdr => {
                tell("model", "rtlsdr".to_owned());
                tell("tuner", "Rafael Micro R820T".to_owned());
                tell("label", format!("Generic RTL2832U OEM #{index} :: {serial} (simulated)"));
            }
        }
        found
    }
}

fn number(kwargs: &Kwargs, key: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, String> {
    let Some(text) = kwargs.get(key) else { return Ok(None) };
    text.parse().ok().filter(|value| range.contains(value)).map(Some).ok_or_else(|| wrong(kwargs, key))
}

fn flag(kwargs: &Kwargs, key: &str) -> Result<bool, String> {
    match kwargs.get(key).map(String::as_str) {
        None | Some("1" | "true") => Ok(true),
        Some("0" | "false") => Ok(false),
        Some(_) => Err(wrong(kwargs, key)),
    }
}

fn wrong(kwargs: &Kwargs, key: &str) -> String {
    let takes = KEYS.iter().find(|(known, _)| *known == key).map_or("", |(_, takes)| takes);
    let value = kwargs.get(key).map_or("", String::as_str);
    format!("emcon-sim: {key}={value} will not do; it takes {takes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Result<Args, String> {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        Args::new(&pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn without_arguments_it_is_a_hackrf_in_a_quiet_room() {
        let args = args("driver=emcon-sim").unwrap();
        assert_eq!((args.model, args.hears, args.paced), (Model::HackRf, Hears::Quiet, true));
        assert_eq!((args.settle, args.buffers), (Settle::Samples(262_144), 15));
    }

    #[test]
    fn a_mistake_is_told_with_key_value_and_what_would_do() {
        for (text, key, value) in [
            ("model=usrp", "model", "usrp"),
            ("pace=fast", "pace", "fast"),
            ("settle_samples=-1", "settle_samples", "-1"),
            ("seed=1.5", "seed", "1.5"),
            ("mtu=0", "mtu", "0"),
            ("epoch=now", "epoch", "now"),
        ] {
            let error = args(text).unwrap_err();
            assert!(error.contains(&format!("{key}={value}")) && error.contains("takes"), "{error}");
        }
        assert!(args("setle=3").unwrap_err().contains("settle_samples"));
        assert!(args("scene=a,recording=b").unwrap_err().contains("exclude"));
    }
}
