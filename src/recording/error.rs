//! What can be wrong with a recording, in one line each: the path, the fault, and what to do.

use super::archive::ArchiveError;
use super::layout::LayoutError;
use super::sigmf::MetaError;
use super::wav::WavError;
use std::io;
use std::path::PathBuf;

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// Neither the file nor, taken as a base name, its SigMF pair exists.
    #[error("{}: no such file, nor a SigMF recording of that name", path.display())]
    NotFound {
        /// As it was asked for.
        path: PathBuf,
    },
    /// A folder.
    #[error("{}: is a folder; name the recording inside", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refuses.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// A metadata file without its data.
    #[error("{}: its samples are missing: there is no file {}", meta.display(), data.display())]
    DataMissing {
        /// The metadata file.
        meta: PathBuf,
        /// Where its samples should be.
        data: PathBuf,
    },
    /// A data file without its metadata.
    #[error("{}: its metadata are missing: there is no file {}", data.display(), meta.display())]
    MetaMissing {
        /// Where the metadata should be.
        meta: PathBuf,
        /// The data file.
        data: PathBuf,
    },
    /// Not one whole sample.
    #[error("{}: holds not one whole sample", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A SigMF collection.
    #[error("{}: is a collection; name its recordings one by one", path.display())]
    Collection {
        /// The collection.
        path: PathBuf,
    },
    /// The metadata are wrong.
    #[error("{}: {source}", path.display())]
    Meta {
        /// The metadata file.
        path: PathBuf,
        /// What is wrong.
        source: MetaError,
    },
    /// The metadata contradict the data.
    #[error("{}: {source}", path.display())]
    Layout {
        /// The metadata file.
        path: PathBuf,
        /// What is wrong.
        source: LayoutError,
    },
    /// The archive is wrong.
    #[error("{}: {source}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        source: ArchiveError,
    },
    /// The WAV header is wrong.
    #[error("{}: {source}", path.display())]
    Wav {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: WavError,
    },
    /// Raw samples of a format that nothing tells.
    #[error("{}: its sample format is unknown; give --format cu8, cs8, cs16 or cf32", path.display())]
    FormatUnknown {
        /// The file.
        path: PathBuf,
    },
    /// Raw samples at a rate that nothing tells.
    #[error("{}: its sample rate is unknown; give --rate, or name the file like g001_433.92M_250k.cu8", path.display())]
    RateUnknown {
        /// The file.
        path: PathBuf,
    },
    /// An option that is no sample rate or frequency.
    #[error("{option} {value}: out of range; from 1 Hz to 1 THz is possible")]
    OptionRange {
        /// The option's name.
        option: &'static str,
        /// What it was given.
        value: f64,
    },
    /// An option contradicts what the recording says of itself: only reading it can tell, so it is bad data.
    #[error("{}: {option} {given} contradicts the recording, which says {found}; leave the option out", path.display())]
    Conflict {
        /// The file.
        path: PathBuf,
        /// The option's name.
        option: &'static str,
        /// What it was given.
        given: String,
        /// What the recording says.
        found: String,
    },
}

impl RecordingError {
    /// The exit status of a program that ends with this: 2 for usage, 65 for bad data, 66 for input that is not
    /// there or may not be read (BSD `sysexits.h`, `EX_DATAERR` and `EX_NOINPUT`).
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::FormatUnknown { .. } | Self::RateUnknown { .. } | Self::OptionRange { .. } => 2,
            Self::NotFound { .. }
            | Self::Folder { .. }
            | Self::Unreadable { .. }
            | Self::DataMissing { .. }
            | Self::MetaMissing { .. } => 66,
            Self::Conflict { .. }
            | Self::Empty { .. }
            | Self::Collection { .. }
            | Self::Meta { .. }
            | Self::Layout { .. }
            | Self::Archive { .. }
            | Self::Wav { .. } => 65,
        }
    }
}

/// Text from a file as a message may repeat it: on one line, without control characters, not endless.
pub(super) fn one_line(text: &str) -> String {
    const SHOWN_CHARS: usize = 200;
    let mut line: String = text.chars().take(SHOWN_CHARS).flat_map(escaped).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        line.push('…');
    }
    line
}

/// Text that others wrote (a path, a message with one) as it may be shown: on one line, and without power over the
/// terminal.
pub fn printable(text: &str) -> String {
    text.chars().flat_map(escaped).collect()
}

/// Escapes what moves the cursor, ends the line, or reverses it (Unicode bidirectional controls).
fn escaped(c: char) -> impl Iterator<Item = char> {
    let hidden = c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let (escaped, plain) = if hidden { (Some(c.escape_unicode()), None) } else { (None, Some(c)) };
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_files_stays_on_its_line() {
        assert_eq!(one_line("a\nb\u{1b}[2J\u{202e}ü"), "a\\u{a}b\\u{1b}[2J\\u{202e}ü");
        assert_eq!(one_line(&"x".repeat(5000)).chars().count(), 201);
    }
}
