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
    /// Steps that the gain can go down from the search gain; none where its gains are not known.
    pub gain_steps: u8,
}
