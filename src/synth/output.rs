//! A scene on disk: a SigMF recording and its truth.

use std::io;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use thiserror::Error;

use super::render::Renderer;
use super::scene::Scene;
use super::truth::Truth;
use crate::recording::{NewRecording, SigmfWriter, WriteError};

/// Samples rendered between two writes.
const BLOCK: u64 = 1 << 18;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The SigMF metadata; the samples lie beside it.
    pub meta: PathBuf,
    /// The truth, JSON.
    pub truth: PathBuf,
    /// How many samples.
    pub samples: u64,
    /// Names of emitters that send nothing within the recording.
    pub silent: Vec<String>,
}

/// Why a scene could not be written.
#[derive(Debug, Error)]
pub enum SynthError {
    /// The recording could not be written.
    #[error(transparent)]
    Recording(#[from] WriteError),
    /// The truth could not be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Truth {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Renders `scene` into `out.sigmf-meta`, `out.sigmf-data` and `out.truth.json`; an ending `.sigmf-meta`,
/// `.sigmf-data` or `.sigmf` of `out` is taken off. Calls `progress` with the samples done and to do.
///
/// # Errors
/// [`SynthError`] with the path that cannot be written.
pub fn write_recording(
    scene: &Scene,
    out: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<Written, SynthError> {
    let mut renderer = Renderer::new(scene);
    let total = renderer.len();
    let mut writer = SigmfWriter::create(
        out,
        NewRecording {
            format: renderer.format(),
            sample_rate_hz: scene.receiver.rate_hz,
            description: scene.name.clone(),
            author: String::new(),
            hardware: format!("synthetic receiver, seed {}", scene.seed),
        },
    )?;
    let mut segment = None;
    for stretch in renderer.stretches().to_vec() {
        if segment != Some(stretch.segment) {
            segment = Some(stretch.segment);
            writer.begin_segment(Some(stretch.center_hz), utc(scene, stretch.segment));
        }
        let (mut at, end) = (stretch.first, stretch.first + stretch.len);
        while at < end {
            let samples = renderer.render_block(at, BLOCK.min(end - at) as usize);
            writer.write(&samples)?;
            at += samples.len() as u64;
            progress(at, total);
        }
    }
    let meta = writer.finish()?;
    let truth = meta.with_extension("truth.json");
    let told = Truth::of(scene, &renderer);
    let silent = told.emitters.iter().filter(|e| e.on_times.is_empty()).map(|e| e.name.clone()).collect();
    let text = serde_json::to_string_pretty(&told).map_err(io::Error::from);
    text.and_then(|text| std::fs::write(&truth, text + "\n"))
        .map_err(|source| SynthError::Truth { path: truth.clone(), source })?;
    Ok(Written { meta, truth, samples: total, silent })
}

/// UTC of a segment's first sample, if the scene has dates.
fn utc(scene: &Scene, segment: usize) -> Option<jiff::Timestamp> {
    let start_s = scene.segments.get(segment)?.start_s;
    scene.datetime?.checked_add(SignedDuration::from_nanos((start_s * 1e9).round() as i64)).ok()
}
