//! What is remembered of one emitter: bounded, whatever it sends and however long.

use super::cadence::{self, Start};
use super::emission::{Emission, Kind, Place};
use super::marks::{Marks, Stranger};
use super::ontime::OnTime;
use super::stats::{Levels, Ring, median, quantile};
use crate::measure::{Burst, Depth, Features};

/// A report of a carrier tells its modulation if it is at least this wide against the widest before.
const TELLING_SHARE: f64 = 0.5;

/// Latest emissions kept for times, places and levels: 0.6 s of a GSM call, 1.3 s of a DECT one.
pub const LOOKS: usize = 128;
/// Latest emissions kept with all their features.
pub const DETAILS: usize = 32;
/// Emissions with the structure of a cellular carrier that make an emitter one.
const CELLULAR_VOTES: u32 = 3;
/// Most channels told apart: Bluetooth has 79.
const CHANNELS_MAX: usize = 96;

/// An emission as far as its time, place and level matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Seconds.
    pub start_s: f64,
    /// Seconds.
    pub end_s: f64,
    /// On the axis of the emitter's [`Place`], hertz.
    pub hz: f64,
    /// 99 % bandwidth, hertz.
    pub bandwidth_hz: f64,
    /// Mean power, dBFS.
    pub level_dbfs: f64,
    /// Over the local noise, dB.
    pub snr_db: f64,
    /// See [`super::View::epoch`].
    pub epoch: u32,
    /// Number of the carrier, if it is one.
    pub carrier: Option<u32>,
    /// Both ends were seen.
    pub whole: bool,
    /// Not cut by the edge of the span, and measured from samples.
    pub exact: bool,
}

/// An emission's features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detail {
    /// Number of the carrier, if it is one.
    pub carrier: Option<u32>,
    /// On-time, seconds.
    pub duration_s: f64,
    /// Over the local noise, dB.
    pub snr_db: f64,
    /// As measured.
    pub features: Features,
}

/// A channel of a hopper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channel {
    /// Centre, hertz.
    pub hz: f64,
    /// Emissions on it.
    pub count: u32,
}

/// What an emitter known from the baseline stays within.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Centre.
    pub place: Place,
    /// 99 % bandwidth, hertz.
    pub bandwidth_hz: f64,
    /// Lowest level while learning, dBFS; `None` if it is not known.
    pub lowest_dbfs: Option<f64>,
    /// Highest level while learning, dBFS.
    pub highest_dbfs: f64,
    /// Hops.
    pub hopper: bool,
    /// Carriers and lengths while learning; carriers are followed.
    pub marks: Marks,
    /// How far carriers may have wandered since, as a fraction of the frequency.
    pub drift: f64,
}

/// An emitter: what emissions are attributed to.
#[derive(Debug, Clone)]
pub struct Emitter {
    /// In order of appearance, from 0; never reused.
    pub serial: u64,
    /// Running mean of its centre; for a hopper of the latest channel.
    pub place: Place,
    /// Running mean of its bandwidth, hertz.
    pub bandwidth_hz: f64,
    /// Running mean of its level, dBFS.
    pub level_dbfs: f64,
    /// Commonest kind of its emissions.
    pub kind: Kind,
    /// Start of the first emission, seconds.
    pub first_s: f64,
    /// End of the last, seconds.
    pub last_s: f64,
    /// Tuning in which the last was seen, hertz; 0 if it is unknown.
    pub tuning_hz: f64,
    /// On-times.
    pub on: OnTime,
    /// Levels of all emissions.
    pub levels: Levels,
    /// The latest emissions, in order of arrival.
    pub looks: Ring<Look, LOOKS>,
    /// The latest measured ones.
    pub details: Ring<Detail, DETAILS>,
    /// All channels seen, unsorted.
    pub channels: Vec<Channel>,
    /// Several channels are one emitter.
    pub hopper: bool,
    /// Carriers that are on.
    pub carriers_on: u32,
    /// Emissions attributed (reports of one carrier count once).
    pub count: u64,
    /// Power times duration of all, of a carrier's first report, full scale times seconds.
    pub energy: f64,
    /// Of this: made by the receiver, as it seems.
    pub ghost_energy: f64,
    /// Of these: clipped.
    pub clipped: u64,
    /// Of these: touching the edge of the span.
    pub at_edge: u64,
    /// A start was seen that is not the start of a segment.
    pub onset_seen: bool,
    /// An end was seen that is not the end of a segment.
    pub end_seen: bool,
    /// Observed silence since `last_s`, seconds.
    pub silent_s: f64,
    /// Time between `first_s` and `last_s` in which the receiver looked elsewhere, seconds.
    pub unseen_s: f64,
    /// Such time since `last_s`.
    pub(super) unseen_since_s: f64,
    /// What it must stay within to be the ambient emitter that it is taken for.
    pub envelope: Option<Envelope>,
    /// Carriers and lengths of its bursts.
    pub marks: Marks,
    /// In what it differs from those that were learned where it is, which it might else be.
    pub stranger: Option<Stranger>,
    votes: [u32; 9],
}

