//! Parameters from a scene file are checked once, where a waveform is built; no later arithmetic can then fail.

/// A parameter and its name.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    key: &'a str,
    value: f64,
}

impl<'a> Check<'a> {
    /// The value of `key`.
    pub fn new(key: &'a str, value: f64) -> Self {
        Self { key, value }
    }

    /// An error in words if the value is not in `[low, high]` or not a number.
    pub fn within(self, low: f64, high: f64) -> Result<(), String> {
        if (low..=high).contains(&self.value) {
            return Ok(());
        }
        Err(format!("`{}` is {}, but must lie between {low} and {high}", self.key, self.value))
    }
}

/// An error in words if `range` is not ordered or not within `[low, high]`.
pub fn range(key: &str, range: [f64; 2], low: f64, high: f64) -> Result<(), String> {
    Check::new(key, range[0]).within(low, high)?;
    Check::new(key, range[1]).within(range[0], high)
}
