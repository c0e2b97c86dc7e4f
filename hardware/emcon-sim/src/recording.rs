//! A recording as codes of the converter: from memory if it is small enough, else from its file.

use std::path::{Path, PathBuf};

use emcon::iq::{IqBlock, Received, Samples};
use emcon::recording::{OpenOptions, Recording};
use num_complex::Complex32;

use crate::adc::{self, Code, Model};

/// Most samples kept in memory: 256 MiB.
const KEPT: usize = 128 << 20;

/// A recording that is played from any sample on, again and again.
pub struct Tape {
    path: PathBuf,
    model: Model,
    looped: bool,
    from: From,
    /// What it says of itself.
    pub rate_hz: f64,
    /// Frequency that it was made at, if it says so.
    pub center_hz: Option<f64>,
}

enum From {
    Memory(Vec<Code>),
    File(Box<Reader>),
}

/// A recording that is being read.
struct Reader {
    recording: Recording,
    block: IqBlock,
    codes: Vec<Code>,
    /// Number of the first of `codes` in the recording.
    first: u64,
    ended: bool,
}

impl Tape {
    /// Opens the recording at `path`; the whole of it lies in memory afterwards, if it is not too long.
    ///
    /// # Errors
    /// A sentence with the path.
    pub fn open(path: &Path, model: Model, looped: bool) -> Result<Self, String> {
        Self::keep(path, model, looped, KEPT)
    }

    fn keep(path: &Path, model: Model, looped: bool, kept: usize) -> Result<Self, String> {
        let mut reader = Reader::open(path)?;
        let info = reader.recording.info();
        let (rate_hz, center_hz) =
            (info.sample_rate_hz, info.segments.first().and_then(|first| first.center_hz));
        let mut codes = Vec::new();
        while codes.len() <= kept && reader.advance(model)? {
            codes.extend_from_slice(&reader.codes);
        }
        let from = if reader.ended {
            codes.shrink_to_fit();
            From::Memory(codes)
        } else {
            drop(codes);
            From::File(Box::new(Reader::open(path)?))
        };
        Ok(Self { path: path.to_owned(), model, looped, from, rate_hz, center_hz })
    }

    /// Fills `out` with what follows sample `first`; gives how many there are, fewer than asked for at the end of a
    /// recording that is played once.
    ///
    /// # Errors
    /// A sentence if the file cannot be read on.
    pub fn read(&mut self, first: u64, out: &mut [Code]) -> Result<usize, String> {
        match &mut self.from {
            From::Memory(codes) => Ok(play(codes, self.looped, first, out)),
            From::File(reader) => {
                let mut filled = 0;
                let mut round = first;
                while filled < out.len() {
                    if round < reader.first {
                        // Back to an earlier place: a file has no other way than from its beginning.
                        **reader = Reader::open(&self.path)?;
                    }
                    let behind = round - reader.first;
                    if behind < reader.codes.len() as u64 {
                        let here = &reader.codes[behind as usize..];
                        let n = here.len().min(out.len() - filled);
                        out[filled..filled + n].copy_from_slice(&here[..n]);
                        filled += n;
                        round += n as u64;
                    } else if !reader.advance(self.model)? {
                        let total = reader.first;
                        if !self.looped || total == 0 {
                            break;
                        }
                        round %= total;
                        **reader = Reader::open(&self.path)?;
                    }
                }
                Ok(filled)
            }
        }
    }
}

fn play(codes: &[Code], looped: bool, first: u64, out: &mut [Code]) -> usize {
    let total = codes.len() as u64;
    let mut filled = 0;
    while filled < out.len() {
        let at = first + filled as u64;
        if total == 0 || (at >= total && !looped) {
            break;
        }
        let here = &codes[(at % total) as usize..];
        let n = here.len().min(out.len() - filled);
        out[filled..filled + n].copy_from_slice(&here[..n]);
        filled += n;
    }
    filled
}

impl Reader {
    fn open(path: &Path) -> Result<Self, String> {
        let recording = Recording::open(path, &OpenOptions::default()).map_err(|error| {
            format!(
                "emcon-sim: recording={error}; name a recording that `emcon replay` reads without options"
            )
        })?;
        let block = recording.new_block();
        Ok(Self { recording, block, codes: Vec::new(), first: 0, ended: false })
    }

    /// Reads the next block; false at the end.
    fn advance(&mut self, model: Model) -> Result<bool, String> {
        self.first += self.codes.len() as u64;
        self.codes.clear();
        loop {
            match self.recording.next(&mut self.block).map_err(|error| format!("emcon-sim: {error}"))? {
                Received::Block => {
                    to_codes(model, &self.block.samples, &mut self.codes);
                    return Ok(true);
                }
                Received::Segment(_) | Received::Gap(_) => {}
                Received::End => {
                    self.ended = true;
                    return Ok(false);
                }
            }
        }
    }
}

/// 8-bit samples stay what they are; others go through the converter.
fn to_codes(model: Model, samples: &Samples, out: &mut Vec<Code>) {
    let mut through_converter = |samples: &mut dyn Iterator<Item = Complex32>| {
        let floats: Vec<Complex32> = samples.collect();
        out.resize(floats.len(), [0; 2]);
        adc::convert(model, &floats, out);
    };
    match samples {
        Samples::Ci8(codes) => out.extend_from_slice(codes),
        Samples::Cu8(codes) => out.extend(codes.iter().map(|code| code.map(|rail| (rail ^ 0x80) as i8))),
        Samples::Ci16(v) => through_converter(
            &mut v.iter().map(|s| Complex32::new(f32::from(s[0]) / 32768.0, f32::from(s[1]) / 32768.0)),
        ),
        Samples::Cf32(v) => through_converter(&mut v.iter().map(|s| Complex32::new(s[0], s[1]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_plays_the_same_from_memory_and_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("g001_433.92M_1000k.cs8");
        let bytes: Vec<u8> = (0..300_000u32).map(|i| (i * 7 + i / 256) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let mut memory = Tape::open(&path, Model::HackRf, true).unwrap();
        let mut file = Tape::keep(&path, Model::HackRf, true, 1000).unwrap();
        assert!(matches!((&memory.from, &file.from), (From::Memory(_), From::File(_))));
        assert_eq!((memory.rate_hz, memory.center_hz), (1e6, Some(433.92e6)));
        for (first, n) in [(0, 1000), (140_000, 30_000), (149_999, 2), (10, 300_000), (5_000_000, 7)] {
            let (mut a, mut b) = (vec![[0; 2]; n], vec![[0; 2]; n]);
            assert_eq!(memory.read(first, &mut a).unwrap(), n);
            assert_eq!(file.read(first, &mut b).unwrap(), n);
            assert_eq!(
                a[0],
                [
                    bytes[(first as usize * 2) % 300_000] as i8,
                    bytes[(first as usize * 2 + 1) % 300_000] as i8
                ]
            );
            assert!(a == b, "{first}");
        }
        let mut once = Tape::open(&path, Model::HackRf, false).unwrap();
        assert_eq!(once.read(149_000, &mut [[0; 2]; 5000]).unwrap(), 1000);
    }
}
