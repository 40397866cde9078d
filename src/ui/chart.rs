//! Area charts in one colour per column: braille (two by four dots a cell), or four levels of ASCII.

use crate::ui::canvas::Canvas;
use ratatui::style::Style;

/// Dots of a braille cell (Unicode 2800), from the bottom up, left and right.
const LEFT: [u32; 4] = [0x40, 0x04, 0x02, 0x01];
const RIGHT: [u32; 4] = [0x80, 0x20, 0x10, 0x08];

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Two by four dots a cell.
    Braille,
    /// `.`, `:`, `#`.
    Ascii,
}

/// Which way the values grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grow {
    /// From the bottom.
    Up,
    /// From the top: the lower of a pair.
    Down,
}

/// A chart.
pub struct Chart<'a> {
    /// Values, the newest last, two for each column of cells (see [`Chart::dots`]).
    pub dots: &'a [Option<f64>],
    /// The value at full height.
    pub full: f64,
    /// How.
    pub ink: Ink,
    /// Which way.
    pub grow: Grow,
    /// The style of a column by its greatest value.
    pub style: &'a dyn Fn(f64) -> Style,
}

impl Chart<'_> {
    /// How many values fill `width` columns.
    pub fn dots(width: u16) -> usize {
        usize::from(width) * 2
    }

    /// Draws the newest values at the right edge.
    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let (width, height) = (canvas.width(), canvas.height());
        for (back, pair) in self.dots.rchunks(2).take(width.into()).enumerate() {
            let Some(x) = u16::try_from(back).ok().and_then(|back| (width - 1).checked_sub(back)) else { break };
            let (left, right) = match pair {
                [left, right] => (*left, *right),
                [only] => (None, *only),
                _ => (None, None),
            };
            let Some(peak) = left.into_iter().chain(right).reduce(f64::max) else { continue };
            let style = (self.style)(peak);
            for row in 0..height {
                let symbol = match self.ink {
                    Ink::Braille => self.braille(left, right, row, height),
                    Ink::Ascii => self.ascii(peak, row, height),
                };
                if symbol != ' ' {
                    let y = if self.grow == Grow::Up { height - 1 - row } else { row };
                    canvas.put(x, y, symbol, style);
                }
            }
        }
    }

    /// Marks the columns that are cut off at full height; true when there is one.
    pub fn mark_clipped(&self, canvas: &mut Canvas<'_>, style: Style) -> bool {
        let width = canvas.width();
        let mut any = false;
        for (back, pair) in (1..=width).zip(self.dots.rchunks(2)) {
            if pair.iter().flatten().any(|value| *value > self.full) {
                let y = if self.grow == Grow::Up { 0 } else { canvas.height().saturating_sub(1) };
                canvas.put(width - back, y, if self.ink == Ink::Braille { '▲' } else { '^' }, style);
                any = true;
            }
        }
        any
    }

    /// Dots of a value in `steps` per row over all rows. A known value shows at least one, so that zero is not a hole.
    fn tall(&self, value: Option<f64>, steps: u16, height: u16) -> u16 {
        let most = height.saturating_mul(steps);
        match value {
            Some(value) if self.full > 0.0 => {
                ((value / self.full) * f64::from(most)).round().clamp(1.0, f64::from(most).max(1.0)) as u16
            }
            Some(_) => 1,
            None => 0,
        }
    }

    fn braille(&self, left: Option<f64>, right: Option<f64>, row: u16, height: u16) -> char {
        let mut bits = 0;
        for (value, column) in [(left, LEFT), (right, RIGHT)] {
            let filled = self.tall(value, 4, height).saturating_sub(row * 4).min(4);
            let dots = column.iter();
            let bit = |all: u32, dot: &u32| all | dot;
            bits |= match self.grow {
                Grow::Up => dots.take(filled.into()).fold(0, bit),
                Grow::Down => dots.rev().take(filled.into()).fold(0, bit),
            };
        }
        if bits == 0 { ' ' } else { char::from_u32(0x2800 + bits).unwrap_or(' ') }
    }

    fn ascii(&self, peak: f64, row: u16, height: u16) -> char {
        match self.tall(Some(peak), 3, height).saturating_sub(row * 3) {
            0 => ' ',
            1 => '.',
            2 => ':',
            _ => '#',
        }
    }
}

