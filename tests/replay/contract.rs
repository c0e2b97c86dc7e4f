//! The contract of `replay --json`, checked line by line, and the emitters as they closed.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a field may be.
#[derive(Clone, Copy)]
enum Is {
    Number,
    NumberOrNull,
    Count,
    Text,
    TextOrNull,
    Truth,
    Numbers,
    Texts,
    Center,
}

use Is::{Center, Count, Number, NumberOrNull, Numbers, Text, TextOrNull, Texts, Truth};

/// Events with their fields, in the order they are written.
const FIELDS: &[(&str, &[(&str, Is)])] = &[
    (
        "recording",
        &[
            ("path", Text),
            ("datatype", Text),
            ("sample_rate_hz", Number),
            ("center_hz", Center),
            ("duration_s", NumberOrNull),
            ("segments", Count),
        ],
    ),
    (
        "emitter",
        &[
            ("phase", Text),
            ("id", Text),
            ("signal", Text),
            ("device", Text),
            ("confidence", Number),
            ("center_hz", NumberOrNull),
            ("offset_hz", Number),
            ("bandwidth_hz", Number),
            ("channels_hz", Numbers),
            ("first_s", Number),
            ("last_s", Number),
            ("bursts", Count),
            ("airtime_s", Number),
            ("power_dbfs", Number),
            ("snr_db", Number),
            ("ambient", Truth),
            ("banned", Truth),
            ("reasons", Texts),
            ("merged_into", TextOrNull),
        ],
    ),
    (
        "alert",
        &[
            ("phase", Text),
            ("id", Text),
            ("emitter", Text),
            ("device", Text),
            ("signal", Text),
            ("at_s", Number),
            ("severity", Text),
            ("reasons", Texts),
            ("reason", TextOrNull),
        ],
    ),
    ("health", &[("state", Text), ("at_s", Number), ("reason", Text)]),
    (
        "summary",
        &[
            ("duration_s", Number),
            ("samples", Count),
            ("lost_samples", Count),
            ("emitters", Count),
            ("alerts", Count),
        ],
    ),
];

/// Fields that stand only where they mean something.
const OPTIONAL: &[&str] = &["event", "input", "utc"];

impl Is {
    fn holds(self, value: &Value) -> bool {
        let all = |of: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(of));
        match self {
            Number => value.is_number(),
            NumberOrNull => value.is_number() || value.is_null(),
            Count => value.is_u64(),
            Text => value.is_string(),
            TextOrNull => value.is_string() || value.is_null(),
            Truth => value.is_boolean(),
            Numbers => all(Value::is_number),
            Texts => all(Value::is_string),
            Center => value.is_number() || value.is_null() || all(Value::is_number),
        }
    }
}

/// A run of the binary.
pub struct Run {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Exit status.
    pub status: i32,
}

/// Runs `emcon replay --json` with more words, in region `cn` unless they say another.
pub fn replay(dir: &Path, words: &[&str]) -> Run {
    let region: &[&str] = if words.contains(&"--region") { &[] } else { &["--region", "cn"] };
    let output = Command::new(env!("CARGO_BIN_EXE_emcon"))
        .args(["replay", "--json"])
        .args(region)
        .args(words)
        .current_dir(dir)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().unwrap_or(-1),
    }
}

/// A run that was read.
#[derive(Default)]
pub struct Story {
    /// What breaks the contract.
    pub faults: Vec<String>,
    /// By id, as last reported; those merged into others left out.
    pub emitters: BTreeMap<String, Value>,
    /// Emitters that an alert was raised for, merged ones left out.
    pub alerted: Vec<Value>,
}

/// Reads a run and holds it against the contract.
pub fn read(run: &Run) -> Story {
    let mut story = Story::default();
    let mut phases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut alerts: BTreeMap<String, (Vec<String>, String)> = BTreeMap::new();
    let mut order = Vec::new();
    for (number, line) in run.out.lines().enumerate() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            story.faults.push(format!("line {}: not JSON", number + 1));
            continue;
        };
        shape(&event, line, &mut story.faults);
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        order.push(text("event"));
        match text("event").as_str() {
            "emitter" => {
                phases.entry(text("id")).or_default().push(text("phase"));
                story.emitters.insert(text("id"), event);
            }
            "alert" => {
                let entry = alerts.entry(text("id")).or_insert_with(|| (Vec::new(), text("emitter")));
                entry.0.push(text("phase"));
                let of = story.emitters.get(&text("emitter"));
                let warranted = of.is_some_and(|e| e["banned"] == true && e["ambient"] == false);
                if text("phase") == "raised" && !warranted {
                    story.faults.push(format!("{}: raised without cause", text("id")));
                }
            }
            _ => {}
        }
    }
    lives(&phases, &alerts, &mut story.faults);
    if order.first().is_none_or(|event| event != "recording") {
        story.faults.push("the first line is not recording".into());
    }
    if order.last().is_none_or(|event| event != "summary") {
        story.faults.push("the last line is not summary".into());
    }
    let right = if alerts.is_empty() { run.status == 0 || run.status == 4 } else { run.status == 3 };
    if !right {
        story.faults.push(format!("exit status {}: {}", run.status, run.err.trim()));
    }
    story.emitters.retain(|_, emitter| emitter["merged_into"].is_null());
    story.alerted = alerts.values().filter_map(|(_, of)| story.emitters.get(of).cloned()).collect();
    story
}

fn shape(event: &Value, line: &str, faults: &mut Vec<String>) {
    let name = event["event"].as_str().unwrap_or_default();
    let Some((_, fields)) = FIELDS.iter().find(|(known, _)| *known == name) else {
        faults.push(format!("unknown event {name:?}"));
        return;
    };
    if !line.starts_with("{\"event\":") {
        faults.push(format!("{name}: event is not the first field"));
    }
    let mut from = 0;
    for (field, is) in *fields {
        match event.get(field) {
            None => faults.push(format!("{name} lacks {field}")),
            Some(value) if !is.holds(value) => faults.push(format!("{name}.{field} is {value}")),
            Some(_) => {}
        }
        match line[from..].find(&format!("\"{field}\":")) {
            Some(at) => from += at,
            None => faults.push(format!("{name}.{field} is out of order")),
        }
    }
    let known = |key: &str| fields.iter().any(|(field, _)| *field == key) || OPTIONAL.contains(&key);
    for key in event.as_object().into_iter().flatten().map(|(key, _)| key) {
        if !known(key) {
            faults.push(format!("{name} has {key}"));
        }
    }
}

fn lives(
    phases: &BTreeMap<String, Vec<String>>,
    alerts: &BTreeMap<String, (Vec<String>, String)>,
    faults: &mut Vec<String>,
) {
    for (id, phases) in phases {
        let count = |phase: &str| phases.iter().filter(|known| *known == phase).count();
        if phases[0] != "opened" || count("opened") != 1 {
            faults.push(format!("{id} is not opened exactly once, first"));
        }
        if phases.last().is_none_or(|last| last != "closed") || count("closed") != 1 {
            faults.push(format!("{id} is not closed exactly once, last"));
        }
    }
    for (id, (phases, _)) in alerts {
        if phases[0] != "raised" {
            faults.push(format!("{id} does not begin with raised"));
        }
    }
}
