//! Every format that recorders write gives the samples, tunings and times that are in it.
//!
//! Oracles: `hound`, another author's WAV writer; crate `tar`'s writer; samples written down by hand; and the
//! recordings in `../shared/recordings` (or `EMCON_RECORDINGS`) if they are there. All comparisons are exact.

use emcon::iq::{Received, Samples, Segment};
use emcon::recording::{Datatype, OpenOptions, Recording};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

const NONE: OpenOptions = OpenOptions { format: None, rate_hz: None, center_hz: None };

/// All samples as floats, full scale 1, and the segments they are in.
fn read(path: &Path, options: &OpenOptions) -> (Vec<Segment>, Vec<[f32; 2]>) {
    let mut recording = Recording::open(path, options).expect("a good recording");
    let mut block = recording.new_block();
    let (mut segments, mut samples) = (Vec::new(), Vec::new());
    loop {
        match recording.next(&mut block).expect("a readable recording") {
            Received::Segment(segment) => segments.push(segment),
            Received::Block => extend(&mut samples, &block.samples),
            Received::Gap(gap) => panic!("a recording has no {gap:?}"),
            Received::End => break,
        }
    }
    assert_eq!(recording.lost_samples(), 0);
    (segments, samples)
}

fn extend(all: &mut Vec<[f32; 2]>, samples: &Samples) {
    match samples {
        Samples::Cu8(v) => all.extend(v.iter().map(|s| s.map(|x| (f32::from(x) - 127.5) / 128.0))),
        Samples::Ci8(v) => all.extend(v.iter().map(|s| s.map(|x| f32::from(x) / 128.0))),
        Samples::Ci16(v) => all.extend(v.iter().map(|s| s.map(|x| f32::from(x) / 32768.0))),
        Samples::Cf32(v) => all.extend(v),
    }
}

/// Values that reach both ends of `bits`, as `hound` takes them.
fn integers(bits: u32) -> Vec<i32> {
    let top = i32::MAX >> (32 - bits);
    vec![0, 1, -1, top, -top - 1, top / 3, -top / 5, 2]
}

#[test]
fn wav_of_every_integer_width() {
    let folder = tempfile::tempdir().expect("a folder");
    for bits in [8u16, 16, 24, 32] {
        let path = folder.path().join("x.wav");
        let sample_format = hound::SampleFormat::Int;
        let spec = hound::WavSpec { channels: 2, sample_rate: 48000, bits_per_sample: bits, sample_format };
        let mut writer = hound::WavWriter::create(&path, spec).expect("a WAV");
        let values = integers(u32::from(bits));
        values.iter().for_each(|&value| writer.write_sample(value).expect("a sample"));
        writer.finalize().expect("a whole WAV");
        let (segments, samples) = read(&path, &NONE);
        let full_scale = (1u64 << (bits - 1)) as f32;
        let expected: Vec<[f32; 2]> =
            values.chunks(2).map(|s| [s[0], s[1]].map(|x| x as f32 / full_scale)).collect();
        assert_eq!(samples, expected, "{bits} bits");
        assert_eq!(
            (segments.len(), segments[0].tuning.rate_hz, segments[0].tuning.center_hz),
            (1, 48000.0, None)
        );
    }
}

#[test]
fn wav_of_floats_of_any_scale() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("SDRSharp_20160101_231914Z_12345000Hz_IQ.wav");
    let sample_format = hound::SampleFormat::Float;
    let spec = hound::WavSpec { channels: 2, sample_rate: 2_400_000, bits_per_sample: 32, sample_format };
    let mut writer = hound::WavWriter::create(&path, spec).expect("a WAV");
    let values = [0.25f32, -1.0, 4096.0, 1e-20, f32::INFINITY, -0.0];
    values.iter().for_each(|&value| writer.write_sample(value).expect("a sample"));
    writer.finalize().expect("a whole WAV");
    let (segments, samples) = read(&path, &NONE);
    assert_eq!(samples.concat(), values);
    assert_eq!(segments[0].tuning.center_hz, Some(12.345e6), "from the file's name");
    let given = OpenOptions { center_hz: Some(7.1e6), ..NONE };
    assert_eq!(read(&path, &given).0[0].tuning.center_hz, Some(7.1e6), "an option wins over a name");
    let info = Recording::open(&path, &NONE).expect("a WAV").info().clone();
    assert_eq!((info.datatype.as_str(), info.duration_s), ("cf32_le", Some(3.0 / 2.4e6)));
    assert_eq!(info.segments[0].utc.expect("a date in the name").to_string(), "2016-01-01T23:19:14Z");
}

