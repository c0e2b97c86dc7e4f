//! Calendars as Outlook, Exchange, Google, Feishu and DingTalk write them, against other programs that read them:
//! `oracle.py` says which, and made `expected.json` with them once. Then what no honest program writes.

#![allow(clippy::unwrap_used)]

use emcon::calendar::{DefaultZone, Fault, OF_ONE_MAX, Occurrence, Reading, Refused, Rules, Window, read};
use emcon::clock::Monotonic;
use emcon::policy::Level;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;

fn expected() -> Value {
    serde_json::from_str(include_str!("expected.json")).unwrap()
}

fn rules() -> Rules {
    Rules {
        classes: vec!["CONFIDENTIAL".into(), "PRIVATE".into()],
        categories: Vec::new(),
        keywords: Vec::new(),
        level: Level::Secret,
        ahead: SignedDuration::from_mins(10),
    }
}

fn zone() -> DefaultZone {
    DefaultZone { configured: None, system: Some("Europe/Berlin".into()) }
}

fn now() -> Timestamp {
    expected()["now"].as_str().unwrap().parse().unwrap()
}

fn reading(text: &[u8], now: Timestamp) -> Result<Reading, Refused> {
    read("room", text, &rules(), &zone(), Window::around(now))
}

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calendar/corpus");
    std::fs::read(folder.join(format!("{name}.ics"))).unwrap()
}

/// A calendar with one event of these lines.
fn one(lines: &str) -> Vec<u8> {
    let event = "BEGIN:VEVENT\r\nUID:u\r\nCLASS:CONFIDENTIAL\r\nSUMMARY:s\r\n";
    format!("BEGIN:VCALENDAR\r\n{event}{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", lines.replace('\n', "\r\n"))
        .into_bytes()
}

fn row(o: &Occurrence) -> [String; 3] {
    [o.key.uid.clone(), o.begins.to_string(), o.ends.to_string()]
}

#[test]
fn the_corpus_reads_as_the_oracle_reads_it() {
    let mut files = 0;
    let expected = expected();
    for (name, rows) in expected["corpus"].as_object().unwrap() {
        let rows: Vec<[String; 3]> = serde_json::from_value(rows.clone()).unwrap();
        let reading = reading(&file(name), now()).unwrap();
        let mut found: Vec<[String; 3]> = reading.occurrences.iter().map(row).collect();
        found.sort();
        if name.starts_with("wide-") {
            assert!(!reading.faults.is_empty(), "{name}");
            for [uid, begins, ends] in &rows {
                let (begins, ends): (Timestamp, Timestamp) = (begins.parse().unwrap(), ends.parse().unwrap());
                let covered = |o: &&Occurrence| o.begins <= begins && ends <= o.ends && o.key.uid == *uid;
                assert!(reading.occurrences.iter().any(|o| covered(&o)), "{name}: {uid} in {found:?}");
            }
        } else {
            assert_eq!(found, rows, "{name}: {:?}", reading.faults);
            assert!(reading.occurrences.iter().all(Occurrence::is_certain), "{name}: {:?}", reading.faults);
        }
        files += 1;
    }
    let there =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calendar/corpus")).unwrap();
    // All but the bombs, which the oracle does not survive.
    assert_eq!(files + 1, there.count());
}

#[test]
fn changes_of_offset_from_2015_to_2037_are_kept() {
    let expected = expected();
    let rows: Vec<[String; 2]> = serde_json::from_value(expected["matrix"].clone()).unwrap();
    assert!(rows.len() > 900);
    for [zone, begins] in &rows {
        let begins: Timestamp = begins.parse().unwrap();
        // Begun in 2015, so that the rule is what finds the day.
        let text = one(&format!(
            "DTSTART;TZID={zone}:20150101T014500\nDTEND;TZID={zone}:20150101T015000\nRRULE:FREQ=DAILY"
        ));
        let window = Window {
            from: begins - SignedDuration::from_hours(12),
            until: begins + SignedDuration::from_hours(12),
        };
        let found = read("room", &text, &rules(), &DefaultZone::default(), window).unwrap();
        let all: Vec<_> = found.occurrences.iter().map(|o| o.begins).collect();
        assert!(all.contains(&begins), "{zone}: {begins} not in {all:?}");
    }
}

