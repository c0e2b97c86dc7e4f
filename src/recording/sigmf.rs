//! Reads SigMF metadata (SigMF 1.2) as far as samples, tunings and times need it.
//!
//! Read as a stream, never whole: annotations may be many, and nobody needs them here. Everything that is
//! needed is checked; a fault is named by its JSON path.

use super::datatype::{Datatype, DatatypeError, read_full};
use super::error::one_line;
use super::quantity::{MAX_HZ, MIN_RATE_HZ};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::{self, Read};
use std::marker::PhantomData;

/// Longest metadata that are read, bytes. Half an hour of sweeping with a retune every 10 ms is 25 MB.
pub const MAX_META_BYTES: u64 = 64 << 20;
/// Deepest nesting of arrays and objects that is read; SigMF and its extensions need less than ten.
pub const MAX_DEPTH: u32 = 100;
/// Most capture segments that are read: what bounds the memory that metadata can take, at 15 MiB. Half an hour
/// of sweeping with a retune every 10 ms.
pub const MAX_CAPTURES: usize = 200_000;

/// What the metadata say of the samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// `core:datatype`.
    pub datatype: Datatype,
    /// `core:sample_rate`, hertz.
    pub sample_rate_hz: Option<f64>,
    /// `core:offset`: the index that the first sample of the file has in `core:sample_start`.
    pub offset: u64,
    /// `core:trailing_bytes`: bytes after the last sample.
    pub trailing_bytes: u64,
    /// `core:dataset`: name of the file that holds the samples, if not by the metadata's own name. Checked to
    /// be a plain name: it cannot leave the folder.
    pub dataset: Option<String>,
    /// `captures`, in the order of the file.
    pub captures: Vec<Capture>,
    /// One beyond the last sample that an annotation marks, 0 without annotations: how long the file once was.
    pub annotated: u64,
}

/// A capture segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capture {
    /// `core:sample_start`.
    pub sample_start: u64,
    /// `core:header_bytes`: bytes of something else before its samples.
    pub header_bytes: u64,
    /// `core:frequency`, hertz. None if not given, or 0, as recorders write what they do not know.
    pub center_hz: Option<f64>,
    /// `core:datetime`.
    pub utc: Option<Timestamp>,
}

/// Why metadata cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// Not JSON, or of another shape than SigMF's.
    #[error("{at}: {message}")]
    Json {
        /// JSON path.
        at: String,
        /// What the parser says, with line and column.
        message: String,
    },
    /// Longer than [`MAX_META_BYTES`].
    #[error("metadata of more than {} MiB; is this the metadata file?", MAX_META_BYTES >> 20)]
    TooLong,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("arrays or objects nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// A datatype that is not complex, or none at all.
    #[error("global.core:datatype: {0}")]
    Datatype(#[from] DatatypeError),
    /// No sample rate at all.
    #[error("global.core:sample_rate is missing; give --rate")]
    RateMissing,
    /// Interleaved channels.
    #[error("global.core:num_channels: {0} channels are interleaved; split them, one recording each")]
    Channels(u64),
    /// No samples by intention.
    #[error("global.core:metadata_only is true: there are no samples to replay")]
    MetadataOnly,
    /// A dataset outside the folder.
    #[error("global.core:dataset: \"{0}\" is no plain file name; the samples must lie beside the metadata")]
    Dataset(String),
    /// The operating system refuses.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Reads metadata.
///
/// # Errors
/// A [`MetaError`] for everything that is not SigMF, or not sane.
pub fn read(from: impl Read) -> Result<Meta, MetaError> {
    let mut from = Guard::new(from);
    let read = read_top(&mut from);
    match (from.fault, read) {
        (Some(Fault::TooLong), _) => Err(MetaError::TooLong),
        (Some(Fault::TooDeep), _) => Err(MetaError::TooDeep),
        (None, Err(e)) => Err(e),
        (None, Ok(top)) => check(top),
    }
}

fn read_top(from: &mut impl Read) -> Result<Top, MetaError> {
    let mut head = [0; 3];
    let filled = read_full(from, &mut head)?;
    // Windows editors put a byte order mark before UTF-8.
    let head = if head == [0xef, 0xbb, 0xbf] { &[][..] } else { &head[..filled] };
    let mut json = serde_json::Deserializer::from_reader(io::BufReader::new(head.chain(from)));
    let Object(top) = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let at = match e.path().to_string() {
            // Before the first key, or within one.
            path if path == "." || path == "?" => "metadata".to_owned(),
            path => one_line(&path),
        };
        json_error(at, e.into_inner())
    })?;
    json.end().map_err(|e| json_error("metadata".to_owned(), e))?;
    Ok(top)
}

