//! The coverage ledger: what was looked at, for how long, and how long not.
//!
//! A band is cut into cells where one tuning ends and the next begins, every hertz in exactly one cell. A look counts
//! for a cell if all of it lay in what the look could use. What is said of a band is the mean over its hertz where it
//! adds up (seconds, probability), and its worst cell where a hole matters (gap, age, visits).

use super::value::Look;
use crate::plan::ReceiverPlan;
use serde::{Deserialize, Serialize};

/// Share of clipped samples from which a look saw nothing: the receiver is blind.
const BLIND_SHARE: f32 = 0.2;

/// Coverage of one band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BandCoverage {
    /// As in the plan.
    pub band: String,
    /// Lower edge, hertz.
    pub low_hz: f64,
    /// Upper edge, hertz.
    pub high_hz: f64,
    /// Seconds that each hertz was observed, on average.
    pub observed_s: f64,
    /// Samples lost in looks at it.
    pub lost_samples: u64,
    /// Longest time that some part of it was not looked at, seconds; a gap that is still open counts.
    pub longest_gap_s: f64,
    /// Time since the last look at the part that waits longest, seconds; none before every part was looked at.
    pub age_s: Option<f64>,
    /// Looks at the part that had the fewest.
    pub visits: u64,
    /// Probability that an emission as long as the band's event met a look, over all starts since the stream's:
    /// what the schedule as it was run has achieved, the detector's part left out.
    pub intercept: f64,
}

/// A stretch of a band that is always looked at as a whole.
#[derive(Debug, Clone, PartialEq)]
struct Cell {
    band: u16,
    low_hz: f64,
    high_hz: f64,
    observed_s: f64,
    lost_samples: u64,
    longest_gap_s: f64,
    last_s: Option<f64>,
    visits: u64,
    /// Total length of the starts of events that met no look.
    missed_s: f64,
}

/// What was looked at since the stream's first second.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    bands: Vec<(String, f64, f64, f64)>,
    cells: Vec<Cell>,
    rate_hz: f64,
    usable_hz: f64,
    lost_samples: u64,
    looked_s: f64,
}

impl Ledger {
    /// Of a plan that nothing was done of yet.
    pub(super) fn new(plan: &ReceiverPlan) -> Self {
        let bands = plan.bands.iter().map(|b| (b.name.clone(), b.low_hz, b.high_hz, b.event_s)).collect();
        let cells = (0u16..).zip(&plan.bands).flat_map(|(n, band)| {
            let mut next_hz = band.low_hz;
            let mut cells = Vec::new();
            for tuning in plan.tunings.iter().filter(|t| t.bands.contains(&n)) {
                let (low_hz, high_hz) = (tuning.low_hz.max(next_hz), tuning.high_hz.min(band.high_hz));
                if low_hz < high_hz {
                    cells.push(Cell::new(n, low_hz, high_hz));
                    next_hz = high_hz;
                }
            }
            cells
        });
        Self {
            cells: cells.collect(),
            bands,
            rate_hz: plan.rate_hz,
            usable_hz: plan.usable_hz,
            lost_samples: 0,
            looked_s: 0.0,
        }
    }

    /// Takes down what a dwell gave.
    pub(super) fn note(&mut self, look: &Look) {
        let lost_s = look.lost_samples as f64 / self.rate_hz;
        let seen_s = (look.until_s - look.from_s - lost_s).max(0.0);
        self.lost_samples += look.lost_samples;
        let blind = look.clipped_share >= BLIND_SHARE || seen_s <= 0.0;
        if !blind {
            self.looked_s += seen_s;
        }
        let half_hz = self.usable_hz / 2.0;
        let (low_hz, high_hz) = (look.dwell.center_hz - half_hz, look.dwell.center_hz + half_hz);
        for cell in self.cells.iter_mut().filter(|cell| low_hz <= cell.low_hz && cell.high_hz <= high_hz) {
            cell.lost_samples += look.lost_samples;
            if !blind {
                let event_s = self.bands[usize::from(cell.band)].3;
                cell.note(look.from_s, look.until_s, seen_s, event_s);
            }
        }
    }

    /// Seconds looked at, all bands together.
    pub fn looked_s(&self) -> f64 {
        self.looked_s
    }

    /// Samples lost in looks, all bands together.
    pub fn lost_samples(&self) -> u64 {
        self.lost_samples
    }

    /// The books at `now_s`, band by band in the plan's order.
    pub fn coverage(&self, now_s: f64) -> Vec<BandCoverage> {
        (0u16..).zip(&self.bands).map(|(n, band)| self.band(n, band, now_s)).collect()
    }

    fn band(
        &self,
        n: u16,
        (name, low_hz, high_hz, event_s): &(String, f64, f64, f64),
        now_s: f64,
    ) -> BandCoverage {
        let mut out = BandCoverage {
            band: name.clone(),
            low_hz: *low_hz,
            high_hz: *high_hz,
            observed_s: 0.0,
            lost_samples: 0,
            longest_gap_s: 0.0,
            age_s: Some(0.0),
            visits: u64::MAX,
            intercept: 0.0,
        };
        let mut width_hz = 0.0;
        for cell in self.cells.iter().filter(|cell| cell.band == n) {
            let cell_hz = cell.high_hz - cell.low_hz;
            let open_s = (now_s - cell.last_s.unwrap_or(0.0)).max(0.0);
            width_hz += cell_hz;
            out.observed_s += cell.observed_s * cell_hz;
            out.lost_samples = out.lost_samples.max(cell.lost_samples);
            out.longest_gap_s = out.longest_gap_s.max(cell.longest_gap_s).max(open_s);
            out.age_s = out.age_s.zip(cell.last_s.map(|_| open_s)).map(|(a, b)| a.max(b));
            out.visits = out.visits.min(cell.visits);
            out.intercept += cell.intercept(now_s, open_s, *event_s) * cell_hz;
        }
        if width_hz > 0.0 {
            out.observed_s /= width_hz;
            out.intercept /= width_hz;
        } else {
            (out.age_s, out.visits) = (None, 0);
        }
        out
    }
}

impl Cell {
    fn new(band: u16, low_hz: f64, high_hz: f64) -> Self {
        Self {
            band,
            low_hz,
            high_hz,
            observed_s: 0.0,
            lost_samples: 0,
            longest_gap_s: 0.0,
            last_s: None,
            visits: 0,
            missed_s: 0.0,
        }
    }

    fn note(&mut self, from_s: f64, until_s: f64, seen_s: f64, event_s: f64) {
        let gap_s = (from_s - self.last_s.unwrap_or(0.0)).max(0.0);
        self.longest_gap_s = self.longest_gap_s.max(gap_s);
        self.missed_s += (gap_s - event_s).max(0.0);
        self.observed_s += seen_s;
        self.visits += 1;
        self.last_s = Some(until_s);
    }

    /// Of events that are over by `now_s`, how many met a look.
    fn intercept(&self, now_s: f64, open_s: f64, event_s: f64) -> f64 {
        let starts_s = now_s - event_s;
        if self.visits == 0 || starts_s <= 0.0 {
            return 0.0;
        }
        (1.0 - (self.missed_s + (open_s - event_s).max(0.0)) / starts_s).clamp(0.0, 1.0)
    }
}
