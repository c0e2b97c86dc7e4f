//! An emitter against all signatures: what each test measured, which signature holds, and whether it holds by
//! enough to be a name.

use super::direction::{self, Whose};
use super::print::{engineering, megahertz};
use super::signature::{Group, Role, Signature, Test};
use super::value::{Value, measure};
use super::{Device, Signal};
use crate::bandplan::BandPlan;
use crate::track::Emitter;
use std::fmt;

/// Independent features, besides the band, that must agree on a name (the replay contract, "Confirming").
const GROUPS_MIN: u32 = 2;
/// A name must beat the next one by this much weight.
const MARGIN: f64 = 0.4;
/// Weight at which half of the doubt is gone.
const HALF_DOUBT: f64 = 1.2;
/// Confidence in an emitter that has no name.
const UNNAMED_CONFIDENCE: f64 = 0.2;
/// What clipping leaves of the confidence.
const CLIPPED_FACTOR: f64 = 0.7;

/// How a test came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Within the limits.
    Within,
    /// Outside, or not above noise.
    Outside,
    /// Not measurable.
    Unmeasured,
}

/// A test and what was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested<'a> {
    /// The test.
    pub test: &'a Test,
    /// What was measured.
    pub value: Option<Value>,
    /// How it came out.
    pub outcome: Outcome,
}

/// Why a signature cannot apply where an emitter lies; frequencies in hertz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Misplaced {
    /// It rests on a band, and the tuning is not known.
    WithoutFrequency,
    /// The emitter is at this frequency.
    OutsideBands(f64),
    /// The emitter is at this frequency.
    NotAllocated(f64),
    /// The emitter is at the first frequency, off by the second.
    OffRaster(f64, f64),
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::WithoutFrequency => f.write_str("not recognisable without a frequency"),
            Self::OutsideBands(hz) => write!(f, "{} is outside its bands", megahertz(hz)),
            Self::NotAllocated(hz) => write!(f, "{} is not allocated to its service", megahertz(hz)),
            Self::OffRaster(hz, off_hz) => {
                write!(f, "{} is {} off its raster", megahertz(hz), engineering(off_hz, "Hz"))
            }
        }
    }
}

/// A signature compared with an emitter.
#[derive(Debug, Clone, PartialEq)]
pub struct Check<'a> {
    /// The signature.
    pub signature: &'a Signature,
    /// Why it cannot apply where the emitter lies, if it cannot.
    pub misplaced: Option<Misplaced>,
    /// All tests, in the order of the table.
    pub tests: Vec<Tested<'a>>,
    /// All gates hold and nothing rules it out.
    pub possible: bool,
    /// Independent groups of proofs that hold.
    pub groups: u32,
    /// Sum of their weights.
    pub score: f64,
}

impl Check<'_> {
    /// Whether it is good for a name, other signatures aside.
    pub fn names(&self) -> bool {
        self.possible && self.groups >= GROUPS_MIN
    }

    /// The first thing that kept it from naming, for people; `None` if nothing did.
    pub fn miss(&self) -> Option<String> {
        if let Some(misplaced) = self.misplaced {
            return Some(misplaced.to_string());
        }
        let breaks = |tested: &&Tested<'_>| match tested.test.role {
            Role::Gate => tested.outcome != Outcome::Within,
            Role::Against => tested.outcome == Outcome::Within,
            Role::Proof => false,
        };
        if let Some(tested) = self.tests.iter().find(breaks) {
            return Some(tested.sentence());
        }
        if self.names() {
            return None;
        }
        let unproven =
            |tested: &&Tested<'_>| tested.test.role == Role::Proof && tested.outcome != Outcome::Within;
        let first = self.tests.iter().find(unproven).map_or_else(String::new, Tested::sentence);
        Some(format!("{} of {GROUPS_MIN} independent features; {first}", self.groups))
    }
}

impl Tested<'_> {
    /// The measured value against its limits.
    pub fn sentence(&self) -> String {
        let Test { feature, at, min, max, source, .. } = self.test;
        let unit = feature.unit();
        let name = feature.words(*at);
        let limit = match (min, max) {
            (Some(min), Some(max)) => {
                format!("{} to {}", engineering(*min, unit), engineering(*max, unit))
            }
            (Some(min), None) => format!("at least {}", engineering(*min, unit)),
            (None, Some(max)) => format!("at most {}", engineering(*max, unit)),
            (None, None) => "any".to_owned(),
        };
        let value = match self.value {
            Some(Value { value, stands: true }) => engineering(value, unit),
            Some(Value { value, stands: false }) => format!("{}, not above noise", engineering(value, unit)),
            None => "not measurable".to_owned(),
        };
        let against = if self.test.role == Role::Against { "ruled out by " } else { "" };
        format!("{name} {value}; {against}{limit} ({source})")
    }
}

/// What an emitter is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Its signal.
    pub signal: Signal,
    /// Its device.
    pub device: Device,
    /// 0..1.
    pub confidence: f64,
    /// Two independent features agree on it.
    pub named: bool,
    /// How long the emitter must have been watched before this is said, seconds.
    pub settle_s: f64,
    /// Sentences: measured value against limit.
    pub reasons: Vec<String>,
}

