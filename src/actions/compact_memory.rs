//! All of memory compacted once, now (catalogue M8; sysctl/vm.rst "compact_memory").
//!
//! Changes: nothing that could be read back: a 1 is written to `vm.compact_memory`, and pages are moved together.
//! Helps when: large blocks are needed soon, and there is time to make them.
//! Hurts when: the host is busy: it takes a processor for seconds, and moves pages under whoever uses them.
//! Undone how: not at all; there is nothing to take back.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{trial, trigger::Trigger},
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::Refusal,
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Busy share of all cores up to which there is time for it.
const QUIET: f64 = 0.50;

/// Compaction at once.
pub struct CompactMemory;

impl Trigger for CompactMemory {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "compact-memory",
            row: "M8",
            changes: "vm.compact_memory, written once",
            helps: "large blocks are needed soon and the host has time to make them",
            hurts: "the host is busy: it takes a processor for seconds",
            undone: "not at all; nothing is left to take back",
            risk: Risk::Medium,
            needs: "root (owner of /proc/sys/vm)",
            cooldown: 3600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let torn = world.findings.iter().filter(|f| f.id.kind == FindingKind::Fragmentation);
        torn.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn writes(&self, _: &Proposal, _: &dyn Host) -> Result<Vec<(Knob, String)>, Refusal> {
        Ok(vec![(Knob::File(Place::proc("sys/vm/compact_memory")), "1".into())])
    }
}

impl CompactMemory {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let busy = world.vitals.cpu.known()?.total.busy();
        if busy > QUIET {
            return None;
        }
        let stalls = Unit::PerSecond.show(world.vitals.vm.known()?.compact_stalls);
        let trial = trial::of(world, Key::host(Metric::CompactionStalls), vec![trial::rise(Metric::PressureCpuSome, 0.25)]);
        Some(Proposal {
            title: "compact memory now".into(),
            why: format!("{stalls} allocations wait for compaction, and the host is only {} busy.", Unit::Share.show(busy)),
            mechanism: "The kernel moves pages together in every zone, so that large blocks are free at once.".into(),
            expect: trial::outlook(world, &trial, 0.2),
            undo: "It cannot be taken back, and need not be: pages were only moved.".into(),
            wants: vec![Want { on: Subject::Host, to: "1".into() }],
            fit: 0.4,
            reversible: false,
            ..trial::proposal(&self.about(), &finding.id, Domain::Memory, trial)
        })
    }
}
