//! A process near its descriptor limit: accept() and open() fail with EMFILE (getrlimit(2), RLIMIT_NOFILE). Bursts touch the limit for a
//! second at a time, so the second greatest count of the last ten seconds decides.

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        recent,
        report::{self, Report, evidence},
        who,
    },
    model::{
        finding::{FindingId, FindingKind, Level, Severity, Signal},
        metric::{Key, Metric},
        snapshot::Process,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// From here on calls fail.
const GONE: f64 = 0.99;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let all = world.snapshot.processes.known().into_iter().flat_map(|all| all.iter());
    all.filter(|p| !p.kernel).filter_map(|p| near(world, p)).filter_map(Report::signal).collect()
}

fn near(world: &World<'_>, process: &Process) -> Option<Report> {
    let limit = world.thresholds.descriptors;
    let (open, (soft, hard)) = (process.descriptors?, process.descriptor_limit?);
    let now = f64::from(open) / soft.max(1) as f64;
    let subject = Subject::Process(process.id);
    let key = Key::new(subject.clone(), Metric::ProcessDescriptors);
    let share = now.max(second_greatest(world, &key));
    let level = report::level(share, limit);
    if level == Level::Clear {
        return None;
    }
    let name = report::short(&process.name);
    let peak = (share * soft as f64).round();
    let advice = match hard > soft {
        true => None,
        false => {
            Some(format!("its hard limit is {hard} as well: only root can raise it, and LimitNOFILE= keeps it over a restart"))
        }
    };
    Some(Report {
        id: FindingId { kind: FindingKind::DescriptorExhaustion, subject },
        level,
        severity: if share >= GONE { Severity::Critical } else { Severity::Warning },
        headline: format!("{name} ({}) has {peak:.0} of {soft} descriptors open", process.id.pid),
        evidence: vec![evidence(key, share, Some(limit), "/proc/PID/fd")],
        culprits: Vec::new(),
        victims: vec![who::party(process, 1.0, (share, Unit::Share))],
        ruled_out: innocent::among(world, &[Suspect::MemoryPressure, Suspect::Throttling]),
        advice,
        impact: share,
        crossing: None,
    })
}

/// One reading at the limit may be a chance; two are a burst.
fn second_greatest(world: &World<'_>, key: &Key) -> f64 {
    let points = recent::points(world, key, recent::BURST).map(|p| p.value);
    let (_, second) = points.fold((0.0_f64, 0.0_f64), |(first, second), v| (first.max(v), second.max(v.min(first))));
    second
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, of_process, only, pids},
        model::{
            finding::{FindingKind, Level},
            metric::Metric,
        },
    };

    fn server(open: u32, limit: (u64, u64)) -> Scene {
        Scene::quiet().process(50, "python3", |p| (p.descriptors, p.descriptor_limit) = (Some(open), Some(limit)))
    }

    #[test]
    fn a_process_at_its_limit_is_named() {
        let signal = only(server(64, (64, 1 << 20)).seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::DescriptorExhaustion, Level::Over));
        assert_eq!(pids(&signal.finding.victims), [50]);
        assert_eq!(signal.finding.headline, "python3 (50) has 64 of 64 descriptors open");
        assert_eq!(signal.finding.advice, None);
    }

    #[test]
    fn a_burst_is_remembered_through_the_pause_after_it() {
        let bursts = |peaks: u32| (0..10).map(move |i| if i % 3 == 0 && i / 3 < peaks { 1.0 } else { 0.1 });
        let key = of_process(50, Metric::ProcessDescriptors);
        assert_eq!(only(server(6, (64, 64)).history(&key, bursts(3)).seen(look)).level, Level::Over);
        assert!(server(6, (64, 64)).history(&key, bursts(1)).seen(look).is_empty(), "one peak alone");
    }

    #[test]
    fn half_full_is_fine_and_no_limit_or_a_limit_of_zero_breaks_nothing() {
        assert!(server(32, (64, 64)).seen(look).is_empty());
        assert!(server(1000, (u64::MAX, u64::MAX)).seen(look).is_empty());
        let _any = server(3, (0, 0)).seen(look);
    }
}
