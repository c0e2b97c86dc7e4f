//! The scheduler: which tuning next. Runs a plan, spends a bounded share on confirming, keeps the coverage ledger.
//!
//! Each superframe visits every tuning as often as the plan says, in an order drawn anew: a visit's place is drawn
//! within the second half of its period's width, so that no gap exceeds one and a half periods and no emitter can stay
//! in step. Time comes in as an argument, randomness from the seed; after construction nothing is allocated.

mod confirm;
mod ledger;
mod scheduler;
mod value;

pub use ledger::{BandCoverage, Ledger};
pub use scheduler::{CLIPPED_SHARE, Scheduler};
pub use value::{Dwell, Look, Purpose, Suspicion, Want};
