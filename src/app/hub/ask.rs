//! What the judging side tells the room, and what people ask of it.

use super::{Alarm, CalendarNews, Figures, Hub, Input, MINUTES_MAX, PEOPLE_MAX, Stated, TEXT_MAX};
use crate::clock;
use crate::guard::State;
use crate::pipeline::Output;
use crate::policy::{Level, Policies};
use crate::store::{AlertRecord, Entry, Evidence, Meeting, Participant, StoreError};
use crate::sweep::BandCoverage;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{broadcast, oneshot, watch};

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
    /// There never was such an alert.
    #[error("no alert {0} is on record")]
    UnknownAlert(String),
    /// There is no picture of it.
    #[error("no picture of alert {0}: {1}")]
    NoPicture(String, String),
    /// The file is not what was recorded.
    #[error("the picture of alert {0} was altered after it was recorded; it is not shown")]
    Altered(String),
    /// A level that is none.
    #[error("no level {word:?}: choose one of {known}", word = .0, known = Level::WORDS.join(", "))]
    Level(String),
    /// A meeting without an end, or none.
    #[error("a meeting takes 1 to {MINUTES_MAX} minutes, or ends when somebody ends it")]
    Minutes,
    /// A meeting without an end cannot be extended.
    #[error("the meeting has no end to be moved: it lasts until somebody ends it")]
    Endless,
    /// A participant without a name.
    #[error("participant {0} has no name")]
    Nameless(usize),
    /// Too many of them.
    #[error("{0} participants; a meeting has at most {PEOPLE_MAX}")]
    Crowd(usize),
    /// A text that is too long.
    #[error("{0} is longer than {TEXT_MAX} characters")]
    TooLong(&'static str),
    /// A token could not be made or revoked.
    #[error(transparent)]
    Access(#[from] super::AccessError),
    /// It could not be recorded.
    #[error("not recorded: {0}")]
    Store(#[from] StoreError),
    /// The room's thread is gone or stuck.
    #[error("the room does not answer; see the service's log")]
    Silent,
}

/// What people ask for; each is answered.
pub(super) enum Ask {
    Begin { title: String, level: String, minutes: Option<u32>, reply: oneshot::Sender<Answer<Meeting>> },
    End(oneshot::Sender<Answer<Meeting>>),
    Extend(u32, oneshot::Sender<Answer<Meeting>>),
    Check(oneshot::Sender<Answer<serde_json::Value>>),
    People(oneshot::Sender<Answer<Vec<Participant>>>),
    PutPeople(Vec<Participant>, oneshot::Sender<Answer<Vec<Participant>>>),
    Acknowledge { id: String, by: String, note: String, reply: oneshot::Sender<Answer<AlertRecord>> },
    After { after: i64, limit: usize, reply: oneshot::Sender<Answer<Vec<Entry>>> },
    Alerts { meeting: Option<String>, limit: usize, reply: oneshot::Sender<Answer<Vec<AlertRecord>>> },
    Deliveries { alert: String, reply: oneshot::Sender<Answer<Vec<crate::store::Delivery>>> },
    Access(super::access::Ask),
    Evidence { id: String, reply: oneshot::Sender<Answer<Option<Evidence>>> },
    Meetings { limit: usize, reply: oneshot::Sender<Answer<Vec<Meeting>>> },
}

impl Hub {
    /// The state, as JSON: the latest, and each that follows.
    pub fn state(&self) -> watch::Receiver<Stated> {
        self.state.clone()
    }

    /// What happens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Arc<super::Told>> {
        self.told.subscribe()
    }

    /// What is counted.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// The live waterfall.
    pub fn waterfall(&self) -> &super::Waterfall {
        &self.waterfall
    }

    /// Reports that were dropped since nobody took them in time.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The pipeline said something of what was just received.
    pub fn output(&self, output: &Output) {
        self.say(output, 0.0);
    }

    /// The same, when it is `now_s` on the pipeline's axis.
    pub fn output_at(&self, output: &Output, now_s: f64) {
        let late_s = match output {
            Output::Alert(report) => (now_s - report.at_s).max(0.0),
            _ => 0.0,
        };
        self.say(output, late_s);
    }

    /// Alerts are `late_s` behind their samples.
    fn say(&self, output: &Output, late_s: f64) {
        let at_s = clock::monotonic_s();
        match output {
            Output::Alert(report) => {
                let facts = self.feed.facts(report.emitter);
                let alarm = Alarm { report: report.clone(), facts, at_s, heard_s: at_s - late_s };
                self.feed.must(Input::Alarm(Box::new(alarm)));
            }
            Output::Emitter(phase, report) => {
                self.feed.know(*phase, report);
                self.offer(Input::Report(*phase, Box::new(report.clone()), at_s));
            }
            Output::Health(_) => self.offer(Input::Alive(at_s)),
        }
    }

    /// All that is wrong with what is seen.
    pub fn wrong(&self, all: Vec<(State, String)>) {
        self.feed.must(Input::Wrong(all, clock::monotonic_s()));
    }

    /// What was looked at, in a plan that takes `superframe_s` for all of it.
    pub fn looked(&self, bands: Vec<BandCoverage>, superframe_s: f64) {
        self.figures.judged.fetch_add(1, Ordering::Relaxed);
        self.offer(Input::Looked(bands, superframe_s, clock::monotonic_s()));
    }

    /// The judging side is there.
    pub fn alive(&self) {
        self.figures.judged.fetch_add(1, Ordering::Relaxed);
        self.offer(Input::Alive(clock::monotonic_s()));
    }

    /// What levels ask for has changed: it holds for meetings that begin from now on.
    pub fn set_policies(&self, policies: Policies) {
        // Who says so can wait. A room that ended needs none.
        let _ = self.input.send(Input::Policies(policies));
    }

    /// Something to be on record, and told, as `kind` with the JSON object `data`.
    pub fn note(&self, kind: &'static str, data: String) {
        // As above.
        let _ = self.input.send(Input::Note(kind, data));
    }

    /// What a calendar says; `false` if nobody took it, and it is to be told again.
    pub fn calendar(&self, news: CalendarNews) -> bool {
        self.input.try_send(Input::Calendar(Box::new(news))).is_ok()
    }

    /// The room ends; what was told before is recorded.
    pub fn stop(&self) {
        self.feed.end();
    }

    pub(super) fn offer(&self, input: Input) {
        if !self.feed.offer(input) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Begins a meeting.
    ///
    /// # Errors
    /// One is on, or something given is not possible.
    pub async fn begin(&self, title: String, level: String, minutes: Option<u32>) -> Answer<Meeting> {
        self.ask(|reply| Ask::Begin { title, level, minutes, reply }).await
    }

    /// Ends the meeting.
    ///
    /// # Errors
    /// None is on.
    pub async fn end(&self) -> Answer<Meeting> {
        self.ask(Ask::End).await
    }

    /// Gives the meeting `minutes` more.
    ///
    /// # Errors
    /// None is on, it has no end, or that is too long.
    pub async fn extend(&self, minutes: u32) -> Answer<Meeting> {
        self.ask(|reply| Ask::Extend(minutes, reply)).await
    }

    /// Begins a check whether the room is quiet; what it says is in the state from then on, and as it begins given back.
    ///
    /// # Errors
    /// The room does not answer.
    pub async fn check(&self) -> Answer<serde_json::Value> {
        self.ask(Ask::Check).await
    }

    /// Who takes part in the meeting.
    ///
    /// # Errors
    /// None is on.
    pub async fn people(&self) -> Answer<Vec<Participant>> {
        self.ask(Ask::People).await
    }

    /// Puts who takes part in the meeting, in place of those before.
    ///
    /// # Errors
    /// None is on, or they are too many, or one has no name or too long a text.
    pub async fn put_people(&self, people: Vec<Participant>) -> Answer<Vec<Participant>> {
        self.ask(|reply| Ask::PutPeople(people, reply)).await
    }

    /// Acknowledges an alert.
    ///
    /// # Errors
    /// None of this name is open.
    pub async fn acknowledge(&self, id: String, by: String, note: String) -> Answer<AlertRecord> {
        self.ask(|reply| Ask::Acknowledge { id, by, note, reply }).await
    }

    /// What happened after entry `after`, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn after(&self, after: i64, limit: usize) -> Answer<Vec<Entry>> {
        self.ask(|reply| Ask::After { after, limit, reply }).await
    }

    /// Alerts of one meeting or of all, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn alerts(&self, meeting: Option<String>, limit: usize) -> Answer<Vec<AlertRecord>> {
        self.ask(|reply| Ask::Alerts { meeting, limit, reply }).await
    }

    /// Meetings, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn meetings(&self, limit: usize) -> Answer<Vec<Meeting>> {
        self.ask(|reply| Ask::Meetings { limit, reply }).await
    }

    pub(super) async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<Answer<T>>) -> Ask) -> Answer<T> {
        /// A disk that does not answer for so long never will.
        const PATIENCE: Duration = Duration::from_secs(5);
        let (reply, answer) = oneshot::channel();
        self.input.try_send(Input::Ask(ask(reply))).map_err(|_| AskError::Silent)?;
        tokio::time::timeout(PATIENCE, answer)
            .await
            .map_err(|_| AskError::Silent)?
            .map_err(|_| AskError::Silent)?
    }
}
