//! Whether two dwells at different frequencies heard the same: then the receiver did not retune.
//!
//! A synthesiser that does not lock says nothing (librtlsdr prints a line and succeeds), but what is on the air stays
//! where it was in the span. Compared is where lines stand above the floor; where there are none, nothing can be said.

/// Parts of the span: as many as lines can be told apart, and few enough that a carrier's drift stays in one.
const PARTS: usize = 256;

/// A line stands this far above the floor, as a ratio of powers: 6 dB over a mean of many frames, which noise never does.
const LINE: f32 = 4.0;

/// Parts on each side of the middle that hold the receiver's own offset.
const MIDDLE: usize = 4;

/// Fewest lines that tell two spectra apart, and the most: what fills the span is no set of lines.
const FEWEST: u32 = 2;
const MOST: u32 = 128;

/// Share of the lines of both that both have, from which they are the same.
const ALIKE: f64 = 0.8;

/// The lines of a dwell: a bit for each part of the span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines([u64; PARTS / 64]);

impl Lines {
    /// Of the summed power of a dwell's spectra, bin by bin; `scratch` is for reuse. The floor is the median: that of the
    /// detector takes in what stands from the start.
    pub fn of(sum: &[f32], scratch: &mut Vec<f32>) -> Self {
        let mut bits = [0; PARTS / 64];
        scratch.clear();
        scratch.extend_from_slice(sum);
        let middle = scratch.len() / 2;
        if middle == 0 {
            return Self(bits);
        }
        let limit = LINE * *scratch.select_nth_unstable_by(middle, f32::total_cmp).1;
        for (part, sum) in sum.chunks((sum.len() / PARTS).max(1)).enumerate().take(PARTS) {
            let stands = sum.iter().any(|power| *power > limit);
            if stands && part.abs_diff(PARTS / 2) > MIDDLE {
                bits[part / 64] |= 1 << (part % 64);
            }
        }
        Self(bits)
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether they can be told from other lines.
    fn tell(&self) -> bool {
        (FEWEST..=MOST).contains(&self.count())
    }

    fn alike(&self, other: &Self) -> bool {
        let both: u32 = self.0.iter().zip(&other.0).map(|(a, b)| (a & b).count_ones()).sum();
        let either: u32 = self.0.iter().zip(&other.0).map(|(a, b)| (a | b).count_ones()).sum();
        f64::from(both) >= ALIKE * f64::from(either)
    }
}

/// Compares each dwell with the one before.
#[derive(Debug, Clone, Default)]
pub struct Likeness {
    before: Option<(f64, Lines)>,
    run: u64,
}

impl Likeness {
    /// A dwell at `center_hz` had `lines`. Gives how many dwells in a row looked like the one before although they
    /// were tuned elsewhere, by `apart_hz` at least.
    pub fn dwelt(&mut self, center_hz: f64, lines: Lines, apart_hz: f64) -> u64 {
        match &self.before {
            Some((before_hz, before)) if (center_hz - before_hz).abs() >= apart_hz => {
                let same = lines.tell() && lines.alike(before);
                self.run = if same { self.run + 1 } else { 0 };
            }
            _ => {}
        }
        self.before = Some((center_hz, lines));
        self.run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A spectrum with lines in those of 2048 bins.
    fn lines(bins: &[usize]) -> Lines {
        let mut sum = vec![10.0; 2048];
        bins.iter().for_each(|bin| sum[*bin] = 1000.0);
        Lines::of(&sum, &mut Vec::new())
    }

    #[test]
    fn the_same_lines_elsewhere_are_a_receiver_that_stayed() {
        let mut likeness = Likeness::default();
        let runs: Vec<u64> = (0..4u32)
            .map(|n| likeness.dwelt(1e8 + 2e7 * f64::from(n), lines(&[100, 700, 1900]), 1e6))
            .collect();
        assert_eq!(runs, [0, 1, 2, 3]);
    }

    #[test]
    fn other_lines_no_lines_and_the_offset_alone_say_nothing() {
        let mut likeness = Likeness::default();
        assert_eq!(likeness.dwelt(1e8, lines(&[100, 700]), 1e6), 0);
        assert_eq!(likeness.dwelt(2e8, lines(&[300, 900]), 1e6), 0);
        for n in 0..5u32 {
            assert_eq!(likeness.dwelt(3e8 + 2e7 * f64::from(n), lines(&[1024]), 1e6), 0);
        }
    }

    #[test]
    fn a_receiver_that_was_not_to_move_may_hear_the_same() {
        let mut likeness = Likeness::default();
        for _ in 0..5 {
            assert_eq!(likeness.dwelt(1e8, lines(&[100, 700]), 1e6), 0);
        }
    }
}
