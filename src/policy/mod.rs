//! Levels, bans and the ambient baseline.

mod baseline;
mod gate;
mod occupied;

pub use baseline::{Baseline, Known, LEVEL_TOLERANCE_DB, Match, Sighting};
pub use gate::{Gate, Location, ROOM_M};
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
    /// All of them, the strictest first.
    pub const ALL: [Self; 4] = [Self::TopSecret, Self::Secret, Self::Confidential, Self::Open];

    /// As people and programs say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TopSecret => "top-secret",
            Self::Secret => "secret",
            Self::Confidential => "confidential",
            Self::Open => "open",
        }
    }

    /// The level called `word`.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// Whether a meeting of this level bans `device`.
    pub fn bans(self, device: Device) -> bool {
        self != Self::Open && device.is_device()
    }
}
