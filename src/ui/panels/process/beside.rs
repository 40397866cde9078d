//! Sections of a page side by side, where there is room for two.

use crate::ui::panels::reader::Prose;
use ratatui::{
    style::Style,
    text::{Line, Span},
};

/// Columns from which sections stand side by side.
pub(super) const WIDE: usize = 92;

/// A section written by itself: as wide as the page, or half of it where two fit side by side.
pub(super) fn section(page: &Prose<'_>, title: &str, write: impl FnOnce(&mut Prose<'_>)) -> Vec<Line<'static>> {
    let width = if page.width >= WIDE { page.width / 2 - 2 } else { page.width };
    let mut prose = Prose { theme: page.theme, width, lines: Vec::new() };
    prose.heading(title);
    write(&mut prose);
    prose.lines
}

/// Puts sections below each other, in pairs where there is room.
pub(super) fn side_by_side(page: &mut Prose<'_>, sections: Vec<Vec<Line<'static>>>) {
    let wide = page.width >= WIDE;
    let mut sections = sections.into_iter();
    while let Some(left) = sections.next() {
        page.line(vec![]);
        if !wide {
            page.lines.extend(left);
            continue;
        }
        let right = sections.next().unwrap_or_default();
        let (rows, at) = (left.len().max(right.len()), page.width / 2);
        let (mut left, mut right) = (left.into_iter(), right.into_iter());
        for _ in 0..rows {
            let mut line = left.next().unwrap_or_default();
            if let Some(other) = right.next() {
                line.spans = flat(line.clone());
                line.spans.push(Span::raw(" ".repeat(at.saturating_sub(line.width()))));
                line.spans.extend(flat(other));
                line.style = Style::default();
            }
            page.lines.push(line);
        }
    }
}

/// The spans of a line with its own style in them, so that they can stand beside others.
fn flat(line: Line<'static>) -> Vec<Span<'static>> {
    let style = line.style;
    line.spans.into_iter().map(|span| Span::styled(span.content, style.patch(span.style))).collect()
}
