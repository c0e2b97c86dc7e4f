//! Recordings made by others, off the air: what each must come to. They are not part of the project: they are
//! looked for in `../shared/recordings`, or where `EMCON_RECORDINGS` says. Without that variable a recording that is
//! not there is skipped, and the test says so.

use crate::contract::{Story, read, replay};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A recording and its verdict.
struct Case {
    name: &'static str,
    /// In words.
    expect: &'static str,
    holds: fn(&Story) -> bool,
}

fn is(emitter: &Value, field: &str, words: &[&str]) -> bool {
    emitter[field].as_str().is_some_and(|word| words.contains(&word))
}

fn number(emitter: &Value, field: &str) -> f64 {
    emitter[field].as_f64().unwrap_or(f64::NAN)
}

fn one(story: &Story, holds: impl Fn(&Value) -> bool) -> bool {
    story.alerted.len() == 1 && holds(&story.alerted[0])
}

const CASES: &[Case] = &[
    Case {
        name: "lte-uplink-dongle.sigmf-meta",
        expect: "an alert for a mobile phone by LTE or NR",
        holds: |s| {
            s.alerted.iter().any(|e| is(e, "signal", &["lte", "nr"]) && is(e, "device", &["mobile-phone"]))
        },
    },
    Case {
        name: "lte-tdd-base-station-2645.sigmf-meta",
        expect: "no alert for a mobile phone",
        holds: |s| !s.alerted.iter().any(|e| is(e, "device", &["mobile-phone"])),
    },
    Case {
        name: "wifi-ofdm-radiated-26mbps.sigmf-meta",
        expect: "an alert for a wireless network card by Wi-Fi OFDM",
        holds: |s| {
            let card =
                |e: &Value| is(e, "signal", &["wifi-ofdm"]) && is(e, "device", &["wireless-network-card"]);
            s.alerted.iter().any(card)
        },
    },
    Case {
        name: "gfsk-remote-2475.sigmf-meta",
        expect: "one alert, neither Bluetooth nor Wi-Fi",
        holds: |s| one(s, |e| !is(e, "signal", &["ble", "bluetooth-classic", "wifi-ofdm", "wifi-dsss"])),
    },
    Case {
        name: "p25-control-channel.sigmf-meta",
        expect: "one alert by P25 or unknown, 6 to 20 kHz wide",
        holds: |s| {
            let width = |e: &Value| (6e3..=20e3).contains(&number(e, "bandwidth_hz"));
            one(s, |e| is(e, "signal", &["p25", "unknown"]) && width(e))
        },
    },
    Case {
        name: "nfm-key-up-144.sigmf-meta",
        expect: "one alert by narrowband FM at 144.5012 MHz within 2 kHz from 0.895 s within 20 ms",
        holds: |s| {
            let placed = |e: &Value| {
                (number(e, "center_hz") - 144.5012e6).abs() < 2e3
                    && (number(e, "first_s") - 0.895).abs() < 0.02
            };
            one(s, |e| is(e, "signal", &["nfm"]) && is(e, "device", &["walkie-talkie"]) && placed(e))
        },
    },
    Case { name: "noise-144.sigmf-meta", expect: "no alert", holds: |s| s.alerted.is_empty() },
    Case {
        name: "ook-pager-keypad-433.sigmf-meta",
        expect: "an alert for another wireless device by on-off keying",
        holds: |s| {
            s.alerted.iter().any(|e| is(e, "signal", &["ook"]) && is(e, "device", &["other-wireless"]))
        },
    },
    Case {
        name: "adsb-1090.sigmf-meta",
        expect: "emitters, none of them named as a banned device other than other-wireless",
        holds: |s| {
            let harmless = |e: &Value| is(e, "device", &["other-wireless", "infrastructure", "interference"]);
            !s.emitters.is_empty() && s.emitters.values().all(harmless)
        },
    },
    Case {
        name: "nxdn96-iq-48k.wav",
        expect: "one alert for a walkie-talkie",
        holds: |s| one(s, |e| is(e, "device", &["walkie-talkie"])),
    },
];

/// Where the recordings are, and whether somebody said so: then they must be there.
fn folder() -> (PathBuf, bool) {
    match std::env::var_os("EMCON_RECORDINGS") {
        Some(folder) => (PathBuf::from(folder), true),
        None => (PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings"), false),
    }
}

/// What is wrong with the verdict on the recording of `case`.
fn faults_of(case: &Case, folder: &Path) -> Vec<String> {
    let run = replay(folder, &[case.name]);
    let story = read(&run);
    let mut faults = story.faults.clone();
    if !(case.holds)(&story) {
        let brief = |e: &Value| {
            format!(
                "{} {} {} {} wide from {} s",
                e["device"], e["signal"], e["center_hz"], e["bandwidth_hz"], e["first_s"]
            )
        };
        let found: Vec<String> = story.emitters.values().map(brief).collect();
        faults.push(format!("expected {}; found {found:#?}", case.expect));
    }
    if replay(folder, &[case.name]).out != run.out {
        faults.push("a second run says something else".to_owned());
    }
    faults.into_iter().map(|fault| format!("{}: {fault}", case.name)).collect()
}

#[test]
fn recordings_made_by_others_come_to_their_verdicts() {
    let (folder, demanded) = folder();
    let (there, missing): (Vec<&Case>, Vec<&Case>) =
        CASES.iter().partition(|case| folder.join(case.name).is_file());
    let mut faults: Vec<String> = there.iter().flat_map(|case| faults_of(case, &folder)).collect();
    for case in missing {
        let skipped = format!("{}: SKIPPED: not in {}", case.name, folder.display());
        writeln!(std::io::stderr(), "{skipped}").unwrap();
        if demanded {
            faults.push(skipped);
        }
    }
    writeln!(
        std::io::stderr(),
        "{} of {} recordings made by others were run, from {}",
        there.len(),
        CASES.len(),
        folder.display()
    )
    .unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// On a recording of something, other than on noise, it shows whether what is measured depends on how much was read.
#[test]
fn block_size_changes_no_byte() {
    let (folder, _) = folder();
    let mut faults = Vec::new();
    for case in CASES.iter().filter(|case| folder.join(case.name).is_file()) {
        let plain = replay(&folder, &[case.name]).out;
        for size in ["999", "1000000"] {
            if replay(&folder, &["--block-size", size, case.name]).out != plain {
                faults.push(format!("{}: {size} samples a block say something else", case.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
