//! Findings: what holds the host back, most pressing first.

use crate::{
    model::{
        finding::{Finding, Severity},
        snapshot::Reading,
    },
    ui::{
        canvas::Canvas,
        filter::List,
        frame::{frame, note},
        pane::Pane,
        panels::alerts,
        panels::field,
        spots::{Spot, Spots},
        state::State,
        theme::Theme,
        words,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

/// The style of a severity; its sign says the same without colour.
pub fn style(theme: &Theme, severity: Severity) -> Style {
    match severity {
        Severity::Notice => theme.notice,
        Severity::Warning => theme.warning,
        Severity::Critical => theme.critical,
    }
}

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer, spots: &mut Spots) {
    let theme = state.theme();
    let all: Vec<&Finding> = state.found().collect();
    let mut title = all.first().map_or_else(Line::default, |worst| note(all.len().to_string(), style(theme, worst.severity)));
    title.spans.splice(0..0, field::in_title(state, List::Findings));
    let inner = frame(state, Pane::Findings, title, area, buf);
    let mut canvas = Canvas::new(inner, buf);
    if all.is_empty() {
        match &state.shown().snapshot.vitals.cpu {
            _ if !state.shown().findings.is_empty() => canvas.text(0, 0, "no finding passes the filter", theme.dim),
            Reading::Initializing => canvas.text(0, 0, "initializing", theme.dim),
            _ => canvas.text(0, 0, "no bottleneck found", theme.good),
        };
        alerts::draw_below(state, 1, &mut canvas, spots);
        return;
    }
    let width = canvas.width();
    let blocks: Vec<Vec<String>> = all.iter().map(|f| words::wrap(&f.headline, width.saturating_sub(3).into())).collect();
    let chosen = state.chosen_finding().map(|f| &f.id);
    let at = all.iter().position(|f| Some(&f.id) == chosen).unwrap_or(0);
    let mut y = 0;
    for (i, (finding, lines)) in all.iter().zip(&blocks).enumerate().skip(first_row(&blocks, at, canvas.height())) {
        if y >= canvas.height() {
            break;
        }
        let top = y;
        y = one(state, finding, lines, y, &mut canvas);
        (top..y).for_each(|row| spots.add(canvas.row(row), Spot::Finding(finding.id.clone())));
        if i == at && state.focus == Pane::Findings {
            for row in top..y {
                canvas.tint(0, row, width, theme.selected);
            }
        }
    }
    alerts::draw_below(state, y, &mut canvas, spots);
}

/// The first block to draw so that block `at` is in view.
fn first_row(blocks: &[Vec<String>], at: usize, height: u16) -> usize {
    let mut first = at;
    let mut room = usize::from(height);
    for (i, block) in blocks.iter().enumerate().take(at + 1).rev() {
        match room.checked_sub(block.len() + 1) {
            Some(rest) => (first, room) = (i, rest),
            None => break,
        }
    }
    first
}

fn one(state: &State, finding: &Finding, lines: &[String], y: u16, canvas: &mut Canvas<'_>) -> u16 {
    let theme = state.theme();
    let width = canvas.width();
    let style = style(theme, finding.severity);
    canvas.text(0, y, finding.severity.sign(), style);
    let since = words::since(state.shown().now.wall, finding.since);
    let end = width.saturating_sub(since.len() as u16 + 1);
    canvas.short(3, y, end.saturating_sub(3), finding.id.kind.words(), style);
    canvas.right(width, y, &since, theme.dim);
    let mut row = y + 1;
    for line in lines {
        canvas.text(3, row, line, theme.text);
        row += 1;
    }
    row
}
