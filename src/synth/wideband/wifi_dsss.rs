//! Wi-Fi DSSS and CCK: 802.11b, and the beacons and probes of most 2.4 GHz networks.
//!
//! IEEE 802.11-2020 clauses 15 and 16: 11 Mchip/s, Barker sequence of 11 chips with DBPSK (1 Mb/s) or DQPSK
//! (2 Mb/s), CCK of 8 chips (11 Mb/s), long preamble and header of 192 us at 1 Mb/s.

use num_complex::Complex32;
use serde::{Deserialize, Serialize};
use std::f32::consts::{FRAC_PI_2, PI};

use super::mac::{Air, Frame, Kind, Mac, Traffic};
use super::pulse::{Pulse, burst};
use super::timeline::{Key, window};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

const CHIP_RATE: f64 = 11e6;
const SPS: usize = 4;
const RATE_HZ: f64 = CHIP_RATE * SPS as f64;
/// Section 15.4.6.4.
const BARKER: [f32; 11] = [1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0];
/// Long preamble and header (section 16.2.2.2).
const HEAD_S: f64 = 192e-6;
/// A beacon of 250 bytes and a probe request of 80 at 1 Mb/s; an acknowledgement of 14 bytes at 2 Mb/s.
const BEACON_S: f64 = HEAD_S + 2000e-6;
const PROBE_S: f64 = HEAD_S + 640e-6;
const ACK_S: f64 = HEAD_S + 56e-6;
/// Section 16.3.4.
const SIFS_S: f64 = 10e-6;
const LONGEST_US: f64 = 4000.0;

/// Rate of the data frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataRate {
    /// 1 Mb/s, DBPSK.
    One,
    /// 2 Mb/s, DQPSK.
    Two,
    /// 11 Mb/s, CCK.
    #[default]
    Eleven,
}

/// A Wi-Fi station with DSSS.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Params {
    /// Rate of the data frames. Beacons and probes go at 1 Mb/s, acknowledgements at 2.
    pub data_rate: DataRate,
    /// What the station does.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Builds a station.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let wifi: Params = params.parse()?;
    super::known_keys(&wifi, params)?;
    wifi.traffic.check(LONGEST_US)?;
    Ok(Box::new(WifiDsss::new(wifi, seed)))
}

/// A station.
#[derive(Debug)]
pub struct WifiDsss {
    params: Params,
    mac: Mac,
    pulse: Pulse,
}

impl WifiDsss {
    /// Its schedule follows from the seed.
    pub fn new(params: Params, seed: u64) -> Self {
        let air = Air {
            beacon_s: BEACON_S,
            ack_s: ACK_S,
            probe_s: PROBE_S,
            sifs_s: SIFS_S,
            // Whole CCK symbols, which 8 microseconds of 11 are.
            data_s: |s| HEAD_S + ((s - HEAD_S).max(0.0) / 8e-6).round().max(1.0) * 8e-6,
        };
        let mac = Mac { traffic: params.traffic.clone(), air, seed };
        Self { params, mac, pulse: Pulse::new(SPS, 4, chip_pulse) }
    }

    fn shot(&self, frame: Frame) -> Shot {
        let rate = match frame.kind {
            Kind::Data => self.params.data_rate,
            Kind::Ack => DataRate::Two,
            Kind::Beacon | Kind::Probe => DataRate::One,
        };
        let traffic = &self.params.traffic;
        Shot {
            start_s: frame.start_s,
            duration_s: frame.duration_s,
            offset_hz: frame.offset_hz + if frame.from_peer { traffic.peer_offset_hz } else { 0.0 },
            level_db: if frame.from_peer { traffic.peer_level_db } else { 0.0 },
            key: Key { kind: rate as u8, size: 0 }.pack(frame.word),
            continues: false,
        }
    }
}

/// A chip, rectangular, through a low-pass at 7.7 MHz: inside the mask of section 16.3.7.4 (-30 dBr from 11 MHz), and
/// the 14 to 15 MHz (99 %) that certified transmitters have. Time in chips.
fn chip_pulse(t: f64) -> f64 {
    use std::f64::consts::PI;
    let (cut, reach, steps) = (0.7, 3.5, 16);
    let filter = |t: f64| {
        if t.abs() >= reach {
            return 0.0;
        }
        let x = 2.0 * cut * t;
        let sinc = if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) };
        sinc * (PI * t / (2.0 * reach)).cos().powi(2)
    };
    (0..steps).map(|i| filter(t - 0.5 + (f64::from(i) + 0.5) / f64::from(steps))).sum()
}

/// The chips of a frame: `microseconds` at 11 each.
fn chips(rate: u8, microseconds: usize, rng: &mut Rng) -> Vec<Complex32> {
    let mut chips = Vec::with_capacity(11 * microseconds);
    let mut phase = 0f32;
    let head = (HEAD_S * 1e6) as usize;
    let barker = |phase: f32, chips: &mut Vec<Complex32>| {
        chips.extend(BARKER.iter().map(|c| Complex32::from_polar(1.0, phase) * *c));
    };
    for _ in 0..head.min(microseconds) {
        phase += PI * rng.below(2) as f32;
        barker(phase, &mut chips);
    }
    let rest = 11 * microseconds.saturating_sub(head);
    if rate == DataRate::Eleven as u8 {
        for _ in 0..rest / 8 {
            chips.extend(complementary_code(&mut phase, rng));
        }
        return chips;
    }
    let (points, turn) = if rate == DataRate::Two as u8 { (4, FRAC_PI_2) } else { (2, PI) };
    for _ in 0..rest / 11 {
        phase = (phase + turn * rng.below(points) as f32) % (2.0 * PI);
        barker(phase, &mut chips);
    }
    chips
}

/// One CCK symbol (section 16.3.6.6): the first phase is differential, the other three say which code.
fn complementary_code(phase: &mut f32, rng: &mut Rng) -> [Complex32; 8] {
    let mut quarter = || FRAC_PI_2 * rng.below(4) as f32;
    *phase = (*phase + quarter()) % (2.0 * PI);
    let (a, b, c, d) = (*phase, quarter(), quarter(), quarter());
    let angles = [a + b + c + d, a + c + d, a + b + d, a + d + PI, a + b + c, a + c, a + b + PI, a];
    angles.map(|angle| Complex32::from_polar(1.0, angle))
}

impl Waveform for WifiDsss {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        window(from_s, to_s, out, |push| self.mac.frames(from_s, to_s, &mut |frame| push(self.shot(frame))));
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let mut rng = Rng::new(shot.key);
        let microseconds = (shot.duration_s * 1e6).round() as usize;
        let chips = chips(Key::unpack(shot.key).kind, microseconds, &mut rng);
        let lead = 2 * SPS;
        // A chip's middle lies half a chip after its start; beyond the ends the last chips go on.
        let shift = (lead + SPS / 2) as i64;
        let total = (chips.len() * SPS + 2 * lead) as i64;
        let last = chips.len() as i64 - 1;
        let samples = self.pulse.stream(-shift, total - shift, |k| chips[k.clamp(0, last) as usize]);
        // Switching is much faster than the 2 us that section 16.3.7.6 allows.
        burst(shot, RATE_HZ, lead, 0.3e-6, samples)
    }

    fn longest_s(&self) -> f64 {
        LONGEST_US * 1e-6 + 10e-6
    }

    fn span_hz(&self) -> f64 {
        26e6
    }

    fn signal(&self) -> &'static str {
        "wifi-dsss"
    }

    fn device(&self) -> &'static str {
        "wireless-network-card"
    }
}
