//! Deliveries of journal entries to contacts: kept until the entry is pruned.

use super::journal::Entry;
use super::value::{Time, limit};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;

/// How one contact was told of something that became of an alert. Serialises as the API shows it.
#[derive(utoipa::ToSchema, Serialize, Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// To whom.
    pub contact: String,
    /// Number of the journal entry.
    pub entry: i64,
    /// `raised`, `updated`, `resolved` or `acknowledged`.
    pub phase: Option<String>,
    /// When that was.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Attempts that failed.
    pub attempts: u32,
    /// Why the last one failed.
    pub last_error: Option<String>,
    /// When it arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered: Option<Timestamp>,
}

/// Has entry `entry`, which is of `alert` if it is of one, wait for `contact` from `at` on. Gives the delivery's id.
pub fn add(
    connection: &Connection,
    contact: &str,
    entry: i64,
    at: Timestamp,
    alert: Option<&str>,
) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO outbox (contact, entry, due, alert) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![contact, entry, Time(at), alert])?;
    Ok(connection.last_insert_rowid())
}

/// The latest that wait for `contact`, oldest first: deliveries' ids and entries.
pub fn waiting(connection: &Connection, contact: &str, most: usize) -> rusqlite::Result<Vec<(i64, Entry)>> {
    let mut all: Vec<_> = connection
        .prepare_cached(
            "SELECT journal.number, journal.kind, journal.at, journal.meeting, journal.data, outbox.id
             FROM outbox JOIN journal ON journal.number = outbox.entry
             WHERE outbox.contact = ?1 AND outbox.delivered IS NULL ORDER BY outbox.id DESC LIMIT ?2",
        )?
        .query_map(params![contact, limit(most)], |row| Ok((row.get(5)?, Entry::read(row)?)))?
        .collect::<rusqlite::Result<_>>()?;
    all.reverse();
    Ok(all)
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

/// Whether the delivery was there.
pub fn left_out(connection: &Connection, delivery: i64) -> rusqlite::Result<bool> {
    let rows = connection.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([delivery])?;
    Ok(rows > 0)
}

pub fn deliveries(connection: &Connection, alert: &str, most: usize) -> rusqlite::Result<Vec<Delivery>> {
    connection
        .prepare_cached(
            "SELECT outbox.contact, outbox.entry, json_extract(journal.data, '$.phase'), journal.at,
                 outbox.attempts, outbox.last_error, outbox.delivered
             FROM outbox JOIN journal ON journal.number = outbox.entry
             WHERE outbox.alert = ?1 ORDER BY outbox.id LIMIT ?2",
        )?
        .query_map(params![alert, limit(most)], |row| {
            Ok(Delivery {
                contact: row.get(0)?,
                entry: row.get(1)?,
                phase: row.get(2)?,
                at: row.get::<_, Time>(3)?.0,
                attempts: row.get(4)?,
                last_error: row.get(5)?,
                delivered: row.get::<_, Option<Time>>(6)?.map(|time| time.0),
            })
        })?
        .collect()
}
