//! The sections of the configuration: what each may say, and the checked parameters that come of it.
//!
//! To add a section, say `[web]`:
//!
//! 1. Write `sections/web.rs` with `pub(super) const KEYS: &[Key]`, a `pub struct Web` of checked parameters with public
//!    fields (`Debug, Clone, PartialEq`), and `pub(super) fn read(table: &Table<'_>, faults: &mut Vec<Misfit>) -> Web`.
//!    By the time that `read` runs each value has the form that its `Kind` asks for, and unknown keys were reported.
//!    `read` judges what takes more: `faults.push(table.misfit("url", "must be https"))` finds file, line and full key
//!    by itself. A value that is at fault is `None` here: go on with anything, as `unwrap_or_default`, so that every
//!    fault is found; what comes of it is not used.
//! 2. Name it here: a row in [`KEYS`], a field of [`Config`], a line in [`read`].
//!    What cannot change while emcon runs is [`Key::at_start`]; all else is for whoever subscribes to
//!    [`crate::app::configured`].
//! 3. State every key that has a default in `config/emcon.toml`, and the others there as comments: that file is read
//!    before every other, so what it says is the default. Keys of repeated tables have theirs by [`Key::or`].
//! 4. `cargo run config schema > docs/config.schema.json`.
//!
//! Repeated tables (`[[contact]]`) are a `Kind::Tables` of a `static` [`Repeated`](super::key::Repeated), read by
//! `table.tables("contact")`; where each has a `kind` that decides its further keys, list those in `kinds` and ask
//! [`Table::kind`]. Secrets are [`Kind::SecretFile`], their keys end in `_file`, and [`super::secret`] reads them when they
//! are used; a test holds that. Parameters must be comparable: who follows a reload asks what has changed.

mod calendar;
mod contact;
mod policy;
mod room;
mod web;

pub use contact::{Contact, ContactChannel, Mail, MailSecurity, Mqtt, Severity, SyslogAddress};
pub use room::Room;
pub use web::Web;

use super::REGIONS;
use super::key::{Key, Kind};
use super::node::Misfit;
use super::table::Table;
use crate::calendar::source::Source;
use crate::policy::{Level, Policies};

/// All that a configuration may say.
pub(super) const KEYS: &[Key] = &[
    Key::new(
        "region",
        Kind::Word(REGIONS),
        "Whose allocations name bands and tell devices from base stations",
    )
    .at_start(),
    Key::new("level", Kind::Word(&Level::WORDS), "Security level of a meeting that states none").at_start(),
    Key::new("policy", Kind::Table(policy::KEYS), "What meetings of each level ask for"),
    Key::new("room", Kind::Table(room::KEYS), "The room, its receiver, and where its records are"),
    Key::new(
        "calendar",
        Kind::Tables(&calendar::CALENDARS),
        "Calendars whose confidential meetings arm the room",
    )
    .at_start(),
    Key::new("contact", Kind::Tables(&contact::CONTACTS), "Whom the room tells, and how").at_start(),
    Key::new("web", Kind::Table(web::KEYS), "Who may ask for the room, and how it shows itself"),
];

/// Checked configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// One of [`REGIONS`].
    pub region: &'static str,
    /// Level of a meeting that states none.
    pub level: Level,
    /// What meetings of each level ask for.
    pub policies: Policies,
    /// The room.
    pub room: Room,
    /// Calendars whose confidential meetings arm it.
    pub calendars: Vec<Source>,
    /// Whom the room tells.
    pub contacts: Vec<Contact>,
    /// Who may ask for it.
    pub web: Web,
}

/// What `table`, the whole configuration, comes to.
pub(super) fn read(table: &Table<'_>, faults: &mut Vec<Misfit>) -> Config {
    let region = table.text("region").and_then(|word| REGIONS.iter().find(|name| **name == word));
    Config {
        region: region.unwrap_or(&REGIONS[0]),
        level: table.text("level").and_then(Level::named).unwrap_or(Level::TopSecret),
        policies: policy::read(&table.table("policy"), faults),
        room: room::read(&table.table("room"), faults),
        calendars: calendar::read(&table.tables("calendar"), faults),
        contacts: contact::read(&table.tables("contact"), faults),
        web: web::read(&table.table("web"), faults),
    }
}
