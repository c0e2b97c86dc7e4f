//! A client of SoapySDR as thin as can be, that sees flags, times and codes; and scenes and tapes to hear.
#![allow(dead_code, missing_docs, reason = "each test uses some of it; names say what")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "plain calls of the C API, checked for null")]

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use soapysdr_sys as soapy;

pub const TIMEOUT: i32 = -1;
pub const STREAM_ERROR: i32 = -2;
pub const CORRUPTION: i32 = -3;
pub const OVERFLOW: i32 = -4;
pub const HAS_TIME: i32 = 4;
pub const END_ABRUPT: i32 = 8;
pub const MORE_FRAGMENTS: i32 = 32;

/// The module that cargo built for this test, which lies beside it.
pub fn module() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let module = test.with_file_name("libemcon_sim.so");
    assert!(module.exists(), "{} is missing, though cargo builds it with this test", module.display());
    module
}

/// A folder with the module alone, as SoapySDR wants it.
pub fn plugin_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(module(), folder.path().join("libemcon_sim.so")).expect("a link");
    folder
}

fn load() {
    static LOADED: OnceLock<()> = OnceLock::new();
    LOADED.get_or_init(|| {
        let path = text(&module().display().to_string());
        let error = unsafe { CStr::from_ptr(soapy::SoapySDR_loadModule(path.as_ptr())) };
        assert_eq!(error.to_str(), Ok(""));
    });
}

fn text(text: &str) -> CString {
    CString::new(text).expect("no null inside")
}

fn pairs(kwargs: &soapy::SoapySDRKwargs) -> HashMap<String, String> {
    let owned = |text: *mut c_char| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    (0..kwargs.size).map(|i| unsafe { (owned(*kwargs.keys.add(i)), owned(*kwargs.vals.add(i))) }).collect()
}

pub fn find(args: &str) -> Vec<HashMap<String, String>> {
    load();
    let mut n = 0;
    let args = text(&format!("driver=emcon-sim,{args}"));
    let found = unsafe { soapy::SoapySDRDevice_enumerateStrArgs(args.as_ptr(), &raw mut n) };
    (0..n).map(|i| pairs(unsafe { &*found.add(i) })).collect()
}

/// A device with its stream.
pub struct Radio {
    device: *mut soapy::SoapySDRDevice,
    stream: *mut soapy::SoapySDRStream,
    pub flags: i32,
    pub time_ns: i64,
}

unsafe impl Send for Radio {}

impl Radio {
    /// Makes a device, or says why not.
    pub fn make(args: &str) -> Result<Self, String> {
        // The last error is kept by thread, but devices are made one at a time anyway: equal arguments share one.
        static MAKING: Mutex<()> = Mutex::new(());
        let _making = MAKING.lock();
        load();
        let args = text(&format!("driver=emcon-sim,{args}"));
        let device = unsafe { soapy::SoapySDRDevice_makeStrArgs(args.as_ptr()) };
        if device.is_null() {
            let error = unsafe { CStr::from_ptr(soapy::SoapySDRDevice_lastError()) };
            return Err(error.to_string_lossy().into_owned());
        }
        Ok(Self { device, stream: std::ptr::null_mut(), flags: 0, time_ns: -1 })
    }

    /// Makes a device and opens a stream that is not active yet.
    pub fn open(args: &str, format: &str) -> Self {
        let mut radio = Self::make(args).expect(args);
        radio.setup(format);
        radio
    }

    pub fn setup(&mut self, format: &str) {
        let (format, none) = (text(format), std::ptr::null());
        self.stream = unsafe {
            soapy::SoapySDRDevice_setupStream(self.device, 1, format.as_ptr(), none, 0, none.cast())
        };
        assert!(!self.stream.is_null());
    }

    pub fn activate(&self) -> i32 {
        unsafe { soapy::SoapySDRDevice_activateStream(self.device, self.stream, 0, 0, 0) }
    }

    pub fn deactivate(&self) -> i32 {
        unsafe { soapy::SoapySDRDevice_deactivateStream(self.device, self.stream, 0, 0) }
    }

    pub fn tune(&self, hz: f64) -> i32 {
        unsafe { soapy::SoapySDRDevice_setFrequency(self.device, 1, 0, hz, std::ptr::null()) }
    }

    pub fn frequency(&self) -> f64 {
        unsafe { soapy::SoapySDRDevice_getFrequency(self.device, 1, 0) }
    }

