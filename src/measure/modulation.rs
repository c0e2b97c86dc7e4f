//! How it is keyed: instantaneous frequency, symbol rates, levels, chirps.

use super::chirp::{Chirp, Dechirper};
use super::hot;
use super::levels::Slicer;
use super::lines::Lines;
use super::onset::quantile;
use super::plans::{LONGEST, Plans};
use super::{Features, Line};
use num_complex::Complex32;
use std::f64::consts::TAU;

/// Samples looked at, at most: of slow signals more, whose symbols are few and whose shaping is tight.
const SAMPLES: [usize; 2] = [4096, 8192];
/// Slow is narrower than this, hertz.
const SLOW_HZ: f64 = 50e3;
/// Values that quantiles of the frequency are taken from.
const QUANTILE_VALUES: usize = 1024;
/// Fewest symbols that a line is looked for in.
const FEWEST_SYMBOLS: f64 = 24.0;
/// Symbols (at a rate equal to the bandwidth) that the symbol-rate line is looked for in: more cost more than they
/// add.
const SYMBOLS: f64 = 600.0;
/// How far about half of the symbol rate a signal still repeats itself, over the rate: Gaussian pulses over a wide
/// range, the root raised cosines of land mobile radio (α = 0.2) over their roll-off.
const REACH: [f64; 2] = [0.25, 0.1];
/// Symbol rates that levels are looked for at when no line stands, because few symbols or small deviation hide it:
/// land mobile radio (ETSI TS 102 361-1, ETSI TS 102 658, TIA-102.BAAA: 4800 and 2400), Bluetooth and its
/// neighbours (Core vol 6 A 3.1: 1 M and 2 M), DECT (ETSI EN 300 175-2 5.1: 1.152 M). Hertz.
const KNOWN_HZ: [f64; 5] = [2400.0, 4800.0, 1e6, 1.152e6, 2e6];
/// Symbol rate over bandwidth of those.
const KNOWN_SHARE: std::ops::Range<f64> = 0.5..1.35;
/// WCDMA is looked for in this range of bandwidths, hertz (3GPP TS 25.101 6.6.1: less than 5 MHz).
const WCDMA_WIDTH_HZ: std::ops::Range<f64> = 3.5e6..5.5e6;
/// Chip rate (3GPP TS 25.213 4.1), hertz.
const WCDMA_CHIP_HZ: f64 = 3.84e6;
/// Least product of time and bandwidth of a chirp: below, voice may pass for one.
const LEAST_CHIRPED: f64 = 256.0;
/// The same for what the detector saw sweep.
const LEAST_SWEPT: f64 = 64.0;
/// Widest chirp looked for, hertz (LoRa at 2.4 GHz: 1.625 MHz).
const WIDEST_CHIRP_HZ: f64 = 2.5e6;

/// The on-time of a burst in its channel.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// Samples of the channel.
    pub samples: &'a [Complex32],
    /// Their power.
    pub power: &'a [f32],
    /// Samples below have no phase worth looking at.
    pub least_power: f32,
    /// Rate of the samples.
    pub rate_hz: f64,
    /// 99 % bandwidth.
    pub width_hz: f64,
    /// Whether the envelope is constant.
    pub constant: bool,
    /// Whether the detector saw it move.
    pub sweeps: bool,
}

/// Measures keying; keeps its memory.
pub struct Modulation {
    frequency: Vec<f32>,
    /// Frequencies where there is power.
    sounding: Vec<f32>,
    chosen: Vec<f32>,
    lines: Lines,
    slicer: Slicer,
    dechirper: Dechirper,
}

impl Modulation {
    /// With its memory.
    pub fn new() -> Self {
        Self {
            frequency: Vec::with_capacity(LONGEST),
            sounding: Vec::with_capacity(LONGEST),
            chosen: Vec::with_capacity(LONGEST),
            lines: Lines::new(),
            slicer: Slicer::new(),
            dechirper: Dechirper::new(),
        }
    }

    /// Fills in what can be told, and improves on the centre, hertz from the channel's zero.
    pub fn measure(
        &mut self,
        plans: &mut Plans,
        piece: &Piece,
        spectral_center_hz: f64,
        features: &mut Features,
    ) -> f64 {
        let n = piece.samples.len().min(SAMPLES[usize::from(piece.width_hz < SLOW_HZ)]);
        if n < 48 {
            return spectral_center_hz;
        }
        let piece = Piece { samples: &piece.samples[..n], power: &piece.power[..n], ..*piece };
        self.frequency.clear();
        self.frequency.resize(n - 1, 0.0);
        hot::phase_steps(piece.samples, &mut self.frequency);
        self.statistics(&piece, features);
        self.clip(&piece, spectral_center_hz);
        self.symbol_lines(plans, &piece, features);
        if !piece.constant {
            features.fsk_levels = Some(0);
            return spectral_center_hz;
        }
        let by_square = self.square(plans, &piece, features);
        let by_levels = self.levels(&piece, features);
        let duration_s = n as f64 / piece.rate_hz;
        let keyed = by_levels.is_some() || by_square.is_some();
        let least = if piece.sweeps { LEAST_SWEPT } else { LEAST_CHIRPED };
        let is_long = duration_s * piece.width_hz > least;
        if (piece.sweeps || !keyed) && is_long && piece.width_hz < WIDEST_CHIRP_HZ {
            let chirp = self.chirp(plans, &piece);
            features.chirp_hz_per_s = chirp.map(|chirp| chirp.slope_hz_per_s as f32);
            features.chirp_fit = chirp.map(|chirp| chirp.fit as f32);
        }
        by_levels.or(by_square).unwrap_or(spectral_center_hz)
    }

