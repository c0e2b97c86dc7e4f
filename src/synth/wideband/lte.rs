//! LTE: a phone's uplink (SC-FDMA), in paired spectrum or in a TDD band.
//!
//! 3GPP TS 36.211 section 5: subframes of 1 ms, resource blocks of 12 subcarriers at 15 kHz, DFT-spread with
//! demodulation reference signals in symbols 3 and 10, PUCCH as two half-millisecond blips at opposite edges of
//! the carrier, PRACH of 839 subcarriers at 1.25 kHz, SRS in the last symbol.

use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::check::{Check, range};
use super::lte_downlink::Downlink;
use super::numerology::{Numerology, RAMP_S, SYMBOLS, TONES, Tones, allowed_blocks, numbered, reference};
use super::ofdm::{Constellation, Ofdm, qpsk};
use super::phone::{Phone, Traffic, Use};
use super::prach::Prach;
use super::timeline::{Key, chance, ticks, window_joining, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

/// A subframe (TS 36.211 section 4).
const SUBFRAME_S: f64 = 1e-3;
/// A resource block, hertz.
const BLOCK_HZ: f64 = 180e3;
/// Transform size of a PUCCH, and the least of a PUSCH.
const LEAST_SIZE: usize = 128;

const PUSCH: u8 = 1;
const PUCCH_FIRST: u8 = 2;
const PUCCH_SECOND: u8 = 3;
const PRACH: u8 = 4;
const SRS: u8 = 5;

/// Which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A phone.
    #[default]
    Uplink,
    /// A cell.
    Downlink,
}

/// An LTE emitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Which end.
    pub role: Role,
    /// Resource blocks of the carrier: 6, 15, 25, 50, 75 or 100 (TS 36.101 section 5.6).
    pub blocks: u16,
    /// Whether both ends share the carrier in turns.
    pub tdd: bool,
    /// Time of a frame's beginning, seconds, shared by all ends of a TDD network. By default that of frequency
    /// division follows from the seed, that of time division is 0.
    pub frame_s: Option<f64>,
    /// What the phone does.
    pub traffic: Traffic,
    /// Part of the uplink subframes that a streaming phone uses; part of the blocks that a cell's traffic fills.
    pub load: f64,
    /// Fewest and most blocks of an allocation. The emitter's power is that of the most: the density is constant.
    pub allocation: [u16; 2],
    /// Mean time between the sessions of an idle phone, seconds, beside one at each beginning of an on-time.
    pub session_gap_s: f64,
    /// Time between sounding reference signals, milliseconds; 0 for none.
    pub srs_ms: u16,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            role: Role::Uplink,
            blocks: 50,
            tdd: false,
            frame_s: None,
            traffic: Traffic::Stream,
            load: 0.3,
            allocation: [2, 10],
            session_gap_s: 300.0,
            srs_ms: 0,
        }
    }
}

/// Builds either end.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let lte: Params = params.parse()?;
    Check::new("blocks", f64::from(lte.blocks)).within(6.0, 100.0)?;
    Check::new("load", lte.load).within(0.0, 1.0)?;
    Check::new("frame_s", lte.frame_s.unwrap_or(0.0)).within(-1.0, 1.0)?;
    Check::new("session_gap_s", lte.session_gap_s).within(0.1, 1e9)?;
    range("allocation", lte.allocation.map(f64::from), 1.0, f64::from(lte.blocks) - 2.0)?;
    Ok(match lte.role {
        Role::Uplink => Box::new(Uplink::new(lte, &params.on, seed)),
        Role::Downlink => Box::new(Downlink::new(lte, seed)),
    })
}

/// A phone.
pub struct Uplink {
    params: Params,
    seed: u64,
    phone: Phone,
    /// Transform precoding by number of blocks.
    precoders: BTreeMap<u16, Arc<dyn Fft<f32>>>,
    /// One rate for all, so that the renderer needs one filter.
    grid: Numerology,
    ofdm: Ofdm,
    prach: Prach,
}

