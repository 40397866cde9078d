//! One finding: the numbers behind it, who causes it, who suffers, what it is not.

use crate::{
    model::{
        emergency::{RungState, Stage},
        finding::{Finding, FindingId, Party},
        unit::Unit,
    },
    ui::{
        panels::{causes, findings, reader::Prose},
        state::State,
        words,
    },
};
use ratatui::text::Span;

/// Writes the page; returns its title.
pub fn write(state: &State, id: &FindingId, prose: &mut Prose<'_>) -> String {
    match state.shown().findings.iter().find(|f| f.id == *id) {
        Some(finding) => {
            let since = words::since(state.shown().now.wall, finding.since);
            prose.text(&finding.headline, prose.theme.title);
            prose.field("since", &since, prose.theme.text);
            if let Some(crossing) = &finding.crossing {
                let text = format!("{} {}, confidence {:.2}", crossing.of, crossing.words(0.0), crossing.confidence);
                prose.field("limit", &text, prose.theme.warning);
            }
            ladder(state, finding, prose);
            causes::write_story(state, finding, prose);
            body(finding, prose);
        }
        None => prose.text("This is no longer so.", prose.theme.good),
    }
    format!("{}: {}", id.kind.words(), id.subject)
}

/// What is done about an emergency: each rung, what it would do and what became of it.
fn ladder(state: &State, finding: &Finding, prose: &mut Prose<'_>) {
    let Some(emergency) = state.shown().emergencies.iter().find(|e| e.kind.finding() == finding.id.kind) else { return };
    let theme = prose.theme;
    let style = if emergency.stage == Stage::Relieved { theme.good } else { theme.critical };
    prose.field("ladder", &format!("{} {}", emergency.kind.row(), emergency.stage.words()), style);
    for (n, rung) in emergency.ladder.iter().enumerate() {
        let style = match &rung.state {
            RungState::Waiting => theme.text,
            RungState::Barred(_) | RungState::Undone => theme.dim,
            RungState::UnderWay => theme.accent,
            RungState::Stands => theme.good,
            RungState::Failed(_) => theme.critical,
        };
        let change = rung.change.map(|id| format!(" {id}")).unwrap_or_default();
        let label = format!("{} {}", n + 1, rung.reach.words());
        prose.field(&label, &format!("{}: {}{change}", rung.title, rung.state.words()), style);
    }
    if emergency.stage == Stage::Proposed {
        prose.text("Y fights it.", theme.title);
    }
}

/// Everything below the headline.
pub fn body(finding: &Finding, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    prose.field("severity", finding.severity.sign(), findings::style(theme, finding.severity));
    prose.heading("Evidence");
    for evidence in &finding.evidence {
        let unit = evidence.metric.unit();
        let over = evidence.threshold.map(|t| format!("threshold {}", unit.show(t))).unwrap_or_default();
        let style = if evidence.threshold.is_some() { theme.warning } else { theme.text };
        prose.line(vec![
            Span::styled(format!("{:<22}", evidence.metric.words()), theme.text),
            Span::styled(format!("{:>10}  ", unit.show(evidence.value)), style),
            Span::styled(format!("{over:<22}  "), theme.dim),
            Span::styled(format!("{}, {}", evidence.subject, evidence.from), theme.dim),
        ]);
    }
    parties("Who causes it", &finding.culprits, prose);
    parties("Who suffers", &finding.victims, prose);
    if !finding.ruled_out.is_empty() {
        prose.heading("Ruled out");
        for one in &finding.ruled_out {
            prose.text(one, theme.text);
        }
    }
    if let Some(advice) = &finding.advice {
        prose.heading("What you can do");
        prose.text(advice, theme.text);
    }
}

fn parties(title: &str, all: &[Party], prose: &mut Prose<'_>) {
    const SHOWN: usize = 8;
    if all.is_empty() {
        return;
    }
    let theme = prose.theme;
    prose.heading(title);
    for party in all.iter().take(SHOWN) {
        prose.line(vec![
            Span::styled(format!("{:>7}  ", Unit::Share.show(party.share)), theme.text),
            Span::styled(format!("{:>10}  ", party.unit.show(party.amount)), theme.text),
            Span::styled(format!("{}  ", party.name), theme.title),
            Span::styled(party.subject.to_string(), theme.dim),
        ]);
    }
    if let Some(more) = all.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        prose.text(&format!("and {more} more"), theme.dim);
    }
}
