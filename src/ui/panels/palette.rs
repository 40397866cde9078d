//! The palette: a line, and the actions that fit it.

use crate::ui::{
    canvas::Canvas,
    frame::{boxed, note},
    palette::{Item, Palette, items},
    panels::field::draw_entry,
    spots::{Spot, Spots},
    state::State,
};
use ratatui::{
    buffer::Buffer,
    layout::{Flex, Layout, Rect},
    text::Line,
    widgets::{Clear, Widget},
};
use unicode_width::UnicodeWidthStr;

/// Draws it near the top of the screen.
pub fn draw(state: &State, palette: &Palette, area: Rect, (buf, spots): &mut (&mut Buffer, &mut Spots)) {
    let theme = state.theme();
    let all = items(state, palette.entry.text());
    let wide = area.width.saturating_sub(4).clamp(20, 100).min(area.width);
    let tall = (all.len().max(1) as u16 + 3).min(area.height.saturating_sub(2).min(24)).max(4.min(area.height));
    let [row] = Layout::vertical([tall]).flex(if area.height > tall + 8 { Flex::Center } else { Flex::Start }).areas(area);
    let [at] = Layout::horizontal([wide]).flex(Flex::Center).areas(row);
    spots.add(at, Spot::Over);
    Clear.render(at, buf);
    buf.set_style(at, theme.text);
    let count = note(format!("{} fit", all.len()), theme.dim);
    let inner = boxed(state, true, Line::styled(" commands ", theme.accent), count, at, buf);
    let mut canvas = Canvas::new(inner, buf);
    let (width, height) = (canvas.width(), canvas.height());
    canvas.text(0, 0, ":", theme.accent);
    draw_entry(&palette.entry, theme.text, theme.selected, &mut canvas.part(2, 0, width.saturating_sub(2), 1));
    let rows = usize::from(height.saturating_sub(1));
    let skip = (palette.row + 1).saturating_sub(rows);
    for (y, (i, item)) in (1..height).zip(all.iter().enumerate().skip(skip)) {
        line(state, item, &mut canvas.part(0, y, width, 1));
        spots.add(canvas.row(y), Spot::Choice(i));
        if i == palette.row {
            canvas.tint(0, y, width, theme.selected);
        }
    }
    if all.is_empty() {
        canvas.text(0, 1, "nothing fits; ? lists every key", theme.dim);
    }
}

/// Name, what it does or why not, keys.
fn line(state: &State, item: &Item, canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let width = canvas.width();
    let name = if item.obstacle.is_some() { theme.dim } else { theme.title };
    let keys = item.keys.width() as u16;
    let names = if width < 56 { width.saturating_sub(keys + 1) } else { 22 };
    canvas.short(0, 0, names.max(item.name.width().min(usize::from(width / 2)) as u16), &item.name, name);
    let from = names.max(item.name.width() as u16) + 1;
    let room = width.saturating_sub(from + keys + 1);
    if width >= 56 {
        match &item.obstacle {
            Some(why) => canvas.short(from, 0, room, &format!("not now: {why}"), theme.dim),
            None => canvas.short(from, 0, room, &item.help, theme.text),
        };
    }
    canvas.right(width, 0, &item.keys, theme.accent);
}
