//! The rules that keep the house as it is drawn, and the check of a source tree against them.

use crate::source::{Path, SourceFile, paths};

/// Who may import whom, in the order of `src/lib.rs`. A row names only modules above it, so there is no cycle.
pub const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("iq", &[]),
    ("bandplan", &[]),
    ("spectrum", &["units", "iq"]),
    ("detect", &["units", "iq", "spectrum"]),
    ("measure", &["units", "iq", "spectrum", "detect"]),
    ("track", &["units", "bandplan", "measure"]),
    ("classify", &["units", "bandplan", "measure", "track"]),
    ("policy", &["units", "measure", "track", "classify"]),
    ("alert", &["units", "track", "classify", "policy"]),
    ("calendar", &["policy"]),
    (
        "pipeline",
        &["units", "iq", "bandplan", "spectrum", "detect", "measure", "track", "classify", "policy", "alert"],
    ),
    ("plan", &["units", "bandplan", "classify", "policy"]),
    ("sweep", &["units", "bandplan", "classify", "plan"]),
    ("wire", &["iq", "spectrum", "measure", "pipeline", "plan", "sweep"]),
    ("recording", &["units", "iq"]),
    ("clock", &[]),
    ("store", &[]),
    ("ring", &["units", "iq", "sweep"]),
    ("sdr", &["units", "iq", "recording", "clock"]),
    // Nothing of the detector: a constant shared with it could hide an error in both.
    ("synth", &["units", "iq", "recording"]),
    ("config", &["units", "iq", "bandplan", "classify", "policy", "calendar", "plan", "sdr"]),
    ("sensor", &["units", "iq", "spectrum", "pipeline", "plan", "sweep", "wire", "clock", "ring", "sdr"]),
    (
        "explain",
        &[
            "units", "iq", "bandplan", "spectrum", "detect", "measure", "track", "classify", "policy",
            "pipeline",
        ],
    ),
    ("guard", &[]),
    ("notify", &["clock", "policy", "config"]),
    ("access", &[]),
    (
        "app",
        &[
            "units",
            "iq",
            "bandplan",
            "spectrum",
            "detect",
            "measure",
            "track",
            "classify",
            "policy",
            "alert",
            "calendar",
            "pipeline",
            "plan",
            "sweep",
            "wire",
            "recording",
            "clock",
            "ring",
            "sdr",
            "synth",
            "config",
            "sensor",
            "explain",
            "guard",
            "notify",
            "access",
            "store",
        ],
    ),
    ("web", &["access", "clock", "notify", "app", "store"]),
    (
        "cli",
        &[
            "units",
            "bandplan",
            "classify",
            "policy",
            "calendar",
            "pipeline",
            "plan",
            "recording",
            "clock",
            "sdr",
            "synth",
            "config",
            "sensor",
            "explain",
            "notify",
            "access",
            "store",
            "app",
            "web",
        ],
    ),
    ("main", &["cli"]),
];

/// Makers of input, which unit tests of any module may use.
const TESTS_MAY_IMPORT: &[&str] = &["synth", "recording", "config"];

/// Functions from samples, time and commands to events.
pub const PURE: &[&str] = &[
    "units", "iq", "bandplan", "spectrum", "detect", "measure", "track", "classify", "policy", "alert",
    "calendar", "pipeline", "plan", "sweep", "guard", "access",
];

/// What a pure module must not touch, and why. Tests within are free.
const IMPURE: &[(&str, &str)] = &[
    ("std::fs", "files belong to recording, config, synth and app"),
    ("std::net", "the network belongs to the room process"),
    ("std::process", "processes belong to app and cli"),
    ("std::env", "the environment belongs to cli and config"),
    ("std::thread", "threads belong to app"),
    ("std::sync::Mutex", "a lock in the flow can stall capture"),
    ("std::sync::RwLock", "a lock in the flow can stall capture"),
    ("std::io", "input and output belong to the edges"),
    ("std::time", "time enters as an argument"),
    ("tokio", "the pipeline knows no executor"),
    ("tracing", "the pipeline speaks through its outputs"),
    ("log", "the pipeline speaks through its outputs"),
    ("serde_json", "encoding belongs to the edges"),
    ("toml", "encoding belongs to the edges"),
    ("rand", "randomness must be seeded: synth has its own"),
];

/// The same by any part of a path.
const IMPURE_PARTS: &[(&str, &str)] = &[
    ("Instant::now", "time enters as an argument"),
    ("SystemTime", "time enters as an argument"),
    ("println!", "the pipeline speaks through its outputs"),
    ("eprintln!", "the pipeline speaks through its outputs"),
    ("print!", "the pipeline speaks through its outputs"),
    ("eprint!", "the pipeline speaks through its outputs"),
];

