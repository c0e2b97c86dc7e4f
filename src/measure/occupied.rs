//! Where the power lies in frequency: power spectrum over the on-time, noise taken off, 99 % bandwidth.
//!
//! ITU-R SM.328 leaves 0.5 % of the power out on each side. Noise taken off leaves its fluctuation behind; where
//! that is more than the 0.5 %, a larger share is left out and the edge extrapolated from two shares, so that the
//! bandwidth is noisy at low SNR but not wrong by a factor (ITU-R SM.443 asks for SNR enough instead).

use super::channel::Channelizer;
use super::plans::Plans;
use num_complex::Complex32;
use std::f64::consts::TAU;
use std::ops::Range;

/// Longest segment of the spectrum estimate.
const LONGEST_SEGMENT: usize = 1024;
/// Segments at most: enough for 5 % per bin, and a bound of the cost.
const SEGMENTS: usize = 40;
/// Share of the power left out on each side (ITU-R SM.328-11 annex 1).
const LEFT_OUT: f64 = 0.005;
/// Below this product of on-time and bandwidth it is a pulse: no segments fit in, and its edges are its spectrum.
const SHORT: f64 = 24.0;
/// Bins from here on (fraction of the work rate) are filtered away too far to be put right.
const FLAT: f64 = 0.40;
/// Equivalent noise bandwidth of the Hann window, bins.
const HANN_ENBW: f64 = 1.5;
/// Standard deviations of the noise from which a bin stands out: some twelve independent ones are in a box, and with
/// few averages their tails are longer than a normal distribution's.
const STANDS: f64 = 4.0;
/// Independent averages per segment at half overlap (radio astronomy's 0.947).
const HANN_HALF: f64 = 0.947;

/// Where the signal is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occupied {
    /// Edges of the 99 % bandwidth relative to the channel's zero, hertz.
    pub lo_hz: f64,
    /// See `lo_hz`.
    pub hi_hz: f64,
    /// Bandwidth of white noise with as many independent values: (∫S)²/∫S², signal and noise, hertz.
    pub effective_hz: f64,
    /// Resolution of the estimate, hertz.
    pub resolution_hz: f64,
    /// Geometric over arithmetic mean inside the bandwidth.
    pub flatness: f64,
    /// Between the outermost points 6 dB below the plateau, hertz.
    pub six_db_hz: f64,
    /// Share of the power in the three bins around the highest.
    pub peak_share: f64,
}

impl Occupied {
    /// The 99 % bandwidth, but not less than what the estimate resolves.
    pub fn width_hz(&self) -> f64 {
        (self.hi_hz - self.lo_hz).max(self.resolution_hz)
    }
}

/// Where to look, in samples that came out of a [`Channelizer`].
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// Rate of the samples.
    pub rate_hz: f64,
    /// Factor they were decimated by.
    pub step: usize,
    /// Edges of the box relative to the channel's zero, hertz.
    pub lo_hz: f64,
    /// See `lo_hz`.
    pub hi_hz: f64,
    /// Noise power a hertz on the scale of the samples.
    pub noise_per_hz: f64,
}

/// The spectrum estimator and its memory.
pub struct Spectrometer {
    window: Vec<f32>,
    buffer: Vec<Complex32>,
    sums: Vec<f64>,
    excess: Vec<f64>,
    smooth: Vec<f64>,
    noise: Vec<f64>,
    bins: usize,
    bin_hz: f64,
    averages: f64,
}

impl Spectrometer {
    /// With memory for the longest segment.
    pub fn new() -> Self {
        let zeros = || vec![0.0; LONGEST_SEGMENT];
        Self {
            window: Vec::with_capacity(LONGEST_SEGMENT),
            buffer: vec![Complex32::default(); LONGEST_SEGMENT],
            sums: zeros(),
            excess: zeros(),
            smooth: zeros(),
            noise: zeros(),
            bins: 0,
            bin_hz: 0.0,
            averages: 1.0,
        }
    }

