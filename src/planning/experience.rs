//! What an action did here before, where it was tried against the same kind of trouble: the effect to expect of it now.
//!
//! A fold of the journal's verdicts, of every boot. The median of the effects on the primary, with the interval that their order alone gives
//! (Clopper and Pearson's for the median): of few trials that is the whole range of what was seen, and how sure it is is said.

use crate::model::{
    change::{Change, Deed, Entry},
    finding::FindingKind,
    metric::Metric,
    proposal::Proposal,
    unit::Unit,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Effects remembered of each, the newest.
const MOST: usize = 32;
/// Fewer say nothing.
const LEAST: usize = 3;
/// Confidence that an interval is widened for, if there are trials enough.
const SURE: f64 = 0.95;

/// An action against a kind of trouble, measured by a metric.
type Kind = (Arc<str>, FindingKind, Metric);

/// What actions did here before.
#[derive(Debug, Default)]
pub struct Experience {
    effects: HashMap<Kind, VecDeque<f64>>,
}

/// The effect to expect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Median of the relative changes of the primary.
    pub median: f64,
    /// The interval that holds the true median.
    pub interval: (f64, f64),
    /// How sure that is, 0 to 1.
    pub sure: f64,
    /// Trials.
    pub count: usize,
}

fn kind(proposal: &Proposal) -> Kind {
    (proposal.action.clone(), proposal.finding.kind, proposal.trial.primary.metric)
}

impl Experience {
    /// Takes one entry; `change` is what it belongs to.
    pub fn take(&mut self, change: &Change, entry: &Entry) {
        let Deed::Judged(verdict) = &entry.deed else { return };
        let Some(effect) = verdict.effect.filter(|e| e.change.is_finite()) else { return };
        let known = self.effects.entry(kind(&change.proposal)).or_default();
        known.push_back(effect.change);
        while known.len() > MOST {
            known.pop_front();
        }
    }

    /// How often it was judged here, at most as often as is remembered.
    pub fn count(&self, proposal: &Proposal) -> usize {
        self.effects.get(&kind(proposal)).map_or(0, VecDeque::len)
    }

    /// The effect to expect of a proposal; `None` with too little experience.
    pub fn expected(&self, proposal: &Proposal) -> Option<Expected> {
        let mut order: Vec<f64> = self.effects.get(&kind(proposal))?.iter().copied().collect();
        order.sort_by(f64::total_cmp);
        expected(&order)
    }

    /// Adds it to what the proposal promises.
    pub fn tell(&self, proposal: &mut Proposal) {
        let Some(expected) = self.expected(proposal) else { return };
        let metric = proposal.trial.primary.metric.words();
        proposal.expect = format!("{} Here so far: {metric} {}.", proposal.expect, expected.words()).trim_start().into();
    }
}

impl Expected {
    /// Such as `-34 % (-45 to -20 in 94 of 100 cases, 5 times)`.
    pub fn words(&self) -> String {
        let share = |v: f64| format!("{:+.0}", v * 100.0);
        let (low, high) = self.interval;
        let sure = Unit::Count.show((self.sure * 100.0).floor());
        format!("{} % ({} to {} in {sure} of 100 cases, {} times)", share(self.median), share(low), share(high), self.count)
    }
}

/// Of sorted effects.
fn expected(order: &[f64]) -> Option<Expected> {
    let count = order.len();
    if count < LEAST {
        return None;
    }
    let at = |place: usize| order.get(place).copied();
    let median = f64::midpoint(at((count - 1) / 2)?, at(count / 2)?);
    // Between the values at `cut` from both ends the true median lies unless all but `cut` fall on one side of it.
    let cut = (0..count / 2).rev().find(|cut| covers(count, *cut) >= SURE).unwrap_or(0);
    Some(Expected { median, interval: (at(cut)?, at(count - 1 - cut)?), sure: covers(count, cut), count })
}

/// The chance that the true median lies between the values at `cut` from both ends of so many.
fn covers(count: usize, cut: usize) -> f64 {
    let mut ways = 1.0_f64;
    let mut outside = 0.0;
    for i in 0..=cut {
        outside += ways;
        ways *= (count - i) as f64 / (i as f64 + 1.0);
    }
    1.0 - 2.0 * outside * 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn few_trials_give_their_whole_range_and_many_a_narrower_one() {
        assert_eq!(expected(&[-0.4, -0.3]), None);
        let five = expected(&[-0.45, -0.4, -0.34, -0.3, -0.2]).unwrap();
        assert_eq!((five.median, five.interval, five.count), (-0.34, (-0.45, -0.2), 5));
        assert!((five.sure - 0.9375).abs() < 1e-12, "all five on one side: 2 of 32");
        assert_eq!(five.words(), "-34 % (-45 to -20 in 93 of 100 cases, 5 times)");
        let many: Vec<f64> = (0..21).map(|i| f64::from(i) / 100.0).collect();
        let many = expected(&many).unwrap();
        assert!(many.median == 0.1 && many.interval == (0.05, 0.15) && many.sure >= SURE, "{many:?}");
    }
}
