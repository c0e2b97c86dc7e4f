//! Measurements for these tests: textbook forms over rustfft, nothing of the detector.

use num_complex::Complex32;
use rustfft::FftPlanner;

use crate::synth::{Shot, ShotIq, Waveform};

/// The shots of a window.
pub fn shots(waveform: &dyn Waveform, from_s: f64, to_s: f64) -> Vec<Shot> {
    let mut out = Vec::new();
    waveform.shots(from_s, to_s, &mut out);
    out
}

/// What the trait promises of any waveform, over `[from, to)`: order, cuts, repeatability, bounds, mean power
/// within `tolerance` averaged over the shots.
pub fn check_contract(waveform: &dyn Waveform, from_s: f64, to_s: f64, tolerance: f64) -> Vec<Shot> {
    let all = shots(waveform, from_s, to_s);
    assert!(!all.is_empty(), "no shot in the window");
    assert!(all.windows(2).all(|w| w[0].start_s <= w[1].start_s), "out of order");
    assert!(all.iter().all(|s| (from_s..to_s).contains(&s.start_s)));
    let mut keys: Vec<_> = all.iter().map(|s| (s.start_s.to_bits(), s.key)).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all.len(), "two shots with one start and key");
    for cut in [0.1, 0.37, 0.5, 0.9] {
        let cut = from_s + cut * (to_s - from_s);
        let mut parts = shots(waveform, from_s, cut);
        waveform.shots(cut, to_s, &mut parts);
        assert_eq!(parts, all, "cut at {cut}");
    }
    let (mut energy, mut on) = (0.0, 0.0);
    for shot in all.iter().take(200) {
        let iq = waveform.render(shot);
        assert_eq!(iq, waveform.render(shot), "rendered twice");
        let end_s = iq.first_s + iq.samples.len() as f64 / iq.rate_hz;
        assert!(shot.duration_s > 0.0 && end_s - iq.first_s <= waveform.longest_s() + 1e-6, "longest_s");
        assert!(iq.first_s <= shot.start_s + 1e-6 && end_s >= shot.start_s + shot.duration_s - 1e-6);
        energy += power(&iq.samples) * iq.samples.len() as f64 / iq.rate_hz;
        on += shot.duration_s;
        if waveform.continuous() {
            let grid = iq.first_s * iq.rate_hz;
            assert!((grid - grid.round()).abs() < 1e-3, "off the grid: {grid}");
        }
    }
    assert!((energy / on - 1.0).abs() < tolerance, "mean power {}", energy / on);
    all
}

/// The chunks of a continuous waveform, end to end.
pub fn joined(waveform: &dyn Waveform, from_s: f64, to_s: f64) -> ShotIq {
    let mut chunks = shots(waveform, from_s, to_s).into_iter().map(|shot| waveform.render(&shot));
    let mut all = chunks.next().unwrap();
    for chunk in chunks {
        let next = all.first_s + all.samples.len() as f64 / all.rate_hz;
        assert!((next - chunk.first_s).abs() < 1e-9, "a hole before {}", chunk.first_s);
        all.samples.extend(chunk.samples);
    }
    all
}

/// Samples of a rendered shot between two times after the shot's start.
pub fn part(shot: &Shot, iq: &ShotIq, from_s: f64, to_s: f64) -> Vec<Complex32> {
    let at = |t: f64| ((shot.start_s + t - iq.first_s) * iq.rate_hz).round() as usize;
    iq.samples[at(from_s)..at(to_s)].to_vec()
}

/// Mean power.
pub fn power(samples: &[Complex32]) -> f64 {
    samples.iter().map(|s| f64::from(s.norm_sqr())).sum::<f64>() / samples.len() as f64
}

/// Power spectrum in order of frequency, lowest first: mean of Hann-windowed periodograms at half overlap (Welch
/// 1967). Samples shorter than `size` are extended by zeros.
pub fn psd(samples: &[Complex32], size: usize) -> Vec<f64> {
    let fft = FftPlanner::new().plan_fft_forward(size);
    let mut sum = vec![0.0; size];
    let mut from = 0;
    loop {
        let mut block: Vec<Complex32> = samples[from..].iter().take(size).copied().collect();
        let len = block.len();
        for (n, value) in block.iter_mut().enumerate() {
            let w = 0.5 - 0.5 * (std::f32::consts::TAU * (n as f32 + 0.5) / len as f32).cos();
            *value *= w;
        }
        block.resize(size, Complex32::ZERO);
        fft.process(&mut block);
        for (k, value) in block.iter().enumerate() {
            sum[(k + size / 2) % size] += f64::from(value.norm_sqr());
        }
        from += size / 2;
        if from + size > samples.len() {
            return sum;
        }
    }
}

