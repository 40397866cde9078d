//! Fragmentation: free memory is in small pieces, and allocations wait while larger ones are put together
//! (Documentation/admin-guide/sysctl/vm.rst, `compaction_proactiveness`).

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        recent,
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

/// Blocks of 2^4 pages: more than the kernel hands out without a thought (`PAGE_ALLOC_COSTLY_ORDER` is 3).
const ORDER: usize = 4;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    fragmented(world).and_then(Report::signal).into_iter().collect()
}

fn fragmented(world: &World<'_>) -> Option<Report> {
    let (limits, vm) = (world.thresholds, world.vitals.vm.known()?);
    let large = world.snapshot.paging.known()?.in_blocks_of(ORDER)?;
    let stalls = recent::mean(world, &Key::host(Metric::CompactionStalls), recent::BURST).unwrap_or(vm.compact_stalls);
    // Less is worse for blocks: over at the limit, clear from 1/0.7 of it on.
    let scarce = report::level(limits.high_order / large.max(1e-9), 1.0);
    let level = report::level(stalls, limits.compaction_stalls).min(scarce);
    let refused =
        vm.thp_fallback.map_or(String::new(), |share| format!(", {} of huge-page faults get none", Unit::Share.show(share)));
    Some(Report {
        id: FindingId { kind: FindingKind::Fragmentation, subject: Subject::Host },
        level,
        severity: Severity::Warning,
        headline: format!("{} allocations wait for compaction{refused}", Unit::PerSecond.show(stalls)),
        evidence: vec![evidence(Key::host(Metric::CompactionStalls), stalls, Some(limits.compaction_stalls), "/proc/vmstat")],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::Swap, Suspect::CpuPressure]),
        advice: Some("let the kernel compact in the background, or ask for no huge pages".into()),
        impact: world.vitals.pressure.known().map_or(0.1, |p| p.memory.some),
        crossing: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{
            finding::{FindingKind, Level},
            paging::{Paging, Zone},
            snapshot::Reading,
        },
    };

    fn scene(stalls: f64, free: &[u64]) -> Scene {
        let mut scene = Scene::quiet().vitals(|vm, _, _| vm.compact_stalls = stalls);
        let zone = Zone { node: 0, name: "Normal".into(), free: free.into() };
        scene.snapshot.paging = Reading::Known(Paging { zones: vec![zone], ..Paging::default() });
        scene
    }

    #[test]
    fn small_pieces_and_waiting_together_are_fragmentation() {
        let signal = only(scene(50.0, &[10_000, 100, 0, 0, 1]).seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::Fragmentation, Level::Over));
    }

    #[test]
    fn large_blocks_or_nobody_waiting_are_not() {
        assert!(scene(50.0, &[100, 100, 0, 0, 500]).seen(look).is_empty());
        assert!(scene(0.0, &[10_000]).seen(look).is_empty());
        assert!(Scene::quiet().vitals(|vm, _, _| vm.compact_stalls = 99.0).seen(look).is_empty(), "blocks are not known");
    }
}
