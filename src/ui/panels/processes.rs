//! The table of processes. The head says what cpu is measured against; rows hold still while one is selected. Only rows that can be seen
//! are put into words.

use crate::ui::{
    canvas::Canvas,
    filter::List,
    frame::{frame, known},
    pane::Pane,
    panels::{field, processes_footer as footer},
    processes::{
        act,
        choices::{KernelThreads, Way},
        column::Column,
        columns, fit,
        list::ProcessList,
        row::{Fold, Item, Row, RowId, Sight},
    },
    spots::{Spot, Spots},
    state::State,
    words::is_quiet,
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// A column and its width.
type Placed = (&'static Column, u16);

/// Columns of indentation of each level of a tree.
const INDENT: u16 = 2;

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer, spots: &mut Spots) {
    let snapshot = &state.shown().snapshot;
    let inner = frame(state, Pane::Processes, title(state, area.width), area, buf);
    let mut canvas = Canvas::new(inner, buf);
    if known(state, &snapshot.processes, 0, &mut canvas).is_none() {
        return;
    }
    let list = &state.processes;
    let columns = fit::fitting(list, canvas.width());
    head(state, &columns, &mut canvas);
    let below = footer::rows(state, canvas.height());
    let rows = usize::from(canvas.height().saturating_sub(1 + below));
    let place = list.place();
    // The selected row stays near the middle, the table never runs out of view.
    let top = place.unwrap_or(0).saturating_sub(rows / 2).min(list.rows.all.len().saturating_sub(rows));
    let mut text = String::new();
    for (y, (at, row)) in (1..).zip(list.rows.all.iter().enumerate().skip(top).take(rows)) {
        draw_row(state, row, &columns, (y, &mut text), &mut canvas);
        spots.add(canvas.row(y), Spot::Row(row.id.clone()));
        if Some(at) == place {
            let width = canvas.width();
            canvas.tint(0, y, width, state.theme().selected);
        }
        // The column of air beside the frame has room for a mark.
        if row.id.process().is_some_and(|id| list.marks.contains(&id)) {
            let gutter = Rect { x: inner.x.saturating_sub(1), y: inner.y.saturating_add(y), width: 1, height: 1 };
            Canvas::new(gutter.intersection(area), canvas.buffer()).put(0, 0, '*', state.theme().accent);
        }
    }
    if list.rows.all.is_empty() {
        canvas.text(0, 1, if list.filter.is_empty() { "no process" } else { "no process passes the filter" }, state.theme().dim);
    }
    if let Some(row) = place.and_then(|at| list.rows.all.get(at)).filter(|_| below > 0) {
        footer::draw(state, row, &mut canvas);
    }
}

/// What stands at the right of the frame's title: what matters most is kept when room is short.
fn title(state: &State, width: u16) -> Line<'static> {
    let theme = state.theme();
    let list = &state.processes;
    let mut parts: Vec<(String, Style)> = vec![];
    parts.extend(field::in_title(state, List::Processes).map(|span| (span.content.into_owned(), span.style)));
    match (&list.followed, &list.cursor) {
        (Some(name), _) => parts.push((format!(" following {name} "), theme.warning)),
        (None, Some(_)) => parts.push((" held, Esc releases ".into(), theme.warning)),
        (None, None) => {}
    }
    if !list.marks.is_empty() {
        parts.push((format!(" {} marked ", list.marks.len()), theme.accent));
    }
    if list.choices.kernel == KernelThreads::Hidden {
        parts.push((" no kernel threads ".into(), theme.dim));
    }
    if !list.rows.all.is_empty() {
        parts.push((order(list), theme.dim));
    }
    let room = usize::from(width).saturating_sub("╭ 5 Processes ╮".chars().count());
    let mut used = 0;
    parts.retain(|(text, _)| {
        let wide = unicode_width::UnicodeWidthStr::width(text.as_str());
        let fits = used + wide <= room;
        used += if fits { wide } else { 0 };
        fits
    });
    Line::from(parts.into_iter().map(|(text, style)| Span::styled(text, style)).collect::<Vec<_>>())
}

