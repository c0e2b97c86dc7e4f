//! A receiver listened to without a detector: place after place, for whoever records or measures.
//!
//! The driver runs in a thread of its own, so that a disk that is slow loses nothing, and a driver that hangs keeps
//! nobody from finishing what came before. What is stale after a change of tuning is discarded by count. A loss is
//! told with the samples that follow it: exactly where the driver tells the time, else as far as the clock shows
//! ([`super::pace`]).

use super::pace::{Backlog, Pace, had_to_wait};
use super::settle::{self, Settle};
use crate::clock::Monotonic;
use crate::iq::Samples;
use crate::sdr::soapy::{OpenError, OpenOptions, SoapyReceiver};
use crate::sdr::{Facts, Read, Receiver, ReceiverError};
use crossbeam_channel::{Receiver as Inlet, RecvTimeoutError, Sender, bounded, unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest wait of a read, as in capturing.
const READ: Duration = Duration::from_millis(100);

/// Time without a sample after which a receiver is taken for gone: twice what capturing waits before it opens one
/// anew, since here nobody opens it again.
const SILENT: Duration = Duration::from_secs(3);

/// Time without a word of the thread after which the driver is taken to hang: a read, a change of tuning and the
/// discarding of a second of samples fit several times.
const HUNG: Duration = Duration::from_secs(6);

/// Time that opening may take: a HackRF that boots or a remote receiver takes seconds, and settling is measured too.
const OPENING: Duration = Duration::from_secs(60);

/// Time that the driver is given to close.
const CLOSING: Duration = Duration::from_secs(2);

/// Memory of the buffers on their way, bytes: 1.6 s of a HackRF, for a disk that pauses.
const BUFFERS_BYTES: usize = 64 << 20;

/// Fewest and most buffers.
const BUFFERS: [usize; 2] = [16, 512];

/// Least and most samples of a buffer: the transfers of network drivers are tiny.
const BUFFER_SAMPLES: [usize; 2] = [4096, 1 << 17];

/// Deviation of the driver's time that is its rounding, samples.
const ROUNDING: f64 = 0.75;

/// One place to listen at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visit {
    /// Frequency of the middle, hertz.
    pub center_hz: f64,
    /// Samples that the receiver makes meanwhile, settling not counted.
    pub samples: u64,
}

/// Visits in their order.
pub type Visits = Box<dyn Iterator<Item = Visit> + Send>;

/// What to listen to.
pub struct ListenParams {
    /// Which receiver, and how it is set.
    pub open: OpenOptions,
    /// Samples to discard after a change of tuning where that cannot be measured.
    pub settle_default: u64,
    /// Where to listen.
    pub visits: Visits,
    /// Whether to wait for who takes the samples instead of dropping: for a source that is no radio.
    pub patient: bool,
}

/// Samples that came at once.
#[derive(Debug)]
pub struct Heard {
    /// The samples; give the memory back with [`Listening::give_back`].
    pub samples: Samples,
    /// Number of the visit, from 0.
    pub visit: u64,
    /// Frequency of the middle, hertz.
    pub center_hz: f64,
    /// Number of the first sample in the receiver's stream, losses and settling counted.
    pub position: u64,
    /// Samples lost right before.
    pub lost_before: u64,
    /// The driver lost samples right before and does not say how many.
    pub overflow: bool,
    /// Samples now found to have been lost: at the latest overflow, or else, unnoticed, within the last second.
    pub found_lost: u64,
    /// A moment, and what the receiver had made by then.
    pub anchor: (Monotonic, u64),
    /// Whether the driver tells the time of its samples.
    pub timed: bool,
}

/// What the thread says.
#[derive(Debug)]
pub enum Told {
    /// The receiver is open, and settling was measured.
    Opened(Facts, Settle),
    /// Samples.
    Heard(Heard),
    /// The visit of that number is over.
    Left(u64),
    /// All visits are; whether the gain is still what was set.
    Done(Option<bool>),
}

