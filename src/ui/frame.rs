//! The frame of a pane, what stands in one that has nothing to show yet, and the grid of small numbers that panes share.

use crate::{
    model::snapshot::{Gap, Reading},
    ui::{
        ahead,
        canvas::Canvas,
        pane::{Page, Pane},
        panels::findings,
        state::State,
        words,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::{Alignment, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Widget},
};

/// Draws the frame of a pane with its number, its title and a note at the right; returns what is inside.
/// Numbers of it that are odd now are counted there.
pub fn frame(state: &State, pane: Pane, mut note: Line<'_>, area: Rect, buf: &mut Buffer) -> Rect {
    let focused = state.focus == pane && state.page == Page::Overview;
    let theme = state.theme();
    let title = if focused { theme.accent } else { theme.title };
    let number = if focused { theme.accent } else { theme.dim };
    let left =
        Line::from(vec![Span::styled(format!(" {} ", pane.number()), number), Span::styled(format!("{} ", pane.title()), title)]);
    if let Some((count, worst)) = ahead::odd(state, pane) {
        let room = usize::from(area.width.saturating_sub(2)).saturating_sub(left.width() + note.width());
        let whole = format!(" {} {count} odd ", worst.sign());
        // Where there is no room for the word the sign says it.
        let text = if whole.len() <= room { whole } else { format!(" {}{count} ", worst.sign()) };
        note.spans.insert(0, Span::styled(text, findings::style(theme, worst)));
    }
    boxed(state, focused, left, note, area, buf)
}

/// Draws a frame with any title; returns what is inside.
pub fn boxed(state: &State, focused: bool, title: Line<'_>, note: Line<'_>, area: Rect, buf: &mut Buffer) -> Rect {
    let theme = state.theme();
    let border = if focused { theme.accent } else { theme.border };
    let mut block = Block::bordered().border_type(BorderType::Rounded).border_style(border).title(title);
    if note.width() > 0 {
        block = block.title(note.alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    block.render(area, buf);
    // A column of air on each side.
    Rect { x: inner.x.saturating_add(1), width: inner.width.saturating_sub(2), ..inner }.intersection(inner)
}

/// A note for the right end of a frame's title.
pub fn note(text: impl Into<String>, style: Style) -> Line<'static> {
    Line::styled(format!(" {} ", text.into()), style)
}

/// The value of a reading, or, written into the canvas from row `y` on, why there is none.
pub fn known<'a, T>(state: &State, reading: &'a Reading<T>, y: u16, canvas: &mut Canvas<'_>) -> Option<&'a T> {
    let theme = state.theme();
    match reading {
        Reading::Known(value) => Some(value),
        Reading::Initializing => {
            canvas.text(0, y, "initializing", theme.dim);
            None
        }
        Reading::Gap(gap) => {
            for (row, line) in (y..).zip(reason(state, gap, canvas.width())) {
                canvas.text(0, row, &line, theme.notice);
            }
            None
        }
    }
}

/// Rows, two at most, that [`known`] needs to tell the reason of a gap beside values that are known.
pub fn reason_rows<T>(state: &State, reading: &Reading<T>, width: u16) -> u16 {
    match reading {
        Reading::Gap(gap) => reason(state, gap, width).len().min(2) as u16,
        _ => 0,
    }
}

fn reason(state: &State, gap: &Gap, width: u16) -> Vec<String> {
    let age = words::since(state.shown().now.wall, gap.since);
    words::wrap(&format!("no data for {age}: {}", gap.why), width.into())
}

/// A label with its value, for [`grid`].
pub type Cell = (&'static str, String, Style);

/// Labels and right-aligned values in `columns` columns from row `y` on; returns the row after it.
pub fn grid(state: &State, cells: &[Cell], columns: u16, y: u16, canvas: &mut Canvas<'_>) -> u16 {
    let columns = columns.max(1);
    let gap = 2;
    // A value far from its label is read with a finger on the screen.
    let wide = ((canvas.width() + gap) / columns).min(26);
    for (i, (label, value, style)) in (0u16..).zip(cells) {
        let (x, row) = ((i % columns) * wide, y + i / columns);
        let room = wide.saturating_sub(gap + 1).saturating_sub(value.len() as u16);
        canvas.clip(x, row, room, label, state.theme().dim);
        canvas.right((x + wide).saturating_sub(gap).min(canvas.width()), row, value, *style);
    }
    y + u16::try_from(cells.len()).unwrap_or(0).div_ceil(columns)
}