fn order(list: &ProcessList) -> String {
    let way = if list.choices.way == Way::Inverted { ", inverted" } else { "" };
    let form = if list.choices.form.is_tree() { format!("{}, ", list.choices.form.words()) } else { String::new() };
    format!(" {form}{}, by {}{way} ", list.rows.all.len(), list.choices.sort)
}

fn head(state: &State, columns: &[Placed], canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let mut x = 0;
    for (column, wide) in columns {
        let style = if column.name == state.processes.choices.sort { theme.title } else { theme.dim };
        cell(column, (x, 0, *wide), column.title(state.basis), style, canvas);
        x += wide + 1;
    }
}

fn cell(column: &Column, (x, y, wide): (u16, u16, u16), text: &str, style: Style, canvas: &mut Canvas<'_>) {
    if column.is_number() {
        canvas.part(x, y, wide, 1).right(wide, 0, text, style);
    } else {
        canvas.short(x, y, wide, text, style);
    }
}

fn draw_row(state: &State, row: &Row, columns: &[Placed], (y, text): (u16, &mut String), canvas: &mut Canvas<'_>) {
    let (theme, sight) = (state.theme(), Sight::of(state));
    let Some(item) = state.processes.rows.item(row, sight.snapshot) else { return };
    let mut x = 0;
    for (column, wide) in columns {
        text.clear();
        let notable = column.write(&item, &sight, text);
        let style = match column.name {
            _ if notable => theme.warning,
            "name" => name_style(state, row, &item),
            "pid" | "cgroup" | "command" => theme.dim,
            _ if is_quiet(text) || !row.matches => theme.dim,
            _ => theme.text,
        };
        if column.name == "name" {
            let from = indent(row, *wide, canvas, (x, y));
            let more = if row.below > 0 { format!(" +{}", row.below) } else { String::new() };
            let room = (*wide).saturating_sub(from).saturating_sub(more.len() as u16);
            let end = canvas.short(x + from, y, room, text, style);
            canvas.text(end, y, &more, theme.dim);
        } else {
            cell(column, (x, y, *wide), text, style, canvas);
        }
        x += wide + 1;
    }
}

fn name_style(state: &State, row: &Row, item: &Item<'_>) -> Style {
    let theme = state.theme();
    match item {
        Item::Process(p) if p.kernel || !row.matches => theme.dim,
        Item::Process(_) => theme.text,
        Item::Program(..) | Item::Cgroup(..) => theme.title,
    }
}

/// Draws the sign of a fold behind the indentation; returns where the name begins. A deep tree is indented as far as names stay legible.
fn indent(row: &Row, wide: u16, canvas: &mut Canvas<'_>, (x, y): (u16, u16)) -> u16 {
    let leaf_of_list = row.depth == 0 && row.fold == Fold::Leaf && matches!(row.id, RowId::Process(_));
    if leaf_of_list {
        return 0;
    }
    let from = row.depth.saturating_mul(INDENT).min(wide / 2);
    let sign = match row.fold {
        Fold::Leaf => return from + INDENT,
        Fold::Open => '▾',
        Fold::Closed => '▸',
    };
    canvas.put(x + from, y, sign, Style::new());
    from + INDENT
}

/// The rows of the menu of columns: whether each is shown, its name, a line about it.
pub fn menu(state: &State) -> Vec<String> {
    let shown = fit::fitting(&state.processes, act::width(state));
    let sign = |column: &Column| {
        let is_in = |names: &[String]| names.iter().any(|name| name == column.name);
        match column {
            c if shown.iter().any(|(other, _)| other.name == c.name) => 'x',
            _ if is_in(&state.processes.choices.hidden) => ' ',
            _ => '.',
        }
    };
    columns::TABLE.iter().map(|column| format!("{} {:<10} {}", sign(column), column.name, column.help)).collect()
}
