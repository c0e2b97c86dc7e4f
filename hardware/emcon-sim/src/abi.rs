//! The border to C++: plain functions on plain types. No panic crosses it.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::time::Duration;

use crate::adc::{Client, Format, Model};
use crate::args::Kwargs;
use crate::device::{self, Device, Read, STREAM_ERROR, Trouble};

/// Receives a pair of a result; null and null begin the next result.
type OnPair = unsafe extern "C" fn(to: *mut c_void, key: *const c_char, value: *const c_char);
/// Receives a text.
type OnText = unsafe extern "C" fn(to: *mut c_void, text: *const c_char);

/// `SOAPY_SDR_HAS_TIME`, `SOAPY_SDR_END_ABRUPT`, `SOAPY_SDR_MORE_FRAGMENTS`.
const HAS_TIME: c_int = 1 << 2;
const END_ABRUPT: c_int = 1 << 3;
const MORE_FRAGMENTS: c_int = 1 << 5;
/// `SOAPY_SDR_ERROR`, `SOAPY_SDR_INFO`, `SOAPY_SDR_SSI`.
const LOG_ERROR: c_int = 3;
const LOG_INFO: c_int = 6;
const LOG_SSI: c_int = 9;
/// Asks the caller to throw: no code of SoapySDR.
const THROW: c_int = c_int::MIN;
/// Longest that a read waits, whatever it is told: a year.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

unsafe extern "C" {
    fn SoapySDR_log(level: c_int, message: *const c_char);
}

/// Tells whoever listens to SoapySDR's log of an error.
pub fn log_error(message: &str) {
    log(LOG_ERROR, message);
}

/// Tells of something that is good to know.
pub fn log_info(message: &str) {
    log(LOG_INFO, message);
}

/// Tells of an overflow as all drivers do.
pub fn log_overflow() {
    log(LOG_SSI, "O");
}

fn log(level: c_int, message: &str) {
    let message = text(message);
    // SAFETY: the text ends in a null and outlives the call.
    unsafe { SoapySDR_log(level, message.as_ptr()) };
}

/// Text for C: up to its first null.
fn text(text: &str) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}

/// Runs `body`; a panic, which is a fault of this library, becomes `otherwise`.
fn guard<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// # Safety
/// `keys` and `values` are `n` texts each.
unsafe fn kwargs(keys: *const *const c_char, values: *const *const c_char, n: usize) -> Kwargs {
    // SAFETY: the caller promises as much.
    let owned = |text: *const c_char| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    // SAFETY: as above.
    (0..n).map(|i| unsafe { (owned(*keys.add(i)), owned(*values.add(i))) }).collect()
}

/// Finds devices.
///
/// # Safety
/// `keys` and `values` are `n` texts each; `on_pair` takes `to`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emcon_sim_find(
    keys: *const *const c_char,
    values: *const *const c_char,
    n: usize,
    on_pair: OnPair,
    to: *mut c_void,
) {
    guard((), || {
        // SAFETY: the caller promises as much.
        let kwargs = unsafe { kwargs(keys, values, n) };
        match device::find(&kwargs) {
            Err(error) => log_error(&error),
            Ok(found) => {
                for result in found {
                    // SAFETY: as above.
                    unsafe { on_pair(to, std::ptr::null(), std::ptr::null()) };
                    for (key, value) in result {
                        let (key, value) = (text(&key), text(&value));
                        // SAFETY: as above; the texts outlive the call.
                        unsafe { on_pair(to, key.as_ptr(), value.as_ptr()) };
                    }
                }
            }
        }
    });
}

/// Makes a device; null, and a sentence to `on_error`, if it cannot be.
///
/// # Safety
/// `keys` and `values` are `n` texts each; `on_error` takes `to`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emcon_sim_make(
    keys: *const *const c_char,
    values: *const *const c_char,
    n: usize,
    on_error: OnText,
    to: *mut c_void,
) -> *mut Device {
    let made = guard(Err("emcon-sim failed; this is an error in it".to_owned()), || {
        // SAFETY: the caller promises as much.
        Device::make(&unsafe { kwargs(keys, values, n) })
    });
    match made {
        Ok(device) => Box::into_raw(Box::new(device)),
        Err(error) => {
            // SAFETY: the caller promises as much; the text outlives the call.
            unsafe { on_error(to, text(&error).as_ptr()) };
            std::ptr::null_mut()
        }
    }
}

/// Ends a device.
///
/// # Safety
/// `device` was made by [`emcon_sim_make`] and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emcon_sim_unmake(device: *mut Device) {
    // SAFETY: the caller promises as much.
    let device = unsafe { Box::from_raw(device) };
    guard((), || device.unmake());
}

/// Which radio it is: 0 a HackRF, 1 an RTL-SDR.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_model(device: &Device) -> c_int {
    match device.model() {
        Model::HackRf => 0,
        Model::RtlSdr => 1,
    }
}

/// Its serial number.
///
/// # Safety
/// `on_text` takes `to`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emcon_sim_serial(device: &Device, on_text: OnText, to: *mut c_void) {
    // SAFETY: the caller promises as much; the text outlives the call.
    unsafe { on_text(to, text(device.serial()).as_ptr()) };
}

