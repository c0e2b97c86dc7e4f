//! DECT: a base's beacon, and a call between base and handset.
//!
//! ETSI EN 300 175-2: GFSK of BT 0.5 and index 0.5 at 1.152 Mb/s (clause 5), frames of 10 ms with 24 slots of 480
//! bits (clause 4.2.2, 4.3); a full slot's packet P32 has 424 bits, a short one P00 96 (clause 4.4). The two ends
//! of a call are half a frame apart.

use serde::{Deserialize, Serialize};

use super::check::Check;
use super::gfsk::{Gfsk, alternating, bits};
use super::timeline::{Key, chance, ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

const BIT_RATE: f64 = 1.152e6;
const SPS: usize = 8;
const FRAME_S: f64 = 10e-3;
const SLOT_S: f64 = FRAME_S / 24.0;
/// Bits of a full packet without the optional Z field's guard, and of a short one (clause 4.4.2).
const FULL_BITS: u16 = 424;
const SHORT_BITS: u16 = 96;
/// Synchronisation words of base and handset (clause 4.6): sent highest bit first.
const BASE_SYNC: u64 = 0xE98A;
const HANDSET_SYNC: u64 = 0x1675;

const BASE: u8 = 1;
const HANDSET: u8 = 2;

/// What is on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A base that nobody uses.
    Beacon,
    /// Base and handset.
    #[default]
    Call,
    /// The handset's half of a call.
    Handset,
}

/// A DECT emitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What is on the air.
    pub role: Role,
    /// The base's slot, 0 to 11.
    pub slot: u8,
    /// Whether an idle base sends short packets.
    pub short_beacon: bool,
    /// Power of the handset relative to the emitter's, dB; not used for a handset alone.
    pub peer_level_db: f32,
    /// Carrier offset of the handset relative to the emitter's, hertz; not used for a handset alone.
    pub peer_offset_hz: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { role: Role::Call, slot: 4, short_beacon: true, peer_level_db: 0.0, peer_offset_hz: 20e3 }
    }
}

/// Builds a beacon or a call.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let dect: Params = params.parse()?;
    Check::new("slot", f64::from(dect.slot)).within(0.0, 11.0)?;
    Check::new("peer_level_db", f64::from(dect.peer_level_db)).within(-100.0, 100.0)?;
    Check::new("peer_offset_hz", dect.peer_offset_hz).within(-50e3, 50e3)?;
    Ok(Box::new(Dect::new(dect, seed)))
}

/// A beacon or a call.
#[derive(Debug)]
pub struct Dect {
    params: Params,
    seed: u64,
    phase_s: f64,
    gfsk: Gfsk,
}

impl Dect {
    /// The frame's timing follows from the seed.
    pub fn new(params: Params, seed: u64) -> Self {
        Self { params, seed, phase_s: chance(seed, 1, 0) * FRAME_S, gfsk: Gfsk::new(BIT_RATE, SPS, 0.5) }
    }

    fn shot(&self, frame: i64, kind: u8, bits: u16) -> Shot {
        let slot = self.params.slot + if kind == HANDSET { 12 } else { 0 };
        let peer = kind == HANDSET && self.params.role == Role::Call;
        Shot {
            start_s: self.phase_s + frame as f64 * FRAME_S + f64::from(slot) * SLOT_S,
            duration_s: f64::from(bits) / BIT_RATE,
            offset_hz: if peer { self.params.peer_offset_hz } else { 0.0 },
            level_db: if peer { self.params.peer_level_db } else { 0.0 },
            key: Key { kind, size: bits }.pack(word(self.seed, 1 + u64::from(kind), frame)),
            continues: false,
        }
    }
}

impl Waveform for Dect {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        window(from_s, to_s, out, |push| {
            for frame in ticks(from_s - FRAME_S, to_s, FRAME_S, self.phase_s) {
                match self.params.role {
                    Role::Beacon if self.params.short_beacon => push(self.shot(frame, BASE, SHORT_BITS)),
                    Role::Beacon => push(self.shot(frame, BASE, FULL_BITS)),
                    Role::Handset => push(self.shot(frame, HANDSET, FULL_BITS)),
                    Role::Call => {
                        push(self.shot(frame, BASE, FULL_BITS));
                        push(self.shot(frame, HANDSET, FULL_BITS));
                    }
                }
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let (first, sync) = match Key::unpack(shot.key).kind {
            HANDSET => (0, HANDSET_SYNC),
            _ => (1, BASE_SYNC),
        };
        let head = alternating(first, 16).chain(bits(sync.reverse_bits() >> 48, 16));
        self.gfsk.packet(shot, head, &mut Rng::new(shot.key))
    }

    fn longest_s(&self) -> f64 {
        SLOT_S
    }

    fn span_hz(&self) -> f64 {
        3e6
    }

    fn signal(&self) -> &'static str {
        "dect"
    }

    fn device(&self) -> &'static str {
        "cordless-phone"
    }
}
