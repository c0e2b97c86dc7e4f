//! Deleting what is old, a little at a time: the write-ahead log must stay small and other work is only delayed by
//! one step's commit.

use super::value::Time;
use super::{Store, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// Rows deleted in one transaction. Each can touch a page of its table, three of indices and some of its
/// deliveries: within the three quarters of the log's 1 MiB that are above the checkpoint's threshold.
const ROWS: i64 = 16;

/// Pages given back to the disk in one transaction; each can move another one and its parent.
const PAGES: i64 = 32;

/// Deletes what is older and gives the room back to the disk; how many rows that were.
pub fn prune(store: &mut Store, before: Timestamp) -> Result<u64, StoreError> {
    let pruned = delete(store, before)?;
    shrink(store)?;
    store.read(|connection| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))?;
    Ok(pruned)
}

/// Deletes what is older; how many rows that were.
pub fn delete(store: &mut Store, before: Timestamp) -> Result<u64, StoreError> {
    let mut pruned = 0;
    let end = store.read(|connection| first_kept(connection, before))?;
    for step in [
        &(|connection: &Connection| prune_journal(connection, end)) as &dyn Fn(&Connection) -> _,
        &|connection| prune_alerts(connection, before),
        &|connection| prune_meetings(connection, before),
    ] {
        loop {
            let rows = store.write_to_the_last(step)?;
            if rows == 0 {
                break;
            }
            pruned += rows as u64;
        }
    }
    Ok(pruned)
}

/// The same of meetings of `level` and their alerts alone.
pub fn delete_level(store: &mut Store, level: &str, before: Timestamp) -> Result<u64, StoreError> {
    let mut pruned = 0;
    for step in [
        &(|connection: &Connection| prune_alerts_of(connection, level, before)) as &dyn Fn(&Connection) -> _,
        &|connection| prune_meetings_of(connection, level, before),
    ] {
        loop {
            let rows = store.write_to_the_last(step)?;
            if rows == 0 {
                break;
            }
            pruned += rows as u64;
        }
    }
    Ok(pruned)
}

fn prune_alerts_of(connection: &Connection, level: &str, before: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM alerts WHERE id IN
                 (SELECT alerts.id FROM alerts JOIN meetings ON meetings.id = alerts.meeting
                  WHERE meetings.level = ?1 AND meetings.ended < ?2 AND open = 0 AND updated < ?2 LIMIT ?3)",
        )?
        .execute(params![level, Time(before), ROWS])
}

fn prune_meetings_of(connection: &Connection, level: &str, before: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM meetings WHERE id IN
                 (SELECT id FROM meetings WHERE level = ?1 AND ended < ?2
                  AND NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.meeting = meetings.id) LIMIT ?3)",
        )?
        .execute(params![level, Time(before), ROWS])
}

/// Number of the first entry that is not older, beyond all if every one is.
fn first_kept(connection: &Connection, before: Timestamp) -> rusqlite::Result<i64> {
    let first = connection
        .query_row(
            "SELECT number FROM journal WHERE at >= ?1 ORDER BY number LIMIT 1",
            [Time(before)],
            |row| row.get(0),
        )
        .optional()?;
    Ok(first.unwrap_or(i64::MAX))
}

/// The oldest entries below `end`. The chain then begins with the hash of the last one.
fn prune_journal(connection: &Connection, end: i64) -> rusqlite::Result<usize> {
    let last: Option<(i64, [u8; 32])> = connection
        .prepare_cached(
            "SELECT number, hash FROM (SELECT number, hash FROM journal WHERE number < ?1 ORDER BY number LIMIT ?2)
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row([end, ROWS], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((number, hash)) = last else { return Ok(0) };
    connection
        .prepare_cached("UPDATE chain SET base = ?1, base_hash = ?2")?
        .execute(params![number, hash])?;
    connection.prepare_cached("DELETE FROM journal WHERE number <= ?1")?.execute([number])
}

fn prune_alerts(connection: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM alerts WHERE id IN
                 (SELECT id FROM alerts WHERE open = 0 AND updated < ?1 ORDER BY raised LIMIT ?2)",
        )?
        .execute(params![Time(before), ROWS])
}

fn prune_meetings(connection: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM meetings WHERE id IN
                 (SELECT id FROM meetings WHERE ended < ?1
                  AND NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.meeting = meetings.id) LIMIT ?2)",
        )?
        .execute(params![Time(before), ROWS])
}

/// Gives free pages back to the disk.
pub fn shrink(store: &mut Store) -> Result<(), StoreError> {
    while store.write_to_the_last(give_back)? {}
    Ok(())
}

/// Whether there is more to give.
fn give_back(connection: &Connection) -> rusqlite::Result<bool> {
    let free = |connection: &Connection| -> rusqlite::Result<i64> {
        connection.pragma_query_value(None, "freelist_count", |row| row.get(0))
    };
    let before = free(connection)?;
    let mut statement = connection.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut rows = statement.query([])?;
    // The pragma gives one page back with each step.
    while rows.next()?.is_some() {}
    let after = free(connection)?;
    Ok(0 < after && after < before)
}
