//! Reference waveforms in, features out: each against an oracle, tolerances named.

mod look;
mod signals;
