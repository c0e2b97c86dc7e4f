//! Zigbee, Thread and their like at 2.4 GHz.
//!
//! IEEE 802.15.4-2020 section 12: O-QPSK with half-sine pulses at 2 Mchip/s, four bits to one of 16 sequences of 32
//! chips (table 12-1), a header of 6 bytes, 32 us a byte; the acknowledgement follows 192 us (12 symbols, section
//! 10.1.3) later and has 5 bytes.

use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::check::{Check, range};
use super::pulse::{Pulse, burst};
use super::timeline::{Key, chance, ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

const CHIP_RATE: f64 = 2e6;
const SPS: usize = 4;
const RATE_HZ: f64 = CHIP_RATE * SPS as f64;
const BYTE_S: f64 = 32e-6;
/// Preamble, start of frame, length (section 12.1.1).
const HEADER_BYTES: u16 = 6;
const ACK_BYTES: u16 = 5;
const TURN_S: f64 = 192e-6;
/// The sequence of symbol 0 (table 12-1), chip 0 highest. The others turn it by four chips a step; those from 8
/// on have their odd chips inverted.
const CHIPS: u32 = 0b1101_1001_1100_0011_0101_0010_0010_1110;

const FRAME: u8 = 1;
const ACK: u8 = 2;

/// A node and the one it talks to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Frames a second, on the average.
    pub frames_per_s: f64,
    /// Fewest and most bytes of a frame, without the header.
    pub bytes: [u16; 2],
    /// Whether frames are acknowledged.
    pub acknowledged: bool,
    /// Power of the other node relative to the emitter's, dB.
    pub peer_level_db: f32,
    /// Carrier offset of the other node relative to the emitter's, hertz.
    pub peer_offset_hz: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            frames_per_s: 10.0,
            bytes: [12, 80],
            acknowledged: true,
            peer_level_db: -5.0,
            peer_offset_hz: 30e3,
        }
    }
}

/// Builds a node.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let zigbee: Params = params.parse()?;
    // The slowest exchange takes 4.9 ms.
    Check::new("frames_per_s", zigbee.frames_per_s).within(0.001, 180.0)?;
    range("bytes", zigbee.bytes.map(f64::from), 5.0, 127.0)?;
    Check::new("peer_level_db", f64::from(zigbee.peer_level_db)).within(-100.0, 100.0)?;
    Check::new("peer_offset_hz", zigbee.peer_offset_hz).within(-200e3, 200e3)?;
    Ok(Box::new(Zigbee::new(zigbee, seed)))
}

/// A node and the one it talks to.
#[derive(Debug)]
pub struct Zigbee {
    params: Params,
    seed: u64,
    pulse: Pulse,
}

impl Zigbee {
    /// When it talks follows from the seed.
    pub fn new(params: Params, seed: u64) -> Self {
        Self { params, seed, pulse: Pulse::half_sine(SPS) }
    }

    fn shot(&self, start_s: f64, kind: u8, bytes: u16, content: u64) -> Shot {
        let peer = kind == ACK;
        Shot {
            start_s,
            duration_s: f64::from(HEADER_BYTES + bytes) * BYTE_S,
            offset_hz: if peer { self.params.peer_offset_hz } else { 0.0 },
            level_db: if peer { self.params.peer_level_db } else { 0.0 },
            key: Key { kind, size: bytes }.pack(content),
            continues: false,
        }
    }

    /// Chip `k` of a frame whose bytes follow from a key: the header is eight zero symbols and 0xA7, low half
    /// first (sections 12.1.2, 12.1.3).
    fn chip(symbols: &[u8], k: i64) -> Option<bool> {
        let k = usize::try_from(k).ok()?;
        let symbol = u32::from(*symbols.get(k / 32)?);
        let place = (k % 32) as u32;
        let turned = CHIPS.rotate_right(4 * (symbol % 8)) << place >> 31 == 1;
        Some(turned ^ (symbol >= 8 && place % 2 == 1))
    }
}

impl Waveform for Zigbee {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let [least, most] = self.params.bytes;
        let cell_s = 1.0 / self.params.frames_per_s;
        let longest_s = f64::from(2 * HEADER_BYTES + most + ACK_BYTES) * BYTE_S + TURN_S;
        window(from_s, to_s, out, |push| {
            for cell in ticks(from_s - longest_s, to_s, cell_s, 0.0) {
                let at_s = cell as f64 * cell_s + (cell_s - longest_s) * chance(self.seed, 1, cell);
                let mut rng = Rng::keyed(&[self.seed, 2, cell as u64]);
                let bytes = least + rng.below(u64::from(most - least) + 1) as u16;
                let frame = self.shot(at_s, FRAME, bytes, word(self.seed, 3, cell));
                if self.params.acknowledged {
                    let answer_s = frame.start_s + frame.duration_s + TURN_S;
                    push(self.shot(answer_s, ACK, ACK_BYTES, word(self.seed, 4, cell)));
                }
                push(frame);
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let mut rng = Rng::new(shot.key);
        let count = 2 * usize::from(HEADER_BYTES + Key::unpack(shot.key).size);
        let mut symbols = vec![0u8; 8];
        symbols.extend([0x7, 0xA]);
        symbols.resize_with(count, || rng.below(16) as u8);
        let lead = 2 * SPS;
        // A chip's pulse begins with the chip and lasts two (section 12.2.6).
        let shift = (lead + SPS) as i64;
        let total = (lead + count * 32 * SPS + 3 * SPS) as i64;
        let samples = self.pulse.stream(-shift, total - shift, |k| {
            let Some(chip) = Self::chip(&symbols, k) else { return Complex32::ZERO };
            let rail = if chip { 1.0 } else { -1.0 };
            if k % 2 == 0 { Complex32::new(rail, 0.0) } else { Complex32::new(0.0, rail) }
        });
        burst(shot, RATE_HZ, lead, 1e-6, samples)
    }

    fn longest_s(&self) -> f64 {
        f64::from(HEADER_BYTES + 127) * BYTE_S + 10e-6
    }

    fn span_hz(&self) -> f64 {
        6e6
    }

    fn signal(&self) -> &'static str {
        "zigbee"
    }

    fn device(&self) -> &'static str {
        "other-wireless"
    }
}
