//! Steal: the hypervisor gives our time to others. It is named and no CPU change is proposed, since nothing on this host causes it and
//! every measurement of cpu is confounded by it.

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

/// Catalogue B9: over the threshold for a minute. A shorter history will do from this many seconds on.
const SUSTAINED: f64 = 60.0;
const LEAST: f64 = 10.0;

/// Share stolen over the last minute.
fn stolen(world: &World<'_>) -> Option<f64> {
    let key = Key::host(Metric::CpuSteal);
    let oldest = world.series.get(&key)?.points().next()?;
    if world.now.tick.seconds_since(oldest.at) < LEAST {
        return None;
    }
    recent::mean(world, &key, SUSTAINED)
}

/// True while steal makes every statement about cpu doubtful.
pub(super) fn confounds(world: &World<'_>) -> bool {
    stolen(world).is_some_and(|share| share >= world.thresholds.steal)
}

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let Some(share) = stolen(world) else { return Vec::new() };
    let limit = world.thresholds.steal;
    let key = Key::host(Metric::CpuSteal);
    let report = Report {
        id: FindingId { kind: FindingKind::Steal, subject: Subject::Host },
        level: report::level(share, limit),
        severity: if share >= 4.0 * limit { Severity::Critical } else { Severity::Warning },
        headline: format!("the hypervisor takes {} of our cpu time; no cpu change is proposed meanwhile", Unit::Share.show(share)),
        evidence: vec![evidence(key, share, Some(limit), "/proc/stat")],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::MemoryPressure, Suspect::IoPressure, Suspect::Throttling]),
        advice: Some("move the machine to another host, or buy dedicated cpus".into()),
        impact: share,
        crossing: None,
    };
    report.signal().into_iter().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{
            finding::{FindingKind, Level},
            metric::{Key, Metric},
        },
    };

    #[test]
    fn a_minute_of_steal_is_named() {
        let signal = only(Scene::quiet().history(&Key::host(Metric::CpuSteal), [0.08; 60]).seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::Steal, Level::Over));
    }

    #[test]
    fn a_short_spike_or_a_short_history_is_not() {
        let spike = (0..60).map(|i| if i >= 55 { 0.3 } else { 0.0 });
        assert!(Scene::quiet().history(&Key::host(Metric::CpuSteal), spike).seen(look).is_empty());
        assert!(Scene::quiet().history(&Key::host(Metric::CpuSteal), [0.5; 5]).seen(look).is_empty());
    }
}
