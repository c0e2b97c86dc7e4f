//! One recording through the pipeline: samples to the front, its events to the back, what that says to a sink.
//!
//! Memory does not grow with the recording: one block of samples, the pipeline's own bounded state, and the
//! bounded onlookers (waterfall, explanations).

use super::report::{RecordingReport, Sink, Summary};
use super::waterfall::Waterfall;
use crate::alert::{AlertPhase, ResolvedBecause};
use crate::bandplan::BandPlan;
use crate::classify::Signature;
use crate::explain::{Explainer, Window};
use crate::iq::{Gap, IqBlock, Received, Segment};
use crate::pipeline::{
    Back, BackParams, Front, FrontEvent, Health, HealthReason, HealthState, Output, Phase, STUCK_S, WINDOW_S,
};
use crate::policy::{Baseline, Level};
use crate::recording::{OpenOptions, Recording, RecordingError};
use std::collections::HashSet;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// How recordings are replayed.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the command line says of raw input.
    pub open: OpenOptions,
    /// The region's allocations.
    pub band_plan: BandPlan,
    /// What signals look like.
    pub signatures: Vec<Signature>,
    /// Level of the meeting.
    pub level: Level,
    /// The first seconds teach the ambient.
    pub learn_s: f64,
    /// Ambient known beforehand.
    pub baseline: Option<Baseline>,
    /// Samples handed to the pipeline at a time; `None` is the recording's own choice.
    pub block_samples: Option<NonZeroUsize>,
    /// Boxes to explain.
    pub explain: Vec<Window>,
    /// Whether to draw a waterfall.
    pub waterfall: bool,
}

/// Why a recording was not replayed to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording's fault.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// What was said could not be handed on.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

/// What came of a recording, beside what the sink was told.
pub struct Replayed {
    /// As the sink was told.
    pub summary: Summary,
    /// Whether an alert was raised, merged or not.
    pub alerted: bool,
    /// The ambient learned, with the one given.
    pub learned: Baseline,
    /// What the boxes hold, a sentence a line.
    pub explanations: Vec<Vec<String>>,
    /// The picture.
    pub waterfall: Option<Waterfall>,
    /// What the recording wants people to know.
    pub warnings: Vec<String>,
    /// What ended it early: all before was analysed.
    pub fault: Option<RecordingError>,
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Samples analysed.
    pub samples: u64,
    /// Position on the recording's axis, seconds.
    pub at_s: f64,
    /// End of that axis, seconds, if known.
    pub duration_s: Option<f64>,
}

/// Replays the recording at `path`, the one at place `number` (from 1) of those asked for. `progress` is called
/// after each block.
///
/// # Errors
/// See [`ReplayError`]. A recording that does not open says nothing to the sink.
pub fn replay(
    path: &Path,
    number: u32,
    options: &Options,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Progress),
) -> Result<Replayed, ReplayError> {
    let mut recording = Recording::open(path, &options.open)?;
    if let Some(samples) = options.block_samples {
        recording = recording.with_block_samples(samples);
    }
    let report = describe(path, number, &recording);
    sink.recording(&report)?;
    let mut run = Run::new(options, sink, &report);
    let mut block = recording.new_block();
    let mut fault = None;
    while fault.is_none() {
        match recording.next(&mut block) {
            Ok(Received::Segment(segment)) => run.segment(segment)?,
            Ok(Received::Block) => run.block(&block)?,
            Ok(Received::Gap(gap)) => run.gap(gap)?,
            Ok(Received::End) => break,
            Err(error) => fault = Some(error),
        }
        progress(Progress { samples: run.tally.samples, at_s: run.at_s, duration_s: report.duration_s });
    }
    Ok(Replayed { fault, ..run.finish(&recording)? })
}

fn describe(path: &Path, number: u32, recording: &Recording) -> RecordingReport {
    let info = recording.info();
    // By their bits: a sweep has a hundred thousand segments, too many to compare each with each.
    let mut known = HashSet::new();
    let centers_hz = info.segments.iter().filter_map(|segment| segment.center_hz);
    let centers_hz = centers_hz.filter(|center_hz| known.insert(center_hz.to_bits())).collect();
    RecordingReport {
        number,
        path: path.to_string_lossy().into_owned(),
        datatype: info.datatype.clone(),
        sample_rate_hz: info.sample_rate_hz,
        centers_hz,
        duration_s: info.duration_s,
        segments: info.segments.len(),
        epoch: info.segments.first().and_then(|segment| segment.utc),
    }
}

/// Those who look on. The front's tap and the loop of the replay both reach them; they run on one thread, so the
/// lock is never waited for.
struct Onlookers {
    explainers: Vec<Explainer>,
    waterfall: Option<Waterfall>,
}

