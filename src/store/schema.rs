//! The schema and how it came to be: one migration for each version, never changed once released.

use rusqlite::{Connection, TransactionBehavior};

/// Brings the schema from version `n` to `n + 1`.
pub const MIGRATIONS: &[&str] =
    &[JOURNAL_AND_RECORDS, OUTBOX, CALENDAR, DELIVERIES_OF_ALERTS, TOKENS, EVIDENCE];

/// `chain` has one row: the last entry that was pruned, and the last that was made.
const JOURNAL_AND_RECORDS: &str = "
CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    meeting TEXT,
    data TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TABLE chain (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    base INTEGER NOT NULL,
    base_hash BLOB NOT NULL,
    last INTEGER NOT NULL,
    last_hash BLOB NOT NULL
) STRICT;
INSERT INTO chain VALUES (1, 0, zeroblob(32), 0, zeroblob(32));
CREATE TABLE meetings (
    id TEXT PRIMARY KEY NOT NULL,
    title TEXT NOT NULL,
    level TEXT NOT NULL,
    started TEXT NOT NULL,
    ends TEXT,
    ended TEXT
) STRICT;
CREATE INDEX meetings_by_start ON meetings (started);
CREATE TABLE alerts (
    id TEXT PRIMARY KEY NOT NULL,
    meeting TEXT,
    emitter TEXT NOT NULL,
    device TEXT NOT NULL,
    signal TEXT NOT NULL,
    severity TEXT NOT NULL,
    confidence REAL,
    center_hz REAL,
    bandwidth_hz REAL,
    power_dbfs REAL,
    reasons TEXT NOT NULL,
    raised TEXT NOT NULL,
    updated TEXT NOT NULL,
    resolved TEXT,
    resolved_because TEXT,
    acknowledged TEXT,
    acknowledged_by TEXT,
    note TEXT,
    open INTEGER NOT NULL CHECK (open IN (0, 1))
) STRICT;
CREATE INDEX alerts_by_time ON alerts (raised);
CREATE INDEX alerts_by_meeting ON alerts (meeting, raised);
CREATE INDEX alerts_open ON alerts (raised) WHERE open = 1;
";

const OUTBOX: &str = "
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    contact TEXT NOT NULL,
    entry INTEGER NOT NULL REFERENCES journal (number) ON DELETE CASCADE,
    due TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    delivered TEXT
) STRICT;
CREATE INDEX outbox_by_entry ON outbox (entry);
CREATE INDEX outbox_waiting ON outbox (due) WHERE delivered IS NULL;
";

/// Participants of a meeting, what a calendar has to do with one, and what was ended before its time.
const CALENDAR: &str = "
CREATE TABLE participants (
    meeting TEXT PRIMARY KEY NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    people TEXT NOT NULL
) STRICT;
CREATE TABLE schedule (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    data TEXT NOT NULL
) STRICT;
";

/// Who was told of an alert is asked for by its id.
const DELIVERIES_OF_ALERTS: &str = "
ALTER TABLE outbox ADD COLUMN alert TEXT;
CREATE INDEX outbox_by_alert ON outbox (alert) WHERE alert IS NOT NULL;
DROP INDEX outbox_waiting;
CREATE INDEX outbox_of_contact ON outbox (contact, id) WHERE delivered IS NULL;
";

/// Who may ask for the room: tokens by their hashes, and sessions, whose parents they are.
const TOKENS: &str = "
CREATE TABLE tokens (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    parent TEXT REFERENCES tokens (id) ON DELETE CASCADE,
    created TEXT NOT NULL,
    expires TEXT,
    last_used TEXT,
    revoked TEXT,
    hash BLOB NOT NULL UNIQUE
) STRICT;
CREATE INDEX tokens_by_parent ON tokens (parent);
";

/// The picture of what was heard, by its hash.
const EVIDENCE: &str = "ALTER TABLE alerts ADD COLUMN evidence TEXT;";

/// The latest version.
pub fn current() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Brings the database to the latest version, a transaction for each step. Gives the version that it has: a newer one
/// is left alone.
pub fn migrate(connection: &mut Connection) -> rusqlite::Result<i64> {
    let mut version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    while let Some(step) = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version)) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        version += 1;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(version)
}
