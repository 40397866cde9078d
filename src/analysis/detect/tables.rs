//! Tables that are nearly full: neighbours (networking/ip-sysctl.rst "neigh/default/gc_thresh3": beyond it no new neighbour is reached,
//! "neighbour table overflow" in the kernel log), connections without a program ("tcp_max_orphans": beyond it they are reset), open files
//! (admin-guide/sysctl/fs.rst "file-nr": beyond it ENFILE) and tasks, of the host and of cgroups ("pids.max": beyond it EAGAIN).

use crate::{
    analysis::detect::report::{self, Report, evidence},
    model::{
        finding::{FindingId, FindingKind, Level, Severity, Signal},
        metric::{Key, Metric},
        snapshot::Cgroup,
        subject::Subject,
        world::World,
    },
};

/// From here on a table is as good as full.
const FULL: f64 = 0.95;

/// A table of the whole host or of a cgroup.
struct Table {
    kind: FindingKind,
    subject: Subject,
    metric: Metric,
    /// Share of what it holds.
    used: f64,
    limit: f64,
    from: &'static str,
    headline: String,
    advice: Option<&'static str>,
}

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let hosts = [neighbours(world), orphans(world), files(world), tasks(world)].into_iter().flatten();
    hosts.chain(groups(world)).filter_map(|table| report(table).signal()).collect()
}

fn neighbours(world: &World<'_>) -> Option<Table> {
    let tables = &world.snapshot.network.known()?.neighbours;
    let fullest = tables.iter().max_by(|a, b| a.used().total_cmp(&b.used()))?;
    let ([_, _, most], family) = (fullest.thresholds, if fullest.six { "IPv6" } else { "IPv4" });
    Some(Table {
        kind: FindingKind::NeighbourTable,
        subject: Subject::Host,
        metric: Metric::NeighboursUsed,
        used: fullest.used(),
        limit: world.thresholds.neighbours,
        from: "/proc/net/stat/arp_cache, ndisc_cache",
        headline: format!("{} of {most} {family} neighbours are known: beyond that no new one is reached", fullest.entries),
        advice: None,
    })
}

/// Their number is that of the whole host, as its limit is.
fn orphans(world: &World<'_>) -> Option<Table> {
    let row = world.snapshot.tcp.known()?.first()?;
    let most = row.limits.as_ref()?.max_orphans?;
    Some(Table {
        kind: FindingKind::Orphans,
        subject: Subject::Host,
        metric: Metric::OrphansUsed,
        used: row.orphaned()?,
        limit: world.thresholds.orphans,
        from: "/proc/net/sockstat",
        headline: format!("{} of {most} connections without a program: beyond that they are reset", row.orphans),
        advice: Some("clients that vanish while they are answered leave them: ss -tan state fin-wait-1 state last-ack"),
    })
}

fn files(world: &World<'_>) -> Option<Table> {
    let files = world.snapshot.tables.known()?.files?;
    Some(Table {
        kind: FindingKind::FileTable,
        subject: Subject::Host,
        metric: Metric::FilesUsed,
        used: files.share(),
        limit: world.thresholds.files,
        from: "/proc/sys/fs/file-nr",
        headline: format!("{} of {} files are open: beyond that nobody but root opens any", files.used, files.most),
        advice: None,
    })
}

fn tasks(world: &World<'_>) -> Option<Table> {
    let tasks = world.snapshot.tables.known()?.tasks?;
    Some(Table {
        kind: FindingKind::TasksExhaustion,
        subject: Subject::Host,
        metric: Metric::TasksUsed,
        used: tasks.share(),
        limit: world.thresholds.host_tasks,
        from: "/proc/loadavg, kernel.pid_max, threads-max",
        headline: format!("{} of {} tasks run: beyond that no process or thread can begin", tasks.used, tasks.most()),
        advice: None,
    })
}

/// Cgroups that hold at least half of the tasks that they may.
fn groups<'a>(world: &'a World<'_>) -> impl Iterator<Item = Table> + 'a {
    let half = 0.5 * world.thresholds.tasks;
    let rows = world.snapshot.cgroups.known().into_iter().flatten();
    rows.filter_map(move |row| Some((row, row.tasks_used().filter(|used| *used >= half)?)))
        .map(|(row, used)| group(world, row, used))
}

