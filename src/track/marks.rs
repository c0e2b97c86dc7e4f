//! What tells one transmitter from another of its kind on its channel: the offset of its carrier, and the lengths of
//! its bursts where it has few.
//!
//! Two crystals differ by tens of parts in a million, one by itself drifts by about one. A burst tells its carrier by the
//! phase of its cyclic prefix, or by the middle of its two frequencies. What was learned on a channel is a handful of
//! such values, each good to its own standard deviation; a burst far from all of them is somebody else's.

use super::emission::Emission;
use crate::measure::Depth;
use crate::units::HIGHEST_HZ;
use serde::{Deserialize, Serialize};

/// How far one transmitter's carrier wanders against one receiver from burst to burst, as a fraction of the frequency:
/// judged; two crystals differ by tens of millionths (IEEE 802.11-2020 17.3.9.5 allows 20 ppm each, Bluetooth Core 5.4
/// Vol 6 Part A 3.1 50 ppm), and what is slower is followed.
pub const CARRIER_DRIFT: f64 = 1e-6;
/// The same from one session to the next: crystals of both warm up by this much and cool down again (judged from
/// specifications of 10 to 20 ppm over the whole range of temperature).
pub const KEPT_DRIFT: f64 = 4e-6;
/// Frequency that the drift is taken of where the tuning is unknown, hertz: the highest of the receivers.
const UNKNOWN_TUNING_HZ: f64 = 6e9;
/// Carriers closer than this many standard deviations of a burst's are the same.
const CARRIER_SIGMAS: f64 = 4.0;
/// The middle of two symbol levels is known to this fraction of the bandwidth over the square root of the symbols, for
/// which the time-bandwidth product stands: filters, drift within the packet and noise at 15 dB together.
const MIDDLE_SIGMA: f64 = 0.05;
/// and never to less than this fraction: filters and codes are not symmetric.
const MIDDLE_SIGMA_LEAST: f64 = 2.5e-3;
/// Bluetooth's channels, and those of most else with two frequencies in its band, lie on whole megahertz (Core 5.4 Vol
/// 6 Part B 1.4.1): modulo this a hopper has one carrier.
const RASTER_HZ: f64 = 1e6;
/// The band of that raster, hertz (ERC/REC 70-03 annex 3).
const RASTER_BAND_HZ: std::ops::Range<f64> = 2.4e9..2.4835e9;
/// Bandwidths that occur on it, hertz.
const RASTER_BANDWIDTH_HZ: std::ops::Range<f64> = 0.4e6..2.6e6;
/// Only the prefixes of Wi-Fi: a phone's carrier is locked to its base station's, and so is its neighbour's. Hertz, of
/// the least subcarrier spacing (IEEE 802.11ax 27.3.10: 78.125 kHz).
const OWN_CARRIER_STEP_HZ: f64 = 70e3;
/// Lengths are the same within this part, and
const LENGTH_TOLERANCE: f64 = 0.04;
/// within this time: what start and end are good to, seconds.
const LENGTH_TOLERANCE_S: f64 = 8e-6;
/// Most values kept of one channel: the rarest go.
const VALUES_MAX: usize = 12;
/// Where a larger part of the bursts had values that were not kept, values tell nobody apart.
const OTHERS_SHARE: f64 = 0.1;
/// Part of the way to a burst's carrier that a known one follows at least: crystals warm up.
const FOLLOWS: f64 = 1.0 / 16.0;
/// Fewest bursts that tell the carriers on a channel.
const CARRIER_BURSTS_MIN: u32 = 4;
/// Fewest bursts that tell that all have few lengths,
const LENGTH_BURSTS_MIN: u32 = 8;
/// how many are few,
const LENGTHS_FEW: usize = 3;
/// and what part of the bursts must have one of these.
const LENGTHS_SHARE: f64 = 0.9;
/// So many bursts must agree before what differs from the learned ones is somebody else: a collision gives one wrong
/// value, or two.
const AGREEING: u32 = 4;

/// A value that several bursts share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// Carrier in hertz, absolute where the tuning is known; or length in seconds.
    pub value: f64,
    /// Standard deviation of it.
    pub sigma: f64,
    /// The carrier is known up to multiples of this, hertz.
    pub step: Option<f64>,
    /// Bursts that gave it.
    pub bursts: u32,
}

/// All values of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// At most [`VALUES_MAX`].
    pub held: Vec<Shared>,
    /// Bursts whose values were not kept.
    pub others: u32,
}