#[test]
fn an_unknown_zone_is_every_zone_and_said() {
    let found = reading(&file("wide-unknown-zone"), now()).unwrap();
    let only = &found.occurrences[0];
    assert_eq!(only.begins.to_string(), "2026-03-23T19:00:00Z");
    assert_eq!(only.ends.to_string(), "2026-03-24T22:00:00Z");
    assert!(matches!(&found.faults[..], [Fault::UnknownZone { zone, .. }] if zone == "Moon/Tranquility"));
    assert!(only.wide[0].contains("no zone is known as \"Moon/Tranquility\""), "{:?}", only.wide);
}

/// RFC 5545, 3.8.5.3 has each occurrence last as long as the first, people mean the time on the clock: the longer holds.
#[test]
fn over_the_night_of_a_change_of_offset_the_longer_reading_holds() {
    let check = |day: &str, now: &str, ends: &str| {
        let text =
            one(&format!("DTSTART;TZID=Europe/Berlin:{day}T220000\nDURATION:PT5H\nRRULE:FREQ=DAILY;COUNT=2"));
        let clock = one(&format!(
            "DTSTART;TZID=Europe/Berlin:{day}T220000\nDTEND;TZID=Europe/Berlin:{}T030000\nRRULE:FREQ=DAILY;COUNT=2",
            day.parse::<u32>().unwrap() + 1
        ));
        let second =
            |text: &[u8]| reading(text, now.parse().unwrap()).unwrap().occurrences[1].ends.to_string();
        assert_eq!(second(&clock), ends);
        // Hours are exact (3.3.6).
        let begun: Timestamp = reading(&text, now.parse().unwrap()).unwrap().occurrences[1].begins;
        assert_eq!(second(&text), (begun + SignedDuration::from_hours(5)).to_string());
    };
    // An hour is lost: five hours, to 04:00.
    check("20260327", "2026-03-27T12:00:00Z", "2026-03-29T02:00:00Z");
    // An hour is won: six hours, to 03:00.
    check("20261023", "2026-10-23T12:00:00Z", "2026-10-25T02:00:00Z");
}

/// An end before the beginning is none (RFC 5545, 3.8.2.2 forbids it); the oracle swaps the two, which nobody promises.
#[test]
fn without_an_end_it_takes_an_hour() {
    let before = one("DTSTART:20260325T090000Z\nDTEND:20260325T080000Z");
    for (text, begins) in [(file("wide-no-end"), "2026-03-24T09:00:00Z"), (before, "2026-03-25T09:00:00Z")] {
        let found = reading(&text, now()).unwrap();
        let [only] = &found.occurrences[..] else { panic!("{found:?}") };
        assert_eq!(
            (only.begins.to_string().as_str(), only.ends.duration_since(only.begins).as_mins()),
            (begins, 60)
        );
        assert!(matches!(found.faults[..], [Fault::NoEnd { .. }]), "{:?}", found.faults);
        assert!(!only.is_certain());
    }
}

#[test]
fn what_is_confidential_is_configured() {
    let text = |lines: &str| {
        let text = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nDTSTART:20260324T090000Z\nDTEND:20260324T100000Z\n{lines}\n\
             END:VEVENT\nEND:VCALENDAR\n"
        );
        text.into_bytes()
    };
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let check = |classes: &[&str], categories: &[&str], keywords: &[&str], lines: &str, counts: bool| {
        let rules = Rules {
            classes: words(classes),
            categories: words(categories),
            keywords: words(keywords),
            ..rules()
        };
        let found = read("room", &text(lines), &rules, &zone(), Window::around(now())).unwrap();
        assert_eq!(!found.occurrences.is_empty(), counts, "{classes:?} {categories:?} {keywords:?}: {lines}");
    };
    check(&["CONFIDENTIAL"], &[], &[], "CLASS:CONFIDENTIAL", true);
    check(&["confidential"], &[], &[], "CLASS:Confidential", true);
    check(&["CONFIDENTIAL"], &[], &[], "CLASS:PRIVATE", false);
    check(&["CONFIDENTIAL"], &[], &[], "SUMMARY:x", false);
    check(&["PRIVATE"], &[], &[], "CLASS:X-SECRET", true);
    check(&["X-SECRET"], &[], &[], "CLASS:X-SECRET", true);
    check(&["CONFIDENTIAL"], &[], &[], "CLASS:X-SECRET", false);
    check(&[], &["Vertraulich"], &[], "CATEGORIES:Rot,VERTRAULICH", true);
    check(&[], &["Vertraulich"], &[], "CATEGORIES:Rot", false);
    check(&[], &[], &["保密"], "SUMMARY:项目评审（保密）", true);
    check(&[], &[], &["secret"], "DESCRIPTION:Top Secret: bring nothing", true);
    check(&[], &[], &["secret"], "SUMMARY:open", false);
}

