//! Each verb, as a client sees it.

mod common;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use common::{
    CORRUPTION, END_ABRUPT, HAS_TIME, OVERFLOW, Radio, STREAM_ERROR, TIMEOUT, count, counting_tape, find,
    line_db, plugin_folder, power_db, say, scene,
};

const RATE: f64 = 1e6;

/// A radio with a control socket, and what it needs.
struct Rig {
    radio: Radio,
    control: PathBuf,
    args: String,
    #[allow(dead_code, reason = "it goes with the rig")]
    folder: tempfile::TempDir,
}

impl Rig {
    fn new(args: &str, format: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let control = folder.path().join("control");
        let emitter = "[[emitter]]\nkind = \"cw\"\nfreq = \"100.2M\"\nlevel_dbfs = -20\n";
        let scene = scene(folder.path(), emitter);
        let tape = counting_tape(folder.path());
        let args =
            args.replace("SCENE", &scene.display().to_string()).replace("TAPE", &tape.display().to_string());
        let args = format!("{args},control={}", control.display());
        let radio = Radio::open(&args, format);
        let rig = Self { radio, control, args, folder };
        rig.start();
        rig
    }

    fn start(&self) {
        assert_eq!((self.radio.rate(RATE), self.radio.tune(100e6)), (0, 0));
        self.radio.gain("LNA", 16.0);
        self.radio.gain("VGA", 20.0);
        self.radio.gain("TUNER", 29.7);
        assert_eq!(self.radio.activate(), 0);
    }

    fn say(&self, verb: &str) {
        assert_eq!(say(&self.control, verb), "ok", "{verb}");
    }

    fn read(&mut self) -> i32 {
        self.radio.read(&mut [[0i8; 2]; 1000], 20_000)
    }
}

fn scene_rig() -> Rig {
    Rig::new("model=hackrf,scene=SCENE,pace=0,settle_samples=0", "CS8")
}

fn tape_rig(model: &str) -> Rig {
    Rig::new(&format!("model={model},recording=TAPE,pace=0,mtu=1000"), "CS8")
}

#[test]
fn verbs_are_answered() {
    let rig = scene_rig();
    assert_eq!(say(&rig.control, "zeros for 1s"), "ok");
    assert_eq!(say(&rig.control, "clear"), "ok");
    assert!(say(&rig.control, "explode").starts_with("error: no verb \"explode\""));
    assert!(say(&rig.control, "nan").starts_with("error: the open stream is CS8"));
}

