//! From a path to a [`Recording`]: which kind of file it is, what it says, and what the options add.

use super::archive;
use super::datatype::{Datatype, Decoder, read_full};
use super::error::RecordingError;
use super::file_name::{self, Hints};
use super::layout::{Extent, Layout, LayoutError};
use super::quantity::{MAX_HZ, MIN_RATE_HZ};
use super::sigmf::{self, Meta, MetaError};
use super::wav::{self, WavError};
use super::{At, BLOCK_SAMPLES, CUT_SAMPLE, Data, Info, Recording};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What the command line says of recordings.
///
/// For raw samples an option wins over the file's name. What SigMF metadata or a WAV header say cannot be
/// overruled: the same again is accepted, another value is a [`RecordingError::Conflict`]; what they leave open an
/// option fills in.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OpenOptions {
    /// How samples are stored.
    pub format: Option<Datatype>,
    /// Complex samples a second.
    pub rate_hz: Option<f64>,
    /// Radio frequency at the middle of the span.
    pub center_hz: Option<f64>,
}

impl OpenOptions {
    /// Refuses what no recording can have.
    fn check(&self) -> Result<(), RecordingError> {
        for (option, value) in [("--rate", self.rate_hz), ("--freq", self.center_hz)] {
            if let Some(value) = value.filter(|value| !(MIN_RATE_HZ..=MAX_HZ).contains(value)) {
                return Err(RecordingError::OptionRange { option, value });
            }
        }
        Ok(())
    }
}

pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Recording, RecordingError> {
    options.check()?;
    match Kind::of(path, options)? {
        Kind::Stdin => stream(Box::new(io::stdin()), path, &Hints::default(), options),
        Kind::Sigmf { meta } => sigmf(path, &meta, options),
        Kind::Archive { archive } => sigmf_archive(path, &archive, options),
        Kind::Wav => wav(path, options),
        Kind::Raw => raw(path, options),
    }
}

pub(super) fn check_usage(path: &Path, options: &OpenOptions) -> Result<(), RecordingError> {
    options.check()?;
    let hints = match Kind::of(path, options) {
        Ok(Kind::Stdin) => Hints::default(),
        Ok(Kind::Raw) => hints_of(path),
        // The others bring format and rate along, or fail for another reason.
        _ => return Ok(()),
    };
    raw_format(path, &hints, options).map(|_| ())
}

/// What a path stands for.
enum Kind {
    Stdin,
    Sigmf { meta: PathBuf },
    Archive { archive: PathBuf },
    Wav,
    Raw,
}

impl Kind {
    fn of(path: &Path, options: &OpenOptions) -> Result<Self, RecordingError> {
        if path == Path::new("-") {
            return Ok(Self::Stdin);
        }
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        let there = path.try_exists().map_err(|source| unreadable(path, source))?;
        match (ending.as_str(), there) {
            ("sigmf-meta", _) => Self::of_meta(path.to_owned(), path),
            ("sigmf-data", true)
                if options.format.is_some() && !path.with_extension("sigmf-meta").exists() =>
            {
                Ok(Self::Raw)
            }
            ("sigmf-data", _) => Self::of_meta(path.with_extension("sigmf-meta"), path),
            ("sigmf-collection", true) => Err(RecordingError::Collection { path: path.to_owned() }),
            ("sigmf", true) if path.is_file() => Ok(Self::Archive { archive: path.to_owned() }),
            ("wav" | "wave" | "rf64", true) => Ok(Self::Wav),
            (_, true) if !path.is_dir() => Ok(Self::Raw),
            _ => Self::of_base(path),
        }
    }

    fn of_meta(meta: PathBuf, path: &Path) -> Result<Self, RecordingError> {
        let data = meta.with_extension("sigmf-data");
        match (meta.exists(), data.exists()) {
            (true, _) => Ok(Self::Sigmf { meta }),
            (false, true) => Err(RecordingError::MetaMissing { meta, data }),
            (false, false) => Err(RecordingError::NotFound { path: path.to_owned() }),
        }
    }

    /// `path` is no file: is it the base name of some?
    fn of_base(path: &Path) -> Result<Self, RecordingError> {
        // `.`, `..` and `/` are names of nothing that an ending could be added to.
        if path.file_name().is_none() && path.is_dir() {
            return Err(RecordingError::Folder { path: path.to_owned() });
        }
        let archive = with_suffix(path, ".sigmf");
        match Self::of_meta(with_suffix(path, ".sigmf-meta"), path) {
            Err(RecordingError::NotFound { .. }) if archive.is_file() => Ok(Self::Archive { archive }),
            Err(RecordingError::NotFound { .. }) if path.is_dir() => {
                Err(RecordingError::Folder { path: path.to_owned() })
            }
            kind => kind,
        }
    }
}

/// `path` with more behind its name; a slash at its end is no part of the name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

