//! What fits an emitter: its own emissions on its channel, parts of its band, allocations of its carrier, its hops.

use super::emission::{Emission, Kind, Place, View};
use super::emitter::{Channel, Emitter, Envelope};
use super::hop;
use super::marks::Stranger;
use crate::measure::Depth;

/// Level tolerance of the baseline, dB (the replay contract, "Learning").
const ENVELOPE_OVER_DB: f64 = 6.0;
/// Below the lowest learned level by more: fading of the learned one, or somebody else.
const ENVELOPE_UNDER_DB: f64 = 8.0;
/// Narrow emissions vary in bandwidth with what is said: below this they count as this wide, hertz.
const NARROW_HZ: f64 = 6e3;
/// Land mobile channels: what is on one of them is one conversation, however wide each stretch of it was (ETSI EN
/// 300 086: 12.5, 20 and 25 kHz).
const LAND_MOBILE_HZ: f64 = 25e3;
/// Time-bandwidth product below which a bandwidth is known to a factor only: its 0.5 % on each side are less than one
/// independent value.
const SHORT_PRODUCT: f64 = 150.0;
/// Widest carrier of LTE, hertz (3GPP TS 36.101 5.6).
const LTE_CARRIER_HZ: f64 = 20e6;
/// Widest carrier of NR below 6 GHz, hertz (3GPP TS 38.101-1 5.3.5).
const NR_CARRIER_HZ: f64 = 100e6;
/// Longest uninterrupted part of a cellular uplink that is sought in a region, seconds.
const CELLULAR_RECENT_S: f64 = 1.0;
/// Spectral densities of the allocations of one carrier differ by less, dB: a control channel is sent with the
/// power of the grants or some decibels more.
const DENSITY_APART_DB: f64 = 15.0;
/// The densest symbols of a downlink stand less than this over the mean, dB: reference signals boosted by 6 dB (3GPP
/// TS 36.213 5.2) and the fading of a piece.
const SYMBOLS_APART_DB: f64 = 10.0;
/// A part of a band is at least one in so many of it: a Bluetooth channel is no part of a Wi-Fi one.
const PART_RATIO: f64 = 6.0;
/// It may reach out of the band by this much, as the measured width of the whole is only its typical one.
const PART_OVERHANG: f64 = 1.5;
/// The whole was heard a moment ago, seconds,
const PART_RECENT_S: f64 = 0.2;
/// so many times or for so long, seconds,
const PART_COUNT: u64 = 3;
/// See [`PART_COUNT`].
const PART_AIRTIME_S: f64 = 5e-3;
/// and within this level, dB.
const PART_LEVEL_DB: f64 = 6.0;
/// A hopper silent for longer does not take up bursts on new channels, seconds.
const HOPPER_RECENT_S: f64 = 2.0;

/// Bandwidth that counts for association, hertz.
pub(super) fn reach_hz(bandwidth_hz: f64) -> f64 {
    bandwidth_hz.max(NARROW_HZ)
}

/// Bandwidths of one emitter's bursts stay within this factor.
fn factor(emission: &Emission) -> f64 {
    let coarse = emission.burst.at_edge || emission.burst.depth == Depth::Light;
    if coarse { 3.0 } else { 2.0 }
}

impl Emitter {
    pub(super) fn reach_hz(&self) -> f64 {
        reach_hz(self.bandwidth_hz)
    }

    pub(super) fn is_seen_by(&self, view: &View) -> bool {
        if !self.hopper {
            return view.sees(self.place, self.bandwidth_hz);
        }
        let absolute = self.place.absolute;
        self.channels.iter().any(|c| view.sees(Place { hz: c.hz, absolute }, self.bandwidth_hz))
    }

