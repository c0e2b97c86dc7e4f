//! Samples to bursts and carriers: the front half of the pipeline.
//!
//! Samples enter a history in the radio's own format; slabs of spectrum are made from it, the detector notices
//! what stands out, and what it noticed is measured from the history. The first tenth of a second of a segment
//! are waited for, to learn the floor, and then looked at like the rest.
//!
//! How many samples come at a time changes nothing: a slab is looked at as if the samples ended at its horizon, a
//! fixed distance behind it, and the history reached back a fixed distance from there, whatever has been read.

use super::examine::Examiner;
use super::health::HealthWatch;
use super::watched::Watched;
use super::{FrontEvent, HealthReason, Observed, SegmentStart};
use crate::detect::{Detector, MOST_ROWS, Noticed};
use crate::iq::{Gap, IqBlock, Segment};
use crate::spectrum::{History, Layout, SlabView, Stft, kernels};
use crate::units;
use num_complex::Complex32;

/// Someone who looks on at every slab of the spectrogram.
pub type Tap = Box<dyn FnMut(SlabView<'_>) + Send>;

/// Most bytes that the history of raw samples takes: 0.4 s of 8-bit samples at 20 MS/s.
const HISTORY_BYTES: f64 = 16.0 * 1024.0 * 1024.0;

/// Longest history, seconds: several times the longest burst.
const HISTORY_S: f64 = 1.0;

/// Time that the floor is learned from, seconds: more than a frame of every time-division system, of which one slot
/// may be all that is idle (TETRA 56.67 ms, ETSI EN 300 392-2 4.5; DMR 60 ms, ETSI TS 102 361-1 4.2).
const LEARN_S: f64 = 0.1;

/// What stays on for longer is a carrier, seconds: over three DMR bursts (27.5 ms, ETSI TS 102 361-1 4.2).
const CARRIER_S: f64 = 0.1;

/// One part in so many of the history is for samples that have not been looked at.
const AHEAD_PART: u64 = 4;

/// Time between reports of what was observed, seconds.
const OBSERVED_S: f64 = 10e-3;

/// The front half of the pipeline. Total: any samples in, events out, never a panic.
#[derive(Default)]
pub struct Front {
    tap: Option<Tap>,
    summing: bool,
    watching: bool,
    run: Option<Run>,
}

/// State of the segment that is being received.
struct Run {
    segment: Segment,
    layout: Layout,
    stft: Stft,
    history: History,
    detector: Detector,
    examiner: Examiner,
    health: HealthWatch,
    power: Vec<f32>,
    /// Sum of the slabs of the segment, where it is wanted, and how many they are.
    sum: Vec<f32>,
    summed: u32,
    watching: bool,
    watched: Watched,
    /// Slabs that the floor is learned from, row after row.
    rows: Vec<f32>,
    noticed: Vec<Noticed>,
    learned: bool,
    /// The receiver's offset: the mean of the samples that the floor was learned from.
    offset: Complex32,
    learn_samples: u64,
    /// Slab number `slab_zero` begins at sample `origin`.
    origin: u64,
    slab_zero: u64,
    next_slab: u64,
    observed_slabs: u64,
    observed_from: u64,
}

impl Front {
    /// A front that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows every slab to `tap`.
    pub fn set_tap(&mut self, tap: Tap) {
        self.tap = Some(tap);
    }

    /// Sums the spectra of each segment from the next one on, for [`Front::summed`].
    pub fn sum_spectra(&mut self) {
        self.summing = true;
    }

    /// What the segment's slabs of spectrum add up to, bin by bin. `None` before the first.
    pub fn summed(&self) -> Option<&[f32]> {
        let run = self.run.as_ref().filter(|run| run.summed > 0)?;
        Some(&run.sum)
    }

    /// Keeps sums and maxima of the spectra for [`Front::watched`], or does not.
    pub fn watch(&mut self, on: bool) {
        self.watching = on;
        if let Some(run) = &mut self.run {
            run.watching = on;
        }
    }

    /// Sums and maxima since the segment began or [`Front::forget_watched`]. `None` before the first slab.
    pub fn watched(&self) -> Option<&Watched> {
        self.run.as_ref().map(|run| &run.watched).filter(|watched| watched.slabs > 0)
    }

    /// Begins sums and maxima anew.
    pub fn forget_watched(&mut self) {
        if let Some(run) = &mut self.run {
            run.watched.clear();
        }
    }

    /// Noise floor of the segment, dBFS in one hertz: the median over the middle half of the span. `None` before it was
    /// learned.
    pub fn floor_dbfs_per_hz(&mut self) -> Option<f64> {
        self.run.as_mut().and_then(Run::floor_dbfs_per_hz)
    }

    /// A new segment begins; what was open ends.
    pub fn begin(&mut self, segment: &Segment, out: &mut Vec<FrontEvent>) {
        self.finish(out);
        match &mut self.run {
            Some(run) if run.fits(segment) => run.restart(segment),
            _ => self.run = Some(Run::new(segment)),
        }
        let layout = Layout::for_rate(segment.tuning.rate_hz);
        if let Some(run) = self.run.as_mut().filter(|_| self.summing) {
            run.sum.clear();
            run.sum.resize(layout.bins, 0.0);
            run.summed = 0;
        }
        if let Some(run) = &mut self.run {
            run.watching = self.watching;
            run.watched.clear();
        }
        out.push(FrontEvent::Segment(SegmentStart::new(segment, layout.bin_hz(), layout.hop_s())));
    }

    /// The next samples of the segment.
    pub fn step(&mut self, block: &IqBlock, out: &mut Vec<FrontEvent>) {
        let Some(run) = &mut self.run else { return };
        let mut from = 0;
        while from < block.samples.len() {
            // Small enough that the history keeps all that has not been looked at.
            let most = (run.history.capacity() as u64 / AHEAD_PART).max(1).min(run.health.until_border());
            let to = block.samples.len().min(from + most as usize);
            let spoilt = run.history.push(&block.samples, from, to);
            // Before the samples' health: a border of it comes after all slabs whose horizon it is not before.
            run.advance(&mut self.tap, out);
            let Run { health, segment, .. } = run;
            let time = |sample: u64| segment.start_s + sample as f64 / segment.tuning.rate_hz;
            health.samples(&block.samples, from, to, spoilt, time, out);
            from = to;
        }
    }

    /// Samples were lost here.
    pub fn gap(&mut self, gap: Gap, out: &mut Vec<FrontEvent>) {
        let Some(run) = &mut self.run else { return };
        run.end_stretch(&mut self.tap, out);
        let at = run.history.end();
        run.health.event(HealthReason::Gap, at, run.time(at), out);
        run.health.skip(gap.lost);
        run.begin_stretch(at + gap.lost);
    }

    /// The stream ends: what is open is reported as it is.
    pub fn finish(&mut self, out: &mut Vec<FrontEvent>) {
        if let Some(run) = &mut self.run {
            run.end_stretch(&mut self.tap, out);
            let end = run.history.end();
            run.begin_stretch(end);
        }
    }
}

/// What orders the things noticed at one time: carriers, then bursts by power.
fn strength(noticed: &Noticed) -> f64 {
    match noticed {
        Noticed::Burst(open) => open.mean(),
        _ => f64::INFINITY,
    }
}

/// Breaks ties, so that the order is always the same.
fn order(noticed: &Noticed) -> (u64, usize) {
    match noticed {
        Noticed::Burst(open) => (open.from, open.lo),
        Noticed::CarrierOn(steady) | Noticed::CarrierOff(steady) => (steady.from, steady.lo),
        Noticed::FloorStep(_) => (0, 0),
    }
}

impl Run {
    fn new(segment: &Segment) -> Self {
        let rate_hz = segment.tuning.rate_hz;
        let layout = Layout::for_rate(rate_hz);
        let bytes = match segment.format {
            crate::iq::SampleFormat::Cu8 | crate::iq::SampleFormat::Ci8 => 2.0,
            crate::iq::SampleFormat::Ci16 => 4.0,
            crate::iq::SampleFormat::Cf32 => 8.0,
        };
        let least = 32 * layout.slab_reach();
        let capacity = (((rate_hz * HISTORY_S).min(HISTORY_BYTES / bytes)) as usize).max(least);
        let within = |seconds: f64| (rate_hz * seconds).min(capacity as f64 / 3.0);
        let carrier_slabs = (within(CARRIER_S) / layout.slab_samples() as f64).ceil() as u64;
        Self {
            segment: *segment,
            layout,
            stft: Stft::new(layout),
            history: History::new(segment.format, capacity),
            detector: Detector::new(&layout, carrier_slabs),
            examiner: Examiner::new(&layout),
            health: HealthWatch::new(rate_hz),
            power: vec![0.0; layout.bins],
            sum: Vec::new(),
            summed: 0,
            watching: false,
            watched: Watched::of(layout.bins),
            rows: Vec::with_capacity(MOST_ROWS * layout.bins),
            noticed: Vec::with_capacity(512),
            learned: false,
            offset: Complex32::default(),
            learn_samples: within(LEARN_S) as u64,
            origin: 0,
            slab_zero: 0,
            next_slab: 0,
            observed_slabs: ((OBSERVED_S / layout.slab_s()) as u64).max(1),
            observed_from: 0,
        }
    }

    /// Whether plans and buffers serve `segment` too.
    fn fits(&self, segment: &Segment) -> bool {
        self.segment.tuning.rate_hz == segment.tuning.rate_hz && self.segment.format == segment.format
    }

    fn floor_dbfs_per_hz(&mut self) -> Option<f64> {
        if !self.learned {
            return None;
        }
        let level = self.detector.level();
        let middle = &level[level.len() / 4..3 * level.len() / 4];
        self.power[..middle.len()].copy_from_slice(middle);
        let (_, median, _) =
            self.power[..middle.len()].select_nth_unstable_by(middle.len() / 2, f32::total_cmp);
        Some(units::db(f64::from(*median) / self.stft.noise_bandwidth_hz()))
    }

    fn restart(&mut self, segment: &Segment) {
        self.segment = *segment;
        self.learned = false;
        self.health.restart();
        self.begin_stretch(0);
    }

    fn time(&self, sample: u64) -> f64 {
        self.segment.start_s + sample as f64 / self.layout.rate_hz
    }

    fn slab_start(&self, slab: u64) -> u64 {
        self.origin + (slab - self.slab_zero) * self.layout.slab_samples() as u64
    }

    /// Contiguous samples begin at `sample`.
    fn begin_stretch(&mut self, sample: u64) {
        self.history.restart(sample);
        self.origin = sample;
        self.slab_zero = self.next_slab;
        self.observed_from = self.next_slab;
        self.detector.begin_stretch(self.next_slab);
    }

    /// Sample after the last that slab `slab` needs.
    fn slab_end(&self, slab: u64) -> u64 {
        self.slab_start(slab) + self.layout.slab_reach() as u64
    }

    /// Sample up to which slab `slab` may look, to measure what has just ended with its surroundings.
    fn horizon(&self, slab: u64) -> u64 {
        self.slab_end(slab) + self.layout.hop as u64
    }

    /// Looks at everything that is there.
    fn advance(&mut self, tap: &mut Option<Tap>, out: &mut Vec<FrontEvent>) {
        if !self.learned {
            if self.history.end() - self.origin < self.learn_samples {
                return;
            }
            // Nothing is known of a receiver that has delivered nothing yet.
            let dead = self.history.constant_from(self.origin);
            if dead >= self.layout.bins as u64 {
                self.origin += dead;
                return self.advance(tap, out);
            }
            self.learn();
        }
        while self.horizon(self.next_slab) <= self.history.end() {
            self.one_slab(self.slab_start(self.next_slab), tap, out);
        }
    }

    /// Learns the floor from the first samples of the stretch, from all of a shorter one.
    fn learn(&mut self) {
        let available = (self.history.end() - self.origin).min(self.learn_samples);
        let slabs = available.saturating_sub((self.layout.bins - self.layout.hop) as u64)
            / self.layout.slab_samples() as u64;
        let stride = slabs.div_ceil(MOST_ROWS as u64).max(1);
        self.rows.clear();
        for slab in (0..slabs).step_by(stride as usize) {
            self.stft.slab(&self.history, self.slab_start(self.slab_zero + slab), &mut self.power);
            self.rows.extend_from_slice(&self.power);
        }
        // Quantisation noise spreads over all bins alike: never believe less.
        let least =
            self.segment.format.quantisation_power() * self.stft.noise_bandwidth_hz() / self.layout.rate_hz;
        let learned = (self.origin, self.origin + slabs * self.layout.slab_samples() as u64);
        self.offset = self.history.mean(learned.0, learned.1);
        self.detector.learn(&self.rows, least as f32, self.offset.norm_sqr(), self.next_slab);
        self.learned = true;
    }

    /// Looks at the next slab, whose samples begin at `start`.
    fn one_slab(&mut self, start: u64, tap: &mut Option<Tap>, out: &mut Vec<FrontEvent>) {
        self.stft.slab(&self.history, start, &mut self.power);
        if let Some(tap) = tap {
            let start_s = self.time(start + self.layout.hop as u64 / 2);
            tap(SlabView {
                segment: self.segment.index,
                start_s,
                end_s: start_s + self.layout.slab_s(),
                rate_hz: self.layout.rate_hz,
                center_hz: self.segment.tuning.center_hz,
                power: &self.power,
                floor: self.detector.level(),
                threshold: self.detector.bin_threshold(),
            });
        }
        if !self.sum.is_empty() {
            kernels::add(&self.power, &mut self.sum);
            self.summed += 1;
        }
        if self.watching {
            self.watched.add(&self.power);
        }
        self.detector.slab(&self.power, &mut self.noticed);
        self.next_slab += 1;
        self.report(false, out);
        if self.next_slab - self.observed_from >= self.observed_slabs {
            self.report_carriers(out);
            self.report_observed(out);
        }
    }

    fn report_observed(&mut self, out: &mut Vec<FrontEvent>) {
        let middle = self.layout.hop as u64 / 2;
        let from_s = self.time(self.slab_start(self.observed_from) + middle);
        let until_s = self.time(self.slab_start(self.next_slab) + middle);
        self.observed_from = self.next_slab;
        out.push(FrontEvent::Observed(Observed { from_s, until_s }));
    }

    /// Measures and reports what was noticed.
    fn report(&mut self, at_end: bool, out: &mut Vec<FrontEvent>) {
        if self.noticed.is_empty() {
            return;
        }
        let mut noticed = std::mem::take(&mut self.noticed);
        // The strongest first: what is a piece or a shadow of it is known by it.
        noticed.sort_unstable_by(|a, b| strength(b).total_cmp(&strength(a)).then(order(a).cmp(&order(b))));
        let end = self.history.end();
        let horizon = if at_end { end } else { end.min(self.horizon(self.next_slab - 1)) };
        let capacity = self.history.capacity() as u64;
        let kept = capacity - capacity / AHEAD_PART;
        for one in &noticed {
            if let Noticed::FloorStep(_) = one {
                let at = self.slab_start(self.next_slab);
                self.health.event(HealthReason::FloorStep, at, self.time(at), out);
                continue;
            }
            let scene = super::examine::Scene {
                segment: &self.segment,
                history: &self.history,
                first: horizon.saturating_sub(kept).max(self.origin),
                end: horizon,
                detector: &self.detector,
                slab_zero_sample: self.origin as f64
                    - (self.slab_zero as f64) * self.layout.slab_samples() as f64,
                offset: self.offset,
                clipped_share: self.health.clipped_share(),
                at_end,
            };
            self.examiner.examine(one, &scene, out);
        }
        self.noticed = noticed;
        self.noticed.clear();
    }

    fn report_carriers(&mut self, out: &mut Vec<FrontEvent>) {
        let (detector, now) = (&mut self.detector, self.next_slab);
        let every = (super::examine::CARRIER_REPORT_S / self.layout.slab_s()) as u64;
        let mut noticed = std::mem::take(&mut self.noticed);
        for carrier in detector.carriers_mut() {
            if carrier.told && now >= carrier.reported + every {
                carrier.reported = now;
                noticed.push(Noticed::CarrierOn(*carrier));
            }
        }
        self.noticed = noticed;
        self.report(false, out);
    }

    /// No contiguous sample follows: looks at the rest and reports what is on.
    fn end_stretch(&mut self, tap: &mut Option<Tap>, out: &mut Vec<FrontEvent>) {
        if self.history.end() == self.origin {
            return;
        }
        if !self.learned {
            self.learn();
        }
        while self.slab_end(self.next_slab) <= self.history.end() {
            self.one_slab(self.slab_start(self.next_slab), tap, out);
        }
        // The last slab is short of samples. It takes some that were looked at already: a line that broke off within a
        // frame would splatter over the span.
        let start = self.slab_start(self.next_slab);
        if start + (self.layout.bins as u64) / 4 < self.history.end() {
            let whole = self.history.end().saturating_sub(self.layout.slab_reach() as u64).max(self.origin);
            self.one_slab(start.min(whole), tap, out);
        }
        self.detector.flush(&mut self.noticed);
        self.report(true, out);
        // Of less than a transform, nothing is seen.
        let seen = self.history.end() - self.origin >= self.layout.bins as u64;
        if seen && self.next_slab > self.observed_from {
            self.report_observed(out);
        }
    }
}