/// Why listening ended early.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ListenError {
    /// It was told to.
    #[error("interrupted")]
    Stopped,
    /// The receiver could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It refused a setting.
    #[error(transparent)]
    Refused(#[from] ReceiverError),
    /// No samples come any more.
    #[error("the receiver went silent: {0}; unplugged, or its driver is stuck: see `emcon doctor`")]
    Silent(String),
    /// The driver does not come back.
    #[error("the receiver's driver hangs; unplug the receiver and plug it in again")]
    Hung,
}

/// A receiver that is listened to.
pub struct Listening {
    news: Inlet<Result<Told, ListenError>>,
    empty: Sender<Samples>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    opened: bool,
}

impl Listening {
    /// Opens the receiver and begins.
    pub fn start(params: ListenParams) -> Self {
        let (say, news) = unbounded();
        let (empty, taken) = bounded(BUFFERS[1]);
        let stop = Arc::new(AtomicBool::new(false));
        let own = Own { say, give: empty.clone(), empty: taken, stop: stop.clone(), patient: params.patient };
        let thread = std::thread::spawn(move || own.run(params));
        Self { news, empty, stop, thread, opened: false }
    }

    /// What comes next.
    ///
    /// # Errors
    /// A [`ListenError`]; [`ListenError::Stopped`] once `stop` is set.
    pub fn next(&mut self, stop: &AtomicBool) -> Result<Told, ListenError> {
        let begin = Monotonic::now();
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(ListenError::Stopped);
            }
            match self.news.recv_timeout(READ) {
                Ok(news) => {
                    self.opened |= matches!(news, Ok(Told::Opened(..)));
                    return news;
                }
                Err(RecvTimeoutError::Disconnected) => return Err(ListenError::Hung),
                Err(RecvTimeoutError::Timeout) => {
                    let patience = if self.opened { HUNG } else { OPENING };
                    if begin.elapsed() > patience {
                        return Err(ListenError::Hung);
                    }
                }
            }
        }
    }

    /// Hands memory back.
    pub fn give_back(&self, samples: Samples) {
        // There is room for all that were handed out.
        let _ = self.empty.try_send(samples);
    }

    /// Ends, and closes the receiver if its driver lets that happen in time.
    pub fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let begin = Monotonic::now();
        while !self.thread.is_finished() && begin.elapsed() < CLOSING {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The thread's end.
struct Own {
    say: Sender<Result<Told, ListenError>>,
    give: Sender<Samples>,
    empty: Inlet<Samples>,
    stop: Arc<AtomicBool>,
    patient: bool,
}

impl Own {
    fn run(self, params: ListenParams) {
        let said = match self.listen(params) {
            Ok(gain_holds) => Ok(Told::Done(gain_holds)),
            Err(error) => Err(error),
        };
        // Nobody may be left to hear it.
        let _ = self.say.send(said);
    }

    fn listen(&self, params: ListenParams) -> Result<Option<bool>, ListenError> {
        let mut receiver = SoapyReceiver::open(&params.open)?;
        let settle = settle::measure(&mut receiver, params.settle_default, self.patient)?;
        let facts = receiver.facts().clone();
        let most = facts.transfer.clamp(BUFFER_SAMPLES[0], BUFFER_SAMPLES[1]);
        let probe = Samples::with_capacity(facts.format, most);
        let buffers = (BUFFERS_BYTES / (most * facts.format.bytes())).clamp(BUFFERS[0], BUFFERS[1]);
        self.tell(Told::Opened(facts.clone(), settle))?;
        for _ in 0..buffers {
            // There is room for all.
            let _ = self.give.try_send(Samples::with_capacity(facts.format, most));
        }
        let mut ear = Ear::new(&mut receiver, settle.samples, most, probe);
        ear.patient = self.patient;
        for (number, visit) in (0..).zip(params.visits) {
            self.visit(&mut ear, number, visit)?;
            self.tell(Told::Left(number))?;
        }
        Ok(receiver.gain_holds())
    }

    fn visit(&self, ear: &mut Ear, number: u64, visit: Visit) -> Result<(), ListenError> {
        ear.tune(visit.center_hz, &self.stop)?;
        let end = ear.position.saturating_add(visit.samples);
        let mut dropped = 0;
        while ear.position < end {
            let wanted = usize::try_from(end - ear.position).unwrap_or(usize::MAX);
            let Some(mut samples) = self.buffer()? else {
                dropped += ear.skip(wanted, &self.stop)?;
                continue;
            };
            samples.clear();
            let arrival = ear.read(&mut samples, wanted, &self.stop)?;
            if samples.is_empty() {
                // There is room for all.
                let _ = self.give.try_send(samples);
                continue;
            }
            self.tell(Told::Heard(Heard {
                samples,
                visit: number,
                center_hz: visit.center_hz,
                position: arrival.position,
                lost_before: arrival.lost_before + std::mem::take(&mut dropped),
                overflow: arrival.overflow,
                found_lost: arrival.found_lost,
                anchor: arrival.anchor,
                timed: ear.origin_ns.is_some(),
            }))?;
        }
        Ok(())
    }

    /// A buffer to fill; `None` if all are on their way and the receiver does not wait.
    fn buffer(&self) -> Result<Option<Samples>, ListenError> {
        if !self.patient {
            return Ok(self.empty.try_recv().ok());
        }
        loop {
            match self.empty.recv_timeout(READ) {
                Ok(samples) => return Ok(Some(samples)),
                Err(_) if self.stop.load(Ordering::Relaxed) => return Err(ListenError::Stopped),
                Err(_) => {}
            }
        }
    }

    fn tell(&self, news: Told) -> Result<(), ListenError> {
        self.say.send(Ok(news)).map_err(|_| ListenError::Stopped)
    }
}

/// What is known of samples that arrived.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    position: u64,
    lost_before: u64,
    overflow: bool,
    found_lost: u64,
    anchor: (Monotonic, u64),
}

