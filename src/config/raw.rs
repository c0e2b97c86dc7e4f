//! TOML as written, and every fault of it.
//!
//! `serde` stops at the first fault; a person who installs hundreds of rooms wants all of them in one go. Small
//! hand-written files are therefore read key by key; data files that ship with the program are left to `serde`.

use std::fmt;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key, as `level` or `duplex[3].uplink_mhz`.
    pub key: String,
    /// What is wrong with it, and what would be right.
    pub what: String,
}

/// Why a file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not TOML, or not of the required shape.
    #[error("line {line}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// TOML, but it says what it must not.
    #[error("{}", AllFaults(.0))]
    Faults(Vec<Fault>),
}

impl ParseError {
    /// The parser's error, on one line.
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
        Self::Syntax { line, message: error.message().split_whitespace().collect::<Vec<_>>().join(" ") }
    }
}

/// Faults on one line.
struct AllFaults<'a>(&'a [Fault]);

impl fmt::Display for AllFaults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() > 1 {
            write!(f, "{} faults: ", self.0.len())?;
        }
        for (n, fault) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", fault.key, fault.what)?;
        }
        Ok(())
    }
}

/// A table that is read key by key; what nobody reads is a fault.
pub(super) struct Table {
    left: toml::Table,
    faults: Vec<Fault>,
}

impl Table {
    /// Parses a whole file.
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        let left = text.parse().map_err(|error| ParseError::syntax(text, &error))?;
        Ok(Self { left, faults: Vec::new() })
    }

    /// Takes `key`, whose value must be one of `words`; `None` if it is missing or at fault.
    pub(super) fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let value = self.left.remove(key)?;
        let found = value.as_str().and_then(|word| words.iter().find(|(known, _)| *known == word));
        if let Some((_, meaning)) = found {
            return Some(*meaning);
        }
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let got = match value.as_str() {
            Some(word) => format!("{word:?}"),
            None => format!("is {}", article(value.type_str())),
        };
        let comma = if value.is_str() { "" } else { "," };
        self.faults.push(Fault {
            key: key.into(),
            what: format!("{got}{comma} must be one of {}", known.join(", ")),
        });
        None
    }

    /// Reports what was left and what was wrong.
    pub(super) fn finish(mut self) -> Result<(), ParseError> {
        let unknown = self.left.keys().map(|key| Fault { key: key.clone(), what: "unknown key".into() });
        self.faults.extend(unknown);
        self.faults.sort_by(|a, b| a.key.cmp(&b.key));
        if self.faults.is_empty() { Ok(()) } else { Err(ParseError::Faults(self.faults)) }
    }
}

fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}
