//! What is known to be in the air without a meeting, and whether an emitter is part of it.
//!
//! An emitter is known if everything that can be compared fits one learned entry: signal, centre, bandwidth,
//! level, and where there is one cadence. A hopper has no centre: signal, level and cadence decide. Carriers and
//! lengths of bursts, which tell a second transmitter on a learned channel, are kept here and compared burst by burst
//! where bursts are attributed (`track`).

use super::Occupied;
use crate::classify::{Device, Signal};
use crate::track::Marks;
use serde::{Deserialize, Serialize};

/// Centres this far apart are the same whatever the bandwidth, hertz (the replay contract, "Learning").
const CENTER_TOLERANCE_HZ: f64 = 5e3;
/// Bandwidths within this factor are the same (ibid.).
const BANDWIDTH_FACTOR: f64 = 2.0;
/// An emitter may be this much louder than it was while learning, dB (ibid.).
pub const LEVEL_TOLERANCE_DB: f64 = 6.0;
/// Periods are the same if their ratio is within this of a whole number: random delays (BLE adds up to 10 ms to
/// an interval of 100 ms and more, Core 5.4 Vol 6 Part B 4.4.2.2) average out to well below it.
const PERIOD_TOLERANCE: f64 = 0.02;
/// How many bursts in a row may be missed before a cadence is taken for another.
const PERIOD_MULTIPLE_MAX: f64 = 8.0;
/// A baseline that knows more than this has learned noise; more is not kept.
const KNOWN_MAX: usize = 4096;

/// An emitter as far as a baseline compares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// Its signal.
    pub signal: Signal,
    /// Its device.
    pub device: Device,
    /// Centre, hertz; `None` if the tuning is unknown, and then `offset_hz` is compared.
    pub center_hz: Option<f64>,
    /// Centre relative to the tuning, hertz.
    pub offset_hz: f64,
    /// 99 % bandwidth of one hop, hertz.
    pub bandwidth_hz: f64,
    /// Channel centres of a hopper; else empty.
    pub channels_hz: Vec<f64>,
    /// Level of its strongest burst, dBFS.
    pub level_dbfs: f64,
    /// Carriers and lengths of its bursts, where they tell any, in the frame of `center_hz` (or of `offset_hz`, if that
    /// is `None`). The tracker compares them burst by burst.
    pub marks: Marks,
    /// Time between bursts where there is a cadence, seconds.
    pub period_s: Option<f64>,
    /// Bursts seen.
    pub bursts: u64,
}

/// One learned emitter: the last sighting, with the highest level and all bursts of those that fitted.
pub type Known = Sighting;

/// What is known to be in the air without a meeting.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// How long the air was listened to, seconds.
    pub learned_s: f64,
    /// In the order they were learned.
    pub known: Vec<Known>,
    /// What the spectrum was filled with.
    #[serde(default, skip_serializing_if = "Occupied::is_empty")]
    pub occupied: Occupied,
}

/// Whether an emitter is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Match<'a> {
    /// As learned.
    Known(&'a Known),
    /// The same signal was learned there, but this one differs: the sentence says in what.
    Differs(String),
    /// Nothing like it was learned.
    New,
}

impl Baseline {
    /// Compares `seen` with all that is known.
    pub fn compare(&self, seen: &Sighting) -> Match<'_> {
        let mut difference = None;
        for known in self.known.iter().filter(|known| known.is_at(seen)) {
            match known.difference(seen) {
                None => return Match::Known(known),
                Some(sentence) => difference = Some(sentence),
            }
        }
        difference.map_or(Match::New, Match::Differs)
    }

    /// What both know.
    pub fn joined(mut self, other: Self) -> Self {
        self.learned_s = self.learned_s.max(other.learned_s);
        self.occupied.join(&other.occupied);
        other.known.into_iter().for_each(|known| self.learn(known));
        self
    }

    /// Adds an emitter, or raises the level of the entry that it fits but for its level.
    pub fn learn(&mut self, seen: Sighting) {
        let fits = |known: &&mut Known| known.is_at(&seen) && known.cadence_fits(&seen);
        if let Some(known) = self.known.iter_mut().find(fits) {
            known.level_dbfs = known.level_dbfs.max(seen.level_dbfs);
            known.bursts = known.bursts.saturating_add(seen.bursts);
            known.period_s = known.period_s.or(seen.period_s);
            known.marks.absorb(&seen.marks, seen.center_hz.is_some());
        } else if self.known.len() < KNOWN_MAX {
            self.known.push(seen);
        }
    }
}

