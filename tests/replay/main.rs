//! Recordings and scenes through the whole pipeline: the contract of the events, verdicts on recordings made by
//! others, goldens, and what must not change when the input changes in ways that mean nothing.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

mod contract;
mod faults;
mod golden;
mod noise;
mod properties;
mod recordings;
