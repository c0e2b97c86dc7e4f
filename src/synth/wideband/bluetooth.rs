//! Bluetooth BR/EDR: a piconet of two, or a device that searches.
//!
//! Bluetooth Core 5.4 vol. 2: GFSK of BT 0.5 and index 0.28 to 0.35 at 1 Msymbol/s (part A section 3.1), pi/4-DQPSK
//! payloads through a root raised cosine of 0.4 (section 3.2), slots of 625 us, a new one of 79 channels for each
//! packet (part B section 2.2), packet formats of part B section 6.

use num_complex::Complex32;
use serde::{Deserialize, Serialize};
use std::f32::consts::FRAC_PI_4;

use super::check::Check;
use super::gfsk::{Gfsk, alternating, bits};
use super::pulse::Pulse;
use super::timeline::{Key, chance, ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

const SLOT_S: f64 = 625e-6;
const SPS: usize = 8;
const SYMBOL_RATE: f64 = 1e6;
/// Channel 0 (part A section 2); 79 of them, 1 MHz apart.
const FIRST_HZ: f64 = 2402e6;
const CHANNELS: u64 = 79;
/// Access code with trailer, and header, microseconds (part B sections 6.3, 6.4).
const ACCESS_US: u16 = 72;
const HEAD_US: u16 = ACCESS_US + 54;
/// An access code alone (part B section 6.5.1.1).
const ID_US: u16 = 68;
/// Guard and synchronisation sequence before a payload at 2 Mb/s (part B section 6.5.4; 5 + 11 us).
const EDR_GUARD_US: usize = 5;
const EDR_SYNC_US: u16 = 16;

const BASIC: u8 = 1;
const ENHANCED: u8 = 2;

/// What the piconet does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Traffic {
    /// A voice call to a headset: a pair of packets each 7.5 ms.
    #[default]
    Esco,
    /// Data or music one way, acknowledged.
    Acl,
    /// Connected and quiet: a poll and its answer each 25 ms (part B section 8.6.1, T_poll of 40 slots).
    Poll,
    /// Looking for devices, or for one of them: access codes at twice the pace.
    Inquiry,
}

/// A Bluetooth emitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// What the piconet does.
    pub traffic: Traffic,
    /// Slots of a data packet: 1, 3 or 5.
    pub packet_slots: u8,
    /// Part of the opportunities that data take.
    pub load: f64,
    /// Whether payloads are sent at 2 Mb/s.
    pub enhanced: bool,
    /// Range of frequencies that adaptive hopping leaves out, hertz.
    pub avoid_hz: Option<[f64; 2]>,
    /// Modulation index.
    pub index: f64,
    /// Power of the other end relative to the emitter's, dB.
    pub peer_level_db: f32,
    /// Carrier offset of the other end relative to the emitter's, hertz.
    pub peer_offset_hz: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            traffic: Traffic::Esco,
            packet_slots: 5,
            load: 0.5,
            enhanced: false,
            avoid_hz: None,
            index: 0.32,
            peer_level_db: -3.0,
            peer_offset_hz: -12e3,
        }
    }
}

/// Builds a piconet.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let bluetooth: Params = params.parse()?;
    if !matches!(bluetooth.packet_slots, 1 | 3 | 5) {
        return Err(format!("`packet_slots` is {}, but must be 1, 3 or 5", bluetooth.packet_slots));
    }
    Check::new("load", bluetooth.load).within(0.0, 1.0)?;
    Check::new("index", bluetooth.index).within(0.1, 1.0)?;
    Check::new("peer_level_db", f64::from(bluetooth.peer_level_db)).within(-100.0, 100.0)?;
    Check::new("peer_offset_hz", bluetooth.peer_offset_hz).within(-75e3, 75e3)?;
    let piconet = Bluetooth::new(bluetooth, params.freq_hz, seed);
    // Adaptive hopping keeps 20 channels (part B section 2.3.1).
    if piconet.channels_hz.len() < 20 {
        return Err("`avoid_hz` leaves fewer than 20 channels; make it narrower".to_owned());
    }
    Ok(Box::new(piconet))
}

