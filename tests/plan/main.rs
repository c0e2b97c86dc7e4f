//! Plans and the scheduler that runs them: what must hold of any plan, and of any run.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]
#![allow(dead_code, reason = "the long measurements use more of the yardstick")]

#[path = "../../benches/figures/air.rs"]
mod air;
#[path = "../../benches/figures/watch.rs"]
mod watch;

mod covering;
mod intercept;
mod running;
mod verb;

use emcon::classify::Device;
use emcon::config;
use emcon::plan::{PlanError, Request, ScanPlan, scan_plan};
use emcon::policy::Level;

/// The plan for `receivers` of the shipped kinds that settle in `settle_s`, or as usual.
fn planned(
    region: &str,
    level: Level,
    receivers: &[&str],
    settle_s: Option<f64>,
) -> Result<ScanPlan, PlanError> {
    let region = config::region(region).unwrap();
    let (covers, emitters) = config::coverage().unwrap();
    let abilities: Vec<_> =
        receivers.iter().map(|name| config::ability(&config::receiver(name).unwrap(), settle_s)).collect();
    scan_plan(&Request {
        region: &region,
        covers: &covers,
        emitters: &emitters,
        level,
        devices: Device::ALL,
        receivers: &abilities,
    })
}
