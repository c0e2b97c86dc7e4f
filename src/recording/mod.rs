//! Recordings: SigMF, WAV and raw, read and written.
//!
//! [`Recording`] turns any of them into segments and blocks for the pipeline. Reading is streamed: memory does
//! not grow with the recording, and nothing is allocated by a length that a file claims.

pub mod archive;
mod datatype;
mod error;
pub mod file_name;
mod layout;
mod open;
mod quantity;
pub mod sigmf;
mod sigmf_write;
pub mod wav;

pub use datatype::{ByteOrder, Datatype, DatatypeError};
pub use error::{RecordingError, printable};
pub use layout::{Extent, Layout, LayoutError, SegmentInfo};
pub use open::OpenOptions;
pub use quantity::{MAX_HZ, MIN_RATE_HZ, QuantityError, parse_quantity};
pub use sigmf_write::{Annotation, NewRecording, Setup, SigmfWriter, WriteError};

use crate::iq::{IqBlock, Received, Samples, Segment, Tuning};
use datatype::Decoder;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Samples of a block unless asked otherwise: big enough that a read costs nothing, small enough (512 KiB of
/// 32-bit floats) to stay in a cache of the second level.
pub const BLOCK_SAMPLES: NonZeroUsize = NonZeroUsize::new(65536).expect("65536 is not 0");

/// What a recording says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// As it was asked for; `-` is standard input.
    pub path: String,
    /// The SigMF word of its samples.
    pub datatype: String,
    /// Complex samples a second, in every segment.
    pub sample_rate_hz: f64,
    /// The segments, in order; at least one.
    pub segments: Vec<SegmentInfo>,
    /// End of the last segment on the recording's axis, seconds; None for a stream.
    pub duration_s: Option<f64>,
    /// Whether the times of all segments are on one axis. If not, nothing may be folded in time across a border.
    pub shared_axis: bool,
}

/// A recording that is being read.
pub struct Recording {
    info: Info,
    path: PathBuf,
    datatype: Datatype,
    data: Data,
    decoder: Decoder,
    block_samples: usize,
    at: At,
    samples_read: u64,
    lost_samples: u64,
    warnings: Vec<String>,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("info", &self.info).field("at", &self.at).finish_non_exhaustive()
    }
}

/// Where the samples are.
enum Data {
    /// In a file, from a byte on.
    File { file: File, first_byte: u64 },
    /// In a stream that cannot go back.
    Stream(Box<dyn Read + Send>),
}

impl Data {
    fn reader(&mut self) -> &mut dyn Read {
        match self {
            Self::File { file, .. } => file,
            Self::Stream(stream) => stream,
        }
    }
}

/// How far reading is.
#[derive(Debug, Clone, Copy)]
enum At {
    /// Before segment `next`.
    Edge { next: usize },
    /// In segment `index`, before its sample `first`.
    Inside { index: usize, first: u64 },
    /// Nothing follows.
    End,
}

impl Recording {
    /// Opens `path`: a SigMF recording by either of its files, by their base name or as a `.sigmf` archive; a
    /// two-channel WAV; raw samples; or `-`, raw samples on standard input.
    ///
    /// # Errors
    /// Everything that is wrong before the first sample, see [`RecordingError`].
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, RecordingError> {
        open::open(path, options)
    }

    /// Whether [`Recording::open`] would miss a format or a rate, found out without touching a stream.
    ///
    /// # Errors
    /// Those with the [`RecordingError::exit_status`] of a usage error only.
    pub fn check_usage(path: &Path, options: &OpenOptions) -> Result<(), RecordingError> {
        open::check_usage(path, options)
    }

    /// Raw samples from a stream; `name` stands in messages.
    ///
    /// # Errors
    /// As [`Recording::open`]; waits for the first sample.
    pub fn from_stream(
        stream: impl Read + Send + 'static,
        name: &str,
        options: &OpenOptions,
    ) -> Result<Self, RecordingError> {
        open::stream(Box::new(stream), Path::new(name), &file_name::Hints::default(), options)
    }

    /// Gives blocks of `samples` each, the last of a segment excepted.
    pub fn with_block_samples(mut self, samples: NonZeroUsize) -> Self {
        self.block_samples = samples.get();
        self.decoder = Decoder::new(self.datatype, self.block_samples);
        self
    }

