//! Models of what devices emit while nobody thinks of them, and the probability that one visit meets it.
//!
//! The rows are in `config/coverage.toml`. A model is a chain of phases that comes now and then, or one that never
//! ends; what a visit meets follows from the pattern of its bursts by the formulas for two windows of which one is
//! periodic (Richards, "Probability of coincidence for two periodically recurring events", 1948; Self and Smith,
//! "Intercept time and its prediction", 1985).

use crate::bandplan::{Allocation, Direction, Service};
use crate::classify::Device;
use serde::Deserialize;

/// Shortest stretch of a burst that is taken for one, seconds: some frames of the spectrum at any rate.
pub const SHORTEST_SEEN_S: f64 = 1e-4;

/// Bursts, and what is between them.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Pattern {
    /// A carrier.
    Continuous,
    /// A burst in every period.
    Periodic {
        /// Length of a burst, seconds.
        on_s: f64,
        /// From start to start, seconds.
        period_s: f64,
        /// Uniform in 0 to this, added to each period.
        #[serde(default)]
        jitter_s: f64,
    },
    /// Bursts at random.
    Random {
        /// Length of a burst, seconds.
        on_s: f64,
        /// Mean number a second.
        rate_hz: f64,
    },
    /// A burst in every period, each on a channel drawn from the whole band.
    Hopping {
        /// Length of a burst, seconds.
        on_s: f64,
        /// From start to start, seconds.
        period_s: f64,
    },
    /// Channel after channel across the band, some bursts at random times on each.
    Scan {
        /// Length of a burst, seconds.
        on_s: f64,
        /// Channels from the lower to the upper edge.
        channels: u32,
        /// Bursts on each channel.
        bursts: u32,
    },
}

/// A stretch of one pattern.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Uniform between these, seconds.
    pub lasts_s: [f64; 2],
    /// What is sent meanwhile.
    pub pattern: Pattern,
}

/// Where an emitter may be found.
#[derive(Debug, Clone, PartialEq)]
pub struct Whereabouts {
    /// In allocations of this service,
    pub service: Service,
    /// of this direction, where it matters,
    pub direction: Option<Direction>,
    /// of names that contain one of these, where it matters,
    pub named: Vec<String>,
    /// or here in regions that have none of these, lower and upper edge, hertz;
    pub else_hz: Option<[f64; 2]>,
    /// on all of these frequencies at once, where they are fixed, hertz.
    pub at_hz: Vec<f64>,
}

impl Whereabouts {
    /// Whether an allocation is one of its bands.
    pub fn holds(&self, allocation: &Allocation) -> bool {
        allocation.service == self.service
            && self.direction.is_none_or(|direction| direction == allocation.direction)
            && (self.named.is_empty() || self.named.iter().any(|name| allocation.name.contains(name)))
    }
}

/// One kind of emitter.
#[derive(Debug, Clone, PartialEq)]
pub struct EmitterModel {
    /// "BLE advertiser, 1 s".
    pub name: String,
    /// What it is.
    pub device: Device,
    /// Where it is.
    pub place: Whereabouts,
    /// Occupied bandwidth, of one hop where it hops, hertz.
    pub width_hz: f64,
    /// Mean of the exponential silence before each chain of phases, seconds; none if the first phase never ends.
    pub every_s: Option<f64>,
    /// What it sends, phase after phase.
    pub phases: Vec<Phase>,
    /// How much its delay counts when time is shared out.
    pub weight: f64,
}

impl Pattern {
    /// Probability that a visit which looks for `look_s` meets a burst, while the pattern runs; `seen_share` of the
    /// band is visible in it.
    pub fn intercept(&self, look_s: f64, seen_share: f64) -> f64 {
        // A burst counts if at least the shortest stretch of it is inside.
        let reach = |on_s: f64| {
            if on_s.min(look_s) < SHORTEST_SEEN_S { 0.0 } else { look_s + on_s - 2.0 * SHORTEST_SEEN_S }
        };
        match *self {
            Self::Continuous => f64::from(u8::from(look_s >= SHORTEST_SEEN_S)),
            Self::Periodic { on_s, period_s, jitter_s } => {
                (reach(on_s) / (period_s + jitter_s / 2.0)).min(1.0)
            }
            Self::Random { on_s, rate_hz } => 1.0 - (-rate_hz * reach(on_s)).exp(),
            Self::Hopping { on_s, period_s } => 1.0 - (1.0 - seen_share).powf(reach(on_s) / period_s),
            // While it is on channels that are visible; which is decided by when.
            Self::Scan { .. } => 0.0,
        }
    }
}

impl EmitterModel {
    /// Whether its bursts are all over its band.
    pub fn hops(&self) -> bool {
        self.phases.iter().any(|p| matches!(p.pattern, Pattern::Hopping { .. } | Pattern::Scan { .. }))
    }

    /// Mean length of a chain of phases, seconds.
    pub fn active_s(&self) -> f64 {
        self.phases.iter().map(|phase| (phase.lasts_s[0] + phase.lasts_s[1]) / 2.0).sum()
    }

    /// Intercepts by one visit of `look_s` while the emitter is active, averaged over its phases by their length.
    pub fn intercept(&self, look_s: f64, seen_share: f64) -> f64 {
        let active_s = self.active_s();
        let each = self.phases.iter().map(|phase| {
            let mean_s = (phase.lasts_s[0] + phase.lasts_s[1]) / 2.0;
            let share = if active_s > 0.0 { mean_s / active_s } else { 1.0 };
            let met = match phase.pattern {
                Pattern::Scan { on_s, bursts, .. } => {
                    let rate_hz = f64::from(bursts) * self.channels_seen(seen_share) / mean_s;
                    Pattern::Random { on_s, rate_hz }.intercept(look_s, 1.0)
                }
                pattern => pattern.intercept(look_s, seen_share),
            };
            share * met
        });
        each.sum()
    }

    /// Channels of a scan that a visit sees.
    fn channels_seen(&self, seen_share: f64) -> f64 {
        let channels = self.phases.iter().map(|phase| match phase.pattern {
            Pattern::Scan { channels, .. } => f64::from(channels),
            _ => 0.0,
        });
        seen_share * channels.fold(0.0, f64::max)
    }
}
