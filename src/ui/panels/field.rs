//! The field in which a filter is typed, what is wrong with it, and the page about its language.

use crate::ui::{
    canvas::Canvas,
    entry::Entry,
    filter::{self, Field, List},
    foresight,
    frame::{boxed, note},
    panels::{language, reader::Prose},
    state::State,
    words,
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
    let width = area.width.saturating_sub(4);
    let error = place(field, width);
    let below = error.as_ref().map_or(0, |(x, why)| match why.as_slice() {
        [only] if fits_beside(only, *x, width) => 0,
        why => why.len() as u16,
    });
    let tall = (4 + below).min(area.height);
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
    draw_entry(&field.entry, theme.text, theme.selected, &mut canvas);
    match &error {
        Some((x, why)) => draw_error(state, *x, why, &mut canvas),
        None => draw_hint(state, field, &mut canvas),
    }
}

/// How many rows pass, where that is known without drawing them.
fn count(state: &State, field: &Field) -> String {
    let (shown, all) = match field.list {
        List::Processes => (matching(state), state.shown().snapshot.processes.known().map_or(0, |all| all.len())),
        List::Findings => (state.found().count(), state.shown().findings.len()),
        List::Queue => (state.queued().count(), state.queue.len()),
        List::Forecasts => (foresight::listed(state).len(), foresight::outlook(state).map_or(0, |outlook| outlook.keys().count())),
        List::Log | List::Audit | List::Help => return String::new(),
    };
    format!("{shown} of {all}")
}

/// Processes with a row that pass.
fn matching(state: &State) -> usize {
    state.processes.rows.all.iter().filter(|row| row.matches && row.id.process().is_some()).count()
}

/// Columns of a line that are scrolled out at the left, so that its cursor can be seen.
fn scrolled(entry: &Entry, width: u16) -> usize {
    (entry.column() + 1).saturating_sub(usize::from(width).max(1))
}

/// Draws a line with its cursor in the first row.
pub fn draw_entry(entry: &Entry, text: Style, cursor: Style, canvas: &mut Canvas<'_>) {
    let skip = scrolled(entry, canvas.width());
    let mut x = 0_usize;
    for c in entry.text().chars() {
        let wide = UnicodeWidthStr::width(c.encode_utf8(&mut [0; 4]) as &str);
        if x >= skip && wide > 0 {
            canvas.text(u16::try_from(x - skip).unwrap_or(u16::MAX), 0, c.encode_utf8(&mut [0; 4]), text);
        }
        x += wide;
    }
    canvas.tint(u16::try_from(entry.column() - skip.min(entry.column())).unwrap_or(u16::MAX), 0, 1, cursor);
}

/// A caret under the place, and why: beside it where there is room, else below.
fn draw_error(state: &State, x: u16, why: &[String], canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let x = x.min(canvas.width().saturating_sub(1));
    canvas.put(x, 1, '^', theme.critical);
    if let [only] = why
        && fits_beside(only, x, canvas.width())
    {
        canvas.text(x + 2, 1, only, theme.warning);
        return;
    }
    for (y, line) in (2..).zip(why) {
        canvas.text(0, y, line, theme.warning);
    }
}

fn fits_beside(why: &str, x: u16, width: u16) -> bool {
    why.width() + 2 + usize::from(x) <= usize::from(width)
}

/// The column of what is wrong, and why in lines of this width.
fn place(field: &Field, width: u16) -> Option<(u16, Vec<String>)> {
    let e = field.error.as_ref()?;
    let column = field.entry.text().get(..e.at.start).map_or(0, UnicodeWidthStr::width);
    let column = column.saturating_sub(scrolled(&field.entry, width));
    let x = u16::try_from(column).unwrap_or(u16::MAX).min(width.saturating_sub(1));
    let why = if fits_beside(&e.why, x, width) { vec![e.why.clone()] } else { words::wrap_most(&e.why, width.into(), 2) };
    Some((x, why))
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
