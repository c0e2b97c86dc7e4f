//! A tile to a PNG picture: levels in colours, axes with units, the emission framed.
//!
//! Where things are in the picture, and which levels the ends of the scale stand for, is in its text chunk `emcon`, so
//! that programs need not guess.

use super::canvas::{Canvas, Rect, TEXT_HEIGHT, text_width};
use super::palette::{INK, PAPER, STANDINGS, UNOBSERVED, scale};
use super::render::{SPAN_MIN_DB, label, marks, step};
use crate::spectrum::{Extent, Tile};

/// Dots right of the left edge, under the upper one, and beyond the plot on the other two sides.
const LEFT: i64 = 100;
const TOP: i64 = 90;
const RIGHT: i64 = 120;
const BOTTOM: i64 = 20;
/// Dots of the plot.
const WIDTH: i64 = 640;
const HEIGHT: i64 = 400;
/// Smallest frame, dots: less is not seen.
const FRAME_MIN: i64 = 6;
/// Characters of a line of text that fit.
const LINE: usize = 70;

/// What a picture shows.
pub struct Shown<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// When it begins, as text.
    pub begins: &'a str,
    /// Levels.
    pub tile: &'a Tile,
    /// What is framed.
    pub emission: &'a Extent,
}

/// The picture as a PNG file.
///
/// # Errors
/// The encoder's.
pub fn draw(shown: &Shown<'_>) -> Result<Vec<u8>, png::EncodingError> {
    let (size, tile) = ((LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM), shown.tile);
    let mut canvas = Canvas::new(size.0 as usize, size.1 as usize, PAPER);
    canvas.text(LEFT, 10, &shown.title.chars().take(LINE).collect::<String>(), INK);
    let [low_db, high_db] = levels(tile);
    for y in 0..HEIGHT {
        let row = (y * i64::from(tile.rows) / HEIGHT) as usize;
        for x in 0..WIDTH {
            let column = (x * i64::from(tile.columns) / WIDTH) as usize;
            let color =
                tile.level_db(column, row).map_or(UNOBSERVED, |db| scale((db - low_db) / (high_db - low_db)));
            canvas.dot(LEFT + x, TOP + y, color);
        }
    }
    frequencies(&mut canvas, tile);
    times(&mut canvas, tile, shown.begins);
    let bar = scale_bar(&mut canvas, low_db, high_db, tile.bin_hz);
    let frame = frame_of(tile, shown.emission);
    canvas.frame(frame, STANDINGS[0].1);
    canvas.frame(
        Rect { left: frame.left - 1, top: frame.top - 1, right: frame.right + 1, bottom: frame.bottom + 1 },
        STANDINGS[0].1,
    );
    let plot = Rect { left: LEFT, top: TOP, right: LEFT + WIDTH - 1, bottom: TOP + HEIGHT - 1 };
    encode(&canvas, &about(tile, plot, frame, bar, [low_db, high_db]))
}

/// From the 5th percentile of the levels to the highest.
fn levels(tile: &Tile) -> [f32; 2] {
    let mut counts = [0usize; 256];
    tile.cells.iter().filter(|cell| **cell > 0).for_each(|cell| counts[usize::from(*cell)] += 1);
    let all: usize = counts.iter().sum();
    let mut sum = 0;
    let low = counts.iter().position(|count| {
        sum += count;
        sum * 20 > all
    });
    let high = counts.iter().rposition(|count| *count > 0);
    let db =
        |cell: Option<usize>| tile.origin_db + (cell.unwrap_or(1) as f32 - 1.0) * crate::spectrum::STEP_DB;
    [db(low), db(high).max(db(low) + SPAN_MIN_DB)]
}

