//! From what the detector noticed to a measured record: times, band, power, features, and whether the receiver
//! may have made it itself.
//!
//! Measuring costs more than detecting. A budget that grows with the samples received keeps the whole within
//! bounds in a crowded band: what comes when it is spent is reported with the detector's own figures
//! ([`Depth::Light`]).

use super::FrontEvent;
use super::ghosts::{Neighbours, occupied};
use crate::detect::{Detector, Noticed, Open, Steady};
use crate::iq::Segment;
use crate::measure::{BoxHint, Burst, Carrier, Depth, Features, Ghost, Measurer};
use crate::spectrum::{History, Layout, kaiser};
use crate::units::db;
use num_complex::Complex32;

/// Time between reports of a carrier that stays, seconds.
pub const CARRIER_REPORT_S: f64 = 0.5;

/// Most samples that one emission is measured from: 8 MiB of floats, 52 ms at 20 MS/s.
const MOST_SAMPLES: usize = 1 << 20;

/// Samples measured a second of signal, hertz: a fifth of a HackRF's, so that a crowded band costs no more than twice
/// a quiet one. Slower receivers' are all measured.
const EARNED_HZ: f64 = 4e6;

/// Fixed part of the cost of a measurement, in samples.
const OVERHEAD: f64 = 3000.0;

/// Share of the cost that is filtering the channel out of the samples, by profile.
const FILTERING: f64 = 0.2;

/// Rate of a channel over the width of what is in it.
const CHANNEL_WIDTHS: f64 = 3.0;

/// Budget that can be saved up, samples.
const SAVED: f64 = 4.0 * MOST_SAMPLES as f64;

/// Share of what is left of the budget that one report of a carrier may take, and what it takes at least, seconds: of
/// less, a syllable's pause may be all that is seen.
const CARRIER_SHARE: f64 = 1.0 / 8.0;
/// See [`CARRIER_SHARE`].
const CARRIER_LEAST_S: f64 = 10e-3;

/// Time in which a receiver's automatic gain recovers after a strong carrier, seconds.
const GAIN_RECOVERY_S: f64 = 0.2;

/// Slabs of a carrier that its features are measured from, at least: a few milliseconds.
const FEWEST_SLABS: u64 = 64;

/// More of the power than this in one line: not modulated yet.
const LINE_SHARE: f32 = 0.9;

/// Widest channel of land mobile radio, hertz (ETSI EN 300 086 4).
const VOICE_HZ: f64 = 25e3;

/// A carrier lies within this share of its bandwidth of the middle of what it carries.
const MIDDLE: f64 = 0.25;

/// What is this much fainter without the receiver's offset than with it is nothing else, dB.
const NOTHING_DB: f32 = 10.0;

/// Something this much stronger may hide a carrier: the receiver loses gain, its floor rises.
const MASKING_RATIO: f32 = 1000.0;

/// One part in so many of a burst may be under a stronger one for its samples to tell of it still.
const COVERED_PART: u64 = 8;

/// Below this rate a recording may be of one channel behind its filter, hertz; above, of a receiver's whole passband.
const CHANNEL_RATE_HZ: f64 = 300e3;

/// Longest look, in slabs, around which the edges of an emission are sought; beyond, they are where the detector says.
const COARSEST_LOOK: u32 = 16;

/// Variation of the envelope of Gaussian noise: sqrt(4/pi - 1).
const GAUSSIAN_CV: f32 = 0.523;

/// Share of clipped samples from which features are doubtful (1e-4 of all samples in a window).
const CLIPPED_SHARE: f64 = 1e-4;

/// What an examination looks at.
pub struct Scene<'a> {
    /// The segment.
    pub segment: &'a Segment,
    /// Its latest samples.
    pub history: &'a History,
    /// First of them that may be looked at.
    pub first: u64,
    /// Sample after the last of them.
    pub end: u64,
    /// The detector, for the background.
    pub detector: &'a Detector,
    /// Sample at which slab 0 would have begun in this stretch.
    pub slab_zero_sample: f64,
    /// The receiver's offset.
    pub offset: Complex32,
    /// Share of samples at the rails lately.
    pub clipped_share: f64,
    /// No contiguous samples follow.
    pub at_end: bool,
}

