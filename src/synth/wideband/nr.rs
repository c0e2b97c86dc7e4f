//! NR: a phone's uplink, in paired spectrum (15 kHz) or in a TDD band (30 kHz).
//!
//! 3GPP TS 38.211 section 6: slots of 14 symbols, CP-OFDM or DFT-spread, demodulation reference signals on every
//! other subcarrier of symbols 2 and 11, PUCCH with a hop in the middle of the slot, PRACH.

use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::check::{Check, range};
use super::nr_downlink::Downlink;
use super::numerology::{Numerology, RAMP_S, SYMBOLS, TONES, Tones, allowed_blocks, numbered, reference};
use super::ofdm::{Constellation, Ofdm, qpsk};
use super::phone::{Phone, Traffic, Use};
use super::prach::Prach;
use super::timeline::{Key, chance, window_joining, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

const PUSCH: u8 = 1;
const PUCCH_FIRST: u8 = 2;
const PUCCH_SECOND: u8 = 3;
const PRACH: u8 = 4;
const LEAST_SIZE: usize = 128;

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

/// An NR emitter. With time division the pattern is DDDSU: slot 4 of 5 is the uplink's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Which end.
    pub role: Role,
    /// Subcarrier spacing, kilohertz: 15 or 30.
    pub spacing_khz: u16,
    /// Resource blocks of the carrier, up to 273 (TS 38.101-1 table 5.3.2-1): 100 MHz at 30 kHz.
    pub blocks: u16,
    /// Whether both ends share the carrier in turns.
    pub tdd: bool,
    /// Time of a frame's beginning, seconds, shared by all ends of a TDD network. By default that of frequency
    /// division follows from the seed, that of time division is 0.
    pub frame_s: Option<f64>,
    /// What the phone does.
    pub traffic: Traffic,
    /// Part of the uplink slots that a streaming phone uses; part of the downlink slots that a cell fills.
    pub load: f64,
    /// Fewest and most blocks of an allocation. The emitter's power is that of the most: the density is constant.
    pub allocation: [u16; 2],
    /// First block of the phone's bandwidth part, and how many it has: by default the whole carrier.
    pub part: Option<[u16; 2]>,
    /// Whether the phone spreads its data by a DFT (transform precoding).
    pub dft_spread: bool,
    /// Mean time between the sessions of an idle phone, seconds, beside one at each beginning of an on-time.
    pub session_gap_s: f64,
    /// Synchronisation blocks (beams) in a burst set, up to 7.
    pub beams: u8,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            role: Role::Uplink,
            spacing_khz: 30,
            blocks: 51,
            tdd: true,
            frame_s: None,
            traffic: Traffic::Stream,
            load: 0.3,
            allocation: [4, 24],
            part: None,
            dft_spread: false,
            session_gap_s: 300.0,
            beams: 4,
        }
    }
}

impl Params {
    /// 0 for 15 kHz, 1 for 30 kHz.
    pub fn mu(&self) -> u32 {
        u32::from(self.spacing_khz != 15)
    }

    /// Width of a resource block, hertz.
    pub fn block_hz(&self) -> f64 {
        f64::from(self.spacing_khz) * 1e3 * TONES as f64
    }

    /// Time of slot 0.
    pub fn phase_s(&self, seed: u64) -> f64 {
        self.frame_s.unwrap_or(if self.tdd { 0.0 } else { chance(seed, 1, 0) * 10e-3 })
    }
}

