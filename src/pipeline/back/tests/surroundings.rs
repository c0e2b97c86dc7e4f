//! What fills the spectrum around a room is learned, and its pieces are nobody's device.

use super::scene::*;
use crate::classify::{Device, Signal};
use crate::measure::{Burst, Features};

/// Pieces of a half-loaded downlink around 773 MHz: other blocks in each subframe, too short for a prefix. The first two
/// seconds are learned.
fn downlink(seed: u64) -> Scene {
    let mut scene = Scene::new(seed, 773e6, 4.0);
    scene.learn_s = 2.0;
    for subframe in 0..3900 {
        let at_s = 0.05 + f64::from(subframe) * 1e-3;
        let blocks = 2.0 + scene.rng.below(60) as f64;
        let width = blocks * 180e3;
        let offset = (scene.rng.uniform() - 0.5) * (18e6 - width);
        let level = -50.0 + 10.0 * blocks.log10();
        scene.add(burst(at_s, 0.9e-3, offset, width, level));
    }
    scene
}

#[test]
fn pieces_of_a_learned_downlink_alert_nobody() {
    let told = downlink(41).run();
    assert_eq!(told.raised(), 0, "{:?}", told.names());
}

#[test]
fn what_is_stronger_than_a_learned_downlink_does() {
    let mut scene = downlink(42);
    let features = fm(20e3);
    scene.carrier(7, 2.5, 4.0, Burst { features, ..burst(0.0, 1.0, 2e6, 60e3, -25.0) });
    let told = scene.run();
    assert_eq!(told.raised(), 1, "{:?}", told.names());
    // A block has -47 dBFS at most: 12 dB over the limit, with nothing that names it.
    let mut scene = downlink(43);
    for n in 0..20 {
        scene.add(burst(2.5 + 20e-3 * f64::from(n), 1.5e-3, 5e6, 150e3, -32.0));
    }
    let told = scene.run();
    assert_eq!(told.raised(), 1, "{:?}", told.names());
}

/// A base station of a time-division band, 3.7 ms of each half-frame, and whatever else `add` adds.
fn half_frames(seed: u64, add: impl Fn(&mut Scene, f64)) -> Told {
    let mut scene = Scene::new(seed, 2565e6, 3.0);
    for half_frame in 0..590 {
        let at_s = 0.02 + f64::from(half_frame) * 5e-3;
        let features = Features { lag_33u3: stands(0.8), ..ofdm() };
        scene.add(Burst { features, ..burst(at_s, 3.7e-3, -5e6, 9e6, -40.0) });
        add(&mut scene, at_s);
    }
    scene.run()
}

#[test]
fn who_sends_while_the_base_stations_of_a_band_do_is_no_phone() {
    let piece = |scene: &mut Scene, at_s: f64| {
        if scene.rng.uniform() < 0.1 {
            let features = Features { lag_33u3: stands(0.8), ..ofdm() };
            let at_s = at_s + 1e-3 * (1.0 + 2.0 * scene.rng.uniform()).floor();
            scene.add(Burst { features, ..burst(at_s, 0.5e-3, 7e6, 2e6, -42.0) });
        }
    };
    let told = half_frames(44, piece);
    assert_eq!(told.raised(), 0, "{:?}", told.names());
}

#[test]
fn who_sends_while_they_are_silent_is() {
    let phone = |scene: &mut Scene, at_s: f64| {
        if scene.rng.uniform() < 0.5 {
            let features = Features { lag_33u3: stands(0.8), ..ofdm() };
            scene.add(Burst { features, ..burst(at_s + 3.95e-3, 0.9e-3, 7e6, 2e6, -42.0) });
        }
    };
    let told = half_frames(45, phone);
    let phones = told.names().into_iter().filter(|name| *name == (Signal::Nr, Device::MobilePhone)).count();
    assert_eq!((told.raised(), phones), (1, 1), "{:?}", told.names());
}

/// Alike bursts on a slot grid, on channels 600 MHz apart: pieces of what several bands are filled with.
#[test]
fn no_hopper_hops_from_band_to_band() {
    let hops = |span_hz: f64| {
        let mut scene = Scene::new(48, 2.2e9, 3.0);
        scene.rate_hz = 700e6;
        for slot in 0..1200 {
            let offset = (scene.rng.below(20) as f64 / 19.0 - 0.5) * span_hz;
            let at_s = 0.05 + f64::from(2 * slot) * 625e-6;
            scene.add(Burst { features: gfsk(1e6, 0.32), ..burst(at_s, 366e-6, offset, 900e3, -30.0) });
        }
        let told = scene.run();
        told.emitters()
            .iter()
            .map(|e| e.channels_hz.clone())
            .filter(|all| !all.is_empty())
            .collect::<Vec<_>>()
    };
    assert_eq!(hops(78e6).len(), 1);
    for channels in hops(600e6) {
        let span_hz = channels[channels.len() - 1] - channels[0];
        assert!(span_hz <= 150e6, "{channels:?}");
    }
}

/// An oven, pieces of which resemble keying and a spread spectrum, and what `add` adds.
fn oven(seed: u64, add: impl Fn(&mut Scene, f64)) -> Told {
    let mut scene = Scene::new(seed, 2450e6, 4.0);
    for cycle in 0..195 {
        let at_s = 0.05 + f64::from(cycle) * 20e-3;
        let line = Features { envelope_cv: Some(0.4), ..Features::default() };
        let drift = 3e5 * scene.rng.normal();
        scene.add(Burst { features: line, ..burst(at_s, 8.4e-3, 5e6 + drift, 3e6, -20.0) });
        if cycle > 20 {
            for offset in [-6e6, -1e6, 8e6] {
                let at_s = at_s + 8e-3 * scene.rng.uniform();
                scene.add(burst(at_s, 0.3e-3, offset + drift, 150e3, -45.0));
            }
            add(&mut scene, at_s);
        }
    }
    scene.run()
}

#[test]
fn pieces_of_an_oven_alert_nobody() {
    let told = oven(46, |_, _| {});
    assert_eq!(told.raised(), 0, "{:?}", told.names());
}

#[test]
fn a_keyboard_is_told_while_the_oven_is_on() {
    let keyboard = |scene: &mut Scene, at_s: f64| {
        for n in 0..2 {
            scene.add(Burst {
                features: gfsk(2e6, 0.32),
                ..burst(at_s + 3e-3 * f64::from(n), 150e-6, -3e6, 2e6, -35.0)
            });
        }
    };
    let told = oven(47, keyboard);
    assert_eq!(told.raised(), 1, "{:?}", told.names());
    assert!(told.names().contains(&(Signal::Esb, Device::WirelessKeyboard)), "{:?}", told.names());
}
