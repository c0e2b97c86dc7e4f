//! What is heard while the receiver is overloaded.
//!
//! A converter that is driven beyond its range makes lines and splatter all over the span, and bends what drove it so
//! far that it has no name. The scheduler repeats such a look at once with less gain: that look counts, and of this
//! one only that it happened, which the receiver's health says.

use crate::pipeline::FrontEvent;
use crate::sweep::{CLIPPED_SHARE, Look};

/// Events held at most: a dwell of the busiest band has fewer.
const HELD: usize = 4096;

/// Events of a dwell that is not over.
#[derive(Debug, Default)]
pub struct Overload {
    held: Vec<FrontEvent>,
}

impl Overload {
    /// Holds `event` until its dwell is over. Gives all that is held when it is too much.
    pub fn hold(&mut self, event: FrontEvent) -> Vec<FrontEvent> {
        self.held.push(event);
        if self.held.len() < HELD { Vec::new() } else { self.rest() }
    }

    /// All that is held, where no look will tell of its dwell any more.
    pub fn rest(&mut self) -> Vec<FrontEvent> {
        std::mem::take(&mut self.held)
    }

    /// What counts of the dwell that `look` tells of, on a receiver whose gain goes down by `gain_steps` at most.
    pub fn release(&mut self, look: &Look, gain_steps: u8) -> Vec<FrontEvent> {
        let mut events = std::mem::take(&mut self.held);
        if look.clipped_share > CLIPPED_SHARE && look.dwell.gain_step < gain_steps {
            events.retain(|event| !matches!(event, FrontEvent::Burst(_) | FrontEvent::Carrier(_)));
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Observed;
    use crate::sweep::{Dwell, Purpose};

    fn look(clipped_share: f32, gain_step: u8) -> Look {
        let dwell =
            Dwell { number: 1, tuning: 0, center_hz: 1e8, look_s: 0.02, gain_step, purpose: Purpose::Sweep };
        Look { dwell, from_s: 0.0, until_s: 0.02, lost_samples: 0, clipped_share }
    }

    #[test]
    fn time_passes_whatever_was_heard() {
        let observed = FrontEvent::Observed(Observed { from_s: 0.0, until_s: 0.02 });
        for (clipped_share, gain_step) in [(0.0, 0), (0.5, 0), (0.5, 4)] {
            let mut overload = Overload::default();
            assert_eq!(overload.hold(observed), []);
            assert_eq!(overload.release(&look(clipped_share, gain_step), 4), [observed]);
            assert_eq!(overload.release(&look(0.0, 0), 4), []);
            assert_eq!((overload.hold(observed), overload.rest()), (vec![], vec![observed]));
        }
    }
}
