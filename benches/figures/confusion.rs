//! What a signal is taken for, alone in its usual tuning.

use crate::cases::{CASES, Case, room};
use crate::ledger::Task;
use crate::trial;
use serde_json::{Map, Value};

/// Mean power of a burst over the noise in its 99 % bandwidth, dB.
pub const SNR_DB: f64 = 15.0;

/// One task for each signal and seed.
pub fn tasks(seeds: u64) -> Vec<Task> {
    let each = |seed: u64, case: &'static Case| Task {
        what: format!("confusion/{}", case.signal),
        seed,
        run: Box::new(move || one(case, seed)),
    };
    (1..=seeds).flat_map(|seed| CASES.iter().map(move |case| each(seed, case))).collect()
}

/// The verdict on one scene; `null` where nothing was said of the emitter.
pub fn one(case: &Case, seed: u64) -> Result<Map<String, Value>, String> {
    let trial = trial::run(&case.scene(SNR_DB, case.name_s, seed), &room()?)?;
    let emitter = trial.truth.emitters.first().ok_or("the scene has no emitter")?;
    let answer = trial.answer(emitter);
    let word = |w: Option<&str>| w.map_or(Value::Null, Into::into);
    // Errors of what is measured on it, in the units of the promise: bandwidths, bandwidths, seconds.
    let errors = answer.zip(emitter.first_s).map(|(report, first_s)| {
        let single = emitter.channels_hz.is_empty() && report.channels_hz.is_empty();
        let centre = report.center_hz.filter(|_| single).map(|hz| (hz - emitter.center_hz).abs());
        (centre, (report.bandwidth_hz / emitter.bandwidth_hz - 1.0).abs(), (report.first_s - first_s).abs())
    });
    let rounded = |x: f64| Value::from((x * 1e7).round() / 1e7);
    Ok(Map::from_iter([
        ("signal".to_string(), word(answer.map(|a| a.signal.as_str()))),
        ("device".into(), word(answer.map(|a| a.device.as_str()))),
        ("emitters".into(), trial.emitters.len().into()),
        ("alerts".into(), trial.alerts.into()),
        ("centre_error_hz".into(), errors.and_then(|e| e.0).map_or(Value::Null, rounded)),
        ("bandwidth_error".into(), errors.map_or(Value::Null, |e| rounded(e.1))),
        ("first_error_s".into(), errors.map_or(Value::Null, |e| rounded(e.2))),
    ]))
}
