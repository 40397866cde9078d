//! A cgroup held back by its cpu quota while the host has idle cpu (Documentation/scheduler/sched-bwc.rst: `nr_throttled` of
//! `nr_periods`). On a busy host a quota does what it is for, and nothing is said.

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        recent,
        report::{self, Report, evidence},
        who,
    },
    model::{
        finding::{FindingId, FindingKind, Level, Party, Severity, Signal},
        metric::{Key, Metric},
        snapshot::Cgroup,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Processes named at most.
const VICTIMS: usize = 8;
/// Throttled in half of all periods is more than a nuisance.
const SEVERE: f64 = 0.5;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let Some(idle) = idle(world) else { return Vec::new() };
    if idle < world.thresholds.throttled_idle {
        return Vec::new();
    }
    let groups = world.snapshot.cgroups.known().into_iter().flatten();
    groups.filter_map(|group| throttled(world, group, idle)).filter_map(Report::signal).collect()
}

/// Share of the host's cpu time that nobody used over the last seconds.
fn idle(world: &World<'_>) -> Option<f64> {
    let split = world.snapshot.vitals.cpu.known()?.total;
    let recent = |metric, now| recent::mean(world, &Key::host(metric), recent::STEADY).unwrap_or(now);
    Some((1.0 - recent(Metric::CpuBusy, split.busy()) - recent(Metric::CpuSteal, split.steal)).clamp(0.0, 1.0))
}

fn throttled(world: &World<'_>, group: &Cgroup, idle: f64) -> Option<Report> {
    let limits = world.thresholds;
    let cores = group.quota?.cores()?;
    let subject = Subject::Cgroup(group.path.clone());
    let key = |metric| Key::new(subject.clone(), metric);
    let share = recent::mean(world, &key(Metric::CgroupThrottled), recent::STEADY).or(group.throttled)?;
    let level = report::level(share, limits.throttled);
    if level == Level::Clear {
        return None;
    }
    let mut facts = vec![evidence(key(Metric::CgroupThrottled), share, Some(limits.throttled), "cpu.stat")];
    facts.extend(group.throttled_time.map(|time| evidence(key(Metric::CgroupThrottledTime), time, None, "cpu.stat")));
    facts.extend(group.cpu.map(|used| evidence(key(Metric::CgroupCpu), used, Some(cores), "cpu.stat")));
    facts.push(evidence(Key::host(Metric::CpuBusy), 1.0 - idle, Some(1.0 - limits.throttled_idle), "/proc/stat"));
    Some(Report {
        id: FindingId { kind: FindingKind::Throttled, subject: subject.clone() },
        level,
        severity: if share >= SEVERE { Severity::Critical } else { Severity::Warning },
        headline: format!(
            "{} is throttled in {} of its periods ({:.2} cores allowed), host {} idle",
            report::short(group.path.rsplit('/').next().unwrap_or_default()),
            Unit::Share.show(share),
            cores,
            Unit::Share.show(idle)
        ),
        evidence: facts,
        culprits: Vec::new(),
        victims: inside(world, group),
        ruled_out: innocent::among(world, &[Suspect::Steal, Suspect::MemoryPressure, Suspect::IoPressure]),
        advice: None,
        impact: share,
        crossing: None,
    })
}

/// The processes of the cgroup and of those below it, the longest waiting first.
fn inside(world: &World<'_>, group: &Cgroup) -> Vec<Party> {
    let below = |path: &str| path.strip_prefix(&*group.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let all = world.snapshot.processes.known().into_iter().flat_map(|all| all.iter());
    let mut members: Vec<_> = all.filter(|p| !p.kernel && below(&p.cgroup)).collect();
    let weight = |p: &crate::model::snapshot::Process| p.wait.unwrap_or(0.0) + p.cpu.unwrap_or(0.0);
    members.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a.id.cmp(&b.id)));
    let whole: f64 = members.iter().map(|p| weight(p)).sum::<f64>().max(1e-9);
    let named = members.iter().take(VICTIMS);
    named.map(|p| who::party(p, weight(p) / whole, (p.wait.unwrap_or(0.0), Unit::SecondsPerSecond))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only, pids},
        model::{
            finding::{FindingKind, Level},
            subject::Subject,
        },
    };

    fn web(scene: Scene) -> Scene {
        scene
            .process(50, "nginx", |p| (p.cgroup, p.wait) = ("/web".into(), Some(0.5)))
            .process(51, "nginx", |p| (p.cgroup, p.wait) = ("/web/worker".into(), Some(0.7)))
            .process(60, "other", |p| p.cgroup = "/website".into())
    }

    #[test]
    fn a_quota_that_holds_back_while_the_host_idles_is_named_with_its_processes() {
        let signal = only(web(Scene::quiet()).cgroup("/web", Some(15_000), 0.9).seen(look));
        assert_eq!(signal.finding.id.kind, FindingKind::Throttled);
        assert_eq!(signal.finding.id.subject, Subject::Cgroup("/web".into()));
        assert_eq!(pids(&signal.finding.victims), [51, 50]);
        assert!(signal.finding.headline.contains("0.15 cores"), "{}", signal.finding.headline);
    }

    #[test]
    fn on_a_busy_host_a_quota_does_what_it_is_for() {
        assert!(web(Scene::quiet().cores([0.9; 4])).cgroup("/web", Some(15_000), 0.9).seen(look).is_empty());
    }

    #[test]
    fn four_percent_neither_raises_nor_clears_and_three_are_nothing() {
        assert_eq!(only(Scene::quiet().cgroup("/web", Some(15_000), 0.04).seen(look)).level, Level::Between);
        assert!(Scene::quiet().cgroup("/web", Some(15_000), 0.03).seen(look).is_empty());
    }

    #[test]
    fn a_group_without_a_limit_or_with_a_period_of_zero_is_not_throttled() {
        assert!(Scene::quiet().cgroup("/web", None, 0.9).seen(look).is_empty());
        let mut scene = Scene::quiet().cgroup("/web", Some(15_000), 0.9);
        if let crate::model::snapshot::Reading::Known(groups) = &mut scene.snapshot.cgroups {
            groups[0].quota = Some(crate::model::snapshot::Quota { quota: Some(15_000), period: 0 });
        }
        assert!(scene.seen(look).is_empty());
    }
}
