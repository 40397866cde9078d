//! Rejections teach: advice that operators rejected several times is not given again for long. They are counted by the advice's lasting
//! number, so that the next process of the same program counts as the same.

use crate::{
    model::{change::Change, finding::FindingKind, lesson::Veto, limits::Policy, time::Wall},
    planning::learning::kin,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Rejections longer ago do not count.
const LONG: i64 = 30 * 86_400_000;
/// Advice remembered at most; of more, the one rejected longest ago is forgotten.
const MOST: usize = 256;

#[derive(Debug)]
struct Scope {
    action: Arc<str>,
    kind: FindingKind,
    on: Arc<str>,
    rejected: VecDeque<Wall>,
}

/// Rejected advice by its number.
#[derive(Debug, Default)]
pub struct Vetoes {
    scopes: BTreeMap<String, Scope>,
}

impl Vetoes {
    /// Somebody rejected it, or took it back once it was in force.
    pub fn reject(&mut self, change: &Change, at: Wall) {
        let (proposal, finding) = (&change.proposal, &change.finding);
        let fresh = || Scope {
            action: proposal.action.clone(),
            kind: proposal.finding.kind,
            on: kin::names(proposal, finding),
            rejected: VecDeque::new(),
        };
        let scope = self.scopes.entry(kin::advice(proposal, finding)).or_insert_with(fresh);
        scope.rejected.push_back(at);
        while scope.rejected.front().is_some_and(|first| at.0 - first.0 > LONG) {
            scope.rejected.pop_front();
        }
        if self.scopes.len() > MOST
            && let Some(oldest) = self.scopes.iter().min_by_key(|(_, s)| s.rejected.back().copied()).map(|(id, _)| id.clone())
        {
            self.scopes.remove(&oldest);
        }
    }

    /// Somebody approved it after all.
    pub fn accept(&mut self, change: &Change) {
        self.scopes.remove(&kin::advice(&change.proposal, &change.finding));
    }

    /// Before when advice of that number is not given, if so.
    pub fn until(&self, advice: &str, policy: &Policy, now: Wall) -> Option<Wall> {
        self.scopes.get(advice)?.until(policy, now)
    }

    /// All of them that still count.
    pub fn list(&self, policy: &Policy, now: Wall) -> Vec<Veto> {
        let counts = |scope: &Scope| scope.rejected.iter().filter(|at| now.0 - at.0 <= LONG).count();
        let veto = |(advice, scope): (&String, &Scope)| Veto {
            advice: advice.clone(),
            action: scope.action.clone(),
            kind: scope.kind,
            on: scope.on.clone(),
            rejections: u32::try_from(counts(scope)).unwrap_or(u32::MAX),
            until: scope.until(policy, now),
        };
        self.scopes.iter().map(veto).filter(|veto| veto.rejections > 0).collect()
    }
}

impl Scope {
    fn until(&self, policy: &Policy, now: Wall) -> Option<Wall> {
        // Counted back from the newest: what fell within one month of it.
        let newest = self.rejected.back()?;
        let count = self.rejected.iter().filter(|at| newest.0 - at.0 <= LONG).count();
        let until = Wall(newest.0.saturating_add((policy.veto * 1000.0) as i64));
        (count >= policy.rejections as usize && now < until).then_some(until)
    }
}
