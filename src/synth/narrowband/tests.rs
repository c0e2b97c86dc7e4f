//! Waveforms against the numbers of their standards, by transforms and discriminators of the test's own.

use std::f64::consts::TAU;

use num_complex::{Complex32, Complex64};

use super::{NAMES, build, pulse::Pulse};
use crate::synth::occupied;
use crate::synth::waveform::{Shot, WaveParams, Waveform};

fn wave(kind: &str, table: toml::Table, on: &[[f64; 2]]) -> Box<dyn Waveform> {
    let params = WaveParams { freq_hz: 433e6, on: on.to_vec(), table };
    build(kind, &params, 11).expect("the kind exists").unwrap_or_else(|fault| panic!("{kind}: {fault}"))
}

fn plain(kind: &str) -> Box<dyn Waveform> {
    wave(kind, toml::Table::new(), &[])
}

fn shots(wave: &dyn Waveform, from_s: f64, to_s: f64) -> Vec<Shot> {
    let mut out = Vec::new();
    wave.shots(from_s, to_s, &mut out);
    out
}

/// Samples of a continuous signal over the chunks in a stretch of time, one after the other.
fn stretch(wave: &dyn Waveform, from_s: f64, to_s: f64) -> (f64, Vec<Complex32>) {
    let mut samples = Vec::new();
    let mut rate_hz = 0.0;
    for shot in shots(wave, from_s, to_s) {
        let iq = wave.render(&shot);
        rate_hz = iq.rate_hz;
        samples.extend(iq.samples);
    }
    (rate_hz, samples)
}

/// Instantaneous frequency, hertz.
fn discriminate(rate_hz: f64, samples: &[Complex32]) -> Vec<f64> {
    samples.windows(2).map(|s| f64::from((s[1] * s[0].conj()).arg()) * rate_hz / TAU).collect()
}

/// Oracle: the trait's contract. Cut intervals give the same shots, in order and with the on-time promised;
/// mean power is 1 within 10 %; nothing is longer or wider than said (0.2 % of the power may lie outside).
#[test]
fn every_kind_keeps_the_contract() {
    for kind in NAMES {
        let wave = plain(kind);
        let whole = shots(wave.as_ref(), 0.0, 12.0);
        assert!(!whole.is_empty(), "{kind} is never on");
        assert!(whole.windows(2).all(|s| s[0].start_s <= s[1].start_s), "{kind}: out of order");
        let mut parts = Vec::new();
        for i in 0..1200 {
            parts.extend(shots(wave.as_ref(), f64::from(i) * 0.01, f64::from(i + 1) * 0.01));
        }
        assert_eq!(parts.len(), whole.len(), "{kind}");
        assert!(parts == whole, "{kind}: a cut changes the shots");
        for shot in whole.iter().step_by(whole.len().div_ceil(5)) {
            let iq = wave.render(shot);
            let length_s = iq.samples.len() as f64 / iq.rate_hz;
            assert!(length_s <= wave.longest_s() + 2.0 / iq.rate_hz, "{kind}: {length_s} s");
            assert!(iq.rate_hz >= 1.25 * wave.span_hz(), "{kind}: {} of {}", iq.rate_hz, wave.span_hz());
            assert!((length_s - shot.duration_s).abs() < 0.2 * shot.duration_s, "{kind}: {length_s} s");
            let energy: f64 = iq.samples.iter().map(|s| f64::from(s.norm_sqr())).sum();
            let power = energy / iq.rate_hz / shot.duration_s;
            assert!((power - 1.0).abs() < 0.1, "{kind}: mean power {power}");
            assert!(iq == wave.render(shot), "{kind}: not a function of the shot");
            assert!(outside(wave.span_hz(), iq.rate_hz, &iq.samples) < 2e-3, "{kind}: wider than it says");
        }
    }
}

/// Share of the power outside of `span_hz`, under a window of low side lobes (Hann).
fn outside(span_hz: f64, rate_hz: f64, samples: &[Complex32]) -> f64 {
    let n = samples.len();
    let mut x: Vec<Complex32> = samples
        .iter()
        .enumerate()
        .map(|(i, s)| s * (0.5 - 0.5 * (TAU * (i as f64 + 0.5) / n as f64).cos()) as f32)
        .collect();
    rustfft::FftPlanner::new().plan_fft_forward(n).process(&mut x);
    let (mut out, mut all) = (0.0, 0.0);
    for (i, value) in x.iter().enumerate() {
        let cycles = if 2 * i < n { i as f64 } else { i as f64 - n as f64 } / n as f64;
        let power = f64::from(value.norm_sqr());
        all += power;
        if (cycles * rate_hz).abs() > span_hz / 2.0 {
            out += power;
        }
    }
    out / all
}

