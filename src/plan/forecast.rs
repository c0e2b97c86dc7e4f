//! What a plan gives: probability of intercept and time to it, emitter by emitter.
//!
//! Visits come at the times that the scheduler's rule gives (a place drawn within half of each period), emitters come
//! and go as their models say, and whether a visit meets one is drawn with the probability that the formulas give for
//! its look. Random, but seeded: the same plan gives the same figures. Signals are strong enough, nothing collides, and
//! whatever is met is recognised; real times are longer by what is not.

use super::PLACE_JITTER;
use super::build::{Places, PlanError, Request, is_seen};
use super::emitter::{EmitterModel, Pattern};
use super::random::Random;
use super::stretch::Stretch;
use super::value::{ReceiverPlan, ScanPlan};
use crate::classify::Device;
use serde::Serialize;

/// Trials for each emitter: a quantile of 95 % is good to 0.5 % of probability.
const TRIALS: usize = 2000;

/// Nobody waits longer, seconds.
const HORIZON_S: f64 = 4.0 * 3600.0;

/// Time to an intercept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Times {
    /// Half of the emitters are met by then, seconds.
    pub median_s: f64,
    /// 95 % are.
    pub p95_s: f64,
    /// 99 % are.
    pub p99_s: f64,
}

/// What is to be expected of one emitter. Times run from when it is there, its silences included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// As in the table of emitters.
    pub emitter: String,
    /// What it is.
    pub device: Device,
    /// Share of the places where it may be that some receiver sees; what follows is for those.
    pub visible_share: f64,
    /// Whether a visit sees a part of its channels or of its width only.
    pub seen_in_part: bool,
    /// Probability that one visit of the right tuning meets it while it is active.
    pub per_visit: f64,
    /// Probability to meet it within a superframe (the longest, of several receivers).
    pub per_superframe: f64,
    /// Within 10 s.
    pub within_10_s: f64,
    /// Within 60 s.
    pub within_60_s: f64,
    /// Until the first visit that meets it; none if it is not visible, or not within hours.
    pub first: Option<Times>,
    /// Until the second.
    pub second: Option<Times>,
}

/// The forecast of `plan`, which `request` led to: an entry for each emitter that `request` asks for.
///
/// # Errors
/// Nothing is required.
pub fn forecast(plan: &ScanPlan, request: &Request, seed: u64) -> Result<Vec<Forecast>, PlanError> {
    if plan.bands.is_empty() {
        return Err(PlanError::NothingRequired);
    }
    let places = Places::of(request, &plan.bands);
    Ok(places.emitters.iter().map(|(model, own)| of_emitter(plan, model, own, seed)).collect())
}

/// A tuning where an emitter is seen.
#[derive(Debug, Clone, Copy)]
struct Post {
    visits: u16,
    look_s: f64,
    /// Share of the emitter's band that is seen.
    seen_share: f64,
    seen: Stretch,
}

fn of_emitter(plan: &ScanPlan, model: &EmitterModel, own: &[Stretch], seed: u64) -> Forecast {
    let mut random = Random::new(seed);
    let (mut firsts, mut seconds) = (Vec::with_capacity(TRIALS), Vec::with_capacity(TRIALS));
    let mut per_visit = 0.0;
    for _ in 0..TRIALS {
        let center_hz = draw_center(model, own, &mut random);
        let life = random.bits();
        let (mut hits, mut met, mut count) = (Vec::new(), 0.0, 0.0);
        for receiver in plan.receivers.iter().filter(|r| !r.tunings.is_empty()) {
            let posts = posts(receiver, model, own, center_hz);
            if posts.is_empty() {
                continue;
            }
            met += posts.iter().map(|p| model.intercept(p.look_s, p.seen_share)).sum::<f64>();
            count += posts.len() as f64;
            // Each receiver watches the same life of the emitter.
            let mut activity = Activity::new(model, own, Random::new(life));
            hits.extend(two_hits(receiver, &posts, &mut activity, &mut random));
        }
        if count > 0.0 {
            per_visit += met / count;
            hits.sort_by(f64::total_cmp);
            firsts.push(hits.first().copied().unwrap_or(f64::INFINITY));
            seconds.push(hits.get(1).copied().unwrap_or(f64::INFINITY));
        }
    }
    let visible = firsts.len();
    let within = |limit_s: f64| share(firsts.iter().filter(|t| **t <= limit_s).count(), visible);
    let superframe_s = plan.receivers.iter().map(|r| r.superframe_s).fold(0.0, f64::max);
    Forecast {
        emitter: model.name.clone(),
        device: model.device,
        visible_share: share(visible, TRIALS),
        seen_in_part: in_part(plan, model),
        per_visit: if visible > 0 { per_visit / visible as f64 } else { 0.0 },
        per_superframe: within(superframe_s),
        within_10_s: within(10.0),
        within_60_s: within(60.0),
        first: times(&mut firsts),
        second: times(&mut seconds),
    }
}

fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

fn times(all: &mut [f64]) -> Option<Times> {
    all.sort_by(f64::total_cmp);
    let at = |p: f64| all.get(((all.len() as f64 * p).ceil() as usize).saturating_sub(1)).copied();
    let times = Times { median_s: at(0.5)?, p95_s: at(0.95)?, p99_s: at(0.99)? };
    times.p99_s.is_finite().then_some(times)
}

/// Whether no single visit sees all of the emitter.
fn in_part(plan: &ScanPlan, model: &EmitterModel) -> bool {
    let widest_hz = plan.receivers.iter().map(|r| r.usable_hz).fold(0.0, f64::max);
    model.hops() || model.place.at_hz.len() > 1 || model.width_hz > widest_hz
}

/// A place for the emitter; what it matters for are emitters on one channel.
pub(super) fn draw_center(model: &EmitterModel, own: &[Stretch], random: &mut Random) -> f64 {
    let room = |s: &Stretch| (s[1] - s[0] - model.width_hz).max(1.0);
    let mut at = random.unit() * own.iter().map(room).sum::<f64>();
    for stretch in own {
        if at < room(stretch) {
            let low_hz = stretch[0] + (model.width_hz / 2.0).min((stretch[1] - stretch[0]) / 2.0);
            return low_hz + at;
        }
        at -= room(stretch);
    }
    own.last().map_or(0.0, |s| s[1])
}

/// The tunings of `receiver` that see the emitter.
fn posts(receiver: &ReceiverPlan, model: &EmitterModel, own: &[Stretch], center_hz: f64) -> Vec<Post> {
    let each = receiver.tunings.iter().filter_map(|tuning| {
        let seen = [tuning.low_hz, tuning.high_hz];
        let (_, seen_share) = super::build::chance(model, own, seen);
        let met = if model.hops() {
            seen_share > 0.0
        } else if model.place.at_hz.is_empty() {
            is_seen(center_hz, model.width_hz, seen)
        } else {
            model.place.at_hz.iter().any(|&hz| is_seen(hz, model.width_hz, seen))
        };
        met.then_some(Post { visits: tuning.visits, look_s: tuning.dwell_s, seen_share, seen })
    });
    each.collect()
}

/// When the first two visits that meet the emitter end.
fn two_hits(
    receiver: &ReceiverPlan,
    posts: &[Post],
    activity: &mut Activity,
    random: &mut Random,
) -> Vec<f64> {
    let superframe_s = receiver.superframe_s;
    let phases: Vec<f64> = posts.iter().map(|_| random.unit() * (1.0 - PLACE_JITTER)).collect();
    let mut from_s = -random.unit() * superframe_s;
    let mut hits = Vec::new();
    let mut visits: Vec<(f64, usize)> = Vec::new();
    while from_s < HORIZON_S {
        // Superframes that pass while it is silent meet nothing.
        if activity.silent_until_s() > from_s + superframe_s {
            from_s += ((activity.silent_until_s() - from_s) / superframe_s).floor() * superframe_s;
        }
        visits.clear();
        for (n, post) in posts.iter().enumerate() {
            for nth in 0..post.visits {
                let place =
                    (f64::from(nth) + phases[n] + PLACE_JITTER * random.unit()) / f64::from(post.visits);
                visits.push((from_s + place * superframe_s, n));
            }
        }
        visits.sort_by(|a, b| a.0.total_cmp(&b.0));
        for &(at_s, n) in visits.iter().filter(|(at_s, _)| *at_s >= 0.0) {
            let post = &posts[n];
            if random.unit() < activity.intercept(at_s, post) {
                hits.push(at_s + post.look_s);
                if hits.len() == 2 {
                    return hits;
                }
            }
        }
        from_s += superframe_s;
    }
    hits
}

