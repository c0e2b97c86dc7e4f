//! UMTS (WCDMA FDD): a phone on a dedicated channel, and a base station's carrier.
//!
//! 3.84 Mchip/s through a root raised cosine of roll-off 0.22 (3GPP TS 25.101 section 6.8.1), 15 slots of 2560
//! chips to a frame of 10 ms (TS 25.211 section 5), spreading and scrambling after TS 25.213.

use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::ofdm::qpsk_of;
use super::pulse::{Pulse, grid};
use super::timeline::{Held, chance, ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

/// TS 25.101 section 5.
const CHIP_RATE: f64 = 3.84e6;
const SPS: usize = 2;
const RATE_HZ: f64 = CHIP_RATE * SPS as f64;
const SLOT_CHIPS: i64 = 2560;
const FRAME_CHIPS: i64 = 15 * SLOT_CHIPS;
/// 99 % of the power lies within 5 MHz (TS 25.101 section 6.6.1).
const SPAN_HZ: f64 = 6e6;

/// Which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A phone with a dedicated physical channel.
    #[default]
    Uplink,
    /// A cell.
    Downlink,
}

/// A UMTS emitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Which end.
    pub role: Role,
    /// What the power control moves the phone by each slot, dB.
    pub power_step_db: f64,
    /// Part of the cell's codes that carry traffic.
    pub load: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { role: Role::Uplink, power_step_db: 1.0, load: 0.5 }
    }
}

/// Builds either end.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let umts: Params = params.parse()?;
    Check::new("power_step_db", umts.power_step_db).within(0.0, 3.0)?;
    Check::new("load", umts.load).within(0.0, 1.0)?;
    Ok(Box::new(Umts::new(umts, seed)))
}

/// Either end: chips of an endless stream.
#[derive(Debug)]
pub struct Umts {
    params: Params,
    seed: u64,
    pulse: Pulse,
    /// Amplitude that makes the mean power 1.
    gain: f32,
}

impl Umts {
    /// A phone or a cell.
    pub fn new(params: Params, seed: u64) -> Self {
        let pulse = Pulse::root_raised_cosine(SPS, 10, 0.22);
        let mut umts = Self { params, seed, pulse, gain: 1.0 };
        let mean = match umts.params.role {
            Role::Uplink => {
                let slots = 64 * POWER_BLOCK as i64;
                (0..slots).map(|slot| umts.power(slot)).sum::<f64>() / slots as f64
            }
            Role::Downlink => umts.channels().iter().map(|c| f64::from(c * c)).sum::<f64>() + SCH_POWER * 0.1,
        };
        umts.gain = (1.0 / mean).sqrt() as f32;
        umts
    }

    /// The scrambling code: one frame of it, over and over (TS 25.213 sections 4.3.2 and 5.2.2). A random
    /// sequence stands for the Gold code.
    fn code(&self) -> impl FnMut(i64) -> u64 + use<> {
        let (seed, mut held) = (self.seed, Held::default());
        move |chip| {
            let at = chip.rem_euclid(FRAME_CHIPS);
            held.get(at / 32, |block| word(seed, 1, block)) >> (2 * (at % 32)) & 3
        }
    }

    fn uplink_chips(&self, from: i64, to: i64) -> Vec<Complex32> {
        let sign = |bit: u64| if bit & 1 == 0 { 1f32 } else { -1.0 };
        // Gains of control and data channel (TS 25.213 table 1A has 8/15 among the ratios).
        let (control, data) = (8f32 / 15.0, 1f32);
        let norm = (control * control + data * data).sqrt();
        let slot = |chip: i64| chip.div_euclid(SLOT_CHIPS);
        let levels: Vec<f32> =
            (slot(from)..=slot(to)).map(|slot| self.gain * self.power(slot).sqrt() as f32 / norm).collect();
        let (mut code, mut data_bit, mut control_bit) = (self.code(), Held::default(), Held::default());
        (from..to)
            .map(|i| {
                // Data: code 4 of 16 (k = SF/4), control: code 0 of 256 (TS 25.213 section 4.3.1.2).
                let i_rail = data
                    * sign(data_bit.get(i.div_euclid(16), |k| word(self.seed, 2, k)))
                    * sign((i.rem_euclid(16) / 4) as u64);
                let q_rail = control * sign(control_bit.get(i.div_euclid(256), |k| word(self.seed, 3, k)));
                // HPSK: the second code's quarter turn alternates and holds for two chips (section 4.3.2.2).
                let first = sign(code(i));
                let second = sign(code(i - i.rem_euclid(2)) >> 1) * sign(i as u64);
                let turn = Complex32::new(first, first * second) * std::f32::consts::FRAC_1_SQRT_2;
                Complex32::new(i_rail, q_rail) * turn * levels[(slot(i) - slot(from)) as usize]
            })
            .collect()
    }

