//! TETRA: a mobile's slots, or a base station's continuous carrier (ETSI EN 300 392-2, clause 5: pi/4-DQPSK,
//! 18 000 symbols a second, root raised cosine 0.35).

use std::f64::consts::{FRAC_PI_4, TAU};

use num_complex::Complex32;
use serde::Deserialize;

use super::boxed;
use super::pulse::{Pulse, REACH};
use crate::synth::Rng;
use crate::synth::waveform::{Shot, ShotIq, WaveParams, Waveform};

/// Symbols a second (EN 300 392-2, 5.3).
const SYMBOL_RATE: f64 = 18e3;
/// Samples a symbol.
const SPS: usize = 4;
/// Symbols of a slot, of which four make a frame (EN 300 392-2, 9.3).
const SLOT: u64 = 255;
const SLOTS: u64 = 4;
/// Frames of a multiframe; the last carries control and a mobile in a call may leave it out (9.3.4).
const MULTIFRAME: u64 = 18;
/// Symbols of a mobile's normal burst, and those of its slot before it (9.4.4.1, 9.4.4.2.6: 462 bits after a
/// ramp of 34).
const BURST: usize = 231;
const LEAD: u64 = 17;
/// Symbols of a ramp, half of the guard.
const RAMP: usize = 4;
/// Symbols of a piece of a continuous carrier: two slots.
const PIECE: usize = 510;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    #[default]
    Mobile,
    Base,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    role: Role,
}

struct Tetra {
    role: Role,
    pulse: Pulse,
    seed: u64,
    /// Symbols by which a mobile's slot lies after the multiframe's beginning.
    slot: u64,
}

pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let Params { role } = params.parse()?;
    // Linear modulation: mean power 1 asks for taps of energy `SPS`.
    let mut pulse = Pulse::root_raised_cosine(SPS, 0.35);
    let energy: f64 = pulse.taps.iter().map(|tap| tap * tap).sum();
    pulse.taps.iter_mut().for_each(|tap| *tap *= (SPS as f64 / energy).sqrt());
    boxed(Tetra { role, pulse, seed, slot: SLOT * Rng::keyed(&[seed, 1]).below(SLOTS) })
}

impl Tetra {
    /// Phases of `n` symbols in eighths of a turn, each an odd step on from the one before; the last brings the
    /// row back to zero if `closed`.
    fn phases(&self, key: u64, n: usize, closed: bool) -> Vec<i32> {
        let mut rng = Rng::keyed(&[self.seed, 0x7E7A, key]);
        let steps = [1, 3, -1, -3];
        let mut phase = 0i32;
        let mut row: Vec<i32> = (0..n)
            .map(|_| {
                phase = (phase + steps[rng.below(4) as usize]).rem_euclid(8);
                phase
            })
            .collect();
        // Of an even number of odd steps the last but one is odd, from where an odd step leads to zero.
        if closed && let Some(last) = row.last_mut() {
            *last = 0;
        }
        row
    }

    /// Shapes `row` of phases; the output begins `lead` samples before the centre of its symbol `first`.
    fn shape(&self, row: &[i32], first: usize, lead: usize, len: usize) -> Vec<Complex32> {
        let points: Vec<Complex32> = row
            .iter()
            .map(|phase| Complex32::from_polar(1.0, (f64::from(*phase) * FRAC_PI_4 % TAU) as f32))
            .collect();
        (0..len)
            .map(|i| {
                let n = (first * SPS + i) as i64 - lead as i64;
                let mut sum = Complex32::ZERO;
                for (k, point) in points.iter().enumerate() {
                    let tap = n - (k * SPS) as i64 + (REACH * SPS) as i64;
                    if let Some(tap) = usize::try_from(tap).ok().and_then(|tap| self.pulse.taps.get(tap)) {
                        sum += point * *tap as f32;
                    }
                }
                sum
            })
            .collect()
    }

    fn start_s(&self, index: u64) -> f64 {
        let symbols = match self.role {
            Role::Mobile => self.slot + LEAD + index * SLOTS * SLOT,
            Role::Base => index * PIECE as u64,
        };
        symbols as f64 / SYMBOL_RATE
    }
}

impl Waveform for Tetra {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let period_s = self.start_s(1) - self.start_s(0);
        let mut index = ((from_s - self.start_s(0)) / period_s).floor().max(0.0) as u64;
        while self.start_s(index) < to_s {
            let idle = self.role == Role::Mobile && index % MULTIFRAME == MULTIFRAME - 1;
            if self.start_s(index) >= from_s && !idle {
                let symbols = if self.role == Role::Mobile { BURST } else { PIECE };
                out.push(Shot {
                    start_s: self.start_s(index),
                    duration_s: symbols as f64 / SYMBOL_RATE,
                    offset_hz: 0.0,
                    level_db: 0.0,
                    key: index,
                    continues: self.role == Role::Base && index > 0,
                });
            }
            index += 1;
        }
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let rate_hz = SYMBOL_RATE * SPS as f64;
        if self.role == Role::Base {
            let before =
                if shot.key == 0 { vec![0; REACH + 1] } else { self.phases(shot.key - 1, PIECE, true) };
            let before = &before[before.len() - REACH - 1..];
            let after = &self.phases(shot.key + 1, PIECE, true)[..REACH + 1];
            let row = [before, &self.phases(shot.key, PIECE, true), after].concat();
            let samples = self.shape(&row, before.len(), 0, PIECE * SPS);
            return ShotIq { rate_hz, first_s: shot.start_s, samples };
        }
        // Idle symbols on either side keep the modulation going through the ramps.
        let row = self.phases(shot.key, BURST + 2 * (RAMP + REACH), false);
        let lead = RAMP * SPS;
        let mut samples = self.shape(&row, RAMP + REACH, lead, BURST * SPS + 2 * lead);
        super::ramp(&mut samples, lead);
        ShotIq { rate_hz, first_s: shot.start_s - lead as f64 / rate_hz, samples }
    }

    fn longest_s(&self) -> f64 {
        (PIECE + 2 * RAMP) as f64 / SYMBOL_RATE
    }

    fn span_hz(&self) -> f64 {
        36e3
    }

    fn continuous(&self) -> bool {
        self.role == Role::Base
    }

    fn signal(&self) -> &'static str {
        "tetra"
    }

    fn device(&self) -> &'static str {
        "walkie-talkie"
    }
}
