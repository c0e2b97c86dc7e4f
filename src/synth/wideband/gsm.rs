//! GSM: a phone in a call, and a base station's BCCH carrier.
//!
//! GMSK of BT 0.3 at 1625/6 ksymbol/s (3GPP TS 45.004), eight slots of 156.25 symbols to a frame of 60/13 ms, 26
//! frames to a traffic multiframe of 120 ms (TS 45.002 sections 4.3, 5.2 and 7).

use num_complex::Complex32;
use serde::{Deserialize, Serialize};
use std::f64::consts::FRAC_PI_2;

use super::check::Check;
use super::pulse::{Cpm, burst, grid};
use super::timeline::{chance, ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

/// TS 45.004 section 2.1.
const SYMBOL_RATE: f64 = 1_625_000.0 / 6.0;
const SPS: usize = 8;
const RATE_HZ: f64 = SYMBOL_RATE * SPS as f64;
/// Symbols in a slot (TS 45.002 section 5.2).
const SLOT_SYMBOLS: f64 = 156.25;
const FRAME_S: f64 = 8.0 * SLOT_SYMBOLS / SYMBOL_RATE;
/// Symbols of a normal burst without its guard period (TS 45.002 section 5.2.3).
const BURST_SYMBOLS: usize = 148;
/// Training sequence 0 (TS 45.002 table 5.2.3a).
const TRAINING: u32 = 0b00_1001_0111_0000_1000_1001_0111;
/// Half power lies this far outside of the 148 symbols: the mask of TS 45.005 annex B has 0 dB over the useful
/// part, -6 dB at 10 to 18 us and -30 dB at 18 to 28 us from it.
const MARGIN_S: f64 = 5e-6;
const RAMP_S: f64 = 12e-6;
/// Power beyond is under -60 dBc (TS 45.005 section 4.2.1).
const SPAN_HZ: f64 = 800e3;

/// Which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A phone on a full-rate traffic channel.
    #[default]
    Uplink,
    /// The carrier of a cell that bears the BCCH: all slots, always at full power.
    Downlink,
}

/// A GSM emitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Which end.
    pub role: Role,
    /// The slot of the frame, 0 to 7.
    pub slot: u8,
    /// Carriers it hops over, hertz from the emitter's frequency, in random order frame by frame. Empty: none.
    pub hop_offsets_hz: Vec<f64>,
    /// Whether the phone falls silent when its user does (TS 46.031).
    pub dtx: bool,
    /// Part of the time that the user talks.
    pub talk: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { role: Role::Uplink, slot: 2, hop_offsets_hz: Vec::new(), dtx: false, talk: 0.45 }
    }
}

/// Builds either end.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let gsm: Params = params.parse()?;
    Check::new("talk", gsm.talk).within(0.0, 1.0)?;
    Check::new("slot", f64::from(gsm.slot)).within(0.0, 7.0)?;
    for offset in &gsm.hop_offsets_hz {
        Check::new("hop_offsets_hz", *offset).within(-100e6, 100e6)?;
    }
    Ok(match gsm.role {
        Role::Uplink => Box::new(Uplink::new(gsm, seed)),
        Role::Downlink => Box::new(Downlink::new(seed)),
    })
}

fn modulator() -> Cpm {
    Cpm::gaussian(SPS, 0.3, 0.5)
}

/// A phone in a call.
#[derive(Debug)]
pub struct Uplink {
    params: Params,
    seed: u64,
    /// Time of frame 0 of multiframe 0.
    phase_s: f64,
    cpm: Cpm,
}

impl Uplink {
    /// A call; the network's frame timing follows from the seed.
    pub fn new(params: Params, seed: u64) -> Self {
        let phase_s = chance(seed, 1, 0) * 104.0 * FRAME_S;
        Self { params, seed, phase_s, cpm: modulator() }
    }

    /// Whether the phone transmits in a frame (TS 45.002 clause 7 table 1, TS 45.008 section 8.3): frame 12 of 26
    /// is the SACCH, 25 idle; in silence only the SACCH and the eight frames 52 to 59 of 104 with the comfort
    /// noise remain.
    fn transmits(&self, frame: i64) -> bool {
        match frame.rem_euclid(26) {
            12 => true,
            25 => false,
            _ if !self.params.dtx => true,
            // Talk spurts and pauses in units of the 0.48 s between comfort noise updates.
            _ => {
                (52..60).contains(&frame.rem_euclid(104))
                    || chance(self.seed, 2, frame.div_euclid(104)) < self.params.talk
            }
        }
    }

    fn shot(&self, frame: i64) -> Shot {
        let slot_s = f64::from(self.params.slot) * SLOT_SYMBOLS / SYMBOL_RATE;
        let carriers = &self.params.hop_offsets_hz;
        let pick = word(self.seed, 3, frame) as usize;
        Shot {
            start_s: self.phase_s + frame as f64 * FRAME_S + slot_s - MARGIN_S,
            duration_s: BURST_SYMBOLS as f64 / SYMBOL_RATE + 2.0 * MARGIN_S,
            offset_hz: if carriers.is_empty() { 0.0 } else { carriers[pick % carriers.len()] },
            level_db: 0.0,
            key: word(self.seed, 4, frame),
            continues: false,
        }
    }
}

