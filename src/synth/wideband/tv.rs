//! Digital terrestrial television: DVB-T and a DTMB-like signal, in channels of 8 MHz.
//!
//! DVB-T (ETSI EN 300 744): 6817 carriers 1/896 MHz apart (8k mode), guard interval 1/4 to 1/32, scattered and
//! continual pilots 4/3 as strong as data. DTMB (GB 20600-2006): 7.56 Msymbol/s through a root raised cosine of
//! 0.05, frames of a known header of 420 symbols at twice the power and a body of 3780 carriers.

use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

use super::ofdm::{Constellation, Ofdm};
use super::pulse::{Pulse, grid};
use super::timeline::{ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

/// Which standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standard {
    /// Europe, Australia, much of Asia and Africa.
    #[default]
    DvbT,
    /// China.
    Dtmb,
}

/// A television transmitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Which standard.
    pub standard: Standard,
    /// Symbol over guard interval of DVB-T: 4, 8, 16 or 32.
    pub guard: u8,
}

impl Default for Params {
    fn default() -> Self {
        Self { standard: Standard::DvbT, guard: 4 }
    }
}

/// Builds a transmitter.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let tv: Params = params.parse()?;
    if !matches!(tv.guard, 4 | 8 | 16 | 32) {
        return Err(format!("`guard` is {}, but must be 4, 8, 16 or 32", tv.guard));
    }
    Ok(match tv.standard {
        Standard::DvbT => Box::new(DvbT::new(tv.guard, seed)),
        Standard::Dtmb => Box::new(Dtmb::new(seed)),
    })
}

/// Useful symbol (EN 300 744 table 5), seconds, and its samples here.
const DVB_USEFUL_S: f64 = 896e-6;
const DVB_SIZE: usize = 10_240;
const DVB_RATE_HZ: f64 = DVB_SIZE as f64 / DVB_USEFUL_S;
const DVB_CARRIERS: usize = 6817;
const DVB_CHUNK_SYMBOLS: i64 = 8;
/// Amplitude of pilots (section 4.5).
const PILOT: f32 = 4.0 / 3.0;
/// Continual pilots of the 2k mode (table 7); those of the 8k mode repeat them every 1704 carriers.
const CONTINUAL: [u16; 44] = [
    0, 48, 54, 87, 141, 156, 192, 201, 255, 279, 282, 333, 432, 450, 483, 525, 531, 618, 636, 714, 759, 765,
    780, 804, 873, 888, 918, 939, 942, 969, 984, 1050, 1101, 1107, 1110, 1137, 1140, 1146, 1206, 1269, 1323,
    1377, 1491, 1683,
];

/// A DVB-T transmitter.
#[derive(Debug)]
pub struct DvbT {
    seed: u64,
    guard: usize,
    ofdm: Ofdm,
    gain: f32,
}

impl DvbT {
    /// `guard`: symbol over guard interval.
    pub fn new(guard: u8, seed: u64) -> Self {
        let mut tv =
            Self { seed, guard: DVB_SIZE / usize::from(guard), ofdm: Ofdm::new(DVB_SIZE), gain: 1.0 };
        // The scattered pilots repeat after four symbols.
        let power = |symbol: i64| -> f32 { tv.carriers(symbol).map(|(_, v)| v.norm_sqr()).sum() };
        tv.gain = (4.0 / (0..4).map(power).sum::<f32>()).sqrt();
        tv
    }

    fn symbol_samples(&self) -> i64 {
        (DVB_SIZE + self.guard) as i64
    }

    fn carriers(&self, symbol: i64) -> impl Iterator<Item = (i32, Complex32)> {
        let mut rng = Rng::keyed(&[self.seed, 1, symbol as u64]);
        let scattered = 3 * symbol.rem_euclid(4) as usize;
        (0..DVB_CARRIERS).map(move |k| {
            let continual = CONTINUAL.binary_search(&((k % 1704) as u16)).is_ok();
            let value = if continual || k % 12 == scattered {
                // The sign of a pilot depends on its carrier alone (section 4.5.2).
                let sign = if word(0xD7B, 0, k as i64) & 1 == 0 { PILOT } else { -PILOT };
                Complex32::new(sign, 0.0)
            } else {
                Constellation::Qam64.draw(&mut rng)
            };
            (k as i32 - DVB_CARRIERS as i32 / 2, value)
        })
    }
}

