//! What `y` takes along: the row or the page in front, as text that somebody can paste into a shell or a ticket.

use crate::{
    model::{
        ahead::about,
        alert::Alert,
        change::Change,
        finding::Finding,
        outlook::{Link, Pattern, Story},
        snapshot::Process,
        subject::ProcessId,
        telling::range,
    },
    ui::{
        act::count,
        alerts,
        foresight::{self, Cause},
        pane::{Page, Pane},
        processes::row::RowId,
        state::State,
    },
};

/// Something to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// What it is, for the operator.
    pub what: String,
    /// The text.
    pub text: String,
}

/// What is in front, or why there is nothing to copy.
pub fn chosen(state: &State) -> Result<Copied, String> {
    match (&state.page, state.focus) {
        (Page::Process(id), _) => process(state, *id),
        (Page::Finding(id), _) => {
            let found = state.shown().findings.iter().find(|finding| finding.id == *id);
            found.map(finding).ok_or_else(|| "the finding is over".into())
        }
        (Page::Alerts | Page::Alert(_), _) => alerts::chosen(state).map(|one| alert(one)).ok_or_else(|| "there is no alert".into()),
        (Page::Forecasts | Page::Forecast(_), _) => forecast(state),
        (Page::Causes | Page::Link(..), _) => cause(state),
        (Page::Cgroup(path), _) => Ok(group("control group", path)),
        (Page::Overview, Pane::Processes) => match &state.processes.cursor {
            Some(RowId::Process(id)) => process(state, *id),
            Some(RowId::Program(name)) => Ok(group("program", name)),
            Some(RowId::Cgroup(path)) => Ok(group("control group", path)),
            None => state.chosen_change().ok_or_else(|| "no process is selected".into()).and_then(|change| commands(change)),
        },
        (Page::Overview, Pane::Findings) => state.chosen_finding().map(finding).ok_or_else(|| "there is no finding".into()),
        _ => state.chosen_change().ok_or_else(|| "the queue is empty".into()).and_then(|change| commands(change)),
    }
}

fn group(what: &str, name: &str) -> Copied {
    Copied { what: format!("the name of {what} {name}"), text: name.into() }
}

/// The command line; of a kernel thread, which has none, its name.
fn process(state: &State, id: ProcessId) -> Result<Copied, String> {
    let process: &Process = state.shown().snapshot.process(id).ok_or("the process has ended")?;
    // A close look has the whole of it, a sweep its beginning.
    let whole = state.close_look.of(id).and_then(|look| look.command.as_deref().ok()).unwrap_or(&process.command);
    let text = if whole.is_empty() { &process.name } else { whole };
    Ok(Copied { what: format!("the command line of process {}", id.pid), text: text.to_string() })
}

/// The headline and the numbers behind it.
fn finding(finding: &Finding) -> Copied {
    let mut text = format!("{} {}: {}", finding.severity.sign(), finding.id.kind.words(), finding.headline);
    for evidence in &finding.evidence {
        let unit = evidence.metric.unit();
        let limit = evidence.threshold.map(|limit| format!(" (over {})", unit.show(limit))).unwrap_or_default();
        text.push_str(&format!("\n{} of {}: {}{limit}", evidence.metric.words(), evidence.subject, unit.show(evidence.value)));
    }
    Copied { what: format!("{} of {}", finding.id.kind.words(), finding.id.subject), text }
}

fn alert(alert: &Alert) -> Copied {
    let text = format!("{} {} {}\n{}", alert.id, alert.severity.sign(), alert.headline(), alert.note);
    Copied { what: format!("alert {}", alert.id), text: text.trim_end().into() }
}

/// Where a number is heading, in one line.
fn forecast(state: &State) -> Result<Copied, String> {
    let key = match &state.page {
        Page::Forecast(key) => Some(key.clone()),
        _ => foresight::chosen(state),
    };
    let key = key.ok_or("there is no forecast")?;
    let now = state.shown().now.wall;
    let (_, forecast) = foresight::shown(state, &key).ok_or("there is no forecast of this now")?;
    let unit = key.metric.unit();
    let left = forecast.left(now);
    let end = forecast.ahead(now, left).filter(|_| forecast.reliable).map(|band| {
        let within = range(unit, band.lo80, band.hi80);
        format!("in {} {} ({within} in 80 of 100 cases)", about(left), unit.show(band.point))
    });
    let says: Vec<String> = forecast.doubt().into_iter().chain(end).chain(forecast.limit(now)).collect();
    Ok(Copied { what: format!("the forecast of {}", key.path()), text: format!("{}: {}", key.path(), says.join("; ")) })
}

/// A story with its suspects, or the line about a link or a pattern.
fn cause(state: &State) -> Result<Copied, String> {
    let outlook = foresight::outlook(state).ok_or("nothing is known yet")?;
    let cause = match &state.page {
        Page::Link(leads, follows) => Some(Cause::Link(leads.clone(), follows.clone())),
        _ => foresight::chosen_cause(state),
    };
    let text = match cause.ok_or("nothing is known yet")? {
        Cause::Story(symptom, began) | Cause::Suspect(symptom, began, _) => {
            outlook.stories.iter().find(|story| story.symptom == symptom && story.began == began).map(story)
        }
        Cause::Link(leads, follows) => {
            outlook.links.iter().find(|link| link.leads == leads && link.follows == follows).map(Link::words)
        }
        Cause::Pattern(key) => outlook.patterns.iter().find(|pattern| pattern.key == key).map(Pattern::words),
    };
    Ok(Copied { what: "the cause".into(), text: text.ok_or("this is no longer so")? })
}

fn story(story: &Story) -> String {
    let mut text = story.headline.clone();
    for suspect in &story.suspects {
        text.push_str(&format!("\n{:.0} % {} ({})", suspect.confidence * 100.0, suspect.name, suspect.subject));
        suspect.supports.iter().for_each(|one| text.push_str(&format!("\n  + {one}")));
        suspect.against.iter().for_each(|one| text.push_str(&format!("\n  - {one}")));
    }
    text
}

/// The commands for the way there, or, once applied, for the way back.
fn commands(change: &Change) -> Result<Copied, String> {
    let plan =
        change.plan.as_ref().filter(|plan| !plan.steps.is_empty()).ok_or_else(|| format!("{} has no plan yet", change.id))?;
    let back = change.state.is_live();
    let lines: Vec<&str> = if back {
        plan.steps.iter().rev().map(|step| step.undo.as_str()).collect()
    } else {
        plan.steps.iter().map(|step| step.apply.as_str()).collect()
    };
    let what = if back { "undo" } else { "do" };
    Ok(Copied { what: format!("{} to {what} {}", count(lines.len(), "command"), change.id), text: lines.join("\n") })
}
