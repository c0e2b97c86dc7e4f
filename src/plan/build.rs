//! From what must be covered and what the receivers can do to the plan.

use super::ability::ReceiverAbility;
use super::coverage::{Cover, required};
use super::emitter::EmitterModel;
use super::share::{LOOK_MIN_S, Need, Prey, Time, share_out};
use super::stretch::{Stretch, common, union, width, without};
use super::tile::{Window, tile};
use super::value::{Band, Loop, ReceiverPlan, ScanPlan, Tuning, Unseen};
use crate::bandplan::BandPlan;
use crate::classify::Device;
use crate::policy::Level;

/// A wide signal is seen where at least this share of it, or of a window that it fills, is.
const SEEN_PART: f64 = 0.5;

/// What is needed to plan.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who may transmit where.
    pub region: &'a BandPlan,
    /// What devices need.
    pub covers: &'a [Cover],
    /// What they send.
    pub emitters: &'a [EmitterModel],
    /// Level of the meeting.
    pub level: Level,
    /// Devices that must be covered, of those that the level bans.
    pub devices: &'a [Device],
    /// What listens.
    pub receivers: &'a [ReceiverAbility],
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// No receiver was named.
    #[error("no receiver to plan for")]
    NoReceiver,
    /// The level bans nothing, so nothing must be covered.
    #[error("nothing must be covered: the level bans none of these devices")]
    NothingRequired,
    /// The receivers reach none of it.
    #[error("{receivers} can tune to none of what must be covered: {bands}")]
    NothingInReach {
        /// The receivers, by name.
        receivers: String,
        /// The bands.
        bands: String,
    },
    /// A receiver that does nothing but settle.
    #[error("{receiver}: settling {settle_s} s leaves no time to look: give at most {max_s} s")]
    SettlesTooSlowly {
        /// The receiver.
        receiver: String,
        /// As given.
        settle_s: f64,
        /// What is sensible.
        max_s: f64,
    },
}

/// Slowest settling that a plan is made for, seconds: what the slowest drivers with their usual buffers need.
pub const SETTLE_MAX_S: f64 = 0.5;

/// The plan for a request.
///
/// # Errors
/// A [`PlanError`] where nothing can be planned.
pub fn scan_plan(request: &Request) -> Result<ScanPlan, PlanError> {
    let Request { region, covers, level, devices, receivers, .. } = *request;
    if receivers.is_empty() {
        return Err(PlanError::NoReceiver);
    }
    if let Some(slow) = receivers.iter().find(|r| r.settle_s.is_nan() || r.settle_s > SETTLE_MAX_S) {
        let (receiver, settle_s) = (slow.name.clone(), slow.settle_s);
        return Err(PlanError::SettlesTooSlowly { receiver, settle_s, max_s: SETTLE_MAX_S });
    }
    let bands = required(region, covers, level, devices);
    if bands.is_empty() {
        return Err(PlanError::NothingRequired);
    }
    let places = Places::of(request, &bands);
    let (assigned, unseen) = assign(&bands, &places, receivers);
    if assigned.iter().all(Vec::is_empty) {
        let receivers: Vec<&str> = receivers.iter().map(|r| r.name.as_str()).collect();
        let bands: Vec<&str> = bands.iter().map(|b| b.name.as_str()).collect();
        return Err(PlanError::NothingInReach { receivers: receivers.join(", "), bands: bands.join(", ") });
    }
    let plans = receivers.iter().zip(assigned).map(|(r, own)| of_receiver(r, own, &places)).collect();
    Ok(ScanPlan { region: region.region.clone(), bands, receivers: plans, unseen })
}

/// The emitters, and where each may be.
pub(super) struct Places<'a> {
    pub(super) emitters: Vec<(&'a EmitterModel, Vec<Stretch>)>,
}

impl<'a> Places<'a> {
    /// Of the emitters that `bands` are covered for.
    pub(super) fn of(request: &Request<'a>, bands: &[Band]) -> Self {
        let covered = union(bands.iter().map(|b| [b.low_hz, b.high_hz]).collect());
        let asked = request.emitters.iter().filter(|e| {
            request.devices.contains(&e.device) && bands.iter().any(|band| band.devices.contains(&e.device))
        });
        let placed = asked.map(|model| {
            let found = request.region.allocations.iter().filter(|a| model.place.holds(a));
            let mut own = union(found.map(|a| [a.low_hz, a.high_hz]).collect());
            if own.is_empty() {
                own.extend(model.place.else_hz);
            }
            (model, common(&own, &covered))
        });
        Self { emitters: placed.filter(|(_, own)| !own.is_empty()).collect() }
    }