impl Waveform for DvbT {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        chunks(from_s, to_s, DVB_CHUNK_SYMBOLS * self.symbol_samples(), DVB_RATE_HZ, out);
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let (from, to) = grid(shot, DVB_RATE_HZ);
        let first = from / self.symbol_samples();
        let mut samples = Vec::with_capacity((to - from) as usize);
        for symbol in first..first + DVB_CHUNK_SYMBOLS {
            self.ofdm.symbol(self.carriers(symbol), self.gain, self.guard, 0, &mut samples);
        }
        ShotIq { rate_hz: DVB_RATE_HZ, first_s: from as f64 / DVB_RATE_HZ, samples }
    }

    fn longest_s(&self) -> f64 {
        (DVB_CHUNK_SYMBOLS * self.symbol_samples()) as f64 / DVB_RATE_HZ
    }

    fn span_hz(&self) -> f64 {
        8.5e6
    }

    fn continuous(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "tv"
    }

    fn device(&self) -> &'static str {
        "infrastructure"
    }
}

/// GB 20600: symbol rate, header, body.
const DTMB_SYMBOL_RATE: f64 = 7.56e6;
const DTMB_SPS: usize = 2;
const DTMB_RATE_HZ: f64 = DTMB_SYMBOL_RATE * DTMB_SPS as f64;
const DTMB_HEADER: usize = 420;
const DTMB_BODY: usize = 3780;
const DTMB_FRAME: i64 = (DTMB_HEADER + DTMB_BODY) as i64;
const DTMB_CHUNK_FRAMES: i64 = 8;
/// The header is a sequence of 255 with a cyclic extension of 82 before it.
const DTMB_SEQUENCE: i64 = 255;
const DTMB_BEFORE: i64 = 82;

/// A DTMB transmitter.
pub struct Dtmb {
    seed: u64,
    pulse: Pulse,
    fft: Arc<dyn Fft<f32>>,
}

impl fmt::Debug for Dtmb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dtmb").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl Dtmb {
    /// Its programme follows from the seed.
    pub fn new(seed: u64) -> Self {
        let fft = FftPlanner::new().plan_fft_inverse(DTMB_BODY);
        Self { seed, pulse: Pulse::root_raised_cosine(DTMB_SPS, 20, 0.05), fft }
    }

    fn frame(&self, frame: i64) -> Vec<Complex32> {
        // Mean power 1 with a header of twice the body's.
        let body_power = DTMB_FRAME as f32 / (2 * DTMB_HEADER + DTMB_BODY) as f32;
        let rail = body_power.sqrt();
        let mut symbols: Vec<Complex32> = (0..DTMB_HEADER as i64)
            .map(|n| (n - DTMB_BEFORE).rem_euclid(DTMB_SEQUENCE))
            .map(|n| if word(0xD73B, 0, n) & 1 == 0 { rail } else { -rail })
            .map(|v| Complex32::new(v, v))
            .collect();
        let mut rng = Rng::keyed(&[self.seed, 1, frame as u64]);
        let mut body: Vec<Complex32> = (0..DTMB_BODY).map(|_| Constellation::Qam64.draw(&mut rng)).collect();
        self.fft.process(&mut body);
        let scale = (body_power / DTMB_BODY as f32).sqrt();
        symbols.extend(body.iter().map(|v| v * scale));
        symbols
    }
}

impl Waveform for Dtmb {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        chunks(from_s, to_s, DTMB_CHUNK_FRAMES * DTMB_FRAME * DTMB_SPS as i64, DTMB_RATE_HZ, out);
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let (from, to) = grid(shot, DTMB_RATE_HZ);
        let first = from.div_euclid(DTMB_FRAME * DTMB_SPS as i64) - 1;
        let frames: Vec<Vec<Complex32>> =
            (first..first + DTMB_CHUNK_FRAMES + 2).map(|frame| self.frame(frame)).collect();
        let samples = self.pulse.stream(from, to, |k| {
            frames[(k.div_euclid(DTMB_FRAME) - first) as usize][k.rem_euclid(DTMB_FRAME) as usize]
        });
        ShotIq { rate_hz: DTMB_RATE_HZ, first_s: from as f64 / DTMB_RATE_HZ, samples }
    }

    fn longest_s(&self) -> f64 {
        (DTMB_CHUNK_FRAMES * DTMB_FRAME) as f64 / DTMB_SYMBOL_RATE
    }

    fn span_hz(&self) -> f64 {
        8.5e6
    }

    fn continuous(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "tv"
    }

    fn device(&self) -> &'static str {
        "infrastructure"
    }
}

/// Chunks of so many samples, from time 0.
fn chunks(from_s: f64, to_s: f64, samples: i64, rate_hz: f64, out: &mut Vec<Shot>) {
    let duration_s = samples as f64 / rate_hz;
    window(from_s, to_s, out, |push| {
        for n in ticks(from_s, to_s, duration_s, 0.0) {
            push(Shot {
                start_s: (n * samples) as f64 / rate_hz,
                duration_s,
                offset_hz: 0.0,
                level_db: 0.0,
                key: n as u64,
                continues: true,
            });
        }
    });
}
