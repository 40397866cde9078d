//! How much memory may be dirty before writers are slowed (catalogue M6; sysctl/vm.rst).
//!
//! Changes: `vm.dirty_background_bytes` and `vm.dirty_bytes`, and with them (the kernel zeroes them) their ratios.
//! Helps when: somebody waits in fsync behind gigabytes that a bulk writer left in the page cache.
//! Hurts when: the bulk writer is what matters: it runs at the pace of the disk, down to half.
//! Undone how: the member of each pair that was not zero is written back; the other one follows.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, nothing},
            rivals::{crowd, processes},
            setting::Setting,
            steps,
            trial::{self, rise},
        },
    },
    host::host::{Host, Touch},
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        snapshot::Disk,
        subject::Subject,
        trial::Guardrail,
        unit::Unit,
        world::World,
    },
};

/// Background writeback starts here.
const BACKGROUND: u64 = 16 << 20;
/// Writers wait from here.
const MOST: u64 = 64 << 20;

/// The writeback group.
pub struct Writeback;

impl Setting for Writeback {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "writeback",
            row: "M6",
            changes: "vm.dirty_background_bytes and vm.dirty_bytes (zeroes their ratios)",
            helps: "somebody waits in fsync behind a bulk writer's dirty pages",
            hurts: "the bulk writer matters most: it may fall to half its pace",
            undone: "the member of each pair that was not zero is written back",
            risk: Risk::Medium,
            needs: "root (owner of /proc/sys/vm)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.facts.tuners.iter().any(|t| &**t == "tuned") {
            return Vec::new();
        }
        let stalls = world.findings.iter().filter(|f| f.id.kind == FindingKind::WritebackStall);
        stalls.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let lacks = |e| from_host(&e, Setting::about(self).needs);
        let mut steps = Vec::new();
        for (pair, bytes) in proposal.wants.iter().filter_map(|want| want.to.split_once(' ')) {
            pair_of(host, pair, bytes, &mut steps).map_err(lacks)?;
        }
        if steps.is_empty() { Err(nothing("dirty memory is bounded as low")) } else { Ok(steps) }
    }
}

impl Writeback {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let disk = disk(world, finding)?;
        let metric = if disk.flush_latency.is_some() { Metric::DiskFlushLatency } else { Metric::DiskWriteLatency };
        let subject = Subject::Disk(disk.name.clone());
        // The bulk writer may fall to half its pace by design; less than a tenth would be starvation.
        let pace = Guardrail { key: Key::new(subject.clone(), Metric::DiskWrite), relative: 0.9, absolute: 0.0 };
        let trial = trial::of(world, Key::new(subject, metric), vec![pace, rise(Metric::PressureMemoryFull, 0.05)]);
        let writers = crowd(processes(world, &finding.culprits).map(|(party, _)| &*party.name));
        let writers = if writers.is_empty() { "bulk writers".into() } else { writers };
        let dirty = world.vitals.vm.known().map_or(0, |vm| vm.dirty + vm.writeback);
        let (show, to) = (|bytes: u64| Unit::Bytes.show(bytes as f64), |name: &str, bytes: u64| format!("{name} {bytes}"));
        Some(Proposal {
            title: format!("at most {} dirty, written from {} on", show(MOST), show(BACKGROUND)),
            why: format!("{} of {writers} wait to be written to {}: a sync waits behind all of it.", show(dirty), disk.name),
            mechanism: "Writeback starts sooner and writers are slowed sooner, so the queue before a sync stays short.".into(),
            expect: format!("{} The bulk writer may fall to half its pace.", trial::outlook(world, &trial, 0.1)),
            undo: "The values before are written back at once; memory takes seconds to fill with dirty pages again.".into(),
            wants: [to("dirty_background", BACKGROUND), to("dirty", MOST)].map(|to| Want { on: Subject::Host, to }).into(),
            fit: 0.9,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Storage, trial)
        })
    }
}

/// The disk that the finding is about, or the one that is written to most.
fn disk<'a>(world: &World<'a>, finding: &Finding) -> Option<&'a Disk> {
    if let Subject::Disk(name) = &finding.id.subject {
        return world.snapshot.disk(name);
    }
    world.snapshot.disks.known()?.iter().max_by(|a, b| a.write.total_cmp(&b.write))
}

/// The steps of one pair. The ratio's own step only writes on the way back: setting the bytes zeroes it, restoring it zeroes them.
fn pair_of(host: &dyn Host, pair: &str, bytes: &str, steps: &mut Vec<Step>) -> Touch<()> {
    let knob = |member: &str| Knob::File(Place::proc(format!("sys/vm/{pair}_{member}")));
    let mut write = steps::step(host, knob("bytes"), bytes)?;
    let number = |text: &str| text.parse::<u64>().unwrap_or(0);
    let before = number(&write.before);
    if before != 0 && before <= number(bytes) {
        return Ok(());
    }
    let mut follow = steps::step(host, knob("ratio"), "0")?;
    if before == 0 {
        write.undo = format!(": vm.{pair}_bytes follows vm.{pair}_ratio");
        follow.apply = format!(": vm.{pair}_ratio follows vm.{pair}_bytes");
        steps.extend([write, follow]);
    } else {
        steps.push(write);
    }
    Ok(())
}
