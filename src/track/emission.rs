//! One burst or report of a carrier, placed on the axis on which emitters live, and what kind it is by itself.

use crate::measure::{Burst, Depth, Features, Ghost};

/// Part of the span in which a receiver's filter is flat: common ones of HackRF and RTL-SDR fall off in the outer tenth.
const FLAT: f64 = 0.92;

/// Where the receiver looks, and since when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Segment of the recording or stream.
    pub segment: u32,
    /// Stretch of time within which times may be compared: counts the borders without a shared axis.
    pub epoch: u32,
    /// Time of the first sample, seconds.
    pub start_s: f64,
    /// Width of the span, hertz.
    pub rate_hz: f64,
    /// Frequency of the middle, if known.
    pub center_hz: Option<f64>,
    /// Width of one bin of the burst detector, hertz.
    pub bin_hz: f64,
    /// Time between its frames, seconds.
    pub hop_s: f64,
}

impl View {
    /// Whether `[center_hz - half_hz, center_hz + half_hz]` on the axis of [`Place`] touches the span.
    pub fn sees(&self, place: Place, bandwidth_hz: f64) -> bool {
        let middle_hz = match (place.absolute, self.center_hz) {
            (true, Some(center_hz)) => center_hz,
            (false, None) => 0.0,
            _ => return false,
        };
        (place.hz - middle_hz).abs() <= (self.rate_hz + bandwidth_hz) / 2.0
    }

    /// Whether `burst` reaches over the edge of the span or into the slope of the receiver's filter.
    pub fn cuts(&self, burst: &Burst) -> bool {
        burst.at_edge || burst.offset_hz.abs() + burst.bandwidth_hz / 2.0 > FLAT * self.rate_hz / 2.0
    }

    /// Where `offset_hz` from the tuning lies.
    pub fn place(&self, offset_hz: f64) -> Place {
        Place {
            hz: self.center_hz.map_or(offset_hz, |center_hz| center_hz + offset_hz),
            absolute: self.center_hz.is_some(),
        }
    }
}

/// A frequency: absolute where the tuning is known, else relative to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Hertz.
    pub hz: f64,
    /// Whether zero means 0 Hz and not the tuning.
    pub absolute: bool,
}

/// How an emission is modulated, as far as it shows by itself. Emissions of kinds that exclude each other never
/// belong to one emitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Not measured, or between the others.
    Unclear,
    /// An unmodulated line.
    Line,
    /// Constant envelope: FM, FSK, minimum-shift keying.
    Constant,
    /// Varying envelope without a known structure: linear modulation, noise.
    Varying,
    /// Keyed on and off within the burst.
    Keyed,
    /// A linear chirp.
    Chirp,
    /// Wi-Fi OFDM, by its cyclic prefix or training field.
    WifiOfdm,
    /// Wi-Fi DSSS, by its Barker sequence.
    WifiDsss,
    /// LTE or NR, by the cyclic prefix.
    Cellular,
}

/// A structure stands if it exceeds the threshold of one false alarm in a thousand by this factor: exceedances
/// of a magnitude that follows Rayleigh's distribution then have probability 1e-3^(1.3²) ≈ 1e-5.
const LAG_MARGIN: f32 = 1.3;
/// Narrower than any Wi-Fi channel seen in part, hertz.
const WIFI_MIN_HZ: f64 = 4e6;
/// Narrower than a resource block of LTE (180 kHz, 3GPP TS 36.211 6.2.3) by a measurement's error, hertz.
const RESOURCE_BLOCK_MIN_HZ: f64 = 130e3;
/// Envelopes that vary by less are constant: FSK through a receiver's filter stays below 0.2, Gaussian signals
/// have 0.52 (√(4/π − 1)).
const CONSTANT_CV_MAX: f32 = 0.25;
/// Time-bandwidth product below which an envelope tells little: a hundred values know their spread to 7 %, and a
/// single OFDM symbol of few subcarriers may have any.
const ENVELOPE_PRODUCT_MIN: f64 = 100.0;
/// Envelopes that vary by more are not constant.
const VARYING_CV_MIN: f32 = 0.35;

impl Kind {
    /// What `burst` is by its own features.
    pub fn of(burst: &Burst) -> Self {
        let f = &burst.features;
        if burst.depth == Depth::Light {
            return Self::Unclear;
        }
        if f.line_fraction.is_some_and(|fraction| fraction > 0.9) {
            return Self::Line;
        }
        if f.chirp_fit.is_some_and(|fit| fit > 0.7) && f.chirp_hz_per_s.is_some_and(|slope| slope != 0.0) {
            return Self::Chirp;
        }
        let product = (burst.end_s - burst.start_s) * burst.bandwidth_hz;
        Self::by_structure(f, burst.bandwidth_hz).unwrap_or_else(|| Self::by_envelope(f, product))
    }