/// What the bursts on one channel, or of one hopper, have told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// Carriers, hertz.
    pub carriers: Values,
    /// Lengths, seconds.
    pub lengths: Values,
    /// Bursts measured that told no carrier.
    pub untold: u32,
}

/// In what an emission differs from all that was learned on its channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stranger {
    /// Its carrier lies this far from the nearest learned one, hertz.
    Carrier {
        /// Hertz.
        apart_hz: f64,
    },
    /// Its bursts are of another length.
    Length {
        /// Seconds.
        own_s: f64,
        /// The nearest learned one, seconds.
        learned_s: f64,
    },
}

impl Shared {
    fn apart(&self, other: &Self) -> f64 {
        let apart = other.value - self.value;
        self.step.map_or(apart, |step| apart - step * (apart / step).round())
    }

    /// Takes `one`, the same, into account: by the inverse of the variances, and never less than [`FOLLOWS`].
    fn follow(&mut self, one: &Self) {
        self.bursts = self.bursts.saturating_add(one.bursts);
        let (own, its) = (self.sigma * self.sigma, one.sigma * one.sigma);
        let count = f64::from(one.bursts) / f64::from(self.bursts.max(1));
        let weight = if own + its > 0.0 { own / (own + its) } else { count };
        let weight = weight.max(FOLLOWS);
        self.value += weight * self.apart(one);
        self.sigma = ((1.0 - weight) * own).max(FOLLOWS * its).sqrt();
    }

    fn same_step(&self, other: &Self) -> bool {
        match (self.step, other.step) {
            (Some(a), Some(b)) => (a - b).abs() < 1.0,
            (None, None) => true,
            _ => false,
        }
    }
}

/// The carrier that `emission` tells, with one burst.
fn carrier(emission: &Emission) -> Option<Shared> {
    let burst = &emission.burst;
    let tuning_hz = emission.place.hz - burst.offset_hz;
    if let Some((hz, step_hz, sigma_hz)) = burst.features.carrier() {
        let own = step_hz > OWN_CARRIER_STEP_HZ;
        return own.then_some(Shared {
            value: tuning_hz + hz,
            sigma: sigma_hz,
            step: Some(step_hz),
            bursts: 1,
        });
    }
    let on_raster = emission.place.absolute
        && RASTER_BAND_HZ.contains(&emission.place.hz)
        && RASTER_BANDWIDTH_HZ.contains(&burst.bandwidth_hz);
    has_two_levels(emission).then(|| Shared {
        value: emission.place.hz,
        sigma: middle_sigma_hz(burst.bandwidth_hz, emission.duration_s()),
        step: on_raster.then_some(RASTER_HZ),
        bursts: 1,
    })
}

fn middle_sigma_hz(bandwidth_hz: f64, on_s: f64) -> f64 {
    let symbols = (on_s * bandwidth_hz).max(1.0);
    bandwidth_hz * (MIDDLE_SIGMA / symbols.sqrt()).max(MIDDLE_SIGMA_LEAST)
}

fn has_two_levels(emission: &Emission) -> bool {
    emission.burst.features.fsk_levels == Some(2)
}

fn length(emission: &Emission) -> Option<Shared> {
    let value = emission.duration_s();
    (emission.is_whole() && has_two_levels(emission)).then_some(Shared {
        value,
        sigma: 0.0,
        step: None,
        bursts: 1,
    })
}

fn tells(emission: &Emission) -> bool {
    let burst = &emission.burst;
    emission.carrier.is_none() && burst.depth == Depth::Full && !burst.at_edge && !emission.is_ghost()
}

/// How far apart two bursts' carriers may be and be one, hertz.
fn carrier_tolerance_hz(a: &Shared, b: &Shared, absolute: bool, drift: f64) -> f64 {
    let drift_hz = drift * if absolute { a.value.abs() } else { UNKNOWN_TUNING_HZ };
    drift_hz.max(CARRIER_SIGMAS * a.sigma.hypot(b.sigma))
}

fn length_tolerance_s(a: &Shared) -> f64 {
    LENGTH_TOLERANCE * a.value + LENGTH_TOLERANCE_S
}

impl Values {
    fn nearest(&self, one: &Shared) -> Option<&Shared> {
        let comparable = self.held.iter().filter(|held| held.same_step(one));
        comparable.min_by(|a, b| a.apart(one).abs().total_cmp(&b.apart(one).abs()))
    }

