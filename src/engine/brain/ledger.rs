//! Changes as the fold of the entries that the hands report as durable, with what the fold of one change does not hold: which digest
//! was approved when, and what past changes taught.

use crate::{
    analysis::impact::trust::Record,
    model::{
        change::{Change, ChangeId, ChangeState, Deed, Endorsement, Entry, Illegal, Who},
        limits::Policy,
        note::Note,
        time::{Now, Tick, Wall},
    },
    planning::{experience::Experience, learning::learned::Learned, memory::Memory},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Ended changes kept for the screen.
const ENDED: usize = 50;

/// Milliseconds of a week.
const WEEK: i64 = 7 * 24 * 3600 * 1000;

/// Verdicts of a week that are remembered, the newest.
const VERDICTS: usize = 1000;

/// An approval: of which plan, when.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Digest of the plan.
    pub digest: String,
    /// When.
    pub at: Tick,
    /// How many people stand behind it.
    pub people: u8,
}

/// All changes that matter now, and the newest ended ones.
#[derive(Debug, Default)]
pub struct Ledger {
    changes: BTreeMap<ChangeId, Arc<Change>>,
    approvals: BTreeMap<ChangeId, Approval>,
    /// In which order changes were begun to be applied: not that of their numbers.
    begun: BTreeMap<ChangeId, u64>,
    newest: u64,
    boot: String,
    /// What past changes taught.
    pub memory: Memory,
    /// What actions did here before, in this boot and in earlier ones.
    pub experience: Experience,
    /// Chances of the verdicts of the last seven days, oldest first.
    pub week: VecDeque<(Wall, f64)>,
    /// Whether verdicts of this host can be believed.
    pub trust: Record,
    /// What all of that taught.
    pub learned: Learned,
}

impl Ledger {
    /// The fold of a journal, for an engine of that boot.
    pub fn new(entries: &[(u64, Entry)], boot: &str, policy: &Policy) -> Ledger {
        let mut ledger = Ledger { boot: boot.into(), learned: Learned::new(policy), ..Ledger::default() };
        for (_, entry) in entries {
            // Entries were legal when they were written; one that is not (another version's) must not stop the engine.
            let _skipped = ledger.take(entry);
        }
        ledger
    }

