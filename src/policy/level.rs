//! Security levels, and what a meeting of each asks for.

use crate::classify::Device;

/// Security level of a meeting. A site may change what a level asks for, not which levels there are.
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

    /// As people and programs say them, in that order.
    pub const WORDS: [&'static str; 4] = ["top-secret", "secret", "confidential", "open"];

    /// As people and programs say it.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// As secrecy regulations call it, or what it means.
    pub fn term(self) -> &'static str {
        match self {
            Self::TopSecret => "绝密",
            Self::Secret => "机密",
            Self::Confidential => "秘密",
            Self::Open => "Nothing is banned",
        }
    }

    /// The level called `word`.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// Whether a meeting of this level bans `device`, where a site does not say otherwise.
    pub fn bans(self, device: Device) -> bool {
        self != Self::Open && device.is_device()
    }
}

/// What a meeting asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its level.
    pub level: Level,
    /// Devices that are banned.
    pub bans: Vec<Device>,
    /// Whether samples around an alert may be kept as evidence.
    pub evidence: bool,
    /// Days for which records are kept.
    pub keep_days: u32,
}

impl Policy {
    /// Days for which records are kept where a site does not say otherwise: a year, so that a yearly review finds them.
    pub const KEEP_DAYS: u32 = 365;

    /// Whether it bans `device`.
    pub fn bans(&self, device: Device) -> bool {
        self.bans.contains(&device)
    }
}

impl From<Level> for Policy {
    /// Where a site does not say otherwise. Nothing is banned at [`Level::Open`], so nothing is evidence.
    fn from(level: Level) -> Self {
        Self {
            level,
            bans: Device::ALL.iter().copied().filter(|device| level.bans(*device)).collect(),
            evidence: level != Level::Open,
            keep_days: Self::KEEP_DAYS,
        }
    }
}

/// The policy of each level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies([Policy; 4]);

impl Default for Policies {
    fn default() -> Self {
        Self(Level::ALL.map(Policy::from))
    }
}

impl Policies {
    /// What a meeting of `level` asks for.
    pub fn of(&self, level: Level) -> &Policy {
        &self.0[level as usize]
    }

    /// Puts `policy` in place of that of its level.
    pub fn set(&mut self, policy: Policy) {
        let at = policy.level as usize;
        self.0[at] = policy;
    }

    /// Each, the strictest level first.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_the_order_of_levels() {
        for (level, word) in Level::ALL.into_iter().zip(Level::WORDS) {
            assert_eq!((level.as_str(), Level::named(word)), (word, Some(level)));
            assert_eq!(Policies::default().of(level).level, level);
        }
        assert_eq!(Level::TopSecret.as_str(), "top-secret");
        assert_eq!(Level::named("geheim"), None);
    }

    #[test]
    fn the_contract_of_replay_bans_all_devices_at_all_levels_but_open() {
        for policy in Policies::default().iter() {
            for device in Device::ALL.iter().copied() {
                let banned = policy.level != Level::Open && device.is_device();
                assert_eq!((policy.bans(device), policy.level.bans(device)), (banned, banned));
            }
        }
        assert_eq!(Policies::default().of(Level::Secret).bans.len(), 8);
    }

    #[test]
    fn a_policy_replaces_that_of_its_level_alone() {
        let mut policies = Policies::default();
        policies.set(Policy { bans: vec![Device::MobilePhone], ..Level::Secret.into() });
        assert!(!policies.of(Level::Secret).bans(Device::BluetoothDevice));
        assert!(policies.of(Level::TopSecret).bans(Device::BluetoothDevice));
    }
}
