//! The line below the table of processes: what of the selected row does not fit into it.

use crate::{
    model::unit::Unit,
    ui::{
        canvas::Canvas,
        processes::row::{Item, Row},
        state::State,
    },
};
use std::fmt::Write;

/// Rows that it takes in a pane of this height.
pub fn rows(state: &State, height: u16) -> u16 {
    u16::from(state.processes.cursor.is_some() && height >= 5)
}

/// Draws it in the last row.
pub fn draw(state: &State, row: &Row, canvas: &mut Canvas<'_>) {
    let snapshot = &state.shown().snapshot;
    let Some(item) = state.processes.rows.item(row, snapshot) else { return };
    let mut text = String::new();
    // Writing into memory cannot fail.
    let _never = match item {
        Item::Process(p) if p.command.is_empty() => write!(text, "{} {}", p.id.pid, p.name),
        Item::Process(p) => write!(text, "{} {}: {}", p.id.pid, p.name, p.command),
        Item::Program(name, figures) => write!(text, "{name}: {} processes", figures.processes),
        Item::Cgroup(path, figures, _) => {
            let limit = figures
                .memory_limit
                .filter(|limit| limit.is_finite())
                .map_or_else(|| "no memory limit".into(), |limit| Unit::Bytes.show(limit));
            write!(text, "{path}: {} processes, {} of {limit}", figures.processes, Unit::Bytes.show(figures.memory))
        }
    };
    let (width, last) = (canvas.width(), canvas.height().saturating_sub(1));
    canvas.short(0, last, width, &text, state.theme().dim);
}