fn json_error(at: String, error: serde_json::Error) -> MetaError {
    if error.is_io() {
        MetaError::Read(error.into())
    } else {
        MetaError::Json { at, message: one_line(&error.to_string()) }
    }
}

fn check(top: Top) -> Result<Meta, MetaError> {
    let Global { datatype, sample_rate, num_channels, offset, trailing_bytes, dataset, metadata_only } =
        top.global.0;
    let datatype = datatype.parse()?;
    if num_channels.0 != 1 {
        return Err(MetaError::Channels(num_channels.0));
    }
    if metadata_only {
        return Err(MetaError::MetadataOnly);
    }
    if let Some(name) = dataset.as_ref().filter(|name| !is_plain_name(name)) {
        return Err(MetaError::Dataset(one_line(name)));
    }
    Ok(Meta {
        datatype,
        sample_rate_hz: sample_rate,
        offset: offset.0,
        trailing_bytes: trailing_bytes.0,
        dataset,
        captures: top.captures,
        annotated: top.annotations,
    })
}

/// Whether `name` names a file in a folder and nothing outside it, on any system.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0', ':'])
}

/// Reads a time: RFC 3339, or without an offset, which SigMF 1.2 says is UTC. Fractions beyond the nanosecond
/// are cut.
pub(super) fn parse_datetime(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let cut = match text.split_once('.') {
        Some((whole, rest)) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            format!("{whole}.{}{}", &rest[..digits.min(9)], &rest[digits..])
        }
        None => text.to_owned(),
    };
    cut.parse::<Timestamp>().ok().or_else(|| {
        let civil: jiff::civil::DateTime = cut.parse().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

#[derive(Deserialize)]
struct Top {
    global: Object<Global>,
    #[serde(deserialize_with = "captures")]
    captures: Vec<Capture>,
    #[serde(default, deserialize_with = "annotated")]
    annotations: u64,
}

#[derive(Deserialize)]
struct Global {
    #[serde(rename = "core:datatype")]
    datatype: String,
    #[serde(rename = "core:sample_rate", default, deserialize_with = "sample_rate")]
    sample_rate: Option<f64>,
    #[serde(rename = "core:num_channels", default = "one")]
    num_channels: Count,
    #[serde(rename = "core:offset", default)]
    offset: Count,
    #[serde(rename = "core:trailing_bytes", default)]
    trailing_bytes: Count,
    #[serde(rename = "core:dataset")]
    dataset: Option<String>,
    #[serde(rename = "core:metadata_only", default)]
    metadata_only: bool,
}

#[derive(Deserialize)]
struct RawCapture {
    #[serde(rename = "core:sample_start")]
    sample_start: Count,
    #[serde(rename = "core:header_bytes", default)]
    header_bytes: Count,
    #[serde(rename = "core:frequency", default, deserialize_with = "frequency")]
    center_hz: Option<f64>,
    #[serde(rename = "core:datetime", default, deserialize_with = "datetime")]
    utc: Option<Timestamp>,
}

#[derive(Deserialize)]
struct RawAnnotation {
    #[serde(rename = "core:sample_start", default)]
    sample_start: Count,
    #[serde(rename = "core:sample_count", default)]
    sample_count: Count,
}

/// A JSON object and nothing else: derived readers would take an array of values in order, too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        from.deserialize_map(Members(PhantomData))
    }
}

/// A count of samples or bytes. Programs without integers write 1000.0.
#[derive(Debug, Clone, Copy, Default)]
struct Count(u64);

fn one() -> Count {
    Count(1)
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count, 0 or more")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Count, E> {
                Ok(Count(value))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Count, E> {
                // Beyond 2^53 a float no longer tells one count from the next.
                let exact = value.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&value);
                if exact {
                    Ok(Count(value as u64))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(value), &self))
                }
            }
        }
        from.deserialize_any(Whole)
    }
}

