//! Actions that see nobody but the demo's own children: whatever else runs on the host, a demo proposes nothing that would touch it.

use crate::{
    actions::action::{Action, ActionAbout},
    host::{error::HostError, host::Host},
    model::{
        finding::Finding,
        plan::{Held, Plan, Refusal, Undone},
        proposal::Proposal,
        subject::Subject,
        world::World,
    },
};

/// An action with its view narrowed. Findings stay as they are for the screen; what is proposed for them is about children alone.
struct Confined(&'static dyn Action);

/// The actions, confined. They live as long as the program, as all actions do, and are made once.
pub fn confined(all: &[&'static dyn Action]) -> &'static [&'static dyn Action] {
    let confined: Vec<&'static dyn Action> =
        all.iter().map(|action| Box::leak(Box::new(Confined(*action))) as &'static dyn Action).collect();
    confined.leak()
}

impl Action for Confined {
    fn about(&self) -> ActionAbout {
        self.0.about()
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let findings: Vec<Finding> = world.findings.iter().filter_map(|finding| narrowed(finding, world)).collect();
        self.0.propose(&World { findings: &findings, ..*world })
    }

    fn prepare(&self, proposal: &Proposal, host: &dyn Host) -> Result<Plan, Refusal> {
        self.0.prepare(proposal, host)
    }

    fn apply(&self, plan: &Plan, host: &dyn Host) -> Result<(), Refusal> {
        self.0.apply(plan, host)
    }

    fn verify(&self, plan: &Plan, host: &dyn Host) -> Result<Held, HostError> {
        self.0.verify(plan, host)
    }

    fn rollback(&self, plan: &Plan, host: &dyn Host) -> Result<Undone, HostError> {
        self.0.rollback(plan, host)
    }
}

/// The finding with those culprits that are our children; `None` when there are none.
fn narrowed(finding: &Finding, world: &World<'_>) -> Option<Finding> {
    let ours = |subject: &Subject| match subject {
        Subject::Process(id) => world.snapshot.process(*id).is_some_and(|process| process.parent == world.facts.own),
        _ => false,
    };
    let mut finding = finding.clone();
    finding.culprits.retain(|party| ours(&party.subject));
    (!finding.culprits.is_empty()).then_some(finding)
}
