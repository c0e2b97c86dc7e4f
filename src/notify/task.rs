//! The task of one contact: takes messages, sends them one after the other, says what came of it.
//!
//! It waits for its own contact alone, and always takes what is told meanwhile.

use super::channel::Channel;
use super::message::Message;
use super::queue::{Failure, Queue};
use super::status::Status;
use super::{Order, Outcome};
use crate::clock;
use crate::config::Contact;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// A message must have arrived within this time (Standard Webhooks 1.0: 15 to 30 s).
pub const DEADLINE: Duration = Duration::from_secs(15);
/// Most tests that wait.
const TESTS_MAX: usize = 8;
/// Longest sleep: whatever else is due is looked at then.
const SLEEP_MAX_S: f64 = 60.0;

/// What is sent.
enum Job {
    Batch(Vec<Message>),
    Heartbeat(Message),
    Test(Message, oneshot::Sender<Result<(), String>>),
}

type Flight = Pin<Box<dyn Future<Output = (Channel, Job, Result<(), Failure>)> + Send>>;

/// The task of one contact.
pub struct Task {
    heartbeat_s: f64,
    channel: Option<Channel>,
    queue: Queue,
    tests: VecDeque<oneshot::Sender<Result<(), String>>>,
    inbox: mpsc::Receiver<Order>,
    outcomes: mpsc::Sender<Outcome>,
    pulse: watch::Receiver<Value>,
    status: Status,
    shown: watch::Sender<Status>,
    /// When the next sign of life is due.
    beat_s: f64,
    closing: bool,
}

impl Task {
    /// For `contact`, which is reached by `channel`.
    pub fn new(
        contact: &Contact,
        channel: Channel,
        inbox: mpsc::Receiver<Order>,
        outcomes: mpsc::Sender<Outcome>,
        pulse: watch::Receiver<Value>,
        shown: watch::Sender<Status>,
    ) -> Self {
        let status = shown.borrow().clone();
        let heartbeat_s =
            if contact.heartbeat_s == 0 { f64::INFINITY } else { f64::from(contact.heartbeat_s) };
        Self {
            heartbeat_s,
            channel: Some(channel),
            queue: Queue::default(),
            tests: VecDeque::new(),
            inbox,
            outcomes,
            pulse,
            status,
            shown,
            // The first at once, if there are any.
            beat_s: if contact.heartbeat_s == 0 { f64::INFINITY } else { clock::monotonic_s() },
            closing: false,
        }
    }

