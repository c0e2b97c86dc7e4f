//! Wi-Fi OFDM: 802.11a/g, n (20 and 40 MHz) and ax.
//!
//! IEEE 802.11-2020 clause 17: short training of ten times 0.8 us, long training of 1.6 + 2 * 3.2 us, SIGNAL,
//! symbols of 0.8 + 3.2 us with 48 data and 4 pilot subcarriers at 312.5 kHz, joined over 100 ns (17.3.2.5);
//! clause 19 (HT) with 56 or 114 subcarriers behind a legacy preamble; IEEE 802.11ax-2021 clause 27 with 242
//! subcarriers at 78.125 kHz.

use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::mac::{Air, Frame, Kind, Mac, Traffic};
use super::ofdm::{Constellation, Ofdm};
use super::timeline::{Key, window};
use crate::synth::{Rng, Shot, ShotIq, WaveParams, Waveform};

/// Subcarrier spacing, hertz.
const SPACING_HZ: f64 = 312.5e3;
/// Transform sizes at twice the channel width: 40 MS/s for 20 MHz, 80 MS/s for 40 MHz.
const SIZE_20: usize = 128;
const SIZE_40: usize = 256;
/// Longest frame (section 9.3.1, aPPDUMaxTime 5.484 ms).
const LONGEST_US: f64 = 5484.0;
/// A beacon of 300 bytes and a probe request of 100 at 6 Mb/s: 20 us and a symbol for each 24 bits.
const BEACON_SYMBOLS: f64 = 101.0;
const PROBE_SYMBOLS: f64 = 35.0;
/// An acknowledgement at 24 Mb/s: 134 bits at 96 a symbol.
const ACK_SYMBOLS: f64 = 2.0;
/// Preamble and SIGNAL, seconds.
const LEGACY_HEAD_S: f64 = 20e-6;
/// Legacy part, HT-SIG, HT-STF and one HT-LTF (section 19.3.2).
const HT_HEAD_S: f64 = 36e-6;
/// Legacy part, RL-SIG, HE-SIG-A, HE-STF and a 2x HE-LTF with 0.8 us (IEEE 802.11ax-2021 section 27.3.4).
const HE_HEAD_S: f64 = 43.2e-6;
const SYMBOL_S: f64 = 4e-6;
const HE_SYMBOL_S: f64 = 13.6e-6;

/// Short training: subcarriers -24 to 24 in steps of 4, in units of 1 + j (17.3.3).
const SHORT: [i8; 13] = [1, -1, 1, -1, -1, 1, 0, -1, -1, 1, 1, 1, 1];
/// Long training: subcarriers -26 to 26 (17.3.3).
const LONG: [i8; 53] = [
    1, 1, -1, -1, 1, 1, -1, 1, -1, 1, 1, 1, 1, 1, 1, -1, -1, 1, 1, -1, 1, -1, 1, 1, 1, 1, 0, 1, -1, -1, 1, 1,
    -1, 1, -1, 1, -1, -1, -1, -1, -1, 1, 1, -1, -1, 1, -1, 1, -1, 1, 1, 1, 1,
];

/// Generation of the data frames. Beacons and acknowledgements are always legacy frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// 802.11a, g.
    #[default]
    Legacy,
    /// 802.11n.
    Ht,
    /// 802.11ax.
    He,
}

/// A Wi-Fi station with OFDM.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Params {
    /// Generation of the data frames.
    pub format: Format,
    /// Whether the channel is 40 MHz wide (`ht` only).
    pub wide: bool,
    /// What the station does.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Builds a station.
pub fn build(params: &WaveParams, seed: u64) -> Result<Box<dyn Waveform>, String> {
    let wifi: Params = params.parse()?;
    super::known_keys(&wifi, params)?;
    wifi.traffic.check(LONGEST_US)?;
    if wifi.wide && wifi.format != Format::Ht {
        return Err("`wide` needs `format = \"ht\"`".to_owned());
    }
    Ok(Box::new(WifiOfdm::new(wifi, params.freq_hz, seed)))
}

