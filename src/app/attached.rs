//! What is attached, and by which modules SoapySDR would know it.

use super::receiver::kind_of;
use crate::sdr::soapy::{Found, find};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// An attached receiver.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attached {
    /// SoapySDR's driver.
    pub driver: String,
    /// What people call it.
    pub label: String,
    /// Serial number, if it tells one.
    pub serial: Option<String>,
    /// What to give to `--device`.
    pub arguments: String,
    /// The kind of receiver that emcon knows it as.
    pub kind: Option<String>,
    /// Another one has the same serial number: neither can be told from the other.
    pub twin: bool,
}

/// SoapySDR on this machine.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Soapy {
    /// The library that is loaded.
    pub library: Option<PathBuf>,
    /// Its version, by the file's name.
    pub version: Option<String>,
    /// `SOAPY_SDR_PLUGIN_PATH`.
    pub plugin_path: Option<String>,
    /// Folders where modules are looked for.
    pub folders: Vec<Folder>,
}

/// A folder of modules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Folder {
    /// Where.
    pub path: PathBuf,
    /// Whether it can be read.
    pub is_there: bool,
    /// Names of the libraries inside.
    pub modules: Vec<String>,
}

/// The receivers that match `arguments`, all of them if there are none. A sound card is no receiver of radio.
///
/// # Errors
/// In words, what SoapySDR says.
pub fn attached(arguments: &str) -> Result<Vec<Attached>, String> {
    let mut found = find(arguments)?;
    found.retain(|found| found.driver != "audio");
    Ok(described(&found, arguments))
}

fn described(found: &[Found], asked: &str) -> Vec<Attached> {
    let same = |a: &Found, b: &Found| a.serial.is_some() && a.serial == b.serial && a.driver == b.driver;
    let one = |own: &Found| Attached {
        driver: own.driver.clone(),
        label: own.label.clone(),
        serial: own.serial.clone(),
        arguments: arguments(own, asked),
        kind: kind_of(&pairs(&own.all)).ok().map(|profile| profile.name),
        twin: found.iter().filter(|other| same(own, other)).count() > 1,
    };
    found.iter().map(one).collect()
}

fn pairs(all: &[(String, String)]) -> String {
    all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// What opens `found`: its driver and serial, and whatever else was asked for, since a module may need it.
fn arguments(found: &Found, asked: &str) -> String {
    let mut out = found.arguments();
    for pair in asked.split(',').filter(|pair| pair.contains('=')) {
        let key = pair.split('=').next().unwrap_or_default().trim();
        if !["driver", "serial"].contains(&key) {
            out.push(',');
            out.push_str(pair.trim());
        }
    }
    out
}

/// SoapySDR as this process has it loaded; `maps` is the text of `/proc/self/maps`.
pub fn soapy(maps: &str, plugin_path: Option<&str>) -> Soapy {
    let library = mapped(maps).into_iter().find(|path| file_name(path).starts_with("libSoapySDR.so"));
    // The file may be a symbolic link of fewer digits.
    let whole = library.as_ref().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()));
    let version = whole.as_ref().and_then(|path| {
        let digits = file_name(path).strip_prefix("libSoapySDR.so.")?.to_owned();
        (!digits.is_empty()).then_some(digits)
    });
    let mut paths: Vec<PathBuf> = plugin_path.map_or_else(Vec::new, |own| {
        std::env::split_paths(own).filter(|path| !path.as_os_str().is_empty()).collect()
    });
    paths.extend(own_folders(library.as_deref(), version.as_deref()));
    Soapy {
        folders: paths.into_iter().map(folder).collect(),
        plugin_path: plugin_path.map(str::to_owned),
        library,
        version,
    }
}

/// Where the library itself looks (SoapySDR, `lib/Modules.in.cpp`): beside itself and in the local prefix, by the
/// version of its interface.
fn own_folders(library: Option<&Path>, version: Option<&str>) -> Vec<PathBuf> {
    let Some(beside) = library.and_then(Path::parent) else { return Vec::new() };
    let abi: Vec<&str> = version.unwrap_or("0.8").split('.').take(2).collect();
    let name = format!("SoapySDR/modules{}", abi.join("."));
    let all = [beside.join(&name), Path::new("/usr/local/lib").join(&name)];
    let set: BTreeSet<PathBuf> = all.into_iter().collect();
    set.into_iter().filter(|path| path.is_dir() || path.starts_with(beside)).collect()
}

fn folder(path: PathBuf) -> Folder {
    let entries = std::fs::read_dir(&path);
    let is_there = entries.is_ok();
    let names = entries.into_iter().flatten().flatten();
    let mut modules: Vec<String> = names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|n| n.contains(".so"))
        .collect();
    modules.sort();
    Folder { path, is_there, modules }
}

/// Files that are mapped into a process, each once.
fn mapped(maps: &str) -> Vec<PathBuf> {
    let paths = maps.lines().filter_map(|line| line.find('/').map(|at| PathBuf::from(&line[at..])));
    paths.collect::<BTreeSet<_>>().into_iter().collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(driver: &str, serial: &str) -> Found {
        let all = vec![("driver".to_owned(), driver.to_owned()), ("serial".to_owned(), serial.to_owned())];
        Found { driver: driver.into(), label: "a receiver".into(), serial: Some(serial.into()), all }
    }

    #[test]
    fn twins_are_told_and_kinds_known() {
        let all = [found("rtlsdr", "00000001"), found("rtlsdr", "00000001"), found("hackrf", "00000001")];
        let told = described(&all, "");
        assert_eq!(told.iter().map(|one| one.twin).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(told[2].kind.as_deref(), Some("hackrf"));
        assert_eq!(told[0].arguments, "driver=rtlsdr,serial=00000001");
        assert_eq!(described(&[found("lime", "1")], "")[0].kind, None);
    }

    #[test]
    fn what_was_asked_for_is_kept() {
        let told = described(&[found("remote", "7")], "driver=remote,remote=host:55132");
        assert_eq!(told[0].arguments, "driver=remote,serial=7,remote=host:55132");
    }

    #[test]
    fn folders_follow_the_library_that_is_loaded() {
        let root = tempfile::tempdir().unwrap();
        let lib = root.path().join("lib");
        let modules = lib.join("SoapySDR/modules0.8");
        std::fs::create_dir_all(&modules).unwrap();
        std::fs::write(lib.join("libSoapySDR.so.0.8.1"), "").unwrap();
        std::fs::write(modules.join("librtlsdrSupport.so"), "").unwrap();
        let path = lib.join("libSoapySDR.so.0.8.1");
        let maps = format!(
            "7f00-7f01 r-xp 00000000 fe:00 1    {}\n7f01-7f02 rw-p 00000000 00:00 0\n",
            path.display()
        );
        let told = soapy(&maps, Some("/nowhere:"));
        assert_eq!(told.version.as_deref(), Some("0.8.1"));
        assert!(!told.folders[0].is_there && told.folders[0].path == Path::new("/nowhere"));
        assert!(told.folders.iter().any(|f| f.path == modules && f.modules == ["librtlsdrSupport.so"]));
    }
}
