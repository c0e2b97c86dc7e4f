//! The composition root: recordings through the pipeline to what people and programs read.

pub mod baseline_file;
pub mod live;
pub mod ndjson;
pub mod receiver;
pub mod replay;
pub mod report;
pub mod table;
pub mod waterfall;
