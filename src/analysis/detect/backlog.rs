//! Packets that no protocol ever saw (networking/scaling.rst; `/proc/net/softnet_stat`): dropped because the queue of a cpu was full
//! (`netdev_max_backlog`), or left for the next round because one round of receiving ran out of its budget (`netdev_budget`,
//! `netdev_budget_usecs`).

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

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    backlog(world).and_then(Report::signal).into_iter().collect()
}

fn backlog(world: &World<'_>) -> Option<Report> {
    let softnet = &world.snapshot.network.known()?.softnet;
    let limits = world.thresholds;
    let sum = |column: fn(&[f64; 3]) -> f64| softnet.iter().map(column).sum::<f64>();
    let mean = |metric, now: f64| recent::mean(world, &Key::host(metric), recent::BURST).unwrap_or(now);
    let drops = mean(Metric::BacklogDrops, sum(|[_, dropped, _]| *dropped));
    let squeezes = mean(Metric::BacklogSqueezes, sum(|[_, _, squeezed]| *squeezed));
    let level = report::level(drops, limits.backlog_drops).max(report::level(squeezes, limits.backlog_squeezes));
    let show = |rate: f64| Unit::PerSecond.show((rate * 10.0).round() / 10.0);
    let dropping = report::level(drops, limits.backlog_drops) == Level::Over;
    Some(Report {
        id: FindingId { kind: FindingKind::ReceiveBacklog, subject: Subject::Host },
        level,
        severity: if dropping { Severity::Warning } else { Severity::Notice },
        headline: format!("received packets: {} dropped at a cpu's queue, {} rounds cut short", show(drops), show(squeezes)),
        evidence: vec![
            evidence(Key::host(Metric::BacklogDrops), drops, Some(limits.backlog_drops), "/proc/net/softnet_stat"),
            evidence(Key::host(Metric::BacklogSqueezes), squeezes, Some(limits.backlog_squeezes), "/proc/net/softnet_stat"),
        ],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::CpuPressure, Suspect::Steal]),
        advice: Some("where one cpu does it all, spread the receive work first: rps_cpus of the interface's queues".into()),
        impact: drops / (drops + 1000.0),
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
            finding::{FindingKind, Severity},
            snapshot::{Network, Reading},
        },
    };

    fn scene(softnet: Vec<[f64; 3]>) -> Scene {
        let mut scene = Scene::quiet();
        scene.snapshot.network = Reading::Known(Network { softnet, ..Network::default() });
        scene
    }

    #[test]
    fn drops_of_all_cpus_count_and_squeezes_alone_are_a_notice() {
        let finding = only(scene(vec![[1e5, 0.8, 0.0], [1e5, 0.8, 2.0]]).seen(look)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::ReceiveBacklog, Severity::Warning));
        assert_eq!(only(scene(vec![[1e5, 0.0, 30.0]]).seen(look)).finding.severity, Severity::Notice);
    }

    #[test]
    fn busy_cpus_that_keep_up_say_nothing() {
        assert!(scene(vec![[1e6, 0.0, 1.0]; 8]).seen(look).len() == 1, "eight squeezes per second are between");
        assert!(scene(vec![[1e6, 0.0, 0.5]; 8]).seen(look).is_empty());
        assert!(scene(Vec::new()).seen(look).is_empty());
    }
}
