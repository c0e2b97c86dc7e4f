//! `devices`, `record`, `scan` and `doctor`, driven as people drive them, on the simulated receiver.
//!
//! It is a module of SoapySDR, which `scripts/sim-module.sh` builds; without it these tests fail and say so.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// The folder of the simulated receiver's module.
fn module() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_emcon")).parent().unwrap().parent().unwrap().join("soapy");
    let named = std::env::var_os("SOAPY_SDR_PLUGIN_PATH").map(PathBuf::from);
    let found = named.into_iter().chain([beside]).find(|folder| folder.join("libemcon_sim.so").is_file());
    found.expect(
        "the simulated receiver is not built: run `scripts/sim-module.sh --profile dev` before the tests",
    )
}

fn emcon(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emcon"));
    command
        .args(line.split_whitespace())
        .current_dir(folder)
        .env("SOAPY_SDR_PLUGIN_PATH", module())
        // The reader's own configuration must not decide.
        .env("XDG_CONFIG_HOME", folder);
    command
}

/// Runs `emcon LINE` in `folder`; gives the status, standard output and standard error.
fn run(folder: &Path, line: &str) -> (i32, String, String) {
    finished(&emcon(folder, line).output().unwrap())
}

fn finished(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    assert!(!told.contains("panicked"), "{told}");
    (output.status.code().expect("ended by a signal"), said, told)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn meta(folder: &Path, name: &str) -> Value {
    json(&std::fs::read_to_string(folder.join(format!("{name}.sigmf-meta"))).unwrap())
}

fn data_len(folder: &Path, name: &str) -> u64 {
    std::fs::metadata(folder.join(format!("{name}.sigmf-data"))).unwrap().len()
}

/// A receiver at work whose faults can be set.
struct Working {
    child: Child,
    control: PathBuf,
}

impl Working {
    /// Starts `emcon LINE` and waits until its receiver listens for faults; `CONTROL` in `line` is the socket.
    fn start(folder: &Path, line: &str) -> Self {
        let control = folder.join("control");
        let line = line.replace("CONTROL", control.to_str().unwrap());
        let child = emcon(folder, &line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let working = Self { child, control };
        let listens = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            UnixStream::connect(&working.control).is_ok()
        });
        if !listens {
            panic!("{line}: its receiver does not listen for faults: {:?}", working.end());
        }
        working
    }

    /// Waits until the data file `name` has grown to `bytes`.
    fn wait_for(&self, file: &Path, bytes: u64) {
        for _ in 0..1500 {
            if std::fs::metadata(file).is_ok_and(|metadata| metadata.len() >= bytes) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} does not grow", file.display());
    }

    fn fault(&self, verb: &str) {
        let stream = UnixStream::connect(&self.control).unwrap();
        writeln!(&stream, "{verb}").unwrap();
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer).unwrap();
        assert_eq!(answer, "ok\n", "{verb}");
    }

    fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    fn end(self) -> (i32, String, String) {
        finished(&self.child.wait_with_output().unwrap())
    }
}

#[test]
fn devices_lists_what_is_attached_with_the_arguments_that_open_it() {
    let folder = tempfile::tempdir().unwrap();
    let (status, said, _) = run(folder.path(), "devices --json --device driver=emcon-sim,model=rtlsdr");
    assert_eq!(status, 0);
    let told = json(&said);
    let one = &told["devices"][0];
    assert_eq!((&one["kind"], &one["twin"]), (&"rtlsdr".into(), &false.into()));
    assert_eq!(one["arguments"], "driver=emcon-sim,serial=00000001,model=rtlsdr");
    let modules = told["soapysdr"]["folders"][0]["modules"].to_string();
    assert!(modules.contains("libemcon_sim.so"), "{told}");
}

#[test]
fn devices_flags_twins_and_says_when_nothing_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (status, said, told) = run(folder.path(), "devices --device driver=emcon-sim,count=2");
    assert_eq!((status, said.matches("not the only one").count()), (0, 2));
    assert!(told.contains("cannot be told apart"), "{told}");
    let (status, said, told) = run(folder.path(), "devices --device driver=emcon-sim,count=0");
    assert_eq!((status, said.as_str()), (0, ""));
    assert!(told.contains("no receiver is attached") && told.contains("emcon doctor"), "{told}");
}

