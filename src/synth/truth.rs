//! What a recording of a scene contains: the answer that a detector's is compared with.
//!
//! Times and frequencies are those of the receiver: by its clock, in its tuning, on the axis that a reader of the
//! recording has (the segments' dates if there are any, else sample numbers).

use std::collections::BTreeSet;

use serde::Serialize;

use super::render::{Renderer, Stretch, on_times};
use super::scene::{Scene, SceneEmitter};

/// On-times listed for each emitter; more are only counted.
const LISTED: usize = 2000;
/// Gaps shorter than this do not end an on-time, seconds.
const BRIDGED_S: f64 = 20e-6;
/// Scene time looked through at once, seconds.
const STEP_S: f64 = 1.0;

/// A recording's truth.
#[derive(Debug, Serialize)]
pub struct Truth {
    /// The scene's name.
    pub scene: String,
    /// Its seed.
    pub seed: u64,
    /// Nominal rate, hertz.
    pub sample_rate_hz: f64,
    /// Samples in the recording.
    pub samples: u64,
    /// Samples left out of it without a trace.
    pub dropped_samples: u64,
    /// Noise density, dBFS in 1 Hz, quantisation not counted.
    pub noise_dbfs_per_hz: f64,
    /// The recording's segments.
    pub segments: Vec<TruthSegment>,
    /// The emitters, in the scene's order, ambient first.
    pub emitters: Vec<TruthEmitter>,
}

/// A segment of the recording.
#[derive(Debug, Serialize)]
pub struct TruthSegment {
    /// Number of its first sample.
    pub sample_start: u64,
    /// Its time on the reader's axis, seconds.
    pub start_s: f64,
    /// Scene time of its first sample, seconds.
    pub scene_s: f64,
    /// Centre, hertz.
    pub center_hz: f64,
}

/// An emitter as the recording has it.
#[derive(Debug, Serialize)]
pub struct TruthEmitter {
    /// Its name.
    pub name: String,
    /// The kind of waveform.
    pub kind: String,
    /// Signal on the physical layer.
    pub signal: String,
    /// What it is to a policy.
    pub device: String,
    /// Whether it belongs to the place.
    pub ambient: bool,
    /// Centre in the receiver's frame, mean over the channels seen, hertz.
    pub center_hz: f64,
    /// Channels seen, if several, hertz.
    pub channels_hz: Vec<f64>,
    /// Occupied bandwidth (99 %) of one transmission, hertz.
    pub bandwidth_hz: f64,
    /// Mean power of a transmission, dBFS.
    pub level_dbfs: f64,
    /// The same over the noise in its bandwidth, dB.
    pub snr_db: f64,
    /// Beginning of the first on-time seen, seconds; null if none is.
    pub first_s: Option<f64>,
    /// End of the last on-time seen, seconds.
    pub last_s: Option<f64>,
    /// On-times seen (gaps below 20 µs bridged).
    pub bursts: u64,
    /// Their sum, seconds.
    pub airtime_s: f64,
    /// On-times that no segment saw.
    pub unseen: u64,
    /// The first of the on-times seen, `[from, to]` in seconds.
    pub on_times: Vec<[f64; 2]>,
    /// How many more there are.
    pub on_times_omitted: u64,
}

impl Truth {
    /// Truth of the recording of `scene`.
    pub fn of(scene: &Scene, renderer: &Renderer) -> Self {
        let axis = Axis::new(scene, renderer);
        let emitters = scene
            .emitters
            .iter()
            .zip(renderer.heard())
            .map(|(emitter, heard)| {
                let mut seen = Seen::default();
                seen.look(emitter, scene, &axis);
                let occupied = heard.occupied;
                let middle_hz = occupied.map_or(0.0, |o| 0.5 * (o.low_hz + o.high_hz));
                let channels: Vec<f64> =
                    seen.channels.iter().map(|hz| axis.apparent_hz(*hz as f64 + middle_hz)).collect();
                let nominal = emitter.freq_hz + emitter.carrier_error_hz + middle_hz;
                let center_hz = if channels.is_empty() {
                    axis.apparent_hz(nominal)
                } else {
                    channels.iter().sum::<f64>() / channels.len() as f64
                };
                TruthEmitter {
                    name: emitter.name.clone(),
                    kind: emitter.kind.clone(),
                    signal: emitter.waveform.signal().to_owned(),
                    device: emitter.waveform.device().to_owned(),
                    ambient: emitter.ambient,
                    center_hz,
                    channels_hz: if channels.len() > 1 { channels } else { Vec::new() },
                    bandwidth_hz: occupied.map_or(0.0, |o| o.bandwidth_hz()),
                    level_dbfs: heard.level_dbfs,
                    snr_db: heard.snr_db,
                    first_s: seen.first_s,
                    last_s: seen.last_s,
                    bursts: seen.bursts,
                    airtime_s: seen.airtime_s,
                    unseen: seen.unseen,
                    on_times_omitted: seen.bursts - seen.on_times.len() as u64,
                    on_times: seen.on_times,
                }
            })
            .collect();
        Self {
            scene: scene.name.clone(),
            seed: scene.seed,
            sample_rate_hz: scene.receiver.rate_hz,
            samples: renderer.len(),
            dropped_samples: axis.dropped,
            noise_dbfs_per_hz: scene.receiver.noise_dbfs_per_hz,
            segments: axis.segments,
            emitters,
        }
    }
}

