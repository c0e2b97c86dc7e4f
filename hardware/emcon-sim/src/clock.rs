//! The clock that faults are dated with: it runs on while the machine sleeps, and means the same to every process.

/// Nanoseconds of `CLOCK_BOOTTIME`.
pub fn boottime_ns() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local that outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    wide(time.tv_sec) * 1_000_000_000 + wide(time.tv_nsec)
}

/// The fields are as wide as the platform has them.
fn wide(value: impl Into<i64>) -> i64 {
    value.into()
}

/// Names the boot that [`boottime_ns`] counts from; empty where the system does not say.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| String::new(), |id| id.trim().to_owned())
}