fn group(world: &World<'_>, row: &Cgroup, used: f64) -> Table {
    let name: String = row.path.chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
    let [now, most] = [row.pids, row.pids_limit].map(Option::unwrap_or_default);
    Table {
        kind: FindingKind::TasksExhaustion,
        subject: Subject::Cgroup(row.path.clone()),
        metric: Metric::CgroupTasksUsed,
        used,
        limit: world.thresholds.tasks,
        from: "pids.current, pids.max",
        headline: format!("{now} of {most} tasks run in {name}: beyond that forks fail"),
        advice: None,
    }
}

fn report(table: Table) -> Report {
    let Table { kind, subject, metric, used, limit, from, headline, advice } = table;
    Report {
        id: FindingId { kind, subject: subject.clone() },
        level: if limit > 0.0 { report::level(used, limit) } else { Level::Clear },
        severity: if used >= FULL { Severity::Critical } else { Severity::Warning },
        headline,
        evidence: vec![evidence(Key::new(subject, metric), used, Some(limit), from)],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: Vec::new(),
        advice: advice.map(Into::into),
        impact: used,
        crossing: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{
            finding::{FindingKind, Severity},
            sample::{NeighbourTable, NetworkLimits},
            snapshot::{Cgroup, Network, Reading, Tcp},
            subject::Subject,
            tables::{Files, Tables, Tasks},
        },
    };

    fn with(tables: &[(bool, u64)]) -> Scene {
        let table =
            |(six, entries): &(bool, u64)| NeighbourTable { six: *six, entries: *entries, fulls: 0, thresholds: [128, 512, 1024] };
        let mut scene = Scene::quiet();
        let neighbours = tables.iter().map(table).collect();
        scene.snapshot.network = Reading::Known(Network { neighbours, ..Network::default() });
        scene
    }

    #[test]
    fn the_fuller_table_of_neighbours_speaks() {
        let finding = only(with(&[(false, 40), (true, 1000)]).seen(look)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::NeighbourTable, Severity::Critical));
        assert!(finding.headline.starts_with("1000 of 1024 IPv6"), "{}", finding.headline);
        assert_eq!(only(with(&[(false, 850)]).seen(look)).finding.severity, Severity::Warning);
        assert!(with(&[(false, 400), (true, 2)]).seen(look).is_empty());
        assert!(with(&[]).seen(look).is_empty());
    }

    #[test]
    fn files_and_tasks_count_against_what_the_host_allows() {
        let scene = |used| {
            let tasks = Some(Tasks { used, pid_max: 32_768, threads_max: 10_000 });
            let mut scene = Scene::quiet();
            scene.snapshot.tables = Reading::Known(Tables { files: Some(Files { used: used * 10, most: 200_000 }), tasks });
            scene
        };
        assert!(scene(3_000).seen(look).is_empty());
        let finding = only(scene(8_100).seen(look)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::TasksExhaustion, Severity::Warning));
        let mut scene = scene(1_000);
        scene.snapshot.tables = Reading::Known(Tables { files: Some(Files { used: 96, most: 100 }), tasks: None });
        let finding = only(scene.seen(look)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::FileTable, Severity::Critical));
    }

    #[test]
    fn the_tasks_of_a_cgroup_count_against_its_own_limit() {
        let seen = |pids, pids_limit| {
            let mut scene = Scene::quiet();
            scene.snapshot.cgroups =
                Reading::Known(vec![Cgroup { path: "/app".into(), pids: Some(pids), pids_limit, ..Cgroup::default() }]);
            scene.seen(look)
        };
        assert_eq!(only(seen(90, Some(100))).finding.id.subject, Subject::Cgroup("/app".into()));
        assert!(seen(90, None).is_empty() && seen(30, Some(100)).is_empty() && seen(5, Some(0)).is_empty());
    }

    #[test]
    fn orphans_count_against_what_the_host_allows() {
        let scene = |orphans| {
            let limits = Some(NetworkLimits { max_orphans: Some(1000), ..NetworkLimits::default() }.into());
            let mut scene = Scene::quiet();
            scene.snapshot.tcp = Reading::Known(vec![Tcp { orphans, limits, ..Tcp::default() }]);
            scene
        };
        assert_eq!(only(scene(900).seen(look)).finding.id.kind, FindingKind::Orphans);
        assert!(scene(300).seen(look).is_empty());
        let mut unknown = Scene::quiet();
        unknown.snapshot.tcp = Reading::Known(vec![Tcp { orphans: 900, ..Tcp::default() }]);
        assert!(unknown.seen(look).is_empty());
    }
}
