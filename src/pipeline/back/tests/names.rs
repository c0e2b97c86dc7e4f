//! Each signal alone gets its name and device, and is one emitter.

use super::scene::*;
use crate::classify::{Device, Signal};
use crate::measure::{Burst, Features};
use crate::policy::Baseline;

#[test]
fn a_gsm_call_is_one_phone() {
    let mut scene = Scene::new(1, 900e6, 2.0);
    for frame in 0..400 {
        if frame % 26 != 25 && scene.rng.uniform() > 0.05 {
            let at_s = 0.05 + f64::from(frame) * 120e-3 / 26.0;
            let features = Features { square_line: line(270_833.3), ..gfsk(270_833.3, 0.5) };
            scene.add(Burst { features, ..burst(at_s, 560e-6, 2.2e6, 230e3, -40.0) });
        }
    }
    let told = scene.run();
    told.is_one(Signal::Gsm, Device::MobilePhone);
    let e = told.emitters()[0];
    assert!((e.first_s - 0.05).abs() < 1e-4 || e.first_s < 0.06);
    assert!((e.center_hz.unwrap() - 902.2e6).abs() < 5e3);
    assert!((e.period_s.unwrap() - 4.615e-3).abs() < 5e-5);
}

#[test]
fn gsm_without_symbols_is_told_by_its_frame() {
    let mut scene = Scene::new(2, 900e6, 1.0);
    scene.center_hz = None;
    for frame in 0..200 {
        if frame % 26 != 25 {
            let features = Features { envelope_cv: Some(0.1), ..Features::default() };
            scene.add(Burst {
                features,
                ..burst(0.05 + f64::from(frame) * 120e-3 / 26.0, 560e-6, 2.2e6, 230e3, -40.0)
            });
        }
    }
    scene.run().is_one(Signal::Gsm, Device::MobilePhone);
}

#[test]
fn allocations_of_one_phone_are_one_emitter() {
    let mut scene = Scene::new(3, 1745e6, 2.0);
    for subframe in 0..1500 {
        if scene.rng.uniform() > 0.15 {
            continue;
        }
        let at_s = 0.1 + f64::from(subframe) * 1e-3;
        let blocks = 1.0 + scene.rng.below(20) as f64;
        let width = blocks * 180e3;
        let offset = (scene.rng.uniform() - 0.5) * (9e6 - width);
        let level = -45.0 + 10.0 * blocks.log10() / 2.0;
        let features = Features { lag_66u7: stands(0.8), envelope_cv: Some(0.35), ..ofdm() };
        scene.add(Burst { features, ..burst(at_s, 0.995e-3, offset, width, level) });
        if subframe % 4 == 0 {
            // PUCCH: half-millisecond blips at the edges, too narrow and short to show a prefix.
            let plain = Features { envelope_cv: Some(0.3), ..Features::default() };
            scene.add(Burst { features: plain, ..burst(at_s + 2e-3, 0.5e-3, 4.4e6, 180e3, -50.0) });
            scene.add(Burst { features: plain, ..burst(at_s + 2.5e-3, 0.5e-3, -4.4e6, 180e3, -50.0) });
        }
    }
    scene.run().is_one(Signal::Lte, Device::MobilePhone);
}

#[test]
fn a_downlink_is_infrastructure() {
    let mut scene = Scene::new(4, 1842e6, 3.0);
    let features = Features { lag_66u7: stands(0.9), ..ofdm() };
    scene.carrier(1, 0.0, 9.0, Burst { features, ..burst(0.0, 1.0, 1e6, 9e6, -40.0) });
    scene.run().is_one(Signal::Lte, Device::Infrastructure);
}

#[test]
fn a_tdd_base_station_is_never_a_phone() {
    for (seed, center) in [(5, Some(2645e6)), (6, None)] {
        let mut scene = Scene::new(seed, 2645e6, 1.0);
        scene.center_hz = center;
        scene.rate_hz = 1.92e6;
        for half_frame in 0..200 {
            let features = Features { lag_66u7: stands(0.8), ..ofdm() };
            let at_s = f64::from(half_frame) * 5e-3 + 0.4e-3;
            scene.add(Burst { features, at_edge: true, ..burst(at_s, 3.7e-3, 0.0, 1.7e6, -30.0) });
        }
        let told = scene.run();
        told.is_one(Signal::Lte, Device::Infrastructure);
        assert_eq!(told.raised(), 0);
    }
}

