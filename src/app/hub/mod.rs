//! The room's one place of truth: what the guard says, what was recorded, and who is told.
//!
//! One thread owns the guard and the store. It takes what the judging side saw and what people ask for, records what must
//! not be lost, and only then tells it. Nothing here waits for anybody who listens: they are told through a bounded
//! broadcast, and who falls behind reads what was missed from the store.

mod access;
mod album;
mod alerts;
mod ask;
mod check;
mod evidence;
mod inbox;
mod latency;
mod meetings;
mod outbox;
mod people;
mod schedule;
mod view;
mod waterfall;

/// Something that happened, as it is told.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its number in the journal; what is not recorded has none.
    pub number: Option<i64>,
    /// `changed`, `emitter`, `alert`, `meeting` or `configuration`.
    pub kind: &'static str,
    /// A JSON object.
    pub data: String,
    /// Of an alert that is raised: when the samples came that it is of, monotonic seconds.
    pub raised_s: Option<f64>,
}

use crate::clock;
use crate::guard::{Band, Guard, Mode, SILENT_S, State};
use crate::notify::{Contacts, Outcome};
use crate::pipeline::{EmitterReport, Phase};
use crate::policy::{Level, Policies, Policy};
use crate::spectrum::Tile;
use crate::store::{AlertRecord, Deed, Meeting, NewEntry, Store};
use crate::sweep::BandCoverage;
use crate::wire::EvidenceAsk;
pub use access::{AccessError, Asks, Caller, Keys, issue, withdraw};
use album::{Album, BUDGET_BYTES, Shelf};
use alerts::Alarm;
use ask::Ask;
pub use ask::{Answer, AskError};
use check::Checking;
use crossbeam_channel::Receiver;
use inbox::{Feed, Inbox, Latest};
use jiff::{SignedDuration, Timestamp};
use latency::Latency;
use outbox::{Outbox, Wanted};
pub use people::PEOPLE_MAX;
use schedule::Agenda;
pub use schedule::CalendarNews;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
pub use view::Document as StateDocument;
use view::StateJson;
pub use waterfall::{Watcher, Waterfall};

/// Time between two renewals of what is told, and of the lease.
const TICK: Duration = Duration::from_millis(250);
/// What a listener may fall behind by.
const BEHIND: usize = 1024;
/// Alerts that are held open at a time; older ones stay in the store and latch.
const OPEN_MAX: usize = 512;
/// Longest meeting that ends by itself, minutes: a day.
pub const MINUTES_MAX: u32 = 1440;
/// Old records are looked for this often, seconds.
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
    Policies(Policies),
    Note(&'static str, String),
    #[allow(clippy::type_complexity)] // As it is told.
    Evidence(u32, Box<Result<(EvidenceAsk, Tile), String>>),
    Ask(Ask),
    Calendar(Box<CalendarNews>),
    Stop,
}

/// What the judging side and the people's side hold of the room.
#[derive(Clone)]
pub struct Hub {
    /// What is asked for, and what can be told again.
    input: crossbeam_channel::Sender<Input>,
    feed: Feed,
    state: watch::Receiver<Stated>,
    told: broadcast::Sender<Arc<Told>>,
    dropped: Arc<AtomicU64>,
    figures: Arc<Figures>,
    contacts: Contacts,
    keys: Arc<Keys>,
    /// Where pictures are.
    album: Shelf,
    waterfall: Arc<Waterfall>,
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
    /// From the samples that raised an alert to a listener, for each of both.
    pub latency: Latency,
    /// Rounds of the judging side, and of the room's thread: who supervises sees by them that both advance.
    pub judged: AtomicU64,
    /// See `judged`.
    pub turned: AtomicU64,
}

/// Starts the room on `store`, with `policies` for the levels of meetings. The judging side learns what is banned through
/// the receiver given back; what it sees is to be told to the [`Hub`].
///
/// # Errors
/// The store cannot be read, or no thread be started.
pub fn start(
    store: Store,
    start: Start,
    epoch: Timestamp,
    policies: Policies,
) -> Result<(Hub, Receiver<Policy>, std::thread::JoinHandle<()>), AskError> {
    start_telling(store, start, epoch, policies, Contacts::none(), None)
}

