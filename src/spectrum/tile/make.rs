//! Raw samples, stretch after stretch, to a tile.

use super::super::{kernels, window};
use super::{COLUMNS_MAX, Extent, ROWS_MAX, STEP_DB, Tile};
use crate::iq::Samples;
use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Columns that a picture has at least, where the receiver's rate and the samples allow it.
const COLUMNS_WANTED: f64 = 256.0;

/// Points of a transform: the fewest resolve what a burst needs, the most take 0.5 MiB.
const POINTS: [usize; 2] = [256, 65_536];

/// Rows that a transform may be long at most: a finer column would smear what is short.
const ROWS_LONG: f64 = 2.0;

/// Cell where nothing was observed; a power is never negative.
const UNOBSERVED: f32 = -1.0;

/// Samples of one tuning without a gap.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// The samples.
    pub samples: &'a Samples,
    /// Time of the first of them, seconds.
    pub from_s: f64,
    /// Frequency of the middle, hertz.
    pub center_hz: f64,
    /// What is to be added to levels, decibels.
    pub louder_db: f32,
    /// Whether they follow the stretch before without a gap.
    pub follows: bool,
}

/// Makes tiles, one after the other. Allocates at [`TileMaker::begin`], never between.
pub struct TileMaker {
    planner: FftPlanner<f32>,
    fft: Arc<dyn Fft<f32>>,
    window: Vec<f32>,
    extent: Extent,
    rate_hz: f64,
    columns: usize,
    rows: usize,
    /// Highest power of each cell, linear.
    cells: Vec<f32>,
    /// Samples that wait for their transform.
    held: Vec<Complex32>,
    frame: Vec<Complex32>,
    scratch: Vec<Complex32>,
    /// How many are held, and when the first of them was.
    filled: usize,
    held_s: f64,
}

impl Default for TileMaker {
    fn default() -> Self {
        let mut planner = FftPlanner::new();
        let fft = planner.plan_fft_forward(POINTS[0]);
        Self {
            planner,
            fft,
            window: Vec::new(),
            extent: Extent { from_s: 0.0, until_s: 1.0, low_hz: 0.0, high_hz: 1.0 },
            rate_hz: 1.0,
            columns: 1,
            rows: 1,
            cells: Vec::new(),
            held: Vec::new(),
            frame: Vec::new(),
            scratch: Vec::new(),
            filled: 0,
            held_s: 0.0,
        }
    }
}

impl TileMaker {
    /// Begins a tile of `extent`, which must be sound, from samples of `rate_hz`.
    pub fn begin(&mut self, extent: Extent, rate_hz: f64) {
        let (span_hz, seconds) = (extent.high_hz - extent.low_hz, extent.until_s - extent.from_s);
        let longest = (ROWS_LONG * seconds / ROWS_MAX as f64 * rate_hz).min(POINTS[1] as f64);
        let wanted = (rate_hz * COLUMNS_WANTED / span_hz).min(longest).max(1.0) as usize;
        let points = wanted.next_power_of_two().clamp(POINTS[0], POINTS[1]);
        let hop_s = (points / 2) as f64 / rate_hz;
        self.columns = ((span_hz / rate_hz * points as f64) as usize).clamp(1, COLUMNS_MAX);
        self.rows = ((seconds / hop_s) as usize).clamp(1, ROWS_MAX);
        self.fft = self.planner.plan_fft_forward(points);
        let shape = window::kaiser(points);
        // A sinusoid of amplitude 1 reads 1; every other sign turned, bins run from -rate/2 upwards.
        let scale = 1.0 / shape.iter().sum::<f64>();
        self.window.clear();
        self.window.extend(
            shape.iter().enumerate().map(|(n, w)| (w * if n % 2 == 0 { scale } else { -scale }) as f32),
        );
        self.cells.clear();
        self.cells.resize(self.columns * self.rows, UNOBSERVED);
        self.held.resize(points, Complex32::default());
        self.frame.resize(points, Complex32::default());
        self.scratch.resize(self.fft.get_inplace_scratch_len(), Complex32::default());
        (self.extent, self.rate_hz, self.filled) = (extent, rate_hz, 0);
    }

