//! Grid and boxes to a picture: levels to colours, axes, frames, names.

use super::boxes::Boxes;
use super::canvas::{Canvas, Rect, TEXT_HEIGHT, text_width};
use super::grid::{Grid, Panel, ROWS};
use super::palette::{INK, PAPER, Rgb, STANDINGS, UNOBSERVED, scale, standing};
use std::collections::BTreeMap;

/// Dots from the left edge to the first column: room for times.
const LEFT: i64 = 120;
/// Dots from the top edge to the first row: room for the title and the frequencies.
const TOP: i64 = 84;
/// Dots right of the last column: room for the scale of levels.
const RIGHT: i64 = 130;
/// Dots under the last row: room for the meaning of colours.
const BOTTOM: i64 = 44;
/// Dots between panels.
const BETWEEN: i64 = 6;
/// Dots across all panels.
const PLOT_WIDTH: i64 = 1024;
/// Dots down.
const PLOT_HEIGHT: i64 = ROWS as i64;
/// Frames of one emitter that come nearer than this are one, dots.
const JOIN: i64 = 5;
/// Smallest frame, dots: less is not seen.
const FRAME_MIN: i64 = 6;
/// Frames of an emitter that are drawn, largest first.
const FRAMES_MAX: usize = 60;
/// The scale spans this at least, dB: a span of noise must not look like a crowd.
pub(super) const SPAN_MIN_DB: f32 = 25.0;

/// The picture.
pub fn render(title: &str, grid: &Grid, boxes: &Boxes) -> Canvas {
    let (width, height) = (LEFT + PLOT_WIDTH + RIGHT, TOP + PLOT_HEIGHT + BOTTOM);
    let mut canvas = Canvas::new(width as usize, height as usize, PAPER);
    let title: String = title.chars().take(80).collect();
    canvas.text(LEFT, 12, &title, INK);
    let levels = Levels::of(grid);
    let frames: Vec<Rect> = (0..grid.panels().len()).map(|at| panel_rect(at, grid.panels().len())).collect();
    for (panel, rect) in grid.panels().iter().zip(&frames) {
        cells(&mut canvas, grid, panel, rect, &levels);
        frequencies(&mut canvas, panel, rect);
    }
    times(&mut canvas, grid);
    emitters(&mut canvas, grid, boxes, &frames);
    bar(&mut canvas, &levels);
    legend(&mut canvas);
    canvas
}

fn panel_rect(at: usize, panels: usize) -> Rect {
    let panels = panels as i64;
    let each = (PLOT_WIDTH - BETWEEN * (panels - 1)) / panels;
    let left = LEFT + at as i64 * (each + BETWEEN);
    Rect { left, top: TOP, right: left + each - 1, bottom: TOP + PLOT_HEIGHT - 1 }
}

/// Which level is dark and which is bright.
struct Levels {
    low_db: f32,
    high_db: f32,
}

impl Levels {
    /// From the 5th to the 99.5th percentile of what was observed: a few strong cells must not darken the rest.
    fn of(grid: &Grid) -> Self {
        let mut counts = vec![0u64; Self::STEPS];
        for panel in grid.panels() {
            for cell in (0..grid.rows()).flat_map(|row| panel.row(row)).filter(|cell| **cell > 0.0) {
                counts[Self::step(decibels(*cell))] += 1;
            }
        }
        let low_db = Self::percentile(&counts, 0.05);
        let high_db = Self::percentile(&counts, 0.995).max(low_db + SPAN_MIN_DB);
        Self { low_db, high_db }
    }

    /// Half decibels from -220 to 60 dBFS.
    const STEPS: usize = 560;
    const LOWEST_DB: f32 = -220.0;

    fn step(db: f32) -> usize {
        (((db - Self::LOWEST_DB) * 2.0).max(0.0) as usize).min(Self::STEPS - 1)
    }