/// By how many dB its gain is not what the client set.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_gain_changed_db(device: &Device) -> f64 {
    guard(0.0, || device.gain_changed_db())
}

/// Tunes; false if the device cannot be reached, as in all that follow.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_set_center(device: &Device, center_hz: f64) -> bool {
    guard(false, || device.set_center(center_hz))
}

/// Sets the sample rate.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_set_rate(device: &Device, rate_hz: f64) -> bool {
    guard(false, || device.set_rate(rate_hz))
}

/// Sets the gain, in dB over the one that a scene's levels hold at.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_set_gain(device: &Device, gain_db: f64, automatic: bool) -> bool {
    guard(false, || device.set_gain(gain_db, automatic))
}

/// Corrects the clock.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_set_correction(device: &Device, ppm: f64) -> bool {
    guard(false, || device.set_correction(ppm))
}

/// Exchanges the rails.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_set_swapped(device: &Device, swapped: bool) {
    guard((), || device.set_swapped(swapped));
}

/// Time by the count of samples.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_time_ns(device: &Device) -> i64 {
    guard(0, || device.time_ns())
}

/// Sets that time.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_set_time_ns(device: &Device, ns: i64) {
    guard((), || device.set_time_ns(ns));
}

/// Prepares a stream; `transfer` and `buffers` may be 0. False, and a sentence to `on_error`, if it cannot be.
///
/// # Safety
/// `format` is a text; `on_error` takes `to`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emcon_sim_setup(
    device: &Device,
    format: *const c_char,
    transfer: u64,
    buffers: u64,
    on_error: OnText,
    to: *mut c_void,
) -> bool {
    // SAFETY: the caller promises as much.
    let format = unsafe { CStr::from_ptr(format) }.to_string_lossy();
    let failed = || Err("emcon-sim failed; this is an error in it".to_owned());
    match guard(failed(), || device.setup(&format, transfer, buffers)) {
        Ok(()) => true,
        Err(error) => {
            // SAFETY: the caller promises as much; the text outlives the call.
            unsafe { on_error(to, text(&error).as_ptr()) };
            false
        }
    }
}

/// Ends the stream.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_close(device: &Device) {
    guard((), || device.close());
}

/// Samples of a transfer.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_transfer(device: &Device) -> u64 {
    guard(1, || device.buffering().0)
}

/// Transfers of the ring.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_buffers(device: &Device) -> u64 {
    guard(1, || device.buffering().1)
}

/// Starts the stream; a code of SoapySDR.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_activate(device: &Device) -> c_int {
    guard(STREAM_ERROR, || device.activate())
}

/// Stops it.
#[unsafe(no_mangle)]
pub extern "C" fn emcon_sim_deactivate(device: &Device) {
    guard((), || device.deactivate());
}

/// Reads up to `n` samples into `buffer`; a number of them, a code of SoapySDR, or the least integer: throw.
///
/// # Safety
/// `buffer` has room for `n` samples of the stream's format, and is aligned for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emcon_sim_read(
    device: &Device,
    buffer: *mut c_void,
    n: usize,
    flags: &mut c_int,
    time_ns: &mut i64,
    timeout_us: i64,
) -> c_int {
    let read = guard(Ok(None), || {
        // SAFETY: the caller promises as much; every pattern of bits is an integer or a float.
        let client = unsafe {
            match device.format() {
                None => return Ok(None),
                Some(Format::Cs8) => Client::Cs8(slice::from_raw_parts_mut(buffer.cast(), n)),
                Some(Format::Cs16) => Client::Cs16(slice::from_raw_parts_mut(buffer.cast(), n)),
                Some(Format::Cf32) => Client::Cf32(slice::from_raw_parts_mut(buffer.cast(), n)),
            }
        };
        let timeout = Duration::from_micros(u64::try_from(timeout_us).unwrap_or(0)).min(LONGEST);
        device.read(client, timeout).map(Some)
    });
    match read {
        Ok(None) => STREAM_ERROR,
        Ok(Some(read)) => {
            tell(device.model(), &read, flags, time_ns);
            read.code
        }
        Err(Trouble::Throw) => THROW,
        Err(Trouble::Crash) => crash(),
    }
}

/// Flags and time as the drivers set them: SoapyRTLSDR with every read, SoapyHackRF only after an overflow.
fn tell(model: Model, read: &Read, flags: &mut c_int, time_ns: &mut i64) {
    if read.abrupt {
        *flags |= END_ABRUPT;
    }
    if model == Model::RtlSdr && read.code >= 0 {
        *flags = if read.more { MORE_FRAGMENTS } else { 0 };
        if let Some(ns) = read.time_ns {
            *flags |= HAS_TIME;
            *time_ns = ns;
        }
    }
}

/// Ends the process as an access to memory that is not there would.
fn crash() -> c_int {
    // SAFETY: plain calls. The handler goes first, since a runtime's own would return from a raised signal.
    unsafe {
        libc::signal(libc::SIGSEGV, libc::SIG_DFL);
        libc::raise(libc::SIGSEGV)
    }
}
