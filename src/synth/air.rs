//! What is in the air, as a receiver at some centre and rate would have it at its input: the sum of all
//! emitters, each brought from its own rate and frequency to the receiver's.

use std::collections::HashMap;
use std::sync::Arc;

use num_complex::Complex32;

use super::fading::Scatter;
use super::resample::{Interpolator, Padded, Placement};
use super::scene::{Fading, SceneEmitter};
use super::timeline;
use super::waveform::Shot;

/// Memory for shots already rendered, bytes. A shot is asked for again by each of the blocks that it spans.
const CACHE_BYTES: usize = 96 << 20;
/// Filters kept. There is one for each waveform, and some for each that a receiver sees in part.
const FILTERS: usize = 256;
/// Width of the transition at the receiver's band edges, of its rate.
const EDGE: f64 = 0.1;

/// An emitter and its amplitude.
pub struct Voice {
    /// What the scene says.
    pub emitter: SceneEmitter,
    /// Root of the mean power of a shot of level 0 dB, full scale 1.
    pub amplitude: f32,
}

/// All emitters of a scene.
pub struct Air {
    voices: Vec<Voice>,
    cache: Cache,
    filters: HashMap<[u64; 3], Arc<Interpolator>>,
    shots: Vec<Shot>,
}

/// A receiver's true centre and rate, hertz.
#[derive(Clone, Copy)]
pub struct Tuned {
    /// Radio frequency at the middle of its span.
    pub center_hz: f64,
    /// Samples a second.
    pub rate_hz: f64,
}

/// The part of a shot that a receiver sees, relative to the shot's centre, hertz.
struct Window {
    middle_hz: f64,
    pass_hz: f64,
    stop_hz: f64,
}

impl Air {
    /// Air with `voices` in it.
    pub fn new(voices: Vec<Voice>) -> Self {
        Self { voices, cache: Cache::default(), filters: HashMap::new(), shots: Vec::new() }
    }

    /// Adds all that is on the air to `out`, whose first sample is number `first` of the receiver.
    pub fn add(&mut self, tuned: Tuned, first: u64, out: &mut [Complex32]) {
        let from_s = first as f64 / tuned.rate_hz;
        let to_s = (first + out.len() as u64) as f64 / tuned.rate_hz;
        for index in 0..self.voices.len() {
            let waveform = &self.voices[index].emitter.waveform;
            // Filters and echoes reach a little beyond the on-time.
            let margin_s = 64.0 / waveform.span_hz() + 64.0 / tuned.rate_hz + 2e-3;
            let mut shots = std::mem::take(&mut self.shots);
            shots.clear();
            let earliest_s = from_s - waveform.longest_s() - margin_s;
            timeline::shots(&self.voices[index].emitter, earliest_s, to_s + margin_s, &mut shots);
            for shot in &shots {
                if shot.start_s + shot.duration_s + margin_s > from_s {
                    self.add_shot(index, shot, tuned, first, out);
                }
            }
            self.shots = shots;
        }
    }

    fn add_shot(&mut self, index: usize, shot: &Shot, tuned: Tuned, first: u64, out: &mut [Complex32]) {
        let Voice { emitter, amplitude } = &self.voices[index];
        let radio_hz = emitter.freq_hz + emitter.carrier_error_hz + shot.offset_hz;
        let shift_hz = radio_hz - tuned.center_hz;
        let Some(window) = Window::new(shift_hz, emitter.waveform.span_hz(), tuned.rate_hz) else { return };
        let key =
            (index, shot.start_s.to_bits(), shot.key, window.middle_hz.to_bits(), tuned.rate_hz.to_bits());
        let prepared = match self.cache.get(key) {
            Some(prepared) => prepared,
            None => {
                let prepared = Arc::new(prepare(emitter, shot, &window, &mut self.filters));
                self.cache.put(key, prepared.clone());
                prepared
            }
        };
        let amplitude = Complex32::from(amplitude * 10f32.powf(shot.level_db / 20.0));
        let place = |first_s: f64, amplitude: Complex32| {
            Placement::new(prepared.rate_hz, first_s, tuned.rate_hz, shift_hz + window.middle_hz, amplitude)
        };
        let Some(Fading::TwoRay { delay_s, db, phase }) = emitter.fading else {
            let place = place(prepared.first_s, amplitude);
            return prepared.filter.add(&prepared.input, &place, first, out);
        };
        let echo = 10f64.powf(db / 20.0);
        let share = (1.0 + echo * echo).sqrt().recip();
        prepared.filter.add(&prepared.input, &place(prepared.first_s, amplitude * share as f32), first, out);
        // The carrier's phase over the delay, and that of the window's middle, which was taken out undelayed.
        let turns = (radio_hz * delay_s).fract() + (window.middle_hz * delay_s).fract();
        let factor =
            Complex32::from_polar((share * echo) as f32, (phase - std::f64::consts::TAU * turns) as f32);
        let place = place(prepared.first_s + delay_s, amplitude * factor);
        prepared.filter.add(&prepared.input, &place, first, out);
    }
}