#[test]
fn what_cannot_be_read_is_named_and_guarded_the_widest_way() {
    let check = |lines: &str, said: &str, guarded: bool| {
        let found = reading(&one(lines), now()).unwrap();
        let all: Vec<String> = found.faults.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|fault| fault.contains(said)), "{lines}: {all:?}");
        assert_eq!(!found.occurrences.is_empty(), guarded, "{lines}: {all:?}");
    };
    let daily = "DTSTART:20260301T090000Z\nDTEND:20260301T100000Z\n";
    check("DTSTART:yesterday", "no DTSTART that can be read", false);
    check("SUMMARY:nothing else", "no DTSTART that can be read", false);
    check("DTSTART:20260230T090000Z\nDTEND:20260230T100000Z", "no DTSTART that can be read", false);
    check("DTSTART:20260324T090000Z\nDURATION:-PT1H", "its DURATION is not one of a meeting", true);
    check("DTSTART:20260324T090000Z\nDURATION:P9999999999W", "its DURATION is not", true);
    check(&format!("{daily}RRULE:FREQ=FORTNIGHTLY"), "RRULE cannot be read", true);
    check(&format!("{daily}RRULE:FREQ=DAILY;RSCALE=HEBREW"), "another calendar", true);
    check(&format!("{daily}RRULE:nonsense"), "RRULE cannot be read", true);
    check(&format!("{daily}RRULE:FREQ=SECONDLY"), "more than can be expanded", true);
    check(&format!("{daily}RRULE:FREQ=MINUTELY;COUNT=100000000"), "more than can be expanded", true);
    check(&format!("{daily}RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"), "more than can be expanded", true);
    check(&format!("{daily}RRULE:FREQ=DAILY\nEXDATE:soon"), "EXDATE \"soon\" cannot be read", true);
}

#[test]
fn a_rule_that_cannot_be_read_is_one_of_every_day() {
    let found =
        reading(&one("DTSTART:20260301T090000Z\nDTEND:20260301T100000Z\nRRULE:FREQ=SOMETIMES"), now())
            .unwrap();
    // Yesterday's, and fourteen more days; the fifteenth begins after the window.
    assert_eq!(found.occurrences.len(), 15);
    assert!(found.occurrences.iter().all(|o| !o.is_certain()));
}

#[test]
fn an_old_series_is_found_and_none_hides_another() {
    let mut text = String::from("BEGIN:VCALENDAR\n");
    let mut event = |uid: &str, lines: &str| {
        text += &format!("BEGIN:VEVENT\nUID:{uid}\nCLASS:PRIVATE\nSUMMARY:{uid}\n{lines}\nEND:VEVENT\n");
    };
    event("bomb", "DTSTART:20200101T000000Z\nDTEND:20200101T000001Z\nRRULE:FREQ=SECONDLY");
    event("old", "DTSTART:19800101T100000Z\nDTEND:19800101T110000Z\nRRULE:FREQ=DAILY");
    event("once", "DTSTART:20260325T100000Z\nDTEND:20260325T110000Z");
    text += "END:VCALENDAR\n";
    let found = reading(text.as_bytes(), now()).unwrap();
    let of = |uid: &str| found.occurrences.iter().filter(|o| o.key.uid == uid).count();
    assert_eq!((of("old"), of("once")), (15, 1));
    assert!(of("bomb") >= 1);
}

