//! `emcon run` and `emcon sense`: a receiver guarded live, in two processes.

use super::args::{Common, RunArgs, SenseArgs, SensorArgs};
use super::calendar::source;
use super::exit::Exit;
use super::relay::Relay;
use super::room::{Listen, OpenRoom, Telling};
use super::{colored, complain, output_failed};
use crate::app::baseline_file;
use crate::app::calendars::follow;
use crate::app::hub::Start;
use crate::app::live::{JsonLive, LinesLive, LiveParams, LiveSink, RoomLive, guard};
use crate::app::receiver::{ChooseError, Chosen, Guarded, plan_for};
use crate::calendar::source::{SOURCES_MAX, Source};
use crate::clock;
use crate::config::{self, Config, Survey};
use crate::pipeline::BackParams;
use crate::policy::Level;
use crate::sensor::{SenseEnd, SenseParams, SensorCommand, sense};
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// `emcon sense`.
pub(super) fn sensor(args: &SenseArgs, common: &Common) -> Exit {
    if io::stdout().is_terminal() || io::stdin().is_terminal() {
        complain(&"sense talks to another process, in frames: use `emcon run`, which starts it");
        return Exit::Usage;
    }
    let Prepared { chosen, guarded, .. } = match prepare(&args.sensor, common) {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    let center_hz = guarded.park_hz.unwrap_or_else(|| chosen.somewhere_hz());
    let open = chosen.options(center_hz, args.sensor.which.rate);
    let profile = chosen.profile.clone();
    let params = SenseParams {
        settle_default: chosen.settle_default(open.rate_hz),
        open,
        plan: Box::new(move |facts, settle_s| plan_for(&guarded, &profile, facts, settle_s)),
        seed: args.seed.unwrap_or_else(|| clock::utc().as_nanosecond() as u64),
        patient: chosen.is_patient(),
    };
    match sense(&params, io::stdin(), io::stdout()) {
        SenseEnd::Stopped => Exit::Ok,
        SenseEnd::Asked(why) => {
            complain(&why);
            Exit::Config
        }
    }
}

/// `emcon run`.
pub(super) fn run(args: &RunArgs, common: &Common) -> Exit {
    let failed = |error: &dyn std::fmt::Display, exit| {
        complain(error);
        exit
    };
    let Prepared { survey, config, chosen, guarded } = match prepare(&args.sensor, common) {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            return failed(&format_args!("cannot find myself to start the sensor: {error}"), Exit::Io);
        }
    };
    let signatures = match config::signatures() {
        Ok(signatures) => signatures,
        Err(error) => return failed(&error, Exit::Config),
    };
    let baseline = match given(&args.baseline, &config.room.baseline).map(baseline_file::read).transpose() {
        Ok(baseline) => baseline,
        Err(error) => return failed(&error, Exit::BadData),
    };
    let stop = match super::room::stopped_by_signals() {
        Ok(stop) => stop,
        Err(exit) => return exit,
    };
    let calendars = match calendars(&args.calendar, config.calendars.clone()) {
        Ok(calendars) => calendars,
        Err(exit) => return exit,
    };
    let epoch = clock::utc();
    // Where calendars say when, nothing is on before they do.
    let start =
        if args.standby || !calendars.is_empty() { Start::Standby } else { Start::Meeting(guarded.level) };
    let data = super::room::data_folder(given(&args.data, &config.room.data));
    let room = match OpenRoom::open(
        data.clone(),
        start,
        epoch,
        Listen::Here(args.listen.or(config.room.listen)),
        &config.web,
        config.policies.clone(),
        Telling { contacts: &config.contacts, room: config.room.name.as_deref().unwrap_or("") },
    ) {
        Ok(room) => room,
        Err(exit) => return exit,
    };
    for source in calendars {
        room.spawn(follow(source, room.hub(), data.clone()));
    }
    let params = LiveParams {
        command: SensorCommand {
            program,
            arguments: sensor_arguments(&args.sensor, &chosen, common),
            environment: Vec::new(),
            patient: chosen.is_patient(),
        },
        back: BackParams {
            band_plan: guarded.region,
            signatures,
            // The room says at once what is banned.
            level: Level::Open,
            baseline,
            learn_s: args.learn.unwrap_or(0.0),
            gate: chosen.gate(args.room),
        },
        for_s: args.r#for,
        policies: Some(room.policies()),
    };
    let beside = match room.beside(common.config.clone(), survey, &stop) {
        Ok(beside) => beside,
        Err(exit) => return exit,
    };
    // Who sets the pace of a receiver sets that of who reads, too.
    let mut stdout = match Relay::new(io::stdout(), chosen.is_patient()) {
        Ok(stdout) => stdout,
        Err(error) => return output_failed(&error),
    };
    if let Err(error) = room.announce(&mut stdout, args.json, common.quiet) {
        return output_failed(&error);
    }
    let sink: Box<dyn LiveSink> = if args.json {
        Box::new(JsonLive::new(stdout, epoch))
    } else {
        Box::new(LinesLive::new(stdout, epoch, colored(&io::stdout(), common), common.verbose > 0))
    };
    let guarded = guard(params, &mut RoomLive::new(room.hub(), sink), &stop);
    drop(beside);
    drop(room);
    let guarded = match guarded {
        Ok(guarded) => guarded,
        Err(error) => return output_failed(&error),
    };
    if let Some(path) = &args.save_baseline
        && let Err(error) = baseline_file::write(path, &guarded.learned)
    {
        return failed(&error, Exit::Io);
    }
    if let Some(why) = guarded.refused {
        return failed(&why, Exit::Config);
    }
    if guarded.alerts > 0 {
        Exit::Alert
    } else if 2.0 * guarded.blind_s > guarded.seconds {
        Exit::Blind
    } else {
        Exit::Ok
    }
}

