//! Which bins of one look (a slab, or a longer block of slabs) hold more than noise.
//!
//! Boxes of 1, 2, 4, ... bins are slid over the spectrum, normalised to the background. A box above its
//! threshold marks the bins in it that stand out themselves (double threshold, after LAD: Vartiainen et al.,
//! 2007); what is marked counts as noise for the wider boxes, so that a strong narrow emission does not mark a
//! wide one around it. Unknown bandwidth, from one bin to the whole span, is thus met by a box of at most twice
//! its width.

use super::threshold::Thresholds;
use crate::spectrum::kernels;

/// A bin this far above the background (as a ratio) belongs to the emission beside it.
const SKIRT_RATIO: f32 = 2.0;

/// Scratch of the search, for one number of bins.
#[derive(Debug)]
pub struct Marker {
    boxes: Vec<f32>,
    rest: Vec<f32>,
    /// The outcome: per bin.
    pub marks: Vec<bool>,
}

impl Marker {
    /// For spectra of `bins` bins.
    pub fn new(bins: usize) -> Self {
        Self { boxes: vec![0.0; bins], rest: vec![0.0; bins], marks: vec![false; bins] }
    }

    /// Whether any box of `ratios` (power over background, mean 1 in noise) is above its threshold: the whole
    /// cost of a quiet look. Boxes of more than four bins are slid by a quarter of their width.
    pub fn anything(&mut self, ratios: &[f32], thresholds: &Thresholds) -> bool {
        let limit = |level: usize| thresholds.sum.get(level).copied().unwrap_or(f32::INFINITY);
        let mut hit = kernels::any_above(ratios, limit(0));
        hit |= kernels::any_pair_above(ratios, limit(1));
        hit |= kernels::any_four_above(ratios, limit(2));
        let (mut sums, mut spare) = (&mut self.boxes[..], &mut self.rest[..]);
        let mut count = ratios.len() / 2;
        kernels::halve(ratios, sums);
        let mut level = 3;
        while count >= 4 {
            hit |= kernels::any_four_above(&sums[..count], limit(level));
            kernels::halve(&sums[..count], spare);
            std::mem::swap(&mut sums, &mut spare);
            count /= 2;
            level += 1;
        }
        hit
    }

    /// Marks the bins that hold more than noise.
    pub fn mark(&mut self, ratios: &[f32], thresholds: &Thresholds) {
        let bins = ratios.len();
        self.marks.fill(false);
        self.rest.copy_from_slice(ratios);
        self.boxes.copy_from_slice(ratios);
        for (level, limit) in thresholds.sum.iter().enumerate() {
            let width = 1usize << level;
            if level > 0 {
                widen(&mut self.boxes, width / 2, f32::INFINITY);
            }
            if kernels::any_above(&self.boxes[..bins + 1 - width], *limit) {
                self.mark_boxes(width, *limit);
                // What is marked counts as noise from here on.
                self.box_sums(width);
            }
        }
        self.grow_skirts(ratios);
    }

    /// Sums of `rest` over boxes of `width` bins, into `boxes`.
    fn box_sums(&mut self, width: usize) {
        self.boxes.copy_from_slice(&self.rest);
        let mut half = 1;
        while half < width {
            widen(&mut self.boxes, half, f32::INFINITY);
            half *= 2;
        }
    }

    fn mark_boxes(&mut self, width: usize, limit: f32) {
        let bins = self.rest.len();
        // Within a box that is above its limit, bins near its own mean or above stand out; in a narrow box all
        // do, since its few cells cannot be told apart.
        let mut from = 0;
        while let Some(bin) = first_above(&self.boxes[from..bins + 1 - width], limit).map(|n| from + n) {
            // Of a run of overlapping boxes, the fullest one tells where the emission lies.
            let end = (bin + width).min(bins + 1 - width);
            let best =
                (bin..end.max(bin + 1)).fold(bin, |b, i| if self.boxes[i] > self.boxes[b] { i } else { b });
            let mean = self.boxes[best] / width as f32;
            let least = if width <= 2 { 0.0 } else { 1.0 + (mean - 1.0) * 0.25 };
            let reach = (width / 8).max(1);
            self.mark_above(best, best + width, reach, least);
            from = (best + width).min(bins + 1 - width);
        }
    }

