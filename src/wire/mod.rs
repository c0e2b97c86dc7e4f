//! What the sensor and the room say to each other, as bytes: versioned, bounded, the same on every machine.
//!
//! A stream begins with [`preamble`]: a magic word and [`VERSION`]. Frames follow: four bytes of length (little
//! endian, at most [`FRAME_MAX`]), then one message in postcard's format (varints, floats as their bits, no names).
//! Both ends are one build; another version is refused with a sentence, never guessed at.

mod counts;
mod event;
mod frame;
mod message;

pub use counts::Counts;
pub use event::{DecodeError, decode, encode};
pub use frame::{FrameError, Frames, frame, preamble};
pub use message::{Denial, EvidenceAsk, FromSensor, Hello, ToSensor, Trouble};

/// Changes whenever a message, or anything in one, changes.
pub const VERSION: u16 = 4;

/// Longest message, bytes: a plan of two thousand tunings.
pub const FRAME_MAX: usize = 256 * 1024;
