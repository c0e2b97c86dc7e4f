//! From the raw samples around a detected box to [`Measured`]: channel, spectrum, filter, times, then features, the
//! cheap ones first so that they can spare the dear ones.

use super::channel::{Channel, Channelizer};
use super::hot;
use super::lags::Stretch;
use super::modulation::{Modulation, Piece};
use super::occupied::{Occupied, Spectrometer};
use super::onset::{Onset, Search, quantile};
use super::plans::{LONGEST, Plans};
use super::repetition::Repetition;
use super::{BoxHint, Features, Measured};
use num_complex::Complex32;

/// Samples of the channel per hertz of the box: room for the edges of the filter and for what the box missed.
const OVERSAMPLING: f64 = 3.0;
/// The channel filter passes this times the 99 % bandwidth, and ends its slope at [`FILTER_STOP`] times.
const FILTER_PASS: f64 = 1.1;
/// See [`FILTER_PASS`].
const FILTER_STOP: f64 = 1.5;
/// Samples of the filtered channel per hertz of the 99 % bandwidth, at least.
const KEYING_OVERSAMPLING: f64 = 3.0;
/// However narrow the channel, as many samples are kept of it.
const FEWEST_SAMPLES: usize = 160;
/// A box this many times wider than what is in it is measured again with a narrower one.
const TOO_WIDE: f64 = 2.5;
/// Above this spread the envelope is not constant, and cyclic prefixes are worth looking for.
const CONSTANT_ENVELOPE: f32 = 0.30;

/// Wider than this nothing is keyed in single symbols: Wi-Fi and wide cellular carriers.
const WIDEST_KEYING_HZ: f64 = 6e6;

/// Measures emissions at one sample rate. Everything is planned in `new`; memory grows to its final size during the
/// first measurements and stays.
pub struct Measurer {
    rate_hz: f64,
    plans: Plans,
    channelizer: Channelizer,
    spectrometer: Spectrometer,
    onset: Onset,
    modulation: Modulation,
    repetition: Repetition,
    /// Channel samples before and after the filter.
    wide: Vec<Complex32>,
    narrow: Vec<Complex32>,
    power: Vec<f32>,
    scratch: Vec<f32>,
}

/// The burst in its channel.
#[derive(Debug, Clone, Copy)]
struct View {
    /// Middle of the channel relative to the tuning, hertz.
    center_hz: f64,
    /// Rate of `narrow`.
    rate_hz: f64,
    /// Input samples per sample of `narrow`.
    step: f64,
    /// Input sample that `narrow[0]` is centred on.
    first: f64,
    /// Noise power a sample of `narrow`.
    noise: f64,
    /// Bandwidth of the filter over its rate.
    independent: f64,
    /// What the samples were multiplied by, as a power.
    gain: f64,
    /// The spectrum, relative to `center_hz`.
    occupied: Occupied,
    /// On-time in `narrow`.
    start: f64,
    end: f64,
}

/// What [`Measurer::pass`] made of the channel.
struct Passed {
    /// Rate of `narrow`.
    rate_hz: f64,
    /// Noise bandwidth.
    band_hz: f64,
    /// Channel frequency that became zero: on the grid of the transform.
    shift_hz: f64,
}

impl Measurer {
    /// For samples at `rate_hz`.
    pub fn new(rate_hz: f64) -> Self {
        Self {
            rate_hz: if rate_hz.is_finite() && rate_hz > 0.0 { rate_hz } else { 1.0 },
            plans: Plans::new(),
            channelizer: Channelizer::new(),
            spectrometer: Spectrometer::new(),
            onset: Onset::new(),
            modulation: Modulation::new(),
            repetition: Repetition::new(),
            wide: Vec::with_capacity(LONGEST),
            narrow: Vec::with_capacity(LONGEST),
            power: Vec::with_capacity(LONGEST),
            scratch: Vec::with_capacity(LONGEST),
        }
    }

