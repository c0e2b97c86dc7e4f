//! Levels, bans and the ambient baseline.

mod baseline;
mod occupied;

pub use baseline::{Baseline, Known, LEVEL_TOLERANCE_DB, Match, Sighting};
pub use occupied::Occupied;

use crate::classify::Device;

/// Security level of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// 绝密.
    TopSecret,
    /// 机密.
    Secret,
    /// 秘密.
    Confidential,
    /// Nothing is banned.
    Open,
}

impl Level {
    /// Whether a meeting of this level bans `device`.
    pub fn bans(self, device: Device) -> bool {
        self != Self::Open && device.is_device()
    }
}
