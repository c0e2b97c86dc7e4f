//! The table of signatures: `config/signatures.toml`, compiled in, to checked [`Signature`]s.

use super::ConfigError;
use super::raw::{Fault, ParseError};
use crate::classify::{Feature, Role, Signature, Test};
use serde::Deserialize;
use std::path::PathBuf;

const PATH: &str = "config/signatures.toml";
const TEXT: &str = include_str!("../../config/signatures.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    signature: Vec<Signature>,
}

/// The signatures that ship with the program.
///
/// # Errors
/// [`ConfigError::Invalid`] with all that is wrong with the table.
pub fn signatures() -> Result<Vec<Signature>, ConfigError> {
    parse(TEXT).map_err(|source| ConfigError::Invalid { path: PathBuf::from(PATH), source })
}

fn parse(text: &str) -> Result<Vec<Signature>, ParseError> {
    let table: Table = toml::from_str(text).map_err(|error| ParseError::syntax(text, &error))?;
    let mut faults = Vec::new();
    for (n, signature) in table.signature.iter().enumerate() {
        check_signature(signature, &format!("signature[{n}]"), &mut faults);
    }
    if faults.is_empty() { Ok(table.signature) } else { Err(ParseError::Faults(faults)) }
}

fn check_signature(signature: &Signature, key: &str, faults: &mut Vec<Fault>) {
    let mut fault = |key: String, what: &str| faults.push(Fault { key, what: what.to_owned() });
    if signature.name.is_empty() {
        fault(format!("{key}.name"), "is empty");
    }
    for (n, [low, high]) in signature.bands_mhz.iter().enumerate() {
        if low >= high {
            fault(format!("{key}.bands_mhz[{n}]"), "must run from a lower to a higher frequency");
        }
    }
    let mut groups: Vec<_> = signature.tests.iter().filter(|t| t.weight > 0.0).map(|t| t.group).collect();
    groups.sort_unstable();
    groups.dedup();
    if groups.len() < 2 {
        fault(format!("{key}.test"), "needs weight in at least two groups, or it can never name anything");
    }
    for (n, test) in signature.tests.iter().enumerate() {
        for what in test_faults(test) {
            fault(format!("{key}.test[{n}]"), what);
        }
    }
}

fn test_faults(test: &Test) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let takes_parameter =
        matches!(test.feature, Feature::Rhythm | Feature::PhaseShare | Feature::Paired | Feature::Multiple);
    if takes_parameter != test.at.is_some_and(|at| at > 0.0) {
        faults.push("`at` must be given, above 0, for rhythm, paired and multiple, and for nothing else");
    }
    if test.min.zip(test.max).is_some_and(|(min, max)| min > max) {
        faults.push("`min` must not exceed `max`");
    }
    if test.min.is_none() && test.max.is_none() && test.feature != Feature::Chip {
        faults.push("needs `min`, `max` or both");
    }
    if test.weight < 0.0 || (test.role == Role::Proof) != (test.weight > 0.0) && test.role != Role::Gate {
        faults.push("`weight` must be above 0 for a proof and absent for a test against");
    }
    if test.source.is_empty() {
        faults.push("`source` is empty");
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Signal;

    /// Umbrella: what the product names and a receiver can see.
    #[test]
    fn every_signal_has_a_signature() {
        let table = signatures().unwrap();
        for signal in Signal::ALL {
            let named = table.iter().any(|s| s.signal == *signal);
            // dPMR cannot be told from NXDN at 4800 b/s: both are `unknown` walkie-talkies.
            assert_eq!(named, *signal != Signal::Dpmr, "{signal}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let text = r#"
            [[signature]]
            name = ""
            signal = "gsm"
            means = "cellular"
            bands_mhz = [[2.0, 1.0]]
            test = [
              { feature = "rhythm", min = 1.0, role = "proof", group = "timing", weight = 1.0, source = "x" },
              { feature = "bandwidth", min = 2.0, max = 1.0, role = "against", group = "timing", weight = 1.0, source = "" },
            ]
        "#;
        let ParseError::Faults(faults) = parse(text).unwrap_err() else { panic!("not a list of faults") };
        let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "signature[0].name",
                "signature[0].bands_mhz[0]",
                "signature[0].test",
                "signature[0].test[0]",
                "signature[0].test[1]",
                "signature[0].test[1]",
                "signature[0].test[1]",
            ]
        );
    }

    #[test]
    fn unknown_words_are_refused() {
        let with = |line: &str| {
            parse(&format!("[[signature]]\nname = \"x\"\nsignal = \"gsm\"\nmeans = \"cellular\"\n{line}"))
        };
        assert!(with("test = []\nband = 3").is_err());
        assert!(
            with("test = [{ feature = \"colour\", role = \"gate\", group = \"timing\", source = \"x\" }]")
                .is_err()
        );
        assert!(
            parse("[[signature]]\nname = \"x\"\nsignal = \"g5m\"\nmeans = \"cellular\"\ntest = []").is_err()
        );
        assert!(
            parse("[[signature]]\nname = \"x\"\nsignal = \"gsm\"\nmeans = \"toaster\"\ntest = []").is_err()
        );
    }
}
