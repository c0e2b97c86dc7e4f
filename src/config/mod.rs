//! What the configuration files say, checked.
//!
//! Two steps: `raw` is what a file may say, with every fault of it found at once; what comes out of here is
//! checked, and needs no second look. A key that nobody knows is an error: a typing mistake must not silently
//! leave a meeting unguarded.

mod coverage;
mod raw;
mod receivers;
mod regions;
mod signatures;

pub use coverage::coverage;
pub use raw::{Fault, ParseError};
pub use receivers::{ability, receiver, receivers};
pub use regions::{REGIONS, region};
pub use signatures::signatures;

use crate::policy::Level;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The configuration that holds when nobody wrote one, compiled in.
const DEFAULT: &str = include_str!("../../config/emcon.toml");

/// Largest configuration that is read, bytes: a thousand times the default.
const SIZE_MAX: u64 = 1 << 20;

/// Words for levels in files.
const LEVELS: &[(&str, Level)] = &[
    ("top-secret", Level::TopSecret),
    ("secret", Level::Secret),
    ("confidential", Level::Confidential),
    ("open", Level::Open),
];

/// Checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// One of [`REGIONS`].
    pub region: &'static str,
    /// Level of a meeting that states none.
    pub level: Level,
}

/// Why there is no configuration. Exit status 78 (`EX_CONFIG` of sysexits.h).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is far larger than any configuration.
    #[error("{}: larger than {} MiB: not a configuration of emcon", path.display(), SIZE_MAX >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file says what it must not.
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

/// Reads the configuration at `path`; without one, that of the first default location that has a file; without
/// any, the built-in default.
///
/// # Errors
/// A file that was named must be there; one that is there must be readable and free of faults.
pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    match path {
        Some(path) => read(path),
        None => first_of(&default_locations()),
    }
}

/// Where a configuration is looked for, the user's before the machine's (XDG Base Directory Specification 0.8,
/// Filesystem Hierarchy Standard 3.0).
pub fn default_locations() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let user = variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")));
    user.into_iter().chain([PathBuf::from("/etc")]).map(|dir| dir.join("emcon/emcon.toml")).collect()
}

fn first_of(locations: &[PathBuf]) -> Result<Config, ConfigError> {
    match locations.iter().find(|path| path.exists()) {
        Some(path) => read(path),
        None => check("built-in configuration", DEFAULT),
    }
}

fn read(path: &Path) -> Result<Config, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(SIZE_MAX + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(ConfigError::TooLarge { path: path.to_path_buf() });
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| unreadable(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text")))?;
    check(path, &text)
}

/// What `text`, known to people as `path`, configures. Keys that it leaves out are as in the default.
fn check(path: impl AsRef<Path>, text: &str) -> Result<Config, ConfigError> {
    parse(text).map_err(|source| ConfigError::Invalid { path: path.as_ref().to_path_buf(), source })
}

fn parse(text: &str) -> Result<Config, ParseError> {
    let regions: Vec<_> = REGIONS.iter().map(|&name| (name, name)).collect();
    let mut table = raw::Table::parse(text)?;
    let region = table.word("region", &regions).unwrap_or("cn");
    let level = table.word("level", LEVELS).unwrap_or(Level::Confidential);
    table.finish()?;
    Ok(Config { region, level })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_default_parses_and_states_every_key() {
        let config = check("built-in", DEFAULT).unwrap();
        assert_eq!(config, Config { region: "cn", level: Level::Confidential });
        // What the file states is what holds without it: nobody reads a default that is not the default.
        assert_eq!(check("empty", "").unwrap(), config);
        let keys: toml::Table = DEFAULT.parse().unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["level", "region"]);
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_keys() {
        let text = "region = \"mars\"\nlevel = 3\nlevle = \"open\"\n";
        let said = check("/etc/emcon/emcon.toml", text).unwrap_err().to_string();
        assert_eq!(
            said,
            "/etc/emcon/emcon.toml: 3 faults: \
             level: is an integer, must be one of top-secret, secret, confidential, open; \
             levle: unknown key; \
             region: \"mars\" must be one of cn, eu, us"
        );
        assert!(!said.contains('\n'));
    }

    #[test]
    fn syntax_errors_name_the_line() {
        let said = check("x.toml", "region = \"cn\"\nlevel = \n").unwrap_err().to_string();
        assert!(said.starts_with("x.toml: line 2: "), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }

    #[test]
    fn a_file_without_end_is_refused_and_one_of_the_largest_size_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large.toml");
        let mut text = "#".repeat(SIZE_MAX as usize - 1) + "\n";
        std::fs::write(&path, &text).unwrap();
        assert_eq!(load(Some(&path)).unwrap().region, "cn");
        text.push('\n');
        std::fs::write(&path, &text).unwrap();
        for path in [path.as_path(), Path::new("/dev/zero")] {
            let error = load(Some(path)).unwrap_err();
            assert!(matches!(error, ConfigError::TooLarge { .. }), "{error}");
            assert!(error.to_string().contains("larger than 1 MiB"), "{error}");
        }
        std::fs::write(&path, b"region = \"\xff\"").unwrap();
        assert!(load(Some(&path)).unwrap_err().to_string().ends_with("it is not UTF-8 text"));
    }

    #[test]
    fn the_first_location_with_a_file_wins_and_a_named_file_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let (user, machine) = (dir.path().join("user.toml"), dir.path().join("machine.toml"));
        let locations = [user.clone(), machine.clone()];
        assert_eq!(first_of(&locations).unwrap().region, "cn");
        std::fs::write(&machine, "region = \"us\"").unwrap();
        assert_eq!(first_of(&locations).unwrap().region, "us");
        std::fs::write(&user, "region = \"eu\"\nlevel = \"open\"").unwrap();
        assert_eq!(first_of(&locations).unwrap(), Config { region: "eu", level: Level::Open });

        assert!(matches!(load(Some(&dir.path().join("none.toml"))), Err(ConfigError::Unreadable { .. })));
        assert_eq!(load(Some(&user)).unwrap().level, Level::Open);
    }
}
