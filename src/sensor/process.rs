//! `emcon sense`: the process that owns a receiver.
//!
//! It opens the receiver, measures how long it takes to settle, makes the plan, and captures; it opens the receiver
//! anew when that stops giving samples. It ends when the room says so or is gone. Because a driver can hang where no
//! thread of this process can stop it, a watchdog kills the process when the capturing loop stands still.

use super::capture::{Axis, Capture, CaptureParams, Ended};
use super::evidence::{self, ASKS};
use super::look::{Look, Source};
use super::settle::{Settle, measure};
use super::shared::Shared;
use super::write::{Aside, Outbox, outbox, write};
use crate::clock::Monotonic;
use crate::plan::ReceiverPlan;
use crate::ring::{Block, Looker, ring};
use crate::sdr::soapy::{OpenError, OpenOptions, SoapyReceiver};
use crate::sdr::{Facts, Receiver};
use crate::sweep::{Scheduler, Suspicion};
use crate::wire::{Denial, EvidenceAsk, Frames, FromSensor, Hello, ToSensor, Trouble, frame};
use crossbeam_channel::{Sender, bounded};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Samples of a block: 0.8 ms at 20 MS/s, a fraction of every driver's transfer, and 32 KiB of 8-bit samples, which
/// stay in the first-level cache.
const BLOCK: usize = 16_384;

/// The same at a few million samples a second, where a block must not take as long as a dwell.
const BLOCK_SLOW: usize = 4096;

/// Rate below which blocks are the smaller ones, samples a second.
const SLOW_HZ: f64 = 5e6;

/// Raw samples kept for evidence, seconds: two before an alert, and what it takes to raise it.
const HISTORY_S: f64 = 3.0;

/// Time that looking may be behind before blocks are dropped, seconds.
const QUEUE_S: f64 = 0.25;

/// The same where nothing is dropped but waited for: what is suspected is then looked into as soon as live, two dwells
/// later.
const QUEUE_PATIENT_S: f64 = 0.05;

/// Part of the history that may be lent at once.
const LENT: f64 = 0.25;

/// Suspicions that wait for the capturing loop.
const SUSPICIONS: usize = 64;

/// Time between two attempts to open.
const AGAIN: Duration = Duration::from_secs(1);

/// A capturing loop that stands still for so long hangs in its driver.
const HUNG: Duration = Duration::from_secs(4);

/// Time that ending may take.
const END: Duration = Duration::from_secs(1);

/// How the process is set up.
pub struct SenseParams {
    /// The receiver.
    pub open: OpenOptions,
    /// Samples to discard after a change of tuning, where that cannot be measured.
    pub settle_default: u64,
    /// The plan for a receiver of these facts that settles within so many seconds.
    #[allow(clippy::type_complexity)] // It is said in words.
    pub plan: Box<dyn Fn(&Facts, f64) -> Result<ReceiverPlan, String>>,
    /// Order of the sweep.
    pub seed: u64,
    /// Whether the source is no radio and can be kept waiting.
    pub patient: bool,
}

/// Why the process ends.
#[derive(Debug, Clone, PartialEq)]
pub enum SenseEnd {
    /// It was told to, or the room is gone.
    Stopped,
    /// What was asked for is wrong.
    Asked(String),
}

/// Runs the sensor: commands come from `input`, messages go to `output`.
pub fn run(
    params: &SenseParams,
    input: impl Read + Send + 'static,
    mut output: impl Write + Send + 'static,
) -> SenseEnd {
    let shared = Arc::new(Shared::default());
    let (outbox, inbox, aside) = outbox();
    let (to_capture, suspicions) = bounded(SUSPICIONS);
    let (to_lender, asks) = bounded(ASKS);
    let (say, said) = bounded(SUSPICIONS);
    let writer = {
        let shared = shared.clone();
        thread::spawn(move || write(&inbox, &mut output, &shared))
    };
    {
        let shared = shared.clone();
        let room = Commands { to_capture, to_lender, say: say.clone() };
        thread::spawn(move || room.take(input, &shared));
    }
    {
        let shared = shared.clone();
        thread::spawn(move || watchdog(&shared));
    }
    let mut sensor = Sensor {
        params,
        shared: shared.clone(),
        suspicions,
        asks,
        say,
        said,
        aside,
        settle: None,
        outbox: Some(outbox),
    };
    let end = sensor.run();
    drop(sensor);
    shared.stop();
    // All that was said is written before the end, if anybody reads.
    let _ = writer.join();
    end
}

