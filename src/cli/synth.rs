//! `emcon synth`: a scene file to a recording and its truth.

use super::args::{Common, SynthArgs};
use super::exit::Exit;
use super::progress::Bar;
use super::{complain, output_failed};
use crate::app::replay::Progress;
use crate::recording::WriteError;
use crate::synth::{Scene, SynthError, Written, write_recording};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A scene is some kilobytes of text.
const SCENE_MAX: u64 = 16 << 20;

/// Does it.
pub(super) fn run(args: &SynthArgs, common: &Common) -> Exit {
    let scene = match read(&args.scene) {
        Ok(scene) => scene,
        Err(exit) => return exit,
    };
    let output = args.output.clone().unwrap_or_else(|| beside(&args.scene));
    if is_no_name(&output) {
        complain(&format_args!("{}: is a folder; name the recording inside", output.display()));
        return Exit::CannotCreate;
    }
    let rate_hz = scene.receiver.rate_hz;
    let mut bar = Bar::start(common, args.json);
    let written = write_recording(&scene, &output, |samples, total| {
        let (at_s, duration_s) = (samples as f64 / rate_hz, Some(total as f64 / rate_hz));
        bar.at(&Progress { samples, at_s, duration_s });
    });
    match written {
        Ok(written) => {
            bar.finish(written.samples, written.samples as f64 / rate_hz);
            for name in written.silent.iter().filter(|_| !common.quiet) {
                complain(&format_args!(
                    "{}: {name:?} sends nothing within the recording",
                    args.scene.display()
                ));
            }
            tell(&written, args.json).map_or_else(|error| output_failed(&error), |()| Exit::Ok)
        }
        Err(error) => {
            bar.clear();
            complain(&error);
            status(&error)
        }
    }
}

fn status(error: &SynthError) -> Exit {
    let source = match error {
        SynthError::Recording(WriteError::Unwritable { source, .. }) | SynthError::Truth { source, .. } => {
            source
        }
        SynthError::Recording(WriteError::Format { .. }) => return Exit::BadData,
    };
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

fn read(path: &Path) -> Result<Scene, Exit> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(SCENE_MAX + 1).read_to_string(&mut text));
    if let Err(error) = read {
        complain(&format_args!("{}: cannot be read: {error}", path.display()));
        let not_text = error.kind() == io::ErrorKind::InvalidData;
        return Err(if not_text { Exit::BadData } else { Exit::NoInput });
    }
    if text.len() as u64 > SCENE_MAX {
        complain(&format_args!("{}: larger than {} MiB: no scene", path.display(), SCENE_MAX >> 20));
        return Err(Exit::BadData);
    }
    Scene::from_toml(&text).map_err(|error| {
        complain(&format_args!("{}: {}", path.display(), one_line(&error.to_string())));
        Exit::BadData
    })
}

/// A message of several lines without the source text that it quotes.
fn one_line(text: &str) -> String {
    let is_quote =
        |line: &&str| line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').starts_with('|');
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty() && !is_quote(line)).collect();
    lines.join(": ")
}

/// Whether a path leaves the name of the recording open, as `.` and `here/` do: its files would be hidden ones.
fn is_no_name(output: &Path) -> bool {
    let last = output.as_os_str().as_encoded_bytes().last().copied();
    output.file_name().is_none() || last.is_some_and(|byte| std::path::is_separator(char::from(byte)))
}

/// The name of `scene` without folder and ending.
fn beside(scene: &Path) -> PathBuf {
    scene.file_stem().map_or_else(|| PathBuf::from("scene"), PathBuf::from)
}

fn tell(written: &Written, json: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let (meta, truth) = (written.meta.display().to_string(), written.truth.display().to_string());
    if json {
        let line = serde_json::json!({
            "event": "written",
            "meta": meta,
            "truth": truth,
            "samples": written.samples,
        });
        writeln!(stdout, "{line}")
    } else {
        writeln!(stdout, "{meta}\n{truth}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        let text =
            "scene: TOML parse error at line 2, column 1\n  |\n2 | x = = 1\n  |     ^\ninvalid string\n";
        assert_eq!(one_line(text), "scene: TOML parse error at line 2, column 1: invalid string");
    }
}