    /// Power of a slot relative to the emitter's: as many steps up as down in each block of slots, in random
    /// order, so that a slot's power needs no history.
    fn power(&self, slot: i64) -> f64 {
        let block = slot.div_euclid(POWER_BLOCK as i64);
        let mut steps: [f64; POWER_BLOCK] = std::array::from_fn(|i| if i % 2 == 0 { 1.0 } else { -1.0 });
        let mut rng = Rng::keyed(&[self.seed, 4, block as u64]);
        for i in (1..POWER_BLOCK).rev() {
            steps.swap(i, rng.below(i as u64 + 1) as usize);
        }
        let sum: f64 = steps[..=slot.rem_euclid(POWER_BLOCK as i64) as usize].iter().sum();
        10f64.powf(sum * self.params.power_step_db / 10.0)
    }

    /// Amplitudes of the cell's channelisation codes of length 128: pilot and broadcast 10 % each beside the
    /// traffic (as in the test models of TS 25.141 section 6.1.1).
    fn channels(&self) -> [f32; 128] {
        let mut channels: [f32; 128] = std::array::from_fn(|code| {
            let used = chance(self.seed, 6, code as i64) < self.params.load;
            if used { (0.7 * (0.5 + chance(self.seed, 7, code as i64)) / 128.0).sqrt() as f32 } else { 0.0 }
        });
        channels[0] = 0.1f32.sqrt();
        channels[1] = 0.1f32.sqrt();
        channels
    }

    fn downlink_chips(&self, from: i64, to: i64) -> Vec<Complex32> {
        let channels = self.channels();
        let mut code = self.code();
        let mut chips = Vec::with_capacity((to - from) as usize);
        for block in from.div_euclid(128)..=(to - 1).div_euclid(128) {
            let mut rng = Rng::keyed(&[self.seed, 5, block as u64]);
            let mut sum: [Complex32; 128] = std::array::from_fn(|code| {
                // Code 0 is the pilot: always the same symbol (TS 25.211 section 5.3.3.1).
                let symbol = if code == 0 { qpsk_of(0) } else { qpsk_of(rng.next_u64() >> 62) };
                symbol * channels[code]
            });
            walsh_hadamard(&mut sum);
            for (n, value) in sum.into_iter().enumerate() {
                let i = block * 128 + n as i64;
                if (from..to).contains(&i) {
                    chips.push((value * qpsk_of(code(i)) + self.synchronisation(i)) * self.gain);
                }
            }
        }
        chips
    }

    /// The primary synchronisation code: the same 256 chips at each slot's beginning, unscrambled (TS 25.211
    /// section 5.3.3.5).
    fn synchronisation(&self, chip: i64) -> Complex32 {
        let at = chip.rem_euclid(SLOT_CHIPS);
        if at >= 256 {
            return Complex32::ZERO;
        }
        let sign = if word(0x5C4, 0, at) & 1 == 0 { 1.0 } else { -1.0 };
        Complex32::new(sign, sign) * (SCH_POWER as f32 / 2.0).sqrt()
    }
}

/// Slots in a block of power control.
const POWER_BLOCK: usize = 16;
/// Power of the synchronisation channel while it is on.
const SCH_POWER: f64 = 0.1;

/// In place, natural order: sums over all rows of the Hadamard matrix.
fn walsh_hadamard(values: &mut [Complex32; 128]) {
    let mut half = 1;
    while half < values.len() {
        for block in values.chunks_exact_mut(2 * half) {
            let (a, b) = block.split_at_mut(half);
            for (a, b) in a.iter_mut().zip(b) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

impl Waveform for Umts {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let duration_s = FRAME_CHIPS as f64 / CHIP_RATE;
        window(from_s, to_s, out, |push| {
            for frame in ticks(from_s, to_s, duration_s, 0.0) {
                push(Shot {
                    start_s: (frame * FRAME_CHIPS) as f64 / CHIP_RATE,
                    duration_s,
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
        let sps = SPS as i64;
        let (first, last) = (from.div_euclid(sps) - 16, to.div_euclid(sps) + 16);
        let chips = match self.params.role {
            Role::Uplink => self.uplink_chips(first, last),
            Role::Downlink => self.downlink_chips(first, last),
        };
        let samples = self.pulse.stream(from, to, |k| chips[(k - first) as usize]);
        ShotIq { rate_hz: RATE_HZ, first_s: from as f64 / RATE_HZ, samples }
    }

    fn longest_s(&self) -> f64 {
        FRAME_CHIPS as f64 / CHIP_RATE
    }

    fn span_hz(&self) -> f64 {
        SPAN_HZ
    }

    fn continuous(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "umts"
    }

    fn device(&self) -> &'static str {
        match self.params.role {
            Role::Uplink => "mobile-phone",
            Role::Downlink => "infrastructure",
        }
    }
}
