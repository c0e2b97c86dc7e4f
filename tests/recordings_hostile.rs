//! Recordings that lie, end early, or are something else. Each fault of the input has a test by its name; then
//! random and damaged files, where the only oracle is what must hold of every recording: no panic, one line of
//! error with the path, as many samples given as were announced.

use emcon::iq::{Received, Samples};
use emcon::recording::{Datatype, OpenOptions, Recording, RecordingError, archive, file_name, sigmf, wav};
use proptest::prelude::*;
use std::fs;
use std::io::Cursor;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with files in it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("writing to the temporary folder");
        path
    }

    /// A ci8 recording at 1 kS/s with `samples` samples.
    fn sigmf(&self, captures: &str, bytes: &[u8]) -> PathBuf {
        self.put("x.sigmf-data", bytes);
        self.put("x.sigmf-meta", meta(r#""ci8""#, "1000", captures))
    }
}

fn meta(datatype: &str, rate: &str, captures: &str) -> String {
    format!(
        r#"{{"global": {{"core:datatype": {datatype}, "core:sample_rate": {rate}, "core:version": "1.2.0"}},
            "captures": {captures}, "annotations": []}}"#
    )
}

/// RIFF with a data chunk whose size field says `size`.
fn wav_bytes(size: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes =
        [b"RIFF", 0xffff_ffffu32.to_le_bytes().as_slice(), b"WAVEfmt ", &[16, 0, 0, 0, 1, 0, 2, 0]].concat();
    bytes.extend([48000u32, 192_000].map(u32::to_le_bytes).concat());
    bytes.extend([4, 0, 16, 0]);
    bytes.extend([b"data", size.to_le_bytes().as_slice(), data].concat());
    bytes
}

fn archive_bytes(meta: &[u8], data: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in [("x/x.sigmf-meta", meta), ("x/x.sigmf-data", data)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes).expect("a tar in memory");
    }
    builder.into_inner().expect("a tar in memory")
}

fn raw_options() -> OpenOptions {
    OpenOptions { format: Some(Datatype::CI16_LE), rate_hz: Some(1e6), center_hz: None }
}

/// What reading a recording to its end gives.
#[derive(Debug, PartialEq)]
struct Reading {
    /// Samples of each segment, as bytes.
    segments: Vec<Vec<u8>>,
    samples: u64,
    lost: u64,
    warnings: Vec<String>,
}

fn read(path: &Path, options: &OpenOptions) -> Result<Reading, RecordingError> {
    Recording::open(path, options).and_then(drain)
}

/// Reads to the end and checks what holds of every recording.
fn drain(mut recording: Recording) -> Result<Reading, RecordingError> {
    let info = recording.info().clone();
    let mut block = recording.new_block();
    let mut segments: Vec<Vec<u8>> = Vec::new();
    let mut in_segment = 0;
    let mut samples = 0;
    loop {
        match recording.next(&mut block)? {
            Received::Segment(segment) => {
                assert_eq!(segment.index as usize, segments.len());
                assert!(segment.start_s.is_finite() && segment.tuning.rate_hz >= 1.0);
                segments.push(Vec::new());
                in_segment = 0;
            }
            Received::Block => {
                assert_eq!(block.first, in_segment);
                assert!(!block.samples.is_empty());
                in_segment += block.samples.len() as u64;
                samples += block.samples.len() as u64;
                segments.last_mut().expect("a segment before a block").extend(bytes_of(&block.samples));
            }
            Received::Gap(gap) => panic!("a recording has no {gap:?}"),
            Received::End => break,
        }
    }
    assert_eq!(recording.next(&mut block)?, Received::End, "the end stays");
    assert_eq!(samples, recording.samples_read());
    assert!(samples > 0, "an empty recording is an error");
    assert_eq!(segments.len(), info.segments.len());
    if let Some(duration_s) = info.duration_s {
        assert_eq!(samples, info.segments.iter().filter_map(|s| s.samples).sum::<u64>());
        assert!(duration_s.is_finite() && duration_s > 0.0);
    }
    Ok(Reading { segments, samples, lost: recording.lost_samples(), warnings: recording.warnings().to_vec() })
}

