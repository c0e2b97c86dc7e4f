//! A baseline as a file: JSON with a version, read with a limit, written whole or not at all.

use crate::policy::{Baseline, Known, Occupied};
use crate::units::HIGHEST_HZ;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Version of the format. A reader refuses what it does not know.
const VERSION: u32 = 2;
/// A baseline is some hundreds of bytes an emitter and holds some thousands at most.
const SIZE_MAX: u64 = 16 << 20;

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    emcon_baseline: u32,
    learned_s: f64,
    known: Vec<Known>,
    #[serde(default, skip_serializing_if = "Occupied::is_empty")]
    occupied: Occupied,
}

/// What tells the version, whatever else there is.
#[derive(Deserialize)]
struct Head {
    emcon_baseline: u32,
}

/// Why a baseline cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadBaselineError {
    /// The file does not open.
    #[error("{}: cannot read the baseline: {source}; learn one with --learn SECONDS --save-baseline", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is far larger than any baseline.
    #[error("{}: larger than {} MiB: not a baseline of emcon", path.display(), SIZE_MAX >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a baseline.
    #[error("{}: not a baseline of emcon: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The file is of another version.
    #[error("{}: baseline version {found}, this emcon reads {VERSION}; learn it again", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A value that no measurement gives.
    #[error("{}: emitter {number} of the baseline has an impossible {field}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Which entry, from 1.
        number: usize,
        /// Which field.
        field: &'static str,
    },
    /// A level that no measurement gives.
    #[error("{}: the spectrum of the baseline has an impossible level", path.display())]
    Level {
        /// The file.
        path: PathBuf,
    },
}

/// Why a baseline cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot write the baseline: {source}", path.display())]
pub struct WriteBaselineError {
    /// The file.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// Reads a baseline.
///
/// # Errors
/// See [`ReadBaselineError`].
pub fn read(path: &Path) -> Result<Baseline, ReadBaselineError> {
    let open = |source| ReadBaselineError::Open { path: path.to_owned(), source };
    let mut text = Vec::new();
    File::open(path).map_err(open)?.take(SIZE_MAX + 1).read_to_end(&mut text).map_err(open)?;
    if text.len() as u64 > SIZE_MAX {
        return Err(ReadBaselineError::TooLarge { path: path.to_owned() });
    }
    let syntax = |source| ReadBaselineError::Syntax { path: path.to_owned(), source };
    let Head { emcon_baseline: found } = serde_json::from_slice(&text).map_err(syntax)?;
    if found != VERSION {
        return Err(ReadBaselineError::Version { path: path.to_owned(), found });
    }
    let document: Document = serde_json::from_slice(&text).map_err(syntax)?;
    for (at, known) in document.known.iter().enumerate() {
        if let Some(field) = impossible(known) {
            return Err(ReadBaselineError::Value { path: path.to_owned(), number: at + 1, field });
        }
    }
    if !document.occupied.is_sound() {
        return Err(ReadBaselineError::Level { path: path.to_owned() });
    }
    Ok(Baseline { learned_s: document.learned_s, known: document.known, occupied: document.occupied })
}

/// Writes a baseline: to a file beside it first, which then takes its name. What is no ordinary file (a device, a
/// pipe) is written to and keeps its name; a link keeps pointing where it does.
///
/// # Errors
/// See [`WriteBaselineError`].
pub fn write(path: &Path, baseline: &Baseline) -> Result<(), WriteBaselineError> {
    let document = Document {
        emcon_baseline: VERSION,
        learned_s: baseline.learned_s,
        known: baseline.known.clone(),
        occupied: baseline.occupied.clone(),
    };
    let written = match std::fs::canonicalize(path) {
        Ok(special) if !special.is_file() => write_into(&special, &document),
        Ok(file) => replace(&file, &document),
        Err(_) => replace(path, &document),
    };
    written.map_err(|source| WriteBaselineError { path: path.to_owned(), source })
}

fn replace(path: &Path, document: &Document) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    write_into(&partial, document).and_then(|()| std::fs::rename(&partial, path)).inspect_err(|_| {
        // The error that matters is the first one.
        let _ = std::fs::remove_file(&partial);
    })
}

fn write_into(path: &Path, document: &Document) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    let mut file = File::create(path)?;
    file.write_all(&text)?;
    match file.sync_all() {
        // Pipes and devices have nothing to wait for.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        done => done,
    }
}

/// No level is farther from full scale, dB: samples are floats between 1e-15 and 1e12.
const MOST_DBFS: f64 = 300.0;

/// The field of `known` that cannot come from a measurement, if any. JSON itself has no NaN and no infinity.
fn impossible(known: &Known) -> Option<&'static str> {
    let positive = |value: f64| value > 0.0;
    [
        ("bandwidth_hz", positive(known.bandwidth_hz) && known.bandwidth_hz < HIGHEST_HZ),
        ("marks", known.marks.are_possible()),
        ("level_dbfs", known.level_dbfs.abs() < MOST_DBFS),
        ("offset_hz", known.offset_hz.abs() < HIGHEST_HZ),
        ("center_hz", known.center_hz.is_none_or(positive)),
        ("period_s", known.period_s.is_none_or(positive)),
    ]
    .into_iter()
    .find_map(|(field, possible)| (!possible).then_some(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Device, Signal};
    use crate::track::Marks;

    fn baseline() -> Baseline {
        let known = Known {
            signal: Signal::WifiOfdm,
            device: Device::WirelessNetworkCard,
            center_hz: Some(2.437e9),
            offset_hz: 0.1,
            bandwidth_hz: 16.6e6,
            channels_hz: Vec::new(),
            level_dbfs: -40.3,
            marks: Marks::default(),
            period_s: Some(0.1024),
            bursts: 30,
        };
        Baseline { learned_s: 10.0, known: vec![known], ..Baseline::default() }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room.json");
        write(&path, &baseline()).unwrap();
        write(&path, &baseline()).unwrap();
        assert_eq!(read(&path).unwrap(), baseline());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("room.json"), dir.path().join("link.json"));
        std::fs::write(&path, "").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, &baseline()).unwrap();
        assert!(link.is_symlink());
        assert_eq!(read(&path).unwrap(), baseline());
    }

    #[test]
    fn each_fault_is_told_with_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room.json");
        let check = |text: &str, expect: &str| {
            std::fs::write(&path, text).unwrap();
            let said = read(&path).unwrap_err().to_string();
            assert!(said.contains("room.json") && said.contains(expect) && !said.contains('\n'), "{said}");
        };
        check("", "not a baseline");
        check("[1, 2]", "not a baseline");
        check(&"[".repeat(100_000), "not a baseline");
        check("{\"emcon_baseline\": 1, \"learned_s\": 1.0, \"known\": []}", "version 1");
        check("{\"emcon_baseline\": 2, \"learned_s\": 1.0, \"known\": [], \"more\": 1}", "more");
        write(&path, &baseline()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        check(&text.replace("16600000.0", "-1.0"), "impossible bandwidth_hz");
        check(&text.replace("wifi-ofdm", "wify"), "wify");
        let missing = read(&dir.path().join("none.json")).unwrap_err().to_string();
        assert!(missing.contains("none.json") && missing.contains("--learn"), "{missing}");
        assert!(write(&dir.path().join("no/such/room.json"), &baseline()).is_err());
    }
}
