//! One simulated radio: its settings, its stream, and what goes wrong with it.

mod read;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::adc::{Format, Model};
use crate::args::{Args, Kwargs, Settle};
use crate::faults::{Board, Kind, board};
use crate::source::Source;
use crate::timeline::{Setting, Timeline};
use crate::transfers::Transfers;

use self::read::Reader;
pub use self::read::{Read, Trouble};

/// `SOAPY_SDR_TIMEOUT`.
pub const TIMEOUT: i32 = -1;
/// `SOAPY_SDR_STREAM_ERROR`.
pub const STREAM_ERROR: i32 = -2;
/// `SOAPY_SDR_OVERFLOW`.
pub const OVERFLOW: i32 = -4;

/// What a HackRF samples at until it is told (hackrf firmware, `sample_rate_set` at start), samples a second.
const HACKRF_RATE_HZ: f64 = 10e6;
/// What SoapyRTLSDR begins with.
const RTLSDR_RATE_HZ: f64 = 2_048_000.0;
const CENTER_HZ: f64 = 100e6;

/// A radio.
pub struct Device {
    args: Args,
    board: Arc<Board>,
    serial: String,
    /// How often it had been unplugged when it was made.
    vanishes: u64,
    control: Mutex<Control>,
    reader: Mutex<Reader>,
}

/// What calls from any thread change; held for moments only.
struct Control {
    wanted: Setting,
    timeline: Timeline,
    ring: Transfers,
    stream: Option<Stream>,
    active: bool,
    /// The air's axis of a paced device, from its first activation on.
    clock: Option<Clock>,
    ticks: Ticks,
    /// Part of the samples that is kept, as a fault has it.
    keep: f64,
    /// Samples that are repeated: the first, and how many.
    repeated: Option<(u64, u64)>,
    /// Whether the last read was an overflow that a fault made.
    overflowed: bool,
}

#[derive(Clone, Copy)]
struct Stream {
    format: Format,
    transfer: u64,
    buffers: u64,
}

#[derive(Clone, Copy)]
struct Clock {
    started: Instant,
    offset_s: f64,
}

impl Clock {
    fn air_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64() + self.offset_s
    }
}

/// The count that SoapyRTLSDR makes time of.
#[derive(Clone, Copy)]
struct Ticks {
    at: u64,
    count: f64,
}

impl Ticks {
    fn of(&self, index: u64) -> f64 {
        self.count + (index as f64 - self.at as f64)
    }

    fn ns(&self, index: u64, rate_hz: f64) -> i64 {
        (self.of(index) / rate_hz * 1e9).round() as i64
    }
}

/// The devices that a search finds: as many as are attached, none while they are unplugged.
///
/// # Errors
/// What is wrong with the arguments.
pub fn find(kwargs: &Kwargs) -> Result<Vec<Kwargs>, String> {
    let args = Args::new(kwargs)?;
    let faults = board(args.control.as_deref()).fresh();
    if faults.has(Kind::Vanish) {
        return Ok(Vec::new());
    }
    let serial = faults.get(Kind::Serial).map_or(args.serial.as_str(), |fault| &fault.text);
    Ok((0..args.count).map(|index| args.found(kwargs, index, serial)).collect())
}

