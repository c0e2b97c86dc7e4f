//! A picture in memory: dots, lines, frames and letters, clipped at its edges.

use super::font;
use super::palette::Rgb;

/// Dots of the picture for one dot of a letter.
const SCALE: i64 = 2;
/// Height of a line of text, dots.
pub const TEXT_HEIGHT: i64 = font::HEIGHT as i64 * SCALE;

/// Width of `text`, dots.
pub fn text_width(text: &str) -> i64 {
    text.chars().count() as i64 * font::ADVANCE as i64 * SCALE
}

/// A rectangle of dots; right and bottom belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Leftmost column.
    pub left: i64,
    /// Topmost row.
    pub top: i64,
    /// Rightmost column.
    pub right: i64,
    /// Lowest row.
    pub bottom: i64,
}

impl Rect {
    /// Whether they share a dot, or come nearer than `gap`.
    pub fn touches(&self, other: &Self, gap: i64) -> bool {
        self.left <= other.right + gap
            && other.left <= self.right + gap
            && self.top <= other.bottom + gap
            && other.top <= self.bottom + gap
    }

    /// The smallest that holds both.
    pub fn joined(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// The picture.
#[derive(Debug, Clone)]
pub struct Canvas {
    width: usize,
    height: usize,
    dots: Vec<u8>,
}

impl Canvas {
    /// A picture full of `color`.
    pub fn new(width: usize, height: usize, color: Rgb) -> Self {
        Self { width, height, dots: color.repeat(width * height) }
    }

    /// Columns and rows.
    pub fn size(&self) -> (u32, u32) {
        (self.width as u32, self.height as u32)
    }

    /// Red, green and blue, row by row.
    pub fn bytes(&self) -> &[u8] {
        &self.dots
    }

    /// Sets a dot, if it is inside.
    pub fn dot(&mut self, x: i64, y: i64, color: Rgb) {
        if let Some(at) = self.index(x, y) {
            self.dots[at..at + 3].copy_from_slice(&color);
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, rect: Rect, color: Rgb) {
        for y in rect.top.max(0)..=rect.bottom.min(self.height as i64 - 1) {
            for x in rect.left.max(0)..=rect.right.min(self.width as i64 - 1) {
                self.dot(x, y, color);
            }
        }
    }

    /// Draws the edge of a rectangle.
    pub fn frame(&mut self, rect: Rect, color: Rgb) {
        let Rect { left, top, right, bottom } = rect;
        for edge in [
            Rect { bottom: top, ..rect },
            Rect { top: bottom, ..rect },
            Rect { right: left, ..rect },
            Rect { left: right, ..rect },
        ] {
            self.fill(edge, color);
        }
    }

    /// Writes `text` with its upper left corner at (`x`, `y`).
    pub fn text(&mut self, x: i64, y: i64, text: &str, color: Rgb) {
        for (at, c) in text.chars().enumerate() {
            let left = x + (at * font::ADVANCE) as i64 * SCALE;
            for (row, bits) in font::glyph(c).into_iter().enumerate() {
                for column in (0..font::WIDTH).filter(|column| bits >> (font::WIDTH - 1 - column) & 1 == 1) {
                    let (px, py) = (left + column as i64 * SCALE, y + row as i64 * SCALE);
                    self.fill(
                        Rect { left: px, top: py, right: px + SCALE - 1, bottom: py + SCALE - 1 },
                        color,
                    );
                }
            }
        }
    }

    fn index(&self, x: i64, y: i64) -> Option<usize> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        (x < self.width && y < self.height).then(|| (y * self.width + x) * 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_outside() {
        let mut canvas = Canvas::new(20, 10, [0; 3]);
        canvas.frame(Rect { left: -5, top: -5, right: 500, bottom: 500 }, [1; 3]);
        assert!(canvas.bytes().iter().all(|b| *b == 0), "the edge lies outside");
        canvas.text(-100, -100, "far away", [1; 3]);
        canvas.dot(20, 0, [1; 3]);
        assert!(canvas.bytes().iter().all(|b| *b == 0));
        canvas.fill(Rect { left: 18, top: 8, right: 30, bottom: 30 }, [1; 3]);
        assert_eq!(canvas.bytes().iter().filter(|b| **b == 1).count(), 4 * 3);
    }
}
