//! Numbers as people type them: `2.4M`, `433.92M`, `250k`; boxes in time and frequency, ranges, gains.

use crate::app::receiver::Gain;
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

/// The size of a room: `6`, `6m`, `7.5`; not negative, no more than a kilometre.
pub fn metres(text: &str) -> Result<f64, String> {
    let lower = text.trim().to_ascii_lowercase();
    finite(lower.strip_suffix('m').unwrap_or(&lower).trim_end(), 1.0)
        .filter(|metres| (0.0..=1e3).contains(metres))
        .ok_or_else(|| format!("{text:?} is no size of a room: write metres, 0 to 1000, as 6 or 7.5m"))
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

/// Ranges of frequency, hertz.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranges(pub Vec<[f64; 2]>);

/// Ranges of frequency: `400M..470M,2400M..2500M`.
pub fn ranges(text: &str) -> Result<Ranges, String> {
    let one = |part: &str| {
        let shape = || format!("{part:?} is no range: write LOW..HIGH, as 400M..470M");
        let (low, high) = part.split_once("..").ok_or_else(shape)?;
        let range = [hertz(low)?, hertz(high)?];
        if range[0] >= range[1] {
            return Err(format!("the range {part:?} is empty: LOW must be less than HIGH"));
        }
        Ok(range)
    };
    text.split(',').map(|part| one(part.trim())).collect::<Result<_, _>>().map(Ranges)
}

/// An amount of memory: `500M`, `2G`, plain bytes.
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size: write bytes, or 500M, 2G for short");
    let upper = text.trim().to_ascii_uppercase();
    let upper = upper.strip_suffix('B').unwrap_or(&upper);
    let units = [("K", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("", 1.0)];
    let (digits, factor) = units
        .into_iter()
        .find_map(|(unit, factor)| upper.strip_suffix(unit).map(|digits| (digits, factor)))
        .ok_or_else(wrong)?;
    finite(digits, factor).filter(|bytes| *bytes >= 0.0).map(|bytes| bytes as u64).ok_or_else(wrong)
}

/// A gain: `20`, `step:1`, `LNA=16,VGA=20`.
pub fn gain(text: &str) -> Result<Gain, String> {
    let wrong = || format!("{text:?} is no gain: write decibels, or LNA=16,VGA=20, or step:1");
    let decibels = |digits: &str| {
        let digits = digits.trim();
        finite(digits.strip_suffix("dB").unwrap_or(digits), 1.0)
            .filter(|db| (-100.0..=200.0).contains(db))
            .ok_or_else(wrong)
    };
    if let Some(step) = text.strip_prefix("step:") {
        return step.parse().map(Gain::Step).map_err(|_| wrong());
    }
    if !text.contains('=') {
        return decibels(text).map(Gain::Total);
    }
    let element = |part: &str| {
        let (name, digits) =
            part.split_once('=').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(wrong)?;
        Ok((name.trim().to_owned(), decibels(digits)?))
    };
    text.split(',').map(element).collect::<Result<_, _>>().map(Gain::Elements)
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
    fn sizes_of_rooms() {
        for (text, expect) in [
            ("6", Some(6.0)),
            ("7.5m", Some(7.5)),
            ("0", Some(0.0)),
            ("-1", None),
            ("2000", None),
            ("m", None),
        ] {
            assert_eq!(metres(text).ok(), expect, "{text}");
        }
    }

    #[test]
    fn ranges_sizes_and_gains() {
        let two = Ranges(vec![[400e6, 470e6], [2.4e9, 2.5e9]]);
        assert_eq!(ranges("400M..470M, 2400M..2500M"), Ok(two));
        for text in ["", "1M", "2M..1M", "1M..1M", "1M..2M,", "a..b"] {
            assert!(ranges(text).is_err(), "{text}");
        }
        for (text, expect) in
            [("1G", Some(1_000_000_000)), ("12", Some(12)), ("1.5kB", Some(1500)), ("-1", None)]
        {
            assert_eq!(bytes(text).ok(), expect, "{text}");
        }
        assert_eq!(gain("20"), Ok(Gain::Total(20.0)));
        assert_eq!(gain("step:2"), Ok(Gain::Step(2)));
        let both = vec![("LNA".to_owned(), 16.0), ("VGA".to_owned(), 20.0)];
        assert_eq!(gain("LNA=16,VGA=20"), Ok(Gain::Elements(both)));
        for text in ["", "loud", "step:x", "LNA=", "=3", "1e9"] {
            assert!(gain(text).is_err(), "{text}");
        }
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
