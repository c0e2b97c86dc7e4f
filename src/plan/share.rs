//! How long each look is, and how the receiver's time is shared out.
//!
//! What is minimised is the sum over emitters of w E\[T\], the expected time to the first intercept, each weighted by
//! what it would be if all tunings took turns: no emitter counts more because it is slow by nature. With c = settling
//! plus look, P the probability that a visit meets the emitter, and x the share of a tuning, a visit comes every c / x
//! and E\[T\] = (c / x) (1/P - 1/2). Two things follow.
//!
//! - For a given share the best look minimises c (1/P - 1/2), in the geometric mean over the emitters of the tuning.
//!   Emissions that outlast the retune (P = 1) want the shortest look, bursts that are shorter the longest, up to where
//!   P reaches 1.
//! - The best shares are proportional to the square root of c Σ w (1/P - 1/2).
//!
//! A receiver that is to look for a certain share of its time gets there by counting settling as longer than it is: by
//! one factor for all looks, so that those grow first that lose least by it. Where even that is not enough, the shortest
//! looks grow.
//!
//! Then bounds: a visit every `event_s` of the most urgent band in a tuning. Where it is missed, long looks are
//! shortened first, as long as they are no shorter than the settling; then the tuning is given the time that it lacks,
//! if all that is given that way is at most [`GIVEN_MAX`].

use super::emitter::EmitterModel;

/// Shortest look, seconds: two of the slowest frames that a signal is told by and the longest burst in them, so that it
/// holds two whole bursts a frame apart whenever it begins (DECT and LTE, 10 ms: ETSI EN 300 175-2 4.3, 3GPP TS 36.211
/// 4.1; subframes of 1 ms).
pub const LOOK_MIN_S: f64 = 21e-3;

/// Longest look, seconds: a BLE advertiser's common interval and more gains nothing that a second visit would not.
pub const LOOK_MAX_S: f64 = 250e-3;

/// Share of the time that bounds may take away from where it would do most.
const GIVEN_MAX: f64 = 0.15;

/// Share of the time that bounds may take in all: visits are whole, and must have room to be rounded up.
const KEPT_MAX: f64 = 0.9;

/// Nothing is left alone for longer, seconds, if time suffices: as long as a phone stays connected after it was used
/// (the inactivity timer of 3GPP TS 36.331 5.3.8, as operators set it).
const LONGEST_S: f64 = 10.0;

/// Events that are shorter make a tuning urgent.
const URGENT_S: f64 = 2.0;

/// Settling is counted as at most this many times what it is.
const PRICE_MAX: f64 = 64.0;

/// Steps of a look, a factor of 1.5 % apart: less than the jitter of a dwell.
const LOOK_STEP: f64 = 1.015;

/// Most visits of one tuning in a superframe.
const VISITS_MAX: f64 = 64.0;

/// Rounds after which bounds that still are not kept cannot be.
const ROUNDS_MAX: usize = 16;

/// Superframes that are tried, from the slowest tuning's period to three times that.
const SUPERFRAME_STEPS: u8 = 40;

/// A longer superframe must gain as much, by rounding less.
const ROUNDING_GAIN: f64 = 0.01;

/// An emitter as one tuning may meet it.
#[derive(Debug, Clone)]
pub struct Prey<'a> {
    /// Which of all emitters.
    pub index: usize,
    /// What it sends.
    pub model: &'a EmitterModel,
    /// Probability that it is to be met in this tuning.
    pub here: f64,
    /// Share of its band that this tuning sees.
    pub seen_share: f64,
}

/// A tuning whose time is to be found.
#[derive(Debug, Clone)]
pub struct Need<'a> {
    /// What may be met there.
    pub prey: Vec<Prey<'a>>,
    /// A visit is due this often, seconds.
    pub event_s: f64,
}

/// The time of a tuning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    /// Looking time of a visit, seconds.
    pub dwell_s: f64,
    /// Visits a superframe.
    pub visits: u16,
    /// Whether confirming may take its time from here: urgent, and full of bursts that one look seldom meets.
    pub dense: bool,
}

/// The times of all tunings of a receiver that settles in `settle_s`, and looks for `looked_target` of its time if it
/// can.
pub fn share_out(needs: &[Need], settle_s: f64, looked_target: f64) -> Vec<Time> {
    let alone = alone(needs, settle_s);
    let at = |price: f64, look_min_s: f64| {
        let times = at_price(needs, &alone, settle_s, price, look_min_s);
        let (looked_s, total_s) = sums(&times, settle_s);
        (looked_s / total_s, times)
    };
    let (looked, times) = at(1.0, LOOK_MIN_S);
    if looked >= looked_target {
        return times;
    }
    let (looked, dearest) = at(PRICE_MAX, LOOK_MIN_S);
    if looked >= looked_target {
        return least((1.0, PRICE_MAX), looked_target, |price| at(price, LOOK_MIN_S)).unwrap_or(dearest);
    }
    // Bounds that no longer fit are given up on the way: the first step that reaches the target takes least.
    let steps = (LOOK_MAX_S / LOOK_MIN_S).log(LOOK_STEP) as i32;
    let mut grown = (1..=steps).map(|n| at(PRICE_MAX, LOOK_MIN_S * LOOK_STEP.powi(n)));
    grown.find(|(looked, _)| *looked >= looked_target).map_or(dearest, |(_, times)| times)
}

