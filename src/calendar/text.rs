//! Whether a text can be a calendar at all: what is none is refused whole, so that the last good one stays.

/// Largest calendar that is read, bytes: some ten thousand events.
pub const SIZE_MAX: usize = 4 << 20;
/// Components within one another: RFC 5545 nests three deep.
const DEPTH_MAX: usize = 8;
/// Components of one calendar: an event each 64 bytes.
const COMPONENTS_MAX: usize = SIZE_MAX / 64;

/// Why a text is no calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More than is read.
    #[error("larger than {} MiB: publish fewer months of the calendar", SIZE_MAX >> 20)]
    TooLarge,
    /// Nothing.
    #[error("it is empty; a calendar without events still says BEGIN:VCALENDAR")]
    Empty,
    /// A page for people.
    #[error("it is a web page, not a calendar: a login page perhaps; give the address of the .ics file")]
    WebPage,
    /// In no encoding that RFC 5545 has.
    #[error("byte {at} is not UTF-8 text; save it as UTF-8")]
    NotText {
        /// Where, from 0.
        at: usize,
    },
    /// Something else.
    #[error("it does not begin with BEGIN:VCALENDAR: it is no iCalendar file")]
    NoCalendar,
    /// It ends too soon.
    #[error("it ends inside {component}: it was cut off; fetch it again")]
    CutOff {
        /// What was not ended.
        component: String,
    },
    /// An end without its beginning.
    #[error("line {line}: END:{found} where END:{expected} must be")]
    Unbalanced {
        /// From 1.
        line: usize,
        /// What ends.
        found: String,
        /// What should.
        expected: String,
    },
    /// More than calendars have.
    #[error("line {line}: more components, or deeper ones, than a calendar has")]
    TooManyComponents {
        /// From 1.
        line: usize,
    },
}

/// The text of a calendar, if `bytes` can be one.
///
/// # Errors
/// [`Refused`] says why not.
pub fn checked(bytes: &[u8]) -> Result<&str, Refused> {
    if bytes.len() > SIZE_MAX {
        return Err(Refused::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Refused::NotText { at: error.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    if text.is_empty() {
        return Err(Refused::Empty);
    }
    if text.starts_with('<') {
        return Err(Refused::WebPage);
    }
    if component(text.lines().next().unwrap_or(""), "BEGIN:").as_deref() != Some("VCALENDAR") {
        return Err(Refused::NoCalendar);
    }
    balanced(text)?;
    Ok(text)
}

/// Whether all that begins ends, in order. `calcard` forgives that, and would read half an event as a whole one.
fn balanced(text: &str) -> Result<(), Refused> {
    let mut open: Vec<String> = Vec::new();
    let mut components = 0;
    for (at, line) in text.lines().enumerate() {
        let line_number = at + 1;
        if let Some(name) = component(line, "BEGIN:") {
            components += 1;
            if open.len() >= DEPTH_MAX || components > COMPONENTS_MAX {
                return Err(Refused::TooManyComponents { line: line_number });
            }
            open.push(name);
        } else if let Some(found) = component(line, "END:") {
            let expected = open.pop().unwrap_or_else(|| "nothing".into());
            if expected != found {
                return Err(Refused::Unbalanced { line: line_number, found, expected });
            }
        } else if open.is_empty() && !line.trim().is_empty() {
            return Err(Refused::NoCalendar);
        }
    }
    open.pop().map_or(Ok(()), |component| Err(Refused::CutOff { component }))
}

/// The name after `keyword` at the beginning of a line. A folded line begins with white space and is none.
fn component(line: &str, keyword: &str) -> Option<String> {
    let (head, name) = line.split_at_checked(keyword.len())?;
    // Long names are of no use to anybody.
    head.eq_ignore_ascii_case(keyword)
        .then(|| name.trim_end().chars().take(40).collect::<String>().to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_calendar_is_named() {
        let check = |text: &[u8], expected: Refused| assert_eq!(checked(text), Err(expected));
        check(b"", Refused::Empty);
        check(b"\xef\xbb\xbf \r\n", Refused::Empty);
        check(b"<!DOCTYPE html><title>Sign in</title>", Refused::WebPage);
        check(b"BEGIN:VCALENDAR\r\nX:\xff\r\n", Refused::NotText { at: 19 });
        check(b"{\"error\":\"unauthorized\"}", Refused::NoCalendar);
        check(b"BEGIN:VCARD\r\nEND:VCARD\r\n", Refused::NoCalendar);
        check(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nmore\r\n", Refused::NoCalendar);
        check(
            b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n",
            Refused::CutOff { component: "VEVENT".into() },
        );
        check(
            b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n",
            Refused::Unbalanced { line: 3, found: "VCALENDAR".into(), expected: "VEVENT".into() },
        );
        check("BEGIN:VCALENDAR\r\n".repeat(9).as_bytes(), Refused::TooManyComponents { line: 9 });
        check(&vec![b'a'; SIZE_MAX + 1], Refused::TooLarge);
        let many = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", "BEGIN:A\nEND:A\n".repeat(COMPONENTS_MAX));
        check(many.as_bytes(), Refused::TooManyComponents { line: 2 * COMPONENTS_MAX });
    }

    #[test]
    fn a_calendar_is_taken_whatever_its_line_ends_and_its_mark() {
        for text in [
            "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
            "\u{feff}begin:vcalendar\nend:vcalendar",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\n END:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n",
        ] {
            assert!(checked(text.as_bytes()).is_ok(), "{text:?}");
        }
    }
}
