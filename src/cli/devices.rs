//! `emcon devices`: what is attached, and how to name it.

use super::exit::Exit;
use super::receiver_args::DevicesArgs;
use super::{complain, output_failed, say};
use crate::app::attached::{Attached, Soapy, attached, soapy};
use std::io::{self, Write};

/// Does it.
pub(super) fn run(args: &DevicesArgs) -> Exit {
    let found = match attached(args.device.as_deref().unwrap_or_default()) {
        Ok(found) => found,
        Err(why) => {
            complain(&format_args!("cannot list receivers: {why}; `emcon doctor` says what is wrong"));
            return Exit::Unavailable;
        }
    };
    let soapy = here();
    if found.is_empty() {
        let what =
            args.device.as_ref().map_or_else(String::new, |asked| format!(" that matches \"{asked}\""));
        complain(&format_args!(
            "no receiver is attached{what}; plug one in and install its SoapySDR module (apt-get install \
             soapysdr-module-rtlsdr soapysdr-module-hackrf); `emcon doctor` says what is missing"
        ));
    }
    let written = if args.json { json(&found, &soapy) } else { lines(&found) };
    if let Err(error) = written {
        return output_failed(&error);
    }
    if !args.json {
        for line in modules(&soapy) {
            say(&line);
        }
    }
    if let Some(serial) = found.iter().find(|one| one.twin).and_then(|one| one.serial.as_ref()) {
        complain(&format_args!(
            "several receivers have serial {serial} and cannot be told apart: give each its own (rtl_eeprom -s)"
        ));
    }
    Exit::Ok
}

/// SoapySDR of this process.
pub(super) fn here() -> Soapy {
    // Without it, nothing is known of the library.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    soapy(&maps, std::env::var("SOAPY_SDR_PLUGIN_PATH").ok().as_deref())
}

fn json(found: &[Attached], soapy: &Soapy) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", serde_json::json!({ "event": "devices", "devices": found, "soapysdr": soapy }))
}

fn lines(found: &[Attached]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for one in found {
        let kind = one.kind.as_deref().map_or_else(
            || "of no kind that emcon knows: say which it is like with --receiver".to_owned(),
            |kind| format!("kind {kind}"),
        );
        let serial =
            one.serial.as_deref().map_or_else(|| "no serial".to_owned(), |own| format!("serial {own}"));
        let twin = if one.twin { " (not the only one)" } else { "" };
        writeln!(stdout, "{}\n    driver {}, {serial}{twin}, {kind}", one.label, one.driver)?;
        writeln!(stdout, "    --device {}", one.arguments)?;
    }
    stdout.flush()
}

/// Where modules come from, a line each.
fn modules(soapy: &Soapy) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(library) = &soapy.library {
        let version = soapy.version.as_deref().unwrap_or("of unknown version");
        out.push(format!("SoapySDR {version}: {}", library.display()));
    }
    for folder in &soapy.folders {
        let what = match (folder.is_there, folder.modules.is_empty()) {
            (false, _) => "is not there".to_owned(),
            (true, true) => "no modules".to_owned(),
            (true, false) => folder.modules.join(" "),
        };
        out.push(format!("modules in {}: {what}", folder.path.display()));
    }
    let path = soapy.plugin_path.as_deref().unwrap_or("not set");
    out.push(format!("SOAPY_SDR_PLUGIN_PATH: {path}"));
    out
}
