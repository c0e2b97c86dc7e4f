//! How a file stores a complex sample, and how it becomes one of the pipeline's formats.
//!
//! Formats that the pipeline knows are read straight into the caller's buffer and fixed in place (byte order,
//! offset binary); the others pass through a scratch buffer and become 32-bit floats.

use crate::iq::{SampleFormat, Samples};
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

/// Order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant first.
    Little,
    /// Most significant first.
    Big,
}

impl ByteOrder {
    /// The order of this machine.
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

/// The number that stores each of in-phase and quadrature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    /// Zero at 127.5, as an RTL2832 gives it.
    U8,
    /// Zero at 128, as WAV has it (Multimedia Programming Interface and Data Specifications 1.0, "Data Format
    /// of the Samples": 8-bit samples are unsigned with midpoint 128).
    U8Wav,
    I8,
    U16,
    I16,
    I24,
    U32,
    I32,
    F32,
    F64,
}

/// How a file stores a complex sample: two numbers, in-phase first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datatype {
    number: Number,
    order: ByteOrder,
}

/// A word that names no datatype, or one that is not complex.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatatypeError {
    /// Real samples have no sign of frequency.
    #[error("{0:?} is a real datatype; a complex one is needed: cu8 ci8 ci16_le ci16_be cf32_le cf32_be")]
    Real(String),
    /// No such datatype.
    #[error(
        "{0:?} is no known datatype; known are cu8 ci8 ci16_le ci16_be cf32_le cf32_be and cu16 ci32 cu32 cf64"
    )]
    Unknown(String),
}

/// Longest part of a word from a file that a message repeats.
const SHOWN_CHARS: usize = 40;

impl Datatype {
    /// Unsigned 8-bit, zero at 127.5.
    pub const CU8: Self = Self { number: Number::U8, order: ByteOrder::NATIVE };
    /// Signed 8-bit.
    pub const CI8: Self = Self { number: Number::I8, order: ByteOrder::NATIVE };
    /// Signed 16-bit, least significant byte first.
    pub const CI16_LE: Self = Self { number: Number::I16, order: ByteOrder::Little };
    /// 32-bit float, least significant byte first.
    pub const CF32_LE: Self = Self { number: Number::F32, order: ByteOrder::Little };

    /// The datatype of a WAV file: `bits` of container a channel, integer or float. None if there is no such.
    pub(super) fn of_wav(float: bool, bits: u16) -> Option<Self> {
        let number = match (float, bits) {
            (false, 8) => Number::U8Wav,
            (false, 16) => Number::I16,
            (false, 24) => Number::I24,
            (false, 32) => Number::I32,
            (true, 32) => Number::F32,
            (true, 64) => Number::F64,
            _ => return None,
        };
        Some(Self { number, order: ByteOrder::Little })
    }

    /// What samples of `format` are, written as they lie in this machine's memory.
    pub fn of_memory(format: SampleFormat) -> Self {
        let number = match format {
            SampleFormat::Cu8 => Number::U8,
            SampleFormat::Ci8 => Number::I8,
            SampleFormat::Ci16 => Number::I16,
            SampleFormat::Cf32 => Number::F32,
        };
        Self { number, order: ByteOrder::NATIVE }
    }

    /// The pipeline's format that samples are read into.
    pub fn format(self) -> SampleFormat {
        match self.number {
            Number::U8 => SampleFormat::Cu8,
            Number::U8Wav | Number::I8 => SampleFormat::Ci8,
            Number::U16 | Number::I16 => SampleFormat::Ci16,
            Number::I24 | Number::U32 | Number::I32 | Number::F32 | Number::F64 => SampleFormat::Cf32,
        }
    }

    /// Bytes of one complex sample.
    pub fn sample_bytes(self) -> u64 {
        2 * self.number_bytes() as u64
    }

    fn number_bytes(self) -> usize {
        match self.number {
            Number::U8 | Number::U8Wav | Number::I8 => 1,
            Number::U16 | Number::I16 => 2,
            Number::I24 => 3,
            Number::U32 | Number::I32 | Number::F32 => 4,
            Number::F64 => 8,
        }
    }
}

/// The word of SigMF 1.2 for it (`ci24` is ours: SigMF has none).
impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.number {
            Number::U8 | Number::U8Wav => "cu8",
            Number::I8 => "ci8",
            Number::U16 => "cu16",
            Number::I16 => "ci16",
            Number::I24 => "ci24",
            Number::U32 => "cu32",
            Number::I32 => "ci32",
            Number::F32 => "cf32",
            Number::F64 => "cf64",
        };
        let order = match (self.number_bytes(), self.order) {
            (1, _) => "",
            (_, ByteOrder::Little) => "_le",
            (_, ByteOrder::Big) => "_be",
        };
        write!(f, "{word}{order}")
    }
}

/// Reads the words of SigMF (`ci16_le`) and of receivers' tools (`cs16`), in any case. Without a byte order the
/// least significant byte comes first, as every receiver's tool writes it.
impl FromStr for Datatype {
    type Err = DatatypeError;

