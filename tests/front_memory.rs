//! The hot path allocates nothing: not while the band is quiet, and not while bursts and carriers are detected,
//! measured and handed on.
//!
//! The test program counts its own allocations, a thread its own, so that the tests may run beside each other.
//! What an allocation costs is not its mean but its worst case, which is unbounded: a receiver that waits for the
//! allocator loses samples.
#![allow(unsafe_code, reason = "a global allocator cannot be written without")]

use emcon::iq::{Gap, IqBlock, SampleFormat, Samples, Segment, Tuning};
use emcon::pipeline::{Front, FrontEvent};
use emcon::synth::{Renderer, Scene};
use num_complex::Complex32;
use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};

thread_local! {
    /// Whether this thread's allocations count now.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
    /// How many there were.
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// Where the first ones were.
    static PLACES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Places that are worth telling.
const PLACES_MAX: usize = 40;

struct Counting;

/// Takes note of an allocation of `bytes`.
fn note(bytes: usize) {
    // What is allocated here must not count.
    if !COUNTED.try_with(|counted| counted.replace(false)).unwrap_or(false) {
        return;
    }
    COUNT.with(|count| count.set(count.get() + 1));
    PLACES.with_borrow_mut(|places| {
        if places.len() < PLACES_MAX {
            let trace = Backtrace::force_capture().to_string();
            let ours: Vec<&str> = trace
                .lines()
                .filter(|line| line.contains("/src/") && line.contains("at ./"))
                .map(|line| line.trim().trim_start_matches("at ./"))
                .take(3)
                .collect();
            // A buffer that grows is told of once.
            let place = ours.join(" from ");
            if !places.iter().any(|known| known.ends_with(&place)) {
                places.push(format!("{bytes} bytes at {place}"));
            }
        }
    });
    COUNTED.set(true);
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What `work` allocates, and where first.
fn allocations(work: impl FnOnce()) -> (usize, Vec<String>) {
    COUNT.set(0);
    PLACES.with_borrow_mut(Vec::clear);
    COUNTED.set(true);
    work();
    COUNTED.set(false);
    (COUNT.get(), PLACES.take())
}

const RATE_HZ: f64 = 2.4e6;
const CENTER_HZ: f64 = 433.92e6;
/// As recordings are read.
const BLOCK_SAMPLES: usize = 65536;

/// Frequency hops, keyed carriers, and a line that stays; the first 0.15 s are noise.
const BUSY: &str = r#"
seed = 21
duration = 1.0
[receiver]
rate = "2.4M"
center = "433.92M"
format = "cf32"
[[emitter]]
kind = "nfm"
freq = "433.45M"
snr_db = 25
on = [[0.15, 0.9]]
[[emitter]]
kind = "ook"
freq = "434.4M"
snr_db = 25
on = [[0.2, 0.95]]
[[emitter]]
kind = "dmr"
freq = "433.0M"
snr_db = 20
on = [[0.25, 0.95]]
"#;

const QUIET: &str = r#"
seed = 22
duration = 1.0
[receiver]
rate = "2.4M"
center = "433.92M"
format = "cf32"
"#;

fn rendered(scene: &str) -> Vec<Complex32> {
    let mut renderer = Renderer::new(&Scene::from_toml(scene).expect("a scene"));
    let mut iq = vec![Complex32::default(); renderer.len() as usize];
    renderer.render(CENTER_HZ, RATE_HZ, 0, &mut iq);
    iq
}

/// `iq` as a radio of that format gives it, in blocks, the strongest sample at full scale.
fn blocks(iq: &[Complex32], format: SampleFormat) -> Vec<IqBlock> {
    let peak = iq.iter().map(|x| x.re.abs().max(x.im.abs())).fold(f32::MIN_POSITIVE, f32::max);
    let scaled = |x: &Complex32, full: f32| [x.re / peak * full, x.im / peak * full];
    let block = |samples: &[Complex32]| match format {
        SampleFormat::Cu8 => Samples::Cu8(
            samples.iter().map(|x| scaled(x, 127.0).map(|v| (v + 127.5).round() as u8)).collect(),
        ),
        SampleFormat::Ci8 => {
            Samples::Ci8(samples.iter().map(|x| scaled(x, 127.0).map(|v| v.round() as i8)).collect())
        }
        SampleFormat::Ci16 => {
            Samples::Ci16(samples.iter().map(|x| scaled(x, 32767.0).map(|v| v.round() as i16)).collect())
        }
        SampleFormat::Cf32 => Samples::Cf32(samples.iter().map(|x| scaled(x, 1.0)).collect()),
    };
    let numbered = |(at, samples): (usize, &[Complex32])| IqBlock {
        samples: block(samples),
        first: (at * BLOCK_SAMPLES) as u64,
    };
    iq.chunks(BLOCK_SAMPLES).enumerate().map(numbered).collect()
}

fn begin(front: &mut Front, format: SampleFormat, out: &mut Vec<FrontEvent>) {
    let tuning = Tuning { rate_hz: RATE_HZ, center_hz: Some(CENTER_HZ) };
    front.begin(&Segment { index: 0, tuning, start_s: 0.0, shared_axis: true, format }, out);
}

/// After which a front must have all memory that it needs: 55 ms, before it knows the floor.
const FIRST_BLOCKS: usize = 2;

/// Holds that a front that was given the first `before` blocks of `scene`, at most all, allocates nothing over the
/// others, or over the same again if there are none, in any format. Gives the number of bursts and of reports of
/// carriers.
fn allocates_nothing_over(scene: &str, before: usize) -> (usize, usize) {
    let iq = rendered(scene);
    let mut faults = Vec::new();
    let mut found = (0, 0);
    for format in [SampleFormat::Cu8, SampleFormat::Ci8, SampleFormat::Ci16, SampleFormat::Cf32] {
        let blocks = blocks(&iq, format);
        let mut front = Front::new();
        // Being looked at costs no memory either.
        front.watch(true);
        // The caller owns what events are written to, and gives it back empty.
        let mut events = Vec::with_capacity(4096);
        let mut counts = (0, 0);
        let mut take = |events: &mut Vec<FrontEvent>| {
            counts.0 += events.iter().filter(|event| matches!(event, FrontEvent::Burst(_))).count();
            counts.1 += events.iter().filter(|event| matches!(event, FrontEvent::Carrier(_))).count();
            events.clear();
        };
        begin(&mut front, format, &mut events);
        let (seen, unseen) = blocks.split_at(before.min(blocks.len()));
        for block in seen {
            front.step(block, &mut events);
            take(&mut events);
        }
        let (count, places) = allocations(|| {
            front.gap(Gap { lost: 1000 }, &mut events);
            for block in if unseen.is_empty() { seen } else { unseen } {
                front.step(block, &mut events);
                take(&mut events);
            }
            front.finish(&mut events);
            take(&mut events);
        });
        if count > 0 {
            faults.push(format!("{format:?}: {count} allocations:\n  {}", places.join("\n  ")));
        }
        found = counts;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    found
}

#[test]
fn nothing_is_allocated_while_the_band_is_quiet() {
    assert_eq!(allocates_nothing_over(QUIET, FIRST_BLOCKS), (0, 0), "noise is detected");
}

#[test]
fn nothing_is_allocated_while_bursts_are_detected_and_handed_on() {
    let (bursts, carriers) = allocates_nothing_over(BUSY, FIRST_BLOCKS);
    assert!(bursts > 20 && carriers > 0, "the scene came to {bursts} bursts, {carriers} reports of carriers");
}

/// Buffers have grown to their size; what a burst costs each time would show here.
#[test]
fn nothing_is_allocated_for_what_was_seen_before() {
    let (bursts, carriers) = allocates_nothing_over(BUSY, usize::MAX);
    assert!(bursts > 40 && carriers > 0, "the scene came to {bursts} bursts, {carriers} reports of carriers");
}

#[test]
fn the_counter_counts() {
    let (count, places) = allocations(|| drop(std::hint::black_box(vec![1u8; 4096])));
    assert_eq!(count, 1, "{places:?}");
    assert!(places[0].starts_with("4096 bytes"), "{places:?}");
    assert_eq!(allocations(|| ()).0, 0);
}
