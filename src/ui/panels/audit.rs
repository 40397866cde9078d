//! The journal: who did what to which change, when, the newest first.

use crate::{
    model::change::{Deed, Entry},
    ui::{panels::reader::Prose, state::State, words},
};
use ratatui::text::Span;

/// Writes the page; returns its title.
pub fn write(state: &State, prose: &mut Prose<'_>) -> String {
    let theme = prose.theme;
    match &state.audit {
        None => prose.text("asking the engine", theme.dim),
        Some(entries) if entries.is_empty() => prose.text("the journal is empty", theme.dim),
        Some(entries) => {
            for (number, entry) in entries.iter().rev().filter(|(_, entry)| state.filters.audit.passes(entry)) {
                line(state, *number, entry, prose);
            }
        }
    }
    "Audit".into()
}

fn line(state: &State, number: u64, entry: &Entry, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    let age = words::since(state.shown().now.wall, entry.now.wall);
    prose.line(vec![
        Span::styled(format!("{number:>6}  {}  {age:>12} ago  ", words::clock(entry.now.wall)), theme.dim),
        Span::styled(format!("{:<6}", entry.change.to_string()), theme.title),
        Span::styled(format!("{:<18}", entry.deed.words()), theme.text),
        Span::styled(format!("{:<22} ", entry.who.to_string()), theme.dim),
        Span::styled(entry.deed.detail(), theme.text),
    ]);
    if let Deed::ApplyStarted { plan, .. } = &entry.deed {
        for step in plan.steps.iter().take(8) {
            let (before, after) = step.lines();
            prose.line(vec![
                Span::styled(format!("{:>33}{}  ", "", step.knob), theme.dim),
                Span::styled(before.into_owned(), theme.removed),
                Span::styled(" → ", theme.dim),
                Span::styled(after.into_owned(), theme.added),
            ]);
        }
    }
}
