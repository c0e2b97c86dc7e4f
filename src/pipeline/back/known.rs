//! Whether an emitter is known: part of the ambient, or no more than a fragment of those that are known already.

use super::sighting::sighting;
use super::{Back, Life};
use crate::classify::{Device, Signal, Verdict};
use crate::policy::Match;
use crate::track::{Emitter, Look, Slot};

/// What people were told of explains an odd burst in its band within this time of its own, seconds.
const COLLISION_S: f64 = 20e-3;
/// Whoever a fragment is of is reported when it ends: bursts take no longer, seconds; what does is a carrier.
const WHOLE_S: f64 = 40e-3;
/// What a burst inside a learned one's band resembles by itself is trusted from this SNR on, dB: what bursts of known
/// structure are detected at.
const NAMEABLE_SNR_DB: f64 = 6.0;
/// A weaker transmitter beside an ambient one is told from the ambient one's fading by this many emissions of
/// each, in turns.
const BESIDE_MIN: u64 = 4;
/// And by this distance in level, dB.
const BESIDE_DB: f64 = 6.0;

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
        if let Some(stranger) = emitter.stranger {
            return (false, Some(stranger.sentence()));
        }
        match self.baseline.compare(&sighting(emitter, verdict.signal, verdict.device)) {
            Match::Known(_) => match self.beside(emitter) {
                Some(sentence) => (false, Some(sentence)),
                None => (true, None),
            },
            _ if self.is_part_of_known(emitter, verdict, false) => (true, None),
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
            let near = (other.place.hz - emitter.place.hz).abs() <= other.bandwidth_hz.max(emitter.bandwidth_hz) / 2.0;
            let since = other.looks.iter().filter(|look| look.start_s > emitter.first_s).count() as u64;
            let beside = near
                && other.place.absolute == emitter.place.absolute
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

    /// Whether all that is held of `emitter` are fragments of those that were learned, or that people were
    /// told the names of: hops, parts of their bursts, skirts. What has a name can only be a part of learned ones, which
    /// are the same device unless it is too faint for a name.
    pub(super) fn is_part_of_known(&self, emitter: &Emitter, verdict: &Verdict, at_end: bool) -> bool {
        if self.learning {
            return false;
        }
        let host = |(slot, other): (Slot, &'_ Emitter)| {
            let own = self.life(slot)?;
            let name = own.verdict.as_ref().filter(|own| own.named);
            let device = name.map(|own| own.device);
            let told = own.id.is_some() && device.is_some_and(|device| device != Device::Interference);
            let sheds = other.envelope.is_some() || (told && !verdict.named);
            sheds.then_some(device == Some(verdict.device))
        };
        let known: Vec<(&Emitter, bool)> = self
            .tracker
            .iter()
            .filter(|(_, other)| other.serial != emitter.serial)
            .filter_map(|(slot, other)| Some((other, host((slot, other))?)))
            .collect();
        let of = |look: &Look, other: &Emitter, same_device: bool| {
            if !verdict.named {
                return other.may_have_shed(look, false) || other.may_have_hopped(look);
            }
            let nameable = !same_device && look.snr_db > NAMEABLE_SNR_DB;
            !nameable && other.may_have_shed(look, verdict.signal != Signal::Unknown)
        };
        let late = |look: &Look| !at_end && look.start_s > self.now_s - WHOLE_S;
        let explained = |look: &Look| known.iter().any(|&(other, same)| of(look, other, same));
        !known.is_empty() && emitter.looks.iter().all(|look| late(look) || explained(look))
    }
}
