//! The last good text of a calendar, on disk.

use super::path;
use crate::calendar::SIZE_MAX;
use crate::calendar::source::Source;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// A calendar as it was read without a fault.
#[derive(Debug, Clone)]
pub struct Kept {
    pub text: Arc<[u8]>,
    pub etag: Option<String>,
    /// When it was good last.
    pub read: Timestamp,
}

/// What is known of the text beside it.
#[derive(Serialize, Deserialize)]
struct About {
    /// Another place is another calendar.
    place: String,
    etag: Option<String>,
    read: Timestamp,
    bytes: usize,
}

impl Kept {
    /// The one in `folder`, if it is whole and of this source.
    pub fn load(folder: &Path, source: &Source) -> Option<Self> {
        let about = read(&path(folder, source, "json")).ok()?;
        let about: About = serde_json::from_slice(&about).ok()?;
        let text = read(&path(folder, source, "ics")).ok()?;
        let fits = about.place == format!("{:?}", source.place) && about.bytes == text.len();
        fits.then(|| Self { text: text.into(), etag: about.etag, read: about.read })
    }

    /// Puts it in `folder`: the text before what is known of it, each whole or not at all.
    pub fn save(&self, folder: &Path, source: &Source) -> io::Result<()> {
        let text = path(folder, source, "ics");
        if read(&text).ok().as_deref() != Some(&self.text[..]) {
            write(&text, &self.text)?;
        }
        let about = About {
            place: format!("{:?}", source.place),
            etag: self.etag.clone(),
            read: self.read,
            bytes: self.text.len(),
        };
        write(&path(folder, source, "json"), &serde_json::to_vec(&about)?)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SIZE_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Titles of confidential meetings are nobody else's to read.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}
