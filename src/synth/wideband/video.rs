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
        Self { swing_hz: 9e6, sound: true }
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
    /// Over a line: the colour subcarrier from phase 0, and the sound's, of which a line has whole periods.
    colour: Vec<Complex32>,
    sound: Vec<f32>,
}

/// A line's random picture: luminance and hue of its columns.
struct Row {
    luma: Vec<f64>,
    hue: Vec<Complex32>,
}

impl Video {
    /// Its picture follows from the seed.
    pub fn new(params: Params, seed: u64) -> Self {
        let turn = |n: usize, hz: f64| TAU * (time_s(n) * hz).fract();
        let colour =
            (0..LINE_SAMPLES).map(|n| Complex32::from_polar(1.0, turn(n, COLOUR_HZ) as f32)).collect();
        let level = if params.sound { 0.1 } else { 0.0 };
        let sound = (0..LINE_SAMPLES).map(|n| (level * turn(n, SOUND_HZ).sin()) as f32).collect();
        Self { params, seed, colour, sound }
    }

    fn row(&self, line: i64) -> Row {
        // The picture changes once a second.
        let still = line.div_euclid(25 * FRAME_LINES);
        let index = still * 1000 + line.rem_euclid(FRAME_LINES) % 313 / ROW_LINES;
        let luma: Vec<f64> =
            (0..=COLUMNS as i64).map(|column| chance(self.seed, 1 + index as u64, column)).collect();
        let before = TAU * (line as f64 * LINE_S * COLOUR_HZ).fract();
        let hue = luma.iter().map(|v| Complex32::from_polar(1.0, (before + TAU * v) as f32)).collect();
        Row { luma, hue }
    }

    /// Level of a line's sample `n`, 0 to 1 (the colour may exceed it).
    fn level(&self, line: i64, n: usize, row: &Row) -> f64 {
        let t = time_s(n);
        let colour = |column: usize| f64::from((self.colour[n] * row.hue[column]).im);
        let field_line = line.rem_euclid(FRAME_LINES);
        // Broad pulses: the field's synchronisation, five half lines twice (BT.470 table 1-2).
        if field_line < 3 || (312..315).contains(&field_line) {
            return BLANK * trapezoid(t % (LINE_S / 2.0), 27.3e-6, LINE_S / 2.0);
        }
        if t < PICTURE_S.0 || t >= PICTURE_S.1 || field_line < 23 || (310..336).contains(&field_line) {
            let burst = if (BURST_S.0..BURST_S.1).contains(&t) { 0.15 * colour(0) } else { 0.0 };
            return BLANK * trapezoid(t, SYNC_S, LINE_S) + burst;
        }
        let place = (t - PICTURE_S.0) / (PICTURE_S.1 - PICTURE_S.0) * COLUMNS;
        let column = (place as usize).min(row.luma.len() - 2);
        // From one level to the next within an edge.
        let width_s = (PICTURE_S.1 - PICTURE_S.0) / COLUMNS;
        let blend = ((place.fract() - 1.0) * width_s / EDGE_S + 1.0).max(0.0);
        let luma = row.luma[column] + (row.luma[column + 1] - row.luma[column]) * blend;
        BLANK + 0.7 * luma + 0.08 * luma * colour(column)
    }

    /// A line's samples, from phase 0 to phase 0.
    fn line(&self, line: i64, out: &mut Vec<Complex32>) {
        let row = self.row(line);
        // Black-and-grey pictures lie near the middle of the swing.
        let level = |n: usize| self.level(line, n, &row) - 0.5 + f64::from(self.sound[n]);
        let steps: Vec<f64> = (0..LINE_SAMPLES).map(|n| level(n) * self.params.swing_hz / RATE_HZ).collect();
        let turns: f64 = steps.iter().sum();
        let correction = (turns.round() - turns) / LINE_SAMPLES as f64;
        let mut phase: f64 = 0.0;
        for step in steps {
            // Reduced to half a turn either way, where single precision is good to 1e-7.
            let (sin, cos) = ((TAU * (phase - phase.round())) as f32).sin_cos();
            out.push(Complex32::new(cos, sin));
            phase += step + correction;
        }
    }
}

/// Time of a line's sample: its middle.
fn time_s(n: usize) -> f64 {
    (n as f64 + 0.5) / RATE_HZ
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
