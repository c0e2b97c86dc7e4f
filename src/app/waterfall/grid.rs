//! Highest power by time and frequency in bounded memory, however long the recording is.
//!
//! Time is cut into rows of equal length. When a recording outlasts the rows, neighbours are merged and rows
//! last twice as long; a maximum of maxima stays one, so a burst of microseconds is still there after hours.

use crate::spectrum::SlabView;

/// Rows that a picture shows.
pub const ROWS: usize = 720;
/// Columns of all panels together.
pub const COLUMNS: usize = 1024;
/// Panels beside each other: more tunings leave too little of each.
pub const PANELS_MAX: usize = 16;

/// One tuning's part of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Width of the span, hertz.
    pub rate_hz: f64,
    /// Frequency of the middle, if known.
    pub center_hz: Option<f64>,
    /// Columns.
    pub columns: usize,
    /// Row by row; 0 where nothing was observed.
    cells: Vec<f32>,
}

impl Panel {
    /// Lowest frequency, hertz (an offset if the tuning is unknown).
    pub fn low_hz(&self) -> f64 {
        self.center_hz.unwrap_or(0.0) - self.rate_hz / 2.0
    }

    /// The cells of `row`, lowest frequency first; empty if none was ever seen that late.
    pub fn row(&self, row: usize) -> &[f32] {
        self.cells.get(row * self.columns..(row + 1) * self.columns).unwrap_or_default()
    }
}

/// The grid.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Time from one row to the next, seconds; 0 before the first slab.
    row_s: f64,
    rows: usize,
    panels: Vec<Panel>,
    columns_each: usize,
    left_out: bool,
}

impl Grid {
    /// A grid for `tunings` different tunings; rows fit `duration_s` from the beginning if it is known.
    pub fn new(duration_s: Option<f64>, tunings: usize) -> Self {
        let row_s = duration_s.map_or(0.0, |duration_s| duration_s / ROWS as f64);
        let shown = tunings.clamp(1, PANELS_MAX);
        Self {
            row_s: if row_s.is_finite() { row_s } else { 0.0 },
            rows: 0,
            panels: Vec::new(),
            columns_each: COLUMNS / shown,
            left_out: false,
        }
    }

    /// Time from one row to the next, seconds.
    pub fn row_s(&self) -> f64 {
        self.row_s
    }

    /// End of the last row, seconds.
    pub fn end_s(&self) -> f64 {
        self.row_s * self.rows as f64
    }

    /// Rows in use.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// By frequency.
    pub fn panels(&self) -> &[Panel] {
        &self.panels
    }

    /// Whether there were more tunings than panels.
    pub fn left_out(&self) -> bool {
        self.left_out
    }

    /// Takes a slab.
    pub fn slab(&mut self, slab: &SlabView<'_>) {
        let usable = slab.start_s >= 0.0 && slab.end_s > slab.start_s && slab.end_s.is_finite();
        if !usable || slab.power.is_empty() {
            return;
        }
        if self.row_s <= 0.0 {
            self.row_s = slab.end_s - slab.start_s;
        }
        while slab.end_s > self.row_s * (2 * ROWS) as f64 {
            self.coarsen();
        }
        let first = (slab.start_s / self.row_s) as usize;
        // A slab that ends with a row does not touch the next one.
        let last = ((slab.end_s / self.row_s).ceil() as usize).saturating_sub(1).clamp(first, 2 * ROWS);
        self.rows = self.rows.max(last + 1);
        let Some(panel) = self.panel(slab) else { return };
        let columns = panel.columns;
        let needed = (last + 1) * columns;
        if panel.cells.len() < needed {
            panel.cells.resize(needed, 0.0);
        }
        for row in first..=last {
            let cells = &mut panel.cells[row * columns..(row + 1) * columns];
            for (at, power) in slab.power.iter().enumerate() {
                let cell = &mut cells[at * columns / slab.power.len()];
                *cell = cell.max(*power);
            }
        }
    }

