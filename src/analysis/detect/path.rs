//! Long paths: much that is sent twice (bpftune's share of 1.5 %), and connections that start slowly again after each rest (RFC 2861;
//! networking/ip-sysctl.rst "tcp_slow_start_after_idle"). Over a short path neither is felt, so the round trip of what is sent decides
//! (inet_diag); where it is not known, nothing is said. Of the slow starts looks see those whose window
//! has not grown back yet, about half in a trial with bursts of 150 kB over 45 ms: the rate is a lower bound.

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
        snapshot::Tcp,
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let rows = world.snapshot.tcp.known().into_iter().flatten();
    rows.flat_map(|row| [lossy(world, row), restarting(world, row)]).flatten().filter_map(Report::signal).collect()
}

/// The subject and the round trip of a namespace whose path is long.
fn long(world: &World<'_>, row: &Tcp) -> Option<(Subject, f64)> {
    let subject = who::namespace(row);
    let key = Key::new(subject.clone(), Metric::TcpRoundTrip);
    let trip = recent::mean(world, &key, recent::BURST).or(row.round_trip)?;
    (trip >= world.thresholds.round_trip).then_some((subject, trip))
}

fn lossy(world: &World<'_>, row: &Tcp) -> Option<Report> {
    let (subject, trip) = long(world, row)?;
    let key = |metric| Key::new(subject.clone(), metric);
    let share = recent::mean(world, &key(Metric::TcpResentShare), recent::BURST).or(row.resent())?;
    let limit = world.thresholds.resent;
    let drops: f64 = world.snapshot.network.known().map_or(0.0, |n| n.softnet.iter().map(|[_, dropped, _]| dropped).sum());
    let mut ruled_out = innocent::among(world, &[Suspect::CpuPressure, Suspect::Steal]);
    ruled_out.extend((drops == 0.0).then(|| "no packet dropped at this host's queues".into()));
    Some(Report {
        id: FindingId { kind: FindingKind::LossyPath, subject: subject.clone() },
        level: report::level(share, limit),
        severity: Severity::Warning,
        headline: format!("{} of what is sent is sent twice, over a path of {}", Unit::Share.show(share), Unit::Seconds.show(trip)),
        evidence: vec![
            evidence(key(Metric::TcpResentShare), share, Some(limit), "/proc/net/snmp"),
            evidence(key(Metric::TcpRoundTrip), trip, Some(world.thresholds.round_trip), "inet_diag"),
        ],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out,
        advice: None,
        impact: share * 5.0,
        crossing: None,
    })
}

fn restarting(world: &World<'_>, row: &Tcp) -> Option<Report> {
    let now = row.strained.restarts?;
    // bbr lets its window shrink by itself to measure the path, and does not start slowly after a rest.
    if &*row.limits.as_ref()?.congestion == "bbr" {
        return None;
    }
    let (subject, trip) = long(world, row)?;
    let key = |metric| Key::new(subject.clone(), metric);
    let rate = recent::mean(world, &key(Metric::TcpRestarts), recent::BURST).unwrap_or(now);
    let limit = world.thresholds.restarts;
    let level = report::level(rate, limit);
    if level == Level::Clear {
        return None;
    }
    let (often, trip_shown) = (Unit::PerSecond.show((rate * 10.0).round() / 10.0), Unit::Seconds.show(trip));
    Some(Report {
        id: FindingId { kind: FindingKind::IdleRestart, subject: subject.clone() },
        level,
        severity: Severity::Notice,
        headline: format!("kept connections are seen to start slowly again after a rest, {often}, over a path of {trip_shown}"),
        evidence: vec![
            evidence(key(Metric::TcpRestarts), rate, Some(limit), "inet_diag"),
            evidence(key(Metric::TcpRoundTrip), trip, Some(world.thresholds.round_trip), "inet_diag"),
        ],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: Vec::new(),
        advice: None,
        // Each costs its user a few round trips.
        impact: rate * trip / (rate * trip + 1.0),
        crossing: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{finding::FindingKind, sample::NetworkLimits, snapshot::Strained},
    };

    fn scene(trip: Option<f64>, resent: f64, restarts: Option<f64>) -> Scene {
        under("cubic", trip, resent, restarts)
    }

    fn under(congestion: &str, trip: Option<f64>, resent: f64, restarts: Option<f64>) -> Scene {
        Scene::quiet().ports(|row| {
            (row.segments_out, row.retransmits) = (1000.0, 1000.0 * resent);
            row.round_trip = trip;
            row.strained = Strained { restarts, ..Strained::default() };
            row.limits = Some(NetworkLimits { congestion: congestion.into(), ..NetworkLimits::default() }.into());
        })
    }

    #[test]
    fn loss_counts_over_a_long_path_only() {
        let finding = only(scene(Some(0.08), 0.03, None).seen(look)).finding;
        assert_eq!(finding.id.kind, FindingKind::LossyPath);
        assert!(finding.headline.contains("3.0 %") && finding.headline.contains("80.0 ms"), "{}", finding.headline);
        assert!(scene(Some(0.001), 0.03, None).seen(look).is_empty());
        assert!(scene(None, 0.03, None).seen(look).is_empty(), "a path that is not known is not blamed");
        assert!(scene(Some(0.08), 0.001, None).seen(look).is_empty());
    }

    #[test]
    fn rests_are_told_where_they_are_felt() {
        assert_eq!(only(scene(Some(0.08), 0.0, Some(12.0)).seen(look)).finding.id.kind, FindingKind::IdleRestart);
        assert!(scene(Some(0.001), 0.0, Some(12.0)).seen(look).is_empty());
        assert!(scene(Some(0.08), 0.0, Some(0.05)).seen(look).is_empty());
        assert!(under("bbr", Some(0.08), 0.0, Some(12.0)).seen(look).is_empty(), "that is how bbr measures");
    }
}
