//! The composition root: recordings through the pipeline, and plans, to what people and programs read.

pub mod baseline_file;
pub mod live;
pub mod ndjson;
pub mod plan;
pub mod receiver;
pub mod replay;
pub mod report;
pub mod table;
pub mod waterfall;
