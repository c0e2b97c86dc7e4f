//! Where samples come from: a recording is a [`Source`], a receiver that can be tuned a [`Receiver`], of which a
//! [`ReceiverProfile`] says what its kind can do.

mod file;
mod profile;
mod receiver;
pub mod soapy;

pub use file::FileSource;
pub use profile::{GainSetting, ReceiverProfile};
pub use receiver::{Facts, Read, Receiver, ReceiverError};

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