    /// Measures what `hint` points at in `iq` (full scale 1), over noise of `noise_per_hz` (power a hertz, linear).
    ///
    /// `iq` should begin and end well off the box: twice its slack and a few reciprocal bandwidths. Of a long
    /// emission, as much as fits into 16384 samples of its channel is looked at from its start on, and then its
    /// end. Any input gives finite numbers; what cannot be measured comes back as the hint had it, without
    /// features.
    pub fn measure(&mut self, iq: &[Complex32], hint: &BoxHint, noise_per_hz: f64) -> Measured {
        let hint = self.sane(iq, hint);
        let noise_per_hz = if noise_per_hz.is_finite() { noise_per_hz.clamp(0.0, 1e30) } else { 0.0 };
        let fallback = self.fallback(iq, &hint, noise_per_hz);
        let Some(mut view) = self.view(iq, &hint, noise_per_hz) else { return fallback };
        self.time(&mut view, &hint);
        let start = if hint.cut_start { hint.start as f64 } else { view.input(view.start) };
        let mut end = if hint.cut_end { hint.end as f64 } else { view.input(view.end) };
        let (mut features, offset_hz) = self.features(&view);
        let power = self.on_power(&view) / view.gain;
        if !hint.cut_end && view.input(self.narrow.len() as f64) < (hint.end + 2 * hint.slack) as f64 {
            end = self.far_end(iq, &hint, &view);
        }
        let bandwidth_hz = view.occupied.hi_hz - view.occupied.lo_hz;
        let limit = iq.len() as f64;
        let (start, end) = (start.clamp(0.0, limit), end.clamp(0.0, limit));
        if !(power > 0.0 && power.is_finite() && bandwidth_hz > 0.0 && end > start) {
            return fallback;
        }
        features.keep_finite();
        let noise = noise_per_hz * bandwidth_hz;
        Measured {
            start,
            end,
            offset_hz,
            bandwidth_hz,
            power,
            snr: if noise > 0.0 { (power / noise).min(1e10) } else { 1e10 },
            features,
        }
    }

    /// The hint with its edges in order and inside what there is.
    fn sane(&self, iq: &[Complex32], hint: &BoxHint) -> BoxHint {
        let half = self.rate_hz / 2.0;
        let finite = |hz: f64, other: f64| if hz.is_finite() { hz.clamp(-half, half) } else { other };
        let (a, b) = (finite(hint.lo_hz, -half), finite(hint.hi_hz, half));
        let (lo, hi) = (a.min(b), a.max(b));
        // Nothing is narrower than a millionth of the rate; a line has to have some width.
        let least = self.rate_hz * 1e-6;
        let (lo, hi) = if hi - lo < least { (lo - least / 2.0, lo + least / 2.0) } else { (lo, hi) };
        let end = hint.end.min(iq.len());
        let start = hint.start.min(end);
        BoxHint { start, end, slack: hint.slack.min(iq.len()), lo_hz: lo, hi_hz: hi, ..*hint }
    }

    /// What is said when nothing can be measured: the hint, and the power of all that is in it.
    fn fallback(&self, iq: &[Complex32], hint: &BoxHint, noise_per_hz: f64) -> Measured {
        let inside = &iq[hint.start..hint.end];
        let stride = (inside.len() / 4096).max(1);
        let (mut sum, mut count) = (0.0, 0usize);
        for x in inside.iter().step_by(stride) {
            let p = f64::from(x.re).powi(2) + f64::from(x.im).powi(2);
            sum += if p < 1e30 { p } else { 0.0 };
            count += 1;
        }
        let width = hint.hi_hz - hint.lo_hz;
        let power = (sum / count.max(1) as f64 - noise_per_hz * self.rate_hz).max(1e-30);
        let noise = noise_per_hz * width;
        Measured {
            start: hint.start as f64,
            end: hint.end as f64,
            offset_hz: (hint.lo_hz + hint.hi_hz) / 2.0,
            bandwidth_hz: width,
            power,
            snr: if noise > 0.0 { (power / noise).min(1e10) } else { 1e10 },
            features: Features::default(),
        }
    }

