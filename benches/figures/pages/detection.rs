//! Detection against its bound, false alarms, confusion, recordings.

use super::{Line, cells, number, table, word};
use crate::cases::CASES;
use crate::ledger::Ledger;
use crate::noise::TUNINGS;
use crate::theory::{Statistics, proportion_95, rate_upper_95, snr_needed_db};
use crate::{confusion, detection};
use serde_json::Value;
use std::collections::BTreeMap;

/// The page, and how many of its lines are of another version.
pub fn page(open: &impl Fn(&str) -> Result<Ledger, String>) -> Result<(String, usize), String> {
    let noise = open("noise")?;
    let (alarms, old_noise, false_bursts_per_s) = false_alarms(&noise);
    let (curves, old_curves) = curves(&open("detection")?, &false_bursts_per_s);
    let (names, old_names) = names(&open("confusion")?);
    let (recordings, old_recordings) = recordings(&open("recordings")?);
    let text = format!("# Detection, measured\n\n{curves}\n{alarms}\n{names}\n{recordings}");
    Ok((text, old_noise + old_curves + old_names + old_recordings))
}

/// Alerts and bursts per hour of noise; and, by sample rate in MS/s, false bursts a second (the upper bound).
fn false_alarms(ledger: &Ledger) -> (String, usize, BTreeMap<u64, f64>) {
    let head = cells(&["tuning", "seeds", "hours", "alerts", "alerts an hour, 95 % below", "bursts an hour"]);
    let (mut rows, mut all_old, mut rates) = (Vec::new(), 0, BTreeMap::new());
    for (what, _, _) in TUNINGS {
        let (lines, old) = ledger.of(what);
        all_old += old;
        let sum = |key| lines.iter().map(|line| number(line, key)).sum::<f64>();
        let (seconds, alerts, bursts) = (sum("seconds"), sum("alerts"), sum("bursts"));
        if seconds <= 0.0 {
            continue;
        }
        let hours = seconds / 3600.0;
        let rate = if what.contains("2.4") { 2_400_000 } else { 20_000_000 };
        rates.insert(rate, rate_upper_95(bursts as u64, seconds));
        rows.push(vec![
            what.trim_start_matches("noise/").to_string(),
            lines.len().to_string(),
            format!("{hours:.2}"),
            format!("{alerts}"),
            format!("{:.2}", rate_upper_95(alerts as u64, hours)),
            format!("{:.1} (95 % below {:.1})", bursts / hours, rate_upper_95(bursts as u64, hours)),
        ]);
    }
    let text = format!(
        "## False alarms\n\nThe receiver of the tuning with its usual faults (DC, image, clock spurs, roll-off), and \
         nothing in the air. A burst is what the front noticed; it takes more than one to make an emitter, and an \
         emitter that policy bans to make an alert.\n\n{}",
        table(&head, &rows)
    );
    (text, all_old, rates)
}

/// Detection probability against SNR, and the distance to the radiometer.
fn curves(ledger: &Ledger, false_bursts_per_s: &BTreeMap<u64, f64>) -> (String, usize) {
    let mut head = cells(&["signal", "burst", "bandwidth"]);
    head.extend(detection::SNRS_DB.iter().map(|snr| format!("{snr:.0} dB")));
    head.extend(cells(&["0.9 at", "radiometer", "distance"]));
    let (mut rows, mut all_old) = (Vec::new(), 0);
    for case in CASES {
        let (lines, old) = ledger.of(&format!("detection/{}", case.signal));
        all_old += old;
        let Some(first) = lines.first() else { continue };
        let pd: Vec<Option<f64>> = (0..detection::SNRS_DB.len()).map(|n| probability(&lines, n)).collect();
        let (bandwidth_hz, on_s, rate_hz) =
            (number(first, "bandwidth_hz"), number(first, "on_s"), number(first, "rate_hz"));
        let ours = crossing(detection::SNRS_DB, &pd, 0.9);
        let bound = false_bursts_per_s
            .get(&(rate_hz as u64))
            .and_then(|rate| radiometer_db(bandwidth_hz, on_s, rate_hz, *rate, case.statistics));
        let mut row = vec![case.signal.to_string(), time(on_s), format!("{:.0} kHz", bandwidth_hz / 1e3)];
        row.extend(pd.iter().map(|p| p.map_or("–".into(), |p| format!("{p:.2}"))));
        let db = |x: Option<f64>| x.map_or("–".to_string(), |x| format!("{x:.1} dB"));
        row.extend([db(ours), db(bound), db(ours.zip(bound).map(|(o, b)| o - b))]);
        rows.push(row);
    }
    let text = format!(
        "## Detection probability against SNR\n\nEach signal alone in its usual tuning (`benches/figures/cases.rs`), \
         with the receiver's usual faults. SNR is the mean power of a burst over the noise in its 99 % bandwidth. A \
         burst counts as detected when what the front reported at its frequency covers at least half of it. The \
         radiometer knows the noise, the box in time and frequency, and has the same rate of false alarms (95 % upper \
         bound of the one measured below): the exact test of Urkowitz (1967), no detector that knows less can be \
         better. Its box is the median burst.\n\n{}",
        table(&head, &rows)
    );
    (text, all_old)
}

