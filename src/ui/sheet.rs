//! A table of numbers: names at the left, numbers aligned right, the columns that do not fit left out from the last one on.

use crate::ui::{canvas::Canvas, words::is_quiet};
use ratatui::style::Style;

/// Head and width of a column.
pub type Column = (&'static str, u16);

/// A name and the cells beside it, each under its column.
pub struct Row {
    /// Its name.
    pub name: String,
    /// Text and style of each column.
    pub cells: Vec<(String, Style)>,
}

/// A table.
pub struct Sheet<'a> {
    /// Head of the names, and the least room for them.
    pub name: Column,
    /// The columns, the most important first.
    pub columns: &'a [Column],
    /// Rows, from the top.
    pub rows: &'a [Row],
    /// Of heads and of what says that nothing happens.
    pub quiet: Style,
    /// Of names.
    pub style: Style,
}

impl Sheet<'_> {
    /// Draws heads and as many rows as there is room for; returns the row after them. The last row says how many more there are.
    pub fn draw(&self, canvas: &mut Canvas<'_>) -> u16 {
        let (width, height) = (canvas.width(), canvas.height());
        let (head, least) = self.name;
        let mut wide = least;
        let fitting = self.columns.iter().take_while(|(_, each)| {
            wide += each;
            wide <= width
        });
        let fitting = fitting.count();
        let taken: u16 = self.columns.iter().take(fitting).map(|(_, each)| each).sum();
        // Names take what is left, but numbers far from their names are read with a finger on the screen.
        let room = width.saturating_sub(taken).min(least * 2);
        canvas.clip(0, 0, room, head, self.quiet);
        let mut end = room;
        for (head, each) in self.columns.iter().take(fitting) {
            end += each;
            canvas.right(end, 0, head, self.quiet);
        }
        let most = usize::from(height.saturating_sub(1));
        let shown = if self.rows.len() > most { most.saturating_sub(1) } else { self.rows.len() };
        for (y, row) in (1..height).zip(self.rows.iter().take(shown)) {
            canvas.short(0, y, room.saturating_sub(1), &row.name, self.style);
            let mut end = room;
            for ((text, style), (_, each)) in row.cells.iter().zip(self.columns).take(fitting) {
                end += each;
                canvas.right(end, y, text, if is_quiet(text) { self.quiet } else { *style });
            }
        }
        let after = 1 + shown as u16;
        if shown < self.rows.len() && after < height {
            canvas.text(0, after, &format!("and {} more", self.rows.len() - shown), self.quiet);
            return after + 1;
        }
        after
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ratatui::{buffer::Buffer, layout::Rect};

    #[test]
    fn columns_and_rows_that_do_not_fit_are_left_out() {
        let row = |name: &str| Row { name: name.into(), cells: vec![("1/s".into(), Style::new()), ("2".into(), Style::new())] };
        let rows = [row("sda"), row("a-long-name"), row("c")];
        let sheet = Sheet {
            name: ("disk", 5),
            columns: &[("read", 5), ("queue", 6)],
            rows: &rows,
            quiet: Style::new(),
            style: Style::new(),
        };
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 3));
        assert_eq!(sheet.draw(&mut Canvas::new(buf.area, &mut buf)), 3);
        assert_eq!(buf, Buffer::with_lines(["disk    read", "sda      1/s", "and 2 more  "]));
        let mut buf = Buffer::empty(Rect::new(0, 0, 16, 4));
        sheet.draw(&mut Canvas::new(buf.area, &mut buf));
        assert_eq!(buf, Buffer::with_lines(["disk  read queue", "sda    1/s     2", "a-l…   1/s     2", "c      1/s     2"]));
    }
}
