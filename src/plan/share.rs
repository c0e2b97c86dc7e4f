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
//! one factor for all looks, so that those grow first that lose least by it.
//!
//! Then bounds: a visit every `event_s` of the most urgent band in a tuning. Where it is missed, long looks are
//! shortened first, as long as they are no shorter than the settling; then the tuning is given the time that it lacks,
//! if all that is given that way is at most [`GIVEN_MAX`].

use super::emitter::EmitterModel;

/// Shortest look, seconds: two frames of the slowest of the frames that a signal is told by, 10 ms (DECT, ETSI
/// EN 300 175-2 4.3; LTE, 3GPP TS 36.211 4.1).
pub const LOOK_MIN_S: f64 = 20e-3;

/// Longest look, seconds: a BLE advertiser's common interval and more gains nothing that a second visit would not.
pub const LOOK_MAX_S: f64 = 250e-3;

/// Share of the time that bounds may take away from where it would do most.
const GIVEN_MAX: f64 = 0.15;

/// Bounds of one tenth of a minute and more are kept by the order of visits; shorter ones make a tuning urgent.
const URGENT_S: f64 = 2.0;

/// Settling is counted as at most this many times what it is.
const PRICE_MAX: f64 = 64.0;

/// Steps of a look, a factor of 1.5 % apart: less than the jitter of a dwell.
const LOOK_STEP: f64 = 1.015;

/// Most visits of one tuning in a superframe.
const VISITS_MAX: f64 = 64.0;

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
    let at = |price: f64| {
        let times = at_price(needs, settle_s, price);
        let (looked_s, total_s) = sums(&times, settle_s);
        (looked_s / total_s, times)
    };
    let (mut low, mut high) = (1.0, PRICE_MAX);
    let (looked, times) = at(low);
    if looked >= looked_target {
        return times;
    }
    let mut best = at(high).1;
    for _ in 0..12 {
        let middle = f64::sqrt(low * high);
        let (looked, times) = at(middle);
        if looked >= looked_target {
            (high, best) = (middle, times);
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

fn at_price(needs: &[Need], settle_s: f64, price: f64) -> Vec<Time> {
    let mut looks: Vec<f64> = needs.iter().map(|need| best_look(need, settle_s * price)).collect();
    let mut shares = shares(needs, &looks, settle_s, &vec![0.0; needs.len()]);
    // Shorter looks free time, which changes the shares by little: it settles at once.
    for _ in 0..4 {
        for ((need, look_s), share) in needs.iter().zip(&mut looks).zip(&shares) {
            let allowed_s = need.event_s * share - settle_s;
            if allowed_s < *look_s {
                *look_s = look_s.min(allowed_s.max(settle_s).max(LOOK_MIN_S));
            }
        }
        shares = self::shares(needs, &looks, settle_s, &vec![0.0; needs.len()]);
    }
    let floors = floors(needs, &looks, settle_s, &shares);
    let shares = self::shares(needs, &looks, settle_s, &floors);
    let visits = visits(needs, &looks, settle_s, &shares, &floors);
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

/// The shares of time that are best, none below its floor.
fn shares(needs: &[Need], looks: &[f64], settle_s: f64, floors: &[f64]) -> Vec<f64> {
    let emitters = needs.iter().flat_map(|n| &n.prey).map(|p| p.index + 1).max().unwrap_or(0);
    // What each emitter would wait if all tunings took turns, but for a factor that all have.
    let mut alone = vec![0.0; emitters];
    for (need, look_s) in needs.iter().zip(looks) {
        for prey in &need.prey {
            alone[prey.index] += prey.here * wait(prey, *look_s);
        }
    }
    let each = needs.iter().zip(looks).map(|(need, look_s)| {
        let sum: f64 = need
            .prey
            .iter()
            .map(|p| p.model.weight * p.here * wait(p, *look_s) / alone[p.index].max(1e-12))
            .sum();
        // Whatever else may be there: something that stays on, in any tuning alike, counts as one emitter.
        let anything = 1.0 / needs.len() as f64;
        ((settle_s + look_s) * (sum + anything)).sqrt()
    });
    let roots: Vec<f64> = each.collect();
    let total = |scale: f64| -> f64 { roots.iter().zip(floors).map(|(r, f)| (scale * r).max(*f)).sum() };
    let (mut low, mut high) = (0.0, 1.0 / roots.iter().sum::<f64>().max(1e-12));
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if total(middle) > 1.0 { high = middle } else { low = middle }
    }
    roots.iter().zip(floors).map(|(r, f)| (low * r).max(*f)).collect()
}

/// Shares that keep bounds, for those whose bounds are missed by `shares` and can be kept.
fn floors(needs: &[Need], looks: &[f64], settle_s: f64, shares: &[f64]) -> Vec<f64> {
    let wanted: Vec<f64> =
        needs.iter().zip(looks).map(|(need, look_s)| (settle_s + look_s) / need.event_s).collect();
    let mut floors = vec![0.0; needs.len()];
    let mut given = 0.0;
    // First those tunings that are urgent for their events' sake alone: they are the cheaper ones.
    for dense in [false, true] {
        let lacking: Vec<usize> =
            (0..needs.len()).filter(|&n| is_dense(&needs[n]) == dense && wanted[n] > shares[n]).collect();
        let extra: f64 = lacking.iter().map(|&n| wanted[n] - shares[n]).sum();
        if given + extra <= GIVEN_MAX {
            given += extra;
            for n in lacking {
                floors[n] = wanted[n];
            }
        }
    }
    floors
}

/// Whole visits a superframe, in which the tuning that can wait longest is visited once.
fn visits(needs: &[Need], looks: &[f64], settle_s: f64, shares: &[f64], floors: &[f64]) -> Vec<u16> {
    let cost = |n: usize| settle_s + looks[n];
    let slowest_s = (0..needs.len()).map(|n| cost(n) / shares[n]).fold(0.0, f64::max);
    let mut visits: Vec<f64> =
        (0..needs.len()).map(|n| (slowest_s * shares[n] / cost(n)).round().clamp(1.0, VISITS_MAX)).collect();
    // Rounding moved the superframe's length: bounds that are kept take another visit where they need it.
    for _ in 0..VISITS_MAX as usize {
        let superframe_s: f64 = visits.iter().enumerate().map(|(n, v)| v * cost(n)).sum();
        let late = |n: &usize| floors[*n] > 0.0 && visits[*n] * needs[*n].event_s < superframe_s;
        let late: Vec<usize> = (0..needs.len()).filter(late).collect();
        if late.is_empty() {
            break;
        }
        for n in late {
            visits[n] = (visits[n] + 1.0).min(VISITS_MAX);
        }
    }
    visits.into_iter().map(|v| v as u16).collect()
}

fn is_dense(need: &Need) -> bool {
    let seldom = |p: &Prey| p.model.intercept(LOOK_MIN_S, p.seen_share) < 0.5;
    need.event_s < URGENT_S && need.prey.iter().any(seldom)
}
