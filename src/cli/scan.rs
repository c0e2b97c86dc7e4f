//! `emcon scan`: one sweep of an attached receiver, or one after the other.

use super::args::Common;
use super::exit::Exit;
use super::receiver_args::ScanArgs;
use super::record::{choose, refused, stopped_by_signals};
use super::{complain, output_failed, say};
use crate::app::receiver::Chosen;
use crate::app::scan::{BandSummary, News, OCCUPIED_DB, Row, ScanError, ScanParams, csv, scan, summarise};
use crate::app::tiles::{Tile, View, tiles};
use crate::classify::Device;
use crate::clock;
use crate::config;
use crate::plan;
use crate::sdr::soapy::OpenOptions;
use crate::sensor::{ListenParams, Visit};
use std::io::{self, Write};

/// Fewest and most bins of a transform: fewer are no spectrum, more need samples of seconds.
const BINS: [usize; 2] = [32, 1 << 20];

/// A band by its name.
type Band = (String, [f64; 2]);

/// Does it.
pub(super) fn run(args: &ScanArgs, common: &Common) -> Exit {
    let failed = |what: &dyn std::fmt::Display| {
        complain(what);
        Exit::Config
    };
    let (chosen, open) = match choose(&args.receiver) {
        Ok(chosen) => chosen,
        Err(exit) => return exit,
    };
    let bands = match bands(args, common) {
        Ok(bands) => bands,
        Err(why) => return failed(&why),
    };
    let rate_hz = open.rate_hz;
    let bins = ((rate_hz / args.bin / 2.0).round() as usize * 2).clamp(BINS[0], BINS[1]);
    let view = View::of(&chosen.profile, rate_hz, rate_hz / bins as f64);
    let (seen, unseen) = reach(&bands, &chosen);
    let tiles = tiles(&joined(&seen), &chosen.profile.ranges_hz, &view);
    let Some(first) = tiles.first() else {
        return failed(&nowhere(&chosen));
    };
    if !common.quiet && !unseen.is_empty() {
        let unseen: Vec<&str> = unseen.iter().map(|(name, _)| name.as_str()).collect();
        say(&format_args!(
            "a receiver of kind {} tunes to nothing of {}",
            chosen.profile.name,
            unseen.join(", ")
        ));
    }
    let samples = ((args.dwell * rate_hz).round() as u64).max(2 * bins as u64);
    let visits: Vec<Visit> = tiles.iter().map(|tile| Visit { center_hz: tile.center_hz, samples }).collect();
    let stop = match stopped_by_signals() {
        Ok(stop) => stop,
        Err(exit) => return exit,
    };
    let params = ScanParams {
        listen: ListenParams {
            settle_default: chosen.settle_default(rate_hz),
            patient: chosen.is_patient(),
            open: OpenOptions { center_hz: first.center_hz, ..open.clone() },
            visits: Box::new(visits.into_iter().cycle()),
        },
        tiles: tiles.clone(),
        bins,
        sweeps: (!args.watch).then_some(1),
    };
    let mut out = Output {
        args,
        common,
        scale: Scale::of(&chosen, &open),
        bands: seen,
        tiles,
        rows: Vec::new(),
        stamp: None,
    };
    match scan(params, &stop, |news| out.take(news)) {
        Ok(()) => Exit::Ok,
        Err(ScanError::Listen(error)) => refused(&error),
        Err(ScanError::Told(error)) => output_failed(&error),
    }
}

/// That the receiver tunes to nothing that was asked for.
pub(super) fn nowhere(chosen: &Chosen) -> String {
    let one = |[low, high]: &[f64; 2]| format!("{} to {} MHz", low / 1e6, high / 1e6);
    let ranges: Vec<String> = chosen.profile.ranges_hz.iter().map(one).collect();
    format!(
        "none of that is within what a receiver of kind {} tunes to: {}",
        chosen.profile.name,
        ranges.join(", ")
    )
}

/// What is asked for: ranges as they are, or the bands that must be covered.
fn bands(args: &ScanArgs, common: &Common) -> Result<Vec<Band>, String> {
    if let Some(ranges) = &args.range {
        let name = |[low, high]: &[f64; 2]| format!("{:.3} to {:.3} MHz", low / 1e6, high / 1e6);
        return Ok(ranges.0.iter().map(|range| (name(range), *range)).collect());
    }
    let config = config::load(common.config.as_deref()).map_err(|error| error.to_string())?;
    let region = args.region.map_or(config.region, |region| region.as_str());
    let region = config::region(region).map_err(|error| error.to_string())?;
    let (covers, _) = config::coverage().map_err(|error| error.to_string())?;
    let devices: Vec<Device> = Device::ALL.iter().copied().filter(|device| device.is_device()).collect();
    let level = args.level.unwrap_or(config.level);
    let bands = plan::required(&region, &covers, level, &devices);
    if bands.is_empty() {
        return Err("the level bans nothing, so there is nothing to scan: name a --range".to_owned());
    }
    Ok(bands.into_iter().map(|band| (band.name, [band.low_hz, band.high_hz])).collect())
}

/// The bands that the receiver tunes to at least a part of, and those that it does not.
fn reach(bands: &[Band], chosen: &Chosen) -> (Vec<Band>, Vec<Band>) {
    let reached = |(_, [low_hz, high_hz]): &&Band| {
        chosen.profile.ranges_hz.iter().any(|[low, high]| low < high_hz && low_hz < high)
    };
    (
        bands.iter().filter(reached).cloned().collect(),
        bands.iter().filter(|band| !reached(band)).cloned().collect(),
    )
}

