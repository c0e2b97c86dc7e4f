//! The command line as typed.

use super::quantity;
use super::receiver_args::{DevicesArgs, DoctorArgs, RecordArgs, ScanArgs, WhichArgs};
use super::room_args::{AlertsArgs, CalendarArgs, MeetingArgs};
use crate::classify::Device;
use crate::explain::Window;
use crate::policy::Level;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Examples come first: most people look for the one line that does their job (clig.dev, "Lead with examples").
pub(super) const TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// What `emcon` was asked to do.
#[derive(Debug, Parser)]
#[command(
    name = "emcon",
    version,
    about = "Guards a meeting room's ban on wireless devices: IQ samples in; emitters, alerts and reasons out",
    help_template = TEMPLATE,
    before_help = "Examples:\n  emcon replay meeting.sigmf-meta\n  emcon replay --json g001_433.92M_250k.cu8\n  emcon help replay",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Options of every verb.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every verb.
#[derive(Debug, Args)]
pub struct Common {
    /// Configuration file, instead of $EMCON_CONFIG or the usual places; conf.d/*.toml beside it are read too
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// No colours (also with NO_COLOR set)
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_color: bool,
    /// Say errors only
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Everywhere")]
    pub quiet: bool,
    /// Say more; twice for debugging (EMCON_LOG=emcon=trace for all)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Everywhere")]
    pub verbose: u8,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Recordings in, emitters and alerts out
    Replay(ReplayArgs),
    /// A scene file in, a SigMF recording and its truth out
    Synth(SynthArgs),
    /// Guard a room with an attached receiver, until interrupted; its page and API
    Run(RunArgs),
    /// A simulated room and a scripted meeting, on the page: no hardware, no configuration
    Demo(DemoArgs),
    /// The state of a room that is guarded on this machine
    Status(StatusArgs),
    /// Meetings of a room on this machine: list, start, end, extend, check, participants
    Meeting(MeetingArgs),
    /// Alerts of a room on this machine: list, show, acknowledge
    Alerts(AlertsArgs),
    /// What a calendar asks of the room
    Calendar(CalendarArgs),
    /// Who may ask for the room beyond its machine: make, list and revoke tokens
    Token(TokenArgs),
    /// The sensor process, which `run` starts: one receiver, no network
    Sense(SenseArgs),
    /// What receivers would listen to, how often, and how soon that meets what
    Plan(PlanArgs),
    /// What is attached, and how to name it
    Devices(DevicesArgs),
    /// What is wrong with a receiver and its computer, and the fix
    Doctor(DoctorArgs),
    /// The power in every band, by one sweep of an attached receiver
    Scan(ScanArgs),
    /// Samples of an attached receiver to a SigMF recording
    Record(RecordArgs),
    /// Try whether the contacts of the configuration can be told
    Notify(NotifyArgs),
    /// Check the configuration, show what holds and why, print its schema
    Config(ConfigArgs),
    /// Print a shell's completion script
    Completions(CompletionsArgs),
    /// Print a man page
    Man(ManArgs),
}

