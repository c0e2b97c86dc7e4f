//! The computer: drivers of the kernel that take a dongle for a television set, and what a capturing thread may do.

use super::{Check, Roots, UsbReceiver};
use std::fs;

/// Drivers of the kernel that claim an RTL2832U for television.
const TELEVISION: [&str; 3] = ["dvb_usb_rtl28xxu", "rtl2832_sdr", "rtl2832"];

/// What can be said of the computer whose receivers are `found`.
pub fn host(roots: &Roots, found: &[UsbReceiver]) -> Vec<Check> {
    let loaded = television(roots);
    let modules = if loaded.is_empty() {
        Check::pass("television drivers", "none is loaded")
    } else {
        Check::warn(
            "television drivers",
            format!("{} loaded: they take every RTL-SDR that is plugged in", loaded.join(", ")),
            "modprobe -r dvb_usb_rtl28xxu now, and install hardware/modprobe/emcon-blacklist.conf",
        )
    };
    let listed: Vec<String> = found.iter().map(|one| format!("{} at {}", one.kind, one.port)).collect();
    let bus = if listed.is_empty() {
        Check::pass("USB", "no receiver that emcon knows (simulated and remote ones are not there)")
    } else {
        Check::pass("USB", listed.join(", "))
    };
    vec![modules, bus]
}

fn television(roots: &Roots) -> Vec<&'static str> {
    let text = fs::read_to_string(roots.proc.join("modules")).unwrap_or_default();
    let listed = |name: &str| text.lines().any(|line| line.split_whitespace().next() == Some(name));
    let there = |name: &str| roots.sys.join("module").join(name).is_dir();
    TELEVISION.into_iter().filter(|name| listed(name) || there(name)).collect()
}

/// Whether a thread may take real-time priority, as the capturing one does.
pub fn realtime() -> Check {
    let tried = std::thread::spawn(|| {
        thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Max).is_ok()
    });
    if tried.join().unwrap_or(false) {
        return Check::pass("priority", "a thread may raise its own");
    }
    Check::warn(
        "priority",
        "threads may not raise theirs: a busy computer may lose samples",
        "allow it: LimitRTPRIO=50 in the unit, or `rtprio 50` for the group in /etc/security/limits.d",
    )
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    #[test]
    fn television_drivers_are_seen_in_either_place() {
        let root = tempfile::tempdir().unwrap();
        let roots = Roots { proc: root.path().into(), sys: root.path().into(), dev: root.path().into() };
        assert_eq!(host(&roots, &[])[0].health, Health::Pass);
        fs::write(root.path().join("modules"), "snd 1 0 - Live\ndvb_usb_rtl28xxu 40960 0 - Live 0x0\n")
            .unwrap();
        assert_eq!(television(&roots), ["dvb_usb_rtl28xxu"]);
        fs::create_dir_all(root.path().join("module/rtl2832")).unwrap();
        assert_eq!(host(&roots, &[])[0].health, Health::Warn);
        assert_eq!(television(&roots), ["dvb_usb_rtl28xxu", "rtl2832"]);
    }
}
