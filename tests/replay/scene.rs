//! Scenes of the simulator through the whole pipeline, in memory.

use emcon::alert::AlertPhase;
use emcon::classify::{Device, Signal};
use emcon::iq::{IqBlock, Segment, Tuning};
use emcon::pipeline::{Back, EmitterReport, Front, FrontEvent, HealthReason, HealthState, Output, Phase};
use emcon::policy::Baseline;
use emcon::synth::{Renderer, Scene};

/// What came of a scene.
pub struct Verdict {
    pub alerts: usize,
    pub emitters: Vec<EmitterReport>,
    /// States other than good, with their reasons.
    pub faults: Vec<HealthReason>,
    pub observed_s: f64,
}

impl Verdict {
    pub fn names(&self) -> Vec<(Device, Signal)> {
        self.emitters.iter().map(|e| (e.device, e.signal)).collect()
    }
}

/// `scene` after a receiver and a duration, through the whole pipeline, nothing learned.
pub fn verdict(model: &str, center: &str, duration_s: f64, seed: u64, scene: &str) -> Verdict {
    run(model, center, duration_s, seed, scene, super::back()).0
}

/// The same through `back`; with what that has learned.
pub fn run(
    model: &str,
    center: &str,
    duration_s: f64,
    seed: u64,
    scene: &str,
    mut back: Back,
) -> (Verdict, Baseline) {
    let toml = format!(
        "seed = {seed}\nduration = {duration_s}\n[receiver]\nmodel = \"{model}\"\ncenter = \"{center}\"\n{scene}"
    );
    let scene = Scene::from_toml(&toml).unwrap();
    let mut renderer = Renderer::new(&scene);
    let mut front = Front::new();
    let tuning = Tuning {
        rate_hz: scene.receiver.rate_hz,
        center_hz: renderer.stretches().first().map(|stretch| stretch.center_hz),
    };
    let format = renderer.format();
    let mut events = Vec::new();
    front.begin(&Segment { index: 0, tuning, start_s: 0.0, shared_axis: true, format }, &mut events);
    let mut first = 0;
    while first < renderer.len() {
        let samples = renderer.render_block(first, 131_072);
        let count = samples.len() as u64;
        front.step(&IqBlock { samples, first }, &mut events);
        first += count;
    }
    front.finish(&mut events);
    let observed = |event: &FrontEvent| match event {
        FrontEvent::Observed(observed) => observed.until_s - observed.from_s,
        _ => 0.0,
    };
    let observed_s = events.iter().map(observed).sum();
    let mut out = Vec::new();
    events.iter().for_each(|event| back.take(event, &mut out));
    back.finish(&mut out);
    let mut verdict = Verdict { alerts: 0, emitters: Vec::new(), faults: Vec::new(), observed_s };
    for output in out {
        match output {
            Output::Alert(alert) => verdict.alerts += usize::from(alert.phase == AlertPhase::Raised),
            Output::Emitter(Phase::Closed, report) if report.merged_into.is_none() => {
                verdict.emitters.push(report)
            }
            Output::Health(health) if health.state != HealthState::Ok => verdict.faults.push(health.reason),
            _ => {}
        }
    }
    (verdict, back.baseline())
}
