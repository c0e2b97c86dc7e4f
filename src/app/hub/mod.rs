//! The room's one place of truth: what the guard says, what was recorded, and who is told.
//!
//! One thread owns the guard and the store. It takes what the judging side saw and what people ask for, records what must
//! not be lost, and only then tells it. Nothing here waits for anybody who listens: they are told through a bounded
//! broadcast, and who falls behind reads what was missed from the store.

mod access;
mod alerts;
mod ask;
mod inbox;
mod meetings;
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

use crate::clock;
use crate::guard::{Band, Guard, Mode, State};
use crate::pipeline::{EmitterReport, Phase};
use crate::policy::Level;
use crate::store::{AlertRecord, Meeting, NewEntry, Store};
use crate::sweep::BandCoverage;
pub use access::{AccessError, Asks, Caller, Keys, issue, withdraw};
use alerts::Alarm;
use ask::Ask;
pub use ask::{Answer, AskError};
use crossbeam_channel::Receiver;
use inbox::{Inbox, Latest, Outbox};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use view::StateJson;

/// Time between two renewals of what is told, and of the lease.
const TICK: Duration = Duration::from_millis(250);
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
    Report(Phase, Box<EmitterReport>, f64),
    Alarm(Box<Alarm>),
    Wrong(Vec<(State, String)>, f64),
    Looked(Vec<BandCoverage>, f64, f64),
    Alive(f64),
    Ask(Ask),
    Stop,
}

/// What the judging side and the people's side hold of the room.
#[derive(Clone)]
pub struct Hub {
    /// What is asked for, and what can be told again.
    input: crossbeam_channel::Sender<Input>,
    outbox: Outbox,
    state: watch::Receiver<Stated>,
    told: broadcast::Sender<Arc<Told>>,
    dropped: Arc<AtomicU64>,
    figures: Arc<Figures>,
    keys: Arc<Keys>,
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
    let (outbox, input, mut inbox) = inbox::open();
    let (levels, level) = Latest::new();
    let (told, _) = broadcast::channel(BEHIND);
    let (publish, state) = watch::channel(Stated { made_s: f64::NEG_INFINITY, text: "{}".into() });
    let open = store.open_alerts()?;
    let mut room = Room {
        guard: Guard::new(clock::monotonic_s(), open.iter().map(|alert| alert.id.clone())),
        meeting: store.meetings(1)?.into_iter().next().filter(|meeting| meeting.ended.is_none()),
        alerts: open.into_iter().map(|alert| (alert.id.clone(), alert)).collect(),
        store,
        levels,
        keys: Arc::default(),
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
    let (figures, keys) = (room.figures.clone(), room.keys.clone());
    keys.read(&room.store)?;
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
            room.run(&mut inbox);
        })
        .map_err(|_| AskError::Silent)?;
    Ok((Hub { input, outbox, state, told, dropped: Arc::default(), figures, keys }, level, thread))
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
    levels: Latest<Level>,
    publish: watch::Sender<Stated>,
    told: broadcast::Sender<Arc<Told>>,
    /// Mode and state as last told.
    last: (Mode, State),
    figures: Arc<Figures>,
    /// Who may ask.
    keys: Arc<Keys>,
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
    fn run(mut self, inbox: &mut Inbox) {
        let mut due_s = 0.0;
        loop {
            let input = inbox.next(TICK);
            let now_s = clock::monotonic_s();
            let urgent = match input {
                Some(Input::Stop) => {
                    while let Some(input) = inbox.urgent() {
                        self.take(input, inbox);
                    }
                    return;
                }
                Some(input) => self.take(input, inbox),
                None => false,
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
    fn take(&mut self, input: Input, inbox: &mut Inbox) -> bool {
        match input {
            Input::Report(phase, report, at_s) => {
                self.guard.heard(at_s);
                self.emitter(phase, *report, at_s);
                false
            }
            Input::Alarm(alarm) => {
                let alarms = inbox.alarms(*alarm);
                self.alarms(&alarms);
                true
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
                // Who is told and asks must find it. Emitters are no part of the state.
                if kind != "emitter" {
                    self.publish();
                }
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
            Ask::Access(ask) => self.access(ask),
            Ask::Meetings { limit, reply } => {
                let _ = reply.send(self.store.meetings(limit).map_err(AskError::from));
            }
        }
    }

    /// Makes room for what is to come.
    fn prune(&mut self) {
        let pruned = clock::utc().checked_sub(KEPT).map(|before| self.store.prune(before));
        if let Ok(Err(error)) = pruned {
            tracing::warn!("cannot forget old records: {error}");
        }
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
