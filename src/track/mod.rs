//! Bursts and carriers to emitters: association across frequency, time and segments.
//!
//! Theory of operation. Each emission goes to the emitter that it fits best, or founds a new one:
//!
//! 1. A report of a known carrier goes where the carrier went.
//! 2. Emissions of a cellular uplink vary in frequency and width from subframe to subframe; they go to the
//!    cellular emitter whose carrier (up to 20 MHz, or 100 MHz for NR) has room for them.
//! 3. Otherwise centre (within half a bandwidth), bandwidth (within a factor of two) and kind must fit, and the
//!    nearest in frequency and level wins. Level alone separates only where one of the two is ambient: an
//!    emitter known from the baseline keeps within its [`Envelope`], and whoever is louder, or much weaker while
//!    the ambient one carries on as ever, is somebody else.
//! 4. Bursts that no emitter settled on their channel explains may be hops ([`hop`]): the emitters that they
//!    founded are merged into one, which from then on takes what fits it on any channel.
//!
//! Emitters age by observed time only. Everything is bounded: emitters (quiet unopened ones make room), what each
//! remembers, and the work per emission (emitters are found by [`index`], not by looking at all). Nothing depends
//! on anything but the order of events.

mod cadence;
mod emission;
mod emitter;
mod hop;
mod index;
mod ontime;
mod stats;

pub use cadence::{Start, distances};
pub use emission::{Emission, Kind, Place, View};
pub use emitter::{Channel, Detail, Emitter, Envelope, Look};
pub use ontime::OnTime;
pub use stats::{Levels, Ring, median, quantile};

use crate::bandplan::{BandPlan, Direction, Service};
use crate::measure::{Burst, Carrier, Depth};
use hop::Pool;
use index::Index;
use std::collections::BTreeMap;

/// Most emitters at a time. A busy 2.4 GHz band has some tens; 512 with all they remember are 8 MB.
pub const EMITTERS_MAX: usize = 512;
/// Carriers on at a time that are followed by number; more are found by frequency.
const CARRIERS_MAX: usize = 4096;
/// Envelopes from a baseline; more are not compared.
const EXPECTED_MAX: usize = 4096;
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
/// Hops of one length differ by less than this fraction.
const PARTIAL_HOP_TOLERANCE: f64 = 0.15;
/// Below this SNR the features of a burst are doubtful, dB.
const FAINT_DB: f64 = 10.0;
/// From this many emissions on one channel an emitter has settled there.
const SETTLED: u64 = 6;
/// A hopper silent for longer does not take up bursts on new channels, seconds.
const HOPPER_RECENT_S: f64 = 2.0;

/// Where an emitter is held.
pub type Slot = usize;

/// What happened to an emission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// The emitter that it was attributed to.
    pub slot: Slot,
    /// The emitter is new.
    pub founded: bool,
}

/// An emitter that proved to be part of another.
#[derive(Debug, Clone)]
pub struct Merge {
    /// As it was; it is held no more.
    pub part: Emitter,
    /// Where it was held.
    pub from: Slot,
    /// Where the whole is held.
    pub into: Slot,
}

/// All emitters that are held.
#[derive(Debug, Default)]
pub struct Tracker {
    plan: BandPlan,
    view: Option<View>,
    epoch: u32,
    emitters: Vec<Option<Emitter>>,
    /// Emitters that may not be evicted, by slot.
    pinned: Vec<bool>,
    free: Vec<Slot>,
    index: Index,
    cellular: Vec<Slot>,
    hoppers: Vec<Slot>,
    carriers: BTreeMap<u32, Slot>,
    pool: Pool,
    expected: Vec<Envelope>,
    merges: Vec<Merge>,
    evicted: Vec<Slot>,
    serial: u64,
}

impl Tracker {
    /// A tracker that has seen nothing, in the region of `plan`.
    pub fn new(plan: BandPlan) -> Self {
        Self { plan, ..Self::default() }
    }

    /// A new segment begins; its times compare with those before it if `shared_axis`. `view.epoch` is set here.
    pub fn begin(&mut self, mut view: View, shared_axis: bool) {
        if self.view.is_some() && !shared_axis {
            self.epoch += 1;
        }
        view.epoch = self.epoch;
        self.view = Some(view);
        self.carriers.clear();
        for emitter in self.emitters.iter_mut().flatten() {
            emitter.carriers_on = 0;
        }
    }