impl Emitter {
    /// An emitter of which nothing is known but that it sent `emission`.
    pub fn new(serial: u64, emission: &Emission) -> Self {
        let burst = &emission.burst;
        let mut new = Self {
            serial,
            place: emission.place,
            bandwidth_hz: burst.bandwidth_hz,
            level_dbfs: f64::from(burst.power_dbfs),
            kind: emission.kind,
            first_s: burst.start_s,
            last_s: burst.end_s,
            tuning_hz: emission.place.hz - burst.offset_hz,
            on: OnTime::default(),
            levels: Levels::default(),
            looks: Ring::default(),
            details: Ring::default(),
            channels: Vec::new(),
            hopper: false,
            carriers_on: 0,
            count: 0,
            energy: 0.0,
            ghost_energy: 0.0,
            clipped: 0,
            at_edge: 0,
            onset_seen: false,
            end_seen: false,
            silent_s: 0.0,
            unseen_s: 0.0,
            unseen_since_s: 0.0,
            envelope: None,
            marks: Marks::default(),
            stranger: None,
            votes: [0; 9],
        };
        new.add(emission);
        new
    }

    /// Attributes an emission, or the next report of a carrier, to it.
    pub fn add(&mut self, emission: &Emission) {
        let burst = &emission.burst;
        self.first_s = self.first_s.min(burst.start_s);
        self.last_s = self.last_s.max(burst.end_s);
        self.tuning_hz = emission.place.hz - burst.offset_hz;
        // What was on when the stream broke may have been on all the while.
        let was_off = self.count == 0 || self.end_seen || self.silent_s > 0.0;
        self.onset_seen |= !burst.cut_start && was_off;
        self.silent_s = 0.0;
        self.unseen_s += std::mem::take(&mut self.unseen_since_s);
        self.on.add(burst.start_s, burst.end_s);
        // A carrier's end is told by its last report: the tracker sets `end_seen` then.
        self.end_seen |= emission.carrier.is_none() && !burst.cut_end;
        if self.again(emission) {
            return;
        }
        self.count += 1;
        let energy = 10f64.powf(f64::from(burst.power_dbfs) / 10.0) * emission.duration_s();
        self.energy += energy;
        self.ghost_energy += if emission.is_ghost() { energy } else { 0.0 };
        self.clipped += u64::from(burst.clipped);
        self.at_edge += u64::from(burst.at_edge);
        self.levels.push(f64::from(burst.power_dbfs));
        self.vote(emission.kind);
        self.run(emission);
        self.marks.note(emission);
        if let Some(envelope) = self.envelope.as_mut() {
            envelope.marks.note(emission);
        }
        self.looks.push(look(emission));
        if burst.depth == Depth::Full {
            self.details.push(detail(emission));
        }
        self.note_channel(emission.place.hz, burst.bandwidth_hz.max(emission.resolution_hz), 1);
    }

