//! How long things take here, from the times in the journal: raised to proposed, proposed to approved, intent to applied, undo begun to
//! undone.

use crate::model::{
    change::{Change, ChangeId, Deed, Entry, Who},
    time::{Tick, Wall},
    timing::{Spread, Timings},
};
use std::collections::{BTreeMap, VecDeque};

/// Spans remembered of each kind, the newest.
const MOST: usize = 512;

#[derive(Debug, Default)]
struct Spans(VecDeque<f64>);

impl Spans {
    fn add(&mut self, seconds: f64) {
        if seconds.is_finite() && seconds >= 0.0 {
            self.0.push_back(seconds);
        }
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    fn spread(&self) -> Option<Spread> {
        Spread::of(self.0.iter().copied())
    }
}

/// Spans so far, and deeds that have begun.
#[derive(Debug, Default)]
pub struct Stopwatch {
    propose: Spans,
    decide: Spans,
    automatic: Spans,
    apply: Spans,
    rollback: Spans,
    begun: BTreeMap<ChangeId, (Tick, String)>,
}

impl Stopwatch {
    /// Takes one entry; `change` is what it belongs to. What is asked for by hand is decided by asking.
    pub fn take(&mut self, change: &Change, entry: &Entry) {
        let wall = |from: Wall| (entry.now.wall.0 - from.0) as f64 / 1000.0;
        match &entry.deed {
            Deed::Proposed { finding, .. } if !change.proposal.asked => self.propose.add(wall(finding.since)),
            Deed::Approved { .. } if !change.proposal.asked => match entry.who {
                Who::Operator { .. } => self.decide.add(wall(change.proposed)),
                _ => self.automatic.add(wall(change.proposed)),
            },
            Deed::ApplyStarted { .. } | Deed::RollbackStarted(_) => {
                self.begun.insert(entry.change, (entry.now.tick, entry.boot.clone()));
            }
            Deed::Applied => self.end(entry, |watch| &mut watch.apply),
            Deed::RolledBack => self.end(entry, |watch| &mut watch.rollback),
            Deed::Yielded(_) | Deed::Stuck { .. } => {
                self.begun.remove(&entry.change);
            }
            _ => {}
        }
    }

    /// Ticks count from boot: over a boot there is no span.
    fn end(&mut self, entry: &Entry, spans: impl Fn(&mut Stopwatch) -> &mut Spans) {
        if let Some((from, boot)) = self.begun.remove(&entry.change)
            && boot == entry.boot
        {
            spans(self).add(entry.now.tick.seconds_since(from));
        }
    }

    /// The spreads.
    pub fn timings(&self) -> Timings {
        Timings {
            propose: self.propose.spread(),
            decide: self.decide.spread(),
            automatic: self.automatic.spread(),
            apply: self.apply.spread(),
            rollback: self.rollback.spread(),
        }
    }
}
