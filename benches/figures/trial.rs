//! One scene through the whole pipeline: what was true, what the front saw, what the back said.

use emcon::alert::AlertPhase;
use emcon::iq::{IqBlock, Segment, Tuning};
use emcon::measure::Burst;
use emcon::pipeline::{Back, BackParams, EmitterReport, Front, FrontEvent, Output, Phase};
use emcon::synth::{Renderer, Scene, Truth, TruthEmitter};

/// Samples rendered and looked at together.
const BLOCK: usize = 131_072;

/// What came of a scene.
pub struct Trial {
    /// What the recording contains.
    pub truth: Truth,
    /// Centre of the tuning, hertz.
    pub center_hz: f64,
    /// Bursts, and carriers as they ended, that the front reported.
    pub seen: Vec<Burst>,
    /// Emitters as they closed, those merged away left out.
    pub emitters: Vec<EmitterReport>,
    /// Alerts raised.
    pub alerts: u64,
    /// Seconds of signal.
    pub duration_s: f64,
}

/// Renders the scene that `toml` describes, of one segment, and runs it through the pipeline
/// of `room`.
///
/// # Errors
/// The scene is not valid: what the synthesiser says.
pub fn run(toml: &str, room: &BackParams) -> Result<Trial, String> {
    let scene = Scene::from_toml(toml).map_err(|error| error.to_string())?;
    let mut renderer = Renderer::new(&scene);
    let truth = Truth::of(&scene, &renderer);
    let rate_hz = scene.receiver.rate_hz;
    let center_hz = renderer.stretches().first().map_or(0.0, |stretch| stretch.center_hz);

    let mut front = Front::new();
    let mut back = Back::new(room.clone());
    let (mut events, mut said) = (Vec::new(), Vec::new());
    let (mut seen, mut emitters, mut alerts) = (Vec::new(), Vec::new(), 0);
    let mut judge = |events: &mut Vec<FrontEvent>, last: bool| {
        for event in events.drain(..) {
            match event {
                FrontEvent::Burst(burst) => seen.push(burst),
                FrontEvent::Carrier(carrier) if carrier.ended => seen.push(carrier.burst),
                _ => {}
            }
            back.take(&event, &mut said);
        }
        if last {
            back.finish(&mut said);
        }
        for output in said.drain(..) {
            match output {
                Output::Emitter(Phase::Closed, report) if report.merged_into.is_none() => {
                    emitters.push(report)
                }
                Output::Alert(report) if report.phase == AlertPhase::Raised => alerts += 1,
                _ => {}
            }
        }
    };
    let segment = Segment {
        index: 0,
        tuning: Tuning { rate_hz, center_hz: Some(center_hz) },
        start_s: 0.0,
        shared_axis: true,
        format: renderer.format(),
    };
    front.begin(&segment, &mut events);
    let mut first = 0;
    while first < renderer.len() {
        let samples = renderer.render_block(first, BLOCK);
        let n = samples.len() as u64;
        front.step(&IqBlock { samples, first }, &mut events);
        judge(&mut events, false);
        first += n;
    }
    front.finish(&mut events);
    judge(&mut events, true);
    let duration_s = renderer.len() as f64 / rate_hz;
    Ok(Trial { truth, center_hz, seen, emitters, alerts, duration_s })
}

impl Trial {
    /// How many of `emitter`'s on-times the front saw at least half of, at its frequency, and of how many.
    pub fn detected(&self, emitter: &TruthEmitter) -> (u64, u64) {
        // On-times that one end of the recording cuts are shorter than they seem: left out.
        let cut = |on: &[f64; 2]| (on[0] <= 0.0) != (on[1] >= self.duration_s - 1e-6);
        let whole = emitter.on_times.iter().filter(|on| !cut(on));
        let at_frequency: Vec<&Burst> = self
            .seen
            .iter()
            .filter(|burst| self.hits(emitter, burst.offset_hz, burst.bandwidth_hz))
            .collect();
        let (mut hits, mut of) = (0, 0);
        for on in whole {
            let covered: f64 = at_frequency
                .iter()
                .map(|burst| (burst.end_s.min(on[1]) - burst.start_s.max(on[0])).max(0.0))
                .sum();
            hits += u64::from(covered >= 0.5 * (on[1] - on[0]));
            of += 1;
        }
        (hits, of)
    }

    /// The reported emitter that answers to `emitter`: of those at its frequency and time the one with most airtime.
    pub fn answer(&self, emitter: &TruthEmitter) -> Option<&EmitterReport> {
        let (Some(first_s), Some(last_s)) = (emitter.first_s, emitter.last_s) else { return None };
        self.emitters
            .iter()
            .filter(|report| report.first_s < last_s && report.last_s > first_s)
            .filter(|report| {
                let hop = |hz: &f64| self.hits(emitter, hz - self.center_hz, report.bandwidth_hz);
                let own = [report.center_hz.unwrap_or(self.center_hz + report.offset_hz)];
                if report.channels_hz.is_empty() {
                    own.iter().any(hop)
                } else {
                    report.channels_hz.iter().any(hop)
                }
            })
            .max_by(|a, b| a.airtime_s.total_cmp(&b.airtime_s))
    }

    /// Whether something `offset_hz` from the middle and `bandwidth_hz` wide overlaps a channel of `emitter`.
    fn hits(&self, emitter: &TruthEmitter, offset_hz: f64, bandwidth_hz: f64) -> bool {
        let one = [emitter.center_hz];
        let channels = if emitter.channels_hz.is_empty() { &one[..] } else { &emitter.channels_hz };
        let reach = 0.5 * (bandwidth_hz + emitter.bandwidth_hz);
        channels.iter().any(|hz| (hz - self.center_hz - offset_hz).abs() <= reach)
    }
}
