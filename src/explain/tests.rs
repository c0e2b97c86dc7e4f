//! What is said of a box, for slabs and events made by hand: every figure in the sentences is known beforehand.

use super::*;
use crate::classify::{Device, Signal};
use crate::measure::{Depth, Features, Ghost};
use crate::pipeline::{HealthReason, SegmentStart};

/// From 0.1 to 0.2 s, 100 kHz around 433.95 MHz.
const WINDOW: Window = Window { from_s: 0.1, until_s: 0.2, low_hz: 433.9e6, high_hz: 434e6 };

/// Shows `explainer` 10 slabs of 0.1 s, 100 bins of 10 kHz around 433.92 MHz, floor -80 dBFS a bin; the bin at
/// 433.95 MHz is `ratio` times the floor.
fn watch(explainer: &mut Explainer, ratio: f32) {
    let segment = SegmentStart {
        index: 0,
        start_s: 0.0,
        rate_hz: 1e6,
        center_hz: Some(433.92e6),
        shared_axis: true,
        bin_hz: 10e3,
        hop_s: 50e-6,
    };
    explainer.front(&FrontEvent::Segment(segment));
    let floor = [1e-8f32; 100];
    let mut power = floor;
    power[53] *= ratio;
    for n in 0..10 {
        let start_s = f64::from(n) / 10.0;
        explainer.slab(&SlabView {
            segment: 0,
            start_s,
            end_s: start_s + 0.1,
            rate_hz: 1e6,
            center_hz: Some(433.92e6),
            power: &power,
            floor: &floor,
            threshold: 10.0,
        });
    }
}

fn burst() -> Burst {
    Burst {
        segment: 0,
        start_s: 0.12,
        end_s: 0.121,
        offset_hz: 30e3,
        bandwidth_hz: 12e3,
        power_dbfs: -50.0,
        snr_db: 20.0,
        depth: Depth::Full,
        cut_start: false,
        cut_end: false,
        at_edge: false,
        clipped: true,
        ghost: Ghost::None,
        features: Features { envelope_cv: Some(0.05), ..Features::default() },
    }
}

fn report(id: u32, power_dbfs: f64) -> EmitterReport {
    EmitterReport {
        id,
        signal: Signal::Nfm,
        device: Device::WalkieTalkie,
        confidence: 0.8,
        center_hz: Some(433.95e6),
        offset_hz: 30e3,
        bandwidth_hz: 12e3,
        channels_hz: Vec::new(),
        first_s: 0.12,
        last_s: 0.5,
        bursts: 2,
        airtime_s: 0.3,
        power_dbfs,
        snr_db: 20.0,
        period_s: None,
        ambient: false,
        location: None,
        banned: true,
        reasons: vec!["constant envelope".to_owned()],
        merged_into: None,
        at_s: 0.5,
    }
}

fn said(explainer: &Explainer) -> String {
    explainer.lines().join("\n")
}

fn check(text: &str, expect: &[&str]) {
    for words in expect {
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
}

#[test]
fn too_weak_is_told_by_how_much() {
    let mut explainer = Explainer::new(WINDOW);
    watch(&mut explainer, 4.0);
    // 4 times the floor is 6.0 dB over it; 10 times would be needed.
    check(
        &said(&explainer),
        &[
            "box 0.1..0.2 s, 433.900000 MHz..434.000000 MHz:",
            "observed 0.100000 s in 11 bins of 10.00 kHz",
            "floor of -80.0 dBFS",
            "strongest bin: -74.0 dBFS at 0.150000 s, 433.950000 MHz: 6.0 dB over the floor, threshold 10.0 dB",
            "short of it by 4.0 dB",
            "no emission",
            // The tuning is 433.92 MHz.
            "holds the tuning itself",
        ],
    );
}

#[test]
fn an_emission_is_followed_to_its_emitter() {
    let mut explainer = Explainer::new(WINDOW);
    watch(&mut explainer, 100.0);
    explainer.front(&FrontEvent::Burst(burst()));
    explainer.front(&FrontEvent::Burst(Burst { offset_hz: -200e3, ..burst() }));
    explainer.front(&FrontEvent::Burst(Burst { start_s: 0.3, end_s: 0.4, ..burst() }));
    explainer.output(&Output::Emitter(Phase::Opened, report(1, -20.0)));
    explainer.output(&Output::Emitter(Phase::Closed, report(2, -49.0)));
    let text = said(&explainer);
    check(
        &text,
        &[
            "exceeded by 10.0 dB, in 1 of 1 slabs",
            "burst 0.120000..0.121000 s (1.00 ms) at 433.950000 MHz, 12.00 kHz wide, -50.0 dBFS",
            "clipped",
            "envelope CV 0.05",
            "went to e2 (nfm, walkie-talkie)",
            "e2: nfm, walkie-talkie, confidence 0.80, 2 bursts, banned",
            "constant envelope",
        ],
    );
    assert!(!text.contains("no emission") && !text.contains("e1"), "{text}");
    assert_eq!(text.matches("burst 0.").count(), 1, "only what lies in the box is told:\n{text}");
}

#[test]
fn an_emission_without_an_emitter_was_not_confirmed() {
    let mut explainer = Explainer::new(WINDOW);
    watch(&mut explainer, 100.0);
    explainer.front(&FrontEvent::Burst(burst()));
    check(&said(&explainer), &["went to no emitter: not confirmed"]);
}

#[test]
fn what_was_not_observed_is_told() {
    let mut late = Explainer::new(Window { from_s: 7.0, until_s: 8.0, ..WINDOW });
    watch(&mut late, 1.0);
    check(&said(&late), &["nothing was observed: the recording ends at 1.000000 s"]);
    let mut beside = Explainer::new(Window { low_hz: 100e6, high_hz: 101e6, ..WINDOW });
    watch(&mut beside, 1.0);
    check(&said(&beside), &["the recording covers 433.420000 MHz..434.420000 MHz then"]);
}

#[test]
fn a_blind_receiver_is_told() {
    let mut explainer = Explainer::new(WINDOW);
    watch(&mut explainer, 1.0);
    for (at_s, state) in [(0.01, HealthState::Blind), (0.02, HealthState::Ok), (0.15, HealthState::Blind)] {
        explainer.output(&Output::Health(Health { at_s, state, reason: HealthReason::StuckSamples }));
    }
    let text = said(&explainer);
    check(&text, &["the receiver was blind from 0.150000 s on"]);
    assert!(!text.contains("0.010000"), "{text}");
}

#[test]
fn a_box_narrower_than_a_bin_has_one_bin() {
    let mut explainer = Explainer::new(Window { low_hz: 433.951e6, high_hz: 433.952e6, ..WINDOW });
    watch(&mut explainer, 4.0);
    check(&said(&explainer), &["in 1 bins", "short of it by 4.0 dB"]);
}

#[test]
fn silence_is_told_in_numbers() {
    let mut explainer = Explainer::new(Window { low_hz: 433.951e6, high_hz: 433.952e6, ..WINDOW });
    watch(&mut explainer, 0.0);
    let text = said(&explainer);
    check(&text, &["mean -300.0 dBFS a bin", "short of it by 310.0 dB"]);
    assert!(!text.contains("inf") && !text.contains("NaN"), "{text}");
}
