//! Opening, closing, merging, and what the ambient changes.

use super::scene::*;
use crate::alert::ResolvedBecause;
use crate::classify::{Device, Signal};
use crate::measure::{Burst, Features};

#[test]
fn blips_of_noise_open_nothing() {
    let mut scene = Scene::new(25, 2440e6, 30.0);
    for _ in 0..40 {
        let (at_s, offset) = (30.0 * scene.rng.uniform(), 18e6 * (scene.rng.uniform() - 0.5));
        let weak = Burst { snr_db: 7.0, ..burst(at_s, 51e-6, offset, 40e3, -60.0) };
        scene.add(weak);
    }
    assert_eq!(scene.run().emitters().len(), 0);
}

fn access_point(scene: &mut Scene, until_s: f64, level: f64) {
    let mut at_s = 0.01;
    while at_s < until_s {
        let features = Features { lag_3u2: stands(0.9), lag_0u8: stands(0.9), ..ofdm() };
        scene.add(Burst { features, ..burst(at_s, 400e-6, 0.0, 16.7e6, level) });
        at_s += 0.02 + 0.05 * scene.rng.uniform();
    }
}

fn client(scene: &mut Scene, from_s: f64, until_s: f64, level: f64) {
    let mut at_s = from_s;
    while at_s < until_s {
        let features = Features { lag_3u2: stands(0.9), lag_0u8: stands(0.9), ..ofdm() };
        scene.add(Burst { features, ..burst(at_s, 200e-6, 0.0, 16.7e6, level) });
        at_s += 0.01 + 0.03 * scene.rng.uniform();
    }
}

#[test]
fn what_was_learned_raises_nothing_and_its_louder_neighbour_does() {
    for (level, alerts) in [(None, 0), (Some(-30.0), 1), (Some(-60.0), 1)] {
        let mut scene = Scene::new(26, 2437e6, 20.0);
        scene.learn_s = 5.0;
        access_point(&mut scene, 19.9, -45.0);
        if let Some(level) = level {
            client(&mut scene, 10.0, 15.0, level);
        }
        let told = scene.run();
        assert_eq!(told.raised(), alerts, "client at {level:?}: {:#?}", told.emitters());
        let ambient: Vec<bool> = told.emitters().iter().map(|e| e.ambient).collect();
        assert_eq!(ambient.iter().filter(|a| **a).count(), 1);
        assert_eq!(told.baseline.known.len(), 1);
    }
}

#[test]
fn a_saved_baseline_knows_what_a_learned_one_knows() {
    let mut scene = Scene::new(27, 2437e6, 6.0);
    scene.learn_s = 5.0;
    access_point(&mut scene, 5.9, -45.0);
    let baseline = scene.run().baseline;
    assert_eq!(baseline.known.len(), 1);
    for (level, alerts) in [(-45.0, 0), (-30.0, 1)] {
        let mut scene = Scene::new(28, 2437e6, 6.0);
        scene.baseline = Some(baseline.clone());
        access_point(&mut scene, 5.9, -45.0);
        client(&mut scene, 2.0, 5.0, level);
        assert_eq!(scene.run().raised(), alerts, "client at {level}");
    }
}

#[test]
fn silence_closes_after_a_minute_that_was_observed() {
    let mut scene = Scene::new(29, 409.5e6, 100.0);
    scene.rate_hz = 2.4e6;
    scene.carrier(1, 1.0, 4.0, Burst { features: fm(2e3), ..burst(0.0, 0.0, 312.5e3, 9e3, -30.0) });
    let told = scene.run();
    told.is_one(Signal::Nfm, Device::WalkieTalkie);
    assert_eq!(told.resolved(), [ResolvedBecause::Silent]);
    let closed = told.emitters()[0].at_s;
    assert!((64.0..64.3).contains(&closed), "{closed}");
}

#[test]
fn a_hopper_that_was_taken_for_several_is_merged() {
    let mut scene = Scene::new(30, 2440e6, 3.0);
    // Three hops on one channel open it before the hopping shows.
    for hop in 0..60 {
        let offset = if hop < 4 { 3e6 } else { -8e6 + 1e6 * scene.rng.below(17) as f64 };
        let at_s = 0.1 + f64::from(hop) * 20.0 * 625e-6;
        scene.add(Burst { features: gfsk(1e6, 0.31), ..burst(at_s, 360e-6, offset, 1e6, -40.0) });
    }
    let told = scene.run();
    assert_eq!(told.names(), [(Signal::BluetoothClassic, Device::BluetoothDevice)]);
}

#[test]
fn the_same_events_give_the_same_words() {
    let run = || {
        let mut scene = Scene::new(31, 2437e6, 6.0);
        scene.learn_s = 2.0;
        access_point(&mut scene, 5.9, -45.0);
        client(&mut scene, 3.0, 5.0, -30.0);
        scene.run().out
    };
    assert_eq!(run(), run());
}