/// What opens and captures.
struct Sensor<'a> {
    params: &'a SenseParams,
    shared: Arc<Shared>,
    suspicions: crossbeam_channel::Receiver<Suspicion>,
    asks: crossbeam_channel::Receiver<EvidenceAsk>,
    say: Sender<FromSensor>,
    said: crossbeam_channel::Receiver<FromSensor>,
    aside: Aside,
    settle: Option<Settle>,
    /// With the looking thread, once that runs.
    outbox: Option<Outbox>,
}

impl Sensor<'_> {
    fn run(&mut self) -> SenseEnd {
        let mut receiver = match self.open() {
            Ok(receiver) => receiver,
            Err(end) => return end,
        };
        let settle = match measure(&mut receiver, self.params.settle_default, self.params.patient) {
            Ok(settle) => settle,
            Err(error) => return self.refuse(error.to_string()),
        };
        self.settle = Some(settle);
        let facts = receiver.facts().clone();
        let plan = match (self.params.plan)(&facts, settle.samples as f64 / facts.rate_hz) {
            Ok(plan) if !plan.tunings.is_empty() => plan,
            Ok(_) => return self.refuse("the plan has no tuning for this receiver".into()),
            Err(why) => return self.refuse(why),
        };
        let block = if facts.rate_hz < SLOW_HZ { BLOCK_SLOW } else { BLOCK };
        let blocks = |seconds: f64| (seconds * facts.rate_hz / block as f64).ceil() as usize;
        let history = blocks(HISTORY_S);
        let queue_s = if self.params.patient { QUEUE_PATIENT_S } else { QUEUE_S };
        let lent = (history as f64 * LENT) as usize;
        let (filler, looker) =
            ring(blocks(queue_s), history, lent, || Block::with_capacity(facts.format, block));
        let scheduler = Scheduler::new(&plan, self.params.seed);
        // The axis of a simulated receiver is the scene's: what measuring took of it is over.
        let before = if self.params.patient { settle.read } else { 0 };
        let mut axis = Axis::new(scheduler, filler, self.suspicions.clone()).after(before);
        let real_time =
            thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Max).is_ok();
        let hello = |facts: &Facts| {
            FromSensor::Hello(Hello {
                driver: facts.driver.clone(),
                hardware: facts.hardware.clone(),
                serial: facts.serial.clone(),
                rate_hz: facts.rate_hz,
                format: facts.format,
                settle_samples: settle.samples,
                settle_measured: settle.measured,
                real_time,
                plan: plan.clone(),
            })
        };
        self.say(&hello(&facts));
        let capture = CaptureParams { block, settle: settle.samples, patient: self.params.patient };
        let news = self.start_looking(looker, facts.rate_hz, lent, plan.tunings.len());
        loop {
            self.shared.streaming.store(true, Ordering::Relaxed);
            let ended =
                Capture::new(&mut receiver, &mut axis, &self.shared, news.thread.clone(), capture).run();
            let why = match ended {
                Ended::Stopped => return news.join(),
                Ended::Silent(why) => why,
                Ended::Refused(error) => error.to_string(),
            };
            self.shared.restarts.fetch_add(1, Ordering::Relaxed);
            news.say(FromSensor::Trouble(Trouble::Stream, why));
            drop(receiver);
            self.shared.streaming.store(false, Ordering::Relaxed);
            news.say(FromSensor::Opening);
            receiver = loop {
                if self.shared.stopped() {
                    return news.join();
                }
                match SoapyReceiver::open(&self.params.open) {
                    Ok(receiver) if receiver.facts().format == facts.format => break receiver,
                    Ok(_) => news
                        .say(FromSensor::Trouble(Trouble::Open, "another kind of receiver answers".into())),
                    Err(error) => news.say(FromSensor::Trouble(Trouble::Open, error.to_string())),
                }
                self.pause();
            };
            news.say(hello(receiver.facts()));
        }
    }

    /// Opens for the first time, as often as it takes.
    fn open(&mut self) -> Result<SoapyReceiver, SenseEnd> {
        loop {
            self.say(&FromSensor::Opening);
            match SoapyReceiver::open(&self.params.open) {
                Ok(receiver) => return Ok(receiver),
                Err(
                    error @ (OpenError::Malformed { .. }
                    | OpenError::Ambiguous { .. }
                    | OpenError::Receiver(_)),
                ) => {
                    return Err(self.refuse(error.to_string()));
                }
                Err(error) => self.say(&FromSensor::Trouble(Trouble::Open, error.to_string())),
            }
            self.pause();
            if self.shared.stopped() {
                return Err(SenseEnd::Stopped);
            }
        }
    }

    /// Waits before the next attempt, unless the end is wanted.
    fn pause(&self) {
        let begin = Monotonic::now();
        while begin.elapsed() < AGAIN && !self.shared.stopped() {
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn say(&mut self, message: &FromSensor) {
        if let Some(outbox) = &mut self.outbox {
            frame(message, &mut outbox.held);
            outbox.send(None);
        }
    }

    fn refuse(&mut self, why: String) -> SenseEnd {
        self.say(&FromSensor::Trouble(Trouble::Asked, why.clone()));
        SenseEnd::Asked(why)
    }

    /// Starts the looking thread, which owns the outbox from now on, and may lend `lent` blocks.
    fn start_looking(&mut self, looker: Looker, rate_hz: f64, lent: usize, tunings: usize) -> Looking {
        let shared = self.shared.clone();
        let outbox = self.outbox.take();
        let drops_db = drops_db(&self.params.open.gains);
        let (asks, aside, said) = (self.asks.clone(), self.aside.clone(), self.said.clone());
        let lender = evidence::start(asks, aside, lent, rate_hz, drops_db.clone(), shared.clone());
        let source = Source { rate_hz, drops_db, tunings };
        let handle = thread::spawn(move || {
            if let Some(outbox) = outbox {
                Look::new(looker, source, &shared, outbox, said, lender).run();
            }
        });
        Looking { thread: handle.thread().clone(), say: self.say.clone(), handle }
    }
}

/// What the gain falls by with each step, decibels: the elements of a receiver's gain add up.
fn drops_db(steps: &[Vec<(String, f64)>]) -> Vec<f32> {
    let total = |step: &Vec<(String, f64)>| step.iter().map(|(_, db)| db).sum::<f64>();
    let first = steps.first().map_or(0.0, total);
    steps.iter().map(|step| (first - total(step)) as f32).collect()
}

/// The looking thread, from outside.
struct Looking {
    thread: thread::Thread,
    say: Sender<FromSensor>,
    handle: thread::JoinHandle<()>,
}

impl Looking {
    fn say(&self, message: FromSensor) {
        // If so much was said and not taken, the thread stands still, and the room sees that.
        let _ = self.say.try_send(message);
        self.thread.unpark();
    }

    fn join(self) -> SenseEnd {
        self.thread.unpark();
        // That it panicked was told on standard error.
        let _ = self.handle.join();
        SenseEnd::Stopped
    }
}

/// Where commands go.
struct Commands {
    to_capture: Sender<Suspicion>,
    to_lender: Sender<EvidenceAsk>,
    say: Sender<FromSensor>,
}

impl Commands {
    /// Takes commands until the room is gone.
    fn take(&self, mut input: impl Read, shared: &Shared) {
        let mut frames = Frames::default();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = input.read(&mut bytes) {
            frames.take(&bytes[..count]);
            loop {
                match frames.next_message() {
                    Ok(Some(ToSensor::Suspect(suspicion))) => {
                        // More than can be looked into: the room asks again for what lasts.
                        let _ = self.to_capture.try_send(suspicion);
                    }
                    Ok(Some(ToSensor::Evidence(ask))) => {
                        if self.to_lender.try_send(ask).is_err() {
                            // If this does not get through either, the room does not wait for ever.
                            let _ = self.say.try_send(FromSensor::Evidence(ask.number, Err(Denial::Busy)));
                        }
                    }
                    Ok(Some(ToSensor::Watch(on))) => shared.watched.store(on, Ordering::Relaxed),
                    Ok(Some(ToSensor::Judged(number))) => shared.judged.store(number, Ordering::Release),
                    Ok(Some(ToSensor::Quit)) => return shared.stop(),
                    Ok(None) => break,
                    Err(error) => {
                        tracing::error!("the room is not understood: {error}");
                        return shared.stop();
                    }
                }
            }
        }
        shared.stop();
    }
}

/// Kills the process when a driver hangs, and when ending takes too long.
fn watchdog(shared: &Shared) {
    let mut turns = (0, Monotonic::now());
    let mut stopping: Option<Monotonic> = None;
    loop {
        thread::sleep(Duration::from_millis(100));
        let now = Monotonic::now();
        let moved = shared.turns.load(Ordering::Relaxed);
        if moved != turns.0 || !shared.streaming.load(Ordering::Relaxed) {
            turns = (moved, now);
        }
        if shared.stopped() && now.since(*stopping.get_or_insert(now)) > END {
            die();
        }
        if now.since(turns.1) > HUNG {
            tracing::error!("the receiver's driver hangs: ending without it");
            die();
        }
    }
}

/// Ends at once: an orderly end would wait for the driver.
fn die() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}
