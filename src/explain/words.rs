//! The explanation in words.

use super::features::features;
use super::{Emission, Explainer, Observation, attribute};
use crate::measure::{Burst, Depth, Ghost};
use crate::units;

/// What no power at all is written as, dB: below every receiver. Squelched samples are exact zeros.
const LEVEL_MIN_DB: f64 = -300.0;

/// Decibels that can be read: finite.
fn db(ratio: f64) -> f64 {
    units::db(ratio).clamp(LEVEL_MIN_DB, -LEVEL_MIN_DB)
}

/// All that is to be said of the box.
pub(super) fn lines(explainer: &Explainer) -> Vec<String> {
    let window = &explainer.window;
    let mut lines = vec![format!(
        "box {}..{} s, {}..{}:",
        window.from_s,
        window.until_s,
        frequency(window.low_hz),
        frequency(window.high_hz)
    )];
    observation(explainer, &mut lines);
    let emissions = &explainer.emissions;
    for emission in emissions {
        lines.push(format!("  {}", emission_words(emission)));
        lines.push(format!("    {}", destination(explainer, emission)));
    }
    if explainer.more > 0 {
        lines.push(format!("  and {} more emissions", explainer.more));
    }
    if emissions.is_empty() {
        lines.extend(why_not(explainer).into_iter().map(|why| format!("  {why}")));
    }
    emitters(explainer, &mut lines);
    for suspect in &explainer.suspects {
        lines.extend(suspect.lines.iter().map(|line| format!("  {line}")));
    }
    lines
}

/// What was observed in the box, and what the detector needed.
fn observation(explainer: &Explainer, lines: &mut Vec<String>) {
    let seen = &explainer.observed;
    if seen.slabs == 0 {
        return;
    }
    let cells = seen.cells as f64;
    lines.push(format!(
        "  observed {:.6} s in {} bins of {}: mean {:.1} dBFS a bin over a floor of {:.1} dBFS ({:+.1} dB)",
        seen.seen_s,
        seen.bins,
        width(seen.bin_hz),
        db(seen.power_sum / cells),
        db(seen.floor_sum / cells),
        db(seen.power_sum / seen.floor_sum),
    ));
    lines.push(format!(
        "  strongest bin: {:.1} dBFS at {:.6} s, {}: {:.1} dB over the floor, threshold {:.1} dB: {}",
        db(f64::from(seen.peak.power)),
        seen.peak.at_s,
        frequency(seen.peak.hz),
        excess_db(seen),
        threshold_db(seen),
        if seen.slabs_above > 0 {
            format!(
                "exceeded by {:.1} dB, in {} of {} slabs",
                excess_db(seen) - threshold_db(seen),
                seen.slabs_above,
                seen.slabs
            )
        } else {
            format!("short of it by {:.1} dB", threshold_db(seen) - excess_db(seen))
        }
    ));
}

fn excess_db(seen: &Observation) -> f64 {
    db(f64::from(seen.peak.ratio))
}

fn threshold_db(seen: &Observation) -> f64 {
    db(f64::from(seen.threshold))
}

/// Why no emission was reported in the box.
fn why_not(explainer: &Explainer) -> Vec<String> {
    let (seen, window) = (&explainer.observed, &explainer.window);
    let mut why = Vec::new();
    if let Some(blind) = explainer.blind() {
        why.push(format!("the receiver was blind from {:.6} s on", blind.at_s));
    }
    if seen.slabs == 0 {
        why.push(match explainer.span {
            None if window.from_s >= explainer.ends_s => {
                format!("nothing was observed: the recording ends at {:.6} s", explainer.ends_s)
            }
            None => "nothing was observed: no samples in that time".to_owned(),
            Some((low_hz, high_hz)) => format!(
                "nothing was observed: the recording covers {}..{} then",
                frequency(low_hz),
                frequency(high_hz)
            ),
        });
        return why;
    }
    let floor_ratio_db = db(seen.floor_ratio_sum / seen.slabs as f64);
    if floor_ratio_db < ROLLOFF_DB {
        why.push(format!(
            "the receiver's passband falls off here: the floor is {:.1} dB under the span's median",
            -floor_ratio_db
        ));
    }
    if seen.holds_tuning {
        why.push(
            "the box holds the tuning itself, where a receiver shows its own offset: not judged there"
                .to_owned(),
        );
    }
    why.push(if seen.slabs_above == 0 {
        format!(
            "no emission: the strongest bin stayed {:.1} dB under the threshold for a single bin; wider and longer \
             emissions are looked for below it, and none stood out",
            threshold_db(seen) - excess_db(seen)
        )
    } else {
        "no emission: what exceeded the threshold was too short, or is part of one centred outside the box".to_owned()
    });
    why
}

