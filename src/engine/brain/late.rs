//! Kept changes stay under guard of their guardrails for a while (`analysis::impact::late`). What an operator has kept is theirs: there
//! harm is told and not undone.

use crate::{
    analysis::impact::{case::Case, guard, late::Late},
    engine::brain::office::Office,
    model::{
        change::{Change, ChangeId, ChangeState, Who},
        metric::Key,
        series::SeriesSet,
        time::Tick,
        trial::Trial,
    },
};
use std::collections::BTreeMap;

/// A change that was kept a moment ago, with how it was watched.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// Since when the trouble held.
    pub since: Tick,
    /// When it was applied.
    pub applied: Tick,
    /// How it was judged.
    pub trial: Trial,
}

/// All kept changes under guard. Only what this engine watched has a measure; they are as few as a day's changes.
#[derive(Debug, Default)]
pub struct LateWatches {
    fresh: BTreeMap<ChangeId, Fresh>,
    all: BTreeMap<ChangeId, Late>,
    looked: Tick,
}

impl LateWatches {
    /// A change is kept.
    pub fn keep(&mut self, id: ChangeId, fresh: Fresh) {
        self.fresh.insert(id, fresh);
    }

    /// The keys that must be seen.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.all.values().flat_map(Late::keys)
    }

    /// Looks every few seconds; the changes that the engine kept and that turn out to harm.
    pub fn tend(&mut self, series: &SeriesSet, office: &mut Office) -> Vec<ChangeId> {
        let now = office.now.tick;
        for (id, fresh) in std::mem::take(&mut self.fresh) {
            let (others, Fresh { since, applied, trial }) = (office.ledger.others(id), fresh);
            let case = Case { series, since, applied, now, others: &others, off: &[] };
            let risk = office.ledger.get(id).map(|change| change.proposal.risk);
            self.all.extend(risk.and_then(|risk| Late::of(&trial, &case, risk)).map(|late| (id, late)));
        }
        if now.since(self.looked) < crate::analysis::impact::case::seconds(guard::LOOK) {
            return Vec::new();
        }
        self.looked = now;
        self.all.retain(|id, late| !late.is_over(now) && office.ledger.get(*id).is_some_and(|c| c.state == ChangeState::Kept));
        let harmed: Vec<(ChangeId, String)> =
            self.all.iter_mut().filter_map(|(id, late)| Some((*id, late.look(series, now)?))).collect();
        let mut blamed = Vec::new();
        for (id, why) in harmed {
            self.all.remove(&id);
            let ours = office.ledger.get(id).is_some_and(kept_by_engine);
            let after = if ours { "" } else { "; it was kept by an operator and stays: roll it back" };
            office.log(log::Level::Warn, format!("{id}: {why}{after}"));
            blamed.extend(ours.then_some(id));
        }
        blamed
    }
}

fn kept_by_engine(change: &Change) -> bool {
    let kept = change.deeds.iter().rev().find(|(_, _, words)| words == "kept");
    kept.is_some_and(|(_, who, _)| *who == Who::Engine)
}
