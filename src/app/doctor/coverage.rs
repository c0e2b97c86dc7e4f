//! What a kind of receiver cannot see of what a meeting's level asks for, device by device.

use super::Check;
use crate::bandplan::BandPlan;
use crate::classify::Device;
use crate::config;
use crate::plan::required;
use crate::policy::Level;
use crate::sdr::ReceiverProfile;

/// One line for each device that `level` bans.
///
/// # Errors
/// In words, if the table of what must be covered is at fault.
pub fn coverage(profile: &ReceiverProfile, region: &BandPlan, level: Level) -> Result<Vec<Check>, String> {
    const NAME: &str = "coverage";
    let (covers, _) = config::coverage().map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    for device in Device::ALL.iter().copied().filter(|device| device.is_device()) {
        let bands = required(region, &covers, level, &[device]);
        let total_hz: f64 = bands.iter().map(|band| band.high_hz - band.low_hz).sum();
        if total_hz == 0.0 {
            continue;
        }
        let seen_hz = |low: f64, high: f64| -> f64 {
            let own = profile.ranges_hz.iter();
            own.map(|range| (range[1].min(high) - range[0].max(low)).max(0.0)).sum()
        };
        let missed: Vec<&str> = bands
            .iter()
            .filter(|band| seen_hz(band.low_hz, band.high_hz) < band.high_hz - band.low_hz - 1.0)
            .map(|band| band.name.as_str())
            .collect();
        let seen: f64 = bands.iter().map(|band| seen_hz(band.low_hz, band.high_hz)).sum();
        let word = device.as_str();
        if missed.is_empty() {
            out.push(Check::pass(NAME, format!("{word}: all {} bands", bands.len())));
            continue;
        }
        let share = seen / total_hz * 100.0;
        out.push(Check::warn(
            NAME,
            format!(
                "{word}: a {} sees {share:.0} % of its bands, and not (all of) {}",
                profile.name,
                missed.join(", ")
            ),
            "add a receiver that tunes there, or do not claim to guard against it",
        ));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    /// Oracle: what an RTL-SDR tunes to, 24 to 1765 MHz, against 2.4 GHz.
    #[test]
    fn a_dongle_sees_no_bluetooth_and_a_hackrf_does() {
        let region = config::region("cn").unwrap();
        let line = |kind: &str, word: &str| {
            let profile = config::receiver(kind).unwrap();
            let lines = coverage(&profile, &region, Level::Confidential).unwrap();
            lines.into_iter().find(|check| check.seen.starts_with(word)).unwrap()
        };
        let missed = line("rtlsdr", "bluetooth-device");
        assert_eq!(missed.health, Health::Warn);
        assert!(missed.seen.contains(" 0 %"), "{}", missed.seen);
        assert_eq!(line("hackrf", "bluetooth-device").health, Health::Pass);
        let walkie = line("rtlsdr", "walkie-talkie");
        assert_eq!(walkie.health, Health::Pass, "{}", walkie.seen);
    }
}
