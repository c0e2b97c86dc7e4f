//! Reading from the stream: waiting, losing, and making samples only when somebody takes them.

use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use super::{Control, Device, OVERFLOW, STREAM_ERROR, TIMEOUT};
use crate::abi;
use crate::adc::{self, Client, Code, Model};
use crate::faults::{Faults, Kind};
use crate::source::{Source, Span};
use crate::transfers::Next;

/// Shortest wait for samples: a sleep is not more exact.
const NAP: Duration = Duration::from_micros(50);
/// The automatic gain goes down by this much when codes saturate, and up when they use less than half of the range.
const AGC_STEP_DB: f64 = 3.0;
/// Its limits about the gain that a scene's levels hold at: those of the tuner.
const AGC_RANGE_DB: (f64, f64) = (-29.7, 19.9);

/// What reading gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Samples, or a code of SoapySDR.
    pub code: i32,
    /// Time of the first, if the driver says it.
    pub time_ns: Option<i64>,
    /// Whether the driver holds more of the same transfer.
    pub more: bool,
    /// Whether samples were lost before this.
    pub abrupt: bool,
}

/// What a driver does that gives no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Throws an exception.
    Throw,
    /// Touches memory that is not there.
    Crash,
}

/// What only the thread that reads needs.
pub struct Reader {
    source: Source,
    spans: Vec<Span>,
    codes: Vec<Code>,
    automatic: Automatic,
}

/// The automatic gain.
struct Automatic {
    gain_db: f64,
    saturated: usize,
    peak: u8,
}

impl Reader {
    pub fn new(source: Source) -> Self {
        let automatic = Automatic { gain_db: 0.0, saturated: 0, peak: 0 };
        Self { source, spans: Vec::new(), codes: Vec::new(), automatic }
    }
}

impl Read {
    fn code(code: i32) -> Self {
        Self { code, time_ns: None, more: false, abrupt: false }
    }
}

impl Device {
    /// Fills `client` with the next samples, waiting no longer than `timeout` for them.
    ///
    /// # Errors
    /// [`Trouble`] that a fault asks for.
    pub fn read(&self, mut client: Client, timeout: Duration) -> Result<Read, Trouble> {
        let deadline = Instant::now() + timeout;
        if self.board.faults().has(Kind::HangRead) {
            self.board.hang(Kind::HangRead);
        }
        let faults = self.board.faults();
        if !self.is_attached() {
            // The transfers just stop.
            thread::sleep(deadline.saturating_duration_since(Instant::now()));
            return Ok(Read::code(TIMEOUT));
        }
        let mut want = client.len();
        if !faults.is_empty()
            && let Some(read) = self.happen(&faults, &mut want, deadline)?
        {
            return Ok(read);
        }
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let read = match &mut client {
            Client::Cs8(out) => self.fill(&mut reader, &mut out[..want], &faults, deadline),
            Client::Cs16(out) => {
                let (read, codes) = self.fill_codes(&mut reader, want, &faults, deadline);
                adc::to_cs16(self.model(), &codes, out);
                reader.codes = codes;
                read
            }
            Client::Cf32(out) => {
                let (read, codes) = self.fill_codes(&mut reader, want, &faults, deadline);
                adc::to_cf32(self.model(), &codes, out);
                reader.codes = codes;
                read
            }
        };
        if let Client::Cf32(out) = &mut client {
            let value = [(Kind::Zeros, 0.0), (Kind::NaN, f32::NAN), (Kind::Inf, f32::INFINITY)];
            for (_, value) in value.into_iter().filter(|(kind, _)| faults.has(*kind)) {
                let filled = usize::try_from(read.code).unwrap_or(0);
                out[..filled].fill([value; 2]);
            }
        }
        Ok(read)
    }

