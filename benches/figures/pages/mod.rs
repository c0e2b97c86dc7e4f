//! The ledgers as pages for people: `docs/detection.md`, `docs/intercept.md`, `docs/performance.md` and
//! `docs/scenarios.md`.

mod detection;
mod intercept;
mod performance;
mod scenarios;

use crate::ledger::Ledger;
use serde_json::{Map, Value};
use std::path::Path;

/// A line of a ledger.
pub type Line = Map<String, Value>;

/// Writes all pages from the ledgers that `open` gives.
///
/// # Errors
/// A ledger cannot be read or a page not written.
pub fn write(
    root: &Path,
    version: &str,
    open: &impl Fn(&str) -> Result<Ledger, String>,
) -> Result<(), String> {
    let pages = [
        ("docs/detection.md", detection::page(open)?),
        ("docs/intercept.md", intercept::page(open)?),
        ("docs/performance.md", performance::page(open)?),
        ("docs/scenarios.md", scenarios::page(open)?),
    ];
    for (path, (text, old)) in pages {
        let mut text = text;
        text.push_str("\n---\n\n");
        text.push_str(&format!(
            "Written by `make figures` from `docs/figures/`, version {version}; {}\n",
            match old {
                0 => "every line was measured in it.".to_string(),
                n => format!("{n} lines were measured in an earlier one."),
            }
        ));
        std::fs::write(root.join(path), text).map_err(|e| format!("cannot write {path}: {e}"))?;
        eprintln!("figures: wrote {path}");
    }
    Ok(())
}

/// A number of a line; zero if it is not there.
pub fn number(line: &Line, key: &str) -> f64 {
    line.get(key).and_then(Value::as_f64).unwrap_or(0.0)
}

/// A word of a line.
pub fn word<'a>(line: &'a Line, key: &str) -> Option<&'a str> {
    line.get(key).and_then(Value::as_str)
}

/// A Markdown table.
pub fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = vec!["---".to_string(); head.len()];
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{}{body}", line(head), line(&rule))
}

/// Owned strings of literals.
pub fn cells(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| w.to_string()).collect()
}
