//! The bandwidth that an emitter occupies, measured on its own IQ: what SNR and truth refer to.

use num_complex::Complex32;
use rustfft::FftPlanner;

use super::waveform::{Shot, ShotIq, Waveform};

/// Shots averaged over.
const SHOTS: usize = 24;
/// Chunks of a continuous signal looked at together.
const ROW: usize = 8;
/// Shots looked through for them.
const LOOKED_THROUGH: usize = 600;
/// Bins a spectrum is resolved into.
const BINS: usize = 4096;

/// Frequencies below and above which half a percent of the power lies each (ITU-R SM.328: occupied bandwidth
/// with beta/2 = 0.5 %), relative to the shot's centre, hertz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occupied {
    /// Lower edge.
    pub low_hz: f64,
    /// Upper edge.
    pub high_hz: f64,
}

impl Occupied {
    /// Width, hertz.
    pub fn bandwidth_hz(self) -> f64 {
        self.high_hz - self.low_hz
    }
}

/// Bandwidth of the strongest shots of a waveform that start in `[from_s, to_s)`; `None` if there is none.
pub fn of_waveform(waveform: &dyn Waveform, from_s: f64, to_s: f64) -> Option<Occupied> {
    let mut shots: Vec<Shot> = Vec::new();
    let mut at = from_s;
    let step = (20.0 * waveform.longest_s()).clamp(0.05, 10.0);
    while at < to_s && shots.len() < LOOKED_THROUGH {
        waveform.shots(at, (at + step).min(to_s), &mut shots);
        at += step;
    }
    let strongest = shots.iter().map(|shot| shot.level_db).fold(f32::NEG_INFINITY, f32::max);
    shots.retain(|shot| shot.level_db >= strongest - 0.5);
    // Chunks of a continuous signal are seen in rows: alone, each would end in a click.
    let row = if waveform.continuous() { ROW } else { 1 };
    let stride = (shots.len() / row).div_ceil(SHOTS / row).max(1);
    let rows: Vec<ShotIq> =
        shots.chunks(row).step_by(stride).filter_map(|row| render(waveform, row)).collect();
    of_shots(&rows, waveform.continuous())
}

/// Shots one after the other as one.
fn render(waveform: &dyn Waveform, shots: &[Shot]) -> Option<ShotIq> {
    let mut all = waveform.render(shots.first()?);
    for shot in &shots[1..] {
        all.samples.extend(waveform.render(shot).samples);
    }
    Some(all)
}

/// Bandwidth of shots of one rate taken together, each counting by its energy; `within` leaves out what lies at
/// their beginnings and ends.
pub fn of_shots(shots: &[ShotIq], within: bool) -> Option<Occupied> {
    let rate_hz = shots.first()?.rate_hz;
    let longest = shots.iter().map(|shot| shot.samples.len()).max()?;
    let bins = if within { longest / 2 + 1 } else { longest }.next_power_of_two().clamp(256, BINS);
    let mut power = vec![0f64; bins];
    let fft = FftPlanner::new().plan_fft_forward(bins);
    let mut buffer = vec![Complex32::ZERO; bins];
    // Hann (von Hann's raised cosine) halves overlapping by half weigh all samples of a shot the same.
    let window: Vec<f32> =
        (0..bins).map(|i| (std::f32::consts::PI * i as f32 / bins as f32).sin().powi(2)).collect();
    let half = bins as i64 / 2;
    for shot in shots.iter().filter(|shot| shot.rate_hz == rate_hz) {
        let len = shot.samples.len() as i64;
        let (mut from, last) = if within { (0, len - 2 * half) } else { (-half, len - 1) };
        while from <= last {
            for (i, value) in buffer.iter_mut().enumerate() {
                let sample = usize::try_from(from + i as i64).ok().and_then(|at| shot.samples.get(at));
                *value = sample.copied().unwrap_or_default() * window[i];
            }
            fft.process(&mut buffer);
            for (sum, value) in power.iter_mut().zip(&buffer) {
                *sum += f64::from(value.norm_sqr());
            }
            from += half;
        }
    }
    edges(&power, rate_hz)
}

/// Edges of the power in FFT order, each interpolated within its bin.
fn edges(power: &[f64], rate_hz: f64) -> Option<Occupied> {
    let bins = power.len();
    let total: f64 = power.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let ascending = |i: usize| power[(i + bins / 2) % bins];
    let edge = |at: &mut dyn Iterator<Item = usize>| {
        let mut sum = 0.0;
        for (passed, i) in at.enumerate() {
            let next = sum + ascending(i);
            if next >= 0.005 * total {
                return passed as f64 + (0.005 * total - sum) / ascending(i);
            }
            sum = next;
        }
        bins as f64
    };
    let width = rate_hz / bins as f64;
    let low = edge(&mut (0..bins));
    let high = bins as f64 - edge(&mut (0..bins).rev());
    let middle = bins as f64 / 2.0 + 0.5;
    Some(Occupied { low_hz: (low - middle) * width, high_hz: (high - middle).max(low - middle) * width })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::Rng;

    /// Oracle: white noise fills its rate, of which 99 % is asked. Tolerance 1 %.
    #[test]
    fn noise_occupies_its_rate() {
        let mut rng = Rng::new(1);
        let samples =
            (0..200_000).map(|_| Complex32::new(rng.normal() as f32, rng.normal() as f32)).collect();
        let occupied = of_shots(&[ShotIq { rate_hz: 1e6, first_s: 0.0, samples }], false).unwrap();
        assert!((occupied.bandwidth_hz() - 0.99e6).abs() < 0.01e6, "{occupied:?}");
    }

    /// Oracle: two lines of equal power lie apart by their distance. Tolerance two bins.
    #[test]
    fn two_lines_give_their_distance() {
        let samples = (0..100_000)
            .map(|n| {
                let turn = |hz: f64| {
                    Complex32::from_polar(1.0, (std::f64::consts::TAU * hz / 1e6 * f64::from(n)) as f32)
                };
                turn(-150e3) + turn(250e3)
            })
            .collect();
        let occupied = of_shots(&[ShotIq { rate_hz: 1e6, first_s: 0.0, samples }], false).unwrap();
        assert!((occupied.low_hz + 150e3).abs() < 500.0, "{occupied:?}");
        assert!((occupied.high_hz - 250e3).abs() < 500.0, "{occupied:?}");
    }
}
