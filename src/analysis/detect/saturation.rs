//! CPU saturation: every core is busy, and nobody in particular suffers or is to blame. Where somebody does, it is contention.

use crate::{
    analysis::detect::{
        contention,
        innocent::{self, Suspect},
        recent,
        report::{self, Report, evidence},
        steal, who,
    },
    model::{
        finding::{FindingId, FindingKind, Severity, Signal},
        metric::{Key, Metric},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Processes named at most.
const NAMED: usize = 5;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    saturation(world).and_then(Report::signal).into_iter().collect()
}

fn saturation(world: &World<'_>) -> Option<Report> {
    let limits = world.thresholds;
    let cpu = world.snapshot.vitals.cpu.known()?;
    let busy = recent::mean(world, &Key::host(Metric::CpuBusy), recent::STEADY).unwrap_or(cpu.total.busy());
    if steal::confounds(world) || contention::contention(world).is_some() {
        return None;
    }
    let pressure = world.snapshot.vitals.pressure.known().map(|p| p.cpu.some);
    let waits = pressure.is_some_and(|some| some >= limits.cpu_pressure);
    let cores = f64::from(world.facts.cpus.max(1));
    let mut users = who::candidates(world);
    users.sort_by(|a, b| b.cpu.total_cmp(&a.cpu).then(a.process.id.cmp(&b.process.id)));
    let users: Vec<_> = users.iter().filter(|u| u.cpu >= limits.hog_cores).take(NAMED).collect();
    let culprits: Vec<_> = users.iter().map(|u| who::party(u.process, u.cpu / cores, (u.cpu, Unit::Cores))).collect();
    let by = if culprits.is_empty() { "no single large user".into() } else { format!("most by {}", who::names(&culprits)) };
    let mut facts = vec![evidence(Key::host(Metric::CpuBusy), busy, Some(limits.cpu_busy), "/proc/stat")];
    facts.extend(
        pressure.map(|some| evidence(Key::host(Metric::PressureCpuSome), some, Some(limits.cpu_pressure), "/proc/pressure/cpu")),
    );
    Some(Report {
        id: FindingId { kind: FindingKind::CpuSaturation, subject: Subject::Host },
        level: report::level(busy, limits.cpu_busy),
        severity: if waits { Severity::Warning } else { Severity::Notice },
        headline: format!("all {} cores are busy ({}), {by}", cores, Unit::Share.show(busy)),
        evidence: facts,
        culprits,
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::Steal, Suspect::MemoryPressure, Suspect::IoPressure, Suspect::Throttling]),
        advice: Some("more cores, or less work at once".into()),
        impact: pressure.unwrap_or(busy),
        crossing: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only, pids},
        model::finding::{FindingKind, Severity},
    };

    #[test]
    fn busy_cores_with_nobody_hurt_are_saturation() {
        let scene = (100..104).fold(Scene::quiet().cores([1.0; 4]), |s, pid| s.runs(pid, "cc1", 0.99, 0.01));
        let finding = only(scene.seen(look)).finding;
        assert_eq!((finding.id.kind, finding.severity), (FindingKind::CpuSaturation, Severity::Notice));
        assert_eq!(pids(&finding.culprits), [100, 101, 102, 103]);
    }

    #[test]
    fn contention_speaks_instead_when_somebody_suffers() {
        let scene = (100..104).fold(Scene::quiet().cores([1.0; 4]), |s, pid| s.runs(pid, "cc1", 0.99, 0.01));
        assert!(scene.runs(50, "nginx", 0.1, 0.4).seen(look).is_empty());
    }

    #[test]
    fn a_busy_core_beside_idle_ones_is_no_saturation() {
        assert!(Scene::quiet().cores([1.0, 0.2, 0.2, 0.2]).runs(100, "cc1", 1.0, 0.0).seen(look).is_empty());
    }
}
