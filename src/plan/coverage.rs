//! What must be covered: a region's allocations where devices transmit, as the level of the meeting asks for them.

use super::value::Band;
use crate::bandplan::{Allocation, BandPlan, Direction, Service};
use crate::classify::Device;
use crate::policy::Level;

/// Two edges that lie closer are one, hertz.
const SAME_EDGE_HZ: f64 = 1e3;

/// Which allocations a [`Cover`] asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Extent {
    /// Those of the region.
    Allocations {
        /// Of this service,
        service: Service,
        /// of one of these directions,
        directions: Vec<Direction>,
        /// with one of these in their names, if there are any,
        named: Vec<String>,
        /// and none of these.
        except: Vec<String>,
    },
    /// A stretch that some regions give to something else.
    Stretch {
        /// What to call it.
        name: String,
        /// Regions where it is of interest.
        regions: Vec<String>,
        /// Lower and upper edge, hertz.
        band_hz: [f64; 2],
    },
}

/// A reason to cover some allocations.
#[derive(Debug, Clone, PartialEq)]
pub struct Cover {
    /// The device that transmits there.
    pub device: Device,
    /// Where.
    pub extent: Extent,
    /// The lowest level that asks for it.
    pub from: Level,
    /// The emission that must not pass between two looks, seconds.
    pub event_s: f64,
}

impl Cover {
    /// Whether a meeting of `level` asks for it.
    fn applies(&self, level: Level) -> bool {
        level.bans(self.device) && rank(level) >= rank(self.from)
    }

    fn stretches(&self, region: &BandPlan) -> Vec<(String, [f64; 2])> {
        match &self.extent {
            Extent::Allocations { service, directions, named, except } => {
                let holds = |a: &&Allocation| {
                    let any = |words: &[String]| words.iter().any(|word| a.name.contains(word));
                    a.service == *service
                        && directions.contains(&a.direction)
                        && (named.is_empty() || any(named))
                        && !any(except)
                };
                let found = region.allocations.iter().filter(holds);
                found.map(|a| (a.name.clone(), [a.low_hz, a.high_hz])).collect()
            }
            Extent::Stretch { name, regions, band_hz } => {
                regions.contains(&region.region).then(|| (name.clone(), *band_hz)).into_iter().collect()
            }
        }
    }
}

fn rank(level: Level) -> u8 {
    match level {
        Level::Open => 0,
        Level::Confidential => 1,
        Level::Secret => 2,
        Level::TopSecret => 3,
    }
}

/// The bands that a meeting of `level` must have covered in `region` for `devices`, by lower edge. What lies within
/// a band of the same urgency is part of it.
pub fn required(region: &BandPlan, covers: &[Cover], level: Level, devices: &[Device]) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    let wanted = covers.iter().filter(|cover| cover.applies(level) && devices.contains(&cover.device));
    for cover in wanted {
        for (name, [low_hz, high_hz]) in cover.stretches(region) {
            let devices = vec![cover.device];
            bands.push(Band { name, low_hz, high_hz, devices, event_s: cover.event_s });
        }
    }
    // The widest first: it takes in what lies within.
    bands.sort_by(|a, b| (b.high_hz - b.low_hz).total_cmp(&(a.high_hz - a.low_hz)));
    let mut kept: Vec<Band> = Vec::new();
    for band in bands {
        let within = |other: &&mut Band| {
            other.low_hz <= band.low_hz + SAME_EDGE_HZ && band.high_hz <= other.high_hz + SAME_EDGE_HZ
        };
        let same = |other: &&mut Band| {
            let as_wide = (other.high_hz - other.low_hz) - (band.high_hz - band.low_hz) < SAME_EDGE_HZ;
            as_wide || (other.event_s == band.event_s && other.devices == band.devices)
        };
        match kept.iter_mut().filter(within).find(same) {
            Some(other) => {
                other.event_s = other.event_s.min(band.event_s);
                other.devices.extend(band.devices);
                other.devices.sort_unstable();
                other.devices.dedup();
            }
            None => kept.push(band),
        }
    }
    kept.sort_by(|a, b| a.low_hz.total_cmp(&b.low_hz).then(b.high_hz.total_cmp(&a.high_hz)));
    kept
}
