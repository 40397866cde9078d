//! Nice of every thread of processes that an operator chose by hand (setpriority(2), sched(7)).
//!
//! Changes: nice of each thread of the chosen processes.
//! Helps when: the operator knows what matters.
//! Hurts when: the operator does not.
//! Undone how: each thread gets its own nice back.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{protect, setting::Setting, steps},
    },
    host::host::Host,
    model::{
        knob::Knob,
        plan::{Refusal, Step},
        proposal::{Proposal, Risk},
        subject::ProcessId,
        world::World,
    },
};

/// Nice, as wished.
pub struct Renice;

impl Setting for Renice {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "renice",
            row: "by hand",
            changes: "nice of every thread of a process (setpriority)",
            helps: "asked for by hand: `F7`, `F8`",
            hurts: "the process is wanted quick, or everything else is",
            undone: "each thread gets its own nice back",
            risk: Risk::Low,
            needs: "CAP_SYS_NICE (to lower it, or for others' processes)",
            cooldown: 0.0,
        }
    }

    fn propose(&self, _: &World<'_>) -> Vec<Proposal> {
        Vec::new()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let targets: Vec<ProcessId> = proposal.wants.iter().filter_map(|want| want.on.process()).collect();
        targets.iter().try_for_each(|process| protect::living(host, *process))?;
        let to = proposal.wants.first().map(|want| want.to.clone()).unwrap_or_default();
        steps::of_threads(host, &targets, Knob::Nice, &|_| Ok(to.clone()))
    }
}
