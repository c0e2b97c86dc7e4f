//! A picture of a recording: power over frequency and time, with a named box around what was found.

mod boxes;
mod canvas;
mod evidence;
mod font;
mod grid;
mod palette;
mod render;

pub use evidence::{Shown, draw};

use super::report::RecordingReport;
use crate::pipeline::{FrontEvent, Output};
use crate::spectrum::SlabView;
use boxes::Boxes;
use grid::Grid;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// Looks on while a recording passes; then draws it.
#[derive(Debug)]
pub struct Waterfall {
    title: String,
    grid: Grid,
    boxes: Boxes,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot write the picture: {source}", path.display())]
pub struct WaterfallError {
    /// The file.
    pub path: PathBuf,
    /// What the encoder or the system says.
    pub source: png::EncodingError,
}

impl Waterfall {
    /// A picture of `recording`.
    pub fn new(recording: &RecordingReport) -> Self {
        Self {
            title: recording.path.rsplit('/').next().unwrap_or_default().to_owned(),
            grid: Grid::new(recording.duration_s, recording.centers_hz.len()),
            boxes: Boxes::default(),
        }
    }

    /// Looks at a slab of the spectrogram.
    pub fn slab(&mut self, slab: &SlabView<'_>) {
        self.grid.slab(slab);
    }

    /// Looks at what the front hands to the back.
    pub fn front(&mut self, event: &FrontEvent) {
        self.boxes.front(event, self.grid.row_s());
    }

    /// Looks at what the back says.
    pub fn output(&mut self, output: &Output) {
        self.boxes.output(output);
    }

    /// Whether there were more tunings than the picture has room for.
    pub fn left_out(&self) -> bool {
        self.grid.left_out()
    }

    /// Draws the picture into a PNG file.
    ///
    /// # Errors
    /// The file cannot be created or written.
    pub fn save(&self, path: &Path) -> Result<(), WaterfallError> {
        let picture = render::render(&self.title, &self.grid, &self.boxes);
        let write = || -> Result<(), png::EncodingError> {
            let (width, height) = picture.size();
            let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), width, height);
            encoder.set_color(png::ColorType::Rgb);
            encoder.set_depth(png::BitDepth::Eight);
            let mut writer = encoder.write_header()?;
            writer.write_image_data(picture.bytes())?;
            writer.finish()
        };
        write().map_err(|source| WaterfallError { path: path.to_owned(), source })
    }
}
