//! How eagerly memory is compacted in the background (catalogue M8; sysctl/vm.rst "compaction_proactiveness").
//!
//! Changes: `vm.compaction_proactiveness`, 0 to 100.
//! Helps when: allocations stall while larger blocks are put together.
//! Hurts when: the processors are short of time: kcompactd uses it, and moves pages under whoever uses them.
//! Undone how: the value before is written back.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{setting::Setting, sysctl, trial, tuners},
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        metric::{Key, Metric},
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Eager, yet far from the greatest.
const HIGH: u64 = 60;

/// Proactive compaction.
pub struct Compaction;

impl Setting for Compaction {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "compaction",
            row: "M8",
            changes: "vm.compaction_proactiveness",
            helps: "allocations stall while larger blocks are put together",
            hurts: "the processors are short of time for it",
            undone: "the value before is written back",
            risk: Risk::Medium,
            needs: "root (owner of /proc/sys/vm)",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if tuners::running(world.facts, &["tuned"]).is_some() {
            return Vec::new();
        }
        let torn = world.findings.iter().filter(|f| f.id.kind == FindingKind::Fragmentation);
        torn.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        Ok(vec![sysctl::raise(host, "vm/compaction_proactiveness", proposal, Setting::about(self).needs)?])
    }
}

impl Compaction {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let now = world.snapshot.paging.known()?.settings.compaction_proactiveness.filter(|now| *now < HIGH)?;
        let stalls = Unit::PerSecond.show(world.vitals.vm.known()?.compact_stalls);
        let trial = trial::of(world, Key::host(Metric::CompactionStalls), vec![trial::rise(Metric::PressureCpuSome, 0.25)]);
        Some(Proposal {
            title: format!("compaction proactiveness {now} -> {HIGH}"),
            why: format!("{stalls} allocations wait for compaction: free memory is in pieces too small for them."),
            mechanism: "kcompactd puts free pieces together before somebody has to wait for it.".into(),
            expect: trial::outlook(world, &trial, 0.3),
            undo: "The value before is written back, at once.".into(),
            wants: vec![Want { on: Subject::Host, to: HIGH.to_string() }],
            fit: 0.7,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, trial)
        })
    }
}
