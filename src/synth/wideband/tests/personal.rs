//! Bluetooth, DECT, keyboards, Zigbee.

use std::collections::BTreeSet;

use super::make;
use super::probe::{envelope_cv, frequency, lag, obw99, part, quantile, shots};
use crate::synth::{Shot, Waveform};

/// Deviation reached in runs of equal bits: the 99 % quantile of the frequency's magnitude.
fn deviation_hz(waveform: &dyn Waveform, list: &[Shot]) -> f64 {
    let mut all = Vec::new();
    for shot in list.iter().take(20) {
        let iq = waveform.render(shot);
        let inner = part(shot, &iq, 5e-6, shot.duration_s - 5e-6);
        assert!(envelope_cv(&inner) < 1e-3);
        all.extend(frequency(&inner, iq.rate_hz).iter().map(|f| f.abs()));
    }
    quantile(&all, 0.99)
}

/// Mean 99 % bandwidth of single packets.
fn bandwidth_hz(waveform: &dyn Waveform, list: &[Shot]) -> f64 {
    let some = &list[..list.len().min(20)];
    some.iter().map(|s| waveform.render(s)).map(|iq| obw99(&iq.samples, iq.rate_hz)).sum::<f64>()
        / some.len() as f64
}

fn channels(list: &[Shot]) -> BTreeSet<i64> {
    list.iter().map(|s| s.offset_hz.round() as i64).collect()
}

fn end_s(shot: &Shot) -> f64 {
    shot.start_s + shot.duration_s
}

/// Oracle: Bluetooth Core vol. 2 part A section 3.1 (index 0.28 to 0.35, 160 kHz here), part B sections 2.2 (slots of
/// 625 us), 6.5 (DH5 with 339 bytes: 2870 us), 79 channels; 99 % of GFSK at BT 0.5 and index 0.32 is 0.8 to 1.05
/// symbol rates (Murota and Hirade's 1.04 is for 0.5).
#[test]
fn classic_hops_in_slots() {
    let keys = "traffic = \"acl\"\nload = 1.0\npeer_offset_hz = 0.0";
    let bluetooth = make("bluetooth-classic", 2441e6, keys);
    let all = shots(&*bluetooth, 1.0, 11.0);
    let data: Vec<Shot> = all.iter().filter(|s| s.duration_s > 1e-3).copied().collect();
    assert!(data.iter().all(|s| (s.duration_s - 2870e-6).abs() < 1e-9));
    for shot in &all {
        let slots = (shot.start_s - all[0].start_s) / 625e-6;
        assert!((slots - slots.round()).abs() < 1e-5);
    }
    assert_eq!(channels(&all).len(), 79);
    assert!(all.iter().all(|s| s.offset_hz.abs() <= 39e6 && s.offset_hz % 1e6 == 0.0));
    let deviation = deviation_hz(&*bluetooth, &data);
    assert!((deviation / 160e3 - 1.0).abs() < 0.03, "{deviation}");
    let width = bandwidth_hz(&*bluetooth, &data);
    assert!((0.75e6..1.05e6).contains(&width), "{width}");
}

/// Oracle: part B section 6.5.3: EV3 pairs 625 us apart each 12 slots; adaptive hopping answers on the same channel
/// and keeps out of the range left out; 2-EV3 has a payload whose envelope varies.
#[test]
fn a_headset_talks_in_pairs() {
    let keys = "enhanced = true\navoid_hz = [2427e6, 2447e6]\npeer_offset_hz = 0.0";
    let bluetooth = make("bluetooth-classic", 2441e6, keys);
    let all = shots(&*bluetooth, 1.0, 4.0);
    assert!((790..900).contains(&all.len()), "{}", all.len());
    for pair in all.chunks_exact(2) {
        let (master, slave) = if pair[0].level_db == 0.0 { (pair[0], pair[1]) } else { continue };
        assert!((slave.start_s - master.start_s - 625e-6).abs() < 1e-9);
        assert_eq!(master.offset_hz, slave.offset_hz);
        assert!((master.duration_s - 392e-6).abs() < 1e-9);
    }
    assert!(all.iter().all(|s| !(-14e6..=6e6).contains(&s.offset_hz)));
    let iq = bluetooth.render(&all[0]);
    assert!(envelope_cv(&part(&all[0], &iq, 5e-6, 120e-6)) < 1e-3);
    assert!(envelope_cv(&part(&all[0], &iq, 140e-6, 380e-6)) > 0.15);
}

/// Oracle: part B section 8.4.2: access codes of 68 us, two in each second slot, 16 channels a train.
#[test]
fn an_inquiry_is_a_train() {
    let all = shots(&*make("bluetooth-classic", 2441e6, "traffic = \"inquiry\""), 1.0, 2.0);
    assert_eq!(all.len(), 1600);
    assert!(all.iter().all(|s| (s.duration_s - 68e-6).abs() < 1e-12));
    let close = all.windows(2).filter(|w| (w[1].start_s - w[0].start_s - 312.5e-6).abs() < 1e-9).count();
    assert_eq!(close, 800);
    assert_eq!(channels(&all).len(), 16);
}