/// Oracle: the length that was asked for, and `replay`, which reads what was written.
#[test]
fn record_stays_at_a_frequency() {
    let folder = tempfile::tempdir().unwrap();
    let line = "record --device driver=emcon-sim,pace=0 --freq 433.92M --for 0.2 -o one --reserve 1M --json";
    let (status, said, told) = run(folder.path(), line);
    assert_eq!(status, 0, "{told}");
    let said = json(&said);
    assert_eq!((&said["samples"], &said["ended"]), (&4_000_000.into(), &"complete".into()));
    assert_eq!(said["settle_measured"], true);
    let meta = meta(folder.path(), "one");
    assert_eq!(data_len(folder.path(), "one"), 8_000_000);
    assert_eq!(meta["captures"].as_array().unwrap().len(), 1);
    assert_eq!(meta["captures"][0]["core:frequency"], 433.92e6);
    assert!(meta["captures"][0]["core:datetime"].is_string());
    assert_eq!(meta["global"]["emcon:gain_db"]["LNA"], 16.0);
    assert_eq!(meta["global"]["core:extensions"][0]["optional"], true);
    assert!(meta["global"]["core:author"].is_null() && meta["global"]["core:hw"].is_string());
    let (status, said, told) = run(folder.path(), "replay --json one.sigmf-meta");
    assert_eq!(status, 0, "{told}");
    let summary = json(said.lines().last().unwrap());
    assert_eq!((&summary["samples"], &summary["lost_samples"]), (&4_000_000.into(), &0.into()));
}

#[test]
fn record_sweeps_in_dated_segments() {
    let folder = tempfile::tempdir().unwrap();
    let line = "record --device driver=emcon-sim,pace=0 --sweep 2400M..2440M --dwell 0.02 --for 0.4 -o room --reserve 1M";
    let (status, _, told) = run(folder.path(), line);
    assert_eq!(status, 0, "{told}");
    let meta = meta(folder.path(), "room");
    let captures = meta["captures"].as_array().unwrap();
    assert!(captures.len() >= 10, "{}", captures.len());
    for pair in captures.windows(2) {
        let at = |capture: &Value, key: &str| capture[key].as_u64().unwrap();
        assert_eq!(at(&pair[1], "core:sample_start") - at(&pair[0], "core:sample_start"), 400_000);
        assert!(at(&pair[1], "core:global_index") >= at(&pair[0], "core:global_index") + 400_000);
        assert!(pair[0]["core:datetime"].as_str() < pair[1]["core:datetime"].as_str());
        assert_ne!(pair[0]["core:frequency"], pair[1]["core:frequency"]);
    }
    assert_eq!(run(folder.path(), "replay room.sigmf-meta").0, 0);
}

#[test]
fn record_begins_a_segment_after_a_loss() {
    let folder = tempfile::tempdir().unwrap();
    let working = Working::start(
        folder.path(),
        "record --device driver=emcon-sim,model=rtlsdr,control=CONTROL --freq 433.92M --for 1.5 -o lost --reserve 1M --json",
    );
    working.wait_for(&folder.path().join("lost.sigmf-data.part"), 1_000_000);
    working.fault("overflow 24000");
    let (status, said, told) = working.end();
    assert_eq!(status, 0, "{told}");
    let said = json(&said);
    assert_eq!(said["losses"], 1, "{said} {told}");
    let meta = meta(folder.path(), "lost");
    let captures = meta["captures"].as_array().unwrap();
    assert_eq!(captures.len(), 2);
    let at = |n: usize, key: &str| captures[n][key].as_u64().unwrap();
    let written = at(1, "core:sample_start") - at(0, "core:sample_start");
    let made = at(1, "core:global_index") - at(0, "core:global_index");
    assert_eq!(Some(made - written), said["lost_samples"].as_u64());
    assert!(made - written >= 24_000, "{made} {written}");
    assert_eq!(meta["annotations"][0]["core:label"], "loss");
    assert_eq!(run(folder.path(), "replay lost.sigmf-meta").0, 0);
}

