//! A process that grows along a straight line without a plateau. Five minutes of points are wanted; one that would exhaust its limit
//! within minutes is told of after one.

use crate::{
    analysis::{
        detect::{
            innocent::{self, Suspect},
            report::{self, Report, evidence},
            who,
        },
        trouble::{
            crossing,
            limits::Limit,
            trend::{self, Rise},
        },
    },
    model::{
        finding::{FindingId, FindingKind, Level, Severity, Signal},
        metric::{Key, Metric},
        series::Series,
        snapshot::Process,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Seconds of points wanted.
const SPAN: f64 = 300.0;
/// Seconds of points at least, where memory would end within [`URGENT`].
const SHORT: f64 = 60.0;
const URGENT: f64 = 600.0;
/// Bytes of growth below which a slope is nothing but page noise.
const GRAIN: f64 = 1024.0 * 1024.0;
/// Seconds ahead up to which an end is told.
const FAR: f64 = 30.0 * 86_400.0;
/// Lines per look at most: the greatest growers.
const MOST: usize = 8;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let Some(all) = world.snapshot.processes.known() else { return Vec::new() };
    let mut growers: Vec<_> = all.iter().filter(|p| !who::exempt(world, p)).filter_map(|p| grower(world, p)).collect();
    growers.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.id.cmp(&b.0.id)));
    growers.truncate(MOST);
    growers.into_iter().filter_map(|(process, series, _)| leak(world, process, series)).filter_map(Report::signal).collect()
}

/// A process that has grown enough to look closer, with the bytes; found from the two ends of its series alone.
fn grower<'w>(world: &World<'w>, process: &'w Process) -> Option<(&'w Process, &'w Series, f64)> {
    let series = world.series.get(&resident(process))?;
    let (first, last) = (series.points().next()?, series.last()?);
    let grown = process.resident as f64 - first.value;
    let hours = last.at.seconds_since(first.at) / 3600.0;
    let enough = hours * 3600.0 >= SHORT && grown >= GRAIN.max(0.7 * world.thresholds.leak_growth * hours * first.value);
    enough.then_some((process, series, grown))
}

fn resident(process: &Process) -> Key {
    Key::new(Subject::Process(process.id), Metric::ProcessResident)
}

fn leak(world: &World<'_>, process: &Process, series: &Series) -> Option<Report> {
    let limits = world.thresholds;
    let last = series.last()?;
    let points: Vec<(f64, f64)> = series.points().map(|p| (-last.at.seconds_since(p.at), p.value)).collect();
    let (room, of) = room(world, process);
    let limit = Limit { key: resident(process), limit: last.value + room, of: of.into(), floor: false };
    let Rise { line, lasted } = trend::rising(&points, limit.limit)?;
    let growth = line.slope * 3600.0 / line.end.max(1.0);
    let crossing = crossing::along(series, &limit, world.now.tick, FAR).filter(|found| found.likely.is_some());
    let left = crossing.as_ref().and_then(|found| found.likely).unwrap_or(f64::INFINITY);
    let level = report::level(growth, limits.leak_growth);
    if line.fit < limits.leak_fit || (lasted < SPAN && left > URGENT) || level == Level::Clear {
        return None;
    }
    let name = report::short(&process.name);
    let pace = Unit::Bytes.show(line.slope * 3600.0);
    let end = crossing.as_ref().map_or_else(|| "no end is in sight".into(), |c| format!("{of} is full {}", report::when(c)));
    Some(Report {
        id: FindingId { kind: FindingKind::Leak, subject: Subject::Process(process.id) },
        level,
        severity: severity(left),
        headline: format!("{name} ({}) grows {pace}/h; {end}", process.id.pid),
        evidence: vec![evidence(resident(process), process.resident as f64, None, "/proc/PID/stat")],
        culprits: vec![who::party(process, 1.0, (process.resident as f64, Unit::Bytes))],
        victims: Vec::new(),
        ruled_out: ruled_out(world, (lasted, line.fit)),
        advice: Some("restart it in a quiet hour, or give it a memory limit; then find the leak".into()),
        impact: (URGENT / left.max(1.0)).min(1.0),
        crossing,
    })
}

