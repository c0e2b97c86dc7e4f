//! From the raw samples around a detected box to [`Measured`]: channel, spectrum, filter, times, then features, the
//! cheap ones first so that they can spare the dear ones.

use super::channel::Channel;
use super::hot;
use super::lags::Stretch;
use super::modulation::{Modulation, Piece};
use super::occupied::{Band, Occupied, Spectrometer};
use super::onset::{Edge, Onset, Search, quantile};
use super::plans::LONGEST;
use super::repetition::Repetition;
use super::tuner::{Passed, Tuner, WIDEST_KEYING_HZ};
use super::{BoxHint, Features, Measured};
use num_complex::Complex32;

/// A box this many times wider than what is in it is measured again with a narrower one.
const TOO_WIDE: f64 = 2.5;
/// ... unless that leaves fewer samples of the on-time than this.
const FEWEST_SAMPLES: f64 = 192.0;
/// Time within which the envelope is compared with its mean, seconds: no one who walks fades as fast (a few hertz).
const ENVELOPE_PIECE_S: f64 = 10e-3;
/// Samples of the channel, at least, for that: a third of them are independent.
const ENVELOPE_PIECE: usize = 128;
/// Above this spread the envelope is not constant, and cyclic prefixes are worth looking for.
const CONSTANT_ENVELOPE: f32 = 0.30;
/// Power over noise in the whole box from which times are taken there rather than in the narrower band.
const SHARP: f64 = 10.0;

/// Measures emissions at one sample rate. Everything is planned and reserved in `new`.
pub struct Measurer {
    tuner: Tuner,
    spectrometer: Spectrometer,
    onset: Onset,
    modulation: Modulation,
    repetition: Repetition,
    power: Vec<f32>,
    scratch: Vec<f32>,
}

/// A channel and the spectrum in it.
#[derive(Debug, Clone, Copy)]
struct Tuned {
    channel: Channel,
    /// Middle of the channel relative to the tuning, hertz.
    center_hz: f64,
    /// Power that the samples were multiplied by.
    gain: f64,
    /// Relative to `center_hz`.
    occupied: Occupied,
}

/// The burst in its channel.
#[derive(Debug, Clone, Copy)]
struct View {
    /// Middle of the channel relative to the tuning, hertz.
    center_hz: f64,
    /// Rate of the narrow samples.
    rate_hz: f64,
    /// Raw samples per narrow sample.
    step: f64,
    /// Raw sample that the first narrow sample is centred on.
    first: f64,
    /// Noise power a narrow sample.
    noise: f64,
    /// Bandwidth of the filter over its rate.
    independent: f64,
    /// Power that the samples were multiplied by.
    gain: f64,
    /// The spectrum, relative to `center_hz`.
    occupied: Occupied,
    /// On-time in narrow samples.
    start: f64,
    end: f64,
}