fn sample_rate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(from)? {
        Some(hz) if !(MIN_RATE_HZ..=MAX_HZ).contains(&hz) => {
            Err(de::Error::custom(format_args!("{hz:e} is no sample rate; from 1 Hz to 1 THz is possible")))
        }
        rate => Ok(rate),
    }
}

fn frequency<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(from)? {
        Some(0.0) => Ok(None),
        Some(hz) if !(0.0..=MAX_HZ).contains(&hz) => {
            Err(de::Error::custom(format_args!("{hz:e} is no radio frequency; from 0 to 1 THz is possible")))
        }
        frequency => Ok(frequency),
    }
}

fn datetime<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    match parse_datetime(&text) {
        Some(utc) => Ok(Some(utc)),
        None => Err(de::Error::custom(format_args!(
            "\"{}\" is no time; write it as 2024-05-17T09:30:00.25Z",
            one_line(&text)
        ))),
    }
}

/// The segments, no more than [`MAX_CAPTURES`].
fn captures<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Capture>, D::Error> {
    struct Segments;
    impl<'de> Visitor<'de> for Segments {
        type Value = Vec<Capture>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an array of at most {MAX_CAPTURES} capture segments")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Capture>, A::Error> {
            let mut captures = Vec::new();
            while let Some(Object(capture)) = seq.next_element()? {
                let RawCapture { sample_start, header_bytes, center_hz, utc } = capture;
                if captures.len() == MAX_CAPTURES {
                    return Err(de::Error::invalid_length(MAX_CAPTURES + 1, &self));
                }
                let (sample_start, header_bytes) = (sample_start.0, header_bytes.0);
                captures.push(Capture { sample_start, header_bytes, center_hz, utc });
            }
            Ok(captures)
        }
    }
    from.deserialize_seq(Segments)
}

/// How far annotations reach.
fn annotated<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    struct Reach;
    impl<'de> Visitor<'de> for Reach {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of annotations")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
            let mut reach = 0;
            while let Some(Object(RawAnnotation { sample_start, sample_count })) = seq.next_element()? {
                reach = reach.max(sample_start.0.saturating_add(sample_count.0));
            }
            Ok(reach)
        }
    }
    from.deserialize_seq(Reach)
}

/// What a [`Guard`] saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    TooLong,
    TooDeep,
}

/// Lets JSON through up to a length and a depth. The parser bounds the depth of what it builds, not of what it
/// skips; refusing both alike is easier to explain.
struct Guard<R> {
    from: R,
    left: u64,
    depth: u32,
    in_string: bool,
    escaped: bool,
    fault: Option<Fault>,
}

impl<R: Read> Guard<R> {
    fn new(from: R) -> Self {
        Self { from, left: MAX_META_BYTES, depth: 0, in_string: false, escaped: false, fault: None }
    }

