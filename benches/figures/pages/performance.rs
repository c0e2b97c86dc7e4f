//! Speed as ratios, and memory.

use super::{cells, number, table, word};
use crate::ledger::Ledger;

/// Most resident memory that `replay` may take at 20 MS/s, MiB.
const MEMORY_MIB: f64 = 64.0;

/// The page, and how many of its lines are of another version.
pub fn page(open: &impl Fn(&str) -> Result<Ledger, String>) -> Result<(String, usize), String> {
    let (speed, old_speed) = speed(&open("throughput")?);
    let (memory, old_memory) = memory(&open("memory")?);
    Ok((format!("# Performance, measured\n\n{speed}\n{memory}"), old_speed + old_memory))
}

fn speed(ledger: &Ledger) -> (String, usize) {
    let (lines, old) = ledger.of("throughput/20 MS/s");
    let mut text = "## Throughput\n\nSamples a second of one core's time, medians of interleaved rounds on the same 8-bit \
        samples in memory. The bare loops do nothing but convert, window, transform (rustfft), take powers and \
        accumulate, with the same choice of instructions at run time. Ratios are taken round by round: they hold where \
        absolute rates move with the machine and its other users.\n\n"
        .to_string();
    let Some(line) = lines.first() else { return (text, old) };
    let rate = |key| format!("{:.0} MS/s", number(line, key));
    let ratio = |key| format!("{:.2}", number(line, key));
    let own = format!("bare loop, {} bins every {} samples", number(line, "bins"), number(line, "hop"));
    text.push_str(&table(
        &cells(&["what", "rate", "ratio", "at least", "aim"]),
        &[
            vec![own, rate("same_loop_msps"), "".into(), "".into(), "".into()],
            vec![
                "bare loop, 2048 bins, no overlap".into(),
                rate("plain_loop_msps"),
                "".into(),
                "".into(),
                "".into(),
            ],
            vec![
                "whole pipeline, quiet: to the first loop".into(),
                rate("quiet_msps"),
                ratio("quiet_to_same_loop"),
                "0.60".into(),
                "0.80".into(),
            ],
            vec![
                "whole pipeline, quiet: to the second loop".into(),
                rate("quiet_msps"),
                ratio("quiet_to_plain_loop"),
                "0.30".into(),
                "0.50".into(),
            ],
            vec![
                "whole pipeline, crowded 2.4 GHz: to quiet".into(),
                rate("crowded_msps"),
                ratio("crowded_to_quiet"),
                "0.50".into(),
                "".into(),
            ],
            vec![
                "whole pipeline, quiet, waterfall watched: to unwatched".into(),
                rate("watched_msps"),
                ratio("watched_to_quiet"),
                "0.95".into(),
                "".into(),
            ],
        ],
    ));
    text.push_str(&format!(
        "\n{} rounds on {}.\n",
        number(line, "rounds"),
        word(line, "cpu").unwrap_or("an unknown processor")
    ));
    (text, old)
}

fn memory(ledger: &Ledger) -> (String, usize) {
    let (lines, old) = ledger.of("memory/20 MS/s");
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            vec![
                format!("{} s", number(line, "seconds")),
                format!("{:.1} MiB", number(line, "peak_kib") / 1024.0),
                format!("{MEMORY_MIB:.0} MiB"),
            ]
        })
        .collect();
    let text = format!(
        "## Memory\n\nLargest resident memory of `emcon replay` while it reads noise from standard input at 20 MS/s, \
         8 bit.\n\n{}",
        table(&cells(&["stream", "peak", "at most"]), &rows)
    );
    (text, old)
}