    /// Where the receiver looks.
    pub fn view(&self) -> Option<&View> {
        self.view.as_ref()
    }

    /// What is known of the ambient from a baseline: emitters that appear within it keep to it.
    pub fn expect(&mut self, envelope: Envelope) {
        if self.expected.len() < EXPECTED_MAX {
            self.expected.push(envelope);
        }
    }

    /// The emitter in `slot`.
    pub fn emitter(&self, slot: Slot) -> Option<&Emitter> {
        self.emitters.get(slot)?.as_ref()
    }

    /// All emitters, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Emitter)> {
        self.emitters.iter().enumerate().filter_map(|(slot, emitter)| Some((slot, emitter.as_ref()?)))
    }

    /// From now on the emitter in `slot` is kept until [`Tracker::remove`].
    pub fn pin(&mut self, slot: Slot) {
        if let Some(pinned) = self.pinned.get_mut(slot) {
            *pinned = true;
        }
    }

    /// The emitter in `slot` is known, and keeps within `envelope`; or is not, with `None`.
    pub fn bind(&mut self, slot: Slot, envelope: Option<Envelope>) {
        if let Some(emitter) = self.emitters.get_mut(slot).and_then(Option::as_mut) {
            emitter.envelope = envelope;
        }
    }

    /// Emitters that proved to be part of another since the last call.
    pub fn take_merges(&mut self) -> Vec<Merge> {
        std::mem::take(&mut self.merges)
    }

    /// Unpinned emitters that made room since the last call.
    pub fn take_evicted(&mut self) -> Vec<Slot> {
        std::mem::take(&mut self.evicted)
    }

    /// Attributes a burst; `None` if it is none.
    pub fn burst(&mut self, burst: &Burst) -> Option<Touched> {
        let emission = Emission::new(burst, None, self.view.as_ref()?)?;
        Some(self.attribute(&emission))
    }

    /// Attributes a report of a carrier; `None` if it is none.
    pub fn carrier(&mut self, carrier: &Carrier) -> Option<Touched> {
        let emission = Emission::new(&carrier.burst, Some(carrier.number), self.view.as_ref()?)?;
        let known = self.carriers.get(&carrier.number).copied();
        let touched = match known.filter(|&slot| self.emitter(slot).is_some()) {
            Some(slot) => {
                self.add(slot, &emission);
                Touched { slot, founded: false }
            }
            None => {
                let touched = self.attribute(&emission);
                if self.carriers.len() < CARRIERS_MAX {
                    self.carriers.insert(carrier.number, touched.slot);
                    self.count_carrier(touched.slot, 1);
                }
                touched
            }
        };
        if carrier.ended && self.carriers.remove(&carrier.number).is_some() {
            self.count_carrier(touched.slot, -1);
            if let Some(emitter) = self.emitters[touched.slot].as_mut() {
                emitter.end_seen |= !carrier.burst.cut_end;
            }
        }
        Some(touched)
    }

    fn count_carrier(&mut self, slot: Slot, change: i32) {
        if let Some(emitter) = self.emitters.get_mut(slot).and_then(Option::as_mut) {
            emitter.carriers_on = emitter.carriers_on.saturating_add_signed(change);
        }
    }

    /// The receiver looked from `from_s` until `until_s`: emitters within its span age.
    pub fn observed(&mut self, from_s: f64, until_s: f64) {
        let Some(view) = self.view else { return };
        for emitter in self.emitters.iter_mut().flatten() {
            let silent_s = until_s - from_s.max(emitter.last_s);
            let on = emitter.carriers_on > 0;
            if silent_s > 0.0 && !on && emitter.is_seen_by(&view) {
                emitter.silent_s += silent_s;
            }
        }
    }

    /// Forgets the emitter in `slot`.
    pub fn remove(&mut self, slot: Slot) -> Option<Emitter> {
        let emitter = self.emitters.get_mut(slot)?.take()?;
        self.index.remove(slot);
        self.cellular.retain(|&s| s != slot);
        self.hoppers.retain(|&s| s != slot);
        self.pinned[slot] = false;
        self.free.push(slot);
        Some(emitter)
    }

    fn attribute(&mut self, emission: &Emission) -> Touched {
        let fixed = self.find_fixed(emission);
        let settled = fixed.filter(|&slot| self.emitter(slot).is_some_and(|e| e.count >= SETTLED));
        let found = self.find_cellular(emission).or(settled).or_else(|| self.find_hopper(emission)).or(fixed);
        let touched = match found {
            Some(slot) => {
                self.add(slot, emission);
                Touched { slot, founded: false }
            }
            None => self.found(emission),
        };
        self.seek_hopper(emission, touched.slot).map_or(touched, |slot| Touched { slot, founded: false })
    }

    fn add(&mut self, slot: Slot, emission: &Emission) {
        let Some(emitter) = self.emitters[slot].as_mut() else { return };
        emitter.add(emission);
        let (place, reach_hz) = (emitter.place, emitter.reach_hz());
        let recognised = emitter.is_cellular() && !self.cellular.contains(&slot);
        if !self.hoppers.contains(&slot) {
            self.index.put(slot, place, reach_hz);
        }
        let grown = emitter.count.is_power_of_two();
        if recognised {
            self.cellular.push(slot);
        }
        if recognised || (grown && self.cellular.contains(&slot)) {
            self.gather_pieces(slot);
        }
    }

    /// What was heard of the carrier in `slot` before it was recognised, symbol by symbol, is its.
    fn gather_pieces(&mut self, slot: Slot) {
        let Some(whole) = self.emitter(slot) else { return };
        let pieces: Vec<Slot> = self
            .iter()
            .filter(|&(other, emitter)| other != slot && whole.consists_of(emitter))
            .map(|(other, _)| other)
            .collect();
        for piece in pieces {
            self.merge(piece, slot);
        }
    }

    fn found(&mut self, emission: &Emission) -> Touched {
        let slot = match self.free_slot() {
            Some(slot) => slot,
            None => return Touched { slot: self.crowd(emission), founded: false },
        };
        let mut emitter = Emitter::new(self.serial, emission);
        self.serial += 1;
        emitter.envelope =
            self.expected.iter().find(|e| e.admits(emission) && !e.is_below(emission)).copied();
        self.index.put(slot, emitter.place, emitter.reach_hz());
        if emitter.is_cellular() {
            self.cellular.push(slot);
        }
        self.emitters[slot] = Some(emitter);
        Touched { slot, founded: true }
    }

    fn free_slot(&mut self) -> Option<Slot> {
        if self.free.is_empty() && self.emitters.len() < EMITTERS_MAX {
            self.emitters.push(None);
            self.pinned.push(false);
            return Some(self.emitters.len() - 1);
        }
        if self.free.is_empty() {
            self.evict();
        }
        self.free.pop()
    }

    /// Makes room: a quarter of the emitters that nobody was told of, the longest quiet first.
    fn evict(&mut self) {
        let mut quiet: Vec<(f64, u64, Slot)> = self
            .iter()
            .filter(|&(slot, emitter)| !self.pinned[slot] && emitter.carriers_on == 0)
            .map(|(slot, emitter)| (emitter.last_s, emitter.serial, slot))
            .collect();
        quiet.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        quiet.truncate((EMITTERS_MAX / 4).min(quiet.len()));
        for (_, _, slot) in quiet {
            self.remove(slot);
            self.evicted.push(slot);
        }
    }

    /// Every emitter is an open one: the nearest in frequency takes it.
    fn crowd(&mut self, emission: &Emission) -> Slot {
        let apart = |emitter: &Emitter| {
            let other_axis = emitter.place.absolute != emission.place.absolute;
            (emitter.place.hz - emission.place.hz).abs() + if other_axis { 1e15 } else { 0.0 }
        };
        let nearest =
            self.iter().min_by(|a, b| apart(a.1).total_cmp(&apart(b.1))).map_or(0, |(slot, _)| slot);
        self.add(nearest, emission);
        nearest
    }

    fn find_fixed(&self, emission: &Emission) -> Option<Slot> {
        let reach_hz = reach_hz(emission.burst.bandwidth_hz);
        let mut best: Option<(f64, u64, Slot)> = None;
        self.index.near(emission.place, reach_hz, |slot| {
            let Some(emitter) = self.emitter(slot) else { return };
            let Some(cost) = emitter.distance(emission) else { return };
            if best
                .is_none_or(|(least, serial, _)| cost < least || (cost == least && emitter.serial < serial))
            {
                best = Some((cost, emitter.serial, slot));
            }
        });
        best.map(|(_, _, slot)| slot)
    }

    fn find_cellular(&self, emission: &Emission) -> Option<Slot> {
        let piece = matches!(emission.kind, Kind::Cellular | Kind::Varying | Kind::Unclear);
        let of_other = matches!(emission.kind, Kind::WifiOfdm | Kind::WifiDsss | Kind::Chirp);
        if of_other || emission.is_ghost() {
            return None;
        }
        // Near the noise no feature is to be trusted: within a carrier's span it is a piece of that carrier.
        let faint = f64::from(emission.burst.snr_db) < FAINT_DB && emission.kind != Kind::Line;
        self.cellular.iter().copied().find(|&slot| {
            self.emitter(slot).is_some_and(|emitter| {
                let settled = emitter.count >= SETTLED;
                let known = piece || settled && (faint || emitter.spans(emission));
                known && emitter.has_room_for(emission, self.same_band(emitter, emission))
            })
        })
    }

    /// Whether both lie in one cellular allocation, as far as that is known.
    fn same_band(&self, emitter: &Emitter, emission: &Emission) -> bool {
        if !emission.place.absolute {
            return true;
        }
        let of = |hz: f64| self.plan.find(hz, Service::Cellular);
        match (of(emitter.place.hz), of(emission.place.hz)) {
            (Some(a), Some(b)) => a.low_hz == b.low_hz && a.direction != Direction::Downlink,
            (None, None) => true,
            _ => false,
        }
    }

    fn find_hopper(&self, emission: &Emission) -> Option<Slot> {
        let in_part = !emission.is_ghost() && self.view.is_some_and(|view| view.cuts(&emission.burst));
        if self.hoppers.is_empty() || !(in_part || hop::may_hop(emission)) {
            return None;
        }
        let apart = |emitter: &Emitter| (emitter.level_dbfs - f64::from(emission.burst.power_dbfs)).abs();
        self.hoppers
            .iter()
            .filter_map(|&slot| Some((slot, self.emitter(slot)?)))
            .filter(
                |(_, emitter)| {
                    if in_part { emitter.takes_partial_hop(emission) } else { emitter.takes_hop(emission) }
                },
            )
            .min_by(|a, b| apart(a.1).total_cmp(&apart(b.1)))
            .map(|(slot, _)| slot)
    }

    /// Looks whether `emission`, attributed to `slot`, completes the proof of a hopper; gives where it is.
    fn seek_hopper(&mut self, emission: &Emission, slot: Slot) -> Option<Slot> {
        let emitter = self.emitter(slot)?;
        if emitter.hopper || emitter.count >= SETTLED || !hop::may_hop(emission) {
            return None;
        }
        let serial = emitter.serial;
        let slots = self.pool.add(emission, slot, serial)?;
        // Whoever settled on a channel is no hop.
        let free = |e: &&Emitter| !e.hopper && e.count < SETTLED;
        let live = |&slot: &Slot| self.emitter(slot).filter(free).map(|e| (slot, e.serial));
        let mut members: Vec<(Slot, u64)> = slots.iter().filter_map(live).collect();
        // Whoever was announced first keeps the name, else whoever came first.
        members.sort_by_key(|&(slot, serial)| (!self.pinned[slot], serial));
        let serials: Vec<u64> = members.iter().map(|m| m.1).collect();
        self.pool.forget(&serials);
        let (&(into, _), rest) = members.split_first()?;
        self.index.remove(into);
        self.hoppers.push(into);
        if let Some(emitter) = self.emitters[into].as_mut() {
            emitter.hopper = true;
        }
        for &(from, _) in rest {
            self.merge(from, into);
        }
        Some(into)
    }

    fn merge(&mut self, from: Slot, into: Slot) {
        let Some(part) = self.remove(from) else { return };
        if let Some(whole) = self.emitters[into].as_mut() {
            whole.absorb(&part);
        }
        for slot in self.carriers.values_mut().filter(|slot| **slot == from) {
            *slot = into;
        }
        self.merges.push(Merge { part, from, into });
    }
}

