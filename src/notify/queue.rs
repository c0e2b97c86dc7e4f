//! What waits for one contact, and what goes next. Pure: time enters as an argument, monotonic seconds.
//!
//! - Messages go in the order in which they came; those of one episode always do.
//! - An update is held back until its episode was silent for [`HOLD_S`], and left out once later news of the episode wait.
//! - At most ten messages go in a minute; what waits longer for that reason goes with the next, up to [`BATCH_MAX`].
//! - A contact that is not reached is tried again after the waits of [`super::pace`]. A message that the contact refuses holds
//!   up its own episode, and no other.
//! - At most [`WAITING_MAX`] wait. Then the oldest of least weight is left out: updates first, raised alerts last.

use super::message::{Message, Weight};
use super::pace::{ASKED_MAX_S, Pace, wait_s};
use std::collections::{BTreeMap, VecDeque};

/// Most messages that wait for a contact: each of a few kilobytes, and more than anybody reads.
pub const WAITING_MAX: usize = 1000;
/// Most messages that go as one.
pub const BATCH_MAX: usize = 50;
/// An episode is told of by updates at most this often, seconds.
pub const HOLD_S: f64 = 30.0;

/// What waits for one contact.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Message>,
    /// When an episode was told of last.
    told_s: BTreeMap<String, f64>,
    /// Episodes whose next message was refused: how often, and when it is tried again.
    refused: BTreeMap<String, (u32, f64)>,
    pace: Pace,
    failures: u32,
    /// Not before.
    due_s: f64,
    meeting: bool,
}

/// Why a message did not arrive.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The contact is not reached, or busy: later, and after that time if it asked for one, seconds.
    Unreached(String, Option<f64>),
    /// It does not take this message.
    Refused(String),
    /// It wants no more.
    Gone(String),
}

impl Failure {
    /// In words.
    pub fn why(&self) -> &str {
        match self {
            Self::Unreached(why, _) | Self::Refused(why) | Self::Gone(why) => why,
        }
    }
}

impl Queue {
    /// A message is to go. Gives what is left out for it.
    pub fn push(&mut self, message: Message) -> Vec<Message> {
        let news = |waiting: &Message| waiting.weight == Weight::Update && waiting.episode == message.episode;
        let mut left_out = self.remove_where(news);
        self.waiting.push_back(message);
        self.leave_out(&mut left_out);
        left_out
    }

    /// Keeps the bound.
    fn leave_out(&mut self, out: &mut Vec<Message>) {
        while self.waiting.len() > WAITING_MAX {
            let least = self.waiting.iter().map(|message| message.weight).min();
            let oldest = self.waiting.iter().position(|message| Some(message.weight) == least);
            out.extend(oldest.and_then(|at| self.waiting.remove(at)));
        }
        if !out.is_empty() {
            let waiting = &self.waiting;
            self.refused.retain(|episode, _| waiting.iter().any(|message| message.episode == *episode));
        }
    }

    fn remove_where(&mut self, is: impl Fn(&Message) -> bool) -> Vec<Message> {
        let (out, kept) = std::mem::take(&mut self.waiting).into_iter().partition::<VecDeque<_>, _>(is);
        self.waiting = kept;
        out.into()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a meeting is on: then nobody waits for longer than a minute.
    pub fn meeting(&mut self, on: bool, now_s: f64) {
        if on && !self.meeting {
            self.due_s = self.due_s.min(now_s + wait_s(self.failures.max(1), true));
        }
        self.meeting = on;
    }

    /// The contact may be tried from then on.
    pub fn due_s(&self) -> f64 {
        self.due_s
    }

    /// When the next batch may go; `None` if nothing waits.
    pub fn next_s(&mut self, now_s: f64) -> Option<f64> {
        self.told_s.retain(|_, told_s| now_s - *told_s < HOLD_S);
        let first_s = self.waiting.iter().map(|message| self.ready_s(message)).reduce(f64::min)?;
        Some(first_s.max(self.due_s).max(self.pace.next_s(now_s)))
    }

    fn ready_s(&self, message: &Message) -> f64 {
        let refused_s = self.refused.get(&message.episode).map_or(0.0, |(_, due_s)| *due_s);
        let held_s = match self.told_s.get(&message.episode) {
            Some(told_s) if message.weight == Weight::Update => told_s + HOLD_S,
            _ => 0.0,
        };
        refused_s.max(held_s)
    }

    /// Takes what goes now, in order; empty if it is too early. What is taken and does not arrive must come back by
    /// [`Queue::failed`].
    pub fn take(&mut self, now_s: f64) -> Vec<Message> {
        if self.next_s(now_s).is_none_or(|next_s| next_s > now_s) {
            return Vec::new();
        }
        // One at a time, until that would make the rest wait.
        let left = self.waiting.iter().filter(|message| self.ready_s(message) <= now_s).count();
        self.pace.sent(now_s);
        let full = self.pace.next_s(now_s) > now_s;
        let refused = !self.refused.is_empty();
        let most = if full && !refused { left.min(BATCH_MAX) } else { 1 };
        let mut batch = Vec::with_capacity(most);
        let mut kept = VecDeque::with_capacity(self.waiting.len());
        for message in std::mem::take(&mut self.waiting) {
            if batch.len() < most && self.ready_s(&message) <= now_s {
                batch.push(message);
            } else {
                kept.push_back(message);
            }
        }
        self.waiting = kept;
        batch
    }

    /// What was taken arrived.
    pub fn arrived(&mut self, batch: &[Message], now_s: f64) {
        self.reached();
        for message in batch {
            self.refused.remove(&message.episode);
            self.told_s.insert(message.episode.clone(), now_s);
        }
    }

    /// The contact was reached.
    pub fn reached(&mut self) {
        (self.failures, self.due_s) = (0, 0.0);
    }

    /// What was taken did not arrive: it comes back to the front. Gives when it is tried again, and what is left out
    /// to keep the bound.
    pub fn failed(&mut self, batch: Vec<Message>, failure: &Failure, now_s: f64) -> (f64, Vec<Message>) {
        let due_s = match (failure, batch.first()) {
            (Failure::Refused(_), Some(first)) => {
                self.reached();
                let entry = self.refused.entry(first.episode.clone()).or_insert((0, 0.0));
                entry.0 += 1;
                entry.1 = now_s + wait_s(entry.0, self.meeting);
                entry.1
            }
            (Failure::Unreached(_, asked_s), _) => self.unreached(*asked_s, now_s),
            _ => self.unreached(None, now_s),
        };
        for message in batch.into_iter().rev() {
            self.waiting.push_front(message);
        }
        let mut left_out = Vec::new();
        self.leave_out(&mut left_out);
        (due_s, left_out)
    }

    /// The contact was not reached. Gives when it is tried again.
    pub fn unreached(&mut self, asked_s: Option<f64>, now_s: f64) -> f64 {
        self.failures = self.failures.saturating_add(1);
        let wait_s = wait_s(self.failures, self.meeting).max(asked_s.unwrap_or(0.0).min(ASKED_MAX_S));
        self.due_s = now_s + wait_s;
        self.due_s
    }
}

#[cfg(test)]
mod tests;
