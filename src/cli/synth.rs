//! `emcon synth`: a scene file to a recording and its truth.

use super::args::{Common, SynthArgs};
use super::exit::Exit;
use super::progress::Bar;
use super::{complain, output_failed};
use crate::app::replay::Progress;
<<<<<<< HEAD
use crate::synth::{Scene, Written, write_recording};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Does it.
pub(super) fn run(args: &SynthArgs, common: &Common) -> Exit {
    let text = match std::fs::read_to_string(&args.scene) {
        Ok(text) => text,
        Err(error) => {
            complain(&format_args!("{}: cannot be read: {error}", args.scene.display()));
            return Exit::NoInput;
        }
    };
    let scene = match Scene::from_toml(&text) {
        Ok(scene) => scene,
        Err(error) => {
            complain(&format_args!("{}: {error}", args.scene.display()));
            return Exit::BadData;
        }
    };
    let output = args.output.clone().unwrap_or_else(|| beside(&args.scene));
    let rate_hz = scene.receiver.rate_hz;
    let mut bar = Bar::start(common, args.json);
    let written = write_recording(&scene, &output, |samples, total| {
        let (at_s, duration_s) = (samples as f64 / rate_hz, Some(total as f64 / rate_hz));
        bar.at(&Progress { samples, at_s, duration_s });
=======
use crate::synth::{Scene, WriteError, write_recording};
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
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(args.scene.file_stem().unwrap_or_default()));
    let rate_hz = scene.receiver.rate_hz;
    let mut bar = Bar::start(common, false);
    let written = write_recording(&scene, &out, |done, total| {
        let duration_s = Some(total as f64 / rate_hz);
        bar.at(&Progress { samples: done, at_s: done as f64 / rate_hz, duration_s });
>>>>>>> app
    });
    match written {
        Ok(written) => {
            bar.finish(written.samples, written.samples as f64 / rate_hz);
<<<<<<< HEAD
            tell(&written, args.json).map_or_else(|error| output_failed(&error), |()| Exit::Ok)
=======
            if !common.quiet {
                complain(&format_args!("{} says what is in {}", written.truth.display(), written.data.display()));
            }
            match writeln!(io::stdout(), "{}", written.meta.display()) {
                Ok(()) => Exit::Ok,
                Err(error) => output_failed(&error),
            }
>>>>>>> app
        }
        Err(error) => {
            bar.clear();
            complain(&error);
<<<<<<< HEAD
            Exit::CannotCreate
=======
            match error {
                WriteError::Datetime(_) => Exit::BadData,
                WriteError::File { source, .. } => match source.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => {
                        Exit::CannotCreate
                    }
                    _ => Exit::Io,
                },
            }
>>>>>>> app
        }
    }
}

<<<<<<< HEAD
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
=======
fn read(path: &Path) -> Result<Scene, Exit> {
    let mut text = String::new();
    let file = File::open(path).and_then(|file| file.take(SCENE_MAX + 1).read_to_string(&mut text));
    if let Err(error) = file {
        let exit = if error.kind() == io::ErrorKind::InvalidData { Exit::BadData } else { Exit::NoInput };
        complain(&format_args!("{}: cannot be read: {error}", path.display()));
        return Err(exit);
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
    let is_quote = |line: &str| {
        let line = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        line.starts_with('|')
    };
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_quote(line)).collect();
    lines.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        let text = "scene: TOML parse error at line 2, column 1\n  |\n2 | x = = 1\n  |     ^\ninvalid string\n";
        assert_eq!(one_line(text), "scene: TOML parse error at line 2, column 1: invalid string");
>>>>>>> app
    }
}
