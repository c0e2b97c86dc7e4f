//! Forecasts by formulas against emitters drawn burst by burst before the real scheduler; the long form is
//! `make figures WHAT=intercept`.

use crate::watch::{Room, looked_share, times_to_two};

/// Emitters drawn of each kind.
const TRIALS: u64 = 200;

/// A forecast is to be good to this factor in time.
const FACTOR: f64 = 1.2;

/// Three standard errors of a share `p` of the trials: one in 700 sound forecasts fails by chance, with seeds that
/// never change.
fn error(p: f64) -> f64 {
    3.0 * (p * (1.0 - p) / TRIALS as f64).sqrt()
}

#[test]
fn forecasts_hold_before_the_real_scheduler() {
    let room = Room::new("hackrf", Some(5e-3)).unwrap();
    for name in [
        "GSM call",
        "wireless microphone",
        "BLE advertiser, 1 s",
        "Wi-Fi call, 2.4 GHz",
        "Bluetooth headset in a call",
    ] {
        let (model, own) = room.emitters.iter().find(|(model, _)| model.name == name).unwrap();
        let expected = room.expected(name).unwrap();
        let times: Vec<[f64; 2]> =
            (0..TRIALS).map(|seed| times_to_two(room.receiver(), model, own, seed)).collect();
        for (nth, expected) in [(0, expected.first.unwrap()), (1, expected.second.unwrap())] {
            let within =
                |limit_s: f64| times.iter().filter(|t| t[nth] <= limit_s).count() as f64 / TRIALS as f64;
            for (p, time_s) in [(0.5, expected.median_s), (0.95, expected.p95_s)] {
                let (early, late) = (within(time_s / FACTOR), within(time_s * FACTOR));
                let what = format!("{name}, intercept {}, {p}: {time_s:.2} s", nth + 1);
                assert!(early <= p + error(p), "{what}: {early} are met a sixth sooner");
                assert!(late >= p - error(p), "{what}: only {late} are met a fifth later");
            }
        }
    }
}

#[test]
fn the_share_looked_at_is_as_planned() {
    let room = Room::new("hackrf", None).unwrap();
    let run = looked_share(room.receiver(), 10.0, 1);
    // Jitter of a tenth, averaged over ten superframes of some two hundred looks.
    assert!((run - room.receiver().looked_share()).abs() < 0.002, "{run}");
}
