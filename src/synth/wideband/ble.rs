//! Bluetooth Low Energy: an advertiser, and a connection with both its ends.
//!
//! Bluetooth Core 5.4 vol. 6: GFSK of BT 0.5 and index 0.5 at 1 or 2 Msymbol/s (part A section 3.1), advertising on
//! 2402, 2426 and 2480 MHz (part B section 1.4.1) at an interval plus a random delay of up to 10 ms (part B
//! section 4.4.2.2), connection events on 37 channels, ends 150 us apart (part B sections 4.1.1, 4.5).

use serde::{Deserialize, Serialize};

use super::check::{Check, range};
use super::gfsk::{Gfsk, alternating, bits};
use super::timeline::{Delays, Key, chance, ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

/// Between packets of one event (part B section 4.1.1).
const INTERFRAME_S: f64 = 150e-6;
/// Largest advertising delay (part B section 4.4.2.2.1).
const DELAY_S: f64 = 10e-3;
/// Advertising channels, hertz.
const ADVERTISING_HZ: [f64; 3] = [2402e6, 2426e6, 2480e6];
/// Access address of all advertising (part B section 2.1.2).
const ADVERTISING_ADDRESS: u64 = 0x8E89_BED6;
/// Access address, header and check: 32 + 16 + 24 bits (part B section 2.1).
const FRAME_BITS: usize = 72;
/// An advertiser's own address, bytes (part B section 2.3.1).
const ADDRESS_BYTES: usize = 6;

const ADVERTISING: u8 = 1;
const CENTRAL: u8 = 2;
const PERIPHERAL: u8 = 3;
const SCANNER: u8 = 4;

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Advertises.
    #[default]
    Advertiser,
    /// Two devices exchange data.
    Connection,
}

/// A BLE emitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What it does.
    pub role: Role,
    /// Advertising or connection interval, milliseconds; that of a connection is rounded to 1.25 ms.
    pub interval_ms: f64,
    /// Fewest and most bytes of data in a packet: an advertiser draws one length for all of its packets.
    pub data_bytes: [u16; 2],
    /// Symbol rate of a connection, Msymbol/s: 1 or 2.
    pub phy: u8,
    /// From the end of an advertising packet to the next channel's, microseconds.
    pub channel_gap_us: f64,
    /// Part of an advertiser's events in which a scanner asks and is answered.
    pub scanned: f64,
    /// Part of a connection's events that carry data; the others are empty packets.
    pub load: f64,
    /// Power of the peripheral (of a scanner) relative to the emitter's, dB.
    pub peer_level_db: f32,
    /// Carrier offset of the peer relative to the emitter's, hertz.
    pub peer_offset_hz: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            role: Role::Advertiser,
            interval_ms: 100.0,
            data_bytes: [15, 31],
            phy: 1,
            channel_gap_us: 500.0,
            scanned: 0.0,
            load: 0.5,
            peer_level_db: -3.0,
            peer_offset_hz: 15e3,
        }
    }
}

/// Builds an advertiser or a connection.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let ble: Params = params.parse()?;
    let (least, most_bytes) = if ble.role == Role::Advertiser { (20.0, 31.0) } else { (7.5, 251.0) };
    Check::new("interval_ms", ble.interval_ms).within(least, 10_240.0)?;
    range("data_bytes", ble.data_bytes.map(f64::from), 0.0, most_bytes)?;
    Check::new("phy", f64::from(ble.phy)).within(1.0, 2.0)?;
    Check::new("channel_gap_us", ble.channel_gap_us).within(0.0, 5000.0)?;
    Check::new("scanned", ble.scanned).within(0.0, 1.0)?;
    Check::new("load", ble.load).within(0.0, 1.0)?;
    Check::new("peer_level_db", f64::from(ble.peer_level_db)).within(-100.0, 100.0)?;
    Check::new("peer_offset_hz", ble.peer_offset_hz).within(-150e3, 150e3)?;
    Ok(Box::new(Ble::new(ble, params.freq_hz, seed)))
}

/// An advertiser or a connection.
#[derive(Debug)]
pub struct Ble {
    params: Params,
    freq_hz: f64,
    seed: u64,
    gfsk: Gfsk,
    symbol_rate: f64,
}

impl Ble {
    /// `freq_hz` is what the channels are relative to.
    pub fn new(params: Params, freq_hz: f64, seed: u64) -> Self {
        let fast = params.role == Role::Connection && params.phy == 2;
        // 8 MS/s either way.
        let (symbol_rate, sps) = if fast { (2e6, 4) } else { (1e6, 8) };
        Self { params, freq_hz, seed, gfsk: Gfsk::new(symbol_rate, sps, 0.5), symbol_rate }
    }

    /// Preamble: 8 us, as bits (part B section 2.1.1).
    fn preamble(&self) -> usize {
        (8e-6 * self.symbol_rate).round() as usize
    }

    fn duration_s(&self, bytes: usize) -> f64 {
        (self.preamble() + FRAME_BITS + 8 * bytes) as f64 / self.symbol_rate
    }

