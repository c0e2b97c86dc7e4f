//! Reads WAV headers as receivers' tools write them: two channels, in-phase left, quadrature right.
//!
//! RIFF: Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft, 1991).
//! `WAVE_FORMAT_EXTENSIBLE`: Microsoft `mmreg.h`. RF64 and BW64 with a `ds64` chunk: EBU Tech 3306,
//! ITU-R BS.2088. `auxi`: the chunk of SpectraVue, as HDSDR, SDRuno and others write it too; its layout is in
//! Linrad's `z_WAV_FORMATS.txt`.

use super::datatype::{Datatype, read_full};
use jiff::Timestamp;
use jiff::civil::DateTime;
use std::io::{self, Read, Seek, SeekFrom};

/// Most chunks that are looked at: recorders write fewer than ten.
const MAX_CHUNKS: u32 = 1000;

/// What a WAV header says.
#[derive(Debug, Clone, PartialEq)]
pub struct Wav {
    /// How samples are stored.
    pub datatype: Datatype,
    /// Complex samples a second.
    pub rate_hz: f64,
    /// Position of the first byte of samples.
    pub first_byte: u64,
    /// Bytes of samples that the header claims; None if it was never finished (a stream, or a recorder that
    /// was stopped).
    pub claimed_bytes: Option<u64>,
    /// Bytes of samples that are there.
    pub bytes: u64,
    /// Radio frequency at the middle of the span, from `auxi`.
    pub center_hz: Option<f64>,
    /// Time of the first sample, from `auxi`.
    pub utc: Option<Timestamp>,
    /// What deserves a word.
    pub warnings: Vec<String>,
}

/// Why a WAV cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// Another kind of file.
    #[error(
        "is no WAV file: it begins with neither RIFF, RF64 nor BW64; raw samples need another file ending"
    )]
    NotWav,
    /// Most significant byte first.
    #[error("is a big-endian WAV (RIFX); convert it to RIFF")]
    BigEndian,
    /// No usable `fmt ` chunk.
    #[error("has no whole \"fmt \" chunk")]
    NoFormat,
    /// No `data` chunk.
    #[error("has no \"data\" chunk")]
    NoData,
    /// Not two channels.
    #[error("has {0} channels; IQ has two, in-phase left and quadrature right")]
    Channels(u16),
    /// Neither integers nor floats, or of a strange size.
    #[error(
        "stores samples in format {tag:#06x} with {bits} bits; 8, 16, 24 or 32-bit PCM and 32 or 64-bit float are read"
    )]
    Encoding {
        /// `wFormatTag`, or that of the sub-format.
        tag: u16,
        /// `wBitsPerSample`.
        bits: u16,
    },
    /// Frame size and sample size contradict each other.
    #[error("claims {frame_bytes} bytes for two channels of {bits} bits")]
    FrameBytes {
        /// `nBlockAlign`.
        frame_bytes: u16,
        /// `wBitsPerSample`.
        bits: u16,
    },
    /// A rate of zero.
    #[error("claims a sample rate of 0")]
    RateZero,
    /// More than [`MAX_CHUNKS`].
    #[error("has more than {MAX_CHUNKS} chunks")]
    TooManyChunks,
    /// The operating system refuses.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Reads the header of a WAV of `length` bytes.
