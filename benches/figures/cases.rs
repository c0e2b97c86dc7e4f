//! The signals that are measured, each alone in its usual tuning, and the scenes that hold them.

use crate::theory::Statistics;
use emcon::pipeline::BackParams;
use emcon::policy::Level;

/// HackRF-like: 20 MS/s, 8 bit, its usual faults.
const WIDE: &str = "model = \"hackrf\"\nrate = \"20M\"";
/// RTL-SDR-like: 2.4 MS/s, 8 bit, its usual faults.
const NARROW: &str = "model = \"rtlsdr\"\nrate = \"2.4M\"";

/// One signal.
pub struct Case {
    /// As the verdict should call it; also its kind in scenes.
    pub signal: &'static str,
    /// As the verdict should call its device.
    pub device: &'static str,
    /// Whether other names than these may not be given to it: the figure to reach names this signal.
    pub must: bool,
    /// Signals that it may also be taken for.
    pub or: &'static [&'static str],
    /// The receiver's keys.
    receiver: &'static str,
    /// Where it is tuned to, MHz.
    tuned_mhz: f64,
    /// Where the emitter is, MHz.
    freq_mhz: f64,
    /// Keys of its kind.
    keys: &'static str,
    /// Whether it is switched on and off within the scene, rather than on all the time.
    keyed: bool,
    /// Seconds that its name needs.
    pub name_s: f64,
    /// Seconds with some tens of its bursts.
    pub burst_s: f64,
    /// What its samples look like to a radiometer.
    pub statistics: Statistics,
}

impl Case {
    /// The signal alone, at `snr_db`, for `seconds`.
    pub fn scene(&self, snr_db: f64, seconds: f64, seed: u64) -> String {
        let on =
            if self.keyed { format!("on = [[{}, {}]]", 0.1 * seconds, 0.9 * seconds) } else { String::new() };
        format!(
            "name = \"{} alone\"\nseed = {seed}\nduration = {seconds}\n\
             [receiver]\ncenter = \"{}M\"\n{}\n\
             [[emitter]]\nkind = \"{}\"\nfreq = \"{}M\"\nsnr_db = {snr_db}\n{}\n{on}\n",
            self.signal, self.tuned_mhz, self.receiver, self.signal, self.freq_mhz, self.keys
        )
    }
}

/// The room that all measurements are made in: China, confidential, nothing known beforehand.
///
/// # Errors
/// The data that ship with the program do not parse.
pub fn room() -> Result<BackParams, String> {
    Ok(BackParams {
        band_plan: emcon::config::region("cn").map_err(|e| e.to_string())?,
        signatures: emcon::config::signatures().map_err(|e| e.to_string())?,
        level: Level::Confidential,
        baseline: None,
        learn_s: 0.0,
        gate: None,
    })
}

const fn case(
    signal: &'static str,
    device: &'static str,
    receiver: &'static str,
    tuned_mhz: f64,
    freq_mhz: f64,
) -> Case {
    Case {
        signal,
        device,
        must: false,
        or: &[],
        receiver,
        tuned_mhz,
        freq_mhz,
        keys: "",
        keyed: false,
        name_s: 1.0,
        burst_s: 0.5,
        statistics: Statistics::Constant,
    }
}

const PHONE: &str = "mobile-phone";
const WALKIE: &str = "walkie-talkie";
const MIC: &str = "wireless-microphone";
const CARD: &str = "wireless-network-card";
const BLUETOOTH: &str = "bluetooth-device";
const OTHER: &str = "other-wireless";
const BASE: &str = "infrastructure";

/// All of them, those that a figure is promised for first.
#[rustfmt::skip]
pub const CASES: &[Case] = &[
    Case { must: true, ..case("gsm", PHONE, WIDE, 899.0, 902.4) },
    Case { must: true, or: &["nr"], statistics: Statistics::NoiseLike, ..case("lte", PHONE, WIDE, 1744.0, 1747.5) },
    Case { must: true, or: &["lte"], statistics: Statistics::NoiseLike, ..case("nr", PHONE, WIDE, 2560.5, 2560.0) },
    Case { must: true, statistics: Statistics::NoiseLike, ..case("wifi-ofdm", CARD, WIDE, 2438.0, 2437.0) },
    Case { must: true, ..case("wifi-dsss", CARD, WIDE, 2438.0, 2437.0) },
    Case { must: true, name_s: 2.0, burst_s: 1.0, ..case("ble", BLUETOOTH, WIDE, 2428.0, 2426.0) },
    Case { must: true, ..case("bluetooth-classic", BLUETOOTH, WIDE, 2441.5, 2441.0) },
    Case { must: true, ..case("dect", "cordless-phone", WIDE, 1890.0, 1888.704) },
    Case { must: true, keyed: true, name_s: 2.0, ..case("nfm", WALKIE, NARROW, 409.5, 409.8125) },
    Case { must: true, keyed: true, name_s: 2.0, burst_s: 1.0, ..case("dmr", WALKIE, NARROW, 409.5, 410.2125) },
    Case { must: true, keyed: true, name_s: 2.0, ..case("wfm", MIC, NARROW, 650.0, 650.3) },
    Case {
        must: true, or: &["fsk", "unknown"], keys: "pause_s = 0", name_s: 2.0, burst_s: 1.0,
        ..case("esb", "wireless-keyboard", WIDE, 2447.0, 2444.0)
    },
    Case { must: true, keyed: true, name_s: 2.0, burst_s: 1.0, ..case("ook", OTHER, NARROW, 433.5, 433.92) },
    Case { keyed: true, statistics: Statistics::NoiseLike, ..case("umts", PHONE, WIDE, 1947.0, 1950.0) },
    Case { keyed: true, name_s: 2.0, ..case("dpmr", WALKIE, NARROW, 409.5, 409.8125) },
    Case { keyed: true, name_s: 2.0, ..case("nxdn", WALKIE, NARROW, 409.5, 409.8125) },
    Case { keyed: true, name_s: 2.0, burst_s: 1.0, ..case("tetra", WALKIE, NARROW, 409.5, 410.3125) },
    Case { keyed: true, name_s: 2.0, ..case("p25", WALKIE, NARROW, 151.0, 151.3) },
    Case { keyed: true, name_s: 2.0, statistics: Statistics::NoiseLike, ..case("digital-mic", MIC, NARROW, 650.0, 650.3) },
    Case { name_s: 2.0, burst_s: 1.0, ..case("zigbee", OTHER, WIDE, 2448.0, 2450.0) },
    Case { keyed: true, keys: "interval_s = 0.5", name_s: 2.0, burst_s: 1.0, ..case("lora", OTHER, NARROW, 490.0, 490.3) },
    Case { keyed: true, keys: "interval_s = 0.2", name_s: 2.0, burst_s: 1.0, ..case("fsk", OTHER, NARROW, 433.5, 433.92) },
    Case { name_s: 2.0, ..case("fm-broadcast", BASE, NARROW, 92.0, 92.4) },
    Case { statistics: Statistics::NoiseLike, ..case("tv", BASE, WIDE, 612.0, 610.0) },
    Case { keyed: true, ..case("video", OTHER, WIDE, 1202.0, 1200.0) },
];
