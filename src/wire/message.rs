//! The messages.

use crate::iq::SampleFormat;
use crate::pipeline::FrontEvent;
use crate::plan::ReceiverPlan;
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
