//! The radiometer against tables and closed forms.

use crate::theory::{
    Statistics, gamma_q, ln_gamma, marcum_q, proportion_95, rate_upper_95, snr_needed_db, threshold,
};

fn db(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}

/// Oracle: closed forms. Q(1, x) = e^-x; Q(2, x) = (1 + x) e^-x; Γ(1/2) = √π; Γ(n) = (n-1)!.
#[test]
fn special_functions_have_their_closed_forms() {
    for x in [0.01, 0.5, 1.9, 2.1, 10.0, 40.0] {
        assert!((gamma_q(1.0, x) / (-x).exp() - 1.0).abs() < 1e-12, "{x}");
        assert!((gamma_q(2.0, x) / ((1.0 + x) * (-x).exp()) - 1.0).abs() < 1e-11, "{x}");
    }
    assert!((ln_gamma(0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-13);
    assert!((ln_gamma(11.0) - 3_628_800f64.ln()).abs() < 1e-12);
    // Without signal the Marcum function is the central tail; with n = 1 and b = 0 it is 1.
    assert!((marcum_q(7.0, 0.0, 9.0) - gamma_q(7.0, 9.0)).abs() < 1e-12);
    assert!((marcum_q(1.0, 3.0, 0.0) - 1.0).abs() < 1e-12);
}

/// Oracle: Q_1(a, b) = ½ (1 + e^-a² I0(a²)) for a = b, with I0(4) = 11.30192 (Abramowitz and Stegun table 9.8).
#[test]
fn marcum_function_of_equal_arguments() {
    // a = b = 2 in Q_1(a, b), which is a²/2 = 2 in ours.
    let expected = 0.5 * (1.0 + (-4f64).exp() * 11.301_922);
    assert!((marcum_q(1.0, 2.0, 2.0) - expected).abs() < 1e-7);
}

/// Oracle: the table of detection theory computed with another library (SciPy) to 0.1 dB: K averages of one bin,
/// threshold and needed SNR of a steady carrier and of noise at Pd 0.9. Tolerance: its rounding.
#[test]
fn radiometer_meets_the_published_table() {
    let pfa_day = 5.787e-13; // one false alarm in 24 h over 2048 bins x 9765.6 frames/s, for one frame
    let rows: [(f64, f64, f64, f64, f64); 9] = [
        (1.0, pfa_day, 14.50, 15.8, 24.3),
        (4.0, pfa_day * 4.0, 9.52, 10.4, 12.9),
        (16.0, pfa_day * 16.0, 5.66, 5.5, 6.3),
        (64.0, pfa_day * 64.0, 3.10, 1.3, 1.5),
        (256.0, pfa_day * 256.0, 1.60, -2.5, -2.4),
        (4096.0, pfa_day * 4096.0, 0.39, -9.3, -9.3),
        (1.0, 1e-6, 11.40, 13.2, 21.1),
        (16.0, 1e-6, 4.25, 3.8, 4.5),
        (1024.0, 1e-6, 0.63, -6.9, -6.9),
    ];
    for (k, pfa, threshold_db, constant_db, noise_db) in rows {
        let g = db(threshold(k, pfa));
        assert!((g - threshold_db).abs() < 0.0051, "K {k}: threshold {g:.3}, table {threshold_db}");
        let constant = snr_needed_db(k, pfa, 0.9, Statistics::Constant);
        assert!((constant - constant_db).abs() < 0.051, "K {k}: {constant:.3}, table {constant_db}");
        let noise = snr_needed_db(k, pfa, 0.9, Statistics::NoiseLike);
        assert!((noise - noise_db).abs() < 0.051, "K {k}: {noise:.3}, table {noise_db}");
    }
}

/// Oracle: the worked example of a BLE packet, 1.2 MHz for 300 µs, at 1e-8.
#[test]
fn a_packet_in_its_matched_box() {
    assert!((threshold(360.0, 1e-8) - 1.325).abs() < 5e-4);
    assert!((snr_needed_db(360.0, 1e-8, 0.9, Statistics::Constant) + 3.8).abs() < 0.05);
}

/// Oracle: ln 20 after no event; tables of the Poisson distribution (4.744 after one, 6.296 after two).
#[test]
fn bounds_of_rates_and_proportions() {
    for (count, mean) in [(0, 2.9957), (1, 4.7439), (2, 6.2958)] {
        assert!((rate_upper_95(count, 1.0) - mean).abs() < 1e-3);
    }
    assert!((rate_upper_95(0, 100.0) - 0.029_957).abs() < 1e-5);
    let (low, high) = proportion_95(38, 40);
    assert!((low - 0.835).abs() < 1e-3 && (high - 0.986).abs() < 1e-3, "{low} {high}");
}