/// The signatures and the region that emitters are judged by.
#[derive(Debug, Clone)]
pub struct Judge {
    signatures: Vec<Signature>,
    plan: BandPlan,
}

impl Judge {
    /// Judges by `signatures` in the region of `plan`.
    pub fn new(signatures: Vec<Signature>, plan: BandPlan) -> Self {
        Self { signatures, plan }
    }

    /// The region.
    pub fn plan(&self) -> &BandPlan {
        &self.plan
    }

    /// Compares `emitter` with every signature, best first. `resolution_hz` is the width of a bin.
    pub fn checks(&self, emitter: &Emitter, resolution_hz: f64) -> Vec<Check<'_>> {
        let hz = emitter.center_hz();
        let all = self.signatures.iter().map(|signature| {
            let misplaced = misplaced(signature, emitter, hz, &self.plan);
            check(signature, emitter, misplaced, resolution_hz, true)
        });
        let mut checks: Vec<Check<'_>> = all.collect();
        checks.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
        checks
    }

    /// Names `emitter`.
    pub fn verdict(&self, emitter: &Emitter, resolution_hz: f64) -> Verdict {
        let hz = emitter.center_hz();
        let mut checks: Vec<Check<'_>> = self
            .signatures
            .iter()
            .filter(|signature| misplaced(signature, emitter, hz, &self.plan).is_none())
            .map(|signature| check(signature, emitter, None, resolution_hz, false))
            .filter(Check::names)
            .collect();
        checks.sort_by(|a, b| b.score.total_cmp(&a.score));
        let Some(best) = checks.first() else {
            return self.unnamed(emitter);
        };
        let rival = checks.iter().find(|c| c.signature.signal != best.signature.signal);
        match rival {
            Some(rival) if best.score - rival.score < MARGIN => self.undecided(emitter, best, rival),
            _ => self.named(emitter, best),
        }
    }

    fn named(&self, emitter: &Emitter, best: &Check<'_>) -> Verdict {
        let Whose { device, reason, settle_s } = direction::whose(best.signature.means, emitter, &self.plan);
        let mut reasons = vec![headline(emitter, best)];
        reasons.extend(reason);
        reasons.extend(best.tests.iter().filter(|t| t.counts()).map(Tested::sentence));
        caveats(emitter, &mut reasons);
        let clipped = emitter.clipped * 2 > emitter.count;
        let sure = 1.0 - 0.5f64.powf(best.score / HALF_DOUBT);
        let confidence = sure * if clipped { CLIPPED_FACTOR } else { 1.0 };
        Verdict { signal: best.signature.signal, device, confidence, named: true, settle_s, reasons }
    }

    /// Two names fit: neither is given, but a device that both mean is.
    fn undecided(&self, emitter: &Emitter, best: &Check<'_>, rival: &Check<'_>) -> Verdict {
        let device = |check: &Check<'_>| direction::whose(check.signature.means, emitter, &self.plan).device;
        let agreed = device(best) == device(rival);
        let mut reasons = vec![format!(
            "{} or {}: the evidence does not separate them",
            best.signature.name, rival.signature.name
        )];
        reasons.push(description(emitter, &self.plan));
        caveats(emitter, &mut reasons);
        Verdict {
            signal: Signal::Unknown,
            device: if agreed { device(best) } else { Device::OtherWireless },
            confidence: UNNAMED_CONFIDENCE + if agreed { 0.2 } else { 0.0 },
            named: agreed,
            settle_s: 0.0,
            reasons,
        }
    }

    /// The signature that an emitter without a name resembles most, and what it misses of it: for people, since it
    /// takes every test of every signature.
    pub fn nearest(&self, emitter: &Emitter, resolution_hz: f64) -> Option<String> {
        let checks = self.checks(emitter, resolution_hz);
        let nearest = checks.iter().find(|c| c.misplaced.is_none() && c.score > 0.0)?;
        Some(format!("nearest is {}: {}", nearest.signature.name, nearest.miss()?))
    }

    fn unnamed(&self, emitter: &Emitter) -> Verdict {
        let mut reasons = vec![description(emitter, &self.plan)];
        caveats(emitter, &mut reasons);
        let device = if emitter.is_ghost() { Device::Interference } else { Device::OtherWireless };
        Verdict {
            signal: Signal::Unknown,
            device,
            confidence: UNNAMED_CONFIDENCE,
            named: false,
            settle_s: 0.0,
            reasons,
        }
    }
}

/// Order of nearness: what names first, then what is possible, then by the fraction of tests that hold.
fn rank(check: &Check<'_>) -> f64 {
    let held =
        check.tests.iter().filter(|t| t.outcome == Outcome::Within && t.test.role != Role::Against).count();
    let share = held as f64 / check.tests.len().max(1) as f64;
    let placed = if check.misplaced.is_none() { 10.0 } else { 0.0 };
    let possible = if check.possible { 100.0 } else { 0.0 };
    placed + possible + check.score + share
}

impl Tested<'_> {
    fn counts(&self) -> bool {
        self.outcome == Outcome::Within && self.test.weight > 0.0
    }
}

