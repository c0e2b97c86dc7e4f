//! Samples against the clock: what a receiver that tells no time has lost, and what waits in its driver.
//!
//! A read that had to wait found the driver's queue empty: at that moment all that the radio made has been received
//! or lost, but for one transfer that is on its way. The shortfall against the clock is therefore compared between
//! such moments only; a reader that is merely late sees none. A stream that is not paced by a radio never makes a
//! reader wait, and is never compared.

use crate::clock::Monotonic;

/// A read that took this part of its samples' own time had to wait for the radio.
const WAITED: f64 = 0.25;

/// Time over which the least shortfall is taken, seconds.
const WINDOW_S: f64 = 1.0;

/// Difference of rate that is taken for two clocks that disagree: a crystal of a cheap dongle is within 100 ppm and
/// a host's within 50; five times as much.
const CLOCKS: f64 = 750e-6;

/// How far the radio is ahead of the reader: what waits in the driver, and is stale once the receiver is tuned
/// elsewhere.
#[derive(Debug, Clone)]
pub struct Backlog {
    rate_hz: f64,
    transfer: u64,
    /// When a read that had to wait came back last, and the position up to which the radio had delivered then.
    anchor: Option<(Monotonic, u64)>,
}

impl Backlog {
    /// For `rate_hz` samples a second in transfers of `transfer`.
    pub fn new(rate_hz: f64, transfer: usize) -> Self {
        Self { rate_hz, transfer: transfer as u64, anchor: None }
    }

    /// A read that had to wait came back at `now` with samples from `position` on: of the transfer that it waited for.
    pub fn waited(&mut self, now: Monotonic, position: u64) {
        let reached = position + self.transfer;
        // The reader may have been woken late: who was least late knows best, but for the clocks' disagreement.
        let known = self.anchor.map_or(0, |(at, before)| {
            before + (now.seconds_since(at) * self.rate_hz * (1.0 - CLOCKS)) as u64
        });
        let far = known > reached + 16 * self.transfer;
        if reached >= known || far {
            self.anchor = Some((now, reached));
        }
    }

    /// `more` samples turned out to be lost before the reader's position: what waits may be as much further on.
    pub fn lost(&mut self, more: u64) {
        if let Some((_, reached)) = &mut self.anchor {
            *reached += more;
        }
    }

    /// Position that the radio has reached at `now`, if the reader is at `position`. A source that never makes a reader
    /// wait makes its samples as they are read.
    pub fn produced(&self, now: Monotonic, position: u64) -> u64 {
        let ahead =
            self.anchor.map_or(0, |(at, reached)| reached + (now.seconds_since(at) * self.rate_hz) as u64);
        position.max(ahead)
    }
}

/// Whether a read of `count` samples that took `took_s` had to wait for the radio.
pub fn had_to_wait(took_s: f64, count: usize, rate_hz: f64) -> bool {
    took_s > WAITED * count as f64 / rate_hz
}

/// Compares samples with the clock.
#[derive(Debug, Clone)]
pub struct Pace {
    rate_hz: f64,
    transfer: f64,
    /// Time and samples from which is counted.
    anchor: Option<(f64, u64)>,
    /// Least shortfall in the window before, and in this one, samples.
    before: Option<f64>,
    now: Option<f64>,
    window_from_s: f64,
    /// The same of a window that fell short: only what the next one falls short of as well is lost, and not late.
    suspected: Option<f64>,
}

impl Pace {
    /// For `rate_hz` samples a second in transfers of `transfer`.
    pub fn new(rate_hz: f64, transfer: usize) -> Self {
        Self {
            rate_hz,
            transfer: transfer as f64,
            anchor: None,
            before: None,
            now: None,
            window_from_s: 0.0,
            suspected: None,
        }
    }

    /// Begins anew: the stream was interrupted, and its loss was counted otherwise.
    pub fn restart(&mut self) {
        (self.anchor, self.before, self.now, self.suspected) = (None, None, None, None);
    }

    /// `counted` samples had been received or were known to be lost when, at `at_s`, a read that had to wait came
    /// back. Gives how many more must have been lost.
    pub fn waited(&mut self, at_s: f64, counted: u64) -> Option<u64> {
        let (from_s, from) = *self.anchor.get_or_insert((at_s, counted));
        if self.now.is_none() {
            self.window_from_s = at_s;
        }
        let shortfall = (at_s - from_s) * self.rate_hz - (counted as f64 - from as f64);
        let least = self.now.map_or(shortfall, |now| now.min(shortfall));
        self.now = Some(least);
        let passed_s = at_s - self.window_from_s;
        if passed_s < WINDOW_S {
            return None;
        }
        let before = self.before.unwrap_or(least);
        self.now = None;
        if least - before <= (passed_s * self.rate_hz * CLOCKS).max(0.75 * self.transfer) {
            (self.before, self.suspected) = (Some(least), None);
            return None;
        }
        // What was lost is counted by whoever asked: the shortfall to compare with stays.
        self.before = Some(before);
        let more = self.suspected.replace(least)?.min(least) - before;
        self.suspected = Some(least - more);
        Some(more as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays `seconds` of a radio whose transfers arrive on time, `kept` of them received; gives what is found lost.
    fn lost(rate_hz: f64, transfer: usize, seconds: f64, ppm: f64, kept: impl Fn(u64) -> bool) -> u64 {
        let mut pace = Pace::new(rate_hz, transfer);
        let (mut counted, mut lost) = (0, 0);
        let mut number = 0;
        loop {
            number += 1;
            let at_s = number as f64 * transfer as f64 / (rate_hz * (1.0 + ppm * 1e-6));
            if at_s > seconds {
                return lost;
            }
            if !kept(number) {
                continue;
            }
            counted += transfer as u64;
            if let Some(more) = pace.waited(at_s, counted) {
                lost += more;
                counted += more;
            }
        }
    }

    #[test]
    fn nothing_is_missed_of_a_radio_whose_clock_is_off() {
        for ppm in [-100.0, 0.0, 100.0] {
            assert_eq!(lost(20e6, 131_072, 600.0, ppm, |_| true), 0);
            assert_eq!(lost(2.4e6, 8192, 600.0, ppm, |_| true), 0);
        }
    }

    /// Oracle: the transfers that were dropped. Tolerance: one transfer.
    #[test]
    fn lost_transfers_are_counted() {
        let found = lost(20e6, 131_072, 20.0, 30.0, |n| !(500..503).contains(&n)) as f64;
        assert!((found / 131_072.0 - 3.0).abs() <= 1.0, "{found}");
        let found = lost(2.4e6, 8192, 20.0, 30.0, |n| n != 500) as f64;
        assert!((found / 8192.0 - 1.0).abs() <= 1.0, "{found}");
    }

    /// Oracle: the share that was dropped. Tolerance: the two windows that booking lags behind.
    #[test]
    fn a_tenth_that_is_missing_is_found_within_seconds() {
        let tenth = |n: u64| !n.is_multiple_of(10);
        assert!(lost(20e6, 131_072, 4.0, 0.0, tenth) > 0);
        let found = lost(20e6, 131_072, 30.0, 0.0, tenth) as f64;
        assert!((found / (20e6 * 28.0) - 0.1).abs() < 0.01, "{found}");
    }
}