impl Window {
    /// `None` if nothing of a shot whose centre comes to `shift_hz` is within the span.
    fn new(shift_hz: f64, span_hz: f64, rate_hz: f64) -> Option<Self> {
        let (low, high) = (-span_hz / 2.0, span_hz / 2.0);
        let (from, to) = (-rate_hz / 2.0 - shift_hz, rate_hz / 2.0 - shift_hz);
        if from >= high || to <= low {
            return None;
        }
        if from <= low && to >= high {
            return Some(Self { middle_hz: 0.0, pass_hz: high, stop_hz: f64::INFINITY });
        }
        // Edges on a grid, so that hops anywhere share some tens of filters.
        let step = span_hz / 32.0;
        let snap = |edge: f64| (edge / step).round() * step;
        let transition = EDGE * rate_hz;
        let low = if from > low { snap(from) } else { low - transition / 2.0 };
        let high = if to < high { snap(to) } else { high + transition / 2.0 };
        let half = ((high - low) / 2.0).max(step / 2.0);
        let middle_hz = (high + low) / 2.0;
        Some(Self {
            middle_hz,
            pass_hz: (half - transition / 2.0).max(0.0),
            stop_hz: half + transition / 2.0,
        })
    }
}

/// A shot ready to be resampled.
struct Prepared {
    rate_hz: f64,
    first_s: f64,
    input: Padded,
    filter: Arc<Interpolator>,
}

fn prepare(
    emitter: &SceneEmitter,
    shot: &Shot,
    window: &Window,
    filters: &mut HashMap<[u64; 3], Arc<Interpolator>>,
) -> Prepared {
    let mut iq = emitter.waveform.render(shot);
    timeline::gate(emitter, &mut iq);
    if let Some(Fading::Rician { k_db, doppler_hz }) = emitter.fading {
        Scatter::new(emitter.seed, k_db, doppler_hz).apply(&mut iq);
    }
    if window.middle_hz != 0.0 {
        for (i, sample) in iq.samples.iter_mut().enumerate() {
            let turns = -window.middle_hz * (iq.first_s + i as f64 / iq.rate_hz);
            let (sin, cos) = (std::f64::consts::TAU * turns.fract()).sin_cos();
            *sample *= Complex32::new(cos as f32, sin as f32);
        }
    }
    // Above the signal the images of its own rate begin, at the rate less half its bandwidth.
    let image_hz = (iq.rate_hz - emitter.waveform.span_hz() / 2.0).max(0.52 * iq.rate_hz);
    let pass = window.pass_hz.min(0.48 * iq.rate_hz) / iq.rate_hz;
    let stop = window.stop_hz.min(image_hz) / iq.rate_hz;
    let key = [iq.rate_hz.to_bits(), pass.to_bits(), stop.to_bits()];
    if filters.len() > FILTERS {
        filters.clear();
    }
    let filter = filters.entry(key).or_insert_with(|| Arc::new(Interpolator::low_pass(pass, stop))).clone();
    Prepared { rate_hz: iq.rate_hz, first_s: iq.first_s, input: Padded::new(&iq.samples, &filter), filter }
}

type Key = (usize, u64, u64, u64, u64);

/// Rendered shots, the least recently used of which go first.
#[derive(Default)]
struct Cache {
    entries: HashMap<Key, (Arc<Prepared>, u64)>,
    bytes: usize,
    clock: u64,
}

impl Cache {
    fn get(&mut self, key: Key) -> Option<Arc<Prepared>> {
        self.clock += 1;
        let (prepared, used) = self.entries.get_mut(&key)?;
        *used = self.clock;
        Some(prepared.clone())
    }

    fn put(&mut self, key: Key, prepared: Arc<Prepared>) {
        self.bytes += prepared.input.bytes();
        self.entries.insert(key, (prepared, self.clock));
        if self.bytes <= CACHE_BYTES && self.entries.len() <= 4096 {
            return;
        }
        // Half of it at once, so that sorting costs little for each entry.
        let mut used: Vec<u64> = self.entries.values().map(|(_, used)| *used).collect();
        let middle = used.len() / 2;
        let oldest_kept = *used.select_nth_unstable(middle).1;
        self.entries.retain(|_, (_, used)| *used >= oldest_kept);
        self.bytes = self.entries.values().map(|(prepared, _)| prepared.input.bytes()).sum();
    }
}
