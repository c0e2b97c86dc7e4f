//! Receivers as the USB sees them: there or not, fast enough, allowed to be opened, held by somebody else.

use super::{Check, Roots, kind_of_id};
use crate::sdr::ReceiverProfile;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Speed of USB 2.0, "high speed", megabits a second: both kinds of receiver need it.
const HIGH_SPEED: f64 = 480.0;

/// A receiver on the USB.
#[derive(Debug, Clone, PartialEq)]
pub struct UsbReceiver {
    /// The port's path, as `1-2.3`.
    pub port: String,
    /// The kind that its numbers mean.
    pub kind: String,
    /// Serial number.
    pub serial: Option<String>,
    /// Megabits a second.
    pub speed: Option<f64>,
    /// Drivers of the kernel that hold an interface of it.
    pub drivers: Vec<String>,
    /// The node that libusb opens.
    pub node: PathBuf,
}

/// Receivers of `profiles` that the kernel lists.
pub fn usb_receivers(roots: &Roots, profiles: &[ReceiverProfile]) -> Vec<UsbReceiver> {
    let folder = roots.sys.join("bus/usb/devices");
    let Ok(entries) = fs::read_dir(&folder) else { return Vec::new() };
    let mut out: Vec<UsbReceiver> =
        entries.flatten().filter_map(|entry| one(roots, &entry.path(), profiles)).collect();
    out.sort_by(|a, b| a.port.cmp(&b.port));
    out
}

fn one(roots: &Roots, path: &Path, profiles: &[ReceiverProfile]) -> Option<UsbReceiver> {
    let text = |name: &str| fs::read_to_string(path.join(name)).ok().map(|text| text.trim().to_owned());
    let hex = |name: &str| u16::from_str_radix(&text(name)?, 16).ok();
    let profile = kind_of_id(profiles, [hex("idVendor")?, hex("idProduct")?])?;
    let number = |name: &str| text(name)?.parse::<u32>().ok();
    let node = format!("bus/usb/{:03}/{:03}", number("busnum")?, number("devnum")?);
    Some(UsbReceiver {
        port: path.file_name()?.to_string_lossy().into_owned(),
        kind: profile.name.clone(),
        serial: text("serial"),
        speed: text("speed").and_then(|text| text.parse().ok()),
        drivers: drivers(path),
        node: roots.dev.join(node),
    })
}

