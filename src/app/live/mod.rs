//! A receiver guarded live: a sensor's events through the back half of the pipeline, its faults and its coverage, to
//! a sink; what is suspected goes back to the sensor.

mod curious;
mod evidence;
mod json;
mod lines;
mod overload;
mod room;

pub use json::JsonLive;
pub use lines::LinesLive;
pub use room::RoomLive;

use crate::alert::AlertPhase;
use crate::clock;
use crate::pipeline::{Back, BackParams, FrontEvent, Health, HealthState, Output};
use crate::policy::{Baseline, Policy};
use crate::sensor::{Fault, News, NoEvidence, Room, SensorCommand};
use crate::spectrum::{Row, Tile};
use crate::sweep::{BandCoverage, Scheduler};
use crate::wire::{Counts, EvidenceAsk, Hello};
use crossbeam_channel::Receiver;
use curious::Curious;
use evidence::Witness;
use overload::Overload;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Time between two reports of the coverage, seconds.
const COVERAGE_S: f64 = 10.0;

/// Time between two reports of what was watched: a lease of five seconds is renewed from it.
const WATCHED: Duration = Duration::from_millis(250);

/// Longest wait for news: how late a fault may be noticed.
const WAIT: Duration = Duration::from_millis(50);

/// How a receiver is guarded.
pub struct LiveParams {
    /// The sensor.
    pub command: SensorCommand,
    /// What the back half needs to know.
    pub back: BackParams,
    /// Ends after so many seconds of an open receiver.
    pub for_s: Option<f64>,
    /// What meetings ask for, where people begin and end them.
    pub policies: Option<Receiver<Policy>>,
}

/// All that is wrong with what is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// How far the receiver can be trusted with it.
    pub state: HealthState,
    /// In words.
    pub reason: &'static str,
    /// Somebody may have had a hand in it.
    pub tamper: bool,
}

/// Someone who is told of what goes on.
pub trait LiveSink {
    /// A receiver was opened.
    ///
    /// # Errors
    /// As the writer beneath.
    fn open(&mut self, hello: &Hello, at_s: f64) -> io::Result<()>;

    /// The pipeline says something; health excepted.
    ///
    /// # Errors
    /// As the writer beneath.
    fn output(&mut self, output: &Output, now_s: f64) -> io::Result<()>;

    /// What is wrong has changed. Worst first; nothing if all is well.
    ///
    /// # Errors
    /// As the writer beneath.
    fn health(&mut self, conditions: &[Condition], at_s: f64) -> io::Result<()>;

    /// What was looked at so far.
    ///
    /// # Errors
    /// As the writer beneath.
    fn coverage(&mut self, bands: &[BandCoverage], counts: &Counts, at_s: f64) -> io::Result<()>;

    /// The same, several times a second, and in which time all of it is looked at; nothing before a receiver was opened.
    /// Whoever must know that the guard is alive knows by that.
    ///
    /// # Errors
    /// As the writer beneath.
    fn watched(&mut self, _looked: Option<(&Scheduler, f64)>, _at_s: f64) -> io::Result<()> {
        Ok(())
    }

    /// Whether anybody wants rows of the waterfall now.
    fn wants_rows(&self) -> bool {
        false
    }

    /// One.
    ///
    /// # Errors
    /// As the writer beneath.
    fn row(&mut self, _row: &Row) -> io::Result<()> {
        Ok(())
    }

    /// What the samples showed of the emission that raised alert `alert`, or why nothing can be shown.
    ///
    /// # Errors
    /// As the writer beneath.
    fn evidence(&mut self, _alert: u32, _picture: Result<(EvidenceAsk, Tile), String>) -> io::Result<()> {
        Ok(())
    }