fn bytes_of(samples: &Samples) -> Vec<u8> {
    match samples {
        Samples::Cu8(v) => v.concat(),
        Samples::Ci8(v) => v.iter().flatten().map(|x| *x as u8).collect(),
        Samples::Ci16(v) => v.iter().flatten().flat_map(|x| x.to_le_bytes()).collect(),
        Samples::Cf32(v) => v.iter().flatten().flat_map(|x| x.to_le_bytes()).collect(),
    }
}

/// The error must give `status`, and be one line that begins with `path` and says `fault`.
#[track_caller]
fn refused(path: &Path, options: &OpenOptions, status: u8, fault: &str) {
    let error = read(path, options).expect_err("this recording is bad");
    let message = error.to_string();
    assert_eq!(error.exit_status(), status, "{message}");
    assert!(message.contains(fault), "{message:?} does not say {fault:?}");
    assert!(
        message.starts_with(path.to_str().expect("a path in UTF-8")),
        "{message:?} does not name {path:?}"
    );
    assert_one_line(&message);
}

fn assert_one_line(message: &str) {
    assert!(!message.contains(|c: char| c.is_control()), "{message:?} is not one line");
}

const NONE: OpenOptions = OpenOptions { format: None, rate_hz: None, center_hz: None };

// Each of the named faults.

#[test]
fn no_such_file() {
    refused(&Files::new().0.path().join("x.cu8"), &NONE, 66, "no such file");
    refused(&Files::new().0.path().join("x.sigmf-meta"), &NONE, 66, "no such file");
    refused(&Files::new().0.path().join("x.wav"), &NONE, 66, "no such file");
}