    fn from_str(text: &str) -> Result<Self, DatatypeError> {
        let unknown = || DatatypeError::Unknown(text.chars().take(SHOWN_CHARS).collect());
        let word = text.to_ascii_lowercase();
        let (name, order) = match (word.strip_suffix("_le"), word.strip_suffix("_be")) {
            (Some(name), _) => (name, ByteOrder::Little),
            (_, Some(name)) => (name, ByteOrder::Big),
            _ => (word.as_str(), ByteOrder::Little),
        };
        let number = match name.strip_prefix(['c', 'r']).ok_or_else(unknown)? {
            "u8" => Number::U8,
            "i8" | "s8" => Number::I8,
            "u16" => Number::U16,
            "i16" | "s16" => Number::I16,
            "u32" => Number::U32,
            "i32" | "s32" => Number::I32,
            "f32" => Number::F32,
            "f64" => Number::F64,
            _ => return Err(unknown()),
        };
        if name.starts_with('r') {
            return Err(DatatypeError::Real(word));
        }
        // One byte has no order; keep equal what is equal.
        let datatype = Self { number, order };
        Ok(if datatype.number_bytes() == 1 { Self { number, order: ByteOrder::NATIVE } } else { datatype })
    }
}

/// Turns the bytes of one datatype into samples.
#[derive(Debug)]
pub(super) struct Decoder {
    datatype: Datatype,
    scratch: Vec<u8>,
}

impl Decoder {
    /// A decoder with room for `capacity` samples.
    pub(super) fn new(datatype: Datatype, capacity: usize) -> Self {
        let direct = !matches!(datatype.number, Number::I24 | Number::U32 | Number::I32 | Number::F64);
        let bytes = if direct { 0 } else { capacity * datatype.sample_bytes() as usize };
        Self { datatype, scratch: vec![0; bytes] }
    }

    /// Reads up to `want` samples into `out`, replacing what it held, and gives the number of bytes taken:
    /// fewer than asked only at the end. Bytes of an incomplete last sample are taken and dropped.
    pub(super) fn read(&mut self, from: &mut dyn Read, want: usize, out: &mut Samples) -> io::Result<u64> {
        let format = self.datatype.format();
        if out.format() != format {
            *out = Samples::with_capacity(format, want);
        }
        let foreign = self.datatype.order != ByteOrder::NATIVE;
        match out {
            Samples::Cu8(v) => read_pairs(from, want, v),
            Samples::Ci8(v) => {
                let bytes = read_pairs(from, want, v)?;
                if self.datatype.number == Number::U8Wav {
                    v.iter_mut().flatten().for_each(|x| *x ^= i8::MIN);
                }
                Ok(bytes)
            }
            Samples::Ci16(v) => {
                let bytes = read_pairs(from, want, v)?;
                if foreign {
                    v.iter_mut().flatten().for_each(|x| *x = x.swap_bytes());
                }
                if self.datatype.number == Number::U16 {
                    v.iter_mut().flatten().for_each(|x| *x ^= i16::MIN);
                }
                Ok(bytes)
            }
            Samples::Cf32(v) if self.datatype.number == Number::F32 => {
                let bytes = read_pairs(from, want, v)?;
                if foreign {
                    v.iter_mut().flatten().for_each(|x| *x = f32::from_bits(x.to_bits().swap_bytes()));
                }
                Ok(bytes)
            }
            Samples::Cf32(v) => self.read_floats(from, want, v),
        }
    }

    /// Reads numbers that the pipeline has no format for, as floats with full scale 1.
    fn read_floats(&mut self, from: &mut dyn Read, want: usize, out: &mut Vec<[f32; 2]>) -> io::Result<u64> {
        let size = self.datatype.number_bytes();
        self.scratch.resize(want * 2 * size, 0);
        let taken = read_full(from, &mut self.scratch)?;
        out.clear();
        let whole = &self.scratch[..taken - taken % (2 * size)];
        let big = self.datatype.order == ByteOrder::Big;
        let value = |bytes: &[u8]| -> f32 {
            // Most significant first in `b`, left-justified.
            let mut b = [0u8; 8];
            b[..size].copy_from_slice(bytes);
            if !big {
                b[..size].reverse();
            }
            let high = i32::from_be_bytes([b[0], b[1], b[2], b[3]]);
            match self.datatype.number {
                Number::F64 => f64::from_be_bytes(b) as f32,
                Number::U32 => (high ^ i32::MIN) as f32 / INT32_FULL_SCALE,
                _ => high as f32 / INT32_FULL_SCALE,
            }
        };
        out.extend(whole.chunks_exact(2 * size).map(|s| [value(&s[..size]), value(&s[size..])]));
        Ok(taken as u64)
    }
}

/// Full scale of a left-justified 32-bit integer.
const INT32_FULL_SCALE: f32 = 2_147_483_648.0;

