//! A receiver listened to for some seconds: whether its samples come, in time, and can be what an antenna gives.

use super::Check;
use crate::clock::Monotonic;
use crate::iq::{IqBlock, Samples, Segment, Tuning};
use crate::pipeline::Front;
use crate::sdr::Facts;
use crate::sensor::{Heard, Implausible, ListenError, ListenParams, Listening, Plausible, Settle, Told};
use crate::spectrum::kernels;
use std::sync::atomic::AtomicBool;

/// Deviation from its rate beyond which a receiver loses samples that nobody tells of.
const RATE_OFF: f64 = 0.01;

/// Share of a core's time from which the front has no headroom: the other half is for what comes at once.
const BUSY: f64 = 0.5;

/// Floor below which nothing but the converter's own noise is heard, and above which something fills the span, dBFS in
/// one hertz: quantisation of 8 bits at 20 MS/s is -122, and noise that fills the converter -73.
const FLOOR_DBFS_HZ: [f64; 2] = [-125.0, -80.0];

/// Samples that are kept to try the front on, seconds.
const TRIAL_S: f64 = 0.25;

/// Samples of a block, as in the sensor.
const BLOCK: usize = 16_384;

/// Settling beyond which a plan cannot be made, seconds.
const SETTLE_MAX_S: f64 = crate::plan::SETTLE_MAX_S;

/// What was seen of a receiver.
#[derive(Debug, Clone)]
pub struct Flow {
    /// What it is.
    pub facts: Facts,
    /// How it settles.
    pub settle: Settle,
    /// Whether it is simulated and gives samples as fast as they are taken.
    pub unpaced: bool,
    /// Samples that came, and between which moments.
    received: u64,
    began: Option<Monotonic>,
    ended: Option<Monotonic>,
    overflows: u64,
    lost: u64,
    /// Samples lost that the driver told of, and whether it told of some whose number is not known yet.
    told_lost: u64,
    unresolved: bool,
    timed: bool,
    blocks: u64,
    repeated: u64,
    dead: u64,
    constant: u64,
    clipped: u64,
    gain_holds: Option<bool>,
    /// Time that the front takes for a second of samples, seconds.
    front_s: f64,
    floor_dbfs_hz: Option<f64>,
}

/// Listens until the visits of `listen` are over.
///
/// # Errors
/// A [`ListenError`] if the receiver does not last so long.
pub fn measure(listen: ListenParams, stop: &AtomicBool) -> Result<Flow, ListenError> {
    let unpaced = listen.patient;
    let mut listening = Listening::start(listen);
    let result = hear(&mut listening, unpaced, stop);
    listening.end();
    result
}

fn hear(listening: &mut Listening, unpaced: bool, stop: &AtomicBool) -> Result<Flow, ListenError> {
    let (facts, settle) = loop {
        if let Told::Opened(facts, settle) = listening.next(stop)? {
            break (facts, settle);
        }
    };
    let mut trial = Trial::new(&facts);
    let mut flow = Flow {
        facts,
        settle,
        unpaced,
        received: 0,
        began: None,
        ended: None,
        overflows: 0,
        lost: 0,
        told_lost: 0,
        unresolved: false,
        timed: false,
        blocks: 0,
        repeated: 0,
        dead: 0,
        constant: 0,
        clipped: 0,
        gain_holds: None,
        front_s: 0.0,
        floor_dbfs_hz: None,
    };
    loop {
        match listening.next(stop)? {
            Told::Heard(heard) => {
                flow.count(&heard);
                trial.take(&heard, &mut flow);
                listening.give_back(heard.samples);
            }
            Told::Done(gain_holds) => {
                flow.gain_holds = gain_holds;
                break;
            }
            Told::Opened(..) | Told::Left(_) => {}
        }
    }
    trial.run(&mut flow);
    Ok(flow)
}

impl Flow {
    fn count(&mut self, heard: &Heard) {
        let now = Monotonic::now();
        // Samples of the first transfer were made before the watch started.
        if self.began.is_some() {
            self.received += heard.samples.len() as u64;
            self.ended = Some(now);
        } else {
            self.began = Some(now);
        }
        self.overflows += u64::from(heard.overflow);
        let lost = heard.lost_before + heard.found_lost;
        self.lost += lost;
        let told = heard.overflow || self.unresolved && lost > 0;
        self.told_lost += if told { lost } else { 0 };
        self.unresolved = (heard.overflow || self.unresolved) && lost == 0;
        self.timed |= heard.timed;
        self.clipped += match &heard.samples {
            Samples::Cu8(s) => kernels::rails_cu8(s),
            Samples::Ci8(s) => kernels::rails_ci8(s),
            Samples::Ci16(s) => kernels::rails_ci16(s),
            Samples::Cf32(s) => kernels::rails_cf32(s),
        };
    }

