//! The journal: numbered entries, each chained to the one before by its hash.

use super::value::{Time, limit};
use super::{Altered, Store, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Longest data of an entry, bytes: with two records of like size a transaction stays within a quarter of the
/// write-ahead log's 1 MiB.
pub const LONGEST_DATA: usize = 64 << 10;

/// Entries read at once while verifying.
const PAGE: usize = 256;

/// SHA-256 of an entry and of the one before.
pub type Hash = [u8; 32];

/// An entry to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// What happened, in one word.
    pub kind: &'a str,
    /// When.
    pub at: Timestamp,
    /// Id of the meeting, if one was held.
    pub meeting: Option<&'a str>,
    /// A JSON object.
    pub data: &'a str,
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Strictly increasing, never reused.
    pub number: i64,
    /// What happened, in one word.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Id of the meeting, if one was held.
    pub meeting: Option<String>,
    /// A JSON object.
    pub data: String,
}

/// The end of the chain: who keeps it elsewhere can tell whether the journal was cut or rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of the latest entry, 0 before the first.
    pub number: i64,
    /// Its hash.
    pub hash: Hash,
}

impl NewEntry<'_> {
    /// Whether it can be kept.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let kind = || self.kind.to_string();
        if self.data.len() > LONGEST_DATA {
            return Err(StoreError::TooLong { kind: kind(), bytes: self.data.len(), limit: LONGEST_DATA });
        }
        serde_json::from_str::<BTreeMap<String, IgnoredAny>>(self.data)
            .map_err(|source| StoreError::NoObject { kind: kind(), source })?;
        Ok(())
    }

    /// Every text goes in with its length before it: two entries never give the same bytes.
    fn hash(&self, number: i64, previous: &Hash) -> Hash {
        let mut sha = Sha256::new();
        sha.update(previous);
        sha.update(number.to_le_bytes());
        let at = Time(self.at).text();
        for text in [Some(self.kind), Some(&at), self.meeting, Some(self.data)] {
            match text {
                Some(text) => {
                    sha.update([1]);
                    sha.update((text.len() as u64).to_le_bytes());
                    sha.update(text);
                }
                None => sha.update([0]),
            }
        }
        sha.finalize().into()
    }
}

impl Entry {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            kind: row.get(1)?,
            at: row.get::<_, Time>(2)?.0,
            meeting: row.get(3)?,
            data: row.get(4)?,
        })
    }

    fn as_new(&self) -> NewEntry<'_> {
        NewEntry { kind: &self.kind, at: self.at, meeting: self.meeting.as_deref(), data: &self.data }
    }
}

pub(super) fn append(connection: &Connection, new: &NewEntry<'_>) -> rusqlite::Result<Entry> {
    let head = head(connection)?;
    // At the end of all numbers the entry's key is taken, and the insertion says so.
    let number = head.number.saturating_add(1);
    let hash = new.hash(number, &head.hash);
    connection
        .prepare_cached(
            "INSERT INTO journal (number, kind, at, meeting, data, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![number, new.kind, Time(new.at), new.meeting, new.data, hash])?;
    connection
        .prepare_cached("UPDATE chain SET last = ?1, last_hash = ?2")?
        .execute(params![number, hash])?;
    Ok(Entry {
        number,
        kind: new.kind.to_string(),
        at: new.at,
        meeting: new.meeting.map(str::to_string),
        data: new.data.to_string(),
    })
}

pub(super) fn after(connection: &Connection, after: i64, most: usize) -> rusqlite::Result<Vec<Entry>> {
    connection
        .prepare_cached(
            "SELECT number, kind, at, meeting, data FROM journal WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?
        .query_map(params![after, limit(most)], Entry::read)?
        .collect()
}

pub(super) fn head(connection: &Connection) -> rusqlite::Result<Head> {
    connection
        .prepare_cached("SELECT last, last_hash FROM chain")?
        .query_row([], |row| Ok(Head { number: row.get(0)?, hash: row.get(1)? }))
}

/// Where the chain begins: the last entry that was pruned.
fn base(connection: &Connection) -> rusqlite::Result<Head> {
    connection
        .prepare_cached("SELECT base, base_hash FROM chain")?
        .query_row([], |row| Ok(Head { number: row.get(0)?, hash: row.get(1)? }))
}

fn hashed_after(connection: &Connection, after: i64) -> rusqlite::Result<Vec<(Entry, Hash)>> {
    connection
        .prepare_cached(
            "SELECT number, kind, at, meeting, data, hash FROM journal WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?
        .query_map(params![after, limit(PAGE)], |row| Ok((Entry::read(row)?, row.get(5)?)))?
        .collect()
}

/// Follows the chain a page at a time, so that no read transaction keeps the log from being checkpointed.
pub(super) fn verify(store: &Store) -> Result<(), Altered> {
    let head = store.head()?;
    let mut at = store.read(base)?;
    // What was pruned must be gone.
    if let Some(stray) = store.after(i64::MIN, 1)?.first()
        && stray.number <= at.number
    {
        return Err(Altered::Entry { number: stray.number });
    }
    loop {
        let page = store.read(|connection| hashed_after(connection, at.number))?;
        if page.is_empty() {
            break;
        }
        for (entry, hash) in page {
            if at.number.checked_add(1) != Some(entry.number) {
                return Err(Altered::Missing { number: at.number.saturating_add(1) });
            }
            if entry.as_new().hash(entry.number, &at.hash) != hash {
                return Err(Altered::Entry { number: entry.number });
            }
            at = Head { number: entry.number, hash };
        }
    }
    if at.number != head.number {
        return Err(Altered::End { found: at.number, head: head.number });
    }
    if at.hash != head.hash {
        return Err(Altered::Entry { number: at.number });
    }
    Ok(())
}