    /// Faults that take the place of reading, or shorten it.
    fn happen(&self, faults: &Faults, want: &mut usize, deadline: Instant) -> Result<Option<Read>, Trouble> {
        let take = |kind| if faults.has(kind) { self.board.take(kind) } else { None };
        if take(Kind::Segv).is_some() {
            return Err(Trouble::Crash);
        }
        if take(Kind::Throw).is_some() {
            return Err(Trouble::Throw);
        }
        if take(Kind::Timeout).is_some() {
            thread::sleep(deadline.saturating_duration_since(Instant::now()));
            return Ok(Some(Read::code(TIMEOUT)));
        }
        if let Some(fault) = take(Kind::Code) {
            return Ok(Some(Read::code(fault.value as i32)));
        }
        if take(Kind::ZeroLen).is_some() {
            return Ok(Some(Read::code(0)));
        }
        if let Some(fault) = take(Kind::ShortRead) {
            *want = (*want).min(fault.value as usize);
        }
        let mut control = self.lock();
        if let Some(fault) = take(Kind::TimeBack) {
            let rate_hz = control.wanted.rate_hz;
            control.ticks.count -= fault.value * rate_hz;
        }
        // One that recurs leaves every other read alone, so that something is received at all.
        control.overflowed = !control.overflowed && faults.has(Kind::Overflow);
        if control.overflowed
            && let Some(fault) = take(Kind::Overflow)
        {
            control.ring.lose(fault.value as u64);
            return Ok(Some(self.overflow()));
        }
        Ok(None)
    }

    fn overflow(&self) -> Read {
        abi::log_overflow();
        Read { abrupt: self.model() == Model::HackRf, ..Read::code(OVERFLOW) }
    }

    /// As [`Device::fill`], into the reader's own buffer; gives that many codes, none for an error.
    fn fill_codes(
        &self,
        reader: &mut Reader,
        want: usize,
        faults: &Faults,
        deadline: Instant,
    ) -> (Read, Vec<Code>) {
        let mut codes = std::mem::take(&mut reader.codes);
        codes.resize(want, [0; 2]);
        let read = self.fill(reader, &mut codes, faults, deadline);
        codes.truncate(usize::try_from(read.code).unwrap_or(0));
        (read, codes)
    }

    fn fill(&self, reader: &mut Reader, out: &mut [Code], faults: &Faults, deadline: Instant) -> Read {
        let is_hackrf = self.model() == Model::HackRf;
        let paced = self.args.paced;
        let mut filled = 0;
        let mut read = Read::code(TIMEOUT);
        loop {
            let mut control = self.lock();
            if !control.active {
                drop(control);
                // SoapyHackRF starts by itself; SoapyRTLSDR waits for what does not come.
                if is_hackrf && self.activate() == 0 {
                    continue;
                }
                thread::sleep(deadline.saturating_duration_since(Instant::now()));
                return if is_hackrf { Read::code(STREAM_ERROR) } else { read };
            }
            control.heed(faults, paced);
            if control.ring.held() == control.ring.read {
                let taken = control.taken(paced);
                match control.ring.next(taken) {
                    Next::Until(_) => {}
                    // What was copied before is lost with it.
                    Next::Overflow => return self.overflow(),
                    Next::At(index) => {
                        let missing = index.saturating_sub(taken.unwrap_or(index)) as f64;
                        let wait_s = missing / (control.wanted.rate_hz * control.keep);
                        drop(control);
                        let left = deadline.saturating_duration_since(Instant::now());
                        if left.is_zero() {
                            return if filled > 0 { Read { code: filled as i32, ..read } } else { read };
                        }
                        thread::sleep(Duration::from_secs_f64(wait_s).max(NAP).min(left));
                        continue;
                    }
                }
            }
            let from = control.ring.read;
            let most = if is_hackrf { out.len().min(control.transfer()) } else { out.len() };
            let n = (control.ring.held() - from).min((most - filled) as u64) as usize;
            if filled == 0 && !is_hackrf && !faults.has(Kind::NoTime) {
                read.time_ns = Some(control.ticks.ns(from, control.wanted.rate_hz));
            }
            let (automatic, swapped) = control.plan(from, n, faults, reader);
            control.ring.read += n as u64;
            let whole = control.ring.held() == control.ring.read;
            read.more = !is_hackrf && !whole;
            drop(control);

            let got = reader.hear(&mut out[filled..filled + n]);
            if automatic {
                reader.automatic.follow(&out[filled..filled + got], whole);
            }
            filled += got;
            read.code = filled as i32;
            if got < n {
                // A recording has ended: the samples stop, as if it were unplugged.
                if filled == 0 {
                    thread::sleep(deadline.saturating_duration_since(Instant::now()));
                    return Read::code(TIMEOUT);
                }
                break;
            }
            if swapped {
                out[filled - got..filled].iter_mut().for_each(|code| code.swap(0, 1));
            }
            if !is_hackrf || filled == most {
                break;
            }
        }
        spoil(&mut out[..filled], faults);
        read
    }
}

