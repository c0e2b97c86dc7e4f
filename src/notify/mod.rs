//! Whom the room tells: each contact has a task of its own, which waits for nobody but that contact.
//!
//! ```text
//! room's thread ─ Order ─► task: queue (pure) ─► channel ─► contact
//!       ▲                      │
//!       └────── Outcome ───────┘   into the outbox of the records
//! ```
//!
//! The room records a message, then hands it over; neither side ever waits for the other. What was not delivered when the
//! process ended is read back from the records and goes with the same id. One file per channel; when a message goes is
//! decided in `queue` and `pace`, which are pure.

mod address;
mod channel;
mod command;
mod mail;
mod message;
mod mqtt;
mod pace;
mod queue;
mod signature;
mod status;
mod syslog;
mod task;
mod webhook;

pub use message::{Message, Noted, Weight};
pub use queue::WAITING_MAX;
pub use status::Status;

use crate::clock;
use crate::config::Contact;
use channel::Channel;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use task::Task;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot, watch};

/// Orders that wait for a task: all that may wait for its contact, and some. A task takes them while it sends.
const ORDERS_MAX: usize = 2 * WAITING_MAX;
/// Outcomes that wait for the room: as many as all tasks make in some seconds.
const OUTCOMES_MAX: usize = 4096;
/// At the end, what can go at once has this long.
const LAST: Duration = Duration::from_secs(3);

/// What a task is told.
enum Order {
    Tell(Box<Message>),
    Meeting(bool),
    Test(oneshot::Sender<Result<(), String>>),
    End,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It arrived.
    Delivered(i64, Timestamp),
    /// It did not, and is tried again.
    Failed {
        /// Its row.
        delivery: i64,
        /// When it is tried again.
        until: Timestamp,
        /// Why.
        why: String,
    },
    /// It is not sent: there were later news, or too many waited.
    LeftOut(i64),
}

/// Why somebody cannot be told for a test.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// There is no such contact.
    #[error("no contact is called {0:?}; GET /api/v1/contacts lists them")]
    Unknown(String),
    /// It did not arrive.
    #[error("{0}")]
    Failed(String),
}

/// A contact and the way to its task.
struct Point {
    contact: Contact,
    orders: mpsc::Sender<Order>,
    status: watch::Receiver<Status>,
}

/// What tells the contacts. Cheap to clone.
#[derive(Clone)]
pub struct Contacts {
    points: Arc<[Point]>,
    pulse: Arc<watch::Sender<Value>>,
}

/// Keeps the tasks running until it is dropped.
pub struct Running {
    runtime: Option<Runtime>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    orders: Vec<mpsc::Sender<Order>>,
}

impl Drop for Running {
    /// What can go at once still does.
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        let tasks = std::mem::take(&mut self.tasks);
        for orders in &self.orders {
            // A task that is so far behind is not waited for any longer.
            let _ = orders.try_send(Order::End);
        }
        runtime.block_on(async {
            let all = async {
                for task in tasks {
                    // One that panicked has nothing more to send.
                    let _ = task.await;
                }
            };
            let _ = tokio::time::timeout(LAST, all).await;
        });
        runtime.shutdown_background();
    }
}

/// Starts a task for each of `contacts`, which are told in the name of `room`.
///
/// # Errors
/// In words: a secret cannot be read, an address is none, or no thread can be started.
pub fn start(
    contacts: &[Contact],
    room: &str,
) -> Result<(Running, Contacts, mpsc::Receiver<Outcome>), String> {
    let (outcome, outcomes) = mpsc::channel(OUTCOMES_MAX);
    let (pulse, beats) = watch::channel(Value::Null);
    let mut running = Running { runtime: None, tasks: Vec::new(), orders: Vec::new() };
    let mut points = Vec::with_capacity(contacts.len());
    if !contacts.is_empty() {
        let room: Arc<str> = room.into();
        let runtime = runtime()?;
        for contact in contacts {
            let (orders, inbox) = mpsc::channel(ORDERS_MAX);
            let (shown, status) = watch::channel(Status::new(contact.name.clone(), contact.channel.as_str()));
            let channel = Channel::new(contact, &room)?;
            let task = Task::new(contact, channel, inbox, outcome.clone(), beats.clone(), shown);
            running.tasks.push(runtime.spawn(task.run()));
            running.orders.push(orders.clone());
            points.push(Point { contact: contact.clone(), orders, status });
        }
        running.runtime = Some(runtime);
    }
    Ok((running, Contacts { points: points.into(), pulse: Arc::new(pulse) }, outcomes))
}

