//! How readily anonymous memory is swapped out (catalogue M5; sysctl/vm.rst "swappiness").
//!
//! Changes: `vm.swappiness`.
//! Helps when: pages go to swap and come back at once while the page cache is left alone (lower), or the other way round (raise).
//! Hurts when: the other kind of page is what the work needs: its faults rise instead.
//! Undone how: the value before is written back; what is in swap comes back only when it is touched.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, nothing},
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

/// Lowered to this: the page cache is reclaimed first.
const LOW: u64 = 20;
/// Raised to this: both kinds cost the same.
const HIGH: u64 = 100;
/// One kind of refault is "much more" than the other from this factor on.
const MUCH: f64 = 4.0;

/// Swappiness.
pub struct Swappiness;

impl Setting for Swappiness {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "swappiness",
            row: "M5",
            changes: "vm.swappiness",
            helps: "anonymous pages thrash while the page cache rests, or the other way round",
            hurts: "the other kind of page is what the work needs",
            undone: "the value before is written back",
            risk: Risk::Medium,
            needs: "root (owner of /proc/sys/vm)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.facts.tuners.iter().any(|t| &**t == "tuned") {
            return Vec::new();
        }
        let short = world.findings.iter().filter(|f| matches!(f.id.kind, FindingKind::SwapThrash | FindingKind::MemoryPressure));
        short.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let Some(want) = proposal.wants.first() else { return Err(nothing("nothing is wished for")) };
        let knob = Knob::File(Place::proc("sys/vm/swappiness"));
        let step = steps::step(host, knob, want.to.clone()).map_err(|e| from_host(&e, Setting::about(self).needs))?;
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        let (before, after) = (number(&step.before), number(&step.after));
        let beyond = if after <= LOW { before <= after } else { before >= after };
        if beyond { Err(nothing(format!("{} is {before}", step.knob))) } else { Ok(vec![step]) }
    }
}

impl Swappiness {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let vm = world.vitals.vm.known()?;
        let swap = world.vitals.memory.known().map_or(0, |memory| memory.swap_total);
        if swap == 0 {
            return None;
        }
        let (to, primary, more, less) = if vm.refault_anon > MUCH * vm.refault_file.max(1.0) {
            (LOW, Metric::SwapIn, "anonymous memory", "the page cache")
        } else if vm.refault_file > MUCH * vm.refault_anon.max(1.0) && finding.id.kind == FindingKind::MemoryPressure {
            (HIGH, Metric::MajorFaults, "the page cache", "anonymous memory")
        } else {
            return None;
        };
        let trial = trial::of(world, Key::host(primary), vec![rise(Metric::PressureIoFull, 0.05)]);
        let rate = |value: f64| Unit::PerSecond.show(value);
        let (anon, file) = (rate(vm.refault_anon), rate(vm.refault_file));
        Some(Proposal {
            title: format!("swappiness {to}"),
            why: format!("Pages of {more} come back soon after they were taken: {anon} anonymous and {file} file refaults."),
            mechanism: format!("The kernel takes pages from {less} rather than from {more}."),
            expect: trial::outlook(world, &trial, 0.6),
            undo: "The value before is written back at once; pages in swap come back when they are touched.".into(),
            wants: vec![Want { on: Subject::Host, to: to.to_string() }],
            fit: 0.6,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, trial)
        })
    }
}
