//! Sound to modulate carriers with, as the phase it gives them.
//!
//! Random access needs the integral of the sound at any moment without the sound before it. So sound is made of
//! cells, a syllable or a chord each, and each cell is a window over a sum of tones written as phase: the carrier's
//! phase returns to where it was at the end of each cell, and its derivative, the frequency deviation, is the
//! window times the tones (plus the window's slope, some percent).

use std::f64::consts::TAU;

use num_complex::Complex64;
use serde::Deserialize;

use crate::synth::Rng;

/// What is heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Somebody talks: syllables, words, pauses.
    #[default]
    Speech,
    /// Chords without a pause.
    Music,
    /// Nothing; the carrier stays.
    Silence,
}

/// A source of sound, filtered to a band.
#[derive(Debug, Clone)]
pub struct Sound {
    /// What is heard.
    pub content: Content,
    /// Everything random follows from it.
    pub seed: u64,
    /// Lowest and highest audio frequency, hertz.
    pub band_hz: (f64, f64),
    /// Suppressed subcarrier that it is put on in two sidebands, hertz.
    pub subcarrier_hz: Option<f64>,
}

/// One tone of a cell.
struct Tone {
    freq_hz: f64,
    /// Share of the peak deviation.
    depth: f64,
    turns: f64,
}

/// A syllable or chord.
struct Cell {
    start_s: f64,
    duration_s: f64,
    ramp_s: f64,
    tones: Vec<Tone>,
}

/// Syllables a second, 4 to 6 in fluent speech (Greenberg 1999).
const SYLLABLE_S: f64 = 0.19;
/// Length of a chord, seconds.
const CHORD_S: f64 = 0.3;
/// Syllables and pause of a phrase.
const PHRASE: u64 = 14;

impl Sound {
    /// Adds the phase in radians that `deviation_hz` at the loudest gives to a carrier, for the samples `first`
    /// and on of a grid of `rate_hz`.
    pub fn add(&self, deviation_hz: f64, rate_hz: f64, first: u64, phase: &mut [f64]) {
        let cell_s = match self.content {
            Content::Speech => SYLLABLE_S,
            Content::Music => CHORD_S,
            Content::Silence => return,
        };
        let from_s = first as f64 / rate_hz;
        let to_s = (first + phase.len() as u64) as f64 / rate_hz;
        let mut index = (from_s / cell_s).floor() as u64;
        while (index as f64) * cell_s < to_s {
            if let Some(cell) = self.cell(index, cell_s) {
                cell.add(deviation_hz, rate_hz, first, phase);
            }
            index += 1;
        }
    }

    /// The cell of that number: within its own stretch of time, so that cells never overlap.
    fn cell(&self, index: u64, cell_s: f64) -> Option<Cell> {
        let mut rng = Rng::keyed(&[self.seed, 0xA0D1, index]);
        let mut tones = match self.content {
            Content::Speech => {
                let pause = 2 + Rng::keyed(&[self.seed, 0xA0D2, index / PHRASE]).below(4);
                if index % PHRASE >= PHRASE - pause || rng.uniform() < 0.08 {
                    return None;
                }
                self.syllable(&mut rng)
            }
            Content::Music => self.chord(&mut rng),
            Content::Silence => return None,
        };
        // Voices vary more than mastered music.
        let quietest = if self.content == Content::Music { 0.85 } else { 0.5 };
        let loudness = quietest + (1.0 - quietest) * rng.uniform();
        normalise(&mut tones, loudness);
        if let Some(subcarrier_hz) = self.subcarrier_hz {
            tones = sidebands(&tones, subcarrier_hz);
        }
        // Chords nearly touch, syllables are parted by consonants.
        let (shortest, ramp) = if self.content == Content::Music { (0.9, 0.1) } else { (0.7, 0.25) };
        let length = cell_s * (shortest + (0.98 - shortest) * rng.uniform());
        let start_s = index as f64 * cell_s + rng.uniform() * (cell_s - length);
        Some(Cell { start_s, duration_s: length, ramp_s: ramp * length, tones })
    }

    /// Voiced: harmonics of a pitch under three formants. Unvoiced, one in five: hiss.
    fn syllable(&self, rng: &mut Rng) -> Vec<Tone> {
        let (low, high) = self.band_hz;
        if rng.uniform() < 0.2 {
            let from = 0.5 * high;
            return (0..14)
                .map(|_| Tone {
                    freq_hz: from + (high - from) * rng.uniform(),
                    depth: 1.0,
                    turns: rng.uniform(),
                })
                .collect();
        }
        // One speaker an emitter: 90 to 220 Hz between voices, a sixth up and down within one.
        let speaker_hz = 90.0 + 130.0 * Rng::keyed(&[self.seed, 0xA0D3]).uniform();
        let pitch_hz = speaker_hz * (0.84 + 0.34 * rng.uniform());
        // Formants of the vowels of adults (Peterson and Barney 1952), with their usual bandwidths.
        let formants = [
            (270.0 + 530.0 * rng.uniform(), 90.0),
            (850.0 + 1450.0 * rng.uniform(), 130.0),
            (2250.0 + 750.0 * rng.uniform(), 180.0),
        ];
        // Beyond the third formant a long tail, which wide channels let pass.
        let count = ((high / pitch_hz) as usize).clamp(1, 40);
        (1..=count)
            .map(|k| pitch_hz * k as f64)
            .filter(|freq_hz| (low..=high).contains(freq_hz))
            .map(|freq_hz| {
                let resonance: f64 =
                    formants.iter().map(|(at, width)| 1.0 / (1.0 + ((freq_hz - at) / width).powi(2))).sum();
                Tone { freq_hz, depth: 0.04 + resonance, turns: rng.uniform() }
            })
            .collect()
    }

