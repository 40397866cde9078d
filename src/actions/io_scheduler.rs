//! The I/O scheduler of a disk (catalogue S1; block/switching-sched.rst, bfq-iosched.rst).
//!
//! Changes: `queue/scheduler` to `bfq`; the kernel resets `nr_requests` with it, which is put back as it was.
//! Helps when: small requests wait behind a flood: bfq serves each process in turn.
//! Hurts when: throughput is what matters (a bulk writer can fall to a tenth), or the disk does more than bfq can sort.
//! Undone how: the scheduler before, then `nr_requests`; the new queue starts with the default tunables of its scheduler.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, refusal},
            setting::Setting,
            steps::{self, Order},
            trial::{self, rise},
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Requests per second beyond which bfq costs more cpu than it is worth.
const TOO_FAST: f64 = 50_000.0;

/// The scheduler of a disk.
pub struct IoScheduler;

impl Setting for IoScheduler {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "io-scheduler",
            row: "S1",
            changes: "queue/scheduler of a disk (and nr_requests, which it resets)",
            helps: "small requests wait behind a flood",
            hurts: "throughput matters most, or the disk is very fast",
            undone: "the scheduler before, then nr_requests",
            risk: Risk::Medium,
            needs: "root (owner of /sys/block)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.facts.tuners.iter().any(|t| &**t == "tuned") {
            return Vec::new();
        }
        let slow = world.findings.iter().filter(|f| matches!(f.id.kind, FindingKind::DiskLatency | FindingKind::WritebackStall));
        slow.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let Subject::Disk(name) = &want.on else { continue };
            let queue = Place::sys(format!("block/{name}/queue"));
            let scheduler = queue.join("scheduler");
            let choice = host.text(&scheduler).map_err(|e| from_host(&e, "read access to it"))?;
            if !choice.split_ascii_whitespace().any(|word| word.trim_matches(['[', ']']) == want.to) {
                return Err(refusal(Obstacle::Unsupported, format!("{scheduler} offers no {}: load its module first.", want.to)));
            }
            let requests = Knob::File(queue.join("nr_requests"));
            let keep = host.get(&requests).map_err(|e| from_host(&e, "read access to it"))?;
            for (knob, after) in [(Knob::File(scheduler), want.to.clone()), (requests, keep)] {
                steps.push(steps::step(host, knob, after).map_err(|e| from_host(&e, Setting::about(self).needs))?);
            }
        }
        Ok(steps)
    }

    /// The scheduler first: switching it resets what follows.
    fn order(&self) -> Order {
        Order::FirstFirst
    }
}

impl IoScheduler {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let Subject::Disk(name) = &finding.id.subject else { return None };
        let disk = world.snapshot.disk(name)?;
        let settings = disk.settings.as_ref()?;
        let offered = settings.schedulers.iter().any(|s| &**s == "bfq") && &*settings.scheduler != "bfq";
        if !offered || disk.reads + disk.writes > TOO_FAST {
            return None;
        }
        let (metric, latency) = match (disk.flush_latency, disk.read_latency) {
            (Some(flush), _) => (Metric::DiskFlushLatency, flush),
            (None, Some(read)) => (Metric::DiskReadLatency, read),
            (None, None) => (Metric::DiskLatency, disk.latency?),
        };
        let trial = trial::of(world, Key::new(finding.id.subject.clone(), metric), vec![rise(Metric::PressureMemoryFull, 0.05)]);
        Some(Proposal {
            title: format!("scheduler {} -> bfq for {name}", settings.scheduler),
            why: format!("{} of {name} is {}: small requests queue behind a flood.", metric.words(), Unit::Seconds.show(latency)),
            mechanism: "bfq gives each process its turn at the disk, and small synchronous requests first.".into(),
            expect: format!("{} Bulk writers may fall to a tenth.", trial::outlook(world, &trial, 0.1)),
            undo: "The scheduler before and nr_requests are written back; the queue drains for a moment each time.".into(),
            wants: vec![Want { on: finding.id.subject.clone(), to: "bfq".into() }],
            fit: if finding.id.kind == FindingKind::DiskLatency { 0.7 } else { 0.4 },
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Storage, trial)
        })
    }
}