impl Sighting {
    fn is_hopper(&self) -> bool {
        !self.channels_hz.is_empty()
    }

    /// Same signal, and (unless it hops) same place in the spectrum.
    fn is_at(&self, seen: &Self) -> bool {
        let placed = match (self.is_hopper(), seen.is_hopper()) {
            (true, true) => true,
            (false, false) => self.center_fits(seen) && self.bandwidth_fits(seen),
            _ => false,
        };
        (self.signal == seen.signal || self.sends_beacons(seen)) && placed
    }

    /// Whether `seen` may be the beacons of this access point, which sends them at 1 Mb/s and all else as OFDM, with the
    /// same power.
    fn sends_beacons(&self, seen: &Self) -> bool {
        self.signal == Signal::WifiOfdm
            && seen.signal == Signal::WifiDsss
            && (self.level_dbfs - seen.level_dbfs).abs() <= LEVEL_TOLERANCE_DB
    }

    fn center_fits(&self, seen: &Self) -> bool {
        let apart_hz = match (self.center_hz, seen.center_hz) {
            (Some(known), Some(seen)) => known - seen,
            (None, None) => self.offset_hz - seen.offset_hz,
            _ => return false,
        };
        apart_hz.abs() <= (self.bandwidth_hz / 2.0).max(CENTER_TOLERANCE_HZ)
    }

    fn bandwidth_fits(&self, seen: &Self) -> bool {
        let (narrow, wide) =
            (self.bandwidth_hz.min(seen.bandwidth_hz), self.bandwidth_hz.max(seen.bandwidth_hz));
        wide <= narrow * BANDWIDTH_FACTOR
    }

    fn cadence_fits(&self, seen: &Self) -> bool {
        let (Some(known_s), Some(seen_s)) = (self.period_s, seen.period_s) else { return true };
        let ratio = known_s.max(seen_s) / known_s.min(seen_s);
        ratio.round() <= PERIOD_MULTIPLE_MAX && (ratio - ratio.round()).abs() <= PERIOD_TOLERANCE
    }

