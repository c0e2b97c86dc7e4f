//! Microphones, television, video.

use super::make;
use super::probe::{envelope_cv, frequency, joined, lag, obw99, occupied, papr_db, psd, shots};

/// Oracle: between the symbol rate and (1 + roll-off) times it; a phase-modulated carrier through a root raised cosine
/// does not keep its envelope, but never has the peaks of noise.
#[test]
fn a_digital_microphone_is_flat_and_steady() {
    let iq = joined(&*make("digital-mic", 650e6, ""), 1.0, 2.0);
    let width = obw99(&iq.samples, iq.rate_hz);
    assert!((150e3..187.5e3).contains(&width), "{width}");
    let cv = envelope_cv(&iq.samples);
    assert!((0.1..0.4).contains(&cv), "{cv}");
    assert!((2.0..6.0).contains(&papr_db(&iq.samples)));
}

#[test]
fn a_burst_microphone_takes_turns() {
    let all = shots(&*make("digital-mic", 2450e6, "mode = \"tdma\""), 1.0, 2.0);
    assert!(all.len().abs_diff(500) <= 1);
    let own: Vec<f64> = all.iter().filter(|s| s.duration_s > 1e-3).map(|s| s.start_s).collect();
    assert!(own.windows(2).all(|w| (w[1] - w[0] - 4e-3).abs() < 1e-9));
}

/// Oracle: ETSI EN 300 744: 6817 carriers 1116 Hz apart are 7.61 MHz, flat; the guard interval of a quarter repeats a
/// fifth of the time.
#[test]
fn dvb_t_is_flat_with_its_guard() {
    let iq = joined(&*make("tv", 600e6, ""), 1.0, 1.06);
    let spectrum = psd(&iq.samples, 2048);
    let (low, high) = occupied(&spectrum, iq.rate_hz, 0.99);
    assert!(((high - low) / (0.99 * 7.607e6) - 1.0).abs() < 0.01, "{}", high - low);
    let r = lag(&iq.samples, 10_240);
    assert!((r.re - 0.2).abs() < 0.01, "{r}");
    // Sixteen cells across 7 MHz within 0.5 dB.
    let bin = |hz: f64| ((hz / iq.rate_hz + 0.5) * 2048.0) as usize;
    let cells: Vec<f64> = (-8..8)
        .map(|i| spectrum[bin(f64::from(i) * 0.43e6)..bin(f64::from(i + 1) * 0.43e6)].iter().sum())
        .collect();
    let mean = cells.iter().sum::<f64>() / 16.0;
    assert!(cells.iter().all(|c| (10.0 * (c / mean).log10()).abs() < 0.5), "{cells:?}");
}

/// Oracle: GB 20600: 7.56 Msymbol/s, roll-off 0.05; the header of 420 symbols at twice the power comes again each 4200
/// symbols, 2 * 420 / (2 * 420 + 3780) of the energy.
#[test]
fn dtmb_repeats_its_header() {
    let iq = joined(&*make("tv", 600e6, "standard = \"dtmb\""), 1.0, 1.05);
    let width = obw99(&iq.samples, iq.rate_hz);
    assert!((7.4e6..7.7e6).contains(&width), "{width}");
    let r = lag(&iq.samples, 8400);
    assert!((r.re - 840.0 / 4620.0).abs() < 0.015, "{r}");
}

/// Oracle: ITU-R BT.470: lines of 64 us, alike from one to the next; FM keeps the envelope; 8 to 20 MHz wide.
#[test]
fn a_video_link_has_lines() {
    let iq = joined(&*make("video", 1200e6, ""), 1.0, 1.05);
    assert!(envelope_cv(&iq.samples) < 1e-3);
    let width = obw99(&iq.samples, iq.rate_hz);
    assert!((6e6..20e6).contains(&width), "{width}");
    let f = frequency(&iq.samples, iq.rate_hz);
    let mean = f.iter().sum::<f64>() / f.len() as f64;
    let (line, half) = (2048, 1400);
    let r = |lag: usize| {
        let sum: f64 = f.iter().zip(&f[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum();
        sum / f.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
    };
    assert!(r(line) > 0.6 && r(half) < 0.3, "{} {}", r(line), r(half));
}
