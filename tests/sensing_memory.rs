//! The scheduler and the capturing loop allocate nothing once they are made: an allocation may take any time, and the
//! radio does not wait.
//!
//! The test program counts its own allocations, a thread its own.
#![allow(unsafe_code, reason = "a global allocator cannot be written without")]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use emcon::classify::Device;
use emcon::config;
use emcon::iq::{SampleFormat, Samples};
use emcon::plan::{ReceiverAbility, ReceiverPlan};
use emcon::plan::{Request, scan_plan};
use emcon::policy::Level;
use emcon::ring::{Block, ring};
use emcon::sdr::{Facts, Read, Receiver, ReceiverError};
use emcon::sensor::{Axis, Capture, CaptureParams, Ended, Shared};
use emcon::sweep::{Look, Purpose, Scheduler, Suspicion, Want};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Whether this thread's allocations count now.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
    /// How many there were.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn note() {
    if COUNTED.try_with(Cell::get).unwrap_or(false) {
        COUNT.with(|count| count.set(count.get() + 1));
    }
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What `work` allocates.
fn allocations(work: impl FnOnce()) -> usize {
    COUNT.set(0);
    COUNTED.set(true);
    work();
    COUNTED.set(false);
    COUNT.get()
}

#[test]
fn nothing_is_allocated_once_the_scheduler_is_made() {
    let region = config::region("cn").unwrap();
    let (covers, emitters) = config::coverage().unwrap();
    let receivers = [config::ability(&config::receiver("hackrf").unwrap(), None)];
    let plan = scan_plan(&Request {
        region: &region,
        covers: &covers,
        emitters: &emitters,
        level: Level::TopSecret,
        devices: Device::ALL,
        receivers: &receivers,
    });
    let plan = &plan.unwrap().receivers[0];
    let mut scheduler = Scheduler::new(plan, 1);
    let (mut now_s, mut confirmed, mut lowered, mut kept) = (0.0, 0, 0, 0);
    let count = allocations(|| {
        for n in 0..5000u32 {
            let dwell = scheduler.next(now_s);
            confirmed += u32::from(matches!(dwell.purpose, Purpose::Confirm | Purpose::LoShift));
            lowered += u32::from(dwell.gain_step > 0);
            let (from_s, until_s) = (now_s + plan.settle_s, now_s + plan.settle_s + dwell.look_s);
            let clipped_share = if n % 50 == 0 { 0.02 } else { 0.0 };
            scheduler.looked(&Look { dwell, from_s, until_s, lost_samples: u64::from(n % 3), clipped_share });
            let tuning = &plan.tunings[n as usize % plan.tunings.len()];
            let want = if n % 2 == 0 { Want::GhostTest } else { Want::Stare { seconds: 0.3 } };
            let low_hz = tuning.low_hz + 1e6;
            let asked = Suspicion { low_hz, high_hz: low_hz + 1e5, want, until_s: now_s + 20.0 };
            kept += u32::from(scheduler.suspect(&asked));
            now_s = until_s;
        }
    });
    assert!(confirmed > 50 && lowered > 50 && kept > 50, "{confirmed}, {lowered}, {kept}");
    assert_eq!(count, 0);
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1u8; 4096]))), 1);
    assert_eq!(allocations(|| ()), 0);
}

/// A receiver that counts allocations between two of its samples.
struct Watched {
    facts: Facts,
    at: u64,
    counted: Option<usize>,
}

/// The first blocks may allocate what threads need once.
const FROM: u64 = 1_000_000;
const UNTIL: u64 = 8_000_000;

impl Receiver for Watched {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn tune(&mut self, _: f64) -> Result<(), ReceiverError> {
        Ok(())
    }

    fn set_gain_step(&mut self, _: usize) -> Result<(), ReceiverError> {
        Ok(())
    }

    fn gain_holds(&mut self) -> Option<bool> {
        Some(true)
    }

    fn read(&mut self, samples: &mut Samples, most: usize, _: std::time::Duration) -> Read {
        if self.at < FROM && self.at + most as u64 >= FROM {
            COUNT.set(0);
            COUNTED.set(true);
        }
        if self.at >= UNTIL {
            COUNTED.set(false);
            self.counted.get_or_insert(COUNT.get());
            return Read::Failed(String::new());
        }
        // Every thousandth read the driver loses some.
        if self.at % 1_000_003 < 4096 {
            self.at += 5000;
            return Read::Overflow;
        }
        let Samples::Ci8(samples) = samples else { return Read::Nothing };
        samples.extend((0..most).map(|n| [(n * 7 % 31) as i8, (n * 5 % 29) as i8]));
        self.at += most as u64;
        Read::Samples(most)
    }

    fn time_ns(&self) -> Option<i64> {
        None
    }

    fn restart(&mut self) -> Result<(), ReceiverError> {
        Ok(())
    }
}

#[test]
fn the_capturing_loop_allocates_nothing_whether_anybody_looks_or_not() {
    for looks in [true, false] {
        let ability = ReceiverAbility {
            name: "watched".into(),
            ranges_hz: vec![[0.0, 1e9]],
            rate_hz: 1e6,
            usable_hz: 8e5,
            offset_hz: 1e3,
            settle_s: 1e-3,
            usual_settle_s: 1e-3,
            looked_min: 0.0,
            gain_steps: 1,
        };
        let mut plan = ReceiverPlan::parked(&ability, 1e8);
        let mut second = plan.tunings[0].clone();
        second.centers_hz = [2e8; 2];
        plan.tunings.push(second);
        let facts = Facts {
            driver: "watched".into(),
            hardware: "watched".into(),
            serial: None,
            rate_hz: 1e6,
            format: SampleFormat::Ci8,
            tunable_hz: vec![[0.0, 1e9]],
            transfer: 4096,
            gain_steps: 1,
        };
        let mut receiver = Watched { facts, at: 0, counted: None };
        let (filler, mut looker) = ring(16, 32, 8, || Block::with_capacity(SampleFormat::Ci8, 1024));
        let (_suspect, suspicions) = crossbeam_channel::bounded(4);
        let mut axis = Axis::new(Scheduler::new(&plan, 1), filler, suspicions);
        let shared = Shared::default();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                while looks && !done.load(std::sync::atomic::Ordering::Relaxed) {
                    while let Some(block) = looker.take() {
                        looker.keep(block);
                    }
                    std::thread::yield_now();
                }
            });
            let params = CaptureParams { block: 1024, settle: 1000, patient: false };
            let thread = looking.thread().clone();
            let ended = Capture::new(&mut receiver, &mut axis, &shared, thread, params).run();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(matches!(ended, Ended::Silent(_)));
        });
        assert_eq!(receiver.counted, Some(0), "looks: {looks}");
        let counts = shared.counts();
        assert!(counts.received > 7_000_000 && counts.overflows > 5);
        assert!(looks || counts.dropped > 0, "nobody looks, and nothing is dropped");
    }
}
