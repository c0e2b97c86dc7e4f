//! A front that reports given bursts, and what the back said of them.

use crate::alert::{AlertPhase, ResolvedBecause};
use crate::classify::{Device, Signal};
use crate::config::{region, signatures};
use crate::measure::{Burst, Carrier, Depth, Features, Ghost, Lag, Line};
use crate::pipeline::{Back, BackParams, EmitterReport, FrontEvent, Observed, Output, Phase, SegmentStart};
use crate::policy::{Baseline, Gate, Level};
use crate::synth::Rng;

/// A burst without features in 20 MHz around the tuning.
pub fn burst(start_s: f64, duration_s: f64, offset_hz: f64, bandwidth_hz: f64, power_dbfs: f64) -> Burst {
    Burst {
        segment: 0,
        start_s,
        end_s: start_s + duration_s,
        offset_hz,
        bandwidth_hz,
        power_dbfs: power_dbfs as f32,
        snr_db: (power_dbfs + 65.0) as f32,
        depth: Depth::Full,
        cut_start: false,
        cut_end: false,
        at_edge: false,
        clipped: false,
        ghost: Ghost::None,
        features: Features::default(),
    }
}

pub fn stands(value: f32) -> Option<Lag> {
    Some(Lag { value, threshold: 0.2 })
}

pub fn line(rate_hz: f64) -> Option<Line> {
    Some(Line { rate_hz: rate_hz as f32, height_db: 18.0, threshold_db: 12.0 })
}

/// Gaussian frequency-shift keying.
pub fn gfsk(symbols_hz: f64, index: f64) -> Features {
    Features {
        envelope_cv: Some(0.08),
        papr_db: Some(1.0),
        on_fraction: Some(1.0),
        fsk_levels: Some(2),
        level_error: Some(0.25),
        level_hz: Some((index * symbols_hz / 2.0) as f32),
        modulation_index: Some(index as f32),
        symbol_line: line(symbols_hz),
        line_fraction: Some(0.05),
        ..Features::default()
    }
}

pub fn ofdm() -> Features {
    Features {
        envelope_cv: Some(0.5),
        papr_db: Some(9.0),
        on_fraction: Some(1.0),
        fsk_levels: Some(0),
        flatness: Some(0.8),
        shoulder: Some(0.95),
        line_fraction: Some(0.01),
        ..Features::default()
    }
}

pub fn fm(deviation_hz: f64) -> Features {
    Features {
        envelope_cv: Some(0.05),
        on_fraction: Some(1.0),
        fsk_levels: Some(0),
        deviation_hz: Some(deviation_hz as f32),
        line_fraction: Some(0.2),
        ..Features::default()
    }
}

/// A front that reports given bursts.
pub struct Scene {
    pub rng: Rng,
    pub center_hz: Option<f64>,
    pub rate_hz: f64,
    pub length_s: f64,
    pub events: Vec<(f64, FrontEvent)>,
    pub level: Level,
    pub region: &'static str,
    pub learn_s: f64,
    pub baseline: Option<Baseline>,
    /// The gate, and the floor that was seen, dBFS in one hertz.
    pub gate: Option<(Gate, Option<f64>)>,
}

impl Scene {
    pub fn new(seed: u64, center_hz: f64, length_s: f64) -> Self {
        Self {
            rng: Rng::new(seed),
            center_hz: Some(center_hz),
            rate_hz: 20e6,
            length_s,
            events: Vec::new(),
            level: Level::Confidential,
            region: "cn",
            learn_s: 0.0,
            baseline: None,
            gate: None,
        }
    }

    /// Adds `burst` with the errors of measurement: 2 µs in time, 1 % in width, 0.5 dB in level.
    pub fn add(&mut self, mut burst: Burst) {
        let (start, end, width, level) =
            (self.rng.normal(), self.rng.normal(), self.rng.normal(), self.rng.normal());
        burst.start_s += 2e-6 * start;
        burst.end_s += 2e-6 * end;
        burst.offset_hz += 0.002 * burst.bandwidth_hz * self.rng.normal();
        burst.bandwidth_hz *= 1.0 + 0.01 * width;
        burst.power_dbfs += 0.5 * level as f32;
        self.events.push((burst.end_s, FrontEvent::Burst(burst)));
    }

