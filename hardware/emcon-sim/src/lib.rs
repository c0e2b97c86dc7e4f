//! The inside of a SoapySDR device module that simulates an RTL-SDR or a HackRF.
//!
//! ```text
//! scene, recording ─► source ─► adc ─► device (timeline, transfers, faults) ─► abi ─► module/*.cpp ─► SoapySDR
//!                                        └──────── faults: verbs, board, control socket
//! ```
//!
//! The C++ in `module/` holds what clients ask a driver about: names, ranges, gain elements. What samples are, when
//! they come and what goes wrong is here. Use is described in `README.md`.

mod abi;
mod adc;
mod args;
mod clock;
mod device;
mod faults;
mod noise;
mod recording;
mod source;
mod timeline;
mod transfers;
