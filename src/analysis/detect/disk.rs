//! A disk that answers slowly: mean time per request, queue included (Documentation/admin-guide/iostats.rst, fields 4 and 8). Where too
//! much dirty memory is the cause, the writeback stall says so instead.

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        recent,
        report::{self, Report, evidence},
        who, writeback,
    },
    model::{
        finding::{FindingId, FindingKind, Level, Party, Severity, Signal},
        metric::{Key, Metric},
        snapshot::{Disk, Process},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Fewer requests per second than this are no load to judge a disk by.
const REQUESTS: f64 = 5.0;
/// Processes named at most.
const NAMED: usize = 5;
/// A process that moves less than this, or than this share of the greatest mover, is no culprit.
const MOVES: f64 = 1024.0 * 1024.0;
const SMALL: f64 = 0.05;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let disks = world.snapshot.disks.known().into_iter().flatten();
    // Partitions have no queue of their own; their disk speaks for them.
    let whole = disks.filter(|disk| disk.settings.is_some() && disk.reads + disk.writes + disk.flushes >= REQUESTS);
    whole.filter_map(|disk| slow(world, disk)).filter_map(Report::signal).collect()
}

fn slow(world: &World<'_>, disk: &Disk) -> Option<Report> {
    let limits = world.thresholds;
    let rotational = disk.settings.as_ref().is_some_and(|s| s.rotational);
    let limit = if rotational { limits.disk_latency_rotational } else { limits.disk_latency };
    let subject = Subject::Disk(disk.name.clone());
    let key = |metric| Key::new(subject.clone(), metric);
    let latency = recent::mean(world, &key(Metric::DiskLatency), recent::STEADY).or(disk.latency)?;
    let level = report::level(latency, limit);
    if level == Level::Clear || writeback::stalls(world, disk) {
        return None;
    }
    let culprits = movers(world);
    let by = if culprits.is_empty() { String::new() } else { format!("; most by {}", who::names(&culprits)) };
    let mut facts = vec![
        evidence(key(Metric::DiskLatency), latency, Some(limit), "/proc/diskstats"),
        evidence(key(Metric::DiskQueue), disk.queue, None, "/proc/diskstats"),
        evidence(key(Metric::DiskBusy), disk.busy, None, "/proc/diskstats"),
    ];
    let io = world.snapshot.vitals.pressure.known().map(|p| p.io.some);
    facts.extend(io.map(|some| evidence(Key::host(Metric::PressureIoSome), some, Some(limits.io_some), "/proc/pressure/io")));
    Some(Report {
        id: FindingId { kind: FindingKind::DiskLatency, subject: subject.clone() },
        level,
        severity: if latency >= 5.0 * limit && io.is_none_or(|some| some >= limits.io_some) {
            Severity::Critical
        } else {
            Severity::Warning
        },
        headline: format!(
            "{} takes {} per request, {:.1} in flight{by}",
            report::short(&disk.name),
            Unit::Seconds.show(latency),
            disk.queue
        ),
        evidence: facts,
        culprits,
        victims: waiting(world, &[]),
        ruled_out: innocent::among(world, &[Suspect::MemoryPressure, Suspect::Swap, Suspect::CpuPressure, Suspect::Steal]),
        advice: None,
        impact: io.unwrap_or(disk.busy),
        crossing: None,
    })
}

/// Who moves most to and from storage.
fn movers(world: &World<'_>) -> Vec<Party> {
    parties(world, |[read, written]| read + written)
}

/// Processes by what they move, greatest first.
pub(super) fn parties(world: &World<'_>, weigh: fn([f64; 2]) -> f64) -> Vec<Party> {
    let all = world.snapshot.processes.known().into_iter().flat_map(|all| all.iter());
    let mut movers: Vec<(&Process, f64)> = all
        .filter(|p| !who::exempt(world, p))
        .filter_map(|p| Some((p, weigh(p.io?))))
        .filter(|(_, moved)| *moved >= MOVES)
        .collect();
    movers.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.id.cmp(&b.0.id)));
    let most = movers.first().map_or(0.0, |(_, moved)| *moved);
    movers.retain(|(_, moved)| *moved >= SMALL * most);
    let whole: f64 = movers.iter().map(|(_, moved)| moved).sum();
    movers.iter().take(NAMED).map(|(p, moved)| who::party(p, moved / whole, (*moved, Unit::BytesPerSecond))).collect()
}

/// Processes in uninterruptible sleep now that are not among `culprits`.
pub(super) fn waiting(world: &World<'_>, culprits: &[Party]) -> Vec<Party> {
    let all = world.snapshot.processes.known().into_iter().flat_map(|all| all.iter());
    let innocent = |p: &&Process| !culprits.iter().any(|c| c.subject == Subject::Process(p.id));
    let blocked: Vec<&Process> = all.filter(|p| p.state == 'D' && !who::exempt(world, p)).filter(innocent).collect();
    let share = 1.0 / blocked.len().max(1) as f64;
    blocked.iter().take(NAMED).map(|p| who::party(p, share, (1.0, Unit::Count))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only, pids},
        model::finding::{FindingKind, Level},
    };

    #[test]
    fn a_slow_disk_names_who_moves_most_and_who_sleeps_on_it() {
        let scene = Scene::quiet()
            .disk(|d| (d.reads, d.latency, d.queue, d.busy) = (200.0, Some(0.08), 16.0, 1.0))
            .process(50, "backup", |p| p.io = Some([80e6, 0.0]))
            .process(51, "logger", |p| p.io = Some([0.0, 2e6]))
            .process(60, "postgres", |p| (p.state, p.io) = ('D', Some([0.2e6, 0.0])));
        let signal = only(scene.seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::DiskLatency, Level::Over));
        assert_eq!((pids(&signal.finding.culprits), pids(&signal.finding.victims)), (vec![50], vec![60]));
    }

    #[test]
    fn what_is_slow_for_flash_is_fine_for_a_spinning_disk() {
        let spin = Scene::quiet().disk(|d| {
            (d.reads, d.latency) = (50.0, Some(0.03));
            d.settings = Some(std::sync::Arc::new(crate::model::sample::DiskQueue { rotational: true, ..Default::default() }));
        });
        assert!(spin.seen(look).is_empty());
    }

    #[test]
    fn a_partition_and_an_idle_disk_say_nothing() {
        assert!(Scene::quiet().disk(|d| (d.reads, d.latency, d.settings) = (50.0, Some(1.0), None)).seen(look).is_empty());
        assert!(Scene::quiet().disk(|d| (d.reads, d.latency) = (1.0, Some(1.0))).seen(look).is_empty());
        assert!(Scene::quiet().disk(|d| (d.reads, d.latency) = (50.0, None)).seen(look).is_empty());
    }
}
