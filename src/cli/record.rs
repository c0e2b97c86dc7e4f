//! `emcon record`: samples of an attached receiver to a SigMF recording.

use super::args::Common;
use super::exit::Exit;
use super::progress::Bar;
use super::receiver_args::{ReceiverArgs, RecordArgs};
use super::scan::nowhere;
use super::{complain, output_failed, say};
use crate::app::receiver::Chosen;
use crate::app::record::{Ended, RecordError, RecordParams, Recorded, free_bytes, name, record};
use crate::app::replay::Progress;
use crate::app::tiles::{Tile, View, tiles};
use crate::clock;
use crate::recording::{SigmfWriter, WriteError};
use crate::sdr::soapy::{OpenError, OpenOptions};
use crate::sensor::{ListenError, ListenParams, Visit, Visits};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Time at each tuning of a sweep unless asked otherwise, seconds: a walkie-talkie's call and several of the frames
/// of whatever has frames fit.
const DWELL_S: f64 = 0.1;

/// Tunings of a sweep lie on this raster, hertz.
const RASTER_HZ: f64 = 10e3;

/// Share of samples at the rails from which a recording is told to be overdriven, as for `replay`.
const CLIPPED: f64 = 0.01;

/// Does it.
pub(super) fn run(args: &RecordArgs, common: &Common) -> Exit {
    let (chosen, open) = match choose(&args.receiver) {
        Ok(chosen) => chosen,
        Err(exit) => return exit,
    };
    let (visits, what, first_hz) = match visits(args, &chosen, &open) {
        Ok(visits) => visits,
        Err(why) => {
            complain(&why);
            return Exit::Config;
        }
    };
    let base = args.output.clone().unwrap_or_else(|| PathBuf::from(name(clock::utc(), first_hz)));
    if let Err(exit) = has_room(args, &base) {
        return exit;
    }
    let stop = match stopped_by_signals() {
        Ok(stop) => stop,
        Err(exit) => return exit,
    };
    let params = RecordParams {
        gain: open.gains.first().cloned().unwrap_or_default(),
        listen: ListenParams {
            settle_default: chosen.settle_default(open.rate_hz),
            open: OpenOptions { center_hz: first_hz, ..open },
            visits,
            patient: chosen.is_patient(),
        },
        base,
        description: what,
        for_s: args.r#for,
        max_bytes: args.max_bytes,
        reserve_bytes: args.reserve,
    };
    let mut bar = Bar::start(common, args.json);
    let recorded = record(params, &stop, |samples, at_s| {
        bar.at(&Progress { samples, at_s, duration_s: args.r#for });
    });
    bar.clear();
    match recorded {
        Ok(recorded) => {
            if let Err(error) = tell(&recorded, args.json, common) {
                return output_failed(&error);
            }
            after(&recorded.ended)
        }
        Err(RecordError::Listen(error)) => refused(&error),
        Err(RecordError::Write(error)) => unwritable(&error),
    }
}

/// The receiver that is meant, and how it is opened.
pub(super) fn choose(args: &ReceiverArgs) -> Result<(Chosen, OpenOptions), Exit> {
    let failed = |error: &dyn std::fmt::Display| {
        complain(error);
        Exit::Config
    };
    let chosen = Chosen::of(args.which.device.as_deref(), args.which.receiver.as_deref())
        .map_err(|error| failed(&error))?;
    let gains = chosen.gains(args.gain.as_ref()).map_err(|why| failed(&why))?;
    let open = OpenOptions { gains, ..chosen.options(chosen.somewhere_hz(), args.which.rate) };
    Ok((chosen, open))
}

/// A flag that SIGINT and SIGTERM set.
pub(super) fn stopped_by_signals() -> Result<Arc<AtomicBool>, Exit> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        if let Err(error) = signal_hook::flag::register(signal, stop.clone()) {
            complain(&format_args!("cannot be told to end: {error}"));
            return Err(Exit::Io);
        }
    }
    Ok(stop)
}

/// The status after a receiver refused or failed, which is said.
pub(super) fn refused(error: &ListenError) -> Exit {
    if *error == ListenError::Stopped {
        return Exit::Ok;
    }
    complain(error);
    match error {
        ListenError::Open(OpenError::Busy { .. } | OpenError::Failed { .. }) => Exit::Unavailable,
        ListenError::Open(_) | ListenError::Refused(_) => Exit::Config,
        ListenError::Silent(_) | ListenError::Hung => Exit::Io,
        ListenError::Stopped => Exit::Ok,
    }
}

fn unwritable(error: &WriteError) -> Exit {
    complain(error);
    let WriteError::Unwritable { source, .. } = error else { return Exit::BadData };
    match source.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::ReadOnlyFilesystem => Exit::CannotCreate,
        _ => Exit::Io,
    }
}