/// A floor this far under the span's median is the receiver's filter, dB.
const ROLLOFF_DB: f64 = -3.0;

fn emission_words(emission: &Emission) -> String {
    let burst = &emission.burst;
    let kind = match emission.carrier {
        Some(number) => format!("carrier {number}"),
        None => "burst".to_owned(),
    };
    let mut words = format!(
        "{kind} {:.6}..{:.6} s ({}) at {}, {} wide, {:.1} dBFS, {:.1} dB over the floor",
        burst.start_s,
        burst.end_s,
        duration(burst.end_s - burst.start_s),
        frequency(emission.center_hz),
        width(burst.bandwidth_hz),
        burst.power_dbfs,
        burst.snr_db,
    );
    for mark in marks(burst) {
        words.push_str("; ");
        words.push_str(mark);
    }
    let features = features(&burst.features);
    if !features.is_empty() {
        words.push_str("; ");
        words.push_str(&features.join(", "));
    }
    words
}

fn marks(burst: &Burst) -> Vec<&'static str> {
    [
        (burst.depth == Depth::Light, "measured from the spectrogram only"),
        (burst.cut_start, "began before it could be seen"),
        (burst.cut_end, "still on at the end"),
        (burst.at_edge, "cut by the edge of the span"),
        (burst.clipped, "clipped"),
        (burst.ghost == Ghost::Image, "mirror image of a stronger one: the receiver's own"),
        (burst.ghost == Ghost::Dc, "at the tuning itself: the receiver's own"),
        (burst.ghost == Ghost::Splatter, "splatter of a far stronger one"),
        (burst.ghost == Ghost::Rolloff, "shoulder of the receiver's passband"),
    ]
    .into_iter()
    .filter_map(|(holds, words)| holds.then_some(words))
    .collect()
}

fn destination(explainer: &Explainer, emission: &Emission) -> String {
    match attribute(&emission.burst, emission.center_hz, &explainer.emitters) {
        Some(emitter) => format!("went to e{} ({}, {})", emitter.id, emitter.signal, emitter.device),
        None => {
            "went to no emitter: not confirmed (two features that name it, 3 bursts, or 200 ms of airtime)"
                .to_owned()
        }
    }
}

/// The emitters that took something from the box, with their reasons.
fn emitters(explainer: &Explainer, lines: &mut Vec<String>) {
    let took = |id| {
        explainer.emissions.iter().any(|e| {
            attribute(&e.burst, e.center_hz, &explainer.emitters).is_some_and(|emitter| emitter.id == id)
        })
    };
    for emitter in explainer.emitters.iter().filter(|emitter| took(emitter.id)) {
        lines.push(format!(
            "  e{}: {}, {}, confidence {:.2}, {} bursts, {}{}",
            emitter.id,
            emitter.signal,
            emitter.device,
            emitter.confidence,
            emitter.bursts,
            if emitter.ambient { "ambient, " } else { "" },
            if emitter.banned { "banned" } else { "not banned" },
        ));
        lines.extend(emitter.reasons.iter().map(|reason| format!("    {reason}")));
    }
}

/// A frequency in megahertz to the hertz, or a small one (an offset) in kilohertz.
fn frequency(hz: f64) -> String {
    if hz.abs() < 1e6 { format!("{:.3} kHz", hz / 1e3) } else { format!("{:.6} MHz", hz / 1e6) }
}

fn width(hz: f64) -> String {
    if hz < 1e6 { format!("{:.2} kHz", hz / 1e3) } else { format!("{:.2} MHz", hz / 1e6) }
}

fn duration(s: f64) -> String {
    if s < 1e-3 {
        format!("{:.0} µs", s * 1e6)
    } else if s < 1.0 {
        format!("{:.2} ms", s * 1e3)
    } else {
        format!("{s:.3} s")
    }
}
