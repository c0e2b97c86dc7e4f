//! What must be covered and what is expected there: `config/coverage.toml`, compiled in, to [`Cover`]s and
//! [`EmitterModel`]s.

use super::ConfigError;
use super::raw::{Fault, ParseError};
use super::regions::{RawDirection, RawService, hz};
use crate::classify::Device;
use crate::plan::{Cover, EmitterModel, Extent, Pattern, Phase, Whereabouts};
use crate::policy::Level;
use serde::Deserialize;
use std::path::PathBuf;

const PATH: &str = "config/coverage.toml";
const TEXT: &str = include_str!("../../config/coverage.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCoverage {
    cover: Vec<RawCover>,
    emitter: Vec<RawEmitter>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCover {
    device: Device,
    service: Option<RawService>,
    #[serde(default)]
    directions: Vec<RawDirection>,
    #[serde(default)]
    named: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    name: Option<String>,
    #[serde(default)]
    regions: Vec<String>,
    band_mhz: Option<[f64; 2]>,
    from: RawLevel,
    event_s: f64,
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEmitter {
    name: String,
    device: Device,
    service: RawService,
    direction: Option<RawDirection>,
    #[serde(default)]
    named: Vec<String>,
    band_mhz: Option<[f64; 2]>,
    #[serde(default)]
    at_mhz: Vec<f64>,
    width_khz: f64,
    every_s: Option<f64>,
    #[serde(default = "one")]
    weight: f64,
    phase: Vec<Phase>,
    source: String,
}

fn one() -> f64 {
    1.0
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawLevel {
    Confidential,
    Secret,
    TopSecret,
}

impl From<RawLevel> for Level {
    fn from(raw: RawLevel) -> Self {
        match raw {
            RawLevel::Confidential => Self::Confidential,
            RawLevel::Secret => Self::Secret,
            RawLevel::TopSecret => Self::TopSecret,
        }
    }
}

/// What must be covered, and the emitters that are expected there.
///
/// # Errors
/// [`ConfigError::Invalid`] with all that is wrong with the table.
pub fn coverage() -> Result<(Vec<Cover>, Vec<EmitterModel>), ConfigError> {
    parse(TEXT).map_err(|source| ConfigError::Invalid { path: PathBuf::from(PATH), source })
}

fn parse(text: &str) -> Result<(Vec<Cover>, Vec<EmitterModel>), ParseError> {
    let raw: RawCoverage = toml::from_str(text).map_err(|error| ParseError::syntax(text, &error))?;
    let mut faults = Vec::new();
    let mut covers = Vec::new();
    for (n, cover) in raw.cover.into_iter().enumerate() {
        match checked_cover(cover) {
            Ok(cover) => covers.push(cover),
            Err(what) => faults.push(Fault { key: format!("cover[{n}]"), what: what.into() }),
        }
    }
    for (n, emitter) in raw.emitter.iter().enumerate() {
        let twice = raw.emitter[..n].iter().any(|other| other.name == emitter.name);
        if let Some(what) = emitter_fault(emitter, twice) {
            faults.push(Fault { key: format!("emitter[{n}]"), what: what.into() });
        }
    }
    if faults.is_empty() {
        Ok((covers, raw.emitter.into_iter().map(checked_emitter).collect()))
    } else {
        Err(ParseError::Faults(faults))
    }
}

fn checked_cover(raw: RawCover) -> Result<Cover, &'static str> {
    if raw.source.is_empty() {
        return Err("`source` is empty");
    }
    if !raw.device.is_device() {
        return Err("`device` is nothing that is ever banned");
    }
    if !(raw.event_s > 0.0 && raw.event_s <= 3600.0) {
        return Err("`event_s` must be above 0, at most 3600");
    }
    let extent = match (raw.service, raw.band_mhz, raw.name) {
        (Some(service), None, None) if !raw.directions.is_empty() && raw.regions.is_empty() => {
            Extent::Allocations {
                service: service.into(),
                directions: raw.directions.into_iter().map(Into::into).collect(),
                named: raw.named,
                except: raw.except,
            }
        }
        (None, Some([low, high]), Some(name)) if 0.0 < low && low < high && !raw.regions.is_empty() => {
            Extent::Stretch { name, regions: raw.regions, band_hz: [low, high].map(hz) }
        }
        _ => {
            return Err("needs `service` and `directions`, or `name`, `regions` and a `band_mhz` that rises");
        }
    };
    Ok(Cover { device: raw.device, extent, from: raw.from.into(), event_s: raw.event_s })
}

fn emitter_fault(raw: &RawEmitter, twice: bool) -> Option<&'static str> {
    let lasts = |phase: &Phase| 0.0 < phase.lasts_s[0] && phase.lasts_s[0] <= phase.lasts_s[1];
    let checks = [
        (!raw.name.is_empty() && !twice, "`name` is empty or there twice"),
        (!raw.source.is_empty(), "`source` is empty"),
        (raw.device.is_device(), "`device` is nothing that is ever banned"),
        (raw.width_khz > 0.0, "`width_khz` must be above 0"),
        (raw.weight > 0.0, "`weight` must be above 0"),
        (raw.band_mhz.is_none_or(|[low, high]| 0.0 < low && low < high), "`band_mhz` must rise"),
        (raw.every_s.is_none_or(|s| s > 0.0), "`every_s` must be above 0, or be left out"),
        (
            !raw.phase.is_empty() && raw.phase.iter().all(lasts),
            "each `phase` must last, and there must be one",
        ),
        (raw.every_s.is_some() || raw.phase.len() == 1, "what never ends has one `phase`"),
        (raw.phase.iter().all(|phase| is_sound(phase.pattern)), "bursts must be shorter than their period"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
}

fn is_sound(pattern: Pattern) -> bool {
    match pattern {
        Pattern::Continuous => true,
        Pattern::Periodic { on_s, period_s, jitter_s } => 0.0 < on_s && on_s < period_s && jitter_s >= 0.0,
        Pattern::Hopping { on_s, period_s } => 0.0 < on_s && on_s < period_s,
        Pattern::Random { on_s, rate_hz } => 0.0 < on_s && 0.0 < rate_hz && on_s * rate_hz < 1.0,
        Pattern::Scan { on_s, channels, bursts } => 0.0 < on_s && channels > 0 && bursts > 0,
    }
}

fn checked_emitter(raw: RawEmitter) -> EmitterModel {
    EmitterModel {
        name: raw.name,
        device: raw.device,
        place: Whereabouts {
            service: raw.service.into(),
            direction: raw.direction.map(Into::into),
            named: raw.named,
            else_hz: raw.band_mhz.map(|band| band.map(hz)),
            at_hz: raw.at_mhz.into_iter().map(hz).collect(),
        },
        width_hz: raw.width_khz * 1e3,
        every_s: raw.every_s,
        phases: raw.phase,
        weight: raw.weight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{REGIONS, region};

    #[test]
    fn every_word_for_a_band_is_found_in_some_region() {
        let (covers, emitters) = coverage().unwrap();
        let regions: Vec<_> = REGIONS.iter().map(|name| region(name).unwrap()).collect();
        let names: Vec<&str> = regions.iter().flat_map(|r| &r.allocations).map(|a| a.name.as_str()).collect();
        let mut words: Vec<&String> = emitters.iter().flat_map(|e| &e.place.named).collect();
        for cover in &covers {
            match &cover.extent {
                Extent::Allocations { named, except, .. } => words.extend(named.iter().chain(except)),
                Extent::Stretch { regions, .. } => {
                    assert!(regions.iter().all(|region| REGIONS.contains(&region.as_str())));
                }
            }
        }
        for word in words {
            assert!(names.iter().any(|name| name.contains(word.as_str())), "{word:?} names no allocation");
        }
    }

    #[test]
    fn each_device_is_covered_and_expected() {
        let (covers, emitters) = coverage().unwrap();
        for device in Device::ALL.iter().filter(|d| d.is_device()) {
            assert!(covers.iter().any(|c| c.device == *device), "{device}");
            // Of everything else there is no model.
            let expected = *device != Device::OtherWireless;
            assert_eq!(emitters.iter().any(|e| e.device == *device), expected, "{device}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_keys() {
        let broken = TEXT
            .replacen("event_s = 10", "event_s = 0", 1)
            .replacen("width_khz = 200", "width_khz = -1", 1)
            .replacen("directions = [\"uplink\"]", "directions = []", 1);
        let said = parse(&broken).unwrap_err().to_string();
        assert!(said.starts_with("3 faults"), "{said}");
        for key in ["cover[0]", "cover[2]", "emitter[0]"] {
            assert!(said.contains(key), "{key}: {said}");
        }
    }
}