#[test]
fn a_phone_in_a_tdd_band_is_a_phone() {
    let mut scene = Scene::new(7, 2565e6, 1.0);
    for half_frame in 0..200 {
        if scene.rng.uniform() < 0.5 {
            let features = Features { lag_33u3: stands(0.8), ..ofdm() };
            let at_s = f64::from(half_frame) * 5e-3 + 4e-3;
            scene.add(Burst { features, ..burst(at_s, 0.99e-3, 0.0, 18e6, -30.0) });
        }
    }
    scene.run().is_one(Signal::Nr, Device::MobilePhone);
}

#[test]
fn wifi_frames_with_their_acknowledgements_are_a_network_card() {
    let mut scene = Scene::new(8, 2437e6, 1.0);
    let mut at_s = 0.01;
    while at_s < 0.9 {
        let length_s = 100e-6 + 1e-3 * scene.rng.uniform();
        let features = Features { lag_3u2: stands(0.9), lag_0u8: stands(0.9), ..ofdm() };
        scene.add(Burst { features, ..burst(at_s, length_s, 0.0, 16.7e6, -40.0) });
        scene.add(Burst { features, ..burst(at_s + length_s + 10e-6, 28e-6, 0.0, 16.5e6, -45.0) });
        at_s += length_s + 5e-3 + 20e-3 * scene.rng.uniform();
    }
    scene.run().is_one(Signal::WifiOfdm, Device::WirelessNetworkCard);
}

#[test]
fn one_wifi_frame_is_enough_at_the_end_of_input() {
    let mut scene = Scene::new(9, 5180e6, 0.0025);
    let features = Features { lag_3u2: stands(0.9), lag_0u8: stands(0.9), ..ofdm() };
    scene.add(Burst { features, ..burst(0.001, 120e-6, 0.0, 16.7e6, -40.0) });
    scene.run().is_one(Signal::WifiOfdm, Device::WirelessNetworkCard);
}

#[test]
fn dsss_beacons_are_a_network_card() {
    let mut scene = Scene::new(10, 2412e6, 1.0);
    for beacon in 0..9 {
        let features = Features { lag_1u: stands(0.85), envelope_cv: Some(0.3), ..ofdm() };
        scene.add(Burst { features, ..burst(0.02 + f64::from(beacon) * 0.1024, 2.2e-3, 0.0, 14e6, -40.0) });
    }
    scene.run().is_one(Signal::WifiDsss, Device::WirelessNetworkCard);
}

#[test]
fn a_headset_hops_and_is_one_emitter() {
    let mut scene = Scene::new(11, 2440e6, 3.0);
    let mut slot = 0u32;
    while f64::from(slot) * 625e-6 < 2.8 {
        for (turn, level) in [(0, -40.0), (1, -45.0)] {
            let channel = scene.rng.below(79) as f64;
            let offset = 2402e6 + channel * 1e6 - 2440e6;
            if offset.abs() < 9e6 {
                let at_s = 0.05 + f64::from(slot + turn) * 625e-6;
                let fade = 3.0 * scene.rng.normal();
                let features = gfsk(1e6, 0.31);
                scene.add(Burst { features, ..burst(at_s, 360e-6, offset, 1.0e6, level + fade) });
            }
        }
        slot += 12;
    }
    let told = scene.run();
    told.is_one(Signal::BluetoothClassic, Device::BluetoothDevice);
    assert!(told.emitters()[0].channels_hz.len() > 10);
    assert!(!told.ever().contains(&Signal::Esb) && !told.ever().contains(&Signal::Ble), "{:?}", told.ever());
}

#[test]
fn an_advertiser_is_bluetooth() {
    let mut scene = Scene::new(12, 2430e6, 3.0);
    let mut at_s = 0.1;
    while at_s < 2.9 {
        scene.add(Burst { features: gfsk(1e6, 0.49), ..burst(at_s, 300e-6, -4e6 + 20e3, 1.05e6, -50.0) });
        at_s += 0.1 + 0.01 * scene.rng.uniform();
    }
    scene.run().is_one(Signal::Ble, Device::BluetoothDevice);
}

