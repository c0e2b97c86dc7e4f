//! What has been measured is not measured again.

use crate::ledger::Ledger;
use serde_json::{Map, Value};

fn result(value: u64) -> Map<String, Value> {
    Map::from_iter([("value".to_string(), value.into())])
}

#[test]
fn what_was_measured_is_skipped_until_the_version_changes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/x.jsonl");
    let ledger = Ledger::open(&path, "1").unwrap();
    assert!(!ledger.has("a", 1));
    ledger.put("a", 1, result(10)).unwrap();
    ledger.put("a", 2, result(20)).unwrap();
    assert!(ledger.has("a", 1) && !ledger.has("b", 1));
    // Interrupted in the middle of a line.
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"what\":\"a\",\"se");
    std::fs::write(&path, text).unwrap();

    let again = Ledger::open(&path, "1").unwrap();
    assert!(again.has("a", 1) && again.has("a", 2) && !again.has("a", 3));

    let newer = Ledger::open(&path, "2").unwrap();
    assert!(!newer.has("a", 1));
    newer.compact().unwrap();
    newer.put("a", 1, result(11)).unwrap();
    let (lines, old) = newer.of("a");
    assert_eq!(lines.len(), 2);
    assert_eq!(old, 1);
    assert_eq!(lines[0]["value"], 11);
    newer.compact().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    assert_eq!(Ledger::open(&path, "2").unwrap().whats(), ["a"]);
}
