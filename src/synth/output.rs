//! A scene on disk: a SigMF recording and its truth.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use thiserror::Error;

use super::render::Renderer;
use super::scene::Scene;
use super::truth::{Truth, datatype};
use crate::iq::Samples;

/// Samples rendered between two writes.
const BLOCK: usize = 1 << 18;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The SigMF metadata.
    pub meta: PathBuf,
    /// The samples.
    pub data: PathBuf,
    /// The truth, JSON.
    pub truth: PathBuf,
    /// How many samples.
    pub samples: u64,
}

/// Why a recording could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// A file could not be created or written.
    #[error("{path}: {source}: choose another place with -o, or make room")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The scene's `datetime` is no date.
    #[error("scene: datetime: \"{0}\" is no UTC time such as \"2025-03-01T09:00:00Z\"")]
    Datetime(String),
}

/// Renders `scene` into `out.sigmf-meta`, `out.sigmf-data` and `out.truth.json`; an ending `.sigmf-meta` or
/// `.sigmf-data` of `out` is taken off. Calls `progress` with the samples done and to do.
pub fn write_recording(
    scene: &Scene,
    out: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<Written, WriteError> {
    let stem = stem(out);
    let with = |ending: &str| {
        let mut path = stem.clone().into_os_string();
        path.push(ending);
        PathBuf::from(path)
    };
    let (meta, data, truth) = (with(".sigmf-meta"), with(".sigmf-data"), with(".truth.json"));
    let mut renderer = Renderer::new(scene);
    let told = Truth::of(scene, &renderer);
    let metadata = metadata(scene, &told)?;
    let total = renderer.len();

    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteError::File { path, source }
    };
    let mut file = BufWriter::new(File::create(&data).map_err(failed(&data))?);
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < total {
        let samples = renderer.render_block(at, BLOCK);
        bytes.clear();
        little_endian(&samples, &mut bytes);
        file.write_all(&bytes).map_err(failed(&data))?;
        at += samples.len() as u64;
        progress(at, total);
    }
    file.flush().map_err(failed(&data))?;
    write_json(&meta, &metadata).map_err(failed(&meta))?;
    write_json(&truth, &told).map_err(failed(&truth))?;
    Ok(Written { meta, data, truth, samples: total })
}

fn stem(out: &Path) -> PathBuf {
    match out.extension().and_then(|ending| ending.to_str()) {
        Some("sigmf-meta" | "sigmf-data" | "sigmf") => out.with_extension(""),
        _ => out.to_owned(),
    }
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    text.push('\n');
    std::fs::write(path, text)
}

/// SigMF metadata (specification 1.2: global, captures, annotations).
fn metadata(scene: &Scene, truth: &Truth) -> Result<serde_json::Value, WriteError> {
    let captures: Vec<serde_json::Value> = truth
        .segments
        .iter()
        .map(|segment| {
            let mut capture =
                json!({ "core:sample_start": segment.sample_start, "core:frequency": segment.center_hz });
            if let Some(text) = &scene.datetime {
                capture["core:datetime"] = json!(datetime(text, segment.scene_s)?);
            }
            Ok(capture)
        })
        .collect::<Result<_, WriteError>>()?;
    Ok(json!({
        "global": {
            "core:datatype": datatype(scene.receiver.format),
            "core:sample_rate": truth.sample_rate_hz,
            "core:version": "1.2.0",
            "core:description": scene.name,
            "core:recorder": concat!("emcon ", env!("CARGO_PKG_VERSION"), " synth"),
        },
        "captures": captures,
        "annotations": [],
    }))
}

/// UTC of a scene time, RFC 3339 to the nanosecond.
fn datetime(origin: &str, scene_s: f64) -> Result<String, WriteError> {
    let bad = || WriteError::Datetime(origin.to_owned());
    let origin_at: jiff::Timestamp = origin.parse().map_err(|_| bad())?;
    let later = jiff::SignedDuration::from_nanos((scene_s * 1e9).round() as i64);
    let at = origin_at.checked_add(later).map_err(|_| bad())?;
    Ok(format!("{at:.9}"))
}

/// Appends the bytes of `samples`, little-endian.
fn little_endian(samples: &Samples, bytes: &mut Vec<u8>) {
    match samples {
        Samples::Cu8(v) => bytes.extend_from_slice(bytemuck::cast_slice(v)),
        Samples::Ci8(v) => bytes.extend_from_slice(bytemuck::cast_slice(v)),
        Samples::Ci16(v) => bytes.extend(v.iter().flatten().flat_map(|x| x.to_le_bytes())),
        Samples::Cf32(v) => bytes.extend(v.iter().flatten().flat_map(|x| x.to_le_bytes())),
    }
}