impl fmt::Debug for Uplink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uplink")
            .field("params", &self.params)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl Uplink {
    /// A phone that is switched on at each beginning of `on`.
    pub fn new(params: Params, on: &[[f64; 2]], seed: u64) -> Self {
        let mut planner = FftPlanner::new();
        let precoders: BTreeMap<u16, Arc<dyn Fft<f32>>> = (1..=params.allocation[1])
            .filter(|m| allowed_blocks(usize::from(*m)))
            .map(|m| (m, planner.plan_fft_forward(usize::from(m) * TONES)))
            .collect();
        let widest = if params.srs_ms > 0 { params.blocks } else { params.allocation[1] };
        let grid = Numerology { mu: 0, size: Ofdm::size_for(usize::from(widest) * TONES, LEAST_SIZE) };
        let ofdm = Ofdm::half_shifted(grid.size);
        let phone = Phone {
            seed,
            slots_per_ms: 1,
            phase_s: params.frame_s.unwrap_or(if params.tdd { 0.0 } else { chance(seed, 1, 0) * 10e-3 }),
            // TDD configuration 2 (TS 36.211 table 4.2-2), the usual one of TD-LTE networks.
            turn: params.tdd.then_some((5, 2)),
            traffic: params.traffic,
            load: params.load,
            session_gap_s: params.session_gap_s,
            starts_s: on.iter().map(|on| on[0]).collect(),
        };
        Self { params, seed, phone, precoders, grid, ofdm, prach: Prach::format_0() }
    }

    fn pusch(&self, subframe: i64, most: u16) -> Shot {
        let mut rng = Rng::keyed(&[self.seed, 10, subframe as u64]);
        let least = self.params.allocation[0].min(most);
        let sizes: Vec<u16> = self.precoders.keys().copied().filter(|m| (least..=most).contains(m)).collect();
        let fallback = self.precoders.keys().copied().filter(|m| *m <= most).max().unwrap_or(1);
        let m = sizes.get(rng.below(sizes.len().max(1) as u64) as usize).copied().unwrap_or(fallback);
        // The outermost block on either side is the PUCCH's.
        let first = 1 + rng.below(u64::from(self.params.blocks - 2 - m) + 1) as u16;
        Shot {
            start_s: self.phone.start_s(subframe),
            duration_s: SUBFRAME_S,
            offset_hz: self.offset_hz(first, m),
            level_db: self.level_db(m),
            key: Key { kind: PUSCH, size: m }.pack(rng.next_u64()),
            continues: false,
        }
    }

    /// Centre of an allocation relative to the carrier's, hertz.
    fn offset_hz(&self, first: u16, blocks: u16) -> f64 {
        (f64::from(first) + (f64::from(blocks) - f64::from(self.params.blocks)) / 2.0) * BLOCK_HZ
    }

    /// Power at constant density (TS 36.213 section 5.1.1.1: the term 10 log M), dB.
    fn level_db(&self, blocks: u16) -> f32 {
        10.0 * (f32::from(blocks) / f32::from(self.params.allocation[1])).log10()
    }

    fn pucch(&self, subframe: i64, push: &mut dyn FnMut(Shot)) {
        let lower_first = word(self.seed, 11, subframe) & 1 == 0;
        for (slot, kind) in [PUCCH_FIRST, PUCCH_SECOND].into_iter().enumerate() {
            let lower = lower_first == (slot == 0);
            push(Shot {
                start_s: self.phone.start_s(subframe) + slot as f64 * SUBFRAME_S / 2.0,
                duration_s: SUBFRAME_S / 2.0,
                offset_hz: self.offset_hz(if lower { 0 } else { self.params.blocks - 1 }, 1),
                level_db: self.level_db(1),
                key: Key { kind, size: 1 }.pack(word(self.seed, 12, subframe)),
                continues: false,
            });
        }
    }

    fn prach(&self, subframe: i64) -> Shot {
        // Six blocks, kept clear of the edges (prach-FrequencyOffset).
        let first = if self.params.blocks > 12 { 4 } else { 0 };
        Shot {
            start_s: self.phone.start_s(subframe),
            duration_s: self.prach.duration_s(),
            offset_hz: self.offset_hz(first, 6),
            level_db: self.level_db(6),
            key: Key { kind: PRACH, size: 6 }.pack(word(self.seed, 13, subframe)),
            continues: false,
        }
    }

    fn srs(&self, subframe: i64) -> Shot {
        let blocks = self.params.blocks & !3;
        Shot {
            start_s: self.phone.start_s(subframe) + self.grid.start_s(SYMBOLS - 1),
            duration_s: SUBFRAME_S - self.grid.start_s(SYMBOLS - 1),
            offset_hz: self.offset_hz((self.params.blocks - blocks) / 2, blocks),
            level_db: self.level_db(blocks),
            key: Key { kind: SRS, size: blocks }.pack(word(self.seed, 14, subframe)),
            continues: false,
        }
    }

    /// Symbols of transform-precoded data with reference signals at 3 and 10.
    fn pusch_symbols(&self, m: u16, rng: &mut Rng) -> Vec<Tones> {
        let count = usize::from(m) * TONES;
        let constellation = if rng.below(3) == 0 { Constellation::Qam16 } else { Constellation::Qpsk };
        let scale = 1.0 / (count as f32).sqrt();
        (0..SYMBOLS)
            .map(|l| {
                if l % 7 == 3 {
                    return numbered(reference(rng.next_u64(), count), 1);
                }
                let mut values: Vec<Complex32> =
                    (0..count).map(|_| constellation.draw(rng) * scale).collect();
                if let Some(dft) = self.precoders.get(&m) {
                    dft.process(&mut values);
                }
                numbered(values, 1)
            })
            .collect()
    }

    /// Seven symbols of PUCCH format 2 (TS 36.211 section 5.4.2): a shifted base sequence each, references at 1
    /// and 5.
    fn pucch_symbols(&self, rng: &mut Rng) -> Vec<Tones> {
        (0..SYMBOLS / 2)
            .map(|l| {
                let turn = std::f32::consts::TAU * rng.below(12) as f32 / 12.0;
                let data = if matches!(l, 1 | 5) { Complex32::ONE } else { qpsk(rng) };
                let shift =
                    |(n, v): (usize, Complex32)| v * data * Complex32::from_polar(1.0, turn * n as f32);
                numbered(reference(0, TONES).into_iter().enumerate().map(shift), 1)
            })
            .collect()
    }
}

