//! Memory trouble, on the fast lane: tasks wait for memory (PSI, Documentation/accounting/psi.rst), little is available, or pages go to
//! swap and come straight back.

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
        snapshot::{Process, Vitals},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Seconds over which growth is looked for.
const GROWTH: f64 = 30.0;
/// Processes named at most.
const NAMED: usize = 3;

/// Tasks wait for memory, or there is hardly any left.
pub(super) fn pressure(world: &World<'_>) -> Vec<Signal> {
    pressed(world).and_then(Report::signal).into_iter().collect()
}

fn pressed(world: &World<'_>) -> Option<Report> {
    let limits = world.thresholds;
    let some = fresh(world, |v| v.pressure.known().map(|p| p.memory.some)).unwrap_or(0.0);
    let full = fresh(world, |v| v.pressure.known().map(|p| p.memory.full)).unwrap_or(0.0);
    let memory = world.vitals.memory.known()?;
    let left = memory.available as f64 / memory.total.max(1) as f64;
    // Less is worse here: over at the limit, clear from 1/0.7 of it on.
    let short = report::level(limits.memory_available / left.max(1e-9), 1.0);
    let level = report::level(some, limits.memory_some).max(report::level(full, limits.memory_full)).max(short);
    if level == Level::Clear {
        return None;
    }
    let floor = limits.memory_available * memory.total as f64;
    let severe = full >= limits.memory_full || left < limits.memory_available / 2.0;
    let available = Unit::Bytes.show(memory.available as f64);
    let culprits = growers(world, &|_| true);
    let headline = match some >= full.max(0.7 * limits.memory_some) {
        true => format!("tasks wait for memory {} of the time, {available} available", Unit::Share.show(some)),
        false => format!("memory is short: {available} available of {}", Unit::Bytes.show(memory.total as f64)),
    };
    let by = if culprits.is_empty() { String::new() } else { format!("; {}", who::names(&culprits)) };
    Some(Report {
        id: FindingId { kind: FindingKind::MemoryPressure, subject: Subject::Host },
        level,
        severity: if severe { Severity::Critical } else { Severity::Warning },
        headline: headline + &by,
        evidence: vec![
            evidence(Key::host(Metric::PressureMemorySome), some, Some(limits.memory_some), "/proc/pressure/memory"),
            evidence(Key::host(Metric::PressureMemoryFull), full, Some(limits.memory_full), "/proc/pressure/memory"),
            evidence(Key::host(Metric::MemoryAvailable), memory.available as f64, Some(floor), "/proc/meminfo"),
        ],
        culprits,
        victims: faulters(world),
        ruled_out: innocent::among(world, &[Suspect::Swap, Suspect::IoPressure, Suspect::CpuPressure]),
        advice: Some("stop or limit what grows; a memory limit on its cgroup keeps the rest of the host alive".into()),
        impact: full.max(some).max(1.0 - left.min(1.0)),
        crossing: None,
    })
}

/// Pages go to swap and come back.
pub(super) fn thrash(world: &World<'_>) -> Vec<Signal> {
    thrashing(world).and_then(Report::signal).into_iter().collect()
}

fn thrashing(world: &World<'_>) -> Option<Report> {
    let vm = world.vitals.vm.known()?;
    let limit = world.thresholds.swap_bytes;
    let back = fresh(world, |v| v.vm.known().map(|vm| vm.swap_in))?;
    let out = fresh(world, |v| v.vm.known().map(|vm| vm.swap_out))?;
    // Cold pages that go out and stay out are good use of swap; only what comes back was missed.
    let level = report::level(back + out, limit).min(report::level(back, limit / 4.0));
    if level == Level::Clear {
        return None;
    }
    let culprits = growers(world, &|_| true);
    let by = if culprits.is_empty() { String::new() } else { format!("; {}", who::names(&culprits)) };
    let show = |v| Unit::BytesPerSecond.show(v);
    let mut facts = vec![
        evidence(Key::host(Metric::SwapIn), back, Some(limit / 4.0), "/proc/vmstat"),
        evidence(Key::host(Metric::SwapOut), out, None, "/proc/vmstat"),
        evidence(Key::host(Metric::MajorFaults), vm.major_faults, None, "/proc/vmstat"),
    ];
    facts.extend(world.vitals.pressure.known().map(|p| {
        let limit = Some(world.thresholds.memory_some);
        evidence(Key::host(Metric::PressureMemorySome), p.memory.some, limit, "/proc/pressure/memory")
    }));
    Some(Report {
        id: FindingId { kind: FindingKind::SwapThrash, subject: Subject::Host },
        level,
        severity: if back >= 4.0 * limit { Severity::Critical } else { Severity::Warning },
        headline: format!("swap: {} come back while {} go out{by}", show(back), show(out)),
        evidence: facts,
        culprits,
        victims: faulters(world),
        ruled_out: innocent::among(world, &[Suspect::CpuPressure, Suspect::Steal]),
        advice: Some("less on this host, or more memory; swappiness only shifts who waits".into()),
        impact: world.vitals.pressure.known().map_or(0.5, |p| p.memory.some),
        crossing: None,
    })
}