/// A station.
#[derive(Debug)]
pub struct WifiOfdm {
    params: Params,
    mac: Mac,
    /// Transform for symbols of 3.2 us, and for those of 12.8 us.
    ofdm: Ofdm,
    long_ofdm: Ofdm,
}

fn symbols_in(total_s: f64, head_s: f64, symbol_s: f64) -> f64 {
    ((total_s - head_s) / symbol_s).round().max(1.0)
}

impl WifiOfdm {
    /// `freq_hz` tells the 2.4 GHz band from the others: SIFS is 10 or 16 us (sections 18.4.5, 17.4.4).
    pub fn new(params: Params, freq_hz: f64, seed: u64) -> Self {
        let air = Air {
            beacon_s: LEGACY_HEAD_S + BEACON_SYMBOLS * SYMBOL_S,
            ack_s: LEGACY_HEAD_S + ACK_SYMBOLS * SYMBOL_S,
            probe_s: LEGACY_HEAD_S + PROBE_SYMBOLS * SYMBOL_S,
            sifs_s: if freq_hz > 0.0 && freq_hz < 3e9 { 10e-6 } else { 16e-6 },
            data_s: match params.format {
                Format::Legacy => |s| LEGACY_HEAD_S + SYMBOL_S * symbols_in(s, LEGACY_HEAD_S, SYMBOL_S),
                Format::Ht => |s| HT_HEAD_S + SYMBOL_S * symbols_in(s, HT_HEAD_S, SYMBOL_S),
                Format::He => |s| HE_HEAD_S + HE_SYMBOL_S * symbols_in(s, HE_HEAD_S, HE_SYMBOL_S),
            },
        };
        let size = if params.wide { SIZE_40 } else { SIZE_20 };
        let mac = Mac { traffic: params.traffic.clone(), air, seed };
        Self { params, mac, ofdm: Ofdm::new(size), long_ofdm: Ofdm::new(4 * size) }
    }

    fn rate_hz(&self) -> f64 {
        SPACING_HZ * self.ofdm.size() as f64
    }

    fn shot(&self, frame: Frame) -> Shot {
        let format = if frame.kind == Kind::Data { self.params.format } else { Format::Legacy };
        let (head_s, symbol_s) = match format {
            Format::Legacy => (LEGACY_HEAD_S, SYMBOL_S),
            Format::Ht => (HT_HEAD_S, SYMBOL_S),
            Format::He => (HE_HEAD_S, HE_SYMBOL_S),
        };
        let symbols = symbols_in(frame.duration_s, head_s, symbol_s) as u16;
        let traffic = &self.params.traffic;
        Shot {
            start_s: frame.start_s,
            duration_s: frame.duration_s,
            offset_hz: frame.offset_hz + if frame.from_peer { traffic.peer_offset_hz } else { 0.0 },
            level_db: if frame.from_peer { traffic.peer_level_db } else { 0.0 },
            key: Key { kind: format as u8, size: symbols }.pack(frame.word),
            continues: false,
        }
    }

    /// A field on the legacy subcarriers: as it is in 20 MHz, in both halves of 40 MHz with the upper one turned
    /// by 90 degrees (section 19.3.9.3.4).
    fn legacy(&self, tones: &[(i32, Complex32)]) -> Vec<(i32, Complex32)> {
        if !self.params.wide {
            return tones.to_vec();
        }
        let lower = tones.iter().map(|(k, v)| (k - 32, *v));
        lower.chain(tones.iter().map(|(k, v)| (k + 32, *v * Complex32::I))).collect()
    }

    fn preamble(&self, frame: &mut Fields, rng: &mut Rng) {
        let short: Vec<_> = SHORT
            .iter()
            .enumerate()
            .filter(|(_, v)| **v != 0)
            .map(|(i, v)| (4 * i as i32 - 24, Complex32::new(1.0, 1.0) * f32::from(*v)))
            .collect();
        let long: Vec<_> = LONG
            .iter()
            .enumerate()
            .filter(|(_, v)| **v != 0)
            .map(|(i, v)| (i as i32 - 26, Complex32::new(f32::from(*v), 0.0)))
            .collect();
        frame.add(&self.ofdm, &self.legacy(&short), 1.6, 3.2);
        frame.add(&self.ofdm, &self.legacy(&long), 1.6, 3.2);
        let signal = data_tones(26, Constellation::Bpsk, 0, rng);
        frame.add(&self.ofdm, &self.legacy(&signal), 0.8, 0.0);
    }

