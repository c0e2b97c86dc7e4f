//! Band plans of the regions: `config/regions/*.toml`, compiled in, to [`BandPlan`].

use super::ConfigError;
use super::raw::{Fault, ParseError};
use crate::bandplan::{Allocation, BandPlan, Direction, Service};
use serde::Deserialize;
use std::path::PathBuf;

/// Regions that there are data for.
pub const REGIONS: &[&str] = &["cn", "eu", "us"];

const FILES: &[(&str, &str)] = &[
    ("config/regions/cn.toml", include_str!("../../../config/regions/cn.toml")),
    ("config/regions/eu.toml", include_str!("../../../config/regions/eu.toml")),
    ("config/regions/us.toml", include_str!("../../../config/regions/us.toml")),
];

/// The band plan of the region called `name`, one of [`REGIONS`].
///
/// # Errors
/// Another name is [`ConfigError::UnknownRegion`].
pub fn region(name: &str) -> Result<BandPlan, ConfigError> {
    let found = REGIONS.iter().position(|known| *known == name).and_then(|n| FILES.get(n));
    let Some((path, text)) = found else {
        return Err(ConfigError::UnknownRegion { name: name.into() });
    };
    parse(text).map_err(|source| ConfigError::Invalid { path: PathBuf::from(path), source })
}

/// What a file may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegion {
    region: String,
    duplex: Vec<RawDuplex>,
    allocation: Vec<RawAllocation>,
}

/// Two halves of one band.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDuplex {
    name: String,
    service: RawService,
    uplink_mhz: [f64; 2],
    downlink_mhz: [f64; 2],
    raster_khz: Option<f64>,
    channel_mhz: Option<f64>,
    source: String,
}

/// One stretch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllocation {
    name: String,
    service: RawService,
    direction: RawDirection,
    band_mhz: [f64; 2],
    raster_khz: Option<f64>,
    channel_mhz: Option<f64>,
    source: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawService {
    Cellular,
    Ism,
    Srd,
    LandMobile,
    Cordless,
    Microphone,
    Broadcast,
    Satellite,
    Aeronautical,
    Video,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawDirection {
    Uplink,
    Downlink,
    Tdd,
    Simplex,
}

impl From<RawService> for Service {
    fn from(raw: RawService) -> Self {
        match raw {
            RawService::Cellular => Self::Cellular,
            RawService::Ism => Self::Ism,
            RawService::Srd => Self::Srd,
            RawService::LandMobile => Self::LandMobile,
            RawService::Cordless => Self::Cordless,
            RawService::Microphone => Self::Microphone,
            RawService::Broadcast => Self::Broadcast,
            RawService::Satellite => Self::Satellite,
            RawService::Aeronautical => Self::Aeronautical,
            RawService::Video => Self::Video,
        }
    }
}

impl From<RawDirection> for Direction {
    fn from(raw: RawDirection) -> Self {
        match raw {
            RawDirection::Uplink => Self::Uplink,
            RawDirection::Downlink => Self::Downlink,
            RawDirection::Tdd => Self::Tdd,
            RawDirection::Simplex => Self::Simplex,
        }
    }
}

/// Megahertz as written to hertz: rounded, since band edges and channels are whole hertz (or halves, at the
/// most, for rasters of 3.125 kHz) and `446.00625 * 1e6` is not.
pub(super) fn hz(mhz: f64) -> f64 {
    (mhz * 2e6).round() / 2.0
}

fn parse(text: &str) -> Result<BandPlan, ParseError> {
    let raw: RawRegion = toml::from_str(text).map_err(|error| ParseError::syntax(text, &error))?;
    let mut faults = Vec::new();
    let mut fault = |key: String, what: String| faults.push(Fault { key, what });
    let mut allocations = Vec::new();
    for (n, duplex) in raw.duplex.iter().enumerate() {
        let key = format!("duplex[{n}]");
        let (uplink, downlink) = (duplex.uplink_mhz.map(hz), duplex.downlink_mhz.map(hz));
        if uplink[1] - uplink[0] != downlink[1] - downlink[0] {
            fault(format!("{key}.downlink_mhz"), format!("{} is not as wide as its uplink", duplex.name));
        }
        if duplex.source.is_empty() {
            fault(format!("{key}.source"), "is empty".into());
        }
        // The channels of the two halves are one duplex distance apart.
        let channel = duplex.channel_mhz.map(hz);
        let halves = [
            ("uplink", Direction::Uplink, uplink, channel),
            ("downlink", Direction::Downlink, downlink, channel.map(|c| c - uplink[0] + downlink[0])),
        ];
        for (word, direction, [low_hz, high_hz], raster_origin_hz) in halves {
            allocations.push((
                key.clone(),
                Allocation {
                    low_hz,
                    high_hz,
                    name: format!("{} {word}", duplex.name),
                    service: duplex.service.into(),
                    direction,
                    raster_hz: duplex.raster_khz.map(|khz| hz(khz / 1e3)),
                    raster_origin_hz,
                },
            ));
        }
    }
    for (n, single) in raw.allocation.iter().enumerate() {
        let key = format!("allocation[{n}]");
        if single.source.is_empty() {
            fault(format!("{key}.source"), "is empty".into());
        }
        let [low_hz, high_hz] = single.band_mhz.map(hz);
        allocations.push((
            key,
            Allocation {
                low_hz,
                high_hz,
                name: single.name.clone(),
                service: single.service.into(),
                direction: single.direction.into(),
                raster_hz: single.raster_khz.map(|khz| hz(khz / 1e3)),
                raster_origin_hz: single.channel_mhz.map(hz),
            },
        ));
    }
    allocations.sort_by(|(_, a), (_, b)| a.low_hz.total_cmp(&b.low_hz));
    check(&allocations, &mut fault);
    if !faults.is_empty() {
        return Err(ParseError::Faults(faults));
    }
    Ok(BandPlan { region: raw.region, allocations: allocations.into_iter().map(|(_, a)| a).collect() })
}

/// What must hold of allocations, sorted by their lower edge.
fn check(allocations: &[(String, Allocation)], fault: &mut impl FnMut(String, String)) {
    for (n, (key, a)) in allocations.iter().enumerate() {
        // Written so that NaN is at fault too.
        let sane = a.low_hz > 0.0 && a.low_hz < a.high_hz && a.high_hz < 1e12;
        if !sane {
            fault(key.clone(), format!("{}: {} to {} Hz is no band", a.name, a.low_hz, a.high_hz));
        }
        let channels = match (a.raster_hz, a.raster_origin_hz) {
            (None, None) => true,
            (Some(raster), Some(origin)) => raster > 0.0 && a.low_hz <= origin && origin <= a.high_hz,
            _ => false,
        };
        if !channels {
            fault(key.clone(), format!("{}: raster_khz and a channel_mhz in the band go together", a.name));
        }
        for (_, other) in &allocations[..n] {
            let both_cellular = a.service == Service::Cellular && other.service == Service::Cellular;
            if both_cellular && a.low_hz < other.high_hz {
                fault(key.clone(), format!("{} overlaps {}: cellular never does", a.name, other.name));
            }
            if a.name == other.name {
                fault(key.clone(), format!("{} is there twice", a.name));
            }
        }
    }
}

#[cfg(test)]
mod tests;
