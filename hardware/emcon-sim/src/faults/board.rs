//! The faults in force, kept beside the control socket so that they outlive the process.
//!
//! A watchdog kills a client whose radio hangs; what the radio suffers from must be there when it is respawned. A
//! fault that happens once is taken off before it happens, so that it does not happen again to the next process.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::socket;
use super::verb::{self, Command, Fault, Kind};
use crate::adc::Format;
use crate::clock;

/// Environment variable with faults for devices that have no control socket, `;` between them.
const ENVIRONMENT: &str = "EMCON_SIM_FAULT";
/// How often the file is looked at for what another process wrote.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The faults of the devices that share a control socket.
pub struct Board {
    path: Option<PathBuf>,
    inner: Mutex<Inner>,
    cleared: AtomicU64,
    served: Mutex<bool>,
    /// When scene time 0 was, for devices that are made again.
    epoch: OnceLock<Instant>,
}

struct Inner {
    faults: Arc<Vec<(Fault, Span)>>,
    stamp: Option<Stamp>,
    looked: Instant,
    vanishes: u64,
    streams: Vec<Format>,
}

/// When a fault began and will end, on [`clock::boottime_ns`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    since_ns: i64,
    until_ns: Option<i64>,
}

/// Tells one state of a file from another.
type Stamp = (u64, i64, i64, u64);

/// Faults at one moment.
#[derive(Clone)]
pub struct Faults(Arc<Vec<(Fault, Span)>>);

impl Faults {
    /// The fault of that kind, if it is in force.
    pub fn get(&self, kind: Kind) -> Option<&Fault> {
        self.0.iter().map(|(fault, _)| fault).find(|fault| fault.kind == kind)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is in force.
    pub fn has(&self, kind: Kind) -> bool {
        self.get(kind).is_some()
    }
}

/// The board of the control socket at `path`, or that of all devices without one.
pub fn board(path: Option<&Path>) -> Arc<Board> {
    static BOARDS: OnceLock<Mutex<HashMap<Option<PathBuf>, Arc<Board>>>> = OnceLock::new();
    let mut boards = BOARDS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    boards.entry(path.map(Path::to_owned)).or_insert_with(|| Arc::new(Board::new(path))).clone()
}

impl Board {
    fn new(path: Option<&Path>) -> Self {
        let board = Self {
            path: path.map(Path::to_owned),
            inner: Mutex::new(Inner {
                faults: Arc::default(),
                stamp: None,
                looked: Instant::now(),
                vanishes: 0,
                streams: Vec::new(),
            }),
            cleared: AtomicU64::new(0),
            served: Mutex::new(false),
            epoch: OnceLock::new(),
        };
        if path.is_some() {
            board.load(&mut board.lock());
            return board;
        }
        let text = std::env::var(ENVIRONMENT).unwrap_or_default();
        for line in text.split(';').map(str::trim).filter(|line| !line.is_empty()) {
            if let Err(error) = board.obey(line) {
                crate::abi::log_error(&format!("emcon-sim: {ENVIRONMENT}: {error}"));
            }
        }
        board
    }

    /// Listens on the control socket, unless this process does so already.
    ///
    /// # Errors
    /// A sentence if there can be no socket.
    pub fn serve(self: &Arc<Self>) -> Result<(), String> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if !*served {
            socket::serve(path, self.clone())?;
            *served = true;
        }
        Ok(())
    }

    /// When scene time 0 was for the first paced device of this control socket; without one each has its own.
    pub fn epoch(&self, now: Instant) -> Instant {
        if self.path.is_some() { *self.epoch.get_or_init(|| now) } else { now }
    }

