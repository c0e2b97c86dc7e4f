//! Writes SigMF recordings (SigMF 1.2): samples as they come, metadata at the end.
//!
//! Both files carry `.part` until [`SigmfWriter::finish`], so that an interrupted recording is never taken for a
//! whole one; dropped before, they are removed. What was written before the disk was full can still be finished.

use super::datatype::Datatype;
use crate::iq::{SampleFormat, Samples};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What is true of a whole recording.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecording {
    /// Format of the samples, written in this machine's byte order.
    pub format: SampleFormat,
    /// Complex samples a second.
    pub sample_rate_hz: f64,
    /// What it is, for people. Empty: left out.
    pub description: String,
    /// Who made it. Empty: left out.
    pub author: String,
    /// The receiver. Empty: left out.
    pub hardware: String,
}

/// A marked box in time and frequency.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// Index of its first sample.
    pub first_sample: u64,
    /// Samples.
    pub samples: u64,
    /// Lower and upper edge, hertz, if it is bounded.
    pub edges_hz: Option<[f64; 2]>,
    /// A short name.
    pub label: String,
    /// A sentence. Empty: left out.
    pub comment: String,
}

/// How the receiver was set while it was recorded: keys of the extension `emcon`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Setup {
    /// Gain of every element by the driver's name, decibels.
    pub gain_db: Vec<(String, f64)>,
    /// Correction of the receiver's clock, parts in a million.
    pub correction_ppm: f64,
    /// Samples that were discarded after each change of tuning.
    pub settle_samples: u64,
    /// Whether that was measured on the receiver itself.
    pub settle_measured: bool,
}

/// Why a recording cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The operating system refuses.
    #[error("{}: cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// Samples of another format than the recording's.
    #[error("{}: samples are {found:?}, but the recording holds {expected:?}", path.display())]
    Format {
        /// The data file.
        path: PathBuf,
        /// The recording's.
        expected: SampleFormat,
        /// The samples'.
        found: SampleFormat,
    },
}

/// A recording that is being written.
#[derive(Debug)]
pub struct SigmfWriter {
    recording: NewRecording,
    base: PathBuf,
    data: File,
    samples: u64,
    /// A write failed: the file may hold more than the samples that count.
    failed: bool,
    setup: Option<Setup>,
    captures: Vec<CaptureJson>,
    annotations: Vec<Annotation>,
    finished: bool,
}

impl SigmfWriter {
    /// Begins the recording of base name `base`; an ending `.sigmf-meta`, `.sigmf-data` or `.sigmf` is taken off.
    ///
    /// # Errors
    /// [`WriteError::Unwritable`] if the data file cannot be created.
    pub fn create(base: &Path, recording: NewRecording) -> Result<Self, WriteError> {
        let base = stripped(base);
        let path = named(&base, DATA_PART);
        let data = File::create(&path).map_err(|source| WriteError::Unwritable { path, source })?;
        let (captures, annotations) = (Vec::new(), Vec::new());
        let (samples, failed, setup, finished) = (0, false, None, false);
        Ok(Self { recording, base, data, samples, failed, setup, captures, annotations, finished })
    }

    /// Files of `base` that are there already: whole ones, or those of a recording that is being written or was
    /// broken off.
    pub fn taken(base: &Path) -> Vec<PathBuf> {
        let base = stripped(base);
        let all = [META, DATA, META_PART, DATA_PART].map(|ending| named(&base, ending));
        all.into_iter().filter(|path| path.exists()).collect()
    }

    /// Says how the receiver is set.
    pub fn set_up(&mut self, setup: Setup) {
        self.setup = Some(setup);
    }

    /// Dates the segment that was begun last.
    pub fn date_segment(&mut self, utc: Timestamp) {
        if let Some(last) = self.captures.last_mut() {
            last.datetime = Some(utc.to_string());
        }
    }

    /// Places the segment that was begun last in the receiver's stream: the number of its first sample there.
    pub fn place_segment(&mut self, position: u64) {
        if let Some(last) = self.captures.last_mut() {
            last.global_index = Some(position);
        }
    }

    /// Segments begun so far.
    pub fn segments(&self) -> usize {
        self.captures.len()
    }

    /// Begins a segment at the next sample. A recording without any has one of unknown frequency and date.
    pub fn begin_segment(&mut self, center_hz: Option<f64>, utc: Option<Timestamp>) {
        // A segment without samples is none.
        if self.captures.last().is_some_and(|last| last.sample_start == self.samples) {
            self.captures.pop();
        }
        let datetime = utc.map(|utc| utc.to_string());
        let (sample_start, frequency, global_index) = (self.samples, center_hz, None);
        self.captures.push(CaptureJson { sample_start, global_index, frequency, datetime });
    }