/// Stretches of the bands, by lower edge, those that touch as one.
fn joined(bands: &[Band]) -> Vec<[f64; 2]> {
    let mut all: Vec<[f64; 2]> = bands.iter().map(|(_, edges)| *edges).collect();
    all.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut out: Vec<[f64; 2]> = Vec::new();
    for next in all {
        match out.last_mut().filter(|last| next[0] <= last[1]) {
            Some(last) => last[1] = last[1].max(next[1]),
            None => out.push(next),
        }
    }
    out
}

/// What is added to dBFS, and what that is called then.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    add_db: f64,
    unit: &'static str,
}

impl Scale {
    /// Calibrated if the gain is a setting whose full scale is known.
    fn of(chosen: &Chosen, open: &OpenOptions) -> Self {
        let profile = &chosen.profile;
        let step = profile.gain_steps.iter().position(|step| open.gains.first() == Some(step));
        let full_dbm = step.and_then(|step| profile.full_scale_dbm.get(step).copied().flatten());
        full_dbm.map_or(Self { add_db: 0.0, unit: "dBFS" }, |add_db| Self { add_db, unit: "dBm" })
    }

    fn apply(self, mut row: Row) -> Row {
        for db in row.mean_db.iter_mut().chain(&mut row.peak_db) {
            *db += self.add_db;
        }
        row
    }
}

/// Writes what is told.
struct Output<'a> {
    args: &'a ScanArgs,
    common: &'a Common,
    scale: Scale,
    bands: Vec<Band>,
    tiles: Vec<Tile>,
    rows: Vec<Row>,
    /// Date and time of the sweep.
    stamp: Option<(String, String, String)>,
}

impl Output<'_> {
    fn take(&mut self, news: News) -> io::Result<()> {
        match news {
            News::Opened(facts, settle) => {
                if !self.common.quiet {
                    say(&format_args!(
                        "{} at {} MS/s: {} tunings, settling {} of {:.1} ms, levels in {}",
                        facts.hardware,
                        facts.rate_hz / 1e6,
                        self.tiles.len(),
                        if settle.measured { "measured" } else { "not measured, taken" },
                        settle.samples as f64 / facts.rate_hz * 1e3,
                        self.scale.unit,
                    ));
                }
                Ok(())
            }
            News::Row(row) => self.row(self.scale.apply(row)),
            News::Swept(sweep) => {
                self.stamp = None;
                let rows = std::mem::take(&mut self.rows);
                if self.args.csv || self.args.json { Ok(()) } else { self.table(sweep, &rows) }
            }
        }
    }

    fn row(&mut self, row: Row) -> io::Result<()> {
        let (date, time, utc) = self.stamp.get_or_insert_with(|| {
            let now = clock::utc();
            let text = now.to_string();
            // RFC 3339: the date, `T`, the time to the second.
            (text[..10].to_owned(), text[11..19].to_owned(), text)
        });
        let mut stdout = io::stdout().lock();
        if self.args.csv {
            writeln!(stdout, "{}", csv(&row, self.args.peak, date, time))?;
        } else if self.args.json {
            let line = json(&row, self.scale.unit, utc, self.args.peak);
            writeln!(stdout, "{line}")?;
        } else {
            self.rows.push(row);
            return Ok(());
        }
        stdout.flush()
    }

    fn table(&self, sweep: u64, rows: &[Row]) -> io::Result<()> {
        let unit = self.scale.unit;
        let mut stdout = io::stdout().lock();
        if sweep > 0 {
            writeln!(stdout)?;
        }
        let name = self.bands.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(4);
        let peak = if self.args.peak { "  highest in one transform" } else { "" };
        writeln!(
            stdout,
            "{:name$}  {:>21}  {:>11}  {:>27}  {:>8}{peak}",
            "band",
            "MHz",
            format!("floor {unit}"),
            format!("strongest bin {unit}, MHz"),
            "occupied"
        )?;
        for (own, edges) in &self.bands {
            let Some(band) = summarise(own, *edges, rows) else { continue };
            writeln!(stdout, "{}", line(&band, name, self.args.peak))?;
        }
        let bin_khz = rows.first().map_or(0.0, |row| row.step_hz / 1e3);
        writeln!(
            stdout,
            "levels of one bin of {bin_khz:.3} kHz in {unit}; occupied: share of bins {OCCUPIED_DB} dB over the floor"
        )?;
        stdout.flush()
    }
}

fn line(band: &BandSummary, name: usize, peak: bool) -> String {
    let edges = format!("{:.3} - {:.3}", band.edges_hz[0] / 1e6, band.edges_hz[1] / 1e6);
    let strongest = format!("{:.1} at {:.3}", band.strongest.0, band.strongest.1 / 1e6);
    let mut line = format!(
        "{:name$}  {edges:>21}  {:>11.1}  {strongest:>27}  {:>6.1} %",
        band.name,
        band.floor_db,
        band.occupied * 100.0
    );
    if peak {
        line.push_str(&format!("  {:.1} at {:.3}", band.peak.0, band.peak.1 / 1e6));
    }
    line
}

fn json(row: &Row, unit: &str, utc: &str, peak: bool) -> serde_json::Value {
    let round = |db: &f64| (db * 100.0).round() / 100.0;
    let mut value = serde_json::json!({
        "event": "tuning",
        "utc": utc,
        "sweep": row.sweep,
        "center_hz": row.center_hz,
        "low_hz": row.low_hz,
        "high_hz": row.low_hz + row.mean_db.len() as f64 * row.step_hz,
        "step_hz": row.step_hz,
        "samples": row.samples,
        "lost_samples": row.lost,
        "unit": unit,
        "mean_db": row.mean_db.iter().map(round).collect::<Vec<f64>>(),
    });
    if peak {
        value["peak_db"] = row.peak_db.iter().map(round).collect::<Vec<f64>>().into();
    }
    value
}