impl Device {
    /// Opens the radio that `kwargs` describe.
    ///
    /// # Errors
    /// What is wrong with the arguments or with the radio.
    pub fn make(kwargs: &Kwargs) -> Result<Self, String> {
        let args = Args::new(kwargs)?;
        let board = board(args.control.as_deref());
        board.serve()?;
        let began = Instant::now();
        while board.fresh().get(Kind::SlowMake).is_some_and(|slow| began.elapsed().as_secs_f64() < slow.value)
        {
            std::thread::sleep(Duration::from_millis(10));
        }
        let faults = board.fresh();
        let vanishes = board.vanishes();
        // What the modules say, as far as they say anything.
        let (none, busy) = match args.model {
            Model::HackRf => ("no hackrf device matches", "hackrf open failed: LIBUSB_ERROR_BUSY (-6)"),
            Model::RtlSdr => {
                ("No RTL-SDR devices found!", "Unable to open RTL-SDR device: usb_claim_interface error -6")
            }
        };
        if faults.has(Kind::Vanish) || args.count == 0 {
            return Err(format!("{none} (emcon-sim: no device, it is unplugged)"));
        }
        if faults.has(Kind::Busy) {
            return Err(format!("{busy} (emcon-sim: the device is busy)"));
        }
        let serial = faults.get(Kind::Serial).map_or_else(|| args.serial.clone(), |fault| fault.text.clone());
        let source = Source::open(&args)?;
        let (center_hz, rate_hz) = match args.model {
            Model::HackRf => (0.0, HACKRF_RATE_HZ),
            Model::RtlSdr => (CENTER_HZ, RTLSDR_RATE_HZ),
        };
        let wanted = Setting {
            center_hz,
            rate_hz,
            gain_db: 0.0,
            correction_ppm: 0.0,
            automatic: false,
            swapped: false,
        };
        let (transfer, buffers) = (args.transfer, args.buffers);
        Ok(Self {
            control: Mutex::new(Control {
                wanted,
                timeline: Timeline::new(0, 0.0, wanted, 1.0, transfer),
                ring: Transfers::new(args.model, 0, transfer, buffers),
                stream: None,
                active: false,
                clock: None,
                ticks: Ticks { at: 0, count: 0.0 },
                keep: 1.0,
                repeated: None,
                overflowed: false,
            }),
            reader: Mutex::new(Reader::new(source)),
            args,
            board,
            serial,
            vanishes,
        })
    }

    /// Which radio it is.
    pub fn model(&self) -> Model {
        self.args.model
    }

    /// Its serial number.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// By how much its gain is not what the client set, dB.
    pub fn gain_changed_db(&self) -> f64 {
        self.board.faults().get(Kind::GainChanged).map_or(0.0, |fault| fault.value)
    }

    /// Whether it can still be talked to: once unplugged, a device that was open stays dead.
    pub fn is_attached(&self) -> bool {
        !self.board.faults().has(Kind::Vanish) && self.board.vanishes() == self.vanishes
    }

    /// Tunes; false if it cannot be reached.
    pub fn set_center(&self, center_hz: f64) -> bool {
        if self.board.faults().has(Kind::RetuneIgnored) {
            return self.is_attached();
        }
        self.set(|setting| setting.center_hz = center_hz)
    }

    /// Sets the gain, in dB over the one that a scene's levels hold at; false if it cannot be reached.
    pub fn set_gain(&self, gain_db: f64, automatic: bool) -> bool {
        self.set(|setting| (setting.gain_db, setting.automatic) = (gain_db, automatic))
    }

    /// Corrects the clock; false if it cannot be reached.
    pub fn set_correction(&self, ppm: f64) -> bool {
        self.set(|setting| setting.correction_ppm = ppm)
    }

    /// Exchanges the rails, which is the driver's own doing and needs no settling.
    pub fn set_swapped(&self, swapped: bool) {
        self.set(|setting| setting.swapped = swapped);
    }

    /// Sets the sample rate; false if it cannot be reached.
    pub fn set_rate(&self, rate_hz: f64) -> bool {
        if self.args.model == Model::RtlSdr {
            // SoapyRTLSDR goes on in time, which its count of samples does not, and throws away what has come.
            let mut control = self.lock();
            let come = control.come(self.args.paced);
            let count = control.ticks.of(come) / control.wanted.rate_hz * rate_hz;
            control.ticks = Ticks { at: come, count };
            control.ring.reset();
        }
        self.set(|setting| setting.rate_hz = rate_hz)
    }

    /// Time by the count of samples, nanoseconds.
    pub fn time_ns(&self) -> i64 {
        let control = self.lock();
        control.ticks.ns(control.come(self.args.paced), control.wanted.rate_hz)
    }

    /// Sets that time.
    pub fn set_time_ns(&self, ns: i64) {
        let mut control = self.lock();
        let come = control.come(self.args.paced);
        control.ticks = Ticks { at: come, count: ns as f64 / 1e9 * control.wanted.rate_hz };
    }

