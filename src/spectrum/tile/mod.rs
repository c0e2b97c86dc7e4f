//! A picture of a box in time and frequency, made from raw samples after the fact: the evidence of an alert.
//!
//! Unlike the slabs that detection works on, its resolution follows the box: a walkie-talkie's channel is some columns
//! wide, and so is a channel of Wi-Fi. Frames overlap by half; a cell is the strongest of the frames and bins in it, so
//! that a burst of microseconds is seen among rows of milliseconds. Where the receiver listened elsewhere, and where
//! samples are missing, cells say that nothing was observed.

mod make;
#[cfg(test)]
mod tests;

pub use make::{Stretch, TileMaker};

use serde::{Deserialize, Serialize};

/// Most columns, rows: with the head below a frame of the wire, and as fine as a picture on a page.
pub const COLUMNS_MAX: usize = 512;
/// See [`COLUMNS_MAX`].
pub const ROWS_MAX: usize = 384;

/// One step of a cell, decibels: 254 of them span 127 dB, more than a converter of 16 bits.
pub const STEP_DB: f32 = 0.5;

/// A stretch of time and frequency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Extent {
    /// Begin, seconds.
    pub from_s: f64,
    /// End, seconds.
    pub until_s: f64,
    /// Lower edge, hertz.
    pub low_hz: f64,
    /// Upper edge, hertz.
    pub high_hz: f64,
}

impl Extent {
    /// Whether it is one: finite, and with a width and a duration.
    pub fn is_sound(&self) -> bool {
        let all = [self.from_s, self.until_s, self.low_hz, self.high_hz];
        all.iter().all(|value| value.is_finite()) && self.from_s < self.until_s && self.low_hz < self.high_hz
    }

    /// Whether they share time and frequency.
    pub fn meets(&self, other: &Self) -> bool {
        self.from_s < other.until_s
            && other.from_s < self.until_s
            && self.low_hz < other.high_hz
            && other.low_hz < self.high_hz
    }
}

/// Levels over time and frequency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Tile {
    /// What it shows.
    pub extent: Extent,
    /// Columns, 1 to [`COLUMNS_MAX`].
    pub columns: u16,
    /// Rows, 1 to [`ROWS_MAX`].
    pub rows: u16,
    /// Width of a bin of the transforms, hertz: levels are of one bin.
    pub bin_hz: f64,
    /// Level of a cell of value 1, dBFS; each further one is [`STEP_DB`] more.
    pub origin_db: f32,
    /// Row after row from the earliest, each from the lowest frequency; 0 where nothing was observed.
    pub cells: Vec<u8>,
}

impl Tile {
    /// Level of a cell, dBFS in a bin; `None` where nothing was observed, and outside.
    pub fn level_db(&self, column: usize, row: usize) -> Option<f32> {
        if column >= usize::from(self.columns) {
            return None;
        }
        let cell = *self.cells.get(row * usize::from(self.columns) + column)?;
        (cell > 0).then(|| self.origin_db + f32::from(cell - 1) * STEP_DB)
    }

    /// Columns and rows that `part` touches, each as first and the one after the last.
    pub fn cells_of(&self, part: &Extent) -> ([usize; 2], [usize; 2]) {
        let along = |from: f64, until: f64, [low, high]: [f64; 2], count: u16| {
            let cell = |value: f64| (value - low) / (high - low) * f64::from(count);
            let first = cell(from).floor().clamp(0.0, f64::from(count)) as usize;
            [first, cell(until).ceil().clamp(first as f64, f64::from(count)) as usize]
        };
        let Extent { from_s, until_s, low_hz, high_hz } = self.extent;
        (
            along(part.low_hz, part.high_hz, [low_hz, high_hz], self.columns),
            along(part.from_s, part.until_s, [from_s, until_s], self.rows),
        )
    }

    /// Whether anything of `part` was observed.
    pub fn observed(&self, part: &Extent) -> bool {
        let ([left, right], [top, bottom]) = self.cells_of(part);
        (top..bottom).any(|row| (left..right).any(|column| self.level_db(column, row).is_some()))
    }

    /// The same on an axis of time whose zero is `by_s` earlier.
    pub fn later(mut self, by_s: f64) -> Self {
        self.extent.from_s += by_s;
        self.extent.until_s += by_s;
        self
    }
}

/// A tile as it comes from elsewhere.
#[derive(Deserialize)]
struct Unchecked {
    extent: Extent,
    columns: u16,
    rows: u16,
    bin_hz: f64,
    origin_db: f32,
    cells: Vec<u8>,
}

impl TryFrom<Unchecked> for Tile {
    type Error = &'static str;

    fn try_from(tile: Unchecked) -> Result<Self, Self::Error> {
        let Unchecked { extent, columns, rows, bin_hz, origin_db, cells } = tile;
        let (across, down) = (usize::from(columns), usize::from(rows));
        let fits = (1..=COLUMNS_MAX).contains(&across) && (1..=ROWS_MAX).contains(&down);
        if !fits || cells.len() != across * down {
            return Err("a picture whose cells do not fit its columns and rows");
        }
        if !extent.is_sound() || !bin_hz.is_finite() || bin_hz <= 0.0 || !origin_db.is_finite() {
            return Err("a picture of nothing");
        }
        Ok(Self { extent, columns, rows, bin_hz, origin_db, cells })
    }
}
