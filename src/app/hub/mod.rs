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
    /// `changed`, `emitter`, `alert` or `meeting`.
    pub kind: &'static str,
    /// A JSON object.
    pub data: String,
}

use super::ndjson::{alert_word, because_word, severity_word};
use crate::alert::{AlertPhase, AlertReport, ResolvedBecause, Severity};
use crate::clock;
use crate::guard::{Band, Guard, Mode, State};
use crate::pipeline::{EmitterReport, Output, Phase};
use crate::policy::Level;
use crate::store::{AlertRecord, Meeting, NewEntry, Store};
use crate::sweep::BandCoverage;
use ask::Ask;
pub use ask::{Answer, AskError};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use jiff::{SignedDuration, Timestamp};
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
/// Longest meeting that ends by itself, minutes: a day.
pub const MINUTES_MAX: u32 = 1440;
/// Records are kept for so long, and looked through this often.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 365);
const PRUNE_S: f64 = 3600.0;
/// Longest title, name or note, characters.
pub const TEXT_MAX: usize = 200;

/// What the thread is told, and when that was sent: what waited is not fresh.
enum Input {
    Output(Box<Output>, f64),
    Wrong(Vec<(State, String)>, f64),
    Looked(Vec<BandCoverage>, f64, f64),
    Alive(f64),
    Ask(Ask),
    Stop,
}

/// What the judging side and the people's side hold of the room.
#[derive(Clone)]
pub struct Hub {
    input: Sender<Input>,
    state: watch::Receiver<Stated>,
    told: broadcast::Sender<Arc<Told>>,
    dropped: Arc<AtomicU64>,
    figures: Arc<Figures>,
}

/// The state as it was told: when, on the monotonic clock, and as JSON.
#[derive(Debug, Clone)]
pub struct Stated {
    made_s: f64,
    /// JSON.
    pub text: Arc<str>,
}

impl Stated {
    /// Whether it is as young as the room makes it: an older one must not be shown.
    pub fn is_fresh(&self) -> bool {
        clock::monotonic_s() - self.made_s < STALE_S
    }
}

/// A state is made four times a second; one of this age was made by a room that hangs, seconds.
const STALE_S: f64 = 1.5;

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
    let (publish, state) = watch::channel(Stated { made_s: f64::NEG_INFINITY, text: "{}".into() });
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
        publish,
        told: told.clone(),
        last: (Mode::Standby, State::Standby),
        figures: Arc::default(),
        end_s: None,
        prune_s: 0.0,
        acknowledged: BTreeMap::new(),
    };
    let figures = room.figures.clone();
    figures.number.store(room.store.last_number()?, Ordering::Relaxed);
    if room.meeting.is_some() {
        room.arm();
    } else if let Start::Meeting(level) = start {
        room.begin(String::new(), level.as_str().to_owned(), None)?;
    }
    room.publish();
    let thread = std::thread::Builder::new()
        .name("room".into())
        .spawn(move || {
            let _alive = Alive;
            room.run(&inputs);
        })
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
    publish: watch::Sender<Stated>,
    told: broadcast::Sender<Arc<Told>>,
    /// Mode and state as last told.
    last: (Mode, State),
    figures: Arc<Figures>,
    /// When the meeting ends by itself, monotonic seconds.
    end_s: Option<f64>,
    /// When old records are looked for next.
    prune_s: f64,
    /// Alerts of this meeting that were acknowledged, by emitter.
    acknowledged: BTreeMap<u32, String>,
}

/// Ends the process with the thread that it cannot do without: whoever supervises it starts it again.
struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

impl Room {
    fn run(mut self, inputs: &Receiver<Input>) {
        let mut due_s = 0.0;
        loop {
            let input = inputs.recv_timeout(TICK);
            let now_s = clock::monotonic_s();
            let urgent = match input {
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(input) => self.take(input),
                Err(RecvTimeoutError::Timeout) => false,
            };
            self.guard.tick(now_s);
            if self.end_s.is_some_and(|end_s| end_s <= now_s) {
                self.overdue();
            }
            if now_s >= self.prune_s
                || (self.store.short_of_space() && now_s >= self.prune_s - PRUNE_S + 60.0)
            {
                self.prune_s = now_s + PRUNE_S;
                self.prune();
            }
            let now = (self.guard.mode(), self.guard.state(now_s));
            if urgent || now != self.last || now_s >= due_s {
                due_s = now_s + TICK.as_secs_f64();
                self.figures.clear.store(u64::from(now.1 == State::Clear), Ordering::Relaxed);
                self.figures.open.store(self.alerts.len() as u64, Ordering::Relaxed);
                self.publish();
                if now != self.last {
                    self.changed(now);
                }
            }
        }
    }

