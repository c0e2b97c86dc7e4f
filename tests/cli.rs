//! The real binary: statuses, streams, and errors of one line.
//!
//! What a recording comes to is judged elsewhere; here the input is noise or broken.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder for one test's files, and the binary that works in it.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The binary without the machine's configuration, colours or log.
    fn emcon(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emcon"));
        command.current_dir(self.dir.path()).env_clear().env("HOME", self.dir.path());
        command
    }

    fn run(&self, words: &str) -> Output {
        self.emcon().args(words.split_whitespace()).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs and expects `status`; gives standard output and standard error.
    fn expect(&self, words: &str, status: i32) -> (String, String) {
        let output = self.run(words);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(status), "emcon {words}\nstdout: {out}\nstderr: {err}");
        (out, err)
    }

    /// Runs and expects `status`, nothing on standard output, and one line of error that says each of `says`.
    fn fails(&self, words: &str, status: i32, says: &[&str]) {
        let (out, err) = self.expect(words, status);
        assert_eq!(out, "", "emcon {words}");
        assert_eq!(err.lines().count(), 1, "emcon {words}: {err}");
        assert!(err.starts_with("emcon: "), "emcon {words}: {err}");
        for word in says {
            assert!(err.contains(word), "emcon {words}: no {word:?} in {err}");
        }
    }
}

fn texts(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// Unsigned 8-bit noise from a linear congruential generator (Knuth, MMIX): nothing to detect.
fn noise(samples: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The sum of four is near enough to a bell.
        let sum: u64 = (0..4).map(|byte| state >> (32 + 8 * byte) & 0xFF).sum();
        (112 + sum / 32) as u8
    };
    (0..2 * samples).map(|_| draw()).collect()
}

fn json_lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn usage_errors_are_2() {
    let desk = Desk::new();
    desk.file("raw.bin", noise(1000));
    desk.file("raw.cu8", noise(1000));
    for words in [
        "",
        "fly",
        "replay",
        "replay --region mars raw.cu8",
        "replay --level high raw.cu8",
        "replay --learn -1 raw.cu8",
        "replay --rate 0 raw.cu8",
        "replay --rate 1e308 raw.cu8",
        "replay --freq NaN raw.cu8",
        "replay --format u8 raw.cu8",
        "replay --explain 1..2 raw.cu8",
        "replay --save-baseline b.json --rate 1M raw.cu8",
        "replay --block-size 0 --rate 1M raw.cu8",
        "man fly",
        "completions tcsh",
    ] {
        let (out, err) = desk.expect(words, 2);
        assert!(out.is_empty() && !err.is_empty(), "emcon {words}");
    }
    desk.fails("replay raw.cu8", 2, &["raw.cu8", "--rate"]);
    desk.fails("replay --rate 1M raw.bin", 2, &["raw.bin", "--format"]);
    desk.fails("replay --format cu8 -", 2, &["-", "--rate"]);
    desk.fails("replay --rate 1M -", 2, &["-", "--format"]);
    desk.fails("replay --format cu8 --rate 1M - -", 2, &["once"]);
}

#[test]
fn usage_errors_come_before_anything_is_read() {
    let desk = Desk::new();
    desk.file("good_433.92M_250k.cu8", noise(25_000));
    desk.file("raw.cu8", noise(1000));
    desk.fails("replay --json good_433.92M_250k.cu8 raw.cu8", 2, &["raw.cu8"]);
}

#[test]
fn a_typing_mistake_is_met_with_a_suggestion() {
    let desk = Desk::new();
    assert!(desk.expect("replai x", 2).1.contains("'replay'"));
    assert!(desk.expect("replay --lern 3 x", 2).1.contains("'--learn'"));
}

#[test]
fn configuration_errors_are_78_before_anything_is_read() {
    let desk = Desk::new();
    desk.file("good_433.92M_250k.cu8", noise(25_000));
    desk.file("bad.toml", "regoin = \"cn\"\n");
    desk.fails("replay --json --config bad.toml good_433.92M_250k.cu8", 78, &["bad.toml", "regoin"]);
    desk.fails("replay --json --config none.toml good_433.92M_250k.cu8", 78, &["none.toml"]);
    // The user's own, where XDG and HOME put it.
    std::fs::create_dir_all(desk.path(".config/emcon")).unwrap();
    desk.file(".config/emcon/emcon.toml", "region = \"mars\"\n");
    desk.fails("replay --json good_433.92M_250k.cu8", 78, &["emcon.toml", "mars"]);
}

