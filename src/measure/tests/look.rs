//! Bandwidth, centre, power and times of reference waveforms at 25 dB.
//!
//! Oracle of the bandwidth: one periodogram of the whole waveform before noise and shift, with 0.5 % of the power left
//! out on each side (ITU-R SM.328). Tolerance 15 %: half a percent of the power, at a few degrees of freedom per bin, is
//! that uncertain. Centre 3 % of the bandwidth, power 0.5 dB, times three reciprocal bandwidths.

use super::signals::*;
use crate::measure::{BoxHint, Measured, Measurer};
use num_complex::{Complex32, Complex64};
use rustfft::FftPlanner;

const RATE_HZ: f64 = 20e6;
const SNR_DB: f64 = 25.0;
const OFFSET_HZ: f64 = 1.234e6;

/// Edges of the 99 % bandwidth of `x`, hertz.
fn edges_hz(x: &[Complex64], rate_hz: f64) -> (f64, f64) {
    let mut bins = x.to_vec();
    FftPlanner::new().plan_fft_forward(x.len()).process(&mut bins);
    let n = bins.len();
    let power: Vec<f64> = (0..n).map(|k| bins[(k + n - n / 2) % n].norm_sqr()).collect();
    let limit = 0.005 * power.iter().sum::<f64>();
    let crossing = |values: &mut dyn Iterator<Item = &f64>| {
        let mut sum = 0.0;
        values
            .take_while(|p| {
                sum += **p;
                sum < limit
            })
            .count() as f64
    };
    let (lo, hi) = (crossing(&mut power.iter()), n as f64 - crossing(&mut power.iter().rev()));
    let hz = |k: f64| (k - (n / 2) as f64) * rate_hz / n as f64;
    (hz(lo), hz(hi))
}

/// `signal` in noise, measured in a box that is `wider` than its own bandwidth on each side, hertz.
fn measured(signal: &[Complex64], noise_per_hz: f64, box_hz: (f64, f64)) -> (Measured, usize) {
    let lead = 4000;
    let iq: Vec<Complex32> = place(signal, RATE_HZ, OFFSET_HZ, lead, noise_per_hz, &mut Random(9));
    let hint = BoxHint {
        start: lead,
        end: lead + signal.len(),
        slack: 512,
        lo_hz: OFFSET_HZ + box_hz.0,
        hi_hz: OFFSET_HZ + box_hz.1,
        cut_start: false,
        cut_end: false,
        sweeps: false,
    };
    (Measurer::new(RATE_HZ).measure(&iq, &hint, noise_per_hz), lead)
}

fn check(name: &str, signal: &[Complex64]) {
    let (lo_hz, hi_hz) = edges_hz(signal, RATE_HZ);
    let expect_hz = hi_hz - lo_hz;
    let noise_per_hz = 10f64.powf(-SNR_DB / 10.0) / expect_hz;
    let slack_hz = 0.1 * expect_hz;
    let (found, lead) = measured(signal, noise_per_hz, (lo_hz - slack_hz, hi_hz + slack_hz));
    let ratio = found.bandwidth_hz / expect_hz;
    assert!((ratio - 1.0).abs() < 0.15, "{name}: {} Hz for {expect_hz} Hz", found.bandwidth_hz);
    let off_hz = found.offset_hz - OFFSET_HZ - (lo_hz + hi_hz) / 2.0;
    assert!(off_hz.abs() < 0.03 * expect_hz, "{name}: {off_hz} Hz off");
    let power_db = 10.0 * found.power.log10();
    assert!(power_db.abs() < 0.5, "{name}: {power_db} dB");
    let times = [found.start - lead as f64, found.end - (lead + signal.len()) as f64];
    let tolerance = 3.0 * RATE_HZ / expect_hz;
    assert!(times.iter().all(|t| t.abs() < tolerance), "{name}: {times:?} of {tolerance} samples");
}

#[test]
fn reference_waveforms_are_as_wide_as_their_spectrum() {
    let random = &mut Random(1);
    check("voice", &voice(RATE_HZ, 2.5e3, 20e-3, random));
    check("DMR", &fsk4(RATE_HZ, 4800.0, 1944.0, 27.5e-3, random));
    check("TETRA", &dqpsk(RATE_HZ, 18e3, 0.35, 14e-3, random));
    check("LoRa", &lora(RATE_HZ, 125e3, 7, 20, random));
    check("LTE uplink", &resample(&ofdm(1024, 300, &[72], 14, random), 15.36e6, RATE_HZ));
    check("Bluetooth LE", &gfsk(RATE_HZ, 1e6, 0.5, 0.5, 2e-3, random));
    check("DECT", &gfsk(RATE_HZ, 1.152e6, 0.5, 0.5, 0.368e-3, random));
    check("Wi-Fi", &wifi(60, random));
    check("802.11b", &unit(barker(RATE_HZ, 1e-3, random)));
    check("802.15.4", &oqpsk(RATE_HZ, 120, random));
}
