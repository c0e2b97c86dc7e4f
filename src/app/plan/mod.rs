//! `emcon plan`: from names on the command line to a plan and its forecast, as a table or as JSON.

pub mod json;
pub mod table;

use crate::classify::Device;
use crate::config::{self, ConfigError};
use crate::plan::{Forecast, PlanError, Request, ScanPlan, forecast, scan_plan};
use crate::policy::Level;

/// Seed of a forecast: any; the same plan always gets the same figures.
const SEED: u64 = 1;

/// What no receiver can tell, whatever the plan.
pub const LIMITS: &[&str] = &[
    "What does not transmit during the meeting is not seen: switched off, airplane mode with Bluetooth off, recorders, a cordless handset on standby, a walkie-talkie that nobody keys, a keyboard that nobody types on.",
    "A phone with Wi-Fi and Bluetooth off shows only when the network hears from it: minutes to tens of minutes, up to 54; a meeting of half an hour can end before.",
    "Ultra-wideband, mobile networks above 24 GHz and Wi-Fi above 6 GHz are out of reach of any receiver listed here.",
    "Hoppers and channels wider than a look are seen in part; their times count that.",
    "One antenna does not tell for sure whether something is in the room or next door.",
    "Times hold for signals that stand clear of the noise, do not collide and are recognised: real ones are longer.",
];

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// One of [`config::REGIONS`].
    pub region: String,
    /// Level of the meeting.
    pub level: Level,
    /// Receivers by name, one or several.
    pub receivers: Vec<String>,
    /// Settling time of all of them, seconds, where it is known.
    pub settle_s: Option<f64>,
    /// Devices that must be covered; empty for all that the level bans.
    pub devices: Vec<Device>,
}

/// A plan and what it gives.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What was asked for.
    pub asked: Asked,
    /// The plan.
    pub plan: ScanPlan,
    /// Emitter by emitter.
    pub forecast: Vec<Forecast>,
}

/// Why nothing could be planned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name or a table is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no such plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Plans.
///
/// # Errors
/// Names that are not known, and combinations that leave nothing to plan.
pub fn plan(asked: &Asked) -> Result<Planned, Error> {
    let region = config::region(&asked.region)?;
    let (covers, emitters) = config::coverage()?;
    let profiles: Result<Vec<_>, _> = asked.receivers.iter().map(|name| config::receiver(name)).collect();
    let receivers: Vec<_> =
        profiles?.iter().map(|profile| config::ability(profile, asked.settle_s)).collect();
    let all: Vec<Device> = Device::ALL.iter().copied().filter(|d| d.is_device()).collect();
    let devices = if asked.devices.is_empty() { &all } else { &asked.devices };
    let request = Request {
        region: &region,
        covers: &covers,
        emitters: &emitters,
        level: asked.level,
        devices,
        receivers: &receivers,
    };
    let plan = scan_plan(&request)?;
    let forecast = forecast(&plan, &request, SEED)?;
    Ok(Planned { asked: asked.clone(), plan, forecast })
}
