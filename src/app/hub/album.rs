//! The album: pictures on the disk beside the records, within a budget, written by a thread of its own.
//!
//! A disk that is slow, full or gone costs pictures, never an alert: few wait for the thread, further ones are refused
//! with a reason, and what became of each is told to the room.

use super::evidence::hex;
use crate::app::waterfall::{Shown, draw};
use crate::spectrum::{Extent, Tile};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Pictures may take so much of the disk, bytes: a thousand.
pub const BUDGET_BYTES: u64 = 256 << 20;

/// The same where they are kept in memory only.
const MEMORY_BYTES: u64 = 16 << 20;

/// Room that is left on the disk for the records, bytes: several times their log and their ballast.
const SPARE_BYTES: u64 = 64 << 20;

/// Pictures that wait for the thread, 0.2 MB each.
const WAITING: usize = 16;

/// Longest picture that is read back, bytes: none that is drawn here comes near it.
const LONGEST: u64 = 4 << 20;

/// A picture to draw.
pub struct Picture {
    /// Name of the alert.
    pub name: String,
    /// What stands above it.
    pub title: String,
    /// When it begins, as text.
    pub begins: String,
    /// What is framed.
    pub emission: Extent,
    /// What is drawn.
    pub tile: Tile,
    /// Alerts that are open: theirs go last.
    pub open: BTreeSet<String>,
}

/// What became of it.
pub struct Filed {
    /// Name of the alert.
    pub name: String,
    /// SHA-256 of the file and what it shows, or why there is none.
    pub result: Result<(String, Extent), String>,
    /// Alerts whose pictures went.
    pub gone: Vec<String>,
}

/// Where pictures are.
#[derive(Clone)]
pub enum Shelf {
    /// In a folder, a file each.
    Folder(PathBuf),
    /// In memory, oldest first by number.
    Memory(Arc<Mutex<Held>>),
}

/// Pictures in memory with the names of their alerts, by number.
type Held = BTreeMap<u64, (String, Vec<u8>)>;

/// What the room holds of the album.
pub struct Album {
    pictures: Sender<Picture>,
    filed: Receiver<Filed>,
}

impl Album {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(shelf: Shelf, budget_bytes: u64) -> io::Result<Self> {
        let (pictures, waiting) = bounded(WAITING);
        let (tell, filed) = bounded(WAITING);
        std::thread::Builder::new()
            .name("album".into())
            .spawn(move || keep(&shelf, budget_bytes, &waiting, &tell))?;
        Ok(Self { pictures, filed })
    }

    /// What became of a picture, if that is not told yet.
    pub fn next_filed(&self) -> Option<Filed> {
        self.filed.try_recv().ok()
    }

    /// Has a picture drawn and kept.
    ///
    /// # Errors
    /// Why not.
    pub fn file(&self, picture: Picture) -> Result<(), String> {
        self.pictures.try_send(picture).map_err(|error| match error {
            TrySendError::Full(_) => format!("{WAITING} pictures wait for the disk already"),
            TrySendError::Disconnected(_) => "nobody draws pictures any more; see the service's log".into(),
        })
    }
}

fn keep(shelf: &Shelf, budget_bytes: u64, waiting: &Receiver<Picture>, tell: &Sender<Filed>) {
    while let Ok(picture) = waiting.recv() {
        let shown = Shown {
            title: &picture.title,
            begins: &picture.begins,
            tile: &picture.tile,
            emission: &picture.emission,
        };
        let mut gone = Vec::new();
        let kept = draw(&shown).map_err(|error| format!("it cannot be drawn: {error}")).and_then(|png| {
            let kept = shelf.keep(&picture.name, &png, budget_bytes, &picture.open, &mut gone);
            kept.map(|()| hex(&png)).map_err(|error| format!("it cannot be kept: {error}"))
        });
        if let Err(why) = &kept {
            tracing::warn!("no picture of alert {}: {why}", picture.name);
        }
        let result = kept.map(|sha256| (sha256, picture.tile.extent));
        // A room that ended records nothing.
        if tell.send(Filed { name: picture.name, result, gone }).is_err() {
            return;
        }
    }
}

impl Shelf {
    /// Beside the records, or in memory as they are.
    pub fn beside(records: Option<&Path>) -> Self {
        records.map_or_else(|| Self::Memory(Arc::default()), |folder| Self::Folder(folder.join("evidence")))
    }

    /// The picture of an alert.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match self {
            Self::Folder(folder) => {
                let mut bytes = Vec::new();
                File::open(folder.join(file_name(name)?))?.take(LONGEST).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Self::Memory(held) => held
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .values()
                .find(|(known, _)| known == name)
                .map(|(_, bytes)| bytes.clone())
                .ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }

