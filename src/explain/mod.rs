//! Why, and why not, for a box in time and frequency: what was observed there, what the detector needed, what
//! it found, where that went, and what kept the nearest signatures from fitting.
//!
//! An [`Explainer`] looks on while a recording passes through the pipeline; what it keeps is bounded. Which
//! burst became part of which emitter is not carried by the pipeline's output: [`attribute`] tells it by time,
//! frequency and level.

mod attribute;
mod features;
mod suspects;
#[cfg(test)]
mod tests;
mod words;

pub use attribute::attribute;

use crate::classify::Check;
use crate::measure::{Burst, Carrier};
use crate::pipeline::{EmitterReport, FrontEvent, Health, HealthState, Output, Phase};
use crate::spectrum::SlabView;
use crate::track::Emitter;
use suspects::Suspect;

/// A box in time and frequency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// From, seconds.
    pub from_s: f64,
    /// Until, seconds.
    pub until_s: f64,
    /// Lower edge: hertz, or the offset from the tuning where that is unknown.
    pub low_hz: f64,
    /// Upper edge, as `low_hz`.
    pub high_hz: f64,
}

impl Window {
    fn overlaps_s(&self, from_s: f64, until_s: f64) -> bool {
        from_s < self.until_s && until_s > self.from_s
    }

    fn overlaps_hz(&self, center_hz: f64, bandwidth_hz: f64) -> bool {
        center_hz - bandwidth_hz / 2.0 < self.high_hz && center_hz + bandwidth_hz / 2.0 > self.low_hz
    }
}

/// Emissions kept to be told of in full; more are counted.
const EMISSIONS_MAX: usize = 32;
/// Emitters kept: as many as a report can make use of.
const EMITTERS_MAX: usize = 256;

/// An emission in the box.
#[derive(Debug, Clone, Copy)]
struct Emission {
    burst: Burst,
    /// Centre on the axis of the box, hertz.
    center_hz: f64,
    /// Number of the carrier, if it is one.
    carrier: Option<u32>,
}

/// What the slabs showed in the box.
#[derive(Debug, Clone, Copy, Default)]
struct Observation {
    slabs: u64,
    seen_s: f64,
    bins: usize,
    bin_hz: f64,
    power_sum: f64,
    floor_sum: f64,
    cells: u64,
    /// Highest ratio of a bin to its floor, and where.
    peak: Peak,
    /// The ratio that a single bin must exceed.
    threshold: f32,
    slabs_above: u64,
    /// Floor in the box over the median floor of the span, summed over slabs.
    floor_ratio_sum: f64,
    holds_tuning: bool,
}

/// The bin that stood out most.
#[derive(Debug, Clone, Copy, Default)]
struct Peak {
    ratio: f32,
    power: f32,
    at_s: f64,
    hz: f64,
}

/// Looks on while a recording passes.
#[derive(Debug)]
pub struct Explainer {
    window: Window,
    observed: Observation,
    /// Floor's median of the last slab: bins change with the segment only, so the copy is reused.
    scratch: Vec<f32>,
    /// Span covered while the box lasted: lowest and highest edge.
    span: Option<(f64, f64)>,
    ends_s: f64,
    center_hz: Option<f64>,
    emissions: Vec<Emission>,
    more: u64,
    emitters: Vec<EmitterReport>,
    suspects: Vec<Suspect>,
    /// Suspects were asked for since the box ended.
    asked: bool,
    health: Vec<Health>,
}

