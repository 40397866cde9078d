//! Connections dropped because an accept queue is full (`ListenOverflows` of /proc/net/netstat, per network namespace). Bursts come
//! seconds apart, so the rate is that of the last ten seconds. The queue's length was fixed at `listen()` (listen(2), ip-sysctl.rst).

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
        sample::Listener,
        snapshot::{Process, Tcp},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// A queue this full is the one that overflows (catalogue N1).
const FULL: f64 = 0.8;
/// A program that uses this much of one core cannot accept faster, however long its queue.
const BOUND: f64 = 0.9;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let rows = world.snapshot.tcp.known().into_iter().flatten();
    rows.filter_map(|row| overflow(world, row)).filter_map(Report::signal).collect()
}

fn overflow(world: &World<'_>, row: &Tcp) -> Option<Report> {
    let limit = world.thresholds.overflows;
    let subject = if row.through.is_none() { Subject::Host } else { Subject::Network(row.netns) };
    let key = Key::new(subject.clone(), Metric::ListenOverflows);
    let rate = recent::mean(world, &key, recent::BURST).unwrap_or(row.overflows);
    let level = report::level(rate, limit);
    if level == Level::Clear {
        return None;
    }
    let listener = suspect(row);
    let owner = listener.and_then(|l| l.owner).and_then(|id| world.snapshot.process(id));
    let named = match (listener, owner) {
        (Some(l), Some(owner)) => {
            format!("port {} of {}: its queue of {} overflows", l.port, report::short(&owner.name), l.backlog)
        }
        (Some(l), None) => format!("port {}: its accept queue of {} overflows", l.port, l.backlog),
        (None, _) => "an accept queue overflows".into(),
    };
    Some(Report {
        id: FindingId { kind: FindingKind::AcceptOverflow, subject },
        level,
        severity: if rate >= 10.0 * limit { Severity::Critical } else { Severity::Warning },
        headline: format!("{named} {} (somaxconn {})", Unit::PerSecond.show(round(rate)), shown(row.somaxconn)),
        evidence: vec![evidence(key, rate, Some(limit), "/proc/net/netstat")],
        culprits: Vec::new(),
        victims: owner.map(|p| who::party(p, 1.0, (rate, Unit::PerSecond))).into_iter().collect(),
        ruled_out: ruled_out(world, owner),
        advice: advice(world, listener, owner),
        // A lost connection costs its client a second at least (the SYN's first retransmission).
        impact: rate / (rate + 1.0),
        crossing: None,
    })
}

fn round(rate: f64) -> f64 {
    (rate * 10.0).round() / 10.0
}

fn shown(somaxconn: Option<u64>) -> String {
    somaxconn.map_or_else(|| "unknown".into(), |n| n.to_string())
}

/// The listener whose queue is full now; else the shortest of those that somaxconn cut; else, if there is but one, that one.
fn suspect(row: &Tcp) -> Option<&Listener> {
    let filled = |l: &Listener| f64::from(l.waiting) / f64::from(l.backlog.max(1));
    let fullest = row.listeners.iter().max_by(|a, b| filled(a).total_cmp(&filled(b)).then(b.port.cmp(&a.port)));
    let capped = || row.listeners.iter().filter(|l| Some(u64::from(l.backlog)) == row.somaxconn).min_by_key(|l| l.port);
    let only = || row.listeners.first().filter(|_| row.listeners.len() == 1);
    fullest.filter(|l| filled(l) >= FULL).or_else(capped).or_else(only)
}

fn is_bound(world: &World<'_>, owner: &Process) -> bool {
    let key = Key::new(Subject::Process(owner.id), Metric::ProcessCpu);
    recent::activity(world, &key, recent::BURST).or(owner.cpu).unwrap_or(0.0) >= BOUND
}

fn throttled(world: &World<'_>, owner: &Process) -> bool {
    let group = world.snapshot.cgroup(&owner.cgroup);
    group.and_then(|g| g.throttled).is_some_and(|share| share >= world.thresholds.throttled)
}

