//! What a phone does with its uplink, slot by slot: LTE and NR differ in the slots only.
//!
//! The numbers of a session are those of a phone in a pocket: a registration or a keep-alive brings a PRACH, up to a
//! second of dense traffic, then periodic reports until the network's inactivity timer (about ten seconds) ends.

use serde::{Deserialize, Serialize};

use super::timeline::{Arrivals, chance, ticks, word};

/// What the phone is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Traffic {
    /// Now and then a session: PRACH, a second of dense traffic, nine seconds of reports.
    Idle,
    /// A steady upload.
    #[default]
    Stream,
    /// A voice call: a packet each 20 ms in talk, each 160 ms in silence (3GPP TS 26.093).
    Voice,
}

/// What a slot carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Shared channel, any size.
    Data,
    /// Shared channel, few blocks.
    Voice,
    /// Control channel.
    Control,
    /// Random access.
    Access,
}

/// How long the network keeps a session, milliseconds.
const SESSION_MS: i64 = 10_000;
/// A session's dense part, milliseconds.
const DENSE_MS: i64 = 1000;
/// Between reports of channel state, milliseconds.
const REPORT_MS: i64 = 40;

/// A phone.
#[derive(Debug, Clone)]
pub struct Phone {
    /// What chance is drawn from.
    pub seed: u64,
    /// Slots in a millisecond: 1 or 2.
    pub slots_per_ms: i64,
    /// Time of slot 0, seconds.
    pub phase_s: f64,
    /// In a TDD network: period of the pattern, and which of its slots is the uplink's.
    pub turn: Option<(i64, i64)>,
    /// What it is used for.
    pub traffic: Traffic,
    /// Part of the uplink slots that a stream fills.
    pub load: f64,
    /// Mean time between sessions, seconds.
    pub session_gap_s: f64,
    /// Where sessions begin in any case, seconds.
    pub starts_s: Vec<f64>,
}

impl Phone {
    /// Duration of a slot, seconds.
    pub fn slot_s(&self) -> f64 {
        1e-3 / self.slots_per_ms as f64
    }

    /// Start of a slot, seconds.
    pub fn start_s(&self, slot: i64) -> f64 {
        self.phase_s + slot as f64 * self.slot_s()
    }

    /// Whether the phone may transmit in a slot.
    pub fn is_uplink(&self, slot: i64) -> bool {
        self.turn.is_none_or(|(period, index)| slot.rem_euclid(period) == index)
    }

    /// Whether it is the one uplink slot in `period_ms` that chance has picked for a purpose.
    pub fn is_due(&self, slot: i64, period_ms: i64, purpose: u64) -> bool {
        let period = period_ms.max(1) * self.slots_per_ms;
        let phase = (word(self.seed, purpose, 0) % period as u64) as i64;
        let phase = self.turn.map_or(phase, |(period, index)| phase.div_euclid(period) * period + index);
        (slot - phase).rem_euclid(period) == 0
    }

    /// Calls `each` with every used slot that may start in `[from, to)`, and with some beside.
    pub fn slots(&self, from_s: f64, to_s: f64, mut each: impl FnMut(i64, Use)) {
        let slots = ticks(from_s, to_s, self.slot_s(), self.phase_s);
        let (first, last) = (*slots.start(), *slots.end());
        let mut visit = |first: i64, last: i64, model: &dyn Fn(i64) -> Option<Use>| {
            for slot in (first..=last).filter(|n| self.is_uplink(*n)) {
                if let Some(what) = model(slot) {
                    each(slot, what);
                }
            }
        };
        match self.traffic {
            Traffic::Stream => visit(first, last, &|n| self.streaming(n)),
            Traffic::Voice => visit(first, last, &|n| self.calling(n)),
            Traffic::Idle => {
                let sessions = self.sessions(from_s, to_s);
                for (i, (word, begin)) in sessions.iter().enumerate() {
                    let end = begin + SESSION_MS * self.slots_per_ms;
                    let end = sessions.get(i + 1).map_or(end, |next| end.min(next.1)) - 1;
                    visit(first.max(*begin), last.min(end), &|n| self.in_session(n, n - begin, *word));
                }
            }
        }
    }

    fn streaming(&self, slot: i64) -> Option<Use> {
        if chance(self.seed, 0x102, slot) < self.load {
            return Some(Use::Data);
        }
        // Reports, and acknowledgements of what comes down.
        let acknowledges = chance(self.seed, 0x103, slot) < 0.05;
        (acknowledges || self.is_due(slot, REPORT_MS, 0x104)).then_some(Use::Control)
    }

