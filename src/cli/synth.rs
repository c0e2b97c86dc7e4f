//! `emcon synth`: a scene file to a recording and its truth.

use super::args::{Common, SynthArgs};
use super::exit::Exit;
use super::progress::Bar;
use super::{complain, output_failed};
use crate::app::replay::Progress;
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
    });
    match written {
        Ok(written) => {
            bar.finish(written.samples, written.samples as f64 / rate_hz);
            tell(&written, args.json).map_or_else(|error| output_failed(&error), |()| Exit::Ok)
        }
        Err(error) => {
            bar.clear();
            complain(&error);
            Exit::CannotCreate
        }
    }
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
