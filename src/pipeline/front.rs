//! Samples to bursts and carriers.

use super::FrontEvent;
use crate::iq::{Gap, IqBlock, Segment};
use crate::spectrum::SlabView;

/// Someone who looks on at every slab of the spectrogram.
pub type Tap = Box<dyn FnMut(SlabView<'_>) + Send>;

/// The front half of the pipeline. Total: any samples in, events out, never a panic.
#[derive(Default)]
pub struct Front {
    tap: Option<Tap>,
}

impl Front {
    /// A front that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows every slab to `tap`.
    pub fn set_tap(&mut self, tap: Tap) {
        self.tap = Some(tap);
    }

    /// A new segment begins; what was open ends.
    pub fn begin(&mut self, _segment: &Segment, _out: &mut Vec<FrontEvent>) {}

    /// The next samples of the segment.
    pub fn step(&mut self, _block: &IqBlock, _out: &mut Vec<FrontEvent>) {}

    /// Samples were lost here.
    pub fn gap(&mut self, _gap: Gap, _out: &mut Vec<FrontEvent>) {}

    /// The stream ends: what is open is reported as it is.
    pub fn finish(&mut self, _out: &mut Vec<FrontEvent>) {}
}