/// Compares one signature; without `all`, stops at the first gate that fails.
fn check<'a>(
    signature: &'a Signature,
    emitter: &Emitter,
    misplaced: Option<Misplaced>,
    resolution_hz: f64,
    all: bool,
) -> Check<'a> {
    let mut check = Check {
        signature,
        possible: misplaced.is_none(),
        misplaced,
        tests: Vec::new(),
        groups: 0,
        score: 0.0,
    };
    let mut groups = [false; Group::ALL.len()];
    for test in &signature.tests {
        if !check.possible && !all {
            break;
        }
        let value = measure(emitter, resolution_hz, test.feature, test.at);
        let outcome = match value {
            Some(v) if v.stands && test.admits(v.value) => Outcome::Within,
            Some(_) => Outcome::Outside,
            None => Outcome::Unmeasured,
        };
        let tested = Tested { test, value, outcome };
        match test.role {
            Role::Gate => check.possible &= outcome == Outcome::Within,
            Role::Against => check.possible &= outcome != Outcome::Within,
            Role::Proof => {}
        }
        if tested.counts() && test.role != Role::Against {
            groups[test.group as usize] = true;
            check.score += test.weight;
        }
        check.tests.push(tested);
    }
    check.groups = groups.iter().filter(|held| **held).count() as u32;
    check
}

/// Why `signature` cannot apply to `emitter` at `hz`.
fn misplaced(signature: &Signature, emitter: &Emitter, hz: f64, plan: &BandPlan) -> Option<Misplaced> {
    if !emitter.place.absolute {
        let anywhere = signature.anywhere && signature.service.is_none();
        return (!anywhere).then_some(Misplaced::WithoutFrequency);
    }
    let mhz = hz / 1e6;
    let is_inside = |[low, high]: &[f64; 2]| (*low..=*high).contains(&mhz);
    if !signature.bands_mhz.is_empty() && !signature.bands_mhz.iter().any(is_inside) {
        return Some(Misplaced::OutsideBands(hz));
    }
    if signature.service.is_some_and(|service| plan.find(hz, service).is_none()) {
        return Some(Misplaced::NotAllocated(hz));
    }
    let raster = signature.raster.filter(|_| !emitter.hopper)?;
    let steps = (hz - raster.origin_hz) / raster.step_hz;
    let off_hz = (steps - steps.round()).abs() * raster.step_hz;
    (off_hz > raster.tolerance_hz).then_some(Misplaced::OffRaster(hz, off_hz))
}

/// "368 µs bursts, in a rhythm of 10 ms, at 1888.704 MHz: DECT call".
fn headline(emitter: &Emitter, check: &Check<'_>) -> String {
    let mut phrases: Vec<(Group, String)> = check
        .tests
        .iter()
        .filter(|tested| tested.counts())
        .filter_map(|tested| {
            let value = tested.value?.value;
            Some((tested.test.group, tested.test.feature.phrase(tested.test.at, value)?))
        })
        .collect();
    phrases.sort_by_key(|(group, _)| match group {
        Group::Duration => 0,
        Group::Timing => 1,
        Group::Hopping => 2,
        _ => 3,
    });
    let mut words: Vec<String> = phrases.into_iter().map(|(_, phrase)| phrase).collect();
    words.dedup();
    words.push(place(emitter));
    format!("{}: {}", words.join(", "), check.signature.name)
}

fn place(emitter: &Emitter) -> String {
    let hz = emitter.center_hz();
    if emitter.place.absolute {
        format!("at {}", megahertz(hz))
    } else {
        format!("{} from the tuning", engineering(hz, "Hz"))
    }
}

/// What is seen of an emitter without a name.
fn description(emitter: &Emitter, plan: &BandPlan) -> String {
    let hz = emitter.center_hz();
    let band = emitter.place.absolute.then(|| plan.at(hz).next()).flatten();
    let band = band.map_or_else(String::new, |allocation| format!(" in {}", allocation.name));
    let count = emitter.on.count();
    let what = if count == 1 {
        format!("on once for {}", engineering(emitter.on.airtime_s(), "s"))
    } else {
        let typical = emitter.duration_s(0.5).unwrap_or(emitter.on.longest_s());
        format!("{count} bursts of {}", engineering(typical, "s"))
    };
    let hops =
        if emitter.hopper { format!(" over {} channels", emitter.channels.len()) } else { String::new() };
    let width = engineering(emitter.typical_bandwidth_hz(), "Hz");
    format!("{what}, {width} wide{hops}, {}{band}: no name", place(emitter))
}

fn caveats(emitter: &Emitter, reasons: &mut Vec<String>) {
    if !emitter.place.absolute {
        reasons.push("frequency unknown: the verdict rests on shape and timing alone".to_owned());
    }
    if emitter.clipped * 2 > emitter.count {
        reasons.push("the receiver clipped: features are doubtful".to_owned());
    }
    if emitter.is_ghost() {
        reasons.push(
            "the receiver itself may have made it: image, spike at the tuning, splatter or roll-off"
                .to_owned(),
        );
    }
}