    fn note(&mut self, one: &Shared, tolerance: impl Fn(&Shared) -> f64) {
        let near = |held: &&mut Shared| held.same_step(one) && held.apart(one).abs() <= tolerance(held);
        let apart = |held: &&mut Shared| held.apart(one).abs();
        if let Some(held) = self.held.iter_mut().filter(near).min_by(|a, b| apart(a).total_cmp(&apart(b))) {
            held.follow(one);
            return;
        }
        if self.held.len() == VALUES_MAX {
            let rarest = self.held.iter().enumerate().min_by_key(|(_, held)| held.bursts).map(|(at, _)| at);
            if let Some(at) = rarest {
                self.others = self.others.saturating_add(self.held.swap_remove(at).bursts);
            }
        }
        self.held.push(*one);
    }

    /// Bursts that gave the values held.
    fn told(&self) -> u32 {
        self.held.iter().fold(0, |sum, held| sum.saturating_add(held.bursts))
    }

    /// Whether so many bursts had other values that those held say little.
    fn are_crowded(&self) -> bool {
        f64::from(self.others) > OTHERS_SHARE * f64::from(self.told())
    }

    /// Bursts that gave the commonest value.
    fn agreeing(&self) -> u32 {
        self.held.iter().map(|held| held.bursts).max().unwrap_or(0)
    }

    /// Whether a few values are all there are.
    fn are_few(&self) -> bool {
        let mut bursts: Vec<u32> = self.held.iter().map(|held| held.bursts).collect();
        bursts.sort_unstable_by(|a, b| b.cmp(a));
        let all = bursts.iter().fold(self.others, |sum, &count| sum.saturating_add(count));
        let few = bursts.iter().take(LENGTHS_FEW).fold(0u32, |sum, &count| sum.saturating_add(count));
        all >= LENGTH_BURSTS_MIN && f64::from(few) >= LENGTHS_SHARE * f64::from(all)
    }
}

impl Marks {
    /// Adds what `emission` tells.
    pub(super) fn note(&mut self, emission: &Emission) {
        if !tells(emission) {
            return;
        }
        let absolute = emission.place.absolute;
        match carrier(emission) {
            Some(one) => {
                self.carriers.note(&one, |held| carrier_tolerance_hz(held, &one, absolute, CARRIER_DRIFT))
            }
            None => self.untold = self.untold.saturating_add(1),
        }
        if let Some(one) = length(emission) {
            self.lengths.note(&one, length_tolerance_s);
        }
    }

    /// Whether `emission` tells the carrier of one of these.
    pub(super) fn have_carrier_of(&self, emission: &Emission, hopper: bool) -> bool {
        let comparable =
            tells(emission) && carrier(emission).is_some_and(|one| self.carriers.nearest(&one).is_some());
        comparable && self.by_carrier(emission, hopper, 1, CARRIER_DRIFT).is_none()
    }

    /// Adds all that `other` was told, of emitters on an absolute axis or not.
    pub fn absorb(&mut self, other: &Self, absolute: bool) {
        for one in &other.carriers.held {
            self.carriers.note(one, |held| carrier_tolerance_hz(held, one, absolute, CARRIER_DRIFT));
        }
        for one in &other.lengths.held {
            self.lengths.note(one, length_tolerance_s);
        }
        self.carriers.others = self.carriers.others.saturating_add(other.carriers.others);
        self.lengths.others = self.lengths.others.saturating_add(other.lengths.others);
        self.untold = self.untold.saturating_add(other.untold);
    }

    /// Whether measurements can have given them: no more than are kept, and numbers that occur.
    pub fn are_possible(&self) -> bool {
        let sound = |one: &Shared| {
            one.value.abs() < HIGHEST_HZ
                && (0.0..HIGHEST_HZ).contains(&one.sigma)
                && one.step.is_none_or(|step| (1.0..HIGHEST_HZ).contains(&step))
        };
        [&self.carriers, &self.lengths]
            .iter()
            .all(|values| values.held.len() <= VALUES_MAX && values.held.iter().all(sound))
    }

    /// In what `emission` differs from all that these were told, if they are enough to say so; of a `hopper` off any
    /// raster every channel has a carrier of its own, and its lengths follow what it carries.
    pub(super) fn stranger(&self, emission: &Emission, hopper: bool, drift: f64) -> Option<Stranger> {
        // What half of the bursts do not tell, others may have that were heard.
        if !tells(emission) || self.untold > self.carriers.told() {
            return None;
        }
        self.by_carrier(emission, hopper, CARRIER_BURSTS_MIN, drift)
            .or_else(|| self.by_length(emission).filter(|_| !hopper && self.lengths.are_few()))
    }