/// Where it listens, in words too, and the first frequency.
fn visits(args: &RecordArgs, chosen: &Chosen, open: &OpenOptions) -> Result<(Visits, String, f64), String> {
    let rate_hz = open.rate_hz;
    let samples = |seconds: f64| (seconds * rate_hz).round().max(1.0) as u64;
    if let Some(center_hz) = args.freq {
        let visit = Visit { center_hz, samples: args.r#for.map_or(u64::MAX, samples) };
        let what = format!("{:.6} MHz", center_hz / 1e6);
        return Ok((Box::new(std::iter::once(visit)), what, center_hz));
    }
    let ranges = args.sweep.as_ref().map_or(&[][..], |ranges| ranges.0.as_slice());
    let view = View::of(&chosen.profile, rate_hz, RASTER_HZ.min(rate_hz / 64.0));
    let tiles = tiles(ranges, &chosen.profile.ranges_hz, &view);
    let Some(first) = tiles.first().map(|tile: &Tile| tile.center_hz) else {
        return Err(nowhere(chosen));
    };
    let dwell_s = args.dwell.unwrap_or(DWELL_S);
    let what = format!("a sweep of {} tunings, {dwell_s} s each", tiles.len());
    let visits: Vec<Visit> =
        tiles.iter().map(|tile| Visit { center_hz: tile.center_hz, samples: samples(dwell_s) }).collect();
    Ok((Box::new(visits.into_iter().cycle()), what, first))
}

/// Whether the recording may be written there.
fn has_room(args: &RecordArgs, base: &Path) -> Result<(), Exit> {
    let last = base.as_os_str().as_encoded_bytes().last().copied();
    if base.file_name().is_none() || last.is_some_and(|byte| std::path::is_separator(char::from(byte))) {
        complain(&format_args!("{}: is a folder; name the recording inside", base.display()));
        return Err(Exit::CannotCreate);
    }
    let taken = SigmfWriter::taken(base);
    if let (Some(path), false) = (taken.first(), args.force) {
        complain(&format_args!(
            "{}: is there already; name another recording, or replace it with --force",
            path.display()
        ));
        return Err(Exit::CannotCreate);
    }
    let folder = base.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        complain(&format_args!("{}: its folder does not exist", base.display()));
        return Err(Exit::CannotCreate);
    }
    match free_bytes(folder) {
        Some(free) if free <= args.reserve => {
            complain(&format_args!(
                "{}: the disk has {:.2} GB free, of which {:.2} GB are to be left (--reserve)",
                folder.display(),
                free as f64 / 1e9,
                args.reserve as f64 / 1e9
            ));
            Err(Exit::CannotCreate)
        }
        _ => Ok(()),
    }
}

fn tell(recorded: &Recorded, json: bool, common: &Common) -> io::Result<()> {
    let Recorded { meta, facts, settle, samples, segments, losses, lost, clipped_share, ended } = recorded;
    let meta = meta.display().to_string();
    let duration_s = *samples as f64 / facts.rate_hz;
    let mut stdout = io::stdout().lock();
    if json {
        let line = serde_json::json!({
            "event": "recorded",
            "meta": meta,
            "samples": samples,
            "segments": segments,
            "duration_s": duration_s,
            "sample_rate_hz": facts.rate_hz,
            "losses": losses,
            "lost_samples": lost,
            "clipped_share": clipped_share,
            "settle_samples": settle.samples,
            "settle_measured": settle.measured,
            "ended": word(ended),
        });
        writeln!(stdout, "{line}")?;
    } else {
        writeln!(stdout, "{meta}")?;
    }
    if common.quiet {
        return Ok(());
    }
    say(&format_args!(
        "{samples} samples ({duration_s:.3} s) in {segments} segment{}; settling {} of {:.1} ms",
        if *segments == 1 { "" } else { "s" },
        if settle.measured { "measured" } else { "not measured, taken" },
        settle.samples as f64 / facts.rate_hz * 1e3,
    ));
    if *losses > 0 {
        complain(&format_args!(
            "samples were lost {losses} times, {lost} that are known of; each loss begins a segment and is annotated"
        ));
    }
    if *clipped_share > CLIPPED {
        complain(&format_args!(
            "{:.1} % of the samples are at the converter's rails: less gain (--gain), or an attenuator",
            clipped_share * 100.0
        ));
    }
    Ok(())
}

fn word(ended: &Ended) -> &'static str {
    match ended {
        Ended::Complete => "complete",
        Ended::Interrupted => "interrupted",
        Ended::LargeEnough => "large-enough",
        Ended::Reserve => "disk-reserve",
        Ended::Segments => "segments",
        Ended::Receiver(_) => "receiver-gone",
        Ended::Disk(_) => "disk-refused",
    }
}

/// The status after a recording that ended so, which is said where it was not asked for.
fn after(ended: &Ended) -> Exit {
    let why: &dyn std::fmt::Display = match ended {
        Ended::Complete | Ended::Interrupted | Ended::LargeEnough => return Exit::Ok,
        Ended::Reserve => &"ended early: the disk has no more than --reserve left",
        Ended::Segments => &"ended early: a recording holds no more segments; take a longer --dwell",
        Ended::Receiver(error) => error,
        Ended::Disk(error) => error,
    };
    complain(&format_args!("{why}; what was recorded until then is kept"));
    Exit::Io
}
