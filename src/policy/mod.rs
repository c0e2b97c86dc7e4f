//! Levels, bans and the ambient baseline.

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

/// What is known to be in the air without a meeting.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Baseline {}
