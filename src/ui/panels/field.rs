//! The field in which a filter is typed, what is wrong with it, and the page about its language.

use crate::ui::{
    canvas::Canvas,
    entry::Entry,
    filter::{self, Field, List},
    frame::{boxed, note},
    panels::{language, reader::Prose},
    state::State,
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Clear, Widget},
};
use unicode_width::UnicodeWidthStr;

/// Draws the field above the bar.
pub fn draw(state: &State, field: &Field, area: Rect, buf: &mut Buffer) {
    let theme = state.theme();
    let tall = 4.min(area.height);
    let low = area.height.saturating_sub(tall + 1);
    let at = Rect { y: area.y + low, height: tall, ..area };
    if field.language.is_some() && low >= 3 {
        draw_language(state, field, Rect { height: low, ..area }, buf);
    }
    Clear.render(at, buf);
    buf.set_style(at, theme.text);
    let title = Line::styled(format!(" filter {} ", field.list.schema().rows), theme.accent);
    let inner = boxed(state, true, title, note(count(state, field), theme.dim), at, buf);
    let mut canvas = Canvas::new(inner, buf);
    let skip = draw_entry(&field.entry, theme.text, theme.selected, &mut canvas);
    match &field.error {
        Some(e) => draw_error(state, (skip, field.entry.text()), (e.at.start, &e.why), &mut canvas),
        None => draw_hint(state, field, &mut canvas),
    }
}

/// How many rows pass, where that is known without drawing them.
fn count(state: &State, field: &Field) -> String {
    let (shown, all) = match field.list {
        List::Processes => (matching(state), state.shown().snapshot.processes.known().map_or(0, |all| all.len())),
        List::Findings => (state.found().count(), state.shown().findings.len()),
        List::Queue => (state.queued().count(), state.queue.len()),
        List::Log | List::Audit | List::Help => return String::new(),
    };
    format!("{shown} of {all}")
}

/// Processes with a row that pass.
fn matching(state: &State) -> usize {
    state.processes.rows.all.iter().filter(|row| row.matches && row.id.process().is_some()).count()
}

/// Draws a line with its cursor in the first row; returns the columns that are scrolled out at the left.
pub fn draw_entry(entry: &Entry, text: Style, cursor: Style, canvas: &mut Canvas<'_>) -> usize {
    let width = usize::from(canvas.width()).max(1);
    let skip = (entry.column() + 1).saturating_sub(width);
    let mut x = 0_usize;
    for c in entry.text().chars() {
        let wide = UnicodeWidthStr::width(c.encode_utf8(&mut [0; 4]) as &str);
        if x >= skip && wide > 0 {
            canvas.put(u16::try_from(x - skip).unwrap_or(u16::MAX), 0, c, text);
        }
        x += wide;
    }
    canvas.tint(u16::try_from(entry.column() - skip.min(entry.column())).unwrap_or(u16::MAX), 0, 1, cursor);
    skip
}

/// A caret under the place, and why beside it: at the right, or at the left where there is more room.
fn draw_error(state: &State, (skip, text): (usize, &str), (at, why): (usize, &str), canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let column = text.get(..at).map_or(0, UnicodeWidthStr::width).saturating_sub(skip);
    let x = u16::try_from(column).unwrap_or(u16::MAX).min(canvas.width().saturating_sub(1));
    let wide = u16::try_from(why.width()).unwrap_or(u16::MAX);
    let right = canvas.width().saturating_sub(x + 2);
    canvas.put(x, 1, '^', theme.critical);
    if wide <= right || right >= x {
        canvas.short(x + 2, 1, right, why, theme.warning);
    } else {
        let room = x.saturating_sub(1);
        canvas.short(room.saturating_sub(wide), 1, room, why, theme.warning);
    }
}

/// What the word may become, or what can be done.
fn draw_hint(state: &State, field: &Field, canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let (word, names) = field.names();
    let text = if word.is_empty() || names.is_empty() {
        "F1 what can be typed   Up used before   Enter keeps   Esc clears".to_string()
    } else {
        format!("Tab {}", names.join("  "))
    };
    let width = canvas.width();
    canvas.short(0, 1, width, &text, theme.dim);
}

fn draw_language(state: &State, field: &Field, area: Rect, buf: &mut Buffer) {
    let theme = state.theme();
    let wide = (language::columns(area.width) + 4).min(area.width);
    let at = Rect { width: wide, ..area };
    let mut prose = Prose { theme, width: language::columns(area.width).into(), lines: Vec::new() };
    language::write(field.list, &mut prose);
    let rows = usize::from(area.height.saturating_sub(2));
    let top = field.language.unwrap_or(0).min(prose.lines.len().saturating_sub(rows));
    let below = prose.lines.len().saturating_sub(top + rows);
    let more = if below > 0 { note(format!("{below} more lines ▼ PgDn"), theme.dim) } else { Line::default() };
    Clear.render(at, buf);
    buf.set_style(at, theme.text);
    let inner = boxed(state, true, Line::styled(" what can be typed ", theme.accent), more, at, buf);
    let mut canvas = Canvas::new(inner, buf);
    for (y, line) in (0..canvas.height()).zip(prose.lines.iter().skip(top)) {
        canvas.line(0, y, line);
    }
}

/// The filter in force, for the title of a list; nothing while there is none.
pub fn in_title(state: &State, list: List) -> Option<Span<'static>> {
    let sieve = filter::of(state, list);
    (!sieve.is_empty()).then(|| Span::styled(format!(" filter: {} ", sieve.text()), state.theme().warning))
}
