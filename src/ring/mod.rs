//! Blocks of samples from the thread that captures to the one that looks, without a lock and without waiting.
//!
//! Every block exists from the start. The capturing side takes an idle one, fills it and hands it on; where none is
//! idle or the queue is full, what was received is dropped and counted, and the next block that gets through says
//! how much is missing before it. The looking side keeps the latest blocks as the history of raw samples; a block
//! can be lent from there without copying, and is idle again when nobody holds it.
//!
//! Both ends use `try_send` and `try_recv` only: with nobody parked in a channel, neither takes a lock.

mod block;
mod history;

pub use block::Block;
pub use history::History;

use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;

/// The capturing side.
pub struct Filler {
    idle: Receiver<Arc<Block>>,
    put_back: Sender<Arc<Block>>,
    full: Sender<Arc<Block>>,
    /// Idle blocks that are still lent out are put back; one more than can be is tried before giving up.
    tries: usize,
}

/// The looking side.
pub struct Looker {
    full: Receiver<Arc<Block>>,
    history: History,
}

/// A ring of `queue` blocks on their way, `history` kept and `lent` that may be lent beyond that, each as `new`
/// makes it.
pub fn ring(queue: usize, history: usize, lent: usize, new: impl Fn() -> Block) -> (Filler, Looker) {
    // One is being filled, one is being looked at.
    let blocks = queue + history + lent + 2;
    let (put_back, idle) = bounded(blocks);
    for _ in 0..blocks {
        // The channel holds them all.
        let _ = put_back.try_send(Arc::new(new()));
    }
    let (full_in, full_out) = bounded(queue);
    let filler = Filler { idle, put_back: put_back.clone(), full: full_in, tries: lent + 1 };
    (filler, Looker { full: full_out, history: History::new(history, put_back) })
}

impl Filler {
    /// An idle block to fill, which nobody else holds.
    pub fn take(&mut self) -> Option<Arc<Block>> {
        for _ in 0..self.tries {
            let mut block = self.idle.try_recv().ok()?;
            if Arc::get_mut(&mut block).is_some() {
                return Some(block);
            }
            // There is room: it has just come from there.
            let _ = self.put_back.try_send(block);
        }
        None
    }

    /// Whether no more can be handed on now.
    pub fn is_full(&self) -> bool {
        self.full.is_full()
    }

    /// Hands a filled block on. `false` if it did not get through: the looking side is behind.
    pub fn hand_on(&mut self, block: Arc<Block>) -> bool {
        match self.full.try_send(block) {
            Ok(()) => true,
            Err(error) => {
                let _ = self.put_back.try_send(error.into_inner());
                false
            }
        }
    }

    /// Puts an unused block back.
    pub fn put_back(&mut self, block: Arc<Block>) {
        let _ = self.put_back.try_send(block);
    }
}

impl Looker {
    /// The next block, if there is one.
    pub fn take(&mut self) -> Option<Arc<Block>> {
        self.full.try_recv().ok()
    }

    /// Whether blocks wait.
    pub fn behind(&self) -> usize {
        self.full.len()
    }

    /// Keeps a block that was looked at; the oldest goes.
    pub fn keep(&mut self, block: Arc<Block>) {
        self.history.push(block);
    }

    /// The latest blocks.
    pub fn history(&self) -> &History {
        &self.history
    }
}

#[cfg(test)]
mod tests;
