//! WAV headers.
#![no_main]

use emcon::recording::wav;
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|bytes: &[u8]| {
    // A file that is as long as it is, and one that is longer.
    for length in [bytes.len() as u64, u64::MAX] {
        if let Ok(wav) = wav::read(&mut Cursor::new(bytes), length) {
            assert!(wav.first_byte <= length && wav.bytes <= length - wav.first_byte);
            assert!(wav.claimed_bytes.is_none_or(|claimed| wav.bytes <= claimed));
            assert!(wav.rate_hz >= 1.0);
        }
    }
});
