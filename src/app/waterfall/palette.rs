//! Colours: a computed scale from dark to bright, and one for each standing of an emitter.

use crate::classify::Device;
use crate::pipeline::EmitterReport;

/// Red, green, blue; sRGB.
pub type Rgb = [u8; 3];

/// Behind everything.
pub const PAPER: Rgb = [17, 18, 23];
/// Where and when nothing was observed.
pub const UNOBSERVED: Rgb = [48, 48, 52];
/// Axes and text.
pub const INK: Rgb = [222, 224, 228];

/// Standings with their colours, told apart by people of any colour vision (Okabe and Ito 2008).
pub const STANDINGS: &[(&str, Rgb)] = &[
    ("banned", [255, 94, 40]),
    ("ambient", [86, 180, 233]),
    ("infrastructure", [0, 190, 140]),
    ("interference", [200, 200, 200]),
    ("not confirmed", [150, 150, 150]),
];

/// The colour of an emitter's boxes.
pub fn standing(emitter: Option<&EmitterReport>) -> Rgb {
    let name = match emitter {
        None => "not confirmed",
        Some(emitter) if emitter.ambient => "ambient",
        Some(emitter) if emitter.banned => "banned",
        Some(emitter) if emitter.device == Device::Interference => "interference",
        Some(_) => "infrastructure",
    };
    STANDINGS.iter().find(|(known, _)| *known == name).map_or(INK, |(_, color)| *color)
}

/// A colour for `share` of the scale, 0 (dark) to 1 (bright): lightness rises evenly while the hue turns from
/// violet over green to yellow, so that the order of levels is seen without colours too.
pub fn scale(share: f32) -> Rgb {
    let share = f64::from(share.clamp(0.0, 1.0));
    let lightness = 0.16 + 0.78 * share;
    let hue = (300.0 - 195.0 * share).to_radians();
    // Dark and bright ends hold little colour in sRGB.
    let chroma = 0.05 + 0.12 * (std::f64::consts::PI * share.powf(0.9)).sin().max(0.0) + 0.07 * share;
    oklab(lightness, chroma * hue.cos(), chroma * hue.sin())
}

/// OKLab to sRGB (B. Ottosson, "A perceptual color space for image processing", 2020; IEC 61966-2-1 for the
/// transfer curve). What sRGB cannot show is clipped.
fn oklab(lightness: f64, a: f64, b: f64) -> Rgb {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ]
    .map(|linear| (transfer(linear.clamp(0.0, 1.0)) * 255.0).round() as u8)
}

fn transfer(linear: f64) -> f64 {
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (ITU-R BT.709-6, 3.3, on the coded values: monotonic in the true one for the scale).
    fn luma(color: Rgb) -> f64 {
        0.2126 * f64::from(color[0]) + 0.7152 * f64::from(color[1]) + 0.0722 * f64::from(color[2])
    }

    #[test]
    fn brighter_is_more() {
        let steps: Vec<f64> = (0..=64).map(|step| luma(scale(step as f32 / 64.0))).collect();
        assert!(steps.windows(2).all(|pair| pair[1] > pair[0]), "{steps:?}");
        assert!(steps[0] < 30.0 && steps[64] > 190.0, "{} {}", steps[0], steps[64]);
        assert_eq!(scale(-1.0), scale(0.0));
        assert_eq!(scale(2.0), scale(1.0));
    }

    #[test]
    fn white_and_black_are_themselves() {
        assert_eq!(oklab(1.0, 0.0, 0.0), [255, 255, 255]);
        assert_eq!(oklab(0.0, 0.0, 0.0), [0, 0, 0]);
    }
}
