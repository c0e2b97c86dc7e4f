//! A sensor as the room sees it: started, listened to, judged, killed and started again.

use super::watch::{Fault, Watch};
use crate::clock::Monotonic;
use crate::pipeline::FrontEvent;
use crate::spectrum::{Row, Tile};
use crate::sweep::{Look, Suspicion};
use crate::wire::{
    Counts, Denial, EvidenceAsk, Frames, FromSensor, Hello, ToSensor, Trouble, frame, preamble,
};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// Messages that wait to be taken: a quarter of a second of the busiest band.
const WAITING: usize = 4096;

/// First and longest wait before a sensor is started again, seconds.
const BACK_OFF_S: [f64; 2] = [0.25, 5.0];

/// A sensor that gave samples for so long is well again, seconds.
const WELL_S: f64 = 10.0;

/// Exit status of a sensor that was asked for what cannot be: starting it again is no use (EX_CONFIG).
const ASKED: i32 = 78;

/// A sensor that did not send its picture for so long will not, seconds: drawing takes a fraction of one.
const EVIDENCE_S: f64 = 10.0;

/// Why there is no picture of what was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoEvidence {
    /// The sensor has none.
    #[error("{}", match .0 {
        Denial::Busy => "the sensor was busy with other pictures",
        Denial::TooOld => "the sensor does not hold the samples any more: it keeps three seconds",
        Denial::Elsewhere => "the receiver listened elsewhere in the seconds before",
        Denial::NoBox => "the emission has no known place in time and frequency",
    })]
    Denied(Denial),
    /// There is no sensor to ask.
    #[error("the sensor was not running")]
    NoSensor,
    /// Its process ended before it answered.
    #[error("the sensor ended before it could send a picture")]
    Ended,
    /// It did not answer.
    #[error("the sensor did not send a picture in time")]
    Late,
}

/// How a sensor is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensorCommand {
    /// The program, this one as a rule.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables that it finds in its environment besides this process's.
    pub environment: Vec<(OsString, OsString)>,
    /// Whether its source is no radio and makes samples as they are read: time is then counted in samples.
    pub patient: bool,
}

/// What comes of a sensor. Times are on the room's axis: seconds since [`Room::start`], or of the sensor's own stream
/// where its source is patient.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // One at a time, never kept.
pub enum News {
    /// A receiver is open.
    Open(Hello),
    /// The front half of the pipeline says something.
    Event(FrontEvent),
    /// A dwell is over.
    Looked(Look, f32),
    /// A picture that was asked for under this number, or why there is none.
    Evidence(u32, Result<Tile, NoEvidence>),
    /// A line of the waterfall.
    Row(Row),
    /// What is wrong has changed.
    Faults(Vec<Fault>),
    /// Something to tell people.
    Said(String),
    /// The sensor will not be started again: what was asked of it is wrong.
    Refused(String),
}

/// One sensor.
pub struct Room {
    command: SensorCommand,
    began: Monotonic,
    running: Option<Running>,
    watch: Watch,
    faults: Vec<Fault>,
    /// Zero of the sensor's axis on the room's, seconds.
    offset_s: Option<f64>,
    /// End of the latest look, on the room's axis.
    looked_s: f64,
    start_at_s: f64,
    back_off_s: f64,
    started_s: f64,
    starts: u64,
    refused: Option<String>,
    /// Pictures that were asked for: by which number, and when by the clock.
    asked: VecDeque<(u32, f64)>,
    /// Whether the waterfall is watched.
    watched: bool,
}

/// A sensor's process.
struct Running {
    child: Child,
    stdin: ChildStdin,
    said: Receiver<Said>,
}

/// What its reading thread gives.
enum Said {
    Message(Box<FromSensor>),
    Over(String),
}

impl Room {
    /// Prepares to run a sensor; it is started by the first [`Room::next`].
    pub fn start(command: SensorCommand) -> Self {
        Self {
            command,
            began: Monotonic::now(),
            running: None,
            watch: Watch::default(),
            faults: Vec::new(),
            offset_s: None,
            looked_s: 0.0,
            start_at_s: 0.0,
            back_off_s: BACK_OFF_S[0],
            started_s: 0.0,
            starts: 0,
            refused: None,
            asked: VecDeque::new(),
            watched: false,
        }
    }

    /// Now on the room's axis: seconds since the start; of a patient source, as far as was looked.
    pub fn now_s(&self) -> f64 {
        if self.command.patient { self.looked_s } else { self.clock_s() }
    }