    /// Spectrum of `x` while `on`, then what lies in and around the band. `None` if there are too few samples or no power over
    /// the noise.
    pub fn occupied(
        &mut self,
        plans: &mut Plans,
        channelizer: &Channelizer,
        x: &[Complex32],
        on: Range<usize>,
        band: &Band,
    ) -> Option<Occupied> {
        let width_hz = band.hi_hz - band.lo_hz;
        let inside = x.get(on.clone())?;
        let pulse = (inside.len() as f64) * width_hz < SHORT * band.rate_hz;
        let over = if pulse && x.len() <= LONGEST_SEGMENT {
            self.energy(plans, x, inside.len(), band.rate_hz)?
        } else {
            self.estimate(plans, inside, band.rate_hz, width_hz)?;
            1.0
        };
        let bins = self.bins;
        let scale = over * band.noise_per_hz * self.bin_hz;
        for k in 0..bins {
            let f = k as f64 / bins as f64 - 0.5;
            let (own, aliased) = channelizer.response(band.step, f);
            let own = own.max(0.02);
            self.noise[k] = scale * aliased / own;
            self.excess[k] = self.sums[k] / own - self.noise[k];
        }
        let usable = if band.step > 1 { (FLAT * bins as f64) as usize } else { bins / 2 };
        let (first, last) = (bins / 2 - usable, (bins / 2 + usable).min(bins) - 1);
        let (from, to) = self.limits(first, last, band.lo_hz, band.hi_hz);
        self.summarise(from, to)
    }

    /// Hertz of the lower edge of bin `k`, fractions welcome.
    fn edge_hz(&self, k: f64) -> f64 {
        (k - 0.5 - (self.bins / 2) as f64) * self.bin_hz
    }

    /// Energy spectrum of all of `x` over `on` samples: of a pulse that begins and ends in it, nothing leaks, and the
    /// edges, which make most of its bandwidth, are inside. How much more noise is in it than in the on-time.
    fn energy(&mut self, plans: &mut Plans, x: &[Complex32], on: usize, rate_hz: f64) -> Option<f64> {
        if on < 8 {
            return None;
        }
        let bins = x.len().next_power_of_two().clamp(64, LONGEST_SEGMENT);
        let buffer = &mut self.buffer[..bins];
        buffer.fill(Complex32::default());
        buffer[..x.len()].copy_from_slice(x);
        plans.forward(buffer);
        let scale = 1.0 / (bins as f64 * on as f64);
        for (k, b) in buffer.iter().enumerate() {
            self.sums[(k + bins / 2) % bins] = scale * f64::from(b.norm_sqr());
        }
        self.bins = bins;
        self.bin_hz = rate_hz / bins as f64;
        self.averages = 1.0;
        Some(x.len() as f64 / on as f64)
    }

    /// Averaged power per bin into `sums`, zero frequency in the middle.
    fn estimate(&mut self, plans: &mut Plans, x: &[Complex32], rate_hz: f64, width_hz: f64) -> Option<()> {
        if x.len() < 16 {
            return None;
        }
        // As fine as an eightieth of the width if the burst is long enough for six segments of that.
        let wanted = (rate_hz / width_hz.max(rate_hz * 1e-3) * 80.0) as usize;
        let affordable = (x.len() * 2 / 7).max(32);
        let mut bins = 32;
        while bins * 2 <= LONGEST_SEGMENT && bins * 2 <= affordable && bins < wanted {
            bins *= 2;
        }
        if self.window.len() != bins {
            self.window.clear();
            self.window.extend((0..bins).map(|i| 0.5 - 0.5 * (TAU * i as f64 / bins as f64).cos() as f32));
        }
        let room = x.len().saturating_sub(bins);
        let segments = (2 * room / bins + 1).min(SEGMENTS);
        self.sums[..bins].fill(0.0);
        for s in 0..segments {
            let start = if segments > 1 { room * s / (segments - 1) } else { 0 };
            let piece = &x[start..(start + bins).min(x.len())];
            let buffer = &mut self.buffer[..bins];
            buffer.fill(Complex32::default());
            for ((b, x), w) in buffer.iter_mut().zip(piece).zip(&self.window) {
                *b = x * w;
            }
            plans.forward(buffer);
            for (k, b) in buffer.iter().enumerate() {
                self.sums[(k + bins / 2) % bins] += f64::from(b.norm_sqr());
            }
        }
        // Σ window² = 3/8 of the bins; with this scale the bins of a stretch sum to its mean power.
        let scale = 1.0 / (segments as f64 * 0.375 * (bins as f64).powi(2));
        self.sums[..bins].iter_mut().for_each(|p| *p *= scale);
        self.bins = bins;
        self.bin_hz = rate_hz / bins as f64;
        let covered = segments as f64 * bins as f64 / 2.0;
        let overlap = if covered > x.len() as f64 { x.len() as f64 / covered } else { 1.0 };
        self.averages = (segments as f64 * HANN_HALF * overlap).max(1.0);
        Some(())
    }

