//! CPU contention: somebody who wants little waits for a cpu that others hold.
//!
//! The victim is found by its run delay (`/proc/PID/schedstat`, second field: Documentation/scheduler/sched-stats.rst). Hogs wait for
//! each other too, and longer than anybody, so waiting alone does not make a victim: it must also use little, or serve others. Where
//! the kernel keeps no run delay, the cpu pressure of cgroups stands in. Time stolen by the hypervisor looks like run delay; while there
//! is steal nothing is said here.

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        recent,
        report::{self, Report, evidence},
        steal,
        who::{self, Candidate, Role},
    },
    model::{
        finding::{Evidence, FindingId, FindingKind, Level, Party, Severity, Signal},
        metric::{Key, Metric},
        snapshot::Cgroup,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};
use std::collections::HashMap;

/// Parties named at most: every culprit is a target of the change that answers, but a list has an end.
const CULPRITS: usize = 32;
const VICTIMS: usize = 5;
/// A hog below this share of the greatest one is not worth naming.
const SMALL: f64 = 0.1;
/// Seconds after which a process that serves nobody known may count as a victim: what starts, waits.
const SETTLED: f64 = 10.0;
/// A waiting process can blame others only on a core that is this busy.
const TAKEN: f64 = 0.9;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    contention(world).into_iter().collect()
}

/// The signal, if somebody waits while others hold the cpu.
pub(super) fn contention(world: &World<'_>) -> Option<Signal> {
    if steal::confounds(world) || !cores_are_taken(world) {
        return None;
    }
    let all = who::candidates(world);
    let (victims, hogs) = sides(world, &all);
    if hogs.is_empty() {
        return None;
    }
    match victims.first() {
        Some(worst) => Some(starved(world, worst, &victims, &hogs)).and_then(Report::signal),
        None if all.iter().all(|c| c.process.wait.is_none()) => pressed_cgroup(world, &hogs).and_then(Report::signal),
        None => None,
    }
}

fn cores_are_taken(world: &World<'_>) -> bool {
    let Some(cpu) = world.snapshot.vitals.cpu.known() else { return true };
    cpu.cores.iter().map(|(_, split)| split.busy()).fold(cpu.total.busy(), f64::max) >= TAKEN
}

