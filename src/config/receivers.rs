//! Kinds of receiver: `config/receivers.toml`, compiled in, to [`ReceiverProfile`] and what planning asks of it.

use super::ConfigError;
use super::raw::{Fault, ParseError};
use crate::iq::SampleFormat;
use crate::plan::ReceiverAbility;
use crate::sdr::{GainSetting, ReceiverProfile};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

const PATH: &str = "config/receivers.toml";
const TEXT: &str = include_str!("../../config/receivers.toml");

/// What the file may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReceivers {
    receiver: Vec<RawReceiver>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReceiver {
    name: String,
    driver: String,
    usb: Vec<String>,
    usb_source: String,
    range_mhz: Vec<[f64; 2]>,
    range_source: String,
    rate_mhz: f64,
    rate_source: String,
    usable_mhz: f64,
    usable_source: String,
    offset_khz: f64,
    offset_source: String,
    settle_ms: f64,
    settle_source: String,
    looked_min: Option<f64>,
    looked_source: Option<String>,
    formats: Vec<String>,
    formats_source: String,
    #[serde(default)]
    stream_args: BTreeMap<String, String>,
    stream_source: Option<String>,
    gain_db: Vec<BTreeMap<String, f64>>,
    gain_source: String,
    #[serde(default)]
    full_scale_dbm: Vec<f64>,
    full_scale_source: Option<String>,
    noise_figure_db: Option<f64>,
    noise_source: Option<String>,
    input_max_dbm: f64,
    input_source: String,
}

/// The kinds of receiver that there are data for.
///
/// # Errors
/// [`ConfigError::Invalid`] with all that is wrong with the table.
pub fn receivers() -> Result<Vec<ReceiverProfile>, ConfigError> {
    parse(TEXT).map_err(|source| ConfigError::Invalid { path: PathBuf::from(PATH), source })
}

/// The kind of receiver called `name`.
///
/// # Errors
/// [`ConfigError::UnknownReceiver`] for another name.
pub fn receiver(name: &str) -> Result<ReceiverProfile, ConfigError> {
    let all = receivers()?;
    let known = all.iter().map(|r| r.name.clone()).collect();
    let found = all.into_iter().find(|r| r.name == name);
    found.ok_or_else(|| ConfigError::UnknownReceiver { name: name.into(), known })
}

/// What planning asks of a receiver of that kind; `settle_s` if it was measured.
pub fn ability(profile: &ReceiverProfile, settle_s: Option<f64>) -> ReceiverAbility {
    ReceiverAbility {
        name: profile.name.clone(),
        ranges_hz: profile.ranges_hz.clone(),
        rate_hz: profile.rate_hz,
        usable_hz: profile.usable_hz,
        offset_hz: profile.offset_hz,
        settle_s: settle_s.unwrap_or(profile.settle_s),
        usual_settle_s: profile.settle_s,
        looked_min: profile.looked_min,
        gain_steps: profile.gain_steps.len().saturating_sub(1).min(usize::from(u8::MAX)) as u8,
    }
}

fn parse(text: &str) -> Result<Vec<ReceiverProfile>, ParseError> {
    let raw: RawReceivers = toml::from_str(text).map_err(|error| ParseError::syntax(text, &error))?;
    let mut faults = Vec::new();
    for (n, receiver) in raw.receiver.iter().enumerate() {
        let twice = raw.receiver[..n].iter().any(|other| other.name == receiver.name);
        for (key, what) in receiver_faults(receiver, twice) {
            faults.push(Fault { key: format!("receiver[{n}].{key}"), what });
        }
    }
    if !faults.is_empty() {
        return Err(ParseError::Faults(faults));
    }
    Ok(raw.receiver.into_iter().map(checked).collect())
}

