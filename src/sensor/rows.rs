//! Rows of the live waterfall: how many of them are sent.

use crate::pipeline::Watched;
use crate::spectrum::Row;
use crate::sweep::Look;

/// Least time between two rows of one tuning, seconds; a thousandth less, for a dwell that lasts as long.
const EVERY_S: f64 = 0.1 - 1e-4;

/// Most bytes a second, and at once: what a page on a slow machine takes.
const BYTES_PER_S: f64 = 64e3;
const AT_ONCE: f64 = 16e3;

/// Makes rows as often as they may be sent. Allocates at the start only.
pub struct Rows {
    /// By tuning: when its next row is due.
    due_s: Vec<f64>,
    bytes: f64,
    at_s: f64,
    /// The row to send; given away and taken back.
    pub row: Row,
}

impl Rows {
    /// For a plan of so many tunings.
    pub fn new(tunings: usize) -> Self {
        Self { due_s: vec![f64::NEG_INFINITY; tunings], bytes: AT_ONCE, at_s: 0.0, row: Row::with_room() }
    }

    /// Puts what was heard up to the end of `look` into the row; whether that may be sent.
    pub fn make(&mut self, look: &Look, heard: &Watched, rate_hz: f64, louder_db: f32) -> bool {
        let Some(due_s) = self.due_s.get_mut(look.dwell.tuning as usize) else { return false };
        if look.until_s < *due_s {
            return false;
        }
        self.bytes = (self.bytes + (look.until_s - self.at_s).max(0.0) * BYTES_PER_S).min(AT_ONCE);
        self.at_s = look.until_s;
        self.row.set_levels(&heard.sum, heard.slabs, &heard.peak, louder_db);
        if (self.row.bytes() as f64) > self.bytes {
            return false;
        }
        *due_s = look.until_s + EVERY_S;
        self.bytes -= self.row.bytes() as f64;
        (self.row.from_s, self.row.until_s) = (look.from_s, look.until_s);
        (self.row.center_hz, self.row.span_hz) = (look.dwell.center_hz, rate_hz);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{Dwell, Purpose};

    /// Rows and bytes sent in `seconds` of dwells of `dwell_s` round `tunings`, each row of 512 bins.
    fn sent(tunings: u32, dwell_s: f64, seconds: f64) -> (Vec<u32>, usize) {
        let mut rows = Rows::new(tunings as usize);
        let heard = Watched { sum: vec![1e-9; 512], peak: vec![1e-9; 512], slabs: 1 };
        let (mut counts, mut bytes) = (vec![0; tunings as usize], 0);
        for n in 0..(seconds / dwell_s) as u32 {
            let tuning = n % tunings;
            let (from_s, until_s) = (f64::from(n) * dwell_s, f64::from(n + 1) * dwell_s);
            let dwell = Dwell {
                number: u64::from(n) + 1,
                tuning,
                center_hz: 1e8,
                look_s: dwell_s,
                gain_step: 0,
                purpose: Purpose::Sweep,
            };
            let look = Look { dwell, from_s, until_s, lost_samples: 0, clipped_share: 0.0 };
            if rows.make(&look, &heard, 20e6, 0.0) {
                counts[tuning as usize] += 1;
                bytes += rows.row.bytes();
            }
        }
        (counts, bytes)
    }

    #[test]
    fn no_tuning_sends_more_than_ten_rows_a_second() {
        assert_eq!(sent(1, 0.1, 10.0).0, [100]);
        assert!((95..=101).contains(&sent(1, 0.02, 10.0).0[0]));
    }

    #[test]
    fn all_together_stay_within_their_rate() {
        let (counts, bytes) = sent(50, 0.005, 20.0);
        assert!(bytes as f64 <= 20.0 * BYTES_PER_S + AT_ONCE && bytes as f64 > 19.0 * BYTES_PER_S, "{bytes}");
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    }
}
