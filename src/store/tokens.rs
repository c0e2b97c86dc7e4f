//! Tokens: who may ask, known by the SHA-256 of what is shown once. Sessions of the page are tokens with a parent.

use super::value::Time;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

/// A token, without what it is known by. Serialises as the API shows it.
#[derive(utoipa::ToSchema, Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct TokenRecord {
    /// Its id.
    pub id: String,
    /// Whose it is: as such it acknowledges.
    pub name: String,
    /// What it may do.
    pub role: String,
    /// The token that somebody logged in with, of a session.
    pub parent: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// When it was used, to a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Timestamp>,
    /// When somebody ended it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked: Option<Timestamp>,
}

/// Adds one. Sessions that are over go.
pub(super) fn add(connection: &Connection, token: &TokenRecord, hash: &[u8; 32]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM tokens WHERE parent IS NOT NULL AND (revoked IS NOT NULL OR expires <= ?1)",
        )?
        .execute([Time(token.created)])?;
    connection
        .prepare_cached(
            "INSERT INTO tokens (id, name, role, parent, created, expires, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            token.id,
            token.name,
            token.role,
            token.parent,
            Time(token.created),
            token.expires.map(Time),
            hash
        ])
        .map(drop)
}

/// Ends one and its sessions.
pub(super) fn revoke(connection: &Connection, id: &str, at: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE tokens SET revoked = ?2 WHERE (id = ?1 OR parent = ?1) AND revoked IS NULL")?
        .execute(params![id, Time(at)])
        .map(drop)
}

pub(super) fn used(connection: &Connection, id: &str, at: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE tokens SET last_used = ?2 WHERE id = ?1")?
        .execute(params![id, Time(at)])
        .map(drop)
}

/// All, in the order they were made.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<(TokenRecord, [u8; 32])>> {
    connection
        .prepare_cached(
            "SELECT id, name, role, parent, created, expires, last_used, revoked, hash FROM tokens ORDER BY created, id",
        )?
        .query_map([], read)?
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<(TokenRecord, [u8; 32])> {
    let time = |column| row.get::<_, Option<Time>>(column).map(|time| time.map(|time| time.0));
    let token = TokenRecord {
        id: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        parent: row.get(3)?,
        created: row.get::<_, Time>(4)?.0,
        expires: time(5)?,
        last_used: time(6)?,
        revoked: time(7)?,
    };
    Ok((token, row.get(8)?))
}
