//! Which receiver is meant, what its kind can do, and how it is opened and planned for.

use crate::bandplan::BandPlan;
use crate::classify::Device;
use crate::config::{self, ConfigError};
use crate::plan::{PlanError, ReceiverAbility, ReceiverPlan, Request, scan_plan};
use crate::policy::{Gate, Level};
use crate::sdr::soapy::{OpenOptions, find};
use crate::sdr::{Facts, GainSetting, ReceiverProfile};

/// What a gain is called that the driver shares out among its elements: no driver has an element of that name.
const TOTAL: &str = "TOTAL";

/// A receiver that was chosen.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// SoapySDR arguments.
    pub arguments: String,
    /// What its kind can do.
    pub profile: ReceiverProfile,
}

/// Why none was.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// None is attached, and none was named.
    #[error(
        "no receiver is attached; plug one in, or name one: --device driver=hackrf (emcon doctor says what is wrong)"
    )]
    None,
    /// Several are, and none was named.
    #[error("{} receivers are attached; choose one: {}", .0.len(), .0.join(" or "))]
    Several(Vec<String>),
    /// SoapySDR's fault.
    #[error("cannot list receivers: {0}")]
    Find(String),
    /// The arguments name no driver.
    #[error("\"{0}\" names no driver: write for example driver=hackrf or driver=rtlsdr,serial=00000001")]
    NoDriver(String),
    /// No profile fits.
    #[error("driver \"{driver}\" is none that emcon knows; say which kind it is like: --receiver {}", known.join(" or --receiver "))]
    UnknownDriver {
        /// As given.
        driver: String,
        /// Kinds there are.
        known: Vec<String>,
    },
    /// The data that are compiled in are at fault, or a kind is unknown.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// A gain that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Gain {
    /// One of its kind's settings, 0 the most sensitive.
    Step(usize),
    /// Decibels in all, which the driver shares out.
    Total(f64),
    /// Decibels of elements by the driver's names.
    Elements(GainSetting),
}

impl Chosen {
    /// The receiver that `arguments` mean, or the only one attached, as one of the kind called `kind` if that is given.
    ///
    /// # Errors
    /// See [`ChooseError`].
    pub fn of(arguments: Option<&str>, kind: Option<&str>) -> Result<Self, ChooseError> {
        let arguments = match arguments {
            Some(arguments) => arguments.to_owned(),
            None => only_one()?,
        };
        let profile = match kind {
            Some(kind) => config::receiver(kind)?,
            None => kind_of(&arguments)?,
        };
        Ok(Self { arguments, profile })
    }

    /// How it is opened, tuned to `center_hz` at `rate_hz` or its kind's own rate.
    pub fn options(&self, center_hz: f64, rate_hz: Option<f64>) -> OpenOptions {
        OpenOptions {
            arguments: self.arguments.clone(),
            rate_hz: rate_hz.unwrap_or(self.profile.rate_hz),
            bandwidth_hz: None,
            center_hz,
            gains: self.profile.gain_steps.clone(),
            stream: self.profile.stream_args.clone(),
        }
    }

    /// Its settings of gain where `gain` was asked for: that one, and another one to compare with.
    ///
    /// # Errors
    /// In words, if its kind has no such step.
    pub fn gains(&self, gain: Option<&Gain>) -> Result<Vec<GainSetting>, String> {
        let steps = &self.profile.gain_steps;
        let wanted = match gain {
            None => return Ok(steps.clone()),
            Some(Gain::Step(step)) => steps.get(*step).cloned().ok_or_else(|| {
                let (name, last) = (&self.profile.name, steps.len().saturating_sub(1));
                format!("there is no gain step:{step}: a {name} has step:0 to step:{last}")
            })?,
            Some(Gain::Total(db)) => vec![(TOTAL.to_owned(), *db)],
            Some(Gain::Elements(elements)) => elements.clone(),
        };
        let total_db = |step: &GainSetting| step.iter().map(|(_, db)| db).sum::<f64>();
        let away = |step: &&GainSetting| (total_db(step) - total_db(&wanted)).abs();
        let other = steps.iter().max_by(|a, b| away(a).total_cmp(&away(b))).cloned();
        Ok([wanted].into_iter().chain(other).collect())
    }

    /// The gate between a room, `room_m` from the antenna to the farthest seat, and outside; none without a size, or where its
    /// kind's noise is not known.
    pub fn gate(&self, room_m: f64) -> Option<Gate> {
        let noise_figure_db = self.profile.noise_figure_db?;
        (room_m > 0.0).then_some(Gate { noise_figure_db, room_m })
    }

    /// A frequency that it can be tuned to.
    pub fn somewhere_hz(&self) -> f64 {
        self.profile.ranges_hz.first().map_or(100e6, |[low, high]| (low * high).sqrt())
    }

    /// Samples to discard after a change of tuning, where that cannot be measured.
    pub fn settle_default(&self, rate_hz: f64) -> u64 {
        (self.profile.settle_s * rate_hz) as u64
    }

    /// Whether it is simulated and not paced: then nothing is lost by waiting.
    pub fn is_patient(&self) -> bool {
        argument(&self.arguments, "driver") == Some("emcon-sim")
            && argument(&self.arguments, "pace") == Some("0")
    }
}

/// The value of `key` in SoapySDR arguments.
pub fn argument<'a>(arguments: &'a str, key: &str) -> Option<&'a str> {
    let pairs = arguments.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(own, value)| (own.trim(), value.trim())).find(|(own, _)| *own == key).map(|(_, value)| value)
}

