//! The plan itself: what is looked at, where, how long and how often.

use super::ability::ReceiverAbility;
use crate::classify::Device;
use serde::{Deserialize, Serialize};

/// A stretch of spectrum that must be covered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// As the region's allocations call it: "B3 uplink", "2.4 GHz ISM".
    pub name: String,
    /// Lower edge, hertz.
    pub low_hz: f64,
    /// Upper edge, hertz.
    pub high_hz: f64,
    /// Whose band it is.
    pub devices: Vec<Device>,
    /// The emission that must not pass between two looks lasts this long, seconds.
    pub event_s: f64,
}

/// Which of the interleaved loops a tuning belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loop {
    /// Every tuning, each look as short as tells what it is: emissions that outlast the retune.
    Tripwire,
    /// Few tunings that take much of the time: bursts shorter than the retune. Confirming takes its time from here.
    Dense,
}

/// One place to listen at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Centres that visits take in turn, hertz: where one hides signals under the receiver's offset, the other does
    /// not. The same twice where nothing of interest lies in the middle.
    pub centers_hz: [f64; 2],
    /// What both centres can use, lower edge, hertz.
    pub low_hz: f64,
    /// Upper edge, hertz.
    pub high_hz: f64,
    /// Loop that it belongs to.
    pub of: Loop,
    /// Looking time of a visit, settling not counted, seconds; jitter is around it.
    pub dwell_s: f64,
    /// Visits a superframe, at least 1.
    pub visits: u16,
    /// Bands that it covers a part of, as indexes of [`ReceiverPlan::bands`].
    pub bands: Vec<u16>,
}

/// Time after which a receiver that stays where it is books what it saw, seconds.
const PARKED_S: f64 = 0.1;

/// What one receiver does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceiverPlan {
    /// The receiver's name.
    pub receiver: String,
    /// Complex samples a second.
    pub rate_hz: f64,
    /// Width around the centre that is used, hertz.
    pub usable_hz: f64,
    /// Width around the centre that its own offset covers, hertz.
    pub offset_hz: f64,
    /// Retune to first good sample, seconds.
    pub settle_s: f64,
    /// Steps that the gain can go down.
    pub gain_steps: u8,
    /// Sum of all visits with their settling, seconds.
    pub superframe_s: f64,
    /// By lower edge.
    pub tunings: Vec<Tuning>,
    /// Bands that some tuning covers a part of, by lower edge.
    pub bands: Vec<Band>,
}

impl ReceiverPlan {
    /// Time between two visits of `tuning`, on average, seconds.
    pub fn revisit_s(&self, tuning: &Tuning) -> f64 {
        self.superframe_s / f64::from(tuning.visits.max(1))
    }

    /// Share of the receiver's time that `tuning` takes, settling included.
    pub fn share(&self, tuning: &Tuning) -> f64 {
        f64::from(tuning.visits) * self.cost_s(tuning) / self.superframe_s
    }

    /// Share of the receiver's time that is looked at.
    pub fn looked_share(&self) -> f64 {
        let looked_s: f64 = self.tunings.iter().map(|t| f64::from(t.visits) * t.dwell_s).sum();
        looked_s / self.superframe_s
    }

    /// What a visit of `tuning` takes, seconds. A receiver with nowhere else to go settles once and for all.
    pub fn cost_s(&self, tuning: &Tuning) -> f64 {
        if self.is_parked() { tuning.dwell_s } else { self.settle_s + tuning.dwell_s }
    }

    /// The plan of a receiver that stays at `center_hz`: everything it sees there, all of the time.
    pub fn parked(receiver: &ReceiverAbility, center_hz: f64) -> Self {
        let (low_hz, high_hz) = (center_hz - receiver.usable_hz / 2.0, center_hz + receiver.usable_hz / 2.0);
        let tuning = Tuning {
            centers_hz: [center_hz; 2],
            low_hz,
            high_hz,
            of: Loop::Dense,
            dwell_s: PARKED_S,
            visits: 1,
            bands: vec![0],
        };
        let band = Band {
            name: format!("{:.3} MHz", center_hz / 1e6),
            low_hz,
            high_hz,
            devices: Device::ALL.iter().copied().filter(|device| device.is_device()).collect(),
            event_s: PARKED_S,
        };
        Self {
            receiver: receiver.name.clone(),
            rate_hz: receiver.rate_hz,
            usable_hz: receiver.usable_hz,
            offset_hz: receiver.offset_hz,
            settle_s: receiver.settle_s,
            gain_steps: receiver.gain_steps,
            superframe_s: PARKED_S,
            tunings: vec![tuning],
            bands: vec![band],
        }
    }

    /// Whether it never retunes.
    pub fn is_parked(&self) -> bool {
        matches!(self.tunings.as_slice(), [only] if only.centers_hz[0] == only.centers_hz[1])
    }
}

/// A band that must be covered and is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unseen {
    /// As the region's allocations call it.
    pub name: String,
    /// Lower edge of what no receiver reaches, hertz.
    pub low_hz: f64,
    /// Upper edge, hertz.
    pub high_hz: f64,
    /// Whose band it is.
    pub devices: Vec<Device>,
}

impl From<Band> for Unseen {
    fn from(band: Band) -> Self {
        Self { name: band.name, low_hz: band.low_hz, high_hz: band.high_hz, devices: band.devices }
    }
}

/// What all receivers do together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanPlan {
    /// The region.
    pub region: String,
    /// All bands that must be covered, by lower edge.
    pub bands: Vec<Band>,
    /// In the order that the receivers were given in; one with nothing to do has no tunings.
    pub receivers: Vec<ReceiverPlan>,
    /// What none of them reaches, by lower edge.
    pub unseen: Vec<Unseen>,
}
