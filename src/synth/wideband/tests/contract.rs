//! What the trait promises, of every kind.

use super::probe::{check_contract, joined, shots, splatter_db};
use super::{make, refusal};

/// Kind, frequency, keys, window to look at.
const CASES: &[(&str, f64, &str, (f64, f64))] = &[
    ("gsm", 900.2e6, "", (3.0, 3.5)),
    ("gsm", 900.2e6, "dtx = true\nhop_offsets_hz = [-400e3, 0.0, 600e3]", (3.0, 6.0)),
    ("gsm", 945e6, "role = \"downlink\"", (3.0, 3.05)),
    ("umts", 1950e6, "power_step_db = 0.2", (3.0, 3.05)),
    ("umts", 2140e6, "role = \"downlink\"", (3.0, 3.05)),
    ("lte", 1745e6, "srs_ms = 10", (3.0, 3.3)),
    ("lte", 1745e6, "traffic = \"voice\"", (3.0, 5.0)),
    ("lte", 1745e6, "traffic = \"idle\"\nsession_gap_s = 5.0", (0.0, 30.0)),
    ("lte", 1900e6, "tdd = true", (3.0, 3.3)),
    ("lte", 1840e6, "role = \"downlink\"", (3.0, 3.05)),
    ("lte", 1900e6, "role = \"downlink\"\ntdd = true", (3.0, 3.1)),
    ("nr", 3500e6, "", (3.0, 3.3)),
    ("nr", 710e6, "spacing_khz = 15\ntdd = false\ndft_spread = true", (3.0, 3.3)),
    ("nr", 3500e6, "traffic = \"idle\"\nsession_gap_s = 5.0\nblocks = 273\npart = [100, 51]", (0.0, 30.0)),
    ("nr", 3500e6, "role = \"downlink\"\nblocks = 273", (3.0, 3.05)),
    ("wifi-ofdm", 2437e6, "", (3.0, 4.0)),
    ("wifi-ofdm", 5180e6, "format = \"ht\"\nwide = true\nrole = \"client\"\nreverse = 0.5", (3.0, 4.0)),
    ("wifi-ofdm", 5180e6, "format = \"he\"", (3.0, 4.0)),
    (
        "wifi-ofdm",
        2437e6,
        "role = \"probe\"\nscan_gap_s = 2.0\nscan_offsets_hz = [-25e6, 0.0, 25e6]",
        (3.0, 9.0),
    ),
    ("wifi-dsss", 2437e6, "frame_us = [300.0, 900.0]", (3.0, 4.0)),
    ("bluetooth-classic", 2441e6, "", (3.0, 3.3)),
    ("bluetooth-classic", 2441e6, "enhanced = true\navoid_hz = [2427e6, 2447e6]", (3.0, 3.3)),
    ("bluetooth-classic", 2441e6, "traffic = \"acl\"\nload = 0.8", (3.0, 3.3)),
    ("bluetooth-classic", 2441e6, "traffic = \"poll\"", (3.0, 4.0)),
    ("bluetooth-classic", 2441e6, "traffic = \"inquiry\"", (3.0, 3.1)),
    ("ble", 2440e6, "scanned = 0.5", (3.0, 6.0)),
    ("ble", 2440e6, "role = \"connection\"\ninterval_ms = 30.0\ndata_bytes = [20, 200]\nphy = 2", (3.0, 4.0)),
    ("dect", 1888.704e6, "", (3.0, 3.5)),
    ("dect", 1888.704e6, "role = \"beacon\"", (3.0, 3.5)),
    ("dect", 1888.704e6, "role = \"handset\"", (3.0, 3.5)),
    ("esb", 2444e6, "pause_s = 0.0\nlost = 0.3\nchannel_offsets_hz = [0.0, 4e6]\nstay_s = 0.5", (3.0, 5.0)),
    ("esb", 2444e6, "traffic = \"mouse\"\nrate_mbps = 1", (3.0, 3.3)),
    ("zigbee", 2425e6, "", (3.0, 6.0)),
    ("digital-mic", 650e6, "", (3.0, 3.1)),
    ("digital-mic", 650e6, "modulation = \"qam16\"\nsymbol_rate = 400e3", (3.0, 3.1)),
    ("digital-mic", 2450e6, "mode = \"tdma\"\nchannel_offsets_hz = [-20e6, 0.0, 20e6]", (3.0, 3.3)),
    ("tv", 600e6, "", (3.0, 3.03)),
    ("tv", 600e6, "standard = \"dtmb\"", (3.0, 3.03)),
    ("video", 1200e6, "", (3.0, 3.05)),
];

