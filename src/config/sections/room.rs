//! `[room]`: the room, its receiver, and where its records are.

use super::super::key::{Key, Kind};
use super::super::node::Misfit;
use super::super::receivers::receiver;
use super::super::table::Table;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Longest name of a room, characters.
const NAME_MAX: usize = 200;

/// Longest SoapySDR arguments, characters: several times the longest that a driver lists.
const ARGUMENTS_MAX: usize = 1024;

pub(super) const KEYS: &[Key] = &[
    Key::new("name", Kind::Text(NAME_MAX), "What people call the room"),
    Key::new(
        "device",
        Kind::Text(ARGUMENTS_MAX),
        "SoapySDR arguments of the receiver, as driver=hackrf,serial=...; without it, the only one attached",
    )
    .at_start(),
    Key::new("receiver", Kind::Text(NAME_MAX), "Kind of receiver that it is like; without it, by its driver")
        .at_start(),
    Key::new(
        "baseline",
        Kind::Path,
        "Ambient learned before, as `emcon run --learn --save-baseline` writes it",
    )
    .at_start(),
    Key::new(
        "data",
        Kind::Path,
        "Folder of the records; without it, $STATE_DIRECTORY of the service, else memory only",
    )
    .at_start(),
    Key::new("listen", Kind::Address, "Where the room's page and API are").at_start(),
];

/// `[room]`, checked. What is `None` is decided by who uses it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Room {
    /// What people call it.
    pub name: Option<String>,
    /// SoapySDR arguments of the receiver.
    pub device: Option<String>,
    /// A kind that [`receiver`] knows.
    pub receiver: Option<String>,
    /// Ambient learned before.
    pub baseline: Option<PathBuf>,
    /// Folder of the records.
    pub data: Option<PathBuf>,
    /// Where the page and the API are.
    pub listen: Option<SocketAddr>,
}

pub(super) fn read(table: &Table<'_>, faults: &mut Vec<Misfit>) -> Room {
    if let Some(Err(error)) = table.text("receiver").map(receiver) {
        faults.push(table.misfit("receiver", error.to_string()));
    }
    let text = |key| table.text(key).map(str::to_owned);
    Room {
        name: text("name"),
        device: text("device"),
        receiver: text("receiver"),
        baseline: table.path("baseline"),
        data: table.path("data"),
        listen: table.address("listen"),
    }
}
