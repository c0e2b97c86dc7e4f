//! Two-level frequency shift keying in packets: meters, sensors, car keys.

use std::f64::consts::TAU;

use num_complex::Complex32;
use serde::Deserialize;

use super::boxed;
use super::packets::Reports;
use crate::synth::Rng;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

/// Bits of preamble, alternating, and of a sync word after it.
const PREAMBLE: u32 = 48;
const SYNC: u64 = 0x2DD4;
const SYNC_BITS: u32 = 16;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    bit_rate: f64,
    deviation_hz: f64,
    /// Bandwidth-time product of a Gaussian filter; absent: none.
    bt: Option<f64>,
    bytes: u32,
    repeats: u32,
    gap_ms: f64,
    interval_s: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            bit_rate: 9600.0,
            deviation_hz: 19.2e3,
            bt: None,
            bytes: 24,
            repeats: 1,
            gap_ms: 20.0,
            interval_s: 5.0,
        }
    }
}

struct Fsk2 {
    params: Params,
    reports: Reports,
    rate_hz: f64,
    sps: usize,
    span_hz: f64,
    packet_s: f64,
    seed: u64,
}

pub fn build(wave: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let params: Params = wave.parse()?;
    if !(100.0..=1e6).contains(&params.bit_rate) || !(100.0..=1e6).contains(&params.deviation_hz) {
        return Err("bit_rate and deviation_hz must lie between 100 and 1e6".into());
    }
    if params.bt.is_some_and(|bt| !(0.2..=10.0).contains(&bt)) {
        return Err("bt must lie between 0.2 and 10".into());
    }
    if !(1..=4096).contains(&params.bytes) || !(1..=100).contains(&params.repeats) {
        return Err("bytes must lie between 1 and 4096, repeats between 1 and 100".into());
    }
    if !(0.0..=10e3).contains(&params.gap_ms) {
        return Err("gap_ms must lie between 0 and 10000".into());
    }
    // Unfiltered bits have side lobes that fall by 12 dB an octave: eight bit rates hold 99.9 %.
    let span_hz = 2.0 * params.deviation_hz + 8.0 * params.bit_rate;
    // Sampled twice as fast as that, so that what folds back changes nothing within.
    let sps = (2.5 * span_hz / params.bit_rate).ceil() as usize;
    let packet_s = f64::from(PREAMBLE + SYNC_BITS + 8 * params.bytes) / params.bit_rate;
    let all_s = f64::from(params.repeats) * (packet_s + 1e-3 * params.gap_ms);
    let reports = Reports::new(params.interval_s, all_s, wave, seed)?;
    let rate_hz = params.bit_rate * sps as f64;
    boxed(Fsk2 { params, reports, rate_hz, sps, span_hz, packet_s, seed })
}

impl Fsk2 {
    fn bits(&self, report: u64) -> Vec<bool> {
        let mut rng = Rng::keyed(&[self.seed, 0xB175, report]);
        let preamble = (0..PREAMBLE).map(|i| i % 2 == 0);
        let sync = (0..SYNC_BITS).rev().map(|i| SYNC >> i & 1 == 1);
        let payload = (0..8 * self.params.bytes).map(|_| rng.uniform() < 0.5);
        preamble.chain(sync).chain(payload).collect()
    }

    /// Frequency of each sample, -1 to 1.
    fn levels(&self, bits: &[bool]) -> Vec<f64> {
        let plain = |n: i64| {
            let bit = (n.max(0) as usize / self.sps).min(bits.len() - 1);
            if bits[bit] { 1.0 } else { -1.0 }
        };
        let len = (bits.len() * self.sps) as i64;
        let Some(bt) = self.params.bt else { return (0..len).map(plain).collect() };
        // Impulse response of a Gaussian low pass with 3 dB bandwidth B: sigma = sqrt(ln 2) / (2 pi B).
        let sigma = std::f64::consts::LN_2.sqrt() / (TAU * bt) * self.sps as f64;
        let reach = (3.0 * sigma).ceil() as i64;
        let kernel: Vec<f64> = (-reach..=reach).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
        let gain = 1.0 / kernel.iter().sum::<f64>();
        (0..len)
            .map(|n| {
                gain * kernel.iter().zip(n - reach..).map(|(weight, at)| weight * plain(at)).sum::<f64>()
            })
            .collect()
    }
}

impl Waveform for Fsk2 {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let pitch_s = self.packet_s + 1e-3 * self.params.gap_ms;
        let reach_s = f64::from(self.params.repeats) * pitch_s;
        self.reports.each(from_s - reach_s, to_s, |report, begin_s| {
            for repeat in 0..self.params.repeats {
                let start_s = begin_s + f64::from(repeat) * pitch_s;
                if (from_s..to_s).contains(&start_s) {
                    out.push(Shot {
                        start_s,
                        duration_s: self.packet_s,
                        offset_hz: 0.0,
                        level_db: 0.0,
                        key: report,
                        continues: false,
                    });
                }
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let step = TAU * self.params.deviation_hz / self.rate_hz;
        let mut phase = 0.0;
        let mut samples: Vec<Complex32> = self
            .levels(&self.bits(shot.key))
            .iter()
            .map(|level| {
                phase = (phase + step * level) % TAU;
                Complex32::from_polar(1.0, phase as f32)
            })
            .collect();
        // Amplifiers come up within a fraction of a bit.
        super::ramp(&mut samples, self.sps / 4);
        ShotIq { rate_hz: self.rate_hz, first_s: shot.start_s, samples }
    }

    fn longest_s(&self) -> f64 {
        self.packet_s
    }

    fn span_hz(&self) -> f64 {
        self.span_hz
    }

    fn keeps_on_times(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "fsk"
    }

    fn device(&self) -> &'static str {
        "other-wireless"
    }
}
