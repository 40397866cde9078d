//! Changes: the queue, and all about one.

use crate::{
    app::text::{
        finding::{findings, proposal},
        rows::{clock, line, row},
    },
    model::{
        change::Change,
        phase::{Phase, Progress, phases},
        plan::Plan,
        unit::Unit,
        verdict::Effect,
    },
};
use std::sync::Arc;

/// The queue, one line a change.
pub fn queue(changes: &[Arc<Change>]) -> String {
    if changes.is_empty() {
        return "nothing is proposed and nothing was changed\n".into();
    }
    let mut out = String::new();
    for change in changes {
        let id = change.id.to_string();
        let note = match (&change.lock, &change.verdict, &change.trouble) {
            (_, _, Some(trouble)) => format!("  ({trouble})"),
            (_, Some(verdict), _) => format!("  ({})", verdict.why),
            (Some(lock), ..) if change.state.is_open() => format!("  (locked: {})", lock.why),
            _ => change.approvals().map_or_else(String::new, |people| format!("  (approved by {people})")),
        };
        let state = if change.is_dry() { "dry" } else { change.state.words() };
        let risk = change.proposal.risk.words();
        line(&mut out, &format!("{id:<5} {state:<12} {risk:<6} {}{note}", change.proposal.title));
    }
    out
}

/// All about one change.
pub fn change(change: &Change) -> String {
    let mut out = String::new();
    line(&mut out, &format!("{} {} ({})", change.id, change.proposal.title, change.state.words()));
    findings(&mut out, std::slice::from_ref(&change.finding));
    proposal(&mut out, &change.proposal);
    if let Some(foreseen) = change.foreseen(None) {
        row(&mut out, "foreseen", &foreseen);
    }
    if let Some(lock) = &change.lock {
        row(&mut out, "locked", &lock.why);
    }
    if let Some(approvals) = change.approvals() {
        row(&mut out, "approvals", &approvals);
    }
    if let Some(decision) = change.decision.as_ref().filter(|_| change.state.is_open()) {
        row(&mut out, "policy", &decision.words());
        row(&mut out, "automatic", &decision.automatic());
    }
    if let Some(foresight) = &change.foresight {
        let least = Unit::Share.show(foresight.detectable);
        row(
            &mut out,
            "can show",
            &format!("an effect of {least} or more, from {} of history", Unit::Seconds.show(foresight.history)),
        );
    }
    if let Some(prospects) = change.prospects.filter(|_| !change.proposal.asked) {
        for (name, value) in prospects.rows(change.proposal.trial.primary.metric.unit()) {
            row(&mut out, name, &value);
        }
    }
    if let Some(made) = &change.plan {
        plan(&mut out, made);
    }
    if let Some(verdict) = &change.verdict {
        row(&mut out, "verdict", &verdict.why);
        if let Some(effect) = &verdict.effect {
            row(&mut out, "effect", &shown_effect(effect, change.proposal.trial.primary.metric.unit()));
        }
        if let Some(adjusted) = &verdict.adjusted {
            let unit = change.proposal.trial.primary.metric.unit();
            row(&mut out, "adjusted", &format!("{}, for {}", shown_effect(&adjusted.effect, unit), adjusted.by));
        }
        if let Some(week) = &verdict.week {
            row(&mut out, "week", &week.words());
        }
        for doubt in &verdict.doubts {
            row(&mut out, "doubt", doubt);
        }
    }
    if let Some(trouble) = &change.trouble {
        row(&mut out, "trouble", trouble);
    }
    for (at, who, what) in &change.deeds {
        line(&mut out, &format!("  {}  {what} by {who}", clock(*at)));
    }
    line(&mut out, "phases");
    for (n, phase) in (1..).zip(phases(change)) {
        shown_phase(&mut out, n, &phase);
    }
    out
}

fn shown_phase(out: &mut String, n: usize, phase: &Phase) {
    let mut parts = vec![format!("{:<9}", phase.progress.words())];
    parts.extend(phase.at.map(clock));
    parts.extend(phase.took.map(|took| format!("{:>9}", Unit::Seconds.show(took))));
    parts.extend((phase.progress != Progress::Open).then(|| phase.manner.words().to_string()));
    parts.extend(phase.who.as_ref().map(ToString::to_string));
    line(out, &format!("  {n:>2} {:<18} {}", phase.name, parts.join("  ")));
    for evidence in &phase.evidence {
        line(out, &format!("       {evidence}"));
    }
}

fn shown_effect(effect: &Effect, unit: Unit) -> String {
    let percent = |share: f64| format!("{:+.0} %", share * 100.0);
    format!(
        "{} -> {}, {} ({} to {})",
        unit.show(effect.before),
        unit.show(effect.after),
        percent(effect.change),
        percent(effect.interval.0),
        percent(effect.interval.1)
    )
}

/// What a plan writes.
pub(super) fn plan(out: &mut String, plan: &Plan) {
    const SHOWN: usize = 12;
    for step in plan.steps.iter().take(SHOWN) {
        let (before, after) = step.lines();
        row(out, "diff", &format!("{}: {before} -> {after}", step.knob));
    }
    if let Some(more) = plan.steps.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        row(out, "", &format!("and {more} more"));
    }
}
