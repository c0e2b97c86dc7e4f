//! Options of the verbs that talk to a receiver without guarding anything: `devices`, `record`, `scan`, `doctor`.

use super::args::{RegionArg, TEMPLATE, level};
use super::quantity;
use crate::app::receiver::Gain;
use crate::policy::Level;
use clap::Args;
use std::path::PathBuf;

/// Which receiver.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// SoapySDR arguments of the receiver, as driver=hackrf,serial=... [default: the only one attached]
    #[arg(long, value_name = "ARGUMENTS", help_heading = "The receiver")]
    pub device: Option<String>,
    /// The kind of receiver that it is like (hackrf, rtlsdr) [default: by its driver]
    #[arg(long, value_name = "KIND", help_heading = "The receiver")]
    pub receiver: Option<String>,
    /// Samples a second, as 2.4M [default: its kind's]
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz, help_heading = "The receiver")]
    pub rate: Option<f64>,
}

/// Which receiver, and how it is set.
#[derive(Debug, Args)]
pub struct ReceiverArgs {
    /// Which receiver.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Decibels in all, as the driver shares them out; or elements, as LNA=16,VGA=20; or step:N of its kind's
    /// settings, 0 the most sensitive [default: step:0]
    #[arg(long, value_name = "GAIN", value_parser = quantity::gain, allow_hyphen_values = true,
          help_heading = "The receiver")]
    pub gain: Option<Gain>,
}

/// `emcon devices`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon devices\n  \
        emcon devices --device driver=remote,remote=tcp://10.0.0.7:55132\n  \
        emcon devices --json | jq -r '.devices[].arguments'",
    after_help = "Exit status: 0 listed, even if nothing is attached; 2 usage, 69 SoapySDR fails."
)]
pub struct DevicesArgs {
    /// Those only that match these SoapySDR arguments
    #[arg(long, value_name = "ARGUMENTS")]
    pub device: Option<String>,
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// `emcon record`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon record --freq 433.92M --for 60\n  \
        emcon record --device driver=rtlsdr --freq 868.3M --rate 2.4M --for 10 -o meter\n  \
        emcon record --sweep 400M..470M,2400M..2483.5M --dwell 0.2 --for 600 -o room\n  \
        emcon replay room.sigmf-meta",
    after_help = "It ends with --for, at --max-bytes, or when interrupted; what was recorded is whole in any case.\n\
        Exit status: 0 recorded; 2 usage, 69 the receiver cannot be used, 73 the output cannot be created,\n\
        74 ended early: the disk is full, or the receiver is gone; 78 no such receiver, or it cannot do that."
)]
pub struct RecordArgs {
    /// The receiver.
    #[command(flatten)]
    pub receiver: ReceiverArgs,
    /// Stay at this frequency, as 433.92M
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz, required_unless_present = "sweep",
          conflicts_with = "sweep", help_heading = "What")]
    pub freq: Option<f64>,
    /// Sweep these again and again, as 400M..470M,2400M..2500M
    #[arg(long, value_name = "LOW..HIGH[,...]", value_parser = quantity::ranges, help_heading = "What")]
    pub sweep: Option<quantity::Ranges>,
    /// Time at each tuning of a sweep, settling not counted [default: 0.1]
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds, requires = "sweep", help_heading = "What")]
    pub dwell: Option<f64>,
    /// End after SECONDS [default: when interrupted]
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds, help_heading = "How much")]
    pub r#for: Option<f64>,
    /// End before the samples take more than this, as 2G
    #[arg(long, value_name = "BYTES", value_parser = quantity::bytes, help_heading = "How much")]
    pub max_bytes: Option<u64>,
    /// Leave this much of the disk free
    #[arg(long, value_name = "BYTES", value_parser = quantity::bytes, default_value = "1G", help_heading = "How much")]
    pub reserve: u64,
    /// Writes NAME.sigmf-meta and NAME.sigmf-data [default: emcon-DATE-FREQUENCY, here]
    #[arg(short, long, value_name = "NAME", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Replace a recording of that name
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Say what was recorded as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `emcon scan`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon scan\n  \
        emcon scan --range 400M..470M,2400M..2483.5M --peak\n  \
        emcon scan --watch --csv > survey.csv && heatmap.py survey.csv survey.png\n  \
        emcon scan --json | jq -c '[.low_hz, (.mean_db | max)]'",
    after_help = "Powers are of one bin, in dBFS (a sinusoid that fills the converter is 0), or in dBm where the kind of\n\
        receiver is calibrated. Times of --csv are UTC.\n\
        Exit status: 0 scanned; 2 usage, 69 the receiver cannot be used, 74 it is gone, or the output cannot be\n\
        written, 78 no such receiver, or it cannot do that."
)]
pub struct ScanArgs {
    /// The receiver.
    #[command(flatten)]
    pub receiver: ReceiverArgs,
    /// Scan these [default: the bands that a meeting must have covered]
    #[arg(long, value_name = "LOW..HIGH[,...]", value_parser = quantity::ranges, help_heading = "What")]
    pub range: Option<quantity::Ranges>,
    /// Whose allocations apply [default: the configuration's, else cn]
    #[arg(long, value_name = "REGION", conflicts_with = "range", help_heading = "What")]
    pub region: Option<RegionArg>,
    /// Security level of the meeting [default: the configuration's, else confidential]
    #[arg(long, value_name = "LEVEL", value_parser = level(), conflicts_with = "range", help_heading = "What")]
    pub level: Option<Level>,
    /// Width of a bin; made to fit the sample rate
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz, default_value = "10k", help_heading = "What")]
    pub bin: f64,
    /// Time at each tuning, settling not counted
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds, default_value = "10ms", help_heading = "What")]
    pub dwell: f64,
    /// Again and again, until interrupted
    #[arg(long, help_heading = "What")]
    pub watch: bool,
    /// Give the highest power of single transforms too; with --csv, instead of the mean
    #[arg(long, help_heading = "Output")]
    pub peak: bool,
    /// Lines as rtl_power and hackrf_sweep write them
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    pub csv: bool,
    /// One JSON object a tuning on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `emcon doctor`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon doctor\n  \
        emcon doctor --device driver=rtlsdr,serial=00000001\n  \
        emcon doctor --json | jq -r 'select(.health!=\"PASS\") | .fix'",
    after_help = "It listens for some seconds, and changes nothing. Run it as whoever guards: what root may do says little.\n\
        Exit status: 0 all PASS, 6 a WARN: it works, not as well as it should, 4 a FAIL: a room guarded with it would\n\
        be blind; 2 usage, 78 bad configuration."
)]
pub struct DoctorArgs {
    /// The receiver.
    #[command(flatten)]
    pub receiver: ReceiverArgs,
    /// Whose allocations apply [default: the configuration's, else cn]
    #[arg(long, value_name = "REGION", help_heading = "The room")]
    pub region: Option<RegionArg>,
    /// Security level of the meeting [default: the configuration's, else confidential]
    #[arg(long, value_name = "LEVEL", value_parser = level(), help_heading = "The room")]
    pub level: Option<Level>,
    /// One JSON object a line on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}