    /// Marks the bins of `[lo, hi)` about which the mean of `rest`, as far as `reach` and within them, exceeds `least`;
    /// what is marked counts as noise from then on.
    fn mark_above(&mut self, lo: usize, hi: usize, reach: usize, least: f32) {
        let (mut from, mut to, mut sum) = (lo, lo, 0f64);
        for i in lo..hi {
            while to < (i + reach + 1).min(hi) {
                sum += f64::from(self.rest[to]);
                to += 1;
            }
            if i > lo + reach {
                sum -= f64::from(self.rest[from]);
                from += 1;
            }
            self.marks[i] |= sum > f64::from(least) * (to - from) as f64;
        }
        for (rest, mark) in self.rest[lo..hi].iter_mut().zip(&self.marks[lo..hi]) {
            *rest = if *mark { 1.0 } else { *rest };
        }
    }

    /// Extends marked runs while two neighbours together stand out.
    fn grow_skirts(&mut self, ratios: &[f32]) {
        let bins = ratios.len();
        let stands = |a: usize, b: usize| ratios[a] + ratios[b] > 2.0 * SKIRT_RATIO;
        let marks = &mut self.marks;
        let mut from = 0;
        while let Some((lo, mut hi)) = next_run(marks, from) {
            // What begins right after what an earlier run grew to is part of it.
            let mut below = lo;
            while below >= 2 && !marks[below - 1] && stands(below - 1, below - 2) {
                below -= 1;
                marks[below] = true;
            }
            while hi + 1 < bins && !marks[hi] && stands(hi, hi + 1) {
                marks[hi] = true;
                hi += 1;
            }
            from = hi;
        }
    }
}

/// First run of marked bins at `from` or later: its first bin, and the one after its last.
pub fn next_run(marks: &[bool], from: usize) -> Option<(usize, usize)> {
    let lo = from + first_of(marks.get(from..)?, |mark| *mark)?;
    let length = marks[lo..].iter().position(|mark| !mark);
    Some((lo, length.map_or(marks.len(), |length| lo + length)))
}

fn first_above(values: &[f32], limit: f32) -> Option<usize> {
    first_of(values, |value| *value > limit)
}

/// First of `values` that `is_it`; most are not, so that a block of them is looked at as a whole first.
fn first_of<T>(values: &[T], is_it: impl Fn(&T) -> bool) -> Option<usize> {
    const BLOCK: usize = 32;
    let holds = |block: &&[T]| block.iter().fold(false, |any, value| any | is_it(value));
    let at = values.chunks(BLOCK).position(|block| holds(&block))?;
    let within = values[at * BLOCK..].iter().position(is_it)?;
    Some(at * BLOCK + within)
}

/// See [`kernels::widen_in_place`]; boxes that would reach past the last bin are made never to count.
fn widen(boxes: &mut [f32], half: usize, limit: f32) -> bool {
    kernels::widen_in_place(boxes, half, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectrum::{Correlation, kaiser};

    const BINS: usize = 256;

    fn thresholds(frames: usize) -> Thresholds {
        Thresholds::new(&Correlation::of(&kaiser(BINS)), BINS, frames)
    }

    #[test]
    fn a_flat_background_marks_nothing() {
        let mut marker = Marker::new(BINS);
        assert!(!marker.anything(&[1.0; BINS], &thresholds(4)));
        marker.mark(&[1.0; BINS], &thresholds(4));
        assert!(marker.marks.iter().all(|m| !m));
    }

    /// A strong bin marks itself and not its neighbourhood; a weak wide emission marks itself within an eighth
    /// of its width.
    #[test]
    fn narrow_and_wide_emissions_are_marked_as_what_they_are() {
        let mut ratios = [1.0f32; BINS];
        ratios[40] = 1000.0;
        for r in &mut ratios[100..164] {
            *r = 2.5;
        }
        let mut marker = Marker::new(BINS);
        assert!(marker.anything(&ratios, &thresholds(16)));
        marker.mark(&ratios, &thresholds(16));
        assert!(marker.marks[40]);
        assert_eq!(marker.marks[..90].iter().filter(|m| **m).count(), 1);
        let wide = marker.marks[92..172].iter().filter(|m| **m).count();
        assert!((56..=72).contains(&wide), "{wide}");
        assert!(marker.marks[172..].iter().all(|m| !m));
    }
}
