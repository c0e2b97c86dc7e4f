//! The features of an emission in words, those that could be measured.

use crate::measure::{Features, Lag, Line, Pulses};

/// One phrase a feature.
pub(super) fn features(f: &Features) -> Vec<String> {
    let mut words = Vec::new();
    scalars(f, &mut words);
    words.extend(f.pulses.map(pulses));
    for (name, found) in [
        ("symbol line", f.symbol_line),
        ("envelope line", f.envelope_line),
        ("square line", f.square_line),
        ("chip line", f.chip_3m84),
    ] {
        words.extend(found.map(|found| line(name, found)));
    }
    for (name, found) in [
        ("0.8 µs", f.lag_0u8),
        ("1 µs", f.lag_1u),
        ("3.2 µs", f.lag_3u2),
        ("12.8 µs", f.lag_12u8),
        ("16 µs", f.lag_16u),
        ("66.7 µs", f.lag_66u7),
        ("33.3 µs", f.lag_33u3),
    ] {
        words.extend(found.map(|found| lag(name, found)));
    }
    words
}

fn scalars(f: &Features, words: &mut Vec<String>) {
    for (name, value, unit) in [
        ("envelope CV", f.envelope_cv, ""),
        ("PAPR", f.papr_db, " dB"),
        ("on fraction", f.on_fraction, ""),
        ("deviation", f.deviation_hz, " Hz"),
        ("FM rms", f.fm_rms_hz, " Hz"),
        ("FSK levels", f.fsk_levels.map(f32::from), ""),
        ("level error", f.level_error, ""),
        ("outer level", f.level_hz, " Hz"),
        ("modulation index", f.modulation_index, ""),
        ("carrier offset", f.carrier_hz, " Hz"),
        ("flatness", f.flatness, ""),
        ("shoulder", f.shoulder, ""),
        ("chirp", f.chirp_hz_per_s, " Hz/s"),
        ("chirp fit", f.chirp_fit, ""),
        ("line fraction", f.line_fraction, ""),
    ] {
        words.extend(value.map(|value| format!("{name} {}{unit}", figure(value))));
    }
}

fn pulses(pulses: Pulses) -> String {
    let (on_us, off_us) = (pulses.on_s * 1e6, pulses.off_s * 1e6);
    format!("{} pulses of {} µs, gaps {} µs", pulses.count, figure(on_us), figure(off_us))
}

fn line(name: &str, line: Line) -> String {
    let verdict = if line.stands() { "stands" } else { "missed" };
    let (rate, height, limit) = (figure(line.rate_hz), figure(line.height_db), figure(line.threshold_db));
    format!("{name} {rate} Hz, {height} dB, limit {limit} dB: {verdict}")
}

fn lag(name: &str, lag: Lag) -> String {
    let verdict = if lag.stands() { "stands" } else { "missed" };
    format!("lag {name} {}, limit {}: {verdict}", figure(lag.value), figure(lag.threshold))
}

/// Three significant digits, without an exponent.
fn figure(value: f32) -> String {
    let magnitude = f64::from(value.abs().max(1e-3)).log10().floor();
    let decimals = (2.0 - magnitude).clamp(0.0, 5.0);
    let text = format!("{value:.*}", decimals as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_measured_is_told() {
        assert!(features(&Features::default()).is_empty());
        let some = Features {
            envelope_cv: Some(0.0512),
            deviation_hz: Some(288_123.0),
            lag_3u2: Some(Lag { value: 0.8, threshold: 0.31 }),
            symbol_line: Some(Line { rate_hz: 1.152e6, height_db: 4.0, threshold_db: 12.5 }),
            ..Features::default()
        };
        assert_eq!(
            features(&some),
            [
                "envelope CV 0.0512",
                "deviation 288123 Hz",
                "symbol line 1152000 Hz, 4 dB, limit 12.5 dB: missed",
                "lag 3.2 µs 0.8, limit 0.31: stands",
            ]
        );
    }
}
