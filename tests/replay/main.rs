//! Recordings and scenes through the whole pipeline: the contract of the events, verdicts on recordings made by
//! others, goldens, and what must not change when the input changes in ways that mean nothing.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

mod ambient;
mod contract;
mod faults;
mod golden;
mod noise;
mod properties;
mod recordings;
mod scene;

use emcon::config;
use emcon::pipeline::{Back, BackParams};
use emcon::policy::{Baseline, Level};

/// The back as it is by default: a confidential meeting in China, nothing learned.
fn back() -> Back {
    back_that_knows(None, 0.0)
}

/// The same, where `baseline` was learned before and the first `learn_s` teach.
fn back_that_knows(baseline: Option<Baseline>, learn_s: f64) -> Back {
    Back::new(BackParams {
        band_plan: config::region("cn").unwrap(),
        signatures: config::signatures().unwrap(),
        level: Level::Confidential,
        baseline,
        learn_s,
        gate: None,
    })
}
