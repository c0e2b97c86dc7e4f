//! Frames: where a message begins and ends in a stream.

use super::{FRAME_MAX, VERSION};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// What every stream begins with.
const MAGIC: &[u8; 6] = b"emcon\0";

/// Length of a frame's head, bytes.
const HEAD: usize = 4;

/// Why a stream cannot be understood. Nothing after it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// It does not begin as it must.
    #[error("this is no stream of emcon's sensor")]
    NoStream,
    /// The other end is of another build.
    #[error(
        "the other process speaks version {theirs} of the stream, this one {VERSION}: install one build for both"
    )]
    Version {
        /// Theirs.
        theirs: u16,
    },
    /// A frame claims to be longer than any is.
    #[error("a message of {0} bytes, and none is longer than {FRAME_MAX}")]
    TooLong(usize),
    /// A frame is no message.
    #[error("not a message of this version")]
    Malformed,
}

/// The first bytes of a stream.
pub fn preamble() -> [u8; 8] {
    let mut out = [0; 8];
    out[..6].copy_from_slice(MAGIC);
    out[6..].copy_from_slice(&VERSION.to_le_bytes());
    out
}

/// Appends `message` as one frame to `out`; nothing if it is longer than a frame may be.
pub fn frame(message: &impl Serialize, out: &mut Vec<u8>) {
    let begin = out.len();
    out.extend_from_slice(&[0; HEAD]);
    let fits = postcard::serialize_with_flavor::<_, Append<'_>, ()>(message, Append(out)).is_ok();
    let length = out.len() - begin - HEAD;
    if !fits || length > FRAME_MAX {
        return out.truncate(begin);
    }
    out[begin..begin + HEAD].copy_from_slice(&(length as u32).to_le_bytes());
}

/// Writes to the end of a vector, which is reused.
struct Append<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Cuts bytes as they come into messages.
#[derive(Debug, Default)]
pub struct Frames {
    held: Vec<u8>,
    at: usize,
    begun: bool,
}

impl Frames {
    /// Takes more bytes. At most a frame and what came with it is held.
    pub fn take(&mut self, bytes: &[u8]) {
        self.held.drain(..self.at);
        self.at = 0;
        self.held.extend_from_slice(bytes);
    }

    /// The next whole message.
    ///
    /// # Errors
    /// See [`FrameError`]; the stream is of no more use then.
    pub fn next_message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        if !self.begun {
            let begin = preamble();
            let held = &self.held[self.at..];
            let known = held.len().min(MAGIC.len());
            if held[..known] != MAGIC[..known] {
                return Err(FrameError::NoStream);
            }
            let Some(version) = held.get(MAGIC.len()..begin.len()) else { return Ok(None) };
            let theirs = u16::from_le_bytes([version[0], version[1]]);
            if theirs != VERSION {
                return Err(FrameError::Version { theirs });
            }
            (self.begun, self.at) = (true, self.at + begin.len());
        }
        let held = &self.held[self.at..];
        let Some(head) = held.first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_le_bytes(*head) as usize;
        if length > FRAME_MAX {
            return Err(FrameError::TooLong(length));
        }
        let Some(body) = held.get(HEAD..HEAD + length) else { return Ok(None) };
        let message = match postcard::take_from_bytes(body) {
            Ok((message, [])) => message,
            _ => return Err(FrameError::Malformed),
        };
        self.at += HEAD + length;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectrum::{Extent, Row, Tile};
    use crate::sweep::{Suspicion, Want};
    use crate::wire::{Denial, EvidenceAsk, FromSensor, ToSensor};
    use proptest::prelude::*;

    fn message() -> impl Strategy<Value = ToSensor> {
        any::<Option<[f64; 4]>>().prop_map(|words| match words {
            None => ToSensor::Quit,
            Some([low_hz, high_hz, seconds, until_s]) => {
                let want = if seconds > 0.0 { Want::Stare { seconds } } else { Want::GhostTest };
                ToSensor::Suspect(Suspicion { low_hz, high_hz, want, until_s })
            }
        })
    }

    fn tile(columns: u16, rows: u16, [from_s, low_hz]: [f64; 2], cell: u8) -> Tile {
        let extent = Extent { from_s, until_s: from_s + 1.0, low_hz, high_hz: low_hz + 1.0 };
        let cells =
            (0..usize::from(columns) * usize::from(rows)).map(|n| cell.wrapping_mul(n as u8)).collect();
        Tile { extent, columns, rows, bin_hz: 300.0, origin_db: -127.5, cells }
    }

    fn through(message: &FromSensor) -> Result<Option<FromSensor>, FrameError> {
        let mut bytes = preamble().to_vec();
        frame(message, &mut bytes);
        let mut frames = Frames::default();
        frames.take(&bytes);
        frames.next_message()
    }

