//! `emcon synth`: a scene file to a recording and its truth.

use super::args::{Common, SynthArgs};
use super::exit::Exit;
use super::progress::Bar;
use super::{complain, output_failed};
use crate::app::replay::Progress;
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
    });
    match written {
        Ok(written) => {
            bar.finish(written.samples, written.samples as f64 / rate_hz);
            if !common.quiet {
                complain(&format_args!("{} says what is in {}", written.truth.display(), written.data.display()));
            }
            match writeln!(io::stdout(), "{}", written.meta.display()) {
                Ok(()) => Exit::Ok,
                Err(error) => output_failed(&error),
            }
        }
        Err(error) => {
            bar.clear();
            complain(&error);
            match error {
                WriteError::Datetime(_) => Exit::BadData,
                WriteError::File { source, .. } => match source.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory => {
                        Exit::CannotCreate
                    }
                    _ => Exit::Io,
                },
            }
        }
    }
}

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
    }
}
