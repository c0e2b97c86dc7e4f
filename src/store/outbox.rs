//! Deliveries of journal entries that wait for somebody: kept until the entry is pruned.

use super::value::{Time, limit};
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// A delivery that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: i64,
    /// To whom.
    pub contact: String,
    /// Number of the journal entry.
    pub entry: i64,
    /// Attempts that failed.
    pub attempts: u32,
    /// Why the last one failed.
    pub last_error: Option<String>,
}

/// Gives the number of rows: none if the entry is not there.
pub fn enqueue(connection: &Connection, contact: &str, entry: i64, at: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "INSERT INTO outbox (contact, entry, due) SELECT ?1, number, ?3 FROM journal WHERE number = ?2",
        )?
        .execute(params![contact, entry, Time(at)])
}

pub fn due(connection: &Connection, now: Timestamp, most: usize) -> rusqlite::Result<Vec<Delivery>> {
    connection
        .prepare_cached(
            "SELECT id, contact, entry, attempts, last_error FROM outbox
             WHERE delivered IS NULL AND due <= ?1 ORDER BY due, id LIMIT ?2",
        )?
        .query_map(params![Time(now), limit(most)], |row| {
            Ok(Delivery {
                id: row.get(0)?,
                contact: row.get(1)?,
                entry: row.get(2)?,
                attempts: row.get(3)?,
                last_error: row.get(4)?,
            })
        })?
        .collect()
}

/// Whether the delivery was there. One that is told of twice keeps its first time.
pub fn delivered(connection: &Connection, delivery: i64, at: Timestamp) -> rusqlite::Result<bool> {
    let rows = connection
        .prepare_cached("UPDATE outbox SET delivered = coalesce(delivered, ?2) WHERE id = ?1")?
        .execute(params![delivery, Time(at)])?;
    Ok(rows > 0)
}

/// Whether the delivery was there.
pub fn postponed(
    connection: &Connection,
    delivery: i64,
    until: Timestamp,
    why: &str,
) -> rusqlite::Result<bool> {
    let rows = connection
        .prepare_cached("UPDATE outbox SET attempts = attempts + 1, due = ?2, last_error = ?3 WHERE id = ?1")?
        .execute(params![delivery, Time(until), why])?;
    Ok(rows > 0)
}
