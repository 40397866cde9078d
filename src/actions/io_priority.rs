//! I/O priority of every thread of a process (catalogue S4; ioprio_set(2), block/ioprio.rst).
//!
//! Changes: the I/O class of each thread of the culprit to idle.
//! Helps when: the disk's scheduler knows classes (bfq, mq-deadline) and the culprit reads, or writes around the page cache.
//! Hurts when: the disk is never idle: the culprit may hardly move.
//! Undone how: each thread gets its own class back; threads born meanwhile get that of the main thread.
//!
//! Buffered writes are sent by the kernel's flusher with its own priority: there this changes nothing, so no proposal is made.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            protect,
            rivals::{crowd, processes, touchable},
            setting::Setting,
            steps,
            trial::{self, progress, rise},
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind, Party},
        knob::Knob,
        metric::{Key, Metric},
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        snapshot::{Disk, Process},
        subject::{ProcessId, Subject},
        unit::Unit,
        world::World,
    },
};

/// Share of the disk's bytes from which a process is the one to slow.
const DOMINANT: f64 = 0.4;

/// I/O priority of threads.
pub struct IoPriority;

impl Setting for IoPriority {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "io-priority",
            row: "S4",
            changes: "I/O class of every thread of a process (ioprio_set)",
            helps: "a process that reads or writes directly floods a disk under bfq or mq-deadline",
            hurts: "the disk is never idle: the process may hardly move",
            undone: "each thread gets its own class back",
            risk: Risk::Low,
            needs: "CAP_SYS_NICE",
            cooldown: 60.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.facts.tuners.iter().any(|t| t.starts_with("ananicy")) {
            return Vec::new();
        }
        let slow = world.findings.iter().filter(|f| f.id.kind == FindingKind::DiskLatency);
        slow.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let targets: Vec<ProcessId> = proposal.wants.iter().filter_map(|w| w.on.process()).collect();
        targets.iter().try_for_each(|process| protect::living(host, *process))?;
        let wish = proposal.wants.first().map_or("idle", |want| &want.to);
        steps::of_threads(host, &targets, Knob::IoPriority, &|_| Ok(wish.into()))
    }
}

impl IoPriority {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let Subject::Disk(name) = &finding.id.subject else { return None };
        let disk = world.snapshot.disk(name)?;
        let scheduler = &disk.settings.as_ref()?.scheduler;
        let weight = match &**scheduler {
            "bfq" => 0.9,
            "mq-deadline" => 0.5,
            _ => return None,
        };
        let culprits: Vec<(&Party, &Process)> =
            processes(world, &finding.culprits).filter(|(_, p)| touchable(p) && floods(world, disk, p)).collect();
        let (_, first) = culprits.first()?;
        let reads = first.io.is_some_and(|[read, written]| read >= written);
        let metric = if reads { Metric::ProcessRead } else { Metric::ProcessWrite };
        let guardrails = vec![progress(first.id, metric), rise(Metric::PressureMemoryFull, 0.05)];
        let trial = trial::of(world, Key::new(finding.id.subject.clone(), Metric::DiskLatency), guardrails);
        let mut wants: Vec<Want> = culprits.iter().map(|(_, p)| Want { on: Subject::Process(p.id), to: "idle".into() }).collect();
        wants.sort();
        let (who, moved) = (crowd(culprits.iter().map(|(party, _)| &*party.name)), culprits.iter().map(|(_, p)| bytes(p)).sum());
        Some(Proposal {
            title: format!("io priority idle for {}", who.chars().take(35).collect::<String>()),
            why: format!("{who} move {} through {name}; others wait in the same queue.", Unit::BytesPerSecond.show(moved)),
            mechanism: format!("{scheduler} serves requests of the idle class when no other waits (or after a time limit)."),
            expect: trial::outlook(world, &trial, 0.5),
            undo: "Each thread gets its own class back at once; requests already queued keep theirs.".into(),
            wants,
            fit: weight,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Storage, trial)
        })
    }
}

fn bytes(process: &Process) -> f64 {
    process.io.map_or(0.0, |[read, written]| read + written)
}

/// Most of the disk's bytes are its own, and they are not on their way through dirty memory.
fn floods(world: &World<'_>, disk: &Disk, process: &Process) -> bool {
    let Some([read, written]) = process.io else { return false };
    let dominant = bytes(process) >= DOMINANT * (disk.read + disk.write).max(1.0);
    let buffered = world.vitals.vm.known().is_none_or(|vm| (vm.dirty + vm.writeback) as f64 > written);
    dominant && (read > written || !buffered)
}