    /// First and last bin of what belongs to the box: where it stands out of the noise in and around the box, and a
    /// tenth more on each side for what lies below. Wider, and the noise taken off would leave more behind than the
    /// share looked for.
    fn limits(&mut self, first: usize, last: usize, lo_hz: f64, hi_hz: f64) -> (usize, usize) {
        let bin_of =
            |hz: f64| (hz / self.bin_hz + (self.bins / 2) as f64).round().clamp(first as f64, last as f64);
        let (lo, hi) = (bin_of(lo_hz) as usize, bin_of(hi_hz) as usize);
        let width = (hi + 1).saturating_sub(lo).max(1);
        let half = (width / 24).max(1);
        for k in 0..self.bins {
            let (a, b) = (k.saturating_sub(half), (k + half).min(self.bins - 1));
            self.smooth[k] = self.excess[a..=b].iter().sum::<f64>() / (b - a + 1) as f64;
        }
        let sigma = 1.0 / (self.averages * (2 * half + 1) as f64 / HANN_ENBW).sqrt();
        let stands = |k: usize| self.smooth[k] > STANDS * sigma * self.noise[k];
        let Some(lowest) = (lo..=hi).find(|&k| stands(k)) else { return (lo, hi) };
        let highest = (lowest..=hi).rev().find(|&k| stands(k)).unwrap_or(hi);
        let from = if lowest > lo { lowest } else { self.walk((first..lo).rev(), lo, width, sigma) };
        let to = if highest < hi { highest } else { self.walk(hi + 1..last + 1, hi, width, sigma) };
        let more = (to + 1 - from) / 10 + 1;
        (from.saturating_sub(more).max(first), (to + more).min(last))
    }

    /// How far what stands at `start` goes on along `bins`: not uphill again into something else, and not over more
    /// than a twelfth of its width of nothing.
    fn walk(&self, bins: impl Iterator<Item = usize>, start: usize, width: usize, sigma: f64) -> usize {
        let (mut end, mut least, mut nothing) = (start, self.smooth[start], 0);
        for k in bins.take((width / 4).max(4)) {
            let (level, noise) = (self.smooth[k], self.noise[k]);
            if level > 2.0 * least.max(0.0) + 4.0 * sigma * noise {
                break;
            }
            least = least.min(level);
            if level > 3.0 * sigma * noise {
                (end, nothing) = (k, 0);
            } else {
                nothing += 1;
                if nothing > width / 12 + 1 {
                    break;
                }
            }
        }
        end
    }

