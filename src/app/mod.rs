//! The composition root: recordings through the pipeline, and plans, to what people and programs read.

pub mod attached;
pub mod baseline_file;
pub mod calendars;
pub mod configured;
pub mod doctor;
pub mod hub;
pub mod live;
pub mod ndjson;
pub mod plan;
pub mod receiver;
pub mod record;
pub mod replay;
pub mod report;
pub mod scan;
pub mod service;
pub mod table;
pub mod tiles;
pub mod waterfall;