    /// Takes `input`; whether everybody must be told at once.
    fn take(&mut self, input: Input) -> bool {
        match input {
            Input::Output(output, at_s) => {
                self.guard.heard(at_s);
                match *output {
                    Output::Emitter(phase, report) => self.emitter(phase, report, at_s),
                    Output::Alert(alert) => {
                        self.alert(&alert);
                        return true;
                    }
                    Output::Health(_) => {}
                }
                false
            }
            Input::Wrong(all, at_s) => {
                self.guard.heard(at_s);
                self.guard.wrong(at_s, all);
                true
            }
            Input::Looked(bands, superframe_s, at_s) => {
                self.guard.heard(at_s);
                self.looked(bands, superframe_s, at_s);
                false
            }
            Input::Alive(at_s) => {
                self.guard.heard(at_s);
                false
            }
            Input::Ask(ask) => {
                self.answer(ask);
                true
            }
            Input::Stop => false,
        }
    }

    fn looked(&mut self, bands: Vec<BandCoverage>, superframe_s: f64, at_s: f64) {
        // Twice round: one look may have been lost.
        self.fresh_s = 2.0 * superframe_s;
        let band = |band: &BandCoverage| Band {
            name: band.band.clone(),
            required: true,
            looked_s: band.age_s.map(|age_s| at_s - age_s),
            fresh_s: self.fresh_s,
        };
        self.guard.looked(at_s, bands.iter().map(band).collect());
        self.coverage = bands;
    }

    fn emitter(&mut self, phase: Phase, report: EmitterReport, at_s: f64) {
        if let Some(alert) = self.acknowledged.get(&report.id).filter(|_| phase != Phase::Closed) {
            self.guard.sends(alert, at_s);
        }
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
        // Without a meeting nothing is banned, and that is why it is over: it did not turn out to be anything else.
        if self.meeting.is_none() && report.because == Some(ResolvedBecause::Reclassified) {
            return;
        }
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
        if self.alerts.len() < OPEN_MAX || self.alerts.contains_key(&name) {
            self.alerts.insert(name, record.clone());
        }
        self.record("alert", view::alert(alert_word(report.phase), &record), Some(&record), None);
    }

    fn afterwards(&mut self, name: &str, report: &AlertReport, now: Timestamp) {
        let Ok(Some(mut record)) = self.store.alert(name) else { return };
        record.updated = now;
        record.reasons.clone_from(&report.reasons);
        let severity = severity_word(report.severity);
        let worse = report.phase == AlertPhase::Updated
            && report.severity == Severity::Critical
            && record.severity != severity;
        record.severity = severity.into();
        record.device = report.device.as_str().into();
        record.signal = report.signal.as_str().into();
        if worse {
            // Somebody acknowledged something lesser.
            (record.acknowledged, record.acknowledged_by, record.note) = (None, None, None);
            self.guard.raise(name.to_owned());
            self.alerts.insert(name.to_owned(), record.clone());
        }
        if report.phase == AlertPhase::Resolved {
            record.resolved = Some(now);
            record.resolved_because = report.because.map(|because| because_word(because).into());
        }
        self.record("alert", view::alert(alert_word(report.phase), &record), Some(&record), None);
    }