    /// Keeps a picture within the budget: the oldest go, those of open alerts last. Whose went is added to `gone`.
    fn keep(
        &self,
        name: &str,
        png: &[u8],
        budget_bytes: u64,
        open: &BTreeSet<String>,
        gone: &mut Vec<String>,
    ) -> io::Result<()> {
        let needed = png.len() as u64;
        match self {
            Self::Folder(folder) => {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                let held = listed(folder)?;
                for victim in victims(held, needed, budget_bytes, open) {
                    fs::remove_file(folder.join(file_name(&victim)?))?;
                    gone.push(victim);
                }
                let disk = rustix::fs::statvfs(folder)?;
                if disk.f_bavail.saturating_mul(disk.f_frsize) < needed + SPARE_BYTES {
                    let why =
                        format!("less than {} MiB are free, which the records may need", SPARE_BYTES >> 20);
                    return Err(io::Error::new(io::ErrorKind::StorageFull, why));
                }
                write_whole(folder, &file_name(name)?, png)
            }
            Self::Memory(held) => {
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                let sizes = held.values().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect();
                for victim in victims(sizes, needed, budget_bytes.min(MEMORY_BYTES), open) {
                    held.retain(|_, (name, _)| *name != victim);
                    gone.push(victim);
                }
                let number = held.last_key_value().map_or(0, |(number, _)| number + 1);
                held.insert(number, (name.to_owned(), png.to_vec()));
                Ok(())
            }
        }
    }
}

/// Which of `held` (oldest first, with their sizes) go so that `needed` more bytes are within the budget.
fn victims(held: Vec<(String, u64)>, needed: u64, budget_bytes: u64, open: &BTreeSet<String>) -> Vec<String> {
    let mut excess = (held.iter().map(|(_, bytes)| bytes).sum::<u64>() + needed).saturating_sub(budget_bytes);
    let (last, first): (Vec<_>, Vec<_>) = held.into_iter().partition(|(name, _)| open.contains(name));
    let mut out = Vec::new();
    for (name, bytes) in first.into_iter().chain(last) {
        if excess == 0 {
            break;
        }
        excess = excess.saturating_sub(bytes);
        out.push(name);
    }
    out
}

/// The pictures in a folder, oldest first, with their sizes. What a crash left half written goes.
fn listed(folder: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut found: Vec<(SystemTime, String, u64)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(file) = entry.file_name().into_string() else { continue };
        if file.ends_with(HALF) {
            fs::remove_file(entry.path())?;
        } else if let Some(name) = file.strip_suffix(ENDING) {
            let meta = entry.metadata()?;
            found.push((meta.modified()?, name.to_owned(), meta.len()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, name, bytes)| (name, bytes)).collect())
}

const ENDING: &str = ".png";
const HALF: &str = ".half";

/// Names of alerts are letters, digits and hyphens; nothing else becomes a path.
fn file_name(name: &str) -> io::Result<String> {
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain { Ok(format!("{name}{ENDING}")) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// All of it or nothing, for nobody else to read.
fn write_whole(folder: &Path, file: &str, bytes: &[u8]) -> io::Result<()> {
    let half = folder.join(format!("{file}{HALF}"));
    let write = || {
        let mut out =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        fs::rename(&half, folder.join(file))?;
        File::open(folder)?.sync_all()
    };
    write().inspect_err(|_| {
        // Half a picture takes room and shows nothing.
        let _ = fs::remove_file(&half);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn open(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_oldest_go_first_and_those_of_open_alerts_last() {
        let check = |needed, budget, kept_open: &[&str], expect: &[&str]| {
            let held = ["a", "b", "c"].map(|name| (name.to_owned(), 10)).to_vec();
            assert_eq!(victims(held, needed, budget, &open(kept_open)), expect);
        };
        check(10, 40, &[], &[]);
        check(10, 39, &[], &["a"]);
        check(10, 39, &["a"], &["b"]);
        check(10, 15, &["a"], &["b", "c", "a"]);
        check(99, 15, &[], &["a", "b", "c"]);
    }

    #[test]
    fn a_folder_keeps_within_its_budget_and_to_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::beside(Some(folder.path()));
        let Shelf::Folder(path) = shelf.clone() else { panic!("a folder was given") };
        let mut gone = Vec::new();
        for n in 0..4 {
            let name = format!("a{n}-1f");
            shelf.keep(&name, &[n; 1000], 2500, &open(&["a0-1f"]), &mut gone).expect("kept");
            // Files are told apart by the time that they were written.
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert_eq!(gone, ["a1-1f", "a2-1f"]);
        assert_eq!(shelf.read("a0-1f").expect("of an open alert"), [0; 1000]);
        assert!(shelf.read("a1-1f").is_err());
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("a3-1f.png"))), (0o700, 0o600));
        assert!(shelf.read("../emcon.db").is_err() && shelf.read("").is_err());
        fs::write(path.join("a9-1f.png.half"), "cut").expect("written");
        shelf.keep("a4-1f", &[4; 10], 2500, &open(&[]), &mut gone).expect("kept");
        assert!(!path.join("a9-1f.png.half").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_is_a_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("evidence"), "a file").expect("written");
        let shelf = Shelf::beside(Some(folder.path()));
        assert!(shelf.keep("a1-1f", &[0; 10], 100, &open(&[]), &mut Vec::new()).is_err());
    }
}