/// A box in slabs and bins that is to be reported.
#[derive(Clone, Copy)]
struct Seen {
    from: u64,
    until: u64,
    lo: usize,
    hi: usize,
    /// Slabs to which its edges are known.
    look: u32,
    /// Mean power over the background, summed over the bins.
    excess: f64,
    cut_start: bool,
    cut_end: bool,
    /// Something stronger was over it for too long: its samples tell of that.
    covered: bool,
    /// It moves through its bins.
    sweeps: bool,
    /// Samples to measure it from, at most.
    most: u64,
    ghost: Ghost,
}

/// Which part of a carrier's time a report is about.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// Its beginning.
    First,
    /// The latest stretch.
    Later,
    /// The latest stretch, with its end.
    Last,
}

/// Measures; holds scratch and the budget.
pub struct Examiner {
    layout: Layout,
    measurer: Measurer,
    iq: Vec<Complex32>,
    neighbours: Neighbours,
    noise_bandwidth_bins: f64,
    budget: f64,
    budgeted_until: u64,
    /// Last full report of each carrier that is on.
    carriers: Vec<Carrier>,
}

impl Examiner {
    /// For slabs of `layout`.
    pub fn new(layout: &Layout) -> Self {
        Self {
            layout: *layout,
            measurer: Measurer::new(layout.rate_hz),
            iq: Vec::with_capacity(MOST_SAMPLES),
            neighbours: Neighbours::new((GAIN_RECOVERY_S / layout.slab_s()) as u64),
            noise_bandwidth_bins: crate::spectrum::noise_bandwidth_bins(&kaiser(layout.bins)),
            budget: SAVED,
            budgeted_until: 0,
            carriers: Vec::with_capacity(128),
        }
    }

    /// Reports one thing that was noticed.
    pub fn examine(&mut self, noticed: &Noticed, scene: &Scene<'_>, out: &mut Vec<FrontEvent>) {
        self.earn(scene.end);
        match noticed {
            Noticed::Burst(open) if open.energy > 0.0 => {
                let ghost =
                    self.neighbours.ghost_of(open, scene.detector, self.layout.bins, scene.clipped_share);
                if ghost == Ghost::None {
                    self.neighbours.remember(open);
                }
                let seen = Self::seen_burst(open, ghost, scene.at_end, scene.detector.now());
                let burst = self.at_offset(&seen, scene);
                out.push(FrontEvent::Burst(burst));
            }
            Noticed::CarrierOn(steady) => {
                let known = self.carriers.iter().position(|c| c.number == steady.number);
                // What it is does not change with what comes over it later.
                let ghost = match known {
                    Some(at) => self.carriers[at].burst.ghost,
                    None => self.neighbours.ghost_of_carrier(steady, scene.detector, self.layout.bins),
                };
                let burst = self.carrier(steady, ghost, known.is_none(), scene);
                let carrier = self.keep(steady.number, burst, known);
                out.push(FrontEvent::Carrier(carrier));
            }
            Noticed::CarrierOff(steady) => {
                let Some(at) = self.carriers.iter().position(|c| c.number == steady.number) else { return };
                let ghost = self.carriers[at].burst.ghost;
                let burst = self.stretch(steady, (steady.lo, steady.hi), Part::Last, ghost, scene);
                let mut carrier = self.keep(steady.number, burst, Some(at));
                self.carriers.swap_remove(at);
                self.neighbours.remember_fallen(steady);
                carrier.ended = true;
                carrier.burst.end_s = burst.end_s.max(carrier.burst.start_s);
                // Under something this strong it may be on still.
                let masked = |c: &Steady| c.excess > MASKING_RATIO * steady.excess;
                carrier.burst.cut_end = scene.at_end || scene.detector.carriers().iter().any(masked);
                out.push(FrontEvent::Carrier(carrier));
            }
            Noticed::Burst(_) | Noticed::FloorStep(_) => {}
        }
    }

    fn earn(&mut self, end: u64) {
        let fresh = end.saturating_sub(self.budgeted_until);
        self.budgeted_until = end;
        self.budget = (self.budget + fresh as f64 * (EARNED_HZ / self.layout.rate_hz).min(1.0)).min(SAVED);
    }

    fn seen_burst(open: &Open, ghost: Ghost, at_end: bool, now: u64) -> Seen {
        let (lo, hi) = open.extents();
        Seen {
            from: open.from,
            until: open.until,
            lo,
            hi,
            look: open.look.min(COARSEST_LOOK),
            excess: open.mean(),
            cut_start: open.cut_start,
            // What was not seen in the last look has ended, though it was still waited for.
            cut_end: at_end && open.until + u64::from(open.look) >= now,
            sweeps: open.sweeps(),
            most: MOST_SAMPLES as u64,
            covered: u64::from(open.covered) * COVERED_PART > open.until - open.from,
            ghost,
        }
    }

