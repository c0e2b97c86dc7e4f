//! emcon guards a meeting room's ban on wireless devices: IQ samples in; emitters, alerts and reasons out.
//!
//! Data flows downstream, imports point upstream. In order of the flow:
//!
//! ```text
//! iq ─► spectrum ─► detect ─► measure ══ FrontEvent ══► track ─► classify ─► policy ─► alert
//!       └────────────── pipeline::Front ──────────────┘ └────────── pipeline::Back ─────────┘
//! recording ─► sdr ─►┘                                                          └─► explain · app · cli
//! ```
//!
//! The middle is pure: no files, no threads, no clock, no logging. `tests/architecture/` holds the table of
//! who may import whom. Without the feature `room` the modules of a room, and the libraries that only they need, are left
//! out: whoever makes or reads samples needs none of them.

pub mod units;
pub mod iq;
pub mod bandplan;
pub mod spectrum;
pub mod detect;
pub mod measure;
pub mod track;
pub mod classify;
pub mod policy;
pub mod alert;
#[cfg(feature = "room")]
pub mod calendar;
pub mod pipeline;
pub mod plan;
pub mod sweep;
pub mod wire;
pub mod recording;
pub mod clock;
#[cfg(feature = "room")]
pub mod store;
pub mod ring;
pub mod sdr;
pub mod synth;
#[cfg(feature = "room")]
pub mod config;
pub mod sensor;
pub mod explain;
pub mod guard;
#[cfg(feature = "room")]
pub mod notify;
#[cfg(feature = "room")]
pub mod access;
#[cfg(feature = "room")]
pub mod app;
#[cfg(feature = "room")]
pub mod web;
#[cfg(feature = "room")]
pub mod cli;
