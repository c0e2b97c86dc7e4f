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
//! The middle is pure: no files, no threads, no clock, no logging. `tests/architecture.rs` holds the table of
//! who may import whom.

pub mod alert;
pub mod app;
pub mod bandplan;
pub mod classify;
pub mod cli;
pub mod config;
pub mod detect;
pub mod explain;
pub mod iq;
pub mod measure;
pub mod pipeline;
pub mod policy;
pub mod recording;
pub mod sdr;
pub mod spectrum;
pub mod synth;
pub mod track;
pub mod units;
pub mod wire;
