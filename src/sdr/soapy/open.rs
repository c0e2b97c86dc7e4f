//! Opening: one receiver and no other, with everything that it cannot do said before it is tried.

use super::find::find;
use super::stream::Stream;
use super::{CHANNEL, SoapyReceiver};
use crate::iq::SampleFormat;
use crate::sdr::receiver::{Facts, ReceiverError};
use soapysdr::{Args, Device, Direction, Error, Range};

/// Deviation of a sample rate that is taken for the same: one part in 10^5, as dividers round.
const SAME_RATE: f64 = 1e-5;

/// How a receiver is opened.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenOptions {
    /// SoapySDR arguments, as `driver=hackrf,serial=…`.
    pub arguments: String,
    /// Samples a second.
    pub rate_hz: f64,
    /// Width of the filter before the converter, hertz, where the driver's own choice will not do.
    pub bandwidth_hz: Option<f64>,
    /// Frequency to begin with, hertz.
    pub center_hz: f64,
    /// Settings of the gain, the one for searching first, each a list of elements and decibels.
    pub gains: Vec<Vec<(String, f64)>>,
    /// Arguments for the stream, those of them that the driver knows.
    pub stream: Vec<(String, String)>,
}

/// Why a receiver was not opened.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OpenError {
    /// The text is no list of arguments.
    #[error("\"{arguments}\" is no device: write keys and values, as driver=hackrf,serial=0000000000000000")]
    Malformed {
        /// The text.
        arguments: String,
    },
    /// Nothing matches.
    #[error(
        "no receiver matches \"{arguments}\"; `emcon devices` lists what is attached, `emcon doctor` says what is wrong"
    )]
    NotFound {
        /// What was looked for.
        arguments: String,
    },
    /// Several match.
    #[error(
        "{count} receivers match \"{arguments}\"{twins}; name one, or give them different serial numbers (rtl_eeprom -s)"
    )]
    Ambiguous {
        /// What was looked for.
        arguments: String,
        /// How many match.
        count: usize,
        /// That they share a serial, in words.
        twins: String,
    },
    /// Somebody else has it.
    #[error(
        "the receiver \"{arguments}\" is busy: {why}; find who holds it with `emcon doctor`, or unload the kernel's \
         TV driver: modprobe -r dvb_usb_rtl28xxu"
    )]
    Busy {
        /// What was opened.
        arguments: String,
        /// What the driver says.
        why: String,
    },
    /// The driver refused to open it.
    #[error("cannot open \"{arguments}\": {why}")]
    Failed {
        /// What was opened.
        arguments: String,
        /// What the driver says.
        why: String,
    },
    /// It opened, but cannot do what is asked.
    #[error(transparent)]
    Receiver(#[from] ReceiverError),
}

/// What the driver says of an error, on one line.
pub fn words(error: &Error) -> String {
    let message = error.message.split_whitespace().collect::<Vec<_>>().join(" ");
    match (message.is_empty(), error.code) {
        (true, code) => format!("{code:?}"),
        (false, soapysdr::ErrorCode::Other) => message,
        (false, code) => format!("{code:?}: {message}"),
    }
}