    /// Three notes with six harmonics each.
    fn chord(&self, rng: &mut Rng) -> Vec<Tone> {
        let mut tones = Vec::new();
        for _ in 0..3 {
            // Semitones of equal temperament above 110 Hz.
            let note_hz = 110.0 * 2f64.powf(rng.below(30) as f64 / 12.0);
            for k in 1..=6u32 {
                let freq_hz = note_hz * f64::from(k);
                if (self.band_hz.0..=self.band_hz.1).contains(&freq_hz) {
                    tones.push(Tone { freq_hz, depth: f64::from(k).powf(-1.5), turns: rng.uniform() });
                }
            }
        }
        tones
    }
}

/// Scales the tones so that the largest of their sums is about `peak`.
fn normalise(tones: &mut [Tone], peak: f64) {
    let largest = (0..2000)
        .map(|i| {
            let at_s = f64::from(i) * 0.000_147;
            tones.iter().map(|t| t.depth * (TAU * (t.freq_hz * at_s + t.turns)).cos()).sum::<f64>().abs()
        })
        .fold(1e-9, f64::max);
    tones.iter_mut().for_each(|tone| tone.depth *= peak / largest);
}

/// Two sidebands of a suppressed subcarrier for each tone.
fn sidebands(tones: &[Tone], subcarrier_hz: f64) -> Vec<Tone> {
    tones
        .iter()
        .flat_map(|t| {
            let half = 0.5 * t.depth;
            [
                Tone { freq_hz: subcarrier_hz + t.freq_hz, depth: half, turns: t.turns },
                Tone { freq_hz: subcarrier_hz - t.freq_hz, depth: half, turns: -t.turns },
            ]
        })
        .collect()
}

impl Cell {
    fn add(&self, deviation_hz: f64, rate_hz: f64, first: u64, phase: &mut [f64]) {
        let sample = |s: f64| (s * rate_hz).ceil() as u64;
        let from = sample(self.start_s).max(first);
        let to = sample(self.start_s + self.duration_s).min(first + phase.len() as u64);
        if from >= to {
            return;
        }
        let out = &mut phase[(from - first) as usize..(to - first) as usize];
        let begin_s = from as f64 / rate_hz - self.start_s;
        let mut sum = vec![0f64; out.len()];
        for tone in &self.tones {
            // The integral of a cosine of this depth and frequency.
            let index = deviation_hz * tone.depth / tone.freq_hz;
            let mut turning = Complex64::cis(TAU * (tone.freq_hz * begin_s + tone.turns).fract()) * index;
            let step = Complex64::cis(TAU * tone.freq_hz / rate_hz);
            for value in &mut sum {
                *value += turning.im;
                turning *= step;
            }
        }
        for (i, (value, sum)) in out.iter_mut().zip(&sum).enumerate() {
            let at_s = begin_s + i as f64 / rate_hz;
            let inside = at_s.min(self.duration_s - at_s).max(0.0);
            let window = if inside >= self.ramp_s {
                1.0
            } else {
                (std::f64::consts::FRAC_PI_2 * inside / self.ramp_s).sin().powi(2)
            };
            *value += window * sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(content: Content) -> Sound {
        Sound { content, seed: 4, band_hz: (300.0, 3000.0), subcarrier_hz: None }
    }

    /// Oracle: deviation is the phase's derivative. Tolerance: the loudest cell of ten seconds comes within 60 to
    /// 110 % of the deviation asked for, the window's slope and untried sums of tones included.
    #[test]
    fn deviation_is_what_was_asked() {
        for content in [Content::Speech, Content::Music] {
            let mut phase = vec![0.0; 480_000];
            sound(content).add(2500.0, 48e3, 0, &mut phase);
            let largest = phase.windows(2).map(|p| ((p[1] - p[0]) * 48e3 / TAU).abs()).fold(0.0, f64::max);
            assert!((1500.0..2750.0).contains(&largest), "{content:?}: {largest} Hz");
        }
    }

    /// Oracle: the same sound rendered at once. Tolerance 1 microradian.
    #[test]
    fn any_cut_gives_the_same_phase() {
        let mut whole = vec![0.0; 50_000];
        sound(Content::Speech).add(2500.0, 48e3, 1_000_000, &mut whole);
        let mut parts = vec![0.0; 50_000];
        let (head, tail) = parts.split_at_mut(12_345);
        sound(Content::Speech).add(2500.0, 48e3, 1_000_000, head);
        sound(Content::Speech).add(2500.0, 48e3, 1_012_345, tail);
        assert!(whole.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(whole.iter().any(|p| p.abs() > 0.5), "half a minute in, nothing is said");
    }

    /// Speech pauses: a detector of voice radio must hold the carrier through them.
    #[test]
    fn speech_has_pauses_and_music_has_none() {
        let silent = |content| {
            let mut phase = vec![0.0; 480_000];
            sound(content).add(2500.0, 48e3, 0, &mut phase);
            phase.chunks(4800).filter(|c| c.iter().all(|p| *p == 0.0)).count()
        };
        assert!((10..60).contains(&silent(Content::Speech)), "{}", silent(Content::Speech));
        assert_eq!(silent(Content::Music), 0);
        assert_eq!(silent(Content::Silence), 100);
    }
}