#[test]
fn codes_come_instead_of_samples_until_they_are_ended() {
    let mut rig = tape_rig("rtlsdr");
    for (verb, code) in [
        ("timeout", TIMEOUT),
        ("stream_error", STREAM_ERROR),
        ("corruption", CORRUPTION),
        ("unknown_code -99", -99),
        ("code -7", -7),
        ("zero_len", 0),
        ("short_read 10", 10),
    ] {
        rig.say(verb);
        assert_eq!((rig.read(), rig.read()), (code, code), "{verb}");
        rig.say(&format!("clear {}", verb.split(' ').next().unwrap_or_default()));
        assert!(rig.read() > 10, "{verb} has ended");
        rig.say(&format!("{verb} once"));
        assert_eq!(rig.read(), code, "{verb}");
        assert!(rig.read() > 10, "{verb} has happened");
    }
    rig.say("timeout for 100ms");
    let began = Instant::now();
    while rig.read() == TIMEOUT {}
    assert!((60..2000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[test]
fn an_overflow_loses_exactly_what_it_says() {
    for model in ["rtlsdr", "hackrf"] {
        let mut rig = tape_rig(model);
        let before = count(rig.radio.take::<i8>(1000)[999]);
        rig.say("overflow 12345");
        assert_eq!(rig.read(), OVERFLOW);
        assert_eq!(rig.radio.flags, if model == "hackrf" { END_ABRUPT } else { 0 });
        let after = rig.radio.take::<i8>(100);
        assert_eq!(count(after[0]), before.wrapping_add(12_346));
        rig.say("overflow 100 always");
        assert_eq!(rig.read(), OVERFLOW);
        assert!(rig.read() > 0);
        assert_eq!(rig.read(), OVERFLOW);
    }
    let mut rig = tape_rig("rtlsdr");
    rig.radio.take::<i8>(1000);
    rig.say("overflow 12345");
    assert_eq!(rig.read(), OVERFLOW);
    rig.read();
    assert_eq!((rig.radio.flags & HAS_TIME, rig.radio.time_ns), (HAS_TIME, 13_345_000));
}

#[test]
fn time_can_be_missing_or_go_back() {
    let mut rig = tape_rig("rtlsdr");
    rig.radio.take::<i8>(1000);
    rig.say("no_time");
    rig.read();
    assert_eq!(rig.radio.flags & HAS_TIME, 0);
    rig.say("clear");
    rig.say("time_back 500us");
    rig.read();
    assert_eq!(rig.radio.time_ns, 2_000_000 - 500_000);
    rig.read();
    assert_eq!(rig.radio.time_ns, 3_000_000 - 500_000);
}

#[test]
fn a_driver_hangs_until_it_is_released() {
    let mut rig = tape_rig("rtlsdr");
    for verb in ["hang_read", "hang_read once"] {
        rig.say(verb);
        let control = rig.control.clone();
        let release = spawn(move || {
            sleep(Duration::from_millis(150));
            say(&control, "clear")
        });
        let began = Instant::now();
        assert_eq!(rig.read(), 1000);
        assert!(began.elapsed() >= Duration::from_millis(140), "{verb}");
        release.join().expect("the other thread");
    }
    rig.say("hang_deactivate once for 100ms");
    let began = Instant::now();
    rig.radio.deactivate();
    assert!(began.elapsed() >= Duration::from_millis(95));
    rig.say("hang_unmake once for 100ms");
    let Rig { radio, folder, .. } = rig;
    let began = Instant::now();
    drop(radio);
    assert!(began.elapsed() >= Duration::from_millis(95));
    drop(folder);
}

#[test]
fn an_exception_is_thrown_once() {
    let mut rig = tape_rig("rtlsdr");
    rig.say("throw");
    // The C API turns it into this code.
    assert_eq!(rig.read(), STREAM_ERROR);
    assert_eq!(rig.read(), 1000);
}

#[test]
fn samples_are_spoilt() {
    let mut rig = scene_rig();
    rig.say("stuck -128");
    assert!(rig.radio.take::<i8>(1000).iter().all(|code| *code == [-128, -128]));
    rig.say("clear");
    rig.say("zeros");
    assert!(rig.radio.take::<i8>(1000).iter().all(|code| *code == [0, 0]));
    rig.say("clear");
    rig.say("rail q");
    let codes = rig.radio.take::<i8>(1000);
    assert!(codes.iter().all(|code| code[1] == 0) && codes.iter().any(|code| code[0] != 0));
    rig.say("clear");
    rig.say("clip");
    let codes = rig.radio.take::<i8>(1000);
    let rails = codes.iter().flatten().filter(|rail| matches!(rail, -128 | 127)).count();
    assert!(rails > 1800, "{rails}");
    rig.say("clear");
    let usual = rig.radio.take::<i8>(100_000);
    rig.say("floor -20dB");
    let weak = rig.radio.take::<i8>(100_000);
    assert!((line_db(&usual, 0.2e6, RATE) - line_db(&weak, 0.2e6, RATE) - 20.0).abs() < 0.5);
    rig.say("floor +20dB");
    let jammed = rig.radio.take::<i8>(100_000);
    // The scene's noise is at -45 dBFS.
    assert!((power_db(&jammed) - 10.0 * (10f64.powf(-2.5) + 10f64.powf(-2.0)).log10()).abs() < 0.3);
    assert!((line_db(&jammed, 0.2e6, RATE) + 20.0).abs() < 0.5, "the emitter is as strong as before");
}

#[test]
fn floats_can_be_no_numbers() {
    let mut rig = Rig::new("model=hackrf,scene=SCENE,pace=0", "CF32");
    rig.say("nan");
    assert!(rig.radio.take::<f32>(100).iter().flatten().all(|rail| rail.is_nan()));
    rig.say("clear");
    rig.say("inf");
    assert!(rig.radio.take::<f32>(100).iter().flatten().all(|rail| rail.is_infinite()));
    rig.say("clear");
    assert!(rig.radio.take::<f32>(100).iter().flatten().all(|rail| rail.is_finite()));
}

#[test]
fn the_same_transfers_come_again() {
    for k in [1usize, 3] {
        let mut rig = Rig::new("model=hackrf,scene=SCENE,pace=0,mtu=1000", "CS8");
        let before = rig.radio.take::<i8>(5000);
        rig.say(&format!("repeat {k}"));
        let first = rig.radio.take::<i8>(k * 1000);
        assert!(first[..1000] != before[4000..]);
        for _ in 0..3 {
            assert!(rig.radio.take::<i8>(k * 1000) == first, "repeat {k}");
        }
        rig.say("clear");
        assert!(rig.radio.take::<i8>(k * 1000) != first);
    }
}

#[test]
fn the_clock_drifts_and_the_tuner_sticks() {
    let mut rig = scene_rig();
    rig.say("ppm +100");
    // 100.2 MHz is seen lower by 100 ppm of it, and the span's own scale is 20 Hz.
    let codes = rig.radio.take::<i8>(100_000);
    assert!((line_db(&codes, 200e3 - 10_020.0, RATE) + 20.0).abs() < 1.0);
    rig.say("clear");
    rig.say("retune_ignored");
    assert_eq!(rig.radio.tune(300e6), 0);
    assert_eq!(rig.radio.frequency(), 300e6, "it says that it is there");
    assert!((line_db(&rig.radio.take::<i8>(100_000), 0.2e6, RATE) + 20.0).abs() < 0.5);
    rig.say("clear");
    rig.radio.tune(300e6);
    assert!(line_db(&rig.radio.take::<i8>(100_000), 0.2e6, RATE) < -50.0);
}

#[test]
fn samples_are_dropped_without_a_word() {
    let mut rig = Rig::new("model=rtlsdr,recording=TAPE,mtu=10000", "CS8");
    rig.say("rate 0.5");
    // What had come before is whole.
    rig.radio.take::<i8>(40_000);
    let began = Instant::now();
    let first = rig.radio.take::<i8>(10_000);
    let (first_ns, mut last) = (rig.radio.time_ns, vec![]);
    for _ in 0..10 {
        last = rig.radio.take::<i8>(10_000);
    }
    let elapsed_s = began.elapsed().as_secs_f64();
    assert!((0.17..1.0).contains(&elapsed_s), "110 000 samples took {elapsed_s} s");
    assert_eq!(rig.radio.time_ns - first_ns, 100_000_000, "the driver counts what it gets");
    let counted = count(last[0]).wrapping_sub(count(first[0]));
    assert!((i32::from(counted) - (200_000 - 3 * 65_536)).abs() <= 60, "{counted}");
}

#[test]
fn gain_is_not_what_was_set() {
    let mut rig = scene_rig();
    assert_eq!(rig.radio.gain_of("VGA"), 20.0);
    rig.say("gain_changed -6dB");
    assert_eq!(rig.radio.gain_of("VGA"), 14.0);
    assert!((line_db(&rig.radio.take::<i8>(50_000), 0.2e6, RATE) + 26.0).abs() < 0.5);
}

#[test]
fn an_unplugged_radio_is_gone_until_it_is_made_again() {
    let mut rig = tape_rig("rtlsdr");
    assert_eq!(find(&rig.args).len(), 1);
    rig.say("vanish");
    assert_eq!(rig.read(), TIMEOUT);
    assert_eq!(find(&rig.args).len(), 0);
    assert_ne!(rig.radio.tune(200e6), 0);
    let again = format!("{},label=again", rig.args);
    assert!(Radio::make(&again).err().is_some_and(|error| error.contains("no device")));
    rig.say("clear vanish");
    assert_eq!(rig.read(), TIMEOUT, "what was open stays dead");
    assert_eq!(find(&rig.args).len(), 1);
    let Rig { radio, args, folder, .. } = rig;
    drop(radio);
    let mut radio = Radio::open(&args, "CS8");
    radio.rate(RATE);
    radio.activate();
    assert_eq!(radio.read(&mut [[0i8; 2]; 100], 20_000), 100);
    drop(folder);
}

#[test]
fn another_radio_is_there_or_none_can_be_had() {
    let rig = tape_rig("rtlsdr");
    rig.say("serial 00000099");
    assert_eq!(find(&rig.args)[0]["serial"], "00000099");
    assert_eq!(rig.radio.info()["serial"], "00000001", "what is open is what it was");
    // The same arguments would give the same device.
    let other = format!("{},seed=1", rig.args);
    assert_eq!(Radio::make(&other).expect("a device").info()["serial"], "00000099");
    rig.say("busy");
    assert!(Radio::make(&other).err().is_some_and(|error| error.contains("-6")));
    rig.say("clear");
    rig.say("slow_make 200ms");
    let began = Instant::now();
    Radio::make(&other).expect("a device");
    assert!(began.elapsed() >= Duration::from_millis(195));
}

/// A client in a process of its own, which reads until it dies.
fn client(control: &Path, folder: &Path) -> std::process::Child {
    let args = format!("--args=driver=emcon-sim,control={}", control.display());
    Command::new("SoapySDRUtil")
        .args([&args, "--rate=1e6", "--direction=RX"])
        .env("SOAPY_SDR_PLUGIN_PATH", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("SoapySDRUtil, of Debian's soapysdr-tools")
}

fn wait_for(control: &Path) {
    let began = Instant::now();
    while std::os::unix::net::UnixStream::connect(control).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "no socket");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn faults_outlive_a_client_that_is_killed() {
    let (folder, plugins) = (tempfile::tempdir().expect("a folder"), plugin_folder());
    let control = folder.path().join("control");
    let mut first = client(&control, plugins.path());
    wait_for(&control);
    assert_eq!(say(&control, "segv"), "ok");
    assert_eq!(first.wait().expect("an end").signal(), Some(11));
    let mut second = client(&control, plugins.path());
    wait_for(&control);
    sleep(Duration::from_millis(300));
    assert_eq!(second.try_wait().expect("a state"), None, "it happened once");
    assert_eq!(say(&control, "segv always"), "ok");
    assert_eq!(second.wait().expect("an end").signal(), Some(11));
    let mut third = client(&control, plugins.path());
    assert_eq!(third.wait().expect("an end").signal(), Some(11), "it happens to whoever comes");
}