    /// Channel and spectrum of the box, narrowed until it fits what is in it; then the filtered samples.
    fn view(&mut self, iq: &[Complex32], hint: &BoxHint, noise_per_hz: f64) -> Option<View> {
        let (mut lo, mut hi) = (hint.lo_hz, hint.hi_hz);
        let mut last = None;
        for _ in 0..4 {
            let center_hz = (lo + hi) / 2.0;
            let step = self.channel_step(hi - lo);
            let channel = self.extract(iq, hint, center_hz, step, hint.start);
            let rate_hz = self.rate_hz / step as f64;
            let gain = self.normalise()?;
            let from = ((hint.start as f64 - channel.first) / step as f64).max(0.0) as usize;
            let to = (((hint.end as f64 - channel.first) / step as f64).ceil() as usize).min(self.wide.len());
            let found = self.spectrometer.occupied(
                &mut self.plans,
                &self.channelizer,
                step,
                self.wide.get(from..to).unwrap_or(&[]),
                rate_hz,
                noise_per_hz * gain,
                ((lo - hi) / 2.0, (hi - lo) / 2.0),
            );
            let Some(occupied) = found else { break };
            let width = (occupied.hi_hz - occupied.lo_hz).max(occupied.resolution_hz);
            last = Some((channel, center_hz, rate_hz, gain, occupied));
            let narrower = self.rate_hz / (OVERSAMPLING * width * 1.3);
            let enough = (to - from) as f64 * step as f64 / narrower > 192.0;
            if (hi - lo) / width < TOO_WIDE || (narrower as usize) < 2 * step || !enough {
                break;
            }
            let (a, b) = (center_hz + occupied.lo_hz, center_hz + occupied.hi_hz);
            (lo, hi) = ((a + b) / 2.0 - 0.65 * width, (a + b) / 2.0 + 0.65 * width);
        }
        let (channel, center_hz, rate_hz, gain, occupied) = last?;
        Some(self.filter(channel, center_hz, rate_hz, gain, occupied, noise_per_hz, hint))
    }

    /// Channel samples into `wide`, from well before input sample `near` on.
    fn extract(
        &mut self,
        iq: &[Complex32],
        hint: &BoxHint,
        center_hz: f64,
        step: usize,
        near: usize,
    ) -> Channel {
        let margin = 2 * hint.slack + 64 * step;
        let from = (near.saturating_sub(margin)) as i64;
        let to = (hint.end + margin).min(iq.len());
        let count = ((to as i64 - from).max(0) as usize).div_ceil(step).min(LONGEST);
        let shift = center_hz / self.rate_hz;
        self.channelizer.extract(iq, from, step, shift, count, &mut self.wide)
    }

    /// Brings `wide` to mean power 1, so that nothing depends on the scale of the recording. The power gain.
    fn normalise(&mut self) -> Option<f64> {
        let sum: f64 = self.wide.iter().map(|x| f64::from(x.re).powi(2) + f64::from(x.im).powi(2)).sum();
        let mean = sum / self.wide.len().max(1) as f64;
        if !(mean > 1e-60 && mean.is_finite()) {
            return None;
        }
        // In two steps: the factor itself may be out of range.
        let root = mean.sqrt().sqrt();
        let factor = (1.0 / root) as f32;
        self.wide.iter_mut().for_each(|x| *x = *x * factor * factor);
        Some(1.0 / mean)
    }

    /// `narrow` from `wide`: the occupied band and a little beyond, at a rate to match.
    #[allow(clippy::too_many_arguments)]
    fn filter(
        &mut self,
        channel: Channel,
        center_hz: f64,
        rate_hz: f64,
        gain: f64,
        occupied: Occupied,
        noise_per_hz: f64,
        hint: &BoxHint,
    ) -> View {
        let width = (occupied.hi_hz - occupied.lo_hz).max(occupied.resolution_hz);
        let middle = (occupied.hi_hz + occupied.lo_hz) / 2.0;
        let step = self.rate_hz / rate_hz;
        let Passed { rate_hz: narrow_rate, band_hz, shift_hz: shift } = self.pass(rate_hz, middle, width);
        let step = step * rate_hz / narrow_rate;
        let moved = Occupied {
            lo_hz: occupied.lo_hz - shift,
            hi_hz: occupied.hi_hz - shift,
            median_hz: occupied.median_hz - shift,
            centroid_hz: occupied.centroid_hz - shift,
            ..occupied
        };
        View {
            center_hz: center_hz + shift,
            rate_hz: narrow_rate,
            step,
            first: channel.first,
            noise: noise_per_hz * gain * band_hz,
            independent: (band_hz / narrow_rate).min(1.0),
            gain,
            occupied: moved,
            start: boundary(hint.start as f64, channel.first, step),
            end: boundary(hint.end as f64, channel.first, step),
        }
    }

