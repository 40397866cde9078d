//! The bounds on acting (`reference/safety.md`, 9 and 10): mode, budget, one change per interference domain, cool-down, flaps.
//!
//! Pure. Every refusal says what stands in the way and what to do. Rollback is never asked here: it is always allowed.

use crate::{
    model::{
        change::Change,
        limits::{Mode, Policy},
        message::GuardState,
        plan::{Obstacle, Refusal},
        proposal::{Proposal, Risk},
        time::Tick,
        verdict::Foresight,
    },
    planning::memory::Memory,
};

/// What the bounds are held against.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// When.
    pub now: Tick,
    /// The mode in force.
    pub mode: Mode,
    /// The numbers.
    pub policy: &'a Policy,
    /// What past changes taught.
    pub memory: &'a Memory,
    /// How the guard stands.
    pub guard: &'a GuardState,
    /// Why the journal cannot be written, if so.
    pub journal: Option<&'a str>,
}

impl Standing<'_> {
    /// Whether any change may begin now.
    pub fn may_act(&self) -> Result<(), Refusal> {
        if self.mode == Mode::Observe {
            return refuse("the mode is observe, nothing is applied: switch to suggest first");
        }
        if let Some(why) = self.journal {
            return refuse(format!(
                "the journal cannot be written ({why}), so no change begins: mend that first; rollback still works"
            ));
        }
        if let GuardState::Failed(why) = self.guard {
            return refuse(format!("the guard that would undo it is not running ({why}): no change begins without it"));
        }
        let applied = self.memory.applied(self.now);
        if applied >= self.policy.per_hour {
            return refuse(format!(
                "{applied} changes were applied within the hour, the budget is {}: wait, or raise per_hour",
                self.policy.per_hour
            ));
        }
        Ok(())
    }

    /// Whether these knobs may be touched now.
    pub fn may_touch(&self, proposal: &Proposal) -> Result<(), Refusal> {
        if proposal.risk == Risk::High && self.memory.high(self.now) >= self.policy.high_per_day {
            return refuse(format!(
                "{} changes of high risk were applied within a day: that is the budget",
                self.policy.high_per_day
            ));
        }
        let flaps = self.memory.reversals(proposal, self.now);
        if flaps >= self.policy.flaps {
            return refuse(format!(
                "these knobs were set and undone {flaps} times within the hour: they are left alone until that hour is over"
            ));
        }
        match self.memory.cooling(proposal, self.now) {
            Some(left) => refuse(format!("these knobs were touched a moment ago: they rest for another {left:.0} s")),
            None => Ok(()),
        }
    }

    /// Whether `change` can be told apart from `rivals`, the other changes that nobody has confirmed yet.
    pub fn is_alone<'c>(&self, change: &Change, rivals: impl IntoIterator<Item = &'c Change>) -> Result<(), Refusal> {
        let domain = &change.proposal.domain;
        let rival = rivals.into_iter().find(|other| other.id != change.id && other.proposal.domain == *domain);
        match rival {
            Some(other) => refuse(format!(
                "{} ({}) is {} in the same domain ({domain:?}) and their effects could not be told apart: wait for its verdict, keep it or roll it back",
                other.id,
                other.proposal.title,
                other.state.words()
            )),
            None => Ok(()),
        }
    }

    /// Whether auto mode may take this change by itself: low risk, exact undo, nothing in the way, and data that can show its effect.
    /// What answers trouble that has not come yet has no effect to show; there the forecast must be sure enough.
    pub fn may_be_automatic(&self, change: &Change) -> bool {
        let proposal = &change.proposal;
        let visible = |f: Foresight| !f.short && f.detectable < 3.0 * proposal.trial.least;
        let sure = match proposal.foreseen {
            Some(confidence) => confidence >= self.policy.foresight,
            None => change.foresight.is_some_and(visible),
        };
        let watched = proposal.course.is_watched();
        sure && watched && proposal.risk == Risk::Low && proposal.reversible && change.plan.is_some() && change.lock.is_none()
    }

    /// Whether the approval given at `approved` still holds.
    pub fn is_fresh(&self, change: &Change, approved: Tick) -> Result<(), Refusal> {
        if self.now.seconds_since(approved) <= self.policy.approval {
            return Ok(());
        }
        refuse(format!(
            "the approval of {} is older than {:.0} s and has expired: look again and approve",
            change.id, self.policy.approval
        ))
    }
}

fn refuse(why: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal { kind: Obstacle::Policy, why: why.into() })
}
