//! `[policy.LEVEL]`: what a meeting of each level asks for. The levels are given; a site changes what they ask for.

use super::super::key::{Key, Kind};
use super::super::node::Misfit;
use super::super::table::Table;
use crate::classify::Device;
use crate::policy::{Level, Policies, Policy};

/// Longest time that records are kept, days: a century.
const KEEP_DAYS_MAX: i64 = 36_525;

/// Words for what can be banned.
const DEVICES: &[&str] = &[
    "mobile-phone",
    "walkie-talkie",
    "cordless-phone",
    "wireless-microphone",
    "wireless-keyboard",
    "wireless-network-card",
    "bluetooth-device",
    "other-wireless",
];

const OF_LEVEL: &[Key] = &[
    Key::new("bans", Kind::Words(DEVICES), "Devices that raise an alert"),
    Key::new("evidence", Kind::Boolean, "Whether samples around an alert may be kept as evidence"),
    Key::new("keep_days", Kind::Integer(1, KEEP_DAYS_MAX), "Days for which records are kept"),
];

pub(super) const KEYS: &[Key] = &[
    Key::new(Level::WORDS[0], Kind::Table(OF_LEVEL), "What a meeting of this level asks for"),
    Key::new(Level::WORDS[1], Kind::Table(OF_LEVEL), "What a meeting of this level asks for"),
    Key::new(Level::WORDS[2], Kind::Table(OF_LEVEL), "What a meeting of this level asks for"),
    Key::new(Level::WORDS[3], Kind::Table(OF_LEVEL), "What a meeting of this level asks for"),
];

pub(super) fn read(table: &Table<'_>, faults: &mut Vec<Misfit>) -> Policies {
    let mut policies = Policies::default();
    for level in Level::ALL {
        let table = table.table(level.as_str());
        let mut policy = Policy::from(level);
        if let Some(words) = table.texts("bans") {
            policy.bans =
                Device::ALL.iter().copied().filter(|device| words.contains(&device.as_str())).collect();
        }
        if level != Level::Open && table.texts("bans").is_some_and(|words| words.is_empty()) {
            faults.push(
                table.misfit("bans", "is empty: a meeting in which nothing is banned is of level open"),
            );
        }
        policy.evidence = table.boolean("evidence").unwrap_or(policy.evidence);
        let days = table.integer("keep_days").and_then(|days| u32::try_from(days).ok());
        policy.keep_days = days.unwrap_or(policy.keep_days);
        policies.set(policy);
    }
    policies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_has_its_word() {
        let words = Device::ALL.iter().filter(|device| device.is_device()).map(|device| device.as_str());
        assert_eq!(words.collect::<Vec<_>>(), DEVICES);
    }
}