const META: &str = r#"{"global": {"core:datatype": "ci16_TYPE", "core:sample_rate": 1000, "core:version": "1.0.0"},
    "captures": [
        {"core:sample_start": 0, "core:frequency": 433920000, "core:datetime": "2024-05-17T09:30:00Z"},
        {"core:sample_start": 2, "core:frequency": 868300000, "core:datetime": "2024-05-17T09:30:00.5Z"}],
    "annotations": []}"#;
const VALUES: [i16; 6] = [1, -2, 300, -32768, 32767, 0];

fn little() -> Vec<u8> {
    VALUES.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn check_sigmf(path: &Path) {
    let (segments, samples) = read(path, &NONE);
    assert_eq!(samples.concat(), VALUES.map(|x| f32::from(x) / 32768.0), "{}", path.display());
    let seen: Vec<_> = segments.iter().map(|s| (s.tuning.center_hz, s.start_s, s.shared_axis)).collect();
    assert_eq!(seen, [(Some(433.92e6), 0.0, true), (Some(868.3e6), 0.5, true)], "{}", path.display());
    let info = Recording::open(path, &NONE).expect("a recording").info().clone();
    assert_eq!(info.duration_s, Some(0.501));
    assert_eq!(info.segments[1].utc.expect("a date").to_string(), "2024-05-17T09:30:00.5Z");
}

#[test]
fn sigmf_by_either_file_by_base_name_and_as_an_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = folder.path().join("room 1.5m");
    let meta = META.replace("TYPE", "le");
    fs::write(folder.path().join("room 1.5m.sigmf-meta"), &meta).expect("metadata");
    fs::write(folder.path().join("room 1.5m.sigmf-data"), little()).expect("data");
    check_sigmf(&base);
    check_sigmf(&folder.path().join("room 1.5m.sigmf-meta"));
    check_sigmf(&folder.path().join("room 1.5m.sigmf-data"));

    let archive = folder.path().join("packed.sigmf");
    let mut builder = tar::Builder::new(fs::File::create(&archive).expect("an archive"));
    builder.append_dir("room", folder.path()).expect("a folder inside");
    for ending in ["sigmf-data", "sigmf-meta"] {
        let file = folder.path().join(format!("room 1.5m.{ending}"));
        builder.append_path_with_name(file, format!("room/room.{ending}")).expect("a file inside");
    }
    builder.finish().expect("a whole archive");
    check_sigmf(&archive);
    check_sigmf(&folder.path().join("packed"));
}

#[test]
fn sigmf_big_endian_and_non_conforming() {
    let folder = tempfile::tempdir().expect("a folder");
    let big: Vec<u8> = VALUES.iter().flat_map(|x| x.to_be_bytes()).collect();
    let path = folder.path().join("x.sigmf-meta");
    fs::write(&path, META.replace("TYPE", "be")).expect("metadata");
    fs::write(folder.path().join("x.sigmf-data"), &big).expect("data");
    check_sigmf(&path);

    // A foreign file with a header before each segment and a trailer.
    let meta =
        META.replace("ci16_TYPE\"", "ci16_be\", \"core:dataset\": \"radio.dat\", \"core:trailing_bytes\": 5");
    let meta =
        meta.replace("\"core:sample_start\": 0,", "\"core:sample_start\": 0, \"core:header_bytes\": 7,");
    let meta =
        meta.replace("\"core:sample_start\": 2,", "\"core:sample_start\": 2, \"core:header_bytes\": 3,");
    fs::write(&path, meta).expect("metadata");
    fs::remove_file(folder.path().join("x.sigmf-data")).expect("data gone");
    let foreign = [&[0xee; 7][..], &big[..8], &[0xee; 3], &big[8..], &[0xee; 5]].concat();
    fs::write(folder.path().join("radio.dat"), foreign).expect("data");
    check_sigmf(&path);
}

