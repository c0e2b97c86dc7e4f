//! What receivers and rooms do by themselves is no alert, and a transmitter beside it still is. The scenes are rendered
//! by the simulator, which shares no constant with the detector; the oracle is what stands in them.

use super::scene::verdict;
use emcon::classify::{Device, Signal};
use emcon::pipeline::HealthReason;

/// Steps of the gain move the floor, up, down, and beyond what the receiver delivers; nobody transmits.
#[test]
fn a_gain_step_is_a_step_of_the_floor_and_no_emitter() {
    for (model, center) in [("rtlsdr", "446.2M"), ("hackrf", "905M")] {
        for db in [-30.0, -10.0, -6.0, 3.0, 6.0, 10.0] {
            let step = format!("[impairments]\ngain_steps = [{{ at = 0.5, db = {db} }}]\n");
            let found = verdict(model, center, 0.8, 5, &step);
            assert_eq!((found.alerts, found.names()), (0, vec![]), "{model} {db} dB");
            assert_eq!(found.faults, [HealthReason::FloorStep], "{model} {db} dB");
        }
    }
}

/// A stream that begins with a buffer of zeros, or with a converter that hangs for a quarter of a second, is looked at
/// from its first real sample on.
#[test]
fn a_dead_beginning_is_not_the_floor() {
    for fault in ["zeros = [[0.0, 0.01]]", "stuck = [[0.0, 0.25]]"] {
        let found = verdict("rtlsdr", "446.2M", 0.6, 1, &format!("[impairments]\n{fault}\n"));
        assert_eq!((found.alerts, found.names()), (0, vec![]), "{fault}");
    }
    let found = verdict("rtlsdr", "446.2M", 0.6, 1, "[impairments]\nstuck = [[0.0, 0.25]]\n");
    assert!((found.observed_s - 0.35).abs() < 1e-3, "{}", found.observed_s);
}

/// Lines that sweep, combs of a supply and ovens are told of as interference, if at all, and alert nobody.
#[test]
fn interference_is_no_alert() {
    let cases = [
        ("rtlsdr", "150M", "kind = \"swept-line\"\nfreq = \"150.2M\"\nsnr_db = 15"),
        (
            "rtlsdr",
            "446M",
            "kind = \"swept-line\"\nfreq = \"445.7M\"\nsnr_db = 15\nsweep_hz = 1e6\nperiod_ms = 200",
        ),
        ("rtlsdr", "30M", "kind = \"switching-supply\"\nfreq = \"30.2M\"\nsnr_db = 15"),
        ("hackrf", "2450M", "kind = \"microwave-oven\"\nfreq = \"2455M\"\nsnr_db = 15"),
        ("hackrf", "200M", "kind = \"mains-impulses\"\nfreq = \"200M\"\nsnr_db = 10"),
    ];
    for (model, center, emitter) in cases {
        for seed in 1..=2 {
            let found = verdict(model, center, 0.5, seed, &format!("[[emitter]]\n{emitter}\n"));
            let others: Vec<_> = found
                .emitters
                .iter()
                .filter(|e| e.device != Device::Interference)
                .map(|e| e.signal)
                .collect();
            assert_eq!((found.alerts, others), (0, vec![]), "{emitter}, seed {seed}");
        }
    }
}

/// Six microphones at multiples of one distance are no comb, nor is one over the tuning between a comb's teeth. What
/// kind of voice a microphone is taken for before it has been heard for long is not asked.
#[test]
fn microphones_on_a_raster_are_no_comb() {
    let microphone = |mhz: f64, dbfs: f64| {
        format!("[[emitter]]\nkind = \"wfm\"\nfreq = \"{mhz}M\"\nlevel_dbfs = {dbfs}\n")
    };
    let six: String =
        [0.0, 1.0, 3.0, 7.0, 12.0, 16.0].iter().map(|step| microphone(517.0 + 0.35 * step, -30.0)).collect();
    let found = verdict("hackrf", "520M", 1.6, 1, &six);
    let lost: Vec<_> = found.emitters.iter().filter(|e| e.device == Device::Interference).collect();
    assert_eq!((found.alerts, lost.len()), (6, 0), "{:?}", found.names());

    let supply = "[[emitter]]\nkind = \"switching-supply\"\nfreq = \"433.5M\"\nlevel_dbfs = -44\n";
    let found = verdict("rtlsdr", "433.5M", 0.8, 1, &format!("{supply}{}", microphone(433.5, -22.0)));
    assert!(found.names().contains(&(Device::WirelessMicrophone, Signal::Wfm)), "{:?}", found.names());
}