    /// Does what a line says.
    ///
    /// # Errors
    /// A sentence for whoever wrote it.
    pub fn obey(&self, line: &str) -> Result<(), String> {
        let command = verb::parse(line)?;
        let mut inner = self.lock();
        self.look(&mut inner, true);
        match command {
            Command::Clear(kind) => {
                self.cleared.fetch_add(1, Ordering::Relaxed);
                self.change(&mut inner, |faults| {
                    faults.retain(|(fault, _)| kind.is_some_and(|kind| fault.kind != kind));
                })
            }
            Command::Set(fault) => {
                let integers = !inner.streams.is_empty() && !inner.streams.contains(&Format::Cf32);
                if matches!(fault.kind, Kind::NaN | Kind::Inf) && integers {
                    let format = inner.streams[0].name();
                    return Err(format!("the open stream is {format}, which cannot hold it; only CF32 can"));
                }
                let since_ns = clock::boottime_ns();
                let until_ns = fault.for_s.map(|seconds| since_ns + (seconds * 1e9) as i64);
                if fault.kind == Kind::Vanish {
                    inner.vanishes += 1;
                }
                self.change(&mut inner, |faults| {
                    faults.retain(|(other, _)| other.kind != fault.kind);
                    faults.push((fault, Span { since_ns, until_ns }));
                })
            }
        }
    }

    /// The faults in force now.
    pub fn faults(&self) -> Faults {
        let mut inner = self.lock();
        self.look(&mut inner, false);
        Faults(inner.faults.clone())
    }

    /// The same, with the file read again for certain.
    pub fn fresh(&self) -> Faults {
        let mut inner = self.lock();
        self.look(&mut inner, true);
        Faults(inner.faults.clone())
    }

    /// The fault of that kind, if it is to happen now: one that happens once is taken off.
    pub fn take(&self, kind: Kind) -> Option<Fault> {
        let mut inner = self.lock();
        let (fault, _) = inner.faults.iter().find(|(fault, _)| fault.kind == kind)?.clone();
        if fault.once {
            // If the file cannot be written the fault may happen again, which is better than not at all.
            let _ = self.change(&mut inner, |faults| faults.retain(|(other, _)| other.kind != kind));
        }
        Some(fault)
    }

