//! What is said of a recording as a whole, and where it is said.

use crate::pipeline::Output;
use std::io;

/// What a recording says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingReport {
    /// Its place on the command line, from 1.
    pub number: u32,
    /// As given on the command line.
    pub path: String,
    /// SigMF's word for the sample format.
    pub datatype: String,
    /// Complex samples a second.
    pub sample_rate_hz: f64,
    /// Frequencies of the middle, each once, in order of use; empty if unknown.
    pub centers_hz: Vec<f64>,
    /// Length of the time axis, seconds; `None` if it is not known beforehand.
    pub duration_s: Option<f64>,
    /// Number of segments.
    pub segments: usize,
    /// Date of the first sample, if known.
    pub epoch: Option<jiff::Timestamp>,
}

/// What a recording came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Length of the time axis, seconds.
    pub duration_s: f64,
    /// Samples analysed.
    pub samples: u64,
    /// Samples that should have been there and were not.
    pub lost_samples: u64,
    /// Emitters, those merged into others not counted.
    pub emitters: u64,
    /// Alerts raised, those of merged emitters not counted.
    pub alerts: u64,
    /// How long the receiver was blind, seconds.
    pub blind_s: f64,
}

impl Summary {
    /// Whether the receiver was blind for more than half of the time.
    pub fn mostly_blind(&self) -> bool {
        self.blind_s > self.duration_s / 2.0
    }
}

/// Someone who is told of recordings one after the other.
pub trait Sink {
    /// A recording begins.
    ///
    /// # Errors
    /// As the writer beneath.
    fn recording(&mut self, report: &RecordingReport) -> io::Result<()>;

    /// The pipeline says something.
    ///
    /// # Errors
    /// As the writer beneath.
    fn output(&mut self, output: &Output) -> io::Result<()>;

    /// The recording is over.
    ///
    /// # Errors
    /// As the writer beneath.
    fn summary(&mut self, summary: &Summary) -> io::Result<()>;

    /// What was said may be waited for: it must leave now.
    ///
    /// # Errors
    /// As the writer beneath.
    fn flush(&mut self) -> io::Result<()>;
}