    fn look_at(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            b'[' | b'{' if !self.in_string => self.depth += 1,
            b']' | b'}' if !self.in_string => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > MAX_DEPTH {
            self.fault = Some(Fault::TooDeep);
        }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.left = match self.left.checked_sub(n as u64) {
            Some(left) => left,
            None => {
                self.fault = Some(Fault::TooLong);
                0
            }
        };
        buffer[..n].iter().for_each(|&byte| self.look_at(byte));
        match self.fault {
            Some(_) => Err(io::Error::other("guard")),
            None => Ok(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(global: &str, captures: &str) -> String {
        format!(
            r#"{{"global": {{"core:datatype": "ci8", "core:version": "1.2.0"{global}}}, "captures": {captures}}}"#
        )
    }

    /// The message must begin with the JSON path and contain the fault, on one line.
    #[track_caller]
    fn refused(json: &str, path: &str, fault: &str) {
        let message = read(json.as_bytes()).unwrap_err().to_string();
        assert!(message.starts_with(path), "{message:?} does not name {path}");
        assert!(message.contains(fault), "{message:?} does not say {fault}");
        assert!(!message.contains(['\n', '\u{1b}']) && message.len() < 600, "{message:?} is not one line");
    }

    #[test]
    fn a_whole_file_is_read() {
        let json = r#"{
            "global": {"core:datatype": "cf32_be", "core:sample_rate": 2.4e6, "core:num_channels": 1, "core:offset": 100,
                "core:trailing_bytes": 8.0, "core:dataset": "air.bin", "core:version": "1.2.0", "core:metadata_only": false,
                "antenna:gain": {"core:sample_rate": "not ours"}, "core:author": null},
            "captures": [
                {"core:sample_start": 100, "core:frequency": 433920000, "core:datetime": "2024-05-17T09:30:00.25Z"},
                {"core:sample_start": 200.0, "core:frequency": 0, "core:header_bytes": 16, "core:datetime": null}],
            "annotations": [{"core:sample_start": 150, "core:sample_count": 70}, {"core:comment": "x"}]}"#;
        let at = "2024-05-17T09:30:00.25Z".parse().unwrap();
        let captures = vec![
            Capture { sample_start: 100, header_bytes: 0, center_hz: Some(433.92e6), utc: Some(at) },
            Capture { sample_start: 200, header_bytes: 16, center_hz: None, utc: None },
        ];
        let expected = Meta {
            datatype: "cf32_be".parse().unwrap(),
            sample_rate_hz: Some(2.4e6),
            offset: 100,
            trailing_bytes: 8,
            dataset: Some("air.bin".to_owned()),
            captures,
            annotated: 220,
        };
        assert_eq!(read(json.as_bytes()).unwrap(), expected);
        // With a byte order mark, as Windows editors write it.
        assert_eq!(read(format!("\u{feff}{json}").as_bytes()).unwrap(), expected);
    }

    #[test]
    fn missing_keys_are_named() {
        refused("", "metadata", "EOF");
        refused("{}", "metadata", "missing field `global`");
        refused(r#"{"global": {"core:datatype": "cu8"}}"#, "metadata", "missing field `captures`");
        refused(r#"{"global": {}, "captures": []}"#, "global", "missing field `core:datatype`");
        refused(&meta("", "[{}]"), "captures[0]", "missing field `core:sample_start`");
    }

    #[test]
    fn wrong_types_are_named_by_path() {
        refused("[]", "metadata", "expected an object");
        refused(r#"{"global": ["cu8"], "captures": []}"#, "global", "expected an object");
        refused("\u{0}\u{1}\u{ff}", "metadata", "line 1");
        refused("{", "metadata", "EOF");
        refused(&meta("", "{}"), "captures", "expected an array");
        refused(&meta("", "[[1]]"), "captures[0]", "expected an object");
        refused(
            &meta(r#", "core:sample_rate": "2.4M""#, "[]"),
            "global.core:sample_rate",
            "invalid type: string",
        );
        refused(&meta(r#", "core:num_channels": "one""#, "[]"), "global.core:num_channels", "a count");
        refused(&meta(r#", "core:offset": -1"#, "[]"), "global.core:offset", "-1");
        refused(&meta(r#", "core:offset": 0.5"#, "[]"), "global.core:offset", "0.5");
        refused(&meta(r#", "core:offset": 1e300"#, "[]"), "global.core:offset", "1e+300");
        refused(
            &meta("", r#"[{"core:sample_start": 18446744073709551616}]"#),
            "captures[0].core:sample_start",
            "a count",
        );
        let bad_time = r#"[{"core:sample_start": 0}, {"core:sample_start": 1, "core:datetime": "yesterday\n\u001b[2J"}]"#;
        refused(&meta("", bad_time), "captures[1].core:datetime", "yesterday");
    }

    #[test]
    fn impossible_rates_and_frequencies_are_refused() {
        for rate in ["0", "-1", "-0.0", "0.5", "1e13", "1e308", "5e-324"] {
            refused(
                &meta(&format!(r#", "core:sample_rate": {rate}"#), "[]"),
                "global.core:sample_rate",
                "no sample rate",
            );
        }
        for rate in ["1e309", "NaN", "Infinity", "1e", "0x10"] {
            refused(
                &meta(&format!(r#", "core:sample_rate": {rate}"#), "[]"),
                "global.core:sample_rate",
                "line 1",
            );
        }
        for frequency in ["-1", "1e308", "2e12"] {
            let captures = format!(r#"[{{"core:sample_start": 0, "core:frequency": {frequency}}}]"#);
            refused(&meta("", &captures), "captures[0].core:frequency", "no radio frequency");
        }
    }

    #[test]
    fn what_cannot_be_replayed_is_refused() {
        let datatype = |word: &str| format!(r#"{{"global": {{"core:datatype": {word}}}, "captures": []}}"#);
        refused(&datatype(r#""ri16_le""#), "global.core:datatype", "real");
        refused(&datatype(r#""cx9\n\u001b""#), "global.core:datatype", "no known datatype");
        refused(&datatype("8"), "global.core:datatype", "invalid type");
        refused(&meta(r#", "core:num_channels": 2"#, "[]"), "global.core:num_channels", "2 channels");
        refused(&meta(r#", "core:num_channels": 0"#, "[]"), "global.core:num_channels", "0 channels");
        refused(&meta(r#", "core:metadata_only": true"#, "[]"), "global.core:metadata_only", "no samples");
        for name in ["../x", "/etc/passwd", "a/b", "..", ".", "", r"..\\x", "c:x", r"a\u0000b"] {
            refused(
                &meta(&format!(r#", "core:dataset": "{name}""#), "[]"),
                "global.core:dataset",
                "plain file name",
            );
        }
    }

    #[test]
    fn keys_given_twice_are_refused() {
        refused(&meta(r#", "core:datatype": "cu8""#, "[]"), "global", "duplicate field `core:datatype`");
        let capture = r#"[{"core:sample_start": 0, "core:sample_start": 1}]"#;
        refused(&meta("", capture), "captures[0]", "duplicate field `core:sample_start`");
        refused(&meta("", r#"[], "captures": []"#), "", "duplicate field `captures`");
    }

    #[test]
    fn deep_nesting_is_refused_wherever_it_is() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        for n in [200, 1_000_000] {
            refused(&meta(&format!(r#", "x:y": {}"#, deep(n)), "[]"), "", "nested");
            refused(&meta("", &deep(n)), "", "nested");
        }
        // Brackets in text do not nest.
        let text = meta(&format!(r#", "core:description": "\"{}""#, "[".repeat(200)), "[]");
        assert!(read(text.as_bytes()).is_ok());
        assert!(read(meta(&format!(r#", "x:y": {}"#, deep(90)), "[]").as_bytes()).is_ok());
    }

    #[test]
    fn endless_metadata_are_refused() {
        let endless = meta(r#", "core:description": ""#, "").into_bytes();
        let endless = endless[..endless.len() - 20].to_vec();
        let message = read(Read::chain(endless.as_slice(), io::repeat(b'x'))).unwrap_err().to_string();
        assert!(message.contains("more than 64 MiB"), "{message}");
        let captures = format!("[{}{{}}]", r#"{"core:sample_start":0},"#.repeat(MAX_CAPTURES + 1));
        refused(&meta("", &captures), "captures", "at most 200000 capture segments");
    }

    #[test]
    fn more_after_the_end_is_refused() {
        refused(&format!("{} {{}}", meta("", "[]")), "metadata", "trailing characters");
    }

    /// Expected values: the calendar.
    #[test]
    fn times_of_every_writer_are_read() {
        for (text, utc) in [
            ("2024-05-17T09:30:00.25Z", "2024-05-17T09:30:00.25Z"),
            ("2024-05-17T09:30:00", "2024-05-17T09:30:00Z"),
            ("2024-05-17 09:30:00.123456", "2024-05-17T09:30:00.123456Z"),
            ("2024-05-17T11:30:00+02:00", "2024-05-17T09:30:00Z"),
            ("2024-05-17T09:30:00.123456789012345Z", "2024-05-17T09:30:00.123456789Z"),
            ("2024-05-17T09:30:00.000000Z ", "2024-05-17T09:30:00Z"),
        ] {
            assert_eq!(parse_datetime(text).map(|t| t.to_string()).as_deref(), Some(utc), "{text}");
        }
        for text in
            ["", ".", "now", "2024-13-01T00:00:00Z", "99999-01-01T00:00:00Z", "2024-05-17T09:30:00.Z", "ü.½"]
        {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }
}
