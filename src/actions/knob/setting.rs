//! A setting is an action whose deeds are plain steps: it says what it is, when it is proposed and which steps it takes; the
//! writing, the read-back and the undo are the same for all.

use crate::{
    actions::{
        action::{Action, ActionAbout},
        knob::{
            owner,
            refuse::{from_host, gone, nothing},
            steps::{self, Order},
        },
    },
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        knob::Place,
        plan::{Held, Plan, Refusal, Step, Undone},
        proposal::Proposal,
        world::World,
    },
};

/// An action made of steps.
pub trait Setting: Send + Sync {
    /// What it is.
    fn about(&self) -> ActionAbout;

    /// Candidate changes. Pure.
    fn propose(&self, world: &World<'_>) -> Vec<Proposal>;

    /// The steps, from the present values. Reads only; refuses what is protected, gone, owned or not there.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal>;

    /// Looks whether the values before can be written back now without harm; what it refuses with is for a human to do later.
    fn may_undo(&self, _plan: &Plan, _host: &dyn Host) -> Touch<()> {
        Ok(())
    }

    /// In which order undo goes.
    fn order(&self) -> Order {
        Order::LastFirst
    }
}

impl<T: Setting> Action for T {
    fn about(&self) -> ActionAbout {
        Setting::about(self)
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        Setting::propose(self, world)
    }

    fn prepare(&self, proposal: &Proposal, host: &dyn Host) -> Result<Plan, Refusal> {
        let needs = Setting::about(self).needs;
        let mut steps = Vec::new();
        for step in self.steps(proposal, host)? {
            match host.may_set(&step.knob) {
                Ok(()) => steps.push(step),
                Err(e) if e.kind == Kind::Gone => {}
                Err(e) => return Err(from_host(&e, needs)),
            }
        }
        owner::free(host, &steps)?;
        let Some(first) = steps.first() else { return Err(gone()) };
        if steps.iter().all(|step| step.before == step.after) {
            return Err(nothing(format!("{} is {}", first.knob, first.after)));
        }
        let boot = host.text(&Place::proc("sys/kernel/random/boot_id")).map_err(|e| from_host(&e, "read access to it"))?;
        Ok(Plan { action: proposal.action.to_string(), boot: boot.trim().into(), steps })
    }

    fn apply(&self, plan: &Plan, host: &dyn Host) -> Result<(), Refusal> {
        steps::apply(plan, host, Setting::about(self).needs)
    }

    fn verify(&self, plan: &Plan, host: &dyn Host) -> Result<Held, HostError> {
        steps::verify(plan, host)
    }

    fn rollback(&self, plan: &Plan, host: &dyn Host) -> Result<Undone, HostError> {
        match self.may_undo(plan, host) {
            Err(e) if e.kind != Kind::Gone => Err(e),
            _ => steps::rollback(plan, self.order(), host),
        }
    }
}