/// A walkie-talkie at the very tuning, where the receiver's offset stands, is seen when it is keyed.
#[test]
fn who_is_keyed_at_the_tuning_is_seen() {
    let radio = "[[emitter]]\nkind = \"nfm\"\nfreq = \"446.2M\"\nsnr_db = 20\non = [[0.2, 1.5]]\n";
    let found = verdict("rtlsdr", "446.2M", 1.7, 1, radio);
    assert_eq!(found.names(), [(Device::WalkieTalkie, Signal::Nfm)]);
}

/// The onset of a line is remembered when the gain steps right after it. Only the line is held: skirts of one as strong
/// may still be told of beside it after the step.
#[test]
fn a_line_that_was_switched_on_is_a_transmitter_whatever_the_gain_does() {
    for db in [-5.0, -3.0] {
        let scene = format!(
            "[impairments]\ngain_steps = [{{ at = 0.56, db = {db} }}]\n[[emitter]]\nkind = \"cw\"\nfreq = \"446.5M\"\nlevel_dbfs = -20\non = [[0.5, 1.2]]\n"
        );
        let found = verdict("hackrf", "446.2M", 1.2, 1, &scene);
        assert_eq!(found.names().first(), Some(&(Device::OtherWireless, Signal::Cw)), "{db} dB");
        let first_s = found.emitters[0].first_s;
        assert!((first_s - 0.5).abs() < 1e-3, "{db} dB: {first_s}");
    }
}

/// A weak narrow emission is seen before it has become the floor: 9 dB over the noise of its channel is 3 dB in a bin.
#[test]
fn a_weak_steady_emission_does_not_become_the_floor() {
    let radio = "[[emitter]]\nkind = \"dpmr\"\nfreq = \"446.103125M\"\nsnr_db = 9\non = [[0.3, 1.3]]\n";
    for seed in 1..=3 {
        let found = verdict("rtlsdr", "446.3M", 1.5, seed, radio);
        let devices: Vec<_> = found.emitters.iter().map(|e| e.device).collect();
        assert_eq!(devices, [Device::WalkieTalkie], "seed {seed}");
    }
}

/// Two radios nine bins apart: the second is no modulation of the first, whose power stays where it is.
#[test]
fn two_radios_nine_bins_apart_are_two() {
    let radio = |mhz: f64, on_s: f64| {
        format!("[[emitter]]\nkind = \"nfm\"\nfreq = \"{mhz}M\"\nsnr_db = 25\non = [[{on_s}, 2.0]]\n")
    };
    let scene = radio(446.00625, 0.3) + &radio(446.09375, 0.8);
    for seed in 1..=3 {
        let found = verdict("rtlsdr", "446.2M", 2.0, seed, &scene);
        let nfm = (Device::WalkieTalkie, Signal::Nfm);
        assert_eq!((found.alerts, found.names()), (2, vec![nfm, nfm]), "seed {seed}");
        let centers: Vec<f64> = found.emitters.iter().filter_map(|e| e.center_hz).collect();
        let errors =
            [446.00625e6, 446.09375e6].map(|hz| centers.iter().map(|c| (c - hz).abs()).fold(1e9, f64::min));
        assert!(errors.iter().all(|error| *error < 5e3), "seed {seed}: {centers:?}");
    }
}
