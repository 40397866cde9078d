//! What past changes taught: when something was applied, which knobs were reversed or rejected, what brought nothing.
//!
//! A fold of the journal's entries of this boot, so that a restarted engine remembers its budgets and cool-downs. Pure.

use crate::model::{
    change::{Cause, Change, ChangeId, Deed, Entry, Who},
    limits::Mode,
    note::Note,
    proposal::{Proposal, Risk},
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
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A knob as far as it can be told before a plan exists: the action and what it acts on.
type Place = (Arc<str>, Subject);

fn places(proposal: &Proposal) -> impl Iterator<Item = Place> + '_ {
    proposal.wants.iter().map(|want| (proposal.action.clone(), want.on.clone()))
}

/// What is remembered of one knob.
#[derive(Clone, Debug, Default)]
struct Past {
    /// Last written by us, either way.
    touched: Option<Tick>,
    /// Undone, newest last.
    reversals: VecDeque<Tick>,
    /// Undone because it did no good, in a row.
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
    /// Applied at high risk.
    high: VecDeque<Tick>,
    /// Undone because they hurt, since an operator last switched to auto.
    harms: VecDeque<(Tick, ChangeId)>,
    past: HashMap<Place, Past>,
}

/// Whether an undo says that the change was no good, and not only that its time was over.
fn is_reproach(cause: Option<Cause>) -> bool {
    !matches!(cause, Some(Cause::Leaving | Cause::Reboot | Cause::LostWatcher) | None)
}

impl Memory {
    /// Takes one entry; `change` is what it belongs to, with the entry already folded in.
    pub fn take(&mut self, change: &Change, entry: &Entry) {
        let at = entry.now.tick;
        let mut past = |learn: &dyn Fn(&mut Past)| {
            places(&change.proposal).for_each(|place| learn(self.past.entry(place).or_default()));
        };
        match &entry.deed {
            Deed::ApplyStarted { .. } => {
                past(&|p| p.touched = Some(at));
                // What is asked for by hand does not use up the budget of what is proposed.
                if !change.proposal.asked {
                    self.applied.push_back(at);
                    if change.proposal.risk == Risk::High {
                        self.high.push_back(at);
                    }
                }
            }
            // A dry run rests like a wet one, else it would come again with the next sweep.
            Deed::Refused(refusal) if refusal.is_dry() => {
                past(&|p| p.touched = Some(at));
                if !change.proposal.asked {
                    self.applied.push_back(at);
                }
            }
            Deed::RollbackStarted(Cause::Hurt) if !self.harms.iter().any(|(_, id)| *id == change.id) => {
                self.harms.push_back((at, change.id));
            }
            Deed::RolledBack | Deed::Yielded(_) => past(&|p| {
                p.touched = Some(at);
                p.reversals.push_back(at);
                if is_reproach(change.cause) {
                    p.fruitless += 1;
                }
            }),
            Deed::Kept => past(&|p| p.fruitless = 0),
            Deed::Rejected => past(&|p| p.rejected = Some(at)),
            _ => return,
        }
        self.prune(at);
    }

    /// Takes what happened to the engine itself: an operator who switches to auto has seen the harm that was done.
    pub fn note(&mut self, note: &Note, who: &Who) {
        if let (Note::Mode { to: Mode::Auto, .. }, Who::Operator { .. }) = (note, who) {
            self.harms.clear();
        }
    }

    fn prune(&mut self, now: Tick) {
        self.applied.retain(|at| now.since(*at) < HOUR);
        self.high.retain(|at| now.since(*at) < DAY);
        self.harms.retain(|(at, _)| now.since(*at) < DAY);
        self.past.retain(|_, past| past.newest().is_some_and(|at| now.since(at) < DAY));
    }

    /// Applications within the last hour.
    pub fn applied(&self, now: Tick) -> usize {
        self.applied.iter().filter(|at| now.since(**at) < HOUR).count()
    }

    /// Applications of high risk within the last day.
    pub fn applied_high(&self, now: Tick) -> usize {
        self.high.iter().filter(|at| now.since(**at) < DAY).count()
    }

    /// Changes that hurt within the last day, since an operator last switched to auto.
    pub fn harms(&self, now: Tick) -> usize {
        self.harms.iter().filter(|(at, _)| now.since(*at) < DAY).count()
    }

    /// Reversals within the last hour of the one of the proposal's knobs that had most.
    pub fn reversals(&self, proposal: &Proposal, now: Tick) -> usize {
        self.of(proposal).map(|past| past.reversals.iter().filter(|at| now.since(**at) < HOUR).count()).max().unwrap_or(0)
    }

    /// Seconds until all of the proposal's knobs may be touched again: its cool-down, doubled for each time in a row that one of them
    /// had to be undone.
    pub fn cooling(&self, proposal: &Proposal, now: Tick) -> Option<f64> {
        let left = |past: &Past| {
            let waits = proposal.cooldown * f64::from(1_u32 << past.fruitless.min(10));
            Some(waits - now.seconds_since(past.touched?))
        };
        self.of(proposal).filter_map(left).filter(|left| *left > 0.0).max_by(f64::total_cmp)
    }

    /// True when the operator dismissed this for at least half of its subjects less than `span` seconds ago.
    pub fn rejected(&self, proposal: &Proposal, now: Tick, span: f64) -> bool {
        let fresh = |past: &&Past| past.rejected.is_some_and(|at| now.seconds_since(at) < span);
        let count = self.of(proposal).filter(fresh).count();
        count > 0 && 2 * count >= proposal.wants.len()
    }

    fn of(&self, proposal: &Proposal) -> impl Iterator<Item = &Past> {
        places(proposal).filter_map(|place| self.past.get(&place))
    }
}
