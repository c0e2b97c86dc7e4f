//! Numbers as people type them: `2.4M`, `433.92M`, `250k`, and boxes in time and frequency.

use crate::explain::Window;
use crate::recording::parse_quantity;

/// A sample rate or a radio frequency: `2.4M`, `433.92M`, `250k`.
pub fn hertz(text: &str) -> Result<f64, String> {
    parse_quantity(text).map_err(|error| error.to_string())
}

/// The same for an edge of a box, which may be an offset: zero or negative.
fn edge(text: &str) -> Result<f64, String> {
    let text = text.trim();
    if let Ok(small) = text.parse::<f64>()
        && small.abs() < 1.0
    {
        return Ok(small);
    }
    match text.strip_prefix('-') {
        Some(magnitude) => hertz(magnitude).map(|hz| -hz),
        None => hertz(text),
    }
}

/// A time: `1.5`, `1.5s`, `250ms`, `80us`; not negative.
pub fn seconds(text: &str) -> Result<f64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let (digits, factor) = [("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("s", 1.0), ("", 1.0)]
        .into_iter()
        .find_map(|(unit, factor)| lower.strip_suffix(unit).map(|digits| (digits.to_owned(), factor)))
        .unwrap_or((lower, 1.0));
    finite(&digits, factor)
        .filter(|s| *s >= 0.0)
        .ok_or_else(|| format!("{text:?} is no time: write seconds, or 250ms, 80us for short"))
}

/// A box in time and frequency, `T0..T1@F0..F1`.
pub fn window(text: &str) -> Result<Window, String> {
    let shape = || format!("{text:?} is no box: write T0..T1@F0..F1, as 0.5..1.2@144.4M..144.6M");
    let (times, frequencies) = text.split_once('@').ok_or_else(shape)?;
    let (from, until) = times.split_once("..").ok_or_else(shape)?;
    let (low, high) = frequencies.split_once("..").ok_or_else(shape)?;
    let window =
        Window { from_s: seconds(from)?, until_s: seconds(until)?, low_hz: edge(low)?, high_hz: edge(high)? };
    if window.from_s >= window.until_s || window.low_hz >= window.high_hz {
        return Err(format!("the box {text:?} is empty: T0 must be less than T1, F0 less than F1"));
    }
    Ok(window)
}

fn finite(digits: &str, factor: f64) -> Option<f64> {
    let digits = digits.trim();
    // Rust reads "inf", "nan" and their kin as numbers; no one types them as a quantity.
    if !digits.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<f64>().ok().map(|v| v * factor).filter(|v| v.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_type_them() {
        let check = |text: &str, expect: Option<f64>| {
            let got = seconds(text).ok();
            assert!(got.zip(expect).map_or(got == expect, |(g, e)| (g - e).abs() < 1e-12), "{text}: {got:?}");
        };
        check("1.5", Some(1.5));
        check("1.5s", Some(1.5));
        check("250ms", Some(0.25));
        check("80us", Some(80e-6));
        check("80µs", Some(80e-6));
        check("-1", None);
        check("s", None);
    }

    #[test]
    fn boxes() {
        let expect = Window { from_s: 0.5, until_s: 1.2, low_hz: -100e3, high_hz: 144.6e6 };
        assert_eq!(window("0.5..1.2@-100k..144.6M"), Ok(expect));
        let centered = Window { from_s: 0.0, until_s: 1e-3, low_hz: 0.0, high_hz: 1e3 };
        assert_eq!(window("0..1ms@0..1k"), Ok(centered));
        for text in [
            "",
            "1..2",
            "1..2@3",
            "2..1@0..1",
            "0..1@5..5",
            "a..b@c..d",
            "..@..",
            "0..1@NaN..1",
            "0..1@-inf..0",
        ] {
            assert!(window(text).is_err(), "{text}");
        }
    }
}
