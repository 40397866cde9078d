//! Writeback stall: so much memory is dirty that whoever syncs waits for seconds of other people's writes
//! (Documentation/admin-guide/sysctl/vm.rst, dirty_bytes; Documentation/accounting/psi.rst).

use crate::{
    analysis::detect::{
        disk,
        innocent::{self, Suspect},
        recent,
        report::{self, Report, evidence},
        who,
    },
    model::{
        finding::{FindingId, FindingKind, Level, Severity, Signal},
        metric::{Key, Metric},
        snapshot::Disk,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// A disk with idle time in every window is not behind.
const BUSY: f64 = 0.5;

/// What stands before a disk.
struct Backlog {
    /// Bytes dirty or under writeback.
    dirty: f64,
    /// Bytes per second that the disk writes.
    rate: f64,
    /// Bytes at which it is too much.
    limit: f64,
    /// Share of time in which somebody waited for I/O.
    pressure: f64,
    level: Level,
}

/// The look: at the disk that writes most, since dirty memory has no disk of its own.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let stalled = writer(world).and_then(|disk| Some((disk, backlog(world, disk)?)));
    stalled.and_then(|(disk, backlog)| stall(world, disk, &backlog).signal()).into_iter().collect()
}

/// True while the backlog before this disk explains its slowness.
pub(super) fn stalls(world: &World<'_>, disk: &Disk) -> bool {
    let is_writer = writer(world).is_some_and(|writer| writer.name == disk.name);
    is_writer && backlog(world, disk).is_some_and(|backlog| backlog.level == Level::Over)
}

fn written(world: &World<'_>, disk: &Disk) -> f64 {
    let key = Key::new(Subject::Disk(disk.name.clone()), Metric::DiskWrite);
    recent::mean(world, &key, recent::BURST).unwrap_or(disk.write)
}

fn writer<'w>(world: &World<'w>) -> Option<&'w Disk> {
    let disks = world.snapshot.disks.known()?.iter().filter(|disk| disk.settings.is_some());
    disks.map(|disk| (disk, written(world, disk))).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(disk, _)| disk)
}

fn backlog(world: &World<'_>, disk: &Disk) -> Option<Backlog> {
    let limits = world.thresholds;
    let vm = world.snapshot.vitals.vm.known()?;
    let host = |metric, now| recent::mean(world, &Key::host(metric), recent::STEADY).unwrap_or(now);
    let dirty = host(Metric::Dirty, (vm.dirty + vm.writeback) as f64);
    let pressure = host(Metric::PressureIoSome, world.snapshot.vitals.pressure.known()?.io.some);
    let busy = Key::new(Subject::Disk(disk.name.clone()), Metric::DiskBusy);
    let busy = recent::mean(world, &busy, recent::STEADY).unwrap_or(disk.busy);
    let rate = written(world, disk);
    let limit = limits.dirty_bytes.max(limits.dirty_seconds * rate);
    let level = report::level(dirty, limit).min(report::level(pressure, limits.io_some)).min(report::level(busy, BUSY));
    (level != Level::Clear).then_some(Backlog { dirty, rate, limit, pressure, level })
}

fn stall(world: &World<'_>, disk: &Disk, backlog: &Backlog) -> Report {
    let subject = Subject::Disk(disk.name.clone());
    let culprits = disk::parties(world, |[_, written]| written);
    let victims = disk::waiting(world, &culprits);
    let wait = backlog.dirty / backlog.rate.max(1.0);
    let name = report::short(&disk.name);
    let by = if culprits.is_empty() { String::new() } else { format!(", from {}", who::names(&culprits)) };
    let who = if victims.is_empty() { "whoever syncs".into() } else { who::names(&victims) };
    let waits = if backlog.rate >= 1.0 { format!(": {who} may wait {}", Unit::Seconds.show(wait)) } else { String::new() };
    let limits = world.thresholds;
    Report {
        id: FindingId { kind: FindingKind::WritebackStall, subject: subject.clone() },
        level: backlog.level,
        severity: if backlog.pressure >= 2.0 * limits.io_some { Severity::Critical } else { Severity::Warning },
        headline: format!("{} dirty before {name}{by}{waits}", Unit::Bytes.show(backlog.dirty)),
        evidence: vec![
            evidence(Key::host(Metric::Dirty), backlog.dirty, Some(backlog.limit), "/proc/vmstat"),
            evidence(Key::host(Metric::PressureIoSome), backlog.pressure, Some(limits.io_some), "/proc/pressure/io"),
            evidence(Key::new(subject.clone(), Metric::DiskBusy), disk.busy, Some(BUSY), "/proc/diskstats"),
            evidence(Key::new(subject, Metric::DiskWrite), backlog.rate, None, "/proc/diskstats"),
        ],
        culprits,
        victims,
        ruled_out: innocent::among(world, &[Suspect::MemoryPressure, Suspect::Swap, Suspect::CpuPressure, Suspect::Steal]),
        advice: None,
        impact: backlog.pressure,
        crossing: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{GIB, Scene, only, pids},
        model::finding::{FindingKind, Level},
    };

    use crate::analysis::detect::disk;

    fn bulk(dirty: u64, some: f64, busy: f64) -> Scene {
        Scene::quiet()
            .vitals(|vm, p, _| (vm.dirty, vm.writeback, p.io.some) = (dirty / 2, dirty / 2, some))
            .disk(|d| (d.write, d.writes, d.latency, d.busy) = (300e6, 600.0, Some(0.2), busy))
            .process(50, "python3", |p| (p.io, p.state) = (Some([0.0, 900e6]), 'D'))
            .process(60, "postgres", |p| (p.state, p.io) = ('D', Some([0.0, 40e3])))
    }

    #[test]
    fn a_bulk_writer_before_a_small_syncer() {
        let signal = only(bulk(2 * GIB, 0.7, 0.95).seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::WritebackStall, Level::Over));
        assert_eq!((pids(&signal.finding.culprits), pids(&signal.finding.victims)), (vec![50], vec![60]));
        assert_eq!(signal.finding.headline, "2.00 GiB dirty before vda, from python3: postgres may wait 7.16 s");
    }

    #[test]
    fn the_stall_explains_the_slow_disk() {
        assert!(bulk(2 * GIB, 0.7, 0.95).seen(disk::look).is_empty());
        assert_eq!(bulk(GIB / 16, 0.7, 0.95).seen(disk::look).len(), 1);
    }

    #[test]
    fn dirty_memory_that_nobody_waits_for_is_a_cache_at_work() {
        assert!(bulk(2 * GIB, 0.05, 0.95).seen(look).is_empty());
        assert!(bulk(2 * GIB, 0.7, 0.1).seen(look).is_empty());
        assert!(bulk(GIB / 16, 0.7, 0.95).seen(look).is_empty());
    }

    #[test]
    fn a_disk_that_stands_still_has_no_waiting_time_to_tell() {
        let scene = bulk(2 * GIB, 1.0, 1.0).disk(|d| (d.write, d.busy) = (0.0, 1.0));
        assert_eq!(only(scene.seen(look)).finding.headline, "2.00 GiB dirty before vda, from python3");
    }
}