/// Ranges of frequency for people.
pub fn megahertz(ranges: &[[f64; 2]]) -> String {
    let one = |[low, high]: &[f64; 2]| format!("{:.3} to {:.3} MHz", low / 1e6, high / 1e6);
    ranges.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// One setting of the gain.
pub struct Gain {
    elements: Vec<(String, f64)>,
}

impl Gain {
    /// Sets it on `device`: each element that it has, or the sum where it has none of them.
    pub fn apply(&self, device: &Device) -> Result<(), ReceiverError> {
        let known = device.list_gains(Direction::Rx, CHANNEL).unwrap_or_default();
        let has = |name: &String| known.iter().any(|own| own == name);
        let refused = |what: String, error: Error| ReceiverError::Refused { what, why: words(&error) };
        if !self.elements.iter().any(|(name, _)| has(name)) {
            let sum_db: f64 = self.elements.iter().map(|(_, db)| db).sum();
            return device
                .set_gain(Direction::Rx, CHANNEL, sum_db)
                .map_err(|error| refused(format!("a gain of {sum_db} dB"), error));
        }
        for (name, db) in self.elements.iter().filter(|(name, _)| has(name)) {
            device
                .set_gain_element(Direction::Rx, CHANNEL, name.as_str(), *db)
                .map_err(|error| refused(format!("gain {name} {db} dB"), error))?;
        }
        Ok(())
    }
}

/// Opens, without starting the stream.
pub fn open(options: &OpenOptions) -> Result<SoapyReceiver, OpenError> {
    let serial = identify(&options.arguments)?;
    let failed = |error: Error| refusal(&options.arguments, &error);
    let device = Device::new(Args::from(options.arguments.as_str())).map_err(failed)?;
    let tunable_hz = ranges(&device.frequency_range(Direction::Rx, CHANNEL).map_err(failed)?);
    let receiver =
        |what: &str, error: Error| ReceiverError::Refused { what: what.into(), why: words(&error) };
    if !tunable_hz.iter().any(|[low, high]| (*low..=*high).contains(&options.center_hz)) {
        return Err(out_of_range(options.center_hz, "Hz", &tunable_hz).into());
    }
    set_rate(&device, options.rate_hz)?;
    if let Some(bandwidth_hz) = options.bandwidth_hz {
        device
            .set_bandwidth(Direction::Rx, CHANNEL, bandwidth_hz)
            .map_err(|error| receiver("a filter", error))?;
    }
    // An automatic gain would move every level while it is being compared.
    if device.has_gain_mode(Direction::Rx, CHANNEL).unwrap_or(false) {
        device
            .set_gain_mode(Direction::Rx, CHANNEL, false)
            .map_err(|error| receiver("manual gain", error))?;
    }
    device
        .set_frequency(Direction::Rx, CHANNEL, options.center_hz, ())
        .map_err(|error| receiver("a frequency", error))?;
    let format = format_of(&device).map_err(failed)?;
    let known = device.stream_args_info(Direction::Rx, CHANNEL).map_err(failed)?;
    let wanted = options.stream.iter().filter(|(key, _)| known.iter().any(|info| info.key == *key));
    let arguments = wanted.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
    let stream = Stream::new(&device, format, &arguments).map_err(failed)?;
    let facts = Facts {
        driver: device.driver_key().map_err(failed)?,
        hardware: device.hardware_key().map_err(failed)?,
        serial: serial.or_else(|| device.hardware_info().ok()?.get("serial").map(str::to_owned)),
        rate_hz: device.sample_rate(Direction::Rx, CHANNEL).map_err(failed)?,
        format,
        tunable_hz,
        transfer: stream.transfer().map_err(failed)?.max(1),
        gain_steps: options.gains.len(),
    };
    let gains = options.gains.iter().map(|elements| Gain { elements: elements.clone() }).collect();
    Ok(SoapyReceiver { device, stream, facts, gains, gain_db: None })
}

/// Makes sure that exactly one receiver is meant; gives its serial.
fn identify(arguments: &str) -> Result<Option<String>, OpenError> {
    let malformed = || OpenError::Malformed { arguments: arguments.into() };
    if arguments.contains('\0') || !arguments.trim().is_empty() && !arguments.contains('=') {
        return Err(malformed());
    }
    let found = find(arguments).map_err(|why| OpenError::Failed { arguments: arguments.into(), why })?;
    match found.as_slice() {
        [] => Err(OpenError::NotFound { arguments: arguments.into() }),
        [one] => Ok(one.serial.clone()),
        several => {
            let first = &several[0].serial;
            let twins = match first {
                Some(serial) if several.iter().all(|found| found.serial == *first) => {
                    format!(", all with serial {serial}")
                }
                _ => String::new(),
            };
            Err(OpenError::Ambiguous { arguments: arguments.into(), count: several.len(), twins })
        }
    }
}

/// libusb's words for a device that is claimed (LIBUSB_ERROR_BUSY is -6), and libhackrf's.
fn refusal(arguments: &str, error: &Error) -> OpenError {
    let why = words(error);
    let lower = why.to_lowercase();
    if ["busy", "(-6)", "claim_interface"].iter().any(|word| lower.contains(word)) {
        return OpenError::Busy { arguments: arguments.into(), why };
    }
    OpenError::Failed { arguments: arguments.into(), why }
}

fn set_rate(device: &Device, rate_hz: f64) -> Result<(), OpenError> {
    let known = ranges(&device.get_sample_rate_range(Direction::Rx, CHANNEL).unwrap_or_default());
    // Lists of single rates are a convenience of the driver, not all that the hardware can do.
    let low = known.iter().map(|[low, _]| *low).fold(f64::INFINITY, f64::min);
    let high = known.iter().map(|[_, high]| *high).fold(0.0, f64::max);
    if !known.is_empty() && !(low..=high).contains(&rate_hz) {
        return Err(out_of_range(rate_hz, "samples a second", &[[low, high]]).into());
    }
    let refused = |why: String| ReceiverError::Refused { what: format!("{rate_hz} samples a second"), why };
    device.set_sample_rate(Direction::Rx, CHANNEL, rate_hz).map_err(|error| refused(words(&error)))?;
    let got_hz = device.sample_rate(Direction::Rx, CHANNEL).unwrap_or(rate_hz);
    if (got_hz / rate_hz - 1.0).abs() > SAME_RATE {
        return Err(refused(format!("it runs at {got_hz} instead")).into());
    }
    Ok(())
}

fn out_of_range(value: f64, unit: &str, known: &[[f64; 2]]) -> ReceiverError {
    let range = known.iter().map(|[low, high]| format!("{low} to {high}")).collect::<Vec<_>>().join(", ");
    ReceiverError::OutOfRange { what: format!("{value} {unit}"), range: format!("{range} {unit}") }
}

fn ranges(known: &[Range]) -> Vec<[f64; 2]> {
    known.iter().map(|range| [range.minimum, range.maximum]).collect()
}

/// The receiver's own format where its stream gives that, else the smallest that holds all of its bits.
fn format_of(device: &Device) -> Result<SampleFormat, Error> {
    use soapysdr::Format as F;
    let given = device.stream_formats(Direction::Rx, CHANNEL)?;
    let (native, _) = device.native_stream_format(Direction::Rx, CHANNEL)?;
    let order: &[(F, SampleFormat)] = match native {
        F::CU8 => &[(F::CU8, SampleFormat::Cu8), (F::CS8, SampleFormat::Ci8)],
        F::CS8 => &[(F::CS8, SampleFormat::Ci8)],
        _ => &[],
    };
    let rest = [(F::CS16, SampleFormat::Ci16), (F::CF32, SampleFormat::Cf32)];
    let all = order.iter().chain(&rest);
    all.copied().find(|(format, _)| given.contains(format)).map(|(_, format)| format).ok_or_else(|| Error {
        code: soapysdr::ErrorCode::NotSupported,
        message: "its stream gives none of CU8, CS8, CS16, CF32".into(),
    })
}