/// All that is wrong with `raw`, by key.
fn receiver_faults(raw: &RawReceiver, twice: bool) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    let mut unless = |holds: bool, key: &str, what: &str| {
        if !holds {
            faults.push((key.to_string(), what.to_string()));
        }
    };
    unless(!raw.name.is_empty() && !twice, "name", "is empty or there twice");
    unless(!raw.driver.is_empty(), "driver", "is empty");
    let ranges = &raw.range_mhz;
    let apart = ranges.windows(2).all(|pair| pair[0][1] < pair[1][0]);
    let sane = ranges.iter().all(|[low, high]| 0.0 <= *low && low + raw.usable_mhz <= *high && *high <= 1e6);
    let fits = "must be ranges that rise, lie apart and are no narrower than what is usable";
    unless(!ranges.is_empty() && apart && sane, "range_mhz", fits);
    unless(0.0 < raw.rate_mhz && raw.rate_mhz <= 1e3, "rate_mhz", "must be above 0, at most 1000");
    let usable = 0.0 < raw.usable_mhz && raw.usable_mhz <= raw.rate_mhz;
    unless(usable, "usable_mhz", "must be above 0, at most the rate");
    let offset = 0.0 <= raw.offset_khz && raw.offset_khz < raw.usable_mhz * 1e3 / 8.0;
    unless(offset, "offset_khz", "must be below an eighth of what is usable");
    unless(0.0 <= raw.settle_ms && raw.settle_ms <= 1e3, "settle_ms", "must be 0 to 1000");
    let looked = raw.looked_min.is_none_or(|share| (0.0..=0.9).contains(&share));
    unless(looked, "looked_min", "must be 0 to 0.9, or be left out");
    let known = !raw.formats.is_empty() && raw.formats.iter().all(|word| format(word).is_some());
    unless(known, "formats", "must be of cu8, cs8, cs16, cf32");
    let ids = !raw.usb.is_empty() && raw.usb.iter().all(|text| usb_id(text).is_some());
    unless(ids, "usb", "must be of VENDOR:PRODUCT, four hexadecimal digits each");
    let total = |step: &BTreeMap<String, f64>| step.values().sum::<f64>();
    let down = raw.gain_db.windows(2).all(|pair| total(&pair[0]) > total(&pair[1]));
    let same = raw.gain_db.windows(2).all(|pair| pair[0].keys().eq(pair[1].keys()));
    let finite = raw.gain_db.iter().flat_map(BTreeMap::values).all(|db| (-100.0..=200.0).contains(db));
    let steps = !raw.gain_db.is_empty() && raw.gain_db.len() <= 256 && down && same && finite;
    unless(
        steps,
        "gain_db",
        "must set the same elements in every step, each to less in all than the one before",
    );
    let levels = raw.full_scale_dbm.is_empty() || raw.full_scale_dbm.len() == raw.gain_db.len();
    unless(levels, "full_scale_dbm", "must have as many levels as gain_db has steps, or be left out");
    unless((-200.0..=60.0).contains(&raw.input_max_dbm), "input_max_dbm", "must be -200 to 60");
    let said = [
        ("usb_source", &raw.usb_source),
        ("range_source", &raw.range_source),
        ("rate_source", &raw.rate_source),
        ("usable_source", &raw.usable_source),
        ("offset_source", &raw.offset_source),
        ("settle_source", &raw.settle_source),
        ("formats_source", &raw.formats_source),
        ("gain_source", &raw.gain_source),
        ("input_source", &raw.input_source),
    ];
    for (key, source) in said {
        unless(!source.is_empty(), key, "is empty");
    }
    let sourced =
        |empty: bool, source: &Option<String>| empty == source.as_ref().is_none_or(String::is_empty);
    unless(sourced(raw.looked_min.is_none(), &raw.looked_source), "looked_source", "goes with looked_min");
    unless(sourced(raw.stream_args.is_empty(), &raw.stream_source), "stream_source", "goes with stream_args");
    let levels = sourced(raw.full_scale_dbm.is_empty(), &raw.full_scale_source);
    unless(levels, "full_scale_source", "goes with full_scale_dbm");
    let noise = raw.noise_figure_db.is_none_or(|db| (0.0..=60.0).contains(&db));
    unless(noise, "noise_figure_db", "must be 0 to 60, or be left out");
    unless(
        sourced(raw.noise_figure_db.is_none(), &raw.noise_source),
        "noise_source",
        "goes with noise_figure_db",
    );
    faults
}

