//! Who transmits when on a Wi-Fi channel: one station as the emitter, and the one it talks to.
//!
//! IEEE 802.11-2020: beacons at multiples of the beacon interval in units of 1024 us (section 11.1.3.2), an
//! acknowledgement one SIFS after a frame (section 10.3.2.3), probe requests while scanning (section 11.1.4.3).

use serde::{Deserialize, Serialize};

use super::check::{Check, range};
use super::timeline::{Arrivals, chance, ticks, word};
use crate::synth::Rng;

/// A time unit (section 3.1), seconds.
const TIME_UNIT_S: f64 = 1024e-6;
/// Channel access delays a beacon by a few backoff slots.
const BEACON_DELAY_S: f64 = 200e-6;

/// What the emitter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// An access point: beacons, and data to a client.
    #[default]
    AccessPoint,
    /// A client: data to an access point, which answers.
    Client,
    /// A client that looks for a network.
    Probe,
}

/// What a station does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// What the emitter is.
    pub role: Role,
    /// Beacon interval, time units.
    pub beacon_tu: u16,
    /// Data frames a second.
    pub frames_per_s: f64,
    /// Shortest and longest data frame, microseconds.
    pub frame_us: [f64; 2],
    /// Part of the data frames that the other end sends and this one acknowledges.
    pub reverse: f64,
    /// Whether the other end is heard at all.
    pub peer: bool,
    /// Power of the other end relative to the emitter's, dB.
    pub peer_level_db: f32,
    /// Carrier offset of the other end relative to the emitter's, hertz.
    pub peer_offset_hz: f64,
    /// Mean time between scans, seconds.
    pub scan_gap_s: f64,
    /// Channels that a scan visits, hertz from the emitter's frequency.
    pub scan_offsets_hz: Vec<f64>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            role: Role::AccessPoint,
            beacon_tu: 100,
            frames_per_s: 30.0,
            frame_us: [100.0, 400.0],
            reverse: 0.0,
            peer: true,
            peer_level_db: -6.0,
            peer_offset_hz: 24e3,
            scan_gap_s: 120.0,
            scan_offsets_hz: vec![0.0],
        }
    }
}

impl Traffic {
    /// Checks what a scene gave; `longest_us` is the longest frame that the physical layer allows.
    pub fn check(&self, longest_us: f64) -> Result<(), String> {
        Check::new("beacon_tu", f64::from(self.beacon_tu)).within(10.0, 10_000.0)?;
        Check::new("reverse", self.reverse).within(0.0, 1.0)?;
        Check::new("peer_level_db", f64::from(self.peer_level_db)).within(-100.0, 100.0)?;
        Check::new("peer_offset_hz", self.peer_offset_hz).within(-300e3, 300e3)?;
        Check::new("scan_gap_s", self.scan_gap_s).within(0.5, 1e9)?;
        range("frame_us", self.frame_us, 24.0, longest_us)?;
        for offset in &self.scan_offsets_hz {
            Check::new("scan_offsets_hz", *offset).within(-1e9, 1e9)?;
        }
        // An exchange takes its frame, an acknowledgement and the pauses around them.
        Check::new("frames_per_s", self.frames_per_s).within(0.0, 1e6 / (self.frame_us[1] + 400.0))
    }
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An access point's.
    Beacon,
    /// A data frame.
    Data,
    /// An acknowledgement.
    Ack,
    /// A probe request.
    Probe,
}

/// A frame on the air.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// Start, seconds.
    pub start_s: f64,
    /// Duration, seconds.
    pub duration_s: f64,
    /// Whether the other end sends it.
    pub from_peer: bool,
    /// Channel relative to the emitter's frequency, hertz.
    pub offset_hz: f64,
    /// What its content is drawn from.
    pub word: u64,
}

/// How long frames take on the physical layer, seconds.
#[derive(Debug, Clone, Copy)]
pub struct Air {
    /// A beacon.
    pub beacon_s: f64,
    /// An acknowledgement.
    pub ack_s: f64,
    /// A probe request.
    pub probe_s: f64,
    /// Between a frame and its acknowledgement.
    pub sifs_s: f64,
    /// A data frame of about so long.
    pub data_s: fn(f64) -> f64,
}

/// A station's schedule.
#[derive(Debug, Clone)]
pub struct Mac {
    /// What it does.
    pub traffic: Traffic,
    /// Its physical layer.
    pub air: Air,
    /// What chance is drawn from.
    pub seed: u64,
}

