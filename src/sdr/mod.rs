//! Where samples come from: a recording now; a receiver is another [`Source`]. And what kinds of receiver there are.

mod file;
mod profile;

pub use file::FileSource;
pub use profile::{GainSetting, ReceiverProfile};

use crate::iq::{IqBlock, Received};
use crate::recording::RecordingError;

/// A stream of samples.
pub trait Source {
    /// The next segment, samples (in `block`, whose memory is reused) or gap, or the end. A lost sample is a
    /// value, not an error.
    ///
    /// # Errors
    /// A [`SourceError`] if nothing more can come although the stream has not ended.
    fn next(&mut self, block: &mut IqBlock) -> Result<Received, SourceError>;
}

/// Why a source gives nothing more.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A recording cannot be read on.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}