    /// A carrier's report: in full at first and when the budget allows, else with the levels of the moment.
    fn carrier(&mut self, steady: &Steady, ghost: Ghost, is_first: bool, scene: &Scene<'_>) -> Burst {
        let bins = occupied(scene.detector, steady.lo, steady.hi);
        self.stretch(steady, bins, if is_first { Part::First } else { Part::Later }, ghost, scene)
    }

    /// The latest stretch of a carrier, or all of it so far.
    fn stretch(
        &mut self,
        steady: &Steady,
        (lo, hi): (usize, usize),
        part: Part,
        ghost: Ghost,
        scene: &Scene<'_>,
    ) -> Burst {
        let recent = MOST_SAMPLES as f64 / 2.0 / self.layout.slab_samples() as f64;
        let from = match part {
            Part::First => steady.from,
            Part::Later | Part::Last => steady.from.max(steady.until.saturating_sub(recent as u64)),
        };
        // What came before a gain step is on another scale; it is known all the same when it began.
        let looked_from = from.max(scene.detector.stepped().min(steady.until));
        let until = steady.until.max(looked_from);
        let (free_from, free_until) = self.neighbours.uncovered(steady, (looked_from, until), scene.detector);
        let seen = Seen {
            from: free_from,
            until: free_until,
            lo,
            hi,
            look: COARSEST_LOOK,
            excess: f64::from(steady.excess),
            cut_start: steady.cut_start || free_from > steady.from,
            cut_end: part != Part::Last || scene.at_end || free_until < steady.until,
            sweeps: false,
            // Many may be noticed at once, and any part of one tells what it is, but not when it ended.
            most: match part {
                Part::Last => MOST_SAMPLES as u64,
                _ => (self.budget * CARRIER_SHARE / self.cost(lo, hi))
                    .max(CARRIER_LEAST_S * self.layout.rate_hz)
                    .min(MOST_SAMPLES as f64) as u64,
            },
            covered: free_until - free_from < FEWEST_SLABS.min(steady.until.saturating_sub(looked_from)),
            ghost,
        };
        let burst = self.at_offset(&seen, scene);
        let start_s = if from == free_from { burst.start_s } else { self.time(from, scene) };
        let end_s = if seen.cut_end || burst.depth == Depth::Light {
            self.time(steady.until, scene).max(burst.end_s)
        } else {
            burst.end_s
        };
        let cut_start = steady.cut_start || free_from > looked_from;
        Burst { start_s, end_s, cut_start, ..burst }
    }

    /// Merges a carrier's new report with the last full one.
    fn keep(&mut self, number: u32, burst: Burst, known: Option<usize>) -> Carrier {
        let mut carrier = Carrier { number, ended: false, burst };
        match known {
            Some(at) => {
                let old = self.carriers[at].burst;
                carrier.burst.start_s = old.start_s;
                carrier.burst.cut_start = old.cut_start;
                if old.ghost != Ghost::None {
                    carrier.burst.ghost = old.ghost;
                }
                // A line or a voice channel is modulated about its middle; what is beside it is another's.
                let was_line = old.features.line_fraction.is_some_and(|share| share > LINE_SHARE);
                let beside = (was_line || old.bandwidth_hz < VOICE_HZ)
                    && (burst.offset_hz - old.offset_hz).abs() > MIDDLE * burst.bandwidth_hz
                    && burst.bandwidth_hz > 2.0 * old.bandwidth_hz;
                let poorer =
                    burst.depth == Depth::Light || burst.bandwidth_hz < old.bandwidth_hz / 2.0 || beside;
                if poorer && old.depth == Depth::Full {
                    carrier.burst = Burst { end_s: burst.end_s.max(old.end_s), ..old };
                }
                self.carriers[at] = carrier;
            }
            None => self.carriers.push(carrier),
        }
        carrier
    }

    fn time(&self, slab: u64, scene: &Scene<'_>) -> f64 {
        let sample = self.sample(slab, scene) + self.layout.hop as f64 / 2.0;
        scene.segment.start_s + sample.min(scene.end as f64) / self.layout.rate_hz
    }

    fn sample(&self, slab: u64, scene: &Scene<'_>) -> f64 {
        scene.slab_zero_sample + slab as f64 * self.layout.slab_samples() as f64
    }