    fn percentile(counts: &[u64], share: f64) -> f32 {
        let target = (counts.iter().sum::<u64>() as f64 * share) as u64;
        let mut sum = 0;
        let at = counts.iter().position(|count| {
            sum += count;
            sum > target
        });
        at.map_or(-100.0, |at| Self::LOWEST_DB + at as f32 / 2.0)
    }

    fn color(&self, power: f32) -> Rgb {
        scale((decibels(power) - self.low_db) / (self.high_db - self.low_db))
    }
}

fn decibels(power: f32) -> f32 {
    10.0 * power.log10()
}

fn cells(canvas: &mut Canvas, grid: &Grid, panel: &Panel, rect: &Rect, levels: &Levels) {
    let (width, rows) = ((rect.right - rect.left + 1) as usize, grid.rows().max(1));
    let mut line = vec![0.0f32; width];
    for y in 0..PLOT_HEIGHT as usize {
        line.fill(0.0);
        let first = y * rows / ROWS;
        let last = ((y + 1) * rows).div_ceil(ROWS).max(first + 1);
        for row in first..last {
            let cells = panel.row(row);
            if cells.is_empty() {
                continue;
            }
            for (x, dot) in line.iter_mut().enumerate() {
                let from = x * cells.len() / width;
                let until = ((x + 1) * cells.len()).div_ceil(width).max(from + 1);
                *dot = cells[from..until.min(cells.len())].iter().fold(*dot, |most, cell| most.max(*cell));
            }
        }
        for (x, dot) in line.iter().enumerate() {
            let color = if *dot > 0.0 { levels.color(*dot) } else { UNOBSERVED };
            canvas.dot(rect.left + x as i64, rect.top + y as i64, color);
        }
    }
}

/// A step of 1, 2 or 5 times a power of ten, so that a span has about `marks` of them.
pub(super) fn step(span: f64, marks: f64) -> f64 {
    let raw = span / marks;
    let decade = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * decade).find(|step| *step >= raw).unwrap_or(raw)
}

/// Multiples of `step` from `low` to `high`; nothing if there is no such span.
pub(super) fn marks(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let count = ((high - low) / step).clamp(0.0, 100.0) as usize;
    let first = (low / step).ceil();
    (0..=count).map(move |n| (first + n as f64) * step).filter(move |mark| *mark <= high)
}