    /// Takes a stretch, in the order of time.
    pub fn push(&mut self, stretch: &Stretch<'_>) {
        if !stretch.follows {
            self.filled = 0;
        }
        let mut from = 0;
        while from < stretch.samples.len() {
            if self.filled == 0 {
                self.held_s = stretch.from_s + from as f64 / self.rate_hz;
            }
            let count = (stretch.samples.len() - from).min(self.held.len() - self.filled);
            convert(stretch.samples, from, &mut self.held[self.filled..self.filled + count]);
            (from, self.filled) = (from + count, self.filled + count);
            if self.filled == self.held.len() {
                self.transform(stretch);
                let hop = self.held.len() / 2;
                self.held.copy_within(hop.., 0);
                self.filled -= hop;
                self.held_s += hop as f64 / self.rate_hz;
            }
        }
    }

    /// The tile; `None` if nothing of it was observed.
    pub fn finish(&mut self) -> Option<Tile> {
        let level = |power: f32| 10.0 * power.log10();
        let most = self.cells.iter().copied().filter(|power| power.is_finite()).fold(UNOBSERVED, f32::max);
        if most == UNOBSERVED {
            return None;
        }
        // Silence itself has no level; it is shown as the lowest.
        let most_db = level(most.max(f32::MIN_POSITIVE));
        let origin_db = (most_db / STEP_DB).ceil() * STEP_DB - 254.0 * STEP_DB;
        let cell = |power: &f32| {
            if *power == UNOBSERVED {
                return 0;
            }
            (((level(*power) - origin_db) / STEP_DB).round().clamp(0.0, 254.0) as u8).saturating_add(1)
        };
        Some(Tile {
            extent: self.extent,
            columns: self.columns as u16,
            rows: self.rows as u16,
            bin_hz: self.rate_hz / self.held.len() as f64,
            origin_db,
            cells: self.cells.iter().map(cell).collect(),
        })
    }

    /// The samples held, to the cells that they are in.
    fn transform(&mut self, stretch: &Stretch<'_>) {
        let Extent { from_s, until_s, low_hz, high_hz } = self.extent;
        let points = self.held.len();
        let middle_s = self.held_s + points as f64 / 2.0 / self.rate_hz;
        if !(from_s..until_s).contains(&middle_s) {
            return;
        }
        let row = ((middle_s - from_s) / (until_s - from_s) * self.rows as f64) as usize;
        let Some(row) = self.cells.chunks_exact_mut(self.columns).nth(row) else { return };
        for ((out, sample), weight) in self.frame.iter_mut().zip(&self.held).zip(&self.window) {
            *out = sample * weight;
        }
        self.fft.process_with_scratch(&mut self.frame, &mut self.scratch);
        let louder = 10f32.powf(stretch.louder_db / 10.0);
        let bin_hz = self.rate_hz / points as f64;
        let lowest_hz = stretch.center_hz - self.rate_hz / 2.0;
        let bin = |hz: f64| ((hz - lowest_hz) / bin_hz).ceil().clamp(0.0, points as f64) as usize;
        let column = self.columns as f64 / (high_hz - low_hz);
        let bins = bin(low_hz)..bin(high_hz);
        for (n, value) in bins.clone().zip(&self.frame[bins]) {
            let at = ((lowest_hz + n as f64 * bin_hz - low_hz) * column) as usize;
            if let Some(cell) = row.get_mut(at) {
                *cell = cell.max(value.norm_sqr() * louder);
            }
        }
    }
}

/// `samples[from..]` as complex floats, as many as `out` takes.
fn convert(samples: &Samples, from: usize, out: &mut [Complex32]) {
    let zero = Complex32::default();
    match samples {
        Samples::Cu8(s) => kernels::convert_cu8(&s[from..], zero, out),
        Samples::Ci8(s) => kernels::convert_ci8(&s[from..], zero, out),
        Samples::Ci16(s) => kernels::convert_ci16(&s[from..], zero, out),
        Samples::Cf32(s) => kernels::convert_cf32(&s[from..], zero, out),
    }
}
