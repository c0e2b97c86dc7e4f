//! Spectrum that a room's surroundings fill: base stations, broadcasters, access points. Pieces of what was learned
//! there are nobody's device, and what sends while base stations do is no telephone.

use super::Back;
use crate::bandplan::{Allocation, Direction, Service};
use crate::classify::{Device, Signal, Verdict};
use crate::measure::Burst;
use crate::policy::LEVEL_TOLERANCE_DB;
use crate::track::{Emitter, Look};

/// Emissions wider than that come apart into pieces that look like something else, hertz: no hop of a hopper is as wide,
/// which would fill the whole band.
const WIDE_HZ: f64 = 5e6;
/// Part of the looks that must be no stronger than what was learned: a block of a few symbols exceeds its mean by 6 dB in
/// one case of ten (chi square of four to eight degrees), and the strongest of a minute is no bound for those of an hour.
const MOST: f64 = 0.8;
/// Part of an emitter's time in which base stations are on, from which on it is one of them: of a telephone they are
/// off all the time, of a piece they are on all the time.
const MEANWHILE: f64 = 0.5;

impl Back {
    /// While learning, takes what is heard into the baseline's spectrum.
    pub(super) fn fill(&mut self, burst: &Burst) {
        let Some(tuning_hz) = self.center_hz.filter(|_| self.learning) else { return };
        let hz = tuning_hz + burst.offset_hz;
        let sound = hz.is_finite() && burst.bandwidth_hz.is_finite() && burst.power_dbfs.is_finite();
        if sound && (burst.bandwidth_hz >= WIDE_HZ || self.is_shared(hz)) {
            self.baseline.occupied.learn(hz, burst.bandwidth_hz, burst.power_dbfs.into());
        }
    }

    /// Whether what is held of `emitter`, but for a few looks, is no more than the spectrum was filled with.
    pub(super) fn is_filled(&self, emitter: &Emitter) -> bool {
        let filled = |look: &Look| {
            self.baseline.occupied.explains(look.hz, look.bandwidth_hz, look.level_dbfs, LEVEL_TOLERANCE_DB)
        };
        if !emitter.place.absolute || self.baseline.occupied.is_empty() {
            return false;
        }
        let inside = emitter.looks.iter().filter(|look| filled(look)).count();
        inside as f64 >= MOST * emitter.looks.len() as f64
    }

    /// The same of what `verdict` calls by a name that a piece may bear: none, keying of no known kind, and where only
    /// infrastructure transmits any.
    pub(super) fn is_piece_of_filled(&self, emitter: &Emitter, verdict: &Verdict) -> bool {
        let nameless = !verdict.named || is_weak_name(verdict.signal);
        let cellular = matches!(verdict.signal, Signal::Lte | Signal::Nr | Signal::Umts);
        let hz = emitter.center_hz();
        let theirs = |a: &Allocation| is_theirs(a) || (cellular && is_in_turns(a));
        let bears = nameless || (emitter.place.absolute && self.judge.plan().at(hz).any(theirs));
        bears && self.is_filled(emitter)
    }

    /// In a band where both ends take turns: whether a base station of that band sends whenever `emitter` does. Networks
    /// of a band keep one frame, so that a telephone is heard when they are silent (3GPP TS 38.133 7.4.2: within 3 us).
    pub(super) fn sends_with_base_stations(&self, emitter: &Emitter) -> Option<&str> {
        let allocation = |other: &Emitter| {
            let found = self.judge.plan().find(other.center_hz(), Service::Cellular)?;
            (other.place.absolute && found.direction == Direction::Tdd).then_some(found.name.as_str())
        };
        let name = allocation(emitter)?;
        let of_base_station = |look: &Look| {
            let at_a_time = |own: &Look| {
                let meanwhile_s = own.end_s.min(look.end_s) - own.start_s.max(look.start_s);
                own.epoch == look.epoch && meanwhile_s > MEANWHILE * (look.end_s - look.start_s)
            };
            self.tracker.iter().any(|(slot, other)| {
                let verdict = self.life(slot).and_then(|life| life.verdict.as_ref());
                other.serial != emitter.serial
                    && verdict.is_some_and(|v| v.named && v.device == Device::Infrastructure)
                    && allocation(other) == Some(name)
                    && other.looks.iter().any(at_a_time)
            })
        };
        let (mut with, mut count) = (0, 0);
        for look in emitter.looks.iter() {
            count += 1;
            with += usize::from(of_base_station(look));
        }
        (with as f64 > MEANWHILE * f64::from(count)).then_some(name)
    }

    /// Whether infrastructure transmits at `hz`, alone or in turns.
    pub(super) fn is_shared(&self, hz: f64) -> bool {
        self.judge.plan().at(hz).any(|a| is_theirs(a) || is_in_turns(a))
    }
}

/// Whether a piece of something wider may get this name: by its width and length alone.
fn is_weak_name(signal: Signal) -> bool {
    matches!(signal, Signal::Unknown | Signal::Ook | Signal::Fsk | Signal::Zigbee)
}

/// Whether only infrastructure transmits in `allocation`.
fn is_theirs(allocation: &Allocation) -> bool {
    allocation.direction == Direction::Downlink || allocation.service == Service::Broadcast
}

fn is_in_turns(allocation: &Allocation) -> bool {
    allocation.direction == Direction::Tdd && allocation.service == Service::Cellular
}