    /// Folds one entry.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Illegal> {
        let id = entry.change;
        self.newest = self.newest.max(id.0);
        if let Deed::Noted(note) = &entry.deed {
            if let Note::Tested { outcome, .. } = **note {
                self.trust.take(outcome);
            }
            self.learned.note(note, entry.now.wall);
            if entry.boot == self.boot {
                self.memory.note(note, &entry.who);
            }
            return Ok(());
        }
        let endorsed = self.changes.get(&id).and_then(|change| change.endorsed.clone());
        if let Some(begun) = Change::begin(entry) {
            self.changes.insert(id, Arc::new(begun));
        } else {
            // A change that is not there has ended long ago, or never began.
            let unknown = Illegal { state: ChangeState::Expired, deed: entry.deed.words() };
            Arc::make_mut(self.changes.get_mut(&id).ok_or(unknown)?).take(entry)?;
        }
        self.note_approval(entry, endorsed.as_ref());
        if matches!(entry.deed, Deed::ApplyStarted { .. }) {
            self.begun.insert(id, self.begun.values().max().map_or(1, |last| last + 1));
        }
        self.note_verdict(entry);
        if self.changes.get(&id).is_some_and(|c| !c.state.is_open() && !c.state.is_live()) {
            self.drop_oldest(id);
        }
        if let Some(change) = self.changes.get(&id) {
            self.experience.take(change, entry);
            self.learned.take(change, entry);
            if entry.boot == self.boot {
                self.memory.take(change, entry);
            }
        }
        Ok(())
    }

    /// Remembers what a verdict claims for a week, after which it is no longer held against others.
    fn note_verdict(&mut self, entry: &Entry) {
        if let Deed::Judged(verdict) = &entry.deed
            && let Some(chance) = verdict.chance
        {
            self.week.push_back((entry.now.wall, chance));
        }
        while self.week.front().is_some_and(|(at, _)| entry.now.wall.0 - at.0 > WEEK) || self.week.len() > VERDICTS {
            self.week.pop_front();
        }
    }

    fn note_approval(&mut self, entry: &Entry, endorsed: Option<&Endorsement>) {
        match &entry.deed {
            Deed::Approved { digest } => {
                let first = endorsed.filter(|first| first.digest == *digest && first.who.user() != entry.who.user());
                let people = u8::from(matches!(entry.who, Who::Operator { .. })) + u8::from(first.is_some());
                let at = entry.now.tick;
                self.approvals.insert(entry.change, Approval { digest: digest.clone(), at, people });
            }
            Deed::Prepared => {}
            _ => {
                self.approvals.remove(&entry.change);
            }
        }
    }

    /// Drops the oldest ended changes, but never `but`, which has just ended.
    fn drop_oldest(&mut self, but: ChangeId) {
        let ended = |c: &Change| !c.state.is_open() && !c.state.is_live();
        let over = self.changes.values().filter(|c| ended(c)).count().saturating_sub(ENDED);
        let oldest: Vec<ChangeId> = self.changes.values().filter(|c| ended(c) && c.id != but).map(|c| c.id).take(over).collect();
        for id in oldest {
            self.changes.remove(&id);
            self.begun.remove(&id);
        }
    }

    /// Which of all changes that were begun to be applied this one was; those that were not come last.
    pub fn turn(&self, id: ChangeId) -> u64 {
        self.begun.get(&id).copied().unwrap_or(u64::MAX)
    }

    /// Live changes that were applied on top of this one, to one of its knobs: the newest first.
    pub fn above(&self, id: ChangeId) -> Vec<ChangeId> {
        let Some(plan) = self.get(id).and_then(|c| c.plan.as_ref()) else { return Vec::new() };
        let shares = |other: &Change| other.plan.iter().flat_map(|p| &p.steps).any(|a| plan.steps.iter().any(|b| a.knob == b.knob));
        let turn = self.turn(id);
        let mut above: Vec<ChangeId> = self.live().filter(|c| self.turn(c.id) > turn && shares(c)).map(|c| c.id).collect();
        above.sort_unstable_by_key(|other| std::cmp::Reverse(self.turn(*other)));
        above
    }

    /// A number that no change has had.
    pub fn number(&mut self) -> ChangeId {
        self.newest += 1;
        ChangeId(self.newest)
    }

    /// The change of that number.
    pub fn get(&self, id: ChangeId) -> Option<&Change> {
        self.changes.get(&id).map(|change| &**change)
    }

    /// The same, to update what is not journaled (preview, foresight, track).
    pub fn get_mut(&mut self, id: ChangeId) -> Option<&mut Change> {
        self.changes.get_mut(&id).map(Arc::make_mut)
    }

    /// The approval in force.
    pub fn approval(&self, id: ChangeId) -> Option<&Approval> {
        self.approvals.get(&id)
    }

    /// Every change, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Change>> {
        self.changes.values()
    }

    /// From when to when other changes than `but` were applied and watched, or in force until they were undone, in this boot.
    pub fn others(&self, but: ChangeId) -> Vec<(Tick, Tick)> {
        let here = self.all().filter(|c| c.id != but && c.plan.as_ref().is_some_and(|plan| plan.boot == self.boot));
        here.filter_map(|c| {
            let (begin, windows) = (c.applied?.tick, c.proposal.trial.windows);
            let watched = Duration::try_from_secs_f64(windows.settle + windows.after).unwrap_or_default();
            Some((begin, c.undone.map_or(begin + watched, |undone| undone.tick)))
        })
        .collect()
    }

    /// Changes that wait for the operator.
    pub fn open(&self) -> impl Iterator<Item = &Change> {
        self.all().map(|c| &**c).filter(|c| c.state.is_open())
    }

    /// Changes whose values the machine may hold.
    pub fn live(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.all().map(|c| &**c).filter(|c| c.state.is_live())
    }
}

/// Since when the trouble that a change answers has held, on the clock of `now`, from the wall time that its finding bears. Trouble that
/// has not come yet began no regime of its own: all that was measured before is before.
pub fn troubled(change: &Change, now: Now) -> Tick {
    if change.finding.id.kind.is_predicted() {
        return Tick(0);
    }
    let ago = Duration::from_millis(u64::try_from(now.wall.0.saturating_sub(change.finding.since.0)).unwrap_or(0));
    Tick(now.tick.0.saturating_sub(u64::try_from(ago.as_nanos()).unwrap_or(u64::MAX)))
}
