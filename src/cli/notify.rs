//! `emcon notify`: contacts tried before they are relied on.

use super::args::{Common, NotifyArgs, NotifyVerb};
use super::exit::Exit;
use super::{complain, output_failed};
use crate::config::{self, Contact};
use crate::notify;
use serde_json::json;
use std::io::{self, Write};

/// Does it.
pub(super) fn run(args: &NotifyArgs, common: &Common) -> Exit {
    let NotifyVerb::Test { contact, output } = &args.what;
    let config = match config::load(common.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            complain(&error);
            return Exit::Config;
        }
    };
    let wanted = |each: &&Contact| contact.as_ref().is_none_or(|name| each.name == *name);
    let contacts: Vec<Contact> = config.contacts.iter().filter(wanted).cloned().collect();
    if contacts.is_empty() {
        return nobody(contact.as_deref(), &config.contacts);
    }
    let room = config.room.name.as_deref().unwrap_or_default();
    let results = match notify::test(&contacts, room) {
        Ok(results) => results,
        Err(why) => {
            complain(&why);
            return Exit::Config;
        }
    };
    let exit = if results.iter().all(|(_, result)| result.is_ok()) { Exit::Ok } else { Exit::Unavailable };
    let mut out = io::stdout().lock();
    for (name, result) in results {
        let written = match (&result, output.json) {
            (_, true) => {
                writeln!(
                    out,
                    "{}",
                    json!({ "contact": name, "delivered": result.is_ok(), "reason": result.err() })
                )
            }
            (Ok(()), false) => writeln!(out, "{name}: delivered"),
            (Err(why), false) => writeln!(out, "{name}: FAILED: {why}"),
        };
        if let Err(error) = written {
            return output_failed(&error);
        }
    }
    exit
}

fn nobody(wanted: Option<&str>, all: &[Contact]) -> Exit {
    let names: Vec<&str> = all.iter().map(|contact| contact.name.as_str()).collect();
    match wanted {
        Some(name) if !names.is_empty() => {
            complain(&format_args!("no contact is called {name:?}: there are {}", names.join(", ")));
        }
        _ => complain(&"no contact is configured: add [[contact]] to emcon.toml (see docs/notify.md)"),
    }
    Exit::Config
}
