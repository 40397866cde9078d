//! From cells to the fewest bytes (ECMA-48): a slow line to a far host is what this screen is for.
//!
//! Only what differs is said: a step to the right instead of a whole address, the one colour that changed instead of both, and the
//! short names of the sixteen colours.

use ratatui::{
    buffer::Cell,
    style::{Color, Modifier},
};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

/// What the terminal is known to stand at while a frame is written.
#[derive(Debug, Default)]
struct Pen {
    /// Where the next symbol would come; `None` when that cannot be told.
    at: Option<(u16, u16)>,
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

/// Appends what draws these cells. It begins and ends without colour or emphasis.
pub fn paint<'a>(cells: impl Iterator<Item = (u16, u16, &'a Cell)>, out: &mut Vec<u8>) -> io::Result<()> {
    let mut pen = Pen::default();
    for (x, y, cell) in cells {
        pen.go(x, y, out)?;
        pen.dress(cell, out)?;
        out.write_all(cell.symbol().as_bytes())?;
        // Terminals differ in what they take for wide: after such a symbol the place is said anew.
        pen.at = (cell.symbol().width() == 1).then_some((x + 1, y));
    }
    if (pen.fg, pen.bg, pen.modifier) != (Color::Reset, Color::Reset, Modifier::empty()) {
        out.write_all(b"\x1b[m")?;
    }
    Ok(())
}

impl Pen {
    fn go(&self, x: u16, y: u16, out: &mut Vec<u8>) -> io::Result<()> {
        match self.at {
            Some((column, row)) if row == y && column == x => Ok(()),
            Some((column, row)) if row == y && column + 1 == x => out.write_all(b"\x1b[C"),
            Some((column, row)) if row == y && column < x => write!(out, "\x1b[{}C", x - column),
            _ => write!(out, "\x1b[{};{}H", y + 1, x + 1),
        }
    }

    fn dress(&mut self, cell: &Cell, out: &mut Vec<u8>) -> io::Result<()> {
        if (self.fg, self.bg, self.modifier) == (cell.fg, cell.bg, cell.modifier) {
            return Ok(());
        }
        let mut mark = "\x1b[";
        if self.modifier != cell.modifier {
            // What is emphasized cannot be taken back one by one on every terminal.
            write!(out, "{mark}0")?;
            mark = ";";
            for (_, code) in MODIFIERS.iter().filter(|(modifier, _)| cell.modifier.contains(*modifier)) {
                write!(out, ";{code}")?;
            }
            (self.fg, self.bg) = (Color::Reset, Color::Reset);
        }
        for (was, is, ground) in [(self.fg, cell.fg, 30), (self.bg, cell.bg, 40)] {
            if was != is {
                out.write_all(mark.as_bytes())?;
                colour(is, ground, out)?;
                mark = ";";
            }
        }
        (self.fg, self.bg, self.modifier) = (cell.fg, cell.bg, cell.modifier);
        out.write_all(b"m")
    }
}

const MODIFIERS: [(Modifier, u8); 8] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// A colour of the fore (`ground` 30) or the back (40).
fn colour(colour: Color, ground: u8, out: &mut Vec<u8>) -> io::Result<()> {
    let code = match colour {
        Color::Reset => 9,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
        Color::Indexed(n) => return write!(out, "{};5;{n}", ground + 8),
        Color::Rgb(r, g, b) => return write!(out, "{};2;{r};{g};{b}", ground + 8),
    };
    write!(out, "{}", ground + code)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ratatui::{buffer::Buffer, layout::Rect, style::Style};

    fn painted(draw: impl Fn(&mut Buffer)) -> String {
        let area = Rect::new(0, 0, 20, 3);
        let (before, mut after) = (Buffer::empty(area), Buffer::empty(area));
        draw(&mut after);
        let mut out = Vec::new();
        paint(before.diff_iter(&after), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_differs_is_said() {
        let grey = Style::new().fg(Color::DarkGray);
        let text = painted(|buf| {
            buf.set_string(0, 0, "ab c   d", grey);
            buf.set_string(3, 1, "e", grey.bg(Color::Blue));
            buf.set_string(4, 1, "f", Style::new().bold());
            buf.set_string(5, 1, "g", Style::new().bold().fg(Color::Rgb(1, 2, 3)));
        });
        // The blanks are cells like others here, for they have a colour.
        assert_eq!(text, "\x1b[1;1H\x1b[90mab c   d\x1b[2;4H\x1b[44me\x1b[0;1mf\x1b[38;2;1;2;3mg\x1b[m");
        assert_eq!(painted(|_| ()), "");
    }

    #[test]
    fn a_gap_is_a_step_and_after_a_wide_symbol_the_place_is_said() {
        let text = painted(|buf| {
            for (x, symbol) in [(0, "a"), (2, "b"), (9, "漢"), (11, "c")] {
                buf.set_string(x, 1, symbol, Style::new());
            }
        });
        assert_eq!(text, "\x1b[2;1Ha\x1b[Cb\x1b[6C漢\x1b[2;12Hc");
    }
}