    /// A burst; one at the tuning that began while it was watched is looked at closely before it is called the
    /// receiver's offset, and one that is nothing without that offset is.
    fn at_offset(&mut self, seen: &Seen, scene: &Scene<'_>) -> Burst {
        let suspect = seen.ghost == Ghost::Dc && !seen.cut_start;
        let ghost = if suspect { Ghost::None } else { seen.ghost };
        let burst = self.burst(&Seen { ghost, ..*seen }, scene);
        let middle = self.layout.bins / 2;
        if burst.depth == Depth::Light || !(seen.lo <= middle && middle < seen.hi) {
            return Burst { ghost: if suspect { Ghost::Dc } else { burst.ghost }, ..burst };
        }
        let light = self.light(&Seen { ghost: Ghost::Dc, ..*seen }, scene);
        let nothing = burst.power_dbfs < light.power_dbfs - NOTHING_DB;
        // The offset lies at the tuning to within what the time resolves; no transmitter does.
        let line = burst.features.line_fraction.is_some_and(|share| share > LINE_SHARE);
        let exact = burst.offset_hz.abs() < 2.0 / (burst.end_s - burst.start_s);
        if nothing || (suspect && line && exact) { light } else { burst }
    }

    /// Cost of a sample of what lies in bins `[lo, hi)`: all are filtered, those of its channel are measured.
    fn cost(&self, lo: usize, hi: usize) -> f64 {
        let channel = (CHANNEL_WIDTHS * (hi - lo) as f64 / self.layout.bins as f64).min(1.0);
        FILTERING + (1.0 - FILTERING) * channel
    }

    fn burst(&mut self, seen: &Seen, scene: &Scene<'_>) -> Burst {
        let light = self.light(seen, scene);
        let slack = self.layout.slab_samples() * seen.look as usize + self.layout.hop;
        let margin = slack + self.layout.bins;
        let start =
            (self.sample(seen.from, scene).max(0.0) as u64).saturating_sub(margin as u64).max(scene.first);
        let last = self.sample(seen.until, scene).max(0.0) as u64 + margin as u64;
        let end = last.min(scene.end).min(start + seen.most);
        let count = end.saturating_sub(start) as usize;
        let cost = count as f64 * self.cost(seen.lo, seen.hi) + OVERHEAD;
        if count < 8 || cost > self.budget || seen.covered || seen.ghost != Ghost::None {
            return light;
        }
        self.budget -= cost;
        if self.iq.len() < count {
            self.iq.resize(count, Complex32::default());
        }
        scene.history.copy(start, scene.offset, &mut self.iq[..count]);
        let half_hop = self.layout.hop as f64 / 2.0;
        let within = |sample: f64| (sample - start as f64).clamp(0.0, count as f64) as usize;
        let begin = if seen.cut_start { 0.0 } else { self.sample(seen.from, scene) + half_hop };
        let until = self.sample(seen.until, scene) + half_hop;
        let (lo_hz, hi_hz) = self.band(seen);
        let hint = BoxHint {
            start: within(begin),
            end: within(until).max(within(begin) + 1).min(count),
            slack,
            lo_hz,
            hi_hz,
            cut_start: seen.cut_start || begin < start as f64,
            cut_end: seen.cut_end || until > end as f64,
            sweeps: seen.sweeps,
        };
        let noise_per_hz = self.noise_per_hz(seen, scene);
        let measured = self.measurer.measure(&self.iq[..count], &hint, noise_per_hz);
        let time = |sample: f64| scene.segment.start_s + (start as f64 + sample) / self.layout.rate_hz;
        let mut burst = Burst {
            start_s: if hint.cut_start { light.start_s } else { time(measured.start) },
            end_s: if hint.cut_end { light.end_s } else { time(measured.end) },
            offset_hz: measured.offset_hz,
            bandwidth_hz: measured.bandwidth_hz,
            power_dbfs: db(measured.power) as f32,
            snr_db: (db(measured.snr) as f32).clamp(-100.0, 100.0),
            depth: Depth::Full,
            features: measured.features,
            ..light
        };
        let sound =
            [burst.start_s, burst.end_s, burst.offset_hz, burst.bandwidth_hz, f64::from(burst.power_dbfs)];
        if sound.iter().any(|v| !v.is_finite()) || burst.end_s <= burst.start_s || burst.bandwidth_hz <= 0.0 {
            return light;
        }
        self.mark_dc(&mut burst, seen);
        self.mark_passband(&mut burst, seen);
        burst
    }

