//! `emcon scan`: sweeps of an attached receiver to averaged and peak power, tuning by tuning.
//!
//! Of each tuning those bins are taken that its receiver sees well; those under its offset and in the fall of its
//! filters come from a neighbour ([`super::tiles`]). Powers are means over half-overlapped transforms; a loss within a
//! visit begins a new run of transforms. A sinusoid of amplitude 1 reads 0 dBFS.

use super::tiles::Tile;
use crate::sdr::Facts;
use crate::sensor::{Heard, ListenError, ListenParams, Listening, Settle, Told};
use crate::spectrum::{History, Layout, Stft};
use crate::units;
use std::sync::atomic::AtomicBool;

/// Power over the floor from which a bin is occupied, decibels. The mean of the fifty and more transforms of a visit is
/// within 0.6 dB of the truth (one sigma), so that noise alone never reaches it.
pub const OCCUPIED_DB: f64 = 6.0;

/// Samples over which the transforms of a visit are fed at a time, in transforms.
const RING: usize = 64;

/// What to scan.
pub struct ScanParams {
    /// The receiver; its visits are those of `tiles`, again and again.
    pub listen: ListenParams,
    /// Where.
    pub tiles: Vec<Tile>,
    /// Bins of a transform.
    pub bins: usize,
    /// Sweeps; without, until stopped.
    pub sweeps: Option<u64>,
}

/// What was measured at a tuning.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Number of the sweep, from 0.
    pub sweep: u64,
    /// Number of the tuning, from 0.
    pub tile: usize,
    /// Frequency of the middle, hertz.
    pub center_hz: f64,
    /// Lower edge of the first bin, hertz.
    pub low_hz: f64,
    /// Width of a bin, hertz.
    pub step_hz: f64,
    /// Samples that were looked at.
    pub samples: u64,
    /// Mean power of each bin, upwards, decibels.
    pub mean_db: Vec<f64>,
    /// Highest power of each bin in one transform, decibels.
    pub peak_db: Vec<f64>,
    /// Samples lost meanwhile, as far as is known.
    pub lost: u64,
}

/// What is told of a scan.
pub enum News<'a> {
    /// The receiver is open.
    Opened(&'a Facts, Settle),
    /// A tuning was measured.
    Row(Row),
    /// All tunings of a sweep were.
    Swept(u64),
}

/// Scans until it is enough; hands everything to `tell`, which ends it with an error.
///
/// # Errors
/// The receiver's error; `tell`'s as the second kind.
pub fn scan<E>(
    params: ScanParams,
    stop: &AtomicBool,
    mut tell: impl FnMut(News) -> Result<(), E>,
) -> Result<(), ScanError<E>> {
    let ScanParams { listen, tiles, bins, sweeps } = params;
    let mut listening = Listening::start(listen);
    let mut meter = None;
    let result = loop {
        let told = match listening.next(stop) {
            Ok(told) => told,
            Err(error) => break Err(ScanError::Listen(error)),
        };
        let said = match told {
            Told::Opened(facts, settle) => {
                meter = Some(Meter::new(&facts, bins));
                tell(News::Opened(&facts, settle))
            }
            Told::Heard(heard) => {
                if let Some(meter) = &mut meter {
                    meter.take(&heard);
                }
                listening.give_back(heard.samples);
                Ok(())
            }
            Told::Left(visit) => {
                let Some(meter) = &mut meter else { continue };
                let (sweep, number) = (visit / tiles.len() as u64, (visit % tiles.len() as u64) as usize);
                let mut said = tell(News::Row(meter.row(sweep, number, &tiles[number])));
                if number + 1 == tiles.len() {
                    said = said.and_then(|()| tell(News::Swept(sweep)));
                    if sweeps.is_some_and(|sweeps| sweep + 1 >= sweeps) {
                        break said.map_err(ScanError::Told);
                    }
                }
                said
            }
            Told::Done(_) => break Ok(()),
        };
        if let Err(error) = said {
            break Err(ScanError::Told(error));
        }
    };
    listening.end();
    result
}

/// Why a scan ended early.
#[derive(Debug)]
pub enum ScanError<E> {
    /// The receiver.
    Listen(ListenError),
    /// Whoever was told.
    Told(E),
}

/// Transforms what is heard at one tuning.
struct Meter {
    stft: Stft,
    layout: Layout,
    history: History,
    /// Sample at which the next transform begins.
    next: u64,
    frame: Vec<f32>,
    sum: Vec<f32>,
    peak: Vec<f32>,
    frames: u64,
    samples: u64,
    lost: u64,
    least: f64,
}

impl Meter {
    fn new(facts: &Facts, bins: usize) -> Self {
        let layout = Layout { bins, hop: bins / 2, slab_frames: 1, rate_hz: facts.rate_hz };
        Self {
            stft: Stft::new(layout),
            layout,
            history: History::new(facts.format, RING * bins),
            next: 0,
            frame: vec![0.0; bins],
            sum: vec![0.0; bins],
            peak: vec![0.0; bins],
            frames: 0,
            samples: 0,
            lost: 0,
            least: facts.format.quantisation_power() / bins as f64,
        }
    }

    fn take(&mut self, heard: &Heard) {
        self.lost += heard.lost_before + heard.found_lost;
        if self.samples == 0 || heard.lost_before > 0 || heard.overflow {
            self.history.restart(0);
            self.next = 0;
        }
        let len = heard.samples.len();
        self.samples += len as u64;
        let mut from = 0;
        while from < len {
            let to = len.min(from + RING / 2 * self.layout.bins);
            self.history.push(&heard.samples, from, to);
            while self.next + self.layout.bins as u64 <= self.history.end() {
                self.stft.slab(&self.history, self.next, &mut self.frame);
                for ((sum, peak), power) in self.sum.iter_mut().zip(&mut self.peak).zip(&self.frame) {
                    *sum += power;
                    *peak = peak.max(*power);
                }
                self.frames += 1;
                self.next += self.layout.hop as u64;
            }
            from = to;
        }
    }