impl Explainer {
    /// Will explain `window`.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            observed: Observation::default(),
            scratch: Vec::new(),
            span: None,
            ends_s: 0.0,
            center_hz: None,
            emissions: Vec::new(),
            more: 0,
            emitters: Vec::new(),
            suspects: Vec::new(),
            asked: false,
            health: Vec::new(),
        }
    }

    /// Looks at a slab of the spectrogram.
    pub fn slab(&mut self, slab: &SlabView<'_>) {
        self.ends_s = self.ends_s.max(slab.end_s);
        if slab.power.is_empty() || !self.window.overlaps_s(slab.start_s, slab.end_s) {
            return;
        }
        let middle_hz = slab.center_hz.unwrap_or(0.0);
        let (low_hz, high_hz) = (middle_hz - slab.rate_hz / 2.0, middle_hz + slab.rate_hz / 2.0);
        let (low, high) = self.span.unwrap_or((low_hz, high_hz));
        self.span = Some((low.min(low_hz), high.max(high_hz)));
        let bin_hz = slab.rate_hz / slab.power.len() as f64;
        let bins = bins_within(&self.window, low_hz, bin_hz, slab.power.len().min(slab.floor.len()));
        if bins.is_empty() {
            return;
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(slab.floor);
        let (_, median, _) = self.scratch.select_nth_unstable_by(slab.floor.len() / 2, f32::total_cmp);
        let seen = &mut self.observed;
        let floor_sum: f64 = slab.floor[bins.clone()].iter().copied().map(f64::from).sum();
        seen.slabs += 1;
        seen.seen_s += slab.end_s.min(self.window.until_s) - slab.start_s.max(self.window.from_s);
        (seen.bins, seen.bin_hz, seen.threshold) = (bins.len(), bin_hz, slab.threshold);
        seen.power_sum += slab.power[bins.clone()].iter().copied().map(f64::from).sum::<f64>();
        seen.floor_sum += floor_sum;
        seen.cells += bins.len() as u64;
        seen.floor_ratio_sum += floor_sum / bins.len() as f64 / f64::from(median.max(f32::MIN_POSITIVE));
        seen.holds_tuning |= self.window.overlaps_hz(middle_hz, 2.0 * bin_hz);
        let mut above = false;
        for at in bins {
            let ratio = slab.power[at] / slab.floor[at].max(f32::MIN_POSITIVE);
            above |= ratio > slab.threshold;
            if ratio > seen.peak.ratio {
                let hz = low_hz + bin_hz * at as f64;
                seen.peak =
                    Peak { ratio, power: slab.power[at], at_s: (slab.start_s + slab.end_s) / 2.0, hz };
            }
        }
        seen.slabs_above += u64::from(above);
    }

    /// Looks at what the front hands to the back.
    pub fn front(&mut self, event: &FrontEvent) {
        match event {
            FrontEvent::Segment(segment) => self.center_hz = segment.center_hz,
            FrontEvent::Burst(burst) => self.emission(burst, None),
            FrontEvent::Carrier(carrier) => self.carrier(carrier),
            FrontEvent::Observed(observed) => self.ends_s = self.ends_s.max(observed.until_s),
            FrontEvent::Health(_) => {}
        }
    }

    /// Looks at what the back says.
    pub fn output(&mut self, output: &Output) {
        match output {
            Output::Emitter(phase, report) => self.emitter(*phase, report),
            Output::Health(health) => {
                // Of the changes before the box only the last one holds in it.
                if health.at_s <= self.window.from_s {
                    self.health.clear();
                }
                if health.at_s < self.window.until_s && self.health.len() < EMISSIONS_MAX {
                    self.health.push(*health);
                }
            }
            Output::Alert(_) => {}
        }
    }

    /// Whether the box has just ended: [`Explainer::suspects`] should be told now, before anybody is forgotten.
    pub fn wants_suspects(&self) -> bool {
        !self.asked && self.ends_s >= self.window.until_s
    }

    /// Takes note of those emitters, told of or not, that were heard in the box, and of what each signature says
    /// of them.
    pub fn suspects(&mut self, all: &[(&Emitter, Option<u32>, Vec<Check<'_>>)]) {
        self.asked = self.ends_s >= self.window.until_s;
        for (emitter, id, checks) in all {
            if suspects::touches(emitter, &self.window) {
                let new = Suspect::new(emitter, *id, checks);
                let room = self.suspects.len() < EMISSIONS_MAX;
                match self.suspects.iter_mut().find(|known| known.serial == new.serial) {
                    Some(known) => *known = new,
                    None if room => self.suspects.push(new),
                    None => {}
                }
            }
        }
    }

    /// All that is to be said, a sentence a line.
    pub fn lines(&self) -> Vec<String> {
        words::lines(self)
    }

    fn emission(&mut self, burst: &Burst, carrier: Option<u32>) {
        let center_hz = self.center_hz.unwrap_or(0.0) + burst.offset_hz;
        let inside = self.window.overlaps_s(burst.start_s, burst.end_s)
            && self.window.overlaps_hz(center_hz, burst.bandwidth_hz);
        if !inside {
            return;
        }
        let emission = Emission { burst: *burst, center_hz, carrier };
        let same =
            |e: &&mut Emission| carrier.is_some() && e.carrier == carrier && e.burst.segment == burst.segment;
        if let Some(known) = self.emissions.iter_mut().find(same) {
            *known = emission;
        } else if self.emissions.len() < EMISSIONS_MAX {
            self.emissions.push(emission);
        } else {
            self.more += 1;
        }
    }

    fn carrier(&mut self, carrier: &Carrier) {
        self.emission(&carrier.burst, Some(carrier.number));
    }

    fn emitter(&mut self, phase: Phase, report: &EmitterReport) {
        let room = self.emitters.len() < EMITTERS_MAX;
        match self.emitters.iter_mut().find(|known| known.id == report.id) {
            Some(known) => *known = report.clone(),
            None if room => self.emitters.push(report.clone()),
            None => return,
        }
        // A closed emitter that never touched the box makes room.
        if phase == Phase::Closed && !self.window.overlaps_s(report.first_s, report.last_s) {
            self.emitters.retain(|known| known.id != report.id);
        }
    }

    /// The first state in the box in which the receiver did not see.
    fn blind(&self) -> Option<&Health> {
        self.health.iter().find(|health| health.state == HealthState::Blind)
    }
}

/// The bins whose middle lies in `window`, or the one nearest to it if the window is narrower than a bin.
fn bins_within(window: &Window, low_hz: f64, bin_hz: f64, bins: usize) -> std::ops::Range<usize> {
    // Bin k stands for low + k·bin (its middle).
    let last = bins as f64;
    let from = ((window.low_hz - low_hz) / bin_hz).ceil().clamp(0.0, last);
    let until = ((window.high_hz - low_hz) / bin_hz).floor().clamp(-1.0, last - 1.0) + 1.0;
    let outside = window.high_hz < low_hz || window.low_hz > low_hz + bin_hz * last;
    if until <= from && !outside && bins > 0 {
        let middle = ((window.low_hz + window.high_hz) / 2.0 - low_hz) / bin_hz;
        let at = middle.round().clamp(0.0, last - 1.0) as usize;
        return at..at + 1;
    }
    from as usize..(until.max(from)) as usize
}
