//! The noise floor of every tuning, as it was when the sensor began, and as it is: what jams a receiver lifts it
//! everywhere at once, what takes its antenna away lowers it.
//!
//! The reference does not follow: a floor that is raised a little every minute would take it along.

use std::collections::{HashMap, VecDeque};

/// Looks at a tuning whose median is its reference.
const LEARN: usize = 5;

/// Looks that are compared at once: these seconds of the latest, and no more than so many.
const RECENT_S: f64 = 3.0;
const RECENT: usize = 256;

/// Fewest tunings that make a verdict, where there are as many: one is a neighbour who came on the air.
const TUNINGS: usize = 3;

/// Share of the recent looks that must agree.
const SHARE: f64 = 0.8;

/// Rise and fall that blind, and drift that degrades, decibels. The floor of one look is known to a tenth of a
/// decibel; temperature moves it by one or two.
const JAM_DB: f32 = 10.0;
const FALL_DB: f32 = -6.0;
const DRIFT_DB: f32 = 6.0;

/// What the floors say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloorVerdict {
    /// As they were.
    AsEver,
    /// Higher by [`DRIFT_DB`] and more, nearly everywhere.
    Drifted,
    /// Higher by [`JAM_DB`] and more, nearly everywhere.
    Jammed,
    /// Lower, nearly everywhere.
    Fell,
}

/// Remembers floors.
#[derive(Debug, Clone, Default)]
pub struct Floors {
    /// By tuning and gain step: the first looks' floors, dBFS in one hertz.
    first: HashMap<(u32, u8), Vec<f32>>,
    /// Latest looks: time, tuning, difference from the reference.
    recent: VecDeque<(f64, u32, f32)>,
}

impl Floors {
    /// Takes the floor of a look that ended at `at_s`.
    pub fn looked(&mut self, tuning: u32, gain_step: u8, floor_dbfs_per_hz: f32, at_s: f64) {
        if !floor_dbfs_per_hz.is_finite() {
            return;
        }
        let first = self.first.entry((tuning, gain_step)).or_default();
        let reference = median(first);
        let off_db = floor_dbfs_per_hz - reference.unwrap_or(floor_dbfs_per_hz);
        // What is far off is no part of what is normal.
        if first.len() < LEARN && off_db.abs() < FALL_DB.abs() {
            first.push(floor_dbfs_per_hz);
        }
        if reference.is_some() {
            self.recent.push_back((at_s, tuning, off_db));
        }
        while self.recent.len() > RECENT
            || self.recent.front().is_some_and(|(first_s, ..)| at_s - first_s > RECENT_S)
        {
            self.recent.pop_front();
        }
    }

    /// What they say.
    pub fn verdict(&self) -> FloorVerdict {
        let mut tunings: Vec<u32> = self.recent.iter().map(|(_, tuning, _)| *tuning).collect();
        tunings.sort_unstable();
        tunings.dedup();
        let all = self.first.len();
        if self.recent.is_empty() || tunings.len() < TUNINGS.min(all) {
            return FloorVerdict::AsEver;
        }
        let share = |holds: &dyn Fn(f32) -> bool| {
            self.recent.iter().filter(|(.., off_db)| holds(*off_db)).count() as f64 / self.recent.len() as f64
        };
        if share(&|off_db| off_db >= JAM_DB) >= SHARE {
            FloorVerdict::Jammed
        } else if share(&|off_db| off_db <= FALL_DB) >= SHARE {
            FloorVerdict::Fell
        } else if share(&|off_db| off_db >= DRIFT_DB) >= SHARE {
            FloorVerdict::Drifted
        } else {
            FloorVerdict::AsEver
        }
    }
}

fn median(values: &[f32]) -> Option<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at 20 tunings in turn for `seconds`, 50 ms each, with floors off by what `off_db` says at that time.
    fn after(seconds: f64, off_db: impl Fn(u32, f64) -> f32) -> FloorVerdict {
        let mut floors = Floors::default();
        let mut at_s = 0.0;
        for n in 0.. {
            at_s += 0.05;
            if at_s > seconds {
                break;
            }
            let tuning = n % 20;
            floors.looked(tuning, 0, -110.0 - tuning as f32 / 10.0 + off_db(tuning, at_s), at_s);
        }
        floors.verdict()
    }

    #[test]
    fn a_floor_that_stays_says_nothing() {
        assert_eq!(after(60.0, |n, s| (n as f64 + 7.0 * s).sin() as f32), FloorVerdict::AsEver);
    }

    #[test]
    fn jamming_and_a_lost_antenna_are_told_within_seconds() {
        assert_eq!(after(33.0, |_, s| if s > 30.0 { 12.0 } else { 0.0 }), FloorVerdict::Jammed);
        assert_eq!(after(33.0, |_, s| if s > 30.0 { -8.0 } else { 0.0 }), FloorVerdict::Fell);
    }

    #[test]
    fn a_strong_neighbour_on_a_few_tunings_is_no_jammer() {
        assert_eq!(after(60.0, |n, s| if s > 30.0 && n < 8 { 30.0 } else { 0.0 }), FloorVerdict::AsEver);
    }

    /// A tenth of a decibel a minute.
    #[test]
    fn a_floor_that_is_raised_slowly_does_not_become_normal() {
        assert_eq!(after(3700.0, |_, s| (s / 600.0) as f32), FloorVerdict::Drifted);
    }
}