    /// The bins that are the tile's own; begins anew.
    fn row(&mut self, sweep: u64, number: usize, tile: &Tile) -> Row {
        let step_hz = self.layout.bin_hz();
        // Bin `bins / 2` is the centre's own.
        let offset = (tile.low_hz + step_hz / 2.0 - tile.center_hz) / step_hz;
        let first = (offset + self.layout.bins as f64 / 2.0).round().max(0.0) as usize;
        let frames = self.frames.max(1) as f64;
        let level = |power: f64| units::db(power.max(self.least));
        let own = first..(first + tile.bins).min(self.layout.bins);
        let row = Row {
            sweep,
            tile: number,
            center_hz: tile.center_hz,
            low_hz: tile.low_hz,
            step_hz,
            samples: self.samples,
            mean_db: self.sum[own.clone()].iter().map(|sum| level(f64::from(*sum) / frames)).collect(),
            peak_db: self.peak[own].iter().map(|peak| level(f64::from(*peak))).collect(),
            lost: self.lost,
        };
        self.sum.fill(0.0);
        self.peak.fill(0.0);
        (self.frames, self.samples, self.lost) = (0, 0, 0);
        row
    }
}

/// What a band holds.
#[derive(Debug, Clone, PartialEq)]
pub struct BandSummary {
    /// The band's name.
    pub name: String,
    /// Its edges, hertz.
    pub edges_hz: [f64; 2],
    /// Lower quartile of its bins' mean power, decibels.
    pub floor_db: f64,
    /// The strongest bin: its mean power, decibels, and the middle of it, hertz.
    pub strongest: (f64, f64),
    /// The highest power of a single transform, decibels, and the middle of its bin, hertz.
    pub peak: (f64, f64),
    /// Share of its bins whose mean power is [`OCCUPIED_DB`] over the floor.
    pub occupied: f64,
}

/// The summary of a band over `rows` of one sweep; `None` if none of its bins was measured.
pub fn summarise(name: &str, edges_hz: [f64; 2], rows: &[Row]) -> Option<BandSummary> {
    let mut bins: Vec<(f64, f64, f64)> = Vec::new();
    for row in rows {
        for (n, (mean, peak)) in row.mean_db.iter().zip(&row.peak_db).enumerate() {
            let hz = row.low_hz + (n as f64 + 0.5) * row.step_hz;
            if edges_hz[0] <= hz && hz <= edges_hz[1] {
                bins.push((hz, *mean, *peak));
            }
        }
    }
    let mut means: Vec<f64> = bins.iter().map(|(_, mean, _)| *mean).collect();
    means.sort_by(f64::total_cmp);
    let floor_db = *means.get(means.len() / 4)?;
    let strongest = bins.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let peak = bins.iter().max_by(|a, b| a.2.total_cmp(&b.2))?;
    let over = means.iter().filter(|mean| **mean >= floor_db + OCCUPIED_DB).count();
    Some(BandSummary {
        name: name.to_owned(),
        edges_hz,
        floor_db,
        strongest: (strongest.1, strongest.0),
        peak: (peak.2, peak.0),
        occupied: over as f64 / means.len() as f64,
    })
}

/// A line as `rtl_power` and `hackrf_sweep` write it: `date, time, hz_low, hz_high, hz_step, samples, dB, dB, ...`.
///
/// As with theirs, bins run upwards and `hz_high` is `hz_low` plus as many steps as there are bins. All lines of a
/// sweep bear the same whole second, as `rtl_power` does it: plotters take one time for one row of the picture. The
/// time is UTC.
pub fn csv(row: &Row, peak: bool, date: &str, time: &str) -> String {
    let values = if peak { &row.peak_db } else { &row.mean_db };
    let high_hz = row.low_hz + values.len() as f64 * row.step_hz;
    let mut line =
        format!("{date}, {time}, {:.0}, {high_hz:.0}, {:.2}, {}", row.low_hz, row.step_hz, row.samples);
    for db in values {
        line.push_str(&format!(", {db:.2}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let mut mean_db = vec![-70.0; 8];
        mean_db[5] = -30.0;
        let peak_db = mean_db.iter().map(|db| db + 8.0).collect();
        Row {
            sweep: 0,
            tile: 0,
            center_hz: 99.995e6,
            low_hz: 100e6,
            step_hz: 10e3,
            samples: 2000,
            mean_db,
            peak_db,
            lost: 0,
        }
    }

    /// Oracle: the layout in `rtl_power`'s `csv_dbm` and `hackrf_sweep`'s `rx_callback`.
    #[test]
    fn a_line_is_laid_out_as_plotters_expect() {
        let line = csv(&row(), false, "2026-05-17", "09:30:00");
        let parts: Vec<&str> = line.split(", ").collect();
        assert_eq!(parts[..6], ["2026-05-17", "09:30:00", "100000000", "100080000", "10000.00", "2000"]);
        assert_eq!(parts.len(), 6 + 8);
        assert_eq!((parts[6], parts[11]), ("-70.00", "-30.00"));
        assert!(csv(&row(), true, "d", "t").ends_with("-62.00, -22.00, -62.00, -62.00"));
    }

    #[test]
    fn a_band_is_summed_up() {
        let band = summarise("a band", [100e6, 100.08e6], &[row()]).unwrap();
        assert_eq!((band.floor_db, band.strongest, band.occupied), (-70.0, (-30.0, 100.055e6), 0.125));
        assert_eq!(summarise("elsewhere", [1e9, 2e9], &[row()]), None);
    }
}
