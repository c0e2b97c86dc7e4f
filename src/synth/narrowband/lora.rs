//! LoRa: chirps whose starting frequency carries the symbol (Semtech AN1200.22; Knight and Seeber, GRCon 2016).

use std::f64::consts::TAU;

use num_complex::Complex32;
use serde::Deserialize;

use super::boxed;
use super::packets::Reports;
use crate::synth::Rng;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

/// Up-chirps before the sync word (LoRaWAN regional parameters: 8).
const PREAMBLE: usize = 8;
/// Down-chirps after it (Knight and Seeber: two and a quarter).
const DOWN_CHIRPS: f64 = 2.25;
/// Sync word of public networks, 0x34: each digit eight steps of a symbol.
const SYNC: [u32; 2] = [3 * 8, 4 * 8];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    spreading_factor: u32,
    bandwidth_hz: f64,
    symbols: u32,
    interval_s: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { spreading_factor: 7, bandwidth_hz: 125e3, symbols: 28, interval_s: 10.0 }
    }
}

struct Lora {
    params: Params,
    reports: Reports,
    symbol_s: f64,
    frame_s: f64,
    seed: u64,
}

pub fn build(wave: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let params: Params = wave.parse()?;
    if !(7..=12).contains(&params.spreading_factor) {
        return Err("spreading_factor must lie between 7 and 12".into());
    }
    if ![125e3, 250e3, 500e3].contains(&params.bandwidth_hz) {
        return Err("bandwidth_hz must be 125e3, 250e3 or 500e3".into());
    }
    if !(8..=512).contains(&params.symbols) {
        return Err("symbols must lie between 8 and 512".into());
    }
    let symbol_s = f64::from(1u32 << params.spreading_factor) / params.bandwidth_hz;
    let frame_s = symbol_s * ((PREAMBLE + SYNC.len()) as f64 + DOWN_CHIRPS + f64::from(params.symbols));
    let reports = Reports::new(params.interval_s, frame_s, wave, seed)?;
    boxed(Lora { params, reports, symbol_s, frame_s, seed })
}

impl Lora {
    /// Starting frequency of each chirp, 0 to 1 of the bandwidth; `None` for a down-chirp.
    fn chirps(&self, report: u64) -> Vec<Option<f64>> {
        let steps = f64::from(1u32 << self.params.spreading_factor);
        let mut rng = Rng::keyed(&[self.seed, 0x104A, report]);
        let mut chirps = vec![Some(0.0); PREAMBLE];
        chirps.extend(SYNC.map(|symbol| Some(f64::from(symbol) / steps)));
        chirps.extend([None, None, None]);
        chirps.extend((0..self.params.symbols).map(|_| Some(rng.below(steps as u64) as f64 / steps)));
        chirps
    }
}

impl Waveform for Lora {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        self.reports.each(from_s, to_s, |report, start_s| {
            out.push(Shot {
                start_s,
                duration_s: self.frame_s,
                offset_hz: 0.0,
                level_db: 0.0,
                key: report,
                continues: false,
            });
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let bandwidth_hz = self.params.bandwidth_hz;
        let rate_hz = 2.0 * bandwidth_hz;
        let chirps = self.chirps(shot.key);
        let down = PREAMBLE + SYNC.len();
        let mut phase = 0.0;
        let mut samples: Vec<Complex32> = (0..(self.frame_s * rate_hz).round() as u64)
            .map(|n| {
                let position = n as f64 / rate_hz / self.symbol_s;
                // After the quarter of a down-chirp the grid of symbols goes on from there.
                let (index, within) = if position < down as f64 + DOWN_CHIRPS {
                    (position as usize, position.fract())
                } else {
                    let after = position - DOWN_CHIRPS - down as f64;
                    (down + 3 + after as usize, after.fract())
                };
                let sweep = match chirps.get(index).copied().flatten() {
                    Some(start) => (start + within).fract() - 0.5,
                    None => 0.5 - within,
                };
                phase = (phase + TAU * sweep * bandwidth_hz / rate_hz) % TAU;
                Complex32::from_polar(1.0, phase as f32)
            })
            .collect();
        super::ramp(&mut samples, (20e-6 * rate_hz) as usize);
        ShotIq { rate_hz, first_s: shot.start_s, samples }
    }

    fn longest_s(&self) -> f64 {
        self.frame_s
    }

    fn span_hz(&self) -> f64 {
        1.5 * self.params.bandwidth_hz
    }

    fn keeps_on_times(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "lora"
    }

    fn device(&self) -> &'static str {
        "other-wireless"
    }
}