    /// Seconds since the start by the clock, which is what a process is judged by.
    fn clock_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// What is wrong now.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The sensor's latest counts.
    pub fn counts(&self) -> &Counts {
        self.watch.counts()
    }

    /// How often a process was started.
    pub fn starts(&self) -> u64 {
        self.starts
    }

    /// The next news, waiting at most `longest` for it; keeps the sensor alive meanwhile.
    pub fn next(&mut self, longest: Duration) -> Option<News> {
        if let Some(why) = self.refused.take() {
            return Some(News::Refused(why));
        }
        self.keep_alive();
        if let Some(news) = self.changed().or_else(|| self.unanswered()) {
            return Some(news);
        }
        let Some(running) = &self.running else {
            thread::sleep(longest.min(Duration::from_millis(50)));
            return None;
        };
        match running.said.recv_timeout(longest) {
            Ok(Said::Message(message)) => self.take(*message),
            Ok(Said::Over(why)) => self.over(&why),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => self.over("its output ended"),
        }
    }

    /// Asks the sensor to look closer.
    pub fn suspect(&mut self, suspicion: Suspicion) {
        let Some(offset_s) = self.offset_s else { return };
        let until_s = suspicion.until_s - offset_s;
        self.tell(&ToSensor::Suspect(Suspicion { until_s, ..suspicion }));
    }

    /// Asks for a picture of a box; the answer, whatever it is, comes as [`News::Evidence`].
    ///
    /// # Errors
    /// There is nobody to ask.
    pub fn evidence(&mut self, ask: EvidenceAsk) -> Result<(), NoEvidence> {
        let offset_s = self.offset_s.filter(|_| self.running.is_some()).ok_or(NoEvidence::NoSensor)?;
        self.asked.push_back((ask.number, self.clock_s()));
        let (from_s, until_s) = (ask.from_s - offset_s, ask.until_s - offset_s);
        self.tell(&ToSensor::Evidence(EvidenceAsk { from_s, until_s, ..ask }));
        Ok(())
    }

    /// Says whether anybody watches the waterfall.
    pub fn watch(&mut self, on: bool) {
        if self.watched != on {
            self.watched = on;
            self.tell(&ToSensor::Watch(on));
        }
    }

    /// Says that all up to the dwell of this `number` was judged, to a sensor that waits for it.
    pub fn judged(&mut self, number: u64) {
        if self.command.patient {
            self.tell(&ToSensor::Judged(number));
        }
    }