/// Oracle: Bluetooth Core vol. 6 part B section 4.4.2: interval plus U(0, 10) ms, channels 37, 38, 39 in turn, 128 to
/// 376 us; part A section 3.1: 250 kHz.
#[test]
fn an_advertiser_visits_three_channels() {
    let ble = make("ble", 2440e6, "interval_ms = 100.0");
    let all = shots(&*ble, 1.0, 61.0);
    assert!(all.len().abs_diff(3 * 571) <= 6, "{}", all.len());
    let begin = all.iter().position(|s| s.offset_hz == -38e6).unwrap();
    let events: Vec<&[Shot]> = all[begin..].chunks_exact(3).collect();
    for event in &events {
        assert_eq!([-38e6, -14e6, 40e6], [event[0], event[1], event[2]].map(|s| s.offset_hz));
        assert!(end_s(&event[2]) - event[0].start_s < 4e-3);
        assert!((128e-6..=376e-6).contains(&event[0].duration_s));
    }
    let gaps: Vec<f64> = events.windows(2).map(|w| w[1][0].start_s - w[0][0].start_s).collect();
    assert!(gaps.iter().all(|g| (100e-3 - 1e-9..110e-3 + 1e-9).contains(g)));
    assert!(quantile(&gaps, 0.9) - quantile(&gaps, 0.1) > 7e-3);
    let deviation = deviation_hz(&*ble, &all);
    assert!((deviation / 250e3 - 1.0).abs() < 0.03, "{deviation}");
    let width = bandwidth_hz(&*ble, &all);
    assert!((0.9e6..1.2e6).contains(&width), "{width}");
}

/// Oracle: part B sections 4.1.1 (150 us between the ends), 4.5.1 (anchors at multiples of 1.25 ms), 37 channels of
/// the 2 MHz grid that are none of the advertising ones; 2 Msymbol/s is twice as wide.
#[test]
fn a_connection_is_pairs_on_37_channels() {
    let keys =
        "role = \"connection\"\ninterval_ms = 30.0\nphy = 2\npeer_offset_hz = 0.0\ndata_bytes = [100, 200]";
    let ble = make("ble", 2440e6, keys);
    let all = shots(&*ble, 1.0, 31.0);
    assert_eq!(all.len(), 2000);
    for pair in all.chunks_exact(2) {
        assert!((pair[1].start_s - end_s(&pair[0]) - 150e-6).abs() < 1e-9);
        assert_eq!(pair[0].offset_hz, pair[1].offset_hz);
        let units = (pair[0].start_s - all[0].start_s) / 1.25e-3;
        assert!((units - units.round()).abs() < 1e-5);
    }
    let channels = channels(&all);
    assert_eq!(channels.len(), 37);
    assert!(channels.iter().all(|hz| hz % 2_000_000 == 0 && ![-38, -14, 40].contains(&(hz / 1_000_000))));
    let long: Vec<Shot> = all.iter().filter(|s| s.duration_s > 300e-6).copied().collect();
    let width = bandwidth_hz(&*ble, &long);
    assert!((1.8e6..2.4e6).contains(&width), "{width}");
}

/// Oracle: ETSI EN 300 175-2: 424 bits of 1.152 Mb/s (368 us), 10 ms, ends 5 ms apart, peak deviation 288 kHz,
/// preamble of alternating bits, 99 % within about 1.04 bit rates (Murota and Hirade, BT 0.5).
#[test]
fn a_dect_call_is_two_bursts_a_frame() {
    let dect = make("dect", 1888.704e6, "peer_offset_hz = 0.0");
    let all = shots(&*dect, 1.0, 2.0);
    assert_eq!(all.len(), 200);
    assert!(all.windows(2).all(|w| (w[1].start_s - w[0].start_s - 5e-3).abs() < 1e-9));
    assert!(all.iter().all(|s| (s.duration_s - 368.06e-6).abs() < 0.1e-6));
    let deviation = deviation_hz(&*dect, &all);
    assert!((deviation / 288e3 - 1.0).abs() < 0.03, "{deviation}");
    let width = bandwidth_hz(&*dect, &all);
    assert!((width / (1.04 * 1.152e6) - 1.0).abs() < 0.1, "{width}");
    let iq = dect.render(&all[0]);
    // Two bits are one period of the preamble.
    let preamble = part(&all[0], &iq, 2e-6, 13e-6);
    let f = frequency(&preamble, iq.rate_hz);
    assert!(f[16..].iter().zip(&f).all(|(a, b)| (a - b).abs() < 10e3));
    let beacon = shots(&*make("dect", 1888.704e6, "role = \"beacon\""), 1.0, 2.0);
    assert_eq!(beacon.len(), 100);
    assert!((beacon[0].duration_s - 83.3e-6).abs() < 0.1e-6);
}