    fn shot(&self, start_s: f64, channel_hz: f64, bytes: usize, kind: u8, content: u64) -> Shot {
        let peer = matches!(kind, PERIPHERAL | SCANNER);
        Shot {
            start_s,
            duration_s: self.duration_s(bytes),
            offset_hz: channel_hz - self.freq_hz + if peer { self.params.peer_offset_hz } else { 0.0 },
            level_db: if peer { self.params.peer_level_db } else { 0.0 },
            key: Key { kind, size: 0 }.pack(content),
            continues: false,
        }
    }

    fn draw_bytes(&self, rng: &mut Rng) -> usize {
        let [least, most] = self.params.data_bytes.map(usize::from);
        least + rng.below((most - least) as u64 + 1) as usize
    }

    /// One advertising event: three channels in turn, and on one of them perhaps a scanner's question.
    fn advertise(&self, event: i64, at_s: f64, push: &mut dyn FnMut(Shot)) {
        let bytes = ADDRESS_BYTES + self.draw_bytes(&mut Rng::keyed(&[self.seed, 1]));
        let scanned = chance(self.seed, 2, event) < self.params.scanned;
        let asked = word(self.seed, 3, event) as usize % ADVERTISING_HZ.len();
        let mut at_s = at_s;
        for (i, channel_hz) in ADVERTISING_HZ.into_iter().enumerate() {
            let content = word(self.seed, 4 + i as u64, event);
            push(self.shot(at_s, channel_hz, bytes, ADVERTISING, content));
            at_s += self.duration_s(bytes);
            if scanned && i == asked {
                let question =
                    self.shot(at_s + INTERFRAME_S, channel_hz, 2 * ADDRESS_BYTES, SCANNER, content);
                let answer_s = question.start_s + question.duration_s + INTERFRAME_S;
                push(question);
                push(self.shot(answer_s, channel_hz, bytes, ADVERTISING, !content));
                at_s = answer_s + self.duration_s(bytes);
            }
            at_s += self.params.channel_gap_us * 1e-6;
        }
    }

    /// One connection event: the central, then the peripheral (part B section 4.5.1). Channel selection 2 is a
    /// pseudo-random permutation; a random draw stands for it.
    fn exchange(&self, event: i64, at_s: f64, push: &mut dyn FnMut(Shot)) {
        let mut rng = Rng::keyed(&[self.seed, 7, event as u64]);
        let channel_hz = data_channel_hz(rng.below(37));
        let busy = rng.uniform() < self.params.load;
        let mut bytes = |from_central: bool| match busy && (from_central == (rng.below(2) == 0)) {
            true => self.draw_bytes(&mut rng),
            false => 0,
        };
        let (first, second) = (bytes(true), bytes(false));
        let central = self.shot(at_s, channel_hz, first, CENTRAL, rng.next_u64());
        let answer_s = central.start_s + central.duration_s + INTERFRAME_S;
        push(central);
        push(self.shot(answer_s, channel_hz, second, PERIPHERAL, rng.next_u64()));
    }

    fn event_s(&self) -> f64 {
        6.0 * self.duration_s(usize::from(self.params.data_bytes[1]) + ADDRESS_BYTES) + 20e-3
    }
}

/// Frequency of a data channel (part B section 1.4.1), hertz.
fn data_channel_hz(channel: u64) -> f64 {
    let first = if channel < 11 { 2404e6 } else { 2406e6 };
    first + 2e6 * channel as f64
}

impl Waveform for Ble {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let interval_s = self.params.interval_ms * 1e-3;
        let phase_s = chance(self.seed, 8, 0) * interval_s;
        window(from_s, to_s, out, |push| match self.params.role {
            Role::Advertiser => {
                let delays = Delays { seed: self.seed, interval_s, spread_s: DELAY_S, phase_s };
                delays.events(from_s - self.event_s(), to_s, |event, at_s| self.advertise(event, at_s, push));
            }
            Role::Connection => {
                let interval_s = (interval_s / 1.25e-3).round() * 1.25e-3;
                for event in ticks(from_s - self.event_s(), to_s, interval_s, phase_s) {
                    self.exchange(event, phase_s + event as f64 * interval_s, push);
                }
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let mut rng = Rng::new(shot.key);
        let kind = Key::unpack(shot.key).kind;
        let advertises = matches!(kind, ADVERTISING | SCANNER);
        let address = if advertises { ADVERTISING_ADDRESS } else { word(self.seed, 9, 0) & 0xFFFF_FFFF };
        let head = alternating(address & 1, self.preamble()).chain(bits(address, 32));
        self.gfsk.packet(shot, head, &mut rng)
    }

    fn longest_s(&self) -> f64 {
        self.duration_s(usize::from(self.params.data_bytes[1]).max(31) + ADDRESS_BYTES) + 10e-6
    }

    fn span_hz(&self) -> f64 {
        3.0 * self.symbol_rate
    }

    fn signal(&self) -> &'static str {
        "ble"
    }

    fn device(&self) -> &'static str {
        "bluetooth-device"
    }
}
