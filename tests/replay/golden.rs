//! Small scenes and the events that they come to, kept beside the scenes. `EMCON_BLESS=1` writes them anew; read
//! the difference before you keep it.
//!
//! The number of events, their order, strings (but for the figures in sentences) and booleans are exact; numbers
//! agree within [`tolerance`], which covers what another processor's arithmetic changes.

use crate::contract::{read, replay};
use emcon::synth::{Scene, write_recording};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/replay/scenes")
}

/// How far a number may be off, by the unit at the end of its name.
fn tolerance(field: &str, value: f64) -> f64 {
    match field.rsplit('_').next() {
        // Half a frame of the detector.
        Some("s") => 50e-6,
        Some("hz") if field == "bandwidth_hz" => 0.02 * value.abs(),
        Some("hz") => 1e3,
        Some("dbfs" | "db") => 0.2,
        _ if field == "confidence" => 0.02,
        // Counts.
        _ => 0.0,
    }
}

/// A sentence without its figures.
fn wording(sentence: &str) -> String {
    sentence.chars().filter(|c| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).collect()
}

fn compare(place: &str, field: &str, got: &Value, expect: &Value, faults: &mut Vec<String>) {
    let mut fault = || faults.push(format!("{place}.{field}: {got}, golden {expect}"));
    match (got, expect) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            if (a - b).abs() > tolerance(field, b) {
                fault();
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (a, b) in a.iter().zip(b) {
                compare(place, field, a, b, faults);
            }
        }
        (Value::String(a), Value::String(b)) if field == "reasons" => {
            if wording(a) != wording(b) {
                fault();
            }
        }
        (a, b) if a == b => {}
        _ => fault(),
    }
}

fn check(golden: &str, got: &str) -> Vec<String> {
    let parse =
        |text: &str| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
    let (expect, got) = (parse(golden), parse(got));
    if got.len() != expect.len() {
        return vec![format!("{} events, golden {}", got.len(), expect.len())];
    }
    let mut faults = Vec::new();
    for (number, (got, expect)) in got.iter().zip(&expect).enumerate() {
        let (Some(a), Some(b)) = (got.as_object(), expect.as_object()) else {
            panic!("an event is no object")
        };
        let place = format!("line {} ({})", number + 1, expect["event"]);
        if !a.keys().eq(b.keys()) {
            faults.push(format!("{place}: other fields"));
            continue;
        }
        for (field, expect) in b {
            compare(&place, field, &a[field], expect, &mut faults);
        }
    }
    faults
}

/// Options of a scene, after `# replay` in its first line.
fn options(text: &str) -> Vec<&str> {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("# replay").unwrap_or_default().split_whitespace().collect()
}

fn scene_faults(path: &Path, bless: bool) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_recording(&Scene::from_toml(&text).unwrap(), &dir.path().join("scene"), |_, _| ()).unwrap();
    let mut words = options(&text);
    words.push("scene.sigmf-meta");
    let run = replay(dir.path(), &words);
    let mut faults = read(&run).faults;
    if replay(dir.path(), &words).out != run.out {
        faults.push("a second run says something else".to_owned());
    }
    let golden = path.with_extension("ndjson");
    if bless {
        std::fs::write(golden, run.out).unwrap();
        return faults;
    }
    match std::fs::read_to_string(&golden) {
        Ok(golden) => faults.extend(check(&golden, &run.out)),
        Err(error) => faults.push(format!(
            "its golden file {} cannot be read ({error}); EMCON_BLESS=1 cargo test --test replay writes it",
            golden.display()
        )),
    }
    faults
}

#[test]
fn scenes_come_to_their_goldens() {
    let mut scenes: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    scenes.sort();
    assert!(scenes.len() >= 5, "only {} scenes in {}", scenes.len(), folder().display());
    let bless = std::env::var_os("EMCON_BLESS").is_some();
    let mut faults = Vec::new();
    for scene in &scenes {
        let name = scene.file_name().unwrap().to_string_lossy().into_owned();
        faults.extend(scene_faults(scene, bless).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_difference_is_found() {
    let golden = "{\"event\":\"emitter\",\"id\":\"e1\",\"bursts\":3,\"center_hz\":1e6,\"ambient\":true,\"reasons\":[\"a 1\"]}\n";
    let check = |from: &str, to: &str| check(golden, &golden.replace(from, to)).len();
    assert_eq!(check("x", "x"), 0);
    assert_eq!(check("1e6", "1000900.0"), 0);
    assert_eq!(check("a 1", "a 2"), 0);
    for (from, to) in [
        ("\"e1\"", "\"e2\""),
        ("\"bursts\":3", "\"bursts\":4"),
        ("1e6", "1001100.0"),
        ("1e6", "null"),
        ("true", "false"),
        ("a 1", "b 1"),
        ("[\"a 1\"]", "[]"),
        ("}\n", "}\n{\"event\":\"summary\"}\n"),
        (",\"ambient\":true", ""),
    ] {
        assert_eq!(check(from, to), 1, "{from} to {to}");
    }
}