fn only_one() -> Result<String, ChooseError> {
    let found = find("").map_err(ChooseError::Find)?;
    // A sound card is no receiver of radio.
    let found: Vec<_> = found.iter().filter(|found| found.driver != "audio").collect();
    match found.as_slice() {
        [] => Err(ChooseError::None),
        [one] => Ok(one.arguments()),
        several => Err(ChooseError::Several(
            several.iter().map(|found| format!("--device {}", found.arguments())).collect(),
        )),
    }
}

/// The kind of receiver that `arguments` name by their driver.
///
/// # Errors
/// [`ChooseError::NoDriver`], [`ChooseError::UnknownDriver`].
pub fn kind_of(arguments: &str) -> Result<ReceiverProfile, ChooseError> {
    let driver = argument(arguments, "driver").ok_or_else(|| ChooseError::NoDriver(arguments.to_owned()))?;
    let driver = match driver {
        // It stands in for a kind that its arguments name.
        "emcon-sim" => argument(arguments, "model").unwrap_or("hackrf"),
        "remote" => argument(arguments, "remote:driver").unwrap_or(driver),
        own => own,
    };
    let all = config::receivers()?;
    let known = all.iter().map(|profile| profile.name.clone()).collect();
    let found = all.into_iter().find(|profile| profile.driver == driver || profile.name == driver);
    found.ok_or_else(|| ChooseError::UnknownDriver { driver: driver.to_owned(), known })
}

/// What is to be covered.
#[derive(Debug, Clone)]
pub struct Guarded {
    /// The region's allocations.
    pub region: BandPlan,
    /// Level of the meeting.
    pub level: Level,
    /// Devices that must be covered.
    pub devices: Vec<Device>,
    /// One frequency to stay at, hertz, instead of a plan.
    pub park_hz: Option<f64>,
}

/// The plan for a receiver of `profile` that turned out to be as `facts` say and settles within `settle_s`.
///
/// # Errors
/// In words.
pub fn plan_for(
    guarded: &Guarded,
    profile: &ReceiverProfile,
    facts: &Facts,
    settle_s: f64,
) -> Result<ReceiverPlan, String> {
    let usable = profile.usable_hz / profile.rate_hz;
    let usable_hz = usable * facts.rate_hz;
    let ability = ReceiverAbility {
        rate_hz: facts.rate_hz,
        usable_hz,
        // Centres are moved by as much as the offset covers.
        ranges_hz: in_reach(&profile.ranges_hz, &facts.tunable_hz, usable_hz - 2.0 * profile.offset_hz),
        ..config::ability(profile, Some(settle_s))
    };
    if let Some(center_hz) = guarded.park_hz {
        return Ok(ReceiverPlan::parked(&ability, center_hz));
    }
    let (covers, emitters) = config::coverage().map_err(|error| error.to_string())?;
    let request = Request {
        region: &guarded.region,
        covers: &covers,
        emitters: &emitters,
        level: guarded.level,
        devices: &guarded.devices,
        receivers: &[ability],
    };
    let plan = scan_plan(&request).map_err(|error: PlanError| error.to_string())?;
    plan.receivers.into_iter().next().ok_or_else(|| "the plan is empty".to_owned())
}

/// Of what the kind can use, what this receiver reaches, whose centre can be tuned to `tunable_hz` and who uses
/// `width_hz` about it.
fn in_reach(ranges_hz: &[[f64; 2]], tunable_hz: &[[f64; 2]], width_hz: f64) -> Vec<[f64; 2]> {
    let half_hz = width_hz / 2.0;
    let pairs = ranges_hz.iter().flat_map(|range| tunable_hz.iter().map(move |tunable| (range, tunable)));
    let common = pairs
        .map(|(range, tunable)| [range[0].max(tunable[0] - half_hz), range[1].min(tunable[1] + half_hz)]);
    common.filter(|[low, high]| high - low >= width_hz).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_centre_is_planned_that_cannot_be_tuned() {
        let reach = in_reach(&[[24e6, 1766e6]], &[[24e6, 1764e6]], 2e6);
        assert_eq!(reach, [[24e6, 1765e6]], "centres up to 1764 MHz");
    }

    #[test]
    fn a_driver_means_a_kind() {
        for (arguments, name) in [
            ("driver=hackrf", "hackrf"),
            ("driver=rtlsdr,serial=00000001", "rtlsdr"),
            ("driver=emcon-sim,model=rtlsdr,scene=a=b.toml", "rtlsdr"),
            ("driver=emcon-sim", "hackrf"),
            ("driver=remote,remote:driver=rtlsdr", "rtlsdr"),
        ] {
            assert_eq!(Chosen::of(Some(arguments), None).unwrap().profile.name, name, "{arguments}");
        }
    }

    #[test]
    fn a_gain_comes_with_another_to_compare_with() {
        let chosen = Chosen::of(Some("driver=rtlsdr"), None).unwrap();
        let tuner = |db: f64| vec![("TUNER".to_owned(), db)];
        assert_eq!(chosen.gains(None).unwrap().len(), 5);
        assert_eq!(chosen.gains(Some(&Gain::Step(4))).unwrap(), [tuner(0.0), tuner(42.1)]);
        assert_eq!(chosen.gains(Some(&Gain::Elements(tuner(28.0)))).unwrap(), [tuner(28.0), tuner(0.0)]);
        assert!(chosen.gains(Some(&Gain::Step(5))).unwrap_err().contains("step:0 to step:4"));
    }

    #[test]
    fn what_is_not_known_is_said_with_what_is() {
        let said = |arguments: &str| Chosen::of(Some(arguments), None).unwrap_err().to_string();
        assert!(said("driver=plutosdr").contains("--receiver hackrf or --receiver rtlsdr"));
        assert!(said("serial=1").contains("names no driver"));
        assert_eq!(Chosen::of(Some("driver=plutosdr"), Some("hackrf")).unwrap().profile.name, "hackrf");
    }
}
