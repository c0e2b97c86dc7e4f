//! A wireless keyboard or mouse of the nRF24 kind with its dongle.
//!
//! Enhanced ShockBurst (nRF24L01+ product specification section 7): preamble 1 byte, address 5, packet control 9
//! bits, payload, check 2 bytes; GFSK with +-160 kHz at 1 Mb/s and +-320 kHz at 2 Mb/s (section 6.1), answered
//! 130 us later on the same channel, repeated after multiples of 250 us when the answer fails to come.

use serde::{Deserialize, Serialize};

use super::check::{Check, range};
use super::gfsk::{Gfsk, alternating, bits};
use super::timeline::{Key, chance, ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

/// Preamble, address, packet control and check, bits.
const FRAME_BITS: u16 = 8 + 40 + 9 + 16;
/// From reception to transmission (section 6.1.7: 130 us).
const TURN_S: f64 = 130e-6;
/// Unit of the delay before a repetition (ARD).
const RETRY_S: f64 = 250e-6;
/// Packets for a key going down and up again, in steps of the polling period.
const PER_KEY: i64 = 6;

const DEVICE: u8 = 1;
const DONGLE: u8 = 2;

/// What the user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Traffic {
    /// Types in spells.
    #[default]
    Keyboard,
    /// Moves without a pause: a packet each period.
    Mouse,
}

/// A keyboard or mouse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What the user does.
    pub traffic: Traffic,
    /// Bit rate, Mb/s: 1 or 2.
    pub rate_mbps: u8,
    /// Payload, bytes.
    pub payload_bytes: u8,
    /// Time between packets while in use, milliseconds.
    pub period_ms: f64,
    /// Keys a second while typing.
    pub keys_per_s: f64,
    /// Shortest and longest spell of typing, seconds.
    pub spell_s: [f64; 2],
    /// Mean pause between spells, seconds; 0 for typing without end.
    pub pause_s: f64,
    /// Part of the packets that must be repeated.
    pub lost: f64,
    /// Channels relative to the emitter's frequency, hertz, one at a time.
    pub channel_offsets_hz: Vec<f64>,
    /// How long it stays on a channel, seconds.
    pub stay_s: f64,
    /// Power of the dongle relative to the emitter's, dB.
    pub peer_level_db: f32,
    /// Carrier offset of the dongle relative to the emitter's, hertz.
    pub peer_offset_hz: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            traffic: Traffic::Keyboard,
            rate_mbps: 2,
            payload_bytes: 22,
            period_ms: 8.0,
            keys_per_s: 4.0,
            spell_s: [3.0, 15.0],
            pause_s: 30.0,
            lost: 0.05,
            channel_offsets_hz: vec![0.0],
            stay_s: 60.0,
            peer_level_db: 0.0,
            peer_offset_hz: 25e3,
        }
    }
}

/// Builds a keyboard or mouse.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let esb: Params = params.parse()?;
    Check::new("rate_mbps", f64::from(esb.rate_mbps)).within(1.0, 2.0)?;
    Check::new("payload_bytes", f64::from(esb.payload_bytes)).within(0.0, 32.0)?;
    Check::new("period_ms", esb.period_ms).within(2.0, 1000.0)?;
    Check::new("keys_per_s", esb.keys_per_s).within(0.1, 1000.0 / (esb.period_ms * PER_KEY as f64))?;
    range("spell_s", esb.spell_s, 0.1, 3600.0)?;
    Check::new("pause_s", esb.pause_s).within(0.0, 1e6)?;
    Check::new("lost", esb.lost).within(0.0, 1.0)?;
    Check::new("stay_s", esb.stay_s).within(0.1, 1e9)?;
    Check::new("peer_level_db", f64::from(esb.peer_level_db)).within(-100.0, 100.0)?;
    Check::new("peer_offset_hz", esb.peer_offset_hz).within(-200e3, 200e3)?;
    if esb.channel_offsets_hz.is_empty() {
        return Err("`channel_offsets_hz` is empty; give at least one channel".to_owned());
    }
    Ok(Box::new(Esb::new(esb, seed)))
}

/// A keyboard or mouse with its dongle.
#[derive(Debug)]
pub struct Esb {
    params: Params,
    seed: u64,
    bit_rate: f64,
    gfsk: Gfsk,
}