    /// Waits as long as the fault of that kind says that the driver hangs.
    pub fn hang(&self, kind: Kind) {
        let cleared = self.cleared.load(Ordering::Relaxed);
        let Some(fault) = self.take(kind) else { return };
        let until = fault.for_s.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
        let goes_on = || {
            if fault.once {
                let ended = self.cleared.load(Ordering::Relaxed) != cleared;
                !ended && until.is_none_or(|until| Instant::now() < until)
            } else {
                self.faults().has(kind)
            }
        };
        while goes_on() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How often the radio has been unplugged: a device that was open then stays dead.
    pub fn vanishes(&self) -> u64 {
        self.lock().vanishes
    }

    /// A stream of that format is open.
    pub fn opened(&self, format: Format) {
        self.lock().streams.push(format);
    }

    /// It is closed.
    pub fn closed(&self, format: Format) {
        let streams = &mut self.lock().streams;
        if let Some(at) = streams.iter().position(|open| *open == format) {
            streams.swap_remove(at);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, inner: &mut Inner, change: impl FnOnce(&mut Vec<(Fault, Span)>)) -> Result<(), String> {
        let mut faults = inner.faults.to_vec();
        change(&mut faults);
        inner.faults = Arc::new(faults);
        let Some(path) = self.state_file() else { return Ok(()) };
        let saved = save(&path, &inner.faults);
        inner.stamp = stamp(&path);
        saved.map_err(|error| format!("{}: cannot be written: {error}", path.display()))
    }

    /// Takes off what is over, and reads the file again if another process wrote it.
    fn look(&self, inner: &mut Inner, now: bool) {
        if let Some(path) = self.state_file()
            && (now || inner.looked.elapsed() >= LOOK_EVERY)
        {
            inner.looked = Instant::now();
            if stamp(&path) != inner.stamp {
                self.load(inner);
            }
        }
        if !inner.faults.is_empty() {
            let ns = clock::boottime_ns();
            let over = |span: &Span| span.until_ns.is_some_and(|until| until <= ns);
            if inner.faults.iter().any(|(_, span)| over(span)) {
                // Whoever reads the file drops what is over, so that a failure to write it does no harm.
                let _ = self.change(inner, |faults| faults.retain(|(_, span)| !over(span)));
            }
        }
    }

    fn load(&self, inner: &mut Inner) {
        let Some(path) = self.state_file() else { return };
        inner.stamp = stamp(&path);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let faults = read(&text, &clock::boot_id());
        let vanished = |faults: &[(Fault, Span)]| {
            faults.iter().find(|(fault, _)| fault.kind == Kind::Vanish).map(|(_, span)| span.since_ns)
        };
        if vanished(&faults).is_some_and(|since| vanished(&inner.faults) != Some(since)) {
            inner.vanishes += 1;
        }
        inner.faults = Arc::new(faults);
    }

    fn state_file(&self) -> Option<PathBuf> {
        let mut name = self.path.clone()?.into_os_string();
        name.push(".state");
        Some(name.into())
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let attributes = fs::metadata(path).ok()?;
    Some((attributes.ino(), attributes.mtime(), attributes.mtime_nsec(), attributes.len()))
}

/// Written beside and renamed: whoever reads it reads one state or the other.
fn save(path: &Path, faults: &[(Fault, Span)]) -> io::Result<()> {
    let mut text = format!("boot {}\n", clock::boot_id());
    for (fault, span) in faults {
        let until = span.until_ns.map_or_else(|| "-".to_owned(), |until| until.to_string());
        text += &format!("{} {until} {}\n", span.since_ns, fault.line());
    }
    let beside = path.with_extension("state-new");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

/// The faults of a state file; none if it is of another boot, whose clock means nothing now.
fn read(text: &str, boot: &str) -> Vec<(Fault, Span)> {
    let mut lines = text.lines();
    if lines.next().and_then(|line| line.strip_prefix("boot ")) != Some(boot) {
        return Vec::new();
    }
    lines
        .filter_map(|line| {
            let mut words = line.splitn(3, ' ');
            let since_ns = words.next()?.parse().ok()?;
            let until_ns = match words.next()? {
                "-" => None,
                until => Some(until.parse().ok()?),
            };
            match verb::parse(words.next()?) {
                Ok(Command::Set(mut fault)) => {
                    fault.for_s = until_ns.map(|until: i64| (until - since_ns) as f64 / 1e9);
                    Some((fault, Span { since_ns, until_ns }))
                }
                _ => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_outlive_the_process_and_end_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control");
        let first = Board::new(Some(&path));
        first.obey("busy for 200ms").unwrap();
        first.obey("serial 77").unwrap();
        first.obey("throw").unwrap();
        let second = Board::new(Some(&path));
        assert!(second.faults().has(Kind::Busy));
        assert_eq!(second.faults().get(Kind::Serial).unwrap().text, "77");
        assert!(second.take(Kind::Throw).is_some());
        assert!(second.take(Kind::Throw).is_none());
        assert!(!first.fresh().has(Kind::Throw), "taken by the other process");
        std::thread::sleep(Duration::from_millis(210));
        assert!(!second.faults().has(Kind::Busy));
        second.obey("clear").unwrap();
        assert!(!Board::new(Some(&path)).faults().has(Kind::Serial));
    }

    #[test]
    fn faults_of_another_boot_are_forgotten() {
        assert_eq!(read("boot a\n5 - zeros\n", "a").len(), 1);
        assert_eq!(read("boot a\n5 - zeros\n", "b").len(), 0);
        assert_eq!(read("boot a\nnonsense\n5 x zeros\n5 - fly\n", "a").len(), 0);
    }

    #[test]
    fn floats_only_can_hold_what_is_no_number() {
        let board = Board::new(None);
        board.opened(Format::Cs8);
        assert!(board.obey("nan").unwrap_err().contains("CS8"));
        board.closed(Format::Cs8);
        board.opened(Format::Cf32);
        board.obey("nan").unwrap();
        assert!(board.faults().has(Kind::NaN));
    }
}
