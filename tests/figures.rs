//! The measuring itself, tested: figures are worth no more than the yardstick.

// A part of the yardstick that only the long measurements use is no dead code.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../benches/figures/theory.rs"]
mod theory;
