//! The room's one place of truth: what the guard says, what was recorded, and who is told.
//!
//! One thread owns the guard and the store. It takes what the judging side saw and what people ask for, records what must
//! not be lost, and only then tells it. Nothing here waits for anybody who listens: they are told through a bounded
//! broadcast, and who falls behind reads what was missed from the store.

mod ask;
mod view;

/// Something that happened, as it is told.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its number in the journal; what is not recorded has none.
    pub number: Option<i64>,
    /// `state`, `emitter`, `alert`, `health` or `meeting`.
    pub kind: &'static str,
    /// A JSON object.
    pub data: String,
}

use super::ndjson::{alert_word, because_word, severity_word};
use crate::alert::{AlertPhase, AlertReport};
use crate::clock;
use crate::guard::{Band, Guard, Mode, State};
use crate::pipeline::{EmitterReport, Output, Phase};
use crate::policy::Level;
use crate::store::{AlertRecord, Meeting, NewEntry, Store, StoreError};
use crate::sweep::BandCoverage;
use ask::Ask;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use view::StateJson;

/// Time between two renewals of what is told, and of the lease.
const TICK: Duration = Duration::from_millis(250);
/// What waits for the thread: some seconds of the busiest band. Beyond, reports of emitters are dropped and counted,
/// alerts never.
const WAITING: usize = 4096;
/// What a listener may fall behind by.
const BEHIND: usize = 1024;
/// Alerts that are held open at a time; older ones stay in the store and latch.
const OPEN_MAX: usize = 512;
/// Longest title, name or note, characters.
pub const TEXT_MAX: usize = 200;

/// What the thread is told.
enum Input {
    Output(Box<Output>),
    Wrong(Vec<(State, String)>),
    Looked(Vec<BandCoverage>, f64),
    Alive,
    Ask(Ask),
    Stop,
}

/// An answer, or why there is none.
pub type Answer<T> = Result<T, AskError>;