    /// What the recording says of itself.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// An empty block that [`Recording::next`] fills without allocating.
    pub fn new_block(&self) -> IqBlock {
        IqBlock { samples: Samples::with_capacity(self.datatype.format(), self.block_samples), first: 0 }
    }

    /// The next segment, the next samples in `block`, or the end. A block of another format is replaced by one
    /// of the recording's.
    ///
    /// # Errors
    /// [`RecordingError::Unreadable`] if the operating system says so.
    pub fn next(&mut self, block: &mut IqBlock) -> Result<Received, RecordingError> {
        loop {
            match self.at {
                At::Edge { next } => match self.info.segments.get(next) {
                    Some(segment) => {
                        let segment = *segment;
                        self.go_to(segment.first_byte)?;
                        self.at = At::Inside { index: next, first: 0 };
                        return Ok(Received::Segment(self.announce(next, &segment)));
                    }
                    None => self.at = At::End,
                },
                At::Inside { index, first } => {
                    if self.read_block(index, first, block)? {
                        return Ok(Received::Block);
                    }
                }
                At::End => return Ok(Received::End),
            }
        }
    }

    /// Whole samples given so far.
    pub fn samples_read(&self) -> u64 {
        self.samples_read
    }

    /// Samples that the recording claims and does not have; an incomplete one counts. Final at the end.
    pub fn lost_samples(&self) -> u64 {
        self.lost_samples
    }

    /// What deserves a word on standard error, a line each. Complete at the end.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn announce(&self, index: usize, segment: &SegmentInfo) -> Segment {
        Segment {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            tuning: Tuning { rate_hz: self.info.sample_rate_hz, center_hz: segment.center_hz },
            start_s: segment.start_s,
            shared_axis: self.info.shared_axis,
            format: self.datatype.format(),
        }
    }

    fn go_to(&mut self, byte: u64) -> Result<(), RecordingError> {
        match &mut self.data {
            Data::File { file, first_byte } => {
                let seek = file.seek(SeekFrom::Start(first_byte.saturating_add(byte)));
                seek.map(|_| ()).map_err(|source| self.unreadable(source))
            }
            Data::Stream(_) => Ok(()),
        }
    }

    /// Reads on in segment `index`; false if it has no more samples.
    fn read_block(&mut self, index: usize, first: u64, block: &mut IqBlock) -> Result<bool, RecordingError> {
        let left =
            self.info.segments.get(index).and_then(|segment| segment.samples).map(|samples| samples - first);
        let want = left.map_or(self.block_samples, |left| left.min(self.block_samples as u64) as usize);
        if want == 0 {
            self.at = At::Edge { next: index + 1 };
            return Ok(false);
        }
        let read = self.decoder.read(self.data.reader(), want, &mut block.samples);
        let bytes = read.map_err(|source| self.unreadable(source))?;
        let got = block.samples.len() as u64;
        self.at = At::Inside { index, first: first + got };
        if got < want as u64 {
            self.end_early(
                index,
                left.map(|left| left - got),
                !bytes.is_multiple_of(self.datatype.sample_bytes()),
            );
        }
        block.first = first;
        self.samples_read += got;
        Ok(got > 0)
    }

    /// The data end in segment `index`: as a stream does, or because a file became shorter.
    fn end_early(&mut self, index: usize, missing: Option<u64>, cut_sample: bool) {
        self.at = At::End;
        match missing {
            Some(here) => {
                let later = self.info.segments.iter().skip(index + 1).filter_map(|segment| segment.samples);
                let lost = here + later.sum::<u64>();
                self.lost_samples += lost;
                self.warnings.push(format!("became shorter while it was read: {lost} samples are lost"));
            }
            None if cut_sample => {
                self.lost_samples += 1;
                self.warnings.push(CUT_SAMPLE.to_owned());
            }
            None => {}
        }
    }

    fn unreadable(&self, source: std::io::Error) -> RecordingError {
        RecordingError::Unreadable { path: self.path.clone(), source }
    }
}

const CUT_SAMPLE: &str = "ends in the middle of a sample, which is lost";
