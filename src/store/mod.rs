//! All that is kept: the journal, meetings, alerts, and deliveries that wait. The one place that knows the database.
//!
//! What a call has acknowledged survives a killed process and a power cut: write-ahead log, synchronised at every
//! commit. A call that failed may still have been carried out when storage itself was at fault, so whoever reads the
//! journal must bear a repeated entry.
//!
//! - **Numbers** of journal entries increase by one and are never given twice, whatever was pruned. After a damaged
//!   database was set aside they go on far above those that it can have held.
//! - **The chain**: every entry carries a SHA-256 over itself and the entry before. [`Store::verify`] finds an entry
//!   that was altered, taken out or cut off the end. It cannot find what was rewritten as a whole, nor commits that
//!   vanished together with the write-ahead log: for that, compare [`Store::head`] with one that was sent elsewhere.
//! - **A full disk**: a ballast file goes, and the write that found the disk full succeeds. From then on
//!   [`Store::short_of_space`] asks for pruning. Further writes may use up half of what the ballast held, then they
//!   fail as [`StoreError::Full`]: the rest is for pruning, which has to write too. The ballast comes back by itself
//!   once there is room.
//! - **A failing disk**: after an input or output error nothing that the connection says can be relied on. Every later
//!   call is refused until the store is opened anew.
//!
//! Calls block for as long as the disk does: whoever uses a [`Store`] gives it a thread of its own.

mod ballast;
mod error;
mod journal;
mod open;
mod outbox;
mod participants;
mod prune;
mod records;
mod schema;
mod tokens;
#[cfg(test)]
mod tests;
mod value;

pub use error::{Altered, OpenStoreError, StoreError};
pub use journal::{Entry, Head, NewEntry};
pub use outbox::Delivery;
pub use participants::Participant;
pub use records::{AlertRecord, Evidence, Meeting};
pub use tokens::TokenRecord;

use ballast::Ballast;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::fs::File;
use std::path::{Path, PathBuf};

/// An entry of the journal, with the records that it is of and the contacts that it waits for.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// The entry.
    pub entry: NewEntry<'a>,
    /// Put in place of the alert with the same id.
    pub alert: Option<&'a AlertRecord>,
    /// Put in place of the meeting with the same id.
    pub meeting: Option<&'a Meeting>,
    /// Names of the contacts it is to be delivered to.
    pub contacts: &'a [&'a str],
    /// The alert that the deliveries are of.
    pub about: Option<&'a str>,
}

/// All that is kept. One connection; used by one thread.
#[derive(Debug)]
pub struct Store {
    // Before the lock, so that it is closed before another process may open it.
    connection: Connection,
    /// The database, as errors name it.
    path: PathBuf,
    /// None in memory.
    ballast: Option<Ballast>,
    /// Where a damaged database was put at opening.
    recovered: Option<PathBuf>,
    /// Storage failed: nothing that the connection says can be relied on.
    broken: bool,
    /// Held for as long as the database is open.
    _lock: Option<File>,
}

impl Store {
    /// Opens or creates the database in `folder`/emcon.db, brings it to the current schema, keeps a ballast file
    /// beside it. A damaged database is renamed aside and a new one begun: see [`Store::recovered`].
    pub fn open(folder: &Path) -> Result<Self, OpenStoreError> {
        open::open(folder)
    }

    /// In memory, for demonstrations and tests.
    pub fn in_memory() -> Result<Self, OpenStoreError> {
        open::in_memory()
    }

    /// The folder of the database; none in memory.
    pub fn folder(&self) -> Option<&Path> {
        self.ballast.as_ref().and_then(|_| self.path.parent())
    }

    /// The damaged database that was set aside at opening, if it was.
    pub fn recovered(&self) -> Option<&Path> {
        self.recovered.as_deref()
    }

    /// The disk was full and the ballast is gone: prune now.
    pub fn short_of_space(&self) -> bool {
        self.ballast.as_ref().is_some_and(|ballast| !ballast.is_there())
    }

    /// Adds an entry to the journal and gives its number: strictly increasing, never reused, also after a restart.
    /// Committed (WAL, synchronous FULL) when this returns.
    pub fn append(&mut self, entry: &NewEntry<'_>) -> Result<Entry, StoreError> {
        self.record(entry, None, None)
    }

    /// Puts journal entry and records in one transaction.
    pub fn record(
        &mut self,
        entry: &NewEntry<'_>,
        alert: Option<&AlertRecord>,
        meeting: Option<&Meeting>,
    ) -> Result<Entry, StoreError> {
        let deed = Deed { entry: *entry, alert, meeting, contacts: &[], about: None };
        self.record_one(&deed).map(|(entry, _)| entry)
    }

