//! Frequencies and rates as people write them: `2441000000`, `"2441M"`, `"433.92M"`, `"250k"`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::recording::{QuantityError, parse_quantity};

/// A frequency, offset or rate in hertz, read from a number or from text with a suffix k, M or G.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hertz(pub f64);

impl Hertz {
    fn parse(text: &str) -> Result<f64, QuantityError> {
        // An offset may be negative, which a frequency that people type on a command line may not.
        match text.trim_start().strip_prefix('-') {
            Some(magnitude) => parse_quantity(magnitude).map(|hz| -hz),
            None => parse_quantity(text),
        }
    }
}

impl<'de> Deserialize<'de> for Hertz {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HertzVisitor)
    }
}

struct HertzVisitor;

impl Visitor<'_> for HertzVisitor {
    type Value = Hertz;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of hertz, or text such as \"433.92M\"")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Hertz, E> {
        Ok(Hertz(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Hertz, E> {
        Ok(Hertz(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Hertz, E> {
        if value.is_finite() { Ok(Hertz(value)) } else { Err(E::custom("a frequency must be finite")) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Hertz, E> {
        Hertz::parse(text).map(Hertz).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_multiply() {
        let cases = [
            ("433.92M", 433.92e6),
            ("250k", 250e3),
            ("2.4G", 2.4e9),
            ("20 MHz", 20e6),
            ("100", 100.0),
            ("-1.5k", -1500.0),
        ];
        for (text, hertz) in cases {
            assert_eq!(Hertz::parse(text), Ok(hertz), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "M", "2.4X", "1e999", "nan", "12 34"] {
            assert!(Hertz::parse(text).is_err(), "{text}");
        }
    }
}
