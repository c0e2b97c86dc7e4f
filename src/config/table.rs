//! A table whose values fit their keys, as a section reads it.

use super::fit::join;
use super::key::{Key, Kind, Literal, Repeated};
use super::node::{Misfit, Node, Nodes, Place, Value};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A table of the configuration. What a key does not give, for it is optional or was at fault, is `None`: where anything
/// is at fault nothing that a section reads is used.
#[derive(Debug)]
pub struct Table<'a> {
    path: String,
    keys: Vec<&'static Key>,
    nodes: Option<&'a Nodes>,
    place: Option<&'a Place>,
    /// What it says in the key `kind`.
    kind: Option<&'a str>,
}

impl<'a> Table<'a> {
    /// The whole configuration.
    pub(super) fn root(nodes: &'a Nodes, keys: &'static [Key]) -> Self {
        Self { path: String::new(), keys: keys.iter().collect(), nodes: Some(nodes), place: None, kind: None }
    }

    /// The value of `key`, and where it stands.
    fn node(&self, key: &str) -> Option<&'a Node> {
        debug_assert!(self.key(key).is_some(), "{} has no key {key}", self.path);
        self.nodes?.get(key)
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().copied().find(|key| key.name == name)
    }

    fn default(&self, key: &str) -> Option<Literal> {
        // What is at fault has no default.
        if self.node(key).is_some() { None } else { self.key(key)?.default }
    }

    /// Whether a file says anything of `key`.
    pub fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// A word or a text.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        match (self.node(key).map(|node| &node.value), self.default(key)) {
            (Some(Value::Text(text)), _) => Some(text),
            (None, Some(Literal::Text(text))) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn integer(&self, key: &str) -> Option<i64> {
        match (self.node(key).map(|node| &node.value), self.default(key)) {
            (Some(Value::Integer(number)), _) => Some(*number),
            (None, Some(Literal::Integer(number))) => Some(number),
            _ => None,
        }
    }

    /// A number.
    pub fn number(&self, key: &str) -> Option<f64> {
        match (self.node(key).map(|node| &node.value), self.default(key)) {
            (Some(Value::Number(number)), _) => Some(*number),
            (Some(Value::Integer(number)), _) => Some(*number as f64),
            (None, Some(Literal::Number(number))) => Some(number),
            _ => None,
        }
    }

    /// True or false.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        match (self.node(key).map(|node| &node.value), self.default(key)) {
            (Some(Value::Boolean(yes)), _) => Some(*yes),
            (None, Some(Literal::Boolean(yes))) => Some(yes),
            _ => None,
        }
    }

    /// A list of words or texts.
    pub fn texts(&self, key: &str) -> Option<Vec<&'a str>> {
        let Value::List(nodes) = &self.node(key)?.value else { return None };
        let text = |node: &'a Node| match &node.value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        };
        nodes.iter().map(text).collect()
    }

    /// An address and a port.
    pub fn address(&self, key: &str) -> Option<SocketAddr> {
        self.text(key)?.parse().ok()
    }

    /// A file or folder; a relative one is beside the file that names it.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        resolve(self.node(key)?)
    }

    /// The table of this name, an empty one if there is none.
    pub fn table(&self, key: &str) -> Table<'a> {
        let keys = match self.key(key).map(|key| key.kind) {
            Some(Kind::Table(keys)) => keys.iter().collect(),
            _ => Vec::new(),
        };
        let node = self.node(key);
        let nodes = node.and_then(|node| match &node.value {
            Value::Table(nodes) => Some(nodes),
            _ => None,
        });
        Table { path: join(&self.path, key), keys, nodes, place: node.map(|node| &node.place), kind: None }
    }

    /// The tables of this name.
    pub fn tables(&self, key: &str) -> Vec<Table<'a>> {
        let (Some(Kind::Tables(repeated)), Some(Value::List(nodes))) =
            (self.key(key).map(|key| key.kind), self.node(key).map(|node| &node.value))
        else {
            return Vec::new();
        };
        let path = |n| format!("{}[{}]", join(&self.path, key), in_its_file(nodes, n));
        nodes.iter().enumerate().filter_map(|(n, node)| element(path(n), node, repeated)).collect()
    }

    /// What a repeated table says in the key `kind`.
    pub fn kind(&self) -> Option<&'a str> {
        self.kind
    }

    /// Something wrong with the value of `key`.
    pub fn misfit(&self, key: &str, what: impl Into<String>) -> Misfit {
        let path = join(&self.path, key);
        let node = self.nodes.and_then(|nodes| nodes.get(key));
        match node.map(|node| &node.place).or(self.place) {
            Some(place) => place.misfit(path, what),
            None => Misfit { file: None, line: None, key: path, what: what.into() },
        }
    }
}

fn element<'a>(path: String, node: &'a Node, repeated: &Repeated) -> Option<Table<'a>> {
    let Value::Table(nodes) = &node.value else { return None };
    let kind = nodes.get("kind").and_then(|node| match &node.value {
        Value::Text(kind) => Some(kind.as_str()),
        _ => None,
    });
    Some(Table { path, keys: repeated.keys_of(kind)?, nodes: Some(nodes), place: Some(&node.place), kind })
}

/// How many of `nodes` stand before number `n` in the same file.
pub(super) fn in_its_file(nodes: &[Node], n: usize) -> usize {
    nodes[..n].iter().filter(|before| before.place.file == nodes[n].place.file).count()
}

/// The path that `node` names.
pub(super) fn resolve(node: &Node) -> Option<PathBuf> {
    let Value::Text(text) = &node.value else { return None };
    let folder = node.place.file.as_deref().and_then(Path::parent);
    Some(folder.map_or_else(|| PathBuf::from(text), |folder| folder.join(text)))
}