/// An emitter's comings and goings, asked for in the order of time.
struct Activity<'a> {
    model: &'a EmitterModel,
    band: Stretch,
    random: Random,
    /// The chain of phases that is next or now: where each begins, and the end.
    edges: Vec<f64>,
}

impl<'a> Activity<'a> {
    fn new(model: &'a EmitterModel, own: &[Stretch], random: Random) -> Self {
        let band = [own.first().map_or(0.0, |s| s[0]), own.last().map_or(0.0, |s| s[1])];
        let mut activity = Self { model, band, random, edges: Vec::new() };
        match model.every_s {
            Some(_) => activity.begin(0.0),
            None => activity.edges = vec![f64::NEG_INFINITY, f64::INFINITY],
        }
        activity
    }

    /// Draws the next chain of phases after `end_s`.
    fn begin(&mut self, end_s: f64) {
        let mut at_s = end_s + self.random.exponential(self.model.every_s.unwrap_or(0.0));
        self.edges.clear();
        self.edges.push(at_s);
        for phase in &self.model.phases {
            at_s += self.random.between(phase.lasts_s[0], phase.lasts_s[1]);
            self.edges.push(at_s);
        }
    }

    fn silent_until_s(&self) -> f64 {
        self.edges[0]
    }

    /// Probability that a look from `from_s` on meets it.
    fn intercept(&mut self, from_s: f64, post: &Post) -> f64 {
        while self.edges.last().is_some_and(|end_s| *end_s <= from_s) {
            let end_s = self.edges.last().copied().unwrap_or(from_s);
            self.begin(end_s);
        }
        let until_s = from_s + post.look_s;
        let spans = self.edges.windows(2).zip(&self.model.phases);
        let missed = spans.map(|(span, phase)| {
            let look_s = until_s.min(span[1]) - from_s.max(span[0]);
            if look_s <= 0.0 {
                return 1.0;
            }
            match phase.pattern {
                Pattern::Scan { on_s, channels, bursts } => {
                    self.scan_missed(span, [from_s, until_s], post, (on_s, channels, bursts))
                }
                pattern => 1.0 - pattern.intercept(look_s, post.seen_share),
            }
        });
        1.0 - missed.product::<f64>()
    }

    /// Probability that a look misses all bursts of a scan, which goes from channel to channel within `span`.
    fn scan_missed(
        &self,
        span: &[f64],
        look: [f64; 2],
        post: &Post,
        (on_s, channels, bursts): (f64, u32, u32),
    ) -> f64 {
        let stay_s = (span[1] - span[0]) / f64::from(channels);
        let step_hz = (self.band[1] - self.band[0]) / f64::from(channels);
        let each = (0..channels).map(|n| {
            let center_hz = self.band[0] + (f64::from(n) + 0.5) * step_hz;
            let from_s = span[0] + f64::from(n) * stay_s;
            let look_s = look[1].min(from_s + stay_s) - look[0].max(from_s);
            if look_s <= 0.0 || !is_seen(center_hz, self.model.width_hz, post.seen) {
                return 1.0;
            }
            let met = Pattern::Periodic { on_s, period_s: stay_s, jitter_s: 0.0 }.intercept(look_s, 1.0);
            (1.0 - met).powi(bursts as i32)
        });
        each.product()
    }
}
