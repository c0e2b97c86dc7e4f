//! Calendars kept up to date: each is fetched in turn by a task of its own, and told to the room.
//!
//! What cannot be fetched or read leaves the last good calendar in force; it is kept in the data folder, so that a restart
//! while a server is down forgets nothing. Its age goes with it. The room's thread is only ever told; it waits for none of
//! this.

mod fetch;
mod kept;

pub use fetch::{FetchError, Fetcher};

use super::hub::{CalendarNews, Hub};
use crate::calendar::source::{Place, Source};
use crate::calendar::{DefaultZone, Fault, Reading, Refused, Window, is_zone, read};
use crate::clock;
use fetch::Fetched;
use jiff::Timestamp;
use kept::Kept;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A file is looked at this often.
const LOOK: Duration = Duration::from_secs(10);
/// After a failure it is tried again within this time.
const RETRY: Duration = Duration::from_secs(60);
/// What was read is expanded again after this time, since the window moves on.
const AGAIN_S: f64 = 3600.0;
/// That it is still the same is put on disk this often, seconds.
const KEEP_S: f64 = 600.0;
/// The room is told again after this time if it took nothing.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// Why a calendar cannot be read now.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// It was not fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It is none.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Reading it failed.
    #[error("reading it failed, which is a fault of emcon: keep the file and report it")]
    Broken,
}

/// What `text` says around `now`, read as `source` says.
///
/// # Errors
/// It is no calendar.
fn reading(source: &Source, text: &[u8], now: Timestamp) -> Result<Reading, Refused> {
    let zone = DefaultZone { configured: source.zone.clone(), system: system_zone() };
    read(&source.name, text, &source.rules, &zone, Window::around(now))
}

/// The machine's zone, by name.
pub fn system_zone() -> Option<String> {
    let variable = std::env::var("TZ").ok().map(|zone| zone.trim_start_matches(':').to_owned());
    let link = || {
        let target = std::fs::read_link("/etc/localtime").ok()?;
        target.to_str()?.split_once("zoneinfo/").map(|(_, name)| name.to_owned())
    };
    variable.filter(|zone| is_zone(zone)).or_else(link).filter(|zone| is_zone(zone))
}

/// Follows `source` for as long as the room is there, with its last good state in `folder`.
pub async fn follow(source: Source, hub: Hub, folder: Option<PathBuf>) {
    let source = Arc::new(source);
    let mut following = Following {
        kept: folder.as_deref().and_then(|folder| Kept::load(folder, &source)),
        fetcher: Fetcher::new(&source),
        folder,
        source,
        reading: Reading::default(),
        expanded_s: f64::NEG_INFINITY,
        kept_s: f64::NEG_INFINITY,
    };
    following.expand().await;
    // What was good before the restart is in force until the server answers.
    if following.kept.is_some() {
        following.tell(&hub, None).await;
    }
    loop {
        let error = following.fetch().await.err().map(|error| error.to_string());
        if let Some(error) = &error {
            tracing::warn!("calendar {:?}: {error}", following.source.name);
        }
        let failed = error.is_some();
        following.tell(&hub, error).await;
        let each = match following.source.place {
            Place::File(_) => LOOK,
            Place::Url(_) => Duration::from_secs(u64::from(following.source.refresh_s)),
        };
        tokio::time::sleep(if failed { each.min(RETRY) } else { each }).await;
    }
}

struct Following {
    source: Arc<Source>,
    fetcher: Fetcher,
    folder: Option<PathBuf>,
    /// The last good one.
    kept: Option<Kept>,
    /// What it says.
    reading: Reading,
    expanded_s: f64,
    /// When it was put on disk last.
    kept_s: f64,
}

impl Following {
    /// Fetches it and takes it over if it is good.
    async fn fetch(&mut self) -> Result<(), CalendarError> {
        let etag = self.kept.as_ref().and_then(|kept| kept.etag.clone());
        match self.fetcher.fetch(etag.as_deref()).await? {
            Fetched::Same => {
                if let Some(kept) = &mut self.kept {
                    kept.read = clock::utc();
                }
                if clock::monotonic_s() - self.expanded_s > AGAIN_S {
                    self.expand().await;
                }
                if clock::monotonic_s() - self.kept_s < KEEP_S {
                    return Ok(());
                }
            }
            Fetched::New { text, etag } => {
                let text: Arc<[u8]> = text.into();
                self.reading = match expanded(&self.source, text.clone()).await {
                    Ok(reading) => reading,
                    Err(error) => {
                        // What was refused is looked at again, and refused again.
                        self.fetcher.forget();
                        return Err(error);
                    }
                };
                self.expanded_s = clock::monotonic_s();
                self.kept = Some(Kept { text, etag, read: clock::utc() });
            }
        }
        self.keep().await;
        Ok(())
    }

    /// Expands the last good one for the time that it is now.
    async fn expand(&mut self) {
        let Some(kept) = &self.kept else { return };
        match expanded(&self.source, kept.text.clone()).await {
            Ok(reading) => self.reading = reading,
            Err(error) => {
                tracing::warn!("calendar {:?} as kept: {error}", self.source.name);
                self.kept = None;
            }
        }
        self.expanded_s = clock::monotonic_s();
    }

    /// Keeps the last good one. That it cannot is no reason not to use it.
    async fn keep(&mut self) {
        self.kept_s = clock::monotonic_s();
        let (Some(folder), Some(kept)) = (self.folder.clone(), self.kept.clone()) else { return };
        let source = self.source.clone();
        let done = tokio::task::spawn_blocking(move || kept.save(&folder, &source)).await;
        if let Ok(Err(error)) = done {
            tracing::warn!("calendar {:?} cannot be kept: {error}", self.source.name);
        }
    }

    async fn tell(&mut self, hub: &Hub, error: Option<String>) {
        if clock::monotonic_s() - self.expanded_s > AGAIN_S {
            self.expand().await;
        }
        let news = CalendarNews {
            name: self.source.name.clone(),
            read: self.kept.as_ref().map(|kept| kept.read),
            error,
            occurrences: self.reading.occurrences.clone(),
            faults: self.reading.faults.iter().map(Fault::to_string).collect(),
            more_faults: self.reading.more_faults,
        };
        while !hub.calendar(news.clone()) {
            tokio::time::sleep(TELL_AGAIN).await;
        }
    }
}

/// Reads it beside the tasks that must not wait.
async fn expanded(source: &Arc<Source>, text: Arc<[u8]>) -> Result<Reading, CalendarError> {
    let source = source.clone();
    let reading = tokio::task::spawn_blocking(move || reading(&source, &text, clock::utc())).await;
    Ok(reading.map_err(|_| CalendarError::Broken)??)
}

/// The calendar once, around `now`: for `emcon calendar check`.
///
/// # Errors
/// It cannot be fetched, or is none.
pub async fn once(source: &Source, now: Timestamp) -> Result<Reading, CalendarError> {
    match Fetcher::new(source).fetch(None).await? {
        Fetched::New { text, .. } => Ok(reading(source, &text, now)?),
        Fetched::Same => Err(CalendarError::Broken),
    }
}

/// The file of a calendar in the data folder.
fn path(folder: &Path, source: &Source, ending: &str) -> PathBuf {
    folder.join(format!("calendar-{}.{ending}", source.name))
}
