//! Values against the keys that there are: what does not fit is reported, all of it, and says nothing any more.

use super::key::{Key, Kind, Repeated};
use super::node::{Misfit, Node, Nodes, Place, Value};
use std::net::SocketAddr;

/// Longest text in a list of texts, characters.
pub(super) const LISTED_MAX: usize = 200;

/// Longest path, bytes (`PATH_MAX` of Linux).
const PATH_MAX: usize = 4096;

/// Reports each value of `nodes`, a table called `path`, that `keys` do not allow, and takes its meaning from it. That a
/// key is missing is reported of repeated tables only: another file may give what this one leaves out elsewhere.
pub(super) fn fit(nodes: &mut Nodes, keys: &[&'static Key], path: &str, faults: &mut Vec<Misfit>) {
    for (name, node) in nodes {
        let full = join(path, name);
        match keys.iter().find(|key| key.name == name) {
            Some(key) => value(node, key.kind, &full, faults),
            None => {
                let known: Vec<_> = keys.iter().map(|key| key.name).collect();
                let what = format!("unknown key: there are {}", known.join(", "));
                reject(node, &full, what, faults);
            }
        }
    }
}

/// Reports each key of `keys` that must be given and is not, here and in tables below.
pub(super) fn missing(
    nodes: &Nodes,
    keys: &[Key],
    path: &str,
    place: Option<&Place>,
    faults: &mut Vec<Misfit>,
) {
    for key in keys {
        let full = join(path, key.name);
        match (nodes.get(key.name), key.kind) {
            (None, _) if key.required => faults.push(absent(place, full)),
            (Some(Node { value: Value::Table(below), place }), Kind::Table(keys)) => {
                missing(below, keys, &full, Some(place), faults);
            }
            _ => {}
        }
    }
}

/// `name` in the table called `path`.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn absent(place: Option<&Place>, key: String) -> Misfit {
    let what = "is missing";
    match place {
        Some(place) => place.misfit(key, what),
        None => Misfit { file: None, line: None, key, what: what.into() },
    }
}

fn reject(node: &mut Node, path: &str, what: String, faults: &mut Vec<Misfit>) {
    // It was reported when it was read.
    if node.value != Value::Unfit {
        faults.push(node.place.misfit(path, what));
        node.value = Value::Unfit;
    }
}

fn value(node: &mut Node, kind: Kind, path: &str, faults: &mut Vec<Misfit>) {
    let what = match (kind, &mut node.value) {
        (_, Value::Unfit) => return,
        (Kind::Table(keys), Value::Table(below)) => {
            return fit(below, &keys.iter().collect::<Vec<_>>(), path, faults);
        }
        (Kind::Tables(repeated), value @ Value::List(_)) if value.is_tables() => {
            let Value::List(nodes) = value else { return };
            if nodes.len() <= repeated.max {
                return tables(nodes, repeated, path, faults);
            }
            format!("there are {}, at most {} are possible", nodes.len(), repeated.max)
        }
        (kind, value) => match wrong(kind, value) {
            None => return,
            Some(what) => what,
        },
    };
    reject(node, path, what, faults);
}

fn tables(nodes: &mut [Node], repeated: &Repeated, path: &str, faults: &mut Vec<Misfit>) {
    for (n, node) in nodes.iter_mut().enumerate() {
        let path = format!("{path}[{n}]");
        let Value::Table(below) = &mut node.value else { continue };
        let mut kind = None;
        let asked = below.remove("kind").filter(|_| !repeated.kinds.is_empty());
        if let Some(mut asked) = asked {
            let words: Vec<_> = repeated.kinds.iter().map(|(name, _)| *name).collect();
            if let Some(what) = word(&words, &asked.value) {
                reject(&mut asked, &join(&path, "kind"), what, faults);
                node.value = Value::Unfit;
                continue;
            }
            kind = Some(asked);
        } else if !repeated.kinds.is_empty() {
            faults.push(absent(Some(&node.place), join(&path, "kind")));
            node.value = Value::Unfit;
            continue;
        }
        let named = kind.as_ref().and_then(|kind| match &kind.value {
            Value::Text(name) => Some(name.as_str()),
            _ => None,
        });
        let keys = repeated.keys_of(named).unwrap_or_default();
        fit(below, &keys, &path, faults);
        for key in keys.iter().filter(|key| key.required && !below.contains_key(key.name)) {
            faults.push(absent(Some(&node.place), join(&path, key.name)));
        }
        below.extend(kind.map(|kind| ("kind".to_owned(), kind)));
    }
}

