//! NR: a cell's downlink. Nothing is always on but the synchronisation blocks, each 20 ms; the rest follows the
//! load.
//!
//! A carrier of 100 MHz is offered in sub-bands of at most 48 resource blocks: subcarriers are orthogonal, the sum
//! is the same signal, and a receiver that sees 20 MHz of it renders no more than that.

use num_complex::Complex32;

use super::nr::Params;
use super::numerology::{Numerology, RAMP_S, SYMBOLS, TONES, Tones, numbered};
use super::ofdm::{Constellation, Ofdm, qpsk};
use super::timeline::{Key, chance, ticks, window_joining, word};
use crate::synth::{Rng, Shot, ShotIq, Waveform};

const SLOT: u8 = 1;
const SYNC: u8 = 2;
/// Most blocks of a sub-band.
const SUB_BAND: u16 = 48;
/// Downlink symbols of the special slot of DDDSU (10 down, 2 quiet, 2 up).
const SPECIAL_SYMBOLS: usize = 10;
/// Between burst sets of synchronisation blocks (3GPP TS 38.213 section 4.1).
const SYNC_PERIOD_S: f64 = 20e-3;
/// Subcarriers and symbols of a synchronisation block (TS 38.211 section 7.4.3).
const SYNC_TONES: usize = 240;
const SYNC_SYMBOLS: usize = 4;
/// Mean number of subcarriers in use in its symbols: 127, 240, 96 + 127, 240.
const SYNC_USED: f32 = (127 + 240 + 96 + 127 + 240) as f32 / 4.0;

/// A cell.
#[derive(Debug)]
pub struct Downlink {
    params: Params,
    seed: u64,
    phase_s: f64,
    grid: Numerology,
    ofdm: Ofdm,
}

impl Downlink {
    /// A cell of `params.blocks` resource blocks.
    pub fn new(params: Params, seed: u64) -> Self {
        let mu = params.mu();
        let grid = Numerology {
            mu,
            size: Ofdm::size_for((usize::from(params.blocks.min(SUB_BAND)) * TONES).max(SYNC_TONES), 128),
        };
        let phase_s = params.phase_s(seed);
        Self { params, seed, phase_s, grid, ofdm: Ofdm::new(grid.size) }
    }

    /// Slots from one burst set to the next.
    fn sync_slots(&self) -> i64 {
        (SYNC_PERIOD_S / self.grid.slot_s()).round() as i64
    }

    /// Downlink symbols of a slot that carries data.
    fn symbols(&self, slot: i64) -> usize {
        let has_sync = slot.rem_euclid(self.sync_slots()) < i64::from(self.params.beams.div_ceil(2));
        if has_sync || chance(self.seed, 2, slot) >= self.params.load {
            return 0;
        }
        match (self.params.tdd, slot.rem_euclid(5)) {
            (true, 3) => SPECIAL_SYMBOLS,
            (true, 4) => 0,
            _ => SYMBOLS,
        }
    }

    /// Sub-bands as first block and number of blocks.
    fn sub_bands(&self) -> impl Iterator<Item = (u16, u16)> + use<> {
        let (all, count) = (self.params.blocks, self.params.blocks.div_ceil(SUB_BAND));
        (0..count).map(move |i| {
            let edge = |i: u16| (u32::from(all) * u32::from(i) / u32::from(count)) as u16;
            (edge(i), edge(i + 1) - edge(i))
        })
    }

    fn slot(&self, slot: i64, push: &mut dyn FnMut(Shot)) {
        let symbols = self.symbols(slot);
        if symbols == 0 {
            return;
        }
        for (first, blocks) in self.sub_bands() {
            let middle = f64::from(first) + (f64::from(blocks) - f64::from(self.params.blocks)) / 2.0;
            let content = word(self.seed, 3 + u64::from(first), slot);
            push(Shot {
                start_s: self.phase_s + slot as f64 * self.grid.slot_s(),
                duration_s: self.grid.start_s(symbols),
                offset_hz: middle * self.params.block_hz(),
                level_db: 10.0 * (f32::from(blocks) / f32::from(self.params.blocks)).log10(),
                key: Key { kind: SLOT, size: blocks << 4 | symbols as u16 }.pack(content),
                continues: false,
            });
        }
    }

