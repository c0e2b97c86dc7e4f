//! In the room or outside: the gate that a device's level must pass.
//!
//! One antenna tells no distance. What it tells is whether a device of this kind, at the other end of the room and
//! behind somebody, would be heard at least this loud; what is fainter is likely outside. Levels are compared in dBm,
//! which follow from the floor: the noise of a receiver is that of its noise figure, whatever its scale.

use crate::classify::Device;
use std::f64::consts::PI;

/// Thermal noise at 290 K, dBm in one hertz (ITU-R P.372, kT₀).
const THERMAL_DBM_PER_HZ: f64 = -173.98;
/// Metres a second.
const LIGHT_M_PER_S: f64 = 299_792_458.0;
/// What a body between, a pocket and fading take, dB: a choice, half of it for a body, half for fading.
const SHADED_DB: f64 = 12.0;
/// No gate is higher, dBm: at low frequencies a room is within a wavelength or two, and free space does not hold.
const HIGHEST_DBM: f64 = -45.0;
/// From the gate up to this above it may be either, dB: what is shaded inside is as loud as what is not outside.
const UNCERTAIN_DB: f64 = 12.0;
/// Size of a room unless somebody measured it, metres from the antenna to the farthest seat.
pub const ROOM_M: f64 = 6.0;

/// Where an emitter is, as far as its level tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// Fainter than a device of its kind in the room would be.
    Outside,
    /// May be either.
    Uncertain,
    /// As loud as a device of its kind in the room.
    Inside,
}

impl Location {
    /// As the API says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Uncertain => "uncertain",
            Self::Inside => "in-room",
        }
    }
}

/// The gates of a room.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// Noise figure of the receiver at the gain to search with, dB.
    pub noise_figure_db: f64,
    /// From the antenna to the farthest seat, metres.
    pub room_m: f64,
}

impl Gate {
    /// Level at the antenna that corresponds to `level_dbfs` over a floor of `floor_dbfs_per_hz`, dBm.
    pub fn level_dbm(&self, level_dbfs: f64, floor_dbfs_per_hz: f64) -> f64 {
        level_dbfs - floor_dbfs_per_hz + THERMAL_DBM_PER_HZ + self.noise_figure_db
    }

    /// What `device` at `center_hz` must reach to be in the room, dBm.
    pub fn threshold_dbm(&self, device: Device, center_hz: f64) -> f64 {
        let path_db = 20.0 * (4.0 * PI * self.room_m * center_hz / LIGHT_M_PER_S).log10();
        (eirp_dbm(device) - path_db.max(0.0) - SHADED_DB).min(HIGHEST_DBM)
    }

    /// Where `device` is, heard at `center_hz` with `level_dbm`, and the sentence that says why.
    pub fn locate(&self, device: Device, center_hz: f64, level_dbm: f64) -> (Location, String) {
        let threshold_dbm = self.threshold_dbm(device, center_hz);
        let above_db = level_dbm - threshold_dbm;
        let (location, words) = match above_db {
            _ if above_db < 0.0 => (Location::Outside, "likely outside the room"),
            _ if above_db < UNCERTAIN_DB => (Location::Uncertain, "perhaps in the room"),
            _ => (Location::Inside, "likely in the room"),
        };
        let sentence = format!(
            "{words}: about {level_dbm:.0} dBm at the antenna, a {} within {:.0} m reaches {threshold_dbm:.0} dBm",
            device.as_str(),
            self.room_m
        );
        (location, sentence)
    }
}

/// What a device of this kind sends with at least in ordinary use, dBm (EIRP). Where there is power control, what a
/// telephone takes near a base station.
fn eirp_dbm(device: Device) -> f64 {
    match device {
        // 3GPP TS 45.005 4.1: GSM 900 goes down to 5 dBm. LTE goes down to -40 (TS 36.101 6.3.2): only beside a base station.
        Device::MobilePhone => 5.0,
        // ECC/DEC/(15)05: PMR446 up to 500 mW; toys and low settings 10 mW.
        Device::WalkieTalkie => 10.0,
        // EN 300 175-2: 250 mW in the burst.
        Device::CordlessPhone => 24.0,
        // ERC/REC 70-03 annex 10: 10 mW.
        Device::WirelessMicrophone => 10.0,
        // EN 300 328 4.3.1.2: up to 20 dBm; cards in laptops use 15 and more.
        Device::WirelessNetworkCard => 15.0,
        // Core 5.4 Vol 6 Part A 3: 0 dBm is usual for class 2 and advertisers; proprietary links are of the same chips.
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Gate = Gate { noise_figure_db: 11.0, room_m: 8.0 };

    #[test]
    fn gates_are_those_of_free_space_less_twelve_decibels() {
        // Friis by hand: 20 log10(4 pi 8 m / 0.1229 m) = 58.25 dB at 2.44 GHz, 46.76 dB at 650 MHz.
        let ble = ROOM.threshold_dbm(Device::BluetoothDevice, 2.44e9);
        assert!((ble + 70.25).abs() < 0.1, "{ble}");
        let card = ROOM.threshold_dbm(Device::WirelessNetworkCard, 2.44e9);
        assert!((card + 55.25).abs() < 0.1, "{card}");
        let microphone = ROOM.threshold_dbm(Device::WirelessMicrophone, 650e6);
        assert!((microphone + 48.77).abs() < 0.1, "{microphone}");
        // A bug at 92 MHz is not asked to be louder than the highest gate.
        assert_eq!(ROOM.threshold_dbm(Device::WirelessMicrophone, 92e6), HIGHEST_DBM);
    }

    #[test]
    fn the_floor_gives_the_scale() {
        // Noise of -163 dBm/Hz at -133 dBFS/Hz: full scale is -30 dBm.
        let level_dbm = ROOM.level_dbm(-28.0, -133.0);
        assert!((level_dbm + 58.0).abs() < 0.1, "{level_dbm}");
    }

    #[test]
    fn location_rises_with_the_level_and_says_so() {
        let at = |dbm| ROOM.locate(Device::BluetoothDevice, 2.44e9, dbm);
        assert_eq!(at(-75.0).0, Location::Outside);
        assert_eq!(at(-65.0).0, Location::Uncertain);
        assert_eq!(at(-50.0).0, Location::Inside);
        assert_eq!(
            at(-65.0).1,
            "perhaps in the room: about -65 dBm at the antenna, a bluetooth-device within 8 m reaches -70 dBm"
        );
    }
}
