//! Bursts and carriers to emitters and alerts.

use super::{FrontEvent, Output};
use crate::bandplan::BandPlan;
use crate::policy::{Baseline, Level};

/// What the back needs to know of the room.
#[derive(Debug, Clone)]
pub struct BackParams {
    /// The region's allocations.
    pub band_plan: BandPlan,
    /// What the meeting's level bans.
    pub level: Level,
    /// Ambient known beforehand.
    pub baseline: Option<Baseline>,
    /// The first seconds teach the ambient and raise nothing.
    pub learn_s: f64,
}

/// The back half of the pipeline.
pub struct Back {
    _params: BackParams,
}

impl Back {
    /// A back that has seen nothing.
    pub fn new(params: BackParams) -> Self {
        Self { _params: params }
    }

    /// Takes one event of the front.
    pub fn take(&mut self, _event: &FrontEvent, _out: &mut Vec<Output>) {}

    /// End of input: pending decisions are forced on the evidence held, everything is closed.
    pub fn finish(&mut self, _out: &mut Vec<Output>) {}

    /// What was learned, together with the baseline given.
    pub fn baseline(&self) -> Baseline {
        Baseline::default()
    }
}