    /// Filters `wide` to `width_hz` around `middle_hz` into `narrow`, or copies it if the signal fills the channel.
    fn pass(&mut self, rate_hz: f64, middle_hz: f64, width_hz: f64) -> Passed {
        let n = self.plans.size_for(self.wide.len());
        let fills = FILTER_STOP * width_hz > 0.9 * rate_hz;
        // Lines at the symbol rate have to be inside, which may need more samples than there were.
        let wanted = (KEYING_OVERSAMPLING * width_hz / rate_hz * n as f64) as usize;
        if self.wide.len() < 32 || (fills && (width_hz > WIDEST_KEYING_HZ || wanted > LONGEST)) {
            self.narrow.clone_from(&self.wide);
            return Passed { rate_hz, band_hz: rate_hz, shift_hz: 0.0 };
        }
        let fewest = self.plans.size_for(FEWEST_SAMPLES * n / self.wide.len()).min(n);
        let kept = self.plans.size_for(wanted).max(fewest);
        let mut spectrum = std::mem::take(&mut self.wide);
        let length = spectrum.len();
        spectrum.resize(n, Complex32::default());
        self.plans.forward(&mut spectrum);
        self.narrow.clear();
        self.narrow.resize(kept, Complex32::default());
        let middle = (middle_hz / rate_hz * n as f64).round() as i64;
        let bins_per_hz = n as f64 / rate_hz;
        let (pass, stop) =
            (FILTER_PASS / 2.0 * width_hz * bins_per_hz, FILTER_STOP / 2.0 * width_hz * bins_per_hz);
        let mut passed = 0.0;
        let reach = (stop.ceil() as i64).min(kept.min(n) as i64 / 2 - 1);
        for k in -reach..=reach {
            let distance = (k as f64).abs();
            let weight = if distance <= pass {
                1.0
            } else {
                let u = ((distance - pass) / (stop - pass).max(1e-9)).min(1.0);
                0.5 + 0.5 * (std::f64::consts::PI * u).cos()
            };
            passed += weight * weight;
            let from = spectrum[(middle + k).rem_euclid(n as i64) as usize];
            self.narrow[k.rem_euclid(kept as i64) as usize] = from * weight as f32;
        }
        self.plans.inverse(&mut self.narrow);
        let scale = 1.0 / n as f32;
        self.narrow.iter_mut().for_each(|x| *x *= scale);
        self.narrow.truncate((length * kept).div_ceil(n).min(kept));
        self.wide = spectrum;
        Passed {
            rate_hz: rate_hz * kept as f64 / n as f64,
            band_hz: passed / bins_per_hz,
            shift_hz: middle as f64 / bins_per_hz,
        }
    }

    /// Start and end by the envelope of `narrow`.
    fn time(&mut self, view: &mut View, hint: &BoxHint) {
        self.power.clear();
        self.power.resize(self.narrow.len(), 0.0);
        hot::powers(&self.narrow, &mut self.power);
        let search = Search {
            start: view.start.max(0.0),
            end: view.end.min(self.narrow.len() as f64),
            slack: hint.slack as f64 / view.step,
            noise: view.noise,
            independent: view.independent,
            find_start: !hint.cut_start,
            find_end: !hint.cut_end && view.end < self.narrow.len() as f64,
        };
        (view.start, view.end) = self.onset.find(&self.power, &search);
    }

    /// Mean power of `narrow` while on, noise taken off.
    fn on_power(&self, view: &View) -> f64 {
        let on = view.on(&self.narrow, 0.0);
        let sum: f64 = on.iter().map(|x| f64::from(x.norm_sqr())).sum();
        sum / on.len().max(1) as f64 - view.noise
    }

    /// End of an emission that did not fit: the same channel once more, around where the hint ends.
    fn far_end(&mut self, iq: &[Complex32], hint: &BoxHint, view: &View) -> f64 {
        let width = view.occupied.hi_hz - view.occupied.lo_hz;
        let step = self.channel_step(width);
        let near = hint.end.saturating_sub(2 * hint.slack + 512 * step);
        let channel = self.extract(iq, hint, view.center_hz, step, near);
        let factor = view.gain.sqrt() as f32;
        self.wide.iter_mut().for_each(|x| *x *= factor);
        let rate_hz = self.pass(self.rate_hz / step as f64, 0.0, width).rate_hz;
        let step = self.rate_hz / rate_hz;
        self.power.clear();
        self.power.resize(self.narrow.len(), 0.0);
        hot::powers(&self.narrow, &mut self.power);
        self.onset.length = ((self.onset.length as f64 * rate_hz / view.rate_hz).round() as usize).max(1);
        let end = boundary(hint.end as f64, channel.first, step);
        match self.onset.find_end(&self.power, end, hint.slack as f64 / step) {
            Some(end) => input(end, channel.first, step),
            None => hint.end as f64,
        }
    }

    /// Raw samples per channel sample for a signal `width` hertz wide.
    fn channel_step(&self, width: f64) -> usize {
        // Factors beyond a million are for widths that no detector gives.
        ((self.rate_hz / (OVERSAMPLING * width.max(1e-9))) as usize).clamp(1, 1 << 20)
    }

