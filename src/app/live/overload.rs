//! What is heard while the receiver is overloaded.
//!
//! A converter that is driven beyond its range makes lines and splatter all over the span, each weaker than what drove
//! it and gone with it, and bends that so far that it may have no name. The scheduler repeats such a look at once with
//! less gain, and what is heard again counts as it is heard then. What is over by then was there all the same: of the
//! overloaded look the strongest counts, unless the next look is the repeat and hears it still. Where the gain goes no
//! lower, what is on the channel of the strongest counts.

use crate::measure::{Burst, Ghost};
use crate::pipeline::FrontEvent;
use crate::sweep::{CLIPPED_SHARE, Look};
use crate::units::from_db;

/// Events held at most: a dwell of the busiest band has fewer.
const HELD: usize = 4096;

/// What is heard again may be this much weaker than it seemed, dB: a clipped line is 2.1 dB too strong by what is left
/// of it (4/pi of a full rail), and gains are true to within that.
const AGAIN_DB: f32 = 6.0;
/// Bandwidths of bursts on one channel are within this factor.
const WIDER: f64 = 2.0;

/// Events of a dwell that is not over, and of one before it that waits for its repeat.
#[derive(Debug, Default)]
pub struct Overload {
    held: Vec<FrontEvent>,
    clipped: Option<Clipped>,
}

/// A dwell in which the receiver was overloaded: what counts if the next does not hear it again.
#[derive(Debug)]
struct Clipped {
    look: Look,
    events: Vec<FrontEvent>,
}

impl Overload {
    /// Holds `event` until its dwell is over. Gives all that is held when it is too much.
    pub fn hold(&mut self, event: FrontEvent) -> Vec<FrontEvent> {
        self.held.push(event);
        if self.held.len() < HELD { Vec::new() } else { self.rest() }
    }

    /// All that is held, where no look will tell of its dwell any more.
    pub fn rest(&mut self) -> Vec<FrontEvent> {
        let mut events = self.clipped.take().map_or_else(Vec::new, |clipped| clipped.events);
        events.append(&mut self.held);
        events
    }

    /// What counts now that the dwell is over of which `look` tells, on a receiver whose gain goes down by `gain_steps`
    /// at most. What an overloaded dwell heard waits for the next.
    pub fn release(&mut self, look: &Look, gain_steps: u8) -> Vec<FrontEvent> {
        let mut events = std::mem::take(&mut self.held);
        let mut out = self.clipped.take().map_or_else(Vec::new, |clipped| clipped.unless_in(look, &events));
        let overloaded = look.clipped_share > CLIPPED_SHARE;
        if overloaded && look.dwell.gain_step < gain_steps {
            keep_strongest(&mut events);
            self.clipped = Some(Clipped { look: *look, events });
            return out;
        }
        if overloaded {
            // Nothing will be heard any better.
            keep_channel_of_strongest(&mut events);
        }
        out.append(&mut events);
        out
    }
}

impl Clipped {
    /// What counts of it: its emission only if `events` of the next look do not have that again.
    fn unless_in(mut self, next: &Look, events: &[FrontEvent]) -> Vec<FrontEvent> {
        let repeats =
            next.dwell.tuning == self.look.dwell.tuning && next.dwell.gain_step > self.look.dwell.gain_step;
        let again = self.events.iter().find_map(emission).is_some_and(|held| {
            let away_hz = next.dwell.center_hz - self.look.dwell.center_hz;
            events.iter().filter_map(emission).any(|heard| {
                let apart_hz = (heard.offset_hz + away_hz - held.offset_hz).abs();
                2.0 * apart_hz <= heard.bandwidth_hz + held.bandwidth_hz
                    && heard.power_dbfs >= held.power_dbfs - AGAIN_DB
            })
        });
        if repeats && again {
            self.events.retain(|event| emission(event).is_none());
        }
        self.events
    }
}

/// Drops all emissions but that of the most energy, and that too if it may be no emission by itself. What a rail makes
/// of a line that it clips lies at multiples of the line's distance from the tuning, odd ones and their mirrors: whatever
/// is narrower than that distance holds one of them only, and the first is the strongest (of a square wave the third
/// has a ninth of its power).
fn keep_strongest(events: &mut Vec<FrontEvent>) {
    let strongest = strongest(events);
    events.retain(|event| emission(event).is_none_or(|burst| Some(*burst) == strongest));
}

/// The same, and with it what else was sent on its channel: of a burst's neighbours in time the overload makes nothing.
fn keep_channel_of_strongest(events: &mut Vec<FrontEvent>) {
    let strongest = strongest(events);
    let on_channel = |burst: &Burst| {
        strongest.is_some_and(|strongest| {
            2.0 * (burst.offset_hz - strongest.offset_hz).abs() <= strongest.bandwidth_hz
                && burst.bandwidth_hz <= WIDER * strongest.bandwidth_hz
        })
    };
    events.retain(|event| emission(event).is_none_or(on_channel));
}

fn strongest(events: &[FrontEvent]) -> Option<Burst> {
    let energy = |burst: &Burst| from_db(f64::from(burst.power_dbfs)) * (burst.end_s - burst.start_s);
    let real = events.iter().filter_map(emission).filter(|burst| burst.ghost == Ghost::None);
    let strongest = real.max_by(|a, b| energy(a).total_cmp(&energy(b))).copied();
    strongest.filter(|burst| burst.bandwidth_hz < burst.offset_hz.abs())
}