    fn by_carrier(&self, emission: &Emission, hopper: bool, least: u32, drift: f64) -> Option<Stranger> {
        let one = carrier(emission).filter(|one| !hopper || one.step.is_some())?;
        let told = self.carriers.held.iter().filter(|held| held.same_step(&one));
        let bursts = told.fold(0u32, |sum, held| sum.saturating_add(held.bursts));
        let nearest = self.carriers.nearest(&one)?;
        let apart_hz = nearest.apart(&one);
        let beyond = apart_hz.abs() > carrier_tolerance_hz(nearest, &one, emission.place.absolute, drift);
        (!self.carriers.are_crowded() && bursts >= least && beyond).then_some(Stranger::Carrier { apart_hz })
    }

    fn by_length(&self, emission: &Emission) -> Option<Stranger> {
        let one = length(emission)?;
        let nearest = self.lengths.nearest(&one)?;
        let beyond = nearest.apart(&one).abs() > length_tolerance_s(nearest);
        (!self.lengths.are_crowded() && beyond)
            .then_some(Stranger::Length { own_s: one.value, learned_s: nearest.value })
    }
}

impl Stranger {
    /// Whether `emission` shares with the bursts of `marks` that in which they are strange.
    pub(super) fn is_shared(&self, marks: &Marks, emission: &Emission, hopper: bool) -> bool {
        match self {
            _ if !tells(emission) => true,
            Self::Carrier { .. } => marks.by_carrier(emission, hopper, 1, CARRIER_DRIFT).is_none(),
            Self::Length { .. } => marks.by_length(emission).is_none(),
        }
    }

    /// Whether enough of the bursts of `marks` agree in it.
    pub(super) fn is_proved(&self, marks: &Marks) -> bool {
        let values = match self {
            Self::Carrier { .. } => &marks.carriers,
            Self::Length { .. } => &marks.lengths,
        };
        values.agreeing() >= AGREEING
    }