    /// What was said must leave now.
    ///
    /// # Errors
    /// As the writer beneath.
    fn flush(&mut self) -> io::Result<()>;
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Guarded {
    /// Alerts raised.
    pub alerts: u64,
    /// Seconds in which the receiver could not be trusted to see, of all.
    pub blind_s: f64,
    /// Seconds in all.
    pub seconds: f64,
    /// The ambient learned, with the one given.
    pub learned: Baseline,
    /// Why the sensor cannot be run at all.
    pub refused: Option<String>,
}

/// Guards until `stop` is set or the time is over.
///
/// # Errors
/// The sink's.
pub fn guard(params: LiveParams, sink: &mut dyn LiveSink, stop: &AtomicBool) -> io::Result<Guarded> {
    let mut live = Live {
        room: Room::start(params.command),
        back: Back::new(params.back),
        sink,
        books: None,
        superframe_s: f64::INFINITY,
        watched: clock::Monotonic::now(),
        policies: params.policies,
        health: None,
        conditions: None,
        curious: Curious::default(),
        witness: Witness::default(),
        overload: Overload::default(),
        gain_steps: 0,
        outputs: Vec::new(),
        coverage_due_s: COVERAGE_S,
        complained: (String::new(), 0.0),
        end_s: f64::INFINITY,
        blind_since_s: Some(0.0),
        result: Guarded {
            alerts: 0,
            blind_s: 0.0,
            seconds: 0.0,
            learned: Baseline::default(),
            refused: None,
        },
    };
    while !stop.load(Ordering::Relaxed) && live.room.now_s() < live.end_s && live.result.refused.is_none() {
        live.turn(params.for_s)?;
    }
    live.finish()
}

struct Live<'a> {
    room: Room,
    back: Back,
    sink: &'a mut dyn LiveSink,
    /// The ledger, of the plan that the sensor runs.
    books: Option<Scheduler>,
    superframe_s: f64,
    /// When it was told last what was watched.
    watched: clock::Monotonic,
    policies: Option<Receiver<Policy>>,
    /// What the samples themselves say.
    health: Option<Health>,
    conditions: Option<Vec<Condition>>,
    curious: Curious,
    witness: Witness,
    overload: Overload,
    /// Steps that the receiver's gain can go down.
    gain_steps: u8,
    outputs: Vec<Output>,
    coverage_due_s: f64,
    complained: (String, f64),
    end_s: f64,
    blind_since_s: Option<f64>,
    result: Guarded,
}