/// `emcon replay`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon replay meeting.sigmf-meta\n  \
        emcon replay --json --region eu room.sigmf | jq 'select(.event==\"alert\")'\n  \
        emcon replay --learn 60 --save-baseline room.json quiet-room.wav\n  \
        emcon replay --baseline room.json --waterfall picture.png meeting.wav\n  \
        emcon replay --explain 0.5..1.2@144.4M..144.6M meeting.sigmf-meta\n  \
        rtl_sdr -f 433.92M -s 2.4M - | emcon replay --format cu8 --rate 2.4M --freq 433.92M -",
    after_help = "Exit status: 0 nothing to report, 3 an alert was raised, 4 blind for more than half of an input;\n\
        2 usage, 65 bad data, 66 no such input, 73 or 74 an output cannot be written, 78 bad configuration."
)]
pub struct ReplayArgs {
    /// SigMF (.sigmf-meta, .sigmf-data, .sigmf), raw (.cu8 .cs8 .cs16 .cf32, others with --format),
    /// two-channel .wav, or - for raw samples on standard input
    #[arg(required = true, value_name = "RECORDING")]
    pub recordings: Vec<PathBuf>,
    /// Whose allocations apply [default: the configuration's, else cn]
    #[arg(long, value_name = "REGION", help_heading = "The room")]
    pub region: Option<RegionArg>,
    /// Security level of the meeting [default: the configuration's, else confidential]
    #[arg(long, value_name = "LEVEL", value_parser = level(), help_heading = "The room")]
    pub level: Option<Level>,
    /// The first SECONDS teach the ambient and raise nothing
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds, help_heading = "The room")]
    pub learn: Option<f64>,
    /// Ambient learned before
    #[arg(long, value_name = "FILE", help_heading = "The room")]
    pub baseline: Option<PathBuf>,
    /// Write what was learned, for --baseline
    #[arg(long, value_name = "FILE", requires = "learn", help_heading = "The room")]
    pub save_baseline: Option<PathBuf>,
    /// Sample format of raw input
    #[arg(long, value_name = "FORMAT", help_heading = "Raw input")]
    pub format: Option<FormatArg>,
    /// Samples a second of raw input, as 2.4M
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz, help_heading = "Raw input")]
    pub rate: Option<f64>,
    /// Radio frequency in the middle, as 433.92M
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz, help_heading = "Raw input")]
    pub freq: Option<f64>,
    /// One JSON object a line on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Draw time, frequency and what was found
    #[arg(long, value_name = "PNG", help_heading = "Output")]
    pub waterfall: Option<PathBuf>,
    /// Why, or why not, in this box of seconds and hertz (offsets from the middle if the frequency is
    /// unknown), as 0.5..1.2@144.4M..144.6M; may be given several times
    #[arg(long, value_name = "T0..T1@F0..F1", value_parser = quantity::window, allow_hyphen_values = true,
          help_heading = "Output")]
    pub explain: Vec<Window>,
    /// Samples handed to the pipeline at a time; changes nothing but speed
    #[arg(long, value_name = "SAMPLES", hide = true, value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub block_size: Option<u32>,
}

/// `emcon synth`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon synth config/scenes/meeting.toml -o meeting\n  \
        emcon synth what-if.toml && emcon replay what-if.sigmf-meta\n\n",
    after_help = "Exit status: 0 written; 2 usage, 65 not a valid scene, 66 no such scene, 73 or 74 an output\n\
        cannot be written."
)]
pub struct SynthArgs {
    /// Scene: receiver, noise, ambient, emitters with their times (TOML)
    #[arg(value_name = "SCENE")]
    pub scene: PathBuf,
    /// Writes NAME.sigmf-meta, NAME.sigmf-data and NAME.truth.json [default: as the scene file, here]
    #[arg(short, long, value_name = "NAME")]
    pub output: Option<PathBuf>,
    /// Say what was written as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Which receiver, and what it is to cover.
#[derive(Debug, Args)]
pub struct SensorArgs {
    /// Which receiver.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Stay at this frequency instead of sweeping, as 446.1M
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz, help_heading = "The receiver")]
    pub park: Option<f64>,
    /// Whose allocations apply [default: the configuration's, else cn]
    #[arg(long, value_name = "REGION", help_heading = "The room")]
    pub region: Option<RegionArg>,
    /// Security level of the meeting [default: the configuration's, else confidential]
    #[arg(long, value_name = "LEVEL", value_parser = level(), help_heading = "The room")]
    pub level: Option<Level>,
}

/// `emcon run`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon run\n  \
        emcon run --device driver=rtlsdr,serial=00000001 --json\n  \
        emcon run --learn 60 --save-baseline room.json --for 60\n  \
        emcon run --baseline room.json --park 2441M\n  \
        emcon run --standby --calendar https://calendar.example/room.ics",
    after_help = "Exit status: 0 nothing to report, 3 an alert was raised, 4 blind for more than half of the time;\n\
        2 usage, 65 bad data, 69 no receiver is attached, 74 an output cannot be written, 78 bad configuration or no\n\
        such receiver. SIGHUP: read the configuration again."
)]
pub struct RunArgs {
    /// The receiver.
    #[command(flatten)]
    pub sensor: SensorArgs,
    /// The first SECONDS teach the ambient and raise nothing
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds, help_heading = "The room")]
    pub learn: Option<f64>,
    /// Ambient learned before [default: the configuration's]
    #[arg(long, value_name = "FILE", help_heading = "The room")]
    pub baseline: Option<PathBuf>,
    /// Write what was learned, for --baseline
    #[arg(long, value_name = "FILE", requires = "learn", help_heading = "The room")]
    pub save_baseline: Option<PathBuf>,
    /// From the antenna to the farthest seat: what is fainter than a device there is taken for outside, and raises no alert; 0 takes
    /// everything for inside
    #[arg(long, value_name = "METRES", value_parser = quantity::metres, default_value_t = crate::policy::ROOM_M, help_heading = "The room")]
    pub room: f64,
    /// Begin without a meeting: nothing is banned until one is begun [default: in a meeting of --level, unless there is
    /// a calendar]
    #[arg(long, help_heading = "The room")]
    pub standby: bool,
    /// Arm for the confidential and private meetings of this calendar; may be given several times
    #[arg(long, value_name = "FILE|URL", help_heading = "The room")]
    pub calendar: Vec<String>,
    /// Keep records in DIR [default: the configuration's, else $STATE_DIRECTORY of the service, else in memory only]
    #[arg(long, value_name = "DIR", help_heading = "The room")]
    pub data: Option<PathBuf>,
    /// The room's page and API; beyond this machine over TLS, with tokens [default: the configuration's, else 127.0.0.1:7430]
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "The room")]
    pub listen: Option<std::net::SocketAddr>,
    /// End after SECONDS with an open receiver
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds)]
    pub r#for: Option<f64>,
    /// One JSON object a line on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `emcon demo`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon demo\n  \
        emcon demo --listen 127.0.0.1:8080",
    after_help = "Exit status: 0 the script was played, or interrupted; 66 the simulated receiver is not found."
)]
pub struct DemoArgs {
    /// The room's page and API, on this machine [default: 127.0.0.1:7430, or any free port if that is taken]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<std::net::SocketAddr>,
    /// Go on with the page after the script, until interrupted
    #[arg(long)]
    pub stay: bool,
}

