//! What can go wrong with the store, and what to do then.

use std::path::PathBuf;

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// The folder or a file in it.
    #[error("{} cannot be used: {source}; the daemon must be able to write there", path.display())]
    File {
        /// Folder or file.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("{} is in use by another emcon; stop that one first, or give this one a folder of its own", folder.display())]
    InUse {
        /// Folder of the database.
        folder: PathBuf,
    },
    /// Linked with an SQLite that can lose commits.
    #[error("SQLite {found} can lose commits when its log is reset; build with 3.51.3 or later")]
    OldSqlite {
        /// Its version.
        found: String,
    },
    /// Written by a later version.
    #[error(
        "{} has schema {found}, this emcon knows up to {known}; update emcon, or move the file away", path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The latest known.
        known: i64,
    },
    /// The file system cannot keep a write-ahead log.
    #[error("{} cannot keep a write-ahead log; use a folder on a local disk", path.display())]
    NoLog {
        /// The database.
        path: PathBuf,
    },
    /// A damaged database could not be renamed.
    #[error("the damaged {} cannot be renamed to {}: {source}; move it away", path.display(), to.display())]
    SetAside {
        /// The damaged database.
        path: PathBuf,
        /// Where it should have gone.
        to: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// A database just begun reads back damaged.
    #[error("{} was begun anew and is damaged again ({why}); check the disk", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// The disk is full.
    #[error("the disk of {} is full; make room on it", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// Anything else that SQLite reports.
    #[error("{} cannot be opened: {source}; check the disk, and that the file may be written", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// Cause.
        source: rusqlite::Error,
    },
}

/// A call to the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room for it, and the ballast is spent.
    #[error("the disk of {} is full; prune, or make room on it", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// Storage failed in an earlier call.
    #[error("{} failed earlier and is not relied on any more; open it anew and verify it", path.display())]
    Broken {
        /// The database.
        path: PathBuf,
    },
    /// Data of an entry that is no JSON object.
    #[error("data of the entry \"{kind}\" is no JSON object: {source}")]
    NoObject {
        /// Kind of the entry.
        kind: String,
        /// Cause.
        source: serde_json::Error,
    },
    /// Data of an entry beyond the limit.
    #[error("data of the entry \"{kind}\" has {bytes} bytes, at most {limit} are kept; shorten it")]
    TooLong {
        /// Kind of the entry.
        kind: String,
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// No such delivery.
    #[error("delivery {id} is not there, or was pruned")]
    UnknownDelivery {
        /// Its id.
        id: i64,
    },
    /// Anything else that SQLite reports.
    #[error("{}: {source}; check the disk, then open it anew", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// Cause.
        source: rusqlite::Error,
    },
}

/// The journal is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum Altered {
    /// An entry does not have the hash that it was written with, or does not follow the one before.
    #[error("journal entry {number} was altered after it was written, or one before it was replaced")]
    Entry {
        /// Its number.
        number: i64,
    },
    /// An entry is missing between others.
    #[error("journal entry {number} was taken out")]
    Missing {
        /// Its number.
        number: i64,
    },
    /// The journal ends before or after its recorded head.
    #[error("the journal ends at entry {found}, its head says {head}")]
    End {
        /// Last entry found.
        found: i64,
        /// Last entry by the head.
        head: i64,
    },
    /// It could not be read.
    #[error("the journal cannot be verified: {0}")]
    Unreadable(#[from] StoreError),
}