    /// Appends samples.
    ///
    /// # Errors
    /// [`WriteError::Format`] if they are of another format, [`WriteError::Unwritable`] if the disk is full.
    pub fn write(&mut self, samples: &Samples) -> Result<(), WriteError> {
        let (expected, found) = (self.recording.format, samples.format());
        if expected != found {
            return Err(WriteError::Format { path: named(&self.base, DATA), expected, found });
        }
        let bytes = match samples {
            Samples::Cu8(v) => bytemuck::cast_slice(v),
            Samples::Ci8(v) => bytemuck::cast_slice(v),
            Samples::Ci16(v) => bytemuck::cast_slice(v),
            Samples::Cf32(v) => bytemuck::cast_slice(v),
        };
        if let Err(source) = self.data.write_all(bytes) {
            self.failed = true;
            return Err(unwritable(&self.base, DATA_PART, source));
        }
        self.samples += samples.len() as u64;
        Ok(())
    }

    /// Samples written so far.
    pub fn samples_written(&self) -> u64 {
        self.samples
    }

    /// Marks a box. In any order.
    pub fn annotate(&mut self, annotation: Annotation) {
        self.annotations.push(annotation);
    }

    /// Completes both files and gives the path of the metadata. After a write that failed, the recording is what was
    /// written before, less a little that makes room for the metadata.
    ///
    /// # Errors
    /// [`WriteError::Unwritable`]; then there is no metadata file, and so no recording.
    pub fn finish(mut self) -> Result<PathBuf, WriteError> {
        if self.failed {
            self.cut_back().map_err(|source| unwritable(&self.base, DATA_PART, source))?;
        }
        if self.captures.first().is_none_or(|first| first.sample_start > 0) {
            let (sample_start, global_index, frequency, datetime) = (0, None, None, None);
            self.captures.insert(0, CaptureJson { sample_start, global_index, frequency, datetime });
        }
        if self.samples > 0 && self.captures.last().is_some_and(|last| last.sample_start == self.samples) {
            self.captures.pop();
        }
        self.write_meta().map_err(|source| unwritable(&self.base, META_PART, source))?;
        let meta = named(&self.base, META);
        for (part, whole) in [(DATA_PART, DATA), (META_PART, META)] {
            fs::rename(named(&self.base, part), named(&self.base, whole))
                .map_err(|source| unwritable(&self.base, whole, source))?;
        }
        self.finished = true;
        Ok(meta)
    }

    /// Frees some of what the disk refused to hold more of, and forgets what was begun there.
    fn cut_back(&mut self) -> io::Result<()> {
        let bytes = Datatype::of_memory(self.recording.format).sample_bytes();
        self.samples = self.samples.saturating_sub(META_ROOM / bytes);
        self.data.set_len(self.samples * bytes)?;
        self.captures.retain(|capture| capture.sample_start < self.samples);
        self.annotations.retain(|annotation| annotation.first_sample + annotation.samples <= self.samples);
        Ok(())
    }

    fn write_meta(&mut self) -> io::Result<()> {
        // SigMF 1.2: annotations are sorted by `core:sample_start`.
        self.annotations.sort_by_key(|annotation| annotation.first_sample);
        let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let global = GlobalJson {
            datatype: Datatype::of_memory(self.recording.format).to_string(),
            sample_rate: self.recording.sample_rate_hz,
            version: SIGMF_VERSION,
            num_channels: 1,
            description: optional(&self.recording.description),
            author: optional(&self.recording.author),
            hw: optional(&self.recording.hardware),
            recorder: concat!("emcon ", env!("CARGO_PKG_VERSION")),
            extensions: self.setup.as_ref().map(|_| [Extension::OWN]),
            setup: self.setup.as_ref().map(SetupJson::of),
        };
        let annotations = self.annotations.iter().map(AnnotationJson::of).collect();
        let top = TopJson { global, captures: &self.captures, annotations };
        let mut file = BufWriter::new(File::create(named(&self.base, META_PART))?);
        serde_json::to_writer_pretty(&mut file, &top)?;
        file.write_all(b"\n")?;
        file.flush()
    }
}

impl Drop for SigmfWriter {
    fn drop(&mut self) {
        if !self.finished {
            for part in [DATA_PART, META_PART] {
                // Nothing can be done if even that fails; the ending tells what the file is.
                let _ = fs::remove_file(named(&self.base, part));
            }
        }
    }
}