fn sigmf(path: &Path, meta_path: &Path, options: &OpenOptions) -> Result<Recording, RecordingError> {
    let (meta_file, _) = open_file(meta_path)?;
    let meta = sigmf::read(meta_file).map_err(|source| meta_error(meta_path, source))?;
    let data_path = match &meta.dataset {
        Some(name) => meta_path.with_file_name(name),
        None => meta_path.with_extension("sigmf-data"),
    };
    if !data_path.exists() {
        return Err(RecordingError::DataMissing { meta: meta_path.to_owned(), data: data_path });
    }
    let (file, bytes) = open_file(&data_path)?;
    let data = Data::File { file, first_byte: 0 };
    sigmf_recording(
        Names { path, meta: meta_path, data: &data_path },
        &meta,
        data,
        Bytes { claimed: bytes, there: bytes },
        options,
    )
}

fn sigmf_archive(path: &Path, archive: &Path, options: &OpenOptions) -> Result<Recording, RecordingError> {
    let (mut file, length) = open_file(archive)?;
    let pair = archive::find(&mut file, length)
        .map_err(|source| RecordingError::Archive { path: archive.to_owned(), source })?;
    file.seek(SeekFrom::Start(pair.meta.first_byte)).map_err(|source| unreadable(archive, source))?;
    let meta =
        sigmf::read((&mut file).take(pair.meta.bytes)).map_err(|source| meta_error(archive, source))?;
    let there = length.saturating_sub(pair.data.first_byte).min(pair.data.bytes);
    let bytes = Bytes { claimed: pair.data.bytes, there };
    let data = Data::File { file, first_byte: pair.data.first_byte };
    sigmf_recording(Names { path, meta: archive, data: archive }, &meta, data, bytes, options)
}

/// The names that messages about a SigMF recording need.
struct Names<'a> {
    path: &'a Path,
    meta: &'a Path,
    data: &'a Path,
}

/// How many bytes of data there should be and are.
#[derive(Clone, Copy)]
struct Bytes {
    claimed: u64,
    there: u64,
}

fn sigmf_recording(
    names: Names<'_>,
    meta: &Meta,
    data: Data,
    bytes: Bytes,
    options: &OpenOptions,
) -> Result<Recording, RecordingError> {
    agree(names.meta, "--format", options.format, Some(meta.datatype))?;
    let rate_hz = agree(names.meta, "--rate", options.rate_hz, meta.sample_rate_hz)?
        .ok_or_else(|| meta_error(names.meta, MetaError::RateMissing))?;
    let extent = Extent { bytes: bytes.claimed, rate_hz };
    let mut layout = Layout::of_sigmf(meta, extent).map_err(|source| match source {
        LayoutError::Empty => RecordingError::Empty { path: names.data.to_owned() },
        source => RecordingError::Layout { path: names.meta.to_owned(), source },
    })?;
    layout.cut(bytes.there, meta.datatype.sample_bytes());
    if layout.segments.is_empty() {
        return Err(RecordingError::Empty { path: names.data.to_owned() });
    }
    for segment in &mut layout.segments {
        segment.center_hz = agree(names.meta, "--freq", options.center_hz, segment.center_hz)?;
    }
    let headers: u64 = meta.captures.iter().map(|capture| capture.header_bytes).sum();
    let claimed = bytes.claimed - headers - meta.trailing_bytes;
    let lost = lost_samples(claimed, meta.datatype, layout.samples());
    Ok(recording(names.path, names.data, meta.datatype, rate_hz, data, layout, lost))
}

fn wav(path: &Path, options: &OpenOptions) -> Result<Recording, RecordingError> {
    let (mut file, length) = open_file(path)?;
    let wav = wav::read(&mut file, length).map_err(|source| match source {
        WavError::Read(source) => unreadable(path, source),
        source => RecordingError::Wav { path: path.to_owned(), source },
    })?;
    let hints = hints_of(path);
    agree(path, "--format", options.format.map(Word), Some(Word(wav.datatype)))?;
    agree(path, "--rate", options.rate_hz, Some(wav.rate_hz))?;
    let center_hz = agree(path, "--freq", options.center_hz, wav.center_hz)?.or(hints.center_hz);
    let samples = wav.bytes / wav.datatype.sample_bytes();
    if samples == 0 {
        return Err(RecordingError::Empty { path: path.to_owned() });
    }
    let mut layout = Layout::single(wav.first_byte, Some(samples), center_hz, wav.utc.or(hints.utc));
    layout.warnings = wav.warnings;
    let lost = lost_samples(wav.claimed_bytes.unwrap_or(wav.bytes), wav.datatype, samples);
    let data = Data::File { file, first_byte: 0 };
    Ok(recording(path, path, wav.datatype, wav.rate_hz, data, layout, lost))
}

