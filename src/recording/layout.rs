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
    pub first_byte: u64,
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
        let samples = last.samples?;
        Some(match self.shared_axis {
            true => last.start_s + samples as f64 / rate_hz,
            false => (last.first_sample + samples) as f64 / rate_hz,
        })
    }

    /// Leaves what lies in the first `bytes` of the data: the file was cut there.
    pub(super) fn cut(&mut self, bytes: u64, sample_bytes: u64) {
        for segment in &mut self.segments {
            let whole = bytes.saturating_sub(segment.first_byte) / sample_bytes;
            segment.samples = segment.samples.map(|samples| samples.min(whole));
        }
        self.segments.retain(|segment| segment.samples != Some(0));
    }

    /// Whole samples of all segments; of a stream, none are known.
    pub(super) fn samples(&self) -> u64 {
        self.segments.iter().filter_map(|segment| segment.samples).sum()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(sample_start: u64) -> Capture {
        Capture { sample_start, header_bytes: 0, center_hz: None, utc: None }
    }

    fn dated(sample_start: u64, utc: &str) -> Capture {
        Capture { utc: Some(utc.parse().unwrap()), ..capture(sample_start) }
    }

    fn meta(captures: Vec<Capture>) -> Meta {
        Meta {
            datatype: "ci16_le".parse().unwrap(),
            sample_rate_hz: None,
            offset: 0,
            trailing_bytes: 0,
            dataset: None,
            captures,
            annotated: 0,
        }
    }

    fn lay(meta: &Meta, bytes: u64) -> Result<Layout, LayoutError> {
        Layout::of_sigmf(meta, Extent { bytes, rate_hz: 1000.0 })
    }

    fn places(layout: &Layout) -> Vec<(u64, u64, u64)> {
        layout.segments.iter().map(|s| (s.first_byte, s.first_sample, s.samples.unwrap())).collect()
    }

    fn starts(layout: &Layout) -> Vec<f64> {
        layout.segments.iter().map(|s| s.start_s).collect()
    }

    #[test]
    fn without_captures_all_is_one_segment() {
        let layout = lay(&meta(vec![]), 403).unwrap();
        assert_eq!(places(&layout), [(0, 0, 100)]);
        assert!(layout.shared_axis && layout.warnings.is_empty());
        assert_eq!(layout.duration_s(1000.0), Some(0.1));
    }

    #[test]
    fn headers_trailer_and_offset_move_the_bytes() {
        let mut meta = meta(vec![
            Capture { header_bytes: 10, ..capture(1000) },
            Capture { header_bytes: 6, ..capture(1020) },
            capture(1050),
        ]);
        (meta.offset, meta.trailing_bytes) = (1000, 7);
        let layout = lay(&meta, 10 + 6 + 60 * 4 + 7).unwrap();
        assert_eq!(places(&layout), [(10, 0, 20), (10 + 80 + 6, 20, 30), (16 + 200, 50, 10)]);
    }

    #[test]
    fn a_segment_outside_the_file_is_refused() {
        let at = |start| lay(&meta(vec![capture(0), capture(start)]), 400);
        assert_eq!(at(100), Err(LayoutError::Outside { index: 1, start: 100, samples: 100 }));
        assert_eq!(at(u64::MAX), Err(LayoutError::Outside { index: 1, start: u64::MAX, samples: 100 }));
        assert_eq!(places(&at(99).unwrap()), [(0, 0, 99), (396, 99, 1)]);
        let mut early = meta(vec![capture(9)]);
        early.offset = 10;
        assert_eq!(lay(&early, 400), Err(LayoutError::BeforeOffset { index: 0, start: 9, offset: 10 }));
        let unordered = meta(vec![capture(0), capture(50), capture(49)]);
        assert_eq!(lay(&unordered, 400), Err(LayoutError::Unordered { index: 2, start: 49 }));
    }

    #[test]
    fn headers_that_claim_more_than_the_file_are_refused() {
        let mut all = meta(vec![Capture { header_bytes: u64::MAX, ..capture(0) }, capture(1)]);
        assert_eq!(lay(&all, 400), Err(LayoutError::NoRoom { claimed: u64::MAX, bytes: 400 }));
        all.trailing_bytes = u64::MAX;
        assert_eq!(lay(&all, 400), Err(LayoutError::NoRoom { claimed: u64::MAX, bytes: 400 }));
        let mut nearly = meta(vec![Capture { header_bytes: 300, ..capture(0) }]);
        nearly.trailing_bytes = 97;
        assert_eq!(lay(&nearly, 400), Err(LayoutError::Empty));
    }

    #[test]
    fn segments_without_samples_are_left_out() {
        let layout = lay(&meta(vec![capture(0), capture(40), capture(40), capture(40)]), 400).unwrap();
        assert_eq!(places(&layout), [(0, 0, 40), (160, 40, 60)]);
        assert_eq!(layout.warnings, ["2 capture segments hold no sample and are left out"]);
    }

    #[test]
    fn samples_before_the_first_segment_are_looked_at() {
        let first = Capture { center_hz: Some(1e8), ..dated(30, "2024-01-01T00:00:00Z") };
        let layout = lay(&meta(vec![first]), 400).unwrap();
        assert_eq!(places(&layout), [(0, 0, 30), (120, 30, 70)]);
        assert_eq!(layout.segments[0].center_hz, None);
        assert_eq!(layout.warnings, ["no capture segment describes the first 30 samples"]);
        assert!(!layout.shared_axis);
    }

    #[test]
    fn dates_make_one_axis() {
        let captures = vec![
            dated(0, "2024-05-17T23:59:59.9Z"),
            dated(100, "2024-05-18T00:00:00.5Z"),
            dated(200, "2024-05-18T00:00:00.5995Z"),
        ];
        let layout = lay(&meta(captures), 1200).unwrap();
        assert!(layout.shared_axis && layout.warnings.is_empty());
        // The third is dated half a millisecond early: rounding, and time does not run backwards.
        assert_eq!(starts(&layout), [0.0, 0.6, 0.7]);
        assert_eq!(layout.duration_s(1000.0), Some(0.7 + 0.1), "end of the last segment");
    }

    #[test]
    fn without_all_dates_nothing_is_shared() {
        let captures = vec![dated(0, "2024-05-17T12:00:00Z"), capture(100)];
        let layout = lay(&meta(captures), 1200).unwrap();
        assert!(!layout.shared_axis);
        assert_eq!(starts(&layout), [0.0, 0.1]);
        assert_eq!(layout.duration_s(1000.0), Some(0.3));
    }

    #[test]
    fn dates_that_contradict_the_samples_are_not_believed() {
        for second in ["2024-05-17T12:00:00.05Z", "2024-05-17T11:00:00Z"] {
            let layout =
                lay(&meta(vec![dated(0, "2024-05-17T12:00:00Z"), dated(100, second)]), 1200).unwrap();
            assert!(!layout.shared_axis);
            assert_eq!(starts(&layout), [0.0, 0.1]);
            assert_eq!(layout.warnings.len(), 1);
            assert!(layout.warnings[0].starts_with("segment 1 is dated "), "{:?}", layout.warnings);
        }
    }

    #[test]
    fn annotations_beyond_the_end_are_said() {
        let mut meta = meta(vec![capture(0)]);
        meta.annotated = 101;
        let warnings = lay(&meta, 400).unwrap().warnings;
        assert_eq!(
            warnings,
            ["annotations reach to sample 101, but the file holds 100: it may have been cut"]
        );
    }
}
