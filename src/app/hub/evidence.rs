//! Evidence of alerts: pictures that come of the sensor go to the album, what became of them into the records.

use super::album::{Filed, Picture};
use super::{Answer, AskError, Hub, Input, Room, view};
use crate::spectrum::{Extent, Tile};
use crate::store::{AlertRecord, Evidence};
use crate::wire::EvidenceAsk;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt::Write;

impl Hub {
    /// What was heard of the emission behind an alert of this run, or why nothing can be shown.
    pub fn evidence(&self, alert: u32, picture: Result<(EvidenceAsk, Tile), String>) {
        self.offer(Input::Evidence(alert, Box::new(picture)));
    }

    /// The picture of an alert, as PNG.
    ///
    /// # Errors
    /// There is no such alert or no picture of it, with the reason; or it is not what was recorded.
    pub async fn picture(&self, id: String) -> Answer<Vec<u8>> {
        let missing = |why: &str| AskError::NoPicture(id.clone(), why.to_owned());
        let wanted = id.clone();
        let sha256 = match self.ask(|reply| super::ask::Ask::Evidence { id: wanted, reply }).await? {
            Some(Evidence::Picture { sha256, .. }) => sha256,
            Some(Evidence::None { reason }) => return Err(missing(&reason)),
            None => return Err(missing("none was made")),
        };
        let (album, name) = (self.album.clone(), id.clone());
        let read = tokio::task::spawn_blocking(move || album.read(&name)).await;
        let bytes = read.map_err(|_| AskError::Silent)?.map_err(|error| missing(&error.to_string()))?;
        if hex(&bytes) == sha256 { Ok(bytes) } else { Err(AskError::Altered(id)) }
    }
}

impl Room {
    /// Has a picture drawn; nothing here waits for it.
    pub(super) fn evidence(&mut self, alert: u32, picture: Result<(EvidenceAsk, Tile), String>) {
        let name = format!("a{alert}-{}", self.run);
        let Some(record) = self.known_alert(&name) else { return };
        let filed = picture.and_then(|(ask, tile)| {
            let emission = Extent {
                from_s: ask.from_s.max(tile.extent.from_s),
                until_s: ask.until_s.min(tile.extent.until_s),
                low_hz: ask.low_hz,
                high_hz: ask.high_hz,
            };
            let utc = |s: f64| self.utc(s).map(|at| format!("{at:.3}")).unwrap_or_default();
            let place = record.center_hz.map_or(String::new(), |hz| format!(" {:.4} MHz", hz / 1e6));
            let picture = Picture {
                name: name.clone(),
                title: format!("{name}: {} ({}){place}", record.device, record.signal),
                begins: utc(tile.extent.from_s),
                emission,
                tile,
                open: self.alerts.keys().cloned().collect(),
            };
            self.album.file(picture)
        });
        if let Err(reason) = filed {
            self.note_evidence(record, Evidence::None { reason });
        }
    }

    /// Records what became of a picture, and which older ones went for it.
    pub(super) fn filed(&mut self, filed: Filed) {
        for name in filed.gone {
            if let Some(record) = self.known_alert(&name) {
                let reason = "it was deleted to make room for newer pictures".to_owned();
                self.note_evidence(record, Evidence::None { reason });
            }
        }
        let Some(record) = self.known_alert(&filed.name) else { return };
        let evidence = match filed.result {
            Ok((sha256, extent)) => match (self.utc(extent.from_s), self.utc(extent.until_s)) {
                (Some(from), Some(until)) => Evidence::Picture { sha256, from, until },
                _ => Evidence::None { reason: "its time is none".to_owned() },
            },
            Err(reason) => Evidence::None { reason },
        };
        self.note_evidence(record, evidence);
    }

    /// What is on record of the picture of alert `id`.
    pub(super) fn evidence_of(&self, id: &str) -> Answer<Option<Evidence>> {
        let missing = || AskError::NoAlert(id.to_owned());
        self.known_alert(id).map(|record| record.evidence).ok_or_else(missing)
    }

    fn known_alert(&self, name: &str) -> Option<AlertRecord> {
        self.alerts.get(name).cloned().or_else(|| self.store.alert(name).ok().flatten())
    }

    fn note_evidence(&mut self, mut record: AlertRecord, evidence: Evidence) {
        record.evidence = Some(evidence);
        if let Some(open) = self.alerts.get_mut(&record.id) {
            open.clone_from(&record);
        }
        self.record("alert", view::alert("evidence", &record), Some(&record), None);
    }

    /// A time on the pipeline's axis on the calendar.
    fn utc(&self, s: f64) -> Option<Timestamp> {
        self.epoch.checked_add(SignedDuration::try_from_secs_f64(s).ok()?).ok()
    }
}

/// SHA-256 as people compare it.
pub(super) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