/// Oracle: necessary bandwidths in emission designators (ITU-R SM.1138; type approvals of each system), voice
/// being quieter than the test tone that analogue designators assume; for broadcast, multiplex power about that
/// of ITU-R BS.412 (a tone of 19 kHz peak deviation: 13 kHz RMS, so 99 % within some 70 kHz and up). Ranges as
/// given.
#[test]
fn occupied_bandwidths_are_those_of_the_systems() {
    let cases = [
        ("nfm", toml::Table::new(), 4e3, 11e3),
        ("nfm", toml::toml! { deviation_hz = 5000 }, 6e3, 16e3),
        ("wfm", toml::Table::new(), 40e3, 130e3),
        ("fm-broadcast", toml::Table::new(), 60e3, 200e3),
        ("dmr", toml::Table::new(), 6.5e3, 8.5e3),
        ("dmr", toml::toml! { role = "base" }, 6.5e3, 8.5e3),
        ("dpmr", toml::Table::new(), 3.0e3, 4.35e3),
        ("nxdn", toml::Table::new(), 3.0e3, 4.35e3),
        ("nxdn", toml::toml! { symbol_rate = 4800 }, 6.8e3, 8.6e3),
        ("p25", toml::Table::new(), 6.5e3, 8.6e3),
        ("tetra", toml::Table::new(), 19e3, 22e3),
        ("lora", toml::Table::new(), 120e3, 140e3),
        ("ook", toml::Table::new(), 2e3, 40e3),
        ("fsk", toml::Table::new(), 48e3, 68e3),
        ("cw", toml::Table::new(), 0.0, 200.0),
        ("swept-line", toml::Table::new(), 470e3, 520e3),
        ("microwave-oven", toml::Table::new(), 6e6, 12e6),
    ];
    for (kind, table, low, high) in cases {
        let wave = wave(kind, table.clone(), &[]);
        let width = occupied::of_waveform(wave.as_ref(), 0.0, 60.0).unwrap().bandwidth_hz();
        assert!((low..=high).contains(&width), "{kind} {table}: {width:.0} Hz, not {low} to {high}");
    }
}

/// Oracle: frequency modulation has a constant envelope. Tolerance 1e-3.
#[test]
fn frequency_modulation_has_a_constant_envelope() {
    for kind in ["nfm", "wfm", "fm-broadcast", "dpmr", "nxdn", "p25", "cw", "clock-spur", "swept-line"] {
        let wave = plain(kind);
        let (_, samples) = stretch(wave.as_ref(), 1.0, 1.2);
        assert!(samples.iter().all(|s| (s.norm() - 1.0).abs() < 1e-3), "{kind}");
    }
}

/// Oracle: the signal is band limited, so the step between the last sample of a chunk and the first of the next
/// is no larger than steps within (of the instantaneous frequency, of which the largest within is taken).
#[test]
fn chunks_join_without_a_seam() {
    for kind in ["nfm", "wfm", "fm-broadcast", "dpmr", "nxdn", "p25", "cw", "clock-spur", "swept-line"] {
        let wave = plain(kind);
        let all = shots(wave.as_ref(), 3.0, 3.6);
        let largest =
            |samples: &[Complex32]| samples.windows(2).map(|s| (s[1] - s[0]).norm()).fold(0.0f32, f32::max);
        let mut within = 0f32;
        let mut across = 0f32;
        for pair in all.windows(2) {
            let (a, b) = (wave.render(&pair[0]).samples, wave.render(&pair[1]).samples);
            within = within.max(largest(&a));
            across = across.max((b[0] - a[a.len() - 1]).norm());
        }
        assert!(across <= 1.01 * within + 1e-4, "{kind}: {across} across, {within} within");
    }
}

