//! The systems whose signals are wider than speech: cellular, Wi-Fi, Bluetooth, DECT and their like.
//!
//! One file a system, each with the numbers of its standard. Nothing here is shared with the detector: an error
//! in one must not hide an error in the other.

mod check;
mod timeline;
mod pulse;
mod ofdm;
mod gfsk;
mod numerology;
mod prach;
mod phone;
mod mac;
mod gsm;
mod umts;
mod lte;
mod lte_downlink;
mod nr;
mod nr_downlink;
mod wifi_ofdm;
mod wifi_dsss;
mod bluetooth;
mod ble;
mod dect;
mod esb;
mod zigbee;
mod digital_mic;
mod tv;
mod video;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::{Built, WaveParams};

/// The kinds that [`build`] knows.
pub const NAMES: &[&str] = &[
    "gsm",
    "umts",
    "lte",
    "nr",
    "wifi-ofdm",
    "wifi-dsss",
    "bluetooth-classic",
    "ble",
    "dect",
    "esb",
    "zigbee",
    "digital-mic",
    "tv",
    "video",
];

/// The waveform of a kind, if it is one of this folder's.
pub fn build(kind: &str, params: &WaveParams, seed: u64) -> Built {
    Some(match kind {
        "gsm" => gsm::build(params, seed),
        "umts" => umts::build(params, seed),
        "lte" => lte::build(params, seed),
        "nr" => nr::build(params, seed),
        "wifi-ofdm" => wifi_ofdm::build(params, seed),
        "wifi-dsss" => wifi_dsss::build(params, seed),
        "bluetooth-classic" => bluetooth::build(params, seed),
        "ble" => ble::build(params, seed),
        "dect" => dect::build(params, seed),
        "esb" => esb::build(params, seed),
        "zigbee" => zigbee::build(params, seed),
        "digital-mic" => digital_mic::build(params, seed),
        "tv" => tv::build(params, seed),
        "video" => video::build(params, seed),
        _ => return None,
    })
}

/// An error that names the first key of the scene that `parsed` does not have: serde cannot both flatten a struct
/// and deny unknown fields.
fn known_keys<T: Serialize>(parsed: &T, params: &WaveParams) -> Result<(), String> {
    let known = toml::Table::try_from(parsed).map_err(|error| error.to_string())?;
    match params.table.keys().find(|key| !known.contains_key(*key)) {
        Some(key) => Err(format!("unknown key `{key}`")),
        None => Ok(()),
    }
}
