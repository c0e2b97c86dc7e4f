//! Where in a file each segment's samples lie, and when they were received: captures and sizes in, segments
//! out. Pure, so that every lie a header can tell is a unit test.

use super::sigmf::{Capture, Meta};
use jiff::Timestamp;

/// What the file holds, as far as the layout needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Bytes of the data file.
    pub bytes: u64,
    /// Complex samples a second.
    pub rate_hz: f64,
}

/// One segment: a stretch of samples with one tuning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentInfo {
    /// Index of its first sample in the recording.
    pub first_sample: u64,
    /// Whole samples; None if they end when the stream does.
    pub samples: Option<u64>,
    /// Radio frequency at the middle of the span, hertz, if known.
    pub center_hz: Option<f64>,
    /// Time of its first sample on the recording's axis, seconds.
    pub start_s: f64,
    /// The same as a date, if known.
    pub utc: Option<Timestamp>,
    /// Position of its first byte in the data.
    pub(super) first_byte: u64,
}

/// All segments of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// In order, none empty.
    pub segments: Vec<SegmentInfo>,
    /// Whether their times are on one axis.
    pub shared_axis: bool,
    /// What deserves a word.
    pub warnings: Vec<String>,
}

/// How metadata contradict the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A segment that begins beyond the last sample.
    #[error(
        "captures[{index}].core:sample_start: the segment begins at sample {start}, but the file holds {samples}"
    )]
    Outside {
        /// Position in `captures`.
        index: usize,
        /// Where it begins, counted from the first sample of the file.
        start: u64,
        /// What there is.
        samples: u64,
    },
    /// A segment that begins before the first sample of the file.
    #[error(
        "captures[{index}].core:sample_start: {start} is before the file's first sample, core:offset {offset}"
    )]
    BeforeOffset {
        /// Position in `captures`.
        index: usize,
        /// Its `core:sample_start`.
        start: u64,
        /// The file's `core:offset`.
        offset: u64,
    },
    /// Segments out of order.
    #[error(
        "captures[{index}].core:sample_start: {start} is before the segment listed above it; sort the captures"
    )]
    Unordered {
        /// Position in `captures`.
        index: usize,
        /// Its `core:sample_start`.
        start: u64,
    },
    /// Headers and trailer leave nothing.
    #[error("core:header_bytes and core:trailing_bytes claim {claimed} bytes, but the file holds {bytes}")]
    NoRoom {
        /// Bytes that are no samples.
        claimed: u64,
        /// Bytes that there are.
        bytes: u64,
    },
    /// Not one whole sample.
    #[error("the file holds not one whole sample")]
    Empty,
}

/// How far datetimes may contradict the count of samples, seconds: what rounding to milliseconds does.
const DATETIME_ROUNDING_S: f64 = 1e-3;

impl Layout {
    /// Lays the segments of `meta` out in a file.
    ///
    /// # Errors
    /// A [`LayoutError`] if a segment cannot lie where it claims to.
    pub fn of_sigmf(meta: &Meta, extent: Extent) -> Result<Self, LayoutError> {
        let sample_bytes = meta.datatype.sample_bytes();
        let headers = meta.captures.iter().map(|capture| capture.header_bytes);
        let claimed = headers.fold(meta.trailing_bytes, u64::saturating_add);
        let room =
            extent.bytes.checked_sub(claimed).ok_or(LayoutError::NoRoom { claimed, bytes: extent.bytes })?;
        let samples = room / sample_bytes;
        if samples == 0 {
            return Err(LayoutError::Empty);
        }
        let mut layout = Self {
            segments: Vec::with_capacity(meta.captures.len() + 1),
            shared_axis: true,
            warnings: Vec::new(),
        };
        layout.place(meta, samples)?;
        layout.time(extent.rate_hz);
        let reach = meta.annotated.saturating_sub(meta.offset);
        if reach > samples {
            layout.warnings.push(format!(
                "annotations reach to sample {reach}, but the file holds {samples}: it may have been cut"
            ));
        }
        Ok(layout)
    }

    /// One segment from byte `first_byte` on.
    pub fn single(
        first_byte: u64,
        samples: Option<u64>,
        center_hz: Option<f64>,
        utc: Option<Timestamp>,
    ) -> Self {
        let segment = SegmentInfo { first_byte, first_sample: 0, samples, center_hz, start_s: 0.0, utc };
        Self { segments: vec![segment], shared_axis: true, warnings: Vec::new() }
    }

