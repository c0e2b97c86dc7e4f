//! Why, and why not, for a box in time and frequency.

/// A box in time and frequency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// From, seconds.
    pub from_s: f64,
    /// Until, seconds.
    pub until_s: f64,
    /// Lower edge: hertz, or the offset from the tuning where that is unknown.
    pub low_hz: f64,
    /// Upper edge, as `low_hz`.
    pub high_hz: f64,
}
