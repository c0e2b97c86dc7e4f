//! How fast the whole pipeline is, as ratios to bare loops on the same samples in the same run.
//!
//! Absolute rates depend on the machine and on who else uses it; ratios of interleaved rounds do not. Time is that of
//! this thread on its core, from the scheduler's books.

use crate::cases;
use crate::ledger::Task;
use emcon::iq::{IqBlock, Samples, Segment, Tuning};
use emcon::pipeline::{Back, BackParams, Front, FrontEvent};
use emcon::synth::{Renderer, Scene};
use num_complex::Complex32;
use rustfft::FftPlanner;
use serde_json::{Map, Value};

/// Samples in a block, as `replay` reads them.
const BLOCK: usize = 131_072;
/// Frames transformed together in the bare loops: 512 KiB of scratch at 2048 bins, within the second-level cache.
const BATCH: usize = 32;

/// Interleaved rounds.
const ROUNDS: usize = 9;
/// Seconds of signal in memory, 80 MB of it: what is learned from its first tenth of a second is a small part.
const SECONDS: f64 = 2.0;

const RECEIVER: &str = "[receiver]\nmodel = \"hackrf\"\ncenter = \"2441M\"\nrate = \"20M\"\n";

/// An office at 2.4 GHz, all within 20 MHz: two networks at work, a headset, a keyboard, lamps, beacons.
const CROWD: &str = "
[[emitter]]\nkind = \"wifi-ofdm\"\nfreq = \"2437M\"\nsnr_db = 25
[[emitter]]\nkind = \"wifi-ofdm\"\nfreq = \"2442M\"\nsnr_db = 15
[[emitter]]\nkind = \"bluetooth-classic\"\nfreq = \"2441M\"\nsnr_db = 25
[[emitter]]\nkind = \"bluetooth-classic\"\nfreq = \"2441M\"\nsnr_db = 15
[[emitter]]\nkind = \"esb\"\nfreq = \"2444M\"\nsnr_db = 20
[[emitter]]\nkind = \"zigbee\"\nfreq = \"2440M\"\nsnr_db = 20
";

/// The one task.
pub fn tasks() -> Vec<Task> {
    let run = || {
        let quiet = Input::render("")?;
        let crowded = Input::render(CROWD)?;
        measure(&quiet, &crowded, &cases::room()?, ROUNDS)
    };
    vec![Task { what: "throughput/20 MS/s".into(), seed: 1, run: Box::new(run) }]
}

/// The samples that all contenders get.
pub struct Input {
    /// Complex samples a second.
    pub rate_hz: f64,
    /// Centre, hertz.
    pub center_hz: f64,
    /// In blocks, 8-bit signed.
    pub blocks: Vec<IqBlock>,
}

impl Input {
    /// Noise and `emitters`.
    ///
    /// # Errors
    /// The scene is not valid: what the synthesiser says.
    pub fn render(emitters: &str) -> Result<Self, String> {
        let text = format!("seed = 1\nduration = {SECONDS}\n{RECEIVER}{emitters}");
        let scene = Scene::from_toml(&text).map_err(|error| error.to_string())?;
        let mut renderer = Renderer::new(&scene);
        let mut blocks = Vec::new();
        let mut first = 0;
        while first < renderer.len() {
            let samples = renderer.render_block(first, BLOCK);
            let n = samples.len() as u64;
            blocks.push(IqBlock { samples, first });
            first += n;
        }
        let center_hz = renderer.stretches().first().map_or(0.0, |stretch| stretch.center_hz);
        Ok(Self { rate_hz: scene.receiver.rate_hz, center_hz, blocks })
    }

    fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.samples.len()).sum()
    }

    fn segment(&self) -> Segment {
        Segment {
            index: 0,
            tuning: Tuning { rate_hz: self.rate_hz, center_hz: Some(self.center_hz) },
            start_s: 0.0,
            shared_axis: true,
            format: emcon::iq::SampleFormat::Ci8,
        }
    }
}

/// Seconds that this thread has been on a core, to the nanosecond (Linux, Documentation/scheduler/sched-stats); the
/// wall clock where the system keeps no such book.
fn cpu_s() -> f64 {
    let book = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_core = book.as_deref().and_then(|b| b.split(' ').next()?.parse::<f64>().ok());
    on_core.map_or_else(wall_s, |nanoseconds| nanoseconds * 1e-9)
}

#[allow(clippy::disallowed_methods, reason = "a bench reads the clock: that is its work")]
fn wall_s() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64()
}

/// The bare loop: convert, window, transform, power, accumulate.
struct Bare {
    bins: usize,
    hop: usize,
    window: Vec<f32>,
    fft: std::sync::Arc<dyn rustfft::Fft<f32>>,
    frames: Vec<Complex32>,
    scratch: Vec<Complex32>,
    sum: Vec<f32>,
}

