//! SigMF metadata, and where they put the samples of files of several lengths.
#![no_main]

use emcon::recording::{Extent, Layout, sigmf};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let Ok(meta) = sigmf::read(json) else { return };
    for bytes in [0, 1, 63, 1000, u64::MAX] {
        let rate_hz = meta.sample_rate_hz.unwrap_or(1.0);
        if let Ok(layout) = Layout::of_sigmf(&meta, Extent { bytes, rate_hz }) {
            consistent(&layout, meta.datatype.sample_bytes(), bytes, rate_hz);
        }
    }
});

/// Segments follow each other in samples, bytes and time, and end within the file.
fn consistent(layout: &Layout, sample_bytes: u64, bytes: u64, rate_hz: f64) {
    let (mut sample, mut byte, mut start_s) = (0, 0, 0.0);
    assert!(!layout.segments.is_empty());
    for segment in &layout.segments {
        let samples = segment.samples.expect("a file ends");
        assert!(samples > 0 && segment.first_sample == sample);
        assert!(segment.first_byte >= byte);
        assert!(segment.start_s >= start_s && segment.start_s.is_finite());
        sample += samples;
        byte = segment.first_byte + samples * sample_bytes;
        start_s = segment.start_s;
    }
    assert!(byte <= bytes);
    assert!(layout.duration_s(rate_hz).is_some_and(|s| s >= start_s && s.is_finite()));
}