fn raw(path: &Path, options: &OpenOptions) -> Result<Recording, RecordingError> {
    let hints = hints_of(path);
    let attributes = fs::metadata(path).map_err(|source| unreadable(path, source))?;
    if !attributes.is_file() {
        // A pipe or device.
        let file = File::open(path).map_err(|source| unreadable(path, source))?;
        return stream(Box::new(file), path, &hints, options);
    }
    let (datatype, rate_hz) = raw_format(path, &hints, options)?;
    let (file, length) = open_file(path)?;
    let samples = length / datatype.sample_bytes();
    if samples == 0 {
        return Err(RecordingError::Empty { path: path.to_owned() });
    }
    let layout = Layout::single(0, Some(samples), options.center_hz.or(hints.center_hz), hints.utc);
    let lost = lost_samples(length, datatype, samples);
    Ok(recording(path, path, datatype, rate_hz, Data::File { file, first_byte: 0 }, layout, lost))
}

pub(super) fn stream(
    mut stream: Box<dyn Read + Send>,
    path: &Path,
    hints: &Hints,
    options: &OpenOptions,
) -> Result<Recording, RecordingError> {
    options.check()?;
    let (datatype, rate_hz) = raw_format(path, hints, options)?;
    let mut first = vec![0; datatype.sample_bytes() as usize];
    let filled = read_full(&mut stream, &mut first).map_err(|source| unreadable(path, source))?;
    if filled < first.len() {
        return Err(RecordingError::Empty { path: path.to_owned() });
    }
    let data = Data::Stream(Box::new(Cursor::new(first).chain(stream)));
    let layout = Layout::single(0, None, options.center_hz.or(hints.center_hz), hints.utc);
    Ok(recording(path, path, datatype, rate_hz, data, layout, 0))
}

/// Format and rate of raw samples: from options, else from the file's name.
fn raw_format(path: &Path, hints: &Hints, options: &OpenOptions) -> Result<(Datatype, f64), RecordingError> {
    let format = options.format.or(hints.datatype);
    let datatype = format.ok_or_else(|| RecordingError::FormatUnknown { path: path.to_owned() })?;
    let rate = options.rate_hz.or(hints.rate_hz);
    let rate_hz = rate.ok_or_else(|| RecordingError::RateUnknown { path: path.to_owned() })?;
    Ok((datatype, rate_hz))
}

/// Samples in `claimed` bytes, an incomplete one too, that are not among the `whole` ones.
fn lost_samples(claimed: u64, datatype: Datatype, whole: u64) -> u64 {
    claimed.div_ceil(datatype.sample_bytes()).saturating_sub(whole)
}

fn recording(
    path: &Path,
    data_path: &Path,
    datatype: Datatype,
    rate_hz: f64,
    data: Data,
    layout: Layout,
    lost_samples: u64,
) -> Recording {
    let duration_s = layout.duration_s(rate_hz);
    let mut warnings = layout.warnings;
    match lost_samples {
        0 => {}
        1 => warnings.push(CUT_SAMPLE.to_owned()),
        n => warnings.push(format!("ends early: {n} samples that its header claims are lost")),
    }
    Recording {
        info: Info {
            path: path.display().to_string(),
            datatype: datatype.to_string(),
            sample_rate_hz: rate_hz,
            segments: layout.segments,
            duration_s,
            shared_axis: layout.shared_axis,
        },
        path: data_path.to_owned(),
        datatype,
        data,
        decoder: Decoder::new(datatype, BLOCK_SAMPLES.get()),
        block_samples: BLOCK_SAMPLES.get(),
        at: At::Edge { next: 0 },
        samples_read: 0,
        lost_samples,
        warnings,
    }
}

/// A datatype where only its SigMF word matters: `--format cu8` describes an 8-bit WAV rightly.
#[derive(Clone, Copy)]
struct Word(Datatype);

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What the recording says, or else the option; an error if they differ.
fn agree<T: Copy + PartialEq + std::fmt::Display>(
    path: &Path,
    option: &'static str,
    given: Option<T>,
    found: Option<T>,
) -> Result<Option<T>, RecordingError> {
    match (given, found) {
        (Some(given), Some(found)) if given != found => Err(RecordingError::Conflict {
            path: path.to_owned(),
            option,
            given: given.to_string(),
            found: found.to_string(),
        }),
        _ => Ok(found.or(given)),
    }
}

fn hints_of(path: &Path) -> Hints {
    path.file_name().map(|name| file_name::read(&name.to_string_lossy())).unwrap_or_default()
}

/// Opens a file that must have a size.
fn open_file(path: &Path) -> Result<(File, u64), RecordingError> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    let attributes = file.metadata().map_err(|source| unreadable(path, source))?;
    if !attributes.is_file() {
        return Err(unreadable(path, io::Error::other("is no ordinary file")));
    }
    Ok((file, attributes.len()))
}

fn unreadable(path: &Path, source: io::Error) -> RecordingError {
    RecordingError::Unreadable { path: path.to_owned(), source }
}

fn meta_error(path: &Path, source: MetaError) -> RecordingError {
    match source {
        MetaError::Read(source) => unreadable(path, source),
        source => RecordingError::Meta { path: path.to_owned(), source },
    }
}