/// Builds either end.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let nr: Params = params.parse()?;
    if !matches!(nr.spacing_khz, 15 | 30) {
        return Err(format!("`spacing_khz` is {}, but must be 15 or 30", nr.spacing_khz));
    }
    Check::new("blocks", f64::from(nr.blocks)).within(20.0, 273.0)?;
    Check::new("load", nr.load).within(0.0, 1.0)?;
    Check::new("beams", f64::from(nr.beams)).within(0.0, 7.0)?;
    Check::new("frame_s", nr.frame_s.unwrap_or(0.0)).within(-1.0, 1.0)?;
    Check::new("session_gap_s", nr.session_gap_s).within(0.1, 1e9)?;
    let [first, count] = nr.part.unwrap_or([0, nr.blocks]);
    Check::new("part", f64::from(first) + f64::from(count)).within(14.0, f64::from(nr.blocks))?;
    range("allocation", nr.allocation.map(f64::from), 1.0, f64::from(count) - 2.0)?;
    Ok(match nr.role {
        Role::Uplink => Box::new(Uplink::new(nr, &params.on, seed)),
        Role::Downlink => Box::new(Downlink::new(nr, seed)),
    })
}

/// A phone.
pub struct Uplink {
    params: Params,
    seed: u64,
    phone: Phone,
    precoders: BTreeMap<u16, Arc<dyn Fft<f32>>>,
    /// One rate for all, so that the renderer needs one filter.
    grid: Numerology,
    ofdm: Ofdm,
    prach: Prach,
    /// Blocks that the preamble covers.
    prach_blocks: u16,
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
        let [_, most] = params.allocation;
        let precoders: BTreeMap<u16, Arc<dyn Fft<f32>>> = (1..=most)
            .filter(|m| params.dft_spread && allowed_blocks(usize::from(*m)))
            .map(|m| (m, planner.plan_fft_forward(usize::from(m) * TONES)))
            .collect();
        let size = Ofdm::size_for(usize::from(most) * TONES, LEAST_SIZE);
        let (grid, ofdm) = (Numerology { mu: params.mu(), size }, Ofdm::new(size));
        let phone = Phone {
            seed,
            slots_per_ms: 1 << params.mu(),
            phase_s: params.phase_s(seed),
            turn: params.tdd.then_some((5, 4)),
            traffic: params.traffic,
            load: params.load,
            session_gap_s: params.session_gap_s,
            starts_s: on.iter().map(|on| on[0]).collect(),
        };
        // TDD bands above 3 GHz use short preambles (TS 38.211 table 6.3.3.2-3).
        let short = params.mu() == 1;
        let prach = if short { Prach::format_b4() } else { Prach::format_0() };
        Self { params, seed, phone, precoders, grid, ofdm, prach, prach_blocks: if short { 12 } else { 6 } }
    }

    fn part(&self) -> [u16; 2] {
        self.params.part.unwrap_or([0, self.params.blocks])
    }

    fn shot(&self, slot: i64, [first, blocks]: [u16; 2], kind: u8, content: u64) -> Shot {
        let middle = f64::from(self.part()[0]) + f64::from(first) + f64::from(blocks) / 2.0;
        Shot {
            start_s: self.phone.start_s(slot),
            duration_s: self.phone.slot_s(),
            offset_hz: (middle - f64::from(self.params.blocks) / 2.0) * self.params.block_hz(),
            level_db: 10.0 * (f32::from(blocks) / f32::from(self.params.allocation[1])).log10(),
            key: Key { kind, size: blocks }.pack(content),
            continues: false,
        }
    }

    fn pusch(&self, slot: i64, most: u16) -> Shot {
        let mut rng = Rng::keyed(&[self.seed, 10, slot as u64]);
        let least = self.params.allocation[0].min(most);
        let drawn = least + rng.below(u64::from(most - least) + 1) as u16;
        let m = if self.params.dft_spread {
            self.precoders.range(..=drawn).next_back().map_or(1, |(m, _)| *m)
        } else {
            drawn
        };
        let first = 1 + rng.below(u64::from(self.part()[1] - 2 - m) + 1) as u16;
        self.shot(slot, [first, m], PUSCH, rng.next_u64())
    }

    /// PUCCH over a whole slot, which changes edges in its middle (TS 38.211 section 6.3.2.4).
    fn pucch(&self, slot: i64, push: &mut dyn FnMut(Shot)) {
        let content = word(self.seed, 12, slot);
        let lower_first = word(self.seed, 11, slot) & 1 == 0;
        let upper = self.part()[1] - 1;
        let hop_s = self.grid.start_s(SYMBOLS / 2);
        let first = self.shot(slot, [if lower_first { 0 } else { upper }, 1], PUCCH_FIRST, content);
        push(Shot { duration_s: hop_s, ..first });
        let second = self.shot(slot, [if lower_first { upper } else { 0 }, 1], PUCCH_SECOND, content);
        push(Shot { start_s: second.start_s + hop_s, duration_s: second.duration_s - hop_s, ..second });
    }

    fn prach(&self, slot: i64) -> Shot {
        let shot = self.shot(slot, [1, self.prach_blocks], PRACH, word(self.seed, 13, slot));
        Shot { duration_s: self.prach.duration_s(), ..shot }
    }

    fn pusch_symbols(&self, m: u16, rng: &mut Rng) -> Vec<Tones> {
        let count = usize::from(m) * TONES;
        let choice = [Constellation::Qpsk, Constellation::Qam16, Constellation::Qam64];
        let constellation = choice[rng.below(3) as usize];
        (0..SYMBOLS)
            .map(|l| match (l, self.precoders.get(&m)) {
                // References at twice the power on half of the subcarriers.
                (2 | 11, Some(_)) => numbered(doubled(reference(rng.next_u64(), count / 2)), 2),
                (2 | 11, None) => numbered(doubled((0..count / 2).map(|_| qpsk(rng)).collect()), 2),
                (_, precoder) => {
                    let mut values: Vec<Complex32> = (0..count).map(|_| constellation.draw(rng)).collect();
                    if let Some(dft) = precoder {
                        dft.process(&mut values);
                        values.iter_mut().for_each(|v| *v /= (count as f32).sqrt());
                    }
                    numbered(values, 1)
                }
            })
            .collect()
    }

    /// PUCCH format 1 (TS 38.211 section 6.3.2.4): a shifted base sequence each symbol, references at the even
    /// ones.
    fn pucch_symbols(&self, rng: &mut Rng) -> Vec<Tones> {
        let data = qpsk(rng);
        (0..SYMBOLS / 2)
            .map(|l| {
                let turn = std::f32::consts::TAU * rng.below(12) as f32 / 12.0;
                let factor = if l % 2 == 0 { Complex32::ONE } else { data };
                let shift =
                    |(n, v): (usize, Complex32)| v * factor * Complex32::from_polar(1.0, turn * n as f32);
                numbered(reference(0, TONES).into_iter().enumerate().map(shift), 1)
            })
            .collect()
    }
}