/// A replay on its way.
struct Run<'a> {
    front: Front,
    back: Back,
    events: Vec<FrontEvent>,
    outputs: Vec<Output>,
    sink: &'a mut dyn Sink,
    onlookers: Option<Arc<Mutex<Onlookers>>>,
    segment: Option<Segment>,
    at_s: f64,
    tally: Tally,
}

impl<'a> Run<'a> {
    fn new(options: &Options, sink: &'a mut dyn Sink, report: &RecordingReport) -> Self {
        let mut front = Front::new();
        let onlookers = (options.waterfall || !options.explain.is_empty()).then(|| {
            Arc::new(Mutex::new(Onlookers {
                explainers: options.explain.iter().copied().map(Explainer::new).collect(),
                waterfall: options.waterfall.then(|| Waterfall::new(report)),
            }))
        });
        if let Some(onlookers) = onlookers.clone() {
            front.set_tap(Box::new(move |slab| {
                let mut onlookers = onlookers.lock().unwrap_or_else(PoisonError::into_inner);
                onlookers.explainers.iter_mut().for_each(|explainer| explainer.slab(&slab));
                onlookers.waterfall.iter_mut().for_each(|waterfall| waterfall.slab(&slab));
            }));
        }
        let back = Back::new(BackParams {
            band_plan: options.band_plan.clone(),
            signatures: options.signatures.clone(),
            level: options.level,
            baseline: options.baseline.clone(),
            learn_s: options.learn_s,
            // Nothing is known of the receiver that recorded it.
            gate: None,
        });
        Self {
            front,
            back,
            events: Vec::new(),
            outputs: Vec::new(),
            sink,
            onlookers,
            segment: None,
            at_s: 0.0,
            tally: Tally::default(),
        }
    }

    fn segment(&mut self, segment: Segment) -> io::Result<()> {
        self.segment = Some(segment);
        self.at_s = self.at_s.max(segment.start_s);
        self.front.begin(&segment, &mut self.events);
        self.drain()
    }

    fn block(&mut self, block: &IqBlock) -> io::Result<()> {
        let samples = block.samples.len() as u64;
        self.tally.samples += samples;
        if let Some(segment) = &self.segment {
            let end = (block.first + samples) as f64;
            self.tally.received_s += samples as f64 / segment.tuning.rate_hz;
            self.at_s = self.at_s.max(segment.start_s + end / segment.tuning.rate_hz);
        }
        self.front.step(block, &mut self.events);
        self.drain()
    }

    fn gap(&mut self, gap: Gap) -> io::Result<()> {
        self.tally.lost_samples += gap.lost;
        self.front.gap(gap, &mut self.events);
        self.drain()
    }

    /// Hands the front's events to the back, and what that says to the sink.
    fn drain(&mut self) -> io::Result<()> {
        for event in &self.events {
            if let FrontEvent::Observed(observed) = event {
                self.tally.observed_s += observed.until_s - observed.from_s;
            }
            self.back.take(event, &mut self.outputs);
        }
        self.tell()
    }

    fn tell(&mut self) -> io::Result<()> {
        if let Some(onlookers) = &self.onlookers {
            let mut onlookers = onlookers.lock().unwrap_or_else(PoisonError::into_inner);
            let Onlookers { explainers, waterfall } = &mut *onlookers;
            for event in &self.events {
                explainers.iter_mut().for_each(|explainer| explainer.front(event));
                waterfall.iter_mut().for_each(|waterfall| waterfall.front(event));
            }
            for output in &self.outputs {
                explainers.iter_mut().for_each(|explainer| explainer.output(output));
                waterfall.iter_mut().for_each(|waterfall| waterfall.output(output));
            }
        }
        self.ask_suspects(Explainer::wants_suspects);
        self.events.clear();
        for output in &self.outputs {
            self.tally.output(output);
            self.sink.output(output)?;
        }
        if !self.outputs.is_empty() {
            self.outputs.clear();
            self.sink.flush()?;
        }
        Ok(())
    }

    /// Shows the emitters held now to those explainers that `want` them.
    fn ask_suspects(&self, want: impl Fn(&Explainer) -> bool) {
        let Some(onlookers) = &self.onlookers else { return };
        let mut onlookers = onlookers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wanting = onlookers.explainers.iter_mut().filter(|explainer| want(explainer)).peekable();
        if wanting.peek().is_some() {
            let suspects = self.back.suspects();
            wanting.for_each(|explainer| explainer.suspects(&suspects));
        }
    }

