//! Where to tune: windows of what a receiver uses at a time, laid over all that it must cover.
//!
//! A receiver's own offset hides signals in the middle of each window. Where what must be covered fits beside the
//! middle, the window is centred off it. Elsewhere its visits take two centres in turn, an offset's width apart: what
//! is hidden from one is not from the other. That costs the window that width; overlapping neighbours so far that each
//! covers the other's middle would cost half.

use super::ability::ReceiverAbility;
use super::stretch::{Stretch, common, union, width, without};

/// What rounding may leave over, hertz.
const ROUNDING_HZ: f64 = 1.0;

/// A place to tune to.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Centres that are taken in turn, hertz.
    pub centers_hz: [f64; 2],
    /// What both use.
    pub seen: Stretch,
}

/// Windows that cover `wanted`, the sets of stretches in their order of urgency: the first are tiled as closely as
/// they can be, later ones take what is left. All of it is within what `receiver` tunes to.
pub fn tile(wanted: &[Vec<Stretch>], receiver: &ReceiverAbility) -> Vec<Window> {
    let everything = union(wanted.concat());
    let mut windows: Vec<Window> = Vec::new();
    for set in wanted {
        let taken = union(windows.iter().map(|w| w.seen).collect());
        let mut left = without(&union(set.clone()), &taken);
        left.retain(|[low, high]| high - low > ROUNDING_HZ);
        while let Some(&first) = left.first() {
            let covered = union(windows.iter().map(|w| w.seen).collect());
            let others = without(&everything, &covered);
            for window in lay(first, &left, &others, receiver) {
                left = without(&left, &[window.seen]);
                windows.push(window);
            }
            left.retain(|[low, high]| high - low > ROUNDING_HZ);
        }
    }
    windows.sort_by(|a, b| a.seen[0].total_cmp(&b.seen[0]));
    windows
}

/// The next windows from `first` on, the lowest of what is `left`: the ones that cover it, if it needs several.
fn lay(first: Stretch, left: &[Stretch], others: &[Stretch], receiver: &ReceiverAbility) -> Vec<Window> {
    let span_hz = receiver.usable_hz - receiver.offset_hz;
    let first_hz = first[1] - first[0];
    if first_hz > span_hz {
        let count = (first_hz / span_hz).ceil();
        // What the last one has to spare may serve others; else all share it, as overlap.
        let spare = [first[1], first[0] + count * span_hz];
        let step_hz = if width(&common(others, &[spare])) > 0.0 || width(&common(left, &[spare])) > 0.0 {
            span_hz
        } else {
            (first_hz - span_hz) / (count - 1.0)
        };
        return (0..count as usize).map(|n| alternating(first[0] + n as f64 * step_hz, receiver)).collect();
    }
    // All of this set that one window holds.
    let end = left.iter().filter(|s| s[1] <= first[0] + span_hz).map(|s| s[1]).fold(first[1], f64::max);
    let held = [first[0], end];
    if let Some(window) = beside(held, receiver) {
        return vec![window];
    }
    let slack_hz = span_hz - (held[1] - held[0]);
    let serves = |low: &f64| width(&common(others, &[[*low, *low + span_hz]]));
    let lows = [held[0] - slack_hz / 2.0, held[0], held[0] - slack_hz];
    let best =
        lows.into_iter().reduce(|best, low| if serves(&low) > serves(&best) + 1.0 { low } else { best });
    vec![alternating(best.unwrap_or(held[0]), receiver)]
}

/// A window from `low_hz` on whose visits take two centres in turn, moved to where the receiver tunes to.
fn alternating(low_hz: f64, receiver: &ReceiverAbility) -> Window {
    let (usable_hz, offset_hz) = (receiver.usable_hz, receiver.offset_hz);
    let span_hz = usable_hz - offset_hz;
    let inside = |range: &&Stretch| range[0] < low_hz + span_hz && low_hz < range[1];
    let range = receiver.ranges_hz.iter().find(inside).copied().unwrap_or([low_hz, low_hz + span_hz]);
    let low_hz = low_hz.min(range[1] - span_hz).max(range[0]);
    let low_center_hz = low_hz - offset_hz + usable_hz / 2.0;
    Window { centers_hz: [low_center_hz, low_center_hz + offset_hz], seen: [low_hz, low_hz + span_hz] }
}

/// A window with all of `held` on one side of its centre, if that fits and is in reach.
fn beside(held: Stretch, receiver: &ReceiverAbility) -> Option<Window> {
    let (half_hz, hidden_hz) = (receiver.usable_hz / 2.0, receiver.offset_hz / 2.0);
    let spare_hz = half_hz - hidden_hz - (held[1] - held[0]);
    if spare_hz < 0.0 {
        return None;
    }
    // In the middle of its half, away from the offset and from the filter's edge.
    let away_hz = hidden_hz + spare_hz / 2.0;
    let centers = [held[1] + away_hz, held[0] - away_hz];
    let reached = |center: &f64| receiver.ranges_hz.iter().any(|r| r[0] <= *center && *center <= r[1]);
    let center = centers.into_iter().find(reached)?;
    let seen = if center > held[1] {
        [center - half_hz, center - hidden_hz]
    } else {
        [center + hidden_hz, center + half_hz]
    };
    Some(Window { centers_hz: [center; 2], seen })
}