    /// The blocks of a burst set, two a slot, from symbols 2 and 8 (TS 38.213 section 4.1 case C).
    fn sync(&self, set: i64, push: &mut dyn FnMut(Shot)) {
        for beam in 0..i64::from(self.params.beams) {
            let symbol = if beam % 2 == 0 { 2 } else { 8 };
            let slot = set * self.sync_slots() + beam / 2;
            let slot_s = self.phase_s + slot as f64 * self.grid.slot_s();
            let used = SYNC_USED / (f32::from(self.params.blocks) * TONES as f32);
            push(Shot {
                start_s: slot_s + self.grid.start_s(symbol),
                duration_s: self.grid.start_s(symbol + SYNC_SYMBOLS) - self.grid.start_s(symbol),
                offset_hz: 0.0,
                level_db: 10.0 * used.log10(),
                key: Key { kind: SYNC, size: symbol as u16 }.pack(word(self.seed, 2000 + beam as u64, set)),
                continues: false,
            });
        }
    }

    fn data(&self, symbols: usize, blocks: u16, rng: &mut Rng) -> Vec<Tones> {
        let count = usize::from(blocks) * TONES;
        let choice = [Constellation::Qpsk, Constellation::Qam16, Constellation::Qam64];
        let constellation = choice[rng.below(3) as usize];
        (0..symbols)
            .map(|l| {
                let kind = if matches!(l, 0 | 2 | 11) { Constellation::Qpsk } else { constellation };
                numbered((0..count).map(|_| kind.draw(rng)), 1)
            })
            .collect()
    }

    /// Primary signal, broadcast, secondary signal between broadcast, broadcast.
    fn sync_symbols(&self, rng: &mut Rng) -> Vec<Tones> {
        let root = &mut Rng::keyed(&[self.seed, 4]);
        let signs = |rng: &mut Rng| -> Tones {
            (-63..64).map(|k| (k, Complex32::new(if rng.below(2) == 0 { 1.0 } else { -1.0 }, 0.0))).collect()
        };
        let primary = signs(root);
        let mut third = signs(root);
        third.extend((-120..-72).chain(72..120).map(|k| (k, qpsk(rng))));
        let mut broadcast = || -> Tones { (-120..120).map(|k| (k, qpsk(rng))).collect() };
        let second = broadcast();
        vec![primary, second, third, broadcast()]
    }
}

impl Waveform for Downlink {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let slot_s = self.grid.slot_s();
        window_joining(from_s, to_s, out, |push| {
            for slot in ticks(from_s - 2.0 * slot_s, to_s, slot_s, self.phase_s) {
                self.slot(slot, push);
            }
            for set in ticks(from_s - 5e-3, to_s, SYNC_PERIOD_S, self.phase_s) {
                self.sync(set, push);
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let Key { kind, size } = Key::unpack(shot.key);
        let mut rng = Rng::new(shot.key);
        if kind == SYNC {
            let symbols = self.sync_symbols(&mut rng);
            let gain = 1.0 / SYNC_USED.sqrt();
            return self.grid.burst(&self.ofdm, shot, usize::from(size), &symbols, gain);
        }
        let (blocks, symbols) = (size >> 4, usize::from(size & 15));
        let gain = 1.0 / (f32::from(blocks) * TONES as f32).sqrt();
        self.grid.burst(&self.ofdm, shot, 0, &self.data(symbols, blocks, &mut rng), gain)
    }

    fn longest_s(&self) -> f64 {
        1e-3 + 2.0 * RAMP_S
    }

    fn span_hz(&self) -> f64 {
        0.8 * self.grid.rate_hz()
    }

    fn signal(&self) -> &'static str {
        "nr"
    }

    fn device(&self) -> &'static str {
        "infrastructure"
    }
}