    /// Runs until it is to end, and what can go at once went.
    pub async fn run(mut self) {
        let mut flight: Option<Flight> = None;
        loop {
            let now_s = clock::monotonic_s();
            if flight.is_none()
                && let Some(job) = self.next(now_s)
            {
                flight = self.channel.take().map(|channel| -> Flight { Box::pin(fly(channel, job)) });
            }
            self.show();
            if self.closing && flight.is_none() {
                return;
            }
            let sleep_s = (self.due_s(now_s) - now_s).clamp(0.0, SLEEP_MAX_S);
            let is_flying = flight.is_some();
            tokio::select! {
                order = self.inbox.recv(), if !self.closing => match order {
                    Some(order) => self.order(order),
                    None => self.closing = true,
                },
                (channel, job, result) = landed(&mut flight) => {
                    (self.channel, flight) = (Some(channel), None);
                    self.landed(job, result);
                }
                () = tokio::time::sleep(Duration::from_secs_f64(sleep_s)), if !is_flying => {}
            }
        }
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Tell(message) => {
                for left_out in self.queue.push(*message) {
                    self.left_out(&left_out);
                }
            }
            Order::Meeting(on) => self.queue.meeting(on, clock::monotonic_s()),
            Order::End => self.closing = true,
            Order::Test(reply) => {
                // Beyond the bound nobody is answered, which the asking side takes for a failure.
                if self.tests.len() < TESTS_MAX {
                    self.tests.push_back(reply);
                }
            }
        }
    }

    fn left_out(&mut self, message: &Message) {
        self.status.left_out += 1;
        self.came(message.delivery.map(Outcome::LeftOut));
    }

    /// What goes now.
    fn next(&mut self, now_s: f64) -> Option<Job> {
        if let Some(reply) = self.tests.pop_front() {
            return Some(Job::Test(Message::test(clock::utc()), reply));
        }
        if self.status.gone.is_some() {
            return None;
        }
        let batch = self.queue.take(now_s);
        if !batch.is_empty() {
            return Some(Job::Batch(batch));
        }
        if now_s < self.beat_s.max(self.queue.due_s()) || self.closing {
            return None;
        }
        let pulse = self.pulse.borrow().clone();
        if pulse.is_null() {
            // The room said nothing yet.
            self.beat_s = now_s + 1.0;
            return None;
        }
        Some(Job::Heartbeat(Message::heartbeat(clock::utc(), &pulse)))
    }

    fn due_s(&mut self, now_s: f64) -> f64 {
        if self.status.gone.is_some() {
            return f64::INFINITY;
        }
        let beat_s = self.beat_s.max(self.queue.due_s());
        self.queue.next_s(now_s).unwrap_or(f64::INFINITY).min(beat_s)
    }

    fn landed(&mut self, job: Job, result: Result<(), Failure>) {
        let now_s = clock::monotonic_s();
        match (job, result) {
            (Job::Test(_, reply), result) => {
                match &result {
                    Ok(()) => self.status.succeeded(),
                    Err(failure) => self.status.last_failure = Some((clock::utc(), failure.why().to_owned())),
                }
                // Who asked and went away needs no answer.
                let _ = reply.send(result.map_err(|failure| failure.why().to_owned()));
            }
            (Job::Batch(batch), Ok(())) => {
                self.queue.arrived(&batch, now_s);
                self.status.succeeded();
                self.status.delivered += batch.len() as u64;
                self.beat_s = now_s + self.heartbeat_s;
                for delivery in batch.iter().filter_map(|message| message.delivery) {
                    self.came(Some(Outcome::Delivered(delivery, clock::utc())));
                }
            }
            (Job::Heartbeat(_), Ok(())) => {
                self.queue.reached();
                self.status.succeeded();
                self.beat_s = now_s + self.heartbeat_s;
            }
            (Job::Batch(batch), Err(failure)) => {
                let first = batch[0].delivery;
                let (due_s, left_out) = self.queue.failed(batch, &failure, now_s);
                let until = clock::utc()
                    .checked_add(SignedDuration::try_from_secs_f64(due_s - now_s).unwrap_or_default());
                for message in left_out {
                    self.left_out(&message);
                }
                self.failed(&failure, now_s);
                self.came(first.zip(until.ok()).map(|(delivery, until)| Outcome::Failed {
                    delivery,
                    until,
                    why: failure.why().to_owned(),
                }));
            }
            (Job::Heartbeat(_), Err(failure)) => {
                let due_s = match &failure {
                    Failure::Unreached(_, asked_s) => self.queue.unreached(*asked_s, now_s),
                    Failure::Refused(_) | Failure::Gone(_) => now_s + self.heartbeat_s,
                };
                self.beat_s = due_s;
                self.failed(&failure, now_s);
            }
        }
    }

    fn failed(&mut self, failure: &Failure, now_s: f64) {
        let contact = &self.status.name;
        if self.status.failing_s.is_none() {
            tracing::warn!("contact {contact} is not reached: {}; it is tried again", failure.why());
        }
        if let Failure::Gone(why) = failure {
            tracing::error!("contact {contact} gets nothing more until emcon starts again: {why}");
            self.status.gone = Some(why.clone());
        }
        self.status.failed(failure.why(), clock::utc(), now_s);
    }

    /// Has it recorded. If the room is stuck it is not: then the message goes once more after a restart, with the same id.
    fn came(&self, outcome: Option<Outcome>) {
        if let Some(outcome) = outcome {
            let _ = self.outcomes.try_send(outcome);
        }
    }

    fn show(&mut self) {
        self.status.waiting = self.queue.len();
        self.shown.send_if_modified(|shown| {
            let is_new = *shown != self.status;
            if is_new {
                shown.clone_from(&self.status);
            }
            is_new
        });
    }
}

async fn landed(flight: &mut Option<Flight>) -> (Channel, Job, Result<(), Failure>) {
    match flight {
        Some(flight) => flight.await,
        None => std::future::pending().await,
    }
}

async fn fly(mut channel: Channel, job: Job) -> (Channel, Job, Result<(), Failure>) {
    let messages = match &job {
        Job::Batch(batch) => batch.as_slice(),
        Job::Heartbeat(message) | Job::Test(message, _) => std::slice::from_ref(message),
    };
    let result = sent(&mut channel, messages).await;
    (channel, job, result)
}

/// Sends within the deadline.
pub async fn sent(channel: &mut Channel, messages: &[Message]) -> Result<(), Failure> {
    match tokio::time::timeout(DEADLINE, channel.send(messages)).await {
        Ok(result) => result,
        Err(_) => {
            channel.broken_off();
            Err(Failure::Unreached(format!("no answer within {} s", DEADLINE.as_secs()), None))
        }
    }
}

/// `at` as the API shows it.
pub fn utc(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| at.to_string().into())
}
