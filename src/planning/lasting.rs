//! What has proved itself, as the proposal to make it outlive a boot: a second change, approved on its own. Pure.
//!
//! Only a change that was judged to help and is kept, and only if all that it set can be written down for later boots: a part of it would
//! be another change than the one that was measured.

use crate::model::{
    change::{Change, ChangeState},
    knob::Knob,
    metric::Better,
    plan::Step,
    proposal::{Course, Proposal, Risk, Want},
    subject::Subject,
    trial::{Trial, Windows},
    verdict::Outcome,
};

/// The proposal, where there is one to make.
pub fn proposal(change: &Change) -> Option<Proposal> {
    let helped = change.verdict.as_ref().is_some_and(|verdict| verdict.outcome == Outcome::Better);
    if change.state != ChangeState::Kept || !helped || !change.proposal.course.is_usual() {
        return None;
    }
    let steps = change.plan.as_ref()?.steps.iter().filter(|step| step.before != step.after);
    let wants: Vec<Want> = steps.map(want).collect::<Option<_>>()?;
    let first = wants.first()?;
    let what: String = first.to.chars().take(30).collect();
    let more = if wants.len() > 1 { format!(" and {} more", wants.len() - 1) } else { String::new() };
    let why = change.verdict.as_ref().map_or("", |verdict| verdict.why.trim_end_matches('.'));
    Some(Proposal {
        action: "persist".into(),
        finding: change.proposal.finding.clone(),
        title: format!("keep {what}{more} over boots"),
        why: format!("{} was measured and kept: {why}. A boot would take it away.", change.id),
        mechanism: "A small file of trimtab's own below /etc sets it again at each boot; nothing that runs is changed now.".into(),
        expect: "0 values change now; the next boot begins with what stands now.".into(),
        undo: "The file is taken away, if it is still as it was written.".into(),
        wants,
        risk: Risk::Medium,
        reversible: true,
        domain: change.proposal.domain.clone(),
        trial: unjudged(&change.proposal.trial),
        fit: 0.5,
        cooldown: 0.0,
        asked: false,
        foreseen: None,
        course: Course::Lasting(change.id),
    })
}

/// One setting as words of the `persist` action: `vm/swappiness = 20` of the host, `app.service CPUWeight=20` of a unit's cgroup.
fn want(step: &Step) -> Option<Want> {
    match &step.knob {
        Knob::UnitProperty { unit, directory, property } => {
            let to = format!("{unit} {}={}", property.name(), step.after);
            Some(Want { on: Subject::Cgroup(directory.path.as_str().into()), to })
        }
        knob => Some(Want { on: Subject::Host, to: format!("{} = {}", knob.sysctl()?, step.after) }),
    }
}

/// Nothing is measured; the words want a metric all the same.
fn unjudged(trial: &Trial) -> Trial {
    Trial {
        primary: trial.primary.clone(),
        better: Better::Lower,
        least: 0.0,
        guardrails: Vec::new(),
        controls: Vec::new(),
        windows: Windows { before: 0.0, settle: 0.0, after: 0.0 },
        prevents: None,
    }
}