/// What `run` and `sense` begin with.
struct Prepared {
    survey: Survey,
    config: Config,
    chosen: Chosen,
    guarded: Guarded,
}

/// The status if no receiver was chosen. One that is not attached may come: a service is started again then.
fn no_receiver(error: &ChooseError) -> Exit {
    match error {
        ChooseError::None | ChooseError::Find(_) => Exit::Unavailable,
        _ => Exit::Config,
    }
}

/// What the command line says, else what the configuration says.
fn given<'a>(typed: &'a Option<PathBuf>, configured: &'a Option<PathBuf>) -> Option<&'a Path> {
    typed.as_deref().or(configured.as_deref())
}

/// The calendars that were named on the command line, and those that are configured.
fn calendars(places: &[String], configured: Vec<Source>) -> Result<Vec<Source>, Exit> {
    let mut sources: Vec<_> = (1..).zip(places).map(|(n, place)| source(&format!("c{n}"), place)).collect();
    let faults: Vec<_> = sources.iter().flat_map(Source::faults).collect();
    for (key, what) in &faults {
        complain(&format_args!("--calendar: {key} {what}"));
    }
    sources.extend(configured);
    if sources.len() > SOURCES_MAX {
        complain(&format_args!("{} calendars; a room follows at most {SOURCES_MAX}", sources.len()));
        return Err(Exit::Usage);
    }
    if faults.is_empty() { Ok(sources) } else { Err(Exit::Usage) }
}

/// The receiver, and what it is to guard.
fn prepare(args: &SensorArgs, common: &Common) -> Result<Prepared, Exit> {
    let failed = |error: &dyn std::fmt::Display, exit| {
        complain(error);
        exit
    };
    let survey = config::survey(common.config.as_deref());
    let config = survey.checked().map_err(|error| failed(&error, Exit::Config))?.clone();
    let region = args.region.map_or(config.region, |region| region.as_str());
    let region = config::region(region).map_err(|error| failed(&error, Exit::Config))?;
    let which = (args.which.device.as_deref(), args.which.receiver.as_deref());
    let (device, kind) = match which {
        // The kind that is configured is that of the receiver that is configured.
        (Some(device), kind) => (Some(device), kind),
        (None, kind) => (config.room.device.as_deref(), kind.or(config.room.receiver.as_deref())),
    };
    let chosen = Chosen::of(device, kind).map_err(|error| failed(&error, no_receiver(&error)))?;
    let level = args.level.unwrap_or(config.level);
    let devices = config.policies.of(level).bans.clone();
    let guarded = Guarded { region, level, devices, park_hz: args.park };
    Ok(Prepared { survey, config, chosen, guarded })
}

/// What the sensor's own command line says.
fn sensor_arguments(args: &SensorArgs, chosen: &Chosen, common: &Common) -> Vec<OsString> {
    let mut out: Vec<OsString> = vec!["sense".into(), "--device".into(), chosen.arguments.clone().into()];
    let mut option = |name: &str, value: Option<OsString>| {
        if let Some(value) = value {
            out.extend([name.into(), value]);
        }
    };
    option("--receiver", Some(chosen.profile.name.clone().into()));
    option("--region", args.region.map(|region| region.as_str().into()));
    option("--level", args.level.map(|level| level.as_str().into()));
    option("--rate", args.which.rate.map(|hz| hz.to_string().into()));
    option("--park", args.park.map(|hz| hz.to_string().into()));
    option("--config", common.config.as_ref().map(|path| path.clone().into()));
    if common.quiet {
        out.push("--quiet".into());
    }
    out.extend((0..common.verbose).map(|_| OsString::from("-v")));
    out
}