    /// Replaces the earlier report of the same carrier, if it is still held.
    fn again(&mut self, emission: &Emission) -> bool {
        let Some(number) = emission.carrier else { return false };
        let same = |carrier: Option<u32>, epoch: u32| carrier == Some(number) && epoch == emission.epoch;
        let Some(held) = self.looks.latest_mut().find(|look| same(look.carrier, look.epoch)) else {
            return false;
        };
        let (before, exact) = (*held, emission.burst.depth == Depth::Full && !emission.burst.at_edge);
        *held = look(emission);
        // What a carrier occupies is the widest that it was seen; a pause in the speech does not take it back.
        let wide = !before.exact || emission.burst.bandwidth_hz >= TELLING_SHARE * before.bandwidth_hz;
        // An eye that was open once is not closed by a stretch in which it could not be found.
        let levels = emission.burst.features.fsk_levels.unwrap_or(0);
        if before.exact && (!exact || emission.burst.bandwidth_hz < before.bandwidth_hz) {
            (held.bandwidth_hz, held.hz, held.exact) = (before.bandwidth_hz, before.hz, true);
        }
        if emission.burst.depth == Depth::Full {
            let held = self.details.latest_mut().find(|detail| detail.carrier == Some(number));
            match held {
                Some(held) if wide && levels >= held.features.fsk_levels.unwrap_or(0) => {
                    *held = detail(emission)
                }
                Some(_) => {}
                None => self.details.push(detail(emission)),
            }
        }
        self.vote(emission.kind);
        self.run(emission);
        true
    }

    /// Whether it has the structure of a cellular carrier: most emissions do, or several, which chance does not give
    /// (one in 1e5 each), between symbols too short to tell.
    pub fn is_cellular(&self) -> bool {
        let wide =
            [Kind::WifiOfdm, Kind::WifiDsss].iter().map(|k| self.votes[*k as usize]).max().unwrap_or(0);
        let votes = self.votes[Kind::Cellular as usize];
        self.kind == Kind::Cellular || (votes >= CELLULAR_VOTES && votes > wide)
    }

    fn vote(&mut self, kind: Kind) {
        self.votes[kind as usize] = self.votes[kind as usize].saturating_add(1);
        if kind != Kind::Unclear
            && (self.kind == Kind::Unclear || self.votes[kind as usize] > self.votes[self.kind as usize])
        {
            self.kind = kind;
        }
    }

    /// Moves the running means.
    fn run(&mut self, emission: &Emission) {
        let burst = &emission.burst;
        let weight = 1.0 / (self.count.clamp(1, 8) as f64);
        self.level_dbfs += weight * (f64::from(burst.power_dbfs) - self.level_dbfs);
        let in_part = burst.at_edge && self.at_edge < self.count;
        if !in_part {
            self.place.hz += weight * (emission.place.hz - self.place.hz);
            self.bandwidth_hz += weight * (burst.bandwidth_hz - self.bandwidth_hz);
        }
        if self.hopper {
            self.place.hz = emission.place.hz;
        }
    }

    fn note_channel(&mut self, hz: f64, width_hz: f64, times: u32) {
        let near = |c: &&mut Channel| (c.hz - hz).abs() < width_hz / 2.0;
        if let Some(channel) = self.channels.iter_mut().find(near) {
            channel.count = channel.count.saturating_add(times);
            channel.hz += (hz - channel.hz) / f64::from(channel.count.min(16));
        } else if self.channels.len() < CHANNELS_MAX {
            self.channels.push(Channel { hz, count: times });
        }
    }

    /// Takes over all that `other` did.
    pub fn absorb(&mut self, other: &Self) {
        self.first_s = self.first_s.min(other.first_s);
        if other.last_s > self.last_s {
            self.last_s = other.last_s;
            self.tuning_hz = other.tuning_hz;
        }
        self.on.absorb(&other.on);
        self.levels.absorb(&other.levels);
        self.count += other.count;
        self.energy += other.energy;
        self.ghost_energy += other.ghost_energy;
        self.clipped += other.clipped;
        self.at_edge += other.at_edge;
        self.onset_seen |= other.onset_seen;
        self.end_seen |= other.end_seen;
        self.carriers_on += other.carriers_on;
        self.silent_s = self.silent_s.min(other.silent_s);
        self.unseen_s = self.unseen_s.max(other.unseen_s);
        self.unseen_since_s = self.unseen_since_s.min(other.unseen_since_s);
        self.marks.absorb(&other.marks, self.place.absolute);
        self.stranger = self.stranger.or(other.stranger);
        for (mine, theirs) in self.votes.iter_mut().zip(other.votes) {
            *mine = mine.saturating_add(theirs);
        }
        for channel in &other.channels {
            self.note_channel(channel.hz, self.bandwidth_hz, channel.count);
        }
        self.interleave(other);
    }