const SIGMF_VERSION: &str = "1.2.0";
const META: &str = ".sigmf-meta";
const DATA: &str = ".sigmf-data";
const META_PART: &str = ".sigmf-meta.part";
const DATA_PART: &str = ".sigmf-data.part";

/// Bytes given back when the disk is full: metadata of some hundred segments.
const META_ROOM: u64 = 1 << 18;

/// `base` without an ending of SigMF.
fn stripped(base: &Path) -> PathBuf {
    match base.extension().and_then(|ending| ending.to_str()) {
        Some("sigmf-meta" | "sigmf-data" | "sigmf") => base.with_extension(""),
        _ => base.to_owned(),
    }
}

/// `base` with `ending` appended: a point in the base name is no ending.
fn named(base: &Path, ending: &str) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn unwritable(base: &Path, ending: &str, source: io::Error) -> WriteError {
    WriteError::Unwritable { path: named(base, ending), source }
}

#[derive(Serialize)]
struct TopJson<'a> {
    global: GlobalJson,
    captures: &'a [CaptureJson],
    annotations: Vec<AnnotationJson<'a>>,
}

#[derive(Serialize)]
struct GlobalJson {
    #[serde(rename = "core:datatype")]
    datatype: String,
    #[serde(rename = "core:sample_rate")]
    sample_rate: f64,
    #[serde(rename = "core:version")]
    version: &'static str,
    #[serde(rename = "core:num_channels")]
    num_channels: u32,
    #[serde(rename = "core:description", skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "core:author", skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(rename = "core:hw", skip_serializing_if = "Option::is_none")]
    hw: Option<String>,
    #[serde(rename = "core:recorder")]
    recorder: &'static str,
    #[serde(rename = "core:extensions", skip_serializing_if = "Option::is_none")]
    extensions: Option<[Extension; 1]>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    setup: Option<SetupJson>,
}

/// SigMF 1.2, "The Extensions Array".
#[derive(Serialize)]
struct Extension {
    name: &'static str,
    version: &'static str,
    optional: bool,
}

impl Extension {
    /// What emcon adds; nobody must know it to read the samples.
    const OWN: Self = Self { name: "emcon", version: "0.1.0", optional: true };
}

#[derive(Serialize)]
struct SetupJson {
    #[serde(rename = "emcon:gain_db")]
    gain_db: BTreeMap<String, f64>,
    #[serde(rename = "emcon:correction_ppm")]
    correction_ppm: f64,
    #[serde(rename = "emcon:settle_samples")]
    settle_samples: u64,
    #[serde(rename = "emcon:settle_measured")]
    settle_measured: bool,
}

impl SetupJson {
    fn of(setup: &Setup) -> Self {
        Self {
            gain_db: setup.gain_db.iter().cloned().collect(),
            correction_ppm: setup.correction_ppm,
            settle_samples: setup.settle_samples,
            settle_measured: setup.settle_measured,
        }
    }
}

#[derive(Debug, Serialize)]
struct CaptureJson {
    #[serde(rename = "core:sample_start")]
    sample_start: u64,
    #[serde(rename = "core:global_index", skip_serializing_if = "Option::is_none")]
    global_index: Option<u64>,
    #[serde(rename = "core:frequency", skip_serializing_if = "Option::is_none")]
    frequency: Option<f64>,
    #[serde(rename = "core:datetime", skip_serializing_if = "Option::is_none")]
    datetime: Option<String>,
}

#[derive(Serialize)]
struct AnnotationJson<'a> {
    #[serde(rename = "core:sample_start")]
    sample_start: u64,
    #[serde(rename = "core:sample_count")]
    sample_count: u64,
    #[serde(rename = "core:freq_lower_edge", skip_serializing_if = "Option::is_none")]
    lower: Option<f64>,
    #[serde(rename = "core:freq_upper_edge", skip_serializing_if = "Option::is_none")]
    upper: Option<f64>,
    #[serde(rename = "core:label")]
    label: &'a str,
    #[serde(rename = "core:comment", skip_serializing_if = "str::is_empty")]
    comment: &'a str,
}

