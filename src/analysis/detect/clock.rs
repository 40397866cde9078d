//! Slow clock: the processors are busy and run well below what they can, and it is not heat that holds them
//! (Documentation/admin-guide/pm/cpufreq.rst). With throttling, or near the limit of a temperature, a higher clock would only be taken back.

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        report::{self, Report, evidence},
    },
    model::{
        finding::{FindingId, FindingKind, Severity, Signal},
        hardware::Hardware,
        metric::{Key, Metric},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Busy share of all cores from which on the clock matters (catalogue C10).
const BUSY: f64 = 0.60;
/// Degrees that must be left to the nearest limit.
const ROOM: f64 = 10.0;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    slow(world).and_then(Report::signal).into_iter().collect()
}

fn slow(world: &World<'_>) -> Option<Report> {
    let (hardware, busy) = (world.snapshot.hardware.known()?, world.snapshot.vitals.cpu.known()?.total.busy());
    let limit = world.thresholds.clock;
    let (now, most) = (hardware.frequency()?, most(hardware)?);
    if is_hot(hardware) || most <= 0.0 {
        return None;
    }
    // What is missing counts: at a limit of 70 % it is over when 30 % are missing, and clear below 0.7 of that.
    let level = report::level(1.0 - now / most, 1.0 - limit).min(report::level(busy, BUSY));
    let governor = hardware.policies.first().map_or("", |policy| &policy.governor);
    let show = |hertz| Unit::Hertz.show(hertz);
    Some(Report {
        id: FindingId { kind: FindingKind::SlowClock, subject: Subject::Host },
        level,
        severity: Severity::Notice,
        headline: format!("cpus are {} busy at {} of {} (governor {governor})", Unit::Share.show(busy), show(now), show(most)),
        evidence: vec![
            evidence(Key::host(Metric::CpuFrequency), now, Some(limit * most), "scaling_cur_freq"),
            evidence(Key::host(Metric::CpuBusy), busy, Some(BUSY), "/proc/stat"),
        ],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::Steal]),
        advice: Some("the governor, or what the firmware allows, holds the clock down".into()),
        impact: (1.0 - now / most) * busy,
        crossing: None,
    })
}

/// Mean over processors of what their hardware can do at most, in hertz.
fn most(hardware: &Hardware) -> Option<f64> {
    let cpus: usize = hardware.policies.iter().map(|p| p.cpus.len()).sum();
    let sum: f64 = hardware.policies.iter().map(|p| p.most as f64 * p.cpus.len() as f64).sum();
    (cpus > 0).then(|| sum / cpus as f64)
}

/// It is throttled for heat, or nearly.
fn is_hot(hardware: &Hardware) -> bool {
    let throttled = |of: Option<(f64, u64)>| of.is_some_and(|(rate, _)| rate > 0.0);
    let near = hardware.hottest().and_then(|s| Some(s.critical.or(s.high)? - s.value?)).is_some_and(|room| room < ROOM);
    throttled(hardware.core_throttles) || throttled(hardware.package_throttles) || near
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{
            finding::{FindingKind, Level},
            hardware::{FrequencyPolicy, Hardware, Sensor},
            snapshot::Reading,
        },
    };

    fn scene(busy: f64, now: u64, change: impl FnOnce(&mut Hardware)) -> Scene {
        let mut scene = Scene::quiet().cores([busy; 4]);
        let policy = FrequencyPolicy {
            cpus: [0, 1, 2, 3].into(),
            now,
            most: 4_000_000_000,
            governor: "powersave".into(),
            ..FrequencyPolicy::default()
        };
        let mut hardware = Hardware { policies: vec![policy], core_throttles: Some((0.0, 7)), ..Hardware::default() };
        change(&mut hardware);
        scene.snapshot.hardware = Reading::Known(hardware);
        scene
    }

    #[test]
    fn busy_and_slow_without_heat_is_told_with_the_governor() {
        let signal = only(scene(0.9, 1_500_000_000, |_| {}).seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::SlowClock, Level::Over));
        assert!(signal.finding.headline.contains("powersave"), "{}", signal.finding.headline);
    }

    #[test]
    fn idle_fast_or_hot_is_not() {
        assert!(scene(0.2, 1_500_000_000, |_| {}).seen(look).is_empty());
        assert!(scene(0.9, 4_000_000_000, |_| {}).seen(look).is_empty());
        assert!(scene(0.9, 1_500_000_000, |h| h.core_throttles = Some((3.0, 10))).seen(look).is_empty());
        let hot = Sensor { value: Some(95.0), critical: Some(100.0), ..Sensor::default() };
        assert!(scene(0.9, 1_500_000_000, |h| h.sensors = vec![hot]).seen(look).is_empty());
        assert!(Scene::quiet().cores([0.9; 4]).seen(look).is_empty(), "no clock is known");
    }
}
