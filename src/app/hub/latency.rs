//! How long alerts take from the sample that raised them to a listener.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of the buckets, seconds: what is aimed at (median 0.25 s, 99 % 1 s) stands among them.
const BOUNDS_S: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// A histogram that everybody may add to.
#[derive(Debug, Default)]
pub struct Latency {
    /// Of each bucket, not of those below; the last is of what is beyond all bounds.
    counts: [AtomicU64; BOUNDS_S.len() + 1],
    sum_us: AtomicU64,
}

impl Latency {
    /// One more took `took_s`.
    pub fn add(&self, took_s: f64) {
        let bucket = BOUNDS_S.iter().position(|bound_s| took_s <= *bound_s).unwrap_or(BOUNDS_S.len());
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add((took_s.max(0.0) * 1e6) as u64, Ordering::Relaxed);
    }

    /// As lines of a histogram called `name` (Prometheus, "Exposition formats").
    pub fn expose(&self, name: &str, text: &mut String) {
        let mut total = 0;
        for (count, bound) in self.counts.iter().zip(BOUNDS_S.map(Some).into_iter().chain([None])) {
            total += count.load(Ordering::Relaxed);
            let bound = bound.map_or_else(|| "+Inf".to_owned(), |bound_s| bound_s.to_string());
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {total}");
        }
        let sum_s = self.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(text, "{name}_sum {sum_s}\n{name}_count {total}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_what_is_at_most_their_bound_and_all_before() {
        let (latency, mut text) = (Latency::default(), String::new());
        [0.0, 0.01, 0.02, 0.25, 100.0].iter().for_each(|took_s| latency.add(*took_s));
        latency.expose("x_seconds", &mut text);
        for line in [
            "x_seconds_bucket{le=\"0.01\"} 2",
            "x_seconds_bucket{le=\"0.15\"} 3",
            "x_seconds_bucket{le=\"0.25\"} 4",
            "x_seconds_bucket{le=\"30\"} 4",
            "x_seconds_bucket{le=\"+Inf\"} 5",
            "x_seconds_sum 100.28",
            "x_seconds_count 5",
        ] {
            assert!(text.lines().any(|has| has == line), "{line} is not in\n{text}");
        }
    }
}