impl Live<'_> {
    fn turn(&mut self, for_s: Option<f64>) -> io::Result<()> {
        match self.room.next(WAIT) {
            // What the samples say of the receiver does not wait.
            Some(News::Event(event @ FrontEvent::Health(_))) => self.take(&[event])?,
            Some(News::Event(event)) => {
                let held = self.overload.hold(event);
                self.take(&held)?;
            }
            Some(News::Looked(look, floor_dbfs_per_hz)) => {
                if look.dwell.gain_step == 0 {
                    self.back.looked(f64::from(floor_dbfs_per_hz));
                }
                let events = self.overload.release(&look, self.gain_steps);
                self.take(&events)?;
                if let Some(books) = &mut self.books {
                    books.looked(&look);
                }
                if let Some(suspicion) = self.curious.about(&self.back, self.room.now_s()) {
                    self.room.suspect(suspicion);
                }
                self.room.judged(look.dwell.number);
            }
            Some(News::Evidence(alert, answer)) => self.show(alert, answer)?,
            Some(News::Row(row)) => self.sink.row(&row)?,
            Some(News::Open(hello)) => self.opened(&hello, for_s)?,
            Some(News::Said(what)) => self.complain(what),
            Some(News::Refused(why)) => self.result.refused = Some(why),
            Some(News::Faults(_)) | None => {}
        }
        while let Some(Ok(policy)) = self.policies.as_ref().map(Receiver::try_recv) {
            self.back.set_policy(policy, &mut self.outputs);
            self.tell()?;
        }
        self.room.watch(self.sink.wants_rows());
        self.judge()?;
        if self.watched.elapsed() >= WATCHED {
            self.watched = clock::Monotonic::now();
            let looked = self.books.as_ref().map(|books| (books, self.superframe_s));
            self.sink.watched(looked, self.room.now_s())?;
        }
        self.report()
    }

    fn take(&mut self, events: &[FrontEvent]) -> io::Result<()> {
        for event in events {
            self.back.take(event, &mut self.outputs);
        }
        self.tell()
    }

    fn opened(&mut self, hello: &Hello, for_s: Option<f64>) -> io::Result<()> {
        let now_s = self.room.now_s();
        if let (Some(for_s), true) = (for_s, self.end_s.is_infinite()) {
            self.end_s = now_s + for_s;
        }
        if self.books.is_none() {
            self.books = Some(Scheduler::new(&hello.plan, 0));
        }
        self.superframe_s = hello.plan.superframe_s;
        // No look will repeat what the receiver heard before.
        let rest = self.overload.rest();
        self.take(&rest)?;
        self.back.opened();
        self.health = None;
        self.gain_steps = hello.plan.gain_steps;
        self.sink.open(hello, now_s)?;
        self.sink.flush()
    }

    /// Logs what is wrong, the same once a minute at most: a receiver that is gone is looked for every second.
    fn complain(&mut self, what: String) {
        let now_s = self.room.now_s();
        if self.complained.0 != what || now_s - self.complained.1 >= 60.0 {
            tracing::warn!("{what}");
            self.complained = (what, now_s);
        }
    }

    /// Tells what the back said.
    fn tell(&mut self) -> io::Result<()> {
        if self.outputs.is_empty() {
            return Ok(());
        }
        let (mut asked, now_s) = (Vec::new(), self.room.now_s());
        for output in self.outputs.drain(..) {
            match output {
                Output::Health(health) => self.health = Some(health),
                other => {
                    if let Output::Alert(alert) = &other {
                        self.result.alerts += u64::from(alert.phase == AlertPhase::Raised);
                    }
                    self.curious.heard(&other);
                    self.sink.output(&other, now_s)?;
                    if let Some(ask) = self.witness.heard(&other)
                        && let Err(why) = self.room.evidence(ask)
                    {
                        asked.push((ask.number, why));
                    }
                }
            }
        }
        self.sink.flush()?;
        asked.into_iter().try_for_each(|(alert, why)| self.show(alert, Err(why)))
    }

    /// Hands on what the sensor showed of the emission behind an alert.
    fn show(&mut self, alert: u32, answer: Result<Tile, NoEvidence>) -> io::Result<()> {
        let Some(ask) = self.witness.answered(alert) else { return Ok(()) };
        let picture = answer.map(|tile| (ask, tile)).map_err(|why| why.to_string());
        self.sink.evidence(alert, picture)
    }

    /// Tells what is wrong, if that has changed.
    fn judge(&mut self) -> io::Result<()> {
        let mut now: Vec<Condition> = self.room.faults().iter().map(|fault| of_fault(*fault)).collect();
        if let Some(health) = self.health.filter(|health| health.state != HealthState::Ok) {
            now.push(Condition {
                state: health.state,
                reason: super::ndjson::reason_word(health.reason),
                tamper: false,
            });
        }
        now.sort_by_key(|condition| std::cmp::Reverse(condition.state));
        if self.conditions.as_ref() == Some(&now) {
            return Ok(());
        }
        let at_s = self.room.now_s();
        let blind = now.iter().any(|condition| condition.state == HealthState::Blind);
        match (blind, self.blind_since_s) {
            (true, None) => self.blind_since_s = Some(at_s),
            (false, Some(since_s)) => {
                self.result.blind_s += at_s - since_s;
                self.blind_since_s = None;
            }
            _ => {}
        }
        self.sink.health(&now, at_s)?;
        self.conditions = Some(now);
        self.sink.flush()
    }

    fn report(&mut self) -> io::Result<()> {
        if self.room.now_s() < self.coverage_due_s {
            return Ok(());
        }
        self.coverage_due_s = self.room.now_s() + COVERAGE_S;
        self.cover()
    }

    fn cover(&mut self) -> io::Result<()> {
        let Some(books) = &self.books else { return Ok(()) };
        let now_s = self.room.now_s();
        self.sink.coverage(&books.coverage(now_s), self.room.counts(), now_s)?;
        self.sink.flush()
    }

    fn finish(mut self) -> io::Result<Guarded> {
        let now_s = self.room.now_s();
        self.room.stop();
        let rest = self.overload.rest();
        self.take(&rest)?;
        self.back.finish(&mut self.outputs);
        self.tell()?;
        self.cover()?;
        let still_s = self.blind_since_s.map_or(0.0, |since_s| now_s - since_s);
        Ok(Guarded {
            blind_s: self.result.blind_s + still_s,
            seconds: now_s,
            learned: self.back.baseline(),
            ..self.result
        })
    }
}

fn of_fault(fault: Fault) -> Condition {
    Condition { state: fault.state(), reason: fault.as_str(), tamper: fault.is_tamper() }
}