    /// Noise without structure about the tuning that was there from the start, as wide as a channel filter: the
    /// receiver's own noise through that filter.
    fn mark_passband(&self, burst: &mut Burst, seen: &Seen) {
        let f = &burst.features;
        let gaussian = f.envelope_cv.is_some_and(|cv| (GAUSSIAN_CV - cv).abs() < 0.08);
        let lags = [f.lag_0u8, f.lag_3u2, f.lag_12u8, f.lag_66u7, f.lag_33u3];
        let lines = [f.symbol_line, f.envelope_line, f.square_line, f.chip_3m84];
        let structured =
            lags.iter().flatten().any(|l| l.stands()) || lines.iter().flatten().any(|l| l.stands());
        let centred = burst.offset_hz.abs() < 0.05 * burst.bandwidth_hz;
        let filtered = if self.layout.rate_hz < CHANNEL_RATE_HZ { 0.2 } else { 0.6 };
        let wide = burst.bandwidth_hz > filtered * self.layout.rate_hz;
        if seen.cut_start && seen.cut_end && gaussian && !structured && centred && wide {
            burst.ghost = Ghost::Rolloff;
        }
    }

    /// A line at the tuning itself that was there from the start is the receiver's own offset.
    fn mark_dc(&self, burst: &mut Burst, seen: &Seen) {
        let near = burst.offset_hz.abs() < 0.5 * self.layout.bin_hz();
        let line = burst.features.line_fraction.is_some_and(|f| f > 0.8);
        if near && line && seen.cut_start {
            burst.ghost = Ghost::Dc;
        }
    }

    /// The band of a box with a margin for the skirts, hertz from the tuning.
    fn band(&self, seen: &Seen) -> (f64, f64) {
        let bin_hz = self.layout.bin_hz();
        let margin = 1.0 + 0.1 * (seen.hi - seen.lo) as f64;
        let middle = self.layout.bins as f64 / 2.0 + 0.5;
        let limit = self.layout.rate_hz / 2.0;
        let (lo, hi) =
            ((seen.lo as f64 - margin - middle) * bin_hz, (seen.hi as f64 + margin - middle) * bin_hz);
        (lo.max(-limit), hi.min(limit))
    }

    /// What stands in the box when it is not on, linear per hertz.
    fn noise_per_hz(&self, seen: &Seen, scene: &Scene<'_>) -> f64 {
        let hi = seen.hi.min(self.layout.bins).max(seen.lo + 1);
        let level =
            scene.detector.floor().get(seen.lo..hi).map_or(0.0, |l| l.iter().sum::<f32>() / l.len() as f32);
        f64::from(level) / (self.noise_bandwidth_bins * self.layout.bin_hz())
    }

    /// The record with the detector's own figures.
    fn light(&self, seen: &Seen, scene: &Scene<'_>) -> Burst {
        let bin_hz = self.layout.bin_hz();
        let middle = self.layout.bins as f64 / 2.0 + 0.5;
        let center = (seen.lo + seen.hi) as f64 / 2.0 - middle;
        let bandwidth_hz = (seen.hi - seen.lo) as f64 * bin_hz;
        let power = (seen.excess / self.noise_bandwidth_bins).max(1e-30);
        let noise = self.noise_per_hz(seen, scene).max(1e-38) * bandwidth_hz;
        let start_s = if seen.cut_start && seen.from == 0 {
            scene.segment.start_s
        } else {
            self.time(seen.from, scene)
        };
        let end_s = if seen.cut_end && scene.at_end {
            scene.segment.start_s + scene.end as f64 / self.layout.rate_hz
        } else {
            self.time(seen.until, scene)
        };
        Burst {
            segment: scene.segment.index,
            start_s,
            end_s: end_s.max(start_s + 1.0 / self.layout.rate_hz),
            offset_hz: center * bin_hz,
            bandwidth_hz,
            power_dbfs: db(power) as f32,
            snr_db: (db(power / noise) as f32).clamp(-100.0, 100.0),
            depth: Depth::Light,
            cut_start: seen.cut_start,
            cut_end: seen.cut_end && scene.at_end,
            at_edge: seen.lo <= 1 || seen.hi + 1 >= self.layout.bins,
            clipped: scene.clipped_share > CLIPPED_SHARE,
            ghost: seen.ghost,
            features: Features::default(),
        }
    }
}
