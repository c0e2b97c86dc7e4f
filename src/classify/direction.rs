//! Whose transmission it is, once its signal has a name: the device's or the infrastructure's.

use super::Device;
use super::signature::Means;
use crate::bandplan::{BandPlan, Direction, Service};
use crate::track::{Emitter, HALF_FRAME_S};

/// A device and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Whose {
    /// The device.
    pub device: Device,
    /// A sentence, where it was not the signal alone that told.
    pub reason: Option<String>,
    /// How long the emitter must have been watched before this can be relied on, seconds.
    pub settle_s: f64,
}

/// On without a break for longer than any uplink grant or TDD frame leaves a device on, seconds: a TDD frame has
/// at least one change of direction every 10 ms (3GPP TS 36.211 4.2).
const CONTINUOUS_S: f64 = 0.012;
/// TDD downlink: share of the air that a base station takes at least (configuration 0 has 2 of 10 subframes
/// downlink and 2 special ones; empty ones still carry reference symbols).
const DOWNLINK_DUTY_MIN: f64 = 0.25;
/// Share of the half-frame that is left to phones at most: configurations in use give them two fifths (3GPP TS
/// 36.211 table 4.2-2, configuration 1).
const UPLINK_SHARE_MAX: f64 = 0.5;
/// How well the starts of a base station keep the half-frame.
const HALF_FRAME_MIN: f64 = 0.5;

/// Four TDD periods of 5 ms and as much again, so that a downlink's pauses and rhythm have shown, seconds.
const SETTLE_S: f64 = 40e-3;

/// The device that `means` means on `emitter`.
pub fn whose(means: Means, emitter: &Emitter, plan: &BandPlan) -> Whose {
    match means {
        Means::Device(device) => Whose { device, reason: None, settle_s: 0.0 },
        Means::Cellular => cellular(emitter, plan),
        Means::Standing => standing(emitter),
    }
}

fn cellular(emitter: &Emitter, plan: &BandPlan) -> Whose {
    let hz = emitter.center_hz();
    let allocation = if emitter.place.absolute { plan.find(hz, Service::Cellular) } else { None };
    let told = |device: Device, reason: String| Whose { device, reason: Some(reason), settle_s: 0.0 };
    match allocation.map(|a| (a.direction, a.name.as_str())) {
        Some((Direction::Uplink, name)) => told(Device::MobilePhone, format!("{name}: phones transmit here")),
        Some((Direction::Downlink, name)) => {
            told(Device::Infrastructure, format!("{name}: base stations transmit here"))
        }
        Some((Direction::Tdd, name)) => in_turns(emitter, name).unwrap_or_else(|| by_structure(emitter)),
        _ => by_structure(emitter),
    }
}

/// In a band where both take turns: a base station is heard in most phases of the half-frame, a phone in the few
/// that are left to it.
fn in_turns(emitter: &Emitter, name: &str) -> Option<Whose> {
    let share = emitter.phase_share(HALF_FRAME_S)?;
    let percent = share * 100.0;
    let (device, reason) = if share > UPLINK_SHARE_MAX {
        (
            Device::Infrastructure,
            format!("{name}: heard in {percent:.0} % of the phases of 5 ms: TDD downlink"),
        )
    } else {
        (
            Device::MobilePhone,
            format!("{name}: heard in {percent:.0} % of the phases of 5 ms only: TDD uplink"),
        )
    };
    Some(Whose { device, reason: Some(reason), settle_s: SETTLE_S })
}

/// Without a band that tells: a base station is on all the time, or keeps the half-frame with a large share of
/// the air.
fn by_structure(emitter: &Emitter) -> Whose {
    let whose = |device: Device, reason: String| Whose { device, reason: Some(reason), settle_s: SETTLE_S };
    let (longest_s, duty) = (emitter.on.longest_s(), emitter.duty());
    if longest_s > CONTINUOUS_S && duty > 0.9 {
        return whose(
            Device::Infrastructure,
            format!("on for {:.0} ms without a break: downlink", longest_s * 1e3),
        );
    }
    let rhythm = emitter.rhythm(HALF_FRAME_S);
    if duty > DOWNLINK_DUTY_MIN && rhythm.is_some_and(|r| r > HALF_FRAME_MIN) {
        return whose(
            Device::Infrastructure,
            format!("on {:.0} % of the time in 5 ms half-frames: TDD downlink", duty * 100.0),
        );
    }
    whose(Device::MobilePhone, "bursts with pauses: uplink".to_owned())
}

fn standing(emitter: &Emitter) -> Whose {
    if emitter.onset_seen || emitter.end_seen {
        let reason = "a line that was switched on or off: a transmitter".to_owned();
        return Whose { device: Device::OtherWireless, reason: Some(reason), settle_s: 0.0 };
    }
    let reason = "an unmodulated line that stands from the first sample on: a spur or a clock".to_owned();
    Whose { device: Device::Interference, reason: Some(reason), settle_s: 0.0 }
}
