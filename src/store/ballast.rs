//! Room held in reserve: a file that is deleted when the disk is full.
//!
//! A full disk refuses even to delete rows, because that too is written to the log first. The ballast is four times
//! what the write-ahead log may hold: half for writes that cannot wait, half for pruning's log and for what a
//! checkpoint of it adds to the database.

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Size of the file, bytes.
pub const BALLAST_BYTES: u64 = 4 << 20;

/// Room that must be left to prune in while there is no ballast, bytes.
const PRUNING_BYTES: u64 = BALLAST_BYTES / 2;

/// The file, or its absence.
#[derive(Debug)]
pub struct Ballast {
    path: PathBuf,
    there: bool,
    /// Said once: it is tried at every write.
    failure_told: bool,
}

impl Ballast {
    pub fn new(path: PathBuf) -> Self {
        let there = is_whole(&path);
        Self { path, there, failure_told: false }
    }

    pub fn is_there(&self) -> bool {
        self.there
    }

    /// Makes the file unless it is there or the disk has too little room.
    pub fn ensure(&mut self) {
        if self.there {
            return;
        }
        match self.make() {
            Ok(made) => self.there = made,
            Err(error) => {
                // Half a ballast takes room and gives none.
                let _ = fs::remove_file(&self.path);
                if !self.failure_told {
                    tracing::warn!(file = %self.path.display(), %error, "no room can be held in reserve");
                }
                self.failure_told = true;
            }
        }
    }

    /// Gives the room to others; whether there was any.
    pub fn release(&mut self) -> bool {
        self.there = false;
        fs::remove_file(&self.path).is_ok()
    }

    /// Whether a write may go ahead. Where nobody can tell how much room there is, trying it tells.
    pub fn leaves_room_to_prune(&self) -> bool {
        self.there || self.free().is_none_or(|free| free >= PRUNING_BYTES)
    }

    /// Only where as much room stays free beside it: what it takes must not be what fills the disk.
    fn make(&self) -> io::Result<bool> {
        if self.free().is_some_and(|free| free < 2 * BALLAST_BYTES) {
            return Ok(false);
        }
        let file = File::create(&self.path)?;
        match fallocate(&file, FallocateFlags::empty(), 0, BALLAST_BYTES) {
            Ok(()) => {}
            Err(Errno::OPNOTSUPP) => fill(&file)?,
            Err(errno) => return Err(errno.into()),
        }
        file.sync_all()?;
        Ok(true)
    }

    /// Room on its disk, bytes.
    fn free(&self) -> Option<u64> {
        let disk = statvfs(self.path.parent()?).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

/// Where nothing can be allocated without writing it.
fn fill(mut file: &File) -> io::Result<()> {
    let block = [0xa5; 64 << 10];
    for _ in 0..BALLAST_BYTES / block.len() as u64 {
        file.write_all(&block)?;
    }
    Ok(())
}

/// There, with blocks of the disk behind all of it: `st_blocks` counts 512 bytes each.
fn is_whole(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.len() == BALLAST_BYTES && meta.blocks() * 512 >= BALLAST_BYTES)
}
