//! Requests for a connection that find no room among those half open (networking/ip-sysctl.rst "tcp_syncookies", "tcp_max_syn_backlog";
//! `tcp_conn_request` of net/ipv4/tcp_input.c). Without cookies such a request is dropped (`TCPReqQFullDrop`, and `ListenDrops` beyond
//! the overflows); with them it is answered from no memory at all.
//!
//! A flood is told from load by what comes of the requests: clients that mean it finish, and most requests are accepted.

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
        unit::Unit,
        world::World,
    },
};

/// Share of requests that are finished below which it is a flood.
const MEANT: f64 = 0.5;

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let rows = world.snapshot.tcp.known().into_iter().flatten();
    rows.filter_map(|row| dropped(world, row)).filter_map(Report::signal).collect()
}

fn dropped(world: &World<'_>, row: &Tcp) -> Option<Report> {
    let now = row.strained.syns?;
    let limit = world.thresholds.syn_drops;
    let subject = who::namespace(row);
    let key = |metric| Key::new(subject.clone(), metric);
    let mean = |metric, now: f64| recent::mean(world, &key(metric), recent::BURST).unwrap_or(now);
    let rate = mean(Metric::TcpSynDrops, now);
    let level = report::level(rate, limit);
    if level == Level::Clear {
        return None;
    }
    let accepts = mean(Metric::TcpAccepts, row.opens - row.connects).max(0.0);
    let finished = accepts / (accepts + rate);
    let (what, advice) = if finished < MEANT {
        ("a flood by its look", "filter it upstream: most of these requests are never finished, whatever room they are given")
    } else {
        ("load by its look", "a listener's own backlog bounds its half-open connections too: ss -ltn shows it as Send-Q")
    };
    let shares = format!("{} of requests are finished", Unit::Share.show(finished));
    Some(Report {
        id: FindingId { kind: FindingKind::SynDrops, subject: subject.clone() },
        level,
        severity: if rate >= 10.0 * limit { Severity::Critical } else { Severity::Warning },
        headline: format!(
            "requests to connect are dropped {}: {what}, {shares}",
            Unit::PerSecond.show((rate * 10.0).round() / 10.0)
        ),
        evidence: vec![
            evidence(key(Metric::TcpSynDrops), rate, Some(limit), "/proc/net/netstat"),
            evidence(key(Metric::TcpAccepts), accepts, None, "/proc/net/snmp"),
        ],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::CpuPressure, Suspect::MemoryPressure]),
        advice: Some(advice.into()),
        impact: rate / (rate + accepts + 1.0),
        crossing: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{
            finding::{FindingKind, Level},
            snapshot::Strained,
            subject::Subject,
        },
    };

    fn scene(syns: Option<f64>, accepts: f64) -> Scene {
        Scene::quiet().ports(|row| {
            row.strained = Strained { syns, ..Strained::default() };
            row.opens = accepts;
        })
    }

    #[test]
    fn load_is_told_from_a_flood_by_what_is_finished() {
        let load = only(scene(Some(20.0), 200.0).seen(look));
        assert_eq!((load.finding.id.kind, load.level), (FindingKind::SynDrops, Level::Over));
        assert_eq!(load.finding.id.subject, Subject::Network(99));
        assert!(load.finding.headline.contains("load") && load.finding.headline.contains("90.9 %"), "{}", load.finding.headline);
        assert!(only(scene(Some(500.0), 20.0).seen(look)).finding.headline.contains("flood"));
    }

    #[test]
    fn a_namespace_that_has_never_dropped_one_says_nothing() {
        assert!(scene(None, 100.0).seen(look).is_empty());
        assert!(scene(Some(0.1), 100.0).seen(look).is_empty());
    }
}
