//! Two steps to a channel: raw samples to `wide` (shifted, decimated by a whole factor, with room around), then to
//! `narrow` (exactly the occupied band, at a rate that suits it).

use super::channel::{Channel, Channelizer, MOST_STEP};
use super::plans::{LONGEST, Plans};
use num_complex::Complex32;
use std::f64::consts::PI;
use std::ops::Range;

/// Samples of `wide` per hertz of the box: room for the edges of the filter and for what the box missed.
const OVERSAMPLING: f64 = 3.0;
/// The filter to `narrow` passes this times the width, and ends its slope at [`FILTER_STOP`] times.
const FILTER_PASS: f64 = 1.1;
/// See [`FILTER_PASS`].
const FILTER_STOP: f64 = 1.5;
/// Samples of `narrow` per hertz of the width, at least: lines at the symbol rate have to be inside.
const KEYING_OVERSAMPLING: f64 = 3.0;
/// However narrow the channel, as many samples are kept of it.
const FEWEST_SAMPLES: usize = 160;
/// Wider than this nothing is keyed in single symbols, hertz: Wi-Fi and wide cellular carriers.
pub const WIDEST_KEYING_HZ: f64 = 6e6;

/// Holds the samples of a channel and what makes them.
pub struct Tuner {
    /// Rate of the raw samples.
    pub rate_hz: f64,
    /// Transforms of all sizes.
    pub plans: Plans,
    /// Response of the filter that made `wide`.
    pub channelizer: Channelizer,
    /// The channel with room around.
    pub wide: Vec<Complex32>,
    /// The occupied band.
    pub narrow: Vec<Complex32>,
}

/// What [`Tuner::pass`] made of the channel.
#[derive(Debug, Clone, Copy)]
pub struct Passed {
    /// Rate of `narrow`.
    pub rate_hz: f64,
    /// Noise bandwidth.
    pub band_hz: f64,
    /// Frequency of `wide` that became zero: on the grid of the transform.
    pub shift_hz: f64,
}

impl Tuner {
    /// For raw samples at `rate_hz`.
    pub fn new(rate_hz: f64) -> Self {
        Self {
            rate_hz: if rate_hz.is_finite() && rate_hz > 0.0 { rate_hz } else { 1.0 },
            plans: Plans::new(),
            channelizer: Channelizer::new(),
            wide: Vec::with_capacity(LONGEST),
            narrow: Vec::with_capacity(2 * LONGEST),
        }
    }

    /// Raw samples per sample of `wide` for a signal `width` hertz wide.
    pub fn step(&self, width: f64) -> usize {
        ((self.rate_hz / (OVERSAMPLING * width.max(1e-9))) as usize).clamp(1, MOST_STEP)
    }

    /// `wide` from as many of the raw samples in `range` as fit.
    pub fn extract(&mut self, iq: &[Complex32], range: Range<usize>, center_hz: f64, step: usize) -> Channel {
        let to = range.end.min(iq.len());
        let count = to.saturating_sub(range.start).div_ceil(step).min(LONGEST);
        let shift = center_hz / self.rate_hz;
        self.channelizer.extract(iq, range.start as i64, step, shift, count, &mut self.wide)
    }

    /// Brings `wide` to mean power 1, so that nothing depends on the scale of the recording. The power gain; `None`
    /// if there is no power.
    pub fn normalise(&mut self) -> Option<f64> {
        let sum: f64 = self.wide.iter().map(|x| f64::from(x.re).powi(2) + f64::from(x.im).powi(2)).sum();
        let mean = sum / self.wide.len().max(1) as f64;
        if !(1e-50..1e50).contains(&mean) {
            return None;
        }
        self.scale(1.0 / mean);
        Some(1.0 / mean)
    }

    /// Applies a power gain to `wide`.
    pub fn scale(&mut self, gain: f64) {
        // In two steps: the factor itself may be out of range.
        let factor = gain.sqrt().sqrt() as f32;
        self.wide.iter_mut().for_each(|x| *x = *x * factor * factor);
    }

    /// Filters `wide`, at `rate_hz`, to `width_hz` around `middle_hz` into `narrow`, or copies it if the signal fills
    /// it anyway and is no keyed one.
    pub fn pass(&mut self, rate_hz: f64, middle_hz: f64, width_hz: f64) -> Passed {
        let n = self.plans.size_for(self.wide.len());
        let fills = FILTER_STOP * width_hz > 0.9 * rate_hz;
        let wanted = (KEYING_OVERSAMPLING * width_hz / rate_hz * n as f64) as usize;
        if self.wide.len() < 32 || (fills && (width_hz > WIDEST_KEYING_HZ || wanted > LONGEST)) {
            self.narrow.clone_from(&self.wide);
            return Passed { rate_hz, band_hz: rate_hz, shift_hz: 0.0 };
        }
        let fewest = self.plans.size_for(FEWEST_SAMPLES * n / self.wide.len()).min(n);
        let kept = self.plans.size_for(wanted).max(fewest);
        let length = self.wide.len();
        self.wide.resize(n, Complex32::default());
        self.plans.forward(&mut self.wide);
        let bins_per_hz = n as f64 / rate_hz;
        let middle = (middle_hz * bins_per_hz).round() as i64;
        let passed = self.select(middle, width_hz * bins_per_hz, kept);
        self.plans.inverse(&mut self.narrow);
        self.narrow.truncate((length * kept).div_ceil(n).min(kept));
        Passed {
            rate_hz: rate_hz * kept as f64 / n as f64,
            band_hz: passed / bins_per_hz,
            shift_hz: middle as f64 / bins_per_hz,
        }
    }

    /// `width` bins of the spectrum in `wide` around bin `middle` to `kept` bins of `narrow` around zero. Noise
    /// bandwidth in bins.
    fn select(&mut self, middle: i64, width: f64, kept: usize) -> f64 {
        let n = self.wide.len();
        self.narrow.clear();
        self.narrow.resize(kept, Complex32::default());
        let (pass, stop) = (FILTER_PASS / 2.0 * width, FILTER_STOP / 2.0 * width);
        let reach = (stop.ceil() as i64).min(kept.min(n) as i64 / 2 - 1);
        let mut passed = 0.0;
        for k in -reach..=reach {
            let beyond = (k.abs() as f64 - pass) / (stop - pass).max(1e-9);
            let weight = if beyond <= 0.0 { 1.0 } else { 0.5 + 0.5 * (PI * beyond.min(1.0)).cos() };
            passed += weight * weight;
            let from = self.wide[(middle + k).rem_euclid(n as i64) as usize];
            self.narrow[k.rem_euclid(kept as i64) as usize] = from * (weight / n as f64) as f32;
        }
        passed
    }
}