/// Oracle: deviation and symbol rate of each standard. Symbols are read at their instants after the receiver's
/// filter, and must lie on the four levels. Tolerance 12 % of the unit (pulse truncation) for 99 % of them.
#[test]
fn four_levels_stand_where_the_standard_puts_them() {
    let matched = |sps| Some(Pulse::root_raised_cosine(sps, 0.2));
    let inverse_sinc = |sps: usize| {
        Pulse::of_response(sps, 0.6, |f| {
            let x = std::f64::consts::PI * f;
            super::pulse::raised_cosine(f, 0.2).sqrt() * if x.abs() < 1e-9 { 1.0 } else { x / x.sin() }
        })
    };
    // P25 receives with an integrate-and-dump filter of one symbol (TIA-102.BAAA).
    let boxcar = |sps: usize| Pulse { sps, taps: [vec![0.5], vec![1.0; sps - 1], vec![0.5]].concat() };
    let cases = [
        ("dmr", toml::toml! { role = "base" }, 648.0, 10, matched(10)),
        ("dpmr", toml::Table::new(), 350.0, 20, matched(20)),
        ("nxdn", toml::Table::new(), 350.0, 20, Some(inverse_sinc(20))),
        ("nxdn", toml::toml! { symbol_rate = 4800 }, 800.0, 10, Some(inverse_sinc(10))),
        ("p25", toml::Table::new(), 600.0, 10, Some(boxcar(10))),
    ];
    for (kind, table, unit_hz, sps, filter) in cases {
        let wave = wave(kind, table, &[]);
        let (rate_hz, samples) = stretch(wave.as_ref(), 0.5, 1.5);
        let frequency = discriminate(rate_hz, &samples);
        let taps = filter.unwrap().taps;
        let gain: f64 = taps.iter().sum();
        let filtered: Vec<f64> = frequency
            .windows(taps.len())
            .map(|f| f.iter().zip(&taps).map(|(f, tap)| f * tap).sum::<f64>() / gain / unit_hz)
            .collect();
        let misses = |phase: usize| {
            let symbols: Vec<f64> = filtered.iter().skip(phase).step_by(sps).copied().collect();
            let wrong = symbols
                .iter()
                .filter(|x| [-3.0, -1.0, 1.0, 3.0f64].iter().all(|level| (*x - level).abs() > 0.24))
                .count();
            wrong as f64 / symbols.len() as f64
        };
        let best = (0..sps).map(misses).fold(1.0, f64::min);
        assert!(best < 0.01, "{kind}: {best} of the symbols off their level");
        let worst = (0..sps).map(misses).fold(0.0, f64::max);
        assert!(worst > 0.2, "{kind}: every instant reads the same, {worst}");
    }
}

/// Oracle: ETSI TS 102 361-1 and EN 300 392-2; DMR's ramps of 1 ms lie outside of its 27.5 ms, and the last 0.364 ms of
/// a raised cosine are above half power. Tolerance 1 us.
#[test]
fn slots_follow_each_other_as_the_standards_say() {
    for (kind, on_s, period_s) in
        [("dmr", 27.5e-3 + 2.0 * 0.364e-3, 60e-3), ("tetra", 231.0 / 18e3, 17.0 / 300.0)]
    {
        let wave = plain(kind);
        let all = shots(wave.as_ref(), 0.0, 0.9);
        assert!((all.len() as f64 - 0.9 / period_s).abs() <= 1.0, "{kind}: {}", all.len());
        for pair in all.windows(2) {
            assert!((pair[1].start_s - pair[0].start_s - period_s).abs() < 1e-6, "{kind}");
            assert!((pair[0].duration_s - on_s).abs() < 1e-6, "{kind}");
        }
    }
}

/// Oracle: pi/4-DQPSK steps by odd multiples of an eighth of a turn at the symbols' instants, after the matched
/// filter. Tolerance 6 degrees for 99 % of the steps.
#[test]
fn tetra_steps_by_odd_eighths() {
    let wave = wave("tetra", toml::toml! { role = "base" }, &[]);
    let (_, samples) = stretch(wave.as_ref(), 0.1, 0.5);
    let taps = Pulse::root_raised_cosine(4, 0.35).taps;
    let filtered: Vec<Complex64> = samples
        .windows(taps.len())
        .map(|w| w.iter().zip(&taps).map(|(s, tap)| Complex64::new(s.re.into(), s.im.into()) * *tap).sum())
        .collect();
    let off = |phase: usize| {
        let symbols: Vec<Complex64> = filtered.iter().skip(phase).step_by(4).copied().collect();
        let wrong = symbols
            .windows(2)
            .filter(|s| {
                let eighths = (s[1] * s[0].conj()).arg() / TAU * 8.0;
                let nearest = ((eighths - 1.0) / 2.0).round() * 2.0 + 1.0;
                (eighths - nearest).abs() * 45.0 > 6.0
            })
            .count();
        wrong as f64 / symbols.len() as f64
    };
    assert!(off(0) < 0.01, "{}", off(0));
    assert!(off(2) > 0.2, "{}", off(2));
}

