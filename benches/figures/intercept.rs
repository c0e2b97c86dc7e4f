//! Times to intercept: what the plan forecasts, and what the real scheduler does to emitters drawn burst by burst.

use crate::ledger::Task;
use crate::watch::{Room, looked_share, quantile, times_to_two};
use serde_json::Map;
use std::sync::Arc;

/// Trials of each emitter.
const TRIALS: u64 = 2000;

/// Superframes that the share looked at is taken over.
const SUPERFRAMES: f64 = 50.0;

/// The receivers: name of the row, of the receiver, and its settling time where it is not the usual one, seconds.
pub const ROOMS: [(&str, &str, Option<f64>); 4] = [
    ("hackrf/as usual", "hackrf", None),
    ("hackrf/5 ms", "hackrf", Some(5e-3)),
    ("hackrf/30 ms", "hackrf", Some(30e-3)),
    ("rtlsdr/10 ms", "rtlsdr", Some(10e-3)),
];

/// A task for each emitter that each receiver can see, and one for the share of time that it looks.
///
/// # Errors
/// A table that ships is wrong.
pub fn tasks() -> Result<Vec<Task>, String> {
    let mut tasks = Vec::new();
    for (name, receiver, settle_s) in ROOMS {
        let room = Arc::new(Room::new(receiver, settle_s)?);
        tasks.push(looked(name, Arc::clone(&room)));
        for n in 0..room.emitters.len() {
            let model = &room.emitters[n].0;
            if room.expected(&model.name).is_some_and(|line| line.visible_share > 0.0) {
                tasks.push(emitter(name, Arc::clone(&room), n));
            }
        }
    }
    Ok(tasks)
}

fn looked(name: &str, room: Arc<Room>) -> Task {
    Task {
        what: format!("intercept/{name}/looked"),
        seed: 1,
        run: Box::new(move || {
            let plan = room.receiver();
            Ok(Map::from_iter([
                ("tunings".to_string(), plan.tunings.len().into()),
                ("settle_s".into(), plan.settle_s.into()),
                ("superframe_s".into(), plan.superframe_s.into()),
                ("planned".into(), plan.looked_share().into()),
                ("simulated".into(), looked_share(plan, SUPERFRAMES, 1).into()),
            ]))
        }),
    }
}

fn emitter(name: &str, room: Arc<Room>, n: usize) -> Task {
    Task {
        what: format!("intercept/{name}/{}", room.emitters[n].0.name),
        seed: TRIALS,
        run: Box::new(move || {
            let (model, own) = &room.emitters[n];
            let expected = room.expected(&model.name).ok_or("no forecast")?;
            let trials = (0..TRIALS).map(|seed| times_to_two(room.receiver(), model, own, seed));
            // Those that are out of range are told of elsewhere.
            let seen: Vec<[f64; 2]> = trials.filter(|times| times[0].is_finite()).collect();
            let mut line = Map::from_iter([
                ("emitter".to_string(), model.name.clone().into()),
                ("device".into(), expected.device.as_str().into()),
                ("trials".into(), TRIALS.into()),
                ("visible_share".into(), expected.visible_share.into()),
                ("met_share".into(), (seen.len() as f64 / TRIALS as f64).into()),
            ]);
            for (nth, word, times) in [(0, "first", expected.first), (1, "second", expected.second)] {
                let mut sorted: Vec<f64> = seen.iter().map(|t| t[nth]).collect();
                sorted.sort_by(f64::total_cmp);
                let times = times.ok_or("not within hours")?;
                for (p, of, predicted) in [(0.5, "median", times.median_s), (0.95, "p95", times.p95_s)] {
                    line.insert(format!("{word}_{of}_predicted_s"), predicted.into());
                    line.insert(format!("{word}_{of}_simulated_s"), quantile(&sorted, p).into());
                }
            }
            Ok(line)
        }),
    }
}