#[test]
fn a_link_of_bluetooth_le_is_one_emitter() {
    let mut scene = Scene::new(13, 2440e6, 3.0);
    for event in 0..180 {
        let offset = 2404e6 + 2e6 * scene.rng.below(37) as f64 - 2440e6;
        if offset.abs() < 9e6 {
            let at_s = 0.05 + f64::from(event) * 15e-3;
            scene.add(Burst { features: gfsk(1e6, 0.5), ..burst(at_s, 120e-6, offset, 1.05e6, -40.0) });
            scene.add(Burst {
                features: gfsk(1e6, 0.5),
                ..burst(at_s + 270e-6, 96e-6, offset, 1.05e6, -46.0)
            });
        }
    }
    scene.run().is_one(Signal::Ble, Device::BluetoothDevice);
}

#[test]
fn a_keyboard_is_a_keyboard() {
    let mut scene = Scene::new(14, 2440e6, 5.0);
    let mut at_s = 0.3;
    while at_s < 4.8 {
        for packet in 0..6 {
            let at_s = at_s + f64::from(packet) * 8e-3;
            scene.add(Burst { features: gfsk(2e6, 0.32), ..burst(at_s, 150e-6, 4e6, 2.0e6, -40.0) });
            scene.add(Burst { features: gfsk(2e6, 0.32), ..burst(at_s + 280e-6, 60e-6, 4e6, 2.0e6, -50.0) });
        }
        at_s += 0.25;
    }
    scene.run().is_one(Signal::Esb, Device::WirelessKeyboard);
}

#[test]
fn a_remote_of_no_known_system_is_not_given_a_name() {
    let mut scene = Scene::new(15, 2475e6, 0.011);
    scene.rate_hz = 2e6;
    for packet in 0..20 {
        let at_s = 0.5e-3 + f64::from(packet) * 0.5e-3;
        scene.add(Burst { features: gfsk(1e6, 0.5), ..burst(at_s, 188e-6, 0.0, 1.1e6, -20.0) });
    }
    let told = scene.run();
    assert_eq!(told.emitters().len(), 1);
    assert!(matches!(told.emitters()[0].signal, Signal::Unknown | Signal::Esb));
    assert_eq!(told.raised(), 1);
}

#[test]
fn both_ends_of_a_cordless_call() {
    let mut scene = Scene::new(16, 1890e6, 1.0);
    for frame in 0..95 {
        let at_s = 0.02 + f64::from(frame) * 10e-3;
        scene.add(Burst { features: gfsk(1.152e6, 0.5), ..burst(at_s, 368e-6, -1.296e6, 1.3e6, -40.0) });
        scene.add(Burst {
            features: gfsk(1.152e6, 0.5),
            ..burst(at_s + 5e-3, 368e-6, -1.296e6, 1.3e6, -50.0)
        });
    }
    scene.run().is_one(Signal::Dect, Device::CordlessPhone);
}

#[test]
fn a_conversation_is_one_walkie_talkie() {
    let mut scene = Scene::new(17, 409.5e6, 30.0);
    scene.rate_hz = 2.4e6;
    for (turn, level) in [-20.0, -31.0, -21.0, -30.0, -20.0].into_iter().enumerate() {
        let start_s = 1.0 + 5.0 * turn as f64;
        let features = fm(2.2e3);
        scene.carrier(
            turn as u32,
            start_s,
            start_s + 3.0,
            Burst { features, ..burst(0.0, 0.0, 312.5e3, 9e3, level) },
        );
    }
    let told = scene.run();
    told.is_one(Signal::Nfm, Device::WalkieTalkie);
    assert_eq!(told.emitters()[0].bursts, 5);
    assert!((told.emitters()[0].airtime_s - 15.0).abs() < 1e-6);
}

fn fsk4(symbols_hz: f64, outer_hz: f64) -> Features {
    Features {
        fsk_levels: Some(4),
        level_error: Some(0.25),
        symbol_rate_hz: Some(symbols_hz as f32),
        level_hz: Some(outer_hz as f32),
        modulation_index: None,
        symbol_line: line(symbols_hz),
        deviation_hz: Some(outer_hz as f32),
        ..fm(outer_hz)
    }
}

