//! Nice of every thread of a batch process (catalogue C1; setpriority(2), sched(7)).
//!
//! Changes: nice of each thread of the culprits.
//! Helps when: culprit and victim share one scheduling group, that is cgroup and (with autogroup on) session.
//! Hurts when: the culprit holds locks that the victim needs, or nobody else uses the cpu that it gives up.
//! Undone how: each thread gets its own nice back; threads born meanwhile get that of the main thread.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            protect,
            rivals::{self, Lever, Rivals, crowd, fair},
            setting::Setting,
            steps, trial,
        },
    },
    host::host::Host,
    model::{
        knob::Knob,
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk},
        subject::ProcessId,
        world::World,
    },
};

/// The value given: weight 15 beside 1024 of nice 0 (`sched_prio_to_weight`), work of its own kind still gets all idle time.
const NICE: &str = "19";

/// Nice of threads.
pub struct Nice;

impl Setting for Nice {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "nice",
            row: "C1",
            changes: "nice of every thread of a process (setpriority)",
            helps: "culprit and victim share a cgroup and a session",
            hurts: "the culprit holds locks that the victim needs",
            undone: "each thread gets its own nice back",
            risk: Risk::Low,
            needs: "CAP_SYS_NICE",
            cooldown: 60.0,
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
        let wish = proposal.wants.first().map_or(NICE, |want| &want.to);
        // Never towards more cpu: a thread that is nicer already stays as it is.
        let number = |text: &str| text.parse::<i32>().unwrap_or(0);
        let after = |before: &str| Ok(if number(before) >= number(wish) { before.into() } else { wish.to_string() });
        steps::of_threads(host, &targets, Knob::Nice, &after)
    }
}

impl Nice {
    fn against(&self, world: &World<'_>, rivals: &Rivals<'_>) -> Option<Proposal> {
        let (culprits, part) = rivals.at(|c| c.lever == Lever::Thread && fair(c.process) && c.process.nice < 19);
        let first = culprits.first()?;
        let trial = trial::contention(world, rivals, Some(first.process.id));
        Some(Proposal {
            title: format!("nice {NICE} for {}", crowd(culprits.iter().map(|c| &*c.party.name))),
            why: format!("{} They share one scheduling group, so nice decides between them.", rivals.why(&culprits)),
            mechanism: "The scheduler gives a thread of nice 19 about 1/68 of the share of one of nice 0.".into(),
            expect: trial::outlook(world, &trial, 0.3),
            undo: "Each thread gets its own nice back at once; children forked meanwhile keep 19 until they end.".into(),
            wants: rivals::wants(&culprits, NICE),
            fit: 0.9 * part,
            ..trial::proposal(&Setting::about(self), &rivals.finding.id, Domain::Cpu, trial)
        })
    }
}