    /// End of the last segment, seconds; None if nobody knows yet.
    pub fn duration_s(&self, rate_hz: f64) -> Option<f64> {
        let last = self.segments.last()?;
        Some(last.start_s + last.samples? as f64 / rate_hz)
    }

    /// Finds the bytes and samples of every segment.
    fn place(&mut self, meta: &Meta, samples: u64) -> Result<(), LayoutError> {
        let starts =
            meta.captures.iter().enumerate().map(|(index, capture)| start(meta, index, capture, samples));
        let starts = starts.collect::<Result<Vec<u64>, _>>()?;
        let uncovered = starts.first().copied().unwrap_or(samples);
        if uncovered > 0 {
            if !starts.is_empty() {
                self.warnings.push(format!("no capture segment describes the first {uncovered} samples"));
            }
            self.push(0, 0, uncovered, None);
        }
        let (mut header_bytes, mut empty) = (0, 0);
        for (index, (capture, &first)) in meta.captures.iter().zip(&starts).enumerate() {
            header_bytes += capture.header_bytes;
            let end = starts.get(index + 1).copied().unwrap_or(samples);
            if end == first {
                empty += 1;
            } else {
                let first_byte = header_bytes + first * meta.datatype.sample_bytes();
                self.push(first_byte, first, end - first, Some(capture));
            }
        }
        if empty > 0 {
            self.warnings.push(format!("{empty} capture segments hold no sample and are left out"));
        }
        Ok(())
    }

    fn push(&mut self, first_byte: u64, first_sample: u64, samples: u64, capture: Option<&Capture>) {
        let center_hz = capture.and_then(|capture| capture.center_hz);
        let utc = capture.and_then(|capture| capture.utc);
        let samples = Some(samples);
        self.segments.push(SegmentInfo { first_byte, first_sample, samples, center_hz, start_s: 0.0, utc });
    }

    /// Gives every segment its time: by its date if all have one, else by counting samples.
    fn time(&mut self, rate_hz: f64) {
        let dated = self.time_by_date(rate_hz);
        if !dated {
            for segment in &mut self.segments {
                segment.start_s = segment.first_sample as f64 / rate_hz;
            }
        }
        self.shared_axis = dated || self.segments.len() == 1;
    }

    /// Times by `core:datetime`; false if there are none, or if they contradict the count of samples.
    fn time_by_date(&mut self, rate_hz: f64) -> bool {
        if self.segments.iter().any(|segment| segment.utc.is_none()) {
            return false;
        }
        let origin_ns = self.segments.first().and_then(|s| s.utc).map_or(0, Timestamp::as_nanosecond);
        let mut free_from_s = 0.0;
        for (index, segment) in self.segments.iter_mut().enumerate() {
            let ns = segment.utc.map_or(0, Timestamp::as_nanosecond) - origin_ns;
            let start_s = ns as f64 / 1e9;
            if start_s < free_from_s - DATETIME_ROUNDING_S {
                self.warnings.push(format!(
                    "segment {index} is dated {:.3} s before the one before it ends: dates are not used for timing",
                    free_from_s - start_s
                ));
                return false;
            }
            // Rounding must not let time run backwards.
            segment.start_s = start_s.max(free_from_s);
            free_from_s = segment.start_s + segment.samples.unwrap_or(0) as f64 / rate_hz;
        }
        true
    }
}

/// Where segment `index` begins, counted from the first sample of the file.
fn start(meta: &Meta, index: usize, capture: &Capture, samples: u64) -> Result<u64, LayoutError> {
    let Capture { sample_start, .. } = *capture;
    let before = index.checked_sub(1).and_then(|i| meta.captures.get(i));
    if before.is_some_and(|before| before.sample_start > sample_start) {
        return Err(LayoutError::Unordered { index, start: sample_start });
    }
    let start = sample_start.checked_sub(meta.offset).ok_or(LayoutError::BeforeOffset {
        index,
        start: sample_start,
        offset: meta.offset,
    })?;
    if start >= samples {
        return Err(LayoutError::Outside { index, start, samples });
    }
    Ok(start)
}