    /// How much is to be met in `band`.
    fn weight(&self, band: &Band) -> f64 {
        let own = [[band.low_hz, band.high_hz]];
        self.emitters.iter().map(|(model, at)| model.weight * width(&common(at, &own)) / width(at)).sum()
    }
}

/// The emitters that `plan`, which `request` led to, is meant for, and where each may be, hertz.
pub fn reach<'a>(plan: &ScanPlan, request: &Request<'a>) -> Vec<(&'a EmitterModel, Vec<[f64; 2]>)> {
    Places::of(request, &plan.bands).emitters
}

/// Bands, cut to what each receiver reaches, and what none does. Bands that touch stay together; each set goes to the
/// receiver that reaches most of it, of several the one with least to do.
fn assign(bands: &[Band], places: &Places, receivers: &[ReceiverAbility]) -> (Vec<Vec<Band>>, Vec<Unseen>) {
    let mut sets: Vec<Stretch> = union(bands.iter().map(|b| [b.low_hz, b.high_hz]).collect());
    let within = |set: &Stretch| {
        let parts = bands.iter().filter_map(|band| {
            let (low_hz, high_hz) = (band.low_hz.max(set[0]), band.high_hz.min(set[1]));
            (low_hz < high_hz).then(|| Band { low_hz, high_hz, ..band.clone() })
        });
        parts.collect::<Vec<Band>>()
    };
    // Time shares go with the square root of tunings and of what is to be met in them.
    let load = |set: &Stretch, receiver: &ReceiverAbility| {
        let weight: f64 = within(set).iter().map(|band| places.weight(band)).sum();
        let tunings = ((set[1] - set[0]) / receiver.usable_hz).ceil();
        (tunings * (receiver.settle_s + LOOK_MIN_S) * (0.1 + weight)).sqrt()
    };
    let heaviest = |set: &Stretch| load(set, &receivers[0]);
    sets.sort_by(|a, b| heaviest(b).total_cmp(&heaviest(a)));
    let (mut assigned, mut unseen) = (vec![Vec::new(); receivers.len()], Vec::new());
    let mut loads = vec![0.0; receivers.len()];
    while !sets.is_empty() {
        let set = sets.remove(0);
        let reach: Vec<Vec<Stretch>> = receivers.iter().map(|r| r.reach(set)).collect();
        let most = reach.iter().map(|r| width(r)).fold(0.0, f64::max);
        let able = (0..receivers.len()).filter(|&n| most > 0.0 && width(&reach[n]) >= most);
        let after = |n: usize| loads[n] + load(&set, &receivers[n]);
        let Some(chosen) = able.min_by(|&a, &b| after(a).total_cmp(&after(b))) else {
            unseen.extend(within(&set).into_iter().map(Unseen::from));
            continue;
        };
        loads[chosen] = after(chosen);
        assigned[chosen].extend(reach[chosen].iter().flat_map(within));
        sets.extend(without(&[set], &reach[chosen]));
    }
    for own in &mut assigned {
        own.sort_by(|a: &Band, b| a.low_hz.total_cmp(&b.low_hz).then(b.high_hz.total_cmp(&a.high_hz)));
    }
    unseen.sort_by(|a: &Unseen, b| a.low_hz.total_cmp(&b.low_hz));
    (assigned, unseen)
}

fn of_receiver(receiver: &ReceiverAbility, bands: Vec<Band>, places: &Places) -> ReceiverPlan {
    let windows = tile(&by_urgency(&bands, places), receiver);
    let needs: Vec<Need> = windows.iter().map(|window| need(window, &bands, places)).collect();
    let prey = normalised(needs);
    let times = share_out(&prey, receiver.settle_s, receiver.looked_target());
    let tunings: Vec<Tuning> =
        windows.iter().zip(times).map(|(window, time)| tuning(window, time, &bands)).collect();
    let mut plan = ReceiverPlan {
        receiver: receiver.name.clone(),
        rate_hz: receiver.rate_hz,
        usable_hz: receiver.usable_hz,
        offset_hz: receiver.offset_hz,
        settle_s: receiver.settle_s,
        gain_steps: receiver.gain_steps,
        superframe_s: 0.0,
        tunings,
        bands,
    };
    plan.superframe_s = plan.tunings.iter().map(|t| f64::from(t.visits) * plan.cost_s(t)).sum();
    plan
}

