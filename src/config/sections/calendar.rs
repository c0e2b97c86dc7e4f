//! `[[calendar]]`: calendars whose confidential meetings arm the room.

use super::super::key::{Key, Kind, Literal, Repeated};
use super::super::node::Misfit;
use super::super::table::Table;
use crate::calendar::Rules;
use crate::calendar::source::{AHEAD_MIN, CLASSES, Place, REFRESH_S, SOURCES_MAX, Source};
use crate::policy::Level;
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// Longest name and zone, characters.
const NAME_MAX: usize = 64;
/// Longest address, characters: what servers take.
const URL_MAX: usize = 8000;
/// Words that tell what is confidential, of each sort.
const WORDS_MAX: usize = 50;
/// Levels that ban something.
const LEVELS: &[&str] = &["top-secret", "secret", "confidential"];

const CONFIDENTIAL: &[Key] = &[
    Key::new(
        "class",
        Kind::Texts(WORDS_MAX),
        "Values of CLASS that are; CONFIDENTIAL and PRIVATE if none of the three is given",
    ),
    Key::new("categories", Kind::Texts(WORDS_MAX), "Values of CATEGORIES that are"),
    Key::new("keywords", Kind::Texts(WORDS_MAX), "Words in title or description that are"),
];

pub(super) static CALENDARS: Repeated = Repeated {
    keys: &[
        Key::new("name", Kind::Text(NAME_MAX), "What it is called: small letters, digits, hyphens")
            .required(),
        Key::new("file", Kind::Path, "The iCalendar file; looked at every ten seconds"),
        Key::new("url", Kind::Text(URL_MAX), "Its address, https or http, instead of a file"),
        Key::new("secret_file", Kind::SecretFile, "Holds user:password, or bearer TOKEN"),
        Key::new("confidential", Kind::Table(CONFIDENTIAL), "Which events are confidential"),
        Key::new("level", Kind::Word(LEVELS), "Level of those").or(Literal::Text("confidential")),
        Key::new(
            "zone",
            Kind::Text(NAME_MAX),
            "Zone of times that have none; without it, the calendar's, else the machine's",
        ),
        Key::new("arm_ahead_min", Kind::Integer(0, 1440), "The room is armed so many minutes before")
            .or(Literal::Integer(AHEAD_MIN as i64)),
        Key::new("refresh_s", Kind::Integer(30, 86_400), "Fetched this often")
            .or(Literal::Integer(REFRESH_S as i64)),
    ],
    kinds: &[],
    max: SOURCES_MAX,
};

pub(super) fn read(tables: &[Table<'_>], faults: &mut Vec<Misfit>) -> Vec<Source> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for table in tables {
        let source = source(table, faults);
        if !source.name.is_empty() && !names.insert(source.name.clone()) {
            faults.push(table.misfit("name", format!("{:?} is the name of another calendar", source.name)));
        }
        all.push(source);
    }
    all
}

fn source(table: &Table<'_>, faults: &mut Vec<Misfit>) -> Source {
    let place = match (table.path("file"), table.text("url")) {
        (Some(path), None) => Place::File(path),
        (None, Some(url)) => Place::url(url).unwrap_or_else(|| {
            faults.push(table.misfit("url", "must begin with https://, http:// or webcal://"));
            Place::File(url.into())
        }),
        (file, _) => {
            if table.has("file") == table.has("url") {
                faults.push(table.misfit("file", "one of file and url must be given, and one only"));
            }
            Place::File(file.unwrap_or_default())
        }
    };
    let confidential = table.table("confidential");
    let texts = |key: &str| -> Vec<String> {
        confidential.texts(key).unwrap_or_default().into_iter().map(str::to_owned).collect()
    };
    let none = ["class", "categories", "keywords"].iter().all(|key| !confidential.has(key));
    let source = Source {
        name: table.text("name").unwrap_or_default().to_owned(),
        place,
        secret_file: table.path("secret_file"),
        rules: Rules {
            classes: if none { CLASSES.map(str::to_owned).to_vec() } else { texts("class") },
            categories: texts("categories"),
            keywords: texts("keywords"),
            level: table.text("level").and_then(Level::named).unwrap_or(Level::Confidential),
            ahead: SignedDuration::from_mins(table.integer("arm_ahead_min").unwrap_or(AHEAD_MIN.into())),
        },
        zone: table.text("zone").map(str::to_owned),
        refresh_s: table.integer("refresh_s").and_then(|s| u32::try_from(s).ok()).unwrap_or(REFRESH_S),
    };
    // That it has no name was said.
    let known = source.faults().into_iter().filter(|(key, _)| *key != "name" || table.has("name"));
    faults.extend(known.map(|(key, what)| table.misfit(key, what)));
    source
}
