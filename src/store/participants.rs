//! Who takes part in a meeting, and what the schedule must not forget: each kept as one text, replaced as a whole.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// Somebody who takes part in a meeting.
#[derive(utoipa::ToSchema, Serialize, Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// Name.
    pub name: String,
    /// Unit that sends them.
    #[serde(default)]
    pub unit: String,
    /// Position held there.
    #[serde(default)]
    pub position: String,
    /// They left their devices outside.
    #[serde(default)]
    pub device_deposited: bool,
}

/// Gives the number of rows: none if there is no such meeting.
pub(super) fn put(connection: &Connection, meeting: &str, all: &[Participant]) -> rusqlite::Result<usize> {
    let text =
        serde_json::to_string(all).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO participants (meeting, people) SELECT id, ?2 FROM meetings WHERE id = ?1",
        )?
        .execute(params![meeting, text])
}

pub(super) fn of(connection: &Connection, meeting: &str) -> rusqlite::Result<Vec<Participant>> {
    let text: Option<String> = connection
        .prepare_cached("SELECT people FROM participants WHERE meeting = ?1")?
        .query_row([meeting], |row| row.get(0))
        .optional()?;
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into()))
}

pub(super) fn put_schedule(connection: &Connection, data: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO schedule (one, data) VALUES (1, ?1)")?
        .execute([data])
        .map(drop)
}

pub(super) fn schedule(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached("SELECT data FROM schedule")?.query_row([], |row| row.get(0)).optional()
}
