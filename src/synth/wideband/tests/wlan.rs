//! Wi-Fi.

use num_complex::Complex32;

use super::make;
use super::probe::{lag, obw99, papr_db, part, psd, shots};
use crate::synth::{Shot, ShotIq, Waveform};

/// The first data frames, rendered: those that are neither beacon nor acknowledgement.
fn data_frames(wifi: &dyn Waveform, from_s: f64, to_s: f64) -> Vec<(Shot, ShotIq)> {
    let all = shots(wifi, from_s, to_s);
    let long = all.into_iter().filter(|s| s.duration_s > 90e-6 && (s.duration_s - 424e-6).abs() > 1e-6);
    long.take(12).map(|s| (s, wifi.render(&s))).collect()
}

/// Oracle: IEEE 802.11-2020 clause 17: repetition each 0.8 us over the first 8 us, twice 3.2 us after that, prefix
/// of a fifth in the data; plateaus of 53, 57 and 115 subcarriers of 312.5 kHz, of 245 of 78.125 kHz (clause 27 of
/// 802.11ax). Tolerance of the bandwidths 3 %: the shoulders hold some of the last percent.
#[test]
fn ofdm_frames_have_their_training_and_width() {
    for (keys, freq_hz, plateau_hz, useful_us) in [
        ("", 2437e6, 53.0 * 312.5e3, 3.2),
        ("format = \"ht\"", 5180e6, 57.0 * 312.5e3, 3.2),
        ("format = \"ht\"\nwide = true", 5190e6, 117.0 * 312.5e3, 3.2),
        ("format = \"he\"", 5180e6, 245.0 * 78.125e3, 12.8),
    ] {
        let keys = format!("{keys}\nframe_us = [300.0, 600.0]");
        let wifi = make("wifi-ofdm", freq_hz, &keys);
        let frames = data_frames(&*wifi, 1.0, 3.0);
        assert_eq!(frames.len(), 12);
        let (mut widths, mut peaks) = (0.0, 0.0);
        for (shot, iq) in &frames {
            let samples_in = |us: f64| (us * 1e-6 * iq.rate_hz).round() as usize;
            let short = part(shot, iq, 0.1e-6, 7.9e-6);
            assert!(lag(&short, samples_in(0.8)).re > 0.99);
            let long = part(shot, iq, 9.6e-6, 16e-6);
            assert!(lag(&long, samples_in(3.2)).re > 0.98);
            let data = part(shot, iq, 60e-6, shot.duration_s - 1e-6);
            let share = 0.8 / (useful_us + 0.8);
            let r = lag(&data, samples_in(useful_us));
            assert!((r.re as f64 - share).abs() < 0.06, "{keys}: {r} for {share}");
            widths += obw99(&data, iq.rate_hz) / frames.len() as f64;
            peaks += papr_db(&data) / frames.len() as f64;
        }
        assert!((widths / plateau_hz - 1.0).abs() < 0.03, "{keys}: {widths} for {plateau_hz}");
        assert!((7.0..12.0).contains(&peaks), "{peaks}");
    }
}

/// Oracle: IEEE 802.11-2020 section 11.1.3.2 (beacons each 100 * 1024 us but for the wait for the channel), SIFS of
/// 10 us at 2.4 GHz and 16 us at 5 GHz, the acknowledgement at the other end's level.
#[test]
fn an_access_point_beacons_and_is_answered() {
    for (freq_hz, sifs_s) in [(2437e6, 10e-6), (5180e6, 16e-6)] {
        let wifi = make("wifi-ofdm", freq_hz, "frames_per_s = 50.0\npeer_level_db = -20.0");
        let all = shots(&*wifi, 2.0, 12.0);
        let beacons: Vec<&Shot> = all.iter().filter(|s| (s.duration_s - 424e-6).abs() < 1e-6).collect();
        let own: Vec<f64> = beacons.iter().map(|s| s.start_s).collect();
        let mut gaps: Vec<f64> = own.windows(2).map(|w| w[1] - w[0]).collect();
        gaps.sort_by(f64::total_cmp);
        assert!((96..=100).contains(&beacons.len()), "{}", beacons.len());
        assert!((gaps[gaps.len() / 2] - 102.4e-3).abs() < 0.2e-3);
        let answers: Vec<usize> = (0..all.len()).filter(|i| all[*i].level_db == -20.0).collect();
        assert!((450..=500).contains(&answers.len()), "{}", answers.len());
        for i in answers {
            let before = &all[i - 1];
            let gap = all[i].start_s - before.start_s - before.duration_s;
            assert!((gap - sifs_s).abs() < 1e-9 && before.level_db == 0.0);
            assert!((all[i].duration_s - 28e-6).abs() < 1e-9);
        }
        // Nothing of the emitter overlaps.
        assert!(all.windows(2).all(|w| w[1].start_s > w[0].start_s + w[0].duration_s));
    }
}