/// A receiver whose samples are counted.
struct Ear<'a> {
    receiver: &'a mut dyn Receiver,
    settle: u64,
    most: usize,
    rate_hz: f64,
    transfer: u64,
    /// Its samples are made as they are read: a read that takes long waits for no radio.
    patient: bool,
    began: Monotonic,
    pace: Pace,
    backlog: Backlog,
    scratch: Samples,
    center_hz: f64,
    position: u64,
    anchor: Option<(Monotonic, u64)>,
    /// The driver's time at position 0, nanoseconds.
    origin_ns: Option<f64>,
    /// The driver said it lost samples: since the latest read, and how many is not known yet.
    overflow: bool,
    unresolved: bool,
    quiet_since: Option<Monotonic>,
}

impl<'a> Ear<'a> {
    fn new(receiver: &'a mut dyn Receiver, settle: u64, most: usize, scratch: Samples) -> Self {
        let facts = receiver.facts();
        let (rate_hz, transfer) = (facts.rate_hz, facts.transfer);
        Self {
            settle,
            most,
            rate_hz,
            transfer: transfer as u64,
            patient: false,
            began: Monotonic::now(),
            pace: Pace::new(rate_hz, transfer),
            backlog: Backlog::new(rate_hz, transfer),
            scratch,
            center_hz: f64::NAN,
            position: 0,
            anchor: None,
            origin_ns: None,
            overflow: false,
            unresolved: false,
            quiet_since: None,
            receiver,
        }
    }

    /// Tunes, and discards what is stale: what is in flight, and what the driver still holds.
    fn tune(&mut self, center_hz: f64, stop: &AtomicBool) -> Result<(), ListenError> {
        if center_hz == self.center_hz {
            return Ok(());
        }
        self.receiver.tune(center_hz)?;
        self.center_hz = center_hz;
        let good = self.backlog.produced(Monotonic::now(), self.position) + self.settle;
        while self.position < good {
            self.skip((good - self.position) as usize, stop)?;
        }
        // What was lost of them is no loss.
        (self.overflow, self.unresolved) = (false, false);
        Ok(())
    }

    /// Reads and throws away; gives how many, losses counted.
    fn skip(&mut self, wanted: usize, stop: &AtomicBool) -> Result<u64, ListenError> {
        let from = self.position;
        let mut scratch = std::mem::replace(&mut self.scratch, Samples::Cu8(Vec::new()));
        scratch.clear();
        let read = self.read(&mut scratch, wanted, stop);
        self.scratch = scratch;
        read.map(|_| self.position - from)
    }