    /// Prepares a stream; `transfer` and `buffers` are 0 where the client does not say.
    ///
    /// # Errors
    /// What cannot be.
    pub fn setup(&self, format: &str, transfer: u64, buffers: u64) -> Result<(), String> {
        let formats = "only CS8, CS16 and CF32 are supported by emcon-sim";
        let format = Format::named(format)
            .ok_or_else(|| format!("setupStream invalid format '{format}' -- {formats}."))?;
        let mut control = self.lock();
        match (control.stream, self.args.model) {
            (Some(_), Model::HackRf) => return Err("RX stream already opened".to_owned()),
            (Some(open), Model::RtlSdr) => self.board.closed(open.format),
            (None, _) => {}
        }
        let or = |value: u64, default| if value > 0 { value } else { default };
        let (transfer, buffers) = (or(transfer, self.args.transfer), or(buffers, self.args.buffers));
        control.stream = Some(Stream { format, transfer, buffers });
        self.board.opened(format);
        Ok(())
    }

    /// Ends the stream.
    pub fn close(&self) {
        self.deactivate();
        if let Some(stream) = self.lock().stream.take() {
            self.board.closed(stream.format);
        }
    }

    /// Samples of a transfer, and transfers of the ring.
    pub fn buffering(&self) -> (u64, u64) {
        self.lock()
            .stream
            .map_or((self.args.transfer, self.args.buffers), |stream| (stream.transfer, stream.buffers))
    }

    /// Format of the stream.
    pub fn format(&self) -> Option<Format> {
        self.lock().stream.map(|stream| stream.format)
    }

    /// Starts the stream; a code of SoapySDR, 0 if all is well.
    pub fn activate(&self) -> i32 {
        if !self.is_attached() {
            // SoapyRTLSDR learns of it in a thread whose end nobody notices.
            return if self.args.model == Model::HackRf { STREAM_ERROR } else { 0 };
        }
        let mut control = self.lock();
        let Some(stream) = control.stream else { return STREAM_ERROR };
        if control.active {
            return 0;
        }
        let first = control.ring.read;
        let air_s = if self.args.paced {
            control.clock.get_or_insert_with(|| self.clock()).air_s()
        } else {
            control.timeline.air_s(first)
        };
        control.timeline = Timeline::new(first, air_s, control.wanted, control.keep, stream.transfer);
        control.ring = Transfers::new(self.args.model, first, stream.transfer, stream.buffers);
        control.repeated = None;
        control.active = true;
        0
    }

    /// Stops the stream. Whatever has come is gone.
    pub fn deactivate(&self) {
        self.board.hang(Kind::HangDeactivate);
        let mut control = self.lock();
        if control.active {
            let come = control.come(self.args.paced);
            control.ring.read = come;
            control.active = false;
        }
    }

    /// The driver lets go of the radio.
    pub fn unmake(&self) {
        self.close();
        self.board.hang(Kind::HangUnmake);
    }

    fn set(&self, change: impl FnOnce(&mut Setting)) -> bool {
        let attached = self.is_attached();
        let mut control = self.lock();
        change(&mut control.wanted);
        if attached && control.active {
            let settle = match self.args.settle {
                Settle::Samples(samples) => samples,
                Settle::Seconds(seconds) => (seconds * control.wanted.rate_hz).round() as u64,
            };
            let taken = control.taken(self.args.paced).unwrap_or(control.ring.read);
            let wanted = control.wanted;
            control.timeline.set(taken.saturating_add(settle), wanted);
        }
        attached
    }

    fn clock(&self) -> Clock {
        let now = Instant::now();
        let Some(epoch_s) = self.args.epoch_s else {
            return Clock { started: self.board.epoch(now), offset_s: 0.0 };
        };
        let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
        Clock { started: now, offset_s: (unix_s - epoch_s).max(0.0) }
    }

    fn lock(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// Number of samples taken so far, if they are taken without being asked for.
    fn taken(&self, paced: bool) -> Option<u64> {
        let clock = self.clock.as_ref().filter(|_| paced && self.active)?;
        Some(self.timeline.taken_by(clock.air_s()))
    }

    /// Number of samples that the driver has seen.
    fn come(&self, paced: bool) -> u64 {
        self.taken(paced).map_or(self.ring.read, |taken| self.ring.come(taken))
    }
}