/// The profile that `raw`, without faults, describes.
fn checked(raw: RawReceiver) -> ReceiverProfile {
    let steps: Vec<GainSetting> = raw.gain_db.into_iter().map(|step| step.into_iter().collect()).collect();
    ReceiverProfile {
        full_scale_dbm: (0..steps.len()).map(|n| raw.full_scale_dbm.get(n).copied()).collect(),
        usb_ids: raw.usb.iter().filter_map(|text| usb_id(text)).collect(),
        name: raw.name,
        driver: raw.driver,
        ranges_hz: raw.range_mhz.iter().map(|range| range.map(|mhz| mhz * 1e6)).collect(),
        rate_hz: raw.rate_mhz * 1e6,
        usable_hz: raw.usable_mhz * 1e6,
        offset_hz: raw.offset_khz * 1e3,
        settle_s: raw.settle_ms / 1e3,
        looked_min: raw.looked_min.unwrap_or(0.0),
        formats: raw.formats.iter().filter_map(|word| format(word)).collect(),
        stream_args: raw.stream_args.into_iter().collect(),
        gain_steps: steps,
        noise_figure_db: raw.noise_figure_db,
        input_max_dbm: raw.input_max_dbm,
    }
}

fn usb_id(text: &str) -> Option<[u16; 2]> {
    let (vendor, product) = text.split_once(':').filter(|_| text.len() == 9)?;
    Some([u16::from_str_radix(vendor, 16).ok()?, u16::from_str_radix(product, 16).ok()?])
}

fn format(word: &str) -> Option<SampleFormat> {
    match word {
        "cu8" => Some(SampleFormat::Cu8),
        "cs8" => Some(SampleFormat::Ci8),
        "cs16" => Some(SampleFormat::Ci16),
        "cf32" => Some(SampleFormat::Cf32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_sound() {
        let names: Vec<String> = receivers().unwrap().into_iter().map(|r| r.name).collect();
        assert_eq!(names, ["hackrf", "rtlsdr"]);
        let rtlsdr = receiver("rtlsdr").unwrap();
        assert_eq!(rtlsdr.ranges_hz, [[24e6, 1765e6]]);
        assert_eq!(rtlsdr.stream_args, [("bufflen".to_string(), "16384".to_string())]);
        assert_eq!(ability(&rtlsdr, Some(0.01)).settle_s, 0.01);
        assert_eq!(ability(&rtlsdr, None).gain_steps, 4);
    }

    #[test]
    fn an_unknown_name_tells_the_known_ones() {
        let said = receiver("bladerf").unwrap_err().to_string();
        assert_eq!(said, "unknown receiver \"bladerf\": choose one of hackrf, rtlsdr");
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_keys() {
        let broken = TEXT
            .replacen("usable_mhz = 16", "usable_mhz = 21", 1)
            .replacen("LNA = 8, VGA = 16", "LNA = 24, VGA = 16", 1)
            .replacen("name = \"rtlsdr\"", "name = \"hackrf\"", 1)
            .replacen("settle_ms = 15", "settle_ms = nan", 1);
        let said = parse(&broken).unwrap_err().to_string();
        for key in
            ["receiver[0].usable_mhz", "receiver[0].gain_db", "receiver[1].name", "receiver[1].settle_ms"]
        {
            assert!(said.contains(key), "{key}: {said}");
        }
        assert!(said.starts_with("4 faults"), "{said}");
    }
}
