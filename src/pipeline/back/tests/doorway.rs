//! What is too faint to be in the room raises no alert, and is told of all the same.

use super::scene::*;
use crate::measure::Burst;
use crate::pipeline::{Output, Phase};
use crate::policy::{Gate, Location};

/// Full scale is -30 dBm: noise of -163 dBm/Hz at -133 dBFS/Hz. The gate of what has no name is -56.3 dBm at 650 MHz, -26.3
/// dBFS.
const FLOOR_DBFS_PER_HZ: f64 = -133.0;
const GATE: Gate = Gate { noise_figure_db: 11.0, room_m: 6.0 };

/// Something in frequency modulation that gets from one level to the next, dBFS, every second.
fn keyed(floor_dbfs_per_hz: Option<f64>, levels_dbfs: &[f64]) -> Told {
    let mut scene = Scene::new(71, 650e6, levels_dbfs.len() as f64);
    scene.gate = Some((GATE, floor_dbfs_per_hz));
    for (n, level_dbfs) in levels_dbfs.iter().enumerate() {
        for piece in 0..20 {
            let at_s = n as f64 + 0.05 * f64::from(piece);
            scene.add(Burst { features: fm(35e3), ..burst(at_s, 0.04, 0.3e6, 120e3, *level_dbfs) });
        }
    }
    scene.run()
}

fn locations(told: &Told) -> Vec<Option<Location>> {
    let mut locations: Vec<_> = told
        .out
        .iter()
        .filter_map(|output| match output {
            Output::Emitter(_, report) => Some(report.location),
            _ => None,
        })
        .collect();
    locations.dedup();
    locations
}

#[test]
fn what_is_fainter_than_a_device_in_the_room_raises_no_alert() {
    let told = keyed(Some(FLOOR_DBFS_PER_HZ), &[-40.0, -40.0]);
    assert_eq!((told.raised(), locations(&told)), (0, vec![Some(Location::Outside)]));
    let said = told.out.iter().any(|output| match output {
        Output::Emitter(Phase::Closed, report) => {
            report.banned
                && report
                    .reasons
                    .iter()
                    .any(|reason| reason.starts_with("likely outside the room: about -70 dBm"))
        }
        _ => false,
    });
    assert!(said, "{:?}", told.out.last());
}

#[test]
fn what_is_as_loud_does_and_what_is_near_the_gate_does_in_doubt() {
    let told = keyed(Some(FLOOR_DBFS_PER_HZ), &[0.0, 0.0]);
    assert_eq!((told.raised(), locations(&told)), (1, vec![Some(Location::Inside)]));
    let told = keyed(Some(FLOOR_DBFS_PER_HZ), &[-20.0, -20.0]);
    assert_eq!((told.raised(), locations(&told)), (1, vec![Some(Location::Uncertain)]));
}

#[test]
fn who_comes_in_is_told_then_and_does_not_leave_by_turning_away() {
    let told =
        keyed(Some(FLOOR_DBFS_PER_HZ), &[-40.0, -20.0, -20.0, -20.0, -40.0, -40.0, -40.0, -40.0, -40.0]);
    assert_eq!(told.raised(), 1);
    assert_eq!(locations(&told), [Some(Location::Outside), Some(Location::Uncertain)]);
}

#[test]
fn without_a_floor_everything_is_in_the_room() {
    let told = keyed(None, &[-40.0, -40.0]);
    assert_eq!((told.raised(), locations(&told)), (1, vec![None]));
}