/// What is wrong with `value` as a `kind`.
fn wrong(kind: Kind, value: &Value) -> Option<String> {
    match kind {
        Kind::Word(words) => word(words, value),
        Kind::Words(words) => listed(value, "a list of words", words.len(), |value| word(words, value)),
        Kind::Text(max) => text(value, max),
        Kind::Texts(count) => listed(value, "a list of texts", count, |value| text(value, LISTED_MAX)),
        Kind::Integer(min, max) => match value {
            Value::Integer(number) if (min..=max).contains(number) => None,
            Value::Integer(number) => Some(format!("{number} must be from {min} to {max}")),
            other => Some(format!("is {}, must be a whole number from {min} to {max}", other.noun())),
        },
        Kind::Number(min, max) => {
            let number = match value {
                Value::Integer(number) => *number as f64,
                Value::Number(number) => *number,
                other => return Some(format!("is {}, must be a number from {min} to {max}", other.noun())),
            };
            // Written so that NaN is wrong too.
            let within = number >= min && number <= max;
            (!within).then(|| format!("{number} must be from {min} to {max}"))
        }
        Kind::Boolean => match value {
            Value::Boolean(_) => None,
            other => Some(format!("is {}, must be true or false", other.noun())),
        },
        Kind::Address => match value {
            Value::Text(text) if text.parse::<SocketAddr>().is_ok() => None,
            Value::Text(text) => Some(format!("{text:?} must be an address and a port, as 127.0.0.1:7430")),
            other => Some(format!("is {}, must be an address and a port in quotes", other.noun())),
        },
        Kind::Path | Kind::SecretFile => match value {
            Value::Text(text) if text.is_empty() || text.len() > PATH_MAX || text.contains('\0') => {
                Some(format!("must be a path of 1 to {PATH_MAX} bytes"))
            }
            Value::Text(_) => None,
            other => Some(format!("is {}, must be a path in quotes", other.noun())),
        },
        Kind::Table(_) => Some(format!("is {}, must be a table", value.noun())),
        Kind::Tables(_) => Some(format!("is {}, must be tables: write [[name]] above each", value.noun())),
    }
}

fn word(words: &[&str], value: &Value) -> Option<String> {
    let known = words.join(", ");
    match value {
        Value::Text(text) if words.contains(&text.as_str()) => None,
        Value::Text(text) => Some(format!("{text:?} must be one of {known}")),
        other => Some(format!("is {}, must be one of {known}", other.noun())),
    }
}

fn text(value: &Value, max: usize) -> Option<String> {
    match value {
        Value::Text(text) if text.trim().is_empty() => Some("is empty".into()),
        Value::Text(text) if text.chars().count() > max => {
            Some(format!("has {} characters, at most {max} are possible", text.chars().count()))
        }
        Value::Text(text) if text.contains(char::is_control) => {
            Some("has a control character, as a line's end".into())
        }
        Value::Text(_) => None,
        other => Some(format!("is {}, must be a text in quotes", other.noun())),
    }
}

fn listed(value: &Value, noun: &str, max: usize, each: impl Fn(&Value) -> Option<String>) -> Option<String> {
    let Value::List(nodes) = value else { return Some(format!("is {}, must be {noun}", value.noun())) };
    if let Some(what) = nodes.iter().find_map(|node| each(&node.value)) {
        return Some(what);
    }
    let twice =
        nodes.iter().enumerate().any(|(n, node)| nodes[..n].iter().any(|before| before.value == node.value));
    if twice {
        return Some("says something twice".into());
    }
    (nodes.len() > max).then(|| format!("has {} entries, at most {max} are possible", nodes.len()))
}
