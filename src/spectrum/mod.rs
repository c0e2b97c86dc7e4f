//! Overlap, window, FFT, power: raw samples to the time-frequency cells that detection works on.

mod history;
pub mod kernels;
mod row;
mod stft;
mod tile;
mod window;

pub use history::History;
pub use row::Row;
pub use stft::{Layout, Stft};
pub use tile::{Extent, STEP_DB, Stretch, Tile, TileMaker};
pub use window::{Correlation, kaiser, noise_bandwidth_bins};

/// One slab of the burst detector's spectrogram, for those who look on (waterfall, explain). Bins run from
/// -rate/2 upwards.
#[derive(Debug, Clone, Copy)]
pub struct SlabView<'a> {
    /// Segment it belongs to.
    pub segment: u32,
    /// Start on the recording's axis, seconds.
    pub start_s: f64,
    /// End, seconds.
    pub end_s: f64,
    /// Width of the span, hertz.
    pub rate_hz: f64,
    /// Frequency of the middle, if known.
    pub center_hz: Option<f64>,
    /// Mean power in each bin, linear, so that a sinusoid of amplitude 1 in the middle of a bin reads 1.
    pub power: &'a [f32],
    /// Noise floor in the same unit.
    pub floor: &'a [f32],
    /// What a single bin must exceed, as a ratio to the floor, to be a detection by itself.
    pub threshold: f32,
}
