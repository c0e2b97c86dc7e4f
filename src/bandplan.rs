//! Who may transmit where: a region's allocations, as far as they tell a device from infrastructure.
//!
//! The region is a prior on direction and on names of bands only: a signal is recognised wherever its structure
//! is seen. The data are in `config/regions/*.toml`; `config::regions` reads them.

/// Which end of a link transmits in an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The device (phone, handset).
    Uplink,
    /// The infrastructure (base station).
    Downlink,
    /// Both, in turns.
    Tdd,
    /// Whoever is there: no ends.
    Simplex,
}

/// What kind of service an allocation serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Mobile networks.
    Cellular,
    /// Wireless LAN, Bluetooth, 802.15.4, proprietary 2.4 GHz.
    Ism,
    /// Short-range devices: remote controls, meters, alarms.
    Srd,
    /// Walkie-talkies and other land mobile radio.
    LandMobile,
    /// Cordless telephones.
    Cordless,
    /// Wireless microphones and in-ear monitors.
    Microphone,
    /// FM and television broadcasting.
    Broadcast,
    /// Satellite telephones.
    Satellite,
    /// Aviation, maritime, navigation.
    Aeronautical,
    /// Analogue video links.
    Video,
}

/// A stretch of spectrum with one use.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// Lower edge, hertz.
    pub low_hz: f64,
    /// Upper edge, hertz.
    pub high_hz: f64,
    /// Short name for people, as "B3 uplink" or "2.4 GHz ISM".
    pub name: String,
    /// The kind of use.
    pub service: Service,
    /// Who transmits.
    pub direction: Direction,
    /// Channel raster, hertz, where there is one.
    pub raster_hz: Option<f64>,
    /// A frequency on the raster, hertz (a channel's centre).
    pub raster_origin_hz: Option<f64>,
}

/// All allocations of a region, by lower edge. Services may share spectrum; cellular never overlaps cellular.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BandPlan {
    /// `cn`, `eu` or `us`.
    pub region: String,
    /// Sorted by `low_hz`.
    pub allocations: Vec<Allocation>,
}

impl BandPlan {
    /// The allocations that contain `hz`.
    pub fn at(&self, hz: f64) -> impl Iterator<Item = &Allocation> {
        self.allocations.iter().filter(move |a| a.low_hz <= hz && hz < a.high_hz)
    }

    /// The allocation for `service` that contains `hz`; the narrowest, which says most, where there are several.
    pub fn find(&self, hz: f64, service: Service) -> Option<&Allocation> {
        let width = |a: &Allocation| a.high_hz - a.low_hz;
        self.at(hz).filter(|a| a.service == service).min_by(|a, b| width(a).total_cmp(&width(b)))
    }
}