    fn changed(&mut self, now: (Mode, State)) {
        self.last = now;
        let conditions: Vec<String> = self
            .guard
            .conditions(clock::monotonic_s())
            .into_iter()
            .map(|condition| condition.reason)
            .collect();
        let json =
            serde_json::json!({ "mode": now.0.as_str(), "state": now.1.as_str(), "conditions": conditions });
        self.record("changed", json.to_string(), None, None);
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
                self.guard.recorded(clock::monotonic_s(), true);
                self.figures.number.store(entry.number, Ordering::Relaxed);
                // Who is told and asks must find it.
                self.publish();
                self.tell(Some(entry.number), kind, data);
            }
            Err(error) => {
                self.guard.recorded(clock::monotonic_s(), false);
                if self.figures.lost.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::error!("cannot record: {error}");
                }
                self.tell(None, kind, data);
            }
        }
    }

    fn publish(&self) {
        self.publish.send_replace(self.state_json());
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
        if minutes.is_some_and(|minutes| !(1..=MINUTES_MAX).contains(&minutes)) {
            return Err(AskError::Minutes);
        }
        let started = clock::utc();
        let ends = minutes
            .and_then(|minutes| started.checked_add(SignedDuration::from_mins(i64::from(minutes))).ok());
        let id = format!("m{:x}", started.as_millisecond());
        let meeting = Meeting { id, title, level, started, ends, ended: None };
        self.store.begin_meeting(&meeting)?;
        self.meeting = Some(meeting.clone());
        self.record("meeting", view::json(&meeting), None, None);
        self.arm();
        self.publish();
        Ok(meeting)
    }

    /// The guard and the judging side learn of the meeting that is on.
    fn arm(&mut self) {
        let now_s = clock::monotonic_s();
        self.guard.begin(now_s);
        // From here on the clock on the wall may be set as anybody likes.
        let left = self
            .meeting
            .as_ref()
            .and_then(|meeting| meeting.ends)
            .map(|ends| ends.duration_since(clock::utc()));
        self.end_s = left.map(|left| now_s + left.as_secs_f64());
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
        self.end_s = None;
        self.acknowledged.clear();
        self.guard.end();
        let _ = self.levels.try_send(Level::Open);
        self.publish();
        Ok(meeting)
    }

    /// Ends a meeting whose time is over.
    fn overdue(&mut self) {
        // Tried again in a while if it cannot be recorded.
        self.end_s = Some(clock::monotonic_s() + 60.0);
        if let Err(error) = self.end() {
            tracing::error!("cannot end the meeting: {error}");
        }
    }

    /// Makes room for what is to come.
    fn prune(&mut self) {
        let pruned = clock::utc().checked_sub(KEPT).map(|before| self.store.prune(before));
        if let Ok(Err(error)) = pruned {
            tracing::warn!("cannot forget old records: {error}");
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
        self.alerts.remove(id);
        // Those that were too many to be shown have room now.
        if self.alerts.len() < self.guard.open().count().saturating_sub(1).min(OPEN_MAX)
            && let Ok(open) = self.store.open_alerts()
        {
            self.alerts.extend(open.into_iter().take(OPEN_MAX).map(|alert| (alert.id.clone(), alert)));
        }
        let emitter = record.emitter.trim_start_matches('e').parse().ok();
        let emitter =
            emitter.filter(|emitter| id.ends_with(&self.run) && self.emitters.contains_key(emitter));
        let age_s = emitter
            .and_then(|emitter| self.emitters.get(&emitter))
            .and_then(|report| {
                self.epoch.checked_add(SignedDuration::try_from_secs_f64(report.last_s).ok()?).ok()
            })
            .map_or(f64::INFINITY, |last| clock::utc().duration_since(last).as_secs_f64().max(0.0));
        if let Some(emitter) = emitter {
            self.acknowledged.insert(emitter, id.to_owned());
        }
        self.guard.acknowledge(id, clock::monotonic_s() - age_s);
        self.record("alert", view::alert("acknowledged", &record), None, None);
        Ok(record)
    }

    fn state_json(&self) -> Stated {
        let now_s = clock::monotonic_s();
        let state = StateJson {
            guard: &self.guard,
            now_s,
            meeting: self.meeting.as_ref(),
            coverage: &self.coverage,
            fresh_s: self.fresh_s,
            alerts: &self.alerts,
        };
        Stated { made_s: now_s, text: state.text().into() }
    }
}

fn short(what: &'static str, text: &str) -> Answer<()> {
    if text.chars().count() > TEXT_MAX { Err(AskError::TooLong(what)) } else { Ok(()) }
}