/// `emcon status`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon status\n  \
        emcon status --json | jq .conditions",
    after_help = "Exit status: 0 clear; 3 alert; 4 blind, or no room answers; 5 tamper; 6 degraded; 7 standby or arming; 2 usage."
)]
pub struct StatusArgs {
    /// Where the room listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7430")]
    pub room: std::net::SocketAddr,
    /// The whole state as JSON
    #[arg(long)]
    pub json: bool,
}

/// `emcon token`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon token new --name 'Li, security' --role officer\n  \
        emcon token new --name 'wall screen' --role viewer --days 365\n  \
        emcon token list\n  \
        emcon token revoke t0a1b2c3d4e",
    after_help = "Asks the room that runs on the folder of records, by a socket that only the folder's owner can open; without one that\n\
        runs, writes to the records itself.\n\n\
        Exit status: 0; 2 usage, 65 not possible, 73 the records cannot be opened, 74 not recorded, 78 bad configuration."
)]
pub struct TokenArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: TokenVerb,
    /// Folder of the records [default: the configuration's, else $STATE_DIRECTORY]
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
}

/// What `emcon token` does.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Make a token, and show it: this once
    New {
        /// Whose it is: as such it acknowledges alerts
        #[arg(long, value_name = "NAME")]
        name: String,
        /// viewer reads; organizer also acknowledges, begins and ends meetings; officer also makes tokens
        #[arg(long, value_name = "ROLE", value_parser = ["viewer", "organizer", "officer"])]
        role: String,
        /// It ends after so many days [default: when it is revoked]
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
    },
    /// All tokens, revoked ones too
    List,
    /// End a token, and who logged in with it
    Revoke {
        /// As `list` names it
        id: String,
    },
}

/// `emcon plan`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon plan\n  \
        emcon plan --region eu --receiver hackrf --receiver rtlsdr\n  \
        emcon plan --settle 5ms --require mobile-phone,bluetooth-device\n  \
        emcon plan --json | jq '.forecast[] | [.emitter, .first.median_s]'",
    after_help = "Exit status: 0 planned; 2 usage, or nothing that could be planned; 78 bad configuration."
)]
pub struct PlanArgs {
    /// Whose allocations apply [default: the configuration's, else cn]
    #[arg(long, value_name = "REGION", help_heading = "The room")]
    pub region: Option<RegionArg>,
    /// Security level of the meeting: what must be covered [default: the configuration's, else confidential]
    #[arg(long, value_name = "LEVEL", value_parser = level(), help_heading = "The room")]
    pub level: Option<Level>,
    /// Only these devices, as mobile-phone,walkie-talkie [default: all that the level bans]
    #[arg(long, value_name = "CLASS", value_delimiter = ',', value_parser = device, help_heading = "The room")]
    pub require: Vec<Device>,
    /// Kind of receiver, hackrf or rtlsdr; several share the work [default: hackrf]
    #[arg(long, value_name = "NAME", help_heading = "Receivers")]
    pub receiver: Vec<String>,
    /// From a retune to the first good sample, as 5ms [default: what is usual for the receiver]
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds, help_heading = "Receivers")]
    pub settle: Option<f64>,
    /// One JSON object on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `emcon sense`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Started by `emcon run`: takes commands on standard input, gives messages on standard output.",
    after_help = "Exit status: 0 told to end; 2 usage, 78 what was asked of the receiver cannot be."
)]
pub struct SenseArgs {
    /// The receiver.
    #[command(flatten)]
    pub sensor: SensorArgs,
    /// Order of the sweep [default: another one each time]
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
}

