//! How readily caches of inodes and directory entries are given up (catalogue M11; sysctl/vm.rst "vfs_cache_pressure").
//!
//! Changes: `vm.vfs_cache_pressure`, never to 0: at 0 the kernel never gives them up, and kills instead.
//! Helps when: these caches hold much of memory while pages have to be reclaimed.
//! Hurts when: the same trees are walked again: each name is looked up on disk once more.
//! Undone how: the value before is written back; the caches grow again as names are used.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{refuse::refusal, setting::Setting, sysctl, trial, tuners},
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Twice as readily as pages.
const HIGH: u64 = 200;

/// The pressure on the caches of names.
pub struct CachePressure;

impl Setting for CachePressure {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "cache-pressure",
            row: "M11",
            changes: "vm.vfs_cache_pressure, never to 0",
            helps: "caches of inodes and entries hold much of memory while pages are reclaimed",
            hurts: "the same trees are walked again",
            undone: "the value before is written back; the caches grow again",
            risk: Risk::Medium,
            needs: "root (owner of /proc/sys/vm)",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if tuners::running(world.facts, &["tuned"]).is_some() {
            return Vec::new();
        }
        let bloated = world.findings.iter().filter(|f| f.id.kind == FindingKind::SlabBloat);
        bloated.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        if proposal.wants.first().is_some_and(|want| want.to.parse::<u64>().unwrap_or(0) == 0) {
            return Err(refusal(Obstacle::Unsupported, "vfs_cache_pressure 0 never gives these caches up and ends in kills."));
        }
        Ok(vec![sysctl::raise(host, "vm/vfs_cache_pressure", proposal, Setting::about(self).needs)?])
    }
}

impl CachePressure {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let now = world.snapshot.paging.known()?.settings.vfs_cache_pressure.filter(|now| *now < HIGH)?;
        let memory = world.vitals.memory.known()?;
        let trial = trial::of(world, Key::host(Metric::SlabReclaimable), vec![trial::rise(Metric::PressureIoFull, 0.05)]);
        let (slab, total) = (Unit::Bytes.show(memory.slab_reclaimable as f64), Unit::Bytes.show(memory.total as f64));
        Some(Proposal {
            title: format!("vfs cache pressure {now} -> {HIGH}"),
            why: format!("Caches of inodes and entries hold {slab} of {total} while pages are reclaimed."),
            mechanism: "Reclaim takes from these caches twice as readily as from pages, so pages in use stay.".into(),
            expect: trial::outlook(world, &trial, 0.6),
            undo: "The value before is written back at once; the caches grow again as names are used.".into(),
            wants: vec![Want { on: Subject::Host, to: HIGH.to_string() }],
            fit: 0.7,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, trial)
        })
    }
}