/// Oracle: the trait's own words. Mean power within 6 %: the shortest windows hold few random symbols.
#[test]
fn every_kind_keeps_the_contract() {
    for (kind, freq_hz, keys, (from_s, to_s)) in CASES {
        println!("{kind} {keys}");
        check_contract(&*make(kind, *freq_hz, keys), *from_s, *to_s, 0.06);
    }
}

/// Oracle: a seam is a step, which is wide: windows of 256 samples across the joints of chunks have no more power
/// beyond the signal than windows elsewhere. Tolerance 4 dB, the spread of a mean of some ten windows.
#[test]
fn chunks_join_without_a_seam() {
    let cases: [(&str, &str, f64); 7] = [
        ("gsm", "role = \"downlink\"", 300e3),
        ("umts", "", 2.8e6),
        ("umts", "role = \"downlink\"", 2.8e6),
        ("digital-mic", "", 130e3),
        ("lte", "role = \"downlink\"", 6e6),
        ("tv", "standard = \"dtmb\"", 4.5e6),
        ("video", "sound = false", 13e6),
    ];
    for (kind, keys, beyond_hz) in cases {
        let waveform = make(kind, 1e9, keys);
        let (from_s, to_s) = (2.0, 2.0 + 14.0 * waveform.longest_s());
        let chunks = shots(&*waveform, from_s, to_s);
        let all = joined(&*waveform, from_s, to_s);
        let index = |t: f64| ((t - all.first_s) * all.rate_hz).round() as usize;
        let joints = chunks.iter().skip(1).map(|c| index(c.start_s));
        let at_joints = splatter_db(&all.samples, all.rate_hz, beyond_hz, joints);
        let elsewhere =
            chunks.iter().flat_map(|c| [0.31, 0.47, 0.73].map(|u| index(c.start_s + u * c.duration_s)));
        let elsewhere = splatter_db(&all.samples, all.rate_hz, beyond_hz, elsewhere);
        assert!(
            at_joints < elsewhere + 4.0,
            "{kind} {keys}: {at_joints} dB at joints, {elsewhere} dB elsewhere"
        );
        assert!(at_joints < -20.0, "{kind} {keys}: {at_joints} dB");
    }
}

#[test]
fn bad_keys_are_refused_with_their_name() {
    for (kind, keys, name) in [
        ("gsm", "slot = 9", "slot"),
        ("umts", "power_step_db = nan", "power_step_db"),
        ("lte", "allocation = [20, 10]", "allocation"),
        ("lte", "traffic = \"flood\"", "flood"),
        ("nr", "spacing_khz = 60", "spacing_khz"),
        ("wifi-ofdm", "frames_per_second = 3.0", "frames_per_second"),
        ("wifi-ofdm", "frames_per_s = 1e9", "frames_per_s"),
        ("wifi-dsss", "frame_us = [10.0, 20.0]", "frame_us"),
        ("bluetooth-classic", "avoid_hz = [2400e6, 2479e6]", "avoid_hz"),
        ("ble", "interval_ms = 0.0", "interval_ms"),
        ("dect", "slot = 12", "slot"),
        ("esb", "channel_offsets_hz = []", "channel_offsets_hz"),
        ("zigbee", "bytes = [5, 500]", "bytes"),
        ("digital-mic", "symbol_rate = inf", "symbol_rate"),
        ("tv", "guard = 3", "guard"),
        ("video", "swing_hz = -1.0", "swing_hz"),
    ] {
        let error = refusal(kind, keys);
        assert!(error.contains(name), "{kind} {keys}: {error}");
    }
}