#[test]
fn input_that_is_not_there_is_66_and_the_others_are_replayed() {
    let desk = Desk::new();
    desk.file("good_433.92M_250k.cu8", noise(25_000));
    desk.fails("replay --json none.wav", 66, &["none.wav"]);
    let (out, err) = desk.expect("replay --json none.wav good_433.92M_250k.cu8", 66);
    let lines = json_lines(&out);
    assert_eq!(lines.len(), 2, "{out}");
    assert!(lines.iter().all(|line| line["input"] == 2), "{out}");
    assert!(err.starts_with("emcon: none.wav: "), "{err}");
    desk.file(
        "lonely.sigmf-meta",
        "{\"global\": {\"core:datatype\": \"cu8\", \"core:sample_rate\": 1000}, \"captures\": []}",
    );
    desk.fails("replay lonely.sigmf-meta", 66, &["lonely.sigmf-data"]);
    std::fs::create_dir(desk.path("room")).unwrap();
    for folder in ["room", "room/", "room/.", "room/..", ".", "..", "/"] {
        desk.fails(&format!("replay {folder}"), 66, &[&format!("emcon: {folder}: is a folder")]);
        desk.fails(&format!("replay --format cu8 --rate 1M {folder}"), 66, &["is a folder"]);
    }
    for name in ["room.wav", "room.cu8", "room.sigmf", "room.sigmf-meta", "room.sigmf-data"] {
        let desk = Desk::new();
        std::fs::create_dir(desk.path(name)).unwrap();
        desk.fails(&format!("replay --rate 1M {name}"), 66, &["room."]);
    }
    desk.fails("replay good_433.92M_250k.cu8/x", 66, &["good_433.92M_250k.cu8/x"]);
}