impl<'a> AnnotationJson<'a> {
    fn of(annotation: &'a Annotation) -> Self {
        Self {
            sample_start: annotation.first_sample,
            sample_count: annotation.samples,
            lower: annotation.edges_hz.map(|[lower, _]| lower),
            upper: annotation.edges_hz.map(|[_, upper]| upper),
            label: &annotation.label,
            comment: &annotation.comment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iq::Received;
    use crate::recording::{OpenOptions, Recording};

    fn new(format: SampleFormat) -> NewRecording {
        let (description, author, hardware) =
            ("two dwells".to_owned(), String::new(), "simulated".to_owned());
        NewRecording { format, sample_rate_hz: 1e6, description, author, hardware }
    }

    /// Oracle: what was written, read back; and the keys of SigMF 1.2 in plain JSON.
    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("g1_433.92M");
        let mut writer = SigmfWriter::create(&base, new(SampleFormat::Ci16)).unwrap();
        let utc: Timestamp = "2024-05-17T09:30:00.25Z".parse().unwrap();
        writer.begin_segment(Some(433.92e6), Some(utc));
        let dwells = [vec![[1, -2], [i16::MIN, i16::MAX], [3, 4]], vec![[5, 6], [7, 8]]];
        writer.write(&Samples::Ci16(dwells[0].clone())).unwrap();
        writer.begin_segment(Some(1e9), None);
        writer.begin_segment(Some(868.3e6), Some(utc + jiff::SignedDuration::from_millis(20)));
        writer.write(&Samples::Ci16(dwells[1].clone())).unwrap();
        for first_sample in [3, 0] {
            let (label, edges_hz) = ("ook".to_owned(), Some([433.9e6, 433.94e6]));
            writer.annotate(Annotation { first_sample, samples: 2, edges_hz, label, comment: String::new() });
        }
        assert_eq!(writer.samples_written(), 5);
        let meta = writer.finish().unwrap();
        assert_eq!(meta, folder.path().join("g1_433.92M.sigmf-meta"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no part is left");

        let json: serde_json::Value = serde_json::from_slice(&fs::read(&meta).unwrap()).unwrap();
        assert_eq!(json["captures"].as_array().unwrap().len(), 2);
        assert_eq!(json["captures"][1]["core:datetime"], "2024-05-17T09:30:00.27Z");
        assert_eq!(json["annotations"][0]["core:sample_start"], 0);
        assert_eq!(json["annotations"][1]["core:freq_upper_edge"], 433.94e6);
        assert_eq!(json["global"].get("core:author"), None);

        let mut recording = Recording::open(&base, &OpenOptions::default()).unwrap();
        let mut block = recording.new_block();
        let mut seen = Vec::new();
        loop {
            match recording.next(&mut block).unwrap() {
                Received::Segment(s) => seen.push((s.tuning.center_hz, s.start_s, s.shared_axis)),
                Received::Block => assert_eq!(block.samples, Samples::Ci16(dwells[seen.len() - 1].clone())),
                Received::Gap(gap) => panic!("{gap:?}"),
                Received::End => break,
            }
        }
        assert_eq!(seen, [(Some(433.92e6), 0.0, true), (Some(868.3e6), 0.02, true)]);
        assert_eq!((recording.samples_read(), recording.lost_samples()), (5, 0));
        assert!(recording.warnings().is_empty(), "{:?}", recording.warnings());
    }

    #[test]
    fn an_unfinished_recording_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer =
            SigmfWriter::create(&folder.path().join("x.sigmf-meta"), new(SampleFormat::Cu8)).unwrap();
        writer.write(&Samples::Cu8(vec![[1, 2]])).unwrap();
        let wrong = writer.write(&Samples::Ci8(vec![[1, 2]]));
        assert!(matches!(wrong, Err(WriteError::Format { .. })));
        assert!(folder.path().join("x.sigmf-data.part").exists());
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    /// What cannot be written to stands in for a full disk.
    #[test]
    fn what_was_written_before_the_disk_was_full_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("full");
        let mut writer = SigmfWriter::create(&base, new(SampleFormat::Cu8)).unwrap();
        let samples = Samples::Cu8(vec![[1, 2]; 1 << 18]);
        writer.begin_segment(Some(1e9), None);
        writer.write(&samples).unwrap();
        let begun = writer.samples_written();
        writer.begin_segment(Some(2e9), None);
        let whole = std::mem::replace(&mut writer.data, File::open("/dev/null").unwrap());
        assert!(matches!(writer.write(&samples), Err(WriteError::Unwritable { .. })));
        writer.data = whole;
        assert_eq!(SigmfWriter::taken(&base), [folder.path().join("full.sigmf-data.part")]);
        writer.finish().unwrap();
        let recording = Recording::open(&base, &OpenOptions::default()).unwrap();
        let left = begun - META_ROOM / 2;
        assert_eq!(recording.info().segments.len(), 1);
        assert_eq!(fs::metadata(named(&base, DATA)).unwrap().len(), 2 * left);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let Err(e) = SigmfWriter::create(Path::new("/nowhere/x"), new(SampleFormat::Cu8)) else { panic!() };
        assert!(e.to_string().starts_with("/nowhere/x.sigmf-data.part: cannot be written"), "{e}");
    }
}
