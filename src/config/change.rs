//! What two configurations say differently, key by key.

use super::fit::join;
use super::key::{Key, Kind};
use super::node::{Node, Nodes, Value};
use super::schema::plain;
use super::table::resolve;

/// A key that says something else than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key, as `room.name`; of repeated tables the name of all of them.
    pub key: String,
    /// Whether it holds from the next start on only.
    pub at_start: bool,
}

/// What `new` says differently from `old`, in the order of `keys`.
pub(super) fn changes(old: &Nodes, new: &Nodes, keys: &[Key]) -> Vec<Change> {
    let mut out = Vec::new();
    compare(old, new, keys, "", &mut out);
    out
}

fn compare(old: &Nodes, new: &Nodes, keys: &[Key], path: &str, out: &mut Vec<Change>) {
    let none = Nodes::new();
    for key in keys {
        let full = join(path, key.name);
        let (old, new) = (old.get(key.name), new.get(key.name));
        if let Kind::Table(keys) = key.kind {
            compare(below(old).unwrap_or(&none), below(new).unwrap_or(&none), keys, &full, out);
        } else if said(old, key.kind) != said(new, key.kind) {
            out.push(Change { key: full, at_start: key.at_start });
        }
    }
}

fn below(node: Option<&Node>) -> Option<&Nodes> {
    match &node?.value {
        Value::Table(nodes) => Some(nodes),
        _ => None,
    }
}

/// What is said, wherever it stands; of a path what it names.
fn said(node: Option<&Node>, kind: Kind) -> Option<serde_json::Value> {
    match kind {
        Kind::Path | Kind::SecretFile => {
            resolve(node?).map(|path| plain(&Value::Text(path.display().to_string())))
        }
        _ => Some(plain(&node?.value)),
    }
}
