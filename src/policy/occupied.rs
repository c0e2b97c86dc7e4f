//! The spectrum that a room's infrastructure fills: how strong it gets where, as learned.
//!
//! Base stations and broadcasters are not a set of emitters with a centre and a width each: which resource blocks are
//! on, and how far a carrier swings, changes from one look to the next. What can be relied on is how much power there
//! was at a frequency, which is how a survey compares a room with itself (ITU-R SM.2256, spectrum occupancy).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Levels are kept in steps of this width, hertz: half of [`RESOLUTION_HZ`], so that every emission has one of its own.
const CELL_HZ: f64 = 100e3;
/// Levels are compared in this bandwidth, hertz: a resource block (180 kHz, 3GPP TS 36.211 6.2.3) and a channel of
/// broadcasting (200 kHz, ITU-R BS.450-4 3) fill it.
const RESOLUTION_HZ: f64 = 200e3;
/// Part of an emission's band that must have been filled: both ends are known to a tenth of the width.
const FILLED: f64 = 0.8;
/// What a transmitter leaves beside its band, as a part of the bandwidth to each side and in decibels below it: 3GPP TS
/// 36.104 6.6.2 demands 45 dB over the whole next channel, the first of it has half of that.
const SHOULDER: f64 = 0.1;
/// See [`SHOULDER`].
const SHOULDER_DB: f32 = 20.0;
/// Most cells kept: 3.2 GHz of spectrum, more than any plan visits.
const CELLS_MAX: usize = 1 << 15;

/// The strongest that was heard, by frequency.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Stretch>", into = "Vec<Stretch>")]
pub struct Occupied {
    /// Level in [`RESOLUTION_HZ`], dBFS, by number of the cell.
    cells: BTreeMap<u32, f32>,
}

/// Neighbouring cells, as a baseline keeps them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stretch {
    /// Lower edge of the first, in units of 100 kHz.
    from_100khz: u32,
    /// Strongest in 200 kHz, for each cell of 100 kHz, dBFS.
    level_dbfs: Vec<f32>,
}

impl Occupied {
    /// Adds an emission of `level_dbfs` that is `bandwidth_hz` wide around `center_hz`.
    pub fn learn(&mut self, center_hz: f64, bandwidth_hz: f64, level_dbfs: f64) {
        let level = in_resolution_dbfs(bandwidth_hz, level_dbfs) as f32;
        // Where it lies is known to a part of a cell.
        self.raise(center_hz, bandwidth_hz + CELL_HZ, level);
        self.raise(center_hz, (1.0 + 2.0 * SHOULDER) * bandwidth_hz, level - SHOULDER_DB);
    }

    fn raise(&mut self, center_hz: f64, bandwidth_hz: f64, level: f32) {
        for cell in cells(center_hz, bandwidth_hz) {
            if let Some(held) = self.cells.get_mut(&cell) {
                *held = held.max(level);
            } else if self.cells.len() < CELLS_MAX {
                self.cells.insert(cell, level);
            }
        }
    }

    /// Whether an emission is nothing but what was learned there: its band was filled with as much power, or
    /// `tolerance_db` less.
    pub fn explains(&self, center_hz: f64, bandwidth_hz: f64, level_dbfs: f64, tolerance_db: f64) -> bool {
        let level = in_resolution_dbfs(bandwidth_hz, level_dbfs);
        let filled = |cell: &u32| {
            self.cells.get(cell).is_some_and(|learned| level <= f64::from(*learned) + tolerance_db)
        };
        let all = cells(center_hz, bandwidth_hz);
        let count = all.clone().count();
        count > 0 && all.filter(filled).count() as f64 >= FILLED * count as f64
    }

    /// Takes over what `other` knows.
    pub fn join(&mut self, other: &Self) {
        for (cell, level) in &other.cells {
            let held = self.cells.entry(*cell).or_insert(*level);
            *held = held.max(*level);
        }
    }

