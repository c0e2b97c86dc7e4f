//! Levels, bans and the ambient baseline.

mod baseline;
mod gate;
mod level;
mod occupied;

pub use baseline::{Baseline, Known, LEVEL_TOLERANCE_DB, Match, Sighting};
pub use gate::{Gate, Location, ROOM_M};
pub use level::{Level, Policies, Policy};
pub use occupied::Occupied;
