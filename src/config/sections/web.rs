//! `[web]`: who may ask for the room, and under which names and certificate.

use super::super::key::{Key, Kind};
use super::super::node::Misfit;
use super::super::table::Table;
use std::path::PathBuf;

/// Most names: more is a mistake.
const HOSTS_MAX: usize = 32;

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "certificate",
        Kind::Path,
        "Certificate with its chain, PEM; without it, one is made on the first run beyond this machine",
    ),
    Key::new("key_file", Kind::SecretFile, "Private key of the certificate, PEM"),
    Key::new("login", Kind::Boolean, "Whether who asks on this machine must log in too; beyond it they must"),
    Key::new("hosts", Kind::Texts(HOSTS_MAX), "Names under which the room may be asked for, beside its own"),
];

/// `[web]`, checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Web {
    /// Certificate and key, if they are given.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Whether tokens are asked for on this machine too.
    pub login: bool,
    /// Names under which the room may be asked for.
    pub hosts: Vec<String>,
}

pub(super) fn read(table: &Table<'_>, faults: &mut Vec<Misfit>) -> Web {
    for (given, missing) in [("certificate", "key_file"), ("key_file", "certificate")] {
        if table.has(given) && !table.has(missing) {
            faults.push(table.misfit(given, format!("needs {missing} beside it")));
        }
    }
    let hosts = table.texts("hosts").unwrap_or_default();
    for host in &hosts {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        if !host.chars().all(fits) {
            faults.push(
                table.misfit(
                    "hosts",
                    format!("{host:?} is no name of a host: give it without scheme and port"),
                ),
            );
        }
    }
    Web {
        certificate: table.path("certificate").zip(table.path("key_file")),
        login: table.boolean("login").unwrap_or(true),
        hosts: hosts.into_iter().map(str::to_owned).collect(),
    }
}
