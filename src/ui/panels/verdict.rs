//! The verdict: what is wrong, since when, and what is proposed. All that a very small terminal shows.

use crate::{
    model::{change::Change, snapshot::Reading},
    ui::{
        alerts,
        canvas::Canvas,
        panels::{findings, queue},
        state::State,
        words,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// Draws it into as many rows as there are: one each when there are two, wrapped when there are more.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let mut canvas = Canvas::new(area, buf);
    let (width, height) = (canvas.width(), canvas.height());
    let (wrong, wrong_style) = wrong(state);
    let (next, next_style) = next(state);
    if height == 2 && width >= 60 {
        canvas.short(1, 0, width.saturating_sub(2), &wrong, wrong_style);
        canvas.short(1, 1, width.saturating_sub(2), &next, next_style);
        return;
    }
    let lines = words::wrap(&wrong, width.into()).into_iter().map(|l| (l, wrong_style));
    let proposed = state.chosen_change().map(|_| words::wrap(&next, width.into())).unwrap_or_default();
    for (y, (line, style)) in (0..height).zip(lines.chain(proposed.into_iter().map(|l| (l, next_style)))) {
        canvas.text(0, y, &line, style);
    }
}

fn wrong(state: &State) -> (String, Style) {
    let theme = state.theme();
    let view = state.shown();
    if view.snapshot.vitals.cpu == Reading::Initializing {
        return ("initializing".into(), theme.dim);
    }
    if let Some(banner) = crate::ui::layout::banner(state).filter(|_| state.lost || !view.problems.is_empty()) {
        return (banner, theme.critical);
    }
    match view.findings.first() {
        None => match alerts::firing(state).next() {
            Some(alert) => {
                (format!("{} alert {}", alert.severity.sign(), alert.headline()), findings::style(theme, alert.severity))
            }
            None => ("no bottleneck found".into(), theme.good),
        },
        Some(finding) => {
            let since = words::since(view.now.wall, finding.since);
            let more = match view.findings.len() {
                1 => String::new(),
                n => format!(" (and {} more)", n - 1),
            };
            let text = format!("{} {}, {since}{more}", finding.severity.sign(), finding.headline);
            (text, findings::style(theme, finding.severity))
        }
    }
}

fn next(state: &State) -> (String, Style) {
    let theme = state.theme();
    match state.chosen_change() {
        None => ("nothing proposed, nothing changed".into(), theme.dim),
        Some(change) => (change_line(state, change), theme.accent),
    }
}

fn change_line(state: &State, change: &Change) -> String {
    let what = format!("{} {}: {}", change.id, change.proposal.title, queue::word(change));
    if change.state.is_open() {
        let risk = change.proposal.risk.words();
        return match &change.lock {
            Some(lock) => format!("{what}, locked: {}", lock.why),
            None => format!("{what}, risk {risk}"),
        };
    }
    match (&change.verdict, queue::guard(state, change)) {
        (Some(_), _) => format!("{what}, {}", queue::outcome(change)),
        (None, Some(guard)) => format!("{what}, {guard}"),
        _ => what,
    }
}