    /// Merges the rings in order of time.
    fn interleave(&mut self, other: &Self) {
        let mut looks: Vec<Look> = self.looks.iter().chain(other.looks.iter()).copied().collect();
        looks.sort_by(|a, b| a.epoch.cmp(&b.epoch).then(a.start_s.total_cmp(&b.start_s)));
        self.looks.clear();
        for look in looks {
            self.looks.push(look);
        }
        for detail in other.details.iter() {
            self.details.push(*detail);
        }
    }

    /// Median centre of the latest emissions, hertz; for a hopper the mean of its channels.
    pub fn center_hz(&self) -> f64 {
        if self.hopper && !self.channels.is_empty() {
            return self.channels.iter().map(|c| c.hz).sum::<f64>() / self.channels.len() as f64;
        }
        self.of_exact_looks(|look| look.hz, 0.5).unwrap_or(self.place.hz)
    }

    /// Median bandwidth of the latest emissions, hertz.
    pub fn typical_bandwidth_hz(&self) -> f64 {
        self.of_exact_looks(|look| look.bandwidth_hz, 0.5).unwrap_or(self.bandwidth_hz)
    }

    /// Bandwidth that tells the signal: the median of bursts, the widest stretch of a carrier, hertz.
    pub fn widest_bandwidth_hz(&self) -> f64 {
        if self.is_continuous() {
            return self.of_exact_looks(|look| look.bandwidth_hz, 1.0).unwrap_or(self.bandwidth_hz);
        }
        self.typical_bandwidth_hz()
    }

    /// Median level of the latest emissions, dBFS.
    pub fn typical_level_dbfs(&self) -> f64 {
        self.of_looks(|_| true, |look| look.level_dbfs, 0.5).unwrap_or(self.level_dbfs)
    }

    /// Median of the latest emissions' power over the noise, dB.
    pub fn typical_snr_db(&self) -> f64 {
        self.of_looks(|_| true, |look| look.snr_db, 0.5).unwrap_or(0.0)
    }

    /// Quantile of the on-times of which both ends were seen, seconds.
    pub fn duration_s(&self, fraction: f64) -> Option<f64> {
        self.of_looks(|look| look.whole, |look| look.end_s - look.start_s, fraction)
    }

    /// Whether it was seen as a carrier: what it is like is then told by its longest stretches, not by fragments
    /// about it.
    pub fn is_continuous(&self) -> bool {
        self.looks.iter().any(|look| look.carrier.is_some())
    }

    fn of_exact_looks(&self, value: impl Fn(&Look) -> f64, fraction: f64) -> Option<f64> {
        self.of_looks(|look| look.exact, &value, fraction)
            .or_else(|| self.of_looks(|_| true, &value, fraction))
    }

    /// Quantile of `value` over the latest emissions that `keep` keeps.
    pub fn of_looks(
        &self,
        keep: impl Fn(&Look) -> bool,
        value: impl Fn(&Look) -> f64,
        fraction: f64,
    ) -> Option<f64> {
        let mut scratch = [0.0; LOOKS];
        let mut count = 0;
        let on_s = |look: &Look| if look.carrier.is_some() { look.end_s - look.start_s } else { 0.0 };
        let longest_s = self.looks.iter().map(on_s).fold(0.0, f64::max);
        let tells = |look: &&Look| longest_s == 0.0 || 2.0 * on_s(look) >= longest_s;
        for look in self.looks.iter().filter(tells).filter(|look| keep(look)) {
            scratch[count] = value(look);
            count += 1;
        }
        if fraction == 0.5 {
            median(&mut scratch[..count])
        } else {
            quantile(&mut scratch[..count], fraction)
        }
    }

