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
//! who may import whom.

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
pub mod calendar;
pub mod pipeline;
pub mod plan;
pub mod sweep;
pub mod wire;
pub mod recording;
pub mod clock;
pub mod store;
pub mod ring;
pub mod sdr;
pub mod synth;
pub mod config;
pub mod sensor;
pub mod explain;
pub mod guard;
pub mod notify;
pub mod access;
pub mod app;
pub mod web;
pub mod cli;
