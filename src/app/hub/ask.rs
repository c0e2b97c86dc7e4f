//! What the judging side tells the room, and what people ask of it.

use super::{Figures, Hub, Input, MINUTES_MAX, Stated, TEXT_MAX, Told};
use crate::clock;
use crate::guard::State;
use crate::pipeline::Output;
use crate::policy::{Level, Policies};
use crate::store::{AlertRecord, Entry, Evidence, Meeting, StoreError};
use crate::sweep::BandCoverage;
use crossbeam_channel::TrySendError;
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

/// What people ask for; each is answered.
pub(super) enum Ask {
    Begin { title: String, level: String, minutes: Option<u32>, reply: oneshot::Sender<Answer<Meeting>> },
    End(oneshot::Sender<Answer<Meeting>>),
    Acknowledge { id: String, by: String, note: String, reply: oneshot::Sender<Answer<AlertRecord>> },
    After { after: i64, limit: usize, reply: oneshot::Sender<Answer<Vec<Entry>>> },
    Alerts { meeting: Option<String>, limit: usize, reply: oneshot::Sender<Answer<Vec<AlertRecord>>> },
    Evidence { id: String, reply: oneshot::Sender<Answer<Option<Evidence>>> },
    Meetings { limit: usize, reply: oneshot::Sender<Answer<Vec<Meeting>>> },
}

impl Hub {
    /// The state, as JSON: the latest, and each that follows.
    pub fn state(&self) -> watch::Receiver<Stated> {
        self.state.clone()
    }

    /// What happens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
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

    /// The pipeline said something.
    pub fn output(&self, output: &Output) {
        let input = Input::Output(Box::new(output.clone()), clock::monotonic_s());
        if matches!(output, Output::Alert(_)) {
            // Waits if it must: an alert is never dropped. A room that ended needs none.
            let _ = self.input.send(input);
        } else {
            self.offer(input);
        }
    }

    /// All that is wrong with what is seen.
    pub fn wrong(&self, all: Vec<(State, String)>) {
        // As above: a fault is not dropped either.
        let _ = self.input.send(Input::Wrong(all, clock::monotonic_s()));
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

    /// The room ends; what was told before is recorded.
    pub fn stop(&self) {
        let _ = self.input.send(Input::Stop);
    }

    pub(super) fn offer(&self, input: Input) {
        if let Err(TrySendError::Full(_)) = self.input.try_send(input) {
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