impl Waveform for Uplink {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let from_before = from_s - 2.0 * SUBFRAME_S;
        window_joining(from_s, to_s, out, |push| {
            self.phone.slots(from_before, to_s, |subframe, what| match what {
                Use::Data => push(self.pusch(subframe, self.params.allocation[1])),
                Use::Voice => push(self.pusch(subframe, self.params.allocation[1].min(4))),
                Use::Control => self.pucch(subframe, push),
                Use::Access => push(self.prach(subframe)),
            });
            let period = i64::from(self.params.srs_ms);
            if period > 0 && self.params.traffic != Traffic::Idle {
                for subframe in ticks(from_before, to_s, SUBFRAME_S, self.phone.phase_s) {
                    if self.phone.is_uplink(subframe) && self.phone.is_due(subframe, period, 15) {
                        push(self.srs(subframe));
                    }
                }
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let Key { kind, size: blocks } = Key::unpack(shot.key);
        let mut rng = Rng::new(shot.key);
        let count = usize::from(blocks) * TONES;
        let (grid, ofdm) = (self.grid, &self.ofdm);
        let gain = 1.0 / (count as f32).sqrt();
        match kind {
            PRACH => self.prach.render(shot),
            PUCCH_FIRST => grid.burst(ofdm, shot, 0, &self.pucch_symbols(&mut rng), gain),
            PUCCH_SECOND => grid.burst(ofdm, shot, 7, &self.pucch_symbols(&mut rng), gain),
            SRS => {
                let comb = numbered(reference(shot.key, count / 2), 2);
                grid.burst(ofdm, shot, SYMBOLS - 1, &[comb], gain * std::f32::consts::SQRT_2)
            }
            _ => grid.burst(ofdm, shot, 0, &self.pusch_symbols(blocks, &mut rng), gain),
        }
    }

    fn longest_s(&self) -> f64 {
        SUBFRAME_S + 2.0 * RAMP_S
    }

    fn span_hz(&self) -> f64 {
        0.8 * self.grid.rate_hz()
    }

    fn signal(&self) -> &'static str {
        "lte"
    }

    fn device(&self) -> &'static str {
        "mobile-phone"
    }
}