/// `value` with as many decimals as `step` needs.
pub(super) fn label(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    // Rounding may leave "-0".
    if text.trim_start_matches('-').bytes().all(|b| matches!(b, b'0' | b'.')) {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

fn frequencies(canvas: &mut Canvas, panel: &Panel, rect: &Rect) {
    let (unit, factor) =
        if panel.center_hz.is_some() || panel.rate_hz >= 1e6 { ("MHz", 1e6) } else { ("kHz", 1e3) };
    let (low, span) = (panel.low_hz() / factor, panel.rate_hz / factor);
    let width = rect.right - rect.left + 1;
    let step = step(span, (width as f64 / 170.0).max(1.0));
    let y = TOP - TEXT_HEIGHT - 10;
    let mut free_from = rect.left - 40;
    for mark in marks(low, low + span, step) {
        let x = rect.left + ((mark - low) / span * width as f64) as i64;
        canvas.fill(Rect { left: x, top: TOP - 6, right: x, bottom: TOP - 1 }, INK);
        let text = label(mark, step);
        let left = (x - text_width(&text) / 2).min(rect.right + 40 - text_width(&text));
        if left >= free_from {
            canvas.text(left, y, &text, INK);
            free_from = left + text_width(&text) + 12;
        }
    }
    if rect.left == LEFT {
        let unit = if panel.center_hz.is_some() { unit.to_owned() } else { format!("offset {unit}") };
        canvas.text(LEFT, y - TEXT_HEIGHT - 6, &unit, INK);
    }
}

fn times(canvas: &mut Canvas, grid: &Grid) {
    let end_s = grid.end_s();
    if end_s <= 0.0 {
        canvas.text(LEFT + 20, TOP + 20, "nothing was observed", INK);
        return;
    }
    let (unit, factor) = if end_s < 0.5 { ("ms", 1e3) } else { ("s", 1.0) };
    let step = step(end_s * factor, 10.0);
    for mark in marks(0.0, end_s * factor, step) {
        let y = TOP + (mark / factor / end_s * PLOT_HEIGHT as f64) as i64;
        canvas.fill(Rect { left: LEFT - 6, top: y, right: LEFT - 1, bottom: y }, INK);
        let text = label(mark, step);
        canvas.text(LEFT - 12 - text_width(&text), y - TEXT_HEIGHT / 2, &text, INK);
    }
    canvas.text(LEFT - 12 - text_width(unit), TOP - TEXT_HEIGHT - 10, unit, INK);
}

/// Frames around what went to each emitter, with its name at the largest.
fn emitters(canvas: &mut Canvas, grid: &Grid, boxes: &Boxes, panels: &[Rect]) {
    /// Frames, name and colour by emitter; 0 is none.
    type Drawn = (Vec<Rect>, Option<String>, Rgb);
    let mut drawn: BTreeMap<u32, Drawn> = BTreeMap::new();
    for (seen, emitter) in boxes.attributed() {
        let id = emitter.map_or(0, |emitter| emitter.id);
        let entry = drawn.entry(id).or_insert_with(|| {
            let name = emitter.map(|emitter| format!("{} e{}", emitter.signal, emitter.id));
            (Vec::new(), name, standing(emitter))
        });
        let (low_hz, high_hz) = seen.edges_hz();
        let times = (seen.burst.start_s, seen.burst.end_s);
        let found = grid
            .panels()
            .iter()
            .zip(panels)
            .find(|(panel, _)| panel.center_hz.unwrap_or(0.0) == seen.tuned_hz);
        if let Some((panel, rect)) = found {
            entry.0.push(frame(grid, panel, rect, times, (low_hz, high_hz)));
        }
    }
    let mut names: Vec<Rect> = Vec::new();
    for (frames, name, color) in drawn.into_values() {
        let mut frames = joined(frames);
        frames.sort_by_key(|f| std::cmp::Reverse((f.right - f.left + 1) * (f.bottom - f.top + 1)));
        for frame in frames.iter().take(FRAMES_MAX) {
            canvas.frame(*frame, color);
        }
        if let (Some(largest), Some(name)) = (frames.first(), name) {
            place_name(canvas, &mut names, largest, &name, color);
        }
    }
}

fn frame(grid: &Grid, panel: &Panel, rect: &Rect, times_s: (f64, f64), edges_hz: (f64, f64)) -> Rect {
    let width = (rect.right - rect.left + 1) as f64;
    let x = |hz: f64| rect.left + ((hz - panel.low_hz()) / panel.rate_hz * width) as i64;
    let y = |s: f64| TOP + (s / grid.end_s() * PLOT_HEIGHT as f64) as i64;
    let (mut left, mut right) = (x(edges_hz.0) - 1, x(edges_hz.1) + 1);
    let (mut top, mut bottom) = (y(times_s.0) - 1, y(times_s.1) + 1);
    let widen = |low: &mut i64, high: &mut i64| {
        let lacking = (FRAME_MIN - (*high - *low)).max(0);
        *low -= lacking / 2;
        *high += lacking - lacking / 2;
    };
    widen(&mut left, &mut right);
    widen(&mut top, &mut bottom);
    Rect {
        left: left.clamp(rect.left, rect.right),
        top: top.clamp(rect.top, rect.bottom),
        right: right.clamp(rect.left, rect.right),
        bottom: bottom.clamp(rect.top, rect.bottom),
    }
}

/// Frames that touch become one.
fn joined(frames: Vec<Rect>) -> Vec<Rect> {
    let mut out: Vec<Rect> = Vec::new();
    for mut frame in frames {
        while let Some(at) = out.iter().position(|other| other.touches(&frame, JOIN)) {
            frame = frame.joined(&out.swap_remove(at));
        }
        out.push(frame);
    }
    out
}

/// Writes a name where it hides no other: above, below, inside, or further down.
fn place_name(canvas: &mut Canvas, names: &mut Vec<Rect>, at: &Rect, name: &str, color: Rgb) {
    let (width, height) = (text_width(name) + 4, TEXT_HEIGHT + 4);
    let left = at.left.min(LEFT + PLOT_WIDTH - width).max(LEFT);
    let tops = [at.top - height - 1, at.bottom + 2, at.top + 2];
    let further = (1..40).map(|n| at.top + 2 + n * (height + 2));
    let place = tops
        .into_iter()
        .chain(further)
        .map(|top| Rect { left, top, right: left + width - 1, bottom: top + height - 1 })
        .filter(|place| place.top >= TOP && place.bottom < TOP + PLOT_HEIGHT)
        .find(|place| names.iter().all(|other| !other.touches(place, 0)));
    if let Some(place) = place {
        canvas.fill(place, PAPER);
        canvas.text(place.left + 2, place.top + 2, name, color);
        names.push(place);
    }
}

/// The scale of levels.
fn bar(canvas: &mut Canvas, levels: &Levels) {
    let (left, height) = (LEFT + PLOT_WIDTH + 20, PLOT_HEIGHT / 2);
    for y in 0..height {
        let share = 1.0 - y as f32 / height as f32;
        canvas.fill(Rect { left, top: TOP + y, right: left + 15, bottom: TOP + y }, scale(share));
    }
    let span = f64::from(levels.high_db - levels.low_db);
    let step = step(span, 6.0);
    for mark in marks(f64::from(levels.low_db), f64::from(levels.high_db), step) {
        let share = (mark - f64::from(levels.low_db)) / span;
        let y = TOP + ((1.0 - share) * height as f64) as i64;
        canvas.fill(Rect { left: left + 16, top: y, right: left + 20, bottom: y }, INK);
        canvas.text(left + 26, y - TEXT_HEIGHT / 2, &label(mark, step), INK);
    }
    canvas.text(left, TOP - TEXT_HEIGHT - 10, "dBFS/bin", INK);
}

/// The meaning of colours.
fn legend(canvas: &mut Canvas) {
    let (mut left, top) = (LEFT, TOP + PLOT_HEIGHT + 16);
    for (name, color) in STANDINGS {
        canvas.frame(Rect { left, top, right: left + 13, bottom: top + 13 }, *color);
        canvas.text(left + 20, top, name, INK);
        left += 20 + text_width(name) + 24;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_inside() {
        let check = |low: f64, high: f64, count: f64, expect: &[&str]| {
            let step = step(high - low, count);
            let got: Vec<String> = marks(low, high, step).map(|mark| label(mark, step)).collect();
            assert_eq!(got, expect);
        };
        check(2440.0, 2460.0, 5.0, &["2440", "2445", "2450", "2455", "2460"]);
        check(-1.2, 1.2, 6.0, &["-1.0", "-0.5", "0.0", "0.5", "1.0"]);
        check(0.0, 0.0123, 4.0, &["0.000", "0.005", "0.010"]);
        check(0.0, 0.0, 4.0, &[]);
    }

    #[test]
    fn touching_frames_become_one() {
        let rect = |left, right| Rect { left, top: 0, right, bottom: 10 };
        let out = joined(vec![rect(0, 10), rect(40, 50), rect(12, 20), rect(22, 38)]);
        assert_eq!(out, [rect(0, 50)]);
        assert_eq!(joined(vec![rect(0, 10), rect(40, 50)]).len(), 2);
    }
}