#[test]
#[cfg(unix)]
fn a_folder_beside_its_recording_is_the_base_name_of_it() {
    let desk = Desk::new();
    desk.file("room.sigmf-data", noise(25_000));
    let global = "{\"core:datatype\": \"cu8\", \"core:sample_rate\": 250000}";
    desk.file("room.sigmf-meta", format!("{{\"global\": {global}, \"captures\": []}}"));
    std::fs::create_dir(desk.path("room")).unwrap();
    for name in ["room", "room/", "room.sigmf-meta", "room.sigmf-data"] {
        let (out, _) = desk.expect(&format!("replay --json {name}"), 0);
        assert_eq!(json_lines(&out).pop().unwrap()["samples"], 25_000, "{name}");
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_is_opened_once() {
    let desk = Desk::new();
    let made = Command::new("mkfifo").arg(desk.path("pipe_433.92M_250k.cu8")).status();
    if !made.is_ok_and(|status| status.success()) {
        writeln!(std::io::stderr(), "SKIPPED: no mkfifo").unwrap();
        return;
    }
    let child = desk
        .emcon()
        .args(["replay", "--json", "pipe_433.92M_250k.cu8"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Opening waits for the reader. The first samples are handed over alone: a reader that opened the pipe only to
    // ask would take them away.
    let mut pipe = std::fs::OpenOptions::new().write(true).open(desk.path("pipe_433.92M_250k.cu8")).unwrap();
    let samples = noise(25_000);
    pipe.write_all(&samples[..10]).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    pipe.write_all(&samples[10..]).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let lines = json_lines(&out);
    assert_eq!(
        (&lines[0]["center_hz"], &lines[0]["duration_s"]),
        (&433.92e6.into(), &serde_json::Value::Null)
    );
    assert_eq!(lines.last().unwrap()["samples"], 25_000);
}

#[test]
fn bad_data_is_65() {
    let desk = Desk::new();
    desk.file("empty_433.92M_250k.cu8", "");
    desk.fails("replay empty_433.92M_250k.cu8", 65, &["empty_433.92M_250k.cu8"]);
    desk.file("odd_433.92M_250k.cf32", [0u8; 7]);
    desk.fails("replay odd_433.92M_250k.cf32", 65, &["odd_433.92M_250k.cf32"]);
    desk.file("text.wav", "not a wave");
    desk.fails("replay text.wav", 65, &["text.wav"]);
    desk.file("x.sigmf-data", noise(100));
    let meta = |rate: &str, datatype: &str, start: u32| {
        format!(
            "{{\"global\": {{\"core:datatype\": \"{datatype}\", \"core:sample_rate\": {rate}, \"core:version\": \"1.0.0\"}}, \
             \"captures\": [{{\"core:sample_start\": {start}}}], \"annotations\": []}}"
        )
    };
    for (text, says) in [
        (String::new(), "x.sigmf-meta"),
        ("[".repeat(10_000), "x.sigmf-meta"),
        (meta("0", "cu8", 0), "sample_rate"),
        (meta("1e308", "cu8", 0), "sample_rate"),
        (meta("1000000", "cu9", 0), "cu9"),
        (meta("1000000", "cu8", 100), "sample_start"),
    ] {
        desk.file("x.sigmf-meta", text);
        desk.fails("replay x.sigmf-meta", 65, &[says]);
    }
}

#[test]
fn noise_is_0_and_the_same_bytes_at_any_block_size() {
    let desk = Desk::new();
    desk.file("noise_433.92M_250k.cu8", noise(250_000));
    let (first, err) = desk.expect("replay --json noise_433.92M_250k.cu8", 0);
    let lines = json_lines(&first);
    assert_eq!(lines.first().unwrap()["event"], "recording");
    assert_eq!(lines.last().unwrap()["event"], "summary");
    assert_eq!(lines.last().unwrap()["samples"], 250_000);
    assert!(lines.iter().all(|line| line.get("input").is_none()), "one recording has no number");
    assert!(err.contains("MS/s") && err.contains("real time"), "{err}");
    for size in ["1", "4097", "1000000"] {
        let (again, _) = desk.expect(&format!("replay --json --block-size {size} noise_433.92M_250k.cu8"), 0);
        assert_eq!(first, again, "block size {size}");
    }
}

#[test]
fn quiet_is_quiet_and_pipes_have_no_colours() {
    let desk = Desk::new();
    desk.file("noise_433.92M_250k.cu8", noise(25_000));
    let (out, err) = desk.expect("replay -q noise_433.92M_250k.cu8", 0);
    assert_eq!(err, "");
    assert!(out.contains("no emission detected in covered bands"), "{out}");
    assert!(!out.contains('\x1b') && !out.contains("safe"), "{out}");
}

#[test]
fn truncation_is_told_and_counted() {
    let desk = Desk::new();
    let mut bytes = noise(25_000);
    bytes.pop();
    desk.file("cut_433.92M_250k.cu8", bytes);
    let (out, err) = desk.expect("replay --json cut_433.92M_250k.cu8", 0);
    let summary = json_lines(&out).pop().unwrap();
    assert_eq!((&summary["samples"], &summary["lost_samples"]), (&24_999.into(), &1.into()));
    assert!(err.contains("cut_433.92M_250k.cu8") && err.contains("lost"), "{err}");
}

/// RIFF with two 16-bit channels at 250 kHz whose size fields say `size`.
fn wav(size: u32, data: &[u8]) -> Vec<u8> {
    let format = [b"fmt ", [16u32.to_le_bytes(), 0x0002_0001u32.to_le_bytes()].concat().as_slice()].concat();
    let rates = [250_000u32, 1_000_000, 0x0010_0004].map(u32::to_le_bytes).concat();
    let size = size.to_le_bytes();
    [b"RIFF", size.as_slice(), b"WAVE", &format, &rates, b"data", &size, data].concat()
}

#[test]
fn a_wav_whose_size_is_0_or_ffffffff_is_read_to_its_end() {
    let desk = Desk::new();
    for size in [0, u32::MAX] {
        desk.file("x.wav", wav(size, &noise(50_001)[..100_001]));
        let (out, err) = desk.expect("replay --json x.wav", 0);
        let summary = json_lines(&out).pop().unwrap();
        assert_eq!((&summary["samples"], &summary["lost_samples"]), (&25_000.into(), &1.into()), "{size:x}");
        assert!(err.contains("emcon: x.wav: ends in the middle of a sample"), "{err}");
        desk.file("x.wav", wav(size, &[]));
        desk.fails("replay --json x.wav", 65, &["x.wav", "not one whole sample"]);
    }
}

#[test]
fn what_a_cut_recording_lost_is_told_and_counted() {
    let desk = Desk::new();
    // A header that promises twice as much.
    desk.file("cut.wav", wav(200_000, &noise(50_000)));
    let meta =
        "{\"global\": {\"core:datatype\": \"ci16_le\", \"core:sample_rate\": 250000}, \"captures\": []}";
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in [("x/x.sigmf-meta", meta.as_bytes()), ("x/x.sigmf-data", &noise(100_000))] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, bytes).unwrap();
    }
    let archive = archive.into_inner().unwrap();
    // Behind the data stand the padding to whole blocks of 512 bytes and two empty blocks.
    desk.file("cut.sigmf", &archive[..archive.len() - 1024 - 192 - 100_000]);
    for name in ["cut.wav", "cut.sigmf"] {
        let (out, err) = desk.expect(&format!("replay --json {name}"), 0);
        let summary = json_lines(&out).pop().unwrap();
        assert_eq!(
            (&summary["samples"], &summary["lost_samples"]),
            (&25_000.into(), &25_000.into()),
            "{name}"
        );
        assert!(err.contains(&format!("emcon: {name}: ends early: 25000 samples")), "{err}");
        let (people, _) = desk.expect(&format!("replay -q {name}"), 0);
        assert!(people.contains("25000 samples lost"), "{people}");
    }
}

#[test]
#[cfg(unix)]
fn names_of_any_bytes_keep_to_their_line() {
    use std::os::unix::ffi::OsStrExt;
    let desk = Desk::new();
    let run = |name: &[u8]| {
        let name = std::ffi::OsStr::from_bytes(name);
        texts(&desk.emcon().arg("replay").arg(name).stdin(Stdio::null()).output().unwrap())
    };
    let (_, err) = run(b"two\nlines\x1b[2J.wav");
    assert_eq!(
        err,
        "emcon: two\\u{a}lines\\u{1b}[2J.wav: no such file, nor a SigMF recording of that name\n"
    );
    let (_, err) = run(b"\xff.wav");
    assert_eq!(err, "emcon: \u{fffd}.wav: no such file, nor a SigMF recording of that name\n");
    desk.file("two\nlines\x1b[2J_250k.cu8", noise(1000));
    let (out, err) = run(b"two\nlines\x1b[2J_250k.cu8");
    assert!(out.starts_with("two\\u{a}lines\\u{1b}[2J_250k.cu8: ") && !err.contains("panic"), "{out}{err}");
}

#[test]
#[cfg(target_os = "linux")]
fn nobody_to_complain_to_is_no_reason_to_stop() {
    let desk = Desk::new();
    desk.file("noise_433.92M_250k.cu8", noise(25_000));
    let mute = |words: &str| {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = desk.emcon().args(words.split_whitespace()).stdin(Stdio::null()).stderr(full).output();
        let output = output.unwrap();
        (texts(&output).0, output.status.code())
    };
    let (out, status) = mute("replay --json --explain 0..1@433.9M..434M noise_433.92M_250k.cu8");
    assert_eq!((json_lines(&out).len(), status), (2, Some(0)), "{out}");
    assert_eq!(mute("replay none.wav").1, Some(66));
    assert_eq!(mute("replay").1, Some(2));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = desk.emcon().args(["replay", "-q", "noise_433.92M_250k.cu8"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(74));
    assert!(texts(&output).1.starts_with("emcon: cannot write standard output"));
}

#[test]
fn an_output_never_replaces_an_input() {
    let desk = Desk::new();
    let name = "noise_433.92M_250k.cu8";
    desk.file(name, noise(25_000));
    desk.file("x.sigmf-data", noise(1000));
    let global = "{\"core:datatype\": \"cu8\", \"core:sample_rate\": 250000}";
    desk.file("x.sigmf-meta", format!("{{\"global\": {global}, \"captures\": []}}"));
    desk.file("old.json", "{\"emcon_baseline\": 2, \"learned_s\": 1.0, \"known\": []}");
    desk.file("w-2.cu8", noise(1000));
    for words in [
        format!("--waterfall {name} {name}"),
        format!("--waterfall ./{name} {name}"),
        format!("--learn 1 --save-baseline {name} {name}"),
        "--waterfall x.sigmf-data x.sigmf-meta".to_owned(),
        "--waterfall x.sigmf-meta x".to_owned(),
        format!("--learn 1 --save-baseline new --waterfall ./new {name}"),
        format!("--baseline old.json --waterfall old.json {name}"),
        format!("--rate 250k --waterfall w.cu8 {name} w-2.cu8"),
    ] {
        desk.fails(&format!("replay {words}"), 2, &["name another output"]);
    }
    assert_eq!(std::fs::read(desk.path(name)).unwrap(), noise(25_000));
    desk.expect(&format!("replay --baseline old.json --learn 0.1 --save-baseline old.json {name}"), 0);
    desk.expect(&format!("replay --waterfall w.png {name}"), 0);
    desk.expect(&format!("replay --waterfall w.png {name}"), 0);
}

#[test]
fn standard_input_is_a_recording() {
    let desk = Desk::new();
    let mut child = desk
        .emcon()
        .args(["replay", "--json", "--format", "cu8", "--rate", "250k", "--freq", "433.92M", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&noise(25_000)).unwrap();
    let output = child.wait_with_output().unwrap();
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let lines = json_lines(&out);
    assert_eq!(lines[0]["duration_s"], serde_json::Value::Null);
    assert_eq!(lines[0]["center_hz"], 433.92e6);
    assert_eq!(lines.last().unwrap()["duration_s"], 0.1);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let desk = Desk::new();
    desk.file("noise_433.92M_250k.cu8", noise(25_000));
    let inputs = ["noise_433.92M_250k.cu8"; 200];
    let mut child = desk
        .emcon()
        .args(["replay", "--json", "-q"])
        .args(inputs)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(texts(&output).1, "");
    assert_eq!(output.status.code(), Some(141));
}

#[test]
fn outputs_that_cannot_be_written_are_73_before_anything_is_read() {
    let desk = Desk::new();
    desk.file("noise_433.92M_250k.cu8", noise(25_000));
    desk.fails("replay --waterfall no/such.png noise_433.92M_250k.cu8", 73, &["no/such.png"]);
    desk.fails("replay --learn 1 --save-baseline . noise_433.92M_250k.cu8", 73, &["folder"]);
}

#[test]
#[cfg(target_os = "linux")]
fn outputs_that_fail_midway_are_74() {
    let desk = Desk::new();
    desk.file("noise_433.92M_250k.cu8", noise(25_000));
    let (_, err) = desk.expect("replay -q --waterfall /dev/full noise_433.92M_250k.cu8", 74);
    assert!(err.starts_with("emcon: /dev/full: ") && err.lines().count() == 1, "{err}");
    // A link of one's own: a device that is replaced by a file is missed by everybody.
    std::os::unix::fs::symlink("/dev/full", desk.path("full")).unwrap();
    let (_, err) = desk.expect("replay -q --learn 1 --save-baseline full noise_433.92M_250k.cu8", 74);
    assert!(err.starts_with("emcon: full: ") && err.lines().count() == 1, "{err}");
    assert!(desk.path("full").is_symlink());
}

#[test]
fn a_baseline_is_written_and_read() {
    let desk = Desk::new();
    desk.file("noise_433.92M_250k.cu8", noise(50_000));
    desk.expect("replay --json --learn 1 --save-baseline room.json noise_433.92M_250k.cu8", 0);
    desk.expect("replay --json --baseline room.json noise_433.92M_250k.cu8", 0);
    desk.fails("replay --json --baseline none.json noise_433.92M_250k.cu8", 66, &["none.json", "--learn"]);
    desk.file("room.json", "{}");
    desk.fails("replay --json --baseline room.json noise_433.92M_250k.cu8", 65, &["room.json"]);
}

#[test]
fn a_waterfall_is_a_png_of_its_own_for_each_recording() {
    let desk = Desk::new();
    desk.file("a_433.92M_250k.cu8", noise(25_000));
    desk.file("b_433.92M_250k.cu8", noise(25_000));
    let is_png = |path: &Path| std::fs::read(path).unwrap().starts_with(b"\x89PNG\r\n\x1a\n");
    desk.expect("replay --json --waterfall w.png a_433.92M_250k.cu8", 0);
    assert!(is_png(&desk.path("w.png")));
    desk.expect("replay --json --waterfall w.png a_433.92M_250k.cu8 b_433.92M_250k.cu8", 0);
    assert!(is_png(&desk.path("w-1.png")) && is_png(&desk.path("w-2.png")));
}

#[test]
fn an_explanation_keeps_out_of_the_json() {
    let desk = Desk::new();
    desk.file("noise_433.92M_250k.cu8", noise(50_000));
    let with = desk.expect("replay --json --explain 0..0.1@433.9M..433.95M noise_433.92M_250k.cu8", 0);
    let (without, _) = desk.expect("replay --json noise_433.92M_250k.cu8", 0);
    assert_eq!(with.0, without);
    assert!(with.1.contains("box 0..0.1 s"), "{}", with.1);
    let (people, _) = desk.expect("replay --explain 5..6@433.9M..433.95M noise_433.92M_250k.cu8", 0);
    assert!(people.contains("nothing was observed"), "{people}");
}

#[test]
fn a_scene_becomes_a_recording_that_is_replayed() {
    let desk = Desk::new();
    let scene = "duration = 0.05\n[receiver]\nrate = \"250k\"\ncenter = \"433.92M\"\nformat = \"cu8\"\n";
    desk.file("scene.toml", scene);
    let (out, _) = desk.expect("synth -q scene.toml", 0);
    assert_eq!(out, "scene.sigmf-meta\nscene.truth.json\n");
    let (out, _) = desk.expect("replay --json scene.sigmf-meta", 0);
    assert_eq!(json_lines(&out).pop().unwrap()["samples"], 12_500);
    let (again, _) = desk.expect("synth -q --json -o again scene.toml", 0);
    assert_eq!(json_lines(&again)[0]["meta"], "again.sigmf-meta");
    let bytes = |name: &str| std::fs::read(desk.path(name)).unwrap();
    assert_eq!(bytes("scene.sigmf-data"), bytes("again.sigmf-data"), "the same scene gives the same samples");
    desk.fails("synth none.toml", 66, &["none.toml"]);
    desk.fails("synth -o no/such scene.toml", 73, &["no/such"]);
    for folder in [".", "..", "./", "no/"] {
        desk.fails(&format!("synth -o {folder} scene.toml"), 73, &["is a folder"]);
    }
    desk.file("bad.toml", scene.replace("rate", "rat"));
    desk.fails("synth bad.toml", 65, &["bad.toml", "rat"]);
    desk.file("bad.toml", "x = = 1\n");
    desk.fails("synth bad.toml", 65, &["bad.toml", "line 1"]);
}

#[test]
fn every_page_is_generated() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (script, _) = desk.expect(&format!("completions {shell}"), 0);
        assert!(script.contains("replay") && script.contains("learn"), "{shell}");
    }
    let (page, _) = desk.expect("man", 0);
    assert!(page.contains(".TH emcon 1") && page.contains("replay"), "{page}");
    let (page, _) = desk.expect("man replay", 0);
    assert!(page.contains(".TH emcon-replay 1") && page.contains("save\\-baseline"), "{page}");
    let (help, _) = desk.expect("replay --help", 0);
    let (examples, usage) = (help.find("Examples:").unwrap(), help.find("Usage:").unwrap());
    assert!(examples < usage && !help.contains("block-size"), "{help}");
    desk.expect("--version", 0);
}
