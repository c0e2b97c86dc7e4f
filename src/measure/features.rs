//! What a burst looks like from inside: the numbers that signatures are compared with.

use serde::{Deserialize, Serialize};

/// A correlation of the signal with itself, later by a fixed time.
///
/// For a cyclic prefix it is folded over the symbol: correlation coefficient inside the best prefix-long window
/// minus that of the rest of the symbol. It approaches SNR/(1+SNR) if the prefix is there, whatever its share of
/// the symbol, and 0 for tones and noise alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// Magnitude of the coefficient, 0..1.
    pub value: f32,
    /// What noise of the same bandwidth and length exceeds with probability 1e-3, all positions searched
    /// included.
    pub threshold: f32,
}

impl Lag {
    /// Whether it is more than noise.
    pub fn stands(&self) -> bool {
        self.value > self.threshold
    }
}

/// A line in the spectrum of a nonlinear function of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Where: the symbol or chip rate it tells, hertz.
    pub rate_hz: f32,
    /// Height over the mean of its surroundings, dB.
    pub height_db: f32,
    /// The height that noise exceeds with probability 1e-3, all rates searched included, dB.
    pub threshold_db: f32,
}

impl Line {
    /// Whether it is more than noise.
    pub fn stands(&self) -> bool {
        self.height_db > self.threshold_db
    }
}

/// On-off keying inside one burst.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pulses {
    /// Number of pulses; 1 if it never goes off.
    pub count: u16,
    /// Median length of the pulses, seconds.
    pub on_s: f32,
    /// Median length of the gaps between them, seconds; 0 without gaps.
    pub off_s: f32,
    /// Shortest tenth of the pulses, seconds.
    pub shortest_s: f32,
}

/// What a burst or a stretch of carrier looks like from inside. `None` means not measurable (too short, too
/// narrow or too wide for the sample rate, too weak) or excluded by a cheaper measurement (no cyclic prefix is
/// looked for in a constant envelope), never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// Standard deviation over mean of the amplitude in the channel, from the noise-corrected fourth moment: 0
    /// for constant envelope (FSK, FM, CW), about 0.52 for Gaussian-like signals (OFDM, noise).
    pub envelope_cv: Option<f32>,
    /// Peak (99.9 %) over mean power, dB.
    pub papr_db: Option<f32>,
    /// Fraction of the time between first and last on-time that the power exceeds half of the median on-power.
    pub on_fraction: Option<f32>,
    /// Keying on and off.
    pub pulses: Option<Pulses>,
    /// Half of the spread between the 5th and 95th percentile of the instantaneous frequency, hertz.
    pub deviation_hz: Option<f32>,
    /// Standard deviation of the instantaneous frequency after a filter matched to the bandwidth, hertz.
    pub fm_rms_hz: Option<f32>,
    /// Number of levels (2 or 4) that instantaneous frequency takes at the symbol instants; 0 if it is spread
    /// without levels (voice FM, OFDM).
    pub fsk_levels: Option<u8>,
    /// Symbol rate that the levels were found at, measured by a line or, where none stands, one of a table.
    pub symbol_rate_hz: Option<f32>,
    /// Rms distance from the levels over half of their spacing, for [`Features::fsk_levels`] above 0: 0 for a
    /// wide open eye, 0.58 for no levels at all.
    pub level_error: Option<f32>,
    /// Outermost level about the middle of the levels, hertz (DMR 1944, P25 1800, Bluetooth LE 250 k).
    pub level_hz: Option<f32>,
    /// Outermost level over symbol rate times two for [`Features::fsk_levels`] above 0: the modulation index of
    /// 2-level FSK.
    pub modulation_index: Option<f32>,
    /// Symbol rate from the transitions of the instantaneous frequency (FSK): the strongest line there.
    pub symbol_line: Option<Line>,
    /// Symbol rate from |x|² (linear modulations: TETRA, PSK, QAM): the strongest line there.
    pub envelope_line: Option<Line>,
    /// Symbol rate from the pair of lines of x² (minimum-shift keying: GMSK, O-QPSK with half sines); height of
    /// the lower of the two.
    pub square_line: Option<Line>,
    /// Chip-rate line of |x|² at 3.84 MHz (3GPP TS 25.213).
    pub chip_3m84: Option<Line>,
    /// τ = 0.8 µs, in the first 8 µs: the short training field of Wi-Fi (IEEE 802.11-2020 17.3.3). Not folded.
    pub lag_0u8: Option<Lag>,
    /// τ = 1 µs, magnitude symbol by symbol: Barker sequence of Wi-Fi DSSS (IEEE 802.11-2020 15.4.4).
    pub lag_1u: Option<Lag>,
    /// τ = 3.2 µs folded over 4.0 and 3.6 µs: cyclic prefix of Wi-Fi OFDM (20 MHz, 802.11a/g/n/ac).
    pub lag_3u2: Option<Lag>,
    /// τ = 12.8 µs folded over 13.6, 14.4 and 16 µs: cyclic prefix of 802.11ax data.
    pub lag_12u8: Option<Lag>,
    /// τ = 16 µs in the first 128 µs: the eight equal symbols that open each IEEE 802.15.4 O-QPSK frame
    /// (IEEE 802.15.4-2020 12.1.2). Not folded.
    pub lag_16u: Option<Lag>,
    /// τ = 1/15 kHz folded over the symbol: cyclic prefix of LTE and of NR at 15 kHz (3GPP TS 36.211 5.6).
    pub lag_66u7: Option<Lag>,
    /// τ = 1/30 kHz folded: cyclic prefix of NR at 30 kHz (3GPP TS 38.211 5.3.1).
    pub lag_33u3: Option<Lag>,
    /// Carrier relative to the tuning from the phase of the highest cyclic-prefix lag that stands, hertz, known
    /// only up to multiples of `carrier_step_hz`: tells two transmitters on one channel apart.
    pub carrier_hz: Option<f32>,
    /// See `carrier_hz`: the subcarrier spacing, hertz.
    pub carrier_step_hz: Option<f32>,
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
}