#[test]
fn digital_walkie_talkies_by_their_levels_and_slots() {
    let mut scene = Scene::new(18, 410e6, 3.0);
    scene.rate_hz = 2.4e6;
    for slot in 0..40 {
        let at_s = 0.1 + f64::from(slot) * 60e-3;
        scene.add(Burst { features: fsk4(4800.0, 1944.0), ..burst(at_s, 27.5e-3, 200e3, 8.3e3, -30.0) });
    }
    scene.run().is_one(Signal::Dmr, Device::WalkieTalkie);
    for (symbols, outer, signal) in [
        (4800.0, 1800.0, Signal::P25),
        (4800.0, 2400.0, Signal::Nxdn),
        (4800.0, 1944.0, Signal::Dmr),
        (2400.0, 1050.0, Signal::Unknown),
    ] {
        let mut scene = Scene::new(19, 410e6, 3.0);
        scene.rate_hz = 2.4e6;
        scene.carrier(
            1,
            0.0,
            9.0,
            Burst { features: fsk4(symbols, outer), ..burst(0.0, 0.0, 200e3, 8e3, -30.0) },
        );
        scene.run().is_one(signal, Device::WalkieTalkie);
    }
}

#[test]
fn tetra_handsets() {
    let mut scene = Scene::new(20, 382e6, 3.0);
    scene.rate_hz = 2.4e6;
    for slot in 0..40 {
        let at_s = 0.1 + f64::from(slot) * 56.6667e-3;
        let features = Features { envelope_cv: Some(0.25), envelope_line: line(18e3), ..Features::default() };
        scene.add(Burst { features, ..burst(at_s, 14.1e-3, 200e3, 21e3, -30.0) });
    }
    scene.run().is_one(Signal::Tetra, Device::WalkieTalkie);
}

#[test]
fn a_microphone_is_one_and_a_station_is_not() {
    let wide = |hz: f64, learn: Option<Baseline>| {
        let mut scene = Scene::new(21, hz, 3.0);
        scene.rate_hz = 2.4e6;
        scene.baseline = learn;
        scene.carrier(1, 0.0, 9.0, Burst { features: fm(40e3), ..burst(0.0, 0.0, 200e3, 120e3, -30.0) });
        scene.run()
    };
    wide(650e6, None).is_one(Signal::Wfm, Device::WirelessMicrophone);
    wide(98e6, None).is_one(Signal::FmBroadcast, Device::Infrastructure);
    wide(98e6, Some(Baseline::default())).is_one(Signal::Wfm, Device::WirelessMicrophone);
}

#[test]
fn a_remote_control_is_one_train() {
    let mut scene = Scene::new(22, 433.92e6, 1.0);
    scene.rate_hz = 2e6;
    let mut at_s = 0.1;
    for pulse in 0..300 {
        let long = scene.rng.uniform() < 0.5;
        let features = Features { envelope_cv: Some(0.1), line_fraction: Some(0.95), ..Features::default() };
        let length_s = if long { 1.2e-3 } else { 0.4e-3 };
        scene.add(Burst { features, ..burst(at_s, length_s, 10e3, 4e3, -20.0) });
        at_s += if pulse % 25 == 24 { 14e-3 } else { 1.6e-3 };
    }
    scene.run().is_one(Signal::Ook, Device::OtherWireless);
}

#[test]
fn lines_that_stand_are_interference_and_lines_that_start_are_not() {
    let line_at = |start_s: f64| {
        let mut scene = Scene::new(23, 144.5e6, 3.0);
        scene.rate_hz = 2.4e6;
        let features = Features { envelope_cv: Some(0.02), line_fraction: Some(0.99), ..Features::default() };
        scene.carrier(1, start_s, 9.0, Burst { features, ..burst(0.0, 0.0, 200e3, 1e3, -30.0) });
        scene.run()
    };
    line_at(0.0).is_one(Signal::Cw, Device::Interference);
    line_at(1.0).is_one(Signal::Cw, Device::OtherWireless);
}

#[test]
fn an_oven_is_interference() {
    let mut scene = Scene::new(24, 2450e6, 2.0);
    for cycle in 0..90 {
        let features = Features { envelope_cv: Some(0.4), ..Features::default() };
        let at_s = 0.1 + f64::from(cycle) * 20e-3;
        let offset = 5e6 + 3e5 * scene.rng.normal();
        scene.add(Burst { features, ..burst(at_s, 9e-3, offset, 4e6, -30.0) });
    }
    let told = scene.run();
    assert_eq!(told.names(), [(Signal::Unknown, Device::Interference)]);
}