    fn calling(&self, slot: i64) -> Option<Use> {
        let talks = chance(self.seed, 0x105, slot.div_euclid(800 * self.slots_per_ms)) < 0.5;
        let packet = |at: i64| self.is_due(at, if talks { 20 } else { 160 }, 0x106);
        // One packet in ten is repeated (TS 36.321 section 5.4.2: 8 ms later; 10 ms with TDD).
        let trip = self.slots_per_ms * if self.turn.is_some() { 10 } else { 8 };
        let repeated = packet(slot - trip) && chance(self.seed, 0x107, slot) < 0.1;
        if packet(slot) || repeated {
            return Some(Use::Voice);
        }
        self.is_due(slot, REPORT_MS, 0x104).then_some(Use::Control)
    }

    /// A session, `age` slots after its PRACH, with 50 to 300 ms of traffic in its dense part.
    fn in_session(&self, slot: i64, age: i64, word: u64) -> Option<Use> {
        let age_ms = age.div_euclid(self.slots_per_ms);
        if age == 0 {
            return Some(Use::Access);
        }
        if (12..DENSE_MS).contains(&age_ms) {
            let share = self.turn.map_or(1.0, |(period, _)| 1.0 / period as f64);
            let density = 0.05 + 0.25 * (word >> 40) as f64 / f64::from(1u32 << 24);
            return (chance(self.seed, 0x108, slot) < density / share).then_some(Use::Data);
        }
        (age_ms >= DENSE_MS && self.is_due(slot, REPORT_MS, 0x104)).then_some(Use::Control)
    }

    /// A random word and the first slot of every session that may reach into `[from, to)`, in order.
    fn sessions(&self, from_s: f64, to_s: f64) -> Vec<(u64, i64)> {
        let explicit = self.starts_s.iter().enumerate();
        let mut starts: Vec<(u64, f64)> =
            explicit.map(|(i, t)| (word(self.seed, 0x109, i as i64), *t)).collect();
        let arrivals = Arrivals { seed: self.seed, mean_gap_s: self.session_gap_s };
        arrivals.events(from_s - SESSION_MS as f64 * 1e-3 - 1.0, to_s + 1.0, |word, at_s| {
            starts.push((word, at_s))
        });
        let slot_of = |at_s: f64| ((at_s - self.phase_s) / self.slot_s()).ceil() as i64;
        let mut sessions: Vec<(u64, i64)> = starts
            .into_iter()
            .map(|(word, at_s)| (word, slot_of(at_s)))
            .map(|(word, n)| (word, (n..n + 10).find(|n| self.is_uplink(*n)).unwrap_or(n)))
            .collect();
        sessions.sort_by_key(|(word, begin)| (*begin, *word));
        sessions.dedup_by_key(|(_, begin)| *begin);
        sessions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(traffic: Traffic) -> Phone {
        Phone {
            seed: 3,
            slots_per_ms: 1,
            phase_s: 0.0,
            turn: None,
            traffic,
            load: 0.3,
            session_gap_s: 1e6,
            starts_s: vec![5.0],
        }
    }

    fn slots(phone: &Phone, from_s: f64, to_s: f64) -> Vec<(i64, Use)> {
        let mut out = Vec::new();
        phone.slots(from_s, to_s, |n, what| out.push((n, what)));
        out
    }

    #[test]
    fn a_session_is_access_then_data_then_reports() {
        let all = slots(&phone(Traffic::Idle), 0.0, 30.0);
        assert_eq!(all[0], (5000, Use::Access));
        let data = all.iter().filter(|(_, what)| *what == Use::Data).count();
        assert!((35..330).contains(&data), "{data}");
        let reports: Vec<i64> = all.iter().filter(|s| s.1 == Use::Control).map(|s| s.0).collect();
        assert_eq!(reports.len(), 225);
        assert!(reports.windows(2).all(|w| w[1] - w[0] == 40));
        assert!(all.iter().all(|s| s.0 < 15_000));
    }

    #[test]
    fn a_call_sends_every_20_ms_in_talk() {
        let all = slots(&phone(Traffic::Voice), 0.0, 60.0);
        let voice: Vec<i64> = all.iter().filter(|s| s.1 == Use::Voice).map(|s| s.0).collect();
        let twenty = voice.windows(2).filter(|w| matches!(w[1] - w[0], 20 | 12)).count();
        assert!(twenty * 10 > voice.len() * 7, "{twenty} of {}", voice.len());
    }

    #[test]
    fn a_tdd_phone_keeps_its_turn() {
        let tdd = Phone { turn: Some((5, 2)), ..phone(Traffic::Idle) };
        let all = slots(&tdd, 0.0, 30.0);
        assert!(all.len() > 200 && all.iter().all(|s| s.0.rem_euclid(5) == 2));
    }
}
