//! `emcon calendar check`: what a calendar asks of the room, before it is relied on.

use super::exit::Exit;
use super::room_args::{CalendarAct, CalendarArgs, CalendarCheckArgs};
use super::{complain, say};
use crate::app::calendars::{CalendarError, once};
use crate::calendar::source::{AHEAD_MIN, CLASSES, Place, REFRESH_S, Source};
use crate::calendar::{Occurrence, Reading, Rules, Window};
use crate::clock;
use crate::policy::Level;
use crate::recording::printable;
use jiff::SignedDuration;
use serde_json::json;

/// `emcon calendar`.
pub(super) fn run(args: &CalendarArgs) -> Exit {
    let CalendarAct::Check(args) = &args.act;
    check(args)
}

/// A calendar with the rules that hold when nobody wrote others.
pub(super) fn source(name: &str, place: &str) -> Source {
    Source {
        name: name.into(),
        place: Place::of(place),
        secret_file: None,
        rules: Rules {
            classes: CLASSES.map(str::to_owned).to_vec(),
            categories: Vec::new(),
            keywords: Vec::new(),
            level: Level::Confidential,
            ahead: SignedDuration::from_mins(AHEAD_MIN.into()),
        },
        zone: None,
        refresh_s: REFRESH_S,
    }
}

fn check(args: &CalendarCheckArgs) -> Exit {
    let mut source = source("check", &args.place);
    source.secret_file.clone_from(&args.secret_file);
    source.zone.clone_from(&args.zone);
    source.rules.classes.clone_from(&args.class);
    source.rules.categories.clone_from(&args.category);
    source.rules.keywords.clone_from(&args.keyword);
    let faults = source.faults();
    if !faults.is_empty() {
        for (key, what) in faults {
            complain(&format_args!("{key}: {what}"));
        }
        return Exit::Usage;
    }
    let now = args.now.unwrap_or_else(clock::utc);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format_args!("cannot begin: {error}"));
            return Exit::Io;
        }
    };
    match runtime.block_on(once(&source, now)) {
        Ok(reading) => told(&source, &reading, now, args.json),
        Err(error) => {
            if let CalendarError::Fetch(error) = error {
                // It says where.
                complain(&error);
                return Exit::NoInput;
            }
            complain(&format_args!("{}: {error}", source.place.words()));
            Exit::BadData
        }
    }
}

fn told(source: &Source, reading: &Reading, now: jiff::Timestamp, as_json: bool) -> Exit {
    let Window { from, until } = Window::around(now);
    if as_json {
        let one = |o: &Occurrence| {
            json!({
                "uid": o.key.uid, "recurrence": o.key.recurrence, "title": o.title, "level": o.level.as_str(),
                "arms": o.arms, "begins": o.begins, "ends": o.ends, "certain": o.is_certain(), "wide": o.wide,
            })
        };
        let all: Vec<_> = reading.occurrences.iter().map(one).collect();
        let faults: Vec<_> = reading.faults.iter().map(ToString::to_string).collect();
        let more = reading.more_faults;
        println!(
            "{}",
            json!({ "from": from, "until": until, "events": reading.events, "occurrences": all, "faults": faults,
                    "more_faults": more })
        );
    } else {
        for o in &reading.occurrences {
            let wide = if o.is_certain() { "" } else { "  (wider than written)" };
            println!("{} to {}  {}  {:?}{wide}", o.begins, o.ends, o.level.as_str(), printable(&o.title));
        }
        let (found, events) = (reading.occurrences.len(), reading.events);
        say(&format_args!(
            "{}: {found} confidential from {from} to {until}, of {events} events in it",
            source.place.words()
        ));
        for fault in &reading.faults {
            say(&format_args!("  {}", printable(&fault.to_string())));
        }
        if reading.more_faults > 0 {
            say(&format_args!("  and {} more", reading.more_faults));
        }
    }
    if reading.faults.is_empty() { Exit::Ok } else { Exit::Degraded }
}
