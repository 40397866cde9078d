//! A trigger is a write that does something once and leaves nothing that could be read back, or undone: it is journaled before it is
//! written, written once, and never by trimtab's own decision (`reversible` is false).

use crate::{
    actions::{
        action::{Action, ActionAbout},
        knob::{
            refuse::{from_host, gone},
            shell,
        },
    },
    host::{
        error::{HostError, Kind},
        host::Host,
    },
    model::{
        knob::{Knob, Place},
        plan::{Held, Plan, Refusal, Step, Undone},
        proposal::Proposal,
        world::World,
    },
};

/// An action made of triggers.
pub trait Trigger: Send + Sync {
    /// What it is.
    fn about(&self) -> ActionAbout;

    /// Candidate changes; each says that it is not reversible. Pure.
    fn propose(&self, world: &World<'_>) -> Vec<Proposal>;

    /// What is written where. Reads only; refuses what is protected, gone, owned or not there.
    fn writes(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<(Knob, String)>, Refusal>;
}

/// A trigger as an action.
pub struct Once<T>(
    /// The trigger.
    pub T,
);

/// What a trigger's knob reads before: nothing has been written.
const BEFORE: &str = "not written";

impl<T: Trigger> Action for Once<T> {
    fn about(&self) -> ActionAbout {
        self.0.about()
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        self.0.propose(world)
    }

    fn prepare(&self, proposal: &Proposal, host: &dyn Host) -> Result<Plan, Refusal> {
        let mut steps = Vec::new();
        for (knob, value) in self.0.writes(proposal, host)? {
            host.may_set(&knob).map_err(|e| from_host(&e, self.0.about().needs))?;
            let apply = shell::command(&knob, &value);
            steps.push(Step { knob, before: BEFORE.into(), after: value, apply, undo: "# this cannot be taken back".into() });
        }
        if steps.is_empty() {
            return Err(gone());
        }
        let boot = host.text(&Place::proc("sys/kernel/random/boot_id")).map_err(|e| from_host(&e, "read access to it"))?;
        Ok(Plan { action: proposal.action.to_string(), boot: boot.trim().into(), steps })
    }

    fn apply(&self, plan: &Plan, host: &dyn Host) -> Result<(), Refusal> {
        for step in &plan.steps {
            match host.set(&step.knob, &step.after) {
                // The kernel did what it could, and says that it was less than asked for (`memory.reclaim`).
                Err(e) if e.errno == Some("EAGAIN") => {}
                Err(e) if e.kind == Kind::Gone => return Err(gone()),
                done => done.map_err(|e| from_host(&e, self.0.about().needs))?,
            }
        }
        Ok(())
    }

    /// What was triggered cannot be read back.
    fn verify(&self, _: &Plan, _: &dyn Host) -> Result<Held, HostError> {
        Ok(Held::Holds)
    }

    fn rollback(&self, plan: &Plan, _: &dyn Host) -> Result<Undone, HostError> {
        Ok(Undone::Yielded(plan.steps.iter().map(|step| format!("{} to {}", step.after, step.knob)).collect()))
    }
}
