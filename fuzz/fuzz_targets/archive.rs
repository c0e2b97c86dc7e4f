//! SigMF archives.
#![no_main]

use emcon::recording::archive;
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(pair) = archive::find(&mut Cursor::new(bytes), bytes.len() as u64) {
        assert!(pair.meta.first_byte <= bytes.len() as u64);
        assert!(pair.data.first_byte <= bytes.len() as u64);
        assert_ne!(pair.meta, pair.data);
    }
});
