//! The verbs: a line of text to a fault.
//!
//! ```text
//! VERB [ARGUMENT] [once | always] [for DURATION]
//! clear [VERB]                                     also: ok, off, return
//! ```

use std::fmt::Write;

/// What goes wrong: each kind is its verb, and README.md says what that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Timeout,
    Overflow,
    Code,
    HangRead,
    HangDeactivate,
    HangUnmake,
    Throw,
    ShortRead,
    ZeroLen,
    Repeat,
    Stuck,
    Zeros,
    NaN,
    Inf,
    Clip,
    Floor,
    Ppm,
    Rate,
    NoTime,
    TimeBack,
    RetuneIgnored,
    Vanish,
    Serial,
    Busy,
    SlowMake,
    Segv,
    Rail,
    GainChanged,
}

/// A fault that is in force, or will be at the next occasion.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// Its number: samples, decibels, seconds, whatever the verb takes; 0 if it takes none.
    pub value: f64,
    /// Its text, if it takes one.
    pub text: String,
    /// Whether it happens once and is over.
    pub once: bool,
    /// Seconds that it stays; without, until it is ended.
    pub for_s: Option<f64>,
}

/// A line that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A fault begins.
    Set(Fault),
    /// All faults end, or those of a kind.
    Clear(Option<Kind>),
}

/// What a verb takes.
#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    /// A number between two, with a unit that may be written; the default if it may be left out.
    Number(f64, f64, &'static str, Option<f64>),
    /// A duration; the default if it may be left out.
    Duration(Option<f64>),
    /// A duration that is the fault's own, as `vanish 10`.
    HowLong,
    Rail,
    Text,
    /// Always this number.
    Fixed(f64),
}

/// When a verb happens.
#[derive(Clone, Copy, PartialEq)]
enum Happens {
    /// It is a state.
    State,
    /// It is an event, which recurs unless told `once`.
    Always,
    /// It is an event, which happens once unless told `always`.
    Once,
}

const STREAM_ERROR: f64 = -2.0;
const CORRUPTION: f64 = -3.0;

const VERBS: [(&str, Kind, Takes, Happens); 31] = {
    use Happens::{Always, Once, State};
    use Takes::{Duration, Fixed, HowLong, Nothing, Number, Rail, Text};
    [
        ("timeout", Kind::Timeout, Nothing, Always),
        ("overflow", Kind::Overflow, Number(1.0, 1e12, "", None), Once),
        ("stream_error", Kind::Code, Fixed(STREAM_ERROR), Always),
        ("corruption", Kind::Code, Fixed(CORRUPTION), Always),
        ("unknown_code", Kind::Code, Number(-1e6, -1.0, "", Some(-99.0)), Always),
        ("code", Kind::Code, Number(-1e6, -1.0, "", None), Always),
        ("hang_read", Kind::HangRead, Nothing, Always),
        ("hang_deactivate", Kind::HangDeactivate, Nothing, Always),
        ("hang_unmake", Kind::HangUnmake, Nothing, Always),
        ("throw", Kind::Throw, Nothing, Once),
        ("short_read", Kind::ShortRead, Number(1.0, 1e9, "", Some(1000.0)), Always),
        ("zero_len", Kind::ZeroLen, Nothing, Always),
        ("repeat", Kind::Repeat, Number(1.0, 1024.0, "", Some(1.0)), State),
        ("stuck", Kind::Stuck, Number(-128.0, 127.0, "", Some(0.0)), State),
        ("zeros", Kind::Zeros, Nothing, State),
        ("nan", Kind::NaN, Nothing, State),
        ("inf", Kind::Inf, Nothing, State),
        ("clip", Kind::Clip, Number(0.0, 200.0, "dB", Some(50.0)), State),
        ("floor", Kind::Floor, Number(-200.0, 100.0, "dB", None), State),
        ("ppm", Kind::Ppm, Number(-1000.0, 1000.0, "", None), State),
        ("rate", Kind::Rate, Number(0.001, 1.0, "", None), State),
        ("no_time", Kind::NoTime, Nothing, State),
        ("time_back", Kind::TimeBack, Duration(Some(1.0)), Once),
        ("retune_ignored", Kind::RetuneIgnored, Nothing, State),
        ("vanish", Kind::Vanish, HowLong, State),
        ("serial", Kind::Serial, Text, State),
        ("busy", Kind::Busy, Nothing, State),
        ("slow_make", Kind::SlowMake, Duration(None), State),
        ("segv", Kind::Segv, Nothing, Once),
        ("rail", Kind::Rail, Rail, State),
        ("gain_changed", Kind::GainChanged, Number(-100.0, 100.0, "dB", None), State),
    ]
};

