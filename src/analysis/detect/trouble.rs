//! Trouble that has not come yet: a number heads for a limit and will reach it within the horizon. Told with the time, its range and how
//! sure it is, early enough to do something about it.
//!
//! Two look ahead: the robust line through the newest minutes ([`crossing::along`], for what is a matter of seconds) and the forecasts of
//! the outlook, whose times were read off their bands. Of what they say about a limit the surer counts. Where the present trouble is a
//! finding already (nearly full, nearly out of descriptors), that one tells the time, and nothing is said twice.

use crate::{
    analysis::{
        detect::{
            innocent::{self, Suspect},
            memory,
            report::{self, Report, evidence},
            who,
        },
        trouble::{
            crossing,
            limits::{self, Limit},
        },
    },
    model::{
        finding::{Evidence, FindingId, FindingKind, Level, Party, Severity, Signal},
        metric::{Key, Metric},
        outlook::{Crossing, Forecast},
        snapshot::Process,
        subject::Subject,
        time::Wall,
        unit::Unit,
        world::World,
    },
};

/// Seconds within which one has to act now (catalogue E2: full within minutes is an emergency).
const URGENT: f64 = 600.0;
/// Seconds within which one has to act today.
const SOON: f64 = 3600.0;
/// Below this part of the confidence asked for, a time is no longer told.
const BETWEEN: f64 = 0.7;
/// Part of a memory limit that free swap has to have for the killing to come later.
const SWAP: f64 = 0.1;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let all = limits::limits(world.snapshot);
    all.iter().filter(|limit| !is_here(world, limit)).filter_map(|limit| coming(world, limit)).filter_map(Report::signal).collect()
}

/// True where the detector of the present trouble speaks.
fn is_here(world: &World<'_>, limit: &Limit) -> bool {
    let thresholds = world.thresholds;
    let Some(value) = world.series.get(&limit.key).and_then(|series| series.last()).map(|point| point.value) else { return false };
    match limit.key.metric {
        Metric::FilesystemUsed | Metric::FilesystemInodes => value >= thresholds.filesystem - 0.02,
        Metric::ProcessDescriptors => value >= thresholds.descriptors,
        Metric::PortsUsed => value >= thresholds.ports,
        Metric::CgroupTasks => value >= thresholds.tasks * limit.limit,
        Metric::MemoryAvailable => {
            world.vitals.memory.known().is_some_and(|memory| value < thresholds.memory_available * memory.total as f64)
        }
        _ => false,
    }
}

fn coming(world: &World<'_>, limit: &Limit) -> Option<Report> {
    let crossing = foretold(world, limit)?;
    let left = crossing.likely?;
    let asked = world.thresholds.trouble_confidence;
    let level = match crossing.confidence {
        c if c >= asked => Level::Over,
        c if c >= BETWEEN * asked => Level::Between,
        _ => return None,
    };
    let (kind, from) = kind(limit.key.metric)?;
    let culprits = culprits(world, &limit.key);
    let by = if culprits.is_empty() { String::new() } else { format!(", by {}", who::names(&culprits)) };
    Some(Report {
        id: FindingId { kind, subject: limit.key.subject.clone() },
        level,
        severity: severity(world, limit, left),
        headline: format!("{} is reached {}{by}", limit.of, report::when(&crossing)),
        evidence: facts(world, limit, from),
        culprits,
        victims: victims(world, &limit.key),
        ruled_out: ruled_out(world, limit, &crossing),
        advice: advice(limit),
        impact: (URGENT / left.max(1.0)).min(1.0) * crossing.confidence,
        crossing: Some(crossing),
    })
}

/// What is known of when the limit is reached, from the surer of those who look ahead; times count from now.
fn foretold(world: &World<'_>, limit: &Limit) -> Option<Crossing> {
    let horizon = world.thresholds.trouble_horizon;
    let series = world.series.get(&limit.key);
    let line = series.and_then(|series| crossing::along(series, limit, world.now.tick, horizon));
    let bands = world.outlook.of(&limit.key).filter_map(|forecast| aged(forecast, limit, world.now.wall));
    let near = bands.filter(|crossing| crossing.likely.is_some_and(|left| left <= horizon));
    line.into_iter().chain(near).max_by(|a, b| a.confidence.total_cmp(&b.confidence))
}

