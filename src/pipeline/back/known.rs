//! Whether an emitter is known: part of the ambient, or no more than a fragment of those that are known already.

use super::sighting::sighting;
use super::{Back, Life};
use crate::classify::{Device, Signal, Verdict};
use crate::policy::Match;
use crate::track::{Emitter, Host, Look, Slot, Stranger};

/// What people were told of explains an odd burst in its band within this time of its own, seconds.
const COLLISION_S: f64 = 20e-3;
/// Whoever a fragment is of is reported when it ends: bursts take no longer, seconds; what does is a carrier.
pub(super) const WHOLE_S: f64 = 40e-3;
/// What a burst inside a learned one's band resembles by itself is trusted from this SNR on, dB: what bursts of known
/// structure are detected at.
const NAMEABLE_SNR_DB: f64 = 6.0;
/// A weaker transmitter beside an ambient one is told from the ambient one's fading by this many emissions of
/// each, in turns.
const BESIDE_MIN: u64 = 4;
/// And by this distance in level, dB.
const BESIDE_DB: f64 = 6.0;
/// From so many bursts on, what may be badly measured ones of a learned emitter is judged like any other.
const STRANGE_MOST: u64 = 32;
/// An answer follows within this time, seconds: a scan response after 150 us and the request (Core 5.4 Vol 6 Part B
/// 4.4.2.3), an acknowledgement sooner.
const ANSWER_S: f64 = 1e-3;

impl Back {
    /// Whether `emitter` is known, and the sentence that says why not where something like it is.
    pub(super) fn is_ambient(
        &self,
        emitter: &Emitter,
        life: &Life,
        verdict: &Verdict,
    ) -> (bool, Option<String>) {
        if life.learned || self.learning {
            return (true, None);
        }
        if !self.knows_ambient {
            return (false, None);
        }
        let proved = emitter.is_proved() && !self.is_unproved(emitter);
        if let Some(stranger) = emitter.stranger.filter(|_| proved) {
            return (false, Some(stranger.sentence()));
        }
        match self.baseline.compare(&sighting(emitter, verdict.signal, verdict.device)) {
            Match::Known(_) => match self.beside(emitter) {
                Some(sentence)
                    if !(self.is_shared(emitter.center_hz())
                        && self.is_piece_of_filled(emitter, verdict)) =>
                {
                    (false, Some(sentence))
                }
                _ => (true, None),
            },
            _ if self.is_part_of_learned(emitter, verdict) => (true, None),
            _ if self.is_piece_of_filled(emitter, verdict) => (true, None),
            Match::Differs(sentence) => (false, Some(sentence)),
            Match::New => (false, None),
        }
    }

    /// Whether `emitter` sends in turns with an ambient one on its channel that is louder and carries on as ever:
    /// then it is not that one, fading.
    fn beside(&self, emitter: &Emitter) -> Option<String> {
        let highest_dbfs = emitter.levels.highest();
        self.tracker.iter().find_map(|(_, other)| {
            let envelope = other.envelope.as_ref().filter(|_| other.serial != emitter.serial && !other.hopper)?;
            let lowest_dbfs = envelope.lowest_dbfs?;
            let since = other.looks.iter().filter(|look| look.start_s > emitter.first_s).count() as u64;
            let beside = share_channel(other, emitter)
                && highest_dbfs < lowest_dbfs - BESIDE_DB
                && since >= BESIDE_MIN
                && emitter.count >= BESIDE_MIN;
            beside.then(|| {
                format!(
                    "not the learned emitter on this channel: at most {highest_dbfs:.1} dBFS, while that one carries on at {lowest_dbfs:.1} dBFS and more"
                )
            })
        })
    }

    /// Whether those of whom people were told explain the few bursts of `emitter`: it was heard in their band about when
    /// they were on, and two at a time look like neither; or it may be a hop.
    pub(super) fn is_explained(&self, emitter: &Emitter) -> bool {
        let told = |slot: Slot| self.life(slot).is_some_and(|life| life.id.is_some());
        emitter.looks.iter().all(|look| {
            self.tracker.iter().any(|(slot, other)| {
                told(slot) && (other.is_on_about(look, COLLISION_S) || other.may_have_hopped(look))
            })
        })
    }

