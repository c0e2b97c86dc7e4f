//! When devices that report now and then do so: from the beginning of each on-time (a key pressed, a device
//! switched on) at an interval with some play.

use crate::synth::Rng;
use crate::synth::waveform::WaveParams;

/// Greatest lateness of a report, share of the interval. The first of an on-time is punctual.
const PLAY: f64 = 0.2;

/// Moments at an interval.
#[derive(Debug, Clone)]
pub struct Reports {
    interval_s: f64,
    on: Vec<[f64; 2]>,
    seed: u64,
}

impl Reports {
    /// Reports of what lasts up to `longest_s`, each `interval_s`.
    ///
    /// # Errors
    /// In words, if the interval leaves no room.
    pub fn new(interval_s: f64, longest_s: f64, params: &WaveParams, seed: u64) -> Result<Self, String> {
        if !(interval_s > 1.25 * longest_s && interval_s < 1e6) {
            return Err(format!(
                "interval_s must be longer than what is sent and a quarter, {:.6} s",
                1.25 * longest_s
            ));
        }
        let mut on = params.on.clone();
        if on.is_empty() {
            on.push([interval_s * Rng::keyed(&[seed, 0x5EA7]).uniform(), f64::INFINITY]);
        }
        Ok(Self { interval_s, on, seed })
    }

    /// Calls `each` with the key and the time of every report in `[from_s, to_s)`, in order.
    pub fn each(&self, from_s: f64, to_s: f64, mut each: impl FnMut(u64, f64)) {
        for (number, [on_s, off_s]) in self.on.iter().enumerate() {
            let end_s = to_s.min(*off_s);
            let first = ((from_s - on_s) / self.interval_s - 1.0).floor().max(0.0) as u64;
            for index in first.. {
                if on_s + index as f64 * self.interval_s >= end_s {
                    break;
                }
                let key = (number as u64) << 40 | index;
                let play = if index == 0 { 0.0 } else { PLAY };
                let late = play * Rng::keyed(&[self.seed, 0x5EA8, key]).uniform();
                let at_s = on_s + (index as f64 + late) * self.interval_s;
                if (from_s..end_s).contains(&at_s) {
                    each(key, at_s);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(on: &[[f64; 2]]) -> Reports {
        let params = WaveParams { on: on.to_vec(), ..WaveParams::default() };
        Reports::new(2.0, 0.1, &params, 5).unwrap()
    }

    fn times(reports: &Reports, from_s: f64, to_s: f64) -> Vec<f64> {
        let mut out = Vec::new();
        reports.each(from_s, to_s, |_, at_s| out.push(at_s));
        out
    }

    #[test]
    fn each_on_time_begins_with_a_report() {
        let times = times(&reports(&[[1.5, 1.6], [10.0, 15.0]]), 0.0, 100.0);
        assert_eq!(times.len(), 4, "{times:?}");
        assert_eq!((times[0], times[1]), (1.5, 10.0));
        assert!(times[1..].windows(2).all(|t| (1.6..=2.4).contains(&(t[1] - t[0]))), "{times:?}");
    }

    #[test]
    fn any_cut_gives_the_same_reports() {
        let reports = reports(&[]);
        let whole = times(&reports, 0.0, 50.0);
        assert!((24..=25).contains(&whole.len()), "{whole:?}");
        let mut parts = Vec::new();
        for i in 0..500 {
            parts.extend(times(&reports, f64::from(i) * 0.1, f64::from(i + 1) * 0.1));
        }
        assert_eq!(parts, whole);
    }

    #[test]
    fn an_interval_without_room_is_refused() {
        assert!(Reports::new(0.1, 0.1, &WaveParams::default(), 1).is_err());
        assert!(Reports::new(f64::NAN, 0.1, &WaveParams::default(), 1).is_err());
    }
}
