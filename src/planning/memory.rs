//! What past changes taught: when something was applied, which knobs were reversed or rejected, what brought nothing.
//!
//! A fold of the journal's entries of this boot, so that a restarted engine remembers its budgets and cool-downs. Pure.

use crate::model::{
    change::{Cause, Change, Deed, Entry},
    proposal::Proposal,
    subject::Subject,
    time::Tick,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

const HOUR: Duration = Duration::from_secs(3600);

/// After this time nothing that is remembered about a knob matters any more.
const LONG: Duration = Duration::from_secs(24 * 3600);

/// The knobs of a proposal, as far as they can be told before a plan exists: the action and what it acts on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Knobs {
    action: Arc<str>,
    on: Vec<Subject>,
}

impl Knobs {
    fn of(proposal: &Proposal) -> Knobs {
        Knobs { action: proposal.action.clone(), on: proposal.wants.iter().map(|want| want.on.clone()).collect() }
    }
}

/// What is remembered of the knobs of one action.
#[derive(Clone, Debug, Default)]
struct Past {
    /// Last written by us, either way.
    touched: Option<Tick>,
    /// Undone, newest last.
    reversals: VecDeque<Tick>,
    /// Undone for no effect, in a row.
    fruitless: u32,
    /// Dismissed by the operator.
    rejected: Option<Tick>,
}

impl Past {
    fn newest(&self) -> Option<Tick> {
        self.touched.max(self.rejected)
    }
}

/// What past changes taught.
#[derive(Debug, Default)]
pub struct Memory {
    applied: VecDeque<Tick>,
    past: HashMap<Knobs, Past>,
}

impl Memory {
    /// Takes one entry; `change` is what it belongs to, with the entry already folded in.
    pub fn take(&mut self, change: &Change, entry: &Entry) {
        let at = entry.now.tick;
        let mut past = |learn: &dyn Fn(&mut Past)| learn(self.past.entry(Knobs::of(&change.proposal)).or_default());
        match &entry.deed {
            Deed::ApplyStarted { .. } => {
                past(&|p| p.touched = Some(at));
                self.applied.push_back(at);
                self.prune(at);
            }
            Deed::RolledBack | Deed::Yielded(_) => past(&|p| {
                p.touched = Some(at);
                p.reversals.push_back(at);
                if change.cause == Some(Cause::NoEffect) {
                    p.fruitless += 1;
                }
            }),
            Deed::Kept => past(&|p| p.fruitless = 0),
            Deed::Rejected => past(&|p| p.rejected = Some(at)),
            _ => {}
        }
    }

    fn prune(&mut self, now: Tick) {
        self.applied.retain(|at| now.since(*at) < HOUR);
        self.past.retain(|_, past| past.newest().is_some_and(|at| now.since(at) < LONG));
    }

    /// Applications within the last hour.
    pub fn applied(&self, now: Tick) -> usize {
        self.applied.iter().filter(|at| now.since(**at) < HOUR).count()
    }

    /// Reversals of the proposal's knobs within the last hour.
    pub fn reversals(&self, proposal: &Proposal, now: Tick) -> usize {
        self.of(proposal).map_or(0, |past| past.reversals.iter().filter(|at| now.since(**at) < HOUR).count())
    }

    /// Seconds until the proposal's knobs may be touched again: its cool-down, doubled for each time in a row that it brought nothing.
    pub fn cooling(&self, proposal: &Proposal, now: Tick) -> Option<f64> {
        let past = self.of(proposal)?;
        let waits = proposal.cooldown * f64::from(1_u32 << past.fruitless.min(10));
        let left = waits - now.seconds_since(past.touched?);
        (left > 0.0).then_some(left)
    }

    /// True when the operator dismissed this advice less than `span` seconds ago.
    pub fn rejected(&self, proposal: &Proposal, now: Tick, span: f64) -> bool {
        self.of(proposal).and_then(|past| past.rejected).is_some_and(|at| now.seconds_since(at) < span)
    }

    fn of(&self, proposal: &Proposal) -> Option<&Past> {
        self.past.get(&Knobs::of(proposal))
    }
}