    /// How far `emission` is from what this emitter sends; `None` if it cannot be its.
    pub(super) fn distance(&self, emission: &Emission) -> Option<f64> {
        let level_dbfs = f64::from(emission.burst.power_dbfs);
        let (own_hz, its_hz) = (self.reach_hz(), reach_hz(emission.burst.bandwidth_hz));
        let (narrow_hz, wide_hz) = (own_hz.min(its_hz), own_hz.max(its_hz));
        let apart = (self.place.hz - emission.place.hz).abs() / wide_hz;
        let narrow = wide_hz <= LAND_MOBILE_HZ;
        let short = emission.duration_s() * wide_hz < SHORT_PRODUCT;
        let factor = if narrow || short { LAND_MOBILE_HZ / NARROW_HZ } else { factor(emission) };
        let alike = apart <= 0.5 && wide_hz <= factor * narrow_hz;
        let fits = self.place.absolute == emission.place.absolute
            && !self.hopper
            && (alike || self.is_part(emission))
            && (emission.is_ghost() || emission.burst.depth == Depth::Light || !self.is_ghost())
            && self.kind.fits(emission.kind);
        if !fits || !self.shares_marks(emission) {
            return None;
        }
        let level = match &self.envelope {
            Some(envelope) if !envelope.is_of(emission) => return None,
            Some(envelope) => {
                let lowest_dbfs = envelope.lowest_dbfs.unwrap_or(f64::NEG_INFINITY);
                (level_dbfs - envelope.highest_dbfs).max(lowest_dbfs - level_dbfs).max(0.0)
            }
            None => (level_dbfs - self.level_dbfs).abs(),
        };
        Some(apart + (wide_hz / narrow_hz).log2() + level / 6.0)
    }

    /// Whether `emission` is this one's transmission for a moment at which its power gathered in a part of its band:
    /// just now, within it, as strong.
    fn is_part(&self, emission: &Emission) -> bool {
        let burst = &emission.burst;
        let (own_hz, its_hz) = (self.reach_hz(), reach_hz(burst.bandwidth_hz));
        let within = (self.place.hz - emission.place.hz).abs() + its_hz / 2.0 <= PART_OVERHANG * own_hz / 2.0;
        let settled =
            self.count >= PART_COUNT || self.carriers_on > 0 || self.on.airtime_s() > PART_AIRTIME_S;
        settled
            && own_hz <= PART_RATIO * its_hz
            && within
            && (self.carriers_on > 0 || burst.start_s - self.last_s < PART_RECENT_S)
            && (f64::from(burst.power_dbfs) - self.level_dbfs).abs() < PART_LEVEL_DB
    }

    /// Lowest and highest frequency that it was heard on.
    pub(super) fn span_hz(&self) -> (f64, f64) {
        let half_hz = self.bandwidth_hz / 2.0;
        let hz = || self.channels.iter().map(|c| c.hz);
        (hz().fold(self.place.hz, f64::min) - half_hz, hz().fold(self.place.hz, f64::max) + half_hz)
    }

    /// Whether `other` is made of pieces of what is sent here: no modulation of its own, in this one's span and time.
    pub(super) fn consists_of(&self, other: &Emitter) -> bool {
        let (low, high) = self.span_hz();
        let (lowest, highest) = other.span_hz();
        let within = (low..=high).contains(&other.place.hz);
        let beside = highest.max(high) - lowest.min(low) <= LTE_CARRIER_HZ
            && matches!(other.kind, Kind::Unclear | Kind::Varying | Kind::Cellular);
        let kinds = matches!(other.kind, Kind::Unclear | Kind::Varying | Kind::Keyed | Kind::Cellular);
        let apart_db = self.denser_db(other.level_dbfs, other.bandwidth_hz);
        kinds
            && !other.hopper
            // What stands is no allocation of what comes and goes.
            && (self.is_continuous() || !other.is_continuous())
            && other.envelope.is_none()
            && self.envelope.is_none()
            && other.place.absolute == self.place.absolute
            && (within || beside)
            && self.first_s - other.last_s < CELLULAR_RECENT_S
            && apart_db.abs() < SYMBOLS_APART_DB
    }

    /// Power per hertz of `level_dbfs` in `bandwidth_hz` over this emitter's, dB.
    fn denser_db(&self, level_dbfs: f64, bandwidth_hz: f64) -> f64 {
        let density = |level_dbfs: f64, bandwidth_hz: f64| level_dbfs - 10.0 * bandwidth_hz.max(1.0).log10();
        density(level_dbfs, bandwidth_hz) - density(self.level_dbfs, self.bandwidth_hz)
    }

    /// Whether `emission` is a piece of what is sent here: within its span and no denser than its symbols vary.
    pub(super) fn spans(&self, emission: &Emission) -> bool {
        let (low, high) = self.span_hz();
        let burst = &emission.burst;
        let denser_db = self.denser_db(f64::from(burst.power_dbfs), burst.bandwidth_hz);
        (low..=high).contains(&emission.place.hz) && denser_db < SYMBOLS_APART_DB
    }