impl Bare {
    fn new(bins: usize, hop: usize) -> Self {
        let fft = FftPlanner::new().plan_fft_forward(bins);
        let hann = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / bins as f32).cos();
        Self {
            bins,
            hop,
            window: (0..bins).map(hann).collect(),
            frames: vec![Complex32::default(); bins * BATCH],
            scratch: vec![Complex32::default(); fft.get_inplace_scratch_len()],
            sum: vec![0.0; bins],
            fft,
        }
    }

    fn run(&mut self, blocks: &[IqBlock]) {
        for block in blocks {
            let Samples::Ci8(samples) = &block.samples else { continue };
            let frames = (samples.len() + self.hop).saturating_sub(self.bins) / self.hop;
            for first in (0..frames).step_by(BATCH) {
                let batch = BATCH.min(frames - first);
                let into = &mut self.frames[..batch * self.bins];
                for (n, frame) in into.chunks_exact_mut(self.bins).enumerate() {
                    let from = (first + n) * self.hop;
                    windowed(&samples[from..from + self.bins], &self.window, frame);
                }
                self.fft.process_with_scratch(into, &mut self.scratch);
                for frame in into.chunks_exact(self.bins) {
                    accumulate(frame, &mut self.sum);
                }
            }
        }
        std::hint::black_box(&self.sum);
    }
}

/// The same instructions are open to the bare loop as to the pipeline: chosen at run time.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn windowed(samples: &[[i8; 2]], window: &[f32], frame: &mut [Complex32]) {
    for ((out, [re, im]), w) in frame.iter_mut().zip(samples).zip(window) {
        *out = Complex32::new(f32::from(*re) * w, f32::from(*im) * w);
    }
}

#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+fma",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn accumulate(frame: &[Complex32], sum: &mut [f32]) {
    for (total, x) in sum.iter_mut().zip(frame) {
        *total += x.re * x.re + x.im * x.im;
    }
}

/// The whole pipeline, as `replay` runs it, or as a sensor does whose waterfall is watched.
fn pipeline(input: &Input, room: &BackParams, watched: bool) -> u64 {
    let mut front = Front::new();
    front.watch(watched);
    let mut back = Back::new(room.clone());
    let (mut events, mut said, mut count) = (Vec::new(), Vec::new(), 0);
    let mut judge = |events: &mut Vec<FrontEvent>| {
        for event in events.drain(..) {
            back.take(&event, &mut said);
        }
        count += said.len() as u64;
        said.clear();
    };
    front.begin(&input.segment(), &mut events);
    judge(&mut events);
    for block in &input.blocks {
        front.step(block, &mut events);
        judge(&mut events);
    }
    front.finish(&mut events);
    judge(&mut events);
    back.finish(&mut said);
    count + said.len() as u64
}

/// Size and hop of the pipeline's transforms, from what it tells of itself.
fn transforms(input: &Input) -> Option<(usize, usize)> {
    let mut events = Vec::new();
    Front::new().begin(&input.segment(), &mut events);
    events.iter().find_map(|event| match event {
        FrontEvent::Segment(start) => Some((
            (start.rate_hz / start.bin_hz).round() as usize,
            (start.hop_s * start.rate_hz).round() as usize,
        )),
        _ => None,
    })
}

/// Rates in samples a second of processor time, median over `rounds` interleaved rounds, and their ratios round by
/// round.
///
/// # Errors
/// The pipeline does not tell the size of its transforms.
pub fn measure(
    quiet: &Input,
    crowded: &Input,
    room: &BackParams,
    rounds: usize,
) -> Result<Map<String, Value>, String> {
    let (bins, hop) = transforms(quiet).ok_or("the pipeline does not tell its transforms")?;
    let mut same = Bare::new(bins, hop);
    let mut plain = Bare::new(2048, 2048);
    let mut rates: [Vec<f64>; 5] = Default::default();
    // One more round, the first, warms caches and clocks and does not count.
    for round in 0..=rounds {
        let spent = [
            timed(quiet, || same.run(&quiet.blocks)),
            timed(quiet, || plain.run(&quiet.blocks)),
            timed(quiet, || _ = std::hint::black_box(pipeline(quiet, room, false))),
            timed(crowded, || _ = std::hint::black_box(pipeline(crowded, room, false))),
            timed(quiet, || _ = std::hint::black_box(pipeline(quiet, room, true))),
        ];
        if round > 0 {
            for (all, rate) in rates.iter_mut().zip(spent) {
                all.push(rate);
            }
        }
    }
    let ratio = |a: usize, b: usize| median(rates[a].iter().zip(&rates[b]).map(|(x, y)| x / y).collect());
    let megasamples = |n: usize| ((median(rates[n].clone()) / 1e5).round() / 10.0).into();
    let percent = |x: f64| ((x * 1e3).round() / 1e3).into();
    Ok(Map::from_iter([
        ("bins".to_string(), bins.into()),
        ("hop".into(), hop.into()),
        ("rounds".into(), rounds.into()),
        ("same_loop_msps".into(), megasamples(0)),
        ("plain_loop_msps".into(), megasamples(1)),
        ("quiet_msps".into(), megasamples(2)),
        ("crowded_msps".into(), megasamples(3)),
        ("quiet_to_same_loop".into(), percent(ratio(2, 0))),
        ("quiet_to_plain_loop".into(), percent(ratio(2, 1))),
        ("crowded_to_quiet".into(), percent(ratio(3, 2))),
        ("watched_msps".into(), megasamples(4)),
        ("watched_to_quiet".into(), percent(ratio(4, 2))),
        ("cpu".into(), cpu_name().into()),
    ]))
}

fn timed(input: &Input, mut work: impl FnMut()) -> f64 {
    let start = cpu_s();
    work();
    input.len() as f64 / (cpu_s() - start).max(1e-9)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The processor, in its maker's words.
fn cpu_name() -> String {
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        about.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    name.unwrap_or("unknown processor").to_string()
}