#[test]
fn record_keeps_what_came_before_its_receiver_went() {
    for (fault, why) in
        [("vanish", "silent"), ("timeout", "silent"), ("throw always", "silent"), ("hang_read", "hangs")]
    {
        let folder = tempfile::tempdir().unwrap();
        let working = Working::start(
            folder.path(),
            "record --device driver=emcon-sim,model=rtlsdr,control=CONTROL --freq 433.92M -o gone --reserve 1M --json",
        );
        working.wait_for(&folder.path().join("gone.sigmf-data.part"), 500_000);
        working.fault(fault);
        let (status, said, told) = working.end();
        assert_eq!(status, 74, "{fault}: {told}");
        assert!(told.contains(why) && told.contains("is kept"), "{fault}: {told}");
        let said = json(&said);
        assert_eq!(said["ended"], "receiver-gone", "{fault}");
        let samples = said["samples"].as_u64().unwrap();
        assert!(samples >= 250_000 && data_len(folder.path(), "gone") == 2 * samples, "{fault}: {samples}");
        let (status, said, _) = run(folder.path(), "replay --json gone.sigmf-meta");
        assert_eq!((status, &json(said.lines().last().unwrap())["samples"]), (0, &samples.into()), "{fault}");
    }
}

#[test]
fn record_ends_when_interrupted_and_at_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let working = Working::start(
        folder.path(),
        "record --device driver=emcon-sim,model=rtlsdr,control=CONTROL --freq 433.92M -o a --reserve 1M --json",
    );
    working.wait_for(&folder.path().join("a.sigmf-data.part"), 100_000);
    working.interrupt();
    let (status, said, told) = working.end();
    assert_eq!(status, 0, "{told}");
    assert_eq!(json(&said)["ended"], "interrupted");
    let line =
        "record --device driver=emcon-sim,pace=0 --freq 433.92M -o b --reserve 1M --max-bytes 1000001 --json";
    let (status, said, _) = run(folder.path(), line);
    assert_eq!((status, &json(&said)["ended"]), (0, &"large-enough".into()));
    assert_eq!(data_len(folder.path(), "b"), 1_000_000);
    let line = "record --device driver=emcon-sim,pace=0 --freq 433.92M -o c --reserve 1000000G";
    let (status, _, told) = run(folder.path(), line);
    assert_eq!(status, 73, "{told}");
    assert!(told.contains("--reserve"), "{told}");
}

#[test]
fn record_replaces_nothing_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let line = "record --device driver=emcon-sim,pace=0 --freq 433.92M --for 10ms -o x --reserve 1M";
    assert_eq!(run(folder.path(), line).0, 0);
    let before = meta(folder.path(), "x");
    let (status, _, told) = run(folder.path(), line);
    assert_eq!(status, 73, "{told}");
    assert!(told.contains("--force"), "{told}");
    assert_eq!(meta(folder.path(), "x"), before);
    assert_eq!(run(folder.path(), &format!("{line} --force")).0, 0);
    assert_ne!(meta(folder.path(), "x"), before);
}

/// What is wrong with what was asked for is said with the status that tells it.
#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let scene = folder.path().join("none.toml");
    for (line, status, why) in [
        ("record --device hackrf --freq 1M --for 1", 78, "names no driver"),
        ("record --device driver=nothing --receiver hackrf --freq 100M --for 1", 78, "no receiver matches"),
        ("record --device driver=emcon-sim,count=0 --freq 100M --for 1", 78, "no receiver matches"),
        ("record --device driver=emcon-sim,count=2 --freq 100M --for 1", 78, "2 receivers match"),
        ("record --device driver=emcon-sim --freq 9G --for 1", 78, "outside of what the receiver can do"),
        (
            "record --device driver=emcon-sim --freq 100M --rate 30M --for 1",
            78,
            "outside of what the receiver can do",
        ),
        ("record --device driver=emcon-sim --freq 100M --gain step:9 --for 1", 78, "step:0 to step:4"),
        ("record --device driver=emcon-sim --for 1", 2, "--freq"),
        ("record --device driver=emcon-sim --sweep 2M..1M --for 1", 2, "empty"),
        ("record --device driver=emcon-sim --freq 1M --for 1 -o nowhere/x", 73, "folder does not exist"),
        ("record --device driver=emcon-sim,model=rtlsdr --sweep 5G..6G --for 1", 78, "24 to 1765 MHz"),
        ("scan --device driver=emcon-sim,model=rtlsdr --range 5G..6G", 78, "24 to 1765 MHz"),
        ("scan --device driver=emcon-sim --csv --json", 2, "cannot be used with"),
        ("scan --device driver=emcon-sim,count=2", 78, "2 receivers match"),
    ] {
        let line = format!("{line} {}", if line.starts_with("record") { "--reserve 1M" } else { "" });
        let (got, said, told) = run(folder.path(), &line);
        assert_eq!(got, status, "{line}: {told}");
        assert!(told.contains(why) && said.is_empty(), "{line}: {told}");
    }
    let missing =
        format!("record --device driver=emcon-sim,scene={} --freq 1G --for 1 --reserve 1M", scene.display());
    let (status, _, told) = run(folder.path(), &missing);
    assert_eq!(status, 69, "{told}");
    assert!(told.contains("none.toml"), "{told}");
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "nothing was recorded, and nothing is left: {left:?}");
}

