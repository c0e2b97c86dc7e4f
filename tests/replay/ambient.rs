//! What was learned and goes on raises nothing; another one of its kind on its channel does. The scenes are rendered by
//! the simulator; the oracle is what stands in them.

use super::back_that_knows;
use super::scene::run;
use emcon::classify::Signal;

/// An emitter of a scene.
fn emitter(table: &str, keys: &str) -> String {
    format!("[[{table}]]\n{keys}\n")
}

/// Strong and weak (8 dB is below what the figures ask for), with the other end of the link 3 to 6 dB below: the rest of the recording is more of the same.
#[test]
fn more_of_the_same_raises_nothing() {
    let scenes = [
        ("hackrf", "2437M", "kind = \"wifi-ofdm\"\nfreq = \"2437M\"\nreverse = 0.4"),
        ("hackrf", "2437M", "kind = \"wifi-dsss\"\nfreq = \"2437M\""),
        ("hackrf", "2430M", "kind = \"ble\"\nfreq = \"2426M\""),
        ("hackrf", "2441M", "kind = \"bluetooth-classic\"\nfreq = \"2441M\""),
        ("hackrf", "1890M", "kind = \"dect\"\nfreq = \"1888.704M\""),
        ("hackrf", "2441M", "kind = \"zigbee\"\nfreq = \"2440M\""),
        ("rtlsdr", "446.3M", "kind = \"dmr\"\nfreq = \"446.1M\""),
    ];
    let mut faults = Vec::new();
    for (model, center, keys) in scenes {
        for snr_db in [8, 20] {
            let scene = emitter("ambient", &format!("{keys}\nsnr_db = {snr_db}"));
            let (found, _) = run(model, center, 1.6, 1, &scene, back_that_knows(None, 0.7));
            if found.alerts != 0 {
                faults.push(format!("{keys}, {snr_db} dB: {} alerts of {:?}", found.alerts, found.names()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Neither louder nor weaker than what was learned allows: its carrier, or the length of its bursts, tells it.
#[test]
fn another_of_its_kind_on_a_learned_channel_is_seen() {
    let access_point =
        "kind = \"wifi-ofdm\"\nfreq = \"2437M\"\nsnr_db = 24\noffset = 4000\npeer_offset_hz = 24000";
    let laptop = |snr_db: i32| {
        format!(
            "kind = \"wifi-ofdm\"\nrole = \"client\"\nfreq = \"2437M\"\nsnr_db = {snr_db}\nframes_per_s = 60\noffset = -15000\non = [[0.9, 2.0]]"
        )
    };
    let tag = "kind = \"ble\"\nfreq = \"2426M\"\nsnr_db = 20\noffset = 20000\ninterval_ms = 40";
    let phone =
        "kind = \"ble\"\nfreq = \"2426M\"\nsnr_db = 16\noffset = -30000\ninterval_ms = 60\non = [[0.9, 2.0]]";
    let base = "kind = \"dect\"\nrole = \"beacon\"\nfreq = \"1889.568M\"\nsnr_db = 20";
    let handset = "kind = \"dect\"\nslot = 9\nfreq = \"1889.568M\"\nsnr_db = 18\non = [[0.9, 2.0]]";
    let scenes = [
        ("2437M", access_point, laptop(12), Signal::WifiOfdm),
        ("2437M", access_point, laptop(20), Signal::WifiOfdm),
        ("2437M", access_point, laptop(28), Signal::WifiOfdm),
        ("2430M", tag, phone.to_owned(), Signal::Ble),
        ("1890M", base, handset.to_owned(), Signal::Dect),
    ];
    for (center, learned, new, signal) in scenes {
        let scene = emitter("ambient", learned) + &emitter("emitter", &new);
        let (found, _) = run("hackrf", center, 2.0, 9, &scene, back_that_knows(None, 0.8));
        let known: Vec<_> = found.emitters.iter().filter(|e| e.ambient).map(|e| e.signal).collect();
        let told: Vec<_> =
            found.emitters.iter().filter(|e| !e.ambient).map(|e| (e.signal, e.banned)).collect();
        assert_eq!(known, [signal], "{new}");
        assert!(found.alerts > 0 && told.contains(&(signal, true)), "{new}: {told:?}");
    }
}

/// A baseline that was kept says the same of the next recording as learning does of its own.
#[test]
fn a_kept_baseline_tells_carriers_apart() {
    let access_point =
        emitter("ambient", "kind = \"wifi-ofdm\"\nfreq = \"2437M\"\nsnr_db = 24\noffset = 4000");
    let (_, baseline) = run("hackrf", "2437M", 1.0, 9, &access_point, back_that_knows(None, 1.0));
    let (same, _) =
        run("hackrf", "2437M", 1.0, 9, &access_point, back_that_knows(Some(baseline.clone()), 0.0));
    assert_eq!((same.alerts, same.names().len()), (0, 1));
    let laptop = emitter(
        "emitter",
        "kind = \"wifi-ofdm\"\nrole = \"client\"\nfreq = \"2437M\"\nsnr_db = 24\nframes_per_s = 60\noffset = -15000",
    );
    let both = access_point + &laptop;
    let (other, _) = run("hackrf", "2437M", 1.0, 9, &both, back_that_knows(Some(baseline), 0.0));
    assert_eq!(other.alerts, 1, "{:?}", other.names());
}

/// What is no fragment is told of: a strong narrow transmitter inside a busy access point's band, one at the edge of the
/// span amid a learned hopper's hops, one telegram beside a learned radio.
#[test]
fn what_stands_out_of_the_learned_is_told() {
    let busy = "kind = \"wifi-ofdm\"\nfreq = \"2437M\"\nsnr_db = 25\nframes_per_s = 400\nreverse = 0.4";
    let inside = "kind = \"fsk\"\nfreq = \"2441M\"\nlevel_dbfs = -26\ninterval_s = 0.1\non = [[0.9, 1.7]]";
    let hopper = "kind = \"bluetooth-classic\"\ntraffic = \"acl\"\nfreq = \"2441M\"\nsnr_db = 25";
    let edge = "kind = \"fsk\"\nfreq = \"2450M\"\nbit_rate = 200000\ndeviation_hz = 100000\nbytes = 40\ninterval_s = 0.1\nsnr_db = 18\non = [[0.8, 1.6]]";
    let radio = "kind = \"nfm\"\nfreq = \"433.3M\"\nsnr_db = 20";
    let telegram = "kind = \"fsk\"\nfreq = \"434.2M\"\nbytes = 24\nsnr_db = 25\non = [[1.3, 1.31]]";
    let scenes = [
        ("hackrf", "2437M", busy, inside, 2441e6),
        ("hackrf", "2441M", hopper, edge, 2450e6),
        ("rtlsdr", "433.9M", radio, telegram, 434.2e6),
    ];
    for (model, center, learned, new, hz) in scenes {
        let scene = emitter("ambient", learned) + &emitter("emitter", new);
        let (found, _) = run(model, center, 1.8, 3, &scene, back_that_knows(None, 0.75));
        let there = |center_hz: f64| (center_hz - hz).abs() < 100e3;
        let told = found.emitters.iter().any(|e| !e.ambient && e.banned && e.center_hz.is_some_and(there));
        assert!(found.alerts > 0 && told, "{new}: {:?}", found.names());
    }
}

/// A receiver whose crystal is at another temperature than when the room was learned moves all carriers together.
#[test]
fn a_kept_baseline_outlives_a_warm_crystal() {
    let access_point =
        emitter("ambient", "kind = \"wifi-ofdm\"\nfreq = \"2437M\"\nsnr_db = 24\noffset = 4000");
    let (_, baseline) = run("hackrf", "2437M", 0.8, 9, &access_point, back_that_knows(None, 0.8));
    for ppm in [-3.0, 3.0] {
        let warm = format!("[impairments]\nppm = {ppm}\n{access_point}");
        let (found, _) = run("hackrf", "2437M", 0.8, 9, &warm, back_that_knows(Some(baseline.clone()), 0.0));
        assert_eq!((found.alerts, found.names().len()), (0, 1), "{ppm} ppm");
    }
}