    /// In what `seen` differs from this entry, given that it is at the same place.
    fn difference(&self, seen: &Self) -> Option<String> {
        let signal = self.signal;
        let over_db = seen.level_dbfs - self.level_dbfs;
        if over_db > LEVEL_TOLERANCE_DB {
            return Some(format!(
                "not the learned {signal}: {over_db:.1} dB over its learned maximum of {:.1} dBFS, limit {LEVEL_TOLERANCE_DB:.0} dB",
                self.level_dbfs
            ));
        }
        if !self.cadence_fits(seen) {
            let (known_ms, seen_ms) =
                (self.period_s.unwrap_or(0.0) * 1e3, seen.period_s.unwrap_or(0.0) * 1e3);
            return Some(format!(
                "not the learned {signal}: a burst every {seen_ms:.2} ms, learned {known_ms:.2} ms"
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access_point() -> Sighting {
        Sighting {
            signal: Signal::WifiOfdm,
            device: Device::WirelessNetworkCard,
            center_hz: Some(2.437e9),
            offset_hz: 0.0,
            bandwidth_hz: 16.6e6,
            channels_hz: Vec::new(),
            level_dbfs: -40.0,
            marks: Marks::default(),
            period_s: Some(0.1024),
            bursts: 30,
        }
    }

    fn learned(known: Sighting) -> Baseline {
        let mut baseline = Baseline { learned_s: 10.0, ..Baseline::default() };
        baseline.learn(known);
        baseline
    }

    fn is_known(baseline: &Baseline, seen: &Sighting) -> bool {
        matches!(baseline.compare(seen), Match::Known(_))
    }

    #[test]
    fn each_limit_holds_on_both_sides() {
        let baseline = learned(access_point());
        let check = |what: &str, seen: Sighting, expect: bool| {
            assert_eq!(is_known(&baseline, &seen), expect, "{what}");
        };
        check("itself", access_point(), true);
        check("level +5.9", Sighting { level_dbfs: -34.1, ..access_point() }, true);
        check("level +6.1", Sighting { level_dbfs: -33.9, ..access_point() }, false);
        check("weaker", Sighting { level_dbfs: -80.0, ..access_point() }, true);
        check("centre 8.2 MHz off", Sighting { center_hz: Some(2.4452e9), ..access_point() }, true);
        check("centre 8.4 MHz off", Sighting { center_hz: Some(2.4454e9), ..access_point() }, false);
        check("half the bandwidth", Sighting { bandwidth_hz: 8.31e6, ..access_point() }, true);
        check("less than half the bandwidth", Sighting { bandwidth_hz: 8.29e6, ..access_point() }, false);
        check("twice the bandwidth", Sighting { bandwidth_hz: 33.3e6, ..access_point() }, false);
        check("another signal", Sighting { signal: Signal::Zigbee, ..access_point() }, false);
        check("its beacons", Sighting { signal: Signal::WifiDsss, ..access_point() }, true);
        let weaker = Sighting { signal: Signal::WifiDsss, level_dbfs: -46.1, ..access_point() };
        check("another one's", weaker, false);
        check("every other burst missed", Sighting { period_s: Some(0.2049), ..access_point() }, true);
        check("another period", Sighting { period_s: Some(0.1100), ..access_point() }, false);
        check("no cadence seen yet", Sighting { period_s: None, ..access_point() }, true);
        check("tuning unknown", Sighting { center_hz: None, ..access_point() }, false);
        check("a hopper", Sighting { channels_hz: vec![2.402e9, 2.426e9], ..access_point() }, false);
    }

    #[test]
    fn narrow_emitters_have_five_kilohertz() {
        let radio =
            Sighting { center_hz: None, offset_hz: 1e3, bandwidth_hz: 4e3, period_s: None, ..access_point() };
        let baseline = learned(radio.clone());
        assert!(is_known(&baseline, &Sighting { offset_hz: 5.9e3, ..radio.clone() }));
        assert!(!is_known(&baseline, &Sighting { offset_hz: 6.1e3, ..radio }));
    }

    #[test]
    fn a_hopper_is_known_wherever_it_is() {
        let mouse = Sighting {
            signal: Signal::Ble,
            channels_hz: vec![2.402e9, 2.426e9, 2.480e9],
            period_s: Some(0.1),
            ..access_point()
        };
        let baseline = learned(mouse.clone());
        assert!(is_known(&baseline, &Sighting { center_hz: Some(2.404e9), ..mouse.clone() }));
        assert!(!is_known(&baseline, &Sighting { period_s: Some(0.13), ..mouse.clone() }));
        assert!(!is_known(&baseline, &Sighting { level_dbfs: -30.0, ..mouse }));
    }

    #[test]
    fn a_difference_is_told_and_the_unheard_of_is_new() {
        let baseline = learned(access_point());
        let loud = Sighting { level_dbfs: -32.0, ..access_point() };
        assert_eq!(
            baseline.compare(&loud),
            Match::Differs(
                "not the learned wifi-ofdm: 8.0 dB over its learned maximum of -40.0 dBFS, limit 6 dB"
                    .to_owned()
            )
        );
        assert_eq!(baseline.compare(&Sighting { signal: Signal::Dect, ..access_point() }), Match::New);
    }

    #[test]
    fn learning_again_raises_the_level_and_keeps_one_entry() {
        let mut baseline = learned(access_point());
        baseline.learn(Sighting { level_dbfs: -20.0, bursts: 5, ..access_point() });
        assert_eq!(baseline.known.len(), 1);
        assert_eq!((baseline.known[0].level_dbfs, baseline.known[0].bursts), (-20.0, 35));
    }
}
