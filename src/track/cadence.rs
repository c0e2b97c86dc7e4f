//! Timing evidence: do start times keep a period, do bursts come in pairs?
//!
//! Periods are tried on the distances between successive starts, not on the starts themselves: two crystals
//! 40 ppm apart drift by a whole 625 µs slot in 16 s, but by nothing within a few periods. For a distance Δ that
//! is a multiple of the period P, cos(2πΔ/P) is 1; for starts without rhythm its mean over n distances has
//! standard deviation 1/√(2n).

use std::f64::consts::TAU;

/// Longest distance over which 40 ppm between two crystals stay below a twentieth of a period, in periods.
const PERIODS_MAX: f64 = 1250.0;
/// Standard deviations at which a rhythm is believed: one-sided probability 1e-3 for starts without rhythm.
const SIGMAS: f64 = 3.1;
/// Fewest distances that can reach `SIGMAS`.
const DISTANCES_MIN: usize = 5;

/// A start and the stretch of time within which it may be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// Seconds.
    pub at_s: f64,
    /// See [`super::View::epoch`].
    pub epoch: u32,
}

/// How well `starts` (in order) keep `period_s`: 1 for a perfect rhythm, about 0 for none, negative for one in
/// counter-phase. What chance alone may give is taken off: with few starts the value stays below what is seen.
/// `None` if there are too few.
pub fn rhythm(starts: impl Iterator<Item = Start>, period_s: f64) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0usize);
    for distance_s in distances(starts) {
        if distance_s > period_s / 8.0 && distance_s < PERIODS_MAX * period_s {
            sum += (TAU * distance_s / period_s).cos();
            count += 1;
        }
    }
    if count < DISTANCES_MIN {
        return None;
    }
    let mean = sum / count as f64;
    let sigmas = mean.abs() * (2.0 * count as f64).sqrt();
    Some(mean * (sigmas / SIGMAS).min(1.0))
}

/// Distances between successive starts of one stretch of time, seconds.
pub fn distances(starts: impl Iterator<Item = Start>) -> impl Iterator<Item = f64> {
    let mut before: Option<Start> = None;
    starts.filter_map(move |start| {
        let distance = before.filter(|b| b.epoch == start.epoch).map(|b| start.at_s - b.at_s);
        before = Some(start);
        distance.filter(|d| *d > 0.0)
    })
}

/// The shortest time of which most distances are near-multiples (up to the fourth), within a tenth: the typical
/// time between bursts where there is a cadence. Reorders `distances`.
pub fn period(distances: &mut [f64]) -> Option<f64> {
    if distances.len() < DISTANCES_MIN {
        return None;
    }
    let base = super::stats::quantile(distances, 0.3)?;
    let fits = |distance: f64| {
        let ratio = distance / base;
        (0.9..4.5).contains(&ratio) && (ratio - ratio.round()).abs() <= 0.1
    };
    let (mut sum, mut periods, mut fitting) = (0.0, 0.0, 0usize);
    for &distance in distances.iter().filter(|d| fits(**d)) {
        sum += distance;
        periods += (distance / base).round();
        fitting += 1;
    }
    (fitting * 10 >= distances.len() * 7 && periods > 0.0).then(|| sum / periods)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::Rng;

    fn starts(times: &[f64]) -> impl Iterator<Item = Start> + '_ {
        times.iter().map(|&at_s| Start { at_s, epoch: 0 })
    }

    #[test]
    fn a_gsm_handset_keeps_its_frame_through_missing_bursts_and_jitter() {
        let mut rng = Rng::new(1);
        let frame_s = 120e-3 / 26.0;
        let times: Vec<f64> = (0..60)
            .filter(|i| i % 26 != 25)
            .map(|i| 0.3 + f64::from(i) * frame_s * (1.0 + 20e-6) + 10e-6 * rng.normal())
            .collect();
        assert!(rhythm(starts(&times), frame_s).unwrap() > 0.99);
        assert!(rhythm(starts(&times), 10e-3).unwrap() < 0.0);
        let mut gaps: Vec<f64> = distances(starts(&times)).collect();
        assert!((period(&mut gaps).unwrap() - frame_s).abs() < 2e-6);
    }

    /// Oracle: 1e-3 one-sided for one period and one set of starts, so 2000 sets rarely exceed the value that
    /// a signature asks for (0.7 and more).
    #[test]
    fn starts_without_rhythm_have_none() {
        let mut rng = Rng::new(2);
        for count in [6, 12, 50] {
            let strong = (0..2000)
                .filter(|_| {
                    let mut at_s = 0.0;
                    let times: Vec<f64> = (0..count)
                        .map(|_| {
                            at_s -= 0.02 * (1.0 - rng.uniform()).ln();
                            at_s
                        })
                        .collect();
                    rhythm(starts(&times), 4.615e-3).is_some_and(|value| value > 0.7)
                })
                .count();
            assert!(strong <= 20, "{strong} of 2000 sets of {count} starts");
        }
    }

    #[test]
    fn nothing_is_compared_across_epochs() {
        let times = (0..12).map(|i| Start { at_s: f64::from(i) * 0.01, epoch: i as u32 / 2 });
        assert_eq!(distances(times.clone()).count(), 6);
        let apart = (0..12).map(|i| Start { at_s: f64::from(i) * 0.01, epoch: i as u32 });
        assert_eq!(rhythm(apart, 0.01), None);
    }

    #[test]
    fn a_pair_half_a_period_apart_is_in_counter_phase() {
        let times: Vec<f64> = (0..20).map(|i| f64::from(i) * 5e-3).collect();
        assert!(rhythm(starts(&times), 5e-3).unwrap() > 0.99);
        assert!(rhythm(starts(&times), 10e-3).unwrap() < -0.99);
    }
}
