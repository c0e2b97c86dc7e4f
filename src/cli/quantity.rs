//! Numbers as people type them: `2.4M`, `433.92M`, `250k`, and boxes in time and frequency.

use crate::explain::Window;

/// More samples a second than any radio makes, so that a slip of the finger is refused.
const RATE_MAX_HZ: f64 = 1e11;

/// `433.92M`, `2.4G`, `250k`, `1e6`, with or without `Hz`; may be negative (an offset).
pub fn hertz(text: &str) -> Result<f64, String> {
    let bare = strip_unit(text, "hz");
    let (digits, factor) = match bare.as_bytes().last() {
        Some(b'k' | b'K') => (&bare[..bare.len() - 1], 1e3),
        Some(b'M' | b'm') => (&bare[..bare.len() - 1], 1e6),
        Some(b'G' | b'g') => (&bare[..bare.len() - 1], 1e9),
        _ => (bare, 1.0),
    };
    finite(digits, factor)
        .ok_or_else(|| format!("{text:?} is no frequency: write hertz, or 250k, 433.92M, 2.4G for short"))
}

/// A sample rate: as [`hertz`], above zero.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate_hz = hertz(text)?;
    if rate_hz > 0.0 && rate_hz <= RATE_MAX_HZ {
        Ok(rate_hz)
    } else {
        Err(format!("a sample rate lies above 0 and up to {RATE_MAX_HZ:e} samples a second"))
    }
}

/// A radio frequency: as [`hertz`], not negative.
pub fn frequency(text: &str) -> Result<f64, String> {
    let hz = hertz(text)?;
    if hz >= 0.0 { Ok(hz) } else { Err("a radio frequency is not negative".to_owned()) }
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
    let window = Window {
        from_s: seconds(from)?,
        until_s: seconds(until)?,
        low_hz: hertz(low)?,
        high_hz: hertz(high)?,
    };
    if window.from_s >= window.until_s || window.low_hz >= window.high_hz {
        return Err(format!("the box {text:?} is empty: T0 must be less than T1, F0 less than F1"));
    }
    Ok(window)
}

fn strip_unit<'a>(text: &'a str, unit: &str) -> &'a str {
    let text = text.trim();
    match text.len().checked_sub(unit.len()).and_then(|at| text.split_at_checked(at)) {
        Some((bare, tail)) if tail.eq_ignore_ascii_case(unit) => bare.trim_end(),
        _ => text,
    }
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
    fn frequencies_as_people_type_them() {
        let check = |text: &str, expect: Option<f64>| assert_eq!(hertz(text).ok(), expect, "{text}");
        check("2.4M", Some(2.4e6));
        check("433.92M", Some(433.92e6));
        check("250k", Some(250e3));
        check("2.4GHz", Some(2.4e9));
        check("100 Hz", Some(100.0));
        check("1e6", Some(1e6));
        check("-100k", Some(-100e3));
        check("", None);
        check("k", None);
        check("inf", None);
        check("NaN", None);
        check("1e308M", None);
        check("2.4MM", None);
        check("µ", None);
    }

    #[test]
    fn rates_and_frequencies_have_limits() {
        assert_eq!(rate("48k"), Ok(48e3));
        assert!(rate("0").is_err() && rate("-1").is_err() && rate("1e308").is_err());
        assert_eq!(frequency("0"), Ok(0.0));
        assert!(frequency("-1k").is_err());
    }

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
        for text in ["", "1..2", "1..2@3", "2..1@0..1", "0..1@5..5", "a..b@c..d", "..@.."] {
            assert!(window(text).is_err(), "{text}");
        }
    }
}
