//! Where finished requests are taken in (catalogue S7; block/queue-sysfs.rst "rq_affinity", "nomerges").
//!
//! Changes: `queue/rq_affinity` to 2 and `queue/nomerges` to 1 of an NVMe disk.
//! Helps when: one cpu takes in the answers to hundreds of thousands of requests per second.
//! Hurts when: requests come from few cpus: they are interrupted instead, and neighbouring requests are merged less often.
//! Undone how: the values before are written back, at once.

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
        snapshot::Disk,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Requests per second from which their answers are a load of their own.
const REQUESTS: f64 = 300_000.0;

/// Completion of requests.
pub struct RequestCompletion;

impl Setting for RequestCompletion {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "request-completion",
            row: "S7",
            changes: "queue/rq_affinity and nomerges of an NVMe disk",
            helps: "one cpu takes in the answers to hundreds of thousands of requests",
            hurts: "requests come from few cpus: they are interrupted instead",
            undone: "the values before are written back",
            risk: Risk::Low,
            needs: "root (owner of /sys/block)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let hot = world.findings.iter().filter(|f| f.id.kind == FindingKind::SoftirqImbalance);
        hot.filter_map(|finding| self.relief(world, finding)).collect()
    }

    /// The want's text is `FILE VALUE`.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let (Subject::Disk(name), Some((file, value))) = (&want.on, want.to.split_once(' ')) else { continue };
            let knob = Knob::File(Place::sys(format!("block/{name}/queue/{file}")));
            steps.push(steps::step(host, knob, value).map_err(|e| from_host(&e, Setting::about(self).needs))?);
        }
        Ok(steps)
    }
}

impl RequestCompletion {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let disk =
            world.snapshot.disks.known()?.iter().filter(|disk| is_busy(disk)).max_by(|a, b| requests(a).total_cmp(&requests(b)))?;
        let subject = Subject::Disk(disk.name.clone());
        let pace = Key::new(subject.clone(), Metric::DiskLatency);
        let guardrails =
            vec![rise(Metric::PressureCpuSome, 0.05), crate::model::trial::Guardrail { key: pace, relative: 0.1, absolute: 0.0 }];
        let trial = trial::of(world, Key::host(Metric::CpuSoftirq), guardrails);
        let want = |file: &str, value: u8| Want { on: subject.clone(), to: format!("{file} {value}") };
        Some(Proposal {
            title: format!("{} answers to the cpu that asked", disk.name),
            why: format!("{} serves {}, and one cpu takes in most answers.", disk.name, Unit::PerSecond.show(requests(disk))),
            mechanism: "A finished request is handed to the very cpu that sent it; few tries are made to merge neighbours.".into(),
            expect: trial::outlook(world, &trial, 0.8),
            undo: "The values before are written back at once.".into(),
            wants: vec![want("rq_affinity", 2), want("nomerges", 1)],
            fit: 0.5,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Storage, trial)
        })
    }
}

fn requests(disk: &Disk) -> f64 {
    disk.reads + disk.writes
}

fn is_busy(disk: &Disk) -> bool {
    disk.name.starts_with("nvme") && disk.settings.is_some() && requests(disk) >= REQUESTS
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_nvme_disks_under_such_a_load_count() {
        let disk = |name: &str, reads| Disk { name: name.into(), reads, settings: Some(Default::default()), ..Disk::default() };
        assert!(is_busy(&disk("nvme0n1", 400_000.0)));
        assert!(!is_busy(&disk("nvme0n1", 100_000.0)));
        assert!(!is_busy(&disk("vda", 400_000.0)));
        assert!(!is_busy(&Disk { settings: None, ..disk("nvme0n1p1", 400_000.0) }));
    }
}
