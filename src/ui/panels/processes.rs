//! Processes. The head says what cpu is measured against; rows hold still while one is selected.

use crate::{
    model::{snapshot::Process, unit::Unit},
    ui::{
        canvas::Canvas,
        filter::List,
        frame::{frame, known},
        pane::Pane,
        panels::field,
        processes::Sort,
        state::State,
        words::{self, is_quiet},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// A column: head, width, whether it is aligned right, and which order it shows.
struct Column {
    head: &'static str,
    wide: u16,
    right: bool,
    sort: Option<Sort>,
    /// The lower, the longer it stays when room is short.
    yields: u8,
}

const fn column(head: &'static str, wide: u16, right: bool, sort: Option<Sort>, yields: u8) -> Column {
    Column { head, wide, right, sort, yields }
}

const COLUMNS: &[Column] = &[
    column("pid", 7, true, Some(Sort::Pid), 0),
    column("user", 9, false, None, 5),
    column("name", 16, false, Some(Sort::Name), 0),
    column("cpu/core", 9, true, Some(Sort::Cpu), 0),
    column("wait", 10, true, Some(Sort::Wait), 2),
    column("memory", 9, true, Some(Sort::Memory), 1),
    column("read", 9, true, Some(Sort::Read), 3),
    column("write", 9, true, Some(Sort::Write), 4),
    column("thr", 4, true, Some(Sort::Threads), 7),
    column("nice", 4, true, None, 6),
    column("cgroup", 12, false, None, 8),
];

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let snapshot = &state.shown().snapshot;
    let inner = frame(state, Pane::Processes, title(state), area, buf);
    let mut canvas = Canvas::new(inner, buf);
    if known(state, &snapshot.processes, 0, &mut canvas).is_none() {
        return;
    }
    let columns = fitting(canvas.width());
    head(state, &columns, &mut canvas);
    let list = &state.processes;
    let rows = usize::from(canvas.height().saturating_sub(1));
    let place = list.place();
    // The selected row stays near the middle, the list never runs out of view.
    let top = place.unwrap_or(0).saturating_sub(rows / 2).min(list.order.len().saturating_sub(rows));
    for (y, (i, id)) in (1..canvas.height()).zip(list.order.iter().enumerate().skip(top)) {
        if let Some(process) = snapshot.process(*id) {
            row(state, process, &columns, y, &mut canvas);
        }
        if Some(i) == place {
            let width = canvas.width();
            canvas.tint(0, y, width, state.theme().selected);
        }
    }
    if list.order.is_empty() {
        canvas.text(0, 1, "no process passes the filter", state.theme().dim);
    }
}

fn title(state: &State) -> Line<'static> {
    let theme = state.theme();
    let list = &state.processes;
    let mut parts = vec![];
    parts.extend(field::in_title(state, List::Processes));
    if list.cursor.is_some() {
        parts.push(Span::styled(" held, Esc releases ", theme.warning));
    }
    let way = if list.inverted { ", inverted" } else { "" };
    if !list.order.is_empty() {
        parts.push(Span::styled(format!(" {}, by {}{way} ", list.order.len(), list.sort.words()), theme.dim));
    }
    Line::from(parts)
}

/// The columns that fit, and the width left over for name and cgroup.
fn fitting(width: u16) -> Vec<(&'static Column, u16)> {
    let mut all: Vec<&Column> = COLUMNS.iter().collect();
    let wide = |all: &[&Column]| all.iter().map(|c| c.wide + 1).sum::<u16>();
    while wide(&all) > width + 1 {
        let Some(at) = (0..all.len()).max_by_key(|i| all.get(*i).map(|c| c.yields)) else { break };
        if all.len() == 3 {
            break;
        }
        all.remove(at);
    }
    let spare = (width + 1).saturating_sub(wide(&all));
    let last = if all.iter().any(|c| c.head == "cgroup") { "cgroup" } else { "name" };
    all.into_iter().map(|c| (c, if c.head == last { c.wide + spare } else { c.wide })).collect()
}

fn head(state: &State, columns: &[(&Column, u16)], canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let mut x = 0;
    for (column, wide) in columns {
        let style = if column.sort == Some(state.processes.sort) { theme.title } else { theme.dim };
        cell(column, *wide, x, (0, column.head, style), canvas);
        x += wide + 1;
    }
}

fn cell(column: &Column, wide: u16, x: u16, (y, text, style): (u16, &str, Style), canvas: &mut Canvas<'_>) {
    if column.right {
        canvas.part(x, y, wide, 1).right(wide, 0, text, style);
    } else {
        canvas.short(x, y, wide, text, style);
    }
}

fn row(state: &State, p: &Process, columns: &[(&Column, u16)], y: u16, canvas: &mut Canvas<'_>) {
    let theme = state.theme();
    let mut x = 0;
    for (column, wide) in columns {
        let (text, style) = value(state, p, column.head);
        cell(column, *wide, x, (y, &text, if is_quiet(&text) { theme.dim } else { style }), canvas);
        x += wide + 1;
    }
}

/// Hundredths, as `cpu/core` shows them: below that the numbers of idle processes flicker and say nothing. The detail view has them all.
fn coarse(share: f64) -> String {
    format!("{:.0} ms/s", (share * 100.0).round() * 10.0)
}

fn value(state: &State, p: &Process, head: &str) -> (String, Style) {
    let theme = state.theme();
    let moved = |which: usize| words::maybe(Unit::BytesPerSecond, p.io.and_then(|io| io.get(which).copied()));
    match head {
        "pid" => (p.id.pid.to_string(), theme.dim),
        "user" => (state.shown().facts.user(p.uid).to_string(), theme.text),
        "name" => (p.name.to_string(), if p.kernel { theme.dim } else { theme.text }),
        "cpu/core" => (words::maybe(Unit::Cores, p.cpu), theme.text),
        "wait" => (p.wait.map_or_else(|| "-".into(), coarse), theme.level(p.wait.unwrap_or(0.0), 0.3, f64::INFINITY)),
        "memory" => (Unit::Bytes.show(p.resident as f64), theme.text),
        "read" => (moved(0), theme.text),
        "write" => (moved(1), theme.text),
        "thr" => (p.threads.to_string(), theme.text),
        "nice" => (p.nice.to_string(), theme.text),
        _ => (p.cgroup.to_string(), theme.dim),
    }
}
