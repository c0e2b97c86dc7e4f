//! The live waterfall: rows to whoever watches, lossy. Nobody is waited for: who is slow misses rows.
//!
//! A row is a frame of bytes, little endian, as docs/waterfall.md has it.

use crate::spectrum::{Row, STEP_DB};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Version of a frame.
const VERSION: u8 = 1;

/// Length of a frame's head, bytes.
const HEAD: usize = 40;

/// Rows that a watcher may fall behind by before it misses some: a third of a second of the fastest sweep.
const BEHIND: usize = 16;

/// Watchers at a time: pages of a room, at 64 kB a second each.
const WATCHERS: usize = 16;

/// What rows go through.
pub struct Waterfall {
    rows: broadcast::Sender<Arc<[u8]>>,
    sequence: AtomicU32,
    /// Second 0 of the rows' axis, seconds since 1970.
    epoch_s: f64,
    places: Arc<Semaphore>,
}

/// Somebody who watches.
pub struct Watcher {
    rows: broadcast::Receiver<Arc<[u8]>>,
    _place: OwnedSemaphorePermit,
}

impl Waterfall {
    /// Of rows whose second 0 is `epoch`.
    pub(super) fn new(epoch: Timestamp) -> Self {
        let (rows, _) = broadcast::channel(BEHIND);
        let epoch_s = epoch.as_microsecond() as f64 / 1e6;
        Self { rows, sequence: AtomicU32::new(0), epoch_s, places: Arc::new(Semaphore::new(WATCHERS)) }
    }

    /// Whether anybody watches.
    pub fn is_watched(&self) -> bool {
        self.rows.receiver_count() > 0
    }

    /// Shows a row.
    pub fn show(&self, row: &Row) {
        if self.is_watched() {
            let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
            // Who left in between misses nothing.
            let _ = self.rows.send(frame(row, sequence, self.epoch_s).into());
        }
    }

    /// A place to watch from; none if too many do.
    pub fn watch(&self) -> Option<Watcher> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        Some(Watcher { rows: self.rows.subscribe(), _place: place })
    }
}

impl Watcher {
    /// The next row; nothing once the room ended. What came while nobody took it is gone.
    pub async fn next(&mut self) -> Option<Arc<[u8]>> {
        loop {
            match self.rows.recv().await {
                Ok(row) => return Some(row),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn frame(row: &Row, sequence: u32, epoch_s: f64) -> Vec<u8> {
    let bins = row.mean.len().min(row.peak.len());
    let mut out = Vec::with_capacity(HEAD + 2 * bins);
    out.extend([VERSION, 0]);
    out.extend((bins as u16).to_le_bytes());
    out.extend(sequence.to_le_bytes());
    let df = row.span_hz / bins.max(1) as f64;
    for value in [epoch_s + row.until_s, row.center_hz - row.span_hz / 2.0, df] {
        out.extend(value.to_le_bytes());
    }
    out.extend(row.origin_db.to_le_bytes());
    out.extend(STEP_DB.to_le_bytes());
    out.extend(&row.mean[..bins]);
    out.extend(&row.peak[..bins]);
    out
}