impl Waveform for Uplink {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        window(from_s, to_s, out, |push| {
            for frame in ticks(from_s, to_s, FRAME_S, self.phase_s) {
                if self.transmits(frame) {
                    push(self.shot(frame));
                }
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let mut rng = Rng::new(shot.key);
        let training = |i: usize| TRAINING >> (25 - i) & 1;
        let bits = (0..BURST_SYMBOLS).map(|i| match i {
            0..3 | 145.. => 0,
            61..87 => training(i - 61),
            _ => rng.next_u64() as u32 & 1,
        });
        // Ones before and after (TS 45.004 section 2.2); successive equal bits raise the phase (section 2.3).
        let pad = 8;
        let mut last = 1;
        let mut levels = vec![1f32; pad];
        for bit in bits.chain(std::iter::repeat_n(1, pad)) {
            levels.push(if bit == last { 1.0 } else { -1.0 });
            last = bit;
        }
        let phase = rng.uniform() * std::f64::consts::TAU;
        let samples = self.cpm.modulate(&levels, phase);
        let lead = self.cpm.lead() + pad * SPS;
        let margin = (MARGIN_S * RATE_HZ).round() as usize;
        let mut iq = burst(shot, RATE_HZ, lead - margin, RAMP_S, samples);
        // What rounding the margin to whole samples moved.
        iq.first_s += MARGIN_S - margin as f64 / RATE_HZ;
        iq
    }

    fn longest_s(&self) -> f64 {
        600e-6
    }

    fn span_hz(&self) -> f64 {
        SPAN_HZ
    }

    fn signal(&self) -> &'static str {
        "gsm"
    }

    fn device(&self) -> &'static str {
        "mobile-phone"
    }
}

/// A BCCH carrier.
#[derive(Debug)]
pub struct Downlink {
    seed: u64,
    cpm: Cpm,
}

/// Symbols of a frame.
const FRAME_SYMBOLS: i64 = 1250;

impl Downlink {
    /// A cell's carrier.
    pub fn new(seed: u64) -> Self {
        Self { seed, cpm: modulator() }
    }

    /// Phase state, in quarter turns, after symbol `k`. GMSK moves a quarter turn a symbol, up or down: any
    /// choice of states whose parity follows that of `k` is a possible message, and needs no history.
    fn state(&self, k: i64) -> i64 {
        let (frame, symbol) = (k.div_euclid(FRAME_SYMBOLS), k.rem_euclid(FRAME_SYMBOLS));
        // The frequency correction burst, in slot 0 of frames 0, 10, 20, 30, 40 of 51 (TS 45.002 clause 7), is
        // 148 equal bits: a tone 1/4 symbol rate above the carrier.
        let correction =
            symbol < BURST_SYMBOLS as i64 && matches!(frame.rem_euclid(51), 0 | 10 | 20 | 30 | 40);
        if correction { k } else { k + 2 * self.bit(k) }
    }

    fn bit(&self, k: i64) -> i64 {
        // 64 symbols to a word.
        (word(self.seed, 5, k.div_euclid(64)) >> k.rem_euclid(64) & 1) as i64
    }

    /// Samples of the endless stream whose symbol `k` starts at sample `k * SPS`.
    fn stream(&self, from: i64, to: i64) -> Vec<Complex32> {
        let spare = 8;
        let first = from.div_euclid(SPS as i64) - spare;
        let last = to.div_euclid(SPS as i64) + spare;
        let mut before = self.state(first - 1);
        let phase = FRAC_PI_2 * before.rem_euclid(4) as f64;
        let levels: Vec<f32> = (first..=last)
            .map(|k| {
                let after = self.state(k);
                let up = (after - before).rem_euclid(4) == 1;
                before = after;
                if up { 1.0 } else { -1.0 }
            })
            .collect();
        let samples = self.cpm.modulate(&levels, phase);
        let skip = (from - first * SPS as i64) as usize + self.cpm.lead();
        samples[skip..skip + (to - from) as usize].to_vec()
    }
}

impl Waveform for Downlink {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let frame_samples = FRAME_SYMBOLS * SPS as i64;
        window(from_s, to_s, out, |push| {
            for frame in ticks(from_s, to_s, FRAME_S, 0.0) {
                push(Shot {
                    start_s: (frame * frame_samples) as f64 / RATE_HZ,
                    duration_s: frame_samples as f64 / RATE_HZ,
                    offset_hz: 0.0,
                    level_db: 0.0,
                    key: frame as u64,
                    continues: true,
                });
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let (from, to) = grid(shot, RATE_HZ);
        ShotIq { rate_hz: RATE_HZ, first_s: from as f64 / RATE_HZ, samples: self.stream(from, to) }
    }

    fn longest_s(&self) -> f64 {
        FRAME_S
    }

    fn span_hz(&self) -> f64 {
        SPAN_HZ
    }

    fn continuous(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "gsm"
    }

    fn device(&self) -> &'static str {
        "infrastructure"
    }
}