/// Oracle: the columns that `rtl_power` and `hackrf_sweep` share, read as their plotters read them.
#[test]
fn scan_writes_what_plotters_read() {
    let folder = tempfile::tempdir().unwrap();
    let line = "scan --device driver=emcon-sim,pace=0 --range 2400M..2483.5M,433M..434M --csv";
    let (status, said, told) = run(folder.path(), line);
    assert_eq!(status, 0, "{told}");
    let mut next = None;
    let mut widths = 0;
    let mut times = std::collections::BTreeSet::new();
    for line in said.lines() {
        let parts: Vec<&str> = line.split(", ").collect();
        let number = |n: usize| parts[n].parse::<f64>().unwrap();
        times.insert((parts[0].to_owned(), parts[1].to_owned()));
        let (low, high, step) =
            (parts[2].parse::<u64>().unwrap(), parts[3].parse::<u64>().unwrap(), number(4));
        let bins = parts.len() - 6;
        assert_eq!((high - low) as f64, bins as f64 * step, "{line}");
        assert!(next.is_none_or(|next| next == low || low == 2_400_000_000), "no hole before {low}");
        assert!((6..parts.len()).all(|n| (-90.0..-40.0).contains(&number(n))), "{line}");
        next = Some(high);
        widths += high - low;
    }
    assert_eq!(widths, 84_500_000);
    assert_eq!(times.len(), 1, "one time a sweep: plotters make one row of it");
}

#[test]
fn scan_tells_people_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let device = "--device driver=emcon-sim,model=rtlsdr,pace=0";
    let (status, said, told) =
        run(folder.path(), &format!("scan {device} --range 433M..435M --peak --json --bin 20k"));
    assert_eq!(status, 0, "{told}");
    let rows: Vec<Value> = said.lines().map(json).collect();
    assert!(rows.len() >= 2);
    for row in &rows {
        let bins = row["mean_db"].as_array().unwrap().len();
        assert_eq!((row["peak_db"].as_array().unwrap().len(), &row["unit"]), (bins, &"dBFS".into()));
        let mean = row["mean_db"].as_array().unwrap().iter().map(|db| db.as_f64().unwrap());
        let spread = mean.clone().fold(f64::MIN, f64::max) - mean.fold(f64::MAX, f64::min);
        assert!(spread < 6.0, "a quiet room is flat, the receiver's offset is left out: {spread} dB");
    }
    let (status, said, told) = run(folder.path(), &format!("scan {device} --region eu"));
    assert_eq!(status, 0, "{told}");
    assert!(said.contains("floor dBFS") && said.contains("B8 uplink"), "{said}");
    assert!(told.contains("tunes to nothing of") && told.contains("2.4 GHz"), "{told}");
}

#[test]
fn scan_watches_until_it_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let mut child =
        emcon(folder.path(), "scan --device driver=emcon-sim,pace=0 --range 433M..434M --watch --json")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while json(&lines.next().unwrap().unwrap())["sweep"].as_u64() < Some(3) {}
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    for _ in lines.by_ref() {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn checks(said: &str) -> Vec<Value> {
    said.lines().map(json).filter(|line| line["event"] == "check").collect()
}

fn health<'a>(checks: &'a [Value], name: &str) -> &'a str {
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no check {name}: {checks:?}"))["health"].as_str().unwrap()
}