/// The crossing of a forecast, with its times from now on; `None` where it was for another limit than the present one.
fn aged(forecast: &Forecast, limit: &Limit, now: Wall) -> Option<Crossing> {
    let found = forecast.crossing.as_ref()?;
    let same = (found.limit - limit.limit).abs() <= 1e-6 * limit.limit.abs();
    let age = now.0.saturating_sub(forecast.made.0).max(0) as f64 / 1000.0;
    let left = |time: Option<f64>| time.map(|seconds| (seconds - age).max(0.0));
    let (earliest, likely, latest) = (left(found.earliest), left(found.likely), left(found.latest));
    same.then(|| Crossing { earliest, likely, latest, ..found.clone() })
}

fn kind(metric: Metric) -> Option<(FindingKind, &'static str)> {
    Some(match metric {
        Metric::MemoryAvailable => (FindingKind::PredictedMemory, "/proc/meminfo"),
        Metric::CgroupUnreclaimable => (FindingKind::PredictedMemory, "memory.stat"),
        Metric::SwapUsed => (FindingKind::PredictedSwap, "/proc/meminfo"),
        Metric::FilesystemUsed => (FindingKind::PredictedSpace, "statvfs"),
        Metric::FilesystemInodes => (FindingKind::PredictedInodes, "statvfs"),
        Metric::ProcessDescriptors => (FindingKind::PredictedDescriptors, "/proc/PID/fd"),
        Metric::ConntrackUsed => (FindingKind::PredictedConntrack, "nf_conntrack_count"),
        Metric::PortsUsed => (FindingKind::PredictedPorts, "/proc/net/snmp, /proc/net/sockstat"),
        Metric::CgroupTasks => (FindingKind::PredictedTasks, "pids.current"),
        _ => return None,
    })
}

/// Where something else gives first, it is less grave: free swap takes memory for a while.
fn severity(world: &World<'_>, limit: &Limit, left: f64) -> Severity {
    let memory = matches!(limit.key.metric, Metric::MemoryAvailable | Metric::CgroupUnreclaimable);
    let swap = world.vitals.memory.known().map_or(0, |memory| memory.swap_free) as f64;
    let all = world.vitals.memory.known().map_or(0, |memory| memory.total) as f64;
    let of = if limit.floor { all } else { limit.limit };
    match left {
        l if l < URGENT && !(memory && swap >= SWAP * of && swap > 0.0) => Severity::Critical,
        l if l < SOON => Severity::Warning,
        _ => Severity::Notice,
    }
}

fn facts(world: &World<'_>, limit: &Limit, from: &str) -> Vec<Evidence> {
    let last = world.series.get(&limit.key).and_then(|series| series.last());
    let mut facts: Vec<Evidence> =
        last.into_iter().map(|point| evidence(limit.key.clone(), point.value, Some(limit.limit), from)).collect();
    if let (Metric::CgroupUnreclaimable, Subject::Cgroup(path)) = (limit.key.metric, &limit.key.subject) {
        let used = world.snapshot.cgroup(path).and_then(|group| group.memory);
        let key = Key::new(limit.key.subject.clone(), Metric::CgroupMemory);
        facts.extend(used.map(|bytes| evidence(key, bytes as f64, None, "memory.current")));
    }
    facts
}

/// Who grows: in the cgroup, or on the whole host.
fn culprits(world: &World<'_>, key: &Key) -> Vec<Party> {
    match (key.metric, &key.subject) {
        (Metric::CgroupUnreclaimable, Subject::Cgroup(path)) => memory::growers(world, &|process| is_in(process, path)),
        (Metric::MemoryAvailable | Metric::SwapUsed, _) => memory::growers(world, &|_| true),
        _ => Vec::new(),
    }
}

