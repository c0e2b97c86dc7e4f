//! A scene as samples: any stretch, at any tuning, in any order.
//!
//! [`Renderer::render`] is the receiver's analogue side: a function of the scene, the tuning and absolute time.
//! [`Renderer::render_block`] is the recording that the scene describes: its segments one after the other, in the
//! receiver's format, with what was lost and what got stuck.

use num_complex::Complex32;

use super::air::{Air, Tuned, Voice};
use super::occupied::{self, Occupied};
use super::receiver::{self, Chain};
use super::scene::{Impairments, Level, Receiver, Scene, SceneEmitter, SceneSegment};
use super::{Rng, timeline};
use crate::iq::{SampleFormat, Samples};

/// Samples rendered at once: their buffers stay in the second-level cache.
const TILE: usize = 32_768;
/// Scene time searched for an emitter's shots to measure its bandwidth on, seconds.
const SEARCHED_S: f64 = 120.0;

/// Renders one scene.
pub struct Renderer {
    receiver: Receiver,
    impairments: Impairments,
    seed: u64,
    air: Air,
    heard: Vec<Heard>,
    stretches: Vec<Stretch>,
    chain: Option<(f64, f64, Chain)>,
    floats: Vec<Complex32>,
}

/// How an emitter is heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// What it occupies about a shot's centre; `None` if it is never on.
    pub occupied: Option<Occupied>,
    /// Mean power of a shot of level 0 dB, dBFS.
    pub level_dbfs: f64,
    /// The same over the noise in its 99 % bandwidth, dB.
    pub snr_db: f64,
}

/// Consecutive samples of the recording, all of one segment with none lost between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Index of the segment.
    pub segment: usize,
    /// The segment's centre, hertz.
    pub center_hz: f64,
    /// Number of its first sample in the recording.
    pub first: u64,
    /// Number of its first sample on the receiver's axis, where sample 0 is scene time 0.
    pub first_air: u64,
    /// How many.
    pub len: u64,
}

impl Renderer {
    /// Prepares to render `scene`; measures each emitter's bandwidth, to which its level refers.
    pub fn new(scene: &Scene) -> Self {
        let receiver = scene.receiver.clone();
        let heard: Vec<Heard> = scene.emitters.iter().map(|emitter| hear(emitter, scene)).collect();
        let voices = scene
            .emitters
            .iter()
            .zip(&heard)
            .map(|(emitter, heard)| Voice {
                emitter: emitter.clone(),
                amplitude: 10f64.powf(heard.level_dbfs / 20.0) as f32,
            })
            .collect();
        Self {
            stretches: stretches(&scene.segments, &scene.impairments, receiver.rate_hz),
            receiver,
            impairments: scene.impairments.clone(),
            seed: scene.seed,
            air: Air::new(voices),
            heard,
            chain: None,
            floats: Vec::new(),
        }
    }

    /// How each emitter of the scene is heard, in its order.
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// The recording's make-up.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Format that [`Renderer::render_block`] gives.
    pub fn format(&self) -> SampleFormat {
        self.receiver.format
    }

    /// Number of samples of the recording.
    pub fn len(&self) -> u64 {
        self.stretches.last().map_or(0, |stretch| stretch.first + stretch.len)
    }

    /// Whether the recording has no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a receiver of this scene's make, set to `center_hz` and `rate_hz`, has before its converter: samples
    /// `first` to `first + out.len()`, of which number n is at scene time n / `rate_hz` (by the receiver's own
    /// clock). Amplitude 1 is full scale. Cutting a stretch anywhere gives the same samples.
    pub fn render(&mut self, center_hz: f64, rate_hz: f64, first: u64, out: &mut [Complex32]) {
        let clock = 1.0 + self.impairments.ppm * 1e-6;
        let tuned = Tuned { center_hz: center_hz * clock, rate_hz: rate_hz * clock };
        let fits =
            self.chain.as_ref().is_some_and(|(center, rate, _)| *center == center_hz && *rate == rate_hz);
        if !fits {
            let key = Rng::keyed(&[self.seed, 0x4E01, center_hz.to_bits(), rate_hz.to_bits()]).next_u64();
            let chain = Chain::new(tuned, &self.impairments, self.receiver.noise_dbfs_per_hz, key);
            self.chain = Some((center_hz, rate_hz, chain));
        }
        let Some((_, _, chain)) = &mut self.chain else { return };
        let air = &mut self.air;
        let mut at = first;
        for tile in out.chunks_mut(TILE) {
            chain.receive(at, tile, |from, buffer| air.add(tuned, from, buffer));
            at += tile.len() as u64;
        }
    }