/// Victims, the most deserving first, and hogs, the greatest first.
fn sides<'c, 'w>(world: &World<'_>, all: &'c [Candidate<'w>]) -> (Vec<&'c Candidate<'w>>, Vec<&'c Candidate<'w>>) {
    let mut hogs = hogs(world, all);
    let waits = |c: &&Candidate<'_>| report::level(c.wait, world.thresholds.run_delay) != Level::Clear;
    let mut victims: Vec<_> = all.iter().filter(waits).filter(|c| is_small(world, c, &hogs) && !throttled(world, c)).collect();
    // A small consumer's second of waiting weighs more than a large one's.
    let loss = |c: &Candidate<'_>| c.wait / (1.0 + 4.0 * c.cpu);
    victims.sort_by(|a, b| a.role.cmp(&b.role).then(loss(b).total_cmp(&loss(a))).then(a.process.id.cmp(&b.process.id)));
    hogs.retain(|c| !victims.iter().any(|v| kin(c, v)));
    let most = hogs.first().map_or(0.0, |c| c.cpu);
    hogs.retain(|c| c.cpu >= SMALL * most);
    hogs.truncate(CULPRITS);
    (victims, hogs)
}

/// Hogs, the greatest first: large by themselves, or as many of the same name that never sleep.
fn hogs<'c, 'w>(world: &World<'_>, all: &'c [Candidate<'w>]) -> Vec<&'c Candidate<'w>> {
    let large = world.thresholds.hog_cores;
    let mut crowds: HashMap<&str, f64> = HashMap::new();
    for c in all.iter().filter(|c| c.hungry()) {
        *crowds.entry(&c.process.name).or_default() += c.cpu;
    }
    let crowd = |c: &Candidate<'_>| crowds.get(&*c.process.name).copied().unwrap_or(0.0);
    let mut hogs: Vec<_> = all.iter().filter(|c| c.cpu >= large || (c.hungry() && crowd(c) >= large)).collect();
    hogs.sort_by(|a, b| b.cpu.total_cmp(&a.cpu).then(a.process.id.cmp(&b.process.id)));
    hogs
}

/// Small: it sleeps in between, uses little, has lived a while and is not one of the hogs' own crew; or it serves others and uses
/// less than its rivals together.
fn is_small(world: &World<'_>, c: &Candidate<'_>, hogs: &[&Candidate<'_>]) -> bool {
    if c.role == Role::Other {
        let crew = |hog: &&Candidate<'_>| hog.process.name == c.process.name && hog.process.session == c.process.session;
        let little = !c.hungry() && c.cpu < world.thresholds.hog_cores;
        return little && who::age(world, c.process) >= SETTLED && !hogs.iter().any(crew);
    }
    let (own, rivals) = hogs.iter().fold((0.0, 0.0), |(own, rivals), hog| match kin(hog, c) {
        true => (own + hog.cpu, rivals),
        false => (own, rivals + hog.cpu),
    });
    own < rivals
}

/// The same process, or a worker of the same server.
fn kin(a: &Candidate<'_>, b: &Candidate<'_>) -> bool {
    a.process.id == b.process.id
        || (a.role != Role::Other
            && b.role != Role::Other
            && a.process.name == b.process.name
            && a.process.session == b.process.session)
}

/// A throttled task waits for its quota, not for a rival.
fn throttled(world: &World<'_>, c: &Candidate<'_>) -> bool {
    let own = world.snapshot.cgroup(&c.process.cgroup);
    own.and_then(|group| group.throttled).is_some_and(|share| share >= world.thresholds.throttled)
}

fn starved(world: &World<'_>, worst: &Candidate<'_>, victims: &[&Candidate<'_>], hogs: &[&Candidate<'_>]) -> Report {
    let limits = world.thresholds;
    let waiting: f64 = victims.iter().map(|v| v.wait).sum();
    let parties = victims.iter().take(VICTIMS);
    let victims =
        parties.map(|v| Party { name: v.name(), ..who::party(v.process, v.wait / waiting, (v.wait, Unit::SecondsPerSecond)) });
    let delay = Key::new(Subject::Process(worst.process.id), Metric::ProcessRunDelay);
    let mut facts = vec![evidence(delay, worst.wait, Some(limits.run_delay), "/proc/PID/schedstat")];
    facts.extend(hog_evidence(world, hogs));
    let critical = worst.role != Role::Other && worst.wait >= 3.0 * limits.run_delay;
    let culprits = culprits(world, hogs);
    Report {
        id: FindingId { kind: FindingKind::CpuContention, subject: Subject::Host },
        level: report::level(worst.wait, limits.run_delay),
        severity: if critical { Severity::Critical } else { Severity::Warning },
        headline: format!(
            "{} waits {} for cpu held by {}{}",
            report::short(&worst.name()),
            Unit::SecondsPerSecond.show(worst.wait),
            who::names(&culprits),
            sessions(worst, hogs)
        ),
        evidence: facts,
        culprits,
        victims: victims.collect(),
        ruled_out: innocent(world),
        advice: None,
        impact: worst.wait / (worst.wait + worst.cpu).max(1e-9) * worst.wait.min(1.0).sqrt(),
        crossing: None,
    }
}

/// Where victim and hogs live decides which knob can part them: with autogroup, nice works only within a session (sched(7)).
fn sessions(worst: &Candidate<'_>, hogs: &[&Candidate<'_>]) -> &'static str {
    if hogs.iter().all(|h| h.process.session == worst.process.session) {
        " (same session)"
    } else if hogs.iter().all(|h| h.process.session != worst.process.session) {
        " (own sessions)"
    } else {
        ""
    }
}

fn culprits(world: &World<'_>, hogs: &[&Candidate<'_>]) -> Vec<Party> {
    let cores = f64::from(world.facts.cpus.max(1));
    hogs.iter().map(|h| who::party(h.process, h.cpu / cores, (h.cpu, Unit::Cores))).collect()
}

