//! The latest blocks of raw samples, for whoever wants evidence of what was just seen.

use super::Block;
use crossbeam_channel::Sender;
use std::collections::VecDeque;
use std::sync::Arc;

/// The latest blocks, oldest first.
pub struct History {
    blocks: VecDeque<Arc<Block>>,
    most: usize,
    /// How many were ever kept.
    end: u64,
    idle: Sender<Arc<Block>>,
}

impl History {
    pub(super) fn new(most: usize, idle: Sender<Arc<Block>>) -> Self {
        Self { blocks: VecDeque::with_capacity(most + 1), most, end: 0, idle }
    }

    pub(super) fn push(&mut self, block: Arc<Block>) {
        self.blocks.push_back(block);
        self.end += 1;
        while self.blocks.len() > self.most {
            let Some(oldest) = self.blocks.pop_front() else { break };
            // The channel has room for every block there is.
            let _ = self.idle.try_send(oldest);
        }
    }

    /// How many blocks are kept.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Lends blocks from number `from` on, counted over all that were ever kept, that `wanted` says yes to: the oldest
    /// first, as many as `into` has room for, so that nothing is allocated. None of them is overwritten while it is
    /// held. Gives the number to go on from; [`History::end`] if there are no more.
    pub fn lend(&self, from: u64, into: &mut Vec<Arc<Block>>, wanted: impl Fn(&Block) -> bool) -> u64 {
        let first = self.end - self.blocks.len() as u64;
        let skipped = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        for (number, block) in (from.max(first)..).zip(self.blocks.iter().skip(skipped)) {
            if wanted(block) {
                if into.len() == into.capacity() {
                    return number;
                }
                into.push(block.clone());
            }
        }
        self.end
    }

    /// The blocks, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().map(|block| &**block)
    }

    /// Number after that of the latest block.
    pub fn end(&self) -> u64 {
        self.end
    }
}