fn frequencies(canvas: &mut Canvas, tile: &Tile) {
    let (low, high) = (tile.extent.low_hz / 1e6, tile.extent.high_hz / 1e6);
    let step = step(high - low, 5.0);
    let y = TOP - TEXT_HEIGHT - 10;
    for mark in marks(low, high, step) {
        let x = LEFT + ((mark - low) / (high - low) * WIDTH as f64) as i64;
        canvas.fill(Rect { left: x, top: TOP - 6, right: x, bottom: TOP - 1 }, INK);
        let text = label(mark, step);
        let left = (x - text_width(&text) / 2).min(LEFT + WIDTH + 30 - text_width(&text)).max(LEFT - 30);
        canvas.text(left, y, &text, INK);
    }
    canvas.text(LEFT + WIDTH + 40, y, "MHz", INK);
}

fn times(canvas: &mut Canvas, tile: &Tile, begins: &str) {
    let seconds = tile.extent.until_s - tile.extent.from_s;
    let step = step(seconds, 8.0);
    for mark in marks(0.0, seconds, step) {
        let y = TOP + (mark / seconds * HEIGHT as f64) as i64;
        canvas.fill(Rect { left: LEFT - 6, top: y, right: LEFT - 1, bottom: y }, INK);
        let text = label(mark, step);
        canvas.text(LEFT - 12 - text_width(&text), y - TEXT_HEIGHT / 2, &text, INK);
    }
    canvas.text(LEFT - 12 - text_width("s"), TOP - TEXT_HEIGHT - 10, "s", INK);
    let text: String = format!("0 s is {begins}").chars().take(LINE).collect();
    canvas.text(LEFT, 10 + TEXT_HEIGHT + 8, &text, INK);
}

/// The scale of levels, and where it is.
fn scale_bar(canvas: &mut Canvas, low_db: f32, high_db: f32, bin_hz: f64) -> Rect {
    let bar = Rect { left: LEFT + WIDTH + 30, top: TOP + 50, right: LEFT + WIDTH + 45, bottom: TOP + 300 };
    let height = (bar.bottom - bar.top) as f32;
    for y in bar.top..=bar.bottom {
        let share = (bar.bottom - y) as f32 / height;
        canvas.fill(Rect { top: y, bottom: y, ..bar }, scale(share));
    }
    let (low, span) = (f64::from(low_db), f64::from(high_db - low_db));
    let step = step(span, 6.0);
    for mark in marks(low, low + span, step) {
        let y = bar.bottom - ((mark - low) / span * f64::from(height)) as i64;
        canvas.fill(Rect { left: bar.right + 1, top: y, right: bar.right + 5, bottom: y }, INK);
        canvas.text(bar.right + 9, y - TEXT_HEIGHT / 2, &label(mark, step), INK);
    }
    canvas.text(bar.left - 14, bar.top - 2 * TEXT_HEIGHT - 14, "dBFS in", INK);
    let bin = if bin_hz < 1e3 { format!("{bin_hz:.0} Hz") } else { format!("{:.1} kHz", bin_hz / 1e3) };
    canvas.text(bar.left - 14, bar.top - TEXT_HEIGHT - 10, &bin, INK);
    bar
}

/// The dots just outside of the emission.
fn frame_of(tile: &Tile, emission: &Extent) -> Rect {
    let Extent { from_s, until_s, low_hz, high_hz } = tile.extent;
    let along = |from: f64, until: f64, low: f64, high: f64, dots: i64| {
        let dot = |value: f64| ((value - low) / (high - low) * dots as f64).clamp(0.0, dots as f64) as i64;
        let (first, last) = (dot(from) - 1, dot(until) + 1);
        let lacking = (FRAME_MIN - (last - first)).max(0);
        (first - lacking / 2, last + lacking - lacking / 2)
    };
    let (left, right) = along(emission.low_hz, emission.high_hz, low_hz, high_hz, WIDTH);
    let (top, bottom) = along(emission.from_s, emission.until_s, from_s, until_s, HEIGHT);
    Rect { left: LEFT + left, top: TOP + top, right: LEFT + right, bottom: TOP + bottom }
}

