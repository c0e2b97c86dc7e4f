//! A room with its records, its page and its API, as `run` and `demo` open it.

use super::complain;
use super::exit::Exit;
use crate::app::configured::Configured;
use crate::app::hub::{self, Hub, Start};
use crate::app::service;
use crate::clock;
use crate::config::{Contact, Survey, Web};
use crate::notify::{self, Running};
use crate::policy::{Policies, Policy};
use crate::store::Store;
use crate::web::{Doors, ServeError, Server, Tls, TlsError, serve_at};
use crossbeam_channel::Receiver;
use jiff::Timestamp;
use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where a room is found unless somebody says otherwise: above the registered ports in use, below the ephemeral ones.
const PORT: u16 = 7430;

/// Time between two looks whether the configuration is to be read again.
const ASKED: Duration = Duration::from_millis(100);
/// Socket in the folder of records, for `emcon token`.
pub(super) const SOCKET: &str = "emcon.sock";

/// A room that is open until it is dropped.
pub struct OpenRoom {
    hub: Hub,
    policies: Receiver<Policy>,
    thread: Option<JoinHandle<()>>,
    server: Server,
    /// Of the certificate, beyond this machine.
    fingerprint: Option<String>,
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
        web: &Web,
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
        let (Listen::Here(given) | Listen::Anywhere(given)) = listen;
        let address = given.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
        let tls =
            certificate(address, web, folder.as_deref()).map_err(|error| failed(&error, Exit::Config))?;
        let fingerprint = tls.as_ref().map(|tls| tls.fingerprint.clone());
        let socket = folder.map(|folder| folder.join(SOCKET));
        let doors = Doors { address, tls, tokens: web.login, hosts: names(address, web), socket };
        let server = listening(&hub, listen, doors).map_err(|error| failed(&error, Exit::Unavailable))?;
        Ok(Self { hub, policies, thread: Some(thread), server, fingerprint, _contacts: running })
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
        let scheme = if self.fingerprint.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", self.server.address);
        if let Some(fingerprint) = &self.fingerprint {
            eprintln!("emcon: the certificate's fingerprint (SHA-256) is {fingerprint}");
            self.set_up(&url);
        }
        if json {
            let mut line = serde_json::json!({ "event": "room", "url": url });
            if let Some(fingerprint) = &self.fingerprint {
                line["fingerprint"] = fingerprint.as_str().into();
            }
            writeln!(out, "{line}")?;
            if !quiet {
                eprintln!("emcon: the room's page is {url}");
            }
        } else {
            writeln!(out, "the room's page is {url}")?;
        }
        out.flush()
    }
}

impl OpenRoom {
    /// Beyond this machine somebody must be able to log in; there is no password that everybody knows.
    fn set_up(&self, url: &str) {
        if self.hub.keys().has_officer(clock::utc()) {
            return;
        }
        match self.hub.keys().open_setup() {
            Ok(code) => {
                eprintln!(
                    "emcon: nobody can log in yet: open {url}/setup within 30 minutes and type {code} (for 0.0.0.0 or [::], by this machine's address)"
                );
            }
            Err(error) => complain(&error),
        }
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

fn listening(hub: &Hub, listen: Listen, doors: Doors) -> Result<Server, ServeError> {
    match serve_at(hub.clone(), doors.clone()) {
        Err(ServeError::Bind { source, .. })
            if source.kind() == io::ErrorKind::AddrInUse && matches!(listen, Listen::Anywhere(None)) =>
        {
            tracing::warn!("port {PORT} is taken: listening on another");
            let address = SocketAddr::new(doors.address.ip(), 0);
            serve_at(hub.clone(), Doors { address, ..doors })
        }
        served => served,
    }
}

/// What the room shows beyond this machine: nothing on it.
fn certificate(address: SocketAddr, web: &Web, folder: Option<&Path>) -> Result<Option<Tls>, TlsError> {
    if address.ip().is_loopback() {
        return Ok(None);
    }
    match &web.certificate {
        Some((certificate, key)) => Tls::from_files(certificate, key),
        None => Tls::self_signed(folder, &certified(address, web)),
    }
    .map(Some)
}

/// Names of the room: those configured, and the machine's own.
fn names(address: SocketAddr, web: &Web) -> Vec<String> {
    let mut names = web.hosts.clone();
    if !address.ip().is_loopback()
        && let Ok(name) = std::fs::read_to_string("/proc/sys/kernel/hostname")
        && !name.trim().is_empty()
    {
        let name = name.trim();
        // With and without the domain of multicast DNS (RFC 6762, 3).
        names.extend([name.to_owned(), format!("{name}.local")]);
    }
    names
}

/// The same and addresses, for a certificate.
fn certified(address: SocketAddr, web: &Web) -> Vec<String> {
    let mut all = names(address, web);
    all.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    if address.ip().is_unspecified() {
        // The address that others see: of the interface that leads out (RFC 5737 addresses lead nowhere; nothing is sent).
        let seen = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
            .and_then(|socket| socket.connect(("192.0.2.1", 9)).and_then(|()| socket.local_addr()));
        all.extend(seen.ok().map(|seen| seen.ip().to_string()));
    } else {
        all.push(address.ip().to_string());
    }
    all
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
