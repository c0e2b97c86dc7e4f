//! The union of on-times: how often, and for how long, something was on.

/// Gaps shorter than this are bridged, seconds (the replay contract, `bursts`).
const BRIDGED_S: f64 = 20e-6;

/// Counts maximal on-times from intervals that come almost in order.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OnTime {
    count: u64,
    airtime_s: f64,
    longest_s: f64,
    /// The latest on-time.
    start_s: f64,
    end_s: f64,
}

impl OnTime {
    /// Adds `[start_s, end_s]`. What overlaps the latest on-time extends it; what lies before it entirely is
    /// taken for an on-time of its own.
    pub fn add(&mut self, start_s: f64, end_s: f64) {
        let joins = self.count > 0 && start_s <= self.end_s + BRIDGED_S && end_s >= self.start_s - BRIDGED_S;
        if joins {
            let grown_s = (self.start_s - start_s).max(0.0) + (end_s - self.end_s).max(0.0);
            self.start_s = self.start_s.min(start_s);
            self.end_s = self.end_s.max(end_s);
            self.airtime_s += grown_s;
            self.longest_s = self.longest_s.max(self.end_s - self.start_s);
            return;
        }
        let late = self.count > 0 && end_s < self.start_s;
        self.count += 1;
        self.airtime_s += end_s - start_s;
        self.longest_s = self.longest_s.max(end_s - start_s);
        if !late {
            (self.start_s, self.end_s) = (start_s, end_s);
        }
    }

    /// Adds what another counted at other times.
    pub fn absorb(&mut self, other: &Self) {
        self.count += other.count;
        self.airtime_s += other.airtime_s;
        self.longest_s = self.longest_s.max(other.longest_s);
        if other.end_s > self.end_s {
            (self.start_s, self.end_s) = (other.start_s, other.end_s);
        }
    }

    /// Maximal on-times.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Sum of them, seconds.
    pub fn airtime_s(&self) -> f64 {
        self.airtime_s
    }

    /// The longest, seconds.
    pub fn longest_s(&self) -> f64 {
        self.longest_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn union(intervals: &[(f64, f64)]) -> OnTime {
        let mut on = OnTime::default();
        for &(start_s, end_s) in intervals {
            on.add(start_s, end_s);
        }
        on
    }

    #[test]
    fn gaps_under_twenty_microseconds_are_bridged() {
        let on = union(&[(0.0, 1e-3), (1.019e-3, 2e-3), (2.021e-3, 3e-3)]);
        assert_eq!(on.count(), 2);
        assert!((on.airtime_s() - 2.979e-3).abs() < 1e-12);
        assert!((on.longest_s() - 2e-3).abs() < 1e-12);
    }

    #[test]
    fn reports_of_a_carrier_are_one_on_time() {
        let on = union(&[(0.0, 0.2), (0.0, 0.7), (0.1, 0.3), (0.0, 1.0)]);
        assert_eq!((on.count(), on.airtime_s()), (1, 1.0));
    }

    #[test]
    fn what_comes_late_is_counted() {
        let on = union(&[(0.0, 1.0), (5.0, 6.0), (3.0, 4.0), (5.5, 6.5)]);
        assert_eq!((on.count(), on.airtime_s()), (3, 3.5));
    }
}
