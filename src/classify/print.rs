//! Measured values as engineers say them.

use super::signature::Feature;

/// Prefixes by powers of a thousand, from nano.
const PREFIXES: [&str; 7] = ["n", "µ", "m", "", "k", "M", "G"];

/// `value` with its unit and prefix, to four significant digits without trailing zeros: `368 µs`, `1.728 MHz`.
pub fn engineering(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        return format!("{value} {unit}");
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || unit.is_empty() || unit == "dB" {
        return join(&significant(value), unit);
    }
    // A hair above the border belongs to the next prefix: 999.99 µs is 1 ms.
    let power = ((magnitude * 1.00005).log10() / 3.0).floor().clamp(-3.0, 3.0);
    let scaled = value / 1000f64.powf(power);
    join(&significant(scaled), &format!("{}{unit}", PREFIXES[(power + 3.0) as usize]))
}

fn join(number: &str, unit: &str) -> String {
    if unit.is_empty() { number.to_owned() } else { format!("{number} {unit}") }
}

/// Four significant digits, no trailing zeros, no exponent.
fn significant(value: f64) -> String {
    let digits = value.abs().max(1e-3).log10().floor() as i32;
    let text = format!("{:.*}", (3 - digits).clamp(0, 6) as usize, value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A frequency in megahertz to the kilohertz: `1888.704 MHz`.
pub fn megahertz(hz: f64) -> String {
    format!("{:.3} MHz", hz / 1e6)
}

impl Feature {
    /// Unit without prefix; empty for ratios and counts.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Bandwidth | Self::Deviation | Self::LevelHz => "Hz",
            Self::Duration | Self::Longest | Self::Airtime | Self::Interval | Self::PulseLength => "s",
            Self::SymbolRate | Self::EnvelopeRate | Self::SquareRate | Self::LevelRate => "Bd",
            Self::ChirpSlope => "Hz/s",
            Self::LevelSpread | Self::Snr | Self::Papr | Self::Chip => "dB",
            _ => "",
        }
    }

    /// What it is, for people; `at` is its parameter.
    pub fn words(self, at: Option<f64>) -> String {
        let at = |unit: &str| at.map_or_else(String::new, |at| engineering(at, unit));
        match self {
            Self::Rhythm => format!("rhythm of {}", at("s")),
            Self::PhaseShare => format!("fraction of the phases of {} that it is on in", at("s")),
            Self::Paired => format!("fraction of bursts answered after {}", at("s")),
            Self::Multiple => format!("fraction of bursts that last multiples of {}", at("s")),
            Self::Duration => "on-time".to_owned(),
            Self::Longest => "longest on-time".to_owned(),
            Self::EnvelopeCv => "envelope variation".to_owned(),
            Self::LevelRate => "symbol rate of the levels".to_owned(),
            Self::LevelHz => "outermost frequency level".to_owned(),
            Self::SymbolRate => "symbol rate".to_owned(),
            Self::EnvelopeRate => "symbol rate from the envelope".to_owned(),
            Self::SquareRate => "symbol rate from the squared signal".to_owned(),
            Self::Chip => "chip-rate line at 3.84 MHz".to_owned(),
            Self::Lag0u8 => "repetition after 0.8 µs".to_owned(),
            Self::Lag1u => "repetition after 1 µs".to_owned(),
            Self::Lag3u2 => "cyclic prefix after 3.2 µs".to_owned(),
            Self::Lag12u8 => "cyclic prefix after 12.8 µs".to_owned(),
            Self::Lag16u => "repetition after 16 µs".to_owned(),
            Self::Lag66u7 => "cyclic prefix after 66.7 µs".to_owned(),
            Self::Lag33u3 => "cyclic prefix after 33.3 µs".to_owned(),
            Self::LineFraction => "fraction of the power in one line".to_owned(),
            Self::ChirpFit => "fraction of the energy in a linear chirp".to_owned(),
            Self::Width => "width beyond three bins".to_owned(),
            other => other.as_str().replace('-', " "),
        }
    }

    /// A short phrase with its value for the headline of a verdict, if it makes one.
    pub fn phrase(self, at: Option<f64>, value: f64) -> Option<String> {
        let number = engineering(value, self.unit());
        let at = at.map_or_else(String::new, |at| engineering(at, "s"));
        Some(match self {
            Self::Duration => format!("{number} bursts"),
            Self::Longest => format!("on for {number} without a break"),
            Self::Rhythm => format!("in a rhythm of {at}"),
            Self::PhaseShare => format!("on in step with {at}"),
            Self::Paired => format!("pairs {at} apart"),
            Self::Multiple => format!("on-times in multiples of {at}"),
            Self::Bandwidth => format!("{number} wide"),
            Self::Channels if value > 1.0 => format!("on {number} channels"),
            Self::EnvelopeCv if value < 0.3 => "constant envelope".to_owned(),
            Self::EnvelopeCv => "varying envelope".to_owned(),
            Self::FskLevels if value >= 2.0 => format!("{number}-level FSK"),
            Self::FskLevels => "no symbol levels".to_owned(),
            Self::SymbolRate | Self::EnvelopeRate | Self::SquareRate | Self::LevelRate => {
                format!("symbols at {number}")
            }
            Self::ModulationIndex => format!("modulation index {number}"),
            Self::LevelHz => format!("levels to {number}"),
            Self::Deviation => format!("deviation {number}"),
            Self::Lag0u8 => "short training field every 0.8 µs".to_owned(),
            Self::Lag1u => "Barker sequence every 1 µs".to_owned(),
            Self::Lag3u2 | Self::Lag12u8 | Self::Lag66u7 | Self::Lag33u3 => self.words(None),
            Self::Lag16u => "symbols repeated after 16 µs".to_owned(),
            Self::Chip => "chips at 3.84 Mcps".to_owned(),
            Self::Pulses => format!("{number} pulses a burst"),
            Self::ChirpFit => "linear chirps".to_owned(),
            Self::LineFraction => "one unmodulated line".to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_engineers_say_them() {
        let check = |value, unit, expect: &str| assert_eq!(engineering(value, unit), expect);
        check(368e-6, "s", "368 µs");
        check(120e-3 / 26.0, "s", "4.615 ms");
        check(999.999e-6, "s", "1 ms");
        check(10e-3, "s", "10 ms");
        check(1.728e6, "Hz", "1.728 MHz");
        check(0.0, "Hz", "0 Hz");
        check(270_833.0, "Bd", "270.8 kBd");
        check(0.3251, "", "0.3251");
        check(-12.34, "dB", "-12.34 dB");
        check(f64::NAN, "Hz", "NaN Hz");
        assert_eq!(megahertz(1_888_704_000.0), "1888.704 MHz");
    }
}
