//! Bursts and carriers to emitters and alerts.
//!
//! The back attributes what the front reports to emitters (`track`), names them (`classify`), compares them with
//! the ambient (`policy`) and keeps the alerts (`alert`). An emitter is told of when two independent features
//! name it, or when it was heard often or long enough without a name; from then on until its channels were
//! observed to be silent, or the input ends. While learning, everything heard is ambient and raises nothing.

mod comb;
mod doorway;
mod filled;
mod known;
mod life;
mod mains;
mod sighting;
#[cfg(test)]
mod tests;

use super::{FrontEvent, Observed, Output, Phase, SegmentStart};
use crate::alert::{AlertReport, Book, Closing, Subject};
use crate::bandplan::BandPlan;
use crate::classify::{Check, Device, Judge, Signal, Signature, Verdict};
use crate::policy::{Baseline, Gate, Level, Location, Policy};
use crate::track::{Emitter, Merge, Slot, Touched, Tracker, View};
use doorway::Doorway;
use life::Life;
use sighting::{known_envelope, learned_envelope, sighting};

/// Observed silence after which an emitter closes, seconds (the replay contract, "Closing").
const SILENT_S: f64 = 60.0;
/// The same for Bluetooth LE, whose advertisers may pause for 10.24 s and be missed several times.
const SILENT_BLE_S: f64 = 120.0;
/// Emitters are looked through this often, seconds of observed time.
const TICK_S: f64 = 0.1;
/// Least time between two `updated` of one emitter that only refresh figures, seconds (ibid., table of events).
const UPDATE_S: f64 = 1.0;
/// A carrier, or what has no name, is watched for this long before it is told of, seconds: half as long again as makes a
/// carrier, and seven periods of the mains.
const SETTLE_S: f64 = 0.15;
/// What the back needs to know of the room.
#[derive(Debug, Clone)]
pub struct BackParams {
    /// The region's allocations.
    pub band_plan: BandPlan,
    /// What signals look like.
    pub signatures: Vec<Signature>,
    /// Level of the meeting, which says what is banned until [`Back::set_policy`] says otherwise.
    pub level: Level,
    /// Ambient known beforehand.
    pub baseline: Option<Baseline>,
    /// The first seconds teach the ambient and raise nothing.
    pub learn_s: f64,
    /// What must be heard how loud to be in the room; without it, everything is.
    pub gate: Option<Gate>,
}

/// The back half of the pipeline.
pub struct Back {
    policy: Policy,
    learn_s: f64,
    learning: bool,
    /// A baseline was given or learned.
    knows_ambient: bool,
    baseline: Baseline,
    judge: Judge,
    doorway: Doorway,
    tracker: Tracker,
    /// By slot of the tracker.
    lives: Vec<Option<Life>>,
    opened: u32,
    book: Book,
    /// Observed, but not yet added to anybody's silence.
    observed: Option<Observed>,
    /// Latest time heard of, seconds.
    now_s: f64,
    /// Width of a bin in the segment, hertz.
    bin_hz: f64,
    /// Middle of the segment's span, hertz, if known.
    center_hz: Option<f64>,
    alerts: Vec<AlertReport>,
}

impl Back {
    /// A back that has seen nothing.
    pub fn new(params: BackParams) -> Self {
        let BackParams { band_plan, signatures, level, baseline, learn_s, gate } = params;
        let mut tracker = Tracker::new(band_plan.clone());
        for known in baseline.iter().flat_map(|baseline| &baseline.known) {
            tracker.expect(known_envelope(known));
        }
        Self {
            policy: level.into(),
            learn_s,
            learning: learn_s > 0.0,
            knows_ambient: baseline.is_some() || learn_s > 0.0,
            baseline: baseline.unwrap_or_default(),
            doorway: Doorway::new(gate, band_plan.clone()),
            judge: Judge::new(signatures, band_plan),
            tracker,
            lives: Vec::new(),
            opened: 0,
            book: Book::new(),
            observed: None,
            now_s: 0.0,
            bin_hz: 0.0,
            center_hz: None,
            alerts: Vec::new(),
        }
    }