/// A threshold is this many standard deviations, squared, of a coefficient under noise: the logarithm of the positions
/// searched (20 to 100) over the false alarms accepted (`lags`).
const THRESHOLD_VARIANCES: f64 = 10.0;

impl Features {
    /// Carrier by a cyclic prefix, the step up to which it is known, and its standard deviation, hertz.
    ///
    /// The phase of a coefficient ρ over N independent values has variance (1 − ρ²)/(2Nρ²) (Rife & Boorstyn 1974, of a
    /// tone in noise; the angle of a mean of products likewise).
    pub fn carrier(&self) -> Option<(f64, f64, f64)> {
        let (hz, step_hz) = (f64::from(self.carrier_hz?), f64::from(self.carrier_step_hz?));
        let lags = [
            (self.lag_3u2, 3.2e-6),
            (self.lag_12u8, 12.8e-6),
            (self.lag_66u7, 1.0 / 15e3),
            (self.lag_33u3, 1.0 / 30e3),
        ];
        let own = |&(_, lag_s): &(Option<Lag>, f64)| (lag_s * step_hz - 1.0).abs() < 0.01;
        let lag = lags.into_iter().find(own)?.0?;
        let (value, threshold) = (f64::from(lag.value), f64::from(lag.threshold));
        let variance = threshold * threshold / THRESHOLD_VARIANCES * (1.0 - value * value).max(0.0)
            / (2.0 * value * value).max(f64::MIN_POSITIVE);
        Some((hz, step_hz, variance.sqrt() * step_hz / std::f64::consts::TAU))
    }

    /// Forgets what is not a finite number: the record is encoded as text, which has no word for it.
    pub(super) fn keep_finite(&mut self) {
        let numbers = [
            &mut self.envelope_cv,
            &mut self.papr_db,
            &mut self.on_fraction,
            &mut self.deviation_hz,
            &mut self.fm_rms_hz,
            &mut self.symbol_rate_hz,
            &mut self.level_error,
            &mut self.level_hz,
            &mut self.modulation_index,
            &mut self.carrier_hz,
            &mut self.carrier_step_hz,
            &mut self.flatness,
            &mut self.shoulder,
            &mut self.chirp_hz_per_s,
            &mut self.chirp_fit,
            &mut self.line_fraction,
        ];
        for number in numbers {
            *number = number.filter(|x| x.is_finite());
        }
        let lags = [
            &mut self.lag_0u8,
            &mut self.lag_1u,
            &mut self.lag_3u2,
            &mut self.lag_12u8,
            &mut self.lag_16u,
            &mut self.lag_66u7,
            &mut self.lag_33u3,
        ];
        for lag in lags {
            *lag = lag.filter(|l| l.value.is_finite() && l.threshold.is_finite());
        }
        let lines =
            [&mut self.symbol_line, &mut self.envelope_line, &mut self.square_line, &mut self.chip_3m84];
        for line in lines {
            *line = line
                .filter(|l| l.rate_hz.is_finite() && l.height_db.is_finite() && l.threshold_db.is_finite());
        }
    }
}