/// Why something that was asked for cannot be.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// A meeting is on.
    #[error("a meeting is on already: {0}; end it first")]
    MeetingOn(String),
    /// No meeting is on.
    #[error("no meeting is on")]
    NoMeeting,
    /// There is no such alert.
    #[error("no alert {0} is open")]
    NoAlert(String),
    /// A level that is none.
    #[error("no level {0:?}: top-secret, secret, confidential or open")]
    Level(String),
    /// A text that is too long.
    #[error("{0} is longer than {TEXT_MAX} characters")]
    TooLong(&'static str),
    /// It could not be recorded.
    #[error("not recorded: {0}")]
    Store(#[from] StoreError),
    /// The room's thread is gone or stuck.
    #[error("the room does not answer; see the service's log")]
    Silent,
}

/// What the judging side and the people's side hold of the room.
#[derive(Clone)]
pub struct Hub {
    input: Sender<Input>,
    state: watch::Receiver<Arc<str>>,
    told: broadcast::Sender<Arc<Told>>,
    dropped: Arc<AtomicU64>,
    figures: Arc<Figures>,
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Figures {
    /// Alerts raised since the start.
    pub alerts: AtomicU64,
    /// Alerts that wait for somebody.
    pub open: AtomicU64,
    /// 1 while CLEAR.
    pub clear: AtomicU64,
    /// Entries that could not be recorded.
    pub lost: AtomicU64,
    /// Number of the latest entry of the journal.
    pub number: AtomicI64,
}

/// Starts the room on `store`. The judging side learns of levels through the receiver given back; what it sees is to be
/// told to the [`Hub`].
///
/// # Errors
/// The store cannot be read, or no thread be started.
pub fn start(
    store: Store,
    start: Start,
    epoch: Timestamp,
) -> Result<(Hub, Receiver<Level>, std::thread::JoinHandle<()>), AskError> {
    let (input, inputs) = bounded(WAITING);
    let (levels, level) = bounded(16);
    let (told, _) = broadcast::channel(BEHIND);
    let open = store.open_alerts()?;
    let mut room = Room {
        guard: Guard::new(clock::monotonic_s(), open.iter().map(|alert| alert.id.clone())),
        meeting: store.meetings(1)?.into_iter().next().filter(|meeting| meeting.ended.is_none()),
        alerts: open.into_iter().map(|alert| (alert.id.clone(), alert)).collect(),
        store,
        levels,
        emitters: BTreeMap::new(),
        coverage: Vec::new(),
        fresh_s: f64::INFINITY,
        epoch,
        run: format!("{:x}", epoch.as_second()),
        told: told.clone(),
        last: (Mode::Standby, State::Standby),
        figures: Arc::default(),
    };
    let figures = room.figures.clone();
    figures.number.store(room.store.last_number()?, Ordering::Relaxed);
    if room.meeting.is_some() {
        room.arm();
    } else if let Start::Meeting(level) = start {
        room.begin(String::new(), level.as_str().to_owned(), None)?;
    }
    let (publish, state) = watch::channel(room.state_json());
    let thread = std::thread::Builder::new()
        .name("room".into())
        .spawn(move || room.run(&inputs, &publish))
        .map_err(|_| AskError::Silent)?;
    Ok((Hub { input, state, told, dropped: Arc::default(), figures }, level, thread))
}

/// How the room begins, unless a meeting was on when it ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Without a meeting.
    Standby,
    /// With one of this level.
    Meeting(Level),
}

/// What the thread owns.
struct Room {
    guard: Guard,
    store: Store,
    meeting: Option<Meeting>,
    /// Alerts that wait for somebody, by name.
    alerts: BTreeMap<String, AlertRecord>,
    /// The latest report of each emitter that is open.
    emitters: BTreeMap<u32, EmitterReport>,
    coverage: Vec<BandCoverage>,
    /// Looks older than that are stale, seconds.
    fresh_s: f64,
    /// Second 0 of the pipeline's axis.
    epoch: Timestamp,
    /// Makes names of alerts unique beyond this run.
    run: String,
    levels: Sender<Level>,
    told: broadcast::Sender<Arc<Told>>,
    /// Mode and state as last told.
    last: (Mode, State),
    figures: Arc<Figures>,
}

impl Room {
    fn run(mut self, inputs: &Receiver<Input>, publish: &watch::Sender<Arc<str>>) {
        let mut due_s = 0.0;
        loop {
            let input = inputs.recv_timeout(TICK);
            let now_s = clock::monotonic_s();
            let urgent = match input {
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(input) => self.take(input, now_s),
                Err(RecvTimeoutError::Timeout) => false,
            };
            self.guard.tick(now_s);
            let now = (self.guard.mode(), self.guard.state(now_s));
            if urgent || now != self.last || now_s >= due_s {
                due_s = now_s + TICK.as_secs_f64();
                if now != self.last {
                    self.changed(now);
                }
                self.figures.clear.store(u64::from(now.1 == State::Clear), Ordering::Relaxed);
                self.figures.open.store(self.alerts.len() as u64, Ordering::Relaxed);
                publish.send_replace(self.state_json());
            }
        }
    }

    /// Takes `input`; whether everybody must be told at once.
    fn take(&mut self, input: Input, now_s: f64) -> bool {
        match input {
            Input::Output(output) => {
                self.guard.heard(now_s);
                match *output {
                    Output::Emitter(phase, report) => self.emitter(phase, report),
                    Output::Alert(alert) => {
                        self.alert(&alert);
                        return true;
                    }
                    Output::Health(_) => {}
                }
                false
            }
            Input::Wrong(all) => {
                self.guard.heard(now_s);
                self.guard.wrong(now_s, all);
                true
            }
            Input::Looked(bands, superframe_s) => {
                self.guard.heard(now_s);
                self.looked(bands, superframe_s, now_s);
                false
            }
            Input::Alive => {
                self.guard.heard(now_s);
                self.overdue();
                false
            }
            Input::Ask(ask) => {
                self.answer(ask);
                true
            }
            Input::Stop => false,
        }
    }

    fn looked(&mut self, bands: Vec<BandCoverage>, superframe_s: f64, now_s: f64) {
        // Twice round: one look may have been lost.
        self.fresh_s = 2.0 * superframe_s;
        let band = |band: &BandCoverage| Band {
            name: band.band.clone(),
            required: true,
            looked_s: band.age_s.map(|age_s| now_s - age_s),
            fresh_s: self.fresh_s,
        };
        self.guard.looked(now_s, bands.iter().map(band).collect());
        self.coverage = bands;
    }

    fn emitter(&mut self, phase: Phase, report: EmitterReport) {
        let json = view::emitter(phase, &report, self.epoch, self.meeting.as_ref());
        match phase {
            Phase::Closed => {
                self.emitters.remove(&report.id);
            }
            _ => {
                self.emitters.insert(report.id, report);
            }
        }
        if phase == Phase::Updated {
            // Figures only; what changed of importance comes as an alert.
            self.tell(None, "emitter", json);
        } else {
            self.record("emitter", json, None, None);
        }
    }

    fn alert(&mut self, report: &AlertReport) {
        let name = format!("a{}-{}", report.id, self.run);
        let now = clock::utc();
        let emitter = self.emitters.get(&report.emitter);
        let before = self.alerts.get(&name);
        if before.is_none() && report.phase != AlertPhase::Raised {
            // Acknowledged already: what becomes of it is recorded, and latches nothing.
            return self.afterwards(&name, report, now);
        }
        let record = AlertRecord {
            id: name.clone(),
            meeting: before
                .map_or_else(|| self.meeting.as_ref().map(|m| m.id.clone()), |b| b.meeting.clone()),
            emitter: format!("e{}", report.emitter),
            device: report.device.as_str().into(),
            signal: report.signal.as_str().into(),
            severity: severity_word(report.severity).into(),
            confidence: emitter.map_or(0.0, |e| e.confidence),
            center_hz: emitter.and_then(|e| e.center_hz),
            bandwidth_hz: emitter.map_or(0.0, |e| e.bandwidth_hz),
            power_dbfs: emitter.map_or(0.0, |e| e.power_dbfs),
            reasons: report.reasons.clone(),
            raised: before.map_or(now, |b| b.raised),
            updated: now,
            resolved: (report.phase == AlertPhase::Resolved).then_some(now),
            resolved_because: report.because.map(|because| because_word(because).into()),
            acknowledged: None,
            acknowledged_by: None,
            note: None,
        };
        if report.phase == AlertPhase::Raised {
            self.figures.alerts.fetch_add(1, Ordering::Relaxed);
            self.guard.raise(name.clone());
        }
        self.record("alert", view::alert(alert_word(report.phase), &record), Some(&record), None);
        if self.alerts.len() < OPEN_MAX || self.alerts.contains_key(&name) {
            self.alerts.insert(name, record);
        }
    }

    fn afterwards(&mut self, name: &str, report: &AlertReport, now: Timestamp) {
        let Ok(Some(mut record)) = self.store.alert(name) else { return };
        record.updated = now;
        record.reasons.clone_from(&report.reasons);
        if report.phase == AlertPhase::Resolved {
            record.resolved = Some(now);
            record.resolved_because = report.because.map(|because| because_word(because).into());
        }
        self.record("alert", view::alert(alert_word(report.phase), &record), Some(&record), None);
    }

    fn changed(&mut self, now: (Mode, State)) {
        self.last = now;
        let json = self.state_json();
        self.record("state", json.to_string(), None, None);
    }

    /// Records, then tells. What cannot be recorded is told all the same: silence would be worse.
    fn record(
        &mut self,
        kind: &'static str,
        data: String,
        alert: Option<&AlertRecord>,
        meeting: Option<&Meeting>,
    ) {
        let of = self.meeting.as_ref().map(|meeting| meeting.id.clone());
        let entry = NewEntry { kind, at: clock::utc(), meeting: of.as_deref(), data: &data };
        match self.store.record(&entry, alert, meeting) {
            Ok(entry) => {
                self.figures.number.store(entry.number, Ordering::Relaxed);
                self.tell(Some(entry.number), kind, data);
            }
            Err(error) => {
                if self.figures.lost.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::error!("cannot record: {error}");
                }
                self.tell(None, kind, data);
            }
        }
    }

    fn tell(&self, number: Option<i64>, kind: &'static str, data: String) {
        // Nobody listens: fine.
        let _ = self.told.send(Arc::new(Told { number, kind, data }));
    }

    fn answer(&mut self, ask: Ask) {
        // Who asked and went away needs no answer.
        match ask {
            Ask::Begin { title, level, minutes, reply } => {
                let _ = reply.send(self.begin(title, level, minutes));
            }
            Ask::End(reply) => {
                let _ = reply.send(self.end());
            }
            Ask::Acknowledge { id, by, note, reply } => {
                let _ = reply.send(self.acknowledge(&id, by, note));
            }
            Ask::After { after, limit, reply } => {
                let _ = reply.send(self.store.after(after, limit).map_err(AskError::from));
            }
            Ask::Alerts { meeting, limit, reply } => {
                let _ = reply.send(self.store.alerts(meeting.as_deref(), limit).map_err(AskError::from));
            }
            Ask::Meetings { limit, reply } => {
                let _ = reply.send(self.store.meetings(limit).map_err(AskError::from));
            }
        }
    }

    fn begin(&mut self, title: String, level: String, minutes: Option<u32>) -> Answer<Meeting> {
        if let Some(meeting) = &self.meeting {
            return Err(AskError::MeetingOn(meeting.title.clone()));
        }
        if Level::named(&level).is_none() {
            return Err(AskError::Level(level));
        }
        short("the title", &title)?;
        let started = clock::utc();
        let ends = minutes.map(|minutes| started + jiff::SignedDuration::from_mins(i64::from(minutes)));
        let id = format!("m{:x}", started.as_millisecond());
        let meeting = Meeting { id, title, level, started, ends, ended: None };
        self.store.begin_meeting(&meeting)?;
        self.meeting = Some(meeting.clone());
        self.record("meeting", view::json(&meeting), None, None);
        self.arm();
        Ok(meeting)
    }

    /// The guard and the judging side learn of the meeting that is on.
    fn arm(&mut self) {
        self.guard.begin(clock::monotonic_s());
        // A level that this version does not know is taken for one that bans.
        let level = |meeting: &Meeting| Level::named(&meeting.level).unwrap_or(Level::Confidential);
        // It takes levels far faster than people begin meetings.
        let _ = self.levels.try_send(self.meeting.as_ref().map_or(Level::Open, level));
    }

    fn end(&mut self) -> Answer<Meeting> {
        let mut meeting = self.meeting.clone().ok_or(AskError::NoMeeting)?;
        meeting.ended = Some(clock::utc());
        self.store.begin_meeting(&meeting)?;
        self.record("meeting", view::json(&meeting), None, None);
        self.meeting = None;
        self.guard.end();
        let _ = self.levels.try_send(Level::Open);
        Ok(meeting)
    }

    /// Ends a meeting whose time is over.
    fn overdue(&mut self) {
        let over = |meeting: &Meeting| meeting.ends.is_some_and(|ends| ends <= clock::utc());
        if self.meeting.as_ref().is_some_and(over)
            && let Err(error) = self.end()
        {
            tracing::error!("cannot end the meeting: {error}");
        }
    }

    fn acknowledge(&mut self, id: &str, by: String, note: String) -> Answer<AlertRecord> {
        short("the name", &by)?;
        short("the note", &note)?;
        let missing = || AskError::NoAlert(id.to_owned());
        let mut record = match self.alerts.get(id) {
            Some(record) => record.clone(),
            None => self.store.alert(id)?.filter(AlertRecord::is_open).ok_or_else(missing)?,
        };
        record.acknowledged = Some(clock::utc());
        record.acknowledged_by = Some(by);
        record.note = (!note.is_empty()).then_some(note);
        // Not acknowledged unless it is on record.
        self.store.put_alert(&record)?;
        self.record("alert", view::alert("acknowledged", &record), None, None);
        self.alerts.remove(id);
        self.guard.acknowledge(id);
        Ok(record)
    }

    fn state_json(&self) -> Arc<str> {
        let now_s = clock::monotonic_s();
        let state = StateJson {
            guard: &self.guard,
            now_s,
            meeting: self.meeting.as_ref(),
            coverage: &self.coverage,
            fresh_s: self.fresh_s,
            alerts: &self.alerts,
        };
        state.text().into()
    }
}

fn short(what: &'static str, text: &str) -> Answer<()> {
    if text.chars().count() > TEXT_MAX { Err(AskError::TooLong(what)) } else { Ok(()) }
}