    /// Takes one event of the front.
    pub fn take(&mut self, event: &FrontEvent, out: &mut Vec<Output>) {
        match event {
            FrontEvent::Segment(segment) => self.begin(segment, out),
            FrontEvent::Burst(burst) => {
                self.reach(burst.start_s);
                self.fill(burst);
                let touched = self.tracker.burst(burst);
                self.touched(touched, out);
            }
            FrontEvent::Carrier(carrier) => {
                // A carrier that began while learning is ambient, whenever it is first reported.
                self.reach(carrier.burst.start_s);
                self.fill(&carrier.burst);
                let touched = self.tracker.carrier(carrier);
                self.touched(touched, out);
            }
            FrontEvent::Observed(observed) => self.observe(observed, out),
            FrontEvent::Health(health) => out.push(Output::Health(*health)),
        }
    }

    /// A tuning was looked at at the gain to search with, whose floor was `floor_dbfs_per_hz`.
    pub fn looked(&mut self, floor_dbfs_per_hz: f64) {
        self.doorway.looked(floor_dbfs_per_hz);
    }

    /// A receiver was opened: what was known of its floor is no more.
    pub fn opened(&mut self) {
        self.doorway.opened();
    }

    /// From now on `policy` says what is banned: who is on already is told of anew.
    pub fn set_policy(&mut self, policy: Policy, out: &mut Vec<Output>) {
        self.policy = policy;
        for slot in self.slots_by(|_, life| u64::from(life.id.unwrap_or(u32::MAX))) {
            let Some(life) = self.lives[slot].as_mut() else { continue };
            let Some(verdict) = life.verdict.as_ref().filter(|_| life.id.is_some()) else { continue };
            let banned = self.policy.bans(verdict.device);
            if banned != life.banned {
                life.banned = banned;
                self.report(slot, Phase::Updated, self.now_s, out);
            }
        }
    }

    /// End of input: pending decisions are forced on the evidence held, everything is closed.
    pub fn finish(&mut self, out: &mut Vec<Output>) {
        self.settle_silence(out);
        for slot in self.slots_by(|emitter, _| emitter.serial) {
            self.force(slot, out);
        }
        if self.learning {
            self.stop_learning();
        }
        // All are judged before the first is gone: what one is may follow from the others.
        for slot in self.slots_by(|_, life| u64::from(life.id.unwrap_or(u32::MAX))) {
            self.settle(slot, out);
        }
        for slot in self.slots_by(|_, life| u64::from(life.id.unwrap_or(u32::MAX))) {
            self.close(slot, Closing::EndOfInput, out);
        }
    }

    /// What was learned, together with the baseline given.
    pub fn baseline(&self) -> Baseline {
        self.baseline.clone()
    }

    /// The emitters that are held now, told of or not, each with every signature compared, best first.
    pub fn suspects(&self) -> Vec<(&Emitter, Option<u32>, Vec<Check<'_>>)> {
        let id = |slot: Slot| self.lives.get(slot).and_then(Option::as_ref).and_then(|life| life.id);
        self.tracker
            .iter()
            .map(|(slot, emitter)| (emitter, id(slot), self.judge.checks(emitter, self.bin_hz)))
            .collect()
    }

    /// What is heard and not told of yet, each with its number: neither ghosts nor pieces of what fills the spectrum. Of
    /// known frequency only.
    pub fn untold(&self) -> impl Iterator<Item = (u64, &Emitter)> {
        let told =
            |slot: Slot| self.lives.get(slot).and_then(Option::as_ref).is_some_and(|life| life.id.is_some());
        self.tracker
            .iter()
            .filter(move |(slot, emitter)| {
                !told(*slot) && emitter.place.absolute && !emitter.is_ghost() && !self.is_filled(emitter)
            })
            .map(|(_, emitter)| (emitter.serial, emitter))
    }

    fn begin(&mut self, segment: &SegmentStart, out: &mut Vec<Output>) {
        self.settle_silence(out);
        self.bin_hz = segment.bin_hz;
        self.center_hz = segment.center_hz;
        let view = View {
            segment: segment.index,
            epoch: 0,
            start_s: segment.start_s,
            rate_hz: segment.rate_hz,
            center_hz: segment.center_hz,
            bin_hz: segment.bin_hz,
            hop_s: segment.hop_s,
        };
        self.tracker.begin(view, segment.shared_axis);
    }

