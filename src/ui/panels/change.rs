//! One change: why, how, the exact diff, what to expect, how it is undone, what it did.

use crate::{
    model::{
        change::{Change, ChangeId},
        plan::{Held, Plan},
        trial::Guardrail,
        unit::Unit,
    },
    ui::{
        canvas::Canvas,
        pane::Page,
        panels::{finding, queue, reader::Prose, track, watch},
        state::State,
        words,
    },
};
use ratatui::text::Span;
use std::borrow::Cow;

fn change(state: &State, id: ChangeId) -> Option<&Change> {
    state.queue.iter().find(|c| c.id == id).map(AsRef::as_ref)
}

/// Draws the chart above the page.
pub fn draw_chart(state: &State, canvas: Canvas<'_>) {
    if let Page::Change(id) | Page::Verify(id) = state.page
        && let Some(change) = change(state, id)
    {
        track::draw_change(state, change, canvas);
    }
}

/// Writes the page; returns its title.
pub fn write(state: &State, id: ChangeId, prose: &mut Prose<'_>) -> String {
    let Some(change) = change(state, id) else {
        prose.text("This change is too long ago to be shown here; the audit has it.", prose.theme.dim);
        return id.to_string();
    };
    let theme = prose.theme;
    let proposal = &change.proposal;
    standing(state, change, prose);
    verdict(change, prose);
    prose.heading("Why");
    prose.text(&change.finding.headline, theme.text);
    prose.text(&proposal.why, theme.text);
    prose.field("how", &proposal.mechanism, theme.text);
    prose.field("expect", &proposal.expect, theme.text);
    if let Some(foreseen) = queue::foreseen(state, change) {
        prose.field("foreseen", &foreseen, theme.notice);
    }
    foresight(change, prose);
    prose.field("risk", proposal.risk.words(), theme.text);
    prose.field("undo", &proposal.undo, theme.text);
    policy(change, prose);
    prospects(change, prose);
    diff(change.plan.as_ref(), prose);
    if !proposal.asked {
        trial(change, prose);
        prose.heading("The finding behind it");
        finding::body(&change.finding, prose);
    }
    deeds(change, prose);
    format!("{id} {}", proposal.title)
}

/// Writes the page below the before-and-after chart; returns its title.
pub fn write_verify(state: &State, id: ChangeId, prose: &mut Prose<'_>) -> String {
    let Some(change) = change(state, id) else { return id.to_string() };
    let theme = prose.theme;
    standing(state, change, prose);
    verdict(change, prose);
    match &change.held {
        None => prose.field("values", "not read back yet", theme.dim),
        Some(Held::Holds) => prose.field("values", "every value stands as written", theme.good),
        Some(Held::Gone) => prose.field("values", "every target has ended", theme.dim),
        Some(Held::Drifted { knob, found }) => {
            prose.field("values", &format!("drifted: {knob} is {found} now, set by somebody else"), theme.critical);
        }
    }
    trial(change, prose);
    format!("{} of {id} {}", change.proposal.trial.primary.metric.words(), change.proposal.title)
}

fn standing(state: &State, change: &Change, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    prose.field("state", queue::word(change), queue::standing(theme, change.state));
    if let Some(lock) = change.lock.as_ref().filter(|_| change.state.is_open()) {
        prose.field("locked", &lock.why, theme.warning);
    }
    if let Some(progress) = watch::progress(state, change) {
        prose.field("watched", &progress, theme.accent);
    }
    if let Some(effect) = watch::so_far(state, change) {
        prose.field("primary", &effect, theme.text);
    }
    if let Some(guard) = queue::guard(state, change) {
        prose.field("guard", &guard, theme.accent);
    }
    if let Some(cause) = change.cause {
        prose.field("undone", cause.words(), theme.warning);
    }
    if let Some(trouble) = &change.trouble {
        prose.field("trouble", trouble, theme.warning);
    }
}

/// What policy says of it: the level, by which rule, who must approve, and why it is or is not automatic.
fn policy(change: &Change, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    if let Some(approvals) = change.approvals() {
        prose.field("approvals", &approvals, theme.warning);
    }
    if let Some(decision) = change.decision.as_ref().filter(|_| change.state.is_open()) {
        prose.field("policy", &decision.words(), theme.text);
        prose.field("automatic", &decision.automatic(), theme.text);
    }
}

/// Writes of one line: the subject, the value before and after, how many, the command.
type Group<'a> = (String, Cow<'a, str>, Cow<'a, str>, usize, &'a str);

