//! `emcon record`: an attached receiver to a SigMF recording.
//!
//! A segment is a stretch of consecutive samples of one tuning: a visit of a sweep begins one, and so does whatever
//! comes after a loss, since nothing may be folded across it. Whatever ends it (its time, a limit, a signal, a
//! receiver that is gone, a disk that is full), what was recorded is finished and stays valid.

use crate::clock;
use crate::iq::Samples;
use crate::recording::{Annotation, NewRecording, Setup, SigmfWriter, WriteError, sigmf};
use crate::sdr::{Facts, GainSetting};
use crate::sensor::{Heard, ListenError, ListenParams, Listening, Settle, Told};
use crate::spectrum::kernels;
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Bytes between two looks at what the disk has left: a second or two of a HackRF.
const LOOK_BYTES: u64 = 16 << 20;

/// What to record.
pub struct RecordParams {
    /// The receiver, and where it is to listen.
    pub listen: ListenParams,
    /// The gain that it is set to, for the metadata.
    pub gain: GainSetting,
    /// Names both files.
    pub base: PathBuf,
    /// What it is, for people.
    pub description: String,
    /// Time on the receiver's axis after which it is enough, seconds, where the visits do not end by themselves.
    pub for_s: Option<f64>,
    /// Most bytes of samples.
    pub max_bytes: Option<u64>,
    /// Bytes that the disk is to have left.
    pub reserve_bytes: u64,
}

/// Why it ended.
#[derive(Debug)]
pub enum Ended {
    /// All that was asked for is there.
    Complete,
    /// Somebody interrupted it.
    Interrupted,
    /// `max_bytes` were reached.
    LargeEnough,
    /// The disk has no more than the reserve left.
    Reserve,
    /// The most segments of a recording were reached.
    Segments,
    /// The receiver is gone.
    Receiver(ListenError),
    /// The disk refused.
    Disk(WriteError),
}

/// What was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// The metadata; the samples lie beside it.
    pub meta: PathBuf,
    /// What it was recorded with.
    pub facts: Facts,
    /// How long it took to settle.
    pub settle: Settle,
    /// Samples.
    pub samples: u64,
    /// Segments.
    pub segments: usize,
    /// Losses, and samples lost by them as far as is known.
    pub losses: u64,
    /// See `losses`.
    pub lost: u64,
    /// Share of the samples that are at a rail of the converter.
    pub clipped_share: f64,
    /// Why it ended.
    pub ended: Ended,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The receiver gave nothing.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The recording cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Records until something ends it; calls `progress` with the samples so far and the time on the receiver's axis.
///
/// # Errors
/// A [`RecordError`] if there is nothing to keep.
pub fn record(
    params: RecordParams,
    stop: &AtomicBool,
    mut progress: impl FnMut(u64, f64),
) -> Result<Recorded, RecordError> {
    let mut listening = Listening::start(params.listen);
    let (facts, settle) = loop {
        match listening.next(stop) {
            Ok(Told::Opened(facts, settle)) => break (facts, settle),
            Ok(_) => {}
            Err(error) => {
                listening.end();
                return Err(error.into());
            }
        }
    };
    let new = NewRecording {
        format: facts.format,
        sample_rate_hz: facts.rate_hz,
        description: params.description,
        author: String::new(),
        hardware: hardware(&facts),
    };
    let mut writer = SigmfWriter::create(&params.base, new)?;
    writer.set_up(Setup {
        gain_db: params.gain,
        correction_ppm: 0.0,
        settle_samples: settle.samples,
        settle_measured: settle.measured,
    });
    let mut tape = Tape {
        writer,
        rate_hz: facts.rate_hz,
        sample_bytes: facts.format.bytes() as u64,
        folder: folder(&params.base).to_owned(),
        max_bytes: params.max_bytes.unwrap_or(u64::MAX),
        reserve_bytes: params.reserve_bytes,
        looked_at: None,
        epoch: None,
        first: None,
        segment: None,
        unresolved: false,
        losses: 0,
        lost: 0,
        clipped: 0,
    };
    let ended = loop {
        match listening.next(stop) {
            Ok(Told::Heard(heard)) => {
                let end = heard.position + heard.samples.len() as u64;
                let taken = tape.take(&heard);
                listening.give_back(heard.samples);
                progress(tape.writer.samples_written(), tape.axis_s(end));
                match taken {
                    Ok(None) => {}
                    Ok(Some(ended)) => break ended,
                    Err(error) => break Ended::Disk(error),
                }
            }
            Ok(Told::Left(_)) => {
                let at = tape.segment.map_or(0, |segment| segment.end);
                if params.for_s.is_some_and(|for_s| tape.axis_s(at) >= for_s) {
                    break Ended::Complete;
                }
            }
            Ok(Told::Done(_)) => break Ended::Complete,
            Ok(Told::Opened(..)) => {}
            Err(ListenError::Stopped) => break Ended::Interrupted,
            Err(error) => break Ended::Receiver(error),
        }
    };
    let finished = tape.finish(ended, facts, settle);
    // The recording is whole before a driver has the chance to hang.
    listening.end();
    finished
}