///
/// # Errors
/// A [`WavError`] for everything that is not a WAV with IQ in it.
pub fn read(from: &mut (impl Read + Seek), length: u64) -> Result<Wav, WavError> {
    let mut head = [0; 12];
    from.seek(SeekFrom::Start(0))?;
    let filled = read_full(from, &mut head)?;
    match (&head[..4], &head[8..]) {
        (b"RIFX", _) => return Err(WavError::BigEndian),
        (b"RIFF" | b"RF64" | b"BW64", b"WAVE") if filled == head.len() => {}
        _ => return Err(WavError::NotWav),
    }
    let chunks = Chunks::read(from, length)?;
    let format = chunks.format.ok_or(WavError::NoFormat)?;
    let data = chunks.data.ok_or(WavError::NoData)?;
    let mut warnings = Vec::new();
    let aux = match chunks.aux.as_deref().map(Aux::parse) {
        Some(None) => {
            warnings.push(
                "the auxi chunk is of an unknown layout: no frequency or time is taken from it".to_owned(),
            );
            Aux::default()
        }
        Some(Some(aux)) => aux,
        None => Aux::default(),
    };
    let there = length.saturating_sub(data.first_byte);
    if data.claimed_bytes.is_none() {
        warnings.push(
            "the header's size was never filled in: samples are taken until the end of the file".to_owned(),
        );
    }
    Ok(Wav {
        datatype: format.datatype,
        rate_hz: format.rate_hz,
        first_byte: data.first_byte,
        claimed_bytes: data.claimed_bytes,
        bytes: data.claimed_bytes.map_or(there, |claimed| claimed.min(there)),
        center_hz: aux.center_hz,
        utc: aux.utc,
        warnings,
    })
}

#[derive(Debug, Clone, Copy)]
struct Format {
    datatype: Datatype,
    rate_hz: f64,
}

#[derive(Debug, Clone, Copy)]
struct Data {
    first_byte: u64,
    claimed_bytes: Option<u64>,
}

/// The chunks that matter; the first of each kind counts.
#[derive(Default)]
struct Chunks {
    format: Option<Format>,
    data: Option<Data>,
    aux: Option<Vec<u8>>,
    /// `dataSize` of a `ds64` chunk.
    long_bytes: Option<u64>,
}

/// Size of a data chunk whose true size is in `ds64`, or nowhere.
const SIZE_ELSEWHERE: u32 = u32::MAX;

impl Chunks {
    fn read(from: &mut (impl Read + Seek), length: u64) -> Result<Self, WavError> {
        let mut chunks = Self::default();
        let mut at = 12u64;
        for _ in 0..MAX_CHUNKS {
            let mut head = [0; 8];
            from.seek(SeekFrom::Start(at))?;
            if read_full(from, &mut head)? < head.len() {
                return Ok(chunks);
            }
            let [a, b, c, d, size @ ..] = head;
            let size = u32::from_le_bytes(size);
            at += 8;
            let next = match &[a, b, c, d] {
                b"data" if chunks.data.is_none() => {
                    let data = Data {
                        first_byte: at,
                        claimed_bytes: chunks.data_bytes(size, length - at.min(length)),
                    };
                    chunks.data = Some(data);
                    // Without a size, nothing can be found behind the samples.
                    let Some(bytes) = data.claimed_bytes else { return Ok(chunks) };
                    at.saturating_add(bytes)
                }
                id => {
                    chunks.read_small(from, id, size)?;
                    at + u64::from(size)
                }
            };
            // Chunks begin at even positions.
            at = next.saturating_add(next % 2);
            if at >= length {
                return Ok(chunks);
            }
        }
        Err(WavError::TooManyChunks)
    }

    /// Size of the data chunk, whose header says `size` and which has `there` bytes behind it at most.
    fn data_bytes(&self, size: u32, there: u64) -> Option<u64> {
        match (size, self.long_bytes) {
            (SIZE_ELSEWHERE, Some(bytes)) if bytes != 0 && bytes != u64::MAX => Some(bytes),
            (0 | SIZE_ELSEWHERE, _) => None,
            // A recorder that went past 4 GiB and let the size wrap.
            _ if there > u64::from(size) && (there - u64::from(size)).is_multiple_of(1 << 32) => None,
            _ => Some(u64::from(size)),
        }
    }

    fn read_small(&mut self, from: &mut impl Read, id: &[u8; 4], size: u32) -> Result<(), WavError> {
        let mut buffer = [0; 64];
        let wanted = buffer.len().min(size as usize);
        let filled = read_full(from, &mut buffer[..wanted])?;
        let bytes = &buffer[..filled];
        match id {
            b"fmt " if self.format.is_none() => self.format = Some(Format::parse(bytes)?),
            b"auxi" if self.aux.is_none() => self.aux = Some(bytes.to_vec()),
            b"ds64" if self.long_bytes.is_none() => self.long_bytes = u64_at(bytes, 8),
            _ => {}
        }
        Ok(())
    }
}

