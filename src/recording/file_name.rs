//! What the name of a file tells: rate, frequency, date and format, in the habits of receivers' tools.
//!
//! - rtl_433 (its manual, `-r`): parts set off by other than letters and digits; a number with `M`, `Hz`, `kHz`,
//!   `MHz` or `GHz` is a frequency, one with `k`, `sps`, `ksps`, `Msps` or `Gsps` a rate:
//!   `g001_433.92M_250k.cu8`. SDR#, HDSDR and SDRuno names have a frequency in the same sense.
//! - gqrx (its I/Q recorder): `gqrx_20220101_120000_433920000_1800000_fc.raw`, time in UTC, 32-bit floats.
//! - SDR#, HDSDR, SDRuno: `SDRSharp_20160101_231914Z_12345000Hz_IQ.wav`, `Z` for UTC.
//!
//! Endings are those of rtl_433 and inspectrum.

use super::datatype::Datatype;
use super::quantity::{MAX_HZ, MIN_RATE_HZ, scaled};
use jiff::Timestamp;
use jiff::civil::DateTime;

/// What a name tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Hints {
    /// How samples are stored.
    pub datatype: Option<Datatype>,
    /// Complex samples a second.
    pub rate_hz: Option<f64>,
    /// Radio frequency at the middle of the span.
    pub center_hz: Option<f64>,
    /// Time of the first sample.
    pub utc: Option<Timestamp>,
}

/// Reads a file's name, without its folder. What it says twice and differently, it does not say.
pub fn read(name: &str) -> Hints {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    if let Some(hints) = gqrx(stem, ending) {
        return hints;
    }
    let (mut rates, mut centers) = (Vec::new(), Vec::new());
    for (value, unit) in quantities(stem) {
        let (list, exponent) = match unit.to_ascii_lowercase().as_str() {
            "hz" => (&mut centers, 0),
            "khz" => (&mut centers, 3),
            "m" | "mhz" => (&mut centers, 6),
            "ghz" => (&mut centers, 9),
            "sps" => (&mut rates, 0),
            "k" | "ksps" => (&mut rates, 3),
            "msps" => (&mut rates, 6),
            "gsps" => (&mut rates, 9),
            _ => continue,
        };
        list.push(scaled(value, exponent));
    }
    Hints {
        datatype: datatype_of_ending(ending),
        rate_hz: unanimous(&rates),
        center_hz: unanimous(&centers),
        utc: stem.match_indices(['Z', 'z']).find_map(|(end, _)| utc_before(stem, end)),
    }
}

fn datatype_of_ending(ending: &str) -> Option<Datatype> {
    match ending.to_ascii_lowercase().as_str() {
        "cu8" | "uc8" => Some(Datatype::CU8),
        "cs8" | "sc8" | "c8" => Some(Datatype::CI8),
        "cs16" | "sc16" | "c16" => Some(Datatype::CI16_LE),
        "cf32" | "fc32" | "cfile" => Some(Datatype::CF32_LE),
        _ => None,
    }
}

/// `gqrx_DATE_TIME_FREQUENCY_RATE_fc.raw`.
fn gqrx(stem: &str, ending: &str) -> Option<Hints> {
    let mut parts = stem.strip_prefix("gqrx_").filter(|_| ending.eq_ignore_ascii_case("raw"))?.split('_');
    let (date, time) = (parts.next()?, parts.next()?);
    let mut whole = || parts.next().filter(|p| is_digits(p))?.parse::<f64>().ok();
    let (center_hz, rate_hz) = (whole()?, whole()?);
    if parts.next() != Some("fc") || parts.next().is_some() {
        return None;
    }
    Some(Hints {
        datatype: Some(Datatype::CF32_LE),
        rate_hz: unanimous(&[rate_hz]),
        center_hz: unanimous(&[center_hz]),
        utc: utc_of(date, time),
    })
}

/// The one value of all, if it can be meant.
fn unanimous(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    let same = values.iter().all(|&value| value == first);
    (same && (MIN_RATE_HZ..=MAX_HZ).contains(&first)).then_some(first)
}