/// Rules that take a long time or much memory elsewhere.
const BOMBS: &[&str] = &[
    "FREQ=SECONDLY",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;COUNT=4294967295",
    "FREQ=MINUTELY;BYDAY=53MO",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
    "FREQ=YEARLY;BYYEARDAY=366;BYDAY=MO;BYWEEKNO=1",
    "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15;BYSECOND=0,1,2,3,4,5,6,7,8,9",
    "FREQ=SECONDLY;BYHOUR=0;BYMINUTE=0;BYSECOND=0",
    "FREQ=SECONDLY;BYMONTHDAY=1;BYHOUR=0;BYMINUTE=0;BYSECOND=0",
    "FREQ=SECONDLY;INTERVAL=86399",
    "FREQ=MINUTELY;BYMONTH=1;BYMONTHDAY=1;BYHOUR=0;BYMINUTE=0",
    "FREQ=HOURLY;BYYEARDAY=366;BYHOUR=5",
    "FREQ=YEARLY;INTERVAL=65535",
    "FREQ=WEEKLY;COUNT=9999",
];

/// Time that a calendar may take, as optimised code on the machine of a room; tests run with checks, and beside others.
const BOMB_S: f64 = if cfg!(debug_assertions) { 1.0 } else { 0.1 };

#[test]
fn bombs_go_off_within_bounds() {
    let event = |n: usize, rule: &str| {
        format!(
            "BEGIN:VEVENT\nUID:{n}\nCLASS:CONFIDENTIAL\nDTSTART:19700101T000000Z\nDTEND:19700101T000001Z\nRRULE:{rule}\nEND:VEVENT\n"
        )
    };
    for bomb in BOMBS {
        for many in [1, 300] {
            let body: String = (0..many).map(|n| event(n, bomb)).collect();
            let text = format!("BEGIN:VCALENDAR\n{body}END:VCALENDAR\n");
            // The shortest of three: the machine may be busy with something else.
            let took_s = (0..3)
                .map(|_| {
                    let start = Monotonic::now();
                    let found = reading(text.as_bytes(), now()).unwrap();
                    assert!(found.occurrences.len() <= many * OF_ONE_MAX);
                    start.elapsed().as_secs_f64()
                })
                .fold(f64::INFINITY, f64::min);
            println!("{bomb:.60} x {many}: {:.1} ms", took_s * 1e3);
            assert!(took_s < BOMB_S, "{bomb} x {many}: {took_s:.3} s");
        }
    }
}

proptest! {
    /// Whatever was broken in a calendar, reading it ends, and what it gives is sound.
    #[test]
    fn a_broken_calendar_is_read_or_refused(
        name in prop::sample::select(vec!["outlook-series-moved-cancelled", "own-zone", "rdate-period", "this-and-future", "hourly"]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..12),
    ) {
        let mut text = file(name);
        for (at, byte, how) in edits {
            let at = at.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => { text.remove(at); }
                _ => text.insert(at, byte),
            }
        }
        if let Ok(found) = reading(&text, now()) {
            let window = Window::around(now());
            for o in &found.occurrences {
                prop_assert!(o.arms <= o.begins && o.begins <= o.ends, "{o:?}");
                prop_assert!(o.ends > window.from && o.arms < window.until, "{o:?}");
            }
        }
    }

    /// Any rule, sensible or not: bounded, and never an occurrence less than the first.
    #[test]
    fn any_rule_ends(
        freq in prop::sample::select(vec!["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        interval in prop::option::of(0_u32..70_000),
        count in prop::option::of(0_u64..5_000_000_000),
        by in prop::collection::vec(("BY(SECOND|MINUTE|HOUR|DAY|MONTHDAY|YEARDAY|WEEKNO|MONTH|SETPOS)", -400_i32..400), 0..5),
    ) {
        let mut rule = format!("FREQ={freq}");
        for (key, value) in by {
            let day = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][value.unsigned_abs() as usize % 7];
            let value = if key == "BYDAY" { format!("{}{day}", value % 6) } else { value.to_string() };
            rule += &format!(";{key}={value}");
        }
        rule += &interval.map_or(String::new(), |n| format!(";INTERVAL={n}"));
        rule += &count.map_or(String::new(), |n| format!(";COUNT={n}"));
        let text = one(&format!("DTSTART:20260324T090000Z\nDTEND:20260324T100000Z\nRRULE:{rule}"));
        let found = reading(&text, now()).unwrap();
        let first: Timestamp = "2026-03-24T09:30:00Z".parse().unwrap();
        prop_assert!(found.occurrences.iter().any(|o| o.begins <= first && first < o.ends), "{rule}: {:?}", found.faults);
    }
}
