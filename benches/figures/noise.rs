//! False alarms: what the pipeline says of a receiver that hears nothing.

use crate::cases::room;
use crate::ledger::Task;
use crate::trial;
use serde_json::Map;

/// Tunings, as (name, receiver's keys, seconds).
pub const TUNINGS: &[(&str, &str, f64)] = &[
    ("noise/2.4 MS/s", "model = \"rtlsdr\"\ncenter = \"433.92M\"\nrate = \"2.4M\"", 600.0),
    ("noise/20 MS/s", "model = \"hackrf\"\ncenter = \"2441M\"\nrate = \"20M\"", 60.0),
];

/// The scene of noise, and what the receiver adds by itself.
pub fn scene(receiver: &str, seconds: f64, seed: u64) -> String {
    format!("seed = {seed}\nduration = {seconds}\n[receiver]\n{receiver}\n")
}

/// One task for each tuning and seed.
pub fn tasks(seeds: u64) -> Vec<Task> {
    let each = |seed: u64, &(what, receiver, seconds): &(&str, &'static str, f64)| Task {
        what: what.into(),
        seed,
        run: Box::new(move || {
            let trial = trial::run(&scene(receiver, seconds, seed), &room()?)?;
            Ok(Map::from_iter([
                ("seconds".to_string(), trial.duration_s.into()),
                ("alerts".into(), trial.alerts.into()),
                ("emitters".into(), trial.emitters.len().into()),
                ("bursts".into(), trial.seen.len().into()),
            ]))
        }),
    };
    (1..=seeds).flat_map(|seed| TUNINGS.iter().map(move |tuning| each(seed, tuning))).collect()
}
