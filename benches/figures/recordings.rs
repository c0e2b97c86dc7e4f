//! Verdicts on recordings made off the air by others, where a folder of them is there.

use crate::ledger::Task;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One task for each recording in `EMCON_RECORDINGS`, else in `../shared/recordings`.
pub fn tasks(root: &Path) -> Vec<Task> {
    let folder =
        std::env::var_os("EMCON_RECORDINGS").map_or_else(|| root.join("../shared/recordings"), PathBuf::from);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "sigmf-meta" || ending == "wav"));
    files.sort();
    if files.is_empty() {
        eprintln!("figures: no recordings in {}", folder.display());
    }
    let each = |path: PathBuf| Task {
        what: format!("recordings/{}", path.file_stem().unwrap_or_default().to_string_lossy()),
        seed: 0,
        run: Box::new(move || verdict(&path)),
    };
    files.into_iter().map(each).collect()
}

/// The emitters of the recording as they closed: name, device, whether an alert was raised.
fn verdict(path: &Path) -> Result<Map<String, Value>, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_emcon"))
        .args(["replay", "--json", "--quiet", "--region", "cn"])
        .arg(path)
        .output()
        .map_err(|e| format!("cannot start emcon: {e}"))?;
    let events: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .map_err(|e| format!("emcon wrote no JSON: {e}"))?;
    let raised: Vec<&Value> = events
        .iter()
        .filter(|e| e["event"] == "alert" && e["phase"] == "raised")
        .map(|e| &e["emitter"])
        .collect();
    let emitters: Vec<Value> = events
        .iter()
        .filter(|e| {
            e["event"] == "emitter"
                && e["phase"] == "closed"
                && e.get("merged_into").is_none_or(Value::is_null)
        })
        .map(|e| {
            serde_json::json!({
                "signal": e["signal"],
                "device": e["device"],
                "bandwidth_hz": e["bandwidth_hz"],
                "bursts": e["bursts"],
                "alert": raised.contains(&&e["id"]),
            })
        })
        .collect();
    let exit = output.status.code().map_or(Value::Null, Into::into);
    Ok(Map::from_iter([("exit".to_string(), exit), ("emitters".into(), emitters.into())]))
}