/// `emcon notify`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon notify test\n  \
        emcon notify test security --json",
    after_help = "Exit status: 0 all were told; 2 usage, 69 some could not be, 78 the configuration is wrong or has no such \
        contact."
)]
pub struct NotifyArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: NotifyVerb,
}

/// What `emcon notify` does.
#[derive(Debug, Subcommand)]
pub enum NotifyVerb {
    /// Send a message marked as a test to every contact, or to one, the way that alerts go, and print what came of it
    Test {
        /// Name of the contact
        #[arg(value_name = "CONTACT")]
        contact: Option<String>,
        /// How to print.
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// `emcon config`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  \
        emcon config check --config /etc/emcon/emcon.toml\n  \
        emcon config show | less\n  \
        emcon config show --json | jq .values.room\n  \
        emcon config schema > emcon.schema.json",
    after_help = "Exit status: 0; 2 usage, 78 the configuration is wrong: all that is, on standard error."
)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: ConfigVerb,
}

/// What `emcon config` does.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Say all that is wrong with it, file by file and line by line; secrets must be readable
    Check(OutputArgs),
    /// Print what holds, as TOML, each value with where it stands; secrets are never printed
    Show(OutputArgs),
    /// Print the JSON Schema of a configuration file
    Schema,
}

/// How to print.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// One JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

/// A device that a policy may ban.
fn device(word: &str) -> Result<Device, String> {
    let known = Device::ALL.iter().filter(|d| d.is_device());
    known.clone().find(|d| d.as_str() == word).copied().ok_or_else(|| {
        let known: Vec<&str> = known.map(|d| d.as_str()).collect();
        format!("{word:?} is no class of devices: choose from {}", known.join(", "))
    })
}

/// `emcon completions`.
#[derive(Debug, Args)]
#[command(
    help_template = TEMPLATE,
    before_help = "Examples:\n  emcon completions bash > ~/.local/share/bash-completion/completions/emcon"
)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `emcon man`.
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Examples:\n  emcon man replay | man -l -")]
pub struct ManArgs {
    /// The page of this verb, not of emcon itself
    pub verb: Option<String>,
}

/// Whose allocations apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RegionArg {
    /// China
    Cn,
    /// Europe
    Eu,
    /// United States
    Us,
}

impl RegionArg {
    /// The word for it in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cn => "cn",
            Self::Eu => "eu",
            Self::Us => "us",
        }
    }
}

/// The words for levels, each with what it means.
pub(super) fn level() -> impl TypedValueParser<Value = Level> {
    let word = |level: Level| PossibleValue::new(level.as_str()).help(level.term());
    PossibleValuesParser::new(Level::ALL.map(word))
        .try_map(|word| Level::named(&word).ok_or_else(|| format!("no level {word:?}")))
}

/// Sample format of raw input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// Unsigned 8-bit (RTL2832)
    Cu8,
    /// Signed 8-bit (HackRF)
    #[value(alias = "ci8")]
    Cs8,
    /// Signed 16-bit, little endian
    #[value(aliases = ["ci16", "ci16_le"])]
    Cs16,
    /// 32-bit float, little endian
    #[value(alias = "cf32_le")]
    Cf32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn all_of_the_contract_is_understood() {
        let typed = "emcon replay --region us --level top-secret --learn 1.5s --baseline b --save-baseline c --format cs16 \
                     --rate 2.4M --freq 433.92M --json --waterfall w.png --explain 0..1@-1k..1k one two -";
        let Verb::Replay(args) = Cli::try_parse_from(typed.split_whitespace()).unwrap().verb else {
            panic!()
        };
        assert_eq!((args.region, args.level), (Some(RegionArg::Us), Some(Level::TopSecret)));
        assert_eq!((args.learn, args.rate, args.freq), (Some(1.5), Some(2.4e6), Some(433.92e6)));
        assert_eq!((args.format, args.json, args.recordings.len()), (Some(FormatArg::Cs16), true, 3));
        assert_eq!(args.explain, [Window { from_s: 0.0, until_s: 1.0, low_hz: -1e3, high_hz: 1e3 }]);
    }
}
