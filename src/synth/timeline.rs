//! An emitter's shots as its timeline lets them through.

use num_complex::Complex32;

use super::scene::SceneEmitter;
use super::waveform::{Shot, ShotIq};

/// Part of a raised-cosine rise of the amplitude, sin², that is over when half of the power is reached: sin⁴ = 1/2.
pub const HALF_POWER: f64 = 0.636;

/// Appends those shots of `emitter` that start in `[from_s, to_s)` and are on the air: bursts that start in an
/// on-time, chunks of a continuous signal that share some time with one.
pub fn shots(emitter: &SceneEmitter, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
    let begin = out.len();
    emitter.waveform.shots(from_s.max(0.0), to_s, out);
    if emitter.on.is_empty() || emitter.waveform.keeps_on_times() {
        return;
    }
    let continuous = emitter.waveform.continuous();
    let (reach, early_s) = if continuous { (1.0, HALF_POWER * emitter.ramp_s) } else { (0.0, 0.0) };
    let mut kept = begin;
    for i in begin..out.len() {
        let shot = out[i];
        let next = emitter.on.partition_point(|on| on[1] + early_s <= shot.start_s);
        let until_s = shot.start_s + reach * shot.duration_s + early_s;
        if emitter.on.get(next).is_some_and(|on| on[0] <= until_s) {
            out[kept] = shot;
            kept += 1;
        }
    }
    out.truncate(kept);
}

/// Stretches of time that `shot` is on the air for: one, or for a chunk of a continuous signal as many as
/// on-times share time with it. The flag says whether the stretch continues what was before the shot.
pub fn on_times(emitter: &SceneEmitter, shot: &Shot) -> impl Iterator<Item = (f64, f64, bool)> {
    let (start_s, end_s) = (shot.start_s, shot.start_s + shot.duration_s);
    let whole = emitter.on.is_empty() || !emitter.waveform.continuous();
    let cut = emitter.on.iter().filter(move |on| !whole && on[0] < end_s && on[1] > start_s);
    let continues = shot.continues;
    whole
        .then_some((start_s, end_s, continues))
        .into_iter()
        .chain(cut.map(move |on| (on[0].max(start_s), on[1].min(end_s), continues && on[0] < start_s)))
}

/// Shapes a chunk of a continuous signal by the on-times.
pub fn gate(emitter: &SceneEmitter, iq: &mut ShotIq) {
    if emitter.on.is_empty() || !emitter.waveform.continuous() {
        return;
    }
    for (i, sample) in iq.samples.iter_mut().enumerate() {
        let gain = gain(&emitter.on, emitter.ramp_s, iq.first_s + i as f64 / iq.rate_hz);
        if gain < 1.0 {
            *sample = if gain > 0.0 { *sample * gain as f32 } else { Complex32::ZERO };
        }
    }
}

/// Raised-cosine gate: on within an on-time, rising and falling over `ramp_s`, with half of the power at its edges.
fn gain(on: &[[f64; 2]], ramp_s: f64, at_s: f64) -> f64 {
    let early_s = HALF_POWER * ramp_s;
    let next = on.partition_point(|on| on[1] + early_s <= at_s);
    // The next one may rise before this one has fallen.
    let inside = on.iter().skip(next).take(2).map(|[on_s, off_s]| (at_s - on_s).min(off_s - at_s) + early_s);
    let inside_s = inside.fold(0.0, f64::max);
    if inside_s <= 0.0 {
        0.0
    } else if inside_s >= ramp_s {
        1.0
    } else {
        (std::f64::consts::FRAC_PI_2 * inside_s / ramp_s).sin().powi(2)
    }
}
