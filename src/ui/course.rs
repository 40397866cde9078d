//! Lines with the ranges around them: what is coming in a chart. A measured value is an area down to the floor ([`chart`](crate::ui::chart)),
//! one that is only expected a thin line, so that nobody takes one for the other without colour either.

use crate::ui::{
    canvas::Canvas,
    chart::{Grow, Ink},
};
use ratatui::style::Style;

/// Bits of a braille cell (Unicode 2800) by column and row from the top.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// How densely a range is filled with dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// Every second dot.
    Fine,
    /// Every eighth.
    Coarse,
}

impl Grain {
    fn has(self, x: u16, y: u16) -> bool {
        match self {
            Grain::Fine => (x + y).is_multiple_of(2),
            Grain::Coarse => x.is_multiple_of(2) && (y + x).is_multiple_of(4),
        }
    }
}

/// A range around a line, two values for each column of cells.
pub struct Shade<'a> {
    /// Low and high.
    pub ranges: &'a [Option<(f64, f64)>],
    /// How dense.
    pub grain: Grain,
}

/// A line with ranges around it.
pub struct Course<'a> {
    /// Two values for each column of cells, from the left.
    pub points: &'a [Option<f64>],
    /// Ranges; later ones are drawn over earlier ones.
    pub shades: &'a [Shade<'a>],
    /// The values at the floor and at full height.
    pub scale: (f64, f64),
    /// How.
    pub ink: Ink,
    /// Which way.
    pub grow: Grow,
    /// Of the line and of the ranges.
    pub styles: (Style, Style),
}

impl Course<'_> {
    /// Draws ranges, then the line.
    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let mut cells = Cells::new(canvas.width(), canvas.height());
        for shade in self.shades {
            self.shade(shade, &mut cells);
        }
        let fine = |bits: u32| if self.ink == Ink::Braille { char::from_u32(0x2800 + bits) } else { None };
        for (x, y, bits) in cells.all() {
            let symbol = fine(bits).unwrap_or(if bits.count_ones() > 1 { ':' } else { '.' });
            canvas.put(x, y, symbol, self.styles.1);
        }
        let mut cells = Cells::new(canvas.width(), canvas.height());
        self.line(&mut cells);
        for (x, y, bits) in cells.all() {
            canvas.put(x, y, fine(bits).unwrap_or('*'), self.styles.0);
        }
    }

    /// The dot row of a value from the top, if it lies within the scale; `clamped` values beyond it lie at its edge.
    fn row(&self, value: f64, rows: u16) -> u16 {
        let (floor, full) = self.scale;
        let last = rows.saturating_sub(1);
        let share = if full > floor { ((value - floor) / (full - floor)).clamp(0.0, 1.0) } else { 0.0 };
        let up = (share * f64::from(last)).round() as u16;
        if self.grow == Grow::Up { last - up.min(last) } else { up.min(last) }
    }

    fn shade(&self, shade: &Shade<'_>, cells: &mut Cells) {
        let rows = cells.rows();
        for (x, range) in (0..cells.columns()).zip(shade.ranges) {
            let Some((low, high)) = range.filter(|(low, high)| low.is_finite() && high.is_finite()) else { continue };
            let (a, b) = (self.row(low, rows), self.row(high, rows));
            (a.min(b)..=a.max(b)).filter(|y| shade.grain.has(x, *y)).for_each(|y| cells.set(x, y));
        }
    }

    /// Steps between two values are drawn through, so that the line has no holes.
    fn line(&self, cells: &mut Cells) {
        let rows = cells.rows();
        let mut last: Option<u16> = None;
        for (x, point) in (0..cells.columns()).zip(self.points) {
            let Some(value) = point.filter(|value| value.is_finite()) else {
                last = None;
                continue;
            };
            let y = self.row(value, rows);
            let from = match last {
                Some(before) if before + 1 < y => before + 1,
                Some(before) if before > y + 1 => before - 1,
                _ => y,
            };
            (from.min(y)..=from.max(y)).for_each(|y| cells.set(x, y));
            last = Some(y);
        }
    }
}

/// Dots in cells of two by four.
struct Cells {
    width: u16,
    height: u16,
    bits: Vec<u32>,
}

impl Cells {
    fn new(width: u16, height: u16) -> Cells {
        Cells { width, height, bits: vec![0; usize::from(width) * usize::from(height)] }
    }

    fn columns(&self) -> u16 {
        self.width.saturating_mul(2)
    }

    fn rows(&self) -> u16 {
        self.height.saturating_mul(4)
    }

    fn set(&mut self, x: u16, y: u16) {
        let at = usize::from(y / 4) * usize::from(self.width) + usize::from(x / 2);
        let bit = DOTS.get(usize::from(x % 2)).and_then(|rows| rows.get(usize::from(y % 4)));
        if let (Some(cell), Some(bit)) = (self.bits.get_mut(at), bit) {
            *cell |= bit;
        }
    }

    /// Cells with any dot.
    fn all(&self) -> impl Iterator<Item = (u16, u16, u32)> + '_ {
        let width = usize::from(self.width.max(1));
        let cells = self.bits.iter().enumerate().filter(|(_, bits)| **bits != 0);
        cells.map(move |(at, bits)| ((at % width) as u16, (at / width) as u16, *bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::{buffer::Buffer, layout::Rect};

    fn drawn(points: &[Option<f64>], ranges: &[Option<(f64, f64)>], ink: Ink, grow: Grow) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 2, 2));
        let shades = [Shade { ranges, grain: Grain::Fine }];
        let styles = (Style::new(), Style::new());
        Course { points, shades: &shades, scale: (0.0, 7.0), ink, grow, styles }.draw(&mut Canvas::new(buf.area, &mut buf));
        buf
    }

    #[test]
    fn a_line_has_no_holes_and_stands_as_high_as_its_values() {
        let points = [Some(0.0), Some(7.0), Some(3.0), None];
        assert_eq!(drawn(&points, &[], Ink::Braille, Grow::Up), Buffer::with_lines(["⢸⡆", "⡸⠁"]));
        assert_eq!(drawn(&[Some(0.0); 4], &[], Ink::Braille, Grow::Down), Buffer::with_lines(["⠉⠉", "  "]));
        assert_eq!(drawn(&[Some(7.0), Some(7.0), Some(0.0), None], &[], Ink::Ascii, Grow::Up), Buffer::with_lines(["**", " *"]));
        assert_eq!(drawn(&[Some(f64::NAN), Some(f64::INFINITY)], &[], Ink::Ascii, Grow::Up), Buffer::with_lines(["  ", "  "]));
    }

    #[test]
    fn ranges_are_sparse_and_stay_within_the_chart() {
        let range = [Some((-5.0, 99.0)); 2];
        assert_eq!(drawn(&[], &range, Ink::Braille, Grow::Up), Buffer::with_lines(["⢕ ", "⢕ "]));
        assert_eq!(drawn(&[], &range, Ink::Ascii, Grow::Up), Buffer::with_lines([": ", ": "]));
        assert_eq!(drawn(&[], &[Some((f64::NAN, 1.0)); 4], Ink::Braille, Grow::Up), Buffer::with_lines(["  ", "  "]));
    }
}