    /// The chirp that it is; what is known to sweep may turn in the middle.
    fn chirp(&mut self, plans: &mut Plans, piece: &Piece) -> Option<Chirp> {
        let half = piece.samples.len() / 2;
        let parts = [piece.samples, &piece.samples[..half], &piece.samples[half..]];
        let parts = &parts[..if piece.sweeps { 3 } else { 1 }];
        let chirps =
            parts.iter().filter_map(|part| self.dechirper.chirp(plans, part, piece.rate_hz, piece.width_hz));
        chirps.max_by(|a, b| a.fit.total_cmp(&b.fit))
    }

    /// Spread of the instantaneous frequency where there is power.
    fn statistics(&mut self, piece: &Piece, features: &mut Features) {
        let to_hz = piece.rate_hz / TAU;
        let (mut sum, mut squares) = (0.0, 0.0);
        self.sounding.clear();
        for (f, p) in self.frequency.iter().zip(piece.power) {
            if *p > piece.least_power {
                sum += f64::from(*f);
                squares += f64::from(*f) * f64::from(*f);
                self.sounding.push(*f);
            }
        }
        let count = self.sounding.len();
        if count < 32 {
            return;
        }
        let mean = sum / count as f64;
        features.fm_rms_hz = Some(((squares / count as f64 - mean * mean).max(0.0).sqrt() * to_hz) as f32);
        let low = quantile(&mut self.chosen, &self.sounding, 0.05, f32::NEG_INFINITY, QUANTILE_VALUES);
        let high = quantile(&mut self.chosen, &self.sounding, 0.95, f32::NEG_INFINITY, QUANTILE_VALUES);
        features.deviation_hz = Some((f64::from(high - low) / 2.0 * to_hz) as f32);
    }

    /// Clicks of the discriminator are no symbols: keeps the frequency to what the band allows.
    fn clip(&mut self, piece: &Piece, center_hz: f64) {
        let per_hz = TAU / piece.rate_hz;
        let (middle, limit) = ((center_hz * per_hz) as f32, (0.75 * piece.width_hz * per_hz) as f32);
        self.frequency.iter_mut().for_each(|f| *f = f.clamp(middle - limit, middle + limit));
    }

    fn symbol_lines(&mut self, plans: &mut Plans, piece: &Piece, features: &mut Features) {
        let width = piece.width_hz;
        let duration_s = piece.samples.len() as f64 / piece.rate_hz;
        let slowest = (FEWEST_SYMBOLS / duration_s).max(0.02 * width);
        let fastest = (1.5 * width).min(0.49 * piece.rate_hz);
        let most = ((SYMBOLS / width * piece.rate_hz) as usize).min(self.frequency.len());
        let reach = REACH[usize::from(width < SLOW_HZ)];
        let frequency = &self.frequency[..most];
        features.symbol_line = self.lines.cyclic(plans, piece.rate_hz, frequency, (slowest, fastest), reach);
        self.lines.transform(plans, piece.rate_hz, piece.power);
        // Linear modulations occupy the symbol rate and its roll-off.
        features.envelope_line =
            self.lines.strongest_real(slowest.max(0.3 * width), (1.2 * width).min(fastest));
        if WCDMA_WIDTH_HZ.contains(&width) {
            // Within the 20 ppm of a commodity receiver, with room.
            features.chip_3m84 = self.lines.strongest_real(WCDMA_CHIP_HZ * 0.9995, WCDMA_CHIP_HZ * 1.0005);
        }
    }

    /// Minimum-shift keying: its rate, and its carrier if the lines stand.
    fn square(&mut self, plans: &mut Plans, piece: &Piece, features: &mut Features) -> Option<f64> {
        // The square is twice as wide and has to fit.
        if piece.width_hz / piece.rate_hz >= 0.5 {
            return None;
        }
        let (from, to) = (0.5 * piece.width_hz, 1.5 * piece.width_hz);
        let (line, carrier_hz) = self.lines.pair_of_square(plans, piece.rate_hz, piece.samples, from, to)?;
        features.square_line = Some(line);
        line.stands().then_some(carrier_hz)
    }

    /// Levels, and the carrier in their middle.
    fn levels(&mut self, piece: &Piece, features: &mut Features) -> Option<f64> {
        features.fsk_levels = Some(0);
        let rate_of = |line: Option<Line>| line.filter(Line::stands).map(|line| f64::from(line.rate_hz));
        let known = KNOWN_HZ.iter().copied().filter(|rate| KNOWN_SHARE.contains(&(rate / piece.width_hz)));
        let (rate_hz, levels) = if let Some(rate) = rate_of(features.symbol_line) {
            (rate, self.slicer.levels(&self.frequency, piece.rate_hz, rate, &[2, 4])?)
        } else if let Some(rate) = rate_of(features.square_line) {
            // Minimum-shift keying has two.
            (rate, self.slicer.levels(&self.frequency, piece.rate_hz, rate, &[2])?)
        } else {
            known
                .filter_map(|rate| {
                    Some((rate, self.slicer.levels(&self.frequency, piece.rate_hz, rate, &[2, 4])?))
                })
                .min_by(|a, b| a.1.error.total_cmp(&b.1.error))?
        };
        let to_hz = piece.rate_hz / TAU;
        let outermost = levels.outermost * to_hz;
        features.fsk_levels = Some(levels.count);
        features.level_error = Some(levels.error as f32);
        features.level_hz = Some(outermost as f32);
        features.symbol_rate_hz = Some(rate_hz as f32);
        features.modulation_index = Some((2.0 * outermost / rate_hz) as f32);
        Some(levels.middle * to_hz)
    }
}
