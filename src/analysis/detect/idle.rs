//! Deep idle: processors with little to do fall asleep so deeply that waking them is a good part of what a fast service takes
//! (Documentation/admin-guide/pm/cpuidle.rst). Only told of a service whose latency is measured: nobody else can be shown to wait for it.

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

/// Busy share of all cores up to which waking matters more than work (catalogue C11).
const QUIET: f64 = 0.30;

/// The look: the fastest service, since it feels waking most.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    deep(world).and_then(Report::signal).into_iter().collect()
}

fn deep(world: &World<'_>) -> Option<Report> {
    let (limits, idle) = (world.thresholds, world.snapshot.idle.known()?);
    if world.snapshot.vitals.cpu.known()?.total.busy() >= QUIET {
        return None;
    }
    let (share, exit) = (idle.deep_share()?, idle.exit()?);
    let median = |s: &crate::model::snapshot::Service| s.latency.map(|[p50, ..]| p50).filter(|p50| *p50 > 0.0);
    let all = world.snapshot.services.known()?;
    let (service, p50) = all.iter().filter_map(|s| Some((s, median(s)?))).min_by(|a, b| a.1.total_cmp(&b.1))?;
    let cost = exit / p50;
    let key = Key::new(Subject::Service(service.name.clone()), Metric::ServiceP50);
    let show = |seconds| Unit::Seconds.show(seconds);
    Some(Report {
        id: FindingId { kind: FindingKind::DeepIdle, subject: Subject::Service(service.name.clone()) },
        level: report::level(share, limits.deep_idle).min(report::level(cost, limits.wake_cost)),
        severity: Severity::Notice,
        headline: format!("waking a cpu takes up to {} of the {} of {}", show(exit), show(p50), report::short(&service.name)),
        evidence: vec![
            evidence(key, p50, Some(exit / limits.wake_cost), "its histogram"),
            evidence(Key::host(Metric::DeepIdle), share, Some(limits.deep_idle), "cpuidle"),
        ],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::CpuPressure, Suspect::Steal]),
        advice: Some("forbid the deep states while it matters; it costs power".into()),
        impact: cost.min(1.0) * share,
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
            idle::{Idle, IdleState},
            snapshot::{Reading, Service},
        },
    };

    fn scene(busy: f64, deep: f64, p50: f64) -> Scene {
        let mut scene = Scene::quiet().cores([busy; 4]);
        let state = |latency, share| IdleState { name: "C".into(), latency, share: Some(share) };
        scene.snapshot.idle = Reading::Known(Idle { states: vec![state(2, 1.0 - busy - deep), state(200, deep)] });
        let service = Service { name: "web".into(), rate: 100.0, latency: Some([p50, p50 * 2.0, p50 * 4.0]), process: None };
        scene.snapshot.services = Reading::Known(vec![service]);
        scene
    }

    #[test]
    fn waking_that_is_a_good_part_of_a_fast_answer_is_told() {
        let signal = only(scene(0.1, 0.8, 0.000_5).seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::DeepIdle, Level::Over));
    }

    #[test]
    fn a_slow_service_a_busy_host_or_shallow_sleep_is_not() {
        assert!(scene(0.1, 0.8, 0.05).seen(look).is_empty());
        assert!(scene(0.5, 0.5, 0.000_5).seen(look).is_empty());
        assert!(scene(0.1, 0.1, 0.000_5).seen(look).is_empty());
    }
}
