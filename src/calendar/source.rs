//! Which calendar is followed, as people configure it, and what is wrong with that.

use super::{Rules, is_zone};
use std::path::PathBuf;

/// Calendars that a room follows.
pub const SOURCES_MAX: usize = 16;
/// A calendar is fetched this often unless somebody says otherwise, seconds.
pub const REFRESH_S: u32 = 300;
/// The room is armed so long before a meeting unless somebody says otherwise, minutes.
pub const AHEAD_MIN: u32 = 10;
/// What is confidential unless somebody says otherwise.
pub const CLASSES: [&str; 2] = ["CONFIDENTIAL", "PRIVATE"];

/// A calendar to be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name: small letters, digits and hyphens.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// Holds `user:password`, or `bearer TOKEN`.
    pub secret_file: Option<PathBuf>,
    /// What is confidential.
    pub rules: Rules,
    /// Zone of times without one.
    pub zone: Option<String>,
    /// Fetched this often, seconds.
    pub refresh_s: u32,
}

/// Where a calendar is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine.
    File(PathBuf),
    /// Somewhere else.
    Url(String),
}

impl Place {
    /// A path, or an address with `http:`, `https:` or `webcal:`.
    pub fn of(text: &str) -> Self {
        Self::url(text).unwrap_or_else(|| Self::File(text.into()))
    }

    /// An address, if `text` is one.
    pub fn url(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        match scheme.to_ascii_lowercase().as_str() {
            // Apple's way to say that an address is a calendar's; it is fetched like any other.
            "webcal" | "https" => Some(Self::Url(format!("https://{rest}"))),
            "http" => Some(Self::Url(format!("http://{rest}"))),
            _ => None,
        }
    }

    /// As it may be shown: what follows a host may be the secret of a published calendar.
    pub fn words(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
                format!("{scheme}://{}", authority(rest).rsplit('@').next().unwrap_or_default())
            }
        }
    }
}

/// What stands between `//` and the path.
fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

impl Source {
    /// What is wrong with it: key and words.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 40 || !self.name.chars().all(fine) {
            faults
                .push(("name", format!("{:?} must be 1 to 40 small letters, digits or hyphens", self.name)));
        }
        if let Some(zone) = self.zone.as_deref().filter(|zone| !is_zone(zone)) {
            faults
                .push(("zone", format!("no zone is known as {zone:?}: give an IANA name, as Europe/Berlin")));
        }
        let rules = &self.rules;
        if rules.classes.is_empty() && rules.categories.is_empty() && rules.keywords.is_empty() {
            faults.push((
                "confidential",
                "names no class, category or keyword: nothing would be guarded".into(),
            ));
        }
        if rules.keywords.iter().any(|word| word.trim().is_empty()) {
            faults.push(("confidential", "an empty keyword is in every text".into()));
        }
        if let Place::Url(url) = &self.place {
            let (scheme, rest) = url.split_once("://").unwrap_or_default();
            let authority = authority(rest);
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            let own = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
            if authority.contains('@') {
                let what = "holds a password: put it into a file, and name that as secret_file";
                faults.push(("url", what.into()));
            } else if host.is_empty() {
                faults.push(("url", "names no host".into()));
            } else if self.secret_file.is_some() && scheme == "http" && !own {
                faults.push(("url", "would send the secret without TLS: use https".into()));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Level;
    use jiff::SignedDuration;

    fn source(place: &str) -> Source {
        Source {
            name: "room-5".into(),
            place: Place::of(place),
            secret_file: None,
            rules: Rules {
                classes: CLASSES.map(Into::into).to_vec(),
                categories: Vec::new(),
                keywords: Vec::new(),
                level: Level::Secret,
                ahead: SignedDuration::from_mins(10),
            },
            zone: None,
            refresh_s: REFRESH_S,
        }
    }

    #[test]
    fn a_place_is_shown_without_its_secrets() {
        let check = |place: &str, words: &str| assert_eq!(Place::of(place).words(), words);
        check("room.ics", "room.ics");
        check("https://c.example/private-0123/basic.ics", "https://c.example");
        check("WEBCAL://c.example?key=1", "https://c.example");
        check("http://user:word@c.example:81/x", "http://c.example:81");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |change: fn(&mut Source), key: &str, what: &str| {
            let mut source = source("http://c.example/x.ics");
            assert_eq!(source.faults(), []);
            change(&mut source);
            let faults = source.faults();
            assert!(faults.len() == 1 && faults[0].0 == key && faults[0].1.contains(what), "{faults:?}");
        };
        check(|s| s.name = "Room 5".into(), "name", "small letters");
        check(|s| s.zone = Some("Mars/Base".into()), "zone", "no zone");
        check(|s| s.rules.classes.clear(), "confidential", "nothing would be guarded");
        check(|s| s.rules.keywords.push(" ".into()), "confidential", "empty keyword");
        check(|s| s.secret_file = Some("x".into()), "url", "without TLS");
        check(|s| s.place = Place::of("https://a:b@c/x"), "url", "password");
        check(|s| s.place = Place::of("https:///x"), "url", "no host");
        let mut own = source("http://127.0.0.1:8080/x.ics");
        own.secret_file = Some("x".into());
        assert_eq!(own.faults(), []);
    }
}
