//! The house rules as a test: who may import whom, what stays pure, where each library lives.
//!
//! Within a single crate the compiler guards no border between modules. This test does: it reads `src/` and
//! compares it with the tables in `rules.rs`. A change to a table is a change to the architecture: change
//! `ARCHITECTURE.md` with it.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

mod rules;
mod source;

use rules::{HOMES, MAY_IMPORT, PURE, breaches};
use source::{SourceFile, paths};
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(dir: &Path, prefix: &str, out: &mut Vec<SourceFile>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap()).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{path}/"), out);
        } else if path.ends_with(".rs") {
            out.push(SourceFile { text: std::fs::read_to_string(entry.path()).unwrap(), path });
        }
    }
}

fn tree() -> Vec<SourceFile> {
    let mut out = Vec::new();
    read(&root().join("src"), "", &mut out);
    out
}

/// Modules as `src/lib.rs` lists them.
fn modules() -> Vec<String> {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_string)
        .collect()
}

#[test]
fn source_keeps_the_rules() {
    let tree = tree();
    assert!(tree.len() >= MAY_IMPORT.len(), "only {} files found under src/", tree.len());
    let found = breaches(&tree);
    assert!(found.is_empty(), "{} breaches of the house rules:\n{}", found.len(), found.join("\n"));
}

#[test]
fn table_follows_lib_rs_and_has_no_cycle() {
    let rows: Vec<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).filter(|name| *name != "main").collect();
    assert_eq!(rows, modules(), "the import table and src/lib.rs list other modules or another order");
    for (row, (name, imports)) in MAY_IMPORT.iter().enumerate() {
        for import in *imports {
            let above = MAY_IMPORT[..row].iter().any(|(upstream, _)| upstream == import);
            assert!(above, "`{name}` names `{import}`, which is not above it");
        }
    }
    for name in PURE {
        let (_, imports) = MAY_IMPORT.iter().find(|(row, _)| row == name).unwrap();
        for import in *imports {
            assert!(PURE.contains(import), "pure `{name}` imports impure `{import}`");
        }
    }
}

#[test]
fn lib_rs_exports_modules_only() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for (number, line) in lib.lines().enumerate() {
        let gate = line == "#[cfg(feature = \"room\")]";
        let allowed = gate || line.is_empty() || line.starts_with("//") || line.starts_with("pub mod ");
        assert!(allowed, "src/lib.rs:{}: {line:?}: no re-exports at the root", number + 1);
    }
}

#[test]
fn every_library_has_a_home() {
    let manifest: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let mut libraries: Vec<String> =
        manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect();
    // `thiserror` derives, and may stand wherever an error is defined.
    libraries.retain(|name| name != "thiserror");
    for library in libraries {
        assert!(HOMES.iter().any(|(name, _)| *name == library), "`{library}` of Cargo.toml has no home");
    }
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

/// What the rules say about one file, without the place.
fn verdicts(path: &str, text: &str) -> Vec<String> {
    breaches(&[file(path, text)])
        .iter()
        .map(|b| b.splitn(3, ':').nth(2).unwrap().trim().to_string())
        .collect()
}

#[test]
fn a_breach_is_found_with_its_place() {
    let tree = [
        file("units.rs", "//! Units.\n"),
        file(
            "detect/floor.rs",
            "//! Floor.\n\nuse crate::units::db;\nuse crate::{\n    iq,\n    track::Track,\n};\n",
        ),
    ];
    assert_eq!(
        breaches(&tree),
        ["src/detect/floor.rs:6: `detect` may not import `track` (`crate::track::Track`)"]
    );
}

#[test]
fn every_way_to_import_downstream_is_found() {
    let ways = [
        "//! X.\nuse crate::cli;\n",
        "//! X.\nuse crate::{units, cli::{Args, Verb}};\n",
        "//! X.\nfn f() { crate::cli::run(); }\n",
        "//! X.\nuse super::cli::Args;\n",
        "//! X.\nmod inner { use super::super::cli::Args; }\n",
        "//! X.\npub(in crate::cli) fn f() {}\n",
        "//! X.\nmacro_rules! m { () => { $crate::cli::run() } }\n",
    ];
    for text in ways {
        let found = verdicts("detect/mod.rs", text);
        assert!(
            !found.is_empty() && found.iter().all(|f| f.contains("may not import `cli`")),
            "{text}: {found:?}"
        );
    }
    assert_eq!(verdicts("main.rs", "//! X.\nfn main() { emcon::app::run() }\n").len(), 1);
}

#[test]
fn what_is_no_import_is_left_alone() {
    let innocent = [
        "//! crate::cli in a comment\n/* use crate::cli; /* nested */ use crate::cli; */\n",
        "//! X.\nconst S: &str = \"use crate::cli;\"; const R: &str = r#\"crate::cli \" crate::app\"#;\n",
        "//! X.\nconst C: char = '\"'; const D: char = '\\''; fn f<'a>(x: &'a str) -> &'a str { x }\n",
        "//! X.\nuse super::iq::Gap;\nmod inner { use super::cli; }\n",
        "//! X.\npub(crate) fn f(x: crate::iq::Gap) -> crate::detect::Y { x.cli() }\n",
        "//! X.\n#[cfg(test)]\nmod tests { use crate::synth::Rng; use std::fs; use proptest::prelude::*; }\n",
    ];
    for text in innocent {
        assert_eq!(verdicts("detect/mod.rs", text), [""; 0], "{text}");
    }
}

#[test]
fn impurity_is_found() {
    for (text, name) in [
        ("use std::{collections::BTreeMap, fs::File};", "std::fs"),
        ("use std::sync::{Arc, Mutex};", "std::sync::Mutex"),
        ("fn f() { let t = Instant::now(); }", "Instant::now"),
        ("fn f() { std::thread::spawn(g); }", "std::thread"),
        ("fn f() { println!(\"x\"); }", "println!"),
        ("fn f() { tracing::warn!(\"x\"); }", "tracing"),
        ("use serde_json::Value;", "serde_json"),
    ] {
        let found = verdicts("track/mod.rs", &format!("//! X.\n{text}\n"));
        assert!(
            found.iter().any(|f| f.starts_with(&format!("`{name}` in a pure module"))),
            "{text}: {found:?}"
        );
    }
    assert_eq!(verdicts("app/mod.rs", "//! X.\nuse std::fs;\n"), [""; 0]);
    assert_eq!(verdicts("track/mod.rs", "//! X.\nuse std::sync::Arc;\n"), [""; 0]);
}

#[test]
fn other_rules_bite() {
    assert_eq!(verdicts("track/mod.rs", "use crate::units;\n").len(), 1, "no opening line");
    assert_eq!(verdicts("track/mod.rs", &format!("//! X.\n{}", "\n".repeat(700))).len(), 1, "too long");
    assert_eq!(verdicts("app/mod.rs", "//! X.\nfn f() { todo!() }\n"), ["`todo!` is unfinished work"]);
    assert_eq!(verdicts("cli/mod.rs", "//! X.\nuse png::Encoder;\n"), ["`png` lives in app/waterfall"]);
    assert_eq!(verdicts("attic.rs", "//! X.\nuse crate::iq::Gap;\n").len(), 1, "no row in the table");
}

#[test]
fn groups_are_spelt_out() {
    let spelt: Vec<String> = paths(&file("app/mod.rs", "//! X.\nuse a::{b, c::{d as e, *}, self};\n"))
        .iter()
        .map(|p| p.segments.join("::"))
        .filter(|p| p.starts_with("a::"))
        .collect();
    assert_eq!(spelt, ["a::b", "a::c::d", "a::c::*", "a::self"]);
}