/// Oracle: nRF24L01+ product specification: 320 kHz at 2 Mb/s, packets of 73 bits and the payload, answers 130 us
/// later; keys come in packets on a grid of 8 ms.
#[test]
fn a_keyboard_is_polled() {
    let esb = make("esb", 2444e6, "pause_s = 0.0\nlost = 0.0\npeer_offset_hz = 0.0");
    let all = shots(&*esb, 1.0, 11.0);
    assert!(all.len().abs_diff(480) <= 12, "{}", all.len());
    let begin = all.iter().position(|s| s.duration_s > 100e-6).unwrap();
    let pairs: Vec<&[Shot]> = all[begin..].chunks_exact(2).collect();
    for pair in &pairs {
        assert!((pair[0].duration_s - 124.5e-6).abs() < 1e-9 && (pair[1].duration_s - 36.5e-6).abs() < 1e-9);
        assert!((pair[1].start_s - end_s(&pair[0]) - 130e-6).abs() < 1e-9);
        let polls = (pair[0].start_s - pairs[0][0].start_s) / 8e-3;
        assert!((polls - polls.round()).abs() < 1e-6);
    }
    let packets: Vec<Shot> = pairs.iter().map(|p| p[0]).collect();
    let deviation = deviation_hz(&*esb, &packets);
    assert!((deviation / 320e3 - 1.0).abs() < 0.03, "{deviation}");
}

/// Oracle: the spells and pauses asked for: 9 of 39 seconds, four keys of six packets a second. Tolerance 15 %, about
/// three standard deviations of a thousand spells' mean length.
#[test]
fn typing_comes_in_spells() {
    let esb = make("esb", 2444e6, "lost = 0.0");
    let all = shots(&*esb, 0.0, 3900.0);
    let expected = 2.0 * 3900.0 * 9.0 / 39.0 * 24.0;
    assert!((all.len() as f64 / expected - 1.0).abs() < 0.15, "{} of {expected}", all.len());
    let longest = all.windows(2).map(|w| w[1].start_s - w[0].start_s).fold(0.0, f64::max);
    assert!(longest > 30.0);
}

/// Oracle: nRF24L01+ section 7.4.2: a lost packet comes again after a multiple of 250 us.
#[test]
fn lost_packets_are_repeated() {
    let all = shots(&*make("esb", 2444e6, "pause_s = 0.0\nlost = 1.0"), 1.0, 3.0);
    let packets: Vec<&Shot> = all.iter().filter(|s| s.duration_s > 100e-6).collect();
    let gaps = packets.windows(2).map(|w| w[1].start_s - end_s(w[0])).filter(|g| *g < 1e-3);
    let gaps: Vec<f64> = gaps.collect();
    assert!(gaps.len() >= packets.len() / 2 - 1);
    assert!(gaps.iter().all(|g| (g - 500e-6).abs() < 1e-9));
}

/// Oracle: IEEE 802.15.4-2020 section 12: 32 us a byte, eight equal symbols of 16 us first, constant envelope (half-sine
/// O-QPSK is MSK), 99 % within 1.2 chip rates (MSK), acknowledgement of 352 us after 192 us.
#[test]
fn zigbee_is_minimum_shift_keying() {
    let zigbee = make("zigbee", 2425e6, "");
    let all = shots(&*zigbee, 1.0, 6.0);
    assert!(all.len().abs_diff(100) <= 2);
    let begin = usize::from((all[0].duration_s - 352e-6).abs() < 1e-9);
    for pair in all[begin..].chunks_exact(2) {
        assert!((576e-6 - 1e-9..2752e-6 + 1e-9).contains(&pair[0].duration_s));
        assert!((pair[1].duration_s - 352e-6).abs() < 1e-9);
        assert!((pair[1].start_s - end_s(&pair[0]) - 192e-6).abs() < 1e-9);
    }
    let shot = &all[begin];
    let iq = zigbee.render(shot);
    let inner = part(shot, &iq, 3e-6, shot.duration_s - 3e-6);
    assert!(envelope_cv(&inner) < 0.01, "{}", envelope_cv(&inner));
    assert!(lag(&part(shot, &iq, 2e-6, 127e-6), (16e-6 * iq.rate_hz) as usize).re > 0.99);
    let f = frequency(&inner, iq.rate_hz);
    assert!((quantile(&f, 0.9) / 500e3 - 1.0).abs() < 0.1, "{}", quantile(&f, 0.9));
    let width = bandwidth_hz(&*zigbee, &all[begin..begin + 1]);
    assert!((2.1e6..2.7e6).contains(&width), "{width}");
}