    /// Something starts at `at_s`, or was observed until then.
    fn reach(&mut self, at_s: f64) {
        if self.learning && at_s >= self.learn_s {
            self.stop_learning();
        }
    }

    fn observe(&mut self, observed: &Observed, out: &mut Vec<Output>) {
        self.now_s = self.now_s.max(observed.until_s);
        let joined = match self.observed.take() {
            Some(held) if (held.until_s - observed.from_s).abs() < 1e-9 => {
                Observed { from_s: held.from_s, until_s: observed.until_s }
            }
            Some(held) => {
                self.tracker.observed(held.from_s, held.until_s);
                *observed
            }
            None => *observed,
        };
        self.observed = Some(joined);
        if joined.until_s - joined.from_s >= TICK_S {
            self.settle_silence(out);
        }
        self.reach(observed.until_s);
    }

    /// Adds what was observed to everybody's silence, closes who was silent for long enough, refreshes figures.
    fn settle_silence(&mut self, out: &mut Vec<Output>) {
        let Some(Observed { from_s, until_s }) = self.observed.take() else { return };
        self.tracker.observed(from_s, until_s);
        for slot in self.slots_by(|emitter, _| emitter.serial) {
            if self.is_silent(slot) {
                self.close(slot, Closing::Silent, out);
            } else {
                self.refresh(slot, until_s, out);
            }
        }
    }

    fn is_silent(&self, slot: Slot) -> bool {
        let ble = self.life(slot).and_then(|l| l.verdict.as_ref()).is_some_and(|v| v.signal == Signal::Ble);
        let limit_s = if ble { SILENT_BLE_S } else { SILENT_S };
        self.tracker.emitter(slot).is_some_and(|emitter| emitter.silent_s >= limit_s)
    }

    /// Slots in the order of `key`.
    fn slots_by(&self, key: impl Fn(&Emitter, &Life) -> u64) -> Vec<Slot> {
        let mut slots: Vec<(u64, Slot)> = self
            .tracker
            .iter()
            .filter_map(|(slot, emitter)| Some((key(emitter, self.life(slot)?), slot)))
            .collect();
        slots.sort_unstable();
        slots.into_iter().map(|(_, slot)| slot).collect()
    }

    fn life(&self, slot: Slot) -> Option<&Life> {
        self.lives.get(slot)?.as_ref()
    }

    fn touched(&mut self, touched: Option<Touched>, out: &mut Vec<Output>) {
        let Some(Touched { slot, founded }) = touched else { return };
        for evicted in self.tracker.take_evicted() {
            self.lives[evicted] = None;
        }
        if founded {
            if self.lives.len() <= slot {
                self.lives.resize_with(slot + 1, || None);
            }
            self.lives[slot] = Some(Life::new(self.learning));
        }
        for merge in self.tracker.take_merges() {
            self.merge(&merge, out);
        }
        let Some(emitter) = self.tracker.emitter(slot) else { return };
        self.now_s = self.now_s.max(emitter.last_s);
        let due = self.lives[slot].as_mut().is_some_and(|life| life.is_due(emitter));
        if due {
            self.judge(slot, out);
        }
    }

    /// Judges the emitter in `slot` on what is held: opens it, or tells of a change.
    fn judge(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let (Some(emitter), Some(life)) = (self.tracker.emitter(slot), self.life(slot)) else { return };
        let verdict = self.name(emitter, life);
        if life.id.is_some() {
            self.adopt(slot, verdict, out);
            return;
        }
        let watched_s = emitter.watched_s(self.now_s.max(emitter.last_s));
        // The other teeth of a comb are reported right after the first, and the mains take their time.
        let least_s = if emitter.is_continuous() || !verdict.named { SETTLE_S } else { 0.0 };
        let settle_s = verdict.settle_s.max(least_s);
        let enough = (verdict.named && !emitter.is_ghost()) || (!verdict.named && Life::is_heard(emitter));
        let part = enough && (self.is_unproved(emitter) || self.is_part_of_known(emitter, &verdict, false));
        if enough && !part && watched_s >= settle_s {
            self.open(slot, verdict, out);
            return;
        }
        let until_s = match (enough, part) {
            (true, false) => self.now_s + settle_s - watched_s,
            (true, true) => self.now_s + known::WHOLE_S,
            _ => f64::INFINITY,
        };
        let count = emitter.count;
        if let Some(life) = self.lives[slot].as_mut() {
            life.waits = (count, until_s);
        }
    }