    fn summarise(&self, from: usize, to: usize) -> Option<Occupied> {
        let excess = &self.excess[from..=to];
        let power: f64 = excess.iter().sum();
        let noise: f64 = self.noise[from..=to].iter().sum();
        let count = excess.len() as f64;
        // Fluctuation of the noise in one half of the stretch, as a share of the power.
        let spread = noise / count * (count / 2.0 * HANN_ENBW / self.averages).sqrt();
        if !(power.is_finite() && power > 0.0 && power > 2.0 * spread) {
            return None;
        }
        let share = (2.0 * spread / power).clamp(LEFT_OUT, 0.15);
        let lo = self.edge(excess.iter(), power, share);
        let hi = self.edge(excess.iter().rev(), power, share);
        let (lo, hi) = (from as f64 + lo, to as f64 + 1.0 - hi);
        let (lo, hi) = if hi - lo >= 1.0 { (lo, hi) } else { ((lo + hi - 1.0) / 2.0, (lo + hi + 1.0) / 2.0) };
        let (lo, hi) = (lo.max(from as f64), hi.min(to as f64 + 1.0));
        let inside = &self.excess[(lo as usize).max(from)..=(hi as usize).min(to)];
        let highest = (from..=to).max_by(|&a, &b| self.excess[a].total_cmp(&self.excess[b])).unwrap_or(from);
        let peak: f64 = self.excess[highest.saturating_sub(1).max(from)..=(highest + 1).min(to)].iter().sum();
        let (sum, squares) = self.sums[from..=to].iter().fold((0.0, 0.0), |(s, q), p| (s + p, q + p * p));
        Some(Occupied {
            lo_hz: self.edge_hz(lo),
            hi_hz: self.edge_hz(hi),
            effective_hz: sum * sum / squares.max(f64::MIN_POSITIVE) * self.bin_hz,
            resolution_hz: self.bin_hz * HANN_ENBW,
            flatness: self.flatness(inside),
            six_db_hz: self.six_db_bins(from, to) * self.bin_hz,
            peak_share: (peak / power).clamp(0.0, 1.0),
        })
    }

    /// Bins from the outside of `excess` to where `LEFT_OUT` of the power is left out; `share` is what can be
    /// told from noise, and if it is more, the rest is extrapolated: the edges of most spectra are straight over
    /// the logarithm of the share.
    fn edge<'a>(&self, excess: impl Iterator<Item = &'a f64> + Clone, power: f64, share: f64) -> f64 {
        let at = cross(excess.clone(), power * share);
        if share <= LEFT_OUT {
            return at;
        }
        let further = cross(excess, power * share * 3.0);
        (at - (further - at) / 3f64.ln() * (share / LEFT_OUT).ln()).max(0.0)
    }

    fn flatness(&self, inside: &[f64]) -> f64 {
        let mean = inside.iter().sum::<f64>() / inside.len().max(1) as f64;
        if mean <= 0.0 {
            return 0.0;
        }
        let logs: f64 = inside.iter().map(|p| (p / mean).max(1e-4).ln()).sum();
        // A mean of K exponentials is low in the logarithm by about 1/(2K).
        (logs / inside.len() as f64 + 0.5 / self.averages).exp().min(1.0)
    }

    fn six_db_bins(&self, from: usize, to: usize) -> f64 {
        let peak = self.smooth[from..=to].iter().fold(0.0f64, |a, &b| a.max(b));
        let above = |k: &usize| self.smooth[*k] > peak / 4.0;
        match ((from..=to).find(above), (from..=to).rev().find(above)) {
            (Some(lo), Some(hi)) => (hi - lo + 1) as f64,
            _ => 1.0,
        }
    }
}

/// Where the running sum of `values` passes `level` for good coming from the start, in values.
fn cross<'a>(values: impl Iterator<Item = &'a f64>, level: f64) -> f64 {
    let (mut sum, mut at) = (0.0, 0.0);
    let mut k = 0.0;
    for &value in values {
        let before = sum;
        sum += value;
        if before < level && sum >= level {
            at = k + (level - before) / (sum - before).max(f64::MIN_POSITIVE);
            // Noise may carry the sum back below; past four times the level it does not.
        }
        if sum >= 4.0 * level {
            break;
        }
        k += 1.0;
    }
    at
}