/// Bandwidth that counts for association, hertz.
fn reach_hz(bandwidth_hz: f64) -> f64 {
    bandwidth_hz.max(NARROW_HZ)
}

impl Emitter {
    fn reach_hz(&self) -> f64 {
        reach_hz(self.bandwidth_hz)
    }

    fn is_seen_by(&self, view: &View) -> bool {
        if !self.hopper {
            return view.sees(self.place, self.bandwidth_hz);
        }
        let absolute = self.place.absolute;
        self.channels.iter().any(|c| view.sees(Place { hz: c.hz, absolute }, self.bandwidth_hz))
    }

    /// How far `emission` is from what this emitter sends; `None` if it cannot be its.
    fn distance(&self, emission: &Emission) -> Option<f64> {
        let level_dbfs = f64::from(emission.burst.power_dbfs);
        let (own_hz, its_hz) = (self.reach_hz(), reach_hz(emission.burst.bandwidth_hz));
        let (narrow_hz, wide_hz) = (own_hz.min(its_hz), own_hz.max(its_hz));
        let apart = (self.place.hz - emission.place.hz).abs() / wide_hz;
        let coarse = emission.burst.at_edge || emission.burst.depth == Depth::Light;
        let narrow = wide_hz <= LAND_MOBILE_HZ;
        let short = emission.duration_s() * wide_hz < SHORT_PRODUCT;
        let factor = if narrow || short {
            LAND_MOBILE_HZ / NARROW_HZ
        } else if coarse {
            3.0
        } else {
            2.0
        };
        let alike = apart <= 0.5 && wide_hz <= factor * narrow_hz;
        let fits = self.place.absolute == emission.place.absolute
            && !self.hopper
            && (alike || self.is_part(emission))
            && self.kind.fits(emission.kind);
        let level = match &self.envelope {
            Some(envelope) if !envelope.admits(emission) || envelope.is_below(emission) => return None,
            Some(envelope) => {
                let lowest_dbfs = envelope.lowest_dbfs.unwrap_or(f64::NEG_INFINITY);
                (level_dbfs - envelope.highest_dbfs).max(lowest_dbfs - level_dbfs).max(0.0)
            }
            None => (level_dbfs - self.level_dbfs).abs(),
        };
        fits.then(|| apart + (wide_hz / narrow_hz).log2() + level / 6.0)
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
    fn span_hz(&self) -> (f64, f64) {
        let half_hz = self.bandwidth_hz / 2.0;
        let hz = || self.channels.iter().map(|c| c.hz);
        (hz().fold(self.place.hz, f64::min) - half_hz, hz().fold(self.place.hz, f64::max) + half_hz)
    }

    /// Whether `other` is made of pieces of what is sent here: no modulation of its own, in this one's span and time.
    fn consists_of(&self, other: &Emitter) -> bool {
        let (low, high) = self.span_hz();
        let (lowest, highest) = other.span_hz();
        let within = (low..=high).contains(&other.place.hz);
        let beside = highest.max(high) - lowest.min(low) <= LTE_CARRIER_HZ
            && matches!(other.kind, Kind::Unclear | Kind::Varying | Kind::Cellular);
        let kinds = matches!(other.kind, Kind::Unclear | Kind::Varying | Kind::Keyed | Kind::Cellular);
        let apart_db = other.level_dbfs - 10.0 * other.bandwidth_hz.max(1.0).log10() - self.level_dbfs
            + 10.0 * self.bandwidth_hz.max(1.0).log10();
        kinds
            && !other.hopper
            && other.envelope.is_none()
            && self.envelope.is_none()
            && other.place.absolute == self.place.absolute
            && (within || beside)
            && self.first_s - other.last_s < CELLULAR_RECENT_S
            && apart_db.abs() < SYMBOLS_APART_DB
    }

    /// Power per hertz of `emission` over this emitter's, dB.
    fn denser_db(&self, emission: &Emission) -> f64 {
        let density = |level_dbfs: f64, bandwidth_hz: f64| level_dbfs - 10.0 * bandwidth_hz.max(1.0).log10();
        let burst = &emission.burst;
        density(f64::from(burst.power_dbfs), burst.bandwidth_hz) - density(self.level_dbfs, self.bandwidth_hz)
    }

    /// Whether `emission` is a piece of what is sent here: within its span and no denser than its symbols vary.
    fn spans(&self, emission: &Emission) -> bool {
        let (low, high) = self.span_hz();
        (low..=high).contains(&emission.place.hz) && self.denser_db(emission) < SYMBOLS_APART_DB
    }

    /// Whether `emission` may be another allocation of this cellular carrier.
    fn has_room_for(&self, emission: &Emission, same_band: bool) -> bool {
        let burst = &emission.burst;
        let recent = burst.start_s - self.last_s < CELLULAR_RECENT_S || emission.kind == Kind::Cellular;
        let (low, high) = self.span_hz();
        let low = low.min(emission.place.hz - burst.bandwidth_hz / 2.0);
        let high = high.max(emission.place.hz + burst.bandwidth_hz / 2.0);
        let wide = self.bandwidth_hz.max(burst.bandwidth_hz) > 1.05 * LTE_CARRIER_HZ;
        let carrier_hz = if wide { NR_CARRIER_HZ } else { LTE_CARRIER_HZ };
        // Power control moves a phone by tens of decibels over minutes, the density of its allocations by few.
        same_band
            && self.denser_db(emission).abs() < DENSITY_APART_DB
            && self.place.absolute == emission.place.absolute
            && recent
            && high - low <= 1.02 * carrier_hz
            && self.envelope.is_none_or(|envelope| envelope.admits_level(emission))
    }

    fn takes_hop(&self, emission: &Emission) -> bool {
        let burst = &emission.burst;
        let levels = [self.level_dbfs, f64::from(burst.power_dbfs)];
        let away = burst.start_s - self.last_s > HOPPER_RECENT_S;
        let own = |c: &Channel| (c.hz - emission.place.hz).abs() < self.bandwidth_hz / 2.0;
        self.place.absolute == emission.place.absolute
            && self.kind.fits(emission.kind)
            && hop::alike([self.bandwidth_hz, burst.bandwidth_hz], levels)
            && (!away || self.channels.iter().any(own))
            && self.envelope.is_none_or(|envelope| envelope.admits_level(emission))
    }
}

impl Emitter {
    /// Whether `emission`, cut by the edge of the span, may be a hop to a channel there: as long as the hops are, and
    /// not more than one of them in width and level.
    fn takes_partial_hop(&self, emission: &Emission) -> bool {
        let burst = &emission.burst;
        let as_long = self.duration_s(0.5).is_some_and(|typical_s| {
            (emission.duration_s() - typical_s).abs() < PARTIAL_HOP_TOLERANCE * typical_s
        });
        as_long
            && self.place.absolute == emission.place.absolute
            && burst.start_s - self.last_s <= HOPPER_RECENT_S
            && burst.bandwidth_hz <= 1.5 * self.bandwidth_hz
            && f64::from(burst.power_dbfs) < self.level_dbfs + PART_LEVEL_DB
            && self.envelope.is_none_or(|envelope| envelope.admits_level(emission))
    }
}

impl Envelope {
    fn admits_level(&self, emission: &Emission) -> bool {
        f64::from(emission.burst.power_dbfs) <= self.highest_dbfs + ENVELOPE_OVER_DB
    }

    /// Whether `emission` may be of the emitter that this one was learned from.
    fn admits(&self, emission: &Emission) -> bool {
        let (own_hz, its_hz) = (reach_hz(self.bandwidth_hz), reach_hz(emission.burst.bandwidth_hz));
        let placed = self.hopper || (self.place.hz - emission.place.hz).abs() <= own_hz.max(its_hz) / 2.0;
        self.place.absolute == emission.place.absolute
            && placed
            && own_hz.max(its_hz) <= 2.0 * own_hz.min(its_hz)
            && self.admits_level(emission)
    }

    /// Clearly weaker than ever learned.
    fn is_below(&self, emission: &Emission) -> bool {
        self.lowest_dbfs
            .is_some_and(|lowest| f64::from(emission.burst.power_dbfs) < lowest - ENVELOPE_UNDER_DB)
    }
}
