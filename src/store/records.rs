//! Meetings and alerts: records that are replaced as a whole.

use super::value::{Json, Sentences, Time, limit};
use jiff::Timestamp;
use rusqlite::{Connection, Params, Row, params};
use serde::{Deserialize, Serialize};

/// A meeting and the level that it was held at.
#[derive(utoipa::ToSchema, Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct Meeting {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it bans.
    pub level: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started: Timestamp,
    /// When it is to end, if that was said.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<Timestamp>,
}

/// What there is to show of an alert.
#[derive(utoipa::ToSchema, Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(untagged)]
pub enum Evidence {
    /// A picture.
    Picture {
        /// SHA-256 of the file, in hexadecimal digits.
        sha256: String,
        /// Begin of what it shows.
        #[schema(value_type = String, format = DateTime)]
        from: Timestamp,
        /// End of what it shows.
        #[serde(rename = "to")]
        #[schema(value_type = String, format = DateTime)]
        until: Timestamp,
    },
    /// None.
    None {
        /// Why.
        reason: String,
    },
}

/// An alert as people act on it. Serialises as the API shows it.
#[derive(utoipa::ToSchema, Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct AlertRecord {
    /// Its id.
    pub id: String,
    /// Id of the meeting, if one was held.
    pub meeting: Option<String>,
    /// Who transmits.
    pub emitter: String,
    /// What device that is.
    pub device: String,
    /// What signal it was known by.
    pub signal: String,
    /// How bad.
    pub severity: String,
    /// How sure, 0..1.
    pub confidence: f64,
    /// Centre frequency; none of one that hops.
    pub center_hz: Option<f64>,
    /// Bandwidth.
    pub bandwidth_hz: f64,
    /// Level.
    pub power_dbfs: f64,
    /// Sentences: measured value against limit.
    pub reasons: Vec<String>,
    /// First report.
    #[schema(value_type = String, format = DateTime)]
    pub raised: Timestamp,
    /// Latest report.
    #[schema(value_type = String, format = DateTime)]
    pub updated: Timestamp,
    /// When its cause was gone.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved: Option<Timestamp>,
    /// Why it was resolved.
    pub resolved_because: Option<String>,
    /// When somebody acknowledged it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acknowledged: Option<Timestamp>,
    /// Who did.
    pub acknowledged_by: Option<String>,
    /// What they noted.
    pub note: Option<String>,
    /// What there is to show of it; none while that is not known.
    pub evidence: Option<Evidence>,
}

impl AlertRecord {
    /// An alert is open until somebody acknowledges it: that ends the latch, resolving alone never does.
    pub fn is_open(&self) -> bool {
        self.acknowledged.is_none()
    }
}

pub(super) fn put_meeting(connection: &Connection, meeting: &Meeting) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            // Not replaced: what belongs to it would go with the old row.
            "INSERT INTO meetings (id, title, level, started, ends, ended) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET title = ?2, level = ?3, started = ?4, ends = ?5, ended = ?6",
        )?
        .execute(params![
            meeting.id,
            meeting.title,
            meeting.level,
            Time(meeting.started),
            meeting.ends.map(Time),
            meeting.ended.map(Time),
        ])?;
    Ok(())
}

pub(super) fn meetings(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Meeting>> {
    connection
        .prepare_cached(
            "SELECT id, title, level, started, ends, ended FROM meetings ORDER BY started DESC, id DESC LIMIT ?1",
        )?
        .query_map([limit(most)], |row| {
            Ok(Meeting {
                id: row.get(0)?,
                title: row.get(1)?,
                level: row.get(2)?,
                started: row.get::<_, Time>(3)?.0,
                ends: time(row, 4)?,
                ended: time(row, 5)?,
            })
        })?
        .collect()
}

pub(super) fn put_alert(connection: &Connection, alert: &AlertRecord) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO alerts (id, meeting, emitter, device, signal, severity, confidence, center_hz,
                 bandwidth_hz, power_dbfs, reasons, raised, updated, resolved, resolved_because, acknowledged,
                 acknowledged_by, note, open, evidence)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        )?
        .execute(params![
            alert.id,
            alert.meeting,
            alert.emitter,
            alert.device,
            alert.signal,
            alert.severity,
            alert.confidence,
            alert.center_hz,
            alert.bandwidth_hz,
            alert.power_dbfs,
            Sentences(alert.reasons.clone()),
            Time(alert.raised),
            Time(alert.updated),
            alert.resolved.map(Time),
            alert.resolved_because,
            alert.acknowledged.map(Time),
            alert.acknowledged_by,
            alert.note,
            alert.is_open(),
            alert.evidence.clone().map(Json),
        ])?;
    Ok(())
}

pub(super) fn alerts(
    connection: &Connection,
    meeting: Option<&str>,
    most: usize,
) -> rusqlite::Result<Vec<AlertRecord>> {
    match meeting {
        Some(id) => select(
            connection,
            "WHERE meeting = ?2 ORDER BY raised DESC, id DESC LIMIT ?1",
            params![limit(most), id],
        ),
        None => select(connection, "ORDER BY raised DESC, id DESC LIMIT ?1", params![limit(most)]),
    }
}

pub(super) fn alert_called(connection: &Connection, id: &str) -> rusqlite::Result<Option<AlertRecord>> {
    Ok(select(connection, "WHERE id = ?1", [id])?.pop())
}

pub(super) fn open_alerts(connection: &Connection) -> rusqlite::Result<Vec<AlertRecord>> {
    select(connection, "WHERE open = 1 ORDER BY raised DESC, id DESC", [])
}

fn select(connection: &Connection, which: &str, with: impl Params) -> rusqlite::Result<Vec<AlertRecord>> {
    let sql = format!(
        "SELECT id, meeting, emitter, device, signal, severity, confidence, center_hz, bandwidth_hz, power_dbfs,
             reasons, raised, updated, resolved, resolved_because, acknowledged, acknowledged_by, note, evidence
         FROM alerts {which}"
    );
    connection.prepare_cached(&sql)?.query_map(with, alert)?.collect()
}

fn alert(row: &Row<'_>) -> rusqlite::Result<AlertRecord> {
    Ok(AlertRecord {
        id: row.get(0)?,
        meeting: row.get(1)?,
        emitter: row.get(2)?,
        device: row.get(3)?,
        signal: row.get(4)?,
        severity: row.get(5)?,
        confidence: number(row, 6)?,
        center_hz: row.get(7)?,
        bandwidth_hz: number(row, 8)?,
        power_dbfs: number(row, 9)?,
        reasons: row.get::<_, Sentences>(10)?.0,
        raised: row.get::<_, Time>(11)?.0,
        updated: row.get::<_, Time>(12)?.0,
        resolved: time(row, 13)?,
        resolved_because: row.get(14)?,
        acknowledged: time(row, 15)?,
        acknowledged_by: row.get(16)?,
        note: row.get(17)?,
        evidence: row.get::<_, Option<Json<Evidence>>>(18)?.map(|evidence| evidence.0),
    })
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<Time>>(column)?.map(|time| time.0))
}

/// SQLite keeps what is not a number as NULL; an alert is kept even with a figure that could not be measured.
fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<f64> {
    Ok(row.get::<_, Option<f64>>(column)?.unwrap_or(f64::NAN))
}