/// A piconet.
#[derive(Debug)]
pub struct Bluetooth {
    params: Params,
    freq_hz: f64,
    seed: u64,
    /// Time of slot 0, one of the master's.
    phase_s: f64,
    channels_hz: Vec<f64>,
    gfsk: Gfsk,
    pulse: Pulse,
}

impl Bluetooth {
    /// `freq_hz` is what the channels are relative to.
    pub fn new(params: Params, freq_hz: f64, seed: u64) -> Self {
        let avoided = |hz: &f64| params.avoid_hz.is_some_and(|[low, high]| (low..=high).contains(hz));
        let channels_hz =
            (0..CHANNELS).map(|k| FIRST_HZ + 1e6 * k as f64).filter(|hz| !avoided(hz)).collect();
        let gfsk = Gfsk::new(SYMBOL_RATE, SPS, params.index);
        let pulse = Pulse::root_raised_cosine(SPS, 6, 0.4);
        Self { params, freq_hz, seed, phase_s: chance(seed, 1, 0) * 1.0, channels_hz, gfsk, pulse }
    }

    /// A packet in a slot; the other end sends in the odd ones.
    fn packet(&self, slot: i64, kind: u8, duration_us: u16) -> Shot {
        // With adaptive hopping the answer is on the question's channel (part B section 2.6.4.1).
        let hop = if self.params.avoid_hz.is_some() { slot.div_euclid(2) * 2 } else { slot };
        let channel = word(self.seed, 2, hop) as usize % self.channels_hz.len();
        let peer = slot.rem_euclid(2) == 1;
        Shot {
            start_s: self.phase_s + slot as f64 * SLOT_S,
            duration_s: f64::from(duration_us) * 1e-6,
            offset_hz: self.channels_hz[channel] - self.freq_hz
                + if peer { self.params.peer_offset_hz } else { 0.0 },
            level_db: if peer { self.params.peer_level_db } else { 0.0 },
            key: Key { kind, size: duration_us }.pack(word(self.seed, 3, slot)),
            continues: false,
        }
    }

    fn payload(&self, basic_us: u16, enhanced_us: u16) -> (u8, u16) {
        if self.params.enhanced {
            (ENHANCED, HEAD_US + EDR_SYNC_US + enhanced_us)
        } else {
            (BASIC, HEAD_US + basic_us)
        }
    }

    /// EV3 of 30 bytes, or 2-EV3 of 60, both ways each 12 slots, sometimes repeated in the retransmission window
    /// (part B sections 6.5.3, 8.6.3).
    fn esco(&self, turn: i64, push: &mut dyn FnMut(Shot)) {
        let (kind, us) = self.payload(256, 250);
        for attempt in 0..2 {
            if attempt == 0 || chance(self.seed, 4, turn) < 0.05 {
                push(self.packet(12 * turn + 2 * attempt, kind, us));
                push(self.packet(12 * turn + 2 * attempt + 1, kind, us));
            }
        }
    }

    /// A full packet of the largest format, answered by an empty one (DHn: part B table 6.10).
    fn acl(&self, turn: i64, push: &mut dyn FnMut(Shot)) {
        if chance(self.seed, 5, turn) >= self.params.load {
            return;
        }
        let slots = i64::from(self.params.packet_slots);
        let (kind, us) = match slots {
            1 => self.payload(240, 240),
            3 => self.payload(1496, 1486),
            _ => self.payload(2744, 2734),
        };
        let first = turn * (slots + 1);
        push(self.packet(first, kind, us));
        push(self.packet(first + slots, BASIC, HEAD_US));
    }

    fn poll(&self, turn: i64, push: &mut dyn FnMut(Shot)) {
        push(self.packet(40 * turn, BASIC, HEAD_US));
        push(self.packet(40 * turn + 1, BASIC, HEAD_US));
    }

