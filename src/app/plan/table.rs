//! A plan for people.

use super::{LIMITS, Planned};
use crate::plan::{Forecast, Loop, ReceiverPlan, ScanPlan, Times, Tuning};
use std::fmt::Write;

/// The whole text.
pub fn text(planned: &Planned) -> String {
    let mut out = String::new();
    for receiver in planned.plan.receivers.iter() {
        one_receiver(&mut out, receiver);
    }
    expected(&mut out, &planned.forecast);
    unseen(&mut out, &planned.plan, &planned.forecast);
    out
}

fn one_receiver(out: &mut String, plan: &ReceiverPlan) {
    if plan.tunings.is_empty() {
        put(out, &format!("{}: nothing to do: the others cover all that it could\n\n", plan.receiver));
        return;
    }
    put(
        out,
        &format!(
            "{}: {} tunings of {} MHz, {:.1} ms to settle, superframe {:.1} s, {:.0} % of the time looked at\n\n",
            plan.receiver,
            plan.tunings.len(),
            plan.usable_hz / 1e6,
            plan.settle_s * 1e3,
            plan.superframe_s,
            plan.looked_share() * 100.0
        ),
    );
    let head = ["bands", "MHz", "tunings", "loop", "dwell ms", "revisit s", "share %"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(groups(plan).iter().map(|group| row(plan, group)));
    columns(out, &rows, 2);
    out.push('\n');
}

/// Tunings that follow each other in the same bands.
fn groups(plan: &ReceiverPlan) -> Vec<Vec<&Tuning>> {
    let mut groups: Vec<Vec<&Tuning>> = Vec::new();
    for tuning in &plan.tunings {
        match groups.last_mut() {
            Some(group) if group[0].bands == tuning.bands && group[0].of == tuning.of => group.push(tuning),
            _ => groups.push(vec![tuning]),
        }
    }
    groups
}

fn row(plan: &ReceiverPlan, group: &[&Tuning]) -> Vec<String> {
    let names: Vec<&str> = group[0].bands.iter().map(|&n| plan.bands[usize::from(n)].name.as_str()).collect();
    let (low_hz, high_hz) = (group[0].low_hz, group.iter().map(|t| t.high_hz).fold(0.0, f64::max));
    let share: f64 = group.iter().map(|t| plan.share(t)).sum();
    vec![
        names.join(", "),
        format!("{:.1} to {:.1}", low_hz / 1e6, high_hz / 1e6),
        group.len().to_string(),
        match group[0].of {
            Loop::Tripwire => "tripwire".into(),
            Loop::Dense => "dense".into(),
        },
        range(group.iter().map(|t| t.dwell_s * 1e3), 0),
        range(group.iter().map(|t| plan.revisit_s(t)), 1),
        format!("{:.1}", share * 100.0),
    ]
}

fn range(values: impl Iterator<Item = f64> + Clone, digits: usize) -> String {
    let low = format!("{:.digits$}", values.clone().fold(f64::INFINITY, f64::min));
    let high = format!("{:.digits$}", values.fold(0.0, f64::max));
    if low == high { low } else { format!("{low} to {high}") }
}

fn expected(out: &mut String, forecast: &[Forecast]) {
    put(
        out,
        "expected, seconds from when it is there: half are met by the first figure, 95 % by the second\n\n",
    );
    let head = ["device", "what it does", "in a visit", "in 10 s", "in 60 s", "first", "second", ""];
    let mut rows = vec![head.map(String::from).to_vec()];
    for line in forecast.iter().filter(|line| line.visible_share > 0.0) {
        let percent = |p: f64| format!("{:.0} %", p * 100.0);
        let mut notes = Vec::new();
        if line.visible_share < 0.995 {
            notes.push(format!("in {:.0} % of its bands", line.visible_share * 100.0));
        }
        if line.seen_in_part {
            notes.push("seen in part".into());
        }
        rows.push(vec![
            line.device.to_string(),
            line.emitter.clone(),
            percent(line.per_visit),
            percent(line.within_10_s),
            percent(line.within_60_s),
            seconds(line.first),
            seconds(line.second),
            notes.join(", "),
        ]);
    }
    columns(out, &rows, 2);
    out.push('\n');
}

fn seconds(times: Option<Times>) -> String {
    let short = |s: f64| if s < 10.0 { format!("{s:.1}") } else { format!("{s:.0}") };
    times.map_or_else(|| "hours".into(), |t| format!("{} / {}", short(t.median_s), short(t.p95_s)))
}

fn unseen(out: &mut String, plan: &ScanPlan, forecast: &[Forecast]) {
    put(out, "not seen\n\n");
    for band in &plan.unseen {
        let devices: Vec<&str> = band.devices.iter().map(|d| d.as_str()).collect();
        put(
            out,
            &format!(
                "  {} ({:.1} to {:.1} MHz; {}): out of every receiver's range\n",
                band.name,
                band.low_hz / 1e6,
                band.high_hz / 1e6,
                devices.join(", ")
            ),
        );
    }
    for line in forecast.iter().filter(|line| line.visible_share == 0.0) {
        put(out, &format!("  {} ({}): none of its bands is in range\n", line.emitter, line.device));
    }
    for limit in LIMITS {
        put(out, &format!("  {limit}\n"));
    }
}

/// Writing to a string cannot fail.
fn put(out: &mut String, text: &str) {
    let _ = out.write_str(text);
}

/// `rows` in columns, `indent` spaces from the edge; what begins with a digit is a number, and stands to the right.
fn columns(out: &mut String, rows: &[Vec<String>], indent: usize) {
    let count = rows.first().map_or(0, Vec::len);
    let width = |n: usize| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let number = |n: usize| rows.iter().skip(1).any(|row| row[n].starts_with(|c: char| c.is_ascii_digit()));
    let numbers: Vec<bool> = (0..count).map(|n| n > 1 && number(n)).collect();
    for row in rows {
        let mut line = " ".repeat(indent);
        for (n, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[n] - cell.chars().count());
            let (before, after) = if numbers[n] { (pad.as_str(), "") } else { ("", pad.as_str()) };
            put(&mut line, &format!("{before}{cell}{after}  "));
        }
        put(out, line.trim_end());
        out.push('\n');
    }
}