#[test]
fn doctor_finds_a_receiver_that_is_well_and_what_it_cannot_see() {
    let folder = tempfile::tempdir().unwrap();
    let (status, said, told) = run(folder.path(), "doctor --json --device driver=emcon-sim,model=rtlsdr");
    let checks = checks(&said);
    for name in ["SoapySDR", "modules", "receivers", "opens", "rate", "samples", "overload", "gain"] {
        assert_eq!(health(&checks, name), "PASS", "{said} {told}");
    }
    // It tunes to nothing above 1765 MHz.
    assert_eq!(status, 6, "{said}");
    let missed =
        checks.iter().filter(|check| check["name"] == "coverage" && check["health"] == "WARN").count();
    assert!(missed >= 2, "{said}");
    assert!(checks.iter().all(|check| check["fix"].is_string() == (check["health"] != "PASS")), "{said}");
    assert_eq!(json(said.lines().last().unwrap())["event"], "summary");
}

#[test]
fn doctor_fails_with_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    let (status, said, _) = run(folder.path(), "doctor --device driver=emcon-sim,count=2");
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("FAIL  receivers") && said.contains("fix: unplug all but one"), "{said}");
    let (status, said, _) = run(folder.path(), "doctor --device driver=rtlsdr");
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("apt-get install soapysdr-module-rtlsdr"), "{said}");
}

#[test]
fn doctor_sees_what_is_wrong_with_samples() {
    for (fault, name) in
        [("zeros", "samples"), ("rail q", "samples"), ("clip", "overload"), ("rate 0.9", "rate")]
    {
        let folder = tempfile::tempdir().unwrap();
        let working = Working::start(
            folder.path(),
            "doctor --json --device driver=emcon-sim,model=rtlsdr,control=CONTROL",
        );
        working.fault(fault);
        let (status, said, told) = working.end();
        assert_eq!(status, 4, "{fault}: {said} {told}");
        assert_eq!(health(&checks(&said), name), "FAIL", "{fault}: {said}");
    }
}

#[test]
fn doctor_sees_a_gain_that_somebody_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let working = Working::start(folder.path(), "doctor --json --device driver=emcon-sim,control=CONTROL");
    // Settling takes a second, listening three.
    std::thread::sleep(Duration::from_millis(2500));
    working.fault("gain_changed 10");
    let (status, said, told) = working.end();
    assert_eq!((status, health(&checks(&said), "gain")), (4, "FAIL"), "{said} {told}");
}

/// Oracle: the identities in `config/receivers.toml`, and the bits of a file's mode.
#[test]
fn the_udev_rules_cover_every_receiver_and_let_nobody_else_write() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = std::fs::read_to_string(root.join("hardware/udev/70-emcon-sdr.rules")).unwrap();
    let rules: Vec<&str> = rules.lines().filter(|line| !line.starts_with('#')).collect();
    let mut modes = 0;
    for rule in &rules {
        for mode in rule.split("MODE").skip(1) {
            let digits: String =
                mode.chars().skip_while(|c| "=:+\"".contains(*c)).take_while(char::is_ascii_digit).collect();
            let mode = u32::from_str_radix(&digits, 8).unwrap();
            assert_eq!(mode & 0o007, 0, "{rule}");
            modes += 1;
        }
    }
    let profiles = emcon::config::receivers().unwrap();
    let ids: Vec<[u16; 2]> = profiles.iter().flat_map(|profile| profile.usb_ids.clone()).collect();
    assert!(ids.len() >= 2 && modes == ids.len(), "{modes} modes for {} identities", ids.len());
    for [vendor, product] in ids {
        let known = format!(
            "ATTR{{idVendor}}==\"{vendor:04x}\", ATTR{{idProduct}}==\"{product:04x}\", MODE=\"0660\""
        );
        assert!(rules.iter().any(|rule| rule.starts_with(&known)), "no rule for {vendor:04x}:{product:04x}");
    }
    let modprobe = std::fs::read_to_string(root.join("hardware/modprobe/emcon-blacklist.conf")).unwrap();
    assert!(modprobe.lines().any(|line| line == "blacklist dvb_usb_rtl28xxu"));
}
