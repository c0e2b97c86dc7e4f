//! Tells a hopper from several transmitters that keep their channels.
//!
//! Bursts that no settled emitter explains go through a pool of the latest. When enough alike ones (bandwidth,
//! level) lie on enough channels within a short time, and their starts keep a known slot grid, or pair up, or
//! there are very many, they are one emitter. Transmitters that keep their channels repeat them: few channels
//! for many bursts.

use super::cadence::{self, Start};
use super::emission::{Emission, Kind, Place};
use super::stats::Ring;
use crate::measure::Depth;

/// Bursts held.
const POOL: usize = 48;
/// Bursts further apart tell nothing of each other's hops, seconds.
const WINDOW_S: f64 = 2.0;
/// Hops of one transmitter lie within a band, hertz: the widest, 5725 to 5875 MHz (ERC/REC 70-03 annex 1).
pub(super) const SPAN_HZ: f64 = 150e6;
/// Fading between channels of one transmitter, dB: two-sided spread of Rician fading with K = 6 dB.
const LEVEL_DB: f64 = 10.0;
/// Bandwidths of one transmitter's bursts stay within this factor.
const BANDWIDTH_FACTOR: f64 = 1.7;
/// Weaker bursts have no trustworthy bandwidth, dB.
const SNR_MIN_DB: f64 = 6.0;
/// Bursts on channels of a hopper, fewest, and channels, fewest (radio facts, Bluetooth BR/EDR).
const BURSTS_MIN: usize = 6;
/// See `BURSTS_MIN`.
const CHANNELS_MIN: usize = 4;
/// Without timing evidence: this many bursts and channels.
const UNTIMED_BURSTS_MIN: usize = 12;
/// See `UNTIMED_BURSTS_MIN`.
const UNTIMED_CHANNELS_MIN: usize = 8;
/// Slot grids: Bluetooth (625 µs, Core 5.4 Vol 2 Part B 2.2.2), its half for inquiry, GSM's frame (120/26 ms,
/// 3GPP TS 45.002 4.3.1), DECT's frame (10 ms, EN 300 175-2 4.2).
const GRIDS_S: [f64; 4] = [625e-6, 312.5e-6, 120e-3 / 26.0, 10e-3];
/// How well starts must keep a grid.
const GRID_MIN: f64 = 0.6;
/// Inter-frame space of Bluetooth LE, seconds (Core 5.4 Vol 6 Part B 4.1.1), and what times are good to.
const T_IFS_S: f64 = 150e-6;
/// See `T_IFS_S`.
const T_IFS_TOLERANCE_S: f64 = 12e-6;

/// A burst that may be a hop.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Hop {
    start_s: f64,
    end_s: f64,
    epoch: u32,
    place: Place,
    bandwidth_hz: f64,
    level_dbfs: f64,
    kind: Kind,
    serial: u64,
    slot: usize,
}

/// The latest bursts that no settled emitter explains.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    hops: Ring<Hop, POOL>,
}

/// Whether `emission` can be a hop at all.
pub fn may_hop(emission: &Emission) -> bool {
    let burst = &emission.burst;
    emission.carrier.is_none()
        && burst.depth == Depth::Full
        && !burst.at_edge
        && !emission.is_ghost()
        && f64::from(burst.snr_db) >= SNR_MIN_DB
        && (20e3..4e6).contains(&burst.bandwidth_hz)
        && (50e-6..25e-3).contains(&emission.duration_s())
        && matches!(emission.kind, Kind::Constant | Kind::Unclear | Kind::Varying)
}

/// Whether two bursts look like hops of one transmitter.
pub fn alike(bandwidths_hz: [f64; 2], levels_dbfs: [f64; 2]) -> bool {
    let [a, b] = bandwidths_hz;
    a.max(b) <= BANDWIDTH_FACTOR * a.min(b) && (levels_dbfs[0] - levels_dbfs[1]).abs() <= LEVEL_DB
}

impl Pool {
    /// Adds `emission`, attributed to `slot`, and gives the slots that prove to be one hopper, in order of slot.
    pub fn add(&mut self, emission: &Emission, slot: usize, serial: u64) -> Option<Vec<usize>> {
        let burst = &emission.burst;
        let latest = Hop {
            start_s: burst.start_s,
            end_s: burst.end_s,
            epoch: emission.epoch,
            place: emission.place,
            bandwidth_hz: burst.bandwidth_hz,
            level_dbfs: f64::from(burst.power_dbfs),
            kind: emission.kind,
            serial,
            slot,
        };
        self.hops.push(latest);
        let mut group: Vec<Hop> = self.hops.iter().filter(|hop| hop.goes_with(&latest)).copied().collect();
        if group.len() < BURSTS_MIN {
            return None;
        }
        group.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
        proves_hopping(&group).then(|| {
            let mut slots: Vec<usize> = group.iter().map(|hop| hop.slot).collect();
            slots.sort_unstable();
            slots.dedup();
            slots
        })
    }

    /// Forgets the bursts of the emitter `serial`.
    pub fn forget(&mut self, serials: &[u64]) {
        let kept: Vec<Hop> = self.hops.iter().filter(|hop| !serials.contains(&hop.serial)).copied().collect();
        self.hops.clear();
        for hop in kept {
            self.hops.push(hop);
        }
    }
}

impl Hop {
    fn goes_with(&self, latest: &Self) -> bool {
        self.epoch == latest.epoch
            && self.place.absolute == latest.place.absolute
            && latest.start_s - self.start_s <= WINDOW_S
            // To either side, so that all lie within it.
            && (self.place.hz - latest.place.hz).abs() <= SPAN_HZ / 2.0
            && self.kind.fits(latest.kind)
            && alike([self.bandwidth_hz, latest.bandwidth_hz], [self.level_dbfs, latest.level_dbfs])
    }
}

/// Channels among `group`, which are told apart by more than half a bandwidth.
fn channels(group: &[Hop]) -> usize {
    let mut places: Vec<f64> = group.iter().map(|hop| hop.place.hz).collect();
    places.sort_by(f64::total_cmp);
    let width_hz = group.iter().map(|hop| hop.bandwidth_hz).fold(f64::INFINITY, f64::min);
    1 + places.windows(2).filter(|pair| pair[1] - pair[0] > width_hz / 2.0).count()
}

/// `group` in order of time.
fn proves_hopping(group: &[Hop]) -> bool {
    let channels = channels(group);
    let count = group.len();
    if channels < CHANNELS_MIN || count > 3 * channels {
        return false;
    }
    let starts = group.iter().map(|hop| Start { at_s: hop.start_s, epoch: hop.epoch });
    let on_grid = GRIDS_S
        .iter()
        .any(|&grid_s| cadence::rhythm(starts.clone(), grid_s).is_some_and(|value| value >= GRID_MIN));
    let pairs = group
        .windows(2)
        .filter(|pair| (pair[1].start_s - pair[0].end_s - T_IFS_S).abs() <= T_IFS_TOLERANCE_S)
        .filter(|pair| (pair[1].place.hz - pair[0].place.hz).abs() < pair[0].bandwidth_hz / 2.0)
        .count();
    let constant = group.iter().filter(|hop| hop.kind == Kind::Constant).count();
    on_grid
        || pairs * 4 >= count
        || (count >= UNTIMED_BURSTS_MIN && channels >= UNTIMED_CHANNELS_MIN && constant * 4 >= 3 * count)
}
