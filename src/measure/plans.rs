//! Every transform that measuring needs, planned once, with one scratch between them.

use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Longest transform.
pub const LONGEST: usize = 16384;
/// Shortest transform.
pub const SHORTEST: usize = 32;

/// Plans for all sizes 2^k and 3·2^k from [`SHORTEST`] to [`LONGEST`].
pub struct Plans {
    forward: Vec<Arc<dyn Fft<f32>>>,
    inverse: Vec<Arc<dyn Fft<f32>>>,
    scratch: Vec<Complex32>,
}

impl Plans {
    /// Plans them all.
    pub fn new() -> Self {
        let mut planner = FftPlanner::new();
        let mut sizes = Vec::new();
        let mut size = SHORTEST;
        while size <= LONGEST {
            sizes.push(size);
            if size < LONGEST {
                sizes.push(size / 2 * 3);
            }
            size *= 2;
        }
        let forward: Vec<_> = sizes.iter().map(|&n| planner.plan_fft_forward(n)).collect();
        let inverse: Vec<_> = sizes.iter().map(|&n| planner.plan_fft_inverse(n)).collect();
        let longest_scratch =
            forward.iter().chain(&inverse).map(|plan| plan.get_inplace_scratch_len()).max().unwrap_or(0);
        Self { forward, inverse, scratch: vec![Complex32::default(); longest_scratch] }
    }

    /// The smallest planned size that holds `n`, or the longest there is.
    pub fn size_for(&self, n: usize) -> usize {
        self.forward.iter().map(|plan| plan.len()).find(|&len| len >= n).unwrap_or(LONGEST)
    }

    /// In-place transform, time to frequency, not scaled. Lengths without a plan are left as they are.
    pub fn forward(&mut self, data: &mut [Complex32]) {
        if let Some(plan) = self.forward.iter().find(|plan| plan.len() == data.len()) {
            plan.process_with_scratch(data, &mut self.scratch);
        }
    }

    /// In-place transform, frequency to time, not scaled. Lengths without a plan are left as they are.
    pub fn inverse(&mut self, data: &mut [Complex32]) {
        if let Some(plan) = self.inverse.iter().find(|plan| plan.len() == data.len()) {
            plan.process_with_scratch(data, &mut self.scratch);
        }
    }
}