    /// A carrier from `start_s` on, reported each half second, until `end_s` or the end of the scene.
    pub fn carrier(&mut self, number: u32, start_s: f64, end_s: f64, mut burst: Burst) {
        burst.start_s = start_s;
        burst.cut_start = start_s <= 0.0;
        let last_s = end_s.min(self.length_s);
        let mut at_s = start_s + 0.25;
        while at_s < last_s {
            burst.end_s = at_s;
            self.events.push((at_s, FrontEvent::Carrier(Carrier { number, ended: false, burst })));
            at_s += 0.5;
        }
        burst.end_s = last_s;
        burst.cut_end = end_s >= self.length_s;
        self.events.push((last_s, FrontEvent::Carrier(Carrier { number, ended: true, burst })));
    }

    pub fn run(&mut self) -> Told {
        let mut back = Back::new(BackParams {
            band_plan: region(self.region).unwrap(),
            signatures: signatures().unwrap(),
            level: self.level,
            baseline: self.baseline.clone(),
            learn_s: self.learn_s,
            gate: self.gate.map(|(gate, _)| gate),
        });
        if let Some((_, Some(floor_dbfs_per_hz))) = self.gate {
            back.looked(floor_dbfs_per_hz);
        }
        self.events.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut out = Vec::new();
        let segment = SegmentStart {
            index: 0,
            start_s: 0.0,
            rate_hz: self.rate_hz,
            center_hz: self.center_hz,
            shared_axis: true,
            bin_hz: self.rate_hz / 1024.0,
            hop_s: 512.0 / self.rate_hz,
        };
        back.take(&FrontEvent::Segment(segment), &mut out);
        let slab_s = 0.01;
        let mut seen_s = 0.0;
        for (at_s, event) in &self.events {
            while seen_s + slab_s < *at_s {
                observe(&mut back, seen_s, seen_s + slab_s, &mut out);
                seen_s += slab_s;
            }
            back.take(event, &mut out);
        }
        while seen_s < self.length_s {
            observe(&mut back, seen_s, seen_s + slab_s, &mut out);
            seen_s += slab_s;
        }
        back.finish(&mut out);
        Told::new(out, back.baseline())
    }
}

pub fn observe(back: &mut Back, from_s: f64, until_s: f64, out: &mut Vec<Output>) {
    back.take(&FrontEvent::Observed(Observed { from_s, until_s }), out);
}

/// What was said.
pub struct Told {
    pub out: Vec<Output>,
    pub baseline: Baseline,
}

impl Told {
    /// Checks the contract of the life cycle on the way.
    pub fn new(out: Vec<Output>, baseline: Baseline) -> Self {
        let phases = |id: u32| -> Vec<Phase> {
            out.iter()
                .filter_map(|o| match o {
                    Output::Emitter(phase, report) if report.id == id => Some(*phase),
                    _ => None,
                })
                .collect()
        };
        let opened = out.iter().filter(|o| matches!(o, Output::Emitter(Phase::Opened, _))).count() as u32;
        for id in 1..=opened {
            let phases = phases(id);
            assert_eq!(phases.first(), Some(&Phase::Opened), "e{id} begins");
            assert_eq!(phases.last(), Some(&Phase::Closed), "e{id} ends");
            assert_eq!(phases.iter().filter(|p| **p != Phase::Updated).count(), 2, "e{id}: {phases:?}");
        }
        Self { out, baseline }
    }

    /// As closed, merged ones left out.
    pub fn emitters(&self) -> Vec<&EmitterReport> {
        self.out
            .iter()
            .filter_map(|o| match o {
                Output::Emitter(Phase::Closed, report) if report.merged_into.is_none() => Some(report),
                _ => None,
            })
            .collect()
    }

    pub fn names(&self) -> Vec<(Signal, Device)> {
        self.emitters().iter().map(|e| (e.signal, e.device)).collect()
    }

    /// Every name that was ever said.
    pub fn ever(&self) -> Vec<Signal> {
        let mut names: Vec<Signal> = self
            .out
            .iter()
            .filter_map(|o| match o {
                Output::Emitter(_, report) => Some(report.signal),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    pub fn raised(&self) -> usize {
        let raised = |o: &&Output| matches!(o, Output::Alert(a) if a.phase == AlertPhase::Raised);
        self.out.iter().filter(raised).count()
    }

    pub fn resolved(&self) -> Vec<ResolvedBecause> {
        self.out
            .iter()
            .filter_map(|o| match o {
                Output::Alert(alert) if alert.phase == AlertPhase::Resolved => alert.because,
                _ => None,
            })
            .collect()
    }

    #[track_caller]
    pub fn is_one(&self, signal: Signal, device: Device) {
        let said: Vec<_> = self.emitters().iter().map(|e| (e.signal, e.device, e.reasons.clone())).collect();
        assert_eq!(self.names(), [(signal, device)], "{said:#?}");
        let banned = device.is_device();
        assert_eq!(self.raised(), usize::from(banned));
    }
}