    /// Ends the sensor.
    pub fn stop(&mut self) {
        self.tell(&ToSensor::Quit);
        if let Some(mut running) = self.running.take() {
            drop(running.stdin);
            let begin = Monotonic::now();
            while begin.elapsed() < Duration::from_secs(2) {
                if !matches!(running.child.try_wait(), Ok(None)) {
                    return;
                }
                thread::sleep(Duration::from_millis(10));
            }
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }

    fn tell(&mut self, message: &ToSensor) {
        let Some(running) = &mut self.running else { return };
        let mut bytes = Vec::new();
        frame(message, &mut bytes);
        // A sensor that does not listen is judged by what it sends.
        let _ = running.stdin.write_all(&bytes).and_then(|()| running.stdin.flush());
    }

    /// Starts the sensor if it is due, kills it if it is hopeless.
    fn keep_alive(&mut self) {
        let now_s = self.clock_s();
        if self.running.is_none() && now_s >= self.start_at_s {
            self.begin(now_s);
        }
        if let Some(why) = self.watch.hopeless(now_s)
            && let Some(mut running) = self.running.take()
        {
            tracing::warn!("killing the sensor: {why}");
            let _ = running.child.kill();
            let _ = running.child.wait();
            self.gone(now_s);
        }
        if self.running.is_some() && now_s - self.started_s > WELL_S && self.faults.is_empty() {
            self.back_off_s = BACK_OFF_S[0];
        }
    }

    fn begin(&mut self, now_s: f64) {
        self.starts += 1;
        self.started_s = now_s;
        match spawn(&self.command) {
            Ok(running) => {
                self.running = Some(running);
                self.offset_s = None;
                self.watch.started(now_s);
                if self.watched {
                    self.tell(&ToSensor::Watch(true));
                }
            }
            Err(error) => {
                tracing::error!("cannot start the sensor {}: {error}", self.command.program.display());
                self.gone(now_s);
            }
        }
    }

    /// The process is no more.
    fn gone(&mut self, now_s: f64) {
        self.watch.ended();
        self.start_at_s = now_s + self.back_off_s;
        self.back_off_s = (2.0 * self.back_off_s).min(BACK_OFF_S[1]);
    }

    fn over(&mut self, why: &str) -> Option<News> {
        let mut running = self.running.take()?;
        let _ = running.child.kill();
        let status = running.child.wait();
        let now_s = self.clock_s();
        self.gone(now_s);
        if status.as_ref().ok().and_then(ExitStatus::code) == Some(ASKED) {
            self.start_at_s = f64::INFINITY;
        }
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        Some(News::Said(format!("the sensor ended ({how}): {why}")))
    }

    fn changed(&mut self) -> Option<News> {
        let faults = self.watch.faults(self.clock_s());
        if faults == self.faults {
            return None;
        }
        self.faults.clone_from(&faults);
        Some(News::Faults(faults))
    }

    /// A picture that will not come any more.
    fn unanswered(&mut self) -> Option<News> {
        let (number, asked_s) = *self.asked.front()?;
        let why = match &self.running {
            // A new process knows nothing of what its predecessor was asked.
            Some(_) if asked_s >= self.started_s => {
                (self.clock_s() - asked_s > EVIDENCE_S).then_some(NoEvidence::Late)?
            }
            _ => NoEvidence::Ended,
        };
        self.asked.pop_front();
        Some(News::Evidence(number, Err(why)))
    }

    fn take(&mut self, message: FromSensor) -> Option<News> {
        let now_s = self.clock_s();
        let zero_s = if self.command.patient { 0.0 } else { now_s };
        let offset_s = self.offset_s.unwrap_or(zero_s);
        match message {
            FromSensor::Opening => self.watch.opening(now_s),
            FromSensor::Hello(hello) => {
                self.offset_s.get_or_insert(zero_s);
                self.watch.hello(&hello, now_s);
                return Some(News::Open(hello));
            }
            FromSensor::Status(counts) => self.watch.status(&counts, now_s),
            FromSensor::Event(event) => {
                self.watch.heard(now_s);
                return Some(News::Event(event.later(offset_s)));
            }
            FromSensor::Looked { look, floor_dbfs_per_hz } => {
                self.watch.looked(&look, floor_dbfs_per_hz, now_s);
                let (from_s, until_s) = (look.from_s + offset_s, look.until_s + offset_s);
                self.looked_s = self.looked_s.max(until_s);
                return Some(News::Looked(Look { from_s, until_s, ..look }, floor_dbfs_per_hz));
            }
            FromSensor::Evidence(number, answer) => {
                // What came too late, or was never asked for, was told of already.
                let at = self.asked.iter().position(|(asked, _)| *asked == number)?;
                self.asked.remove(at);
                let answer = answer.map(|tile| tile.later(offset_s)).map_err(NoEvidence::Denied);
                return Some(News::Evidence(number, answer));
            }
            FromSensor::Row(row) => return Some(News::Row(row.later(offset_s))),
            FromSensor::Trouble(Trouble::Asked, why) => return Some(News::Refused(why)),
            FromSensor::Trouble(_, why) => {
                self.watch.heard(now_s);
                return Some(News::Said(why));
            }
        }
        None
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(command: &SensorCommand) -> io::Result<Running> {
    let mut child = Command::new(&command.program)
        .args(&command.arguments)
        .envs(command.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("it has no pipes"));
    };
    stdin.write_all(&preamble())?;
    let (say, said) = bounded(WAITING);
    thread::spawn(move || listen(stdout, &say));
    Ok(Running { child, stdin, said })
}

/// Reads messages until there are none.
fn listen(mut from: impl Read, say: &Sender<Said>) {
    let mut frames = Frames::default();
    let mut bytes = vec![0; 64 * 1024];
    let why = loop {
        match from.read(&mut bytes) {
            Ok(0) => break "its output ended".to_owned(),
            Ok(count) => frames.take(&bytes[..count]),
            Err(error) => break error.to_string(),
        }
        loop {
            match frames.next_message() {
                Ok(Some(message)) => {
                    if say.send(Said::Message(Box::new(message))).is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let _ = say.send(Said::Over(error.to_string()));
                    return;
                }
            }
        }
    };
    // Nobody listens any more: nobody is to be told.
    let _ = say.send(Said::Over(why));
}

#[cfg(test)]
mod tests;