fn probability(lines: &[Line], n: usize) -> Option<f64> {
    let sum = |key: &str| -> f64 {
        lines.iter().filter_map(|line| line.get(key)?.as_array()?.get(n)?.as_f64()).sum()
    };
    let of = sum("of");
    (of > 0.0).then(|| sum("hits") / of)
}

/// Where `pd` last rises through `wanted`, linear between its points.
fn crossing(snrs_db: &[f64], pd: &[Option<f64>], wanted: f64) -> Option<f64> {
    let below = pd.iter().rposition(|p| p.is_some_and(|p| p < wanted))?;
    let (low, high) = (pd[below]?, (*pd.get(below + 1)?)?);
    let part = (wanted - low) / (high - low);
    Some(snrs_db[below] + part * (snrs_db[below + 1] - snrs_db[below]))
}

/// SNR that the radiometer needs for Pd 0.9, when boxes of this size, side by side in time and frequency, give
/// `false_per_s` false alarms a second in all.
fn radiometer_db(
    bandwidth_hz: f64,
    on_s: f64,
    rate_hz: f64,
    false_per_s: f64,
    statistics: Statistics,
) -> Option<f64> {
    let n = bandwidth_hz * on_s;
    (n >= 1.0).then(|| {
        let boxes_per_s = rate_hz / n;
        snr_needed_db(n, (false_per_s / boxes_per_s).min(0.5), 0.9, statistics)
    })
}

fn time(seconds: f64) -> String {
    if seconds < 1e-3 { format!("{:.0} µs", seconds * 1e6) } else { format!("{:.1} ms", seconds * 1e3) }
}

/// What each signal was called.
fn names(ledger: &Ledger) -> (String, usize) {
    let head = cells(&[
        "signal",
        "seeds",
        "device right",
        "signal right",
        "called",
        "more alerts",
        "centre",
        "bandwidth",
        "first seen",
    ]);
    let (mut rows, mut all_old) = (Vec::new(), 0);
    for case in CASES {
        let (lines, old) = ledger.of(&format!("confusion/{}", case.signal));
        all_old += old;
        if lines.is_empty() {
            continue;
        }
        let count = |good: &dyn Fn(&Line) -> bool| lines.iter().filter(|line| good(line)).count() as u64;
        let device = count(&|line| word(line, "device") == Some(case.device));
        let signal =
            count(&|line| word(line, "signal").is_some_and(|s| s == case.signal || case.or.contains(&s)));
        let expected = u64::from(!matches!(case.device, "infrastructure" | "interference"));
        let more: f64 = lines.iter().map(|line| (number(line, "alerts") - expected as f64).max(0.0)).sum();
        let share = |hits: u64| {
            let (low, _) = proportion_95(hits, lines.len() as u64);
            format!("{:.0} % (≥ {:.0})", 100.0 * hits as f64 / lines.len() as f64, 100.0 * low)
        };
        rows.push(vec![
            format!("{}{}", case.signal, if case.must { "" } else { " °" }),
            lines.len().to_string(),
            share(device),
            share(signal),
            called(&lines),
            format!("{more:.0}"),
            median(&lines, "centre_error_hz").map_or("–".into(), |hz| format!("{hz:.0} Hz")),
            median(&lines, "bandwidth_error").map_or("–".into(), |part| format!("{:.0} %", 100.0 * part)),
            median(&lines, "first_error_s").map_or("–".into(), time),
        ]);
    }
    let text = format!(
        "## What each signal is called\n\nEach alone at {} dB, as above, one scene a seed. In brackets: the lower end of \
         the 95 % interval. lte and nr may be taken for each other, esb for fsk or unknown. Signals marked ° need only \
         never get another's name. The last columns are medians of the absolute error of what was measured.\n\n{}",
        confusion::SNR_DB,
        table(&head, &rows)
    );
    (text, all_old)
}

fn called(lines: &[Line]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        *counts.entry(word(line, "signal").unwrap_or("nothing").to_string()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counts.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
}

fn median(lines: &[Line], key: &str) -> Option<f64> {
    let mut values: Vec<f64> = lines.iter().filter_map(|line| line.get(key)?.as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Recordings off the air.
fn recordings(ledger: &Ledger) -> (String, usize) {
    let head = cells(&["recording", "exit", "emitters (in bold: alert)"]);
    let (mut rows, mut all_old) = (Vec::new(), 0);
    for what in ledger.whats() {
        let (lines, old) = ledger.of(&what);
        all_old += old;
        let Some(line) = lines.first() else { continue };
        let emitters = line.get("emitters").and_then(Value::as_array).cloned().unwrap_or_default();
        let said: Vec<String> = emitters
            .iter()
            .map(|e| {
                let text = |key: &str| e[key].as_str().unwrap_or("?").to_string();
                let name = format!(
                    "{} ({}), {:.1} kHz, {} bursts",
                    text("signal"),
                    text("device"),
                    e["bandwidth_hz"].as_f64().unwrap_or(0.0) / 1e3,
                    e["bursts"]
                );
                if e["alert"] == true { format!("**{name}**") } else { name }
            })
            .collect();
        let said = if said.is_empty() { "none".to_string() } else { said.join("; ") };
        let exit = line.get("exit").map_or("–".into(), Value::to_string);
        rows.push(vec![what.trim_start_matches("recordings/").to_string(), exit, said]);
    }
    let text = format!(
        "## Recordings off the air\n\nMade by others, with no option but `--region cn`.\n\n{}",
        table(&head, &rows)
    );
    (text, all_old)
}
