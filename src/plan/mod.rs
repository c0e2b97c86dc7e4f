//! The scan plan: from a band plan, what must be covered and what the receivers can do, to tunings, dwells,
//! revisits, and what that gives: probability of intercept and time to it.

mod ability;
mod build;
mod coverage;
mod emitter;
mod forecast;
mod random;
mod share;
mod stretch;
mod tile;
mod value;

pub use ability::ReceiverAbility;
pub use build::{PlanError, Request, SETTLE_MAX_S, reach, scan_plan};
pub use coverage::{Cover, Extent, required};
pub use emitter::{EmitterModel, Pattern, Phase, SHORTEST_SEEN_S, Whereabouts};
pub use forecast::{Forecast, Times, forecast};
pub use random::Random;
pub use share::{LOOK_MAX_S, LOOK_MIN_S};
pub use value::{Band, Loop, ReceiverPlan, ScanPlan, Tuning, Unseen};

/// What a dwell is varied by around its planned length, as a share of it: with the shuffled order, what keeps a
/// sweep from falling in step with an emitter (Kelly, Noone and Perkins, "Synchronization effects on probability of
/// intercept", IEEE Trans. AES 32, 1996).
pub const DWELL_JITTER: f64 = 0.1;

/// Share of a visit's period that its place in it is drawn from. A half keeps the longest gap within one and a half
/// periods, and still moves visits by far more than the period of anything that advertises.
pub const PLACE_JITTER: f64 = 0.5;

/// Largest share of a receiver's time for confirming, over any [`CONFIRM_WINDOW_S`].
pub const CONFIRM_SHARE: f64 = 0.2;

/// Time that the share for confirming is measured over, seconds: a fifth of it holds the longest stare.
pub const CONFIRM_WINDOW_S: f64 = 10.0;