fn emission(event: &FrontEvent) -> Option<&Burst> {
    match event {
        FrontEvent::Burst(burst) => Some(burst),
        FrontEvent::Carrier(carrier) => Some(&carrier.burst),
        FrontEvent::Segment(_) | FrontEvent::Observed(_) | FrontEvent::Health(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Depth, Features};
    use crate::pipeline::Observed;
    use crate::sweep::{Dwell, Purpose};

    fn look(clipped_share: f32, gain_step: u8) -> Look {
        let dwell =
            Dwell { number: 1, tuning: 0, center_hz: 1e8, look_s: 0.02, gain_step, purpose: Purpose::Sweep };
        Look { dwell, from_s: 0.0, until_s: 0.02, lost_samples: 0, clipped_share }
    }

    /// Something of 10 kHz at `offset_hz`, `from` to `until` milliseconds.
    fn burst((from, until): (f64, f64), offset_hz: f64, power_dbfs: f32) -> FrontEvent {
        FrontEvent::Burst(Burst {
            segment: 0,
            start_s: from / 1e3,
            end_s: until / 1e3,
            offset_hz,
            bandwidth_hz: 1e4,
            power_dbfs,
            snr_db: 30.0,
            depth: Depth::Light,
            cut_start: false,
            cut_end: false,
            at_edge: false,
            clipped: true,
            ghost: Ghost::None,
            features: Features::default(),
        })
    }

    /// What counts of a clipped dwell with `events` before that of the dwell after it, which `next` tells of.
    fn counts(events: &[FrontEvent], next: &Look, after: &[FrontEvent]) -> Vec<FrontEvent> {
        let mut overload = Overload::default();
        for event in events {
            assert_eq!(overload.hold(*event), []);
        }
        assert_eq!(overload.release(&look(0.2, 0), 4), []);
        for event in after {
            assert_eq!(overload.hold(*event), []);
        }
        let out = overload.release(next, 4);
        assert!(out.ends_with(after));
        assert_eq!(overload.rest(), []);
        out[..out.len() - after.len()].to_vec()
    }

    const WHOLE: (f64, f64) = (0.0, 20.0);

    #[test]
    fn time_passes_whatever_was_heard() {
        let observed = FrontEvent::Observed(Observed { from_s: 0.0, until_s: 0.02 });
        for (clipped_share, gain_step) in [(0.0, 0), (0.5, 0), (0.5, 4)] {
            let mut overload = Overload::default();
            assert_eq!(overload.hold(observed), []);
            let mut out = overload.release(&look(clipped_share, gain_step), 4);
            out.extend(overload.release(&look(0.0, 1), 4));
            assert_eq!(out, [observed]);
            assert_eq!((overload.hold(observed), overload.rest()), (vec![], vec![observed]));
        }
    }

    #[test]
    fn what_the_repeat_hears_counts_as_it_hears_it() {
        let made = burst(WHOLE, 3e5, -15.0);
        let again = burst(WHOLE, 1.002e5, 12.0);
        assert_eq!(counts(&[burst(WHOLE, 1e5, 1.0), made], &look(0.0, 1), &[again]), []);
    }

    #[test]
    fn what_is_over_at_the_repeat_counts_without_what_it_made() {
        let gone = burst((3.0, 12.0), 1e5, 1.0);
        let made = [burst((3.0, 12.0), -3e5, -8.6), burst((3.0, 3.2), 4e5, -30.0)];
        let events = [made[0], gone, made[1], burst((14.0, 16.0), -2e5, -40.0)];
        for after in [vec![], vec![burst(WHOLE, 1e5, -40.0)], vec![burst(WHOLE, 2e5, 5.0)]] {
            assert_eq!(counts(&events, &look(0.0, 1), &after), [gone]);
        }
    }

    #[test]
    fn where_the_gain_goes_no_lower_the_channel_of_the_strongest_counts() {
        let (one, two) = (burst((0.0, 27.0), 1e5, 1.0), burst((60.0, 87.0), 1.001e5, 0.5));
        let made = [burst((0.0, 27.0), -3e5, -8.6), burst((1.0, 2.0), 4e5, -30.0)];
        let mut overload = Overload::default();
        for event in [one, made[0], made[1], two] {
            assert_eq!(overload.hold(event), []);
        }
        assert_eq!(overload.release(&look(0.2, 4), 4), [one, two]);
    }

    /// A line 4 kHz from the tuning, and what is made of it, are one to the detector.
    #[test]
    fn what_may_be_several_does_not_count() {
        assert_eq!(counts(&[burst(WHOLE, 4e3, 1.0), burst(WHOLE, 1e5, -30.0)], &look(0.0, 1), &[]), []);
    }

    #[test]
    fn without_a_repeat_the_strongest_counts() {
        let strong = burst(WHOLE, 1e5, 1.0);
        let elsewhere = Look { dwell: Dwell { tuning: 1, ..look(0.0, 0).dwell }, ..look(0.0, 0) };
        assert_eq!(counts(&[strong, burst(WHOLE, 3e5, -15.0)], &elsewhere, &[strong]), [strong]);
        let mut overload = Overload::default();
        assert_eq!(overload.hold(strong), []);
        assert_eq!(overload.release(&look(0.2, 0), 4), []);
        assert_eq!(overload.rest(), [strong]);
    }

    #[test]
    fn each_repeat_that_overloads_too_waits_for_the_next() {
        let strong = burst(WHOLE, 1e5, 1.0);
        let mut overload = Overload::default();
        for step in 0..4 {
            assert_eq!(overload.hold(strong), []);
            assert_eq!(overload.release(&look(0.2, step), 4), []);
        }
        assert_eq!(overload.hold(strong), []);
        assert_eq!(overload.release(&look(0.2, 4), 4), [strong]);
    }
}