    /// Samples `first` to `first + n` of the recording, fewer at its end.
    pub fn render_block(&mut self, first: u64, n: usize) -> Samples {
        let mut out = Samples::with_capacity(self.receiver.format, n);
        let mut at = first;
        let end = (first + n as u64).min(self.len());
        while at < end {
            let index = self.stretches.partition_point(|stretch| stretch.first + stretch.len <= at);
            let Some(stretch) = self.stretches.get(index).copied() else { break };
            let count = (stretch.first + stretch.len - at).min(end - at);
            self.render_stretch(stretch.center_hz, stretch.first_air + (at - stretch.first), count, &mut out);
            at += count;
        }
        out
    }

    /// Converts consecutive samples of the receiver's axis, with those of no use in the place of some.
    fn render_stretch(&mut self, center_hz: f64, first: u64, n: u64, out: &mut Samples) {
        let mut at = first;
        let end = first + n;
        while at < end {
            let (fault, until) = fault_at(&self.impairments, self.receiver.rate_hz, at);
            let count = (until.min(end) - at).min(16 * TILE as u64) as usize;
            match fault {
                None => self.convert(center_hz, at, count, out),
                Some(Fault::Zeros) => repeat(Complex32::ZERO, count, out),
                Some(Fault::NotANumber) => repeat(Complex32::new(f32::NAN, f32::NAN), count, out),
                Some(Fault::Stuck { last }) => {
                    let mut value = [Complex32::ZERO];
                    self.render(center_hz, self.receiver.rate_hz, last, &mut value);
                    self.limit(&mut value);
                    repeat(value[0], count, out);
                }
            }
            at += count as u64;
        }
    }

    fn convert(&mut self, center_hz: f64, first: u64, n: usize, out: &mut Samples) {
        let mut floats = std::mem::take(&mut self.floats);
        floats.resize(n, Complex32::ZERO);
        self.render(center_hz, self.receiver.rate_hz, first, &mut floats);
        self.limit(&mut floats);
        receiver::quantise(&floats, out);
        self.floats = floats;
    }

    fn limit(&self, samples: &mut [Complex32]) {
        if let Some(bits) = self.impairments.adc_bits {
            receiver::convert(bits, samples);
        }
    }
}

/// What stands in the place of samples.
enum Fault {
    Zeros,
    NotANumber,
    Stuck { last: u64 },
}

/// What sample `at` suffers, and the first sample that does not suffer the same.
fn fault_at(impairments: &Impairments, rate_hz: f64, at: u64) -> (Option<Fault>, u64) {
    let sample = |seconds: f64| (seconds * rate_hz).round().max(0.0) as u64;
    let mut next = u64::MAX;
    for (kind, times) in [&impairments.stuck, &impairments.zeros, &impairments.nan].into_iter().enumerate() {
        for [from, to] in times {
            let (from, to) = (sample(*from), sample(*to));
            if (from..to).contains(&at) {
                let fault = match kind {
                    0 => Fault::Stuck { last: from.saturating_sub(1) },
                    1 => Fault::Zeros,
                    _ => Fault::NotANumber,
                };
                return (Some(fault), to);
            }
            if from > at {
                next = next.min(from);
            }
        }
    }
    (None, next)
}

fn repeat(value: Complex32, n: usize, out: &mut Samples) {
    receiver::quantise(&vec![value; n], out);
}

/// Measures an emitter and fixes its level.
fn hear(emitter: &SceneEmitter, scene: &Scene) -> Heard {
    let (from_s, to_s) = match (emitter.on.first(), emitter.on.last()) {
        (Some([from, _]), Some([_, to])) => (*from, *to),
        _ => (0.0, scene.duration_s.max(1.0)),
    };
    // A burst waveform may have none in a short on-time, and still occupies what it does.
    let until_s = to_s.min(from_s + SEARCHED_S);
    let waveform = emitter.waveform.as_ref();
    let occupied = occupied::of_waveform(waveform, from_s, until_s)
        .or_else(|| occupied::of_waveform(waveform, 0.0, SEARCHED_S));
    let bandwidth_hz = occupied.map_or(waveform.span_hz(), Occupied::bandwidth_hz).max(1.0);
    let noise_dbfs = scene.receiver.noise_dbfs_per_hz + 10.0 * bandwidth_hz.log10();
    let level_dbfs = match emitter.level {
        Level::Dbfs(level) => level,
        Level::SnrDb(snr) => noise_dbfs + snr,
    };
    Heard { occupied, level_dbfs, snr_db: level_dbfs - noise_dbfs }
}