fn runtime() -> Result<Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("notify")
        .enable_all()
        .build()
        .map_err(|error| format!("no thread to send messages with: {error}"))
}

impl Contacts {
    /// Nobody.
    pub fn none() -> Self {
        Self { points: Arc::new([]), pulse: Arc::new(watch::channel(Value::Null).0) }
    }

    /// All contacts.
    pub fn all(&self) -> impl Iterator<Item = &Contact> {
        self.points.iter().map(|point| &point.contact)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Hands `message` to the task of the contact called `name`; whether it took it. Never waits.
    pub fn tell(&self, name: &str, message: Message) -> bool {
        let point = self.points.iter().find(|point| point.contact.name == name);
        point.is_some_and(|point| point.orders.try_send(Order::Tell(Box::new(message))).is_ok())
    }

    /// Says whether a meeting is on.
    pub fn meeting(&self, on: bool) {
        for point in &*self.points {
            // A task that is so far behind tries often enough.
            let _ = point.orders.try_send(Order::Meeting(on));
        }
    }

    /// What signs of life say from now on.
    pub fn beat(&self, pulse: Value) {
        self.pulse.send_replace(pulse);
    }

    /// What is known of each.
    pub fn statuses(&self) -> Vec<Status> {
        self.points.iter().map(|point| point.status.borrow().clone()).collect()
    }

    /// What people must know of contacts at `now_s`, and since when it holds.
    pub fn troubles(&self, now_s: f64) -> Vec<(String, f64)> {
        self.points.iter().filter_map(|point| point.status.borrow().trouble(now_s)).collect()
    }

    /// Sends a test to the contact called `name`, before all that waits.
    ///
    /// # Errors
    /// See [`TestError`].
    pub async fn test(&self, name: &str) -> Result<(), TestError> {
        let point = self.points.iter().find(|point| point.contact.name == name);
        let point = point.ok_or_else(|| TestError::Unknown(name.to_owned()))?;
        let (reply, answer) = oneshot::channel();
        let busy = || TestError::Failed("too much waits for it already".into());
        point.orders.try_send(Order::Test(reply)).map_err(|_| busy())?;
        answer.await.map_err(|_| busy())?.map_err(TestError::Failed)
    }
}

/// A contact's name, and what came of a test of it.
pub type Tested = (String, Result<(), String>);

/// Sends a test to each of `contacts` as the room would, all at the same time: name and what came of it.
///
/// # Errors
/// As of [`start`].
pub fn test(contacts: &[Contact], room: &str) -> Result<Vec<Tested>, String> {
    let room: Arc<str> = room.into();
    let message = Message::test(clock::utc());
    let runtime = runtime()?;
    let mut tasks = Vec::with_capacity(contacts.len());
    for contact in contacts {
        let (mut channel, message) = (Channel::new(contact, &room)?, message.clone());
        let task = async move { task::sent(&mut channel, std::slice::from_ref(&message)).await };
        tasks.push((contact.name.clone(), runtime.spawn(task)));
    }
    let result = |task| runtime.block_on(task);
    Ok(tasks
        .into_iter()
        .map(|(name, task)| {
            let sent: Result<Result<(), queue::Failure>, _> = result(task);
            let sent = sent.map_err(|error| error.to_string());
            (name, sent.and_then(|sent| sent.map_err(|failure| failure.why().to_owned())))
        })
        .collect())
}
