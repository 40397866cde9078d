//! How early kswapd begins to free memory (catalogue M10; sysctl/vm.rst "watermark_scale_factor").
//!
//! Changes: `vm.watermark_scale_factor`, in ten-thousandths of memory between the marks. `vm.min_free_kbytes` is left alone: set too
//! high it kills at once.
//! Helps when: tasks have to free memory themselves, in bursts, though enough is available.
//! Hurts when: memory is short: as much of it lies idle between the marks.
//! Undone how: the factor before is written back; kswapd stops freeing at the old mark.

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

/// Factors, the next one above what stands: half, one and two percent of memory.
const LADDER: [u64; 3] = [50, 100, 200];
/// Share of memory that may already be held back by `min_free_kbytes`.
const HELD: f64 = 0.02;
/// In what unit the factor counts.
const UNIT: f64 = 10_000.0;

/// The distance of the watermarks.
pub struct Watermark;

impl Setting for Watermark {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "watermark",
            row: "M10",
            changes: "vm.watermark_scale_factor",
            helps: "tasks free memory themselves though enough is available",
            hurts: "memory is short: that much of it lies idle",
            undone: "the factor before is written back",
            risk: Risk::Medium,
            needs: "root (owner of /proc/sys/vm)",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if tuners::running(world.facts, &["tuned"]).is_some() {
            return Vec::new();
        }
        let late = world.findings.iter().filter(|f| f.id.kind == FindingKind::DirectReclaim);
        late.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let held = number(host, "sys/vm/min_free_kbytes", "").zip(number(host, "meminfo", "MemTotal:"));
        if let Some((free, total)) = held.filter(|(free, total)| *free > HELD * total) {
            let (free, total) = (Unit::Bytes.show(free * 1024.0), Unit::Bytes.show(total * 1024.0));
            let why = format!("vm.min_free_kbytes holds {free} of {total} back already, more than 2 %: lower that first.");
            return Err(refusal(Obstacle::Unsupported, why));
        }
        Ok(vec![sysctl::raise(host, "vm/watermark_scale_factor", proposal, Setting::about(self).needs)?])
    }
}

/// The number after `key` in a file, or the file's only one.
fn number(host: &dyn Host, file: &str, key: &str) -> Option<f64> {
    let text = host.text(&Place::proc(file)).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

impl Watermark {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let now = world.snapshot.paging.known()?.settings.watermark_scale_factor?;
        let to = LADDER.into_iter().find(|factor| *factor > now)?;
        let (vm, memory) = (world.vitals.vm.known()?, world.vitals.memory.known()?);
        let idle = Unit::Bytes.show(memory.total as f64 * to as f64 / UNIT);
        let guardrails = vec![trial::rise(Metric::PressureMemoryFull, 0.05), trial::rise(Metric::PressureIoFull, 0.05)];
        let trial = trial::of(world, Key::host(Metric::AllocationStalls), guardrails);
        Some(Proposal {
            title: format!("watermark scale factor {now} -> {to}"),
            why: format!(
                "{} allocations wait for reclaim while {} are available: kswapd begins too late.",
                Unit::PerSecond.show(vm.stalls),
                Unit::Bytes.show(memory.available as f64)
            ),
            mechanism: format!("kswapd begins {idle} above the mark at which tasks have to free memory themselves."),
            expect: trial::outlook(world, &trial, 0.2),
            undo: "The factor before is written back, at once.".into(),
            wants: vec![Want { on: Subject::Host, to: to.to_string() }],
            fit: 0.8,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, trial)
        })
    }
}