    /// The sentence that says so.
    pub fn sentence(&self) -> String {
        match self {
            Self::Carrier { apart_hz } => format!(
                "not the learned emitter on this channel: its carrier is {:+.1} kHz from the nearest learned one",
                apart_hz / 1e3
            ),
            Self::Length { own_s, learned_s } => format!(
                "not the learned emitter on this channel: its bursts last {:.0} µs, learned {:.0} µs",
                own_s * 1e6,
                learned_s * 1e6
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Burst, Features, Ghost, Lag};
    use crate::track::View;

    fn view() -> View {
        View {
            segment: 0,
            epoch: 0,
            start_s: 0.0,
            rate_hz: 20e6,
            center_hz: Some(2.437e9),
            bin_hz: 39e3,
            hop_s: 26e-6,
        }
    }

    fn burst(offset_hz: f64, bandwidth_hz: f64, on_s: f64, features: Features) -> Emission {
        let burst = Burst {
            segment: 0,
            start_s: 0.0,
            end_s: on_s,
            offset_hz,
            bandwidth_hz,
            power_dbfs: -30.0,
            snr_db: 15.0,
            depth: Depth::Full,
            cut_start: false,
            cut_end: false,
            at_edge: false,
            clipped: false,
            ghost: Ghost::None,
            features,
        };
        Emission::new(&burst, None, &view()).unwrap()
    }

    /// A Wi-Fi frame whose carrier is `hz` from the tuning.
    fn frame(hz: f64) -> Emission {
        let step_hz = 312.5e3;
        let features = Features {
            carrier_hz: Some(hz.rem_euclid(step_hz) as f32),
            carrier_step_hz: Some(step_hz as f32),
            lag_3u2: Some(Lag { value: 0.9, threshold: 0.14 }),
            ..Features::default()
        };
        burst(0.0, 16.4e6, 300e-6, features)
    }

    fn packet(offset_hz: f64, on_s: f64) -> Emission {
        burst(offset_hz, 1.03e6, on_s, Features { fsk_levels: Some(2), ..Features::default() })
    }

    fn told(emissions: &[Emission]) -> Marks {
        let mut marks = Marks::default();
        emissions.iter().for_each(|emission| marks.note(emission));
        marks
    }

    /// 1 ppm of 2437 MHz are 2.4 kHz; four standard deviations of such a burst are about as much.
    #[test]
    fn a_carrier_is_its_own_within_a_millionth() {
        let marks = told(&[frame(-300.0), frame(200.0), frame(24e3), frame(24.5e3), frame(100.0)]);
        assert_eq!(marks.carriers.held.iter().map(|held| held.bursts).collect::<Vec<_>>(), [3, 2]);
        for own in [-1500.0, 1500.0, 24e3, 312.5e3 + 500.0] {
            assert_eq!(marks.stranger(&frame(own), false, CARRIER_DRIFT), None, "{own}");
        }
        for other in [-15e3, 12e3, 40e3, 150e3] {
            assert!(
                matches!(marks.stranger(&frame(other), false, CARRIER_DRIFT), Some(Stranger::Carrier { .. })),
                "{other}"
            );
        }
        let Some(Stranger::Carrier { apart_hz }) = marks.stranger(&frame(-15e3), false, CARRIER_DRIFT) else {
            panic!()
        };
        assert!((apart_hz + 15e3).abs() < 100.0, "{apart_hz}");
    }

    #[test]
    fn few_bursts_and_many_values_tell_nobody_apart() {
        assert_eq!(
            told(&[frame(0.0), frame(0.0), frame(0.0)]).stranger(&frame(50e3), false, CARRIER_DRIFT),
            None
        );
        let crowd: Vec<Emission> = (0..24).map(|n| frame(12.5e3 * f64::from(n))).collect();
        assert!(told(&crowd[..12]).stranger(&frame(250e3), false, CARRIER_DRIFT).is_some());
        assert_eq!(told(&crowd).stranger(&frame(156e3), false, CARRIER_DRIFT), None);
    }

    /// Of the channels of Bluetooth only the distance to the next whole megahertz counts.
    #[test]
    fn a_hopper_has_one_carrier_on_all_its_channels() {
        let hops: Vec<Emission> =
            [-7.0, -2.0, 0.0, 3.0, 8.0].map(|mhz| packet(mhz * 1e6 + 2e3, 380e-6)).into();
        let marks = told(&hops);
        assert_eq!(marks.carriers.held.len(), 1);
        assert_eq!(marks.stranger(&packet(5e6 - 3e3, 380e-6), true, CARRIER_DRIFT), None);
        assert!(marks.stranger(&packet(5e6 - 40e3, 380e-6), true, CARRIER_DRIFT).is_some());
        assert_eq!(
            marks.stranger(&packet(5e6, 150e-6), true, CARRIER_DRIFT),
            None,
            "a hopper's lengths are what it carries"
        );
    }

    #[test]
    fn lengths_tell_where_they_are_few() {
        let same: Vec<Emission> =
            (0..8).map(|n| packet(0.0, if n % 3 == 0 { 176e-6 } else { 360e-6 })).collect();
        let marks = told(&same);
        assert_eq!(marks.stranger(&packet(0.0, 365e-6), false, CARRIER_DRIFT), None);
        assert!(matches!(
            marks.stranger(&packet(0.0, 320e-6), false, CARRIER_DRIFT),
            Some(Stranger::Length { .. })
        ));
        assert_eq!(told(&same[..7]).stranger(&packet(0.0, 320e-6), false, CARRIER_DRIFT), None);
        let varied: Vec<Emission> = (0..9).map(|n| packet(0.0, 100e-6 + 50e-6 * f64::from(n))).collect();
        assert_eq!(told(&varied).stranger(&packet(0.0, 2e-3), false, CARRIER_DRIFT), None);
    }

    #[test]
    fn a_stranger_is_proved_by_bursts_that_agree() {
        let stranger = Stranger::Carrier { apart_hz: -15e3 };
        let scattered: Vec<Emission> = (0..8).map(|n| frame(-15e3 - 20e3 * f64::from(n))).collect();
        assert!(!stranger.is_proved(&told(&scattered)));
        let agreeing = [frame(-15e3), frame(-15.4e3), frame(-14.9e3), frame(60e3), frame(-15.1e3)];
        assert!(!stranger.is_proved(&told(&agreeing[..4])));
        assert!(stranger.is_proved(&told(&agreeing)));
        assert!(stranger.is_shared(&told(&agreeing), &frame(-15.2e3), false));
        assert!(!stranger.is_shared(&told(&agreeing), &frame(0.0), false));
    }

    #[test]
    fn what_no_measurement_gives_is_refused() {
        let mut marks = told(&[frame(0.0)]);
        assert!(marks.are_possible());
        marks.carriers.held[0].step = Some(0.0);
        assert!(!marks.are_possible());
        marks.carriers.held = vec![Shared { value: 0.0, sigma: 1.0, step: None, bursts: 1 }; VALUES_MAX + 1];
        assert!(!marks.are_possible());
    }
}