/// Lower and upper edge of the bandwidth that holds all but `1 - share` of the power, half of the rest on either
/// side (ITU-R SM.328: occupied bandwidth), hertz.
pub fn occupied(psd: &[f64], rate_hz: f64, share: f64) -> (f64, f64) {
    let total: f64 = psd.iter().sum();
    let edge = |values: &mut dyn Iterator<Item = (usize, &f64)>| {
        let mut left = total * (1.0 - share) / 2.0;
        for (k, v) in values {
            if left < *v {
                return (k, left / v);
            }
            left -= v;
        }
        (0, 0.0)
    };
    let bin = rate_hz / psd.len() as f64;
    let (low, into_low) = edge(&mut psd.iter().enumerate());
    let (high, into_high) = edge(&mut psd.iter().enumerate().rev());
    let hz = |k: f64| (k - psd.len() as f64 / 2.0 - 0.5) * bin;
    (hz(low as f64 + into_low), hz(high as f64 + 1.0 - into_high))
}

/// Width of [`occupied`] for 99 %.
pub fn obw99(samples: &[Complex32], rate_hz: f64) -> f64 {
    let (low, high) = occupied(&psd(samples, 4096.min(samples.len().next_power_of_two())), rate_hz, 0.99);
    high - low
}

/// Normalised correlation of the samples with themselves `lag` later.
pub fn lag(samples: &[Complex32], lag: usize) -> Complex32 {
    let (a, b) = (&samples[..samples.len() - lag], &samples[lag..]);
    let sum: Complex32 = a.iter().zip(b).map(|(a, b)| b * a.conj()).sum();
    let norm =
        (a.iter().map(|v| v.norm_sqr()).sum::<f32>() * b.iter().map(|v| v.norm_sqr()).sum::<f32>()).sqrt();
    sum / norm
}

/// Standard deviation of the envelope over its mean.
pub fn envelope_cv(samples: &[Complex32]) -> f64 {
    let n = samples.len() as f64;
    let mean = samples.iter().map(|s| f64::from(s.norm())).sum::<f64>() / n;
    let var = samples.iter().map(|s| (f64::from(s.norm()) - mean).powi(2)).sum::<f64>() / n;
    var.sqrt() / mean
}

/// Peak over mean power, dB.
pub fn papr_db(samples: &[Complex32]) -> f64 {
    let peak = samples.iter().map(|s| f64::from(s.norm_sqr())).fold(0.0, f64::max);
    10.0 * (peak / power(samples)).log10()
}

/// Instantaneous frequency, hertz.
pub fn frequency(samples: &[Complex32], rate_hz: f64) -> Vec<f64> {
    samples
        .windows(2)
        .map(|w| f64::from((w[1] * w[0].conj()).arg()) * rate_hz / std::f64::consts::TAU)
        .collect()
}

/// Value below which `share` of the values lie.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

/// Power outside of +-`beyond_hz` over power inside, dB, of short windows centred on `at` (indices).
pub fn splatter_db(
    samples: &[Complex32],
    rate_hz: f64,
    beyond_hz: f64,
    at: impl Iterator<Item = usize>,
) -> f64 {
    let (size, mut inside, mut outside) = (256, 0.0, 0.0);
    for middle in at {
        if middle < size / 2 || middle + size / 2 > samples.len() {
            continue;
        }
        for (k, p) in psd(&samples[middle - size / 2..middle + size / 2], size).iter().enumerate() {
            let hz = (k as f64 - size as f64 / 2.0) * rate_hz / size as f64;
            *(if hz.abs() > beyond_hz { &mut outside } else { &mut inside }) += p;
        }
    }
    assert!(inside > 0.0, "no window fits");
    10.0 * (outside / inside).log10()
}