/// The same, which tells `contacts`; what becomes of messages comes through `outcomes`.
///
/// # Errors
/// As above.
pub fn start_telling(
    store: Store,
    start: Start,
    epoch: Timestamp,
    policies: Policies,
    contacts: Contacts,
    outcomes: Option<mpsc::Receiver<Outcome>>,
) -> Result<(Hub, Receiver<Policy>, std::thread::JoinHandle<()>), AskError> {
    let (feed, input, mut inbox) = inbox::open();
    let (judge, policy) = Latest::new();
    let (told, _) = broadcast::channel(BEHIND);
    let (publish, state) = watch::channel(Stated { made_s: f64::NEG_INFINITY, text: "{}".into() });
    let open = store.open_alerts()?;
    let meeting = store.meetings(1)?.into_iter().next().filter(|meeting| meeting.ended.is_none());
    let shelf = Shelf::beside(store.folder());
    let album = Album::start(shelf.clone(), BUDGET_BYTES).map_err(|_| AskError::Silent)?;
    let mut room = Room {
        guard: Guard::new(clock::monotonic_s(), open.iter().map(|alert| alert.id.clone())),
        agenda: Agenda::of(store.schedule()?, meeting.as_ref()),
        meeting,
        alerts: open.into_iter().map(|alert| (alert.id.clone(), alert)).collect(),
        outbox: Outbox::new(contacts.clone(), outcomes, &store)?,
        store,
        judge,
        policies,
        keys: Arc::default(),
        album,
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
        heard_s: BTreeMap::new(),
        check: None,
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
    Ok((
        Hub {
            input,
            feed,
            state,
            told,
            dropped: Arc::default(),
            figures,
            contacts,
            keys,
            album: shelf,
            waterfall: Arc::new(Waterfall::new(epoch)),
        },
        policy,
        thread,
    ))
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
    album: Album,
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
    judge: Latest<Policy>,
    /// For meetings that begin.
    policies: Policies,
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
    /// When each emitter that is open was heard last, monotonic seconds.
    heard_s: BTreeMap<u32, f64>,
    /// What calendars ask for.
    agenda: Agenda,
    /// The quiet-room check.
    check: Option<Checking>,
    /// What contacts are told.
    outbox: Outbox,
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
            self.keep_contacts(now_s);
            while let Some(filed) = self.album.next_filed() {
                self.filed(filed);
            }
            if self.end_s.is_some_and(|end_s| end_s <= now_s) {
                self.overdue();
            }
            self.keep_schedule(now_s);
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
                self.figures.turned.fetch_add(1, Ordering::Relaxed);
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
            Input::Evidence(alert, picture) => {
                self.evidence(alert, *picture);
                false
            }
            Input::Policies(policies) => {
                self.policies = policies;
                false
            }
            Input::Note(kind, data) => {
                self.record(kind, data, None, None);
                false
            }
            Input::Ask(ask) => {
                self.answer(ask);
                true
            }
            Input::Calendar(news) => {
                self.calendar(*news);
                false
            }
            Input::Stop => false,
        }
    }

    fn looked(&mut self, bands: Vec<BandCoverage>, superframe_s: f64, at_s: f64) {
        // Twice round: one look may have been lost. What a plan of one band takes is less than what telling of it does.
        self.fresh_s = (2.0 * superframe_s).max(SILENT_S);
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
        let was = std::mem::replace(&mut self.last, now);
        let conditions: Vec<String> = self
            .guard
            .conditions(clock::monotonic_s())
            .into_iter()
            .map(|condition| condition.reason)
            .collect();
        let json = serde_json::json!({ "mode": now.0.as_str(), "state": now.1.as_str(), "was": was.1.as_str(), "conditions": conditions });
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
        let at = clock::utc();
        let wanted = self.outbox.wanted(kind, &data, at, self.level());
        let names = Wanted::names(wanted.as_ref());
        let entry = NewEntry { kind, at, meeting: of.as_deref(), data: &data };
        let about = wanted.as_ref().and_then(|wanted| wanted.about.as_deref());
        let deed = Deed { entry, alert, meeting, contacts: &names, about };
        match self.store.record_one(&deed) {
            Ok((entry, deliveries)) => {
                if let Some(wanted) = &wanted {
                    self.outbox.tell(wanted, kind, &data, at, Some((entry.number, &deliveries)));
                }
                self.guard.recorded(clock::monotonic_s(), true);
                self.figures.number.store(entry.number, Ordering::Relaxed);
                // Who is told and asks must find it. Emitters are no part of the state.
                if kind != "emitter" {
                    self.publish();
                }
                self.tell(Some(entry.number), kind, data);
            }
            Err(error) => {
                if let Some(wanted) = &wanted {
                    self.outbox.tell(wanted, kind, &data, at, None);
                }
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
        self.tell_raised(number, kind, data, None);
    }

    fn tell_raised(&self, number: Option<i64>, kind: &'static str, data: String, raised_s: Option<f64>) {
        // Nobody listens: fine.
        let _ = self.told.send(Arc::new(Told { number, kind, data, raised_s }));
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
            Ask::Extend(minutes, reply) => {
                let _ = reply.send(self.extend(minutes));
            }
            Ask::Check(reply) => {
                let _ = reply.send(self.ask_check());
            }
            Ask::People(reply) => {
                let _ = reply.send(self.people());
            }
            Ask::PutPeople(people, reply) => {
                let _ = reply.send(self.put_people(people));
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
            Ask::Deliveries { alert, reply } => {
                let _ = reply.send(self.deliveries(&alert));
            }
            Ask::Access(ask) => self.access(ask),
            Ask::Evidence { id, reply } => {
                let _ = reply.send(self.evidence_of(&id));
            }
            Ask::Meetings { limit, reply } => {
                let _ = reply.send(self.store.meetings(limit).map_err(AskError::from));
            }
        }
    }

    /// Makes room for what is to come.
    fn prune(&mut self) {
        let now = clock::utc();
        let before = |days: u32| now.checked_sub(SignedDuration::from_hours(24 * i64::from(days)));
        let longest = self.policies.iter().map(|policy| policy.keep_days).max().unwrap_or(Policy::KEEP_DAYS);
        let shorter = self.policies.iter().filter(|policy| policy.keep_days < longest);
        let of_levels = shorter.map(|policy| (policy.level.as_str(), before(policy.keep_days)));
        for (level, before) in of_levels.collect::<Vec<_>>() {
            let pruned = before.map(|before| self.store.prune_level(level, before));
            if let Ok(Err(error)) = pruned {
                tracing::warn!("cannot forget old meetings of level {level}: {error}");
            }
        }
        if let Ok(Err(error)) = before(longest).map(|before| self.store.prune(before)) {
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
            schedule: self.schedule_json(),
            check: self.check_json(),
        };
        Stated { made_s: now_s, text: state.text().into() }
    }
}

fn short(what: &'static str, text: &str) -> Answer<()> {
    if text.chars().count() > TEXT_MAX { Err(AskError::TooLong(what)) } else { Ok(()) }
}