/// The mean of the newest pass and of the last sweep: at once when it is grave, but a reclaim of a tenth of a second is no emergency.
fn fresh(world: &World<'_>, of: impl Fn(&Vitals) -> Option<f64>) -> Option<f64> {
    let now = of(world.vitals)?;
    Some(of(&world.snapshot.vitals).map_or(now, |sweep| f64::midpoint(now, sweep)))
}

/// The processes that have grown most in the last half minute, of those that `among` takes; if none has, the largest.
pub(super) fn growers(world: &World<'_>, among: &dyn Fn(&Process) -> bool) -> Vec<Party> {
    let Some(all) = world.snapshot.processes.known() else { return Vec::new() };
    let total = world.vitals.memory.known().map_or(0, |m| m.total).max(1) as f64;
    let mut weighed: Vec<(&Process, f64)> =
        all.iter().filter(|p| !who::exempt(world, p) && p.resident > 0 && among(p)).map(|p| (p, growth(world, p))).collect();
    if weighed.iter().all(|(_, grown)| *grown < 0.01 * total) {
        weighed.iter_mut().for_each(|(p, weight)| *weight = p.resident as f64);
    }
    weighed.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.id.cmp(&b.0.id)));
    weighed.truncate(NAMED);
    weighed.iter().map(|(p, _)| who::party(p, p.resident as f64 / total, (p.resident as f64, Unit::Bytes))).collect()
}

fn growth(world: &World<'_>, process: &Process) -> f64 {
    let key = Key::new(Subject::Process(process.id), Metric::ProcessResident);
    let then = recent::points(world, &key, GROWTH).last();
    then.map_or(0.0, |point| process.resident as f64 - point.value)
}

/// Who waits for pages.
fn faulters(world: &World<'_>) -> Vec<Party> {
    let Some(all) = world.snapshot.processes.known() else { return Vec::new() };
    let whole: f64 = all.iter().map(|p| p.major_faults).sum();
    let mut faulters: Vec<_> = all.iter().filter(|p| !p.kernel && p.major_faults >= 1.0).collect();
    faulters.sort_by(|a, b| b.major_faults.total_cmp(&a.major_faults).then(a.id.cmp(&b.id)));
    let named = faulters.iter().take(NAMED);
    named.map(|p| who::party(p, p.major_faults / whole, (p.major_faults, Unit::PerSecond))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::{
        analysis::detect::fixture::{GIB, Scene, of_process, only, pids},
        model::{
            finding::{FindingKind, Level, Severity},
            metric::Metric,
        },
    };

    use super::{pressure, thrash};

    #[test]
    fn waiting_for_memory_names_who_grows() {
        let scene = Scene::quiet()
            .vitals(|_, p, m| (p.memory.some, p.memory.full, m.available) = (0.3, 0.1, GIB))
            .process(50, "java", |p| p.resident = 8 * GIB)
            .process(51, "leaky", |p| p.resident = 4 * GIB)
            .process(60, "redis", |p| p.major_faults = 120.0)
            .history(&of_process(51, Metric::ProcessResident), (0..30).map(|i| (2.0 + f64::from(i) / 15.0) * GIB as f64));
        let signal = only(scene.seen(pressure));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::MemoryPressure, Level::Over));
        assert_eq!(signal.finding.severity, Severity::Critical);
        assert_eq!(pids(&signal.finding.culprits)[0], 51);
        assert_eq!(pids(&signal.finding.victims), [60]);
    }

    #[test]
    fn little_memory_left_is_told_before_anybody_waits() {
        let signal = only(Scene::quiet().vitals(|_, _, m| m.available = m.total / 25).seen(pressure));
        assert_eq!(signal.level, Level::Over);
        assert!(signal.finding.headline.starts_with("memory is short"), "{}", signal.finding.headline);
    }

    #[test]
    fn a_cache_that_fills_the_machine_is_no_shortage() {
        let scene = Scene::quiet().vitals(|_, p, m| (p.memory.some, m.available) = (0.06, m.total / 5));
        assert!(scene.seen(pressure).is_empty());
    }

    #[test]
    fn no_memory_and_no_processes_at_all_break_nothing() {
        let _any = Scene::quiet().vitals(|_, _, m| (m.total, m.available) = (0, 0)).seen(pressure);
    }

    #[test]
    fn pages_that_come_back_are_thrash_and_pages_that_stay_out_are_not() {
        let both = Scene::quiet().vitals(|vm, _, _| (vm.swap_in, vm.swap_out) = (4e6, 6e6));
        assert_eq!(only(both.seen(thrash)).finding.id.kind, FindingKind::SwapThrash);
        let out = Scene::quiet().vitals(|vm, _, _| (vm.swap_in, vm.swap_out) = (1e4, 60e6));
        assert!(out.seen(thrash).is_empty());
    }
}
