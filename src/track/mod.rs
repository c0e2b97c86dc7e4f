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
//!    the ambient one carries on as ever, is somebody else. So is whose carrier or length of bursts is none of
//!    those learned there ([`marks`]).
//! 4. Bursts that no emitter settled on their channel explains may be hops ([`hop`]): the emitters that they
//!    founded are merged into one, which from then on takes what fits it on any channel.
//!
//! Emitters age by observed time only. Everything is bounded: emitters (quiet unopened ones make room), what each
//! remembers, and the work per emission (emitters are found by [`index`], not by looking at all). Nothing depends
//! on anything but the order of events.

mod cadence;
mod emission;
mod emitter;
mod fit;
mod hop;
mod index;
mod marks;
mod ontime;
mod phases;
mod shed;
mod stats;

pub use cadence::{Start, distances};
pub use emission::{Emission, Kind, Place, View};
pub use emitter::{Channel, Detail, Emitter, Envelope, Look};
pub use marks::{CARRIER_DRIFT, KEPT_DRIFT, Marks, Stranger};
pub use ontime::OnTime;
pub use phases::HALF_FRAME_S;
pub use shed::Host;
pub use stats::{Levels, Ring, median, quantile};

use crate::bandplan::{BandPlan, Direction, Service};
use crate::measure::{Burst, Carrier};
use fit::reach_hz;
use hop::Pool;
use index::Index;
use std::collections::BTreeMap;

/// Most emitters at a time. A busy 2.4 GHz band has some tens; 512 with all they remember are 8 MB.
pub const EMITTERS_MAX: usize = 512;
/// Carriers on at a time that are followed by number; more are found by frequency.
const CARRIERS_MAX: usize = 4096;
/// Envelopes from a baseline; more are not compared.
const EXPECTED_MAX: usize = 4096;
/// Below this SNR the features of a burst are doubtful, dB.
const FAINT_DB: f64 = 10.0;
/// From this many emissions on one channel an emitter has settled there.
const SETTLED: u64 = 6;

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
    /// End of what was observed in the view, seconds.
    observed_s: f64,
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

/// The least cost so far, whose it is, and where: of equals the first that came.
#[derive(Default)]
struct Nearest(Option<(f64, u64, Slot)>);

impl Nearest {
    fn consider(&mut self, cost: f64, serial: u64, slot: Slot) {
        let nearer =
            |&(least, first, _): &(f64, u64, Slot)| cost < least || (cost == least && serial < first);
        if self.0.as_ref().is_none_or(nearer) {
            self.0 = Some((cost, serial, slot));
        }
    }