/// Sets of stretches, the most urgent first, then those where most is to be met for their width.
fn by_urgency(bands: &[Band], places: &Places) -> Vec<Vec<Stretch>> {
    let mut keyed: Vec<(f64, f64, Stretch)> = bands
        .iter()
        .map(|band| (band.event_s, places.weight(band), [band.low_hz, band.high_hz]))
        .map(|(event_s, weight, own)| (event_s, weight / (own[1] - own[0]), own))
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut sets: Vec<Vec<Stretch>> = Vec::new();
    let mut last = None;
    for (event_s, density, own) in keyed {
        // As dense to a tenth is as dense: bands of one system stay together.
        let same = last.is_some_and(|(event, of): (f64, f64)| event == event_s && density >= 0.9 * of);
        match sets.last_mut().filter(|_| same) {
            Some(set) => set.push(own),
            None => {
                sets.push(vec![own]);
                last = Some((event_s, density));
            }
        }
    }
    sets
}

/// What `window` is to meet, and how soon.
fn need<'a>(window: &Window, bands: &[Band], places: &Places<'a>) -> Need<'a> {
    let inside = bands.iter().filter(|b| window.seen[0] < b.high_hz && b.low_hz < window.seen[1]);
    let event_s = inside.map(|b| b.event_s).fold(f64::INFINITY, f64::min);
    let prey = places.emitters.iter().enumerate().filter_map(|(index, (model, own))| {
        let (here, seen_share) = chance(model, own, window.seen);
        (here > 0.0).then_some(Prey { index, model, here, seen_share })
    });
    Need { prey: prey.collect(), event_s }
}

/// Probability that `seen` is where `model`, somewhere in `own`, can be met; and how much of its band that is.
pub(super) fn chance(model: &EmitterModel, own: &[Stretch], seen: Stretch) -> (f64, f64) {
    let share = width(&common(own, &[seen])) / width(own);
    if model.hops() {
        return (f64::from(u8::from(share > 0.0)), share);
    }
    if !model.place.at_hz.is_empty() {
        let met = model.place.at_hz.iter().any(|&hz| is_seen(hz, model.width_hz, seen));
        return (f64::from(u8::from(met)), share);
    }
    // Of all centres that keep it within a stretch, those where enough of it is seen.
    let half_hz = |stretch: &Stretch| (model.width_hz / 2.0).min((stretch[1] - stretch[0]) / 2.0);
    let centers: Vec<Stretch> = own.iter().map(|s| [s[0] + half_hz(s), s[1] - half_hz(s)]).collect();
    let part_hz = SEEN_PART * model.width_hz.min(seen[1] - seen[0]);
    let reach = [seen[0] + part_hz - model.width_hz / 2.0, seen[1] - part_hz + model.width_hz / 2.0];
    // A stretch no wider than the emitter is one place.
    let total: f64 = centers.iter().map(|s| (s[1] - s[0]).max(1.0)).sum();
    let met: f64 =
        centers.iter().map(|s| (s[1].max(s[0] + 1.0).min(reach[1]) - s[0].max(reach[0])).max(0.0)).sum();
    (met / total, share)
}

/// Whether an emission of `width_hz` around `center_hz` is seen.
pub(super) fn is_seen(center_hz: f64, width_hz: f64, seen: Stretch) -> bool {
    let (low, high) = (center_hz - width_hz / 2.0, center_hz + width_hz / 2.0);
    high.min(seen[1]) - low.max(seen[0]) >= SEEN_PART * width_hz.min(seen[1] - seen[0])
}

/// Probabilities that add up to one over all tunings, emitter by emitter.
fn normalised(mut needs: Vec<Need>) -> Vec<Need> {
    let emitters = needs.iter().flat_map(|n| &n.prey).map(|p| p.index + 1).max().unwrap_or(0);
    let mut totals = vec![0.0; emitters];
    for prey in needs.iter().flat_map(|n| &n.prey) {
        totals[prey.index] += prey.here;
    }
    for prey in needs.iter_mut().flat_map(|n| &mut n.prey) {
        prey.here /= totals[prey.index];
    }
    needs
}

fn tuning(window: &Window, time: Time, bands: &[Band]) -> Tuning {
    let [low_hz, high_hz] = window.seen;
    let covers = |band: &Band| low_hz < band.high_hz && band.low_hz < high_hz;
    Tuning {
        centers_hz: window.centers_hz,
        low_hz,
        high_hz,
        of: if time.dense { Loop::Dense } else { Loop::Tripwire },
        dwell_s: time.dwell_s,
        visits: time.visits,
        bands: (0u16..).zip(bands).filter(|(_, band)| covers(band)).map(|(n, _)| n).collect(),
    }
}
