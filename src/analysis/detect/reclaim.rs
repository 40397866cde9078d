//! Direct reclaim: tasks free memory themselves, while they wait for it, though there is enough (Documentation/admin-guide/sysctl/vm.rst,
//! `watermark_scale_factor`: kswapd wakes too late). With little memory left it is pressure, which another detector tells.

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        recent,
        report::{self, Report, evidence},
    },
    model::{
        finding::{FindingId, FindingKind, Level, Severity, Signal},
        metric::{Key, Metric},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// MemAvailable over total, from which on memory is not short (catalogue M10).
const ENOUGH: f64 = 0.10;
/// Pages scanned per second below which shares say nothing.
const SCANNED: f64 = 1000.0;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    direct(world).and_then(Report::signal).into_iter().collect()
}

fn direct(world: &World<'_>) -> Option<Report> {
    let (limits, vm, memory) = (world.thresholds, world.vitals.vm.known()?, world.vitals.memory.known()?);
    let left = memory.available as f64 / memory.total.max(1) as f64;
    if left < ENOUGH {
        return None;
    }
    let mean = |metric, now| recent::mean(world, &Key::host(metric), recent::BURST).unwrap_or(now);
    let (stalls, scanned) = (mean(Metric::AllocationStalls, vm.stalls), mean(Metric::DirectReclaim, vm.scan_direct));
    let all = scanned + vm.scan_kswapd;
    let share = if all >= SCANNED { scanned / all } else { 0.0 };
    // A share of what nobody waits for costs nobody anything.
    let by_share = report::level(share, limits.direct_reclaim).min(report::level(stalls, limits.allocation_stalls / 4.0));
    let level = report::level(stalls, limits.allocation_stalls).max(by_share);
    if level == Level::Clear {
        return None;
    }
    let show = |rate| Unit::PerSecond.show(rate);
    let available = Unit::Bytes.show(memory.available as f64);
    Some(Report {
        id: FindingId { kind: FindingKind::DirectReclaim, subject: Subject::Host },
        level,
        severity: Severity::Warning,
        headline: format!("{} allocations wait for reclaim though {available} are available", show(stalls)),
        evidence: vec![
            evidence(Key::host(Metric::AllocationStalls), stalls, Some(limits.allocation_stalls), "/proc/vmstat"),
            evidence(Key::host(Metric::DirectReclaim), scanned, None, "/proc/vmstat"),
            evidence(Key::host(Metric::MemoryAvailable), memory.available as f64, None, "/proc/meminfo"),
        ],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::Swap, Suspect::CpuPressure]),
        advice: Some("let kswapd begin earlier: vm.watermark_scale_factor".into()),
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
        model::finding::{FindingKind, Level},
    };

    fn scene(stalls: f64, direct: f64, kswapd: f64) -> Scene {
        Scene::quiet().vitals(|vm, _, _| (vm.stalls, vm.scan_direct, vm.scan_kswapd) = (stalls, direct, kswapd))
    }

    #[test]
    fn waiting_for_reclaim_with_memory_to_spare_is_told() {
        let signal = only(scene(5.0, 2e4, 1e4).seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::DirectReclaim, Level::Over));
    }

    #[test]
    fn what_kswapd_does_in_time_is_no_trouble() {
        assert!(scene(0.0, 0.0, 1e6).seen(look).is_empty());
        assert!(scene(0.1, 5e2, 1e2).seen(look).is_empty(), "hardly anything is scanned");
    }

    #[test]
    fn a_large_share_counts_from_a_few_stalls_on() {
        assert_eq!(only(scene(0.3, 5e3, 5e3).seen(look)).level, Level::Over);
        assert!(scene(0.0, 5e3, 5e3).seen(look).is_empty(), "nobody waits");
    }

    #[test]
    fn with_little_memory_left_it_is_pressure_and_told_as_that() {
        let short = scene(5.0, 2e4, 1e4).vitals(|_, _, memory| memory.available = memory.total / 20);
        assert!(short.seen(look).is_empty());
    }
}