fn hog_evidence(world: &World<'_>, hogs: &[&Candidate<'_>]) -> Vec<Evidence> {
    let limits = world.thresholds;
    let pressure = recent::mean(world, &Key::host(Metric::PressureCpuSome), recent::STEADY).or(world
        .snapshot
        .vitals
        .pressure
        .known()
        .map(|p| p.cpu.some));
    let cpu = world.snapshot.vitals.cpu.known();
    let host = |metric, value: Option<f64>, threshold, from| value.map(|v| evidence(Key::host(metric), v, threshold, from));
    let hog = hogs.first().map(|h| {
        let key = Key::new(Subject::Process(h.process.id), Metric::ProcessCpu);
        evidence(key, h.cpu, Some(limits.hog_cores), "/proc/PID/stat")
    });
    [
        host(Metric::PressureCpuSome, pressure, Some(limits.cpu_pressure), "/proc/pressure/cpu"),
        hog,
        host(Metric::CpuBusy, cpu.map(|c| c.total.busy()), None, "/proc/stat"),
        host(Metric::RunQueue, cpu.map(|c| c.running as f64), None, "/proc/stat"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn innocent(world: &World<'_>) -> Vec<String> {
    innocent::among(world, &[Suspect::Steal, Suspect::MemoryPressure, Suspect::IoPressure, Suspect::Throttling])
}

/// Without run delay: the cgroup whose tasks wait most for cpu, and hogs outside it.
fn pressed_cgroup(world: &World<'_>, hogs: &[&Candidate<'_>]) -> Option<Report> {
    let limit = world.thresholds.cpu_pressure;
    let groups = world.snapshot.cgroups.known()?;
    let pressure = |g: &Cgroup| g.pressure.map_or(0.0, |[cpu, ..]| cpu);
    let outside = |g: &Cgroup| hogs.iter().filter(|h| h.process.cgroup != g.path).copied().collect::<Vec<_>>();
    let fits = |g: &&Cgroup| {
        &*g.path != "/" && g.processes > 0 && !outside(g).is_empty() && hogs.iter().all(|h| h.process.cgroup != g.path)
    };
    let worst = groups.iter().filter(fits).max_by(|a, b| pressure(a).total_cmp(&pressure(b)))?;
    let subject = Subject::Cgroup(worst.path.clone());
    let share = pressure(worst);
    let culprits = culprits(world, &outside(worst));
    let mut facts = vec![evidence(Key::new(subject.clone(), Metric::PressureCpuSome), share, Some(limit), "cpu.pressure")];
    facts.extend(hog_evidence(world, hogs));
    let named = report::short(worst.path.rsplit('/').next().unwrap_or_default());
    Some(Report {
        id: FindingId { kind: FindingKind::CpuContention, subject: Subject::Host },
        level: report::level(share, limit),
        severity: Severity::Warning,
        headline: format!("{named} waits {} of the time for cpu held by {}", Unit::Share.show(share), who::names(&culprits)),
        evidence: facts,
        culprits,
        victims: vec![Party { subject, name: worst.path.clone(), share: 1.0, amount: share, unit: Unit::Share }],
        ruled_out: innocent(world),
        advice: None,
        impact: share,
        crossing: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, id, listener, of_process, only, pids},
        model::{
            finding::{FindingKind, Level, Severity},
            metric::{Key, Metric},
            snapshot::{Reading, Service},
        },
    };

    fn six_hogs(scene: Scene) -> Scene {
        (100..106).fold(scene.cores([1.0, 1.0]), |scene, pid| scene.runs(pid, "python3", 0.28, 0.72))
    }

    #[test]
    fn a_small_service_starved_by_hogs_is_the_victim_and_the_hogs_the_culprits() {
        let signal = only(six_hogs(Scene::quiet()).runs(50, "nginx", 0.15, 0.41).seen(look));
        let finding = &signal.finding;
        assert_eq!((finding.id.kind, signal.level), (FindingKind::CpuContention, Level::Over));
        assert_eq!(pids(&finding.victims), [50]);
        assert_eq!(pids(&finding.culprits), [100, 101, 102, 103, 104, 105]);
        assert_eq!(finding.headline, "nginx waits 410 ms/s for cpu held by 6 x python3 (own sessions)");
        assert!(finding.ruled_out.contains(&"steal 0.0 %".into()), "{:?}", finding.ruled_out);
        assert!(finding.ruled_out.contains(&"throttling none".into()));
    }

    #[test]
    fn a_server_that_is_always_runnable_among_hogs_is_still_the_victim() {
        // Under a closed loop of clients a starved server never sleeps: only its listening socket tells it from a hog.
        let scene = six_hogs(Scene::quiet())
            .process(50, "nginx", |_| ())
            .process(51, "nginx", |p| (p.parent, p.session, p.cpu, p.wait) = (50, 50, Some(0.28), Some(0.72)))
            .tcp(0.0, vec![listener(80, 0, 511, Some(50))]);
        let finding = only(scene.seen(look)).finding;
        assert_eq!(pids(&finding.victims), [51]);
        assert!(!pids(&finding.culprits).contains(&51));
        assert_eq!(finding.severity, Severity::Critical);
    }

    #[test]
    fn a_configured_service_comes_before_a_process_that_waits_longer() {
        let mut scene = six_hogs(Scene::quiet()).runs(50, "shop", 0.05, 0.15).runs(60, "cron", 0.02, 0.60);
        scene.snapshot.services =
            Reading::Known(vec![Service { name: "checkout".into(), process: Some(id(50)), ..Service::default() }]);
        let finding = only(scene.seen(look)).finding;
        assert_eq!(pids(&finding.victims), [50, 60]);
        assert!(finding.headline.starts_with("checkout waits"), "{}", finding.headline);
    }

    #[test]
    fn a_python_service_is_told_from_python_hogs() {
        let scene = six_hogs(Scene::quiet()).runs(50, "python3", 0.1, 0.5).tcp(0.0, vec![listener(80, 0, 511, Some(50))]);
        let finding = only(scene.seen(look)).finding;
        assert_eq!(pids(&finding.victims), [50]);
        assert_eq!(finding.culprits.len(), 6);
    }

    #[test]
    fn many_hogs_of_one_name_count_together() {
        let scene = (100..140).fold(Scene::quiet().cores([1.0, 1.0]), |s, pid| s.runs(pid, "cc1", 0.05, 0.95));
        let finding = only(scene.runs(50, "redis", 0.02, 0.3).seen(look)).finding;
        assert_eq!(finding.culprits.len(), super::CULPRITS);
    }

    #[test]
    fn one_of_a_crew_and_what_has_just_started_are_no_victims() {
        let crew = (100..104).fold(Scene::quiet().cores([1.0, 1.0]), |s, pid| {
            s.process(pid, "rustc", |p| (p.session, p.cpu, p.wait) = (9, Some(0.45), Some(0.5)))
        });
        let crew = crew.process(104, "rustc", |p| (p.session, p.cpu, p.wait) = (9, Some(0.1), Some(0.5)));
        let born = crew.process(105, "ld", |p| (p.id.start, p.cpu, p.wait) = (999_500, Some(0.1), Some(0.5)));
        assert!(born.seen(look).is_empty());
    }

    #[test]
    fn hogs_that_wait_only_for_each_other_are_no_contention() {
        assert!(six_hogs(Scene::quiet()).seen(look).is_empty());
    }

    #[test]
    fn a_service_that_takes_the_machine_is_not_its_victim() {
        let scene = Scene::quiet().cores([1.0, 1.0]).runs(50, "nginx", 1.6, 0.9).runs(60, "cron", 0.02, 0.3);
        let finding = only(scene.tcp(0.0, vec![listener(80, 0, 511, Some(50))]).seen(look)).finding;
        assert_eq!((pids(&finding.victims), pids(&finding.culprits)), (vec![60], vec![50]));
    }

    #[test]
    fn waiting_on_a_host_with_free_cores_is_something_else() {
        assert!(Scene::quiet().cores([0.5; 4]).runs(100, "dd", 0.9, 0.0).runs(50, "nginx", 0.1, 0.4).seen(look).is_empty());
    }

    #[test]
    fn a_throttled_task_waits_for_its_quota_not_for_others() {
        let scene = six_hogs(Scene::quiet()).cgroup("/web", Some(15_000), 0.9);
        let scene = scene.process(50, "nginx", |p| (p.cpu, p.wait, p.cgroup) = (Some(0.15), Some(0.6), "/web".into()));
        assert!(scene.seen(look).is_empty());
    }

    #[test]
    fn just_below_the_threshold_neither_raises_nor_clears() {
        let signal = only(six_hogs(Scene::quiet()).runs(50, "nginx", 0.15, 0.08).seen(look));
        assert_eq!(signal.level, Level::Between);
    }

    #[test]
    fn a_victim_that_works_in_bursts_is_seen_over_five_seconds() {
        let scene = six_hogs(Scene::quiet())
            .runs(50, "nginx", 0.02, 0.0)
            .history(&of_process(50, Metric::ProcessRunDelay), [0.0, 0.0, 0.0, 0.4, 0.4, 0.4, 0.0]);
        let finding = only(scene.seen(look)).finding;
        assert!(finding.headline.contains("waits 240 ms/s"), "{}", finding.headline);
    }

    #[test]
    fn kernel_threads_and_we_ourselves_are_never_blamed() {
        let scene = Scene::quiet().cores([1.0, 1.0]).runs(4242, "trimtab", 0.9, 0.1).runs(50, "nginx", 0.1, 0.4);
        assert!(scene.process(7, "kworker", |p| (p.kernel, p.cpu) = (true, Some(0.9))).seen(look).is_empty());
    }

    #[test]
    fn under_steal_nothing_is_said_about_cpu() {
        let scene = six_hogs(Scene::quiet()).runs(50, "nginx", 0.15, 0.41);
        assert!(scene.history(&Key::host(Metric::CpuSteal), [0.2; 30]).seen(look).is_empty());
    }

    #[test]
    fn without_run_delay_the_pressure_of_a_cgroup_stands_in() {
        let mut scene = Scene::quiet().cores([1.0, 1.0]).cgroup("/web", None, 0.0);
        if let Reading::Known(groups) = &mut scene.snapshot.cgroups {
            groups[0].pressure = Some([0.6, 0.0, 0.0]);
        }
        let finding = only(scene.process(100, "stress", |p| (p.cpu, p.wait) = (Some(1.9), None)).seen(look)).finding;
        assert_eq!(&*finding.victims[0].name, "/web");
        assert_eq!(pids(&finding.culprits), [100]);
    }

    #[test]
    fn hostile_numbers_and_long_names_break_nothing() {
        let long = "x".repeat(300);
        let scene = six_hogs(Scene::quiet()).runs(50, &long, f64::MIN_POSITIVE, 0.5).runs(60, &long, 0.0, f64::NAN);
        let _shown_in_bounds = only(scene.seen(look));
    }
}
