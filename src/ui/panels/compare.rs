//! The page that compares two windows of time: each number before and after, and which way it went.

use crate::{
    model::{
        metric::{Better, Key},
        past::Trace,
        when,
    },
    ui::{panels::reader::Prose, state::State, words},
};
use ratatui::{style::Style, text::Span};

/// Less than this is no change.
const SMALL: f64 = 0.05;

/// Writes the page and gives its title.
pub fn write(state: &State, prose: &mut Prose<'_>) -> String {
    let theme = prose.theme;
    let (Some(a), Some(b)) = state.travel.compared.at else {
        prose.text("Mark a first window with D, go to another time and press D again.", theme.dim);
        return "Compare".into();
    };
    prose.field("A", &format!("two minutes around {}", when::show(a)), theme.text);
    prose.field("B", &format!("two minutes around {}", when::show(b)), theme.text);
    let (Some(a), Some(b)) = &state.travel.compared.rows else {
        prose.text("initializing", theme.dim);
        return "Compare".into();
    };
    let name = prose.width.saturating_sub(34).clamp(8, 48);
    prose.heading(&format!("{:<name$} {:>10} {:>10} {:>10}", "mean of", "A", "B", "change"));
    for (i, (key, _)) in a.rows.iter().enumerate() {
        let (before, after) = (mean(a, i), mean(b, i));
        let (change, style) = change(state, key, before, after);
        let unit = key.metric.unit();
        let title: String = key.to_string().chars().take(name).collect();
        let numbers = format!("{title:<name$} {:>10} {:>10} ", words::maybe(unit, before), words::maybe(unit, after));
        prose.line(vec![Span::styled(numbers, theme.text), Span::styled(format!("{change:>10}"), style)]);
    }
    "Compare".into()
}

fn mean(trace: &Trace, row: usize) -> Option<f64> {
    let (_, steps) = trace.rows.get(row)?;
    steps.first().copied().flatten().map(|trend| trend.mean)
}

/// The change in words with an arrow, good or bad by which way is better.
fn change(state: &State, key: &Key, before: Option<f64>, after: Option<f64>) -> (String, Style) {
    let theme = state.theme();
    let Some((before, after)) = before.zip(after) else { return ("-".into(), theme.dim) };
    let share = if before == 0.0 { after } else { (after - before) / before.abs() };
    if share.abs() <= SMALL {
        return ("same".into(), theme.dim);
    }
    let good = (share > 0.0) == (key.metric.better() == Better::Higher);
    let arrow = if share > 0.0 { '↑' } else { '↓' };
    let words = if before == 0.0 { "new".into() } else { words::change(share) };
    (format!("{arrow} {words}"), if good { theme.good } else { theme.critical })
}
