//! What the spectra since a while ago add up to, for whoever looks on.

use crate::spectrum::kernels;

/// Sum and maximum of slabs, bin by bin.
#[derive(Debug, Default)]
pub struct Watched {
    /// Sum of their powers, linear.
    pub sum: Vec<f32>,
    /// Highest of their powers.
    pub peak: Vec<f32>,
    /// How many they are.
    pub slabs: u32,
}

impl Watched {
    /// Of slabs of so many bins; none so far.
    pub(super) fn of(bins: usize) -> Self {
        Self { sum: vec![0.0; bins], peak: vec![0.0; bins], slabs: 0 }
    }

    pub(super) fn add(&mut self, power: &[f32]) {
        kernels::add(power, &mut self.sum);
        kernels::raise(power, &mut self.peak);
        self.slabs = self.slabs.saturating_add(1);
    }

    pub(super) fn clear(&mut self) {
        self.sum.fill(0.0);
        self.peak.fill(0.0);
        self.slabs = 0;
    }
}
