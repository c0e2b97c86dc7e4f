//! Whether an emitter is in the room, by its level over the quietest floor that the receiver showed.
//!
//! The quietest of all tunings is the receiver's own noise; the others hear something, and a jammer raises theirs.

use crate::bandplan::{BandPlan, Direction, Service};
use crate::classify::Device;
use crate::policy::{Gate, Location};
use crate::track::Emitter;

/// The gate, and the floor that it is compared with.
pub struct Doorway {
    gate: Option<Gate>,
    band_plan: BandPlan,
    floor_dbfs_per_hz: Option<f64>,
}

impl Doorway {
    /// With `gate`, if there is one; the floor is not known yet.
    pub fn new(gate: Option<Gate>, band_plan: BandPlan) -> Self {
        Self { gate, band_plan, floor_dbfs_per_hz: None }
    }

    /// A floor was seen.
    pub fn looked(&mut self, floor_dbfs_per_hz: f64) {
        if floor_dbfs_per_hz.is_finite() {
            let lowest = self.floor_dbfs_per_hz.map_or(floor_dbfs_per_hz, |low| low.min(floor_dbfs_per_hz));
            self.floor_dbfs_per_hz = Some(lowest);
        }
    }

    /// The receiver is another, or set up anew.
    pub fn opened(&mut self) {
        self.floor_dbfs_per_hz = None;
    }

    /// Where `emitter` is, taken for `device`, and why; `None` where the level tells nothing.
    pub fn locate(&self, emitter: &Emitter, device: Device) -> Option<(Location, String)> {
        let gate = self.gate.as_ref()?;
        let floor_dbfs_per_hz = self.floor_dbfs_per_hz?;
        if !(device.is_device() && emitter.place.absolute) {
            return None;
        }
        let center_hz = emitter.center_hz();
        let level_dbm = gate.level_dbm(emitter.typical_level_dbfs(), floor_dbfs_per_hz);
        Some(gate.locate(self.taken_for(device, center_hz), center_hz, level_dbm))
    }

    /// What has no name in a band where telephones send is as loud as a telephone.
    fn taken_for(&self, device: Device, center_hz: f64) -> Device {
        let phones = device == Device::OtherWireless
            && self.band_plan.at(center_hz).any(|allocation| {
                allocation.service == Service::Cellular && allocation.direction != Direction::Downlink
            });
        if phones { Device::MobilePhone } else { device }
    }
}
