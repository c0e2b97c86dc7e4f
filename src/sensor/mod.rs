//! The sensor process: one receiver, captured and looked at; and how the room side keeps it alive.
//!
//! ```text
//! capture thread                      looking thread                 writing thread
//! receiver ─► settle, loss ─► ring ─► plausible ─► Front ─► events ─► frames ═══════► room: Supervisor
//!        ▲ scheduler                    └ history of raw samples         ◄══ suspicions, quit
//! ```
//!
//! The sensor has no network; the room has no USB. Whatever happens in a driver (hangs, crashes, silence that it
//! calls success) happens to the sensor alone; the room sees by the data that it happened, says so and starts it
//! again.

mod capture;
mod floors;
mod look;
mod pace;
mod plausible;
mod process;
mod room;
mod settle;
mod shared;
mod watch;
mod write;

pub use process::{SenseEnd, SenseParams, run as sense};
pub use room::{News, Room, SensorCommand};
pub use watch::Fault;