fn ruled_out(world: &World<'_>, owner: Option<&Process>) -> Vec<String> {
    let mut phrases = Vec::new();
    if let Some(owner) = owner.filter(|o| !is_bound(world, o)) {
        phrases.extend(
            owner.cpu.map(|cpu| format!("{} is not cpu-bound ({} of a core)", report::short(&owner.name), Unit::Cores.show(cpu))),
        );
    }
    phrases.extend(innocent::among(world, &[Suspect::CpuPressure, Suspect::MemoryPressure, Suspect::IoPressure]));
    phrases
}

fn advice(world: &World<'_>, listener: Option<&Listener>, owner: Option<&Process>) -> Option<String> {
    let owner = match (listener, owner) {
        (Some(_), Some(owner)) => owner,
        (Some(l), None) => return Some(format!("find who listens on port {}: ss -ltnp 'sport = :{}'", l.port, l.port)),
        (None, _) => return Some("find the full queue: ss -ltn, where Recv-Q is near Send-Q".into()),
    };
    if throttled(world, owner) {
        return Some("its cpu quota holds it back: raise that first".into());
    }
    if is_bound(world, owner) {
        return Some("the program uses a whole core and accepts too slowly: more workers help, a longer queue only delays".into());
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, listener, only, pids},
        model::{
            finding::{FindingKind, Level},
            metric::{Key, Metric},
            subject::Subject,
        },
    };

    fn overflows() -> Key {
        Key::new(Subject::Network(99), Metric::ListenOverflows)
    }

    #[test]
    fn bursts_three_seconds_apart_are_seen_in_every_second() {
        for phase in 0..4 {
            let bursts = (0..30).map(|i| if (i + phase) % 4 == 0 { 40.0 } else { 0.0 });
            let scene = Scene::quiet().runs(50, "python3", 0.1, 0.0).tcp(0.0, vec![listener(8080, 0, 16, Some(50))]);
            let signal = only(scene.history(&overflows(), bursts).seen(look));
            assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::AcceptOverflow, Level::Over));
            assert_eq!(signal.finding.id.subject, Subject::Network(99));
            assert_eq!(pids(&signal.finding.victims), [50]);
            assert!(signal.finding.headline.starts_with("port 8080 of python3: its queue of 16"), "{}", signal.finding.headline);
        }
    }

    #[test]
    fn the_full_queue_is_named_before_the_capped_one() {
        let rows = vec![listener(22, 0, 16, None), listener(8080, 15, 18, Some(50)), listener(9090, 1, 16, None)];
        let signal = only(Scene::quiet().runs(50, "app", 0.1, 0.0).tcp(5.0, rows).seen(look));
        assert!(signal.finding.headline.starts_with("port 8080 of app"), "{}", signal.finding.headline);
    }

    #[test]
    fn a_program_at_its_limit_needs_workers_not_a_longer_queue() {
        let scene = |cpu| Scene::quiet().runs(50, "app", cpu, 0.0).tcp(5.0, vec![listener(80, 16, 16, Some(50))]);
        assert!(only(scene(1.0).seen(look)).finding.advice.unwrap().contains("more workers"));
        assert_eq!(only(scene(0.1).seen(look)).finding.advice, None);
    }

    #[test]
    fn one_lost_connection_in_ten_seconds_is_nothing() {
        let once = (0..10).map(|i| f64::from(u8::from(i == 5)));
        assert!(Scene::quiet().tcp(0.0, Vec::new()).history(&overflows(), once).seen(look).is_empty());
    }

    #[test]
    fn without_listeners_or_with_a_backlog_of_zero_it_still_speaks() {
        assert!(only(Scene::quiet().tcp(9.0, Vec::new()).seen(look)).finding.advice.unwrap().contains("ss -ltn"));
        let _any = only(Scene::quiet().tcp(9.0, vec![listener(1, 0, 0, None), listener(2, 5, 0, None)]).seen(look));
    }
}
