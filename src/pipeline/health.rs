//! What the samples themselves say of the receiver: clipping, stuck values, values that are no numbers.

use super::{FrontEvent, Health, HealthReason, HealthState};
use crate::iq::Samples;
use crate::spectrum::kernels;

/// Share of clipped samples from which the receiver is degraded.
const CLIPPING_DEGRADED: f64 = 0.01;

/// Share of spoilt samples from which it is blind.
const BLIND: f64 = 0.2;

/// Length of a constant stretch that is taken for a dead converter, seconds.
pub const STUCK_S: f64 = 1.0;

/// Time over which shares are taken, seconds.
pub const WINDOW_S: f64 = 0.1;

/// How long a gap or a step stays the receiver's state, seconds.
const EVENT_S: f64 = 1.0;

/// Watches the raw samples of a segment. State changes depend on sample positions alone, never on block borders.
#[derive(Debug)]
pub struct HealthWatch {
    window: u64,
    stuck_samples: u64,
    event_samples: u64,
    seen: u64,
    in_window: u64,
    clipped: u64,
    spoilt: u64,
    run: u64,
    last: [f32; 2],
    stuck_since_window: bool,
    event_until: u64,
    event_reason: HealthReason,
    clipped_share: f64,
    state: (HealthState, HealthReason),
}

impl HealthWatch {
    /// For `rate_hz` samples a second.
    pub fn new(rate_hz: f64) -> Self {
        Self {
            window: ((rate_hz * WINDOW_S) as u64).max(1),
            stuck_samples: ((rate_hz * STUCK_S) as u64).max(2),
            event_samples: (rate_hz * EVENT_S) as u64,
            seen: 0,
            in_window: 0,
            clipped: 0,
            spoilt: 0,
            run: 0,
            last: [f32::NAN; 2],
            stuck_since_window: false,
            event_until: 0,
            event_reason: HealthReason::Gap,
            clipped_share: 0.0,
            state: (HealthState::Ok, HealthReason::Clipping),
        }
    }

    /// A new segment begins: sample positions start again, the state stays, and so does what was counted: a sweep's
    /// segments are shorter than a window.
    pub fn restart(&mut self) {
        self.seen = 0;
        self.event_until = 0;
    }

    /// `lost` samples are missing here.
    pub fn skip(&mut self, lost: u64) {
        self.seen += lost;
        self.event_until += lost;
    }

    /// Share of samples at the rails in the last whole window.
    pub fn clipped_share(&self) -> f64 {
        self.clipped_share
    }

    /// How many of the next samples may be given to [`HealthWatch::samples`] at once.
    pub fn until_border(&self) -> u64 {
        self.window - self.in_window
    }

    /// Looks at `samples[from..to]`, no more than [`HealthWatch::until_border`]. `spoilt` of them were no numbers.
    /// `time` gives the time of a sample position.
    pub fn samples(
        &mut self,
        samples: &Samples,
        from: usize,
        to: usize,
        spoilt: usize,
        time: impl Fn(u64) -> f64,
        out: &mut Vec<FrontEvent>,
    ) {
        let count = (to - from) as u64;
        self.clipped += match samples {
            Samples::Cu8(s) => kernels::rails_cu8(&s[from..to]),
            Samples::Ci8(s) => kernels::rails_ci8(&s[from..to]),
            Samples::Ci16(s) => kernels::rails_ci16(&s[from..to]),
            Samples::Cf32(s) => kernels::rails_cf32(&s[from..to]),
        };
        self.spoilt += spoilt as u64;
        self.watch_run(samples, from, to);
        self.seen += count;
        self.in_window += count;
        if self.in_window < self.window {
            return;
        }
        self.clipped_share = self.clipped as f64 / self.in_window as f64;
        let spoilt_share = self.spoilt as f64 / self.in_window as f64;
        (self.in_window, self.clipped, self.spoilt) = (0, 0, 0);
        let state = self.judge(spoilt_share);
        self.enter(state, time(self.seen), out);
    }

    /// Something happened to the stream at sample `at`.
    pub fn event(&mut self, reason: HealthReason, at: u64, at_s: f64, out: &mut Vec<FrontEvent>) {
        self.event_until = at + self.event_samples;
        self.event_reason = reason;
        if self.state.0 == HealthState::Ok || self.state.1 != reason {
            let state = self.state.0.max(HealthState::Degraded);
            if self.state.0 != HealthState::Blind {
                self.enter((state, reason), at_s, out);
            }
        }
    }

    fn judge(&self, spoilt_share: f64) -> (HealthState, HealthReason) {
        if self.stuck_since_window {
            (HealthState::Blind, HealthReason::StuckSamples)
        } else if spoilt_share > BLIND {
            (HealthState::Blind, HealthReason::NonFiniteSamples)
        } else if self.clipped_share > BLIND {
            (HealthState::Blind, HealthReason::Clipping)
        } else if spoilt_share > 0.0 {
            (HealthState::Degraded, HealthReason::NonFiniteSamples)
        } else if self.clipped_share > CLIPPING_DEGRADED {
            (HealthState::Degraded, HealthReason::Clipping)
        } else if self.seen < self.event_until {
            (HealthState::Degraded, self.event_reason)
        } else {
            (HealthState::Ok, self.state.1)
        }
    }

    fn enter(&mut self, state: (HealthState, HealthReason), at_s: f64, out: &mut Vec<FrontEvent>) {
        if state != self.state {
            self.state = state;
            out.push(FrontEvent::Health(Health { at_s, state: state.0, reason: state.1 }));
        }
    }

    /// Follows the run of equal samples that the newest sample ends.
    fn watch_run(&mut self, samples: &Samples, from: usize, to: usize) {
        let value = |i: usize| match samples {
            Samples::Cu8(s) => [f32::from(s[i][0]), f32::from(s[i][1])],
            Samples::Ci8(s) => [f32::from(s[i][0]), f32::from(s[i][1])],
            Samples::Ci16(s) => [f32::from(s[i][0]), f32::from(s[i][1])],
            Samples::Cf32(s) => s[i],
        };
        let same = |a: [f32; 2], b: [f32; 2]| a == b || (a[0].is_nan() && b[0].is_nan());
        if to == from {
            return;
        }
        let newest = value(to - 1);
        // Running backwards, a live stream is left after a sample or two.
        let back = (from..to).rev().take_while(|i| same(value(*i), newest)).count() as u64;
        let whole = back == (to - from) as u64;
        self.run = if whole && same(self.last, newest) { self.run + back } else { back };
        self.last = newest;
        self.stuck_since_window = self.run >= self.stuck_samples;
    }
}
