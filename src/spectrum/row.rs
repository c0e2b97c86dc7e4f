//! One line of the live waterfall: what a look heard, mean and highest, in bytes.

use super::tile::STEP_DB;
use serde::{Deserialize, Serialize};

/// Most bins of a row: as many as a page shows.
pub const BINS_MAX: usize = 512;

/// Levels of a look by frequency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Row {
    /// Begin, seconds.
    pub from_s: f64,
    /// End, seconds.
    pub until_s: f64,
    /// Frequency of the middle, hertz.
    pub center_hz: f64,
    /// Width of all bins together, hertz.
    pub span_hz: f64,
    /// Level of the value 0, dBFS in a bin of the detector's transform; each further one is [`STEP_DB`] more.
    pub origin_db: f32,
    /// Mean level by bin, lowest frequency first.
    pub mean: Vec<u8>,
    /// Highest level by bin.
    pub peak: Vec<u8>,
}

impl Default for Row {
    /// An empty row without memory.
    fn default() -> Self {
        Self {
            from_s: 0.0,
            until_s: 0.0,
            center_hz: 0.0,
            span_hz: 1.0,
            origin_db: 0.0,
            mean: Vec::new(),
            peak: Vec::new(),
        }
    }
}

impl Row {
    /// An empty row with memory for all that it can hold.
    pub fn with_room() -> Self {
        Self { mean: Vec::with_capacity(BINS_MAX), peak: Vec::with_capacity(BINS_MAX), ..Self::default() }
    }

    /// Takes levels from linear powers: `sum` over `count` slabs and the highest of them, with `louder_db` added.
    /// Neighbouring bins that are too many for a row become one. Allocates nothing.
    pub fn set_levels(&mut self, sum: &[f32], count: u32, peak: &[f32], louder_db: f32) {
        let level = |power: f32| 10.0 * power.max(f32::MIN_POSITIVE).log10() + louder_db;
        let most_db = level(peak.iter().copied().filter(|power| power.is_finite()).fold(0.0, f32::max));
        self.origin_db = (most_db / STEP_DB).ceil() * STEP_DB - 255.0 * STEP_DB;
        let byte = |power: f32| ((level(power) - self.origin_db) / STEP_DB).round().clamp(0.0, 255.0) as u8;
        let together = sum.len().div_ceil(BINS_MAX).max(1);
        let each = (together as u32 * count.max(1)) as f32;
        self.mean.clear();
        self.mean.extend(sum.chunks(together).map(|bins| byte(bins.iter().sum::<f32>() / each)));
        self.peak.clear();
        self.peak.extend(peak.chunks(together).map(|bins| byte(bins.iter().copied().fold(0.0, f32::max))));
    }

    /// Bytes of it on the wire, about.
    pub fn bytes(&self) -> usize {
        48 + self.mean.len() + self.peak.len()
    }

    /// The same on an axis of time whose zero is `by_s` earlier.
    pub fn later(mut self, by_s: f64) -> Self {
        self.from_s += by_s;
        self.until_s += by_s;
        self
    }
}

/// A row as it comes from elsewhere.
#[derive(Deserialize)]
struct Unchecked {
    from_s: f64,
    until_s: f64,
    center_hz: f64,
    span_hz: f64,
    origin_db: f32,
    mean: Vec<u8>,
    peak: Vec<u8>,
}

impl TryFrom<Unchecked> for Row {
    type Error = &'static str;

    fn try_from(row: Unchecked) -> Result<Self, Self::Error> {
        let Unchecked { from_s, until_s, center_hz, span_hz, origin_db, mean, peak } = row;
        if !(1..=BINS_MAX).contains(&mean.len()) || mean.len() != peak.len() {
            return Err("a row whose bins do not fit");
        }
        let all = [from_s, until_s, center_hz, span_hz, f64::from(origin_db)];
        if !all.iter().all(|value| value.is_finite()) || span_hz <= 0.0 || from_s > until_s {
            return Err("a row of nothing");
        }
        Ok(Self { from_s, until_s, center_hz, span_hz, origin_db, mean, peak })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Oracle: decibels by hand. Tolerance: half a step.
    #[test]
    fn levels_are_those_of_the_powers() {
        let mut row = Row::default();
        let peak = [1e-3, 1e-6, 1e-9, 0.0];
        row.set_levels(&[4e-4, 4e-7, 4e-10, 0.0], 4, &peak, 10.0);
        let db = |byte: u8| row.origin_db + f32::from(byte) * STEP_DB;
        for (byte, expected) in
            row.peak.iter().zip([-20.0, -50.0, -80.0]).chain(row.mean.iter().zip([-30.0, -60.0, -90.0]))
        {
            assert!((db(*byte) - expected).abs() <= STEP_DB / 2.0 + 1e-3, "{} for {expected}", db(*byte));
        }
        assert_eq!((row.peak[3], row.peak[0]), (0, 255));
    }

    #[test]
    fn more_bins_than_a_row_holds_are_folded_and_nothing_is_lost() {
        let mut row = Row::default();
        let (mut sum, mut peak) = (vec![1e-9f32; 2048], vec![1e-9f32; 2048]);
        (sum[1001], peak[1001]) = (4e-3, 4e-3);
        row.set_levels(&sum, 1, &peak, 0.0);
        assert_eq!((row.mean.len(), row.peak.len()), (512, 512));
        let most = row.peak.iter().max().copied();
        assert_eq!(row.peak.iter().position(|byte| Some(*byte) == most), Some(250));
        // A quarter of the bins: 6 dB less in the mean.
        assert!((f32::from(row.peak[250] - row.mean[250]) * STEP_DB - 6.02).abs() <= STEP_DB);
        row.set_levels(&[f32::NAN; 4], 0, &[f32::INFINITY; 4], 0.0);
        assert!(row.origin_db.is_finite());
    }
}
