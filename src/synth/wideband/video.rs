//! An analogue video link: a camera's picture, frequency-modulated.
//!
//! Lines of 64 us with 4.7 us of synchronisation, a colour burst and 52 us of picture, 312.5 to a field (ITU-R
//! BT.470, system B/G), the sound's subcarrier at 6.5 MHz above. The phase that a line adds is rounded to whole
//! turns, less than 8 kHz of its mean frequency: any line can then be made without those before it.

use num_complex::Complex32;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

use super::check::Check;
use super::pulse::grid;
use super::timeline::{chance, ticks, window};
use crate::synth::{Shot, ShotIq, WaveParams, Waveform};

const RATE_HZ: f64 = 32e6;
const LINE_S: f64 = 64e-6;
const LINE_SAMPLES: usize = 2048;
const CHUNK_LINES: i64 = 128;
/// Lines of two fields.
const FRAME_LINES: i64 = 625;
/// Levels as parts of the whole swing: tips of synchronisation at 0, white at 1.
const BLANK: f64 = 0.3;
const SYNC_S: f64 = 4.7e-6;
const PICTURE_S: (f64, f64) = (10.5e-6, 62.35e-6);
const BURST_S: (f64, f64) = (5.6e-6, 7.85e-6);
const COLOUR_HZ: f64 = 4_433_618.75;
const SOUND_HZ: f64 = 6.5e6;
/// Picture elements that share a random level: columns to a line, lines to a row.
const COLUMNS: f64 = 40.0;
const ROW_LINES: i64 = 24;
/// Rise of an edge: what a video bandwidth of 5 MHz leaves.
const EDGE_S: f64 = 0.1e-6;

/// A video link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Frequency swing from synchronisation to white, hertz.
    pub swing_hz: f64,
    /// Whether a sound subcarrier is sent.
    pub sound: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self { swing_hz: 6e6, sound: true }
    }
}

/// Builds a link.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let video: Params = params.parse()?;
    Check::new("swing_hz", video.swing_hz).within(0.5e6, 12e6)?;
    Ok(Box::new(Video::new(video, seed)))
}

/// A link.
#[derive(Debug)]
pub struct Video {
    params: Params,
    seed: u64,
}

impl Video {
    /// Its picture follows from the seed.
    pub fn new(params: Params, seed: u64) -> Self {
        Self { params, seed }
    }

    /// Level at `t` seconds into a line, 0 to 1 (the colour may exceed it).
    fn level(&self, line: i64, t: f64, row: &[f64]) -> f64 {
        let colour =
            |phase: f64| (TAU * ((line as f64 * LINE_S * COLOUR_HZ).fract() + t * COLOUR_HZ) + phase).sin();
        let field_line = line.rem_euclid(FRAME_LINES);
        // Broad pulses: the field's synchronisation, five half lines twice (BT.470 table 1-2).
        if field_line < 3 || (312..315).contains(&field_line) {
            return BLANK * trapezoid(t % (LINE_S / 2.0), 27.3e-6, LINE_S / 2.0);
        }
        let sync = trapezoid(t, SYNC_S, LINE_S);
        if t < PICTURE_S.0 || t >= PICTURE_S.1 || field_line < 23 || (310..336).contains(&field_line) {
            let burst = (BURST_S.0..BURST_S.1).contains(&t);
            return BLANK * sync + if burst { 0.15 * colour(0.75 * std::f64::consts::PI) } else { 0.0 };
        }
        let place = (t - PICTURE_S.0) / (PICTURE_S.1 - PICTURE_S.0) * COLUMNS;
        let column = (place as usize).min(row.len() - 2);
        // From one level to the next within an edge.
        let width_s = (PICTURE_S.1 - PICTURE_S.0) / COLUMNS;
        let blend = ((place.fract() - 1.0) * width_s / EDGE_S + 1.0).max(0.0);
        let luma = row[column] + (row[column + 1] - row[column]) * blend;
        BLANK + 0.7 * luma + 0.08 * luma * colour(TAU * row[column])
    }

    /// A line's samples, from phase 0 to phase 0.
    fn line(&self, line: i64, out: &mut Vec<Complex32>) {
        // The picture changes once a second.
        let still = line.div_euclid(25 * FRAME_LINES);
        let row_index = still * 1000 + line.rem_euclid(FRAME_LINES) % 313 / ROW_LINES;
        let row: Vec<f64> =
            (0..=COLUMNS as i64).map(|column| chance(self.seed, 1 + row_index as u64, column)).collect();
        let frequency = |n: usize| {
            let t = (n as f64 + 0.5) / RATE_HZ;
            let sound = if self.params.sound { 0.1 * (TAU * t * SOUND_HZ).sin() } else { 0.0 };
            // Black-and-grey pictures lie near the middle of the swing.
            (self.level(line, t, &row) - 0.5 + sound) * self.params.swing_hz
        };
        let steps: Vec<f64> = (0..LINE_SAMPLES).map(|n| frequency(n) / RATE_HZ).collect();
        let turns: f64 = steps.iter().sum();
        let correction = (turns.round() - turns) / LINE_SAMPLES as f64;
        let mut phase = 0.0;
        for step in steps {
            let (sin, cos) = (TAU * phase).sin_cos();
            out.push(Complex32::new(cos as f32, sin as f32));
            phase += step + correction;
        }
    }
}

/// 0 until `rise_s` and 1 from there to `end_s`, with edges.
fn trapezoid(t: f64, rise_s: f64, end_s: f64) -> f64 {
    ((t - rise_s) / EDGE_S).clamp(0.0, 1.0).min(((end_s - t) / EDGE_S).clamp(0.0, 1.0))
}

impl Waveform for Video {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let duration_s = CHUNK_LINES as f64 * LINE_S;
        window(from_s, to_s, out, |push| {
            for n in ticks(from_s, to_s, duration_s, 0.0) {
                push(Shot {
                    start_s: n as f64 * duration_s,
                    duration_s,
                    offset_hz: 0.0,
                    level_db: 0.0,
                    key: n as u64,
                    continues: true,
                });
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let (from, to) = grid(shot, RATE_HZ);
        let mut samples = Vec::with_capacity((to - from) as usize);
        let first = from.div_euclid(LINE_SAMPLES as i64);
        for line in first..first + CHUNK_LINES {
            self.line(line, &mut samples);
        }
        ShotIq { rate_hz: RATE_HZ, first_s: from as f64 / RATE_HZ, samples }
    }

    fn longest_s(&self) -> f64 {
        CHUNK_LINES as f64 * LINE_S
    }

    fn span_hz(&self) -> f64 {
        25e6
    }

    fn continuous(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "video"
    }

    fn device(&self) -> &'static str {
        "other-wireless"
    }
}
