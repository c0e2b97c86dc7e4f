//! Reference waveforms in, features out: each against theory, tolerances named.

mod signals;
mod look;
