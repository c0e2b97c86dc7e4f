//! Emitters before the real scheduler, in simulated time.

use crate::air::{Air, View};
use emcon::classify::Device;
use emcon::config;
use emcon::plan::{
    EmitterModel, Forecast, Random, ReceiverPlan, Request, ScanPlan, forecast, reach, scan_plan,
};
use emcon::policy::Level;
use emcon::sweep::{Look, Scheduler};

/// Nobody waits longer, seconds.
const HORIZON_S: f64 = 4.0 * 3600.0;

/// A plan for one receiver in China at the usual level, with what is expected of it.
pub struct Room {
    /// The plan.
    pub plan: ScanPlan,
    /// Emitter by emitter.
    pub forecast: Vec<Forecast>,
    /// The models and where they may be.
    pub emitters: Vec<(EmitterModel, Vec<[f64; 2]>)>,
}

impl Room {
    /// The room of `receiver`, which settles in `settle_s` or as usual.
    ///
    /// # Errors
    /// A table that ships is wrong.
    pub fn new(receiver: &str, settle_s: Option<f64>) -> Result<Self, String> {
        let text = |e: config::ConfigError| e.to_string();
        let region = config::region("cn").map_err(text)?;
        let (covers, emitters) = config::coverage().map_err(text)?;
        let ability = config::ability(&config::receiver(receiver).map_err(text)?, settle_s);
        let request = Request {
            region: &region,
            covers: &covers,
            emitters: &emitters,
            level: Level::Confidential,
            devices: Device::ALL,
            receivers: std::slice::from_ref(&ability),
        };
        let plan = scan_plan(&request).map_err(|e| e.to_string())?;
        let forecast = forecast(&plan, &request, 1).map_err(|e| e.to_string())?;
        let placed = reach(&plan, &request).into_iter().map(|(model, own)| (model.clone(), own));
        Ok(Self { emitters: placed.collect(), forecast, plan })
    }

    /// What the one receiver does.
    pub fn receiver(&self) -> &ReceiverPlan {
        &self.plan.receivers[0]
    }

    /// The forecast of the emitter called `name`.
    pub fn expected(&self, name: &str) -> Option<&Forecast> {
        self.forecast.iter().find(|line| line.emitter == name)
    }
}

/// Times of the first two looks that met the emitter, seconds from when it is there; infinite where none did.
pub fn times_to_two(plan: &ReceiverPlan, model: &EmitterModel, own: &[[f64; 2]], seed: u64) -> [f64; 2] {
    let mut random = Random::new(seed);
    let mut scheduler = Scheduler::new(plan, random.bits());
    let start_s = random.unit() * plan.superframe_s;
    let mut air = Air::new(model, own, start_s, random.bits());
    let mut times = [f64::INFINITY; 2];
    let mut met = 0;
    // Nobody waits for what no tuning sees.
    let (usable_hz, hidden_hz) = (plan.usable_hz, plan.offset_hz);
    let mut centers = plan.tunings.iter().flat_map(|t| t.centers_hz);
    let looks_at = |center_hz| View { from_s: 0.0, until_s: 0.0, center_hz, usable_hz, hidden_hz };
    if !centers.any(|center_hz| air.is_in_reach(&looks_at(center_hz))) {
        return times;
    }
    run(plan, &mut scheduler, start_s + HORIZON_S, |view| {
        if view.from_s >= start_s && air.meets(view) {
            times[met] = view.until_s - start_s;
            met += 1;
        }
        met < 2
    });
    times
}

/// Share of the time looked at in `superframes` of the plan as the scheduler runs it.
pub fn looked_share(plan: &ReceiverPlan, superframes: f64, seed: u64) -> f64 {
    let mut scheduler = Scheduler::new(plan, seed);
    let (mut looked_s, mut end_s) = (0.0, 0.0);
    run(plan, &mut scheduler, superframes * plan.superframe_s, |view| {
        looked_s += view.until_s - view.from_s;
        end_s = view.until_s;
        true
    });
    looked_s / end_s
}

/// Runs `scheduler` until `until_s`, or until `seen` has seen enough.
fn run(plan: &ReceiverPlan, scheduler: &mut Scheduler, until_s: f64, mut seen: impl FnMut(&View) -> bool) {
    let (mut now_s, mut center_hz) = (0.0, f64::NAN);
    while now_s < until_s {
        let dwell = scheduler.next(now_s);
        let settle_s = if dwell.center_hz == center_hz { 0.0 } else { plan.settle_s };
        center_hz = dwell.center_hz;
        let from_s = now_s + settle_s;
        now_s = from_s + dwell.look_s;
        scheduler.looked(&Look { dwell, from_s, until_s: now_s, lost_samples: 0, clipped_share: 0.0 });
        let (usable_hz, hidden_hz) = (plan.usable_hz, plan.offset_hz);
        if !seen(&View { from_s, until_s: now_s, center_hz, usable_hz, hidden_hz }) {
            return;
        }
    }
}

/// The value that a share `p` of `sorted` does not exceed.
pub fn quantile(sorted: &[f64], p: f64) -> f64 {
    let rank = (sorted.len() as f64 * p).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::INFINITY)
}