    /// Reads at most `wanted` samples, none if none come in time.
    fn read(
        &mut self,
        samples: &mut Samples,
        wanted: usize,
        stop: &AtomicBool,
    ) -> Result<Arrival, ListenError> {
        if stop.load(Ordering::Relaxed) {
            return Err(ListenError::Stopped);
        }
        let before = Monotonic::now();
        match self.receiver.read(samples, wanted.min(self.most), READ) {
            Read::Samples(count) => Ok(self.arrived(before, count)),
            Read::Overflow => {
                (self.overflow, self.unresolved) = (true, true);
                Ok(self.nothing())
            }
            Read::Nothing => self.quiet(before, "no samples come".to_owned()),
            Read::Failed(why) => self.quiet(before, why),
        }
    }

    fn arrived(&mut self, before: Monotonic, count: usize) -> Arrival {
        self.quiet_since = None;
        let now = Monotonic::now();
        let waited = !self.patient && had_to_wait(now.seconds_since(before), count, self.rate_hz);
        let lost_before = self.lost_by_time();
        self.position += lost_before;
        let found_lost = if waited { self.lost_by_clock(now) } else { 0 };
        self.position += found_lost;
        let position = self.position;
        if waited {
            self.backlog.waited(now, position);
        }
        // Samples that had to be waited for end at the end of their transfer.
        let reached = position + if waited { self.transfer } else { count as u64 };
        let anchor = *self.anchor.get_or_insert((now, reached));
        self.position += count as u64;
        Arrival { position, lost_before, overflow: std::mem::take(&mut self.overflow), found_lost, anchor }
    }

    fn nothing(&self) -> Arrival {
        let anchor = self.anchor.unwrap_or((self.began, 0));
        Arrival { position: self.position, lost_before: 0, overflow: false, found_lost: 0, anchor }
    }

    /// Samples missing before the ones just read, by the driver's time.
    fn lost_by_time(&mut self) -> u64 {
        let Some(told_ns) = self.receiver.time_ns() else {
            self.origin_ns = None;
            return 0;
        };
        let expected_ns = self.position as f64 * 1e9 / self.rate_hz;
        let origin_ns = *self.origin_ns.get_or_insert(told_ns as f64 - expected_ns);
        let off = (told_ns as f64 - origin_ns - expected_ns) * self.rate_hz / 1e9;
        self.unresolved = false;
        let clock = self.began.elapsed().as_secs_f64() * self.rate_hz;
        if off < -ROUNDING || off > clock.max(self.rate_hz) {
            // The driver's clock was set: what it tells counts from here.
            self.origin_ns = Some(told_ns as f64 - expected_ns);
            return 0;
        }
        if off > ROUNDING { off.round() as u64 } else { 0 }
    }

    /// Samples missing by the clock, at a moment when nothing waits in the driver.
    fn lost_by_clock(&mut self, now: Monotonic) -> u64 {
        if self.origin_ns.is_some() {
            return 0;
        }
        if std::mem::take(&mut self.unresolved) {
            self.pace.restart();
            let made = self.backlog.produced(now, self.position);
            let lost = made.saturating_sub(self.position + self.transfer);
            // Less than this is the moment at which the reader was woken.
            return if lost > self.transfer / 2 { lost } else { 0 };
        }
        self.pace.waited(now.seconds_since(self.began), self.position).unwrap_or(0)
    }

    /// A read that began at `since` gave nothing.
    fn quiet(&mut self, since: Monotonic, why: String) -> Result<Arrival, ListenError> {
        let quiet = self.quiet_since.get_or_insert(since).elapsed();
        if quiet >= SILENT {
            return Err(ListenError::Silent(format!("{why} (for {:.1} s)", quiet.as_secs_f64())));
        }
        if since.elapsed() < READ / 10 {
            // A driver that gives nothing at once must not keep a core busy.
            std::thread::sleep(READ / 10);
        }
        Ok(self.nothing())
    }
}