#[test]
fn a_scan_visits_its_channels() {
    let keys = "role = \"probe\"\nscan_gap_s = 20.0\nscan_offsets_hz = [-25e6, 0.0, 25e6]";
    let all = shots(&*make("wifi-ofdm", 2437e6, keys), 0.0, 400.0);
    assert!(all.len() > 40 && all.len().is_multiple_of(6), "{}", all.len());
    for offset in [-25e6, 0.0, 25e6] {
        assert_eq!(all.iter().filter(|s| s.offset_hz == offset).count(), all.len() / 3);
    }
}

/// Oracle: IEEE 802.11-2020 clause 15: a Barker sequence a microsecond, whole frames of 192 us and 8 us a byte at
/// 1 Mb/s, main lobe of 22 MHz from null to null, -30 dBr beyond (16.3.7.4, with 5 dB of tolerance for the noise of
/// the estimate).
#[test]
fn a_dsss_beacon_is_barker_coded() {
    let wifi = make("wifi-dsss", 2437e6, "frames_per_s = 0.0");
    let all = shots(&*wifi, 0.0, 1.5);
    assert!((14..=15).contains(&all.len()));
    assert!((all[0].duration_s - 2192e-6).abs() < 1e-9);
    let iq = wifi.render(&all[0]);
    let body = part(&all[0], &iq, 10e-6, 2180e-6);
    let symbol = (1e-6 * iq.rate_hz) as usize;
    let alike: Vec<f32> = body
        .chunks_exact(symbol)
        .zip(body[symbol..].chunks_exact(symbol))
        .map(|(a, b)| {
            let sum: Complex32 = a.iter().zip(b).map(|(a, b)| b * a.conj()).sum();
            sum.re / a.iter().map(|v| v.norm_sqr()).sum::<f32>()
        })
        .collect();
    let mean = alike.iter().map(|r| r.abs()).sum::<f32>() / alike.len() as f32;
    assert!(mean > 0.85, "{mean}");
    let turned = alike.iter().filter(|r| **r < 0.0).count() as f64 / alike.len() as f64;
    assert!((turned - 0.5).abs() < 0.06, "{turned}");
    check_lobe(&body, iq.rate_hz);
}

fn check_lobe(samples: &[Complex32], rate_hz: f64) {
    let spectrum = psd(samples, 2048);
    let bin = |hz: f64| ((hz / rate_hz + 0.5) * 2048.0) as usize;
    let mean = |from: f64, to: f64| {
        let part = &spectrum[bin(from)..bin(to)];
        10.0 * (part.iter().sum::<f64>() / part.len() as f64).log10()
    };
    let top = mean(-3e6, 3e6);
    for side in [-1.0f64, 1.0] {
        let around = |hz: f64| mean(side * hz - 0.3e6, side * hz + 0.3e6) - top;
        assert!(around(11.0e6) < -20.0, "{}", around(11.0e6));
        assert!(around(14e6) < -35.0, "{}", around(14e6));
        assert!(around(8e6) > -21.0, "{}", around(8e6));
    }
    let obw = obw99(samples, rate_hz);
    assert!((13e6..16e6).contains(&obw), "{obw}");
}

/// Oracle: clause 16: the CCK spectrum fills the same lobe; its chips do not repeat.
#[test]
fn cck_fills_the_same_lobe() {
    let wifi = make("wifi-dsss", 2437e6, "role = \"client\"\nframe_us = [900.0, 1000.0]");
    let all = shots(&*wifi, 0.0, 1.0);
    let frame = all.iter().find(|s| s.duration_s > 800e-6).unwrap();
    let iq = wifi.render(frame);
    let body = part(frame, &iq, 200e-6, 880e-6);
    check_lobe(&body, iq.rate_hz);
    assert!(lag(&body, (1e-6 * iq.rate_hz) as usize).norm() < 0.1);
    let answer = all.iter().find(|s| s.start_s > frame.start_s).unwrap();
    assert!((answer.start_s - frame.start_s - frame.duration_s - 10e-6).abs() < 1e-9);
}