    fn data(&self, frame: &mut Fields, reach: i32, symbols: usize, rng: &mut Rng) {
        let choice = [Constellation::Bpsk, Constellation::Qpsk, Constellation::Qam16, Constellation::Qam64];
        let constellation = choice[rng.below(4) as usize];
        for symbol in 1..=symbols {
            let tones = data_tones(reach, constellation, symbol, rng);
            let tones = if reach == 26 { self.legacy(&tones) } else { tones };
            frame.add(&self.ofdm, &tones, 0.8, 0.0);
        }
    }

    /// HT-SIG (turned by 90 degrees), HT-STF, HT-LTF, then data.
    fn ht(&self, frame: &mut Fields, symbols: usize, rng: &mut Rng) {
        for _ in 0..2 {
            let mut signal = data_tones(26, Constellation::Bpsk, 0, rng);
            signal.iter_mut().for_each(|(_, v)| *v *= Complex32::I);
            frame.add(&self.ofdm, &self.legacy(&signal), 0.8, 0.0);
        }
        let short: Vec<_> =
            (-24..=24).step_by(4).filter(|k| *k != 0).map(|k| (k, random_sign(rng))).collect();
        frame.add(&self.ofdm, &self.legacy(&short), 0.8, 0.0);
        let reach = if self.params.wide { 58 } else { 28 };
        frame.add(&self.ofdm, &data_tones(reach, Constellation::Bpsk, 0, rng), 0.8, 0.0);
        self.data(frame, reach, symbols, rng);
    }

    /// RL-SIG, HE-SIG-A, HE-STF, HE-LTF, then data.
    fn he(&self, frame: &mut Fields, symbols: usize, rng: &mut Rng) {
        for _ in 0..3 {
            frame.add(&self.ofdm, &data_tones(26, Constellation::Bpsk, 0, rng), 0.8, 0.0);
        }
        let every = |step: i32, rng: &mut Rng| -> Vec<(i32, Complex32)> {
            (-122..=122)
                .filter(|k: &i32| k.abs() >= 2 && k % step == 0)
                .map(|k| (k, random_sign(rng)))
                .collect()
        };
        // A period of 0.8 us is every 16th of the narrow subcarriers; a 2x training symbol every second one.
        frame.add(&self.long_ofdm, &every(16, rng), 0.0, -8.8);
        frame.add(&self.long_ofdm, &every(2, rng), 0.8, -6.4);
        let choice = [Constellation::Qpsk, Constellation::Qam16, Constellation::Qam64];
        let constellation = choice[rng.below(3) as usize];
        for _ in 0..symbols {
            let tones: Vec<_> =
                (-122..=122i32).filter(|k| k.abs() >= 2).map(|k| (k, constellation.draw(rng))).collect();
            frame.add(&self.long_ofdm, &tones, 0.8, 0.0);
        }
    }
}

fn random_sign(rng: &mut Rng) -> Complex32 {
    Constellation::Bpsk.draw(rng)
}

/// Data and pilots on subcarriers up to `reach`: pilots at 7 and 21 (17.3.5.9), or at 11, 25 and 53 in 40 MHz
/// (section 19.3.11.10), their sign after the scrambler.
fn data_tones(
    reach: i32,
    constellation: Constellation,
    symbol: usize,
    rng: &mut Rng,
) -> Vec<(i32, Complex32)> {
    let wide = reach > 28;
    let is_pilot = |k: i32| if wide { matches!(k.abs(), 11 | 25 | 53) } else { matches!(k.abs(), 7 | 21) };
    let least = if wide { 2 } else { 1 };
    (-reach..=reach)
        .filter(|k| k.abs() >= least)
        .map(|k| {
            if is_pilot(k) {
                let sign = if k == 21 { -1.0 } else { 1.0 };
                (k, Complex32::new(sign * pilot_sign(symbol), 0.0))
            } else {
                (k, constellation.draw(rng))
            }
        })
        .collect()
}