    pub fn rate(&self, hz: f64) -> i32 {
        unsafe { soapy::SoapySDRDevice_setSampleRate(self.device, 1, 0, hz) }
    }

    pub fn gain(&self, element: &str, db: f64) -> i32 {
        unsafe { soapy::SoapySDRDevice_setGainElement(self.device, 1, 0, text(element).as_ptr(), db) }
    }

    pub fn gain_of(&self, element: &str) -> f64 {
        unsafe { soapy::SoapySDRDevice_getGainElement(self.device, 1, 0, text(element).as_ptr()) }
    }

    pub fn automatic(&self, on: bool) -> i32 {
        unsafe { soapy::SoapySDRDevice_setGainMode(self.device, 1, 0, on) }
    }

    pub fn mtu(&self) -> usize {
        unsafe { soapy::SoapySDRDevice_getStreamMTU(self.device, self.stream) }
    }

    pub fn info(&self) -> HashMap<String, String> {
        pairs(&unsafe { soapy::SoapySDRDevice_getHardwareInfo(self.device) })
    }

    /// One readStream.
    pub fn read<T>(&mut self, out: &mut [[T; 2]], timeout_us: i64) -> i32 {
        let buffers = [out.as_mut_ptr().cast::<c_void>()];
        self.flags = 0;
        unsafe {
            soapy::SoapySDRDevice_readStream(
                self.device,
                self.stream,
                buffers.as_ptr(),
                out.len(),
                &raw mut self.flags,
                &raw mut self.time_ns,
                timeout_us,
            )
        }
    }

    /// Exactly `n` samples, in as many reads as it takes.
    pub fn take<T: Default + Copy>(&mut self, n: usize) -> Vec<[T; 2]> {
        let mut out = vec![[T::default(); 2]; n];
        let mut filled = 0;
        while filled < n {
            let got = self.read(&mut out[filled..], 1_000_000);
            assert!(got > 0, "readStream gave {got} after {filled} of {n} samples");
            filled += got as usize;
        }
        out
    }
}

impl Drop for Radio {
    fn drop(&mut self) {
        unsafe {
            if !self.stream.is_null() {
                soapy::SoapySDRDevice_closeStream(self.device, self.stream);
            }
            soapy::SoapySDRDevice_unmake(self.device);
        }
    }
}

/// Says a verb to a control socket; its answer.
pub fn say(control: &Path, verb: &str) -> String {
    let mut stream = UnixStream::connect(control).expect("the control socket");
    writeln!(stream, "{verb}").expect("a line");
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).expect("an answer");
    answer.trim().to_owned()
}

/// Writes a scene into `folder`: a quiet receiver of 1 MS/s, and whatever `emitters` says.
pub fn scene(folder: &Path, emitters: &str) -> PathBuf {
    let path = folder.join("scene.toml");
    let receiver = "center = \"100M\"\nrate = \"1M\"\nnoise_dbfs = -45\n";
    std::fs::write(&path, format!("duration = 1.0\n[receiver]\n{receiver}\n{emitters}")).expect("a scene");
    path
}

/// A tape whose sample number n has the low 16 bits of n as its two codes, and how long it is.
pub fn counting_tape(folder: &Path) -> PathBuf {
    let path = folder.join("count_100M_1000k.cs8");
    let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    std::fs::write(&path, bytes).expect("a tape");
    path
}

/// What a sample of that tape counts.
pub fn count(code: [i8; 2]) -> u16 {
    u16::from_le_bytes([code[0] as u8, code[1] as u8])
}

/// Mean power, dBFS.
pub fn power_db(codes: &[[i8; 2]]) -> f64 {
    let sum: f64 = codes.iter().flatten().map(|rail| (f64::from(*rail) / 128.0).powi(2)).sum();
    10.0 * (sum / codes.len() as f64).log10()
}

/// Power of a line at `hz` from the middle, dBFS.
pub fn line_db(codes: &[[i8; 2]], hz: f64, rate_hz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, code) in codes.iter().enumerate() {
        let (sin, cos) = (-std::f64::consts::TAU * hz / rate_hz * n as f64).sin_cos();
        let (i, q) = (f64::from(code[0]) / 128.0, f64::from(code[1]) / 128.0);
        re += i * cos - q * sin;
        im += i * sin + q * cos;
    }
    let n = codes.len() as f64;
    10.0 * ((re * re + im * im) / (n * n)).log10()
}
