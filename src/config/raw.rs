//! Faults of the tables of data that ship with the program, which `serde` reads.

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
