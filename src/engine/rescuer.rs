//! How the hands climb a rung (`reference/safety.md`, 11, 15 and 16): with a plan that was made and knobs that were opened while there was
//! time, written down without waiting for the disk, and into a ring in memory where the disk takes nothing.
//!
//! Intent still comes before the deed, and the guard still holds the plan where it can read it; but neither a full disk nor a slow one
//! keeps a rung from being climbed. A rung that can be undone is kept for this run only: when the engine ends, the guard takes it back.

use crate::{
    engine::{
        hands::Hands,
        job::{Climb, Done},
        ring::Ring,
        undo::Case,
    },
    model::{
        change::{ChangeId, Deed, Entry, Who},
        note::Note,
        plan::{Obstacle, Plan, Refusal},
        proposal::Proposal,
    },
    store::chain::digest,
};
use std::collections::BTreeSet;

/// What it takes to climb at once.
#[derive(Default)]
pub(super) struct Rescuer {
    /// Rungs with their plans, as last readied.
    ready: Vec<(Proposal, Plan)>,
    /// What the journal could not take yet.
    ring: Ring,
    /// Numbers that entries of the ring got in the end: the brain knows them already.
    pub(super) caught_up: BTreeSet<u64>,
}

impl Hands {
    /// Makes the plans and opens the knobs.
    pub(super) fn ready(&mut self, rungs: Vec<Proposal>) -> Done {
        let plans: Vec<Result<(Proposal, Plan), Refusal>> =
            rungs.into_iter().map(|proposal| self.prepare(&proposal).map(|plan| (proposal, plan))).collect();
        let ready = plans.iter().map(|plan| plan.as_ref().err().cloned()).collect();
        self.rescuer.ready = plans.into_iter().flatten().collect();
        let knobs: Vec<_> = self.rescuer.ready.iter().flat_map(|(_, plan)| &plan.steps).map(|step| step.knob.clone()).collect();
        self.tools.host.hold(&knobs);
        // A disk that is full now has no room for a reserve either: it is tried again with the next ladder.
        let _later = self.tools.journal.fill_reserve();
        Done { ready: Some(ready), ..Done::default() }
    }

    /// The plan of a rung: the one that was readied, if it still is the same rung; else one made now.
    fn plan_of(&self, proposal: &Proposal) -> Result<Plan, Refusal> {
        let same = |(known, _): &&(Proposal, Plan)| known.wants == proposal.wants;
        match self.rescuer.ready.iter().find(same) {
            Some((_, plan)) => Ok(plan.clone()),
            None => self.prepare(proposal),
        }
    }

    /// Climbs.
    pub(super) fn climb(&mut self, job: &Climb) -> Done {
        if let Some(why) = self.halted() {
            return Done { error: Some(why), ..Done::default() };
        }
        let (id, who) = (job.change, &job.who);
        let proposed = Deed::Proposed { proposal: Box::new(job.proposal.clone()), finding: Box::new(job.finding.clone()) };
        let plan = match self.plan_of(&job.proposal) {
            Ok(plan) => plan,
            Err(refusal) => {
                let why = refusal.why.clone();
                let done = self.put(id, vec![(proposed, who.clone()), (Deed::Refused(refusal), Who::Engine)]);
                return Done { error: Some(why), ..done };
            }
        };
        if let Some(rehearsed) = self.rehearsed(&plan) {
            let done = self.put(id, vec![(proposed, who.clone()), (rehearsed, Who::Engine)]);
            return Done { error: Some("a dry run writes nothing".into()), ..done };
        }
        let deadline = self.tools.host.now().tick + job.confirm;
        let intent = Deed::ApplyStarted { plan: Box::new(plan.clone()), deadline, leave: true };
        let approved = Deed::Approved { digest: digest(&plan.essence()) };
        let begun = [proposed, approved, Deed::Prepared, intent].map(|deed| (deed, who.clone()));
        let mut done = self.put(id, begun.into());
        let reversible = job.proposal.reversible;
        let unguarded = if reversible { self.guard.arm(id).err() } else { None };
        match self.write(&plan) {
            Ok(()) => {
                let end = if reversible { Deed::Kept } else { Deed::Done };
                let after = self.put(id, vec![(Deed::Applied, Who::Engine), (end, Who::Engine)]);
                done.entries.extend(after.entries);
                done.journal_down |= after.journal_down;
                self.guard.disarm(id);
            }
            Err((cause, why)) => {
                let undone = self.roll_back(&Case { change: id, plan: &plan, cause, who: Who::Engine });
                done.journal_down |= undone.journal_down;
                done.error = Some(undone.error.map_or_else(|| why.clone(), |more| format!("{why}; {more}")));
                return done;
            }
        }
        if let Some(why) = unguarded {
            log::error!(target: "engine", "{id} stands without the guard, which would undo it if the engine ended: {why}");
        }
        done
    }

    /// Writes down without waiting for the disk. What the journal does not take goes to the ring, and is reported at once.
    fn put(&mut self, change: ChangeId, deeds: Vec<(Deed, Who)>) -> Done {
        let entries: Vec<Entry> = deeds.into_iter().map(|(deed, who)| self.tools.entry(change, deed, who)).collect();
        if self.rescuer.ring.is_empty()
            && let Ok(Some(_)) = self.tools.journal.append_swiftly(None, &entries)
        {
            return Done::default();
        }
        self.rescuer.ring.keep(&entries);
        Done { entries: entries.into_iter().map(|entry| (0, entry)).collect(), journal_down: true, ..Done::default() }
    }

    /// Brings what waits in the ring to the journal, if it takes it by now.
    pub(super) fn catch_up(&mut self) {
        if self.rescuer.ring.is_empty() {
            return;
        }
        let mut entries = self.rescuer.ring.waiting().to_vec();
        let lost = self.rescuer.ring.lost();
        if lost > 0 {
            entries.push(self.tools.entry(ChangeId::HOUSE, Deed::Noted(Box::new(Note::Lost(lost))), Who::Engine));
        }
        if let Ok(numbers) = self.tools.journal.append(&entries) {
            self.rescuer.ring.written();
            self.rescuer.caught_up.extend(numbers);
        }
    }
}

/// A plan's refusal that no other target would get.
pub fn is_about_the_target(refusal: &Refusal) -> bool {
    matches!(refusal.kind, Obstacle::Protected | Obstacle::Owned | Obstacle::Gone)
}
