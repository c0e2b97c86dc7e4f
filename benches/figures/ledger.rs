//! What has been measured: one JSON object a line in `docs/figures/*.jsonl`, one line per (what, seed, version).
//!
//! A long measurement writes its line when it is done, and is not done again while the version stands: that is what
//! makes `make figures` resumable. The version is a digest of all that a result depends on.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// One measurement that is done at a time and leaves one line.
pub struct Task {
    /// Name of what is measured.
    pub what: String,
    /// Seed.
    pub seed: u64,
    /// The measurement; an error is said and leaves no line.
    #[allow(clippy::type_complexity)]
    pub run: Box<dyn Fn() -> Result<Map<String, Value>, String> + Send + Sync>,
}

/// The lines of one file.
pub struct Ledger {
    path: PathBuf,
    version: String,
    lines: Mutex<BTreeMap<(String, u64), Map<String, Value>>>,
}

impl Ledger {
    /// Reads `path`, if it is there; of several lines for one thing the last counts.
    ///
    /// # Errors
    /// A file that is there but cannot be read. A line that an interruption cut short is left out.
    pub fn open(path: &Path, version: &str) -> std::io::Result<Self> {
        let text = if path.exists() { std::fs::read_to_string(path)? } else { String::new() };
        let mut lines = BTreeMap::new();
        for line in text.lines() {
            let Ok(Value::Object(object)) = serde_json::from_str(line) else { continue };
            let what = object.get("what").and_then(Value::as_str).map(str::to_string);
            if let (Some(what), Some(seed)) = (what, object.get("seed").and_then(Value::as_u64)) {
                lines.insert((what, seed), object);
            }
        }
        Ok(Self { path: path.into(), version: version.into(), lines: Mutex::new(lines) })
    }

    /// Whether `what` was measured for `seed` in this version.
    pub fn has(&self, what: &str, seed: u64) -> bool {
        let lines = self.lines();
        let line = lines.get(&(what.to_string(), seed));
        line.and_then(|l| l.get("version")).and_then(Value::as_str) == Some(&self.version)
    }

    /// Keeps `result` for (`what`, `seed`): appended at once, so that nothing done is lost.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(&self, what: &str, seed: u64, result: Map<String, Value>) -> std::io::Result<()> {
        let mut line = Map::new();
        line.insert("what".into(), what.into());
        line.insert("seed".into(), seed.into());
        line.insert("version".into(), self.version.clone().into());
        line.extend(result);
        let mut lines = self.lines();
        if let Some(dir) = self.path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.path)?;
        writeln!(file, "{}", Value::Object(line.clone()))?;
        lines.insert((what.to_string(), seed), line);
        Ok(())
    }

    /// Rewrites the file with one line per thing, in order.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn compact(&self) -> std::io::Result<()> {
        let lines = self.lines();
        if lines.is_empty() {
            return Ok(());
        }
        let text: String = lines.values().map(|line| format!("{}\n", Value::Object(line.clone()))).collect();
        let part = self.path.with_extension("part");
        std::fs::write(&part, text)?;
        std::fs::rename(&part, &self.path)
    }

    /// All lines of `what`, by seed, and how many of them are of another version.
    pub fn of(&self, what: &str) -> (Vec<Map<String, Value>>, usize) {
        let found: Vec<_> = self
            .lines()
            .range((what.to_string(), 0)..=(what.to_string(), u64::MAX))
            .map(|(_, line)| line.clone())
            .collect();
        let old =
            found.iter().filter(|l| l.get("version").and_then(Value::as_str) != Some(&self.version)).count();
        (found, old)
    }

    /// The names of all that was measured.
    pub fn whats(&self) -> Vec<String> {
        let mut out: Vec<String> = self.lines().keys().map(|(what, _)| what.clone()).collect();
        out.dedup();
        out
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, u64), Map<String, Value>>> {
        self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Digest of the files that a result depends on, with the package's version in front: `0.1.0+3f9a12bc`.
///
/// # Errors
/// A file cannot be read.
pub fn version(root: &Path) -> std::io::Result<String> {
    let mut files = vec![root.join("Cargo.lock")];
    for dir in ["src", "config", "benches"] {
        collect(&root.join(dir), &mut files)?;
    }
    files.sort();
    // FNV-1a (Fowler, Noll and Vo 1991): no need of more than telling versions apart.
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for file in files {
        for byte in std::fs::read(&file)? {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(format!("{}+{:08x}", env!("CARGO_PKG_VERSION"), digest >> 32))
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
