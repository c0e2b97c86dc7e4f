//! From marked bins to segments of spectrum, and how much stands in each.

use super::marks::next_run;

/// A stretch of neighbouring marked bins in one look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// First bin.
    pub lo: usize,
    /// Bin after the last.
    pub hi: usize,
    /// Power over the background, summed over the bins.
    pub excess: f32,
}

impl Segment {
    /// Number of bins.
    pub fn width(&self) -> usize {
        self.hi - self.lo
    }
}

/// Runs of marks whose gap is at most this share of the narrower side's width belong together: an OFDM signal in
/// a fade has holes, a few cells of which fall under any threshold.
const BRIDGED_SHARE: usize = 4;

/// Appends the segments of `marks` to `out`, in order. `power` and `level` are per bin.
pub fn find(marks: &[bool], power: &[f32], level: &[f32], out: &mut Vec<Segment>) {
    out.clear();
    let mut next = 0;
    while let Some((lo, hi)) = next_run(marks, next) {
        next = hi;
        let run = Segment { lo, hi, excess: excess(power, level, lo, hi) };
        let full = out.len() == out.capacity();
        match out.last_mut() {
            // More pieces than anyone could tell apart go to the last one.
            Some(last) if full || lo - last.hi <= 1 + last.width().min(run.width()) / BRIDGED_SHARE => {
                last.excess += run.excess + excess(power, level, last.hi, lo);
                last.hi = run.hi;
            }
            _ => out.push(run),
        }
    }
}

/// Power over the background in `[lo, hi)`, never negative.
pub fn excess(power: &[f32], level: &[f32], lo: usize, hi: usize) -> f32 {
    power[lo..hi].iter().zip(&level[lo..hi]).map(|(p, l)| p - l).sum::<f32>().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_become_segments_and_small_holes_are_bridged() {
        let mut marks = [false; 40];
        marks[3..11].fill(true);
        marks[12..20].fill(true);
        marks[30] = true;
        let mut out = Vec::with_capacity(8);
        find(&marks, &[3.0; 40], &[1.0; 40], &mut out);
        let spans: Vec<_> = out.iter().map(|s| (s.lo, s.hi, s.excess)).collect();
        assert_eq!(spans, [(3, 20, 34.0), (30, 31, 2.0)]);
    }
}