/// Reads up to `want` pairs into `out` as they are and gives the number of bytes taken.
fn read_pairs<T: bytemuck::Pod>(from: &mut dyn Read, want: usize, out: &mut Vec<[T; 2]>) -> io::Result<u64> {
    out.resize(want, [T::zeroed(); 2]);
    let taken = match read_full(from, bytemuck::cast_slice_mut(out.as_mut_slice())) {
        Ok(taken) => taken,
        Err(e) => {
            out.clear();
            return Err(e);
        }
    };
    out.truncate(taken / size_of::<[T; 2]>());
    Ok(taken as u64)
}

/// Fills `buffer` and gives how much of it: less than all only at the end.
pub(super) fn read_full(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str, bytes: &[u8]) -> Samples {
        let datatype: Datatype = word.parse().unwrap();
        decode(datatype, bytes)
    }

    fn decode(datatype: Datatype, bytes: &[u8]) -> Samples {
        let mut out = Samples::with_capacity(SampleFormat::Cu8, 0);
        let mut from = bytes;
        let taken = Decoder::new(datatype, 8).read(&mut from, 8, &mut out).unwrap();
        assert_eq!(taken, bytes.len() as u64);
        out
    }

    /// Expected values written by hand from the definitions of the types.
    #[test]
    fn every_datatype_gives_its_value() {
        assert_eq!(read("cu8", &[0, 255, 7]), Samples::Cu8(vec![[0, 255]]));
        assert_eq!(read("ci8", &[0x80, 0x7f]), Samples::Ci8(vec![[-128, 127]]));
        assert_eq!(
            decode(Datatype::of_wav(false, 8).unwrap(), &[0, 128, 255, 129]),
            Samples::Ci8(vec![[-128, 0], [127, 1]])
        );
        assert_eq!(read("ci16_le", &[1, 0x80, 2, 0]), Samples::Ci16(vec![[-32767, 2]]));
        assert_eq!(read("ci16_be", &[0x80, 1, 0, 2, 9, 9, 9]), Samples::Ci16(vec![[-32767, 2]]));
        assert_eq!(read("cu16_le", &[0, 0, 0, 0x80]), Samples::Ci16(vec![[-32768, 0]]));
        assert_eq!(read("cf32_le", &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]), Samples::Cf32(vec![[1.0, -2.0]]));
        assert_eq!(read("cf32_be", &[0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0]), Samples::Cf32(vec![[1.0, -2.0]]));
        assert_eq!(read("ci32_le", &[0, 0, 0, 0x80, 0, 0, 0, 0x40]), Samples::Cf32(vec![[-1.0, 0.5]]));
        assert_eq!(read("cu32_be", &[0, 0, 0, 0, 0xc0, 0, 0, 0]), Samples::Cf32(vec![[-1.0, 0.5]]));
        assert_eq!(
            decode(Datatype::of_wav(false, 24).unwrap(), &[0, 0, 0xc0, 0, 0, 0x20]),
            Samples::Cf32(vec![[-0.5, 0.25]])
        );
        let f64s: Vec<u8> = [0.1f64, 1e308].iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(read("cf64_le", &f64s), Samples::Cf32(vec![[0.1, f32::INFINITY]]));
    }

    #[test]
    fn words_survive_reading_and_writing() {
        for word in [
            "cu8", "ci8", "cu16_le", "cu16_be", "ci16_le", "ci16_be", "cf32_le", "cf32_be", "cf64_le",
            "ci32_be",
        ] {
            assert_eq!(word.parse::<Datatype>().unwrap().to_string(), word);
        }
        assert_eq!("cs16".parse::<Datatype>().unwrap().to_string(), "ci16_le");
        assert_eq!("CS8".parse::<Datatype>().unwrap(), Datatype::CI8);
        assert_eq!("ci8_be".parse::<Datatype>().unwrap(), "ci8_le".parse().unwrap());
    }

    #[test]
    fn real_and_unknown_words_are_told_apart() {
        assert!(matches!("ri16_le".parse::<Datatype>(), Err(DatatypeError::Real(_))));
        for word in ["", "c", "cf", "cf16_le", "ci16_me", "i16", "x\u{1b}[2J", "cu8\n", "ı8"] {
            assert!(matches!(word.parse::<Datatype>(), Err(DatatypeError::Unknown(_))), "{word:?}");
        }
        let message = "\u{1b}\n".repeat(500).parse::<Datatype>().unwrap_err().to_string();
        assert!(message.len() < 500 && !message.contains(['\n', '\u{1b}']), "{message}");
    }

    /// A buffer of the right format keeps its memory.
    #[test]
    fn buffers_are_reused() {
        let bytes = [1u8; 64];
        for word in ["ci16_be", "cf64_be"] {
            let datatype: Datatype = word.parse().unwrap();
            let mut decoder = Decoder::new(datatype, 4);
            let mut out = Samples::with_capacity(datatype.format(), 4);
            let address = |s: &Samples| match s {
                Samples::Ci16(v) => v.as_ptr() as usize,
                Samples::Cf32(v) => v.as_ptr() as usize,
                _ => 0,
            };
            let before = address(&out);
            for _ in 0..3 {
                decoder.read(&mut bytes.as_slice(), 4, &mut out).unwrap();
                assert_eq!(out.len(), 4);
                assert_eq!(address(&out), before);
            }
        }
    }
}