/// The text chunk.
fn about(tile: &Tile, plot: Rect, frame: Rect, bar: Rect, [low_db, high_db]: [f32; 2]) -> String {
    let rect = |r: Rect| [r.left, r.top, r.right, r.bottom];
    serde_json::json!({
        "low_hz": tile.extent.low_hz, "high_hz": tile.extent.high_hz,
        "seconds": tile.extent.until_s - tile.extent.from_s, "bin_hz": tile.bin_hz,
        "low_dbfs": low_db, "high_dbfs": high_db,
        "plot": rect(plot), "emission": rect(frame), "scale": rect(bar),
    })
    .to_string()
}

fn encode(canvas: &Canvas, about: &str) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let (width, height) = canvas.size();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.add_text_chunk("emcon".into(), about.into())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(canvas.bytes())?;
    writer.finish()?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tile(columns: u16, rows: u16, cells: Vec<u8>) -> Tile {
        let extent = Extent { from_s: 5.0, until_s: 8.0, low_hz: 446e6, high_hz: 446.1e6 };
        Tile { extent, columns, rows, bin_hz: 300.0, origin_db: -130.0, cells }
    }

    /// Oracle: another PNG decoder run of the file, dot by dot.
    #[test]
    fn what_is_strong_is_bright_and_framed_and_gaps_are_grey() {
        let mut cells = vec![40u8; 100 * 60];
        (40..60).for_each(|row| (45..55).for_each(|column| cells[row * 100 + column] = 160));
        cells[10 * 100..20 * 100].fill(0);
        let emission = Extent { from_s: 7.0, until_s: 8.0, low_hz: 446.045e6, high_hz: 446.055e6 };
        let tile = tile(100, 60, cells);
        let shown = Shown { title: "a1", begins: "now", tile: &tile, emission: &emission };
        let file = draw(&shown).expect("drawn");
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().expect("a PNG");
        let mut dots = vec![0; reader.output_buffer_size().expect("small")];
        let info = reader.next_frame(&mut dots).expect("dots");
        let dot = |x: i64, y: i64| &dots[(y as usize * info.width as usize + x as usize) * 3..][..3];
        let at = |column: f64, row: f64| {
            dot(LEFT + (column * WIDTH as f64) as i64, TOP + (row * HEIGHT as f64) as i64)
        };
        assert_eq!(at(0.5, 0.8), scale(1.0));
        assert_eq!(at(0.2, 0.8), scale(0.0));
        assert_eq!(at(0.2, 0.25), UNOBSERVED);
        let frame = frame_of(&tile, &emission);
        assert_eq!(dot(frame.left, (frame.top + frame.bottom) / 2), STANDINGS[0].1);
        assert!(
            (frame.left - (LEFT + 45 * WIDTH / 100)).abs() <= 2
                && (frame.top - (TOP + 2 * HEIGHT / 3)).abs() <= 2
        );
        let text = &reader.info().uncompressed_latin1_text[0];
        assert!(text.text.contains("\"high_dbfs\":-50.5"), "{}", text.text);
    }

    proptest! {
        #[test]
        fn whatever_a_sensor_sends_is_drawn(
            columns in 1u16..=20, rows in 1u16..=20, seed in any::<u8>(), words in any::<[f64; 4]>(), origin_db in any::<f32>(),
        ) {
            let cells = (0..columns as usize * rows as usize).map(|n| (n as u8).wrapping_mul(seed)).collect();
            let mut tile = tile(columns, rows, cells);
            tile.origin_db = if origin_db.is_finite() { origin_db } else { 0.0 };
            let [from_s, until_s, low_hz, high_hz] = words;
            let emission = Extent { from_s, until_s, low_hz, high_hz };
            if emission.is_sound() {
                tile.extent = emission;
            }
            let drawn = draw(&Shown { title: "", begins: "", tile: &tile, emission: &emission });
            prop_assert!(drawn.is_ok(), "not drawn");
        }
    }
}