/// `WAVE_FORMAT_PCM`, `WAVE_FORMAT_IEEE_FLOAT`, `WAVE_FORMAT_EXTENSIBLE` of `mmreg.h`.
const PCM: u16 = 1;
const IEEE_FLOAT: u16 = 3;
const EXTENSIBLE: u16 = 0xfffe;

/// Bytes 2..16 of the sub-format of `WAVE_FORMAT_EXTENSIBLE` if the first two are a format tag
/// (`KSDATAFORMAT_SUBTYPE_WAVEFORMATEX` of `ksmedia.h`).
const SUBFORMAT_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

impl Format {
    fn parse(bytes: &[u8]) -> Result<Self, WavError> {
        let field = |at| u16_at(bytes, at).ok_or(WavError::NoFormat);
        let (outer, channels, frame_bytes, bits) = (field(0)?, field(2)?, field(12)?, field(14)?);
        let rate = u32_at(bytes, 4).ok_or(WavError::NoFormat)?;
        let tag = match bytes.get(26..40) {
            Some(tail) if outer == EXTENSIBLE && tail == SUBFORMAT_TAIL => field(24)?,
            _ => outer,
        };
        if channels != 2 {
            return Err(WavError::Channels(channels));
        }
        let datatype = match tag {
            PCM => Datatype::of_wav(false, bits),
            IEEE_FLOAT => Datatype::of_wav(true, bits),
            _ => None,
        };
        let datatype = datatype.ok_or(WavError::Encoding { tag, bits })?;
        if u64::from(frame_bytes) != datatype.sample_bytes() {
            return Err(WavError::FrameBytes { frame_bytes, bits });
        }
        if rate == 0 {
            return Err(WavError::RateZero);
        }
        Ok(Self { datatype, rate_hz: f64::from(rate) })
    }
}

/// The `auxi` chunk: two `SYSTEMTIME`s (start, stop), then `CenterFreq`, `ADFrequency` and more, 32 bits each.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Aux {
    center_hz: Option<f64>,
    utc: Option<Timestamp>,
}

impl Aux {
    /// None if it is of another layout: SDR Console, for one, puts XML there.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let utc = match bytes.get(..16)?.iter().all(|&b| b == 0) {
            true => None,
            false => Some(system_time(bytes)?),
        };
        let center_hz = u32_at(bytes, 32)?;
        Some(Self { center_hz: (center_hz != 0).then_some(f64::from(center_hz)), utc })
    }
}