/// Whether a process lives in the cgroup or below it, as far as its path in the cpu hierarchy tells.
fn is_in(process: &Process, path: &str) -> bool {
    path != "/" && process.cgroup.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn victims(world: &World<'_>, key: &Key) -> Vec<Party> {
    let process = key.subject.process().and_then(|id| world.snapshot.process(id));
    let share = world.series.get(key).and_then(|series| series.last()).map_or(1.0, |point| point.value);
    process.map(|process| who::party(process, 1.0, (share, Unit::Share))).into_iter().collect()
}

fn ruled_out(world: &World<'_>, limit: &Limit, crossing: &Crossing) -> Vec<String> {
    let mut phrases = vec![format!("confidence {}", Unit::Share.show(crossing.confidence))];
    if let (Metric::CgroupUnreclaimable, Subject::Cgroup(path)) = (limit.key.metric, &limit.key.subject)
        && let Some(cache) = world.snapshot.cgroup(path).and_then(|group| group.reclaimable)
    {
        phrases.push(format!("cache left out: {}", Unit::Bytes.show(cache as f64)));
    }
    phrases.extend(innocent::among(world, &[Suspect::MemoryPressure, Suspect::Swap]));
    phrases
}

fn advice(limit: &Limit) -> Option<String> {
    let text = match limit.key.metric {
        Metric::MemoryAvailable | Metric::SwapUsed => "stop or restart what grows before the kernel chooses whom to kill",
        Metric::CgroupUnreclaimable => {
            "restart what grows in it at a time of your choice; a higher limit only buys time for a leak"
        }
        Metric::FilesystemUsed | Metric::FilesystemInodes => {
            "find what writes: du -xh --max-depth=2 and lsof +L1 show files deleted but open"
        }
        Metric::ProcessDescriptors => "find what it does not close: ls -l /proc/PID/fd; a higher limit only buys time for a leak",
        Metric::ConntrackUsed => "shorter timeouts or a larger net.netfilter.nf_conntrack_max; who connects: conntrack -L",
        Metric::PortsUsed => "reuse connections (keep-alive, a pool); to whom they go: ss -tan",
        Metric::CgroupTasks => "find who starts them: ps -eLf; a larger pids.max (TasksMax=) only buys time for a leak",
        _ => return None,
    };
    Some(text.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{GIB, NOW, Scene, of_process, only, pids},
        model::{
            finding::{FindingKind, Severity},
            metric::{Key, Metric},
            outlook::{Band, Crossing, Forecast},
            sample::Space,
            snapshot::{Cgroup, Filesystem, Reading},
            subject::Subject,
            time::Wall,
        },
    };
    use std::sync::Arc;

    const MIB: f64 = 1024.0 * 1024.0;

    fn of_app(metric: Metric) -> Key {
        Key::new(Subject::Cgroup("/app".into()), metric)
    }

    /// A cgroup with a limit of 250 MiB whose memory beyond reclaim was so many MiB at each second.
    fn app(values: impl IntoIterator<Item = f64>, cache: u64) -> Scene {
        let values: Vec<f64> = values.into_iter().map(|mib| mib * MIB).collect();
        let last = *values.last().unwrap() as u64;
        let mut scene = Scene::quiet().process(50, "leaky", |p| (p.resident, p.cgroup) = (last, "/app".into()));
        let group = Cgroup {
            path: "/app".into(),
            memory: Some(last + cache),
            reclaimable: Some(cache),
            memory_limit: Some(250 << 20),
            ..Cgroup::default()
        };
        scene.snapshot.cgroups = Reading::Known(vec![group]);
        scene
            .history(&of_process(50, Metric::ProcessResident), values.clone())
            .history(&of_app(Metric::CgroupUnreclaimable), values)
    }

    #[test]
    fn ten_seconds_of_a_leak_tell_when_its_limit_is_reached_and_who_grows() {
        let finding = only(app((1..=10).map(|i| 12.0 * f64::from(i)), 0).seen(look)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::PredictedMemory, Severity::Critical));
        assert_eq!(finding.id.subject, Subject::Cgroup("/app".into()));
        assert_eq!(pids(&finding.culprits), [50]);
        assert_eq!(finding.headline, "memory.max of /app is reached in 10.8 s (10.8 to 10.8 s), by leaky");
        let crossing = finding.crossing.unwrap();
        assert!((crossing.likely.unwrap() - 10.8).abs() < 0.1 && crossing.confidence > 0.6, "{crossing:?}");
    }

    #[test]
    fn a_cache_that_fills_a_cgroup_is_no_trouble() {
        let mut scene = app((1..=60).map(|_| 40.0), 200 << 20);
        scene = scene.history(&of_app(Metric::CgroupMemory), (1..=60).map(|i| 3.5 * MIB * f64::from(i)));
        assert!(scene.seen(look).is_empty());
    }

    #[test]
    fn saws_plateaus_and_steps_of_healthy_programs_are_silent() {
        assert!(app((0..600).map(|i| 100.0 + f64::from(i % 50)), 0).seen(look).is_empty());
        assert!(app((0..200).map(|i| f64::from(i.min(100))), 0).seen(look).is_empty());
        assert!(app((0..200).map(|i| if i < 195 { 50.0 } else { 200.0 }), 0).seen(look).is_empty());
        assert!(app((0..30).map(|_| 240.0), 0).seen(look).is_empty(), "near its limit and staying there");
    }

    #[test]
    fn free_swap_makes_it_less_grave() {
        let scene = app((1..=10).map(|i| 12.0 * f64::from(i)), 0).vitals(|_, _, m| (m.swap_total, m.swap_free) = (GIB, GIB));
        assert_eq!(only(scene.seen(look)).finding.severity, Severity::Warning);
    }

    #[test]
    fn the_host_s_memory_runs_out_from_above() {
        let values = (0..120).map(|i| 12.0 * GIB as f64 - f64::from(i) * 40.0 * MIB);
        let mut scene = Scene::quiet().history(&Key::host(Metric::MemoryAvailable), values);
        scene = scene.vitals(|_, _, m| m.available = 12 * GIB - 119 * 40 * (1 << 20));
        let finding = only(scene.seen(look)).finding;
        assert_eq!((finding.id.kind, finding.id.subject), (FindingKind::PredictedMemory, Subject::Host));
        // 7.35 GiB above the last hundredth, at 40 MiB a second.
        assert!(finding.headline.starts_with("end of memory is reached in 3 min"), "{}", finding.headline);
    }

    #[test]
    fn a_filesystem_is_foretold_until_it_is_nearly_full() {
        let key = Key::new(Subject::Filesystem("/var".into()), Metric::FilesystemUsed);
        let filling = |to: f64| {
            let used = (to * GIB as f64) as u64;
            let space = Some(Space { total: GIB, used, available: GIB - used, inodes: 0, inodes_free: 0 });
            let mut scene = Scene::quiet();
            scene.snapshot.filesystems = Reading::Known(vec![Filesystem { at: "/var".into(), space, ..Filesystem::default() }]);
            scene.history(&key, (0..600).map(move |i| to - 0.0002 * f64::from(599 - i))).seen(look)
        };
        let finding = only(filling(0.6)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::PredictedSpace, Severity::Warning));
        assert!(finding.headline.starts_with("end of space on /var is reached in 33 min"), "{}", finding.headline);
        assert!(filling(0.95).is_empty(), "that is a finding of its own");
    }

    #[test]
    fn a_forecast_speaks_where_the_line_does_not_and_its_age_counts() {
        let key = Key::new(Subject::Host, Metric::SwapUsed);
        let wall = 1_700_000_000_000;
        let crossing = |limit: u64| Crossing {
            limit: limit as f64,
            of: "end of swap".into(),
            likely: Some(2460.0),
            earliest: Some(1860.0),
            latest: Some(3060.0),
            confidence: 0.9,
        };
        let told = |limit: u64| {
            let forecast = Forecast {
                key: key.clone(),
                made: Wall(wall - 60_000),
                step: 60.0,
                bands: vec![Band::default()],
                blend: Vec::new(),
                skill: None,
                reliable: true,
                season: None,
                trained: 1e4,
                changed: None,
                record: None,
                crossing: Some(crossing(limit)),
            };
            let mut scene = Scene::quiet().vitals(|_, _, m| m.swap_total = 4 * GIB).history(&key, (0..60).map(|_| GIB as f64));
            scene.outlook.forecasts = vec![Arc::new(forecast)];
            scene.seen(look)
        };
        let finding = only(told(4 * GIB)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::PredictedSwap, Severity::Warning));
        assert_eq!(finding.headline, "end of swap is reached in 40 min (30 to 50 min)");
        assert!(told(8 * GIB).is_empty(), "it was for another limit");
        assert_eq!(NOW, 10_000);
    }

    #[test]
    fn descriptors_and_tasks_are_foretold() {
        let key = of_process(60, Metric::ProcessDescriptors);
        let scene = Scene::quiet()
            .process(60, "web", |p| (p.descriptors, p.descriptor_limit) = (Some(700), Some((1000, 4000))))
            .history(&key, (0..100).map(|i| 0.5 + 0.002 * f64::from(i)));
        let finding = only(scene.seen(look)).finding;
        assert_eq!((finding.id.kind, pids(&finding.victims)), (FindingKind::PredictedDescriptors, vec![60]));
        let mut scene = Scene::quiet().history(&of_app(Metric::CgroupTasks), (0..100).map(|i| 100.0 + 2.0 * f64::from(i)));
        let group = Cgroup { path: "/app".into(), pids: Some(300), pids_limit: Some(512), ..Cgroup::default() };
        scene.snapshot.cgroups = Reading::Known(vec![group]);
        assert_eq!(only(scene.seen(look)).finding.id.kind, FindingKind::PredictedTasks);
    }
}