    /// The end of input decides on the emitter in `slot`.
    fn force(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let (Some(emitter), Some(life)) = (self.tracker.emitter(slot), self.life(slot)) else { return };
        if life.id.is_some() || self.is_unproved(emitter) {
            return;
        }
        let verdict = self.name(emitter, life);
        if self.is_part_of_known(emitter, &verdict, true) {
            return;
        }
        let named = verdict.named && !emitter.is_ghost();
        if named || Life::is_heard(emitter) || (Life::is_forced(emitter) && !self.is_explained(emitter)) {
            self.open(slot, verdict, out);
        }
    }

    /// The verdict on `emitter`, the room's ambient considered. A name once given is kept until another fits.
    fn name(&self, emitter: &Emitter, life: &Life) -> Verdict {
        let mut verdict = self.judge.verdict(emitter, self.bin_hz);
        if emitter.is_ghost() {
            verdict.device = Device::Interference;
        }
        // A name that says what it is stands; a line, whatever its jitter resembles, may be a tooth.
        let plain =
            matches!(verdict.signal, Signal::Unknown | Signal::Cw) || emitter.bandwidth_hz < comb::LINE_HZ;
        if plain
            && emitter.is_continuous()
            && let Some((step_hz, teeth)) =
                comb::comb(emitter, self.bin_hz, self.tracker.iter().map(|(_, other)| other))
        {
            verdict.device = Device::Interference;
            verdict.signal = Signal::Unknown;
            let khz = step_hz / 1e3;
            // Whatever a line by itself resembles.
            verdict.reasons =
                vec![format!("one of {teeth} lines {khz:.1} kHz apart that came up together: a comb")];
        }
        if let Some(reason) = self.of_the_mains(emitter, &verdict) {
            verdict.device = Device::Interference;
            verdict.reasons.push(reason.to_owned());
        }
        // A name once given stays; that a line is nobody's device must be seen anew.
        let stays = |before: &&Verdict| {
            before.named && (before.device != Device::Interference || before.signal == Signal::Unknown)
        };
        // What keeps step with the mains may resemble keying for a while.
        let weak = |before: &&Verdict| {
            !verdict.named || (before.device == Device::Interference && is_doubtful(&verdict))
        };
        let before = life.verdict.as_ref().filter(stays).filter(weak);
        if let Some(before) = before {
            return before.clone();
        }
        if verdict.device == Device::MobilePhone
            && let Some(band) = self.sends_with_base_stations(emitter)
        {
            verdict.device = Device::Infrastructure;
            verdict.reasons.push(format!("{band}: sends while the base stations do: TDD downlink"));
        }
        let unknown_station = verdict.signal == Signal::FmBroadcast && self.knows_ambient && !self.learning;
        if unknown_station && !self.is_ambient(emitter, life, &verdict).0 {
            verdict.signal = Signal::Wfm;
            verdict.device = Device::WirelessMicrophone;
            verdict.reasons.push("a carrier in a broadcast band that the baseline does not know".to_owned());
        }
        verdict
    }

