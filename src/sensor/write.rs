//! What the sensor says, written by a thread of its own: the room may read slowly, or not at all.

use super::shared::Shared;
use crate::wire::preamble;
use crossbeam_channel::{Receiver, Sender, bounded, select};
use std::io::Write;
use std::sync::Arc;

/// Buffers on their way at once: with one per block, a tenth of a second of a HackRF.
const PARCELS: usize = 128;

/// Bytes that a buffer is made with: most are never longer.
const USUAL: usize = 8 * 1024;

/// Bytes to write.
pub struct Parcel {
    bytes: Vec<u8>,
    /// When the dwell ended whose last events these are, nanoseconds of [`Shared::began`].
    ended: Option<Ended>,
}

/// When a dwell ended, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ended(u64);

impl Parcel {
    /// A dwell's end at `ns`.
    pub fn ended(ns: u64) -> Ended {
        Ended(ns)
    }
}

/// The sender's end.
pub struct Outbox {
    /// Whole frames that wait.
    pub held: Vec<u8>,
    full: Sender<Parcel>,
    empty: Receiver<Vec<u8>>,
    ended: Option<Ended>,
}

/// The writer's end.
pub struct Inbox {
    full: Receiver<Parcel>,
    empty: Sender<Vec<u8>>,
    aside: Receiver<Vec<u8>>,
    /// So that the channel lasts as long as this does.
    _aside: Sender<Vec<u8>>,
}

/// For long frames that are encoded elsewhere than in the looking thread, and may wait.
#[derive(Clone)]
pub struct Aside(Sender<Vec<u8>>);

impl Aside {
    /// Hands whole frames to the writer, once it has taken those before.
    pub fn send(&self, frames: Vec<u8>) {
        // A writer that ended writes nothing.
        let _ = self.0.send(frames);
    }
}

/// A pair of ends; the first frame sent is preceded by the stream's preamble.
pub fn outbox() -> (Outbox, Inbox, Aside) {
    let (full, to_write) = bounded(PARCELS);
    let (written, empty) = bounded(PARCELS);
    for _ in 0..PARCELS {
        // There is room for all.
        let _ = written.try_send(Vec::with_capacity(USUAL));
    }
    let outbox = Outbox { held: preamble().to_vec(), full, empty, ended: None };
    let (aside, to_write_aside) = bounded(1);
    let inbox = Inbox { full: to_write, empty: written, aside: to_write_aside, _aside: aside.clone() };
    (outbox, inbox, Aside(aside))
}

impl Outbox {
    /// Hands what is held to the writer if it can take it; nobody waits. `ended` says that a dwell's last events are
    /// among it.
    pub fn send(&mut self, ended: Option<Ended>) {
        self.ended = match (self.ended, ended) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if self.held.is_empty() {
            return;
        }
        let Ok(empty) = self.empty.try_recv() else { return };
        let bytes = std::mem::replace(&mut self.held, empty);
        // There are as many places as buffers.
        let _ = self.full.try_send(Parcel { bytes, ended: self.ended.take() });
    }
}

/// Writes until the outbox is gone or nobody reads; then the end is wanted.
pub fn write(inbox: &Inbox, to: &mut dyn Write, shared: &Arc<Shared>) {
    loop {
        let (mut bytes, ended, recycled) = select! {
            recv(inbox.full) -> parcel => match parcel {
                Ok(Parcel { bytes, ended }) => (bytes, ended, true),
                Err(_) => break,
            },
            // Nobody asked before the preamble was written: an answer cannot come first.
            recv(inbox.aside) -> bytes => (bytes.unwrap_or_default(), None, false),
        };
        if to.write_all(&bytes).and_then(|()| to.flush()).is_err() {
            break;
        }
        if let Some(Ended(ns)) = ended {
            shared.latency.note(shared.now_ns().saturating_sub(ns));
        }
        if recycled {
            bytes.clear();
            let _ = inbox.empty.try_send(bytes);
        }
    }
    shared.stop();
}