    /// Everything but times and power; and the best estimate of the centre, hertz from the tuning.
    fn features(&mut self, view: &View) -> (Features, f64) {
        let mut features = Features::default();
        let occupied = view.occupied;
        let width = occupied.hi_hz - occupied.lo_hz;
        let mut center = (occupied.lo_hz + occupied.hi_hz) / 2.0;
        features.flatness = Some(occupied.flatness as f32);
        features.shoulder = Some((occupied.six_db_hz / width).min(1.0) as f32);
        features.line_fraction = Some(occupied.peak_share as f32);
        if let Some((on, pulses)) = self.onset.pulses(view.start, view.end, view.noise, view.rate_hz) {
            features.on_fraction = Some(on as f32);
            features.pulses = Some(pulses);
        }
        self.envelope(view, &mut features);
        let constant = features.envelope_cv.is_some_and(|cv| cv < CONSTANT_ENVELOPE);
        if width < WIDEST_KEYING_HZ {
            let (a, b) = view.on_range(self.narrow.len(), (self.onset.length / 2) as f64);
            let piece = Piece {
                samples: &self.narrow[a..b],
                power: &self.power[a..b],
                least_power: 0.2 * self.onset.on_power,
                rate_hz: view.rate_hz,
                width_hz: width,
                constant,
            };
            center = self.modulation.measure(&mut self.plans, &piece, center, &mut features);
        }
        let stretch = Stretch {
            samples: view.on(&self.narrow, 0.0),
            rate_hz: view.rate_hz,
            effective_hz: occupied.effective_hz.min(width.max(occupied.resolution_hz)),
        };
        self.repetition.measure(&stretch, width, constant, view.center_hz, &mut features);
        (features, view.center_hz + center)
    }

    /// Spread and peak of the amplitude.
    fn envelope(&mut self, view: &View, features: &mut Features) {
        let edge = (self.onset.length as f64).min((view.end - view.start) * 0.1);
        let (a, b) = view.on_range(self.power.len(), edge);
        let power = &self.power[a..b];
        if power.len() < 32 {
            return;
        }
        let n = power.len() as f64;
        let (sum, squares) =
            power.iter().fold((0f64, 0f64), |(s, q), &p| (s + f64::from(p), q + f64::from(p) * f64::from(p)));
        let (mean, square) = (sum / n, squares / n);
        // E|s+n|⁴ = E|s|⁴ + 4·E|s|²·N + 2·N² for circular noise of power N.
        let signal = mean - view.noise;
        if signal <= 0.1 * view.noise {
            return;
        }
        let fourth = square - 4.0 * signal * view.noise - 2.0 * view.noise * view.noise;
        let excess = (fourth / (signal * signal) - 1.0).max(0.0);
        // Nakagami envelopes: kurtosis 1+1/m, cv² = mΓ(m)²/Γ(m+½)² − 1 ≈ (1/m)/4·(1 + 0.092/m), exact at 0 and 1.
        features.envelope_cv = Some((0.25 * excess * (1.0 + 0.092 * excess)).sqrt() as f32);
        let peak = quantile(&mut self.scratch, power, 0.999, f32::NEG_INFINITY, 4096);
        features.papr_db = Some(10.0 * (f64::from(peak) / mean).max(1e-3).log10() as f32);
    }
}

impl View {
    /// Input index of a sample boundary of `narrow`.
    fn input(&self, boundary: f64) -> f64 {
        input(boundary, self.first, self.step)
    }

    fn on_range(&self, n: usize, edge: f64) -> (usize, usize) {
        let a = (self.start + edge).clamp(0.0, n as f64).ceil() as usize;
        let b = (self.end - edge).clamp(0.0, n as f64) as usize;
        (a.min(b), b)
    }

    fn on<'a, T>(&self, samples: &'a [T], edge: f64) -> &'a [T] {
        let (a, b) = self.on_range(samples.len(), edge);
        &samples[a..b]
    }
}

/// Input index that a sample boundary of a channel lies at: sample `k` of the channel is centred on input sample
/// `first + k·step`.
fn input(boundary: f64, first: f64, step: f64) -> f64 {
    first + (boundary - 0.5) * step + 0.5
}

/// The reverse of [`input`].
fn boundary(input: f64, first: f64, step: f64) -> f64 {
    (input - 0.5 - first) / step + 0.5
}
