//! What a client sees of the driver before and beside samples.

mod common;

use std::process::Command;

use common::{Radio, find, plugin_folder};

fn util(args: &str) -> (bool, String) {
    let folder = plugin_folder();
    let output = Command::new("SoapySDRUtil")
        .arg(args)
        .env("SOAPY_SDR_PLUGIN_PATH", folder.path())
        .output()
        .expect("SoapySDRUtil, of Debian's soapysdr-tools");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn soapysdrutil_finds_and_probes_both_models() {
    let (ok, text) = util("--find=driver=emcon-sim,serial=42");
    assert!(ok && text.contains("serial = 42"), "{text}");
    for (model, words) in [
        (
            "hackrf",
            ["driver=HackRF", "LNA gain range: [0, 40, 8] dB", "RF freq range: [0, 7250] MHz", "TX/RX"],
        ),
        (
            "rtlsdr",
            ["driver=RTLSDR", "TUNER gain range: [0, 49.6] dB", "RF freq range: [24, 1764] MHz", "sw_ticks"],
        ),
    ] {
        let (ok, text) = util(&format!("--probe=driver=emcon-sim,model={model}"));
        assert!(ok, "{text}");
        for word in words.into_iter().chain(["CS8, CS16, CF32", "1 Rx, 0 Tx"]) {
            assert!(text.contains(word), "{word:?} is missing:\n{text}");
        }
    }
    let (ok, text) = util("--probe=driver=emcon-sim,model=usrp");
    assert!(!ok && text.contains("model=usrp will not do; it takes hackrf or rtlsdr"), "{text}");
}

#[test]
fn devices_of_one_serial_number_are_found_as_many_times() {
    let found = find("model=rtlsdr,count=2");
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|device| device["serial"] == "00000001"));
    assert_ne!(found[0]["label"], found[1]["label"]);
    assert_eq!(find("count=0").len(), 0);
}

#[test]
fn a_wrong_argument_is_told_with_key_and_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "duration = 1.0\ncolour = 3\n").expect("a file");
    let not_a_tape = folder.path().join("tape.txt");
    std::fs::write(&not_a_tape, "words").expect("a file");
    for (args, told) in [
        ("model=usrp".to_owned(), "model=usrp"),
        ("scene=/nowhere.toml".to_owned(), "scene=/nowhere.toml"),
        (format!("scene={}", broken.display()), "colour"),
        (format!("recording={}", not_a_tape.display()), "tape.txt"),
        ("seed=many".to_owned(), "seed=many"),
        ("colour=red".to_owned(), "colour"),
        ("control=/nowhere/socket".to_owned(), "control=/nowhere/socket"),
    ] {
        let error = Radio::make(&args).err().expect("an error");
        assert!(error.contains(told), "{args}: {error}");
    }
}

#[test]
fn settings_out_of_range_are_answered_as_the_drivers_do() {
    let rtlsdr = Radio::make("model=rtlsdr,serial=range").expect("a device");
    assert_ne!(rtlsdr.tune(2.4e9), 0, "SoapyRTLSDR throws");
    assert_ne!(rtlsdr.rate(500e3), 0);
    assert_eq!(rtlsdr.rate(2.4e6), 0);
    let hackrf = Radio::make("model=hackrf,serial=range").expect("a device");
    assert_eq!(hackrf.tune(9e9), 0, "SoapyHackRF logs");
    assert_eq!(hackrf.frequency(), 9e9, "and reads it back");
    assert_eq!(hackrf.gain("LNA", 24.0), 0);
    assert_eq!(hackrf.gain_of("LNA"), 24.0);
}

#[test]
fn the_crate_that_emcon_uses_reads_it() {
    // The C API has loaded the module by then.
    assert_eq!(find("serial=crate").len(), 1);
    let device = soapysdr::Device::new("driver=emcon-sim,serial=crate,pace=0").expect("a device");
    device.set_frequency(soapysdr::Direction::Rx, 0, 2.44e9, ()).expect("a frequency");
    device.set_sample_rate(soapysdr::Direction::Rx, 0, 20e6).expect("a rate");
    let mut stream = device.rx_stream::<num_complex::Complex<i8>>(&[0]).expect("a stream");
    assert_eq!(stream.mtu().ok(), Some(131_072));
    stream.activate(None).expect("activation");
    let mut samples = vec![num_complex::Complex::new(0, 0); 1000];
    assert_eq!(stream.read(&mut [&mut samples], 1_000_000).ok(), Some(1000));
    assert!(samples.iter().any(|sample| sample.re != 0));
}
