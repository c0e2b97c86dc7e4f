//! Which emitter a burst is part of, as far as times, frequencies and levels tell.

use crate::measure::Burst;
use crate::pipeline::EmitterReport;

/// How far a burst may lie outside an emitter's time, seconds: what a report made earlier could not know.
const TIME_SLACK_S: f64 = 1e-3;

/// The emitter whose time and channels hold `burst`, seen at `center_hz` (an offset if the tuning is unknown);
/// the nearest in level if several do. Emitters merged into others do not count.
pub fn attribute<'a>(
    burst: &Burst,
    center_hz: f64,
    emitters: impl IntoIterator<Item = &'a EmitterReport>,
) -> Option<&'a EmitterReport> {
    let level = f64::from(burst.power_dbfs);
    emitters
        .into_iter()
        .filter(|emitter| emitter.merged_into.is_none())
        .filter(|emitter| {
            burst.start_s < emitter.last_s + TIME_SLACK_S && burst.end_s > emitter.first_s - TIME_SLACK_S
        })
        .filter(|emitter| is_on_channel(emitter, center_hz))
        .min_by(|a, b| (a.power_dbfs - level).abs().total_cmp(&(b.power_dbfs - level).abs()))
}

fn is_on_channel(emitter: &EmitterReport, center_hz: f64) -> bool {
    let near = |channel_hz: f64| (channel_hz - center_hz).abs() <= (emitter.bandwidth_hz / 2.0).max(5e3);
    if emitter.channels_hz.is_empty() {
        near(emitter.center_hz.unwrap_or(emitter.offset_hz))
    } else {
        emitter.channels_hz.iter().copied().any(near)
    }
}
