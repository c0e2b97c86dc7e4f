//! What is measured on one burst or carrier from its own IQ, and the record that the front hands to the back.
//!
//! Everything here is owned, free of IQ, of fixed size, and survives encoding unchanged (`wire`), so that the
//! two halves of the pipeline can run in two processes.

use serde::{Deserialize, Serialize};

/// How thoroughly an emission was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Depth {
    /// From the spectrogram alone: times, centre and bandwidth are good to a bin and a frame, `features` empty.
    Light,
    /// From the samples.
    Full,
}

/// What a burst or a stretch of carrier looks like from inside. `None` means not measurable (too short, too
/// narrow or too wide for the sample rate, too weak), never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// Standard deviation over mean of the amplitude in the channel, noise-corrected: 0 for constant envelope
    /// (FSK, FM, CW), about 0.52 for Gaussian-like signals (OFDM, noise).
    pub envelope_cv: Option<f32>,
    /// Peak (99.9 %) over mean power, dB.
    pub papr_db: Option<f32>,
    /// Fraction of the time between first and last on-time that the amplitude exceeds half of its 90th
    /// percentile.
    pub on_fraction: Option<f32>,
    /// Half of the spread between the 5th and 95th percentile of the instantaneous frequency, hertz.
    pub deviation_hz: Option<f32>,
    /// Standard deviation of the instantaneous frequency after a filter matched to the bandwidth, hertz.
    pub fm_rms_hz: Option<f32>,
    /// Number of levels (2 or 4) that instantaneous frequency takes at the symbol instants; 0 if it is spread
    /// without levels (voice FM, OFDM).
    pub fsk_levels: Option<u8>,
    /// Outermost level over symbol rate times two for [`Features::fsk_levels`] above 0: the modulation index of
    /// 2-level FSK.
    pub modulation_index: Option<f32>,
    /// Strongest symbol-rate line among the candidates looked for, symbols a second.
    pub symbol_rate_hz: Option<f32>,
    /// Height of that line over the mean of its surroundings, dB.
    pub symbol_line_db: Option<f32>,
    /// |r(τ)|/r(0), τ = 0.8 µs, in the first 8 µs: the short training field of Wi-Fi (IEEE 802.11-2020 17.3.3).
    pub lag_0u8: Option<f32>,
    /// The same for τ = 1 µs, magnitude averaged symbol by symbol: Barker sequence of Wi-Fi DSSS (IEEE
    /// 802.11-2020 15.4.4).
    pub lag_1u: Option<f32>,
    /// τ = 3.2 µs over the burst: cyclic prefix of Wi-Fi OFDM (20 MHz, 802.11a/g/n/ac).
    pub lag_3u2: Option<f32>,
    /// τ = 12.8 µs: cyclic prefix of 802.11ax data.
    pub lag_12u8: Option<f32>,
    /// τ = 16 µs: the 16 µs symbols of IEEE 802.15.4 O-QPSK share chips from one to the next.
    pub lag_16u: Option<f32>,
    /// τ = 1/15 kHz folded over the symbol: cyclic prefix of LTE and of NR at 15 kHz (3GPP TS 36.211 5.6).
    pub lag_66u7: Option<f32>,
    /// τ = 1/30 kHz: cyclic prefix of NR at 30 kHz (3GPP TS 38.211 5.3.1).
    pub lag_33u3: Option<f32>,
    /// Lag threshold at a false-alarm probability of 1e-3 for the number of samples used: a lag below it is
    /// noise.
    pub lag_threshold: Option<f32>,
    /// Spectral flatness (geometric over arithmetic mean) inside the occupied bandwidth, 0..1.
    pub flatness: Option<f32>,
    /// 6 dB bandwidth over 99 % bandwidth: near 1 for a plateau, small for a peak on skirts.
    pub shoulder: Option<f32>,
    /// Slope of a linear chirp, hertz a second, where the phase is quadratic.
    pub chirp_hz_per_s: Option<f32>,
    /// Fraction of the energy that a linear chirp of that slope explains, 0..1.
    pub chirp_fit: Option<f32>,
    /// Fraction of the power within one resolution bandwidth of the strongest line: 1 for an unmodulated
    /// carrier.
    pub line_fraction: Option<f32>,
    /// Chip-rate line of |x|² at 3.84 MHz (3GPP TS 25.213) over its surroundings, dB.
    pub chip_3m84_db: Option<f32>,
    /// Line of x² pair at ±symbol_rate/2: GMSK and O-QPSK with index 0.5, over its surroundings, dB.
    pub square_line_db: Option<f32>,
}

/// One maximal on-time of something, as seen in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Burst {
    /// Segment it was seen in.
    pub segment: u32,
    /// Start and end on the recording's axis, seconds.
    pub start_s: f64,
    /// See `start_s`.
    pub end_s: f64,
    /// Centre relative to the tuning, hertz.
    pub offset_hz: f64,
    /// 99 % occupied bandwidth (ITU-R SM.328: 0.5 % of the power left out on each side), hertz.
    pub bandwidth_hz: f64,
    /// Mean power over the on-time, noise subtracted, dBFS.
    pub power_dbfs: f32,
    /// Mean power over the local noise in `bandwidth_hz`, dB.
    pub snr_db: f32,
    /// How it was measured.
    pub depth: Depth,
    /// Began before the segment's first sample or the end of a gap: `start_s` is a lower bound of its length.
    pub cut_start: bool,
    /// Still on at the segment's last sample or when a gap began.
    pub cut_end: bool,
    /// Touches the edge of the usable span: bandwidth and centre are of the visible part.
    pub at_edge: bool,
    /// The receiver clipped meanwhile: features are doubtful.
    pub clipped: bool,
    /// Its spectrum lies on the mirror of a stronger simultaneous emission, or other signs that the receiver
    /// made it. See [`Ghost`].
    pub ghost: Ghost,
    /// From the samples.
    pub features: Features,
}

/// Why an emission may be the receiver's own making.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ghost {
    /// No sign of it.
    #[default]
    None,
    /// Mirror of a simultaneous emission about the tuning, 20 dB weaker or more.
    Image,
    /// At the tuning itself.
    Dc,
    /// Splatter: coincides with an edge of a far stronger burst, or with clipping.
    Splatter,
    /// A shoulder of the receiver's own passband.
    Rolloff,
}

/// A carrier that stays: reported when it has been on for long enough to be one, then now and then, then at its
/// end. `burst.start_s` is its onset, `burst.end_s` the last moment that it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Carrier {
    /// Distinguishes carriers of one segment; the same in every report of it.
    pub number: u32,
    /// Whether this is the last report.
    pub ended: bool,
    /// State so far.
    pub burst: Burst,
}
