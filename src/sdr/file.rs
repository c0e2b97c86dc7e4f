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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iq::Samples;
    use crate::recording::{Datatype, OpenOptions};

    #[test]
    fn a_source_gives_segment_samples_and_end() {
        let options =
            OpenOptions { format: Some(Datatype::CI8), rate_hz: Some(1e6), center_hz: Some(2.45e9) };
        let recording = Recording::from_stream(&[1u8, 0xff, 3, 4, 5][..], "-", &options).expect("a stream");
        let mut source: Box<dyn Source> = Box::new(FileSource::new(recording));
        let mut block = IqBlock { samples: Samples::Cf32(Vec::new()), first: 9 };
        let Ok(Received::Segment(segment)) = source.next(&mut block) else { panic!("no segment") };
        assert_eq!((segment.tuning.center_hz, segment.start_s), (Some(2.45e9), 0.0));
        assert!(matches!(source.next(&mut block), Ok(Received::Block)));
        assert_eq!(block, IqBlock { samples: Samples::Ci8(vec![[1, -1], [3, 4]]), first: 0 });
        assert!(matches!(source.next(&mut block), Ok(Received::End)));
    }
}
