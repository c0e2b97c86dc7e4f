//! When things happen, by random access: every instant is a function of a seed and of an index, so that any
//! window of time can be asked for without what came before it.

use crate::synth::{Rng, Shot};

/// The indices `k` for which `phase + k * period` may fall into `[from, to)`, with one spare on either side: the
/// caller's instants may be rounded or jittered, [`window`] has the last word.
pub fn ticks(from_s: f64, to_s: f64, period_s: f64, phase_s: f64) -> std::ops::RangeInclusive<i64> {
    let first = ((from_s - phase_s) / period_s).floor() as i64;
    let last = ((to_s - phase_s) / period_s).ceil() as i64;
    first.saturating_sub(1)..=last.saturating_add(1)
}

/// Appends those shots of `fill` that start in `[from, to)`, in order of their start.
pub fn window(from_s: f64, to_s: f64, out: &mut Vec<Shot>, fill: impl FnOnce(&mut dyn FnMut(Shot))) {
    let mark = out.len();
    fill(&mut |shot| {
        if shot.start_s >= from_s && shot.start_s < to_s {
            out.push(shot);
        }
    });
    out[mark..].sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
}

/// Like [`window`], for bursts that may follow each other without a pause: one that starts where another ends
/// continues it. `fill` must give those that end where the window begins, too.
pub fn window_joining(from_s: f64, to_s: f64, out: &mut Vec<Shot>, fill: impl FnOnce(&mut dyn FnMut(Shot))) {
    let mark = out.len();
    fill(&mut |shot| out.push(shot));
    out[mark..].sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
    let mut end_s = f64::NEG_INFINITY;
    for shot in &mut out[mark..] {
        shot.continues = shot.start_s <= end_s + 1e-6;
        end_s = end_s.max(shot.start_s + shot.duration_s);
    }
    let mut at = 0;
    out.retain(|shot| {
        at += 1;
        at <= mark || (from_s..to_s).contains(&shot.start_s)
    });
}

/// A random word for an index: the same for the same arguments, independent otherwise.
pub fn word(seed: u64, purpose: u64, index: i64) -> u64 {
    Rng::keyed(&[seed, purpose, index as u64]).next_u64()
}

/// A word that is asked for by neighbours in turn, kept until the index changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held(Option<(i64, u64)>);

impl Held {
    /// The word of `index`.
    pub fn get(&mut self, index: i64, word: impl FnOnce(i64) -> u64) -> u64 {
        match self.0 {
            Some((held, word)) if held == index => word,
            _ => self.0.insert((index, word(index))).1,
        }
    }
}

/// Uniform in [0, 1) for an index.
pub fn chance(seed: u64, purpose: u64, index: i64) -> f64 {
    Rng::keyed(&[seed, purpose, index as u64]).uniform()
}

/// What a shot's key holds: its kind and size, for `render`, beside the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Which of the waveform's kinds of transmission.
    pub kind: u8,
    /// How large, in the kind's own unit.
    pub size: u16,
}

impl Key {
    /// One word, with 40 bits of `content`.
    pub fn pack(self, content: u64) -> u64 {
        u64::from(self.kind) << 56 | u64::from(self.size) << 40 | content >> 24
    }

    /// The kind and size in a packed word.
    pub fn unpack(key: u64) -> Self {
        Self { kind: (key >> 56) as u8, size: (key >> 40) as u16 }
    }
}

/// How many delays make a block of [`Delays`].
const BLOCK: usize = 32;

/// Events `interval` apart plus a random delay each, U(0, spread), as advertisers space theirs. The running sum
/// of the delays would need all that went before: here each block of 32 holds 16 delays and their complements in
/// random order, so that every delay is uniform and the sum over a block is known.
#[derive(Debug, Clone, Copy)]
pub struct Delays {
    /// What the delays are drawn from.
    pub seed: u64,
    /// Least time between events, seconds.
    pub interval_s: f64,
    /// Largest delay beyond that, seconds.
    pub spread_s: f64,
    /// Time of event 0, seconds.
    pub phase_s: f64,
}

impl Delays {
    /// Calls `each` with number and time of every event in `[from, to)`, and of some beside.
    pub fn events(&self, from_s: f64, to_s: f64, mut each: impl FnMut(i64, f64)) {
        let block_s = BLOCK as f64 * (self.interval_s + self.spread_s / 2.0);
        for block in ticks(from_s, to_s, block_s, self.phase_s) {
            let mut at_s = self.phase_s + block as f64 * block_s;
            for (i, delay) in self.block(block).into_iter().enumerate() {
                each(block * BLOCK as i64 + i as i64, at_s);
                at_s += self.interval_s + self.spread_s * delay;
            }
        }
    }

    fn block(&self, block: i64) -> [f64; BLOCK] {
        let mut rng = Rng::keyed(&[self.seed, 0xDE1A, block as u64]);
        let mut delays = [0.0; BLOCK];
        for pair in delays.chunks_exact_mut(2) {
            pair[0] = rng.uniform();
            pair[1] = 1.0 - pair[0];
        }
        for i in (1..BLOCK).rev() {
            delays.swap(i, rng.below(i as u64 + 1) as usize);
        }
        delays
    }
}

/// Poisson arrivals, `mean_gap` apart: drawn per cell of one mean gap.
#[derive(Debug, Clone, Copy)]
pub struct Arrivals {
    /// What they are drawn from.
    pub seed: u64,
    /// Mean time between arrivals, seconds.
    pub mean_gap_s: f64,
}

impl Arrivals {
    /// Calls `each` with a random word and the time of every arrival in `[from, to)`, and of some beside.
    pub fn events(&self, from_s: f64, to_s: f64, mut each: impl FnMut(u64, f64)) {
        for cell in ticks(from_s, to_s, self.mean_gap_s, 0.0) {
            let mut rng = Rng::keyed(&[self.seed, 0xA881, cell as u64]);
            // Knuth's product of uniforms for a Poisson count of mean 1.
            let mut product = rng.uniform();
            while product > (-1f64).exp() {
                product *= rng.uniform();
                each(rng.next_u64(), (cell as f64 + rng.uniform()) * self.mean_gap_s);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_uniform_and_never_shorter_than_the_interval() {
        let delays = Delays { seed: 5, interval_s: 0.1, spread_s: 0.01, phase_s: 0.03 };
        let mut at = Vec::new();
        delays.events(100.0, 300.0, |_, t| at.push(t));
        let gaps: Vec<f64> = at.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(gaps.iter().all(|g| (0.1 - 1e-9..0.11 + 1e-9).contains(g)));
        // Standard error of the mean of 1900 uniforms of spread 10 ms: 0.07 ms.
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        assert!((mean - 0.105).abs() < 0.0003, "{mean}");
        let low = gaps.iter().filter(|g| **g < 0.1025).count() as f64 / gaps.len() as f64;
        assert!((low - 0.25).abs() < 0.05, "{low}");
    }

    #[test]
    fn arrivals_come_at_their_rate() {
        let arrivals = Arrivals { seed: 9, mean_gap_s: 2.0 };
        let mut n = 0;
        arrivals.events(1000.0, 9000.0, |_, t| n += i32::from((1000.0..9000.0).contains(&t)));
        // Poisson of mean 4000: five standard deviations are 316.
        assert!((n - 4000).abs() < 316, "{n}");
    }
}
