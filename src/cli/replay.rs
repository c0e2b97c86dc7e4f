//! `emcon replay`: options to a replay of each recording, and what came of them to an exit status.

use super::args::{Common, FormatArg, ReplayArgs};
use super::exit::Exit;
use super::progress::Bar;
use super::{colored, complain, output_failed, say};
use crate::app::baseline_file::{self, ReadBaselineError};
use crate::app::ndjson::Ndjson;
use crate::app::replay::{Options, ReplayError, Replayed, replay};
use crate::app::report::Sink;
use crate::app::table::{Manner, Table};
use crate::config;
use crate::policy::Baseline;
use crate::recording::{Datatype, OpenOptions, Recording};
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Does it.
pub(super) fn run(args: &ReplayArgs, common: &Common) -> Exit {
    let options = match prepare(args, common) {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    let stdout = BufWriter::new(io::stdout().lock());
    let several = args.recordings.len() > 1;
    let mut sink: Box<dyn Sink> = if args.json {
        Box::new(Ndjson::new(stdout, several))
    } else {
        let manner = Manner { color: colored(&io::stdout(), common), all_reasons: common.verbose > 0 };
        Box::new(Table::new(stdout, manner))
    };
    let mut outcome = Outcome::default();
    let mut learned: Option<Baseline> = None;
    for (number, path) in (1..).zip(&args.recordings) {
        let mut bar = Bar::start(common, args.json);
        let result = replay(path, number, &options, sink.as_mut(), &mut |progress| bar.at(&progress));
        match result {
            Ok(replayed) => {
                bar.finish(replayed.summary.samples, replayed.summary.duration_s);
                if options.learn_s > replayed.summary.duration_s && !common.quiet {
                    let (path, options, summary) = (path.display(), &options, &replayed.summary);
                    complain(&format_args!(
                        "{path}: --learn {} s is longer than the recording ({:.3} s): all of it was learned, nothing was \
                         guarded",
                        options.learn_s, summary.duration_s
                    ));
                }
                if let Err(error) = tell(&replayed, path, args, common) {
                    return output_failed(&error);
                }
                outcome.take(&replayed);
                if let (Some(png), Some(picture)) = (&args.waterfall, &replayed.waterfall) {
                    let png = if several { numbered(png, number) } else { png.clone() };
                    if let Err(error) = picture.save(&png) {
                        complain(&error);
                        outcome.failed(Exit::Io);
                    } else if picture.left_out() && !common.quiet {
                        complain(&format_args!("{}: has room for a part of the tunings only", png.display()));
                    }
                }
                learned = Some(match learned {
                    None => replayed.learned,
                    Some(before) => before.joined(replayed.learned),
                });
            }
            Err(ReplayError::Recording(error)) => {
                bar.clear();
                complain(&error);
                outcome.failed(status(error.exit_status()));
            }
            Err(ReplayError::Output(error)) => {
                bar.clear();
                return output_failed(&error);
            }
        }
    }
    if let (Some(path), Some(learned)) = (&args.save_baseline, &learned)
        && let Err(error) = baseline_file::write(path, learned)
    {
        complain(&error);
        outcome.failed(Exit::Io);
    }
    outcome.exit()
}

/// All that can be wrong before a recording is read.
fn prepare(args: &ReplayArgs, common: &Common) -> Result<Options, Exit> {
    let failed = |error: &dyn std::fmt::Display, exit| {
        complain(error);
        exit
    };
    let config = config::load(common.config.as_deref()).map_err(|error| failed(&error, Exit::Config))?;
    let region = args.region.map_or(config.region, |region| region.as_str());
    let band_plan = config::region(region).map_err(|error| failed(&error, Exit::Config))?;
    let signatures = config::signatures().map_err(|error| failed(&error, Exit::Config))?;
    let open = OpenOptions { format: args.format.map(datatype), rate_hz: args.rate, center_hz: args.freq };
    usage(args, &open)?;
    spares_inputs(args, common)?;
    for path in args.waterfall.iter().chain(&args.save_baseline) {
        if let Some(why) = cannot_hold(path) {
            return Err(failed(
                &format_args!("{}: cannot be written: {why}", path.display()),
                Exit::CannotCreate,
            ));
        }
    }
    let baseline = match &args.baseline {
        None => None,
        Some(path) => Some(baseline_file::read(path).map_err(|error| {
            let exit =
                if matches!(error, ReadBaselineError::Open { .. }) { Exit::NoInput } else { Exit::BadData };
            failed(&error, exit)
        })?),
    };
    Ok(Options {
        open,
        band_plan,
        signatures,
        level: args.level.unwrap_or(config.level),
        learn_s: args.learn.unwrap_or(0.0),
        baseline,
        block_samples: args.block_size.and_then(|samples| NonZeroUsize::new(samples as usize)),
        explain: args.explain.clone(),
        waterfall: args.waterfall.is_some(),
    })
}

/// Usage errors of any recording come before the first is replayed: a rate that is missing is not found out
/// after hours.
fn usage(args: &ReplayArgs, open: &OpenOptions) -> Result<(), Exit> {
    let stdin = Path::new("-");
    if args.recordings.iter().filter(|path| *path == stdin).count() > 1 {
        complain(&"-: standard input can be read once only");
        return Err(Exit::Usage);
    }
    for path in &args.recordings {
        // Without opening them: a pipe that is opened twice loses what it gave the first time.
        if let Err(error) = Recording::check_usage(path, open) {
            complain(&error);
            return Err(Exit::Usage);
        }
    }
    Ok(())
}

/// An output that would replace a recording, another input or another output is a mistake of typing: what is
/// recorded once cannot be recorded again.
fn spares_inputs(args: &ReplayArgs, common: &Common) -> Result<(), Exit> {
    let mut taken: Vec<PathBuf> = args.recordings.iter().flat_map(|path| files_of(path)).collect();
    taken.extend(common.config.iter().filter_map(|path| place(path)));
    let several = args.recordings.len() > 1;
    let pictures = args.waterfall.iter().flat_map(|png| {
        let number = |number| if several { numbered(png, number) } else { png.clone() };
        (1..).zip(&args.recordings).map(move |(at, _)| number(at))
    });
    let baseline = args.baseline.iter().filter_map(|path| place(path));
    // A baseline may take the place of the one it was learned on.
    let outputs = args.save_baseline.iter().cloned().chain(pictures).enumerate();
    for (at, output) in outputs {
        if at == usize::from(args.save_baseline.is_some()) {
            taken.extend(baseline.clone());
        }
        let Some(place) = place(&output) else { continue };
        if taken.contains(&place) {
            complain(&format_args!("{}: is read or written already; name another output", output.display()));
            return Err(Exit::Usage);
        }
        taken.push(place);
    }
    Ok(())
}

/// The ordinary files that a recording may consist of, those that are there.
fn files_of(recording: &Path) -> Vec<PathBuf> {
    let mut paths = vec![recording.to_owned()];
    for ending in ["sigmf-meta", "sigmf-data", "sigmf"] {
        paths.push(recording.with_extension(ending));
        let mut name = recording.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{ending}"));
        paths.push(recording.with_file_name(name));
    }
    paths.iter().filter(|path| path.is_file()).filter_map(|path| place(path)).collect()
}

/// The one name of an ordinary file, there or to be; `None` of what may be written to twice.
fn place(path: &Path) -> Option<PathBuf> {
    match path.canonicalize() {
        Ok(place) => place.is_file().then_some(place),
        Err(_) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
        }
    }
}