#[test]
fn raw_files_take_format_rate_and_frequency_from_their_names_or_from_options() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    let tuning = |path: &Path, options: &OpenOptions| read(path, options).0[0].tuning;

    let rtl_433 = put("g001_433.92M_250k.cu8", &[0, 255, 128, 127]);
    let (segments, samples) = read(&rtl_433, &NONE);
    assert_eq!(samples, [[-127.5 / 128.0, 127.5 / 128.0], [0.5 / 128.0, -0.5 / 128.0]]);
    assert_eq!((segments[0].tuning.rate_hz, segments[0].tuning.center_hz), (250e3, Some(433.92e6)));
    let other = OpenOptions { rate_hz: Some(1e6), center_hz: Some(434e6), ..NONE };
    assert_eq!((tuning(&rtl_433, &other).rate_hz, tuning(&rtl_433, &other).center_hz), (1e6, Some(434e6)));
    let signed = OpenOptions { format: Some(Datatype::CI8), ..NONE };
    assert_eq!(read(&rtl_433, &signed).1[0], [0.0, -1.0 / 128.0]);

    let gqrx =
        put("gqrx_20220101_120000_433920000_1800000_fc.raw", &[1.5f32, -2.5].map(f32::to_le_bytes).concat());
    assert_eq!(read(&gqrx, &NONE).1, [[1.5, -2.5]]);
    assert_eq!((tuning(&gqrx, &NONE).rate_hz, tuning(&gqrx, &NONE).center_hz), (1.8e6, Some(433.92e6)));

    let cs16 = put("x.cs16", &little());
    let rate = OpenOptions { rate_hz: Some(2.4e6), ..NONE };
    assert_eq!(read(&cs16, &rate).1.concat(), VALUES.map(|x| f32::from(x) / 32768.0));
    assert_eq!(tuning(&cs16, &rate).center_hz, None);
    let bin = put("x.bin", &little());
    let big = OpenOptions { format: "ci16_be".parse().ok(), ..rate };
    assert_eq!(read(&bin, &big).1.concat(), VALUES.map(|x| f32::from(x.swap_bytes()) / 32768.0));
}

/// 100 GB of zeros that take no room on the disk: opening is immediate, and the end is where it should be.
#[test]
fn a_huge_file_is_opened_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.cs8");
    let file = fs::File::create(&path).expect("a file");
    if file.set_len(100_000_000_000).is_err() {
        writeln!(std::io::stderr(), "skipped: this file system has no sparse files").unwrap();
        return;
    }
    let options = OpenOptions { rate_hz: Some(20e6), ..NONE };
    let mut recording = Recording::open(&path, &options).expect("a recording");
    assert_eq!(recording.info().duration_s, Some(2500.0));
    let mut block = recording.new_block();
    for _ in 0..3 {
        recording.next(&mut block).expect("a segment and blocks");
    }
    assert_eq!(recording.samples_read(), 2 * 65536);
}

/// Name, rate, frequency, datatype and bytes a sample of the recordings made by others, from their README.
const OTHERS: [(&str, &str, f64, Option<f64>, u64); 10] = [
    ("lte-uplink-dongle.sigmf-meta", "ci16_le", 30.72e6, None, 4),
    ("lte-tdd-base-station-2645.sigmf-meta", "cu8", 1.92e6, Some(2645e6), 2),
    ("wifi-ofdm-radiated-26mbps.sigmf-meta", "ci16_le", 20e6, None, 4),
    ("gfsk-remote-2475.sigmf-meta", "ci8", 2e6, Some(2475e6), 2),
    ("p25-control-channel.sigmf-meta", "cf32_le", 48e3, None, 8),
    ("nfm-key-up-144.sigmf-meta", "cu8", 288e3, Some(144.47e6), 2),
    ("noise-144.sigmf-meta", "cu8", 288e3, Some(144.47e6), 2),
    ("ook-pager-keypad-433.sigmf-meta", "ci8", 2e6, Some(433.92e6), 2),
    ("adsb-1090.sigmf-meta", "cu8", 2e6, Some(1090e6), 2),
    ("nxdn96-iq-48k.wav", "ci16_le", 48e3, None, 4),
];

#[test]
fn recordings_made_by_others_are_read_whole() {
    let folder = std::env::var_os("EMCON_RECORDINGS")
        .map_or_else(|| PathBuf::from("../shared/recordings"), PathBuf::from);
    let mut ran = 0;
    for (name, datatype, rate_hz, center_hz, sample_bytes) in OTHERS {
        let path = folder.join(name);
        if !path.exists() {
            continue;
        }
        let data_bytes = match name.strip_suffix("-meta") {
            Some(base) => fs::metadata(folder.join(format!("{base}-data"))).expect("its data").len(),
            None => fs::metadata(&path).expect("itself").len() - 44,
        };
        let info = Recording::open(&path, &NONE).expect("a recording").info().clone();
        assert_eq!((info.datatype.as_str(), info.sample_rate_hz), (datatype, rate_hz), "{name}");
        let (segments, samples) = read(&path, &NONE);
        assert_eq!(segments.len(), 1, "{name}");
        assert_eq!(segments[0].tuning.center_hz, center_hz, "{name}");
        assert_eq!(samples.len() as u64, data_bytes / sample_bytes, "{name}");
        ran += 1;
    }
    println!("{ran} of {} recordings of {} read", OTHERS.len(), folder.display());
}
