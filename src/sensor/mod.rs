//! The sensor process: one receiver, captured and looked at; and how the room side keeps it alive.
//!
//! ```text
//! capture thread                      looking thread                 writing thread
//! receiver ─► settle, loss ─► ring ─► plausible ─► Front ─► events ─► frames ═══════► room: Supervisor
//!        ▲ scheduler                    └ history of raw samples         ◄══ suspicions, asks for evidence, quit
//!                                           └ on loan ─► evidence ─► pictures ═╝
//! ```
//!
//! Recording and measuring listen without a detector: [`Listening`].
//!
//! The sensor has no network; the room has no USB. Whatever happens in a driver (hangs, crashes, silence that it
//! calls success) happens to the sensor alone; the room sees by the data that it happened, says so and starts it
//! again.

mod capture;
mod evidence;
mod floors;
mod likeness;
mod listen;
mod look;
mod pace;
mod plausible;
mod process;
mod room;
mod rows;
mod settle;
mod shared;
mod watch;
mod write;

pub use capture::{Axis, Capture, CaptureParams, Ended};
pub use listen::{Heard, ListenError, ListenParams, Listening, Told, Visit, Visits};
pub use plausible::{Implausible, Plausible};
pub use process::{SenseEnd, SenseParams, run as sense};
pub use room::{News, NoEvidence, Room, SensorCommand};
pub use settle::Settle;
pub use shared::Shared;
pub use watch::Fault;
