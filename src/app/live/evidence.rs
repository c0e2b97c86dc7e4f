//! What to show of an alert: the place of its emission in time and frequency.

use crate::alert::AlertPhase;
use crate::pipeline::{Output, Phase};
use crate::wire::EvidenceAsk;
use std::collections::{BTreeMap, VecDeque};

/// Emitters whose places are remembered: the tracker holds 512 at a time.
const PLACES: usize = 1024;

/// Alerts that wait for their picture; the sensor answers or is given up in seconds.
const WAITING: usize = 64;

/// Remembers where emitters were heard, and what was asked for.
#[derive(Debug, Default)]
pub struct Witness {
    /// By emitter; the numbers are its latest alert's once it has one.
    places: BTreeMap<u32, EvidenceAsk>,
    asked: VecDeque<EvidenceAsk>,
}

impl Witness {
    /// Takes note of what the back said; what to ask for, if that was an alert of something new. Alerts follow the
    /// report of their emitter.
    pub fn heard(&mut self, output: &Output) -> Option<EvidenceAsk> {
        match output {
            Output::Emitter(Phase::Closed, report) => {
                self.places.remove(&report.id);
                None
            }
            Output::Emitter(_, report) => {
                let half_hz = report.bandwidth_hz / 2.0;
                let channels = || report.channels_hz.iter().copied().chain(report.center_hz);
                let place = EvidenceAsk {
                    number: 0,
                    from_s: report.first_s,
                    until_s: report.last_s.max(report.at_s),
                    low_hz: channels().fold(f64::INFINITY, f64::min) - half_hz,
                    high_hz: channels().fold(f64::NEG_INFINITY, f64::max) + half_hz,
                };
                if self.places.len() < PLACES || self.places.contains_key(&report.id) {
                    self.places.insert(report.id, place);
                }
                None
            }
            Output::Alert(alert) if alert.phase == AlertPhase::Raised => {
                let place = *self.places.get(&alert.emitter)?;
                let ask = EvidenceAsk { number: alert.id, ..place };
                if self.asked.len() == WAITING {
                    self.asked.pop_front();
                }
                self.asked.push_back(ask);
                Some(ask)
            }
            Output::Alert(_) | Output::Health(_) => None,
        }
    }

    /// What was asked for under this number, once.
    pub fn answered(&mut self, number: u32) -> Option<EvidenceAsk> {
        let at = self.asked.iter().position(|ask| ask.number == number)?;
        self.asked.remove(at)
    }
}
