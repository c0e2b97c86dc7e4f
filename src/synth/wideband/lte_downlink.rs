//! LTE: a cell's downlink, continuous in paired spectrum, 3.7 of each 5 ms in a TDD band.
//!
//! 3GPP TS 36.211 section 6: OFDM at 15 kHz with the middle subcarrier left out, cell-specific reference signals
//! in every subframe whatever the load, synchronisation signals each 5 ms over 62 subcarriers.

use num_complex::Complex32;

use super::lte::Params;
use super::numerology::{Numerology, RAMP_S, SYMBOLS, TONES, Tones};
use super::ofdm::{Constellation, Ofdm, qpsk, zadoff_chu};
use super::pulse::grid;
use super::timeline::{chance, ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, Waveform};

const SUBFRAME_S: f64 = 1e-3;
/// Of a TDD half frame of configuration 2 (D S U D D), from subframe 3 on: three subframes and the 10 symbols of
/// a downlink pilot time slot (TS 36.211 tables 4.2-1, 4.2-2; special subframe configuration 7).
const PERIOD_S: f64 = 5e-3;
const TDD_SYMBOLS: usize = 3 * SYMBOLS + 10;
/// Blocks to which the scheduler gives one user.
const GROUP: usize = 3;
/// Symbols at a subframe's beginning for control.
const CONTROL_SYMBOLS: usize = 2;

/// A cell.
#[derive(Debug)]
pub struct Downlink {
    params: Params,
    seed: u64,
    /// Time of a frame's beginning: a whole number of samples at the lowest rate, hence at all of them.
    frame_s: f64,
    grid: Numerology,
    ofdm: Ofdm,
    gain: f32,
}

impl Downlink {
    /// A cell of `params.blocks` resource blocks.
    pub fn new(params: Params, seed: u64) -> Self {
        let grid = Numerology { mu: 0, size: Ofdm::size_for(usize::from(params.blocks) * TONES, 128) };
        let frame_s = params.frame_s.unwrap_or(if params.tdd { 0.0 } else { chance(seed, 1, 0) * 10e-3 });
        let frame_s = (frame_s * 1.92e6).round() / 1.92e6;
        let mut cell = Self { params, seed, frame_s, grid, ofdm: Ofdm::new(grid.size), gain: 1.0 };
        let mut sum = 0.0;
        let mut count = 0.0;
        for subframe in (0..40).filter(|n| !cell.params.tdd || n % 5 != 2) {
            let last = if cell.params.tdd && subframe % 5 == 1 { TDD_SYMBOLS % SYMBOLS } else { SYMBOLS };
            for symbol in 0..last {
                sum += cell.tones(subframe, symbol).iter().map(|t| t.1.norm_sqr()).sum::<f32>();
                count += 1.0;
            }
        }
        cell.gain = (count / sum).sqrt();
        cell
    }

    /// Subcarriers of a symbol.
    fn tones(&self, subframe: i64, symbol: usize) -> Tones {
        let mut rng = Rng::keyed(&[self.seed, 2, (subframe * SYMBOLS as i64 + symbol as i64) as u64]);
        let half = i32::from(self.params.blocks) * TONES as i32 / 2;
        let middle = self.middle(subframe.rem_euclid(10), symbol, &mut rng);
        let groups = usize::from(self.params.blocks).div_ceil(GROUP);
        let users: Vec<Option<Constellation>> = (0..groups).map(|group| self.user(subframe, group)).collect();
        let mut tones = Tones::with_capacity(2 * half as usize);
        for (index, k) in (-half..0).chain(1..=half).enumerate() {
            let near = k.abs() <= 36 && !middle.is_empty();
            if !near && let Some(value) = self.element(subframe, symbol, index, &users, &mut rng) {
                tones.push((k, value));
            }
        }
        tones.extend(middle);
        tones
    }

    /// A resource element outside of synchronisation and broadcast: `index` counts subcarriers from the lowest.
    fn element(
        &self,
        subframe: i64,
        symbol: usize,
        index: usize,
        users: &[Option<Constellation>],
        rng: &mut Rng,
    ) -> Option<Complex32> {
        // Two antenna ports: every sixth subcarrier each, three apart (section 6.10.1.2).
        if matches!(symbol, 0 | 4 | 7 | 11) && index.is_multiple_of(3) {
            return Some(qpsk(rng));
        }
        if symbol < CONTROL_SYMBOLS {
            // Resource element groups in use grow with the load; the cell's own messages remain.
            let group = subframe * 1000 + (symbol * 400 + index / 6) as i64;
            return (chance(self.seed, 3, group) < 0.1 + 0.5 * self.params.load).then(|| qpsk(rng));
        }
        users.get(index / (GROUP * TONES)).copied().flatten().map(|constellation| constellation.draw(rng))
    }

