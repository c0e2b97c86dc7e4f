//! `emcon plan` as it is typed.

use serde_json::Value;
use std::process::{Command, Output};

fn emcon(typed: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emcon")).arg("plan").args(typed.split_whitespace()).output().unwrap()
}

#[test]
fn one_object_with_units_in_its_names() {
    let out = emcon("--json --region eu --receiver rtlsdr --receiver hackrf --settle 5ms");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let plan: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((plan["event"].as_str(), plan["region"].as_str()), (Some("plan"), Some("eu")));
    let receivers = plan["receivers"].as_array().unwrap();
    let names: Vec<_> = receivers.iter().filter_map(|r| r["receiver"].as_str()).collect();
    assert_eq!(names, ["rtlsdr", "hackrf"]);
    for receiver in receivers {
        assert_eq!(receiver["settle_s"], 0.005);
        let shares: f64 =
            receiver["tunings"].as_array().unwrap().iter().filter_map(|t| t["share"].as_f64()).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    }
    // 6 GHz Wi-Fi is beyond both.
    let unseen: Vec<_> =
        plan["unseen"].as_array().unwrap().iter().filter_map(|u| u["band"].as_str()).collect();
    assert_eq!(unseen, ["6 GHz Wi-Fi"]);
    for line in plan["forecast"].as_array().unwrap() {
        let (first, second) = (line["first"]["median_s"].as_f64(), line["second"]["median_s"].as_f64());
        assert!(first.unwrap() < second.unwrap(), "{line}");
    }
}

#[test]
fn the_table_tells_what_cannot_be_seen() {
    let out = emcon("--receiver rtlsdr --require bluetooth-device,walkie-talkie");
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success());
    for told in
        ["VHF professional", "% of the time looked at", "Bluetooth (2400.0 to 2483.5 MHz; bluetooth-device)"]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(text.contains("BLE advertiser, 1 s (bluetooth-device): none of its bands is in range"), "{text}");
}

#[test]
fn combinations_that_leave_nothing_say_why() {
    for (typed, told) in [
        ("--level open", "nothing must be covered"),
        ("--receiver bladerf", "choose one of hackrf, rtlsdr"),
        ("--receiver rtlsdr --require bluetooth-device", "rtlsdr can tune to none of what must be covered"),
        ("--settle 2", "give at most 0.5 s"),
        ("--require phone", "choose from mobile-phone"),
    ] {
        let out = emcon(typed);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{typed}: {said}");
        assert!(said.contains(told), "{typed}: {said}");
        assert!(out.stdout.is_empty());
    }
}
