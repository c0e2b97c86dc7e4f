//! A digital wireless microphone: a narrow carrier that never pauses, or bursts in the 2.4 GHz band.
//!
//! The former keep within the 200 kHz of ETSI EN 300 422-1 (up to 600 kHz where allowed) with pi/4-DQPSK or QAM
//! through a root raised cosine; the latter take turns with their receiver in frames of a few milliseconds.

use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::gfsk::{Gfsk, alternating};
use super::ofdm::Constellation;
use super::pulse::{Pulse, grid};
use super::timeline::{Key, chance, ticks, window, word};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

const SPS: usize = 4;
/// The other end answers so long after a burst of the 2.4 GHz kind, and so briefly.
const ANSWER_GAP_S: f64 = 150e-6;
const ANSWER_S: f64 = 120e-6;

const MICROPHONE: u8 = 1;
const RECEIVER: u8 = 2;

/// How it shares the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A carrier without a pause.
    #[default]
    Continuous,
    /// Bursts of GFSK.
    Tdma,
}

/// Modulation of the continuous kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modulation {
    /// Four phases, turned by 45 degrees every other symbol.
    #[default]
    #[serde(rename = "pi4-dqpsk")]
    Pi4Dqpsk,
    /// 16-QAM.
    Qam16,
    /// 64-QAM.
    Qam64,
}

/// A digital microphone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How it shares the air.
    pub mode: Mode,
    /// Modulation of the continuous kind.
    pub modulation: Modulation,
    /// Symbol rate of the continuous kind, symbols a second.
    pub symbol_rate: f64,
    /// Roll-off of the continuous kind.
    pub roll_off: f64,
    /// Frame of the bursts, milliseconds.
    pub period_ms: f64,
    /// Burst, milliseconds.
    pub burst_ms: f64,
    /// Channels of the bursts in random order, hertz from the emitter's frequency.
    pub channel_offsets_hz: Vec<f64>,
    /// Power of the receiver's answers relative to the emitter's, dB.
    pub peer_level_db: f32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            mode: Mode::Continuous,
            modulation: Modulation::Pi4Dqpsk,
            symbol_rate: 150e3,
            roll_off: 0.25,
            period_ms: 4.0,
            burst_ms: 1.6,
            channel_offsets_hz: vec![0.0],
            peer_level_db: -3.0,
        }
    }
}

/// Builds a microphone.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let mic: Params = params.parse()?;
    Check::new("symbol_rate", mic.symbol_rate).within(10e3, 1e6)?;
    Check::new("roll_off", mic.roll_off).within(0.1, 1.0)?;
    Check::new("period_ms", mic.period_ms).within(1.0, 100.0)?;
    Check::new("burst_ms", mic.burst_ms).within(0.1, (mic.period_ms - 0.5).min(10.0))?;
    Check::new("peer_level_db", f64::from(mic.peer_level_db)).within(-100.0, 100.0)?;
    if mic.channel_offsets_hz.is_empty() {
        return Err("`channel_offsets_hz` is empty; give at least one channel".to_owned());
    }
    Ok(match mic.mode {
        Mode::Continuous => Box::new(Continuous::new(mic, seed)),
        Mode::Tdma => Box::new(Tdma::new(mic, seed)),
    })
}

/// A carrier without a pause.
#[derive(Debug)]
pub struct Continuous {
    params: Params,
    seed: u64,
    pulse: Pulse,
}

impl Continuous {
    /// Its content follows from the seed.
    pub fn new(params: Params, seed: u64) -> Self {
        let pulse = Pulse::root_raised_cosine(SPS, 8, params.roll_off);
        Self { params, seed, pulse }
    }

    fn rate_hz(&self) -> f64 {
        self.params.symbol_rate * SPS as f64
    }

    /// Symbols in a chunk of at most 20 ms.
    fn chunk(&self) -> i64 {
        (self.params.symbol_rate * 20e-3).floor() as i64
    }

    fn symbol(&self, k: i64) -> Complex32 {
        let mut rng = Rng::keyed(&[self.seed, 1, k as u64]);
        match self.params.modulation {
            // Whatever the differences are, the phases are four of eight, in turn.
            Modulation::Pi4Dqpsk => {
                let eighths = 2 * rng.below(4) as i64 + k.rem_euclid(2);
                Complex32::from_polar(1.0, eighths as f32 * std::f32::consts::FRAC_PI_4)
            }
            Modulation::Qam16 => Constellation::Qam16.draw(&mut rng),
            Modulation::Qam64 => Constellation::Qam64.draw(&mut rng),
        }
    }
}

impl Waveform for Continuous {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let duration_s = self.chunk() as f64 / self.params.symbol_rate;
        window(from_s, to_s, out, |push| {
            for n in ticks(from_s, to_s, duration_s, 0.0) {
                push(Shot {
                    start_s: (n * self.chunk()) as f64 / self.params.symbol_rate,
                    duration_s,
                    offset_hz: 0.0,
                    level_db: 0.0,
                    key: n as u64,
                    continues: true,
                });
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let (from, to) = grid(shot, self.rate_hz());
        let samples = self.pulse.stream(from, to, |k| self.symbol(k));
        ShotIq { rate_hz: self.rate_hz(), first_s: from as f64 / self.rate_hz(), samples }
    }

    fn longest_s(&self) -> f64 {
        20e-3
    }

    fn span_hz(&self) -> f64 {
        self.params.symbol_rate * (1.0 + self.params.roll_off) * 1.2
    }

    fn continuous(&self) -> bool {
        true
    }

    fn signal(&self) -> &'static str {
        "digital-mic"
    }

    fn device(&self) -> &'static str {
        "wireless-microphone"
    }
}

/// Bursts.
#[derive(Debug)]
pub struct Tdma {
    params: Params,
    seed: u64,
    gfsk: Gfsk,
}

impl Tdma {
    /// Its frames' timing follows from the seed.
    pub fn new(params: Params, seed: u64) -> Self {
        Self { params, seed, gfsk: Gfsk::new(2e6, 4, 0.5) }
    }
}

impl Waveform for Tdma {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        let period_s = self.params.period_ms * 1e-3;
        let phase_s = chance(self.seed, 1, 0) * period_s;
        let channels = &self.params.channel_offsets_hz;
        window(from_s, to_s, out, |push| {
            for n in ticks(from_s - period_s, to_s, period_s, phase_s) {
                let content = word(self.seed, 2, n);
                let burst = Shot {
                    start_s: phase_s + n as f64 * period_s,
                    duration_s: self.params.burst_ms * 1e-3,
                    offset_hz: channels[word(self.seed, 3, n) as usize % channels.len()],
                    level_db: 0.0,
                    key: Key { kind: MICROPHONE, size: 0 }.pack(content),
                    continues: false,
                };
                push(burst);
                push(Shot {
                    start_s: burst.start_s + burst.duration_s + ANSWER_GAP_S,
                    duration_s: ANSWER_S,
                    level_db: self.params.peer_level_db,
                    key: Key { kind: RECEIVER, size: 0 }.pack(!content),
                    ..burst
                });
            }
        });
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        self.gfsk.packet(shot, alternating(1, 16), &mut Rng::new(shot.key))
    }

    fn longest_s(&self) -> f64 {
        self.params.burst_ms * 1e-3 + ANSWER_S
    }

    fn span_hz(&self) -> f64 {
        6e6
    }

    fn signal(&self) -> &'static str {
        "digital-mic"
    }

    fn device(&self) -> &'static str {
        "wireless-microphone"
    }
}
