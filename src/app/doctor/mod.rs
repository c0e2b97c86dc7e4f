//! `emcon doctor`: what is wrong with a receiver, its computer and what lies between, each with the one-line fix.
//!
//! What the operating system shows is read below [`Roots`], so that tests can build a machine of files.

mod coverage;
mod flow;
mod host;
mod usb;

pub use coverage::coverage;
pub use flow::{Flow, measure};
pub use host::{host, realtime};
pub use usb::{UsbReceiver, usb, usb_receivers};

use super::attached::{Attached, Soapy};
use crate::sdr::ReceiverProfile;
use serde::Serialize;
use std::path::PathBuf;

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Health {
    /// As it should be.
    Pass,
    /// It works, not as well as it should.
    Warn,
    /// It does not work.
    Fail,
}

impl Health {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What, in a word or two.
    pub name: &'static str,
    /// How well it is.
    pub health: Health,
    /// What was seen.
    pub seen: String,
    /// What to do about it, in a line.
    pub fix: Option<String>,
}

impl Check {
    /// It is as it should be.
    pub fn pass(name: &'static str, seen: impl Into<String>) -> Self {
        Self { name, health: Health::Pass, seen: seen.into(), fix: None }
    }

    /// It works, not as well as it should.
    pub fn warn(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, health: Health::Warn, seen: seen.into(), fix: Some(fix.into()) }
    }

    /// It does not work.
    pub fn fail(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, health: Health::Fail, seen: seen.into(), fix: Some(fix.into()) }
    }
}

/// The worst of `checks`.
pub fn worst(checks: &[Check]) -> Health {
    checks.iter().map(|check| check.health).max().unwrap_or(Health::Pass)
}

/// Where the operating system shows itself.
#[derive(Debug, Clone)]
pub struct Roots {
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys`.
    pub sys: PathBuf,
    /// `/dev`.
    pub dev: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), dev: "/dev".into() }
    }
}

/// SoapySDR, and whether it has a module for `driver`.
pub fn soapysdr(soapy: &Soapy, driver: Option<&str>) -> Vec<Check> {
    let mut out = Vec::new();
    let version = soapy.version.as_deref().unwrap_or("of unknown version");
    out.push(match &soapy.library {
        Some(library) => Check::pass("SoapySDR", format!("{version}, {}", library.display())),
        None => Check::warn("SoapySDR", "its library is not to be found in this process", "report it"),
    });
    for folder in soapy.folders.iter().filter(|folder| !folder.is_there) {
        let asked =
            soapy.plugin_path.as_ref().is_some_and(|own| own.contains(&*folder.path.to_string_lossy()));
        if asked {
            out.push(Check::warn(
                "module folder",
                format!("{} is not there", folder.path.display()),
                "correct SOAPY_SDR_PLUGIN_PATH",
            ));
        }
    }
    let modules: Vec<&str> =
        soapy.folders.iter().flat_map(|f| f.modules.iter().map(String::as_str)).collect();
    let plain = |name: &str| name.to_lowercase().replace(['-', '_'], "");
    let wanted = driver.map(plain);
    let has =
        wanted.as_ref().is_none_or(|wanted| modules.iter().any(|name| plain(name).contains(wanted.as_str())));
    let listed = if modules.is_empty() { "none".to_owned() } else { modules.join(" ") };
    let package =
        format!("apt-get install soapysdr-module-{}", driver.unwrap_or("rtlsdr soapysdr-module-hackrf"));
    out.push(if modules.is_empty() || !has {
        Check::fail("modules", format!("{listed}; none for {}", driver.unwrap_or("any receiver")), package)
    } else {
        Check::pass("modules", listed)
    });
    out
}

/// What is attached, and whether one of them is meant.
pub fn receivers(found: &Result<Vec<Attached>, String>) -> Check {
    const NAME: &str = "receivers";
    let found = match found {
        Ok(found) => found,
        Err(why) => {
            return Check::fail(NAME, format!("SoapySDR cannot list them: {why}"), "reinstall its modules");
        }
    };
    let listed: Vec<&str> = found.iter().map(|one| one.arguments.as_str()).collect();
    if let Some(twin) = found.iter().find(|one| one.twin) {
        let serial = twin.serial.as_deref().unwrap_or_default();
        return Check::fail(
            NAME,
            format!("{} of them, several with serial {serial}", found.len()),
            "unplug all but one of them and give it a serial of its own: rtl_eeprom -s 00000002",
        );
    }
    match found.as_slice() {
        [] => Check::fail(NAME, "none is attached", "plug one in; if it is, see the lines on USB"),
        [one] if one.kind.is_none() => Check::warn(
            NAME,
            listed.join(", "),
            "emcon does not know this kind: say which it is like with --receiver",
        ),
        [_] => Check::pass(NAME, listed.join(", ")),
        several => Check::warn(
            NAME,
            format!("{}: {}", several.len(), listed.join(" and ")),
            "choose one with --device",
        ),
    }
}

/// The kind of `profiles` that USB knows by `id`.
fn kind_of_id(profiles: &[ReceiverProfile], id: [u16; 2]) -> Option<&ReceiverProfile> {
    profiles.iter().find(|profile| profile.usb_ids.contains(&id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::attached::Folder;

    fn one(serial: &str, twin: bool) -> Attached {
        Attached {
            driver: "rtlsdr".into(),
            label: "a dongle".into(),
            serial: Some(serial.into()),
            arguments: format!("driver=rtlsdr,serial={serial}"),
            kind: Some("rtlsdr".into()),
            twin,
        }
    }

    #[test]
    fn one_receiver_is_well_and_two_alike_are_not() {
        assert_eq!(receivers(&Ok(vec![one("1", false)])).health, Health::Pass);
        assert_eq!(receivers(&Ok(vec![one("1", false), one("2", false)])).health, Health::Warn);
        let twins = receivers(&Ok(vec![one("1", true), one("1", true)]));
        assert_eq!(twins.health, Health::Fail);
        assert!(twins.fix.unwrap().contains("rtl_eeprom"));
        assert_eq!(receivers(&Ok(Vec::new())).health, Health::Fail);
        assert_eq!(receivers(&Err("it broke".into())).health, Health::Fail);
    }

    #[test]
    fn a_module_is_missed_by_its_driver() {
        let folder = |modules: &[&str]| Soapy {
            library: Some("/usr/lib/libSoapySDR.so.0.8".into()),
            version: Some("0.8.1".into()),
            plugin_path: Some("/nowhere".into()),
            folders: vec![
                Folder { path: "/nowhere".into(), is_there: false, modules: Vec::new() },
                Folder {
                    path: "/m".into(),
                    is_there: true,
                    modules: modules.iter().map(|m| (*m).into()).collect(),
                },
            ],
        };
        let health = |modules: &[&str], driver| soapysdr(&folder(modules), driver).last().unwrap().health;
        assert_eq!(health(&["librtlsdrSupport.so"], Some("rtlsdr")), Health::Pass);
        assert_eq!(health(&["libemcon_sim.so"], Some("emcon-sim")), Health::Pass);
        assert_eq!(health(&["librtlsdrSupport.so"], Some("hackrf")), Health::Fail);
        assert_eq!(health(&[], None), Health::Fail);
        let path = &soapysdr(&folder(&["x.so"]), None)[1];
        assert_eq!((path.name, path.health), ("module folder", Health::Warn));
    }
}