fn doubled(mut values: Vec<Complex32>) -> Vec<Complex32> {
    values.iter_mut().for_each(|v| *v *= std::f32::consts::SQRT_2);
    values
}

impl Waveform for Uplink {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        window_joining(from_s, to_s, out, |push| {
            self.phone.slots(from_s - 2.0 * self.phone.slot_s(), to_s, |slot, what| match what {
                Use::Data => push(self.pusch(slot, self.params.allocation[1])),
                Use::Voice => push(self.pusch(slot, self.params.allocation[1].min(4))),
                Use::Control => self.pucch(slot, push),
                Use::Access => push(self.prach(slot)),
            });
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
            PUCCH_SECOND => grid.burst(ofdm, shot, SYMBOLS / 2, &self.pucch_symbols(&mut rng), gain),
            _ => grid.burst(ofdm, shot, 0, &self.pusch_symbols(blocks, &mut rng), gain),
        }
    }

    fn longest_s(&self) -> f64 {
        1e-3 + 2.0 * RAMP_S
    }

    fn span_hz(&self) -> f64 {
        0.8 * self.grid.rate_hz().max(self.prach.rate_hz())
    }

    fn signal(&self) -> &'static str {
        "nr"
    }

    fn device(&self) -> &'static str {
        "mobile-phone"
    }
}