/// Scene time to the time that a reader of the recording knows.
struct Axis {
    rate_hz: f64,
    ppm: f64,
    half_span_hz: f64,
    stretches: Vec<(Stretch, f64)>,
    segments: Vec<TruthSegment>,
    dropped: u64,
}

impl Axis {
    fn new(scene: &Scene, renderer: &Renderer) -> Self {
        let rate_hz = scene.receiver.rate_hz;
        let mut segments: Vec<TruthSegment> = Vec::new();
        let mut stretches = Vec::new();
        let mut first_of_segment = 0;
        let mut previous = None;
        for stretch in renderer.stretches() {
            if previous != Some(stretch.segment) {
                previous = Some(stretch.segment);
                first_of_segment = stretch.first;
                let scene_s = scene.segments.get(stretch.segment).map_or(0.0, |s| s.start_s);
                let origin_s = scene.segments.first().map_or(0.0, |s| s.start_s);
                let dated = scene.datetime.is_some();
                segments.push(TruthSegment {
                    sample_start: stretch.first,
                    start_s: if dated { scene_s - origin_s } else { stretch.first as f64 / rate_hz },
                    scene_s,
                    center_hz: stretch.center_hz,
                });
            }
            let segment_s = segments.last().map_or(0.0, |s| s.start_s);
            stretches.push((*stretch, segment_s + (stretch.first - first_of_segment) as f64 / rate_hz));
        }
        let wanted: f64 = scene.segments.iter().map(|s| (s.duration_s * rate_hz).round()).sum();
        let dropped = (wanted as u64).saturating_sub(renderer.len());
        let ppm = scene.impairments.ppm;
        Self { rate_hz, ppm, half_span_hz: rate_hz / 2.0, stretches, segments, dropped }
    }

    /// Frequency as a receiver with this clock reads it.
    fn apparent_hz(&self, radio_hz: f64) -> f64 {
        radio_hz / (1.0 + self.ppm * 1e-6)
    }

    /// Parts of `[on_s, off_s)` of scene time at `radio_hz` that are in the recording.
    fn seen(&self, radio_hz: f64, on_s: f64, off_s: f64) -> impl Iterator<Item = (f64, f64)> {
        let clock = 1.0 + self.ppm * 1e-6;
        let (on_s, off_s) = (on_s * clock, off_s * clock);
        let apparent_hz = self.apparent_hz(radio_hz);
        self.stretches.iter().filter_map(move |(stretch, axis_s)| {
            let from_s = stretch.first_air as f64 / self.rate_hz;
            let to_s = from_s + stretch.len as f64 / self.rate_hz;
            let (begin, end) = (on_s.max(from_s), off_s.min(to_s));
            let within = (apparent_hz - stretch.center_hz).abs() < self.half_span_hz;
            (within && begin < end).then(|| (axis_s + begin - from_s, axis_s + end - from_s))
        })
    }
}

#[derive(Default)]
struct Seen {
    channels: BTreeSet<i64>,
    first_s: Option<f64>,
    last_s: Option<f64>,
    bursts: u64,
    airtime_s: f64,
    unseen: u64,
    on_times: Vec<[f64; 2]>,
}

impl Seen {
    fn look(&mut self, emitter: &SceneEmitter, scene: &Scene, axis: &Axis) {
        let mut at = 0.0;
        while at < scene.duration_s {
            let to = (at + STEP_S).min(scene.duration_s);
            on_times(emitter, at, to, |shot, on_s, off_s, continues| {
                let radio_hz = emitter.freq_hz + emitter.carrier_error_hz + shot.offset_hz;
                let mut any = false;
                for (from_s, to_s) in axis.seen(radio_hz, on_s, off_s) {
                    any = true;
                    self.channels.insert(radio_hz.round() as i64);
                    self.add(from_s, to_s);
                }
                self.unseen += u64::from(!any && !continues);
            });
            at = to;
        }
    }

    fn add(&mut self, from_s: f64, to_s: f64) {
        self.first_s = Some(self.first_s.map_or(from_s, |first| first.min(from_s)));
        let bridged = self.last_s.is_some_and(|last| from_s - last < BRIDGED_S);
        let last_s = self.last_s.map_or(to_s, |last| last.max(to_s));
        if bridged {
            // Overlapping transmissions of one emitter count once.
            self.airtime_s += (to_s - from_s.max(self.last_s.unwrap_or(from_s))).max(0.0);
            if self.bursts == self.on_times.len() as u64
                && let Some(on) = self.on_times.last_mut()
            {
                on[1] = last_s;
            }
        } else {
            self.bursts += 1;
            self.airtime_s += to_s - from_s;
            if self.on_times.len() < LISTED {
                self.on_times.push([from_s, to_s]);
            }
        }
        self.last_s = Some(last_s);
    }
}