    #[test]
    fn rows_come_out_as_they_went_in_unless_they_lie() {
        let row = |mean: usize, peak: usize, span_hz: f64| {
            FromSensor::Row(Row { mean: vec![3; mean], peak: vec![9; peak], span_hz, ..Row::default() })
        };
        for good in [row(1, 1, 1.0), row(512, 512, 2e7)] {
            assert_eq!(through(&good), Ok(Some(good)));
        }
        for bad in [row(0, 0, 1.0), row(513, 513, 1.0), row(4, 5, 1.0), row(4, 4, 0.0), row(4, 4, f64::NAN)] {
            assert_eq!(through(&bad), Err(FrameError::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn the_largest_picture_fits_and_one_that_lies_is_refused() {
        let largest = FromSensor::Evidence(3, Ok(tile(512, 384, [1.0, 446e6], 7)));
        assert_eq!(through(&largest), Ok(Some(largest)));
        let good = tile(4, 3, [1.0, 446e6], 7);
        for bad in [
            Tile { columns: 5, ..good.clone() },
            Tile { rows: 0, cells: Vec::new(), ..good.clone() },
            tile(513, 1, [1.0, 446e6], 7),
            tile(1, 385, [1.0, 446e6], 7),
            tile(4, 3, [f64::NAN, 446e6], 7),
            tile(4, 3, [1.0, f64::INFINITY], 7),
            Tile { bin_hz: 0.0, ..good.clone() },
            Tile { origin_db: f32::NAN, ..good },
        ] {
            assert_eq!(
                through(&FromSensor::Evidence(3, Ok(bad.clone()))),
                Err(FrameError::Malformed),
                "{bad:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn pictures_asks_and_denials_come_out_as_they_went_in(
            size in [1u16..=40, 1u16..=40], at in [-1e6f64..1e6, 0f64..6e9], cell in any::<u8>(), number in any::<u32>(),
            words in any::<[f64; 4]>(), denied in 0usize..4,
        ) {
            let denial = [Denial::Busy, Denial::TooOld, Denial::Elsewhere, Denial::NoBox][denied];
            for answer in [Ok(tile(size[0], size[1], at, cell)), Err(denial)] {
                let message = FromSensor::Evidence(number, answer);
                prop_assert_eq!(through(&message), Ok(Some(message)));
            }
            let [from_s, until_s, low_hz, high_hz] = words;
            let ask = ToSensor::Evidence(EvidenceAsk { number, from_s, until_s, low_hz, high_hz });
            let (mut bytes, mut frames) = (preamble().to_vec(), Frames::default());
            frame(&ask, &mut bytes);
            frames.take(&bytes);
            let out: Option<ToSensor> = frames.next_message().expect("a good stream");
            prop_assert_eq!(format!("{out:?}"), format!("{:?}", Some(ask)));
        }

        /// Oracle: what was framed. However the bytes are cut.
        #[test]
        fn messages_come_out_as_they_went_in(
            messages in prop::collection::vec(message(), 0..8),
            cut in 1usize..40,
        ) {
            let mut bytes = preamble().to_vec();
            messages.iter().for_each(|message| frame(message, &mut bytes));
            let mut frames = Frames::default();
            let mut out: Vec<ToSensor> = Vec::new();
            for part in bytes.chunks(cut) {
                frames.take(part);
                while let Some(message) = frames.next_message().expect("a good stream") {
                    out.push(message);
                }
            }
            prop_assert_eq!(format!("{out:?}"), format!("{messages:?}"));
        }

        #[test]
        fn any_bytes_are_refused_or_wait_for_more(bytes in prop::collection::vec(any::<u8>(), 0..300), good in any::<bool>()) {
            let mut frames = Frames::default();
            if good {
                frames.take(&preamble());
            }
            frames.take(&bytes);
            while let Ok(Some(_)) = frames.next_message::<FromSensor>() {}
            prop_assert!(frames.held.len() <= bytes.len() + 8);
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut begin = preamble();
        begin[6] = 77;
        let mut frames = Frames::default();
        frames.take(&begin);
        let error = frames.next_message::<ToSensor>().unwrap_err();
        assert_eq!(error, FrameError::Version { theirs: 77 });
        assert!(error.to_string().contains("version 77"));
    }

    #[test]
    fn a_length_is_not_believed() {
        let mut frames = Frames::default();
        frames.take(&preamble());
        frames.take(&u32::MAX.to_le_bytes());
        assert_eq!(frames.next_message::<ToSensor>(), Err(FrameError::TooLong(u32::MAX as usize)));
    }
}
