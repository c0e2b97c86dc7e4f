//! What the configuration files say, checked.
//!
//! ```text
//! files ─► node: values with their lines ─► fit: against the keys ─► layers: merged ─► sections: checked parameters
//!                                             └ key: one table, also of the schema and of what is shown
//! ```
//!
//! Every fault of every file is found at once, with file, line and key. A key that nobody knows is an error: a typing
//! mistake must not silently leave a meeting unguarded. How to add a section is said in [`sections`].
//!
//! The tables of data that ship with the program (band plans, coverage, receivers, signatures) are read here too.

mod change;
mod coverage;
mod fit;
pub mod key;
mod layers;
mod node;
mod raw;
mod receivers;
mod regions;
mod schema;
mod secret;
pub mod sections;
mod show;
pub mod table;
mod signatures;

pub use change::Change;
pub use coverage::coverage;
pub use node::{Misfit, Place};
pub use raw::{Fault, ParseError};
pub use receivers::{ability, receiver, receivers};
pub use regions::{REGIONS, region};
pub use secret::{Secret, secret};
pub use sections::{
    Config, Contact, ContactChannel, Mail, MailSecurity, Mqtt, Room, Severity, SyslogAddress, Web,
};
pub use signatures::signatures;

use layers::Layers;
use sections::KEYS;
use std::path::{Path, PathBuf};
use table::Table;

/// The configuration that holds when nobody wrote one, compiled in.
const DEFAULT: &str = include_str!("../../config/emcon.toml");

/// Names the main file where no option does.
const VARIABLE: &str = "EMCON_CONFIG";

/// Why there is no configuration. Exit status 78 (`EX_CONFIG` of sysexits.h).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The configuration says what it must not; all of that.
    #[error("{}", one_line(.0))]
    Misfits(Vec<Misfit>),
    /// A table of data that is compiled in says what it must not.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        source: ParseError,
    },
    /// There are no data for a region of that name.
    #[error("unknown region {name:?}: choose one of {}", REGIONS.join(", "))]
    UnknownRegion {
        /// As given.
        name: String,
    },
    /// There are no data for a receiver of that name.
    #[error("unknown receiver {name:?}: choose one of {}", known.join(", "))]
    UnknownReceiver {
        /// As given.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
}

/// Faults on one line.
fn one_line(faults: &[Misfit]) -> String {
    let all: Vec<String> = faults.iter().map(Misfit::to_string).collect();
    let count = if all.len() > 1 { format!("{} faults: ", all.len()) } else { String::new() };
    format!("{count}{}", all.join("; "))
}

/// Reads the configuration whose main file is at `path`; without one, at what `EMCON_CONFIG` names, else in the first
/// default location that has one; without any, what is built in holds.
///
/// # Errors
/// [`ConfigError::Misfits`]. A file that was named must be there; one that is there must be readable and free of faults.
pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    survey(path).checked().cloned()
}

/// What all files say, be it right or wrong.
#[derive(Debug)]
pub struct Survey {
    /// Files, as they were read.
    pub files: Vec<PathBuf>,
    /// All that is wrong, in the order of files and lines.
    pub faults: Vec<Misfit>,
    /// What holds if nothing is wrong.
    config: Config,
    layers: Layers,
}

impl Survey {
    /// The configuration that holds, as TOML, each value with where it stands.
    pub fn as_toml(&self) -> String {
        show::as_toml(&self.layers.nodes, KEYS)
    }

    /// The same as JSON: `values`, and `places` by key.
    pub fn as_json(&self) -> serde_json::Value {
        show::as_json(&self.layers.nodes, KEYS)
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`ConfigError::Misfits`].
    pub fn checked(&self) -> Result<&Config, ConfigError> {
        if self.faults.is_empty() { Ok(&self.config) } else { Err(ConfigError::Misfits(self.faults.clone())) }
    }

    /// What this says differently from `before`.
    pub fn changes(&self, before: &Self) -> Vec<Change> {
        change::changes(&before.layers.nodes, &self.layers.nodes, KEYS)
    }

    /// Looks into the files of secrets too, which only whoever runs the service can.
    pub fn check_secrets(&mut self) {
        secret::check(&self.layers.nodes, &KEYS.iter().collect::<Vec<_>>(), "", &mut self.faults);
    }
}

/// Reads as [`load`] does.
pub fn survey(path: Option<&Path>) -> Survey {
    let named = path.map(Path::to_path_buf).or_else(|| variable(VARIABLE));
    survey_of(named.as_deref(), &default_folders())
}

/// The schema of a configuration file (JSON Schema 2020-12).
pub fn schema() -> serde_json::Value {
    schema::schema(KEYS, &Layers::built_in(DEFAULT, KEYS).nodes)
}

fn survey_of(named: Option<&Path>, folders: &[PathBuf]) -> Survey {
    let mut layers = Layers::built_in(DEFAULT, KEYS);
    match named {
        Some(path) => layers.read(path, KEYS),
        None => layers.read_first(folders, KEYS),
    }
    layers.end(KEYS);
    let config = sections::read(&Table::root(&layers.nodes, KEYS), &mut layers.faults);
    let order = |fault: &Misfit| {
        let file = layers.files.iter().position(|file| Some(file) == fault.file.as_ref());
        (file, fault.line, fault.key.clone())
    };
    let mut faults = std::mem::take(&mut layers.faults);
    faults.sort_by_key(order);
    Survey { files: std::mem::take(&mut layers.files), faults, config, layers }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where a configuration is looked for, the user's before the machine's (XDG Base Directory Specification 0.8,
/// Filesystem Hierarchy Standard 3.0).
fn default_folders() -> Vec<PathBuf> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    let user = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    user.into_iter().chain([PathBuf::from("/etc")]).map(|folder| folder.join("emcon")).collect()
}

#[cfg(test)]
mod tests;
