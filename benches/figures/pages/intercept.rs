//! Times to intercept: forecast, simulated, and what they were to be.

use super::{cells, number, table, word};
use crate::intercept::ROOMS;
use crate::ledger::Ledger;

/// Emitter, then median and 95 % of the first and of the second intercept, seconds, that were set as targets before
/// anything was built: from 150 trials of plans with one length of look, at the same settling time.
type Target = (&'static str, [f64; 4]);

/// Looks of 25 ms at 5 ms of settling.
const AT_5_MS: &[Target] = &[
    ("wireless microphone", [2.4, 6.2, 6.7, 10.0]),
    ("FM bug", [2.3, 6.0, 6.8, 11.0]),
    ("walkie-talkie, 1.5 to 5 s every 20 s", [26.0, 104.0, 51.0, 157.0]),
    ("GSM call", [1.5, 3.6, 3.0, 6.0]),
    ("LTE phone streaming", [1.4, 4.8, 4.0, 7.0]),
    ("LTE/NR phone streaming, B34 to B41", [2.5, 6.9, 7.0, 13.0]),
    ("NR phone streaming, n77 to n79", [2.7, 6.5, 7.0, 13.0]),
    ("LTE phone idle, one session in 5 min", [255.0, 798.0, 274.0, 941.0]),
    ("DECT call", [2.1, 5.8, 7.0, 10.0]),
    ("BLE advertiser, 200 ms", [2.0, 7.8, 5.0, 12.0]),
    ("BLE advertiser, 1 s", [12.0, 43.0, 26.0, 71.0]),
    ("BLE advertiser, 2 s", [21.0, 91.0, 47.0, 162.0]),
    ("Bluetooth headset in a call", [0.3, 1.2, 0.7, 1.8]),
    ("Wi-Fi call, 2.4 GHz", [0.8, 2.7, 2.0, 5.0]),
    ("Wi-Fi call, 5 GHz", [3.4, 11.0, 9.0, 20.0]),
    ("Wi-Fi scan, every 2 min", [210.0, 881.0, 417.0, 1250.0]),
    ("keyboard, 2.4 GHz", [21.0, 79.0, 28.0, 91.0]),
];

/// Looks of 30 ms at 30 ms of settling.
const AT_30_MS: &[Target] = &[
    ("wireless microphone", [4.7, 11.0, 14.0, 21.0]),
    ("FM bug", [4.4, 12.0, 13.0, 22.0]),
    ("walkie-talkie, 1.5 to 5 s every 20 s", [47.0, 170.0, 94.0, 310.0]),
    ("GSM call", [2.8, 9.1, 6.0, 13.0]),
    ("LTE phone streaming", [2.4, 7.0, 7.0, 12.0]),
    ("LTE/NR phone streaming, B34 to B41", [5.1, 12.0, 14.0, 24.0]),
    ("NR phone streaming, n77 to n79", [5.0, 14.0, 14.0, 24.0]),
    ("LTE phone idle, one session in 5 min", [210.0, 1126.0, 339.0, 1177.0]),
    ("DECT call", [4.8, 12.0, 13.0, 22.0]),
    ("BLE advertiser, 200 ms", [3.4, 15.0, 9.0, 23.0]),
    ("BLE advertiser, 1 s", [15.0, 62.0, 39.0, 121.0]),
    ("BLE advertiser, 2 s", [36.0, 136.0, 78.0, 195.0]),
    ("Bluetooth headset in a call", [0.6, 2.1, 1.3, 2.8]),
    ("Wi-Fi call, 2.4 GHz", [1.9, 6.2, 5.0, 10.0]),
    ("Wi-Fi call, 5 GHz", [6.2, 19.0, 17.0, 34.0]),
    ("Wi-Fi scan, every 2 min", [295.0, 1523.0, 774.0, 1800.0]),
    ("keyboard, 2.4 GHz", [24.0, 77.0, 37.0, 127.0]),
];

/// Looks of 20 ms of a receiver of 2 MHz, at 10 ms of settling.
const NARROW_AT_10_MS: &[Target] = &[
    ("wireless microphone", [4.3, 9.8, 12.0, 18.0]),
    ("FM bug", [4.1, 11.0, 12.0, 20.0]),
    ("walkie-talkie, 1.5 to 5 s every 20 s", [37.0, 192.0, 95.0, 286.0]),
    ("GSM call", [2.1, 7.3, 6.0, 12.0]),
    ("LTE phone streaming", [2.7, 8.9, 7.0, 14.0]),
    ("LTE phone idle, one session in 5 min", [277.0, 1128.0, 450.0, 1312.0]),
];

/// The figures of a line, in the order of a target's.
const KEYS: [&str; 4] = ["first_median", "first_p95", "second_median", "second_p95"];

/// A forecast agrees with the simulation to this factor.
const AGREES: f64 = 1.2;

/// Trials behind the targets.
const TARGET_TRIALS: f64 = 150.0;

/// The page, and how many of its lines are of another version.
pub fn page(open: &impl Fn(&str) -> Result<Ledger, String>) -> Result<(String, usize), String> {
    let ledger = open("intercept")?;
    let mut text = String::from(
        "# Time to intercept, measured\n\nSeconds from when an emitter is there (its silences included) to the end of the \
         first and of the second look that met it, China, level `confidential`: what `emcon plan` forecasts by formulas, \
         and what came of 2000 emitters drawn burst by burst before the real scheduler in simulated time. Signals are \
         strong enough, nothing collides, and what is met is recognised. In brackets the target, where one was set: at \
         that settling time, from 150 trials. `missed` is what exceeds it by more than two standard errors of such a target.\n",
    );
    let mut old = 0;
    for (room, _, _) in ROOMS {
        let (part, of_part) = one_room(&ledger, room);
        text.push_str(&part);
        old += of_part;
    }
    Ok((text, old))
}

fn one_room(ledger: &Ledger, room: &str) -> (String, usize) {
    let targets = match room {
        "hackrf/5 ms" => AT_5_MS,
        "hackrf/30 ms" => AT_30_MS,
        "rtlsdr/10 ms" => NARROW_AT_10_MS,
        _ => &[],
    };
    let (looked, mut old) = ledger.of(&format!("intercept/{room}/looked"));
    let mut text = format!("\n## {room}\n\n");
    if let Some(line) = looked.first() {
        text.push_str(&format!(
            "{} tunings, {:.1} ms to settle, superframe {:.1} s. Looked at: {:.1} % of the time as planned, {:.1} % as run.\n\n",
            number(line, "tunings"),
            number(line, "settle_s") * 1e3,
            number(line, "superframe_s"),
            number(line, "planned") * 100.0,
            number(line, "simulated") * 100.0
        ));
    }
    let mut rows = Vec::new();
    let prefix = format!("intercept/{room}/");
    for what in ledger.whats().iter().filter(|what| what.starts_with(&prefix)) {
        let (lines, of_line) = ledger.of(what);
        let Some(line) = lines.first().filter(|line| word(line, "emitter").is_some()) else { continue };
        old += of_line;
        let name = word(line, "emitter").unwrap_or_default();
        let target = targets.iter().find(|(of, _)| *of == name).map(|(_, figures)| figures);
        let mut row = vec![name.to_string()];
        for (n, key) in KEYS.iter().enumerate() {
            let predicted = number(line, &format!("{key}_predicted_s"));
            let simulated = number(line, &format!("{key}_simulated_s"));
            let aim = target.map_or(String::new(), |t| format!(" ({})", short(t[n])));
            row.push(format!("{} → {}{aim}", short(predicted), short(simulated)));
        }
        row.push(remark(line, target));
        rows.push(row);
    }
    let head = cells(&["emitter", "first: median", "95 %", "second: median", "95 %", ""]);
    text.push_str("forecast → simulated (target)\n\n");
    text.push_str(&table(&head, &rows));
    (text, old)
}

/// What is to be said of a line: where forecast and simulation disagree, and which targets are missed.
fn remark(line: &super::Line, target: Option<&[f64; 4]>) -> String {
    let mut said = Vec::new();
    let names = ["first median", "first 95 %", "second median", "second 95 %"];
    for (n, key) in KEYS.iter().enumerate() {
        let predicted = number(line, &format!("{key}_predicted_s"));
        let simulated = number(line, &format!("{key}_simulated_s"));
        if !(simulated / AGREES..=simulated * AGREES).contains(&predicted) {
            said.push(format!("{}: forecast is off", names[n]));
        }
        let Some(target) = target else { continue };
        if simulated > target[n] {
            let by = simulated / target[n] - 1.0;
            let sure =
                if simulated > target[n] + 2.0 * error_s(line, n) { "missed" } else { "not told apart" };
            said.push(format!("{} {sure}, {:.0} % over", names[n], by * 100.0));
        }
    }
    said.join("; ")
}

/// Standard error of a target: that of a quantile from its trials, with the spread that our own trials show around it.
fn error_s(line: &super::Line, n: usize) -> f64 {
    let first = KEYS[n - n % 2];
    let median_s = number(line, &format!("{first}_simulated_s"));
    let p95_s = number(line, &format!("{}_simulated_s", KEYS[n - n % 2 + 1]));
    // Density there: of what is uniform up to the median, of an exponential tail beyond.
    let (p, density) = if n.is_multiple_of(2) {
        (0.5, 0.5 / median_s)
    } else {
        (0.95, 0.05 * 10f64.ln() / (p95_s - median_s))
    };
    (p * (1.0 - p) / TARGET_TRIALS).sqrt() / density
}

fn short(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.1}") } else { format!("{seconds:.0}") }
}
