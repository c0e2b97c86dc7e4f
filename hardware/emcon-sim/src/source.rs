//! What the antenna gives at any setting and time, up to and including the converter.

use std::fs;
use std::path::Path;

use emcon::synth::{Renderer, Scene};
use num_complex::Complex32;

use crate::adc::{self, Code, Model};
use crate::args::{Args, Hears};
use crate::recording::Tape;
use crate::{abi, noise};

/// Samples worked on at once: their floats stay in a cache of the second level.
const TILE: usize = 16_384;
/// Noise that the converter adds by itself, dBFS: a third of a step on each rail, so that codes still move when the
/// gain is so low that nothing else reaches it.
const CONVERTER_DBFS: f64 = -48.6;
/// Noise of a recording, of which nobody says how strong it is: what scenes have unless told otherwise, dBFS.
const USUAL_DBFS: f64 = -38.0;
/// A scene is some kilobytes of text.
const LONGEST_SCENE: u64 = 16 << 20;
/// A room where nobody transmits.
const QUIET: &str = "duration = 1.0\n[receiver]\ncenter = \"100M\"\n";
/// What the two kinds of noise are drawn from.
const CONVERTER_KEY: u64 = 1;
const JAMMER_KEY: u64 = 2;

/// Where samples come from.
pub struct Source {
    model: Model,
    kind: Kind,
    floats: Vec<Complex32>,
}

enum Kind {
    Scene { renderer: Box<Renderer>, noise_dbfs_per_hz: f64 },
    Tape(Tape),
}

/// Consecutive samples of one setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// How many.
    pub len: usize,
    /// Centre as the radio's clock has it.
    pub center_hz: f64,
    /// Sample rate as the radio's clock has it.
    pub rate_hz: f64,
    /// Number of the first on the air's axis at that rate.
    pub first: u64,
    /// Gain over the scene's.
    pub gain_db: f64,
    /// By how much the noise is stronger, signals being the same; or if negative, everything weaker.
    pub floor_db: f64,
}

impl Source {
    /// Opens what `args` asks for.
    ///
    /// # Errors
    /// A sentence with key and value.
    pub fn open(args: &Args) -> Result<Self, String> {
        let kind = match &args.hears {
            Hears::Quiet => scene(QUIET, args.seed, "the quiet room")?,
            Hears::Scene(path) => {
                let name = format!("scene={}", path.display());
                scene(&read_scene(path)?, args.seed, &name)?
            }
            Hears::Recording(path) => {
                let tape = Tape::open(path, args.model, args.looped)?;
                abi::log_info(&format!(
                    "emcon-sim: {} was made at {} samples a second, {}; it sounds the same at any setting",
                    path.display(),
                    tape.rate_hz,
                    tape.center_hz.map_or_else(|| "nobody knows where".to_owned(), |hz| format!("{hz} Hz"))
                ));
                Kind::Tape(tape)
            }
        };
        Ok(Self { model: args.model, kind, floats: vec![Complex32::ZERO; TILE] })
    }

    /// Fills `out`, which is as long as the span; gives how many samples there are.
    ///
    /// # Errors
    /// A sentence if a recording cannot be read on.
    pub fn hear(&mut self, span: &Span, out: &mut [Code]) -> Result<usize, String> {
        let changed = Changed::new(span, self.noise_dbfs(span.rate_hz));
        match &mut self.kind {
            Kind::Tape(tape) => {
                // The converter's own noise is in a recording already, and its gain was its maker's.
                let filled = tape.read(span.first, out)?;
                let changed = Changed { converter: 0.0, ..changed };
                if changed != Changed::NOTHING {
                    let mut at = span.first;
                    for codes in out[..filled].chunks_mut(TILE) {
                        let floats = &mut self.floats[..codes.len()];
                        adc::unconvert(self.model, codes, floats);
                        changed.apply(at, floats);
                        adc::convert(self.model, floats, codes);
                        at += codes.len() as u64;
                    }
                }
                Ok(filled)
            }
            Kind::Scene { renderer, .. } => {
                let mut at = span.first;
                for codes in out.chunks_mut(TILE) {
                    let floats = &mut self.floats[..codes.len()];
                    renderer.render(span.center_hz, span.rate_hz, at, floats);
                    changed.apply(at, floats);
                    adc::convert(self.model, floats, codes);
                    at += codes.len() as u64;
                }
                Ok(out.len())
            }
        }
    }

