//! Scheduling policy of every thread of a batch process (catalogue C3; sched(7), sched_setattr(2)).
//!
//! Changes: `SCHED_OTHER` to `SCHED_BATCH` or `SCHED_IDLE`, reset-on-fork as it was.
//! Helps when: culprit and victim share one scheduling group and the culprit is pure batch work.
//! Hurts when: the culprit holds locks that the victim needs (priority inversion), most of all with idle.
//! Undone how: each thread gets its own policy back; threads born meanwhile get that of the main thread.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            protect,
            refuse::refusal,
            rivals::{self, Lever, Rivals, crowd},
            setting::Setting,
            steps, trial,
        },
    },
    host::host::Host,
    model::{
        knob::Knob,
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk},
        sample,
        subject::ProcessId,
        world::World,
    },
};

/// Which policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// `SCHED_BATCH`: never preempts a waking thread; the share stays.
    Batch,
    /// `SCHED_IDLE`: weight 3 beside 1024, and a waking thread preempts it at once.
    Idle,
}

impl Policy {
    fn word(self) -> &'static str {
        match self {
            Policy::Batch => "batch",
            Policy::Idle => "idle",
        }
    }

    /// Its own belief, and what should be left of the victim's waiting.
    fn promise(self) -> (f64, f64) {
        match self {
            Policy::Batch => (0.3, 0.8),
            Policy::Idle => (0.6, 0.2),
        }
    }

    fn mechanism(self) -> &'static str {
        match self {
            Policy::Batch => "A batch thread never interrupts another one on waking up; its share stays the same.",
            Policy::Idle => "An idle thread has about 1/340 of a normal share and gives way the moment that another wakes.",
        }
    }

    /// The policy given to a thread that has `before`; one that is idle already is not made less so.
    fn after(self, before: &str) -> Result<String, Refusal> {
        let (policy, reset) = match before.strip_suffix("+reset") {
            Some(policy) => (policy, "+reset"),
            None => (before, ""),
        };
        match policy {
            "other" | "batch" => Ok(format!("{}{reset}", self.word())),
            "idle" => Ok(before.into()),
            _ => Err(refusal(Obstacle::Unsupported, format!("a thread has policy {before}: real-time work is left alone."))),
        }
    }
}

impl Setting for Policy {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: if *self == Policy::Batch { "policy-batch" } else { "policy-idle" },
            row: "C3",
            changes: if *self == Policy::Batch {
                "policy of every thread to SCHED_BATCH (sched_setattr)"
            } else {
                "policy of every thread to SCHED_IDLE (sched_setattr)"
            },
            helps: "the culprit is pure batch work in the victim's cgroup and session",
            hurts: "the culprit holds locks that the victim needs",
            undone: "each thread gets its own policy back",
            risk: Risk::Low,
            needs: "CAP_SYS_NICE",
            cooldown: 120.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.facts.tuners.iter().any(|t| t.starts_with("ananicy")) {
            return Vec::new();
        }
        rivals::all(world).iter().filter_map(|rivals| self.against(world, rivals)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let targets: Vec<ProcessId> = proposal.wants.iter().filter_map(|w| w.on.process()).collect();
        targets.iter().try_for_each(|process| protect::living(host, *process))?;
        steps::of_threads(host, &targets, Knob::Policy, &|before| self.after(before))
    }
}

impl Policy {
    fn against(self, world: &World<'_>, rivals: &Rivals<'_>) -> Option<Proposal> {
        let (culprits, part) = rivals.at(|c| c.lever == Lever::Thread && c.process.policy == sample::Policy::Other);
        let first = culprits.first()?;
        let ((fit, left), word) = (self.promise(), self.word());
        let trial = trial::contention(world, rivals, Some(first.process.id));
        Some(Proposal {
            title: format!("policy {word} for {}", crowd(culprits.iter().map(|c| &*c.party.name))),
            why: format!("{} They share one scheduling group, so the policy of threads counts.", rivals.why(&culprits)),
            mechanism: self.mechanism().into(),
            expect: trial::outlook(world, &trial, left),
            undo: format!("Each thread gets its own policy back at once; children forked meanwhile keep {word} until they end."),
            wants: rivals::wants(&culprits, word),
            fit: fit * part,
            ..trial::proposal(&Setting::about(&self), &rivals.finding.id, Domain::Cpu, trial)
        })
    }
}