    /// Why `emitter` is a part of interference that is gated by the mains, if it is.
    fn of_the_mains(&self, emitter: &Emitter, verdict: &Verdict) -> Option<&'static str> {
        let nameless = !verdict.named;
        if !(nameless || is_doubtful(verdict)) {
            return None;
        }
        self.tracker.iter().find_map(|(slot, other)| {
            let source = self.life(slot).and_then(|life| life.verdict.as_ref());
            source.filter(|v| v.named && v.device == Device::Interference)?;
            if nameless && mains::keeps_step(emitter, other) {
                return Some("in step with interference gated by the mains: part of it");
            }
            let under = mains::is_under_oven(emitter, other, !nameless);
            under.then_some("not to be told from what the microwave oven sends that is on")
        })
    }

    /// What an emitter that got no name resembles most.
    fn nearest(&self, emitter: &Emitter, verdict: &Verdict) -> Option<String> {
        let nameless =
            !verdict.named && verdict.signal == Signal::Unknown && verdict.device != Device::Interference;
        nameless.then(|| self.judge.nearest(emitter, self.bin_hz)).flatten()
    }

    fn open(&mut self, slot: Slot, mut verdict: Verdict, out: &mut Vec<Output>) {
        let (Some(emitter), Some(life)) = (self.tracker.emitter(slot), self.life(slot)) else { return };
        let (ambient, why_not) = self.is_ambient(emitter, life, &verdict);
        let location = self.doorway.locate(emitter, verdict.device);
        verdict.reasons.extend(self.nearest(emitter, &verdict));
        verdict.reasons.extend(why_not);
        let location = location.map(|(location, sentence)| {
            verdict.reasons.push(sentence);
            location
        });
        self.opened += 1;
        let id = self.opened;
        let banned = self.policy.bans(verdict.device);
        self.tracker.pin(slot);
        if let Some(life) = self.lives[slot].as_mut() {
            life.id = Some(id);
            life.ambient = ambient;
            life.location = location;
            life.banned = banned;
            life.verdict = Some(verdict);
        }
        self.report(slot, Phase::Opened, self.now_s, out);
    }

    /// A new verdict on an open emitter: told at once if it changes anything.
    fn adopt(&mut self, slot: Slot, mut verdict: Verdict, out: &mut Vec<Output>) {
        let (Some(emitter), Some(life)) = (self.tracker.emitter(slot), self.life(slot)) else { return };
        let (ambient, why_not) = self.is_ambient(emitter, life, &verdict);
        let location = self.doorway.locate(emitter, verdict.device);
        verdict.reasons.extend(self.nearest(emitter, &verdict));
        verdict.reasons.extend(why_not);
        // Who was in the room once does not leave it by turning away.
        let location = location.map(|(location, sentence)| {
            verdict.reasons.push(sentence);
            life.location.map_or(location, |before| before.max(location))
        });
        let banned = self.policy.bans(verdict.device);
        let before = life.verdict.as_ref().map(|v| (v.signal, v.device));
        let changed = before != Some((verdict.signal, verdict.device))
            || (ambient, location, banned) != (life.ambient, life.location, life.banned);
        if let Some(life) = self.lives[slot].as_mut() {
            life.verdict = Some(verdict);
            (life.ambient, life.location, life.banned) = (ambient, location, banned);
        }
        if changed {
            self.report(slot, Phase::Updated, self.now_s, out);
        }
    }

    /// Once a second, an open emitter that sent since is judged and reported.
    fn refresh(&mut self, slot: Slot, now_s: f64, out: &mut Vec<Output>) {
        let (Some(emitter), Some(life)) = (self.tracker.emitter(slot), self.life(slot)) else { return };
        let stale = emitter.last_s > life.reported_last_s && now_s - life.reported_s >= UPDATE_S;
        if life.id.is_none() {
            let pending = life.verdict.is_none() && emitter.last_s > now_s - UPDATE_S;
            if pending && !life.is_waiting(emitter, now_s) && now_s - emitter.first_s < 2.0 * UPDATE_S {
                self.judge(slot, out);
            }
            return;
        }
        if stale {
            let verdict = self.name(emitter, life);
            self.adopt(slot, verdict, out);
            if self.life(slot).is_some_and(|life| now_s - life.reported_s >= UPDATE_S) {
                self.report(slot, Phase::Updated, self.now_s, out);
            }
        }
    }

    /// Says how the emitter in `slot` stands, and what that means for its alert.
    fn report(&mut self, slot: Slot, phase: Phase, at_s: f64, out: &mut Vec<Output>) {
        let Some(emitter) = self.tracker.emitter(slot) else { return };
        let Some(life) = self.lives.get_mut(slot).and_then(Option::as_mut) else { return };
        let (Some(id), Some(verdict)) = (life.id, life.verdict.as_ref()) else { return };
        let report = life.report(id, emitter, verdict, at_s);
        life.reported_s = at_s;
        life.reported_last_s = emitter.last_s;
        let subject = subject(&report);
        self.book.changed(&subject, &mut self.alerts);
        out.push(Output::Emitter(phase, report));
        out.extend(self.alerts.drain(..).map(Output::Alert));
    }

    /// The last word on the emitter in `slot`, if people were told of it.
    fn settle(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let (Some(emitter), Some(life)) = (self.tracker.emitter(slot), self.life(slot)) else { return };
        if life.id.is_some() && !life.settled {
            let verdict = self.name(emitter, life);
            self.adopt(slot, verdict, out);
            if let Some(life) = self.lives[slot].as_mut() {
                life.settled = true;
            }
        }
    }

    /// The emitter in `slot` closes and is forgotten.
    fn close(&mut self, slot: Slot, closing: Closing, out: &mut Vec<Output>) {
        self.settle(slot, out);
        let Some(life) = self.lives[slot].take() else { return };
        let Some(emitter) = self.tracker.remove(slot) else { return };
        if self.learning {
            self.learn(&emitter, &life);
        }
        let (Some(id), Some(verdict)) = (life.id, life.verdict.as_ref()) else { return };
        let report = life.report(id, &emitter, verdict, self.now_s);
        self.tell_closed(report, closing, out);
    }

    fn tell_closed(&mut self, report: super::EmitterReport, closing: Closing, out: &mut Vec<Output>) {
        self.book.closed(&subject(&report), closing, &mut self.alerts);
        out.push(Output::Emitter(Phase::Closed, report));
        out.extend(self.alerts.drain(..).map(Output::Alert));
    }

    /// An emitter proved to be part of another; the tracker has moved its bursts already.
    fn merge(&mut self, merge: &Merge, out: &mut Vec<Output>) {
        let Merge { part: emitter, from, into } = merge;
        let (from, into) = (*from, *into);
        let Some(part) = self.lives.get_mut(from).and_then(Option::take) else { return };
        if let Some(whole) = self.lives[into].as_mut() {
            whole.learned |= part.learned;
        }
        let (Some(id), Some(verdict)) = (part.id, part.verdict.as_ref()) else { return };
        // The whole must have a number before anything can be merged into it.
        if self.life(into).is_some_and(|life| life.id.is_none())
            && let (Some(emitter), Some(life)) = (self.tracker.emitter(into), self.life(into))
        {
            let verdict = self.name(emitter, life);
            self.open(into, verdict, out);
        }
        let mut report = part.report(id, emitter, verdict, self.now_s);
        report.merged_into = self.life(into).and_then(|life| life.id);
        self.tell_closed(report, Closing::Merged, out);
    }

    /// Everything heard so far is the ambient.
    fn stop_learning(&mut self) {
        for slot in self.slots_by(|emitter, _| emitter.serial) {
            let (Some(emitter), Some(life)) = (self.tracker.emitter(slot), self.life(slot)) else { continue };
            let (emitter, life) = (emitter.clone(), life.clone());
            self.learn(&emitter, &life);
            self.tracker.bind(slot, learned_envelope(&emitter));
        }
        self.baseline.learned_s += self.learn_s.min(self.now_s);
        self.learning = false;
    }

    /// Adds an emitter to the baseline.
    fn learn(&mut self, emitter: &Emitter, life: &Life) {
        let verdict = self.name(emitter, life);
        if !emitter.is_ghost() {
            self.baseline.learn(sighting(emitter, verdict.signal, verdict.device));
        }
    }
}

/// Whether what is gated by the mains and sweeps may get this name from pieces of it: keying, a chirp, or a spread
/// spectrum.
fn is_doubtful(verdict: &Verdict) -> bool {
    use Signal::{Fsk, Lora, Ook, WifiDsss, Zigbee};
    matches!(verdict.signal, Ook | Fsk | Lora | Zigbee | WifiDsss)
}

fn subject(report: &super::EmitterReport) -> Subject<'_> {
    Subject {
        emitter: report.id,
        signal: report.signal,
        device: report.device,
        confidence: report.confidence,
        ambient: report.ambient,
        outside: report.location == Some(Location::Outside),
        banned: report.banned,
        reasons: &report.reasons,
        at_s: report.at_s,
    }
}