#[test]
fn a_folder() {
    let files = Files::new();
    refused(files.0.path(), &raw_options(), 66, "is a folder");
    for name in ["x.wav", "x.sigmf", "x.cu8", "y.sigmf-meta", "z.sigmf-data"] {
        fs::create_dir(files.0.path().join(name)).expect("a folder");
    }
    refused(&files.0.path().join("x.sigmf"), &NONE, 66, "is a folder");
    refused(&files.0.path().join("x.cu8"), &raw_options(), 66, "is a folder");
    refused(&files.0.path().join("x.wav"), &NONE, 66, "no ordinary file");
    refused(&files.0.path().join("y.sigmf-meta"), &NONE, 66, "no ordinary file");
    let data_is_folder = files.put("z.sigmf-meta", meta(r#""ci8""#, "1000", "[]"));
    let error = read(&data_is_folder, &NONE).expect_err("data are a folder");
    assert_eq!(error.exit_status(), 66, "{error}");
}

#[test]
fn a_metadata_file_without_its_data() {
    let files = Files::new();
    let path = files.put("x.sigmf-meta", meta(r#""ci8""#, "1000", "[]"));
    refused(&path, &NONE, 66, "samples are missing");
    let path = files.put("y.sigmf-meta", meta(r#""ci8", "core:dataset": "y.bin""#, "1000", "[]"));
    refused(&path, &NONE, 66, "y.bin");
}

#[test]
fn data_without_their_metadata() {
    let path = Files::new();
    let path = (path.put("x.sigmf-data", [0; 8]), path);
    refused(&path.0, &NONE, 66, "metadata are missing");
    assert_eq!(read(&path.0, &raw_options()).expect("raw by --format and --rate").samples, 2);
}

#[test]
fn a_dataset_outside_the_folder() {
    let files = Files::new();
    files.put("secret.bin", [0; 8]);
    fs::create_dir(files.0.path().join("in")).expect("a folder");
    for name in ["../secret.bin", "/etc/hostname", "..", r"..\\secret.bin"] {
        let path =
            files.put("in/x.sigmf-meta", meta(&format!(r#""ci8", "core:dataset": "{name}""#), "1000", "[]"));
        refused(&path, &NONE, 65, "no plain file name");
    }
}

#[test]
fn a_rate_of_zero_or_none_or_beyond_all_receivers() {
    let files = Files::new();
    files.put("x.sigmf-data", [0; 8]);
    for rate in ["0", "-2400000", "1e308", "1e-308", "1e999", "\"2.4M\"", "NaN", "[]"] {
        let path = files.put("x.sigmf-meta", meta(r#""ci8""#, rate, "[]"));
        refused(&path, &NONE, 65, "global.core:sample_rate");
    }
    let path = files.put("x.sigmf-meta", meta(r#""ci8""#, "null", "[]"));
    refused(&path, &NONE, 65, "global.core:sample_rate is missing");
    let mut wav = wav_bytes(8, &[0; 8]);
    wav[24..28].fill(0);
    refused(&files.put("x.wav", wav), &NONE, 65, "sample rate of 0");
    for rate_hz in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e308] {
        let options = OpenOptions { rate_hz: Some(rate_hz), ..raw_options() };
        let error = read(&files.put("x.bin", [0; 8]), &options).expect_err("no such rate");
        assert_eq!(error.exit_status(), 2);
        assert!(error.to_string().starts_with("--rate "), "{error}");
    }
}

#[test]
fn an_unknown_datatype() {
    let files = Files::new();
    files.put("x.sigmf-data", [0; 8]);
    for datatype in [r#""cf16_le""#, r#""""#, r#""rf32_le""#, r#""\u001b[2Jcu8\n""#, "8", "null", "{}"] {
        let path = files.put("x.sigmf-meta", meta(datatype, "1000", "[]"));
        refused(&path, &NONE, 65, "core:datatype");
    }
}

#[test]
fn a_capture_segment_outside_the_file() {
    for start in ["4", "5", "1e15", "18446744073709551615"] {
        let files = Files::new();
        let path = files
            .sigmf(&format!(r#"[{{"core:sample_start": 0}}, {{"core:sample_start": {start}}}]"#), &[0; 8]);
        refused(&path, &NONE, 65, "captures[1].core:sample_start");
    }
    let files = Files::new();
    let headers = r#"[{"core:sample_start": 0, "core:header_bytes": 18446744073709551615}]"#;
    refused(&files.sigmf(headers, &[0; 8]), &NONE, 65, "core:header_bytes");
}

#[test]
fn a_wav_whose_size_field_is_0_or_ffffffff() {
    let files = Files::new();
    for size in [0, u32::MAX] {
        let reading =
            read(&files.put("x.wav", wav_bytes(size, &[7; 43])), &NONE).expect("read until the end");
        assert_eq!((reading.samples, reading.lost), (10, 1));
        assert_eq!(reading.segments, [vec![7; 40]]);
        assert_eq!(reading.warnings.len(), 2, "{:?}", reading.warnings);
        refused(&files.put("empty.wav", wav_bytes(size, &[])), &NONE, 65, "not one whole sample");
    }
}

#[test]
fn what_is_no_wav() {
    let files = Files::new();
    refused(&files.put("x.wav", [0; 100]), &NONE, 65, "is no WAV file");
    refused(&files.put("x.wav", &wav_bytes(8, &[0; 8])[..36]), &NONE, 65, "no \"data\" chunk");
    refused(&files.put("x.wav", &wav_bytes(8, &[0; 8])[..20]), &NONE, 65, "no whole \"fmt \" chunk");
}

#[test]
fn an_empty_recording() {
    let files = Files::new();
    for bytes in [0, 1, 3] {
        let bytes = vec![0; bytes];
        refused(&files.put("x.bin", &bytes), &raw_options(), 65, "not one whole sample");
        refused(
            &files.put("x.wav", wav_bytes(bytes.len() as u32, &bytes)),
            &NONE,
            65,
            "not one whole sample",
        );
    }
    let archive = archive_bytes(meta(r#""ci8""#, "1000", "[]").as_bytes(), &[]);
    refused(&files.put("x.sigmf", archive), &NONE, 65, "not one whole sample");
    files.put("y.sigmf-data", [1]);
    let path = files.put("y.sigmf-meta", meta(r#""ci8""#, "1000", "[]"));
    let error = read(&path, &NONE).expect_err("one byte");
    assert!(matches!(&error, RecordingError::Empty { path } if path.ends_with("y.sigmf-data")), "{error}");
    for bytes in [&[][..], &[1, 2, 3]] {
        let stream = Recording::from_stream(bytes, "-", &raw_options());
        assert_eq!(stream.expect_err("no whole sample").to_string(), "-: holds not one whole sample");
    }
}

/// Whole samples are given, the rest is counted and said.
#[test]
fn whole_samples_before_a_truncation_are_given_and_the_loss_is_stated() {
    let files = Files::new();
    let check = |reading: Reading, samples, lost| {
        assert_eq!((reading.samples, reading.lost), (samples, lost), "{:?}", reading.warnings);
        assert_eq!(reading.warnings.len(), usize::from(lost > 0), "{:?}", reading.warnings);
    };
    check(read(&files.put("x.bin", [0; 8]), &raw_options()).expect("whole"), 2, 0);
    check(read(&files.put("x.bin", [0; 11]), &raw_options()).expect("cut"), 2, 1);
    check(read(&files.sigmf("[]", &[0; 9]), &NONE).expect("cut"), 4, 1);
    check(read(&files.put("x.wav", wav_bytes(400, &[0; 42])), &NONE).expect("cut"), 10, 90);
    check(
        read(&files.put("x.wav", wav_bytes(u32::MAX - 1, &[0; 42])), &NONE).expect("lying"),
        10,
        (1 << 30) - 10,
    );
    let archive = archive_bytes(meta(r#""ci8""#, "1000", "[]").as_bytes(), &[0; 1000]);
    let data_at = archive.len() - 1024 - 1024;
    check(read(&files.put("x.sigmf", &archive), &NONE).expect("whole"), 500, 0);
    check(read(&files.put("x.sigmf", &archive[..data_at + 101]), &NONE).expect("cut"), 50, 450);
    let stream = Recording::from_stream(Cursor::new([0; 11]), "-", &raw_options()).expect("cut");
    check(drain(stream).expect("cut"), 2, 1);
}

/// The archive says how long its data were: a segment behind the cut is lost, not a lie.
#[test]
fn a_cut_archive_loses_the_segments_behind_the_cut() {
    let files = Files::new();
    let captures = r#"[{"core:sample_start": 0}, {"core:sample_start": 30}, {"core:sample_start": 400}]"#;
    let archive = archive_bytes(meta(r#""ci8""#, "1000", captures).as_bytes(), &[0; 1000]);
    let data_at = archive.len() - 1024 - 1024;
    let reading = read(&files.put("x.sigmf", &archive[..data_at + 101]), &NONE).expect("cut");
    assert_eq!(reading.segments.iter().map(Vec::len).collect::<Vec<_>>(), [60, 40]);
    assert_eq!((reading.samples, reading.lost), (50, 450));
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_read() {
    let files = Files::new();
    let path = files.sigmf(r#"[{"core:sample_start": 0}, {"core:sample_start": 10}]"#, &[7; 100]);
    let mut recording = Recording::open(&path, &NONE).expect("whole").with_block_samples(NonZeroUsize::MIN);
    let data = fs::OpenOptions::new().write(true).open(path.with_extension("sigmf-data")).expect("the data");
    data.set_len(15).expect("cut");
    let mut block = recording.new_block();
    let received = std::iter::from_fn(|| match recording.next(&mut block).expect("readable") {
        Received::End => None,
        received => Some(received),
    });
    assert_eq!(received.filter(|r| matches!(r, Received::Block)).count(), 7);
    assert_eq!((recording.samples_read(), recording.lost_samples()), (7, 43));
    assert_eq!(recording.warnings(), ["became shorter while it was read: 43 samples are lost"]);
}

#[test]
fn raw_samples_without_format_or_rate_are_a_usage_error() {
    let files = Files::new();
    refused(&files.put("x.bin", [0; 8]), &NONE, 2, "give --format");
    refused(&files.put("x_433.92M.cu8", [0; 8]), &NONE, 2, "give --rate");
    let stream =
        |options| Recording::from_stream(Cursor::new([0; 8]), "-", &options).expect_err("nothing known");
    assert_eq!(stream(NONE).exit_status(), 2);
    assert_eq!(stream(OpenOptions { rate_hz: None, ..raw_options() }).exit_status(), 2);
}

#[test]
fn options_do_not_overrule_what_a_recording_says() {
    let files = Files::new();
    let path = files.sigmf(r#"[{"core:sample_start": 0, "core:frequency": 1e8}]"#, &[0; 8]);
    let same = OpenOptions { format: Some(Datatype::CI8), rate_hz: Some(1000.0), center_hz: Some(1e8) };
    assert_eq!(read(&path, &same).expect("the same again").samples, 4);
    refused(&path, &OpenOptions { format: Some(Datatype::CU8), ..NONE }, 65, "--format cu8 contradicts");
    refused(&path, &OpenOptions { rate_hz: Some(1001.0), ..NONE }, 65, "--rate 1001 contradicts");
    refused(&path, &OpenOptions { center_hz: Some(2e8), ..NONE }, 65, "--freq 200000000 contradicts");
}

#[test]
fn archives_that_hold_no_or_too_much() {
    let files = Files::new();
    refused(&files.put("x.sigmf", b""), &NONE, 65, "no tar archive");
    refused(&files.put("x.sigmf", [0x1f, 0x8b, 8, 0]), &NONE, 65, "gzip");
    refused(&files.put("x.sigmf", archive_bytes(b"{}", &[0; 8])), &NONE, 65, "missing field `global`");
    refused(&files.put("x.sigmf-collection", b"{}"), &NONE, 65, "name its recordings");
}

#[cfg(unix)]
#[test]
fn a_device_is_a_stream() {
    let zeros = Path::new("/dev/zero");
    let options = raw_options();
    let mut recording =
        Recording::open(zeros, &options).expect("a device").with_block_samples(NonZeroUsize::MIN);
    assert_eq!(recording.info().duration_s, None);
    let mut block = recording.new_block();
    assert!(matches!(recording.next(&mut block), Ok(Received::Segment(_))));
    assert!(matches!(recording.next(&mut block), Ok(Received::Block)));
    assert_eq!(block.samples, Samples::Ci16(vec![[0, 0]]));
}

// Files cut at every length: either an error or the whole samples before the cut.

#[test]
fn a_wav_cut_anywhere() {
    let files = Files::new();
    let data: Vec<u8> = (0..40).collect();
    let whole = wav_bytes(40, &data);
    for length in 0..=whole.len() {
        let path = files.put("x.wav", &whole[..length]);
        let samples = length.saturating_sub(44) / 4;
        match read(&path, &NONE) {
            Ok(reading) => {
                assert_eq!(reading.segments, [data[..4 * samples].to_vec()]);
                assert_eq!(reading.lost, 10 - samples as u64);
            }
            Err(error) => {
                assert!(samples == 0, "{length}: {error}");
                assert_eq!(error.exit_status(), 65);
            }
        }
    }
}

#[test]
fn an_archive_cut_anywhere() {
    let files = Files::new();
    let data: Vec<u8> = (0..100).collect();
    let whole = archive_bytes(meta(r#""ci8""#, "1000", "[]").as_bytes(), &data);
    let data_at = whole.len() - 1024 - 512;
    for length in 0..=whole.len() {
        let path = files.put("x.sigmf", &whole[..length]);
        let samples = length.saturating_sub(data_at).min(100) / 2;
        match read(&path, &NONE) {
            Ok(reading) => {
                assert_eq!(reading.segments, [data[..2 * samples].to_vec()]);
                assert_eq!(reading.lost, 50 - samples as u64);
            }
            Err(error) => {
                assert!(samples == 0, "{length}: {error}");
                assert_eq!(error.exit_status(), 65);
            }
        }
    }
}

#[test]
fn metadata_cut_anywhere() {
    let whole =
        meta(r#""ci8""#, "1e3", r#"[{"core:sample_start": 0, "core:datetime": "2024-05-17T09:30:00Z"}]"#);
    for length in 0..whole.len() {
        assert!(sigmf::read(&whole.as_bytes()[..length]).is_err(), "{length}");
    }
    assert!(sigmf::read(whole.as_bytes()).is_ok());
}

// Random and damaged files.

/// A file with some bytes overwritten, then cut.
fn damaged(whole: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let damage = prop::collection::vec((0..whole.len(), prop_oneof![any::<u8>(), Just(0), Just(0xff)]), 0..8);
    (damage, 0..=whole.len()).prop_map(move |(damage, length)| {
        let mut bytes = whole.clone();
        damage.into_iter().for_each(|(at, byte)| bytes[at] = byte);
        bytes.truncate(length.max(bytes.len() / 2));
        bytes
    })
}

/// Numbers as liars write them.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        (0u64..70).prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|x| format!("{x:e}")),
        prop::sample::select(vec!["-1", "1e308", "-0.0", "null", "true", "\"7\"", "[]", "{}"])
            .prop_map(String::from),
    ]
}

/// Metadata of the right shape with wrong values: most are refused, the others must be consistent.
fn lying_meta() -> impl Strategy<Value = String> {
    let datatype = prop::sample::select(vec![
        "cu8", "ci8", "ci16_le", "ci16_be", "cf32_le", "cf64_be", "ci32_le", "cu16_le",
    ]);
    let time = prop::sample::select(vec![
        r#""2024-05-17T09:30:00Z""#,
        r#""2024-05-17T09:30:00.01Z""#,
        r#""1970-01-01T00:00:00Z""#,
        r#""9999-12-31T23:59:59Z""#,
        "null",
        r#""x""#,
    ]);
    let small = || prop_oneof![20 => (0u64..70).prop_map(|n| n.to_string()), 1 => number()];
    let capture = (small(), prop::option::of(small()), prop::option::of(number()), time).prop_map(
        |(start, header, frequency, time)| {
            let mut capture = format!(r#"{{"core:sample_start": {start}, "core:datetime": {time}"#);
            header.into_iter().for_each(|n| capture += &format!(r#", "core:header_bytes": {n}"#));
            frequency.into_iter().for_each(|n| capture += &format!(r#", "core:frequency": {n}"#));
            capture + "}"
        },
    );
    let captures = prop::collection::vec(capture, 0..5);
    (datatype, number(), any::<bool>(), small(), captures).prop_map(
        |(datatype, rate, sane, trailing, captures)| {
            let rate = if sane { "1000".to_owned() } else { rate };
            let datatype = format!(r#""{datatype}", "core:trailing_bytes": {trailing}"#);
            meta(&datatype, &rate, &format!("[{}]", captures.join(", ")))
        },
    )
}

fn consistent(path: &Path, options: &OpenOptions) {
    match read(path, options) {
        Ok(_) => {}
        Err(error) => {
            assert_one_line(&error.to_string());
            assert!([2, 65, 66].contains(&error.exit_status()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_no_reason_to_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = sigmf::read(bytes.as_slice());
        let _ = wav::read(&mut Cursor::new(&bytes), bytes.len() as u64);
        let _ = archive::find(&mut Cursor::new(&bytes), bytes.len() as u64);
        let _ = file_name::read(&String::from_utf8_lossy(&bytes));
        let _ = emcon::recording::parse_quantity(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_names_are_no_reason_to_panic(name in "\\PC{0,60}", known in "(gqrx_)?[0-9_.MkHzsp]{0,40}[.](raw|wav|cu8)") {
        for name in [name, known] {
            let hints = file_name::read(&name);
            prop_assert!(hints.rate_hz.is_none_or(|hz| (1.0..=1e12).contains(&hz)));
            prop_assert!(hints.center_hz.is_none_or(|hz| (1.0..=1e12).contains(&hz)));
        }
    }

    #[test]
    fn a_damaged_wav_is_refused_or_consistent(bytes in damaged(wav_bytes(200, &[1; 200]))) {
        let files = Files::new();
        consistent(&files.put("x.wav", bytes), &NONE);
    }

    #[test]
    fn a_damaged_archive_is_refused_or_consistent(
        bytes in damaged(archive_bytes(meta(r#""ci16_le""#, "1000", r#"[{"core:sample_start": 3}]"#).as_bytes(), &[1; 600]))
    ) {
        let files = Files::new();
        consistent(&files.put("x.sigmf", bytes), &NONE);
    }

    #[test]
    fn lying_metadata_are_refused_or_consistent(meta in lying_meta(), bytes in 0usize..600) {
        let files = Files::new();
        files.put("x.sigmf-data", vec![1; bytes]);
        consistent(&files.put("x.sigmf-meta", meta), &NONE);
    }

    /// The samples of every segment are the same at any size of block.
    #[test]
    fn block_size_changes_nothing(bytes in prop::collection::vec(any::<u8>(), 48..200), size in 1usize..40, cut in 1u64..10) {
        let files = Files::new();
        let captures = format!(r#"[{{"core:sample_start": 0}}, {{"core:sample_start": {cut}, "core:header_bytes": 3}}]"#);
        let path = files.sigmf(&captures, &bytes);
        let whole = read(&path, &NONE).unwrap();
        let recording = Recording::open(&path, &NONE).unwrap();
        let other = drain(recording.with_block_samples(NonZeroUsize::new(size).unwrap())).unwrap();
        prop_assert_eq!(&whole, &other);
        let (cut, end) = (2 * cut as usize, bytes.len() - (bytes.len() - 3) % 2);
        prop_assert_eq!(whole.segments, [bytes[..cut].to_vec(), bytes[cut + 3..end].to_vec()]);
    }
}
