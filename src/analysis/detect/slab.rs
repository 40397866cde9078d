//! Slab bloat: caches of inodes and directory entries take much of memory while the kernel has to reclaim
//! (Documentation/admin-guide/sysctl/vm.rst, `vfs_cache_pressure`). On a host with memory to spare a large cache is a good use of it.

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        report::{self, Report, evidence},
    },
    model::{
        finding::{FindingId, FindingKind, Severity, Signal},
        metric::{Key, Metric},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Pages scanned per second from which on memory is being reclaimed.
const SCANNED: f64 = 1000.0;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    bloated(world).and_then(Report::signal).into_iter().collect()
}

fn bloated(world: &World<'_>) -> Option<Report> {
    let (limit, vm, memory) = (world.thresholds.slab, world.vitals.vm.known()?, world.vitals.memory.known()?);
    let slab = memory.slab_reclaimable as f64;
    let share = slab / memory.total.max(1) as f64;
    let level = report::level(share, limit).min(report::level(vm.scan_kswapd + vm.scan_direct, SCANNED));
    let (bytes, share_shown) = (Unit::Bytes.show(slab), Unit::Share.show(share));
    Some(Report {
        id: FindingId { kind: FindingKind::SlabBloat, subject: Subject::Host },
        level,
        severity: Severity::Notice,
        headline: format!("caches of inodes and entries hold {bytes} ({share_shown}) while memory is reclaimed"),
        evidence: vec![
            evidence(Key::host(Metric::SlabReclaimable), slab, Some(limit * memory.total as f64), "/proc/meminfo"),
            evidence(Key::host(Metric::FileRefaults), vm.refault_file, None, "/proc/vmstat"),
        ],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::Swap, Suspect::IoPressure]),
        advice: Some("whoever walks large trees (backup, search) fills them: vm.vfs_cache_pressure".into()),
        impact: share,
        crossing: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::finding::{FindingKind, Level},
    };

    fn scene(part: u64, scanned: f64) -> Scene {
        Scene::quiet().vitals(|vm, _, memory| {
            vm.scan_kswapd = scanned;
            memory.slab_reclaimable = memory.total / 100 * part;
        })
    }

    #[test]
    fn a_large_cache_is_bloat_only_while_memory_is_reclaimed() {
        let signal = only(scene(45, 5e4).seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::SlabBloat, Level::Over));
        assert!(scene(45, 0.0).seen(look).is_empty());
        assert!(scene(10, 5e4).seen(look).is_empty());
    }
}