    /// What a group of blocks carries in a subframe, if anything.
    fn user(&self, subframe: i64, group: usize) -> Option<Constellation> {
        let user = subframe * 100 + group as i64;
        let constellation = [Constellation::Qpsk, Constellation::Qam16, Constellation::Qam64];
        let used = chance(self.seed, 4, user) < self.params.load;
        used.then(|| constellation[(word(self.seed, 5, user) % 3) as usize])
    }

    /// Synchronisation signals and broadcast channel in the middle six blocks (sections 6.11, 6.6), if any.
    fn middle(&self, subframe: i64, symbol: usize, rng: &mut Rng) -> Tones {
        let sides = |reach: i32| (-reach..0).chain(1..=reach);
        let (primary, secondary) = if self.params.tdd {
            (subframe % 5 == 1 && symbol == 2, subframe % 5 == 0 && symbol == SYMBOLS - 1)
        } else {
            (subframe % 5 == 0 && symbol == 6, subframe % 5 == 0 && symbol == 5)
        };
        if primary {
            let root = [25, 29, 34][(self.seed % 3) as usize];
            return sides(31).map(|k| (k, zadoff_chu(root, (k + 31) as u64, 63))).collect();
        }
        if secondary {
            let half = subframe as u64 / 5;
            let sign = |k: i32| if word(self.seed, 6 + half, i64::from(k)) & 1 == 0 { 1.0 } else { -1.0 };
            return sides(31).map(|k| (k, Complex32::new(sign(k), 0.0))).collect();
        }
        if subframe == 0 && (7..11).contains(&symbol) {
            return sides(36).map(|k| (k, qpsk(rng))).collect();
        }
        Tones::new()
    }

    /// Half a frame of time division.
    fn burst(&self, shot: &Shot) -> ShotIq {
        let first = ((shot.start_s - self.frame_s) / SUBFRAME_S).round() as i64;
        let symbols: Vec<Tones> =
            (0..TDD_SYMBOLS).map(|l| self.tones(first + (l / SYMBOLS) as i64, l % SYMBOLS)).collect();
        self.grid.burst(&self.ofdm, shot, 0, &symbols, self.gain)
    }

    /// The endless stream of frequency division.
    fn stream(&self, shot: &Shot) -> ShotIq {
        let rate_hz = self.grid.rate_hz();
        let (from, to) = grid(shot, rate_hz);
        let length = self.grid.start(SYMBOLS) as i64;
        let frame = (self.frame_s * rate_hz).round() as i64;
        let first = (from - frame).div_euclid(length);
        let last = (to - 1 - frame).div_euclid(length);
        let mut samples = Vec::with_capacity(((last - first + 1) * length) as usize);
        for subframe in first..=last {
            for l in 0..SYMBOLS {
                self.ofdm.symbol(self.tones(subframe, l), self.gain, self.grid.prefix(l), 0, &mut samples);
            }
        }
        samples.drain(..(from - frame - first * length) as usize);
        samples.truncate((to - from) as usize);
        ShotIq { rate_hz, first_s: from as f64 / rate_hz, samples }
    }
}

impl Waveform for Downlink {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        // The chunks of a stream are cut from time 0, wherever its frames begin.
        let (phase_s, duration_s) = if self.params.tdd {
            (self.frame_s + 3.0 * SUBFRAME_S, self.grid.start_s(TDD_SYMBOLS))
        } else {
            (0.0, PERIOD_S)
        };
        window(from_s, to_s, out, |push| {
            for n in ticks(from_s, to_s, PERIOD_S, phase_s) {
                push(Shot {
                    start_s: phase_s + n as f64 * PERIOD_S,
                    duration_s,
                    offset_hz: 0.0,
                    level_db: 0.0,
                    key: n as u64,
                    continues: !self.params.tdd,
                });
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        if self.params.tdd { self.burst(shot) } else { self.stream(shot) }
    }

    fn longest_s(&self) -> f64 {
        if self.params.tdd { self.grid.start_s(TDD_SYMBOLS) + 2.0 * RAMP_S } else { PERIOD_S }
    }

    fn span_hz(&self) -> f64 {
        0.8 * self.grid.rate_hz()
    }

    fn continuous(&self) -> bool {
        !self.params.tdd
    }

    fn signal(&self) -> &'static str {
        "lte"
    }

    fn device(&self) -> &'static str {
        "infrastructure"
    }
}
