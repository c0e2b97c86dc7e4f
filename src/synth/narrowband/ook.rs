//! On-off keyed remote controls and sensors: a code in pulse widths or gaps, repeated.
//!
//! Each pulse is a shot of its own: on-times are what the truth lists, and a pulse is an on-time.

use num_complex::Complex32;
use serde::Deserialize;

use super::boxed;
use super::packets::Reports;
use crate::synth::Rng;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

/// Native rate, hertz.
const RATE_HZ: f64 = 400e3;
/// Rise and fall, seconds: oscillators of remote controls take 10 to 50 us to start.
const RAMP_S: f64 = 20e-6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    /// A bit is a short or a long pulse in a constant period (PT2262, EV1527: 1 to 3).
    Pwm,
    /// A bit is the gap after a constant pulse (weather sensors: gaps of 2 and 4 pulses).
    Ppm,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    encoding: Encoding,
    /// Short pulse.
    pulse_us: f64,
    bits: u32,
    repeats: u32,
    /// From one repeat to the next.
    gap_ms: f64,
    interval_s: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { encoding: Encoding::Pwm, pulse_us: 350.0, bits: 24, repeats: 6, gap_ms: 10.0, interval_s: 5.0 }
    }
}

struct Ook {
    params: Params,
    reports: Reports,
    /// Pulses of a repeat: begin and length, seconds.
    pulses: Vec<(f64, f64)>,
    train_s: f64,
}

pub fn build(wave: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let params: Params = wave.parse()?;
    if !(50.0..=20e3).contains(&params.pulse_us) {
        return Err("pulse_us must lie between 50 and 20000".into());
    }
    if !(1..=256).contains(&params.bits) || !(1..=1000).contains(&params.repeats) {
        return Err("bits must lie between 1 and 256, repeats between 1 and 1000".into());
    }
    if !(1e-3 * params.pulse_us..=1000.0).contains(&params.gap_ms) {
        return Err("gap_ms must lie between a pulse and 1000".into());
    }
    let mut rng = Rng::keyed(&[seed, 0x00C0DE]);
    let code: Vec<bool> = (0..params.bits).map(|_| rng.uniform() < 0.5).collect();
    let (pulses, length_s) = pulses(&params, &code);
    let train_s = f64::from(params.repeats) * (length_s + 1e-3 * params.gap_ms);
    let reports = Reports::new(params.interval_s, train_s, wave, seed)?;
    boxed(Ook { params, reports, pulses, train_s })
}

/// Pulses of one repeat, and its length.
fn pulses(params: &Params, code: &[bool]) -> (Vec<(f64, f64)>, f64) {
    let unit = 1e-6 * params.pulse_us;
    let mut pulses = Vec::new();
    let mut at = 0.0;
    for bit in code {
        let (on, off) = match (params.encoding, bit) {
            (Encoding::Pwm, false) => (unit, 3.0 * unit),
            (Encoding::Pwm, true) => (3.0 * unit, unit),
            (Encoding::Ppm, false) => (unit, 2.0 * unit),
            (Encoding::Ppm, true) => (unit, 4.0 * unit),
        };
        pulses.push((at, on));
        at += on + off;
    }
    // A last pulse ends the last gap.
    pulses.push((at, unit));
    (pulses, at + unit)
}

impl Ook {
    fn repeat_s(&self) -> f64 {
        self.train_s / f64::from(self.params.repeats)
    }
}

impl Waveform for Ook {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        self.reports.each(from_s - self.train_s, to_s, |report, begin_s| {
            for repeat in 0..self.params.repeats {
                let repeat_s = begin_s + f64::from(repeat) * self.repeat_s();
                for (at_s, duration_s) in &self.pulses {
                    let start_s = repeat_s + at_s;
                    if (from_s..to_s).contains(&start_s) {
                        out.push(Shot {
                            start_s,
                            duration_s: *duration_s,
                            offset_hz: 0.0,
                            level_db: 0.0,
                            key: report,
                            continues: false,
                        });
                    }
                }
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let ramp = (RAMP_S * RATE_HZ) as usize;
        let n = (shot.duration_s * RATE_HZ).round() as usize;
        // Half of each ramp lies outside, so that the pulse is as wide at half its amplitude as it is long.
        let mut samples = vec![Complex32::ONE; n + ramp];
        super::ramp(&mut samples, ramp);
        ShotIq { rate_hz: RATE_HZ, first_s: shot.start_s - 0.5 * ramp as f64 / RATE_HZ, samples }
    }

    fn longest_s(&self) -> f64 {
        4e-6 * self.params.pulse_us + RAMP_S
    }

    fn span_hz(&self) -> f64 {
        250e3
    }

    fn keeps_on_times(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "ook"
    }

    fn device(&self) -> &'static str {
        "other-wireless"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Oracle: the code in the pulses. A PWM code word of 24 bits has 24 pulses in four units each, and one that
    /// ends it.
    #[test]
    fn widths_spell_the_code() {
        let params = WaveParams { table: toml::toml! { pulse_us = 400 }, ..WaveParams::default() };
        let parsed: Params = params.parse().unwrap();
        let code = [true, false, true];
        let (pulses, length_s) = pulses(&parsed, &code);
        let widths: Vec<i64> = pulses.iter().map(|(_, on)| (on * 1e6).round() as i64).collect();
        assert_eq!(widths, [1200, 400, 1200, 400]);
        assert!((length_s - 13.0 * 400e-6).abs() < 1e-9);
    }
}