    /// What can be said of it.
    pub fn checks(&self) -> Vec<Check> {
        vec![
            self.opened(),
            self.settling(),
            self.rate(),
            self.losses(),
            self.content(),
            self.rails(),
            self.floor(),
            self.gain(),
            self.time(),
            self.headroom(),
        ]
    }

    fn opened(&self) -> Check {
        let Facts { hardware, driver, format, rate_hz, transfer, .. } = &self.facts;
        let seen = format!(
            "{hardware} (driver {driver}), {format:?} at {} MS/s in transfers of {transfer}",
            rate_hz / 1e6
        );
        Check::pass("opens", seen)
    }

    fn settling(&self) -> Check {
        let settle_s = self.settle.samples as f64 / self.facts.rate_hz;
        let seen = format!("{:.1} ms ({} samples)", settle_s * 1e3, self.settle.samples);
        if settle_s > SETTLE_MAX_S {
            return Check::fail(
                "settling",
                seen,
                "no plan leaves it time to look: another driver or smaller buffers",
            );
        }
        if !self.settle.measured {
            let seen = format!("{seen}, as its kind has it: a change of gain did not show in its noise");
            return Check::warn("settling", seen, "connect the antenna, and look at the floor below");
        }
        Check::pass("settling", format!("{seen}, measured"))
    }

    fn rate(&self) -> Check {
        const NAME: &str = "rate";
        let (Some(began), Some(ended)) = (self.began, self.ended) else {
            return Check::fail(NAME, "too few samples came", "plug it in again; see `USB`");
        };
        if self.unpaced {
            return Check::pass(NAME, "not compared: simulated, as fast as samples are taken");
        }
        let seconds = ended.seconds_since(began);
        // What the driver says it lost is told elsewhere; here counts what is missing without a word.
        let got_hz = (self.received + self.told_lost) as f64 / seconds;
        let off = got_hz / self.facts.rate_hz - 1.0;
        let seen = format!("{:.4} MS/s over {seconds:.1} s, {:+.2} %", got_hz / 1e6, off * 100.0);
        // A transfer may have come just before or after either end.
        let rounding = self.facts.transfer as f64 / (seconds * self.facts.rate_hz);
        if off.abs() > RATE_OFF + rounding {
            let fix = "samples are lost between the receiver and here: another USB port or cable, or a lower --rate";
            return Check::fail(NAME, seen, fix);
        }
        Check::pass(NAME, seen)
    }

    fn losses(&self) -> Check {
        if self.overflows == 0 && self.lost == 0 {
            return Check::pass("losses", "none");
        }
        Check::warn(
            "losses",
            format!("{} overflows, {} samples known to be lost", self.overflows, self.lost),
            "end what else is busy, give the capturing thread priority, or take a lower --rate",
        )
    }

    fn content(&self) -> Check {
        const NAME: &str = "samples";
        let Self { blocks, repeated, dead, constant, .. } = *self;
        if constant > 0 {
            let seen = format!("{constant} of {blocks} blocks do not change at all");
            return Check::fail(
                NAME,
                seen,
                "plug it in again; if that does not help, the converter is broken",
            );
        }
        if repeated > 0 {
            let seen = format!("{repeated} of {blocks} blocks came before");
            return Check::fail(NAME, seen, "its driver hands out old buffers: plug it in again");
        }
        if dead > 0 {
            let seen = format!("one rail does not move in {dead} of {blocks} blocks");
            return Check::fail(NAME, seen, "the receiver is broken: take another one");
        }
        Check::pass(NAME, format!("{blocks} blocks, none stuck, repeated, or with a dead rail"))
    }

    fn rails(&self) -> Check {
        let all = self.received.max(1) as f64;
        let share = self.clipped as f64 / all;
        let seen = format!("{:.3} % of the samples at a rail", share * 100.0);
        let fix =
            "less gain (--gain step:1), an attenuator, or more distance; see hardware/input-protection.md";
        match share {
            // As for the health of a replay: a fifth of the samples is blind, a hundredth degraded.
            share if share > 0.2 => Check::fail("overload", seen, fix),
            share if share > 0.01 => Check::warn("overload", seen, fix),
            _ => Check::pass("overload", seen),
        }
    }