/// Why a file of that name cannot come into being, as far as its folder tells.
fn cannot_hold(path: &Path) -> Option<&'static str> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if path.is_dir() {
        Some("it is a folder")
    } else if !folder.is_dir() {
        Some("its folder does not exist")
    } else {
        None
    }
}

fn datatype(format: FormatArg) -> Datatype {
    match format {
        FormatArg::Cu8 => Datatype::CU8,
        FormatArg::Cs8 => Datatype::CI8,
        FormatArg::Cs16 => Datatype::CI16_LE,
        FormatArg::Cf32 => Datatype::CF32_LE,
    }
}

fn status(exit: u8) -> Exit {
    if exit == Exit::Usage as u8 {
        Exit::Usage
    } else if exit == Exit::BadData as u8 {
        Exit::BadData
    } else {
        Exit::NoInput
    }
}

/// `picture.png` for the second recording is `picture-2.png`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(ending) = path.extension() {
        name.push(OsString::from("."));
        name.push(ending);
    }
    path.with_file_name(name)
}

/// Explanations go where people read: beside the table, or beside the stream of JSON.
fn tell(replayed: &Replayed, path: &Path, args: &ReplayArgs, common: &Common) -> io::Result<()> {
    if !common.quiet {
        for warning in &replayed.warnings {
            complain(&format_args!("{}: {warning}", path.display()));
        }
    }
    let lines = replayed.explanations.iter().flatten();
    if args.json {
        lines.for_each(|line| say(line));
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    for line in lines {
        writeln!(stdout, "{line}")?;
    }
    stdout.flush()
}

/// What the recordings came to.
#[derive(Debug, Default)]
struct Outcome {
    failure: Option<Exit>,
    alerted: bool,
    blind: bool,
}

impl Outcome {
    fn take(&mut self, replayed: &Replayed) {
        self.alerted |= replayed.alerted;
        self.blind |= replayed.summary.mostly_blind();
        if let Some(fault) = &replayed.fault {
            complain(fault);
            self.failed(status(fault.exit_status()));
        }
    }

    /// The first failure is the one that is told.
    fn failed(&mut self, exit: Exit) {
        self.failure.get_or_insert(exit);
    }

    fn exit(&self) -> Exit {
        match (self.failure, self.alerted, self.blind) {
            (Some(failure), _, _) => failure,
            (None, true, _) => Exit::Alert,
            (None, false, true) => Exit::Blind,
            (None, false, false) => Exit::Ok,
        }
    }
}
