//! From a tracked emitter to the name of its signal and device, with reasons.
//!
//! Signatures are data (`config/signatures.toml`): limits on features, each with its source. At least two
//! independent features beside the band name a signal; otherwise it stays [`Signal::Unknown`]: a wrong name is
//! worse than none.

mod direction;
mod evaluate;
mod print;
mod signature;
mod value;
mod words;

pub use evaluate::{Check, Judge, Outcome, Tested, Verdict};
pub use signature::{Feature, Group, Means, Raster, Role, Signature, Test};
pub use value::Value;
pub use words::{Device, Signal};
