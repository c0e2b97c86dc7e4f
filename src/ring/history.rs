//! The latest blocks of raw samples, for whoever wants evidence of what was just seen.

use super::Block;
use crossbeam_channel::Sender;
use std::collections::VecDeque;
use std::sync::Arc;

/// The latest blocks, oldest first.
pub struct History {
    blocks: VecDeque<Arc<Block>>,
    most: usize,
    idle: Sender<Arc<Block>>,
}

/// Blocks lent out: none of them is overwritten while this exists.
#[derive(Debug, Clone)]
pub struct Lent {
    /// Oldest first.
    pub blocks: Vec<Arc<Block>>,
}

impl History {
    pub(super) fn new(most: usize, idle: Sender<Arc<Block>>) -> Self {
        Self { blocks: VecDeque::with_capacity(most + 1), most, idle }
    }

    pub(super) fn push(&mut self, block: Arc<Block>) {
        self.blocks.push_back(block);
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

    /// Lends the blocks that `wanted` says yes to, at most `most` of them, the latest first to be kept.
    pub fn lend(&self, most: usize, wanted: impl Fn(&Block) -> bool) -> Lent {
        let latest = self.blocks.iter().rev().filter(|block| wanted(block)).take(most);
        let mut blocks: Vec<_> = latest.cloned().collect();
        blocks.reverse();
        Lent { blocks }
    }
}
