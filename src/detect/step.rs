//! The whole floor moving at once: a gain step, a lost antenna, a jammer.

use super::floor::Background;

/// Blocks of noise move less than this; a step of a decibel and more is one.
const STEP_RATIO: f32 = 1.26;

/// A rise must last this long to be a step: no burst that fills the whole span is as long (cellular uplink in a
/// narrow span comes in slots of 1 ms, a few in a row).
const RISE_S: f64 = 30e-3;

/// In a rise, nine tenths of the span rise by this share of its middle at least.
const RISEN_SHARE: f32 = 0.5;

/// Watches block means for a change that all bins share.
#[derive(Debug)]
pub struct StepWatch {
    block_s: f64,
    block_slabs: u32,
    scratch: Vec<f32>,
    high_s: f64,
}

/// Bins are averaged in groups of this size before they are compared, so that their own noise does not count.
const GROUP: usize = 8;

impl StepWatch {
    /// For blocks of `block_s` seconds and `block_slabs` slabs.
    pub fn new(block_s: f64, block_slabs: u32) -> Self {
        Self { block_s, block_slabs, scratch: Vec::with_capacity(256), high_s: 0.0 }
    }

    /// Whether the whole span stands above the background since the last block.
    pub fn is_rising(&self) -> bool {
        self.high_s > 0.0
    }

    /// Slabs since a step by `ratio` began, when it is told of.
    pub fn risen_slabs(&self, ratio: f32) -> u64 {
        let blocks = if ratio > 1.0 { (RISE_S / self.block_s).ceil() + 1.0 } else { 1.0 };
        blocks as u64 * u64::from(self.block_slabs)
    }

    /// Takes the mean power of a block and the background; the ratio of a step when there was one.
    ///
    /// A floor at the least that is believed is not known, only bounded: there are no steps from it.
    pub fn block(&mut self, power: &[f32], background: &Background) -> Option<f32> {
        let level = &background.level;
        self.scratch.clear();
        for (p, l) in power.chunks_exact(GROUP).zip(level.chunks_exact(GROUP)) {
            let ratio = p.iter().zip(l).map(|(p, l)| p / l).sum::<f32>() / GROUP as f32;
            if self.scratch.len() < self.scratch.capacity() {
                self.scratch.push(ratio);
            }
        }
        self.scratch.sort_unstable_by(f32::total_cmp);
        let last = self.scratch.len().checked_sub(1)?;
        let (low, middle, high) =
            (self.scratch[last / 10], self.scratch[last / 2], self.scratch[last - last / 10]);
        let common = low > middle / STEP_RATIO && high < middle * STEP_RATIO;
        let bounded = background.floor.iter().filter(|f| **f < 1.5 * background.least).count();
        if 2 * bounded > background.floor.len() {
            return None;
        }
        if common && middle < 1.0 / STEP_RATIO {
            self.high_s = 0.0;
            return Some(middle);
        }
        // The few values of a group vary; but all of them rose.
        let all = low > 1.0 + RISEN_SHARE * (middle - 1.0) && high < 1.0 + (middle - 1.0) / RISEN_SHARE;
        if !(all && middle > STEP_RATIO) {
            self.high_s = 0.0;
            return None;
        }
        self.high_s += self.block_s;
        if self.high_s < RISE_S {
            return None;
        }
        self.high_s = 0.0;
        Some(middle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_rise_that_lasts_is_a_step_and_an_emission_is_none() {
        let mut watch = StepWatch::new(10e-3, 16);
        let background = Background::new(128);
        let mut half = [1.0f32; 128];
        half[..64].fill(4.0);
        assert!((0..10).all(|_| watch.block(&half, &background).is_none()));
        let up = [2.0f32; 128];
        let steps: Vec<_> = (0..3).map(|_| watch.block(&up, &background)).collect();
        assert_eq!(steps, [None, None, Some(2.0)]);
        assert_eq!(watch.block(&[0.5; 128], &background), Some(0.5));
    }
}