/// Oracle: a tone of the deviation asked for at the frequency asked for. Tolerance 5 %.
#[test]
fn sub_audible_tone_is_there() {
    let wave = wave("nfm", toml::toml! { ctcss_hz = 88.5 audio = "silence" }, &[]);
    let (rate_hz, samples) = stretch(wave.as_ref(), 0.0, 2.0);
    let frequency = discriminate(rate_hz, &samples);
    let tone: Complex64 = frequency
        .iter()
        .enumerate()
        .map(|(n, f)| f * Complex64::cis(-TAU * 88.5 * n as f64 / rate_hz))
        .sum::<Complex64>()
        / frequency.len() as f64;
    assert!((2.0 * tone.norm() - 500.0).abs() < 25.0, "{} Hz", 2.0 * tone.norm());
}

/// Oracle: ITU-R BS.450: the pilot at 19 kHz deviates by 8 to 10 % of 75 kHz.
#[test]
fn broadcast_has_its_pilot() {
    let wave = plain("fm-broadcast");
    let (rate_hz, samples) = stretch(wave.as_ref(), 0.0, 0.5);
    let frequency = discriminate(rate_hz, &samples);
    let pilot: Complex64 = frequency
        .iter()
        .enumerate()
        .map(|(n, f)| f * Complex64::cis(-TAU * 19e3 * n as f64 / rate_hz))
        .sum::<Complex64>()
        / frequency.len() as f64;
    let share = 2.0 * pilot.norm() / 75e3;
    assert!((0.08..=0.10).contains(&share), "{share}");
}

/// Oracle: chirps of a known slope. Multiplied with a chirp the other way, each up-chirp of the preamble becomes
/// one line: 80 % of a symbol's energy in three bins.
#[test]
fn lora_dechirps_to_lines() {
    let wave = plain("lora");
    let shot = shots(wave.as_ref(), 0.0, 12.0)[0];
    let iq = wave.render(&shot);
    let n = (128.0 / 125e3 * iq.rate_hz) as usize;
    for symbol in 1..8 {
        let mut x: Vec<Complex32> = (0..n)
            .map(|i| {
                let t = i as f64 / n as f64;
                let down = Complex64::cis(-TAU * 128.0 * (0.5 * t * t - 0.5 * t));
                iq.samples[symbol * n + i] * Complex32::new(down.re as f32, down.im as f32)
            })
            .collect();
        rustfft::FftPlanner::new().plan_fft_forward(n).process(&mut x);
        let power: Vec<f32> = x.iter().map(|v| v.norm_sqr()).collect();
        let peak = (0..n).max_by(|a, b| power[*a].total_cmp(&power[*b])).unwrap();
        let near = power[peak] + power[(peak + 1) % n] + power[(peak + n - 1) % n];
        let share = near / power.iter().sum::<f32>();
        assert!(share > 0.8, "symbol {symbol}: {share}");
    }
}

/// Oracle: the mains. Bursts of an oven come each period and fill less than half of it; impulses twice.
#[test]
fn mains_locked_interference_keeps_the_mains() {
    for (kind, period_s) in [("microwave-oven", 0.02), ("mains-impulses", 0.01)] {
        let wave = plain(kind);
        let all = shots(wave.as_ref(), 0.0, 1.0);
        assert!((all.len() as f64 - 1.0 / period_s).abs() <= 1.0, "{kind}: {}", all.len());
        for pair in all.windows(2) {
            assert!((pair[1].start_s - pair[0].start_s - period_s).abs() < 1e-4, "{kind}");
            assert!(pair[0].duration_s < 0.5 * period_s, "{kind}");
        }
    }
}

#[test]
fn unknown_keys_and_bad_values_are_refused_by_name() {
    let refused = |kind: &str, table: toml::Table| {
        let params = WaveParams { table, ..WaveParams::default() };
        build(kind, &params, 1).expect("the kind exists").err().expect("an error")
    };
    assert!(refused("nfm", toml::toml! { deviation = 2500 }).contains("deviation"));
    assert!(refused("nfm", toml::toml! { dcs = "899" }).contains("dcs"));
    assert!(refused("lora", toml::toml! { spreading_factor = 3 }).contains("spreading_factor"));
    assert!(refused("ook", toml::toml! { interval_s = 0.001 }).contains("interval_s"));
    assert!(build("smoke-signal", &WaveParams::default(), 1).is_none());
}
