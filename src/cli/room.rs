//! A room with its records, its page and its API, as `run` and `demo` open it.

use super::complain;
use super::exit::Exit;
use crate::app::configured::Configured;
use crate::app::hub::{self, Hub, Start};
use crate::app::service;
use crate::config::{Contact, Survey};
use crate::notify::{self, Running};
use crate::policy::{Policies, Policy};
use crate::store::Store;
use crate::web::{ServeError, Server, serve};
use crossbeam_channel::Receiver;
use jiff::Timestamp;
use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where a room is found unless somebody says otherwise: above the registered ports in use, below the ephemeral ones.
const PORT: u16 = 7430;

/// Time between two looks whether the configuration is to be read again.
const ASKED: Duration = Duration::from_millis(100);

/// A room that is open until it is dropped.
pub struct OpenRoom {
    hub: Hub,
    policies: Receiver<Policy>,
    thread: Option<JoinHandle<()>>,
    server: Server,
    /// Last, so that what the room says at its end still goes.
    _contacts: Running,
}

impl OpenRoom {
    /// Opens it, with records in `folder`, or in memory.
    ///
    /// # Errors
    /// Said already; with which status to end.
    pub fn open(
        folder: Option<PathBuf>,
        start: Start,
        epoch: Timestamp,
        listen: Listen,
        policies: Policies,
        telling: Telling<'_>,
    ) -> Result<Self, Exit> {
        let (running, contacts, outcomes) =
            notify::start(telling.contacts, telling.room).map_err(|why| failed(&why, Exit::Config))?;
        let store = match &folder {
            Some(folder) => Store::open(folder),
            None => Store::in_memory(),
        };
        let store = store.map_err(|error| failed(&error, Exit::CannotCreate))?;
        if let Some(aside) = store.recovered() {
            tracing::error!(
                "the records were damaged and are set aside as {}: a new book begins",
                aside.display()
            );
        }
        if folder.is_none() {
            tracing::warn!("records are kept in memory only and end with this: give --data DIR to keep them");
        }
        let (hub, policies, thread) =
            hub::start_telling(store, start, epoch, policies, contacts, Some(outcomes))
                .map_err(|error| failed(&error, Exit::Io))?;
        let server = listening(&hub, listen).map_err(|error| failed(&error, Exit::Unavailable))?;
        Ok(Self { hub, policies, thread: Some(thread), server, _contacts: running })
    }

    /// Runs `task` beside the page.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.server.spawn(task);
    }

    /// Runs what a service needs beside the room: the configuration is read again at SIGHUP, and a service manager is
    /// told. Both end when `stop` is set, or what this gives is dropped.
    ///
    /// # Errors
    /// Said already; with which status to end.
    pub fn beside(
        &self,
        path: Option<PathBuf>,
        started: Survey,
        stop: &Arc<AtomicBool>,
    ) -> Result<Beside, Exit> {
        let mut configured =
            Configured::new(path, started, self.hub()).map_err(|error| failed(&error, Exit::Config))?;
        let mut beside = Beside { stop: stop.clone(), threads: Vec::new() };
        // Whoever closes a terminal means the end.
        if !io::stdin().is_terminal() {
            let asked = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal_hook::consts::SIGHUP, asked.clone())
                .map_err(|error| failed(&format_args!("cannot be told to reload: {error}"), Exit::Io))?;
            let stop = stop.clone();
            beside.start("configuration", move || {
                while !stop.load(Ordering::Relaxed) {
                    if asked.swap(false, Ordering::Relaxed) {
                        configured.reload();
                    }
                    std::thread::sleep(ASKED);
                }
            })?;
        }
        if service::is_supervised() {
            let (hub, stop) = (self.hub(), stop.clone());
            beside.start("service", move || service::supervise(&hub, &stop))?;
        }
        Ok(beside)
    }

    /// What the judging side tells.
    pub fn hub(&self) -> Hub {
        self.hub.clone()
    }

    /// What the judging side is told.
    pub fn policies(&self) -> Receiver<Policy> {
        self.policies.clone()
    }

    /// Says where the page is, on standard output and, where that is for programs, to people too.
    ///
    /// # Errors
    /// The writer's.
    pub fn announce(&self, out: &mut impl Write, json: bool, quiet: bool) -> io::Result<()> {
        let url = format!("http://{}", self.server.address);
        if json {
            writeln!(out, "{}", serde_json::json!({ "event": "room", "url": url }))?;
            if !quiet {
                eprintln!("emcon: the room's page is {url}");
            }
        } else {
            writeln!(out, "the room's page is {url}")?;
        }
        out.flush()
    }
}

impl Drop for OpenRoom {
    fn drop(&mut self) {
        self.hub.stop();
        if let Some(thread) = self.thread.take() {
            // What it panicked of was said.
            let _ = thread.join();
        }
    }
}

/// Threads that run beside the room.
pub struct Beside {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Beside {
    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Exit> {
        let started = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        self.threads.push(started.map_err(|error| {
            failed(&format_args!("cannot start the thread of the {name}: {error}"), Exit::Io)
        })?);
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // What it panicked of was said.
            let _ = thread.join();
        }
    }
}

/// Whom the room tells, and under which name.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// Whom.
    pub contacts: &'a [Contact],
    /// What the room is called.
    pub room: &'a str,
}

/// Where to listen, if somebody said so.
#[derive(Debug, Clone, Copy)]
pub enum Listen {
    /// There, else where a room is expected: who asks there must not get another's answer.
    Here(Option<SocketAddr>),
    /// There, else where a room is expected, else anywhere.
    Anywhere(Option<SocketAddr>),
}

fn listening(hub: &Hub, listen: Listen) -> Result<Server, ServeError> {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (Listen::Here(given) | Listen::Anywhere(given)) = listen;
    match serve(hub.clone(), given.unwrap_or(at(PORT))) {
        Err(ServeError::Bind { source, .. })
            if source.kind() == io::ErrorKind::AddrInUse && matches!(listen, Listen::Anywhere(None)) =>
        {
            tracing::warn!("port {PORT} is taken: listening on another");
            serve(hub.clone(), at(0))
        }
        served => served,
    }
}

/// The folder of records: what was given, else the service's.
pub fn data_folder(given: Option<&Path>) -> Option<PathBuf> {
    given.map(Path::to_path_buf).or_else(|| std::env::var_os("STATE_DIRECTORY").map(PathBuf::from))
}

/// Set when somebody asks to end.
///
/// # Errors
/// Said already; with which status to end.
pub fn stopped_by_signals() -> Result<Arc<AtomicBool>, Exit> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())
            .map_err(|error| failed(&format_args!("cannot be told to end: {error}"), Exit::Io))?;
    }
    Ok(stop)
}

fn failed(error: &dyn std::fmt::Display, exit: Exit) -> Exit {
    complain(error);
    exit
}
