//! A recording as a source: as fast as it can be read, losses known from the start.

use super::{Source, SourceError};
use crate::iq::{IqBlock, Received};
use crate::recording::Recording;

/// Gives the samples of a recording.
pub struct FileSource {
    recording: Recording,
}

impl FileSource {
    /// Reads `recording` from where it is.
    pub fn new(recording: Recording) -> Self {
        Self { recording }
    }

    /// The recording: what it says of itself, and what was lost.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }
}

impl Source for FileSource {
    fn next(&mut self, block: &mut IqBlock) -> Result<Received, SourceError> {
        Ok(self.recording.next(block)?)
    }
}