/// A round full height for a scale that follows its values: 1, 2 or 5 times a power of ten, at least `least`.
pub fn scale(dots: &[Option<f64>], least: f64) -> f64 {
    round_up(dots.iter().flatten().copied().fold(least, f64::max))
}

/// As [`scale`], for values of which a few tower above the rest: full height is what 98 of 100 stay below.
pub fn scale_of_most(dots: &[Option<f64>], least: f64) -> f64 {
    let mut values: Vec<f64> = dots.iter().flatten().copied().collect();
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() * 98).div_ceil(100).saturating_sub(1);
    round_up(values.get(rank).copied().unwrap_or(least).max(least))
}

fn round_up(most: f64) -> f64 {
    let power = 10f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|full| *full >= most).unwrap_or(most)
}

/// One symbol for a share: eighths of a block, or digits of tenths.
pub fn level(share: f64, ink: Ink) -> char {
    let (steps, symbols): (f64, &[char]) = match ink {
        Ink::Braille => (8.0, &['▁', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']),
        Ink::Ascii => (9.0, &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']),
    };
    let at = (share.clamp(0.0, 1.0) * steps).round() as usize;
    symbols.get(at).copied().unwrap_or(' ')
}

/// A bar of `width` cells filled to `share`.
pub fn bar(share: f64, width: usize, ink: Ink) -> String {
    let (full, rest) = if ink == Ink::Braille { ('━', '╌') } else { ('=', '.') };
    let filled = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
    (0..width).map(|i| if i < filled { full } else { rest }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::{buffer::Buffer, layout::Rect};

    fn drawn(dots: &[Option<f64>], ink: Ink, grow: Grow) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 2, 2));
        let chart = Chart { dots, full: 8.0, ink, grow, style: &|_| Style::new() };
        chart.draw(&mut Canvas::new(buf.area, &mut buf));
        buf
    }

    #[test]
    fn dots_stand_as_high_as_their_values() {
        let dots = [Some(0.0), Some(8.0), None, Some(5.0)];
        assert_eq!(drawn(&dots, Ink::Braille, Grow::Up), Buffer::with_lines(["⢸⢀", "⣸⢸"]));
        assert_eq!(drawn(&dots, Ink::Braille, Grow::Down), Buffer::with_lines(["⢹⢸", "⢸⠈"]));
        assert_eq!(drawn(&dots, Ink::Ascii, Grow::Up), Buffer::with_lines(["#.", "##"]));
    }

    #[test]
    fn what_is_cut_off_at_full_height_is_marked() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 2, 2));
        let chart = Chart {
            dots: &[Some(8.0), Some(8.0), Some(9.0), None],
            full: 8.0,
            ink: Ink::Ascii,
            grow: Grow::Up,
            style: &|_| Style::new(),
        };
        let mut canvas = Canvas::new(buf.area, &mut buf);
        chart.draw(&mut canvas);
        assert!(chart.mark_clipped(&mut canvas, Style::new()));
        assert_eq!(buf, Buffer::with_lines(["#^", "##"]));
    }

    #[test]
    fn no_value_is_a_hole() {
        assert_eq!(drawn(&[None, None, None, Some(1.0)], Ink::Braille, Grow::Up), Buffer::with_lines(["  ", " ⢀"]));
    }

    #[test]
    fn scales_are_round_and_cover_their_values() {
        assert_eq!(scale(&[Some(3.0), None, Some(140.0)], 1.0), 200.0);
        assert_eq!(scale(&[Some(0.001)], 1.0), 1.0);
        let mut spiky = vec![Some(4.0); 99];
        spiky.push(Some(900.0));
        assert_eq!((scale(&spiky, 1.0), scale_of_most(&spiky, 1.0)), (1000.0, 5.0));
        assert_eq!((scale_of_most(&[Some(900.0)], 1.0), scale_of_most(&[], 1.0)), (1000.0, 1.0));
        assert_eq!(level(1.0, Ink::Ascii), '9');
        assert_eq!(bar(0.5, 4, Ink::Ascii), "==..");
    }
}