impl Mac {
    /// Calls `each` with every frame that may start in `[from, to)`, and with some beside.
    pub fn frames(&self, from_s: f64, to_s: f64, each: &mut dyn FnMut(Frame)) {
        if self.traffic.role == Role::Probe {
            return self.scans(from_s, to_s, each);
        }
        if self.traffic.role == Role::AccessPoint {
            for n in self.beacons(from_s, to_s) {
                each(self.beacon(n));
            }
        }
        if self.traffic.frames_per_s > 0.0 {
            let cell_s = 1.0 / self.traffic.frames_per_s;
            for cell in ticks(from_s - 0.01, to_s, cell_s, 0.0) {
                self.exchange(cell, cell_s, each);
            }
        }
    }

    fn beacon_interval_s(&self) -> f64 {
        f64::from(self.traffic.beacon_tu) * TIME_UNIT_S
    }

    fn beacons(&self, from_s: f64, to_s: f64) -> std::ops::RangeInclusive<i64> {
        let interval_s = self.beacon_interval_s();
        ticks(from_s, to_s, interval_s, chance(self.seed, 1, 0) * interval_s)
    }

    fn beacon(&self, n: i64) -> Frame {
        let interval_s = self.beacon_interval_s();
        let target_s = (chance(self.seed, 1, 0) + n as f64) * interval_s;
        Frame {
            kind: Kind::Beacon,
            start_s: target_s + chance(self.seed, 2, n) * BEACON_DELAY_S,
            duration_s: self.air.beacon_s,
            from_peer: false,
            offset_hz: 0.0,
            // Much of a beacon is the same each time, its scrambling is not.
            word: word(self.seed, 3, n),
        }
    }

    /// A data frame and its acknowledgement somewhere in a cell, unless a beacon is in the way.
    fn exchange(&self, cell: i64, cell_s: f64, each: &mut dyn FnMut(Frame)) {
        let mut rng = Rng::keyed(&[self.seed, 4, cell as u64]);
        let [least, most] = self.traffic.frame_us;
        let data_s = (self.air.data_s)((least + (most - least) * rng.uniform()) * 1e-6);
        let whole_s = data_s + self.air.sifs_s + self.air.ack_s;
        let start_s = cell as f64 * cell_s + (cell_s - whole_s).max(0.0) * rng.uniform();
        let from_peer = rng.uniform() < self.traffic.reverse;
        if self.traffic.role == Role::AccessPoint && self.meets_beacon(start_s, start_s + whole_s) {
            return;
        }
        let data = Frame {
            kind: Kind::Data,
            start_s,
            duration_s: data_s,
            from_peer,
            offset_hz: 0.0,
            word: rng.next_u64(),
        };
        let ack = Frame {
            kind: Kind::Ack,
            start_s: start_s + data_s + self.air.sifs_s,
            duration_s: self.air.ack_s,
            from_peer: !from_peer,
            offset_hz: 0.0,
            word: rng.next_u64(),
        };
        for frame in [data, ack] {
            if self.traffic.peer || !frame.from_peer {
                each(frame);
            }
        }
    }

    fn meets_beacon(&self, from_s: f64, to_s: f64) -> bool {
        let guard_s = 50e-6;
        self.beacons(from_s - 5e-3, to_s + 5e-3).map(|n| self.beacon(n)).any(|beacon| {
            beacon.start_s < to_s + guard_s && beacon.start_s + beacon.duration_s > from_s - guard_s
        })
    }

    /// Two requests on each channel, 20 ms apart, 110 ms a channel.
    fn scans(&self, from_s: f64, to_s: f64, each: &mut dyn FnMut(Frame)) {
        let dwell_s = 0.11;
        let longest_s = dwell_s * (self.traffic.scan_offsets_hz.len() + 1) as f64;
        let scans = Arrivals { seed: self.seed, mean_gap_s: self.traffic.scan_gap_s };
        scans.events(from_s - longest_s, to_s, |word, at_s| {
            let mut rng = Rng::new(word);
            for (i, offset_hz) in self.traffic.scan_offsets_hz.iter().enumerate() {
                for repeat in 0..2 {
                    let wait_s = 1e-3 * rng.uniform() + 20e-3 * f64::from(repeat);
                    each(Frame {
                        kind: Kind::Probe,
                        start_s: at_s + dwell_s * i as f64 + wait_s,
                        duration_s: self.air.probe_s,
                        from_peer: false,
                        offset_hz: *offset_hz,
                        word: rng.next_u64(),
                    });
                }
            }
        });
    }
}