impl Measurer {
    /// For samples at `rate_hz`.
    pub fn new(rate_hz: f64) -> Self {
        Self {
            tuner: Tuner::new(rate_hz),
            spectrometer: Spectrometer::new(),
            onset: Onset::new(),
            modulation: Modulation::new(),
            repetition: Repetition::new(),
            power: Vec::with_capacity(2 * LONGEST),
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
        let Some(tuned) = self.tune(iq, &hint, noise_per_hz) else {
            return self.fallback(iq, &hint, noise_per_hz);
        };
        let mut view = self.filter(&tuned, noise_per_hz, &hint);
        self.time(&mut view, &hint);
        let (mut features, offset_hz) = self.features(&view, &hint);
        let power = self.on_power(&view) / view.gain;
        let bandwidth_hz = view.occupied.hi_hz - view.occupied.lo_hz;
        if !(power > 0.0 && power.is_finite() && bandwidth_hz > 0.0) {
            return self.fallback(iq, &hint, noise_per_hz);
        }
        let (start, end) = self.edges(iq, &hint, &view, power, noise_per_hz);
        if end <= start {
            return self.fallback(iq, &hint, noise_per_hz);
        }
        features.keep_finite();
        let snr = snr(power, noise_per_hz * bandwidth_hz);
        let (offset_hz, bandwidth_hz) = if hint.sweeps {
            ((hint.lo_hz + hint.hi_hz) / 2.0, hint.hi_hz - hint.lo_hz)
        } else {
            (offset_hz, bandwidth_hz)
        };
        Measured { start, end, offset_hz, bandwidth_hz, power, snr, features }
    }

    /// The hint with its edges in order and inside what there is.
    fn sane(&self, iq: &[Complex32], hint: &BoxHint) -> BoxHint {
        let half = self.tuner.rate_hz / 2.0;
        let finite = |hz: f64, other: f64| if hz.is_finite() { hz.clamp(-half, half) } else { other };
        let (a, b) = (finite(hint.lo_hz, -half), finite(hint.hi_hz, half));
        let (lo, hi) = (a.min(b), a.max(b));
        // Nothing is narrower than a millionth of the rate; a line has to have some width.
        let least = self.tuner.rate_hz * 1e-6;
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
        let power = (sum / count.max(1) as f64 - noise_per_hz * self.tuner.rate_hz).max(1e-30);
        let noise = noise_per_hz * width;
        Measured {
            start: hint.start as f64,
            end: hint.end as f64,
            offset_hz: (hint.lo_hz + hint.hi_hz) / 2.0,
            bandwidth_hz: width,
            power,
            snr: snr(power, noise),
            features: Features::default(),
        }
    }

    /// Channel and spectrum of the box, narrowed until it fits what is in it.
    fn tune(&mut self, iq: &[Complex32], hint: &BoxHint, noise_per_hz: f64) -> Option<Tuned> {
        let mut best = self.look(iq, hint, (hint.lo_hz, hint.hi_hz), noise_per_hz)?;
        // What sweeps would leave a closer channel.
        let rounds = if hint.sweeps { 0 } else { 3 };
        for _ in 0..rounds {
            let width = best.occupied.width_hz();
            let now_hz = self.tuner.rate_hz / best.channel.step as f64;
            let middle = best.center_hz + (best.occupied.lo_hz + best.occupied.hi_hz) / 2.0;
            // The channel of 1.3 times the band, and how much of the burst would be left of it.
            let step = self.tuner.step(1.3 * width);
            let left = (hint.end - hint.start) as f64 / step as f64;
            if now_hz < TOO_WIDE * 3.0 * width || step < 2 * best.channel.step || left < FEWEST_SAMPLES {
                break;
            }
            let found = self.look(iq, hint, (middle - 0.65 * width, middle + 0.65 * width), noise_per_hz);
            let Some(closer) = found else {
                // Nothing in there after all: back to what was.
                let (from, to) = self.reach(hint, hint.start, hint.end, best.channel.step);
                self.tuner.extract(iq, from..to, best.center_hz, best.channel.step);
                self.tuner.scale(best.gain);
                break;
            };
            best = closer;
        }
        Some(best)
    }

    /// Raw samples that belong to `start..end` with room for slack and filters.
    fn reach(&self, hint: &BoxHint, start: usize, end: usize, step: usize) -> (usize, usize) {
        let margin = 2 * hint.slack + 64 * step;
        (start.saturating_sub(margin), end.saturating_add(margin))
    }

    /// One channel and the spectrum in it.
    fn look(
        &mut self,
        iq: &[Complex32],
        hint: &BoxHint,
        (lo_hz, hi_hz): (f64, f64),
        noise_per_hz: f64,
    ) -> Option<Tuned> {
        let center_hz = (lo_hz + hi_hz) / 2.0;
        let step = self.tuner.step(hi_hz - lo_hz);
        let (from, to) = self.reach(hint, hint.start, hint.end, step);
        let channel = self.tuner.extract(iq, from..to, center_hz, step);
        let gain = self.tuner.normalise()?;
        let index = |raw: usize| ((raw as f64 - channel.first) / step as f64).max(0.0);
        let wide = &self.tuner.wide;
        let (a, b) = (index(hint.start) as usize, (index(hint.end).ceil() as usize).min(wide.len()));
        let band = Band {
            rate_hz: self.tuner.rate_hz / step as f64,
            step,
            lo_hz: lo_hz - center_hz,
            hi_hz: hi_hz - center_hz,
            noise_per_hz: noise_per_hz * gain,
        };
        let (plans, channelizer) = (&mut self.tuner.plans, &self.tuner.channelizer);
        let occupied = self.spectrometer.occupied(plans, channelizer, wide, a.min(b)..b, &band)?;
        Some(Tuned { channel, center_hz, gain, occupied })
    }

    /// The occupied band alone.
    fn filter(&mut self, tuned: &Tuned, noise_per_hz: f64, hint: &BoxHint) -> View {
        let Tuned { channel, center_hz, gain, occupied } = *tuned;
        let middle = (occupied.hi_hz + occupied.lo_hz) / 2.0;
        let wide_hz = self.tuner.rate_hz / channel.step as f64;
        let Passed { rate_hz, band_hz, shift_hz } = self.tuner.pass(wide_hz, middle, occupied.width_hz());
        self.note_power();
        let step = self.tuner.rate_hz / rate_hz;
        View {
            center_hz: center_hz + shift_hz,
            rate_hz,
            step,
            first: channel.first,
            noise: noise_per_hz * gain * band_hz,
            independent: (band_hz / rate_hz).min(1.0),
            gain,
            occupied: Occupied {
                lo_hz: occupied.lo_hz - shift_hz,
                hi_hz: occupied.hi_hz - shift_hz,
                ..occupied
            },
            start: boundary(hint.start as f64, channel.first, step),
            end: boundary(hint.end as f64, channel.first, step),
        }
    }

    /// Power of the narrow samples.
    fn note_power(&mut self) {
        self.power.clear();
        self.power.resize(self.tuner.narrow.len(), 0.0);
        hot::powers(&self.tuner.narrow, &mut self.power);
    }

    /// Start and end by the envelope of the narrow samples.
    fn time(&mut self, view: &mut View, hint: &BoxHint) {
        let n = self.power.len() as f64;
        let search = Search {
            start: view.start.max(0.0),
            end: view.end.min(n),
            slack: hint.slack as f64 / view.step,
            noise: view.noise,
            independent: view.independent,
            find_start: !hint.cut_start,
            find_end: !hint.cut_end && view.end < n,
        };
        (view.start, view.end) = self.onset.find(&self.power, &search);
    }

    /// Mean power of the narrow samples while on, noise taken off.
    fn on_power(&self, view: &View) -> f64 {
        let on = view.on(&self.power, 0.0);
        hot::moments(on).0 / on.len().max(1) as f64 - view.noise
    }

    /// Start and end in raw samples: as the narrow samples have them; of what did not fit, the end apart; of what is
    /// far narrower than its box, from all of the box, which resolves time better.
    fn edges(
        &mut self,
        iq: &[Complex32],
        hint: &BoxHint,
        view: &View,
        power: f64,
        noise_per_hz: f64,
    ) -> (f64, f64) {
        let (mut start, mut end) = (view.input(view.start), view.input(view.end));
        let all_hz = hint.hi_hz - hint.lo_hz;
        let width_hz = view.occupied.width_hz();
        // The widest band about it in which its edges still stand out.
        let clear_hz = all_hz.min(power / (SHARP * noise_per_hz).max(f64::MIN_POSITIVE));
        let sharp = clear_hz > 4.0 * width_hz;
        let fits = view.input(self.power.len() as f64) >= (hint.end + 2 * hint.slack).min(iq.len()) as f64;
        let edge = |near, rising| Edge { near, rising, slack: hint.slack as f64, smoothed: 0.0 };
        let (lowest_hz, highest_hz) = (hint.lo_hz + clear_hz / 2.0, hint.hi_hz - clear_hz / 2.0);
        let middle_hz = view.center_hz.min(highest_hz).max(lowest_hz);
        let smoothed = self.onset.length as f64 * view.step;
        if hint.cut_start {
            start = hint.start as f64;
        } else if sharp {
            let wanted = edge(start, true);
            start = self.edge(iq, &wanted, (middle_hz, clear_hz), power, noise_per_hz).unwrap_or(start);
        }
        if hint.cut_end {
            end = hint.end as f64;
        } else if sharp {
            let near = if fits { end } else { hint.end as f64 };
            let wanted = edge(near, false);
            end = self.edge(iq, &wanted, (middle_hz, clear_hz), power, noise_per_hz).unwrap_or(near);
        } else if !fits {
            let near = hint.end as f64;
            let wanted = Edge { smoothed, ..edge(near, false) };
            end = self.edge(iq, &wanted, (view.center_hz, width_hz), power, noise_per_hz).unwrap_or(near);
        }
        let limit = iq.len() as f64;
        (start.clamp(0.0, limit), end.clamp(0.0, limit))
    }

    /// One edge in raw samples, looked for in a band of its own.
    fn edge(
        &mut self,
        iq: &[Complex32],
        wanted: &Edge,
        (center_hz, width_hz): (f64, f64),
        power: f64,
        noise_per_hz: f64,
    ) -> Option<f64> {
        let step = self.tuner.step(width_hz);
        let reach = 2 * wanted.slack as usize + 2 * wanted.smoothed as usize + 256 * step;
        let near = wanted.near.max(0.0) as usize;
        let range = near.saturating_sub(reach)..near + reach;
        let channel = self.tuner.extract(iq, range, center_hz, step);
        self.tuner.scale(1.0 / power);
        let wide_hz = self.tuner.rate_hz / step as f64;
        let Passed { rate_hz, band_hz, .. } = self.tuner.pass(wide_hz, 0.0, width_hz);
        self.note_power();
        let step = self.tuner.rate_hz / rate_hz;
        let here = Edge {
            near: boundary(wanted.near, channel.first, step),
            slack: wanted.slack / step,
            smoothed: wanted.smoothed / step,
            ..*wanted
        };
        let noise = noise_per_hz * band_hz / power;
        let found = self.onset.find_edge(&self.power, &here, noise, (band_hz / rate_hz).min(1.0))?;
        Some(input(found, channel.first, step))
    }

    /// Everything but times and power; and the best estimate of the centre, hertz from the tuning.
    fn features(&mut self, view: &View, hint: &BoxHint) -> (Features, f64) {
        let mut features = Features::default();
        let occupied = view.occupied;
        let width = occupied.width_hz();
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
            let (a, b) = view.on_range(self.tuner.narrow.len(), (self.onset.length / 2) as f64);
            let piece = Piece {
                samples: &self.tuner.narrow[a..b],
                power: &self.power[a..b],
                least_power: 0.2 * self.onset.on_power,
                rate_hz: view.rate_hz,
                width_hz: width,
                constant,
                sweeps: hint.sweeps,
            };
            center = self.modulation.measure(&mut self.tuner.plans, &piece, center, &mut features);
        }
        let stretch = Stretch {
            samples: view.on(&self.tuner.narrow, 0.0),
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
        // Piece by piece: what varies more slowly is fading, not modulation.
        let (mut signal_squares, mut fourths, mut sums) = (0.0, 0.0, 0.0);
        let piece = ((ENVELOPE_PIECE_S * view.rate_hz) as usize).max(ENVELOPE_PIECE).min(power.len());
        let pieces = power.chunks_exact(piece);
        let count = pieces.len() as f64;
        for piece in pieces {
            let n = piece.len() as f64;
            let (sum, squares) = hot::moments(piece);
            let (mean, square) = (sum / n, squares / n);
            let signal = mean - view.noise;
            // E|s+n|⁴ = E|s|⁴ + 4·E|s|²·N + 2·N² for circular noise of power N.
            fourths += square - 4.0 * signal * view.noise - 2.0 * view.noise * view.noise;
            // The square of a mean is too large by the variance of that mean.
            let independent = (n * view.independent).max(1.0);
            signal_squares += signal * signal - (square - mean * mean) / independent;
            sums += mean;
        }
        let mean = sums / count;
        let signal = mean - view.noise;
        if signal <= 0.1 * view.noise || signal_squares <= 0.0 {
            return;
        }
        let excess = (fourths / signal_squares - 1.0).max(0.0);
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

/// Power over noise, at most 100 dB.
fn snr(power: f64, noise: f64) -> f64 {
    if noise > 0.0 { (power / noise).min(1e10) } else { 1e10 }
}