/// The name of a recording that was given none, by its date and frequency: `replay` reads the frequency from it too.
pub fn name(utc: Timestamp, center_hz: f64) -> String {
    format!("emcon-{}-{:.3}M", utc.strftime("%Y%m%dT%H%M%SZ"), center_hz / 1e6)
}

/// The receiver for people.
fn hardware(facts: &Facts) -> String {
    let serial = facts.serial.as_ref().map_or_else(String::new, |serial| format!(", serial {serial}"));
    format!("{} (SoapySDR driver {}{serial})", facts.hardware, facts.driver)
}

fn folder(base: &Path) -> &Path {
    base.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Bytes that whoever runs this may still write to the file system of `folder`; `None` if it does not tell.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Where samples are being written.
#[derive(Debug, Clone, Copy)]
struct Current {
    visit: u64,
    /// Positions of its first sample and behind its last one, in the receiver's stream.
    start: u64,
    end: u64,
}

struct Tape {
    writer: SigmfWriter,
    rate_hz: f64,
    sample_bytes: u64,
    folder: PathBuf,
    max_bytes: u64,
    reserve_bytes: u64,
    /// Bytes written when the disk was last asked what it has left.
    looked_at: Option<u64>,
    /// UTC of the stream's position 0.
    epoch: Option<Timestamp>,
    /// Position of the first sample that was written.
    first: Option<u64>,
    segment: Option<Current>,
    /// The segment begins after a loss of unknown size.
    unresolved: bool,
    losses: u64,
    lost: u64,
    clipped: u64,
}

impl Tape {
    /// Writes `heard`; gives the end if that is reached by it.
    fn take(&mut self, heard: &Heard) -> Result<Option<Ended>, WriteError> {
        if self.writer.segments() >= sigmf::MAX_CAPTURES {
            return Ok(Some(Ended::Segments));
        }
        let room = self.max_bytes.saturating_sub(self.writer.samples_written() * self.sample_bytes);
        let room = usize::try_from(room / self.sample_bytes).unwrap_or(usize::MAX);
        if self.is_low_on_disk() {
            return Ok(Some(Ended::Reserve));
        }
        self.segment(heard);
        let count = heard.samples.len().min(room);
        if count < heard.samples.len() {
            let mut samples = heard.samples.clone();
            samples.drop_tail(heard.samples.len() - count);
            self.write(heard.position, &samples)?;
            return Ok(Some(Ended::LargeEnough));
        }
        self.write(heard.position, &heard.samples)?;
        Ok(None)
    }

    fn write(&mut self, position: u64, samples: &Samples) -> Result<(), WriteError> {
        self.writer.write(samples)?;
        self.clipped += match samples {
            Samples::Cu8(s) => kernels::rails_cu8(s),
            Samples::Ci8(s) => kernels::rails_ci8(s),
            Samples::Ci16(s) => kernels::rails_ci16(s),
            Samples::Cf32(s) => kernels::rails_cf32(s),
        };
        self.first.get_or_insert(position);
        if let Some(segment) = &mut self.segment {
            segment.end = position + samples.len() as u64;
        }
        Ok(())
    }

    /// Begins a segment where `heard` does not go on with the one before, and books what was lost.
    fn segment(&mut self, heard: &Heard) {
        let before = self.segment.filter(|segment| segment.visit == heard.visit);
        let broken = heard.lost_before > 0 || heard.overflow;
        // A loss that nobody noticed: somewhere within the last second.
        let unnoticed = heard.found_lost > 0 && !self.unresolved && !broken;
        self.lost += heard.lost_before + heard.found_lost;
        if before.is_some() && !broken && !unnoticed {
            if heard.found_lost > 0 {
                self.resolve(heard.found_lost);
            }
            return;
        }
        let utc = self.utc(heard);
        self.writer.begin_segment(Some(heard.center_hz), utc);
        self.writer.place_segment(heard.position);
        self.segment = Some(Current { visit: heard.visit, start: heard.position, end: heard.position });
        // What settling swallows is no loss of the recording.
        self.unresolved = false;
        if before.is_none() && !broken {
            return;
        }
        self.losses += 1;
        let known = heard.lost_before + heard.found_lost;
        self.unresolved = heard.overflow && known == 0;
        let comment = match (known, unnoticed) {
            (0, _) => "the driver lost samples right before".to_owned(),
            (known, false) => format!("{known} samples were lost right before"),
            (known, true) => format!("about {known} samples were lost within the second before"),
        };
        self.writer.annotate(Annotation {
            first_sample: self.writer.samples_written(),
            samples: 1,
            edges_hz: None,
            label: "loss".to_owned(),
            comment,
        });
    }

    /// The loss before the segment was of `lost` samples: it began later by as much.
    fn resolve(&mut self, lost: u64) {
        self.unresolved = false;
        let Some(segment) = &mut self.segment else { return };
        segment.start += lost;
        let start = segment.start;
        self.writer.place_segment(start);
        if let Some(utc) = self.epoch.and_then(|epoch| later(epoch, start as f64 / self.rate_hz)) {
            self.writer.date_segment(utc);
        }
    }

    /// UTC of the first sample of `heard`.
    fn utc(&mut self, heard: &Heard) -> Option<Timestamp> {
        let rate_hz = self.rate_hz;
        let epoch = *self.epoch.get_or_insert_with(|| {
            let (at, position) = heard.anchor;
            let since_s = at.elapsed().as_secs_f64() + position as f64 / rate_hz;
            later(clock::utc(), -since_s).unwrap_or_else(clock::utc)
        });
        later(epoch, heard.position as f64 / rate_hz)
    }

    /// Time from the first sample to `position` on the receiver's axis.
    fn axis_s(&self, position: u64) -> f64 {
        self.first.map_or(0.0, |first| position.saturating_sub(first) as f64 / self.rate_hz)
    }

    fn is_low_on_disk(&mut self) -> bool {
        let written = self.writer.samples_written() * self.sample_bytes;
        if self.looked_at.is_some_and(|at| written - at < LOOK_BYTES) {
            return false;
        }
        self.looked_at = Some(written);
        free_bytes(&self.folder).is_some_and(|free| free < self.reserve_bytes + LOOK_BYTES)
    }

    fn finish(self, ended: Ended, facts: Facts, settle: Settle) -> Result<Recorded, RecordError> {
        let samples = self.writer.samples_written();
        if samples == 0 {
            // What is dropped is removed.
            return match ended {
                Ended::Receiver(error) => Err(error.into()),
                Ended::Disk(error) => Err(error.into()),
                _ => Err(ListenError::Stopped.into()),
            };
        }
        let segments = self.writer.segments();
        let meta = self.writer.finish()?;
        let clipped_share = self.clipped as f64 / samples as f64;
        let (losses, lost) = (self.losses, self.lost);
        Ok(Recorded { meta, facts, settle, samples, segments, losses, lost, clipped_share, ended })
    }
}

/// `utc` and `seconds`, to the nanosecond.
fn later(utc: Timestamp, seconds: f64) -> Option<Timestamp> {
    utc.checked_add(SignedDuration::from_nanos((seconds * 1e9).round() as i64)).ok()
}