    fn by_structure(f: &Features, bandwidth_hz: f64) -> Option<Self> {
        let clear = |lag: Option<crate::measure::Lag>, least: f32| {
            lag.map(|l| l.value).filter(|&v| v > least && lag.is_some_and(|l| v > LAG_MARGIN * l.threshold))
        };
        let wide = bandwidth_hz > WIFI_MIN_HZ;
        let wifi =
            clear(f.lag_3u2, 0.3).or(clear(f.lag_12u8, 0.3)).or(clear(f.lag_0u8, 0.6)).filter(|_| wide);
        let dsss = clear(f.lag_1u, 0.5).filter(|_| wide);
        let cell = clear(f.lag_66u7, 0.2)
            .or(clear(f.lag_33u3, 0.2))
            .filter(|_| bandwidth_hz > RESOURCE_BLOCK_MIN_HZ);
        [(dsss, Self::WifiDsss), (wifi, Self::WifiOfdm), (cell, Self::Cellular)]
            .into_iter()
            .filter_map(|(value, kind)| Some((value?, kind)))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, kind)| kind)
    }

    fn by_envelope(f: &Features, product: f64) -> Self {
        if f.pulses.is_some_and(|p| p.count >= 3) && f.on_fraction.is_some_and(|on| on < 0.8) {
            return Self::Keyed;
        }
        match f.envelope_cv.filter(|_| product > ENVELOPE_PRODUCT_MIN) {
            Some(cv) if cv < CONSTANT_CV_MAX => Self::Constant,
            Some(cv) if cv > VARYING_CV_MIN => Self::Varying,
            _ => Self::Unclear,
        }
    }

    /// Whether emissions of both kinds may come from one transmitter.
    pub fn fits(self, other: Self) -> bool {
        use Kind::{Chirp, Constant, Keyed, Line, Unclear, Varying};
        self == other
            || self == Unclear
            || other == Unclear
            // A silent voice transmitter is a line; so is each pulse of a keyed one.
            || matches!((self, other), (Line | Constant | Keyed, Line | Constant | Keyed))
            // A few symbols of a chirp modulation may not add up to one chirp.
            || matches!((self, other), (Chirp, Constant | Keyed) | (Constant | Keyed, Chirp))
            // The mean of a keyed train varies; a linear modulation at low SNR may show no structure.
            || matches!((self, other), (Keyed, Varying) | (Varying, Keyed))
            || (self == Varying && other.is_wide_structure())
            || (other == Varying && self.is_wide_structure())
    }

    fn is_wide_structure(self) -> bool {
        matches!(self, Self::WifiOfdm | Self::WifiDsss | Self::Cellular)
    }
}

/// A burst or carrier in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Emission {
    /// As measured.
    pub burst: Burst,
    /// Its centre.
    pub place: Place,
    /// What it is by itself.
    pub kind: Kind,
    /// Number of the carrier that this is a report of.
    pub carrier: Option<u32>,
    /// See [`View::epoch`].
    pub epoch: u32,
    /// Narrowest bandwidth that is told apart here, hertz.
    pub resolution_hz: f64,
}

impl Emission {
    /// Places `burst`, or says that its numbers are none (not finite, or ending before it starts).
    pub fn new(burst: &Burst, carrier: Option<u32>, view: &View) -> Option<Self> {
        let numbers = [burst.start_s, burst.end_s, burst.offset_hz, burst.bandwidth_hz];
        let levels = [burst.power_dbfs, burst.snr_db];
        let sound = numbers.iter().all(|n| n.is_finite() && n.abs() < 1e15)
            && levels.iter().all(|n| n.is_finite())
            && burst.end_s >= burst.start_s
            && burst.bandwidth_hz >= 0.0;
        sound.then(|| Self {
            burst: *burst,
            place: view.place(burst.offset_hz),
            kind: Kind::of(burst),
            carrier,
            epoch: view.epoch,
            resolution_hz: view.bin_hz,
        })
    }

    /// On-time, seconds.
    pub fn duration_s(&self) -> f64 {
        self.burst.end_s - self.burst.start_s
    }

    /// Whether the receiver may have made it.
    pub fn is_ghost(&self) -> bool {
        self.burst.ghost != Ghost::None
    }

    /// Whether both its ends were seen.
    pub fn is_whole(&self) -> bool {
        !(self.burst.cut_start || self.burst.cut_end)
    }
}