/// Reads a line.
///
/// # Errors
/// A sentence with the word that will not do, and what would.
pub fn parse(line: &str) -> Result<Command, String> {
    let mut words = line.split_whitespace().peekable();
    let name = words.next().ok_or("no verb; try `timeout for 5s`, or `clear`")?;
    if ["clear", "ok", "off", "return"].contains(&name) {
        let command = Command::Clear(words.next().map(|of| verb(of).map(|(_, kind, ..)| *kind)).transpose()?);
        return nothing_more(words.next()).map(|()| command);
    }
    let (_, kind, takes, happens) = *verb(name)?;
    let is_modifier = |word: &&str| ["once", "always", "for"].contains(word);
    let argument = words.next_if(|word| !is_modifier(word));
    let mut fault =
        Fault { kind, value: 0.0, text: String::new(), once: happens == Happens::Once, for_s: None };
    match (takes, argument) {
        (Takes::Nothing, None) => {}
        (Takes::Nothing | Takes::Fixed(_), Some(argument)) => nothing_more(Some(argument))?,
        (Takes::Fixed(value), None) => fault.value = value,
        (Takes::HowLong, argument) => fault.for_s = argument.map(duration).transpose()?,
        (Takes::Duration(Some(default)), None) | (Takes::Number(.., Some(default)), None) => {
            fault.value = default;
        }
        (Takes::Duration(_), Some(argument)) => fault.value = duration(argument)?,
        (Takes::Number(least, most, unit, _), Some(argument)) => {
            let number = argument.strip_suffix(unit).unwrap_or(argument).parse().ok();
            let range = |value: &f64| (least..=most).contains(value);
            fault.value = number.filter(range).ok_or_else(|| {
                format!("{name} {argument} will not do; it takes a number from {least} to {most}")
            })?;
        }
        (Takes::Rail, Some(argument @ ("i" | "q"))) => fault.text = argument.to_owned(),
        (Takes::Text, Some(argument)) => fault.text = argument.to_owned(),
        (Takes::Rail, _) => return Err("rail takes i or q".to_owned()),
        (Takes::Text, None) => return Err(format!("{name} takes a word")),
        (Takes::Duration(None), None) => return Err(format!("{name} takes a duration, such as 30s")),
        (Takes::Number(.., None), None) => return Err(format!("{name} takes a number")),
    }
    if let Some(word) = words.next_if(|word| ["once", "always"].contains(word)) {
        if happens == Happens::State {
            return Err(format!("{name} is a state: it takes no {word}, only `for DURATION`"));
        }
        fault.once = word == "once";
    }
    if words.next_if_eq(&"for").is_some() {
        fault.for_s = Some(duration(words.next().unwrap_or_default())?);
    }
    nothing_more(words.next()).map(|()| Command::Set(fault))
}

fn verb(name: &str) -> Result<&'static (&'static str, Kind, Takes, Happens), String> {
    VERBS.iter().find(|(known, ..)| *known == name).ok_or_else(|| {
        let known: Vec<_> = VERBS.iter().map(|(known, ..)| *known).collect();
        format!("no verb {name:?}; there are {}, and clear", known.join(", "))
    })
}

fn nothing_more(word: Option<&str>) -> Result<(), String> {
    word.map_or(Ok(()), |word| {
        Err(format!("{word:?} is too much; after the verb come `once` or `always`, then `for DURATION`"))
    })
}

/// `10s`, `500ms`, `2m`, or seconds.
fn duration(text: &str) -> Result<f64, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit_s = match unit {
        "" | "s" => Some(1.0),
        "ms" => Some(1e-3),
        "us" => Some(1e-6),
        "m" | "min" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    let seconds = number.parse::<f64>().ok().zip(unit_s).map(|(number, unit_s)| number * unit_s);
    seconds
        .filter(|seconds| (0.0..=1e7).contains(seconds))
        .ok_or_else(|| format!("{text:?} is no duration; 10s, 500ms or 2m would be"))
}

impl Fault {
    /// The line that [`parse`] reads as this fault, without its duration.
    pub fn line(&self) -> String {
        let with_text = |(_, kind, takes, _): &&(&str, Kind, Takes, Happens)| {
            *kind == self.kind && !matches!(takes, Takes::Fixed(_))
        };
        let Some((name, _, takes, happens)) = VERBS.iter().find(with_text) else { return String::new() };
        let mut line = (*name).to_owned();
        match takes {
            Takes::Number(..) | Takes::Duration(_) => {
                let _ = write!(line, " {}", self.value);
            }
            Takes::Rail | Takes::Text => {
                let _ = write!(line, " {}", self.text);
            }
            Takes::Nothing | Takes::Fixed(_) | Takes::HowLong => {}
        }
        if *happens != Happens::State {
            line += if self.once { " once" } else { " always" };
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(line: &str) -> Fault {
        match parse(line) {
            Ok(Command::Set(fault)) => fault,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_line_is_a_verb_its_argument_and_when() {
        let fault = set("overflow 5000 always for 500ms");
        assert_eq!(
            (fault.kind, fault.value, fault.once, fault.for_s),
            (Kind::Overflow, 5000.0, false, Some(0.5))
        );
        assert_eq!(set("floor -20dB").value, -20.0);
        assert_eq!(set("floor +30dB").value, 30.0);
        assert_eq!(set("unknown_code -99"), set("code -99"));
        assert_eq!(set("slow_make 2m").value, 120.0);
        assert_eq!(set("vanish 10"), set("vanish for 10s"));
        assert!(set("segv").once && !set("segv always").once && set("hang_read once").once);
        assert_eq!(parse("clear vanish"), Ok(Command::Clear(Some(Kind::Vanish))));
        assert_eq!(parse("return"), Ok(Command::Clear(None)));
    }

    #[test]
    fn what_is_no_verb_is_told() {
        for (line, told) in [
            ("", "no verb"),
            ("explode", "timeout"),
            ("ppm", "a number"),
            ("ppm fast", "from -1000 to 1000"),
            ("rail z", "i or q"),
            ("zeros once", "state"),
            ("timeout for", "no duration"),
            ("timeout for 5 parsecs", "too much"),
            ("clear everything", "no verb"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(told), "{line}: {error}");
        }
    }

    #[test]
    fn every_verb_survives_being_written_down() {
        for (name, _, takes, _) in &VERBS {
            let argument = match takes {
                Takes::Number(_, most, ..) => most.to_string(),
                Takes::Duration(_) => "7s".to_owned(),
                Takes::Rail => "q".to_owned(),
                Takes::Text => "00000099".to_owned(),
                Takes::Nothing | Takes::Fixed(_) | Takes::HowLong => String::new(),
            };
            let fault = set(&format!("{name} {argument}"));
            assert_eq!(set(&fault.line()), fault, "{name}");
        }
    }
}