    /// Whether the gain that a client sets changes anything.
    pub fn heeds_gain(&self) -> bool {
        matches!(self.kind, Kind::Scene { .. })
    }

    fn noise_dbfs(&self, rate_hz: f64) -> f64 {
        match self.kind {
            Kind::Scene { noise_dbfs_per_hz, .. } => noise_dbfs_per_hz + 10.0 * rate_hz.log10(),
            Kind::Tape(_) => USUAL_DBFS,
        }
    }
}

/// What gain and faults do to samples before the converter, as amplitudes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Changed {
    gain: f32,
    converter: f32,
    jammer: f32,
}

impl Changed {
    const NOTHING: Self = Self { gain: 1.0, converter: 0.0, jammer: 0.0 };

    fn new(span: &Span, noise_dbfs: f64) -> Self {
        if span.gain_db == 0.0 && span.floor_db == 0.0 {
            return Self::NOTHING;
        }
        let power = |db: f64| 10f64.powf(db / 10.0);
        let gain_db = span.gain_db + span.floor_db.min(0.0);
        // The converter's noise is part of the scene's: what gain takes away of it is put back.
        let missing = power(CONVERTER_DBFS) * (1.0 - power(gain_db)).max(0.0);
        let jammer = power(noise_dbfs + gain_db) * (power(span.floor_db.max(0.0)) - 1.0);
        Self {
            gain: power(gain_db).sqrt() as f32,
            converter: missing.sqrt() as f32,
            jammer: jammer.sqrt() as f32,
        }
    }

    fn apply(&self, first: u64, samples: &mut [Complex32]) {
        if self.gain != 1.0 {
            samples.iter_mut().for_each(|sample| *sample *= self.gain);
        }
        if self.converter > 0.0 {
            noise::add(CONVERTER_KEY, first, self.converter, samples);
        }
        if self.jammer > 0.0 {
            noise::add(JAMMER_KEY, first, self.jammer, samples);
        }
    }
}

fn read_scene(path: &Path) -> Result<String, String> {
    let failed = |why: String| {
        format!("emcon-sim: scene={}: {why}; name a scene file (docs/scenes.md)", path.display())
    };
    let attributes = fs::metadata(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
    if attributes.len() > LONGEST_SCENE {
        return Err(failed(format!("larger than {} MiB", LONGEST_SCENE >> 20)));
    }
    fs::read_to_string(path).map_err(|error| failed(format!("cannot be read: {error}")))
}

fn scene(text: &str, seed: Option<u64>, name: &str) -> Result<Kind, String> {
    let failed = |error: String| format!("emcon-sim: {name}: {error}");
    let parse = |text: &str| Scene::from_toml(text).map_err(|error| failed(error.to_string()));
    let mut scene = parse(text)?;
    if let Some(seed) = seed {
        // Emitters draw from the scene's seed while they are built: it must be in the text.
        let mut table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| failed(error.to_string()))?;
        let number =
            i64::try_from(seed).map_err(|_| failed(format!("seed={seed} is more than TOML can hold")))?;
        table.insert("seed".to_owned(), toml::Value::Integer(number));
        scene = parse(&table.to_string())?;
    }
    let noise_dbfs_per_hz = scene.receiver.noise_dbfs_per_hz;
    Ok(Kind::Scene { renderer: Box::new(Renderer::new(&scene)), noise_dbfs_per_hz })
}
