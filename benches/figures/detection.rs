//! How weak a burst may be: the part of the transmissions that the front notices, against their SNR.

use crate::cases::{CASES, Case, room};
use crate::ledger::Task;
use crate::trial;
use serde_json::{Map, Value};

/// Mean power of a burst over the noise in its 99 % bandwidth, dB. The first is a control: nothing can be detected
/// there, and what is counted all the same is an error of the counting.
pub const SNRS_DB: &[f64] = &[-20.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0];

/// One task for each signal and seed.
pub fn tasks(seeds: u64) -> Vec<Task> {
    let each = |seed: u64, case: &'static Case| Task {
        what: format!("detection/{}", case.signal),
        seed,
        run: Box::new(move || one(case, seed, SNRS_DB)),
    };
    (1..=seeds).flat_map(|seed| CASES.iter().map(move |case| each(seed, case))).collect()
}

/// Transmissions noticed and transmitted at each SNR.
pub fn one(case: &Case, seed: u64, snrs_db: &[f64]) -> Result<Map<String, Value>, String> {
    let room = room()?;
    let (mut hits, mut of) = (Vec::new(), Vec::new());
    let (mut bandwidth_hz, mut on_s, mut rate_hz) = (0.0, 0.0, 0.0);
    for snr_db in snrs_db {
        let trial = trial::run(&case.scene(*snr_db, case.burst_s, seed), &room)?;
        let emitter = trial.truth.emitters.first().ok_or("the scene has no emitter")?;
        let (noticed, transmitted) = trial.detected(emitter);
        hits.push(noticed);
        of.push(transmitted);
        bandwidth_hz = emitter.bandwidth_hz;
        rate_hz = trial.truth.sample_rate_hz;
        let mut lengths: Vec<f64> = emitter.on_times.iter().map(|on| on[1] - on[0]).collect();
        lengths.sort_by(f64::total_cmp);
        on_s = lengths.get(lengths.len() / 2).copied().unwrap_or(0.0);
    }
    Ok(Map::from_iter([
        ("snr_db".to_string(), snrs_db.into()),
        ("hits".into(), hits.into()),
        ("of".into(), of.into()),
        ("bandwidth_hz".into(), bandwidth_hz.round().into()),
        ("on_s".into(), ((on_s * 1e6).round() / 1e6).into()),
        ("rate_hz".into(), rate_hz.into()),
    ]))
}