/// The exact writes. Threads that get the same value are one line.
fn diff(plan: Option<&Plan>, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    prose.heading("What is written");
    let Some(plan) = plan else {
        prose.text("not prepared yet", theme.dim);
        return;
    };
    let mut groups: Vec<Group<'_>> = Vec::new();
    for step in &plan.steps {
        let group = format!("{} ", step.knob.subject());
        let (before, after) = step.lines();
        match groups.iter_mut().find(|(g, b, a, ..)| *g == group && *b == before && *a == after) {
            Some((.., n, _)) => *n += 1,
            None => groups.push((group, before, after, 1, &step.apply)),
        }
    }
    let knob = |group: &str| plan.steps.iter().find(|s| format!("{} ", s.knob.subject()) == group).map(|s| s.knob.to_string());
    for (group, before, after, n, command) in groups.iter().take(40) {
        let times = if *n > 1 { format!("  ({n} threads)") } else { String::new() };
        prose.line(vec![
            Span::styled(format!("{}  ", knob(group).unwrap_or_default()), theme.text),
            Span::styled(before.to_string(), theme.removed),
            Span::styled(" → ", theme.dim),
            Span::styled(after.to_string(), theme.added),
            Span::styled(format!("{times}    {command}"), theme.dim),
        ]);
    }
    if let Some(more) = groups.len().checked_sub(40).filter(|n| *n > 0) {
        prose.text(&format!("and {more} more"), theme.dim);
    }
}

fn trial(change: &Change, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    let trial = &change.proposal.trial;
    prose.heading("How it will be judged");
    let least = Unit::Share.show(trial.least);
    prose.field("measure", &format!("{}; useful from {least} on", trial.primary), theme.text);
    let w = &trial.windows;
    let spans = [w.before, w.settle, w.after].map(words::span);
    let [before, settle, after] = &spans;
    prose.field("windows", &format!("{before} before, {settle} to settle, {after} after"), theme.text);
    let margin = |g: &Guardrail| if g.relative > 0.0 { Unit::Share.show(g.relative) } else { g.key.metric.unit().show(g.absolute) };
    let rails: Vec<String> = trial.guardrails.iter().map(|g| format!("{} by {}", g.key, margin(g))).collect();
    if !rails.is_empty() {
        prose.field("no harm to", &rails.join(", "), theme.text);
    }
}

/// What may come of it, by what was measured here.
fn prospects(change: &Change, prose: &mut Prose<'_>) {
    let Some(prospects) = change.prospects.filter(|_| !change.proposal.asked) else { return };
    let theme = prose.theme;
    prose.heading("What may come of it");
    for (label, text) in prospects.rows(change.proposal.trial.primary.metric.unit()) {
        prose.field(label, &text, theme.text);
    }
}

/// The smallest effect that can be seen: said beside what is expected, so that one is read against the other.
fn foresight(change: &Change, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    if let Some(foresight) = &change.foresight {
        let mut text = format!(
            "effects of {} or more, from {} of history",
            Unit::Share.show(foresight.detectable),
            words::span(foresight.history)
        );
        for (holds, doubt) in [(foresight.short, "; the history is short"), (foresight.unstable, "; it moved by itself in it")] {
            if holds {
                text.push_str(doubt);
            }
        }
        prose.field("can show", &text, if foresight.short || foresight.unstable { theme.warning } else { theme.text });
    }
}

fn verdict(change: &Change, prose: &mut Prose<'_>) {
    let Some(verdict) = &change.verdict else { return };
    let theme = prose.theme;
    prose.heading("What it did");
    prose.field("verdict", &queue::outcome(change), queue::outcome_style(theme, verdict.outcome));
    prose.field("because", &verdict.why, theme.text);
    if let Some(effect) = &verdict.effect {
        let unit = change.proposal.trial.primary.metric.unit();
        let (before, after) = effect.points;
        let text = format!("{} → {}  ({before} and {after} points)", unit.show(effect.before), unit.show(effect.after));
        prose.field("mean", &text, theme.text);
    }
    if let Some(placebo) = verdict.placebo {
        prose.field(
            "placebo",
            &format!("as large an effect by chance in {} of earlier windows", Unit::Share.show(placebo)),
            theme.text,
        );
    }
    if let Some(adjusted) = &verdict.adjusted {
        let percent = |share: f64| format!("{:+.0} %", share * 100.0);
        let (low, high) = adjusted.effect.interval;
        let text = format!(
            "{} ({} to {}) without the share of {}, which explained {} before",
            percent(adjusted.effect.change),
            percent(low),
            percent(high),
            adjusted.by,
            Unit::Share.show(adjusted.explained)
        );
        prose.field("adjusted", &text, theme.text);
    }
    if let Some(week) = &verdict.week {
        prose.field("week", &week.words(), theme.text);
    }
    for doubt in &verdict.doubts {
        prose.field("doubt", doubt, theme.warning);
    }
}

fn deeds(change: &Change, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    prose.heading("What happened");
    for (at, who, what) in &change.deeds {
        prose.field(&words::clock(*at), &format!("{what}, {who}"), theme.text);
    }
}
