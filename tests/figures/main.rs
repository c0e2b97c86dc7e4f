//! The measuring itself, tested: figures are worth no more than the yardstick.

// What only the long measurements use is no dead code, and a helper that fails fails its test.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../benches/figures/ledger.rs"]
mod ledger;
#[path = "../../benches/figures/scenarios/mod.rs"]
mod scenarios;
#[path = "../../benches/figures/theory.rs"]
mod theory;

mod ledger_test;
mod scenarios_test;
mod theory_test;