    /// Quantile of a feature over the latest measured emissions, if at least a quarter of them have it.
    pub fn of_features(&self, value: impl Fn(&Features) -> Option<f64>, fraction: f64) -> Option<f64> {
        let mut scratch = [0.0; DETAILS];
        let (mut count, mut of) = (0, 0);
        let on_s = |detail: &Detail| if detail.carrier.is_some() { detail.duration_s } else { 0.0 };
        let longest_s = self.details.iter().map(on_s).fold(0.0, f64::max);
        for detail in self.details.iter().filter(|d| longest_s == 0.0 || 2.0 * on_s(d) >= longest_s) {
            of += 1;
            if let Some(found) = value(&detail.features) {
                scratch[count] = found;
                count += 1;
            }
        }
        if count * 4 < of {
            return None;
        }
        if fraction == 0.5 {
            median(&mut scratch[..count])
        } else {
            quantile(&mut scratch[..count], fraction)
        }
    }

    /// Starts of the latest emissions.
    pub fn starts(&self) -> impl Iterator<Item = Start> {
        self.looks
            .iter()
            .filter(|look| look.whole || look.carrier.is_none())
            .map(|look| Start { at_s: look.start_s, epoch: look.epoch })
    }

    /// See [`cadence::rhythm`].
    pub fn rhythm(&self, period_s: f64) -> Option<f64> {
        cadence::rhythm(self.starts(), period_s)
    }

    /// Typical time between bursts where there is a cadence, seconds.
    pub fn period_s(&self) -> Option<f64> {
        let mut scratch = [0.0; LOOKS];
        let mut count = 0;
        for distance in cadence::distances(self.starts()) {
            scratch[count] = distance;
            count += 1;
        }
        cadence::period(&mut scratch[..count])
    }

    /// Fraction of the latest emissions that are followed, after a gap of `gap_s` give or take `tolerance_s`, by
    /// the next. `None` below four.
    pub fn paired(&self, gap_s: f64, tolerance_s: f64) -> Option<f64> {
        let count = self.looks.len();
        if count < 4 {
            return None;
        }
        let follows = self
            .looks
            .iter()
            .zip(self.looks.iter().skip(1))
            .filter(|(a, b)| a.epoch == b.epoch && (b.start_s - a.end_s - gap_s).abs() <= tolerance_s)
            .count();
        Some(follows as f64 / count as f64)
    }

    /// Fraction of the time between first and last that it was on, as far as the receiver looked.
    pub fn duty(&self) -> f64 {
        let span_s = self.watched_s(self.last_s);
        if span_s > 0.0 { (self.on.airtime_s() / span_s).min(1.0) } else { 1.0 }
    }

    /// Time from its first burst until `now_s` in which the receiver looked, seconds.
    pub fn watched_s(&self, now_s: f64) -> f64 {
        now_s - self.first_s - self.unseen_s
    }

    /// Whether enough of its bursts agree in that in which it is strange.
    pub fn is_proved(&self) -> bool {
        self.stranger.is_some_and(|stranger| stranger.is_proved(&self.marks))
    }

    /// Whether `emission` shares that in which this one is strange, or is admitted by what this one was learned as.
    pub(super) fn shares_marks(&self, emission: &Emission) -> bool {
        let own = self.stranger.is_none_or(|s| s.is_shared(&self.marks, emission, self.hopper));
        own && self.envelope.as_ref().is_none_or(|envelope| envelope.stranger(emission).is_none())
    }

    /// Whether most of its power is the receiver's own making: the splatter that goes with a burst does not outweigh it.
    pub fn is_ghost(&self) -> bool {
        self.ghost_energy > 0.5 * self.energy
    }

    /// Most doubtful of its latest emissions: none of them above this, dB.
    pub fn best_snr_db(&self) -> f64 {
        self.of_looks(|_| true, |look| look.snr_db, 1.0).unwrap_or(0.0)
    }
}

fn look(emission: &Emission) -> Look {
    let Burst { start_s, end_s, bandwidth_hz, power_dbfs, snr_db, at_edge, depth, .. } = emission.burst;
    Look {
        start_s,
        end_s,
        hz: emission.place.hz,
        bandwidth_hz,
        level_dbfs: f64::from(power_dbfs),
        snr_db: f64::from(snr_db),
        epoch: emission.epoch,
        carrier: emission.carrier,
        whole: emission.is_whole(),
        exact: !at_edge && depth == Depth::Full,
    }
}

fn detail(emission: &Emission) -> Detail {
    Detail {
        carrier: emission.carrier,
        duration_s: emission.duration_s(),
        snr_db: f64::from(emission.burst.snr_db),
        features: emission.burst.features,
    }
}