impl Control {
    fn transfer(&self) -> usize {
        self.stream.map_or(1, |stream| stream.transfer as usize)
    }

    /// Begins and ends faults that concern the order of samples.
    fn heed(&mut self, faults: &Faults, paced: bool) {
        self.overflowed &= faults.has(Kind::Overflow);
        let keep = faults.get(Kind::Rate).map_or(1.0, |fault| fault.value);
        if keep != self.keep {
            self.keep = keep;
            let from = self.come(paced).max(self.ring.read);
            self.timeline.keep(from, keep);
        }
        let transfers = faults.get(Kind::Repeat).map(|fault| fault.value as u64);
        let repeated = transfers.map(|transfers| transfers * self.transfer() as u64);
        if repeated != self.repeated.map(|(_, len)| len) {
            self.repeated = repeated.map(|len| (self.ring.read, len));
        }
    }

    /// Lays out samples `from` to `from + n`; says whether gain is automatic there and rails are exchanged.
    fn plan(&mut self, from: u64, n: usize, faults: &Faults, reader: &mut Reader) -> (bool, bool) {
        let value = |kind| faults.get(kind).map_or(0.0, |fault| fault.value);
        let fault_gain_db = value(Kind::GainChanged) + value(Kind::Clip);
        let (mut automatic, mut swapped) = (false, false);
        reader.spans.clear();
        let end = from + n as u64;
        let mut at = from;
        while at < end {
            let (index, turn) = match self.repeated {
                Some((first, len)) if at >= first => {
                    let within = (at - first) % len;
                    (first + within, at + len - within)
                }
                _ => (at, u64::MAX),
            };
            let piece = self.timeline.piece(index);
            let setting = piece.setting;
            let len = (end - at).min(piece.until - index).min(turn - at);
            let clock = 1.0 + (value(Kind::Ppm) - setting.correction_ppm) * 1e-6;
            let rate_hz = setting.rate_hz * clock;
            (automatic, swapped) = (setting.automatic, setting.swapped);
            let gain_db = if automatic { reader.automatic.gain_db } else { setting.gain_db };
            let heeded_db = if reader.source.heeds_gain() { gain_db } else { 0.0 };
            reader.spans.push(Span {
                len: len as usize,
                center_hz: setting.center_hz * clock,
                rate_hz,
                first: (piece.air_s * rate_hz).round() as u64 + (index - piece.first),
                gain_db: heeded_db + fault_gain_db,
                floor_db: value(Kind::Floor),
            });
            at += len;
        }
        self.timeline.forget(self.repeated.map_or(from, |(first, _)| first));
        (automatic, swapped)
    }
}

impl Reader {
    /// Fills `out` as planned; gives how many samples there are.
    fn hear(&mut self, out: &mut [Code]) -> usize {
        let mut filled = 0;
        for span in &self.spans {
            let got = self.source.hear(span, &mut out[filled..filled + span.len]).unwrap_or_else(|error| {
                abi::log_error(&error);
                0
            });
            filled += got;
            if got < span.len {
                break;
            }
        }
        filled
    }
}

impl Automatic {
    fn follow(&mut self, codes: &[Code], whole: bool) {
        for rail in codes.iter().flatten() {
            self.saturated += usize::from(*rail == i8::MIN || *rail == i8::MAX);
            self.peak = self.peak.max(rail.unsigned_abs());
        }
        if whole {
            let step_db = match (self.saturated, self.peak) {
                (1.., _) => -AGC_STEP_DB,
                (0, 0..64) => AGC_STEP_DB,
                _ => 0.0,
            };
            self.gain_db = (self.gain_db + step_db).clamp(AGC_RANGE_DB.0, AGC_RANGE_DB.1);
            (self.saturated, self.peak) = (0, 0);
        }
    }
}

/// Faults of the converter and behind it.
fn spoil(codes: &mut [Code], faults: &Faults) {
    if let Some(fault) = faults.get(Kind::Stuck) {
        codes.fill([fault.value as i8; 2]);
    }
    if faults.has(Kind::Zeros) {
        codes.fill([0; 2]);
    }
    if let Some(fault) = faults.get(Kind::Rail) {
        let dead = usize::from(fault.text == "q");
        codes.iter_mut().for_each(|code| code[dead] = 0);
    }
}