/// Sign of the pilots of a symbol: the scrambler's sequence from all ones (17.3.5.10).
fn pilot_sign(symbol: usize) -> f32 {
    let mut state = 0x7Fu8;
    let mut bit = 0;
    for _ in 0..=symbol % 127 {
        bit = (state >> 6 ^ state >> 3) & 1;
        state = state << 1 & 0x7F | bit;
    }
    if bit == 0 { 1.0 } else { -1.0 }
}

/// Fields of a frame, joined with the window of 17.3.2.5: each reaches 50 ns into its neighbours.
struct Fields {
    rate_hz: f64,
    edge: usize,
    samples: Vec<Complex32>,
}

impl Fields {
    fn new(rate_hz: f64) -> Self {
        Self { rate_hz, edge: (50e-9 * rate_hz).round() as usize, samples: Vec::new() }
    }

    /// Appends a symbol of power 1, repeated for `before_us` and `after_us` beyond its own length; a negative
    /// `after_us` shortens it.
    fn add(&mut self, ofdm: &Ofdm, tones: &[(i32, Complex32)], before_us: f64, after_us: f64) {
        let power: f32 = tones.iter().map(|t| t.1.norm_sqr()).sum();
        let samples_of = |us: f64| (us * 1e-6 * self.rate_hz).round() as usize;
        let mut field = Vec::new();
        let after = self.edge + samples_of(after_us.max(0.0));
        let before = self.edge + samples_of(before_us);
        // The mean over constellations, not over this symbol's points, sets the level.
        let gain = 1.0 / if tones.len() > 14 { (tones.len() as f32).sqrt() } else { power.sqrt() };
        ofdm.symbol(tones.iter().copied(), gain, before, after, &mut field);
        field.truncate(field.len() - samples_of((-after_us).max(0.0)));
        let (overlap, len) = (2 * self.edge, field.len());
        for i in 0..overlap {
            let w = (std::f32::consts::FRAC_PI_2 * (i as f32 + 0.5) / overlap as f32).sin().powi(2);
            field[i] *= w;
            field[len - 1 - i] *= w;
        }
        let joint = self.samples.len().saturating_sub(overlap);
        for (old, new) in self.samples[joint..].iter_mut().zip(&field) {
            *old += new;
        }
        let done = self.samples.len() - joint;
        self.samples.extend_from_slice(&field[done..]);
    }
}

impl Waveform for WifiOfdm {
    fn shots(&self, from_s: f64, to_s: f64, out: &mut Vec<Shot>) {
        window(from_s, to_s, out, |push| self.mac.frames(from_s, to_s, &mut |frame| push(self.shot(frame))));
    }

    fn render(&self, shot: &Shot) -> ShotIq {
        let Key { kind, size: symbols } = Key::unpack(shot.key);
        let mut rng = Rng::new(shot.key);
        let mut frame = Fields::new(self.rate_hz());
        self.preamble(&mut frame, &mut rng);
        match kind {
            kind if kind == Format::Ht as u8 => self.ht(&mut frame, usize::from(symbols), &mut rng),
            kind if kind == Format::He as u8 => self.he(&mut frame, usize::from(symbols), &mut rng),
            _ => self.data(&mut frame, 26, usize::from(symbols), &mut rng),
        }
        let first_s = shot.start_s - frame.edge as f64 / self.rate_hz();
        ShotIq { rate_hz: self.rate_hz(), first_s, samples: frame.samples }
    }

    fn longest_s(&self) -> f64 {
        LONGEST_US * 1e-6 + 50e-6
    }

    fn span_hz(&self) -> f64 {
        // The mask is at -28 dBr from 20 MHz on, or 40 MHz (17.3.9.3, 19.3.18.1); windowed symbols fall far below.
        0.65 * self.rate_hz()
    }

    fn signal(&self) -> &'static str {
        "wifi-ofdm"
    }

    fn device(&self) -> &'static str {
        "wireless-network-card"
    }
}
