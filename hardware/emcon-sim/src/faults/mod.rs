//! Faults while the radio runs: what they are called, which are in force, and how they are told.

mod board;
mod socket;
mod verb;

pub use board::{Board, Faults, board};
pub use verb::Kind;