    fn finish(mut self, recording: &Recording) -> io::Result<Replayed> {
        self.front.finish(&mut self.events);
        self.drain()?;
        self.ask_suspects(|_| true);
        self.back.finish(&mut self.outputs);
        self.tell()?;
        self.tally.lost_samples += recording.lost_samples();
        let summary = self.tally.summary(self.at_s.max(recording.info().duration_s.unwrap_or(0.0)));
        self.sink.summary(&summary)?;
        self.sink.flush()?;
        // The front holds the tap, and with it the other reference to the onlookers.
        drop(self.front);
        let onlookers = self.onlookers.and_then(Arc::into_inner).map(Mutex::into_inner);
        let onlookers = onlookers.map(|inner| inner.unwrap_or_else(PoisonError::into_inner));
        let (explainers, waterfall) = onlookers.map_or((Vec::new(), None), |o| (o.explainers, o.waterfall));
        Ok(Replayed {
            summary,
            alerted: self.tally.raised > 0,
            learned: self.back.baseline(),
            explanations: explainers.iter().map(Explainer::lines).collect(),
            waterfall,
            warnings: recording.warnings().to_vec(),
            fault: None,
        })
    }
}

/// Counts for the summary.
#[derive(Debug, Default)]
struct Tally {
    samples: u64,
    lost_samples: u64,
    opened: u64,
    merged: u64,
    raised: u64,
    resolved_as_merged: u64,
    /// Seconds of samples that came, and that the front looked at.
    received_s: f64,
    observed_s: f64,
    blind_s: f64,
    blind_since_s: Option<f64>,
    /// When the last blind spell ended, seconds.
    blind_until_s: f64,
}

impl Tally {
    fn output(&mut self, output: &Output) {
        match output {
            Output::Emitter(Phase::Opened, _) => self.opened += 1,
            Output::Emitter(Phase::Closed, report) => self.merged += u64::from(report.merged_into.is_some()),
            Output::Emitter(Phase::Updated, _) => {}
            Output::Alert(alert) => {
                self.raised += u64::from(alert.phase == AlertPhase::Raised);
                self.resolved_as_merged += u64::from(alert.because == Some(ResolvedBecause::Merged));
            }
            Output::Health(health) => self.health(health),
        }
    }

    fn health(&mut self, health: &Health) {
        let blind = health.state == HealthState::Blind;
        match self.blind_since_s {
            None if blind => {
                let since_s = health.at_s - backdated_s(health.reason);
                self.blind_since_s = Some(since_s.max(self.blind_until_s));
            }
            Some(since_s) if !blind => {
                self.blind_s += (health.at_s - since_s).max(0.0);
                (self.blind_since_s, self.blind_until_s) = (None, health.at_s);
            }
            _ => {}
        }
    }

    fn summary(&self, duration_s: f64) -> Summary {
        let still_s = self.blind_since_s.map_or(0.0, |since_s| (duration_s - since_s).max(0.0));
        let unseen_s = self.received_s - self.observed_s;
        // A few samples at the end of each segment are always short of a transform.
        let unseen_s = if 2.0 * unseen_s > self.received_s { unseen_s } else { 0.0 };
        Summary {
            duration_s,
            samples: self.samples,
            lost_samples: self.lost_samples,
            emitters: self.opened.saturating_sub(self.merged),
            alerts: self.raised.saturating_sub(self.resolved_as_merged),
            blind_s: (self.blind_s + still_s).max(unseen_s),
        }
    }
}

/// How long the receiver has been blind when that is said, seconds.
fn backdated_s(reason: HealthReason) -> f64 {
    match reason {
        HealthReason::StuckSamples => STUCK_S,
        HealthReason::Clipping | HealthReason::NonFiniteSamples => WINDOW_S,
        HealthReason::Gap | HealthReason::FloorStep => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blind_time_is_summed_up_to_the_end() {
        let mut tally = Tally::default();
        let mut at = |at_s, state| tally.health(&Health { at_s, state, reason: HealthReason::Gap });
        at(1.0, HealthState::Blind);
        at(1.5, HealthState::Blind);
        at(2.0, HealthState::Degraded);
        at(3.0, HealthState::Ok);
        at(9.0, HealthState::Blind);
        let summary = tally.summary(10.0);
        assert_eq!(summary.blind_s, 2.0);
        assert!(!summary.mostly_blind());
        assert!(Summary { blind_s: 5.1, duration_s: 10.0, ..summary }.mostly_blind());
    }

    /// Constant samples are called stuck after a second of them, which was lost as well.
    #[test]
    fn what_is_stuck_was_blind_before_it_was_said() {
        let mut tally = Tally::default();
        tally.health(&Health { at_s: 1.0, state: HealthState::Blind, reason: HealthReason::StuckSamples });
        assert!(tally.summary(1.9).mostly_blind());
    }
}