/// Drivers bound to the interfaces of the device at `path`, but for the one by which programs have it.
fn drivers(path: &Path) -> Vec<String> {
    let interfaces = fs::read_dir(path).into_iter().flatten().flatten();
    let bound = interfaces.filter_map(|entry| fs::read_link(entry.path().join("driver")).ok());
    let names = bound.filter_map(|link| Some(link.file_name()?.to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.filter(|name| name != "usbfs").collect();
    names.sort();
    names.dedup();
    names
}

/// What can be said of `receiver`.
pub fn usb(roots: &Roots, receiver: &UsbReceiver) -> Vec<Check> {
    let name = format!("{} at USB port {}", receiver.kind, receiver.port);
    vec![
        speed(receiver, &name),
        permission(receiver, &name),
        driver(receiver, &name),
        holder(roots, receiver, &name),
    ]
}

fn speed(receiver: &UsbReceiver, name: &str) -> Check {
    match receiver.speed {
        Some(speed) if speed < HIGH_SPEED => Check::fail(
            "USB speed",
            format!("{name} runs at {speed} Mbit/s"),
            "plug it into a port of USB 2.0 or later, without an old hub or a long cable",
        ),
        Some(speed) => Check::pass("USB speed", format!("{name}: {speed} Mbit/s")),
        None => Check::warn("USB speed", format!("{name} does not tell its speed"), "plug it in again"),
    }
}

fn permission(receiver: &UsbReceiver, name: &str) -> Check {
    const NAME: &str = "permission";
    const RULES: &str =
        "install hardware/udev/70-emcon-sdr.rules, join the group plugdev, plug the receiver in again";
    let node = receiver.node.display();
    let metadata = match fs::metadata(&receiver.node) {
        Ok(metadata) => metadata,
        Err(error) => {
            return Check::fail(
                NAME,
                format!("{name}: {node}: {error}"),
                "in a container, pass /dev/bus/usb through",
            );
        }
    };
    let mode = metadata.permissions().mode() & 0o777;
    let whose = format!("{node} is {mode:04o} of user {} and group {}", metadata.uid(), metadata.gid());
    let opens = fs::OpenOptions::new().read(true).write(true).open(&receiver.node).is_ok();
    match (opens, mode & 0o002 != 0) {
        (false, _) => Check::fail(NAME, format!("{name} may not be opened: {whose}"), RULES),
        (true, true) => Check::warn(NAME, format!("{name}: anybody may open it: {whose}"), RULES),
        (true, false) => Check::pass(NAME, format!("{name}: {whose}")),
    }
}

fn driver(receiver: &UsbReceiver, name: &str) -> Check {
    match receiver.drivers.as_slice() {
        [] => Check::pass("kernel driver", format!("{name}: none holds it")),
        several => Check::fail(
            "kernel driver",
            format!("{name} is held by the kernel's {}", several.join(", ")),
            "modprobe -r dvb_usb_rtl28xxu now, and install hardware/modprobe/emcon-blacklist.conf",
        ),
    }
}

/// Who has the node open.
fn holder(roots: &Roots, receiver: &UsbReceiver, name: &str) -> Check {
    let holders: Vec<String> = holders(&roots.proc, &receiver.node)
        .into_iter()
        .map(|(pid, name)| format!("{name} (process {pid})"))
        .collect();
    if holders.is_empty() {
        return Check::pass("holder", format!("{name}: nobody that can be seen has it open"));
    }
    Check::fail(
        "holder",
        format!("{name} is open in {}", holders.join(", ")),
        "end that process, or guard with it",
    )
}

/// Processes that have `node` open, this one left out; those of others are seen by root only.
fn holders(proc: &Path, node: &Path) -> Vec<(u32, String)> {
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let own = std::process::id();
    let has = |pid: &u32| {
        let files = fs::read_dir(proc.join(pid.to_string()).join("fd")).into_iter().flatten().flatten();
        files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|target| target == node))
    };
    let mut out: Vec<(u32, String)> = pids
        .filter(|pid| *pid != own)
        .filter(has)
        .map(|pid| {
            let name = fs::read_to_string(proc.join(pid.to_string()).join("comm")).unwrap_or_default();
            (pid, name.trim().to_owned())
        })
        .collect();
    out.sort_unstable();
    out
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;
    use crate::config;
    use std::os::unix::fs::symlink;

    /// A machine of files with one dongle.
    fn machine(speed: &str, driver: Option<&str>, mode: u32) -> (tempfile::TempDir, Roots) {
        let root = tempfile::tempdir().unwrap();
        let roots = Roots {
            proc: root.path().join("proc"),
            sys: root.path().join("sys"),
            dev: root.path().join("dev"),
        };
        let device = roots.sys.join("bus/usb/devices/1-2");
        fs::create_dir_all(device.join("1-2:1.0")).unwrap();
        for (name, text) in [
            ("idVendor", "0bda"),
            ("idProduct", "2838"),
            ("serial", "00000001"),
            ("speed", speed),
            ("busnum", "1"),
            ("devnum", "7"),
        ] {
            fs::write(device.join(name), format!("{text}\n")).unwrap();
        }
        // A hub, which is no receiver.
        fs::create_dir_all(roots.sys.join("bus/usb/devices/usb1")).unwrap();
        fs::write(roots.sys.join("bus/usb/devices/usb1/idVendor"), "1d6b\n").unwrap();
        if let Some(driver) = driver {
            symlink(format!("../../drivers/{driver}"), device.join("1-2:1.0/driver")).unwrap();
        }
        fs::create_dir_all(roots.dev.join("bus/usb/001")).unwrap();
        let node = roots.dev.join("bus/usb/001/007");
        fs::write(&node, "").unwrap();
        fs::set_permissions(&node, fs::Permissions::from_mode(mode)).unwrap();
        fs::create_dir_all(roots.proc.join("4242/fd")).unwrap();
        fs::write(roots.proc.join("4242/comm"), "rtl_433\n").unwrap();
        (root, roots)
    }

    fn health(roots: &Roots, name: &str) -> Health {
        let found = usb_receivers(roots, &config::receivers().unwrap());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].kind.as_str(), found[0].port.as_str()), ("rtlsdr", "1-2"));
        usb(roots, &found[0]).into_iter().find(|check| check.name == name).unwrap().health
    }

    #[test]
    fn a_dongle_that_is_well() {
        let (_root, roots) = machine("480", Some("usbfs"), 0o660);
        for name in ["USB speed", "permission", "kernel driver", "holder"] {
            assert_eq!(health(&roots, name), Health::Pass, "{name}");
        }
    }

    #[test]
    fn each_fault_is_seen_alone() {
        let (_root, roots) = machine("12", None, 0o660);
        assert_eq!(health(&roots, "USB speed"), Health::Fail);
        let (_root, roots) = machine("480", Some("dvb_usb_rtl28xxu"), 0o660);
        assert_eq!(health(&roots, "kernel driver"), Health::Fail);
        let (_root, roots) = machine("480", None, 0o666);
        assert_eq!(health(&roots, "permission"), Health::Warn);
        fs::remove_file(roots.dev.join("bus/usb/001/007")).unwrap();
        assert_eq!(health(&roots, "permission"), Health::Fail);
    }

    #[test]
    fn who_holds_it_is_named() {
        let (_root, roots) = machine("480", None, 0o660);
        let node = roots.dev.join("bus/usb/001/007");
        symlink(&node, roots.proc.join("4242/fd/9")).unwrap();
        assert_eq!(holders(&roots.proc, &node), [(4242, "rtl_433".to_owned())]);
        assert_eq!(health(&roots, "holder"), Health::Fail);
    }
}
