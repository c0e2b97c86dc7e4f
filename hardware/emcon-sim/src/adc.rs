//! The converter and the formats of its codes: 8 bits on each rail, as both radios have it.

use multiversion::multiversion;
use num_complex::Complex32;

/// A sample as the module's 8-bit format has it: the code of each rail, signed.
pub type Code = [i8; 2];

/// Whose converter and driver it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// MAX5864, signed codes; SoapyHackRF.
    HackRf,
    /// RTL2832, offset codes with zero between 127 and 128; SoapyRTLSDR, which takes 127.4 for zero.
    RtlSdr,
}

/// Where samples go.
pub enum Client<'a> {
    /// `CS8`.
    Cs8(&'a mut [Code]),
    /// `CS16`.
    Cs16(&'a mut [[i16; 2]]),
    /// `CF32`.
    Cf32(&'a mut [[f32; 2]]),
}

impl Client<'_> {
    /// Room for how many samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Cs8(out) => out.len(),
            Self::Cs16(out) => out.len(),
            Self::Cf32(out) => out.len(),
        }
    }
}

/// Format of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 8-bit integers.
    Cs8,
    /// 16-bit integers.
    Cs16,
    /// 32-bit floats.
    Cf32,
}

impl Format {
    /// What SoapySDR calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cs8 => "CS8",
            Self::Cs16 => "CS16",
            Self::Cf32 => "CF32",
        }
    }

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Cs8, Self::Cs16, Self::Cf32].into_iter().find(|format| format.name() == name)
    }
}

/// Codes of `samples`, full scale 1; beyond it they saturate.
pub fn convert(model: Model, samples: &[Complex32], out: &mut [Code]) {
    match model {
        Model::HackRf => to_codes(samples, 128.5, out),
        Model::RtlSdr => to_codes(samples, 128.0, out),
    }
}

#[multiversion(targets("x86_64+avx2", "aarch64+neon"))]
fn to_codes(samples: &[Complex32], zero: f32, out: &mut [Code]) {
    let rail = |x: f32| ((x * 128.0 + zero).clamp(0.0, 255.0) as i32 - 128) as i8;
    for (code, sample) in out.iter_mut().zip(samples) {
        *code = [rail(sample.re), rail(sample.im)];
    }
}

/// Samples of `codes`, full scale 1.
pub fn unconvert(model: Model, codes: &[Code], out: &mut [Complex32]) {
    let half = if model == Model::RtlSdr { 0.5 } else { 0.0 };
    let rail = |code: i8| (f32::from(code) + half) / 128.0;
    for (sample, code) in out.iter_mut().zip(codes) {
        *sample = Complex32::new(rail(code[0]), rail(code[1]));
    }
}

/// 16-bit samples as the driver makes them of codes.
pub fn to_cs16(model: Model, codes: &[Code], out: &mut [[i16; 2]]) {
    match model {
        // SoapyHackRF, readbuf(): shifted by 8.
        Model::HackRf => each(codes, out, |code| i16::from(code) << 8),
        // SoapyRTLSDR, setupStream(): (byte - 127.4) / 128 of SHRT_MAX, cut off.
        Model::RtlSdr => {
            each(codes, out, |code| ((f32::from(code) + 0.6) * (32_767.0 / 128.0)) as i32 as i16)
        }
    }
}

/// Floats as the driver makes them of codes.
pub fn to_cf32(model: Model, codes: &[Code], out: &mut [[f32; 2]]) {
    match model {
        // SoapyHackRF, readbuf(): divided by 127.
        Model::HackRf => to_floats(codes, 0.0, 1.0 / 127.0, out),
        Model::RtlSdr => to_floats(codes, 0.6, 1.0 / 128.0, out),
    }
}

#[multiversion(targets("x86_64+avx2", "aarch64+neon"))]
fn to_floats(codes: &[Code], offset: f32, scale: f32, out: &mut [[f32; 2]]) {
    each(codes, out, |code| (f32::from(code) + offset) * scale);
}

#[inline(always)]
fn each<T>(codes: &[Code], out: &mut [[T; 2]], rail: impl Fn(i8) -> T) {
    for (out, code) in out.as_flattened_mut().iter_mut().zip(codes.as_flattened()) {
        *out = rail(*code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_round_saturate_and_return() {
        let samples = [Complex32::new(0.5, -0.5), Complex32::new(3.0, -3.0), Complex32::ZERO];
        let mut codes = [[0i8; 2]; 3];
        convert(Model::HackRf, &samples, &mut codes);
        assert_eq!(codes, [[64, -64], [127, -128], [0, 0]]);
        for model in [Model::HackRf, Model::RtlSdr] {
            let all: Vec<Code> = (-128..=127).map(|code| [code, -1 - code]).collect();
            let mut floats = vec![Complex32::ZERO; all.len()];
            unconvert(model, &all, &mut floats);
            let mut again = vec![[0i8; 2]; all.len()];
            convert(model, &floats, &mut again);
            assert_eq!(again, all, "{model:?}");
        }
    }

    #[test]
    fn formats_are_scaled_as_the_drivers_do() {
        let codes = [[127i8, -128]];
        let mut floats = [[0f32; 2]];
        let mut shorts = [[0i16; 2]];
        to_cf32(Model::HackRf, &codes, &mut floats);
        to_cs16(Model::HackRf, &codes, &mut shorts);
        assert_eq!((floats, shorts), ([[1.0, -128.0 / 127.0]], [[32512, -32768]]));
        to_cf32(Model::RtlSdr, &codes, &mut floats);
        to_cs16(Model::RtlSdr, &codes, &mut shorts);
        assert_eq!((floats, shorts), ([[127.6 / 128.0, -127.4 / 128.0]], [[32664, -32613]]));
    }
}
