//! How much may stand before a disk (catalogue S3; block/stat.rst, ABI sysfs-block "nr_requests", "wbt_lat_usec").
//!
//! Changes: `queue/wbt_lat_usec`, else `queue/nr_requests` of a disk.
//! Helps when: buffered writes stand before reads, or requests stand in a queue that is far too long.
//! Hurts when: throughput is what matters: writers are held back, and fewer requests can be sorted and merged.
//! Undone how: the value before is written back, as a number.
//!
//! Under bfq writes are not throttled, and switching the scheduler resets `nr_requests`: these are one group. A target that was set stays
//! set by hand for the kernel (`wbt_set_min_lat`), whatever the number: bfq no longer switches it off. `-1` changes nothing about that
//! and asks for the default of the kind of disk, which need not be what stood there (seen on Linux 6.18), so it is not used.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, nothing, refusal},
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
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        snapshot::Disk,
        subject::Subject,
        trial::Guardrail,
        unit::Unit,
        world::World,
    },
};

/// The least target for reads in microseconds, and the kernel's defaults without and with rotation (`wbt_default_latency_nsec`).
const LEAST: u64 = 500;
const USUAL: (u64, u64) = (2000, 75_000);
/// The fewest requests; the kernel takes no less than 4.
const FEWEST: u64 = 16;
/// Share of the requests allowed that stand there when the queue is full.
const FULL: f64 = 0.75;

/// The queue of a disk.
pub struct RequestQueue;

impl Setting for RequestQueue {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "request-queue",
            row: "S3",
            changes: "queue/wbt_lat_usec, else nr_requests, of a disk",
            helps: "buffered writes stand before reads, or a queue is far too long",
            hurts: "throughput matters most: writers are held back",
            undone: "the value before is written back; for the kernel it stays set by hand",
            risk: Risk::Medium,
            needs: "root (owner of /sys/block)",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let slow = world.findings.iter().filter(|f| f.id.kind == FindingKind::DiskLatency);
        slow.filter_map(|finding| self.relief(world, finding)).collect()
    }

    /// The want's text is `FILE VALUE`.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let lacks = |e| from_host(&e, Setting::about(self).needs);
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let (Subject::Disk(name), Some((file, value))) = (&want.on, want.to.split_once(' ')) else { continue };
            let queue = Place::sys(format!("block/{name}/queue"));
            let scheduler = host.get(&Knob::File(queue.join("scheduler"))).map_err(lacks)?;
            if file == "wbt_lat_usec" && scheduler == "bfq" {
                return Err(refusal(Obstacle::Unsupported, format!("{name} is under bfq, which does not throttle writes.")));
            }
            let step = steps::step(host, Knob::File(queue.join(file)), value).map_err(lacks)?;
            let number = |text: &str| text.parse::<u64>().unwrap_or(0);
            let (before, after) = (number(&step.before), number(&step.after));
            if before != 0 && before <= after {
                return Err(nothing(format!("{} is {before}", step.knob)));
            }
            steps.push(step);
        }
        Ok(steps)
    }
}

impl RequestQueue {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let Subject::Disk(name) = &finding.id.subject else { return None };
        let disk = world.snapshot.disk(name)?;
        let throttle = throttled(disk);
        let (file, old, new) = throttle.or_else(|| shorter(disk))?;
        let key = |metric| Key::new(finding.id.subject.clone(), metric);
        let metric = if disk.read_latency.is_some() { Metric::DiskReadLatency } else { Metric::DiskLatency };
        let pace = Guardrail { key: key(Metric::DiskWrite), relative: 0.7, absolute: 0.0 };
        let trial = trial::of(world, key(metric), vec![pace, rise(Metric::PressureMemoryFull, 0.05)]);
        let (why, mechanism) = if throttle.is_some() {
            let reads = Unit::Seconds.show(disk.read_latency.unwrap_or(0.0));
            let written = Unit::BytesPerSecond.show(disk.write);
            let why = format!("Reads of {name} take {reads} while {written} are written: they stand behind buffered writes.");
            (why, "The kernel holds buffered writes back as soon as reads take longer than that.")
        } else {
            let why = format!("{:.0} of {old} requests stand before {name}: a new one waits for most of them.", disk.queue);
            (why, "Fewer requests may stand before the disk; who wants to add one waits where it can be told apart.")
        };
        Some(Proposal {
            title: format!("{file} {old} -> {new} for {name}").chars().take(60).collect(),
            why,
            mechanism: mechanism.into(),
            expect: format!("{} Writers may fall to a third.", trial::outlook(world, &trial, 0.5)),
            undo: "The value before is written back at once; for the kernel a target stays set by hand.".into(),
            wants: vec![Want { on: finding.id.subject.clone(), to: format!("{file} {new}") }],
            fit: 0.5,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Storage, trial)
        })
    }
}

/// The target for reads beside buffered writes: switched on, or a quarter of what it is. `None` where reads do not suffer from them.
fn throttled(disk: &Disk) -> Option<(&'static str, u64, u64)> {
    let settings = disk.settings.as_ref()?;
    let (old, reads) = (settings.write_throttling?, disk.read_latency?);
    let usual = if settings.rotational { USUAL.1 } else { USUAL.0 };
    let new = if old == 0 { usual } else { (old / 4).max(LEAST) };
    let starve = disk.write > disk.read && reads * 1e6 > new as f64;
    (starve && &*settings.scheduler != "bfq" && (old == 0 || new < old)).then_some(("wbt_lat_usec", old, new))
}

/// Half of the requests that may stand there, where nearly as many do.
fn shorter(disk: &Disk) -> Option<(&'static str, u64, u64)> {
    let old = disk.settings.as_ref()?.requests;
    let new = (old / 2).max(FEWEST);
    (disk.queue >= FULL * old as f64 && new < old).then_some(("nr_requests", old, new))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::sample::DiskQueue;

    fn disk(scheduler: &str, write_throttling: Option<u64>, write: f64) -> Disk {
        let settings = DiskQueue { scheduler: scheduler.into(), requests: 256, write_throttling, ..DiskQueue::default() };
        Disk { read: 1e6, write, read_latency: Some(0.05), settings: Some(settings.into()), ..Disk::default() }
    }

    #[test]
    fn throttling_is_switched_on_or_sharpened_where_writes_stand_before_reads() {
        assert_eq!(throttled(&disk("none", Some(0), 9e6)), Some(("wbt_lat_usec", 0, 2000)));
        assert_eq!(throttled(&disk("none", Some(2000), 9e6)), Some(("wbt_lat_usec", 2000, 500)));
        assert_eq!(throttled(&disk("none", Some(500), 9e6)), None, "no further");
        assert_eq!(throttled(&disk("bfq", Some(0), 9e6)), None);
        assert_eq!(throttled(&disk("none", None, 9e6)), None, "a kernel without it");
        assert_eq!(throttled(&disk("none", Some(0), 1e5)), None, "reads are slow for another reason");
    }

    #[test]
    fn a_queue_is_halved_only_when_it_is_full() {
        let with = |queue, requests| {
            let settings = DiskQueue { requests, ..DiskQueue::default() };
            Disk { queue, settings: Some(settings.into()), ..Disk::default() }
        };
        assert_eq!(shorter(&with(200.0, 256)), Some(("nr_requests", 256, 128)));
        assert_eq!(shorter(&with(20.0, 256)), None);
        assert_eq!(shorter(&with(16.0, 16)), None);
    }
}