/// A Windows `SYSTEMTIME` in UTC: year, month, day of week, day, hour, minute, second, millisecond.
fn system_time(bytes: &[u8]) -> Option<Timestamp> {
    let field = |index: usize| u16_at(bytes, 2 * index).and_then(|value| i16::try_from(value).ok());
    let small = |index| field(index).and_then(|value| i8::try_from(value).ok());
    let nanosecond = i32::from(field(7)?).checked_mul(1_000_000)?;
    let civil =
        DateTime::new(field(0)?, small(1)?, small(3)?, small(4)?, small(5)?, small(6)?, nanosecond).ok()?;
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A chunk with the size field it should have, padded to an even length.
    fn chunk(id: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
        sized_chunk(id, bytes.len() as u32, bytes)
    }

    fn sized_chunk(id: &[u8; 4], size: u32, bytes: &[u8]) -> Vec<u8> {
        let mut chunk = [id.as_slice(), &size.to_le_bytes(), bytes].concat();
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    }

    fn file(magic: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
        let body = chunks.concat();
        [magic.as_slice(), &(body.len() as u32 + 4).to_le_bytes(), b"WAVE", &body].concat()
    }

    fn fmt(tag: u16, channels: u16, rate: u32, frame_bytes: u16, bits: u16) -> Vec<u8> {
        let mut bytes = [tag.to_le_bytes(), channels.to_le_bytes()].concat();
        bytes.extend(rate.to_le_bytes());
        bytes.extend(rate.wrapping_mul(u32::from(frame_bytes)).to_le_bytes());
        bytes.extend(frame_bytes.to_le_bytes());
        bytes.extend(bits.to_le_bytes());
        chunk(b"fmt ", &bytes)
    }

    fn pcm16() -> Vec<u8> {
        fmt(PCM, 2, 48000, 4, 16)
    }

    fn parse(bytes: &[u8]) -> Result<Wav, WavError> {
        read(&mut Cursor::new(bytes), bytes.len() as u64)
    }

    /// `auxi` with a start of 2016-01-01 23:19:14.250 and 12.345 MHz.
    fn auxi() -> Vec<u8> {
        let start = [2016u16, 1, 5, 1, 23, 19, 14, 250].map(u16::to_le_bytes).concat();
        [start, vec![0; 16], 12_345_000u32.to_le_bytes().to_vec(), vec![0; 28]].concat()
    }

    #[test]
    fn a_plain_file_is_read() {
        let bytes = file(b"RIFF", &[pcm16(), chunk(b"data", &[1; 40])]);
        let wav = parse(&bytes).unwrap();
        let expected = Wav {
            datatype: Datatype::CI16_LE,
            rate_hz: 48000.0,
            first_byte: 44,
            claimed_bytes: Some(40),
            bytes: 40,
            center_hz: None,
            utc: None,
            warnings: vec![],
        };
        assert_eq!(wav, expected);
    }

    #[test]
    fn every_encoding_has_its_datatype() {
        for (tag, bits, word) in [
            (PCM, 8, "cu8"),
            (PCM, 16, "ci16_le"),
            (PCM, 24, "ci24_le"),
            (PCM, 32, "ci32_le"),
            (IEEE_FLOAT, 32, "cf32_le"),
            (IEEE_FLOAT, 64, "cf64_le"),
        ] {
            let plain = fmt(tag, 2, 1, bits / 4, bits);
            assert_eq!(
                parse(&file(b"RIFF", &[plain.clone(), chunk(b"data", &[])])).unwrap().datatype.to_string(),
                word
            );
            let mut extended = plain[8..].to_vec();
            extended[..2].copy_from_slice(&EXTENSIBLE.to_le_bytes());
            extended.extend([22, 0, bits as u8, 0, 3, 0, 0, 0]);
            extended.extend(tag.to_le_bytes());
            extended.extend(SUBFORMAT_TAIL);
            let extended = file(b"RIFF", &[chunk(b"fmt ", &extended), chunk(b"data", &[])]);
            assert_eq!(parse(&extended).unwrap().datatype.to_string(), word, "extensible");
        }
    }

    #[test]
    fn auxi_gives_frequency_and_time_before_or_behind_the_data() {
        let data = chunk(b"data", &[1; 41]);
        for chunks in
            [[pcm16(), chunk(b"auxi", &auxi()), data.clone()], [pcm16(), data, chunk(b"auxi", &auxi())]]
        {
            let wav = parse(&file(b"RIFF", &chunks)).unwrap();
            assert_eq!(wav.center_hz, Some(12.345e6));
            assert_eq!(wav.utc.unwrap().to_string(), "2016-01-01T23:19:14.25Z");
            assert_eq!((wav.claimed_bytes, wav.warnings), (Some(41), vec![]));
        }
    }

    #[test]
    fn auxi_of_another_layout_is_not_misread() {
        let xml: Vec<u8> =
            "<?xml version=\"1.0\"?><SDR-XML-Root>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [xml, vec![1; 8], vec![], vec![0; 33]] {
            let wav =
                parse(&file(b"RIFF", &[pcm16(), chunk(b"auxi", &bytes), chunk(b"data", &[1; 4])])).unwrap();
            assert_eq!((wav.center_hz, wav.utc, wav.warnings.len()), (None, None, 1), "{bytes:?}");
        }
        // Nothing filled in is nothing known.
        let wav =
            parse(&file(b"RIFF", &[pcm16(), chunk(b"auxi", &[0; 68]), chunk(b"data", &[1; 4])])).unwrap();
        assert_eq!((wav.center_hz, wav.utc, wav.warnings.len()), (None, None, 0));
    }

    #[test]
    fn sizes_of_0_and_ffffffff_mean_until_the_end() {
        for (size, riff) in [(0, 0), (0, 100), (u32::MAX, u32::MAX), (u32::MAX, 36)] {
            let mut bytes = file(b"RIFF", &[pcm16(), sized_chunk(b"data", size, &[1; 64])]);
            bytes[4..8].copy_from_slice(&u32::to_le_bytes(riff));
            let wav = parse(&bytes).unwrap();
            assert_eq!((wav.claimed_bytes, wav.bytes, wav.warnings.len()), (None, 64, 1));
        }
    }

    #[test]
    fn a_size_that_wrapped_at_4_gib_means_until_the_end() {
        let bytes = file(b"RIFF", &[pcm16(), sized_chunk(b"data", 64, &[])]);
        let there = |extra: u64| read(&mut Cursor::new(&bytes), 44 + 64 + extra).unwrap();
        assert_eq!((there(2 << 32).claimed_bytes, there(2 << 32).bytes), (None, 64 + (2 << 32)));
        assert_eq!((there(1 << 31).claimed_bytes, there(1 << 31).bytes), (Some(64), 64));
    }

    #[test]
    fn rf64_takes_its_size_from_ds64() {
        let ds64 = |bytes: u64| {
            let sizes = [bytes + 72, bytes, bytes / 4].map(u64::to_le_bytes).concat();
            chunk(b"ds64", &[sizes, vec![0; 4]].concat())
        };
        for magic in [b"RF64", b"BW64"] {
            let data = sized_chunk(b"data", u32::MAX, &[1; 64]);
            let wav = |size| parse(&file(magic, &[ds64(size), pcm16(), data.clone()])).unwrap();
            assert_eq!((wav(40).claimed_bytes, wav(40).bytes), (Some(40), 40));
            assert_eq!((wav(1 << 33).claimed_bytes, wav(1 << 33).bytes), (Some(1 << 33), 64), "truncated");
            assert_eq!((wav(0).claimed_bytes, wav(0).bytes), (None, 64), "never finished");
        }
    }

    #[test]
    fn what_is_no_iq_is_refused() {
        let with = |fmt: Vec<u8>| parse(&file(b"RIFF", &[fmt, chunk(b"data", &[1; 64])])).unwrap_err();
        assert!(matches!(with(fmt(PCM, 1, 48000, 2, 16)), WavError::Channels(1)));
        assert!(matches!(with(fmt(PCM, 0, 48000, 0, 16)), WavError::Channels(0)));
        assert!(matches!(with(fmt(PCM, 2, 0, 4, 16)), WavError::RateZero));
        assert!(matches!(with(fmt(PCM, 2, 48000, 4, 12)), WavError::Encoding { tag: 1, bits: 12 }));
        assert!(matches!(with(fmt(0x11, 2, 48000, 4, 16)), WavError::Encoding { tag: 0x11, bits: 16 }));
        assert!(matches!(with(fmt(EXTENSIBLE, 2, 48000, 4, 16)), WavError::Encoding { tag: EXTENSIBLE, .. }));
        assert!(matches!(with(fmt(PCM, 2, 48000, 3, 16)), WavError::FrameBytes { frame_bytes: 3, bits: 16 }));
        assert!(matches!(with(chunk(b"fmt ", &[1, 0, 2, 0])), WavError::NoFormat));
        assert!(matches!(parse(&file(b"RIFF", &[chunk(b"data", &[1; 4])])), Err(WavError::NoFormat)));
        assert!(matches!(parse(&file(b"RIFF", &[pcm16()])), Err(WavError::NoData)));
        assert!(matches!(parse(&file(b"RIFX", &[pcm16()])), Err(WavError::BigEndian)));
        assert!(matches!(parse(b"RIFF\0\0\0\0WAV"), Err(WavError::NotWav)));
        assert!(matches!(parse(b""), Err(WavError::NotWav)));
        let many = vec![chunk(b"JUNK", &[]); MAX_CHUNKS as usize + 1];
        assert!(matches!(parse(&file(b"RIFF", &many)), Err(WavError::TooManyChunks)));
    }
}
