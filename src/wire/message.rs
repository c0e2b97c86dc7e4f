//! The messages.

use crate::iq::SampleFormat;
use crate::pipeline::FrontEvent;
use crate::plan::ReceiverPlan;
use crate::spectrum::{Row, Tile};
use crate::sweep::{Look, Suspicion};
use serde::{Deserialize, Serialize};

/// What a sensor is and does, said once its receiver is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// SoapySDR's driver.
    pub driver: String,
    /// The hardware's name.
    pub hardware: String,
    /// Serial number, if it tells one.
    pub serial: Option<String>,
    /// Samples a second.
    pub rate_hz: f64,
    /// Format of the samples.
    #[serde(with = "format")]
    pub format: SampleFormat,
    /// Samples discarded after each change of tuning.
    pub settle_samples: u64,
    /// Whether that was measured on this receiver.
    pub settle_measured: bool,
    /// Whether the capturing thread got the priority that it asked for.
    pub real_time: bool,
    /// What is listened to, and how often.
    pub plan: ReceiverPlan,
}

/// What went wrong in the sensor, for people; the room judges by the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// The receiver cannot be opened; it is tried again.
    Open,
    /// The same, and trying again is no use: what was asked for is wrong.
    Asked,
    /// The stream gives nothing; the receiver is opened anew.
    Stream,
}

/// A box in time and frequency of which a picture is wanted. Times are on the sensor's own axis, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EvidenceAsk {
    /// What the answer is known by.
    pub number: u32,
    /// Begin of the box, seconds. The picture begins earlier.
    pub from_s: f64,
    /// End of the box and of the picture, seconds.
    pub until_s: f64,
    /// Lower edge of the box, hertz. The picture is wider.
    pub low_hz: f64,
    /// Upper edge, hertz.
    pub high_hz: f64,
}

/// Why the sensor has no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Denial {
    /// As many as it takes wait already.
    Busy,
    /// The samples are not held any more.
    TooOld,
    /// It listened elsewhere.
    Elsewhere,
    /// The box is none.
    NoBox,
}

/// From the sensor to the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // They are encoded one at a time, never kept.
pub enum FromSensor {
    /// A receiver is being opened.
    Opening,
    /// It is open.
    Hello(Hello),
    /// The front half of the pipeline says something. Times are on the sensor's own axis.
    Event(FrontEvent),
    /// A dwell is over, and all its events have been sent.
    Looked {
        /// What it gave.
        look: Look,
        /// Noise floor in it, dBFS in one hertz.
        floor_dbfs_per_hz: f32,
    },
    /// How it goes, several times a second, samples or not.
    Status(crate::wire::Counts),
    /// Something went wrong.
    Trouble(Trouble, String),
    /// What was asked for under this number, or why there is none.
    Evidence(u32, Result<Tile, Denial>),
    /// A line of the waterfall, while that is watched. Lossy.
    Row(Row),
}

/// From the room to the sensor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum ToSensor {
    /// Look closer.
    Suspect(Suspicion),
    /// End.
    Quit,
    /// All that was said of the dwell of this number, and before, has been judged. A sensor whose source can be kept
    /// waiting goes on by it.
    Judged(u64),
    /// Send a picture of a box, as far as its samples are still held.
    Evidence(EvidenceAsk),
    /// Whether anybody watches the waterfall.
    Watch(bool),
}

/// Formats by number.
mod format {
    use crate::iq::SampleFormat;
    use serde::{Deserialize, Deserializer, Serializer};

    const ALL: [SampleFormat; 4] =
        [SampleFormat::Cu8, SampleFormat::Ci8, SampleFormat::Ci16, SampleFormat::Cf32];

    pub fn serialize<S: Serializer>(format: &SampleFormat, to: S) -> Result<S::Ok, S::Error> {
        let number = ALL.iter().position(|known| known == format).unwrap_or(0);
        to.serialize_u8(number as u8)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SampleFormat, D::Error> {
        let number = u8::deserialize(from)?;
        ALL.get(usize::from(number)).copied().ok_or_else(|| serde::de::Error::custom("no such format"))
    }
}
