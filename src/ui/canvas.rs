//! A rectangle to write into with its own coordinates. Whatever falls outside is cut off, so that no panel needs to count.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};
use unicode_width::UnicodeWidthStr;

/// A part of the screen.
#[derive(Debug)]
pub struct Canvas<'a> {
    area: Rect,
    buf: &'a mut Buffer,
}

impl<'a> Canvas<'a> {
    /// The part `area` of `buf`.
    pub fn new(area: Rect, buf: &'a mut Buffer) -> Canvas<'a> {
        Canvas { area: area.intersection(buf.area), buf }
    }

    /// Columns.
    pub fn width(&self) -> u16 {
        self.area.width
    }

    /// Rows.
    pub fn height(&self) -> u16 {
        self.area.height
    }

    /// A row of it, as a part of the screen.
    pub fn row(&self, y: u16) -> Rect {
        Rect { y: self.area.y.saturating_add(y), height: 1, ..self.area }.intersection(self.area)
    }

    /// Writes text from column `x` on; returns the column after it.
    pub fn text(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        self.clip(x, y, self.area.width.saturating_sub(x), text, style)
    }

    /// Writes at most `width` columns; returns the column after what was written.
    pub fn clip(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return x;
        }
        let width = width.min(self.area.width - x);
        let (end, _) = self.buf.set_stringn(self.area.x + x, self.area.y + y, text, width.into(), style);
        end - self.area.x
    }

    /// Writes as [`Canvas::clip`], with an ellipsis where something is cut off.
    pub fn short(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let end = self.clip(x, y, width, text, style);
        if width > 0 && text.width() > usize::from(width) {
            self.clip(x + width - 1, y, 1, "…", style);
            return x + width;
        }
        end
    }

    /// Writes text that ends before column `end`; cut off at the left edge if there is no room.
    pub fn right(&mut self, end: u16, y: u16, text: &str, style: Style) {
        let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
        self.text(end.saturating_sub(width), y, text, style);
    }

    /// Writes styled text; returns the column after it.
    pub fn line(&mut self, x: u16, y: u16, line: &Line<'_>) -> u16 {
        let mut at = x;
        for span in line {
            at = self.text(at, y, &span.content, line.style.patch(span.style));
        }
        at
    }

    /// Puts one symbol.
    pub fn put(&mut self, x: u16, y: u16, symbol: char, style: Style) {
        if x < self.area.width
            && y < self.area.height
            && let Some(cell) = self.buf.cell_mut((self.area.x + x, self.area.y + y))
        {
            cell.set_char(symbol).set_style(style);
        }
    }

    /// Styles a stretch of a row without touching its text.
    pub fn tint(&mut self, x: u16, y: u16, width: u16, style: Style) {
        let stretch = Rect { x: self.area.x.saturating_add(x), y: self.area.y.saturating_add(y), width, height: 1 };
        self.buf.set_style(stretch.intersection(self.area), style);
    }

    /// What is written into.
    pub fn buffer(&mut self) -> &mut Buffer {
        self.buf
    }

    /// A part of this one.
    pub fn part(&mut self, x: u16, y: u16, width: u16, height: u16) -> Canvas<'_> {
        let area = Rect { x: self.area.x.saturating_add(x), y: self.area.y.saturating_add(y), width, height };
        Canvas { area: area.intersection(self.area), buf: self.buf }
    }
}

/// Turns every symbol that is not ASCII into one that is: boxes and arrows into their likes, all else into `?`.
pub fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let like = match cell.symbol() {
                "│" | "┃" | "┆" => "|",
                "─" | "━" => "-",
                "╭" | "╮" | "╰" | "╯" | "├" | "┤" => "+",
                "▸" | "→" => ">",
                "…" | "·" => ".",
                "▲" => "^",
                "▼" | "▾" => "v",
                "°" => " ",
                _ => "?",
            };
            cell.set_symbol(like);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_outside() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 3));
        let mut canvas = Canvas::new(Rect::new(2, 1, 3, 1), &mut buf);
        canvas.text(0, 0, "abcdef", Style::new());
        canvas.text(0, 1, "below", Style::new());
        canvas.text(9, 0, "beside", Style::new());
        canvas.put(5, 5, 'x', Style::new());
        canvas.right(2, 0, "12345", Style::new());
        assert_eq!(buf, Buffer::with_lines(["      ", "  123 ", "      "]));
    }

    #[test]
    fn what_is_cut_off_shows_it() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 5, 1));
        assert_eq!(Canvas::new(buf.area, &mut buf).short(0, 0, 4, "abcdef", Style::new()), 4);
        assert_eq!(buf, Buffer::with_lines(["abc… "]));
        to_ascii(&mut buf);
        assert_eq!(buf, Buffer::with_lines(["abc. "]));
    }
}
