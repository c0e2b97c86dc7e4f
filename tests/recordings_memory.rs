//! Reading allocates nothing after the first block, and nothing by a length that a file claims.
//!
//! The test program counts its own allocations; one test, so that nobody else allocates meanwhile.
#![allow(unsafe_code, reason = "a global allocator cannot be written without")]

use emcon::iq::Received;
use emcon::recording::{OpenOptions, Recording};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        LARGEST.fetch_max(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        LARGEST.fetch_max(size, Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const NONE: OpenOptions = OpenOptions { format: None, rate_hz: None, center_hz: None };

fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a file");
    path
}

/// Allocations between the second block and the end.
fn steady_allocations(path: &Path) -> usize {
    let mut recording = Recording::open(path, &NONE).expect("a recording");
    let mut block = recording.new_block();
    let mut blocks = 0;
    let mut before = 0;
    while recording.next(&mut block).expect("readable") != Received::End {
        blocks += 1;
        if blocks == 2 {
            before = ALLOCATIONS.load(Relaxed);
        }
    }
    assert!(blocks > 5, "{blocks} blocks of {}", path.display());
    ALLOCATIONS.load(Relaxed) - before
}

fn meta(datatype: &str, more: &str) -> String {
    let captures = r#"[{"core:sample_start": 0}, {"core:sample_start": 70000}]"#;
    format!(
        r#"{{"global": {{"core:datatype": "{datatype}", "core:sample_rate": 1e6{more}}}, "captures": {captures}}}"#
    )
}

#[test]
fn memory_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for (datatype, sample_bytes) in
        [("cu8", 2), ("ci16_be", 4), ("cf32_le", 8), ("cf64_be", 16), ("cu32_le", 8)]
    {
        put(folder, "x.sigmf-data", vec![1; 400_000 * sample_bytes]);
        let path = put(folder, "x.sigmf-meta", meta(datatype, ""));
        assert_eq!(steady_allocations(&path), 0, "{datatype}");
    }

    // Liars: a megabyte would be a hundred times what reading them needs, a block of the widest format apart.
    let wav = |size: u32, rate: u32| {
        let mut bytes =
            [b"RIFF", u32::MAX.to_le_bytes().as_slice(), b"WAVEfmt ", &[16, 0, 0, 0, 1, 0, 2, 0]].concat();
        bytes.extend([rate, u32::MAX].map(u32::to_le_bytes).concat());
        bytes.extend([4, 0, 16, 0]);
        [bytes.as_slice(), b"data", &size.to_le_bytes(), &[0; 64]].concat()
    };
    let mut tar = tar::Header::new_gnu();
    tar.set_path("x.sigmf-meta").expect("a short name");
    tar.set_size(u64::MAX >> 2);
    tar.set_cksum();
    put(folder, "y.sigmf-data", [0; 64]);
    let claims = r#", "core:offset": 18446744073709551615, "core:trailing_bytes": 18446744073709551615"#;
    let liars = [
        put(folder, "x.wav", wav(u32::MAX - 1, 48000)),
        put(folder, "full.wav", wav(u32::MAX, u32::MAX)),
        put(folder, "y.sigmf-meta", meta("cu8", claims)),
        put(folder, "y.sigmf", [tar.as_bytes().as_slice(), &[b'{'; 4096]].concat()),
        put(
            folder,
            "deep.sigmf",
            [tar.as_bytes().as_slice(), meta("cu8", "").as_bytes(), &[b' '; 4096]].concat(),
        ),
    ];
    for path in liars {
        LARGEST.store(0, Relaxed);
        if let Ok(mut recording) = Recording::open(&path, &NONE) {
            let mut block = recording.new_block();
            while recording.next(&mut block).expect("readable") != Received::End {}
        }
        let largest = LARGEST.load(Relaxed);
        assert!(largest <= 1 << 20, "{}: {largest} bytes at once", path.display());
    }
}
