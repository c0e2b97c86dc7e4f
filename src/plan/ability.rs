//! What a receiver can do, as far as planning asks.

/// A receiver to plan for. Where one is attached its settling time is measured; otherwise it is the profile's.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiverAbility {
    /// What people call it.
    pub name: String,
    /// What it tunes to, all that is used around the centre included, hertz; by lower edge, apart.
    pub ranges_hz: Vec<[f64; 2]>,
    /// Complex samples a second.
    pub rate_hz: f64,
    /// Width around the centre that is used, hertz.
    pub usable_hz: f64,
    /// Width around the centre that its own offset covers, hertz.
    pub offset_hz: f64,
    /// Retune to first good sample, seconds.
    pub settle_s: f64,
    /// What `settle_s` is where nobody measured it, seconds.
    pub usual_settle_s: f64,
    /// Share of its time that it is to look, rather than settle, when it settles as usual.
    pub looked_min: f64,
    /// Steps that the gain can go down from the search gain; none where its gains are not known.
    pub gain_steps: u8,
}

impl ReceiverAbility {
    /// Share of its time that it is to look as it settles. Less is asked of a slower one, by the square: looks long
    /// enough to make up for it would keep it from everything else.
    pub(super) fn looked_target(&self) -> f64 {
        let slower = (self.settle_s / self.usual_settle_s).max(1.0);
        self.looked_min / (slower * slower)
    }

    /// What of `low_hz`..`high_hz` it tunes to.
    pub(super) fn reach(&self, [low_hz, high_hz]: [f64; 2]) -> Vec<[f64; 2]> {
        let cut = self.ranges_hz.iter().map(|range| [range[0].max(low_hz), range[1].min(high_hz)]);
        cut.filter(|[low, high]| low < high).collect()
    }
}
