//! Transparent huge pages only where programs ask for them (catalogue M7; admin-guide/mm/transhuge.rst).
//!
//! Changes: `transparent_hugepage/enabled` to `madvise` and `defrag` to `defer+madvise`.
//! Helps when: page faults stall in compaction, or huge pages are asked for and not to be had.
//! Hurts when: a program lives from huge pages and does not ask for them.
//! Undone how: the words before are written back; huge pages made or not made meanwhile stay as they are.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::from_host,
            setting::Setting,
            steps,
            trial::{self, rise},
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Compaction stalls per second that hurt.
const STALLS: f64 = 10.0;
/// Share of huge-page faults that fall back.
const FALLBACK: f64 = 0.5;

/// Transparent huge pages.
pub struct Thp;

impl Setting for Thp {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "thp",
            row: "M7",
            changes: "transparent_hugepage/enabled and defrag",
            helps: "faults stall in compaction or huge pages are not to be had",
            hurts: "a program lives from huge pages without asking for them",
            undone: "the words before are written back; pages stay as they are",
            risk: Risk::Medium,
            needs: "root (owner of /sys/kernel/mm)",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.facts.tuners.iter().any(|t| &**t == "tuned") {
            return Vec::new();
        }
        let short = world.findings.iter().filter(|f| f.id.kind == FindingKind::MemoryPressure);
        short.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        for (file, word) in proposal.wants.iter().filter_map(|want| want.to.split_once(' ')) {
            let knob = Knob::File(Place::sys(format!("kernel/mm/transparent_hugepage/{file}")));
            let step = steps::step(host, knob, word).map_err(|e| from_host(&e, Setting::about(self).needs))?;
            // `never` promises even less than what is wished for.
            if step.before != "never" {
                steps.push(step);
            }
        }
        Ok(steps)
    }
}

impl Thp {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let vm = world.vitals.vm.known()?;
        let fallback = vm.thp_fallback.filter(|share| *share > FALLBACK);
        if vm.compact_stalls < STALLS && fallback.is_none() {
            return None;
        }
        let trial = trial::of(world, Key::host(Metric::PressureMemorySome), vec![rise(Metric::PressureMemoryFull, 0.05)]);
        let stalls = Unit::PerSecond.show(vm.compact_stalls);
        let lost = fallback.map(|share| format!(" {} of huge-page faults get none.", Unit::Share.show(share))).unwrap_or_default();
        Some(Proposal {
            title: "huge pages only where programs ask for them".into(),
            why: format!("Page faults stall {stalls} in compaction to make huge pages.{lost}"),
            mechanism: "A fault takes small pages unless the program asked for huge ones; compaction is left to the background."
                .into(),
            expect: trial::outlook(world, &trial, 0.5),
            undo: "The words before are written back at once; pages already made stay as they are.".into(),
            wants: ["enabled madvise", "defrag defer+madvise"].map(|to| Want { on: Subject::Host, to: to.into() }).into(),
            fit: 0.6,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, trial)
        })
    }
}
