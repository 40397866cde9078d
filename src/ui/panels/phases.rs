//! Each phase of one change's cycle: what it rests on, when, how long, who, and whether it was executed.

use crate::{
    model::{
        change::ChangeId,
        phase::{Phase, Progress, phases},
        unit::Unit,
    },
    ui::{panels::reader::Prose, state::State, words},
};
use ratatui::{style::Style, text::Span};

/// Writes the page; returns its title.
pub fn write(state: &State, id: ChangeId, prose: &mut Prose<'_>) -> String {
    let Some(change) = state.queue.iter().find(|c| c.id == id) else {
        prose.text("This change is too long ago to be shown here; the audit has it.", prose.theme.dim);
        return id.to_string();
    };
    for (n, phase) in (1..).zip(phases(change)) {
        write_phase(n, &phase, prose);
    }
    format!("Phases of {id} {}", change.proposal.title)
}

fn write_phase(n: usize, phase: &Phase, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    if n > 1 {
        prose.line(vec![]);
    }
    let style = style(phase.progress, prose);
    let reached = matches!(phase.progress, Progress::Done | Progress::Now);
    let mut spans = vec![
        Span::styled(format!("{n:>2} {:<18}", phase.name), theme.title),
        Span::styled(format!("{:<9}", phase.progress.words()), style),
    ];
    let mut rest = Vec::new();
    rest.extend(phase.at.map(words::clock));
    rest.extend(phase.took.map(|took| Unit::Seconds.show(took)));
    rest.extend((reached || phase.progress == Progress::Ended).then(|| phase.manner.words().to_string()));
    rest.extend(phase.who.as_ref().map(ToString::to_string));
    let room = prose.width.saturating_sub(30);
    let rest = rest.join("  ");
    let wide = rest.chars().count() <= room;
    if wide {
        spans.push(Span::styled(rest.clone(), theme.dim));
    }
    prose.line(spans);
    if !wide {
        prose.field("", &rest, theme.dim);
    }
    for line in &phase.evidence {
        prose.field("", line, if reached { theme.text } else { theme.dim });
    }
}

fn style(progress: Progress, prose: &Prose<'_>) -> Style {
    let theme = prose.theme;
    match progress {
        Progress::Done => theme.good,
        Progress::Now => theme.accent,
        Progress::Open => theme.dim,
        Progress::Ended => theme.warning,
    }
}