    /// Two access codes in each of the master's slots, over trains of 16 of 32 channels, 256 times 10 ms a train
    /// (part B sections 8.3.2, 8.4.2).
    fn inquiry(&self, turn: i64, push: &mut dyn FnMut(Shot)) {
        let train = turn.div_euclid(8 * 256).rem_euclid(2);
        for half in 0..2 {
            let position = train * 16 + (2 * turn + half).rem_euclid(16);
            // 32 of all 79 channels (part B section 2.6.4.4), whatever adaptive hopping leaves out elsewhere.
            let channel = (word(self.seed, 6, 0) % CHANNELS + 23 * position as u64) % CHANNELS;
            let shot = self.packet(2 * turn, BASIC, ID_US);
            push(Shot {
                start_s: shot.start_s + half as f64 * SLOT_S / 2.0,
                offset_hz: FIRST_HZ + 1e6 * channel as f64 - self.freq_hz,
                ..shot
            });
        }
    }

    /// Adds a payload of differential phase: symbols from `from_us` after the shot's start to its end.
    fn add_dqpsk(&self, shot: &Shot, from_us: usize, iq: &mut ShotIq, rng: &mut Rng) {
        let end_us = (shot.duration_s * SYMBOL_RATE).round() as usize;
        let mut phase = rng.uniform() as f32 * std::f32::consts::TAU;
        let symbols: Vec<Complex32> = (from_us..end_us)
            .map(|_| {
                phase += FRAC_PI_4 * (1 + 2 * rng.below(4)) as f32;
                Complex32::from_polar(1.0, phase)
            })
            .collect();
        let lead = ((shot.start_s - iq.first_s) * iq.rate_hz).round() as i64;
        // Symbols peak in the middles of their microseconds.
        let shift = lead + (SPS / 2) as i64;
        let last = shift + ((end_us + 6) * SPS) as i64;
        iq.samples.resize(iq.samples.len().max(last as usize), Complex32::ZERO);
        let payload = self.pulse.stream(-shift, iq.samples.len() as i64 - shift, |k| {
            usize::try_from(k)
                .ok()
                .and_then(|k| k.checked_sub(from_us))
                .and_then(|k| symbols.get(k))
                .copied()
                .unwrap_or_default()
        });
        for (sample, value) in iq.samples.iter_mut().zip(payload) {
            *sample += value;
        }
    }
}

impl Waveform for Bluetooth {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let slots = match self.params.traffic {
            Traffic::Esco => 12,
            Traffic::Acl => i64::from(self.params.packet_slots) + 1,
            Traffic::Poll => 40,
            Traffic::Inquiry => 2,
        };
        window(from_s, to_s, out, |push| {
            for turn in ticks(from_s - 12.0 * SLOT_S, to_s, slots as f64 * SLOT_S, self.phase_s) {
                match self.params.traffic {
                    Traffic::Esco => self.esco(turn, push),
                    Traffic::Acl => self.acl(turn, push),
                    Traffic::Poll => self.poll(turn, push),
                    Traffic::Inquiry => self.inquiry(turn, push),
                }
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let mut rng = Rng::new(shot.key);
        let code = word(self.seed, 7, 0);
        let head = alternating(code & 1, 4).chain(bits(code, 64));
        if Key::unpack(shot.key).kind == BASIC {
            return self.gfsk.packet(shot, head, &mut rng);
        }
        let head_shot = Shot { duration_s: f64::from(HEAD_US) * 1e-6, ..*shot };
        let mut iq = self.gfsk.packet(&head_shot, head, &mut rng);
        self.add_dqpsk(shot, usize::from(HEAD_US) + EDR_GUARD_US, &mut iq, &mut rng);
        iq
    }

    fn longest_s(&self) -> f64 {
        5.0 * SLOT_S
    }

    fn span_hz(&self) -> f64 {
        3e6
    }

    fn signal(&self) -> &'static str {
        "bluetooth-classic"
    }

    fn device(&self) -> &'static str {
        "bluetooth-device"
    }
}