/// Lays the segments one after the other, cut where samples were lost.
fn stretches(segments: &[SceneSegment], impairments: &Impairments, rate_hz: f64) -> Vec<Stretch> {
    let sample = |seconds: f64| (seconds * rate_hz).round() as u64;
    let mut out = Vec::new();
    let mut first = 0;
    for (segment, SceneSegment { center_hz, start_s, duration_s }) in segments.iter().enumerate() {
        let (mut at, end) = (sample(*start_s), sample(start_s + duration_s));
        let mut push = |first_air: u64, until: u64| {
            if until > first_air {
                let len = until - first_air;
                out.push(Stretch { segment, center_hz: *center_hz, first, first_air, len });
                first += len;
            }
        };
        for loss in &impairments.drops {
            let from = sample(loss.at_s.max(0.0));
            if (at..end).contains(&from) {
                push(at, from);
                at = (from + loss.samples).min(end);
            }
        }
        push(at, end);
    }
    out
}

/// On-times of an emitter that starts in `[from_s, to_s)`, with the shot each belongs to.
pub fn on_times(
    emitter: &SceneEmitter,
    from_s: f64,
    to_s: f64,
    mut each: impl FnMut(&super::Shot, f64, f64, bool),
) {
    let mut shots = Vec::new();
    timeline::shots(emitter, from_s, to_s, &mut shots);
    for shot in &shots {
        for (on_s, off_s, continues) in timeline::on_times(emitter, shot) {
            each(shot, on_s, off_s, continues);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENE: &str = r#"
        seed = 3
        duration = 0.05
        [receiver]
        model = "hackrf"
        center = "2441M"
        rate = "2M"
        format = "cf32"
        noise_dbfs = -50
        [impairments]
        gain_steps = [{ at = 0.011, db = -6 }]
        gain_drift_db_per_s = 20
        drops = [{ at = 0.03, samples = 777 }]
        stuck = [[0.040, 0.041]]
        zeros = [[0.042, 0.0425]]
        nan = [[0.043, 0.0431]]
        spurs = [{ freq = "2440.3M", dbfs = -55 }]
        ppm = 3
        [[emitter]]
        kind = "cw"
        freq = "2441.4M"
        level_dbfs = -20
        on = [[0.0071, 0.0213], [0.0217, 0.034]]
        two_ray = { delay_s = 50e-9, db = -6, phase_deg = 40 }
        [[emitter]]
        kind = "cw"
        freq = "2440.5M"
        snr_db = 20
        rician = { k_db = 3, doppler_hz = 30 }
    "#;

    fn floats(samples: Samples) -> Vec<[f32; 2]> {
        match samples {
            Samples::Cf32(v) => v,
            _ => panic!("the scene asks for cf32"),
        }
    }

    /// Oracle: the recording rendered at once. Tolerance: none, bit for bit.
    #[test]
    fn blocks_of_any_size_are_cut_from_the_same_whole() {
        let scene = Scene::from_toml(SCENE).unwrap();
        let total = Renderer::new(&scene).len();
        assert_eq!(total, 100_000 - 777);
        let bits = |v: &[[f32; 2]]| v.iter().map(|[re, im]| (re.to_bits(), im.to_bits())).collect::<Vec<_>>();
        let whole = bits(&floats(Renderer::new(&scene).render_block(0, total as usize)));
        assert_eq!(whole.len(), total as usize);
        for block in [1usize << 15, 4099, 977] {
            let mut renderer = Renderer::new(&scene);
            let mut at = 0;
            while at < total {
                let part = bits(&floats(renderer.render_block(at, block)));
                let from = at as usize;
                assert!(whole[from..from + part.len()] == part[..], "block of {block} at {at}");
                at += part.len() as u64;
            }
            assert_eq!(at, total);
        }
    }

    /// Oracle: levels as the scene gives them. Tolerance 0.1 dB for a line 20 dB and more over the noise, 0.05 dB
    /// for the noise of 1e6 samples.
    #[test]
    fn levels_are_what_the_scene_says() {
        let scene = |emitter: &str| {
            let text = format!(
                "duration = 0.5\n[receiver]\ncenter = \"100M\"\nrate = \"2M\"\nnoise_dbfs = -50\n{emitter}"
            );
            Scene::from_toml(&text).unwrap()
        };
        let power_db = |scene: &Scene| {
            let samples = floats(Renderer::new(scene).render_block(0, 1_000_000));
            let sum: f64 =
                samples.iter().map(|[re, im]| f64::from(*re).powi(2) + f64::from(*im).powi(2)).sum();
            10.0 * (sum / 1e6).log10()
        };
        let noise = power_db(&scene(""));
        assert!((noise + 50.0).abs() < 0.05, "noise {noise}");
        let carrier = power_db(&scene("[[emitter]]\nkind = \"cw\"\nfreq = \"100.3M\"\nlevel_dbfs = -20"));
        assert!((carrier + 20.0).abs() < 0.1, "carrier {carrier}");
    }

    /// Oracle: the definition of the transform. A line at +400 kHz turns 0.2 cycles a sample, image and offset
    /// stand where they are put. Tolerance 0.3 dB, noise being 30 dB lower.
    #[test]
    fn receiver_artefacts_stand_where_they_belong() {
        let text = r#"
            duration = 0.1
            [receiver]
            center = "100M"
            rate = "2M"
            noise_dbfs = -110
            [impairments]
            dc_dbfs = -40
            iq_image_dbc = -35
            spurs = [{ freq = "99.75M", dbfs = -60 }]
            [[emitter]]
            kind = "cw"
            freq = "100.4M"
            level_dbfs = -20
        "#;
        let samples = floats(Renderer::new(&Scene::from_toml(text).unwrap()).render_block(0, 100_000));
        let level = |offset_hz: f64| {
            let sum: num_complex::Complex64 = samples
                .iter()
                .enumerate()
                .map(|(n, [re, im])| {
                    let turns = -offset_hz / 2e6 * n as f64;
                    num_complex::Complex64::new(f64::from(*re), f64::from(*im))
                        * num_complex::Complex64::cis(std::f64::consts::TAU * turns.fract())
                })
                .sum();
            20.0 * (sum.norm() / samples.len() as f64).log10()
        };
        for (offset_hz, expected) in [(400e3, -20.0), (-400e3, -55.0), (0.0, -40.0), (-250e3, -60.0)] {
            assert!((level(offset_hz) - expected).abs() < 0.3, "{offset_hz}: {}", level(offset_hz));
        }
    }

    /// Oracle: time and frequency shift of a receiver tell nothing to the air: an emitter's samples in one tuning,
    /// turned by the difference, are its samples in another. Tolerance -55 dB.
    #[test]
    fn another_tuning_hears_the_same_transmission() {
        let text = r#"
            duration = 0.1
            [receiver]
            center = "100M"
            rate = "2M"
            noise_dbfs_per_hz = -300
            [[emitter]]
            kind = "cw"
            freq = "100.4M"
            level_dbfs = 0
            on = [[0.02, 0.05]]
        "#;
        let mut renderer = Renderer::new(&Scene::from_toml(text).unwrap());
        let mut here = vec![Complex32::ZERO; 120_000];
        renderer.render(100e6, 2e6, 0, &mut here);
        let mut there = vec![Complex32::ZERO; 60_000];
        renderer.render(100.1e6, 1e6, 0, &mut there);
        let mut worst = 0f32;
        for (n, sample) in there.iter().enumerate() {
            let turn = num_complex::Complex64::cis(std::f64::consts::TAU * (-100e3 / 1e6 * n as f64).fract());
            let turned = here[2 * n] * Complex32::new(turn.re as f32, turn.im as f32);
            worst = worst.max((turned - sample).norm());
        }
        assert!(worst < 10f32.powf(-55.0 / 20.0), "{worst}");
        assert!(here[..39_000].iter().all(|s| s.norm() < 1e-3), "on before its time");
        assert!(here[60_000].norm() > 0.99, "not on in its time");
    }
}