/// What `of` gives for the least factor that reaches `target`, found to 1 %; nothing if none is found that does.
fn least(
    (mut low, mut high): (f64, f64),
    target: f64,
    of: impl Fn(f64) -> (f64, Vec<Time>),
) -> Option<Vec<Time>> {
    let mut best = None;
    while high > 1.01 * low {
        let middle = (low * high).sqrt();
        let (looked, times) = of(middle);
        if looked >= target {
            (high, best) = (middle, Some(times));
        } else {
            low = middle;
        }
    }
    best
}

/// Looking time and all time of a superframe, seconds.
fn sums(times: &[Time], settle_s: f64) -> (f64, f64) {
    let looked_s: f64 = times.iter().map(|t| f64::from(t.visits) * t.dwell_s).sum();
    let visits: f64 = times.iter().map(|t| f64::from(t.visits)).sum();
    (looked_s, looked_s + visits * settle_s)
}

/// What each emitter would wait if all tunings took turns, each with its best look; but for a factor that all have.
fn alone(needs: &[Need], settle_s: f64) -> Vec<f64> {
    let emitters = needs.iter().flat_map(|n| &n.prey).map(|p| p.index + 1).max().unwrap_or(0);
    let mut alone = vec![0.0; emitters];
    for need in needs {
        let look_s = best_look(need, settle_s);
        for prey in &need.prey {
            alone[prey.index] += prey.here * wait(prey, look_s);
        }
    }
    alone
}

fn at_price(needs: &[Need], alone: &[f64], settle_s: f64, price: f64, look_min_s: f64) -> Vec<Time> {
    let free = vec![0.0; needs.len()];
    let longer = |need| best_look(need, settle_s * price).max(look_min_s);
    let mut looks: Vec<f64> = needs.iter().map(longer).collect();
    let mut shares = shares(&roots(needs, alone, &looks, settle_s, price), &free);
    // Shorter looks free time, which changes the shares by little: it settles at once.
    for _ in 0..4 {
        for ((need, look_s), share) in needs.iter().zip(&mut looks).zip(&shares) {
            let allowed_s = need.event_s * share - settle_s;
            if allowed_s < *look_s {
                *look_s = look_s.min(allowed_s.max(settle_s).max(look_min_s));
            }
        }
        shares = self::shares(&roots(needs, alone, &looks, settle_s, price), &free);
    }
    let (floors, bounds) = floors(needs, &looks, settle_s, &shares);
    let shares = self::shares(&roots(needs, alone, &looks, settle_s, price), &floors);
    let costs: Vec<f64> = looks.iter().map(|look_s| settle_s + look_s).collect();
    let periods: Vec<f64> = costs.iter().zip(&shares).map(|(cost_s, share)| cost_s / share).collect();
    let visits = visits(&costs, &periods, &bounds);
    let times = needs.iter().zip(looks).zip(visits);
    times.map(|((need, dwell_s), visits)| Time { dwell_s, visits, dense: is_dense(need) }).collect()
}

/// The look that is best for what may be met, where settling costs `settle_s`.
fn best_look(need: &Need, settle_s: f64) -> f64 {
    let cost = |look_s: f64| -> f64 {
        let each =
            need.prey.iter().map(|p| p.model.weight * p.here * ((settle_s + look_s) * wait(p, look_s)).ln());
        each.sum()
    };
    let steps = (LOOK_MAX_S / LOOK_MIN_S).log(LOOK_STEP) as i32;
    let looks = (0..=steps).map(|n| LOOK_MIN_S * LOOK_STEP.powi(n));
    let (look_s, _) = looks.map(|s| (s, cost(s))).fold((LOOK_MIN_S, f64::INFINITY), |best, this| {
        // What gains nothing is no reason to look longer.
        if this.1 < best.1 - 1e-9 { this } else { best }
    });
    look_s
}

/// Visits until the first intercept, on average, counted from a moment between two.
fn wait(prey: &Prey, look_s: f64) -> f64 {
    1.0 / prey.model.intercept(look_s, prey.seen_share).max(1e-6) - 0.5
}

/// What shares are proportional to: the square roots of what each tuning costs a unit of delay, where a share that
/// goes into settling costs `price` times one that is looked at.
fn roots(needs: &[Need], alone: &[f64], looks: &[f64], settle_s: f64, price: f64) -> Vec<f64> {
    let each = needs.iter().zip(looks).map(|(need, look_s)| {
        let sum: f64 = need
            .prey
            .iter()
            .map(|p| p.model.weight * p.here * wait(p, *look_s) / alone[p.index].max(1e-12))
            .sum();
        // Whatever else may be there: something that stays on, in any tuning alike, counts as one emitter.
        let anything = 1.0 / needs.len() as f64;
        let cost_s = settle_s + look_s;
        (cost_s * (sum + anything) / (1.0 + (price - 1.0) * settle_s / cost_s)).sqrt()
    });
    each.collect()
}