    /// Whether all that is held of `emitter` are fragments of those that were learned, or that people were told the names
    /// of: hops, parts of their bursts, skirts. What has a name can only be a part of learned ones, which are the same
    /// device unless it is too faint for a name. Before the end of input the latest looks may yet prove to be.
    pub(super) fn is_part_of_known(&self, emitter: &Emitter, verdict: &Verdict, at_end: bool) -> bool {
        let told_too = !verdict.named;
        if !self.learning && !verdict.named && self.is_unheard_of(emitter, verdict) && self.is_filled(emitter)
        {
            return true;
        }
        !self.learning
            && self.is_part_of(emitter, verdict, at_end, |known| known.learned || (told_too && known.told))
    }

    /// Whether nothing like it was learned by itself.
    fn is_unheard_of(&self, emitter: &Emitter, verdict: &Verdict) -> bool {
        let seen = sighting(emitter, verdict.signal, verdict.device);
        matches!(self.baseline.compare(&seen), Match::New)
    }

    /// The same of those that were learned only.
    fn is_part_of_learned(&self, emitter: &Emitter, verdict: &Verdict) -> bool {
        self.is_part_of(emitter, verdict, false, |known| known.learned)
    }

    fn is_part_of(
        &self,
        emitter: &Emitter,
        verdict: &Verdict,
        at_end: bool,
        counts: impl Fn(&Known) -> bool,
    ) -> bool {
        let hosts: Vec<(Host<'_>, bool)> = self
            .tracker
            .iter()
            .filter(|(_, other)| {
                other.serial != emitter.serial && other.place.absolute == emitter.place.absolute
            })
            .filter_map(|(slot, other)| {
                let known = self.known(slot, other)?;
                counts(&known).then(|| (other.host(), known.device == Some(verdict.device)))
            })
            .collect();
        let of = |look: &Look, host: &Host<'_>, same_device: bool| {
            if !verdict.named {
                return host.may_have_shed(look, false) || host.may_have_hopped(look);
            }
            let nameable = !same_device && look.snr_db > NAMEABLE_SNR_DB;
            !nameable && host.may_have_shed(look, verdict.signal != Signal::Unknown)
        };
        let late = |look: &Look| !at_end && look.start_s > self.now_s - WHOLE_S;
        let explained = |look: &Look| {
            let yet = late(look) && !verdict.named;
            hosts.iter().any(|(host, same)| of(look, host, *same) || (yet && host.may_yet_have_shed(look)))
        };
        !hosts.is_empty() && emitter.looks.iter().all(explained)
    }

    fn known(&self, slot: Slot, emitter: &Emitter) -> Option<Known> {
        let life = self.life(slot)?;
        let device = life.verdict.as_ref().filter(|verdict| verdict.named).map(|verdict| verdict.device);
        let told = life.id.is_some() && device.is_some_and(|device| device != Device::Interference);
        Some(Known { learned: emitter.envelope.is_some(), told, device })
    }

    /// Whether `emitter` is a stranger that may yet prove to be one of those that were learned.
    pub(super) fn is_unproved(&self, emitter: &Emitter) -> bool {
        let Some(stranger) = emitter.stranger.filter(|_| emitter.count < STRANGE_MOST) else { return false };
        !emitter.is_proved() || (matches!(stranger, Stranger::Length { .. }) && !self.goes_on_beside(emitter))
    }

    /// Whether a learned one sends on as it did while `emitter`, whose bursts are of another length, sends too, and not as
    /// one answers the other: a device that changed the length of its bursts does not.
    fn goes_on_beside(&self, emitter: &Emitter) -> bool {
        self.tracker.iter().any(|(_, other)| {
            let since = other.looks.iter().filter(|look| look.start_s > emitter.first_s).count() as u64;
            let follows = |look: &&Look| {
                other.looks.iter().any(|own| (0.0..ANSWER_S).contains(&(look.start_s - own.end_s)))
            };
            let answers = emitter.looks.iter().filter(follows).count();
            other.serial != emitter.serial
                && other.envelope.is_some()
                && share_channel(other, emitter)
                && since >= BESIDE_MIN
                && 2 * answers < emitter.looks.len()
        })
    }
}

/// What is known of an emitter that another one may be a part of.
struct Known {
    /// It was learned.
    learned: bool,
    /// People were told its name.
    told: bool,
    /// What it was named.
    device: Option<Device>,
}

/// Whether the centre of one lies in the band of the other.
fn share_channel(a: &Emitter, b: &Emitter) -> bool {
    a.place.absolute == b.place.absolute
        && (a.place.hz - b.place.hz).abs() <= a.bandwidth_hz.max(b.bandwidth_hz) / 2.0
}
