//! The processors that a batch process may use (catalogue C7; sched_setaffinity(2), cpuset(7)).
//!
//! Changes: the mask of each thread of the culprits: some processors are left to the victims.
//! Helps when: no share can be moved, or a victim needs a processor that is free at once.
//! Hurts when: the victims leave their part idle: the culprits cannot use it then.
//! Undone how: each thread gets its own mask back; threads born meanwhile get that of the main thread.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            protect,
            refuse::{from_host, refusal},
            rivals::{self, Rivals, crowd},
            setting::Setting,
            steps, trial,
        },
    },
    host::{canonical::show_cpus, host::Host},
    model::{
        knob::{Knob, Place},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk},
        subject::ProcessId,
        world::World,
    },
};

/// Processors of threads.
pub struct Affinity;

impl Setting for Affinity {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "affinity",
            row: "C7",
            changes: "processors of every thread of a process (sched_setaffinity)",
            helps: "no weight can be moved between culprit and victim",
            hurts: "the processors left free stay idle",
            undone: "each thread gets its own mask back",
            risk: Risk::Medium,
            needs: "CAP_SYS_NICE",
            cooldown: 120.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        rivals::all(world).iter().filter_map(|rivals| self.against(world, rivals)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let targets: Vec<ProcessId> = proposal.wants.iter().filter_map(|w| w.on.process()).collect();
        targets.iter().try_for_each(|process| protect::living(host, *process))?;
        let place = Place::sys("devices/system/cpu/online");
        let online = host.text(&place).map_err(|e| from_host(&e, "read access to it"))?;
        let Some(want) = proposal.wants.first() else { return Err(refusal(Obstacle::Nothing, "nothing is wished for.")) };
        let after = |before: &str| confined(before, online.trim(), &want.to);
        steps::of_threads(host, &targets, Knob::Affinity, &after)
    }
}

impl Affinity {
    fn against(&self, world: &World<'_>, rivals: &Rivals<'_>) -> Option<Proposal> {
        let (left, given) = split(world)?;
        let (culprits, part) = rivals.at(|_| true);
        let first = culprits.first()?;
        let trial = trial::contention(world, rivals, Some(first.process.id));
        let victim = &rivals.victim.name;
        Some(Proposal {
            title: format!("cpus {given} for {}", crowd(culprits.iter().map(|c| &*c.party.name))),
            why: format!("{} Cpus {left} would be free of them.", rivals.why(&culprits)),
            mechanism: format!("Threads confined to cpus {given} cannot hold up {victim} on cpus {left}."),
            expect: trial::outlook(world, &trial, 0.5),
            undo: "Each thread gets its own mask back at once; children forked meanwhile keep the new one until they end.".into(),
            wants: rivals::wants(&culprits, &given),
            fit: 0.25 * part,
            ..trial::proposal(&Setting::about(self), &rivals.finding.id, Domain::Cpu, trial)
        })
    }
}

/// The lists left to the victims (a quarter, at least one) and given to the culprits; `None` on a single processor.
fn split(world: &World<'_>) -> Option<(String, String)> {
    let cores: Vec<u32> = world.vitals.cpu.known()?.cores.iter().map(|(core, _)| *core).collect();
    let free = (cores.len() / 4).max(1);
    let (left, given) = (cores.get(..free)?, cores.get(free..).filter(|given| !given.is_empty())?);
    Some((show_cpus(left.iter().copied()), show_cpus(given.iter().copied())))
}

/// The mask of a thread that has `before`; one that somebody chose for it is left alone.
fn confined(before: &str, online: &str, wish: &str) -> Result<String, Refusal> {
    if before == wish || before == online {
        return Ok(wish.into());
    }
    Err(refusal(Obstacle::Owned, format!("a thread is bound to cpus {before} already, by its program or a cpuset: it is left so.")))
}
