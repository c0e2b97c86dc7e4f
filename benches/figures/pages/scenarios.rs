//! `docs/scenarios.md`.

use super::{Line, cells, number, table, word};
use crate::ledger::Ledger;
use crate::scenarios;
use serde_json::Value;

const INTRO: &str = "# Scenarios, through the simulated receiver and the two live processes

Each run is `emcon run` on `driver=emcon-sim,pace=0`: sweep, second looks and alerts as live, in the scene's own time. \
The ambient is learned from 60 s without the offender; then the meeting begins with that baseline. `rx-h` is a HackRF \
whose full scale is -30 dBm with the gains to search with (noise -163 dBm/Hz, image -32 dBc, 8 ppm, 5 ms to settle), \
`rx-r` an RTL-SDR (-45 dBm, -169 dBm/Hz, lines of its clock, 10 ms). `a0` is noise and what the receiver makes itself, \
`a1` an office: base stations, access points, 20 Bluetooth LE advertisers, broadcast, and what passes outside.

Waiting before the offender is shortened to 5 s (the cordless telephone's: 20 s; between the idle telephone's sessions: \
60 s), and a run ends with its verdict. `named` counts the runs in which an alert had the right device in time; `told` \
is the time to an alert under any name, `as` the one to the right name. `others` are alerts on anything else.

";

/// The page, and how many of its lines are of another version.
///
/// # Errors
/// The ledger cannot be read.
pub fn page(open: &impl Fn(&str) -> Result<Ledger, String>) -> Result<(String, usize), String> {
    let ledger = open("scenarios")?;
    let (mut rows, mut null_rows, mut old) = (Vec::new(), Vec::new(), 0);
    for (name, words) in scenarios::names() {
        let (lines, of_old) = ledger.of(&name);
        if lines.is_empty() {
            continue;
        }
        old += of_old;
        let short = name.trim_start_matches("scenarios/").replace('/', " ");
        let null = lines.iter().all(|line| matches!(word(line, "verdict"), Some("quiet" | "false alarm")));
        if null {
            null_rows.push(null_row(&short, words, &lines))
        } else {
            rows.push(row(&short, words, &lines))
        }
    }
    let head = cells(&[
        "scenario",
        "",
        "bound s",
        "named",
        "told: median, worst s",
        "as: median, worst s",
        "others",
        "otherwise",
    ]);
    let null_head = cells(&["scenario", "", "minutes", "alerts", "95 % upper bound, alerts an hour"]);
    let text = format!(
        "{INTRO}## With an offender\n\n{}\n## Without\n\nThe bound is Poisson's: 3.0 over the time where nothing was told, \
         else the 95 % quantile of chi square over twice the time.\n\n{}",
        table(&head, &rows),
        table(&null_head, &null_rows)
    );
    Ok((text, old))
}

fn row(short: &str, words: &str, lines: &[Line]) -> Vec<String> {
    let good = lines.iter().filter(|line| word(line, "verdict") == Some("in time")).count();
    let mut otherwise: Vec<String> = lines
        .iter()
        .filter(|line| word(line, "verdict") != Some("in time"))
        .filter_map(|line| {
            let told = line.get("told").and_then(|told| told["signal"].as_str());
            let verdict = word(line, "verdict")?;
            Some(told.map_or(verdict.to_string(), |signal| format!("{verdict} ({signal})")))
        })
        .collect();
    otherwise.sort();
    otherwise.dedup();
    vec![
        short.to_string(),
        words.to_string(),
        format!("{:.0}", number(&lines[0], "bound_s")),
        format!("{good} of {}", lines.len()),
        times(lines, "told"),
        times(lines, "named"),
        others(lines).to_string(),
        otherwise.join(", "),
    ]
}

fn null_row(short: &str, words: &str, lines: &[Line]) -> Vec<String> {
    let hours: f64 = lines.iter().map(|line| number(line, "seconds")).sum::<f64>() / 3600.0;
    let alerts = others(lines);
    vec![
        short.to_string(),
        words.to_string(),
        format!("{:.1}", 60.0 * hours),
        alerts.to_string(),
        format!("{:.1}", upper_bound(alerts) / hours),
    ]
}

/// Upper 95 % confidence bound of a Poisson count's mean (Garwood 1936), by bisection on its distribution.
fn upper_bound(count: usize) -> f64 {
    let at_most = |mean: f64| {
        let mut term = (-mean).exp();
        let mut sum = term;
        for n in 1..=count {
            term *= mean / n as f64;
            sum += term;
        }
        sum
    };
    let (mut low, mut high) = (0.0, 20.0 + 4.0 * count as f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if at_most(middle) > 0.05 { low = middle } else { high = middle }
    }
    high
}

fn others(lines: &[Line]) -> usize {
    lines.iter().filter_map(|line| line.get("others").and_then(Value::as_array)).map(Vec::len).sum()
}

/// Median and worst of the times to `key`; what never came is the worst.
fn times(lines: &[Line], key: &str) -> String {
    let time = |line: &Line| line.get(key).and_then(|told| told["after_s"].as_f64()).unwrap_or(f64::INFINITY);
    let mut all: Vec<f64> = lines.iter().map(time).collect();
    all.sort_by(f64::total_cmp);
    let text = |s: f64| if s.is_finite() { format!("{s:.1}") } else { "never".to_string() };
    format!("{}, {}", text(all[(all.len() - 1) / 2]), text(all[all.len() - 1]))
}
