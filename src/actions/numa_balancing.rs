//! Whether the kernel moves pages to the node that uses them (catalogue M13; sysctl/kernel.rst "numa_balancing").
//!
//! Changes: `kernel.numa_balancing`, to 1.
//! Helps when: pages are given on another node than they are wanted on, and stay there.
//! Hurts when: programs bind themselves: finding out who uses a page costs faults.
//! Undone how: the value before is written back; pages stay where they were moved.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{refuse::refusal, setting::Setting, sysctl, trial, tuners},
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::Place,
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Balancing of pages between nodes.
pub struct NumaBalancing;

impl Setting for NumaBalancing {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "numa-balancing",
            row: "M13",
            changes: "kernel.numa_balancing, to 1",
            helps: "pages are given on another node than wanted, and stay there",
            hurts: "programs bind themselves: finding out who uses a page costs faults",
            undone: "the value before is written back; pages stay where they are",
            risk: Risk::Medium,
            needs: "root (owner of /proc/sys/kernel)",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.facts.nodes < 2 || tuners::running(world.facts, &["tuned"]).is_some() {
            return Vec::new();
        }
        let remote = world.findings.iter().filter(|f| f.id.kind == FindingKind::RemoteMemory);
        remote.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let online = host.text(&Place::sys("devices/system/node/online")).unwrap_or_default();
        if !online.contains(['-', ',']) {
            return Err(refusal(Obstacle::Unsupported, "this machine has one memory node: there is nothing to balance."));
        }
        Ok(vec![sysctl::raise(host, "kernel/numa_balancing", proposal, Setting::about(self).needs)?])
    }
}

impl NumaBalancing {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        world.snapshot.paging.known()?.settings.numa_balancing.filter(|on| *on == 0)?;
        let share = world.snapshot.backing.known()?.remote()?;
        let trial = trial::of(world, Key::host(Metric::RemotePages), vec![trial::rise(Metric::CpuBusy, 0.05)]);
        Some(Proposal {
            title: "numa balancing 0 -> 1".into(),
            why: format!("{} of pages are given on another node than they are wanted on.", Unit::Share.show(share)),
            mechanism: "The kernel sees which node touches a page and moves page or task together.".into(),
            expect: trial::outlook(world, &trial, 0.6),
            undo: "The value before is written back at once; pages stay where they were moved.".into(),
            wants: vec![Want { on: Subject::Host, to: "1".into() }],
            fit: 0.6,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, trial)
        })
    }
}
