//! What a kind of receiver can do and how it is set up, before anybody measured the one that is attached.
//!
//! The data are in `config/receivers.toml`; `config::receivers` reads them.

use crate::iq::SampleFormat;

/// Gain of every element, decibels, by the driver's name for it.
pub type GainSetting = Vec<(String, f64)>;

/// A kind of receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiverProfile {
    /// What people call it on the command line: `hackrf`, `rtlsdr`.
    pub name: String,
    /// What SoapySDR calls its driver.
    pub driver: String,
    /// Vendor and product by which USB knows it.
    pub usb_ids: Vec<[u16; 2]>,
    /// What it tunes to: centre and everything that is used around it, hertz.
    pub ranges_hz: Vec<[f64; 2]>,
    /// Complex samples a second, the largest that lose nothing.
    pub rate_hz: f64,
    /// Width around the centre that the filters leave flat enough to use, hertz.
    pub usable_hz: f64,
    /// Width around the centre that the converter's offset covers, hertz.
    pub offset_hz: f64,
    /// From asking for a frequency to the first sample that is of it, seconds, as long as nobody measured it.
    pub settle_s: f64,
    /// Share of its time that it is to look, rather than settle, when it settles like that; 0 asks for nothing.
    pub looked_min: f64,
    /// Sample formats of its stream, the cheapest first.
    pub formats: Vec<SampleFormat>,
    /// Arguments of its stream, as `bufflen` and `16384`.
    pub stream_args: Vec<(String, String)>,
    /// Gains to search with, then steps down from there, each of less gain than the one before.
    pub gain_steps: Vec<GainSetting>,
    /// Power at the antenna of a sinusoid that just fills the converter at each of `gain_steps`, dBm, where known.
    pub full_scale_dbm: Vec<Option<f64>>,
    /// Noise figure at the gain to search with, dB, where known.
    pub noise_figure_db: Option<f64>,
    /// Most that its input stands, dBm.
    pub input_max_dbm: f64,
}
