//! Which setting each sample was taken with, and when.
//!
//! Samples have the numbers in which the radio made them. A setting holds from a sample on; how far that lies ahead
//! of the client's call is the settle time of the radio.

use std::collections::VecDeque;

/// What the radio is set to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Radio frequency at the middle of the span.
    pub center_hz: f64,
    /// Samples a second.
    pub rate_hz: f64,
    /// Gain over the one that a scene's levels hold at.
    pub gain_db: f64,
    /// Correction of the clock that the client asked for.
    pub correction_ppm: f64,
    /// Whether the gain follows the level.
    pub automatic: bool,
    /// Whether the rails are exchanged.
    pub swapped: bool,
}

/// A stretch of samples with one setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Number of its first sample.
    pub first: u64,
    /// Seconds on the air's axis at which that was taken.
    pub air_s: f64,
    /// Part of the samples that is kept; the rest is lost on the way, unnoticed, at the border of transfers.
    pub keep: f64,
    /// The setting.
    pub setting: Setting,
}

impl Stretch {
    /// Number of the first sample of the transfer that sample `index` is in, and its time on the air.
    ///
    /// A stretch that loses nothing is one whole.
    fn piece(&self, index: u64, transfer: u64) -> (u64, f64) {
        if self.keep >= 1.0 {
            return (self.first, self.air_s);
        }
        let before = (index - self.first) / transfer * transfer;
        (self.first + before, self.air_s + before as f64 / (self.setting.rate_hz * self.keep))
    }

    fn air_s(&self, index: u64, transfer: u64) -> f64 {
        let (first, air_s) = self.piece(index, transfer);
        air_s + (index - first) as f64 / self.setting.rate_hz
    }
}

/// Samples that are taken one after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// The setting.
    pub setting: Setting,
    /// Number of a sample at or before the one asked for.
    pub first: u64,
    /// Its time on the air.
    pub air_s: f64,
    /// Number of the first sample that does not belong to it.
    pub until: u64,
}

/// The stretches, oldest first; never empty.
#[derive(Debug)]
pub struct Timeline {
    stretches: VecDeque<Stretch>,
    transfer: u64,
}

impl Timeline {
    /// One stretch from sample `first` on, taken at `air_s`; losses fall between transfers of `transfer` samples.
    pub fn new(first: u64, air_s: f64, setting: Setting, keep: f64, transfer: u64) -> Self {
        Self { stretches: VecDeque::from([Stretch { first, air_s, keep, setting }]), transfer }
    }

    /// Sets the radio from sample `from` on, or from the last change on if that lies later.
    pub fn set(&mut self, from: u64, setting: Setting) {
        let last = self.last();
        let first = from.max(last.first);
        if first == last.first {
            self.stretches.pop_back();
            self.stretches.push_back(Stretch { setting, ..last });
        } else {
            let air_s = last.air_s(first, self.transfer);
            self.stretches.push_back(Stretch { first, air_s, setting, keep: last.keep });
        }
    }

    /// Loses all but `keep` of the samples from sample `from` on.
    pub fn keep(&mut self, from: u64, keep: f64) {
        let setting = self.last().setting;
        self.set(from, setting);
        if let Some(last) = self.stretches.back_mut() {
            last.keep = keep;
        }
    }

    /// The samples about sample `index`.
    pub fn piece(&self, index: u64) -> Piece {
        let at = self.stretches.partition_point(|stretch| stretch.first <= index).saturating_sub(1);
        let stretch = self.stretches[at];
        let next = self.stretches.get(at + 1).map_or(u64::MAX, |next| next.first);
        let (first, air_s) = stretch.piece(index.max(stretch.first), self.transfer);
        let end = if stretch.keep < 1.0 { first + self.transfer } else { u64::MAX };
        Piece { setting: stretch.setting, first, air_s, until: next.min(end) }
    }

    /// When sample `index` is taken.
    pub fn air_s(&self, index: u64) -> f64 {
        let piece = self.piece(index);
        piece.air_s + index.saturating_sub(piece.first) as f64 / piece.setting.rate_hz
    }

    /// How many samples have been taken at `air_s`: the number of the next.
    pub fn taken_by(&self, air_s: f64) -> u64 {
        let at = self.stretches.partition_point(|stretch| stretch.air_s <= air_s).saturating_sub(1);
        let stretch = self.stretches[at];
        let rate_hz = stretch.setting.rate_hz * stretch.keep;
        // A nanosecond is added so that a time computed from a sample's number gives that number again.
        let taken = stretch.first + ((air_s - stretch.air_s + 1e-9).max(0.0) * rate_hz) as u64;
        self.stretches.get(at + 1).map_or(taken, |next| taken.min(next.first))
    }

    /// Forgets what only samples before `index` need.
    pub fn forget(&mut self, index: u64) {
        while self.stretches.get(1).is_some_and(|next| next.first <= index) {
            self.stretches.pop_front();
        }
    }

    fn last(&self) -> Stretch {
        self.stretches[self.stretches.len() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: Setting = Setting {
        center_hz: 1e8,
        rate_hz: 1e6,
        gain_db: 0.0,
        correction_ppm: 0.0,
        automatic: false,
        swapped: false,
    };

    #[test]
    fn a_setting_holds_from_its_sample_on_and_time_goes_on() {
        let mut timeline = Timeline::new(1000, 2.0, SETTING, 1.0, 100);
        timeline.set(2000, Setting { rate_hz: 2e6, ..SETTING });
        timeline.set(1500, Setting { rate_hz: 4e6, ..SETTING });
        assert_eq!(timeline.piece(1999).setting.rate_hz, 1e6);
        assert_eq!(timeline.piece(1999).until, 2000);
        assert_eq!(timeline.piece(2000).setting.rate_hz, 4e6, "a later call does not take effect earlier");
        assert!((timeline.air_s(2400) - 2.0011).abs() < 1e-12);
        assert_eq!(timeline.taken_by(2.0011), 2400);
        assert_eq!(timeline.taken_by(2.0005), 1500);
        timeline.forget(2000);
        assert_eq!(timeline.air_s(2000), 2.001);
    }

    #[test]
    fn what_is_lost_on_the_way_is_missing_between_transfers() {
        let mut timeline = Timeline::new(0, 0.0, SETTING, 1.0, 100);
        timeline.keep(0, 0.5);
        assert_eq!(timeline.taken_by(1.0), 500_000);
        assert!((timeline.air_s(99) - 99e-6).abs() < 1e-12);
        assert!((timeline.air_s(100) - 200e-6).abs() < 1e-12);
        assert_eq!(timeline.piece(150).until, 200);
    }
}
