//! Which repetitions to look for in which bandwidth, the likeliest first.

use super::Features;
use super::lags::{Correlation, Correlator, Stretch, carrier_hz};

/// Looks for prefixes, preambles and codes.
pub struct Repetition {
    correlator: Correlator,
}

impl Repetition {
    /// With its memory.
    pub fn new() -> Self {
        Self { correlator: Correlator::new() }
    }

    /// Fills in the lags that can apply to a burst `width` hertz wide, centred at `center_hz` from the tuning.
    pub fn measure(
        &mut self,
        all: &Stretch,
        width: f64,
        constant: bool,
        center_hz: f64,
        features: &mut Features,
    ) {
        let most = |seconds: f64| ((seconds * all.rate_hz) as usize).max(64);
        let short =
            |seconds: f64| Stretch { samples: &all.samples[..all.samples.len().min(most(seconds))], ..*all };
        let lag = |found: Option<Correlation>| found.map(|c| c.lag);
        let mut carrier = None;
        let mut note = |found: Option<Correlation>, lag_s: f64| {
            if let Some(c) = found.filter(|c| c.lag.stands()) {
                carrier = Some((c, lag_s));
            }
        };
        if (1.2e6..5e6).contains(&width) {
            // Eight symbols of 16 µs, of which seven repeat; six are asked for because the start is uncertain.
            features.lag_16u = lag(self.correlator.preamble(all, 16e-6, 96e-6, 118e-6));
        }
        if constant && width < 5e6 {
            return;
        }
        let mut wifi = false;
        if width >= 5e6 {
            // Ten repetitions of 0.8 µs (17.3.3).
            features.lag_0u8 = lag(self.correlator.preamble(all, 0.8e-6, 6.0e-6, 8.5e-6));
            let found = self.correlator.prefix(&short(200e-6), 3.2e-6, &[(4.0e-6, 0.8e-6), (3.6e-6, 0.4e-6)]);
            note(found, 3.2e-6);
            features.lag_3u2 = lag(found);
            wifi = features.lag_3u2.is_some_and(|l| l.stands());
            features.lag_1u = lag(self.correlator.code(all, 1e-6, 144e-6));
            if !wifi {
                let guards = [(13.6e-6, 0.8e-6), (14.4e-6, 1.6e-6), (16.0e-6, 3.2e-6)];
                let found = self.correlator.prefix(&short(400e-6), 12.8e-6, &guards);
                note(found, 12.8e-6);
                features.lag_12u8 = lag(found);
                wifi = features.lag_12u8.is_some_and(|l| l.stands());
            }
        }
        if !wifi && (150e3..25e6).contains(&width) {
            // Seven symbols fill half a millisecond; their prefixes of 160 and 144 samples at 30.72 MS/s wander by
            // half a microsecond about the mean period (TS 36.211 table 5.6-1).
            let found = self.correlator.prefix(all, 1.0 / 15e3, &[(0.5e-3 / 7.0, 4.69e-6)]);
            note(found, 1.0 / 15e3);
            features.lag_66u7 = lag(found);
            let found = self.correlator.prefix(all, 1.0 / 30e3, &[(0.5e-3 / 14.0, 2.34e-6)]);
            note(found, 1.0 / 30e3);
            features.lag_33u3 = lag(found);
        }
        if let Some((c, lag_s)) = carrier {
            let step = 1.0 / lag_s;
            features.carrier_hz = Some((center_hz + carrier_hz(c.angle, lag_s)).rem_euclid(step) as f32);
            features.carrier_step_hz = Some(step as f32);
        }
    }
}