/// The shares of time that are best, none below its floor.
fn shares(roots: &[f64], floors: &[f64]) -> Vec<f64> {
    let total = |scale: f64| -> f64 { roots.iter().zip(floors).map(|(r, f)| (scale * r).max(*f)).sum() };
    let (mut low, mut high) = (0.0, 1.0 / roots.iter().sum::<f64>().max(1e-12));
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if total(middle) > 1.0 { high = middle } else { low = middle }
    }
    roots.iter().zip(floors).map(|(r, f)| (low * r).max(*f)).collect()
}

/// Shares that keep bounds, and the bounds that they keep, seconds. All tunings keep [`LONGEST_S`] if time suffices;
/// then those of each urgency theirs, as long as bounds take no more than [`GIVEN_MAX`] from where it would do most.
fn floors(needs: &[Need], looks: &[f64], settle_s: f64, shares: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let cost_s = |n: usize| settle_s + looks[n];
    let (mut floors, mut bounds) = (vec![0.0; needs.len()], vec![f64::INFINITY; needs.len()]);
    let mut kinds: Vec<(f64, Option<bool>)> = vec![(LONGEST_S, None)];
    kinds.extend(needs.iter().map(|need| (need.event_s, Some(is_dense(need)))));
    // The slowest first: they are cheap, and nothing may be left alone for long.
    kinds.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    kinds.dedup();
    let mut given = 0.0;
    for (event_s, dense) in kinds {
        let is_kind = |n: &usize| {
            dense.is_none_or(|dense| needs[*n].event_s == event_s && is_dense(&needs[*n]) == dense)
        };
        let alike: Vec<usize> = (0..needs.len()).filter(is_kind).collect();
        let extra: f64 =
            alike.iter().map(|&n| (cost_s(n) / event_s - shares[n].max(floors[n])).max(0.0)).sum();
        let kept: f64 = (0..needs.len())
            .map(|n| if is_kind(&n) { floors[n].max(cost_s(n) / event_s) } else { floors[n] })
            .sum();
        if given + extra > GIVEN_MAX || kept > KEPT_MAX {
            continue;
        }
        given += extra;
        for n in alike {
            floors[n] = floors[n].max(cost_s(n) / event_s);
            bounds[n] = bounds[n].min(event_s);
        }
    }
    (floors, bounds)
}

/// Whole visits a superframe, for looks that cost `costs`, are to come every one of `periods` and must come every one
/// of `bounds`. Of superframes of different lengths the one is taken in which rounding lets nothing wait much longer.
fn visits(costs: &[f64], periods: &[f64], bounds: &[f64]) -> Vec<u16> {
    let slowest_s = periods.iter().copied().fold(0.0, f64::max);
    let steps = SUPERFRAME_STEPS as i32;
    let tried = (0..=steps).map(|n| {
        let superframe_s = slowest_s * 3f64.powf(f64::from(n) / f64::from(steps));
        let visits = rounded(superframe_s, costs, periods, bounds);
        let real_s: f64 = visits.iter().zip(costs).map(|(v, c)| v * c).sum();
        // What is waited for in all, in periods: the sum that shares minimise, share by share.
        let waited: f64 = visits
            .iter()
            .zip(costs)
            .zip(periods)
            .map(|((v, cost_s), period_s)| real_s / v / period_s * cost_s / period_s)
            .sum();
        (waited, visits)
    });
    let best = tried.reduce(|best, this| if this.0 < best.0 * (1.0 - ROUNDING_GAIN) { this } else { best });
    best.map(|(_, visits)| visits.into_iter().map(|v| v as u16).collect()).unwrap_or_default()
}

fn rounded(superframe_s: f64, costs: &[f64], periods: &[f64], bounds: &[f64]) -> Vec<f64> {
    let near = |period_s: &f64| (superframe_s / period_s).round().clamp(1.0, VISITS_MAX);
    let plain: Vec<f64> = periods.iter().map(near).collect();
    let mut visits = plain.clone();
    // Rounding moved the superframe's length: bounds take another visit where they need it.
    for _ in 0..ROUNDS_MAX {
        let real_s: f64 = visits.iter().zip(costs).map(|(v, c)| v * c).sum();
        let mut late = false;
        for (v, bound_s) in visits.iter_mut().zip(bounds).filter(|(v, bound_s)| **v * **bound_s < real_s) {
            *v = (real_s / bound_s).ceil();
            late = true;
        }
        if !late {
            return if visits.iter().all(|v| *v <= VISITS_MAX) { visits } else { plain };
        }
    }
    plain
}

fn is_dense(need: &Need) -> bool {
    let seldom = |p: &Prey| p.model.intercept(LOOK_MIN_S, p.seen_share) < 0.5;
    need.event_s < URGENT_S && need.prey.iter().any(seldom)
}
