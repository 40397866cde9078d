//! Outgoing connections that nearly fill the local ports of a namespace: connect() fails with EADDRNOTAVAIL (networking/ip-sysctl.rst
//! "ip_local_port_range").
//!
//! The kernel counts connections of both directions together, but only one that we opened takes a port of the range. How many of them
//! are ours is told by what was opened and accepted in the last minute, which is also how long TIME_WAIT lasts: of those in TIME_WAIT at
//! most as many are ours as we opened in that time. A port can be used once for each destination, so the count is an upper bound where
//! there are many, and the advice says where to look.

use crate::{
    analysis::detect::{
        innocent::{self, Suspect},
        recent,
        report::{self, Report, evidence},
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

/// Seconds in TIME_WAIT (`TCP_TIMEWAIT_LEN`); a constant of the kernel.
const TIME_WAIT: f64 = 60.0;
/// From here on a connection finds no port.
const GONE: f64 = 0.95;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let rows = world.snapshot.tcp.known().into_iter().flatten();
    rows.filter_map(|row| near(world, row)).filter_map(Report::signal).collect()
}

fn near(world: &World<'_>, row: &Tcp) -> Option<Report> {
    let (low, high) = row.port_range?;
    let range = f64::from(high.checked_sub(low)?) + 1.0;
    let limit = world.thresholds.ports;
    let subject = if row.through.is_none() { Subject::Host } else { Subject::Network(row.netns) };
    let key = |metric| Key::new(subject.clone(), metric);
    let minute = |metric, now: f64| recent::mean(world, &key(metric), TIME_WAIT).unwrap_or(now).max(0.0);
    let connects = minute(Metric::TcpConnects, row.connects);
    let accepts = minute(Metric::TcpAccepts, row.opens - row.connects);
    let used = outgoing(row, connects, accepts);
    let share = used / range;
    let level = report::level(share, limit);
    if level == Level::Clear {
        return None;
    }
    let count = |n: f64| Unit::Count.show(n.round());
    let headline = format!(
        "outgoing connections take up to {} of {} local ports ({low}-{high}), {} in TIME_WAIT",
        count(used),
        count(range),
        count(row.time_wait as f64)
    );
    let evidence = vec![
        evidence(key(Metric::PortsUsed), share, Some(limit), "/proc/net/snmp, /proc/net/sockstat"),
        evidence(key(Metric::TcpConnects), connects, None, "/proc/net/snmp"),
    ];
    Some(Report {
        id: FindingId { kind: FindingKind::PortExhaustion, subject },
        level,
        severity: if share >= GONE { Severity::Critical } else { Severity::Warning },
        headline,
        evidence,
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: ruled_out(world, accepts),
        advice: Some(
            "reuse connections (keep-alive, a pool); to whom they go: ss -tan '( state established or state time-wait )'".into(),
        ),
        impact: share,
        crossing: None,
    })
}

/// How many connections are ours, at most.
fn outgoing(row: &Tcp, connects: f64, accepts: f64) -> f64 {
    let both = connects + accepts;
    let ours = if both > 0.0 { connects / both } else { 0.0 };
    row.established as f64 * ours + (row.time_wait as f64).min(connects * TIME_WAIT)
}

fn ruled_out(world: &World<'_>, accepts: f64) -> Vec<String> {
    let accepted =
        format!("connections accepted {} (they take no local port)", Unit::PerSecond.show((accepts * 10.0).round() / 10.0));
    let others = innocent::among(world, &[Suspect::CpuPressure, Suspect::MemoryPressure]);
    std::iter::once(accepted).chain(others).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{
            finding::{FindingKind, Level, Severity},
            metric::{Key, Metric},
            snapshot::Tcp,
            subject::Subject,
        },
    };

    /// Of a range of 10,000: established, in TIME_WAIT, opened and accepted per second.
    fn scene(established: u64, time_wait: u64, [connects, accepts]: [f64; 2]) -> Scene {
        Scene::quiet().ports(|row| {
            *row = Tcp { established, time_wait, connects, opens: connects + accepts, ..row.clone() };
        })
    }

    #[test]
    fn a_client_that_never_reuses_a_connection_runs_out() {
        let signal = only(scene(500, 8_800, [150.0, 0.0]).seen(look));
        assert_eq!((signal.finding.id.kind, signal.level), (FindingKind::PortExhaustion, Level::Over));
        assert_eq!((signal.finding.id.subject, signal.finding.severity), (Subject::Network(99), Severity::Warning));
        assert!(signal.finding.headline.contains("9.30k of 10.0k local ports (30000-39999)"), "{}", signal.finding.headline);
        assert_eq!((signal.finding.evidence[0].metric, signal.finding.evidence[0].value), (Metric::PortsUsed, 0.93));
        assert_eq!(only(scene(200, 9_700, [165.0, 0.0]).seen(look)).finding.severity, Severity::Critical);
    }

    #[test]
    fn a_busy_server_takes_no_local_ports() {
        assert!(scene(40_000, 60_000, [0.0, 1_000.0]).seen(look).is_empty(), "all accepted");
        assert!(scene(4_000, 60_000, [20.0, 1_000.0]).seen(look).is_empty(), "and asking a database now and then");
    }

    #[test]
    fn a_proxy_counts_only_the_side_that_it_opens() {
        assert!(scene(2_000, 5_000, [60.0, 60.0]).seen(look).is_empty(), "1,000 and 3,600");
        assert_eq!(only(scene(2_000, 14_000, [115.0, 115.0]).seen(look)).level, Level::Over, "1,000 and 6,900");
    }

    #[test]
    fn the_threshold_is_seven_tenths_and_half_is_clear() {
        assert_eq!(only(scene(0, 7_000, [200.0, 0.0]).seen(look)).level, Level::Over);
        assert_eq!(only(scene(0, 6_990, [200.0, 0.0]).seen(look)).level, Level::Between);
        assert!(scene(0, 4_800, [200.0, 0.0]).seen(look).is_empty());
    }

    #[test]
    fn a_burst_is_remembered_as_long_as_its_ports_are_taken() {
        let opened = Key::new(Subject::Network(99), Metric::TcpConnects);
        let burst = |quiet: usize| {
            let values = std::iter::repeat_n(0.0, 50).chain([900.0; 9]).chain(std::iter::repeat_n(0.0, quiet));
            scene(0, 8_100, [0.0, 0.0]).history(&opened, values).seen(look)
        };
        assert_eq!(only(burst(30)).level, Level::Over);
        assert!(burst(70).is_empty(), "what is in TIME_WAIT now is not from there");
    }

    #[test]
    fn an_unknown_inverted_or_tiny_range_and_wild_counts_break_nothing() {
        let with =
            |range| Scene::quiet().ports(|row| (row.port_range, row.time_wait, row.connects) = (range, 9_000, 500.0)).seen(look);
        assert!(with(None).is_empty());
        assert!(with(Some((40_000, 30_000))).is_empty());
        assert_eq!(only(with(Some((40_000, 40_000)))).finding.impact, 1.0);
        let _any = only(scene(u64::MAX, u64::MAX, [1.0, 0.0]).seen(look));
        assert!(scene(u64::MAX, u64::MAX, [f64::NAN, 0.0]).seen(look).is_empty());
        assert!(scene(9_000, 0, [0.0, 0.0]).seen(look).is_empty(), "nobody opens any: whose they are is not known");
    }
}
