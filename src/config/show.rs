//! The configuration that holds, with where each value comes from.
//!
//! Secrets are not in it: a file that holds one is named, never read.

use super::fit::join;
use super::key::{Key, Kind};
use super::node::{Node, Nodes, Value};
use super::schema::{literal, plain};
use super::table::resolve;
use serde_json::{Map, Value as Json, json};
use std::fmt::Write;

/// As TOML that can be read again, each value with a comment that says where it stands.
pub(super) fn as_toml(nodes: &Nodes, keys: &'static [Key]) -> String {
    let mut out = String::from("# The configuration that holds, each value with where it stands.\n");
    table(nodes, &keys.iter().collect::<Vec<_>>(), "", &mut out);
    out
}

/// As `{"values": ..., "places": {"room.name": {"file", "line"}}}`; `file` is null for what is built in.
pub(super) fn as_json(nodes: &Nodes, keys: &'static [Key]) -> Json {
    let mut places = Map::new();
    let values = values(nodes, &keys.iter().collect::<Vec<_>>(), "", &mut places);
    json!({ "values": values, "places": places })
}

fn table(nodes: &Nodes, keys: &[&'static Key], path: &str, out: &mut String) {
    for key in keys {
        let line = match (nodes.get(key.name), key.default) {
            (_, _) if matches!(key.kind, Kind::Table(_) | Kind::Tables(_)) => continue,
            (Some(node), _) => (said(node, key.kind), node.place.to_string()),
            (None, Some(default)) => (inline(&literal(default)), "default".to_owned()),
            (None, None) => continue,
        };
        // Nothing can be done about a string that takes no more.
        let _ = writeln!(out, "{} = {}  # {}", key.name, line.0, line.1);
    }
    for key in keys {
        let path = join(path, key.name);
        match (nodes.get(key.name).map(|node| &node.value), key.kind) {
            (Some(Value::Table(below)), Kind::Table(keys)) => {
                let keys: Vec<_> = keys.iter().collect();
                if keys.iter().any(|key| below.contains_key(key.name) && !matches!(key.kind, Kind::Table(_)))
                {
                    let _ = writeln!(out, "\n[{path}]");
                }
                table(below, &keys, &path, out);
            }
            (Some(Value::List(all)), Kind::Tables(repeated)) => {
                for node in all {
                    let Value::Table(below) = &node.value else { continue };
                    let _ = writeln!(out, "\n[[{path}]]  # {}", node.place);
                    let kind = below.get("kind");
                    if let Some(kind) = kind {
                        let _ = writeln!(out, "kind = {}  # {}", said(kind, Kind::Text(0)), kind.place);
                    }
                    let kind = kind.and_then(|kind| plain(&kind.value).as_str().map(str::to_owned));
                    table(below, &repeated.keys_of(kind.as_deref()).unwrap_or_default(), &path, out);
                }
            }
            _ => {}
        }
    }
}

fn values(nodes: &Nodes, keys: &[&'static Key], path: &str, places: &mut Map<String, Json>) -> Json {
    let mut out = Map::new();
    for key in keys {
        let full = join(path, key.name);
        let value = match (nodes.get(key.name), key.kind, key.default) {
            (Some(Node { value: Value::Table(below), .. }), Kind::Table(keys), _) => {
                values(below, &keys.iter().collect::<Vec<_>>(), &full, places)
            }
            (Some(Node { value: Value::List(all), .. }), Kind::Tables(repeated), _) => {
                let element = |(n, node): (usize, &Node)| {
                    let Value::Table(below) = &node.value else { return Json::Null };
                    let full = format!("{full}[{n}]");
                    places.insert(full.clone(), place(node));
                    let kind = below.get("kind").map(|kind| plain(&kind.value));
                    let keys = repeated.keys_of(kind.as_ref().and_then(Json::as_str)).unwrap_or_default();
                    let mut element = values(below, &keys, &full, places);
                    if let Some(kind) = kind {
                        element["kind"] = kind;
                    }
                    element
                };
                all.iter().enumerate().map(element).collect()
            }
            (Some(node), kind, _) => {
                places.insert(full, place(node));
                absolute(node, kind)
            }
            (None, _, Some(default)) => literal(default),
            (None, _, None) => continue,
        };
        out.insert(key.name.into(), value);
    }
    out.into()
}

fn place(node: &Node) -> Json {
    let file = node.place.file.as_ref().map(|file| file.display().to_string());
    json!({ "line": file.as_ref().map(|_| node.place.line), "file": file })
}

/// The value, of a path the one that it names.
fn absolute(node: &Node, kind: Kind) -> Json {
    match kind {
        Kind::Path | Kind::SecretFile => {
            resolve(node).map_or(Json::Null, |path| json!(path.display().to_string()))
        }
        _ => plain(&node.value),
    }
}

fn said(node: &Node, kind: Kind) -> String {
    inline(&absolute(node, kind))
}

/// On one line, as TOML.
fn inline(value: &Json) -> String {
    toml::Value::try_from(value).map_or_else(|_| "\"\"".into(), |value| value.to_string())
}
