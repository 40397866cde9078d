//! Receive buffers of sockets that are too small for what comes (networking/ip-sysctl.rst "tcp_rmem", sysctl/net.rst "rmem_max"; counters
//! of networking/snmp_counter.rst): TCP squeezes queues together (`PruneCalled`) or drops segments (`TCPRcvQDrop`), UDP drops datagrams
//! (`RcvbufErrors`). A program that does not read fills any buffer, so who uses a whole core is said.

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

/// The look.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let rows = world.snapshot.tcp.known().into_iter().flatten();
    rows.filter_map(|row| cut(world, row)).filter_map(Report::signal).collect()
}

fn cut(world: &World<'_>, row: &Tcp) -> Option<Report> {
    let limit = world.thresholds.socket_buffers;
    let subject = who::namespace(row);
    let key = |metric| Key::new(subject.clone(), metric);
    let mean = |metric, now: f64| recent::mean(world, &key(metric), recent::BURST).unwrap_or(now);
    let prunes = row.strained.prunes.map_or(0.0, |now| mean(Metric::TcpPrunes, now));
    let lost = mean(Metric::UdpFull, row.udp.full.iter().sum());
    let level = report::level(prunes.max(lost), limit);
    if level == Level::Clear {
        return None;
    }
    let show = |rate: f64| Unit::PerSecond.show((rate * 10.0).round() / 10.0);
    let over = |metric, rate: f64, from: &str| {
        (report::level(rate, limit) != Level::Clear).then(|| evidence(key(metric), rate, Some(limit), from))
    };
    let facts = [over(Metric::TcpPrunes, prunes, "/proc/net/netstat"), over(Metric::UdpFull, lost, "/proc/net/snmp")];
    let what = match &facts {
        [Some(_), Some(_)] => format!("receive queues are cut {}, datagrams lost {}", show(prunes), show(lost)),
        [Some(_), None] => format!("receive queues of TCP sockets are cut {}: more comes than they hold", show(prunes)),
        _ => format!("datagrams are lost {} for full buffers", show(lost)),
    };
    Some(Report {
        id: FindingId { kind: FindingKind::SocketBuffers, subject: subject.clone() },
        level,
        severity: Severity::Warning,
        headline: what,
        evidence: facts.into_iter().flatten().collect(),
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: innocent::among(world, &[Suspect::CpuPressure, Suspect::MemoryPressure, Suspect::Throttling]),
        advice: Some("a program that reads too slowly fills any buffer: ss -tump shows whose Recv-Q is long".into()),
        impact: prunes.max(lost) / (prunes.max(lost) + 100.0),
        crossing: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::look;
    use crate::{
        analysis::detect::fixture::{Scene, only},
        model::{finding::FindingKind, metric::Metric, snapshot::Strained},
    };

    fn scene(prunes: Option<f64>, lost: f64) -> Scene {
        Scene::quiet().ports(|row| {
            row.strained = Strained { prunes, ..Strained::default() };
            row.udp.full = [lost, 0.0];
        })
    }

    #[test]
    fn what_is_short_stands_in_the_evidence() {
        let metrics = |scene: Scene| {
            let finding = only(scene.seen(look)).finding;
            assert_eq!(finding.id.kind, FindingKind::SocketBuffers);
            finding.evidence.iter().map(|e| e.metric).collect::<Vec<_>>()
        };
        assert_eq!(metrics(scene(Some(30.0), 0.0)), [Metric::TcpPrunes]);
        assert_eq!(metrics(scene(None, 30.0)), [Metric::UdpFull]);
        assert_eq!(metrics(scene(Some(2.0), 30.0)), [Metric::TcpPrunes, Metric::UdpFull]);
    }

    #[test]
    fn now_and_then_one_is_nothing() {
        assert!(scene(Some(0.3), 0.2).seen(look).is_empty());
    }
}
