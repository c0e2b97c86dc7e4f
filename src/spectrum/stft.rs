//! Overlapped, windowed transforms summed into slabs: the time-frequency cells that detection works on.
//!
//! Frames overlap by half, so that every sample is looked at, those at the seams of the taper with a quarter of
//! the best weight. The sign of every other window coefficient is turned, which moves
//! the spectrum by half its width: bins run from -rate/2 upwards without a copy.

use super::history::History;
use super::{kernels, window};
use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Sizes of the burst detector's transforms for a sample rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// Points of a transform, bins of a spectrum.
    pub bins: usize,
    /// Samples between frames.
    pub hop: usize,
    /// Frames summed into a slab.
    pub slab_frames: usize,
    /// Complex samples a second.
    pub rate_hz: f64,
}

impl Layout {
    /// The layout for `rate_hz`. A frame must be no longer than the shortest bursts (60 µs at 2.4 GHz, where
    /// receivers run fast; milliseconds in land mobile radio, where they may run slowly), a bin no wider than a
    /// channel of the narrow systems that share such a span.
    pub fn for_rate(rate_hz: f64) -> Self {
        const SLAB_S: f64 = 50e-6;
        let bins = match rate_hz {
            r if r < 1.2e6 => 128,
            r if r < 5e6 => 256,
            r if r < 25e6 => 512,
            r if r < 50e6 => 1024,
            _ => 2048,
        };
        let hop = bins / 2;
        let slab_frames = (SLAB_S * rate_hz / hop as f64).round().clamp(1.0, 8.0) as usize;
        Self { bins, hop, slab_frames, rate_hz }
    }

    /// Width of a bin, hertz.
    pub fn bin_hz(&self) -> f64 {
        self.rate_hz / self.bins as f64
    }

    /// Time between frames, seconds.
    pub fn hop_s(&self) -> f64 {
        self.hop as f64 / self.rate_hz
    }

    /// Samples by which slabs advance.
    pub fn slab_samples(&self) -> usize {
        self.hop * self.slab_frames
    }

    /// Time by which slabs advance, seconds.
    pub fn slab_s(&self) -> f64 {
        self.slab_samples() as f64 / self.rate_hz
    }

    /// Samples that a slab needs from its first on.
    pub fn slab_reach(&self) -> usize {
        self.slab_samples() + self.bins - self.hop
    }
}

/// Plans and scratch for one layout.
pub struct Stft {
    layout: Layout,
    fft: Arc<dyn Fft<f32>>,
    window: Vec<f32>,
    noise_bandwidth_hz: f64,
    frames: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Stft {
    /// Plans for `layout`.
    pub fn new(layout: Layout) -> Self {
        let shape = window::kaiser(layout.bins);
        // A sinusoid of amplitude 1 in the middle of a bin shall read 1 in the mean over the slab's frames.
        let scale = 1.0 / (shape.iter().sum::<f64>() * (layout.slab_frames as f64).sqrt());
        let coefficients = shape
            .iter()
            .enumerate()
            .map(|(i, w)| (w * if i % 2 == 0 { scale } else { -scale }) as f32)
            .collect();
        let fft = FftPlanner::new().plan_fft_forward(layout.bins);
        let scratch = vec![Complex32::default(); fft.get_inplace_scratch_len()];
        let frames = vec![Complex32::default(); layout.bins * layout.slab_frames];
        let noise_bandwidth_hz = window::noise_bandwidth_bins(&shape) * layout.bin_hz();
        Self { layout, fft, window: coefficients, noise_bandwidth_hz, frames, scratch }
    }

    /// Equivalent noise bandwidth of a bin, hertz.
    pub fn noise_bandwidth_hz(&self) -> f64 {
        self.noise_bandwidth_hz
    }

    /// Mean power per bin over the slab that begins at sample `start`.
    pub fn slab(&mut self, history: &History, start: u64, power: &mut [f32]) {
        for (i, frame) in self.frames.chunks_exact_mut(self.layout.bins).enumerate() {
            history.windowed(start + (i * self.layout.hop) as u64, &self.window, frame);
        }
        self.fft.process_with_scratch(&mut self.frames, &mut self.scratch);
        power.fill(0.0);
        for frame in self.frames.chunks_exact(self.layout.bins) {
            kernels::accumulate_power(frame, power);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iq::{SampleFormat, Samples};

    fn power_of(samples: Vec<[f32; 2]>, rate_hz: f64) -> (Layout, Vec<f32>) {
        let layout = Layout::for_rate(rate_hz);
        let mut history = History::new(SampleFormat::Cf32, layout.slab_reach());
        let n = samples.len();
        history.push(&Samples::Cf32(samples), 0, n);
        let mut power = vec![0.0; layout.bins];
        Stft::new(layout).slab(&history, 0, &mut power);
        (layout, power)
    }

    /// A sinusoid of amplitude 1 at +3 bins reads 1 there (0.1 %), in the order from -rate/2 upwards.
    #[test]
    fn amplitude_one_reads_one_in_its_bin() {
        let layout = Layout::for_rate(20e6);
        let tone = (0..layout.slab_reach())
            .map(|i| {
                let x = std::f32::consts::TAU * 3.0 * i as f32 / layout.bins as f32;
                [x.cos(), x.sin()]
            })
            .collect();
        let (layout, power) = power_of(tone, 20e6);
        let peak = layout.bins / 2 + 3;
        assert!((power[peak] - 1.0).abs() < 1e-3, "{}", power[peak]);
        assert!(power[peak + 20] < 1e-8);
    }

    /// What is not there yet counts as zero and does not panic.
    #[test]
    fn missing_samples_are_silence() {
        let (_, power) = power_of(vec![[0.0; 2]; 10], 2.4e6);
        assert!(power.iter().all(|p| *p == 0.0));
    }
}