fn severity(left: f64) -> Severity {
    match left {
        l if l < URGENT => Severity::Critical,
        l if l < 86_400.0 => Severity::Warning,
        _ => Severity::Notice,
    }
}

/// Bytes until something is full, and what: the limit of a cgroup that it lives in, or the host.
fn room(world: &World<'_>, process: &Process) -> (f64, &'static str) {
    let host = world.vitals.memory.known().map_or(f64::INFINITY, |m| (m.available + m.swap_free) as f64);
    let groups = world.snapshot.cgroups.known().into_iter().flatten();
    let around =
        groups.filter(|g| process.cgroup.strip_prefix(&*g.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let rooms = around.filter_map(|g| Some(g.memory_limit?.saturating_sub(g.unreclaimable().or(g.memory)?) as f64));
    let least = rooms.fold(f64::INFINITY, f64::min);
    if least < host { (least, "its cgroup") } else { (host, "memory") }
}

fn ruled_out(world: &World<'_>, (lasted, fit): (f64, f64)) -> Vec<String> {
    let mut phrases = vec![format!("no plateau in {} (fit {fit:.2})", Unit::Seconds.show(lasted))];
    phrases.extend(innocent::among(world, &[Suspect::MemoryPressure, Suspect::Swap]));
    phrases
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{GIB, Scene, of_process, only, pids},
        model::{
            finding::{FindingKind, Severity},
            metric::Metric,
            snapshot::{Cgroup, Reading},
        },
    };

    const MIB: f64 = 1024.0 * 1024.0;

    /// A process of so many MiB at each second.
    fn grows(values: impl Iterator<Item = f64>) -> Scene {
        let values: Vec<f64> = values.map(|mib| mib * MIB).collect();
        let last = *values.last().unwrap();
        Scene::quiet()
            .process(50, "leaky", |p| (p.resident, p.cgroup) = (last as u64, "/app/x".into()))
            .history(&of_process(50, Metric::ProcessResident), values)
    }

    #[test]
    fn ten_minutes_of_a_straight_line_are_a_leak_with_the_time_that_is_left() {
        let finding = only(grows((0..600).map(|i| 500.0 + 0.5 * f64::from(i))).seen(look)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::Leak, Severity::Warning));
        assert_eq!(pids(&finding.culprits), [50]);
        // 12 GiB available at half a MiB per second.
        assert!(finding.headline.contains("1.76 GiB/h; memory is full in 6.8 h (6.8 to 6.8 h)"), "{}", finding.headline);
    }

    #[test]
    fn a_plateau_a_saw_and_a_step_are_no_leaks() {
        assert!(grows((0..600).map(|i| 500.0 + 0.5 * f64::from(i.min(300)))).seen(look).is_empty());
        assert!(grows((0..600).map(|i| 500.0 + f64::from(i % 100))).seen(look).is_empty());
        assert!(grows((0..600).map(|i| if i < 300 { 500.0 } else { 700.0 })).seen(look).is_empty());
        assert!(grows((0..600).map(|_| 500.0)).seen(look).is_empty());
    }

    #[test]
    fn a_minute_will_do_when_the_limit_of_its_cgroup_is_minutes_away() {
        let fast = || grows((0..90).map(|i| 100.0 + 2.0 * f64::from(i)));
        assert!(fast().seen(look).is_empty());
        let mut scene = fast();
        let group = Cgroup { path: "/app".into(), memory: Some(GIB / 2), memory_limit: Some(GIB), ..Cgroup::default() };
        scene.snapshot.cgroups = Reading::Known(vec![group]);
        let finding = only(scene.seen(look)).finding;
        assert_eq!(finding.severity, Severity::Critical);
        assert!(finding.headline.contains("its cgroup is full in 4 min (4 to 4 min)"), "{}", finding.headline);
    }
}