    /// Whether all levels are numbers.
    pub fn is_sound(&self) -> bool {
        self.cells.values().all(|level| level.is_finite())
    }

    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// What of `level_dbfs` falls into [`RESOLUTION_HZ`].
fn in_resolution_dbfs(bandwidth_hz: f64, level_dbfs: f64) -> f64 {
    level_dbfs - 10.0 * (bandwidth_hz / RESOLUTION_HZ).max(1.0).log10()
}

/// Cells that an emission touches, bounded by [`CELLS_MAX`].
fn cells(center_hz: f64, bandwidth_hz: f64) -> impl Iterator<Item = u32> + Clone {
    let cell = |hz: f64| (hz / CELL_HZ).floor().clamp(0.0, f64::from(u32::MAX / 2)) as u32;
    let (from, to) = (cell(center_hz - bandwidth_hz / 2.0), cell(center_hz + bandwidth_hz / 2.0));
    from..=to.min(from.saturating_add(CELLS_MAX as u32))
}

impl From<Vec<Stretch>> for Occupied {
    fn from(stretches: Vec<Stretch>) -> Self {
        let each = |stretch: Stretch| {
            let from = stretch.from_100khz;
            stretch
                .level_dbfs
                .into_iter()
                .enumerate()
                .map(move |(n, level)| (from.saturating_add(n as u32), level))
        };
        Self { cells: stretches.into_iter().flat_map(each).take(CELLS_MAX).collect() }
    }
}

impl From<Occupied> for Vec<Stretch> {
    fn from(occupied: Occupied) -> Self {
        let mut out: Self = Self::new();
        for (cell, level) in occupied.cells {
            let follows = |last: &&mut Stretch| last.from_100khz + last.level_dbfs.len() as u32 == cell;
            // A tenth of a decibel is more than any level is known to.
            let level = (level * 10.0).round() / 10.0;
            match out.last_mut().filter(follows) {
                Some(stretch) => stretch.level_dbfs.push(level),
                None => out.push(Stretch { from_100khz: cell, level_dbfs: vec![level] }),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A carrier of LTE, 18 MHz wide at 783 MHz.
    fn downlink() -> Occupied {
        let mut occupied = Occupied::default();
        occupied.learn(783e6, 18e6, -30.0);
        occupied
    }

    #[test]
    fn resource_blocks_of_a_carrier_are_the_carrier() {
        let occupied = downlink();
        // A block has a hundredth of the power.
        assert!(occupied.explains(780e6, 180e3, -49.0, 6.0));
        assert!(occupied.explains(790e6, 1e6, -40.0, 6.0));
        assert!(occupied.explains(783e6, 18e6, -27.0, 6.0));
    }

    #[test]
    fn what_is_stronger_or_elsewhere_is_not() {
        let occupied = downlink();
        assert!(!occupied.explains(780e6, 180e3, -43.0, 6.0), "6.5 dB over a block's share");
        assert!(!occupied.explains(780e6, 10e3, -30.0, 6.0), "the whole power in one channel");
        assert!(occupied.explains(793e6, 180e3, -64.0, 6.0), "its shoulder");
        assert!(!occupied.explains(793e6, 180e3, -62.0, 6.0), "over its shoulder");
        assert!(!occupied.explains(795e6, 180e3, -90.0, 6.0), "beside");
        assert!(!occupied.explains(794e6, 4e6, -90.0, 6.0), "half beside");
        assert!(!Occupied::default().explains(780e6, 180e3, -120.0, 6.0));
    }

    #[test]
    fn survives_a_file_to_a_tenth_of_a_decibel_and_joins() {
        let mut occupied = downlink();
        occupied.learn(92.1e6, 180e3, -12.34);
        let text = serde_json::to_string(&occupied).unwrap();
        let read: Occupied = serde_json::from_str(&text).unwrap();
        assert_eq!(read.cells.len(), occupied.cells.len());
        assert!(read.cells.iter().zip(&occupied.cells).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 0.051));
        let mut joined = Occupied::default();
        joined.join(&read);
        assert_eq!(joined, read);
    }

    #[test]
    fn no_emission_fills_more_than_the_bound() {
        let mut occupied = Occupied::default();
        for (center_hz, bandwidth_hz) in [(3e9, 1e12), (1e300, 1.0), (-1e9, 5e9), (5e9, f64::INFINITY)] {
            occupied.learn(center_hz, bandwidth_hz, 0.0);
        }
        assert!(occupied.cells.len() <= CELLS_MAX);
    }
}
