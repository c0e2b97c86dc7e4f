//! Secrets: read from their files when they are used, never printed.

use super::fit::join;
use super::key::{Key, Kind};
use super::node::{Misfit, Node, Nodes, Value};
use super::table::{in_its_file, resolve};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest file of a secret, bytes: a key of RSA 8192 in PEM takes seven thousand.
const SIZE_MAX: u64 = 16 << 10;

/// A secret. It is shown to nobody by accident: `Debug` does not say it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The secret in the file at `path`, without white space around it.
///
/// # Errors
/// In words, with the path: it cannot be read, is empty, too large, or no text.
pub fn secret(path: &Path) -> Result<Secret, String> {
    let fault = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SIZE_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|error| fault(&format_args!("cannot be read: {error}")))?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(fault(&format_args!("larger than {} KiB: no secret", SIZE_MAX >> 10)));
    }
    let text = String::from_utf8(bytes).map_err(|_| fault(&"not UTF-8 text"))?;
    match text.trim() {
        "" => Err(fault(&"empty")),
        secret => Ok(Secret(secret.to_owned())),
    }
}

/// Reports each file of a secret in `nodes` that cannot be used.
pub(super) fn check(nodes: &Nodes, keys: &[&'static Key], path: &str, faults: &mut Vec<Misfit>) {
    for key in keys {
        let Some(node) = nodes.get(key.name) else { continue };
        let path = join(path, key.name);
        match (key.kind, &node.value) {
            (Kind::SecretFile, Value::Text(_)) => unusable(node, &path, faults),
            (Kind::Table(keys), Value::Table(below)) => {
                check(below, &keys.iter().collect::<Vec<_>>(), &path, faults);
            }
            (Kind::Tables(repeated), Value::List(tables)) => {
                for (n, node) in tables.iter().enumerate() {
                    let Value::Table(below) = &node.value else { continue };
                    let element = format!("{path}[{}]", in_its_file(tables, n));
                    let kind = below.get("kind").and_then(|kind| match &kind.value {
                        Value::Text(kind) => Some(kind.as_str()),
                        _ => None,
                    });
                    check(below, &repeated.keys_of(kind).unwrap_or_default(), &element, faults);
                }
            }
            _ => {}
        }
    }
}

fn unusable(node: &Node, path: &str, faults: &mut Vec<Misfit>) {
    if let Some(Err(what)) = resolve(node).map(|file| secret(&file)) {
        faults.push(node.place.misfit(path, what));
    }
}
