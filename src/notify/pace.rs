//! How long to wait: after a failure, and so that nobody is flooded. Pure.

use std::collections::VecDeque;

/// Waits after the first failures, seconds; then the last of them while a meeting is on.
const WAITS_S: [f64; 6] = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0];
/// Longest wait when no meeting is on, seconds.
const IDLE_MAX_S: f64 = 900.0;
/// Longest wait that a server may ask for, seconds: one that asks for a day would silence the room.
pub const ASKED_MAX_S: f64 = 600.0;

/// Wait after `failures` in a row (at least one), seconds.
pub fn wait_s(failures: u32, meeting: bool) -> f64 {
    let n = failures.saturating_sub(1) as usize;
    let last_s = WAITS_S[WAITS_S.len() - 1];
    match WAITS_S.get(n) {
        Some(wait_s) => *wait_s,
        None if meeting => last_s,
        None => (last_s * 2f64.powi((n + 1 - WAITS_S.len()).min(16) as i32)).min(IDLE_MAX_S),
    }
}

/// At most ten messages in any minute: five at once, the rest spread over it. The five keep a flood from making the next
/// alert wait for the end of the minute.
#[derive(Debug, Default)]
pub struct Pace {
    sent_s: VecDeque<f64>,
}

const MINUTE_S: f64 = 60.0;
/// Messages that may go at once.
const AT_ONCE: usize = 5;
/// Time between the others, seconds.
const APART_S: f64 = 12.0;

impl Pace {
    /// When the next message may go.
    pub fn next_s(&mut self, now_s: f64) -> f64 {
        while self.sent_s.front().is_some_and(|sent_s| now_s - sent_s >= MINUTE_S) {
            self.sent_s.pop_front();
        }
        match self.sent_s.back() {
            Some(last_s) if self.sent_s.len() >= AT_ONCE => (last_s + APART_S).max(now_s),
            _ => now_s,
        }
    }

    /// A message went.
    pub fn sent(&mut self, now_s: f64) {
        self.sent_s.push_back(now_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_as_said() {
        let during: Vec<f64> = (1..=8).map(|n| wait_s(n, true)).collect();
        assert_eq!(during, [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 60.0, 60.0]);
        let after: Vec<f64> = (5..=12).map(|n| wait_s(n, false)).collect();
        assert_eq!(after, [30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 900.0, 900.0]);
        assert_eq!(wait_s(u32::MAX, false), 900.0);
    }

    #[test]
    fn never_more_than_ten_in_a_minute_and_five_at_once() {
        let mut pace = Pace::default();
        let mut sent: Vec<f64> = Vec::new();
        for now_s in (0..600).map(f64::from) {
            while pace.next_s(now_s) <= now_s {
                pace.sent(now_s);
                sent.push(now_s);
            }
        }
        assert_eq!(sent[..7], [0.0, 0.0, 0.0, 0.0, 0.0, 12.0, 24.0]);
        for (n, first_s) in sent.iter().enumerate() {
            let within = sent[n..].iter().filter(|at_s| *at_s - first_s < 60.0).count();
            assert!(within <= 10, "{within} from {first_s} s on");
        }
    }
}
