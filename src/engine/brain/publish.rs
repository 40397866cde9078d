//! What screens see: made whole from the brain's parts, cheap to clone, numbered.

use crate::{
    engine::brain::{auto, known::Known, office::Office, rescue::rescue::Rescue},
    model::{
        change::Change,
        finding::Finding,
        message::{View, Welcome},
        metric::Key,
        role::Role,
        series::Point,
        subject::Subject,
        time::Now,
    },
    planning::policy,
};
use std::sync::Arc;

/// What is known of the host, and its emergencies.
type Seen<'a> = (&'a Known, &'a Rescue);

/// Makes views and counts them.
#[derive(Debug)]
pub struct Publisher {
    number: u64,
    engine: u32,
}

impl Publisher {
    /// For an engine of that pid.
    pub fn new(engine: u32) -> Publisher {
        Publisher { number: 0, engine }
    }

    /// The next view.
    pub fn view(&mut self, now: Now, known: Seen<'_>, office: &Office) -> View {
        self.number += 1;
        self.present(now, known, office)
    }

    fn present(&self, now: Now, (known, rescue): Seen<'_>, office: &Office) -> View {
        let changes: Vec<Arc<Change>> = office.ledger.all().rev().cloned().collect();
        View {
            number: self.number,
            now,
            mode: office.mode,
            facts: known.senses.facts.clone(),
            snapshot: known.senses.snapshot.clone(),
            findings: findings(known, rescue),
            changes: Arc::new(changes),
            problems: rescue.problems().chain(problems(office)).chain(known.alerts.problems()).collect(),
            halted: office.halted().map(Into::into),
            cost: known.senses.cost,
            guard: office.guard.clone(),
            engine: self.engine,
            alerts: known.alerts.shown.clone(),
            outlook: Some(known.outlook.clone()),
            emergencies: rescue.shown(),
            present: Vec::new(),
            trust: office.ledger.trust.trust(),
        }
    }

    /// The present view with the history of everything but processes.
    pub fn welcome(&self, now: Now, (known, rescue): Seen<'_>, office: &Office) -> Welcome {
        let kept = known.history.series.iter().filter(|(key, _)| !matches!(key.subject, Subject::Process(_)));
        let mut history: Vec<(Key, Vec<Point>)> = kept.map(|(key, series)| (key.clone(), series.points().collect())).collect();
        history.sort_by(|(a, _), (b, _)| a.cmp(b));
        Welcome { view: self.present(now, (known, rescue), office), history, role: Role::Admin }
    }
}

/// Emergencies come first.
fn findings(known: &Known, rescue: &Rescue) -> Arc<Vec<Finding>> {
    let mut first = rescue.findings();
    if first.is_empty() {
        return known.alarms.findings.clone();
    }
    first.extend(known.alarms.findings.iter().cloned());
    Arc::new(first)
}

fn problems(office: &Office) -> impl Iterator<Item = String> + '_ {
    let journal = office.journal.iter().map(|why| format!("the journal cannot be written, no new change begins: {why}"));
    let halted = office.halted().map(policy::halted);
    let demoted = auto::demoted(office);
    let trust = office.ledger.trust.trust().filter(|trust| trust.lost).map(|trust| trust.words());
    let ours = halted.into_iter().chain(journal).chain(demoted).chain(trust);
    ours.chain(office.history.iter().chain(&office.foresight).map(ToString::to_string))
}