/// Decimal numbers that begin a part, each with the letters that follow up to the part's end.
fn quantities(stem: &str) -> impl Iterator<Item = (f64, &str)> {
    let mut rest = stem;
    let mut after_word = false;
    std::iter::from_fn(move || {
        loop {
            let c = rest.chars().next()?;
            let number = number_len(rest);
            if number == 0 || after_word {
                after_word = c.is_alphanumeric();
                rest = &rest[c.len_utf8()..];
                continue;
            }
            let (digits, tail) = rest.split_at(number);
            let unit_len = tail.find(|c: char| !c.is_alphanumeric()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_len);
            rest = tail;
            if let Ok(value) = digits.parse() {
                return Some((value, unit));
            }
        }
    })
}

/// Length of the decimal number that `text` begins with: digits, and a point between digits.
fn number_len(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    match text[whole..].strip_prefix('.').map(digits) {
        Some(fraction) if whole > 0 && fraction > 0 => whole + 1 + fraction,
        _ => whole,
    }
}

/// `YYYYMMDD_HHMMSS` that ends before the `Z` at `end`.
fn utc_before(stem: &str, end: usize) -> Option<Timestamp> {
    let text = stem.get(end.checked_sub(15)?..end)?;
    let (date, time) = text.split_once(['_', '-', 'T', ' '])?;
    utc_of(date, time)
}

fn utc_of(date: &str, time: &str) -> Option<Timestamp> {
    if date.len() != 8 || time.len() != 6 || !is_digits(date) || !is_digits(time) {
        return None;
    }
    let two = |text: &str, at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    let civil = DateTime::new(
        date.get(..4)?.parse().ok()?,
        two(date, 4)?,
        two(date, 6)?,
        two(time, 0)?,
        two(time, 2)?,
        two(time, 4)?,
        0,
    );
    civil.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        name: &str,
        datatype: Option<&str>,
        rate_hz: Option<f64>,
        center_hz: Option<f64>,
        utc: Option<&str>,
    ) {
        let hints = read(name);
        assert_eq!(hints.datatype.map(|d| d.to_string()).as_deref(), datatype, "{name}: datatype");
        assert_eq!(hints.rate_hz, rate_hz, "{name}: rate");
        assert_eq!(hints.center_hz, center_hz, "{name}: frequency");
        assert_eq!(hints.utc.map(|t| t.to_string()).as_deref(), utc, "{name}: time");
    }

    /// Names as the tools write them.
    #[test]
    fn names_of_tools_are_understood() {
        check("g001_433.92M_250k.cu8", Some("cu8"), Some(250e3), Some(433.92e6), None);
        check("g014_868.3M_1024k.cs16", Some("ci16_le"), Some(1.024e6), Some(868.3e6), None);
        check("x 433920000Hz 2.4Msps.CS8", Some("ci8"), Some(2.4e6), Some(433.92e6), None);
        let gqrx = "gqrx_20220101_120000_433920000_1800000_fc.raw";
        check(gqrx, Some("cf32_le"), Some(1.8e6), Some(433.92e6), Some("2022-01-01T12:00:00Z"));
        let sdr_sharp = "SDRSharp_20160101_231914Z_12345000Hz_IQ.wav";
        check(sdr_sharp, None, None, Some(12.345e6), Some("2016-01-01T23:19:14Z"));
        check("HDSDR_20130501_123456Z_7100kHz_RF.wav", None, None, Some(7.1e6), Some("2013-05-01T12:34:56Z"));
        check("baseband_433920000Hz_12-34-56_01-02-2023.wav", None, None, Some(433.92e6), None);
        check("2023-08-07_16-36-47_2400000SPS_100000000Hz.wav", None, Some(2.4e6), Some(100e6), None);
    }

    #[test]
    fn names_that_tell_nothing_tell_nothing() {
        for name in
            ["", ".", "..", "capture.iq", "g001M.bin", "x433M250k.bin", "1e6M2.raw", "0Hz_0k.x", "ü_9½M.x"]
        {
            assert_eq!(read(name), Hints::default(), "{name}");
        }
        // Said twice and differently: URH writes bandwidth and frequency alike.
        check("HackRF-433_92MHz-2MSps-2MHz.complex", None, Some(2e6), None, None);
        check(
            "gqrx_20221301_120000_433920000_1800000_fc.raw",
            Some("cf32_le"),
            Some(1.8e6),
            Some(433.92e6),
            None,
        );
        check(&format!("{}M.cu8", "9".repeat(400)), Some("cu8"), None, None, None);
    }
}
