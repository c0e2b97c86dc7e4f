//! The scheduler allocates nothing once it is made: it is asked by the thread that must not miss a sample.
//!
//! The test program counts its own allocations, a thread its own.
#![allow(unsafe_code, reason = "a global allocator cannot be written without")]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use emcon::classify::Device;
use emcon::config;
use emcon::plan::{Request, scan_plan};
use emcon::policy::Level;
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
