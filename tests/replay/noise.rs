//! Noise holds nothing, however little of it there is: the floor under a short recording is known from few values.

use emcon::iq::{IqBlock, SampleFormat, Samples, Segment, Tuning};
use emcon::pipeline::{Front, FrontEvent, Output};

const CENTER_HZ: f64 = 433.92e6;

/// Standard deviation of the samples, steps of the converter.
const SPREAD: f64 = 12.0;

/// Gaussian noise by an 8-bit converter (Box-Muller over SplitMix64, G. Steele et al., OOPSLA 2014: not the
/// simulator's, which must not stand for itself).
fn noise(seed: u64, samples: usize) -> Samples {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    let step = |value: f64| (127.5 + SPREAD * value).round().clamp(0.0, 255.0) as u8;
    let mut sample = || {
        let (radius, angle) = ((-2.0 * (1.0 - uniform()).ln()).sqrt(), std::f64::consts::TAU * uniform());
        [step(radius * angle.cos()), step(radius * angle.sin())]
    };
    Samples::Cu8((0..samples).map(|_| sample()).collect())
}

/// How many bursts and carriers, and what is said of them, in `samples` at `rate_hz`.
fn found(samples: Samples, rate_hz: f64) -> (usize, usize) {
    let mut front = Front::new();
    let mut back = super::back();
    let (mut events, mut out) = (Vec::new(), Vec::new());
    let tuning = Tuning { rate_hz, center_hz: Some(CENTER_HZ) };
    let format = SampleFormat::Cu8;
    front.begin(&Segment { index: 0, tuning, start_s: 0.0, shared_axis: true, format }, &mut events);
    front.step(&IqBlock { samples, first: 0 }, &mut events);
    front.finish(&mut events);
    events.iter().for_each(|event| back.take(event, &mut out));
    back.finish(&mut out);
    let bursts = events.iter().filter(|event| matches!(event, FrontEvent::Burst(_) | FrontEvent::Carrier(_)));
    let said = out.iter().filter(|output| matches!(output, Output::Emitter(..) | Output::Alert(_)));
    (bursts.count(), said.count())
}

#[test]
fn nothing_is_found_in_short_noise() {
    let mut faults = Vec::new();
    for rate_hz in [48e3, 250e3, 2.4e6, 20e6] {
        for length_ms in [1.0, 2.0, 4.0, 8.0, 20.0] {
            for seed in 1..=12 {
                let found = found(noise(seed, (rate_hz * length_ms / 1e3) as usize), rate_hz);
                if found != (0, 0) {
                    faults.push(format!("{rate_hz} Hz, {length_ms} ms, seed {seed}: {found:?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "bursts, and what is said of them:\n{}", faults.join("\n"));
}