    fn slot(&self) -> Option<Slot> {
        self.0.map(|(_, _, slot)| slot)
    }
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
        // Nobody was seen since the view before ended, and some not in it.
        let before = self.view.replace(view).filter(|_| shared_axis);
        let between_s = view.start_s - self.observed_s;
        self.carriers.clear();
        for emitter in self.emitters.iter_mut().flatten() {
            emitter.carriers_on = 0;
            if let Some(before) = &before {
                let whole_s = self.observed_s - before.start_s.max(emitter.last_s);
                let within_s = if emitter.is_seen_by(before) { 0.0 } else { whole_s.max(0.0) };
                emitter.unseen_since_s += between_s.max(0.0) + within_s;
            }
        }
        self.observed_s = view.start_s;
    }

    /// Where the receiver looks.
    pub fn view(&self) -> Option<&View> {
        self.view.as_ref()
    }

    /// What is known of the ambient from a baseline: emitters that appear within it keep to it.
    pub fn expect(&mut self, envelope: Envelope) {
        // One that comes back has followed its carriers: the latest counts.
        if let Some(held) = self.expected.iter_mut().find(|held| held.is_same(&envelope)) {
            *held = envelope;
        } else if self.expected.len() < EXPECTED_MAX {
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

    /// The emitter in `slot` is known, and keeps within `envelope`.
    pub fn bind(&mut self, slot: Slot, envelope: Envelope) {
        if let Some(emitter) = self.emitters.get_mut(slot).and_then(Option::as_mut) {
            emitter.envelope = Some(envelope);
            emitter.stranger = None;
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
            Some(slot) => Touched { slot: self.add(slot, &emission), founded: false },
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
        self.observed_s = self.observed_s.max(until_s);
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
        // What was learned is expected back.
        if let Some(envelope) = emitter.envelope.clone() {
            self.expect(envelope);
        }
        Some(emitter)
    }

    fn attribute(&mut self, emission: &Emission) -> Touched {
        let fixed = self.find_fixed(emission);
        let settled =
            fixed.filter(|&slot| self.emitter(slot).is_some_and(|e| e.count >= SETTLED && !e.is_ghost()));
        let found = self.find_cellular(emission).or(settled).or_else(|| self.find_hopper(emission)).or(fixed);
        let touched = match found {
            Some(slot) => Touched { slot: self.add(slot, emission), founded: false },
            None => self.found(emission),
        };
        self.seek_hopper(emission, touched.slot).map_or(touched, |slot| Touched { slot, founded: false })
    }

    /// Adds `emission` to the emitter in `slot`; gives where that is afterwards.
    fn add(&mut self, slot: Slot, emission: &Emission) -> Slot {
        let Some(emitter) = self.emitters[slot].as_mut() else { return slot };
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
            return self.gather_pieces(slot);
        }
        slot
    }

    /// What was heard of the carrier in `slot` before it was recognised, symbol by symbol, is its.
    fn gather_pieces(&mut self, slot: Slot) -> Slot {
        let Some(whole) = self.emitter(slot) else { return slot };
        let answers = |one: &Emitter, other: &Emitter| {
            one.looks.iter().any(|look| self.answers(other, one.place, look.start_s, look.end_s))
        };
        let piece = |&(other, emitter): &(Slot, &Emitter)| {
            let apart = || answers(emitter, whole) || answers(whole, emitter);
            other == slot || (whole.consists_of(emitter) && !apart())
        };
        let mut members: Vec<(bool, u64, Slot)> =
            self.iter().filter(piece).map(|(at, emitter)| (!self.pinned[at], emitter.serial, at)).collect();
        // Whoever was announced first keeps the name, else whoever came first.
        members.sort_unstable();
        let Some((&(_, _, into), rest)) = members.split_first() else { return slot };
        for &(_, _, from) in rest {
            self.merge(from, into);
        }
        if !self.cellular.contains(&into) {
            self.cellular.push(into);
        }
        into
    }

    fn found(&mut self, emission: &Emission) -> Touched {
        let slot = match self.free_slot() {
            Some(slot) => slot,
            None => return Touched { slot: self.crowd(emission), founded: false },
        };
        let mut emitter = Emitter::new(self.serial, emission);
        self.serial += 1;
        emitter.envelope =
            self.expected.iter().find(|e| e.is_of(emission) && e.stranger(emission).is_none()).cloned();
        if emitter.envelope.is_none() {
            let learned = self.emitters.iter().flatten().filter_map(|other| other.envelope.as_ref());
            let near = self.expected.iter().chain(learned).filter(|envelope| envelope.is_of(emission));
            let mut apart = near.map(|envelope| envelope.stranger(emission));
            // Strange is what is strange to all of them.
            emitter.stranger = apart.next().flatten().filter(|_| apart.all(|stranger| stranger.is_some()));
        }
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
        self.add(nearest, emission)
    }

    /// The emitter that keeps its channel and is nearest to `emission`. What differs from all that was learned on the
    /// channel goes only to who differs likewise.
    fn find_fixed(&self, emission: &Emission) -> Option<Slot> {
        let reach_hz = reach_hz(emission.burst.bandwidth_hz);
        let mut strange = false;
        let mut best = Nearest::default();
        let mut best_apart = Nearest::default();
        self.index.near(emission.place, reach_hz, |slot| {
            let Some(emitter) = self.emitter(slot) else { return };
            let learned = emitter.envelope.as_ref();
            strange |= learned.is_some_and(|e| e.is_of(emission) && e.stranger(emission).is_some());
            let Some(cost) = emitter.distance(emission) else { return };
            best.consider(cost, emitter.serial, slot);
            let its_own = emitter.marks.have_carrier_of(emission, emitter.hopper);
            if learned.is_some() || emitter.stranger.is_some() || its_own {
                best_apart.consider(cost, emitter.serial, slot);
            }
        });
        if strange { best_apart.slot() } else { best.slot() }
    }

    fn find_cellular(&self, emission: &Emission) -> Option<Slot> {
        let piece = matches!(emission.kind, Kind::Cellular | Kind::Varying | Kind::Unclear);
        let of_other = matches!(emission.kind, Kind::WifiOfdm | Kind::WifiDsss | Kind::Chirp);
        if of_other || emission.is_ghost() {
            return None;
        }
        // Near the noise no feature is to be trusted: within a carrier's span it is a piece of that carrier.
        let faint = f64::from(emission.burst.snr_db) < FAINT_DB && emission.kind != Kind::Line;
        let (start_s, end_s) = (emission.burst.start_s, emission.burst.end_s);
        let fits = |emitter: &Emitter| {
            let settled = emitter.count >= SETTLED;
            let known = piece || settled && (faint || emitter.spans(emission));
            known
                && emitter.has_room_for(emission, self.same_band(emitter, emission))
                && !self.answers(emitter, emission.place, start_s, end_s)
        };
        let fitting = || self.cellular.iter().copied().filter(|&slot| self.emitter(slot).is_some_and(fits));
        // Of a base station and a telephone that take turns, it is whose turn it is.
        let in_turn = |slot: &Slot| self.emitter(*slot).is_some_and(|emitter| emitter.is_its_turn(start_s));
        let first = fitting().next()?;
        let in_turns = self.is_in_turns(emission.place);
        Some(fitting().find(in_turn).filter(|_| in_turns).unwrap_or(first))
    }

    /// Whether both ends take turns there.
    fn is_in_turns(&self, place: Place) -> bool {
        let allocation = self.plan.find(place.hz, Service::Cellular).filter(|_| place.absolute);
        allocation.is_some_and(|a| a.direction == Direction::Tdd)
    }

    /// Whether, in a band where both ends take turns, what is sent at that time is sent when `emitter` leaves the air to
    /// the other end.
    fn answers(&self, emitter: &Emitter, place: Place, start_s: f64, end_s: f64) -> bool {
        self.is_in_turns(place) && emitter.pauses_during(start_s, end_s)
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