impl Esb {
    /// The rhythm of its user follows from the seed.
    pub fn new(params: Params, seed: u64) -> Self {
        let (bit_rate, sps) = if params.rate_mbps == 2 { (2e6, 4) } else { (1e6, 8) };
        // Both deviations are 0.16 of the bit rate.
        Self { params, seed, bit_rate, gfsk: Gfsk::new(bit_rate, sps, 0.32) }
    }

    fn duration_s(&self, bits: u16) -> f64 {
        f64::from(bits) / self.bit_rate
    }

    /// Whether the user is at it. Each cell of mean spell and mean pause has one spell somewhere within.
    fn is_active(&self, at_s: f64) -> bool {
        if self.params.pause_s <= 0.0 {
            return true;
        }
        let [least, most] = self.params.spell_s;
        let cell_s = (least + most) / 2.0 + self.params.pause_s;
        let cell = (at_s / cell_s).floor() as i64;
        let mut rng = Rng::keyed(&[self.seed, 1, cell as u64]);
        let spell_s = (least + (most - least) * rng.uniform()).min(cell_s);
        let from_s = rng.uniform() * (cell_s - spell_s);
        (from_s..from_s + spell_s).contains(&(at_s - cell as f64 * cell_s))
    }

    fn shot(&self, start_s: f64, kind: u8, bits: u16, content: u64) -> Shot {
        let stay = (start_s / self.params.stay_s).floor() as i64;
        let channel = word(self.seed, 2, stay) as usize % self.params.channel_offsets_hz.len();
        let peer = kind == DONGLE;
        Shot {
            start_s,
            duration_s: self.duration_s(bits),
            offset_hz: self.params.channel_offsets_hz[channel]
                + if peer { self.params.peer_offset_hz } else { 0.0 },
            level_db: if peer { self.params.peer_level_db } else { 0.0 },
            key: Key { kind, size: bits }.pack(content),
            continues: false,
        }
    }

    /// A packet and its answer; if it was lost, the same packet again and then the answer.
    fn exchange(&self, number: i64, at_s: f64, push: &mut dyn FnMut(Shot)) {
        let bits = FRAME_BITS + 8 * u16::from(self.params.payload_bytes);
        let content = word(self.seed, 3, number);
        let mut packet = self.shot(at_s, DEVICE, bits, content);
        if chance(self.seed, 4, number) < self.params.lost {
            push(packet);
            // The delay counts from the packet's end and must cover the answer.
            packet = self.shot(packet.start_s + packet.duration_s + 2.0 * RETRY_S, DEVICE, bits, content);
        }
        push(packet);
        let answer_s = packet.start_s + packet.duration_s + TURN_S;
        push(self.shot(answer_s, DONGLE, FRAME_BITS, !content));
    }
}

impl Waveform for Esb {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let period_s = self.params.period_ms * 1e-3;
        let phase_s = chance(self.seed, 5, 0) * period_s;
        window(from_s, to_s, out, |push| match self.params.traffic {
            Traffic::Mouse => {
                for n in ticks(from_s - 5e-3, to_s, period_s, phase_s) {
                    self.exchange(n, phase_s + n as f64 * period_s, push);
                }
            }
            Traffic::Keyboard => {
                let key_s = 1.0 / self.params.keys_per_s;
                for key in ticks(from_s - key_s - 5e-3, to_s, key_s, 0.0) {
                    // Within its time, the instant of a key is random; its packets keep the grid of the polls.
                    let room_s = key_s - PER_KEY as f64 * period_s;
                    let at_s = key as f64 * key_s + room_s * chance(self.seed, 6, key);
                    let first = ((at_s - phase_s) / period_s).ceil();
                    if self.is_active(at_s) {
                        for i in 0..PER_KEY {
                            self.exchange(key * PER_KEY + i, phase_s + (first + i as f64) * period_s, push);
                        }
                    }
                }
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let address = word(self.seed, 7, 0);
        let head = alternating(address & 1, 8).chain(bits(address, 40));
        self.gfsk.packet(shot, head, &mut Rng::new(shot.key))
    }

    fn longest_s(&self) -> f64 {
        self.duration_s(FRAME_BITS + 8 * 32) + 10e-6
    }

    fn span_hz(&self) -> f64 {
        2.5 * self.bit_rate
    }

    fn signal(&self) -> &'static str {
        "esb"
    }

    fn device(&self) -> &'static str {
        "wireless-keyboard"
    }
}