    fn floor(&self) -> Check {
        const NAME: &str = "floor";
        let Some(floor) = self.floor_dbfs_hz.filter(|floor| floor.is_finite()) else {
            return Check::warn(NAME, "none was found", "see `samples`");
        };
        let seen = format!("{floor:.1} dBFS in one hertz");
        if floor < FLOOR_DBFS_HZ[0] {
            return Check::warn(
                NAME,
                seen,
                "less than the converter's own noise: is the antenna connected, the gain set?",
            );
        }
        if floor > FLOOR_DBFS_HZ[1] {
            return Check::warn(
                NAME,
                seen,
                "something fills the whole span: less gain, or look for a jammer",
            );
        }
        Check::pass(NAME, seen)
    }

    fn gain(&self) -> Check {
        match self.gain_holds {
            Some(true) => Check::pass("gain", "as it was set"),
            Some(false) => {
                Check::fail("gain", "not what was set", "somebody else changes it, or automatic gain is on")
            }
            None => Check::warn("gain", "its driver does not tell it", "changes of gain will not be noticed"),
        }
    }

    fn time(&self) -> Check {
        if self.timed {
            return Check::pass(
                "time stamps",
                "the driver tells the time of its samples: losses are counted exactly",
            );
        }
        Check::pass("time stamps", "none: losses are counted by this computer's clock, to about a transfer")
    }

    fn headroom(&self) -> Check {
        let seen = format!("looking takes {:.0} % of a core", self.front_s * 100.0);
        let fix = "a faster computer, or a lower --rate; in a build for debugging, build with --release";
        match self.front_s {
            share if share > 1.0 => Check::fail("processor", seen, fix),
            share if share > BUSY => Check::warn("processor", seen, fix),
            _ => Check::pass("processor", seen),
        }
    }
}

/// Blocks of equal size, and the first of them kept for the front.
struct Trial {
    block: Samples,
    kept: Vec<Samples>,
    most: usize,
    size: usize,
    plausible: Plausible,
}

impl Trial {
    fn new(facts: &Facts) -> Self {
        // Whole blocks of a transfer: a driver that repeats its buffers repeats blocks.
        let size = BLOCK.min(facts.transfer.max(1));
        let most = (TRIAL_S * facts.rate_hz / size as f64).ceil() as usize;
        let block = Samples::with_capacity(facts.format, 2 * size);
        Self { block, kept: Vec::new(), most, size, plausible: Plausible::new(facts.rate_hz) }
    }

    fn take(&mut self, heard: &Heard, flow: &mut Flow) {
        let len = heard.samples.len();
        let mut from = 0;
        while from < len {
            let count = (self.size - self.block.len()).min(len - from);
            self.block.append_range(&heard.samples, from..from + count);
            from += count;
            if self.block.len() == self.size {
                self.look(flow);
            }
        }
    }

    fn look(&mut self, flow: &mut Flow) {
        flow.blocks += 1;
        match self.plausible.look(&self.block) {
            Some(Implausible::Repeated) => flow.repeated += 1,
            Some(Implausible::DeadRail) => flow.dead += 1,
            Some(Implausible::Constant) => flow.constant += 1,
            None => {}
        }
        if self.kept.len() < self.most {
            self.kept.push(self.block.clone());
        }
        self.block.clear();
    }

    /// Takes the time of the front half of the pipeline on what was kept.
    fn run(self, flow: &mut Flow) {
        let (rate_hz, format) = (flow.facts.rate_hz, flow.facts.format);
        let mut front = Front::new();
        let mut events = Vec::new();
        let tuning = Tuning { rate_hz, center_hz: None };
        front.begin(&Segment { index: 0, tuning, start_s: 0.0, shared_axis: true, format }, &mut events);
        let (mut first, mut began) = (0, Monotonic::now());
        // The first block pays for the plans.
        let mut timed = 0;
        for (number, samples) in self.kept.into_iter().enumerate() {
            let count = samples.len() as u64;
            front.step(&IqBlock { samples, first }, &mut events);
            events.clear();
            first += count;
            if number == 0 {
                began = Monotonic::now();
            } else {
                timed += count;
            }
        }
        flow.front_s = began.elapsed().as_secs_f64() / (timed.max(1) as f64 / rate_hz);
        flow.floor_dbfs_hz = front.floor_dbfs_per_hz();
    }
}