/// Where each library of `Cargo.toml` lives: prefixes of paths under `src/`.
pub const HOMES: &[(&str, &[&str])] = &[
    ("axum", &["web/"]),
    ("base64", &["access/", "web/", "notify/"]),
    ("bytemuck", &["recording/", "sdr/", "spectrum/", "synth/", "sensor/plausible"]),
    ("calcard", &["calendar/"]),
    ("chrono", &["calendar/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("crossbeam_channel", &["ring/", "sensor/", "app/", "cli/relay", "cli/room"]),
    ("futures_util", &["web/"]),
    ("getrandom", &["app/hub/access"]),
    ("hyper", &["web/"]),
    ("hyper_util", &["web/"]),
    ("hmac", &["notify/"]),
    (
        "jiff",
        &[
            "calendar/",
            "config/sections/calendar",
            "cli/calendar",
            "cli/room_args",
            "recording/",
            "synth/",
            "app/",
            "clock",
            "store/",
            "notify/",
            "cli/room",
        ],
    ),
    ("lettre", &["notify/mail"]),
    ("rumqttc", &["notify/mqtt"]),
    ("minijinja", &["notify/webhook", "config/sections/contact"]),
    ("multiversion", &["spectrum/", "detect/", "measure/", "synth/"]),
    (
        "num_complex",
        &[
            "iq.rs",
            "spectrum/",
            "detect/",
            "measure/",
            "pipeline/",
            "synth/",
            "recording/",
            "explain/",
            "sdr/",
        ],
    ),
    ("png", &["app/waterfall"]),
    ("postcard", &["wire"]),
    ("rcgen", &["web/tls"]),
    ("reqwest", &["app/calendars/", "notify/"]),
    ("rustix", &["sensor/", "app/", "store/", "notify/command"]),
    ("rusqlite", &["store/"]),
    ("rustls", &["app/calendars/", "notify/", "web/tls"]),
    ("rustfft", &["spectrum/", "detect/", "measure/", "synth/", "explain/"]),
    (
        "serde",
        &[
            "calendar/",
            "units.rs",
            "iq.rs",
            "spectrum/row",
            "spectrum/tile",
            "measure/",
            "track/marks",
            "classify/",
            "policy/",
            "pipeline/",
            "plan/",
            "sweep/",
            "wire",
            "recording/",
            "synth/",
            "config/",
            "app/",
            "store/",
            "notify/",
            "web/",
        ],
    ),
    ("serde_json", &["recording/", "synth/", "config/", "app/", "web/", "cli/", "store/", "notify/"]),
    ("serde_path_to_error", &["recording/"]),
    ("sd_notify", &["app/service"]),
    ("sha2", &["access/", "app/hub/", "store/", "web/", "notify/"]),
    ("signal_hook", &["cli/"]),
    ("soapysdr", &["sdr/soapy"]),
    ("subtle", &["access/"]),
    ("tar", &["recording/"]),
    ("thread_priority", &["sensor/", "app/doctor"]),
    ("toml", &["config/", "synth/"]),
    (
        "tokio",
        &["app/calendars/", "app/configured", "app/hub/", "cli/calendar", "web/", "notify/", "cli/demo"],
    ),
    ("tokio_rustls", &["web/serve"]),
    (
        "tracing",
        &["recording/", "sdr/", "synth/", "config/", "sensor/", "app/", "web/", "cli/", "store/", "notify/"],
    ),
    ("tracing_subscriber", &["cli/"]),
    ("utoipa", &["app/hub/view", "store/", "web/"]),
    ("utoipa_axum", &["web/mod"]),
];

/// Longest file, lines: what is longer has more than one reason to exist.
const LONGEST_FILE: usize = 600;

/// Every breach of the rules in `tree`, as `file:line: what`.
pub fn breaches(tree: &[SourceFile]) -> Vec<String> {
    let mut out = Vec::new();
    for file in tree {
        let mut at = |line: usize, what: String| out.push(format!("src/{}:{line}: {what}", file.path));
        if !file.text.starts_with("//!") {
            at(1, "opens without `//!`: say what the file is for".into());
        }
        let lines = file.text.lines().count();
        if lines > LONGEST_FILE {
            at(lines, format!("{lines} lines, at most {LONGEST_FILE}: split it"));
        }
        for path in paths(file) {
            let found =
                [import(file, &path), impurity(file, &path), homeless(file, &path), unfinished(&path)];
            for what in found.into_iter().flatten() {
                at(path.line, what);
            }
        }
    }
    out
}

fn import(file: &SourceFile, path: &Path) -> Option<String> {
    let root = path.segments.first()?;
    let target = path.segments.get(1)?;
    let own = file.module();
    if !(root == "crate" || (own == "main" && root == "emcon")) || target == own {
        return None;
    }
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == own) else {
        return Some(format!("module `{own}` has no row in the import table"));
    };
    let for_tests = path.in_test && TESTS_MAY_IMPORT.contains(&target.as_str());
    let spelling = path.segments.join("::");
    (!allowed.contains(&target.as_str()) && !for_tests)
        .then(|| format!("`{own}` may not import `{target}` (`{spelling}`)"))
}

fn impurity(file: &SourceFile, path: &Path) -> Option<String> {
    if path.in_test || !PURE.contains(&file.module()) {
        return None;
    }
    let whole = IMPURE.iter().find(|(prefix, _)| path.starts_with(prefix));
    let part = || IMPURE_PARTS.iter().find(|(part, _)| path.contains(part));
    let (name, why) = whole.or_else(part)?;
    Some(format!("`{name}` in a pure module: {why}"))
}

fn homeless(file: &SourceFile, path: &Path) -> Option<String> {
    let root = path.segments.first()?;
    let (library, homes) = HOMES.iter().find(|(library, _)| library == root)?;
    // `toml` alone may be a variable; a library is used by a path.
    let used = path.segments.len() > 1 && !path.in_test;
    (used && !homes.iter().any(|home| file.path.starts_with(home)))
        .then(|| format!("`{library}` lives in {}", homes.join(", ")))
}

fn unfinished(path: &Path) -> Option<String> {
    ["todo!", "unimplemented!", "dbg!"]
        .into_iter()
        .find(|name| path.contains(name))
        .map(|name| format!("`{name}` is unfinished work"))
}