    /// Puts a deed in one transaction, and gives its entry and the ids of its deliveries, in the order of its contacts.
    pub fn record_one(&mut self, deed: &Deed<'_>) -> Result<(Entry, Vec<i64>), StoreError> {
        deed.entry.check()?;
        self.write(|connection| put(connection, deed))
    }

    /// The same for all of `deeds`, in the order given, in one transaction.
    pub fn record_together(&mut self, deeds: &[Deed<'_>]) -> Result<Vec<(Entry, Vec<i64>)>, StoreError> {
        deeds.iter().try_for_each(|deed| deed.entry.check())?;
        self.write(|connection| deeds.iter().map(|deed| put(connection, deed)).collect())
    }

    /// Entries after number `after`, oldest first, at most `limit`. Holds no read transaction afterwards.
    pub fn after(&self, after: i64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read(|connection| journal::after(connection, after, limit))
    }

    /// Number of the latest entry ever made, pruned or not; 0 before the first.
    pub fn last_number(&self) -> Result<i64, StoreError> {
        self.head().map(|head| head.number)
    }

    /// Number and hash of the latest entry: what to send elsewhere, as a witness.
    pub fn head(&self) -> Result<Head, StoreError> {
        self.read(journal::head)
    }

    /// Recomputes the hash of every entry that is kept and follows the chain from one to the next.
    pub fn verify(&self) -> Result<(), Altered> {
        journal::verify(self)
    }

    /// Puts a meeting, in place of one with the same id.
    pub fn begin_meeting(&mut self, meeting: &Meeting) -> Result<(), StoreError> {
        self.write(|connection| records::put_meeting(connection, meeting))
    }

    /// Meetings, newest first, at most `limit`.
    pub fn meetings(&self, limit: usize) -> Result<Vec<Meeting>, StoreError> {
        self.read(|connection| records::meetings(connection, limit))
    }

    /// Who takes part in a meeting, as put last.
    pub fn participants(&self, meeting: &str) -> Result<Vec<Participant>, StoreError> {
        self.read(|connection| participants::of(connection, meeting))
    }

    /// Puts who takes part in a meeting, in place of those before; whether there is such a meeting. They go with it.
    pub fn put_participants(&mut self, meeting: &str, all: &[Participant]) -> Result<bool, StoreError> {
        self.write(|connection| participants::put(connection, meeting, all)).map(|rows| rows > 0)
    }

    /// What the schedule must not forget, as put last.
    pub fn schedule(&self) -> Result<Option<String>, StoreError> {
        self.read(participants::schedule)
    }

    /// Puts what the schedule must not forget.
    pub fn put_schedule(&mut self, data: &str) -> Result<(), StoreError> {
        self.write(|connection| participants::put_schedule(connection, data))
    }

    /// Puts an alert, in place of one with the same id.
    pub fn put_alert(&mut self, alert: &AlertRecord) -> Result<(), StoreError> {
        self.write(|connection| records::put_alert(connection, alert))
    }

    /// Alerts of one meeting or of all, newest first, at most `limit`.
    pub fn alerts(&self, meeting: Option<&str>, limit: usize) -> Result<Vec<AlertRecord>, StoreError> {
        self.read(|connection| records::alerts(connection, meeting, limit))
    }

    /// The alert called `id`.
    pub fn alert(&self, id: &str) -> Result<Option<AlertRecord>, StoreError> {
        self.read(|connection| records::alert_called(connection, id))
    }

    /// Alerts that are open ([`AlertRecord::is_open`]), newest first.
    pub fn open_alerts(&self) -> Result<Vec<AlertRecord>, StoreError> {
        self.read(records::open_alerts)
    }

    /// All tokens, revoked ones and sessions included, each with the SHA-256 that it is known by.
    pub fn tokens(&self) -> Result<Vec<(TokenRecord, [u8; 32])>, StoreError> {
        self.read(tokens::all)
    }

    /// Adds a token with its entry in the journal, whose number this gives.
    pub fn add_token(
        &mut self,
        token: &TokenRecord,
        hash: &[u8; 32],
        entry: &NewEntry<'_>,
    ) -> Result<i64, StoreError> {
        entry.check()?;
        self.write(|connection| {
            tokens::add(connection, token, hash)?;
            journal::append(connection, entry).map(|entry| entry.number)
        })
    }

    /// Ends a token and its sessions, with an entry in the journal, whose number this gives.
    pub fn revoke_token(&mut self, id: &str, at: Timestamp, entry: &NewEntry<'_>) -> Result<i64, StoreError> {
        entry.check()?;
        self.write(|connection| {
            tokens::revoke(connection, id, at)?;
            journal::append(connection, entry).map(|entry| entry.number)
        })
    }

    /// Notes that a token was used.
    pub fn used_token(&mut self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.write(|connection| tokens::used(connection, id, at))
    }

    /// A delivery succeeded: it waits no longer.
    pub fn delivered(&mut self, delivery: i64, at: Timestamp) -> Result<(), StoreError> {
        let known = self.write(|connection| outbox::delivered(connection, delivery, at))?;
        if known { Ok(()) } else { Err(StoreError::UnknownDelivery { id: delivery }) }
    }

    /// A delivery failed: one more attempt is counted, the next is due at `until`.
    pub fn postponed(&mut self, delivery: i64, until: Timestamp, why: &str) -> Result<(), StoreError> {
        let known = self.write(|connection| outbox::postponed(connection, delivery, until, why))?;
        if known { Ok(()) } else { Err(StoreError::UnknownDelivery { id: delivery }) }
    }

    /// The latest `limit` deliveries that wait for `contact`, oldest first: their ids and entries.
    pub fn waiting(&self, contact: &str, limit: usize) -> Result<Vec<(i64, Entry)>, StoreError> {
        self.read(|connection| outbox::waiting(connection, contact, limit))
    }

    /// A delivery is not wanted any more.
    pub fn left_out(&mut self, delivery: i64) -> Result<(), StoreError> {
        let known = self.write(|connection| outbox::left_out(connection, delivery))?;
        if known { Ok(()) } else { Err(StoreError::UnknownDelivery { id: delivery }) }
    }

    /// Who was told what of `alert`, in order, at most `limit`.
    pub fn deliveries(&self, alert: &str, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        self.read(|connection| outbox::deliveries(connection, alert, limit))
    }

    /// Deletes journal entries with their deliveries, alerts and meetings older than `before`, and says how many;
    /// open alerts, their meetings and meetings that have not ended excepted. The journal goes up to the first entry
    /// that is not older, so that the chain stays whole. Room that becomes free goes back to the disk, then to the
    /// ballast.
    pub fn prune(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let pruned = prune::prune(self, before)?;
        if let Some(ballast) = &mut self.ballast {
            ballast.ensure();
        }
        Ok(pruned)
    }

    /// Deletes meetings of `level` that ended before `before`, and their alerts but for open ones; how many rows that
    /// were. The journal keeps what it said of them until [`Store::prune`] comes to it: its chain can be cut at its
    /// beginning only.
    pub fn prune_level(&mut self, level: &str, before: Timestamp) -> Result<u64, StoreError> {
        prune::delete_level(self, level, before)
    }

    fn read<T>(&self, act: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.usable()?;
        act(&self.connection).map_err(|source| self.fault(source))
    }

    /// One transaction, once more without the ballast if the disk is full. What the ballast leaves is for pruning.
    fn write<T>(&mut self, act: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        if let Some(ballast) = &mut self.ballast {
            ballast.ensure();
            if !ballast.leaves_room_to_prune() {
                return Err(StoreError::Full { path: self.path.clone() });
            }
        }
        self.write_to_the_last(act)
    }

    /// The same with all the room that there is.
    fn write_to_the_last<T>(
        &mut self,
        act: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.usable()?;
        let mut result = self.transaction(&act);
        if let (Err(error), Some(ballast)) = (&result, &mut self.ballast)
            && is_full(error)
            && ballast.release()
        {
            tracing::error!(
                database = %self.path.display(),
                "the disk is full: the ballast file was deleted; prune, or make room on the disk"
            );
            result = self.transaction(&act);
        }
        result.map_err(|source| {
            self.broken = is_failing(&source);
            self.fault(source)
        })
    }

    fn transaction<T>(&mut self, act: &impl Fn(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = act(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.broken { Err(StoreError::Broken { path: self.path.clone() }) } else { Ok(()) }
    }

    fn fault(&self, source: rusqlite::Error) -> StoreError {
        let path = self.path.clone();
        if is_full(&source) { StoreError::Full { path } } else { StoreError::Database { path, source } }
    }
}

/// Puts one deed, within a transaction.
fn put(connection: &Connection, deed: &Deed<'_>) -> rusqlite::Result<(Entry, Vec<i64>)> {
    if let Some(meeting) = deed.meeting {
        records::put_meeting(connection, meeting)?;
    }
    if let Some(alert) = deed.alert {
        records::put_alert(connection, alert)?;
    }
    let entry = journal::append(connection, &deed.entry)?;
    let add = |contact: &&str| outbox::add(connection, contact, entry.number, entry.at, deed.about);
    let deliveries = deed.contacts.iter().map(add).collect::<rusqlite::Result<_>>()?;
    Ok((entry, deliveries))
}

/// No room: on the disk, or for the index of the write-ahead log, which SQLite reports as an input or output error.
fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

/// The database is damaged, or none at all.
fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// After this the connection cannot be relied on: pages that were not written may look as if they were.
fn is_failing(error: &rusqlite::Error) -> bool {
    is_damaged(error) || (error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) && !is_full(error))
}
