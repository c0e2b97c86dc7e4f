//! A plan for programs: one object, units in the names.

use super::{LIMITS, Planned};
use crate::plan::{Forecast, ReceiverPlan, Times, Unseen};
use serde_json::{Value, json};

/// The object.
pub fn object(planned: &Planned) -> Value {
    let Planned { asked, plan, forecast } = planned;
    json!({
        "event": "plan",
        "region": plan.region,
        "devices": asked.devices.iter().map(|d| d.as_str()).collect::<Vec<_>>(),
        "bands": plan.bands,
        "receivers": plan.receivers.iter().map(receiver).collect::<Vec<_>>(),
        "forecast": forecast.iter().map(expected).collect::<Vec<_>>(),
        "unseen": plan.unseen.iter().map(unseen).collect::<Vec<_>>(),
        "limits": LIMITS,
    })
}

fn receiver(plan: &ReceiverPlan) -> Value {
    let tunings = plan.tunings.iter().map(|tuning| {
        let bands: Vec<&str> =
            tuning.bands.iter().map(|&n| plan.bands[usize::from(n)].name.as_str()).collect();
        json!({
            "centers_hz": tuning.centers_hz,
            "low_hz": tuning.low_hz,
            "high_hz": tuning.high_hz,
            "loop": tuning.of,
            "dwell_s": tuning.dwell_s,
            "visits": tuning.visits,
            "revisit_s": plan.revisit_s(tuning),
            "share": plan.share(tuning),
            "bands": bands,
        })
    });
    json!({
        "receiver": plan.receiver,
        "rate_hz": plan.rate_hz,
        "usable_hz": plan.usable_hz,
        "settle_s": plan.settle_s,
        "superframe_s": plan.superframe_s,
        "looked_share": plan.looked_share(),
        "tunings": tunings.collect::<Vec<_>>(),
    })
}

fn expected(forecast: &Forecast) -> Value {
    let times = |times: Option<Times>| {
        times.map(|t| json!({"median_s": t.median_s, "p95_s": t.p95_s, "p99_s": t.p99_s}))
    };
    json!({
        "emitter": forecast.emitter,
        "device": forecast.device,
        "visible_share": forecast.visible_share,
        "seen_in_part": forecast.seen_in_part,
        "intercept_per_visit": forecast.per_visit,
        "intercept_per_superframe": forecast.per_superframe,
        "intercept_within_10_s": forecast.within_10_s,
        "intercept_within_60_s": forecast.within_60_s,
        "first": times(forecast.first),
        "second": times(forecast.second),
    })
}

fn unseen(unseen: &Unseen) -> Value {
    json!({
        "band": unseen.name,
        "low_hz": unseen.low_hz,
        "high_hz": unseen.high_hz,
        "devices": unseen.devices,
        "reason": "out of every receiver's range",
    })
}
