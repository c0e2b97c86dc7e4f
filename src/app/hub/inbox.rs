//! What waits for the room's thread: alerts and faults past what people ask for, and both past reports.

use super::Input;
use super::alerts::Alarm;
use crate::pipeline::{EmitterReport, Phase};
use crate::store::AlertRecord;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What waits of each: reports of some seconds of the busiest band, and requests of as many people as can connect.
/// Beyond, reports are dropped and counted, requests are refused; alerts and faults wait.
const WAITING: usize = 4096;
/// Alerts recorded in one commit: with their records some tens of kilobytes of the database's log of 1 MiB.
const TOGETHER: usize = 32;

/// What an alert says of its emitter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Facts {
    /// 0..1.
    pub confidence: f64,
    /// None of one that hops.
    pub center_hz: Option<f64>,
    pub bandwidth_hz: f64,
    pub power_dbfs: f64,
}

impl Facts {
    /// As an alert has them already.
    pub fn of(alert: &AlertRecord) -> Self {
        let AlertRecord { confidence, center_hz, bandwidth_hz, power_dbfs, .. } = *alert;
        Self { confidence, center_hz, bandwidth_hz, power_dbfs }
    }
}

/// The judging side's ends.
#[derive(Clone)]
pub(super) struct Feed {
    urgent: Sender<Input>,
    reports: Sender<Input>,
    /// Of each emitter that is open (the pipeline bounds them): an alert overtakes the reports of its emitter. Only the
    /// judging side locks it.
    facts: Arc<Mutex<BTreeMap<u32, Facts>>>,
}

/// The thread's ends.
pub(super) struct Inbox {
    urgent: Receiver<Input>,
    asked: Receiver<Input>,
    reports: Receiver<Input>,
    /// Taken already, to be given next.
    held: Option<Input>,
}

/// Both ends, and between them the one for requests.
pub(super) fn open() -> (Feed, Sender<Input>, Inbox) {
    let ((urgent, urgents), (ask, asked), (report, reports)) =
        (bounded(WAITING), bounded(WAITING), bounded(WAITING));
    let feed = Feed { urgent, reports: report, facts: Arc::default() };
    (feed, ask, Inbox { urgent: urgents, asked, reports, held: None })
}

impl Feed {
    /// Waits if it must: an alert or a fault is never dropped. A room that ended needs none.
    pub fn must(&self, input: Input) {
        let _ = self.urgent.send(input);
    }

    /// Whether there was room for it, or nobody is left who would take it.
    pub fn offer(&self, input: Input) -> bool {
        !matches!(self.reports.try_send(input), Err(TrySendError::Full(_)))
    }

    /// The end, after all reports.
    pub fn end(&self) {
        let _ = self.reports.send(Input::Stop);
    }

    /// Remembers what alerts of this emitter are to say.
    pub fn know(&self, phase: Phase, report: &EmitterReport) {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let EmitterReport { confidence, center_hz, bandwidth_hz, power_dbfs, .. } = *report;
        match phase {
            Phase::Closed => facts.remove(&report.id),
            _ => facts.insert(report.id, Facts { confidence, center_hz, bandwidth_hz, power_dbfs }),
        };
    }

    pub fn facts(&self, emitter: u32) -> Option<Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).get(&emitter).copied()
    }
}

impl Inbox {
    /// What is urgent, if anything is.
    pub fn urgent(&mut self) -> Option<Input> {
        self.held.take().or_else(|| self.urgent.try_recv().ok())
    }

    /// What comes next within `patience`: what is urgent first, then requests and reports in turn, so that neither
    /// starves the other. The end, when everybody else is gone.
    pub fn next(&mut self, patience: Duration) -> Option<Input> {
        if let Some(input) = self.urgent() {
            return Some(input);
        }
        let gone = |_| Input::Stop;
        Some(select! {
            recv(self.urgent) -> input => input.unwrap_or_else(gone),
            recv(self.asked) -> input => input.unwrap_or_else(gone),
            recv(self.reports) -> input => input.unwrap_or_else(gone),
            default(patience) => return None,
        })
    }

    /// `first` and the alerts that wait behind it.
    pub fn alarms(&mut self, first: Alarm) -> Vec<Alarm> {
        let mut all = vec![first];
        while all.len() < TOGETHER {
            match self.urgent() {
                Some(Input::Alarm(alarm)) => all.push(*alarm),
                other => {
                    self.held = other;
                    break;
                }
            }
        }
        all
    }
}

/// A cell of which only the latest value counts; it is read as a channel.
pub(super) struct Latest<T> {
    put: Sender<T>,
    /// To take out what nobody took.
    take: Receiver<T>,
}

impl<T> Latest<T> {
    pub fn new() -> (Self, Receiver<T>) {
        let (put, take) = bounded(1);
        (Self { put, take: take.clone() }, take)
    }

    /// Puts `value` in place of what is there. Never waits.
    pub fn put(&self, value: T) {
        let mut value = value;
        while let Err(TrySendError::Full(back)) = self.put.try_send(value) {
            let _ = self.take.try_recv();
            value = back;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(input: Option<Input>) -> &'static str {
        match input {
            Some(Input::Wrong(..)) => "fault",
            Some(Input::Alive(_)) => "report",
            Some(Input::Stop) => "end",
            Some(_) => "other",
            None => "nothing",
        }
    }

    #[test]
    fn what_is_urgent_overtakes_a_full_queue_of_reports_and_the_end_comes_last() {
        let (feed, _ask, mut inbox) = open();
        for _ in 0..WAITING {
            assert!(feed.offer(Input::Alive(0.0)));
        }
        assert!(!feed.offer(Input::Alive(0.0)), "bounded");
        feed.must(Input::Wrong(Vec::new(), 0.0));
        let patience = Duration::from_millis(1);
        assert_eq!(what(inbox.next(patience)), "fault");
        assert_eq!(what(inbox.next(patience)), "report");
        feed.end();
        for _ in 1..WAITING {
            assert_eq!(what(inbox.next(patience)), "report");
        }
        assert_eq!(what(inbox.next(patience)), "end");
        assert_eq!(what(inbox.next(patience)), "nothing");
        drop((feed, _ask));
        assert_eq!(what(inbox.next(patience)), "end");
    }

    #[test]
    fn only_the_latest_counts() {
        let (cell, reader) = Latest::new();
        (1..=40).for_each(|n| cell.put(n));
        assert_eq!(reader.try_iter().collect::<Vec<_>>(), [40]);
    }
}
