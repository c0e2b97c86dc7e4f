//! Frequencies and rates as people type them: `2.4M`, `433.92MHz`, `250k`, `1e6`.

/// Highest frequency or rate that is taken for meant, hertz: SigMF 1.2 allows no more for `core:sample_rate` and
/// `core:frequency`.
pub const MAX_HZ: f64 = 1e12;
/// Lowest sample rate that is taken for meant, hertz. Below it, times overflow before they mean anything.
pub const MIN_RATE_HZ: f64 = 1.0;

/// Why a text is not a quantity in hertz.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number with an optional k, M or G.
    #[error("{0:?} is not a number of hertz; write 2400000, 2.4M, 250k or 1e6")]
    Syntax(String),
    /// A number that no receiver has.
    #[error("{0:?} is out of range; from 1 Hz to 1 THz is possible")]
    Range(String),
}

/// Reads a positive quantity in hertz: a decimal number, then optionally `k`, `M` or `G`, then optionally `Hz` or
/// `sps` or `S/s`, in any case (a milli makes no sense here).
///
/// # Errors
/// [`QuantityError::Syntax`] if it is no number, [`QuantityError::Range`] if it is not within 1 Hz and 1 THz.
pub fn parse_quantity(text: &str) -> Result<f64, QuantityError> {
    let trimmed = text.trim();
    let lower = trimmed.to_ascii_lowercase();
    let number =
        ["hz", "sps", "s/s"].iter().find_map(|unit| lower.strip_suffix(unit)).unwrap_or(&lower).trim_end();
    let (digits, scale) = split_prefix(number);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
    match digits.parse::<f64>() {
        Ok(value) if plain => {
            let hz = scaled(value, scale);
            if hz.is_finite() && (MIN_RATE_HZ..=MAX_HZ).contains(&hz) {
                Ok(hz)
            } else {
                Err(QuantityError::Range(shown(trimmed)))
            }
        }
        _ => Err(QuantityError::Syntax(shown(trimmed))),
    }
}

/// Takes the decimal prefix off the end of a lower-case number.
fn split_prefix(number: &str) -> (&str, i32) {
    for (letter, exponent) in [('k', 3), ('m', 6), ('g', 9)] {
        if let Some(digits) = number.strip_suffix(letter) {
            return (digits.trim_end(), exponent);
        }
    }
    (number, 0)
}

/// `value`·10^`exponent`, rounded to a millihertz so that 433.92 M is 433 920 000 and not a bit beside.
pub(super) fn scaled(value: f64, exponent: i32) -> f64 {
    let hz = value * 10f64.powi(exponent);
    let rounded = (hz * 1e3).round() / 1e3;
    if rounded.is_finite() { rounded } else { hz }
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_understood() {
        for (text, hz) in [
            ("2.4M", 2.4e6),
            ("433.92M", 433.92e6),
            ("433.92MHz", 433.92e6),
            ("433.92 MHz", 433.92e6),
            ("250k", 250e3),
            ("1e6", 1e6),
            ("1.8e+3k", 1.8e6),
            ("2.45G", 2.45e9),
            ("20Msps", 20e6),
            ("48kS/s", 48e3),
            ("868300000", 868.3e6),
            (" .5M ", 5e5),
            ("1000000000000", 1e12),
            ("+5k", 5e3),
        ] {
            assert_eq!(parse_quantity(text), Ok(hz), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for text in
            ["", "M", "Hz", "abc", "nan", "inf", "infinity", "2.4X", "1,5M", "0x10", "1e", "2 4", "1_000"]
        {
            assert!(matches!(parse_quantity(text), Err(QuantityError::Syntax(_))), "{text:?}");
        }
        for text in ["0", "-1", "1e308", "1e999", "1e12G", "1e13", "0.5", "1e-300", "-0"] {
            assert!(matches!(parse_quantity(text), Err(QuantityError::Range(_))), "{text:?}");
        }
    }
}