    /// Whether `emission` may be another allocation of this cellular carrier.
    pub(super) fn has_room_for(&self, emission: &Emission, same_band: bool) -> bool {
        let burst = &emission.burst;
        let recent = burst.start_s - self.last_s < CELLULAR_RECENT_S || emission.kind == Kind::Cellular;
        let (low, high) = self.span_hz();
        let low = low.min(emission.place.hz - burst.bandwidth_hz / 2.0);
        let high = high.max(emission.place.hz + burst.bandwidth_hz / 2.0);
        let wide = self.bandwidth_hz.max(burst.bandwidth_hz) > 1.05 * LTE_CARRIER_HZ;
        let carrier_hz = if wide { NR_CARRIER_HZ } else { LTE_CARRIER_HZ };
        // Power control moves a phone by tens of decibels over minutes, the density of its allocations by few.
        same_band
            && self.denser_db(f64::from(burst.power_dbfs), burst.bandwidth_hz).abs() < DENSITY_APART_DB
            && self.place.absolute == emission.place.absolute
            && recent
            && high - low <= 1.02 * carrier_hz
            && self.envelope.as_ref().is_none_or(|envelope| envelope.admits_level(emission))
    }

    pub(super) fn takes_hop(&self, emission: &Emission) -> bool {
        let burst = &emission.burst;
        let levels = [self.level_dbfs, f64::from(burst.power_dbfs)];
        let away = burst.start_s - self.last_s > HOPPER_RECENT_S;
        let own = |c: &Channel| (c.hz - emission.place.hz).abs() < self.bandwidth_hz / 2.0;
        let within = |c: &Channel| (c.hz - emission.place.hz).abs() <= hop::SPAN_HZ;
        self.place.absolute == emission.place.absolute
            && self.kind.fits(emission.kind)
            && hop::alike([self.bandwidth_hz, burst.bandwidth_hz], levels)
            && (!away || self.channels.iter().any(own))
            && self.channels.iter().all(within)
            && self.envelope.as_ref().is_none_or(|envelope| envelope.admits_level(emission))
            && self.shares_marks(emission)
    }

    /// Whether `emission`, cut by the edge of the span, may be a hop to a channel there; its carrier is not known.
    pub(super) fn takes_partial_hop(&self, emission: &Emission) -> bool {
        let burst = &emission.burst;
        let level_dbfs = f64::from(burst.power_dbfs);
        let whole = self.takes_hop(emission);
        whole
            || self.resembles_hop(emission.duration_s(), burst.bandwidth_hz, level_dbfs)
                && self.kind.fits(emission.kind)
                && self.place.absolute == emission.place.absolute
                && burst.start_s - self.last_s <= HOPPER_RECENT_S
                && self.envelope.as_ref().is_none_or(|envelope| envelope.admits_level(emission))
    }
}

impl Envelope {
    pub(super) fn admits_level(&self, emission: &Emission) -> bool {
        f64::from(emission.burst.power_dbfs) <= self.highest_dbfs + ENVELOPE_OVER_DB
    }

    /// Whether `emission` may be of the emitter that this one was learned from.
    fn admits(&self, emission: &Emission) -> bool {
        let (own_hz, its_hz) = (reach_hz(self.bandwidth_hz), reach_hz(emission.burst.bandwidth_hz));
        let placed = self.hopper || (self.place.hz - emission.place.hz).abs() <= own_hz.max(its_hz) / 2.0;
        self.place.absolute == emission.place.absolute
            && placed
            && own_hz.max(its_hz) <= factor(emission) * own_hz.min(its_hz)
            && self.admits_level(emission)
    }

    /// Whether both are of one learning of one emitter, what was followed since aside.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.place == other.place
            && self.bandwidth_hz == other.bandwidth_hz
            && self.lowest_dbfs == other.lowest_dbfs
            && self.highest_dbfs == other.highest_dbfs
            && self.hopper == other.hopper
    }

    /// In what `emission`, admitted, differs from all bursts that were learned.
    pub(super) fn stranger(&self, emission: &Emission) -> Option<Stranger> {
        self.marks.stranger(emission, self.hopper, self.drift)
    }

    /// Whether `emission` lies where, and is about as strong as, what was learned.
    pub(super) fn is_of(&self, emission: &Emission) -> bool {
        self.admits(emission) && !self.is_below(emission)
    }

    /// Clearly weaker than ever learned.
    fn is_below(&self, emission: &Emission) -> bool {
        self.lowest_dbfs
            .is_some_and(|lowest| f64::from(emission.burst.power_dbfs) < lowest - ENVELOPE_UNDER_DB)
    }
}