    fn panel(&mut self, slab: &SlabView<'_>) -> Option<&mut Panel> {
        let same = |panel: &Panel| panel.rate_hz == slab.rate_hz && panel.center_hz == slab.center_hz;
        let at = match self.panels.iter().position(same) {
            Some(at) => at,
            None if self.panels.len() == PANELS_MAX => {
                self.left_out = true;
                return None;
            }
            None => {
                let columns = self.columns_each.min(slab.power.len());
                let panel =
                    Panel { rate_hz: slab.rate_hz, center_hz: slab.center_hz, columns, cells: Vec::new() };
                let at = self.panels.partition_point(|known| known.low_hz() <= panel.low_hz());
                self.panels.insert(at, panel);
                at
            }
        };
        self.panels.get_mut(at)
    }

    /// Merges rows two by two.
    fn coarsen(&mut self) {
        self.row_s *= 2.0;
        self.rows = self.rows.div_ceil(2);
        for panel in &mut self.panels {
            let columns = panel.columns;
            let rows = panel.cells.len() / columns;
            for row in 0..rows.div_ceil(2) {
                for column in 0..columns {
                    let even = panel.cells[2 * row * columns + column];
                    let odd = panel.cells.get((2 * row + 1) * columns + column).copied().unwrap_or(0.0);
                    panel.cells[row * columns + column] = even.max(odd);
                }
            }
            panel.cells.truncate(rows.div_ceil(2) * columns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slab<'a>(start_s: f64, end_s: f64, power: &'a [f32], center_hz: Option<f64>) -> SlabView<'a> {
        SlabView { segment: 0, start_s, end_s, rate_hz: 1e6, center_hz, power, floor: power, threshold: 10.0 }
    }

    #[test]
    fn a_single_strong_slab_survives_any_length() {
        let mut grid = Grid::new(None, 1);
        let quiet = [1e-9; 16];
        let mut loud = quiet;
        loud[5] = 1.0;
        let slabs = 50_000;
        for n in 0..slabs {
            let at_s = f64::from(n) * 1e-3;
            grid.slab(&slab(at_s, at_s + 1e-3, if n == 12_345 { &loud } else { &quiet }, None));
        }
        assert!(grid.rows() <= 2 * ROWS && grid.rows() > ROWS, "{}", grid.rows());
        let panel = &grid.panels()[0];
        let bright: Vec<(usize, usize)> = (0..grid.rows())
            .flat_map(|row| {
                panel.row(row).iter().enumerate().filter(|(_, p)| **p > 0.5).map(move |(c, _)| (row, c))
            })
            .collect();
        assert_eq!(bright, [((12.345 / grid.row_s()) as usize, 5)]);
    }

    #[test]
    fn tunings_stand_side_by_side_by_frequency_and_gaps_stay_empty() {
        let mut grid = Grid::new(Some(7.2), 2);
        grid.slab(&slab(0.0, 1.0, &[1.0; 4], Some(5e6)));
        grid.slab(&slab(2.0, 3.0, &[1.0; 4], Some(2e6)));
        assert_eq!(grid.panels().iter().map(|p| p.center_hz).collect::<Vec<_>>(), [Some(2e6), Some(5e6)]);
        let observed = |panel: usize, row: usize| grid.panels()[panel].row(row).iter().any(|p| *p > 0.0);
        assert!(observed(1, 0) && observed(1, 99) && !observed(1, 100));
        assert!(!observed(0, 99) && observed(0, 200) && observed(0, 299));
        assert_eq!(grid.rows(), 300);
    }

    #[test]
    fn odd_slabs_and_many_tunings_are_survived() {
        let mut grid = Grid::new(Some(f64::NAN), 1000);
        grid.slab(&slab(f64::NAN, 1.0, &[1.0], None));
        grid.slab(&slab(0.0, f64::INFINITY, &[1.0], None));
        grid.slab(&slab(0.0, 1.0, &[], None));
        assert_eq!(grid.rows(), 0);
        for n in 0..40 {
            grid.slab(&slab(f64::from(n), f64::from(n) + 1.0, &[1.0; 2048], Some(f64::from(n) * 1e6)));
        }
        assert_eq!(grid.panels().len(), PANELS_MAX);
        assert!(grid.left_out() && grid.panels().iter().all(|p| p.columns * PANELS_MAX <= COLUMNS));
        grid.slab(&slab(1e12, 1e12 + 1.0, &[1.0; 2048], Some(0.0)));
        assert!(grid.rows() <= 2 * ROWS + 1);
    }
}
